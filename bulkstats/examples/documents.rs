//! Writes what derives from the table: `manual` or `metrics`, to the standard output.
#![forbid(unsafe_code)]

fn main() {
    let wanted = std::env::args().nth(1);
    match wanted.as_deref() {
        Some("manual") => print!("{}", bulkstats::manual::text()),
        Some("metrics") => print!("{}", bulkstats::manual::metrics()),
        _ => {
            eprintln!("usage: documents manual|metrics");
            std::process::exit(2);
        }
    }
}
