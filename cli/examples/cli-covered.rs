//! `cli-covered`: the percentage of the commands of the table with help, completion, a test that runs them, and a documented
//! schema of what they show.
#![forbid(unsafe_code)]

use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let rows = cli::table::rows();
    let mut covered = 0;
    for row in rows {
        let lacks = cli::cover::missing(row, &root);
        if lacks.is_empty() {
            covered += 1;
        } else {
            println!("{}: without {}", row.words, lacks.join(", "));
        }
    }
    println!("{covered} of {} commands", rows.len());
    let verdict = if covered == rows.len() { "ok" } else { "short" };
    println!(
        "cli-covered {} target 100 {verdict}",
        covered * 100 / rows.len()
    );
}
