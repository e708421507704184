//! What the agent is told at its start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use api::smart::Sudi;
use licensing::{Catalog, Tag};

/// A registration is renewed after this license time at the latest: 180 days (rule L11).
pub const RENEW_ID_S: u64 = 180 * DAY_S;
/// An authorization is renewed after this license time at the latest: 30 days (rule L11).
pub const RENEW_AUTH_S: u64 = 30 * DAY_S;
/// Out of compliance, the agent asks again after this license time at the latest: 12 hours (rule L11).
pub const OOC_AUTH_S: u64 = DAY_S / 2;
/// The trust pool is asked for after this license time: 30 days.
pub const TRUST_S: u64 = 30 * DAY_S;
/// A root that expires within this time is warned of: 60 days.
pub const ROOT_WARNING_S: u64 = 60 * DAY_S;
/// An identity certificate that ends within this time, or a quarter of its validity if that is less, is warned of: 60
/// days. Its renewal is due after half of it.
pub const ID_WARNING_S: u64 = 60 * DAY_S;
/// A certificate outside of its validity is used so much longer, in license time: one hour.
pub const OUT_OF_RANGE_S: u64 = 3_600;
/// Failures in a row after which the authority counts as unreachable.
pub const UNREACHABLE_AFTER: u32 = 3;
/// An answer is reckoned to take this long before one was measured.
pub const ANSWER_GUESS: Duration = Duration::from_secs(5);
/// Attempts at what an operator waits for.
pub const OPERATOR_TRIES: u32 = 4;

const DAY_S: u64 = 86_400;

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The device.
    pub sudi: Sudi,
    /// The product tag (rule L1).
    pub product: Tag,
    /// Version of the software.
    pub version: String,
    /// Host name; none: it is not told.
    pub hostname: Option<String>,
    /// What is licensed.
    pub catalog: Arc<Catalog>,
    /// Whether the rest of the configuration goes with another catalog.
    pub fits: Fits,
    /// The node is marked `[lab]` (rule L2).
    pub lab: bool,
    /// License seconds a second, 1 off the lab.
    pub speedup: u32,
    /// Its timers.
    pub timers: Timers,
    /// Its asking ahead of need (rule L6).
    pub ahead: Ahead,
}

type FitsFn = dyn Fn(&Arc<Catalog>) -> Result<(), String> + Send + Sync;

/// Whether the configuration of a node goes with a catalog; the error says what does not, and where.
#[derive(Clone)]
pub struct Fits(Arc<FitsFn>);

impl Fits {
    /// By this judgement, which is pure.
    pub fn new(
        judge: impl Fn(&Arc<Catalog>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(judge))
    }

    /// The judgement of one catalog.
    pub fn judge(&self, catalog: &Arc<Catalog>) -> Result<(), String> {
        (self.0)(catalog)
    }
}

/// The configuration names nothing of a catalog.
impl Default for Fits {
    fn default() -> Self {
        Self::new(|_| Ok(()))
    }
}

impl fmt::Debug for Fits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fits").finish_non_exhaustive()
    }
}

/// Timers by the monotonic clock: they pace messages, and no license ages by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Report License Usage: what changed is reported this often.
    pub report: Duration,
    /// OOC Retry: unchanged counts are reported this often while out of compliance.
    pub ooc_retry: Duration,
    /// An answer that takes longer is taken for none.
    pub answer: Duration,
    /// The first pause after a failure; it doubles with each further one.
    pub backoff_first: Duration,
    /// The longest pause after a failure.
    pub backoff_most: Duration,
}

/// How asking ahead of need reckons (rule L6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Room that is kept free in any case, in percent of one license, at most 100.
    pub room_percent: u8,
    /// Growth is reckoned on for this long, and for three times the longest answer seen lately besides: one that is on its
    /// way may miss its moment, and the next takes as long.
    pub horizon: Duration,
    /// What is no longer needed is given back after this time, at most twice of it.
    pub keep: Duration,
    /// After an answer that granted no growth, it is asked again so much later.
    pub again: Duration,
}

impl Config {
    /// With the defaults of the rules, off the lab.
    pub fn new(sudi: Sudi, product: Tag, catalog: Arc<Catalog>) -> Self {
        Self {
            sudi,
            product,
            version: env!("CARGO_PKG_VERSION").into(),
            hostname: None,
            catalog,
            fits: Fits::default(),
            lab: false,
            speedup: 1,
            timers: Timers::default(),
            ahead: Ahead::default(),
        }
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            report: Duration::from_secs(300),
            ooc_retry: Duration::from_secs(60),
            answer: Duration::from_secs(60),
            backoff_first: Duration::from_secs(1),
            backoff_most: Duration::from_secs(3_600),
        }
    }
}

impl Default for Ahead {
    fn default() -> Self {
        Self {
            room_percent: 20,
            horizon: Duration::from_secs(5),
            keep: Duration::from_secs(1_800),
            again: Duration::from_secs(30),
        }
    }
}
