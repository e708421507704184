//! What every surface prints for a node in every state, compared with the files in `golden/`.
//!
//! `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p cli --test golden` writes the files anew; read the difference before it is
//! committed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod states;

use std::path::PathBuf;

use bulkstats::table::Schema;
use cli::show::text::COLUMNS;
use cli::show::{Filter, Kind, SURFACES, Standing, Surface, View};

/// The filters that a surface takes, each with its words.
fn filters(surface: &Surface) -> Vec<(&'static str, Filter)> {
    let mut filters = vec![("", Filter::default())];
    let kind = |kind| Filter {
        kind: Some(kind),
        ..Filter::default()
    };
    if surface.by_kind {
        filters.push((" service", kind(Kind::Service)));
        filters.push((" feature", kind(Kind::Feature)));
    }
    if surface.by_standing {
        for (words, standing) in [
            (" allowed", Standing::Allowed),
            (" blocked", Standing::Blocked),
        ] {
            filters.push((
                words,
                Filter {
                    standing: Some(standing),
                    ..Filter::default()
                },
            ));
        }
        filters.push((
            " blocked service",
            Filter {
                standing: Some(Standing::Blocked),
                kind: Some(Kind::Service),
                ..Filter::default()
            },
        ));
    }
    if surface.by_schema() {
        let schema = Some(Schema::SmartLicense);
        let of_one = Filter {
            schema,
            ..Filter::default()
        };
        filters.push((" smart-license", of_one));
    }
    if surface.has_verbose {
        let verbose = Filter {
            verbose: true,
            ..Filter::default()
        };
        filters.push((" verbose", verbose));
    }
    filters
}

/// Every surface of one state; the filters only where they make a difference worth reading.
fn screens(name: &str, view: &View) -> String {
    let mut screens = String::new();
    for surface in SURFACES {
        // It is of no state.
        if surface.words == ["bulkstats", "variables"] && name != "registered" {
            continue;
        }
        let filters = filters(surface);
        let shown = if name == "registered" {
            filters.len()
        } else {
            1
        };
        for (words, filter) in &filters[..shown] {
            let view = View {
                filter: *filter,
                ..view.clone()
            };
            let command = surface.words.join(" ");
            screens.push_str(&format!("$ tollgate show {command}{words}\n"));
            screens.push_str(&surface.text(&view));
            screens.push('\n');
        }
    }
    screens
}

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(format!("{name}.txt"))
}

#[test]
fn every_surface_prints_what_is_committed() {
    let rewrite = std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some();
    for (name, view) in states::all() {
        let printed = screens(name, &view);
        if rewrite {
            std::fs::write(file(name), &printed).unwrap();
        }
        let committed = std::fs::read_to_string(file(name)).unwrap();
        for (line, (new, old)) in printed.lines().zip(committed.lines()).enumerate() {
            assert_eq!(new, old, "{name}.txt, line {}", line + 1);
        }
        assert_eq!(printed, committed, "{name}.txt");
    }
}

#[test]
fn every_line_fits_the_screen_except_a_tag_and_a_name() {
    for (name, view) in states::all() {
        for line in screens(name, &view).lines() {
            let columns = line.chars().count();
            let whole_tag = line.trim_start().starts_with("regid.");
            // What is searched for is in one line, as StarOS has it.
            let whole_name = line.contains(" Internal trap notification ") && line.ends_with(')');
            // Ten columns, as StarOS has them.
            let whole_row = line.contains("Renewals CallOps") || line.contains(" 2026:11:22:0");
            let whole_row =
                whole_row || line.starts_with("---- ------") && line.split(' ').count() == 10;
            let fits = columns <= COLUMNS || whole_tag || whole_name || whole_row;
            assert!(fits, "{name}: {columns}: {line}");
            assert_eq!(line.trim_end(), line, "{name}: space at the end");
        }
    }
}

#[test]
fn a_lab_node_says_so_on_every_surface() {
    //= L2
    for (name, view) in states::all() {
        let lab = view.snapshot.lab.is_some();
        for surface in SURFACES {
            let text = surface.text(&view);
            let said = text.lines().nth(1).unwrap().contains("LAB");
            assert_eq!(said, lab, "{name}: {:?}", surface.words);
            let json = surface.json(&view);
            assert_eq!(json["lab"].is_object(), lab, "{name}");
            assert_eq!(json["seq"], 7, "{name}: {:?}", surface.words);
        }
    }
}

#[test]
fn blocked_lists_block_and_at_limit_and_allowed_the_rest() {
    //= L6
    let status = Surface::named(&["license", "enforcement", "status"]).unwrap();
    let states: std::collections::BTreeMap<_, _> = states::all().into_iter().collect();
    let names = |standing| {
        let mut view = states["registered"].clone();
        view.filter.standing = Some(standing);
        let json = status.json(&view);
        let services = json["services"].as_array().unwrap().iter();
        services
            .map(|s| s["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Standing::Blocked), ["GGSN", "ePDG"]);
    assert_eq!(
        names(Standing::Allowed),
        ["PGW", "SAEGW", "SGW", "MME", "SaMOG"]
    );
    let mut full = states["evaluation-at-limit"].clone();
    full.filter.standing = Some(Standing::Blocked);
    let text = status.text(&full);
    let row = text.lines().find(|line| line.contains("GGSN")).unwrap();
    assert!(row.starts_with("! GGSN"), "{row}");
}

#[test]
fn a_value_without_a_source_is_absent_not_zero() {
    //= L15
    let statistics = Surface::named(&["license", "statistics"]).unwrap();
    let states: std::collections::BTreeMap<_, _> = states::all().into_iter().collect();
    let json = statistics.json(&states["evaluation"]);
    let row = &json["services"][2]["evaluation"];
    assert_eq!(row["cur_call_count"], 100);
    assert!(row["report_success"].is_null());
    let text = statistics.text(&states["evaluation"]);
    let row = text.lines().find(|line| line.contains("GGSN")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["2", "GGSN", "ALLOW", "100", "100", "-", "-"]);
}
