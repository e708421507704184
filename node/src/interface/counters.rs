//! Calls by intervals of 15 minutes: a ring of what was counted in each, filled from the counters of all workers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use api::{
    COUNTERS_INTERVAL_S, COUNTERS_INTERVALS_MAX, CallCounters, CounterInterval, CountersHistory,
};
use gtp::{v1, v2};
use licensing::Wall;
use session_plane::Statistics;
use session_plane::statistics::CauseCount;

use super::Interface;

/// From one look at the clock to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was counted in the intervals of 15 minutes, of the hour's quarters as the wall clock has them.
#[derive(Debug, Default)]
pub(crate) struct Intervals {
    /// The quarter that goes on, counted from 1970, and what was counted before it.
    current: Option<(i64, CallCounters)>,
    /// Quarters that have ended, the newest first.
    ended: VecDeque<CounterInterval>,
}

impl Intervals {
    /// The quarter of an hour that goes on has ended, or none was begun.
    fn is_over(&self, now: Wall) -> bool {
        self.current.is_none_or(|(begun, _)| begun != quarter(now))
    }

    /// Ends the quarter that is over, if one is; `totals` since the process began. A clock that was set ends it, too.
    fn turn(&mut self, totals: CallCounters, now: Wall) {
        if !self.is_over(now) {
            return;
        }
        let goes_on = quarter(now);
        if let Some((begun, before)) = self.current.replace((goes_on, totals)) {
            let end = if begun < goes_on { begun + 1 } else { goes_on };
            self.ended.truncate(COUNTERS_INTERVALS_MAX - 1);
            self.ended.push_front(CounterInterval {
                until: Wall(end * INTERVAL_MS),
                counted: since(before, totals),
            });
        }
    }

    /// All of them, with what was counted since the last one.
    pub(super) fn view(&mut self, totals: CallCounters, now: Wall) -> CountersHistory {
        self.turn(totals, now);
        CountersHistory {
            current: self.current.map(|(_, before)| CounterInterval {
                until: now,
                counted: since(before, totals),
            }),
            intervals: self.ended.iter().copied().collect(),
        }
    }
}

const INTERVAL_MS: i64 = COUNTERS_INTERVAL_S as i64 * 1_000;

fn quarter(at: Wall) -> i64 {
    at.0.div_euclid(INTERVAL_MS)
}

/// Counters never fall; a worker that has told nothing yet counts as nothing.
fn since(before: CallCounters, now: CallCounters) -> CallCounters {
    let difference = |of: fn(&CallCounters) -> u64| of(&now).saturating_sub(of(&before));
    CallCounters {
        arrived: difference(|c| c.arrived),
        rejected: difference(|c| c.rejected),
        connected: difference(|c| c.connected),
        disconnected: difference(|c| c.disconnected),
        failed: difference(|c| c.failed),
        handed_over: difference(|c| c.handed_over),
    }
}

impl Interface {
    /// Ends each quarter of an hour when it is over.
    pub(crate) async fn keep_counters(self: Arc<Self>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let is_over = self.counters.lock().is_over(self.clock.now().wall);
            if is_over {
                let totals = self.totals().await;
                self.counters.lock().turn(totals, self.clock.now().wall);
            }
        }
    }

    /// What became of calls since the process began.
    pub(super) async fn totals(&self) -> CallCounters {
        let workers = self.workers_statistics().await;
        totals(workers.iter().map(Arc::as_ref))
    }
}

fn totals<'a>(workers: impl Iterator<Item = &'a Statistics>) -> CallCounters {
    let mut sum = CallCounters::default();
    for worker in workers {
        let v1 = answers(
            &worker.causes,
            v1::MessageType::CREATE_PDP_CONTEXT_REQUEST.0,
            |cause| v1::Cause(cause).is_accepted(),
        );
        let v2 = answers(
            &worker.causes_v2,
            v2::MessageType::CREATE_SESSION_REQUEST.0,
            |cause| v2::Cause(cause).is_accepted(),
        );
        // A further context is no call of its own.
        sum.arrived += (v1.all + v2.all).saturating_sub(worker.contexts_created);
        sum.rejected += worker.refused;
        sum.failed += (v1.refused + v2.refused).saturating_sub(worker.refused);
        sum.connected += worker.sessions_created;
        sum.disconnected += worker.sessions_ended.values().sum::<u64>();
        sum.handed_over += worker.handed_over;
    }
    sum
}

/// Answers to one type of request.
struct Answers {
    all: u64,
    refused: u64,
}

fn answers(counts: &[CauseCount], request: u8, is_accepted: impl Fn(u8) -> bool) -> Answers {
    let of = counts.iter().filter(|count| count.request == request);
    of.fold(Answers { all: 0, refused: 0 }, |sum, count| Answers {
        all: sum.all + count.count,
        refused: sum.refused
            + if is_accepted(count.cause) {
                0
            } else {
                count.count
            },
    })
}

#[cfg(test)]
mod tests {
    use session_plane::statistics::Ended;

    use super::*;

    fn counted(arrived: u64) -> CallCounters {
        CallCounters {
            arrived,
            connected: arrived,
            ..CallCounters::default()
        }
    }

    fn at(minutes: i64) -> Wall {
        Wall(1_700_000_100_000 + minutes * 60_000)
    }

    #[test]
    fn an_interval_ends_with_its_quarter_and_has_what_was_counted_in_it() {
        // 22:15 UTC, and then some.
        let mut intervals = Intervals::default();
        intervals.turn(counted(5), at(1));
        intervals.turn(counted(7), at(14));
        assert!(intervals.ended.is_empty());
        let view = intervals.view(counted(9), at(16));
        let [ended] = view.intervals[..] else {
            panic!("{view:?}");
        };
        assert_eq!((ended.until, ended.counted.arrived), (at(15), 4));
        assert_eq!(view.current.unwrap().counted.arrived, 0);
        let view = intervals.view(counted(12), at(17));
        assert_eq!(view.intervals.len(), 1);
        let current = view.current.unwrap();
        assert_eq!((current.until, current.counted.connected), (at(17), 3));
        // A node that stood still for an hour has one interval of it, and a clock that was put back none from the future.
        let view = intervals.view(counted(20), at(80));
        assert_eq!(
            (view.intervals[0].until, view.intervals[0].counted.arrived),
            (at(30), 11)
        );
        let view = intervals.view(counted(21), at(-100));
        assert!(view.intervals[0].until <= at(-100));
        assert_eq!(view.intervals[0].counted.arrived, 1);
    }

    #[test]
    fn no_more_than_two_days_are_kept() {
        let mut intervals = Intervals::default();
        for quarter in 0..300 {
            intervals.turn(counted(quarter as u64), at(15 * quarter));
        }
        let view = intervals.view(counted(300), at(15 * 300));
        assert_eq!(view.intervals.len(), COUNTERS_INTERVALS_MAX);
        assert_eq!(view.intervals[0].until, at(15 * 300));
        assert!(view.intervals.iter().all(|i| i.counted.arrived == 1));
    }

    #[test]
    fn what_is_refused_for_a_license_is_rejected_and_what_for_another_cause_failed() {
        let count = |request, cause, count| CauseCount {
            request,
            cause,
            count,
        };
        let worker = Statistics {
            causes: vec![count(16, 128, 6), count(16, 199, 3), count(20, 199, 8)],
            causes_v2: vec![count(32, 16, 4), count(32, 73, 2), count(34, 73, 8)],
            refused: 4,
            sessions_created: 8,
            contexts_created: 2,
            handed_over: 1,
            sessions_ended: [(Ended::Deleted, 2), (Ended::Cleared, 3)].into(),
            ..Statistics::default()
        };
        let workers = [worker.clone(), worker];
        let expected = CallCounters {
            arrived: 26,
            rejected: 8,
            connected: 16,
            disconnected: 10,
            failed: 2,
            handed_over: 2,
        };
        assert_eq!(totals(workers.iter()), expected);
    }
}
