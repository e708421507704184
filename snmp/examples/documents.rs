//! Writes what derives from the tables: `mib` or `manual`, to the standard output.
#![forbid(unsafe_code)]

fn main() {
    let wanted = std::env::args().nth(1);
    match wanted.as_deref() {
        Some("mib") => print!("{}", snmp::mib::text()),
        Some("manual") => print!("{}", snmp::manual::text()),
        _ => {
            eprintln!("usage: documents mib|manual");
            std::process::exit(2);
        }
    }
}
