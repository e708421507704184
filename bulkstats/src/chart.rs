//! Charts of series: values in, text out.

mod axis;
mod svg;
mod terminal;

pub use svg::svg;
pub use terminal::terminal;

use crate::series::Series;
use axis::{Axis, Times};

/// Series that are drawn at most; of more those that reach highest.
pub const SERIES_MAX: usize = 8;

/// What is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What is drawn: the variable.
    pub title: String,
    /// What that is, in a sentence.
    pub subtitle: String,
    /// What stands at the axis of values: the variable and its unit.
    pub values: String,
    /// What stands at the axis of times.
    pub times: String,
    /// What the names of the series are values of.
    pub by: String,
    /// The series. One at least has a point.
    pub series: Vec<Series>,
}

/// What is drawn of a chart, and on which axes.
struct Drawn<'c> {
    series: Vec<&'c Series>,
    /// So many are not drawn, and reach this at most.
    left_out: Option<(usize, f64)>,
    values: Axis,
    times: Times,
    /// Points further apart than this have a gap between them, in seconds.
    gap_s: i64,
}

/// A value at a time.
type Point = (i64, f64);

impl Chart {
    fn drawn(&self) -> Drawn<'_> {
        let mut order: Vec<&Series> = self.series.iter().collect();
        order.sort_by(|one, other| highest(other).total_cmp(&highest(one)));
        let left_out = order.get(SERIES_MAX..).unwrap_or_default();
        let left_out = left_out
            .first()
            .map(|first| (left_out.len(), highest(first)));
        order.truncate(SERIES_MAX);
        // In the order of their names, as they came.
        let series = self.series.iter();
        let series: Vec<&Series> = series
            .filter(|one| order.iter().any(|kept| std::ptr::eq(*kept, *one)))
            .collect();
        let times = series.iter().flat_map(|one| &one.points).map(|(at, _)| *at);
        let mut times: Vec<i64> = times.collect();
        times.sort_unstable();
        times.dedup();
        let lowest = points(&series)
            .map(|(_, value)| value)
            .fold(f64::MAX, f64::min);
        let most = points(&series).map(|(_, value)| value).fold(0.0, f64::max);
        Drawn {
            left_out,
            values: Axis::of(lowest.min(most), most),
            times: Times::of(
                times.first().copied().unwrap_or(0),
                times.last().copied().unwrap_or(0),
            ),
            gap_s: gap_s(&times),
            series,
        }
    }
}

impl Drawn<'_> {
    /// The points of a series without those between which something is missing being joined.
    fn runs(&self, series: &Series) -> Vec<Vec<Point>> {
        let mut runs: Vec<Vec<Point>> = Vec::new();
        let mut before: Option<i64> = None;
        for (at, value) in &series.points {
            let Some(value) = value else {
                before = None;
                continue;
            };
            let near = before.is_some_and(|before| at - before <= self.gap_s);
            match runs.last_mut().filter(|_| near) {
                Some(run) => run.push((*at, *value)),
                None => runs.push(vec![(*at, *value)]),
            }
            before = Some(*at);
        }
        runs
    }
}

/// One and a half times the usual step from one time to the next: after more than that one is missing.
fn gap_s(times: &[i64]) -> i64 {
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0);
    usual.saturating_add(usual / 2)
}

fn points<'p>(series: &'p [&Series]) -> impl Iterator<Item = Point> + 'p {
    let points = series.iter().flat_map(|one| &one.points);
    points.filter_map(|(at, value)| Some((*at, (*value)?)))
}

fn highest(series: &Series) -> f64 {
    points(&[series])
        .map(|(_, value)| value)
        .fold(0.0, f64::max)
}

/// What a series is called in a legend.
fn label(series: &Series) -> &str {
    match series.name.is_empty() {
        true => "all",
        false => &series.name,
    }
}

/// The last value of a series, as it is written.
fn last(series: &Series) -> String {
    let last = series.points.last().and_then(|(_, value)| *value);
    last.map_or_else(|| "-".to_owned(), axis::written)
}

fn of_those_left_out(left_out: (usize, f64)) -> String {
    let (count, most) = left_out;
    let most = axis::written(most);
    format!("{count} more, none above {most}, not drawn")
}

#[cfg(test)]
mod tests;
