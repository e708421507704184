//! Charts as they are drawn, compared with the files in `golden/`.
//!
//! `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p bulkstats chart` writes them anew; look at them before they are committed.

use std::path::PathBuf;

use super::*;

const MINUTE: i64 = 60;
/// 2026-11-21 22:30:00 UTC.
const AT: i64 = 1_795_300_200;

fn same_as_kept(name: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("src/chart/golden")
        .join(name);
    if std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None, "{name}");
    assert_eq!(kept, text);
}

fn chart(series: Vec<Series>) -> Chart {
    Chart {
        title: "cur_call_count".into(),
        subtitle: "Sessions now; 0 once the mode is left.".into(),
        values: "cur_call_count".into(),
        times: "time (UTC)".into(),
        by: "mode tagid".into(),
        series,
    }
}

fn one(name: &str, points: impl IntoIterator<Item = (i64, Option<f64>)>) -> Series {
    Series {
        name: name.into(),
        points: points.into_iter().collect(),
    }
}

/// Two hours of samples every five minutes: one that rises to a ceiling, one with a gap, one with nothing for a while.
fn evening() -> Chart {
    let at = |n: i64| AT + n * 5 * MINUTE;
    let rising = (0..25).map(|n| (at(n), Some((n * 600).min(10_000) as f64)));
    let gap = (0..25).filter(|n| !(8..14).contains(n));
    let gap = gap.map(|n| (at(n), Some(4_000.0 + 150.0 * (n % 5) as f64)));
    let absent = (0..25).map(|n| (at(n), (n > 15).then_some((n * 100) as f64)));
    chart(vec![
        one("EVALUATION 2", rising),
        one("EVALUATION 4", gap),
        one("REGISTERED 2", absent),
    ])
}

#[test]
fn a_chart_is_drawn_as_it_was() {
    same_as_kept("evening.svg", &svg(&evening()));
    same_as_kept("evening.txt", &terminal(&evening()));
}

#[test]
fn one_sample_is_drawn() {
    let chart = chart(vec![one("", [(AT, Some(7.0))])]);
    same_as_kept("one-sample.svg", &svg(&chart));
    same_as_kept("one-sample.txt", &terminal(&chart));
}

#[test]
fn what_is_missing_is_not_joined() {
    let chart = evening();
    let drawn = chart.drawn();
    let lengths =
        |n: usize| -> Vec<usize> { drawn.runs(drawn.series[n]).iter().map(Vec::len).collect() };
    assert_eq!(lengths(0), [25]);
    assert_eq!(lengths(1), [8, 11]);
    assert_eq!(lengths(2), [9]);
    let svg = svg(&chart);
    assert_eq!(svg.matches("<polyline").count(), 4);
    // Each point that there is has a dot.
    assert_eq!(svg.matches("<circle").count(), 25 + 19 + 9);
}

#[test]
fn of_many_series_the_highest_are_drawn_and_the_others_told() {
    let series = (0..20).map(|n| {
        one(
            &format!("tag {n}"),
            [(AT, Some(n as f64)), (AT + 60, Some(1.0))],
        )
    });
    let chart = chart(series.collect());
    for text in [svg(&chart), terminal(&chart)] {
        for n in 12..20 {
            assert!(text.contains(&format!("tag {n}")), "{n}: {text}");
        }
        assert!(!text.contains("tag 11"), "{text}");
        assert!(text.contains("12 more, none above 11, not drawn"), "{text}");
    }
}

#[test]
fn a_terminal_of_80_columns_holds_every_line() {
    let far = one(
        &"n".repeat(100),
        [(AT, Some(u64::MAX as f64)), (AT + 400 * 86_400, Some(0.0))],
    );
    for chart in [evening(), chart(vec![far])] {
        let text = terminal(&chart);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert_eq!(line, line.trim_end(), "{text}");
        }
    }
}

/// Elements of an SVG that a reader of XML finds, by their names; it panics where the text is no XML.
fn elements(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    elements
        .map(|node| node.tag_name().name().to_owned())
        .collect()
}

#[test]
fn an_svg_is_well_formed_whatever_the_names_are() {
    let mut hostile = evening();
    hostile.title = "<a> & \"b\" ]]> '\u{1}\n".into();
    hostile.series[0].name = "</svg><script>&amp;".into();
    hostile.by = "\u{0}<".into();
    for chart in [evening(), hostile] {
        let svg = svg(&chart);
        let found = elements(&svg);
        assert_eq!(found.first().map(String::as_str), Some("svg"));
        assert!(!found.contains(&"script".to_owned()));
        assert_eq!(found.iter().filter(|name| *name == "polyline").count(), 4);
    }
    let svg = svg(&evening());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = document
        .descendants()
        .filter_map(|node| node.text())
        .collect();
    for label in [
        "cur_call_count",
        "time (UTC)",
        "mode tagid",
        "EVALUATION 2",
        "last 10,000",
        "0",
        "10,000",
        "23:00",
        "2026-11-22",
    ] {
        assert!(texts.contains(&label), "{label}: {texts:?}");
    }
}
