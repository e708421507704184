//! What a scrape has of a node whose numbers differ.

use std::collections::BTreeSet;

use super::*;
use crate::fixture::{AT, view};
use crate::value::Value;

fn line(family: &Family, sample: &Sample<'_>) -> String {
    let labels = sample.labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let value = match sample.value {
        Number::Whole(n) => n.to_string(),
        Number::Real(n) => n.to_string(),
    };
    format!("{}{{{}}} {value}", family.written(), labels.join(","))
}

fn lines() -> BTreeSet<String> {
    let (view, mut lines) = (view(), BTreeSet::new());
    collect(&view, AT, |family, samples| {
        lines.extend(samples.iter().map(|sample| line(&family, sample)));
    });
    lines
}

/// A name is `tollgate_` and what stands in the table; what a scrape has is what is documented, in the same order.
//= L15
#[test]
fn families_are_those_of_the_table() {
    let view = view();
    let mut collected = Vec::new();
    collect(&view, AT, |family, _| collected.push(family));
    let mut documented = families();
    let histograms = documented.split_off(collected.len());
    assert_eq!(collected, documented);
    assert_eq!(histograms, [PROCEDURES.family(), ADMISSIONS.family()]);
    let mut names = BTreeSet::new();
    for family in collected.iter().chain(&histograms) {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(family.written().bytes().all(letter), "{family:?}");
        assert!(names.insert(family.name.clone()), "{family:?}");
        let plain = |c: char| c != '"' && c != '\\' && c != '\n';
        assert!(family.help.ends_with('.') && family.help.chars().all(plain));
    }
    let of_schemas = Schema::ALL
        .into_iter()
        .filter(|schema| *schema != Schema::SmartLicense);
    for schema in of_schemas {
        for about in schema.variables() {
            let is_family = collected.iter().any(|family| {
                family.variable == about.name && family.name.starts_with(prefix(schema))
            });
            assert_eq!(
                is_family,
                !names_row(&about) && !is_text(&about),
                "{about:?}"
            );
            assert!(["", "s", "ms", "%"].contains(&about.unit), "{about:?}");
        }
    }
}

/// The value of each kind of variable, by the fixture's own numbers.
//= L15
#[test]
fn values_are_those_of_the_view() {
    let (lines, view) = (lines(), view());
    let service = &view.node.services[2];
    let of = "kind=service,tagid=2,name=GGSN";
    let expected = [
        format!("tollgate_license_sessions{{{of}}} {}", service.sessions.0),
        format!(
            "tollgate_license_refused_at_ceiling_total{{{of}}} {}",
            service.tag.refused.at_ceiling
        ),
        format!("tollgate_node_uptime_seconds{{}} {}", view.uptime_s),
        format!(
            "tollgate_node_info{{host={},version_no={}}} 1",
            view.node.node.name, view.node.node.version
        ),
        format!(
            "tollgate_system_control_age_seconds{{}} {}",
            view.process.control_age_ms as f64 * 0.001
        ),
        format!(
            "tollgate_agent_expires_timestamp_seconds{{}} {}",
            view.agent.expires.unwrap().0 / 1_000
        ),
        "tollgate_bulkstats_records_discarded_total{file=1} 411".to_owned(),
        "tollgate_bulkstats_waiting_since_timestamp_seconds{file=3} 1795200000".to_owned(),
        "tollgate_system_bulkstats_skipped_total{} 402".to_owned(),
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line}\n{lines:#?}");
    }
    let ratio = lines
        .iter()
        .find(|line| line.starts_with("tollgate_license_ceiling_use_ratio{kind=service,tagid=2"));
    let ratio: f64 = ratio.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let ceiling = f64::from(service.ceiling.unwrap().0);
    assert!((ratio - f64::from(service.sessions.0) / ceiling).abs() < 1e-5);
}

/// A series is one row; what is absent has none.
#[test]
fn a_series_comes_once_and_what_is_absent_does_not_come() {
    let view = view();
    collect(&view, AT, |family, samples| {
        let labels: BTreeSet<String> = samples.iter().map(|s| format!("{:?}", s.labels)).collect();
        assert_eq!(labels.len(), samples.len(), "{}", family.name);
    });
    let ceilings = lines()
        .into_iter()
        .filter(|line| line.starts_with("tollgate_license_ceiling{"));
    let with_ceiling = view
        .node
        .services
        .iter()
        .filter(|service| service.ceiling.is_some());
    assert_eq!(ceilings.count(), with_ceiling.count());
    let causes = lines();
    let causes: Vec<_> = causes
        .iter()
        .filter(|l| l.starts_with("tollgate_gtpc_answered_total"))
        .collect();
    assert_eq!(causes.len(), view.plane.causes.len());
    assert!(causes.iter().all(|line| line.contains("cause=")));
    assert_eq!(text(Value::Absent), None);
}
