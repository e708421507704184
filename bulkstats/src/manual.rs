//! docs/bulkstats.md and docs/metrics.md, from the table: what a schema can have, and what each variable and metric is.

use std::fmt::Write as _;

use crate::families;
use crate::table::{About, Schema, common};

const HEAD: &str = include_str!("manual.md");

const METRICS: &str = include_str!("metrics.md");

/// docs/bulkstats.md.
pub fn text() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n## Variables of every schema, header, footer and name\n\n");
    table(&mut out, common());
    for schema in Schema::ALL {
        // Writing to a String can't fail.
        let _ = writeln!(out, "\n## Schema `{schema}`\n\n{}\n", schema.rows());
        table(&mut out, schema.variables());
    }
    out
}

/// Where they are seen from docs.
const PICTURES: &str = "
## A run

Calls begin at up to 60 a second; a lab node in evaluation holds 300. The panels of the dashboard, which is no screenshot of
Grafana: `dashboards/picture.py` draws the expressions of the same panels from what Prometheus has.

![Panels of the run](pictures/metrics-dashboard.png)

The alerts of such a run, as Prometheus shows them:

![Alerts of a run](pictures/metrics-alerts.png)
";

/// docs/metrics.md.
pub fn metrics() -> String {
    let mut out = METRICS.to_owned();
    out.push_str(PICTURES);
    out.push_str(
        "\n## All of them\n\n| metric | type | labels | what it is |\n|---|---|---|---|\n",
    );
    for family in families::families() {
        let labels = family.labels.join(", ");
        let (name, kind) = (family.written(), family.kind.name());
        // Writing to a String can't fail.
        let _ = writeln!(out, "| `{name}` | {kind} | {labels} | {} |", family.help);
    }
    out
}

fn table(out: &mut String, variables: impl IntoIterator<Item = About>) {
    out.push_str("| variable | data type | type | unit | what it is |\n|---|---|---|---|---|\n");
    for about in variables {
        let key = if about.key { ", key" } else { "" };
        let About {
            name,
            data,
            kind,
            unit,
            help,
            ..
        } = about;
        let _ = writeln!(
            out,
            "| `%{name}%` | {data} | {kind}{key} | {unit} | {help} |"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::SchemaConfig;

    #[test]
    fn the_committed_manuals_are_those_of_the_table() {
        for (name, text) in [("bulkstats", text()), ("metrics", metrics())] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{name}.md"));
            let kept = std::fs::read_to_string(&file).unwrap_or_default();
            let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
            assert_eq!(differ, None, "run cargo xtask documents");
            assert_eq!(kept.lines().count(), text.lines().count());
        }
    }

    #[test]
    fn its_examples_are_schemas() {
        let lines = HEAD
            .lines()
            .filter(|line| line.contains(" schema ") && line.contains(" format \""));
        // Those of a configuration are in its quotation marks, those of a session behind a prompt.
        let lines = lines.map(|line| line.rsplit_once("# ").map_or(line, |(_, typed)| typed));
        let lines = lines.map(|line| line.trim().trim_matches(&['\'', ','][..]));
        let lines: Vec<&str> = lines.collect();
        assert!(lines.len() >= 4);
        for line in lines {
            assert_eq!(SchemaConfig::parse(line).unwrap().line(), line);
        }
    }
}
