//! Writes what derives from the table: `manual`, to the standard output.
#![forbid(unsafe_code)]

fn main() {
    let wanted = std::env::args().nth(1);
    match wanted.as_deref() {
        Some("manual") => print!("{}", bulkstats::manual::text()),
        _ => {
            eprintln!("usage: documents manual");
            std::process::exit(2);
        }
    }
}
