//! A chart in characters, for terminals of 80 columns.

use super::axis::written;
use super::{Chart, Drawn, Point, label, last, of_those_left_out};

/// Rows of the plot.
const ROWS: usize = 16;
/// Columns of the plot.
const COLUMNS: usize = 66;
/// What stands left of the plot: a value, a space and the axis.
const MARGIN: usize = 12;
/// What each series is drawn with.
const MARKS: [char; super::SERIES_MAX] = ['*', 'o', '+', 'x', '#', '@', '%', '='];

/// The chart, in lines of at most 80 columns.
pub fn terminal(chart: &Chart) -> String {
    let drawn = chart.drawn();
    let mut grid = [[' '; COLUMNS]; ROWS];
    for (series, mark) in drawn.series.iter().zip(MARKS) {
        for run in drawn.runs(series) {
            draw(&mut grid, &drawn, &run, mark);
        }
    }
    let mut out = format!("{}\n\n", chart.values);
    let ticks = ticks(&drawn);
    for (n, row) in grid.iter().enumerate() {
        let row: String = row.iter().collect();
        let tick = ticks.iter().find(|(at, _)| *at == n);
        let (value, axis) = tick.map_or(("", '|'), |(_, text)| (text.as_str(), '+'));
        let width = MARGIN - 2;
        out.push_str(format!("{value:>width$} {axis}{row}").trim_end());
        out.push('\n');
    }
    out.push_str(&times(chart, &drawn));
    out.push_str(&legend(chart, &drawn));
    out
}

fn column(drawn: &Drawn<'_>, at: i64) -> usize {
    (drawn.times.part(at) * (COLUMNS - 1) as f64).round() as usize
}

fn row(drawn: &Drawn<'_>, value: f64) -> usize {
    ROWS - 1 - (drawn.values.part(value) * (ROWS - 1) as f64).round() as usize
}

/// Values that stand at the axis, each at its row; of two at one row the lower one.
fn ticks(drawn: &Drawn<'_>) -> Vec<(usize, String)> {
    let ticks = drawn.values.ticks();
    ticks
        .map(|value| (row(drawn, value), short(value)))
        .collect()
}

/// A value in ten columns.
fn short(value: f64) -> String {
    let text = written(value);
    match text.len() <= MARGIN - 2 {
        true => text,
        false => format!("{value:.2e}"),
    }
}

/// A mark at each point and between it and the next.
fn draw(grid: &mut [[char; COLUMNS]; ROWS], drawn: &Drawn<'_>, run: &[Point], mark: char) {
    let mut put = |column: usize, value: f64| grid[row(drawn, value)][column] = mark;
    for pair in run.windows(2) {
        let [(first, from), (second, to)] = [pair[0], pair[1]];
        let (left, right) = (column(drawn, first), column(drawn, second));
        for column in left..right {
            let part = (column - left) as f64 / (right - left) as f64;
            put(column, from + (to - from) * part);
        }
    }
    for (at, value) in run {
        put(column(drawn, *at), *value);
    }
}

/// The axis of times, and what stands below it, as far as there is room.
fn times(chart: &Chart, drawn: &Drawn<'_>) -> String {
    let mut axis = ['-'; COLUMNS];
    let mut below: [Vec<char>; 2] = [vec![], vec![]];
    for (at, text) in drawn.times.ticks() {
        let column = column(drawn, at);
        axis[column] = '+';
        for (line, word) in below.iter_mut().zip(text.split(' ')) {
            let from = (MARGIN + column).saturating_sub(word.len() / 2);
            let from = from.min(MARGIN + COLUMNS - word.len());
            if line.len() < from || line.is_empty() {
                line.resize(from, ' ');
                line.extend(word.chars());
            }
        }
    }
    let margin = " ".repeat(MARGIN - 1);
    let axis: String = axis.iter().collect();
    let mut out = format!("{margin}+{axis}\n");
    for line in below.iter().filter(|line| !line.is_empty()) {
        out.extend(line);
        out.push('\n');
    }
    let width = MARGIN + COLUMNS;
    out.push_str(format!("{:>width$}\n", chart.times).as_str());
    out
}

fn legend(chart: &Chart, drawn: &Drawn<'_>) -> String {
    let mut out = String::new();
    if !chart.by.is_empty() {
        out.push_str(&format!("  by {}:\n", chart.by));
    }
    for (series, mark) in drawn.series.iter().zip(MARKS) {
        let line = format!("  {mark} {}, last {}", label(series), last(series));
        out.extend(line.chars().take(MARGIN + COLUMNS));
        out.push('\n');
    }
    if let Some(left_out) = drawn.left_out {
        out.push_str(&format!("  {}\n", of_those_left_out(left_out)));
    }
    out
}
