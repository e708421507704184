//! How long a ceiling will last, by the growth that was seen.
//!
//! From hourly maxima: the level at an hour is the highest of the last 24, so that a day's ups and downs are no growth. The
//! growth of the last `H` hours is taken to go on, `H` being a tenth of what was seen and three days at most; how wrong that
//! was at each hour of the past, over the `H` hours that followed, is how wrong it may be now. An interval of 80 % lies
//! between the tenth and the ninetieth percentile of those errors, a little wider as they are few and overlap.
//!
//! The backtest: at each hour of the past the same interval, made of the errors that have nothing in common with that hour;
//! the share of hours whose growth lay in it must be 70 to 90 %. An hour at an end of it, as all are of growth that is even
//! by steps, is neither in nor out, and counts as the interval promises.

#[cfg(test)]
mod tests;

/// Hours without which nothing is said.
pub const HOURS_MIN: usize = 24;

/// Hours that are looked at, at most: four weeks.
pub const HOURS_MAX: usize = 28 * 24;

/// Beyond so many days nothing is said.
pub const DAYS_MAX: f64 = 3_650.0;

/// Shares of the past that an interval of 80 % may have covered.
pub const COVERAGE: std::ops::RangeInclusive<f64> = 0.7..=0.9;

const DAY: usize = 24;

/// Part of the levels over which growth is measured, and the longest and the shortest that it may be, in hours.
const PART: usize = 10;
const SPAN_MAX: usize = 72;
const SPAN_MIN: usize = 3;

/// The interval's share, and by how much it is wider for each part of the past that is one span.
const SHARE: f64 = 0.8;
const WIDER: f64 = 0.4;
const SHARE_MAX: f64 = 0.98;

/// Errors that an interval is made of, at least.
const ERRORS_MIN: usize = 5;

/// What was seen of one tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// The highest of the last 24 hours.
    pub level: u64,
    /// Sessions a day: of the interval's lower end, its middle, and its upper end.
    pub per_day: [f64; 3],
    /// The share of the past that such an interval covered.
    pub coverage: f64,
}

/// Why there is no forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Insufficient {
    /// So many hours were seen, or of so many were there samples.
    Hours(usize),
    /// The interval covered this share of the past.
    Coverage(f64),
}

/// Days until a ceiling is reached; none: not within [`DAYS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Days {
    /// At the interval's highest growth.
    pub earliest: Option<f64>,
    /// At its middle.
    pub middle: Option<f64>,
    /// At its lowest.
    pub latest: Option<f64>,
}

impl Growth {
    /// From maxima of hours, the oldest first; none: nothing was seen in that hour. Of more than [`HOURS_MAX`] the last.
    pub fn seen(hours: &[Option<u64>]) -> Result<Self, Insufficient> {
        let hours = &hours[hours.len().saturating_sub(HOURS_MAX)..];
        let there = hours.iter().flatten().count();
        let levels = levels(hours);
        let span = (levels.len() / PART).min(SPAN_MAX);
        let latest = levels.last().copied().flatten();
        let (Some(latest), true) = (latest, there >= HOURS_MIN && span >= SPAN_MIN) else {
            return Err(Insufficient::Hours(there));
        };
        let errors = errors(&levels, span);
        let Some(growth) = grown(&levels, levels.len() - 1, span) else {
            return Err(Insufficient::Hours(there));
        };
        let values: Vec<f64> = errors.iter().map(|(_, error)| *error).collect();
        let Some([low, middle, high]) = interval(values, span) else {
            return Err(Insufficient::Hours(there));
        };
        let coverage = covered(&errors, span);
        if !COVERAGE.contains(&coverage) {
            return Err(Insufficient::Coverage(coverage));
        }
        let per_day = [low, middle, high].map(|error| (growth + error) * DAY as f64);
        Ok(Self {
            level: latest,
            per_day,
            coverage,
        })
    }

    /// Until so many sessions are there.
    pub fn days_until(&self, ceiling: u64) -> Days {
        let left = ceiling.saturating_sub(self.level) as f64;
        let [latest, middle, earliest] = self.per_day.map(|per_day| match left == 0.0 {
            true => Some(0.0),
            false => Some(left / per_day).filter(|days| (0.0..=DAYS_MAX).contains(days)),
        });
        Days {
            earliest,
            middle,
            latest,
        }
    }
}

/// The highest of each 24 hours; of 24 without a sample none.
fn levels(hours: &[Option<u64>]) -> Vec<Option<u64>> {
    let days = hours.windows(DAY);
    days.map(|day| day.iter().copied().max().flatten())
        .collect()
}

/// Growth an hour over the span that ends at this hour.
fn grown(levels: &[Option<u64>], at: usize, span: usize) -> Option<f64> {
    let (now, before) = (levels[at]?, levels[at.checked_sub(span)?]?);
    Some((now as f64 - before as f64) / span as f64)
}

/// By how much the growth after an hour was more than that before it.
fn errors(levels: &[Option<u64>], span: usize) -> Vec<(usize, f64)> {
    let hours = span..levels.len().saturating_sub(span);
    let error = |at: usize| Some(grown(levels, at + span, span)? - grown(levels, at, span)?);
    hours.filter_map(|at| Some((at, error(at)?))).collect()
}

/// The lower end, the median and the upper end.
fn interval(mut errors: Vec<f64>, span: usize) -> Option<[f64; 3]> {
    if errors.len() < ERRORS_MIN {
        return None;
    }
    errors.sort_by(f64::total_cmp);
    let (count, span) = (errors.len() as f64, span as f64);
    let share = (SHARE * (1.0 + WIDER * span / (count + span))).min(SHARE_MAX);
    let at = |part: f64| errors[((count - 1.0) * part).round() as usize];
    Some([at((1.0 - share) / 2.0), at(0.5), at((1.0 + share) / 2.0)])
}

/// The share of the past that an interval of other hours covered.
fn covered(errors: &[(usize, f64)], span: usize) -> f64 {
    let (mut tried, mut inside) = (0.0_f64, 0.0);
    for (at, error) in errors {
        let others = errors
            .iter()
            .filter(|(other, _)| other.abs_diff(*at) >= span);
        if let Some([low, _, high]) = interval(others.map(|(_, error)| *error).collect(), span) {
            tried += 1.0;
            inside += match (low..=high).contains(error) {
                true if [low, high].contains(error) => SHARE,
                true => 1.0,
                false => 0.0,
            };
        }
    }
    inside / tried.max(1.0)
}
