//! Episodes: from the authority's objection to a tag until it is settled, and the grace that they use (rule L5).

use licensing::Wall;

use super::clock::{COOLING_MINUTES, DAY_MINUTES, MINUTE_MS, Meter};

/// The episodes of one tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Episode {
    /// When the one that is on began; none: none is on.
    since: Option<Wall>,
    /// Grace used, in this one or in the last.
    grace: Meter,
    /// License time since the last one ended; none: there was none, or it is 24 hours past.
    ended_ms: Option<u64>,
}

impl Episode {
    /// An episode as it was kept: with an end if that is known.
    pub(super) fn restored(since: Option<Wall>, minutes: u32, ended_ms: Option<u64>) -> Self {
        Self {
            since,
            grace: Meter::charged(minutes),
            ended_ms: ended_ms.filter(|_| since.is_none()),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// When the one that is on began.
    pub(super) fn since(&self) -> Option<Wall> {
        self.since
    }

    pub(super) fn grace(&self) -> Meter {
        self.grace
    }

    /// License time since the last one ended, while it matters.
    pub(super) fn ended_ms(&self) -> Option<u64> {
        self.ended_ms
    }

    /// The authority objects. Its grace is a fresh one, unless the last episode ended less than 24 hours ago.
    pub(super) fn begin(&mut self, at: Wall) {
        if self.is_on() {
            return;
        }
        if self.ended_ms.take().is_none() {
            self.grace = Meter::default();
        }
        self.since = Some(at);
    }

    /// It is settled.
    pub(super) fn end(&mut self) {
        if self.since.take().is_some() {
            self.ended_ms = Some(0);
        }
    }

    /// The grace runs: `elapsed_ms` of use. True if its charge rose.
    pub(super) fn run(
        &mut self,
        elapsed_ms: u64,
        total_minutes: u32,
        quantum_minutes: u32,
    ) -> bool {
        self.grace.run(elapsed_ms, total_minutes, quantum_minutes)
    }

    /// Time passes after the end. True once it is 24 hours past.
    pub(super) fn cool(&mut self, elapsed_ms: u64) -> bool {
        let Some(ended_ms) = &mut self.ended_ms else {
            return false;
        };
        *ended_ms = ended_ms.saturating_add(elapsed_ms);
        let cooled = *ended_ms >= u64::from(COOLING_MINUTES) * MINUTE_MS;
        if cooled {
            self.ended_ms = None;
        }
        cooled
    }

    /// Whole days of grace charged: the alarm is repeated when this rises.
    pub(super) fn days_charged(&self) -> u32 {
        self.grace.charged_minutes() / DAY_MINUTES
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::{DAY_MS, HOUR_MS};
    use super::*;

    const TOTAL: u32 = 90 * DAY_MINUTES;

    //= L5
    #[test]
    fn an_episode_within_24_hours_goes_on_with_the_grace_of_the_last() {
        let mut episode = Episode::default();
        episode.begin(Wall(1));
        episode.run(10 * DAY_MS, TOTAL, 1);
        episode.end();
        assert!(!episode.cool(24 * HOUR_MS - 1));
        episode.begin(Wall(2));
        assert_eq!(episode.grace().used_ms(), 10 * DAY_MS);
        assert_eq!(episode.since(), Some(Wall(2)));
        episode.end();
        assert!(episode.cool(24 * HOUR_MS));
        episode.begin(Wall(3));
        assert_eq!(episode.grace().used_ms(), 0, "a day later: a fresh grace");
    }

    //= L5
    #[test]
    fn an_objection_said_again_begins_nothing() {
        let mut episode = Episode::default();
        episode.begin(Wall(1));
        episode.run(DAY_MS, TOTAL, 1);
        episode.begin(Wall(2));
        assert_eq!(episode.since(), Some(Wall(1)));
        assert_eq!(episode.grace().used_ms(), DAY_MS);
        assert!(!episode.cool(DAY_MS), "what is on does not cool");
    }

    //= L5
    #[test]
    fn a_restart_neither_gains_grace_nor_forgets_the_last_episode() {
        let on = Episode::restored(Some(Wall(1)), 60, None);
        assert_eq!(on.grace().used_ms(), HOUR_MS);
        let mut over = Episode::restored(None, 60, Some(HOUR_MS));
        assert!(!over.cool(23 * HOUR_MS - 1));
        over.begin(Wall(9));
        assert_eq!(over.grace().used_ms(), HOUR_MS);
    }
}
