//! A chart as an SVG document.

use std::fmt::Write as _;

use super::axis::written;
use super::{Chart, Drawn, Point, label, last, of_those_left_out};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 500.0;
/// Where the plot lies.
const LEFT: f64 = 100.0;
const RIGHT: f64 = 720.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 420.0;
/// Points of a series that are marked by dots at most; of more the line says enough.
const DOTS_MAX: usize = 100;
/// Letters of a name in the legend at most.
const NAME_MAX: usize = 24;

/// Colours that people with any colour vision tell apart (Okabe and Ito), and a dash for each, which tells them apart in grey.
const STYLES: [(&str, &str); super::SERIES_MAX] = [
    ("#0072b2", ""),
    ("#d55e00", ""),
    ("#009e73", "8 4"),
    ("#cc79a7", "8 4"),
    ("#000000", "2 3"),
    ("#e69f00", "2 3"),
    ("#56b4e9", "12 3 2 3"),
    ("#777777", "12 3 2 3"),
];

/// The document, with a line end.
pub fn svg(chart: &Chart) -> String {
    let mut out = format!(
        r##"<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13" role="img">
<title>{title}</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<text x="{LEFT}" y="30" font-size="18" font-weight="bold">{title}</text>
<text x="{LEFT}" y="52" fill="#555555">{subtitle}</text>
"##,
        title = escaped(&chart.title),
        subtitle = escaped(&chart.subtitle),
    );
    let drawn = chart.drawn();
    axes(&mut out, chart, &drawn);
    for (series, style) in drawn.series.iter().zip(STYLES) {
        line(&mut out, &drawn, &drawn.runs(series), style);
    }
    legend(&mut out, chart, &drawn);
    out.push_str("</svg>\n");
    out
}

fn x(drawn: &Drawn<'_>, at: i64) -> f64 {
    LEFT + (RIGHT - LEFT) * drawn.times.part(at)
}

fn y(drawn: &Drawn<'_>, value: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * drawn.values.part(value)
}

// Writing to a String can't fail, here and below.
fn axes(out: &mut String, chart: &Chart, drawn: &Drawn<'_>) {
    for value in drawn.values.ticks() {
        let y = y(drawn, value);
        let _ = writeln!(
            out,
            r##"<line x1="{LEFT}" y1="{y:.1}" x2="{RIGHT}" y2="{y:.1}" stroke="#dddddd"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"##,
            LEFT - 8.0,
            y + 4.5,
            written(value),
        );
    }
    for (at, text) in drawn.times.ticks() {
        let x = x(drawn, at);
        let _ = writeln!(
            out,
            r##"<line x1="{x:.1}" y1="{BOTTOM}" x2="{x:.1}" y2="{}" stroke="#333333"/>"##,
            BOTTOM + 6.0
        );
        for (n, word) in text.split(' ').enumerate() {
            let y = BOTTOM + 22.0 + 15.0 * n as f64;
            let _ = writeln!(
                out,
                r##"<text x="{x:.1}" y="{y}" text-anchor="middle">{word}</text>"##
            );
        }
    }
    let (middle, centre) = ((TOP + BOTTOM) / 2.0, (LEFT + RIGHT) / 2.0);
    let _ = writeln!(
        out,
        r##"<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#333333"/>
<text x="22" y="{middle}" text-anchor="middle" transform="rotate(-90 22 {middle})">{}</text>
<text x="{centre}" y="{}" text-anchor="middle">{}</text>"##,
        escaped(&chart.values),
        HEIGHT - 18.0,
        escaped(&chart.times),
    );
}

fn line(out: &mut String, drawn: &Drawn<'_>, runs: &[Vec<Point>], (colour, dash): (&str, &str)) {
    let place = |(at, value): &Point| (x(drawn, *at), y(drawn, *value));
    for run in runs.iter().filter(|run| run.len() > 1) {
        let places = run.iter().map(place);
        let places: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            out,
            r##"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{}"/>"##,
            places.join(" "),
            if dash.is_empty() { "none" } else { dash },
        );
    }
    let all: usize = runs.iter().map(Vec::len).sum();
    let marked = runs.iter().filter(|run| run.len() == 1 || all <= DOTS_MAX);
    for (x, y) in marked.flatten().map(place) {
        let _ = writeln!(
            out,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="2.5" fill="{colour}"/>"##
        );
    }
}

fn legend(out: &mut String, chart: &Chart, drawn: &Drawn<'_>) {
    let left = RIGHT + 20.0;
    let _ = writeln!(
        out,
        r##"<text x="{left}" y="{}" fill="#555555">{}</text>"##,
        TOP + 4.0,
        escaped(&cut(&chart.by)),
    );
    let mut below = TOP + 8.0;
    for (series, (colour, dash)) in drawn.series.iter().zip(STYLES) {
        let y = below + 20.0;
        let _ = writeln!(
            out,
            r##"<path d="M{left} {:.1}h28" stroke="{colour}" stroke-width="2" stroke-dasharray="{}"/><text x="{}" y="{y:.1}">{}</text><text x="{}" y="{:.1}" fill="#555555" font-size="11">last {}</text>"##,
            y - 4.5,
            if dash.is_empty() { "none" } else { dash },
            left + 36.0,
            escaped(&cut(label(series))),
            left + 36.0,
            y + 14.0,
            last(series),
        );
        below += 36.0;
    }
    if let Some(left_out) = drawn.left_out {
        let _ = writeln!(
            out,
            r##"<text x="{left}" y="{:.1}" fill="#555555" font-size="11">{}</text>"##,
            below + 20.0,
            escaped(&of_those_left_out(left_out)),
        );
    }
}

fn cut(text: &str) -> String {
    match text.chars().count() > NAME_MAX {
        true => text
            .chars()
            .take(NAME_MAX - 2)
            .chain("..".chars())
            .collect(),
        false => text.to_owned(),
    }
}

/// What stands for these in XML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no such characters.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
