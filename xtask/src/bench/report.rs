//! The report: what was measured on what, against which targets, and why one is missed.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::data::{Cell, Data, Figure, Ratio, Table};
use super::machine::Run;
use super::plan::{SECTIONS, Step};
use super::plot;
use crate::figure;

/// Where the pictures are, beside the report.
pub const PICTURES: &str = "performance";
const METADATA: (&str, &str) = ("<!-- run ", " -->");

/// Why a target is missed, by figure: written by hand.
pub type Reasons = BTreeMap<String, Reason>;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub why: String,
    pub tried: String,
}

/// What came of one program.
pub struct Measured {
    pub step: Step,
    pub data: Data,
    /// What it printed last.
    pub lines: Vec<String>,
    pub took_s: f64,
    /// Why there is no result.
    pub failure: Option<String>,
}

/// The text and its pictures.
#[derive(Debug, Default)]
pub struct Report {
    pub text: String,
    /// Name and SVG.
    pub pictures: Vec<(String, String)>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

pub fn reasons(text: &str) -> Result<Reasons> {
    toml::from_str(text).context("reasons for missed targets")
}

/// Of all that was measured.
pub fn report(run: &Run, all: &[Measured], reasons: &Reasons) -> Result<Report> {
    let mut report = Report::default();
    report.head(run)?;
    report.targets(all, reasons);
    let further = ["Further"].into_iter();
    let sections = SECTIONS.iter().map(|section| section.title).chain(further);
    for section in sections {
        let of = || all.iter().filter(|one| one.step.section == section);
        if of().next().is_some() {
            report.say(&format!("\n## {section}\n"));
            of().for_each(|one| report.measured(one));
        }
    }
    let figures = || all.iter().flat_map(|one| &one.data.figures);
    for id in reasons.keys() {
        if !figures().any(|figure| figure.id == *id) {
            let warning = format!("benches/reasons.toml names {id}, which was not measured");
            report.warnings.push(warning);
        }
    }
    Ok(report)
}

/// The run that an earlier report tells of.
pub fn run_of(text: &str) -> Result<Run> {
    let line = text.lines().find_map(|line| {
        let (before, after) = METADATA;
        line.strip_prefix(before)?.strip_suffix(after)
    });
    serde_json::from_str(line.context("it doesn't say how it was measured")?)
        .context("what it says of how it was measured")
}

impl Report {
    fn say(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn head(&mut self, run: &Run) -> Result<()> {
        // Two hyphens would end the comment.
        let metadata = serde_json::to_string(run)?.replace("--", "-\\u002d");
        let (before, after) = METADATA;
        self.say(&format!("# Performance\n\n{before}{metadata}{after}\n"));
        self.say(
            "Made by `cargo xtask bench` from one run. A time is a ratio: slices of the subject lie between slices of a\n\
             yardstick, each is compared with its own neighbours, and the median of the local ratios stands first, with the\n\
             10th and the 90th percentile; the yardstick's own time is beside it. Absolute times are of this machine alone.\n",
        );
        let dirty = if run.dirty { ", with changes" } else { "" };
        let noise = run.noise.map_or("nothing told".to_owned(), |noise| {
            format!(
                "neighbouring slices of the yardsticks differ by {:.1} % (median)",
                noise * 100.0
            )
        });
        let load = format!(
            "{:.2} before, {:.2} after; others took {:.2} of {} processors meanwhile",
            run.load_before, run.load_after, run.others, run.cores
        );
        let rows = [
            ("date", format!("{} UTC, {} s", run.date, run.seconds)),
            ("commit", format!("{}{dirty}", run.commit)),
            ("compiler", run.rustc.clone()),
            ("processor", format!("{}, {} cores", run.cpu, run.cores)),
            ("memory", format!("{:.1} GiB", run.memory_gib)),
            ("kernel", run.kernel.clone()),
            ("load average", load),
            ("noise", noise),
        ];
        self.say("| run | |\n|---|---|");
        for (name, value) in rows {
            self.say(&format!("| {name} | {} |", escaped(&value)));
        }
        Ok(())
    }

    fn targets(&mut self, all: &[Measured], reasons: &Reasons) {
        self.say("\n## Targets\n\n| figure | what | measured | target | |\n|---|---|---|---|---|");
        let mut short = Vec::new();
        for one in all {
            for figure in &one.data.figures {
                self.say(&row(figure));
                if figure.verdict == "short" {
                    short.push(figure.id.as_str());
                }
            }
            let id = &one.step.name;
            if one.data.figures.is_empty()
                && let Some(meaning) = figure::meaning(id)
            {
                let meaning = escaped(meaning);
                self.say(&format!("| `{id}` | {meaning} | - | - | not measured |"));
            }
        }
        for id in short {
            self.say(&format!("\n### Why `{id}` is short of its target\n"));
            match reasons.get(id) {
                Some(Reason { why, tried }) => {
                    self.say(&format!("{}\n\nTried: {}", why.trim(), tried.trim()));
                }
                None => {
                    self.say("No reason given.");
                    let warning = format!("{id} is short and benches/reasons.toml has no reason");
                    self.warnings.push(warning);
                }
            }
        }
    }

    fn measured(&mut self, one: &Measured) {
        let name = &one.step.name;
        self.say(&format!("### {name}\n"));
        if let Some(meaning) = figure::meaning(name) {
            self.say(&format!("{}.\n", capital(meaning)));
        }
        if let Some(failure) = &one.failure {
            self.say(&format!("**No result: {}.**\n", escaped(failure)));
            self.warnings.push(format!("{name}: {failure}"));
        }
        self.ratios(&one.data.ratios);
        for table in &one.data.tables {
            self.table(name, table);
        }
        let nothing = one.data.ratios.is_empty() && one.data.tables.is_empty();
        if (nothing || one.failure.is_some()) && !one.lines.is_empty() {
            self.say("~~~text");
            for line in &one.lines {
                self.say(&line.replace("~~~", "~ ~ ~"));
            }
            self.say("~~~\n");
        }
    }

    fn ratios(&mut self, ratios: &[Ratio]) {
        if ratios.is_empty() {
            return;
        }
        self.say(
            "| what over its yardstick | ratio | p10 to p90 | yardstick, ns | neighbours differ by |\n|---|---:|---:|---:|---:|",
        );
        for ratio in ratios {
            self.say(&format!(
                "| {} | **{}** | {} to {} | {} | {:.1} % |",
                escaped(&ratio.what),
                number(ratio.median),
                number(ratio.p10),
                number(ratio.p90),
                number(ratio.yardstick_ns),
                ratio.noise * 100.0
            ));
        }
        self.say("");
    }

    fn table(&mut self, program: &str, table: &Table) {
        self.say(&format!("{}\n", escaped(&table.title)));
        let heads: Vec<String> = table.columns.iter().map(|text| escaped(text)).collect();
        self.say(&format!("| {} |", heads.join(" | ")));
        let rules = (0..heads.len()).map(|place| if place == 0 { "---" } else { "---:" });
        let rules: Vec<&str> = rules.collect();
        self.say(&format!("|{}|", rules.join("|")));
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(cell).collect();
            self.say(&format!("| {} |", cells.join(" | ")));
        }
        self.say("");
        let Some(plot) = &table.plot else { return };
        match plot::svg(table, plot) {
            Ok(svg) => {
                let name = match table.id.starts_with(program) {
                    true => format!("{}.svg", table.id),
                    false => format!("{program}-{}.svg", table.id),
                };
                let title = escaped(&table.title);
                self.say(&format!("![{title}]({PICTURES}/{name})\n"));
                self.pictures.push((name, svg));
            }
            Err(error) => {
                self.say(&format!("**No picture: {error:#}.**\n"));
                self.warnings.push(format!("{program}: {error:#}"));
            }
        }
    }
}

fn row(figure: &Figure) -> String {
    let meaning = figure::meaning(&figure.id).unwrap_or("-");
    let side = if figure.at_least {
        "at least"
    } else {
        "at most"
    };
    format!(
        "| `{}` | {} | **{}** | {side} {} | {} |",
        figure.id,
        escaped(meaning),
        figure.value.map_or("-".to_owned(), number),
        number(figure.target),
        judged(figure)
    )
}

/// Reached, or missed by how much.
pub fn judged(figure: &Figure) -> String {
    let Some(value) = figure.value else {
        return "no answer: the machine was too busy, or the reference is missing".to_owned();
    };
    let over = if figure.at_least {
        figure.target - value
    } else {
        value - figure.target
    };
    match figure.verdict.as_str() {
        "ok" => "reached".to_owned(),
        "short" if figure.target == 0.0 => format!("**missed by {}**", number(over)),
        "short" => format!("**missed by {:.1} %**", over / figure.target * 100.0),
        other => format!("{} (not to be relied on)", escaped(other)),
    }
}

/// Three places that count, more before the point.
pub fn number(value: f64) -> String {
    let places = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Number(value) => number(*value),
        Cell::Text(text) => escaped(text),
    }
}

/// Fit for one cell of a table.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '<' | '*' | '[' | ']' => {
                // Writing to a string does not fail.
                let _ok = write!(out, "\\{c}");
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
pub mod tests {
    use super::super::data::tests::LINES;
    use super::*;

    pub fn run(load_before: f64, noise: Option<f64>) -> Run {
        Run {
            date: "2026-11-23 12:00:00".into(),
            commit: "0123456789ab".into(),
            dirty: true,
            rustc: "rustc 1.95.0".into(),
            cpu: "A | B --> C".into(),
            cores: 2,
            kernel: "6.1".into(),
            memory_gib: 7.75,
            load_before,
            load_after: 1.5,
            others: 0.25,
            noise,
            failed: 0,
            seconds: 480,
        }
    }

    fn measured(name: &str, lines: &[&str]) -> Measured {
        Measured {
            step: Step {
                section: "The gate",
                name: name.into(),
                usual_s: 1,
            },
            data: Data::parse(&lines.join("\n")).unwrap(),
            lines: vec!["printed".into()],
            took_s: 1.0,
            failure: None,
        }
    }

    fn of(all: &[Measured], reasons: &str) -> Report {
        let reasons = self::reasons(reasons).unwrap();
        report(&run(0.5, Some(0.021)), all, &reasons).unwrap()
    }

    #[test]
    fn it_says_what_it_was_measured_on_and_reads_it_back() {
        let report = of(&[], "");
        assert_eq!(run_of(&report.text).unwrap(), run(0.5, Some(0.021)));
        for text in [
            "| processor | A \\| B --> C, 2 cores |",
            "| commit | 0123456789ab, with changes |",
            "0.50 before, 1.50 after; others took 0.25 of 2 processors",
            "differ by 2.1 % (median)",
        ] {
            assert!(report.text.contains(text), "{text}: {}", report.text);
        }
        let comment = report.text.lines().find(|line| line.starts_with("<!--"));
        assert_eq!(comment.unwrap().matches("-->").count(), 1);
        assert!(run_of("# Performance").is_err());
    }

    #[test]
    fn tables_ratios_and_pictures_are_of_the_data() {
        let report = of(&[measured("gate-ratio", &LINES)], "");
        for text in [
            "| `gate-ratio` | admit+release, exact,",
            " | **1.10** | at most 1.25 | reached |",
            "| admit over add | **1.10** | 1 to 1.50 | 18.5 | 2.0 % |",
            "| workers | ratio | how |\n|---|---:|---:|\n| 1 | 0.500 | alone |\n| 256 | 0.625 | - |",
            "![Cost by workers](performance/gate-ratio-growth.svg)",
        ] {
            assert!(report.text.contains(text), "{text}: {}", report.text);
        }
        assert_eq!(report.pictures.len(), 1);
        assert!(report.pictures[0].1.starts_with("<svg"));
        assert!(!report.text.contains("printed"));
        assert_eq!(report.warnings, [""; 0]);
    }

    #[test]
    fn a_missed_target_says_by_how_much_and_why() {
        let short = LINES[1]
            .replace("1.1,", "1.5,")
            .replace("\"ok\"", "\"short\"");
        let all = [measured("gate-ratio", &[&short])];
        let without = of(&all, "");
        assert!(without.text.contains("**missed by 20.0 %**"));
        assert!(without.text.contains("No reason given."));
        assert_eq!(
            without.warnings,
            ["gate-ratio is short and benches/reasons.toml has no reason"]
        );
        let reason = "[gate-ratio]\nwhy = \"A lock.\"\ntried = \"None.\"\n";
        let with = of(&all, reason);
        assert!(
            with.text
                .contains("### Why `gate-ratio` is short of its target\n\nA lock.\n\nTried: None.")
        );
        assert_eq!(with.warnings, [""; 0]);
        let reached = of(&[measured("gate-ratio", &LINES)], reason);
        assert!(!reached.text.contains("A lock."));
        let other = of(&[], reason);
        assert_eq!(
            other.warnings,
            ["benches/reasons.toml names gate-ratio, which was not measured"]
        );
        assert!(reasons("[gate-ratio]\nwhy = \"x\"\n").is_err());
    }

    #[test]
    fn what_is_missed_is_told_on_either_side() {
        let judged = |value, target, at_least, verdict: &str| {
            judged(&Figure {
                id: "x".into(),
                value,
                target,
                at_least,
                verdict: verdict.into(),
            })
        };
        assert_eq!(
            judged(Some(4.0), 5.0, true, "short"),
            "**missed by 20.0 %**"
        );
        assert_eq!(judged(Some(3.0), 0.0, false, "short"), "**missed by 3**");
        assert_eq!(judged(Some(6.0), 5.0, true, "ok"), "reached");
        assert!(judged(None, 5.0, true, "invalid").starts_with("no answer"));
    }

    #[test]
    fn a_program_without_a_result_is_told_with_its_words() {
        let mut failed = measured("gate-ratio", &[]);
        failed.failure = Some("it ended with exit status: 101".into());
        let report = of(&[failed], "");
        assert!(report.text.contains("| - | - | not measured |"));
        assert!(
            report.text.contains(
                "**No result: it ended with exit status: 101.**\n\n~~~text\nprinted\n~~~"
            )
        );
        assert_eq!(
            report.warnings,
            ["gate-ratio: it ended with exit status: 101"]
        );
    }

    #[test]
    fn a_picture_that_cannot_be_drawn_is_told() {
        let empty = LINES[0]
            .replace("0.5,", "\"-\",")
            .replace("0.625,", "\"-\",");
        let report = of(&[measured("gate-growth", &[&empty])], "");
        assert!(report.text.contains("**No picture: table growth:"));
        assert_eq!((report.pictures.len(), report.warnings.len()), (0, 1));
    }
}
