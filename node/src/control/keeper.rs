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
                tracing::error!(%error, "state is not saved; calls go on");
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
