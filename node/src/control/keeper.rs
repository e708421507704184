//! Keeps records in the store; what could not be written is tried again, the newest of its kind.

use std::time::Duration;

use licensing::Mono;
use licensing::record::{ClockRecord, OperatorRecord, Record};

use crate::store::Store;

/// From one try to write to the next, while writing fails.
const RETRY_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Keeper {
    store: Store,
    clock: Option<ClockRecord>,
    operator: Option<OperatorRecord>,
    failed_at: Mono,
}

impl Keeper {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            clock: None,
            operator: None,
            failed_at: Mono(0),
        }
    }

    /// Writes a record; false if anything is left unwritten.
    pub(crate) fn keep(&mut self, record: Record, now: Mono) -> bool {
        match record {
            Record::Clock(clock) => self.clock = Some(clock),
            Record::Operator(operator) => self.operator = Some(operator),
        }
        self.write(now)
    }

    /// Tries again if something is left unwritten and it is time; none: nothing was tried.
    pub(crate) fn retry(&mut self, now: Mono) -> Option<bool> {
        let left = self.clock.is_some() || self.operator.is_some();
        let due = now.since(self.failed_at) >= RETRY_EVERY;
        (left && due).then(|| self.write(now))
    }

    fn write(&mut self, now: Mono) -> bool {
        let store = &mut self.store;
        let clock = self.clock.take().map(Record::Clock);
        let operator = self.operator.take().map(Record::Operator);
        for record in clock.into_iter().chain(operator) {
            if let Err(error) = store.write(&record) {
                event!(STATE_NOT_SAVED, %error);
                self.failed_at = now;
                match record {
                    Record::Clock(clock) => self.clock = Some(clock),
                    Record::Operator(operator) => self.operator = Some(operator),
                }
            }
        }
        self.clock.is_none() && self.operator.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(generation: u64) -> Record {
        Record::Clock(ClockRecord {
            generation,
            ..ClockRecord::default()
        })
    }

    /// A store whose slot of even generations has no room.
    fn full() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let slot = dir.path().join("clock.a");
        std::fs::remove_file(&slot).unwrap();
        std::os::unix::fs::symlink("/dev/full", &slot).unwrap();
        let store = Store::open(dir.path()).unwrap().0;
        (dir, store)
    }

    //= L3
    #[test]
    fn what_can_not_be_written_is_tried_again_until_something_newer_is() {
        let (dir, store) = full();
        let mut keeper = Keeper::new(store);
        let at = |ms: u64| Mono(0).after(Duration::from_millis(ms));
        assert!(keeper.keep(clock(3), at(0)));
        assert_eq!(keeper.retry(at(5_000)), None);
        assert!(!keeper.keep(clock(4), at(5_000)));
        assert_eq!(keeper.retry(at(5_999)), None);
        assert_eq!(keeper.retry(at(6_000)), Some(false));
        assert!(!keeper.keep(Record::Operator(OperatorRecord::default()), at(6_001)));
        assert!(keeper.keep(clock(5), at(6_002)));
        assert_eq!(keeper.retry(at(9_000)), None);
        drop(keeper);
        let found = Store::open(dir.path()).unwrap().1;
        assert_eq!(found.clock.unwrap().generation, 5);
        assert_eq!(found.operator, Some(OperatorRecord::default()));
    }
}
