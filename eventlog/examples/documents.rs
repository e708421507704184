//! Writes what derives from the table of events, docs/logs.md, to the standard output.
#![forbid(unsafe_code)]

fn main() {
    print!("{}", eventlog::manual::text());
}
