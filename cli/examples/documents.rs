//! Writes what derives from the grammar and the table of commands: `manual`, to the standard output.
#![forbid(unsafe_code)]

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("manual") => print!("{}", cli::manual::text()),
        _ => {
            eprintln!("usage: documents manual");
            std::process::exit(2);
        }
    }
}
