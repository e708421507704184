//! docs/logs.md, from the table of events.

use std::fmt::Write as _;

use api::LogFacility;

use crate::table::{ids, rows};

const HEAD: &str = include_str!("manual.md");

/// docs/logs.md.
pub fn text() -> String {
    let mut out = HEAD.to_owned();
    for facility in LogFacility::ALL {
        let (first, count) = ids(facility);
        let last = first + count - 1;
        // Writing to a String can't fail.
        let _ = write!(
            out,
            "\n## `{facility}`: {first} to {last}\n\n| id | severity | what happened | what to do |\n|---|---|---|---|\n"
        );
        let mut of: Vec<_> = rows().filter(|row| row.facility == facility).collect();
        of.sort_by_key(|row| row.id);
        for row in of {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                row.id, row.severity, row.text, row.todo
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_document_is_what_the_table_says() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/logs.md");
        let held = fs::read_to_string(file).unwrap_or_default();
        assert!(
            held == super::text(),
            "docs/logs.md is stale: cargo xtask documents"
        );
    }
}
