//! `show license forecast`: how long ceilings will last.

use serde::{Deserialize, Serialize};

/// One service of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceForecast {
    /// Its short name.
    pub service: String,
    /// Sessions that hold a permit.
    pub sessions: u64,
    /// Sessions that it may hold; none: unlimited.
    pub ceiling: Option<u64>,
    /// Hours of which there are samples.
    pub hours: u32,
    /// What is to be expected.
    #[serde(flatten)]
    pub outlook: Outlook,
}

/// What is to be expected of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outlook")]
pub enum Outlook {
    /// There is no ceiling that could be reached.
    NoCeiling,
    /// Too little was seen, or what was seen does not bear an interval.
    InsufficientData {
        /// The share of the past that the interval covered, in percent; none: too few hours.
        coverage_percent: Option<u32>,
    },
    /// An interval of 80 %.
    Growth {
        /// The highest of the last 24 hours.
        level: u64,
        /// Sessions a day: at least, about, at most.
        per_day: [i64; 3],
        /// Hours until the ceiling is reached, at the highest, the middle and the lowest growth; none: not within ten years.
        hours_until: [Option<u32>; 3],
        /// The share of the past that such an interval covered, in percent.
        coverage_percent: u32,
    },
}
