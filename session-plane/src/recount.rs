//! The recount: the session table against the worker's own counters, class by class (rule L14).
//!
//! A pass looks at a few places at a time. What changes behind its cursor meanwhile is added or taken away, so that at
//! its end the counts are those of that instant, as the counters are.

use std::time::Duration;

use enforcer::{ClassId, RecountRow, WorkerRecount};
use licensing::Mono;

use crate::plane::SessionPlane;

/// Places looked at in one step.
const STEP: u32 = 1024;
/// From one step to the next.
const PACE: Duration = Duration::from_millis(1);

/// A pass, or the waiting for the next.
#[derive(Debug)]
pub(crate) struct Recount {
    /// Places below have been looked at; none: no pass is on.
    cursor: Option<u32>,
    /// Sessions found, by class.
    found: Vec<u64>,
    /// When the next step is due.
    due: Mono,
    /// When this pass began.
    began: Mono,
}

impl Recount {
    pub(crate) fn new(classes: usize, due: Mono) -> Self {
        Self {
            cursor: None,
            found: vec![0; classes],
            due,
            began: due,
        }
    }

    pub(crate) fn due(&self) -> Mono {
        self.due
    }

    /// A session came to this place.
    pub(crate) fn came(&mut self, place: u32, class: ClassId) {
        if self.has_passed(place) {
            self.found[class.at()] += 1;
        }
    }

    /// A session left this place.
    pub(crate) fn left(&mut self, place: u32, class: ClassId) {
        if self.has_passed(place) {
            self.found[class.at()] -= 1;
        }
    }

    fn has_passed(&self, place: u32) -> bool {
        self.cursor.is_some_and(|cursor| place < cursor)
    }
}

impl SessionPlane {
    /// One step, if it is due.
    pub(crate) fn recount(&mut self, now: Mono) {
        if now < self.recount.due {
            return;
        }
        let from = self.recount.cursor.unwrap_or_else(|| {
            self.recount.found.fill(0);
            self.recount.began = now;
            0
        });
        let to = from.saturating_add(STEP).min(self.table.places());
        for place in from..to {
            if let Some(session) = self.table.session(place) {
                self.recount.found[session.class.at()] += 1;
            }
        }
        if to < self.table.places() {
            self.recount.cursor = Some(to);
            self.recount.due = now.after(PACE);
        } else {
            self.finish_recount();
        }
    }

    fn finish_recount(&mut self) {
        self.recount.cursor = None;
        self.recount.due = self.recount.began.after(self.config.recount_interval);
        self.counters.plain.recounts += 1;
        let rows = self
            .shared
            .apns
            .classes
            .iter()
            .map(|(id, class)| RecountRow {
                class: *class,
                table: self.recount.found[id.at()],
                counter: self.gate.counters(*id).live(),
            });
        self.outbox.recounted(WorkerRecount {
            worker: self.seat.worker,
            rows: rows
                .filter(|row| row.table != 0 || row.counter != 0)
                .collect(),
        });
    }
}
