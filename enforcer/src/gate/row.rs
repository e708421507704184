//! One worker's row: its cells, and its own counters of every class.

use std::array;
use std::sync::atomic::{AtomicU64 as Counter, Ordering::Relaxed};

use crossbeam::utils::CachePadded;
use licensing::RefusalReason;

use super::cell::Cell;
use super::config::{CLASSES_MAX, SERVICES_MAX};
use super::permit::ClassId;
use super::sync::{AtomicU64, Ordering};
use super::word::ClassWord;
use crate::counts::ClassCounters;

/// Written by its worker alone, apart from the seals and the words of the classes; read by all.
///
/// The cells come first, four services a cache line. 89 KiB, of which a worker touches 32 bytes a class in use.
#[repr(C)]
pub(super) struct Row {
    cells: CachePadded<[Cell; SERVICES_MAX]>,
    classes: [OfClass; CLASSES_MAX],
    refused: [Refused; CLASSES_MAX],
    eased: [Eased; CLASSES_MAX],
}

/// What an admission and a release touch of a class, side by side.
#[repr(align(32))]
struct OfClass {
    /// What the terms in force mean for the class, the same in every row; written under the lock.
    word: AtomicU64,
    admitted: Counter,
    released: Counter,
}

impl OfClass {
    fn new() -> Self {
        Self {
            word: AtomicU64::new(ClassWord::UNKNOWN.0),
            admitted: Counter::new(0),
            released: Counter::new(0),
        }
    }
}

#[derive(Default)]
struct Refused {
    service: Counter,
    feature: Counter,
    ceiling: Counter,
    low: Counter,
    unsettled: Counter,
}

/// Let through though blocked.
#[derive(Default)]
struct Eased {
    service: Counter,
    feature: Counter,
}

/// One more, by the only thread that ever writes it: a load and a store, no locked instruction.
#[inline(always)]
fn bump(counter: &Counter, order: Ordering) {
    counter.store(counter.load(Relaxed).wrapping_add(1), order);
}

impl Row {
    pub(super) fn new(asymmetric: bool) -> Self {
        Self {
            cells: CachePadded::new(array::from_fn(|_| Cell::new(asymmetric))),
            classes: array::from_fn(|_| OfClass::new()),
            refused: array::from_fn(|_| Refused::default()),
            eased: array::from_fn(|_| Eased::default()),
        }
    }

    /// The worker's cell of a service.
    #[inline(always)]
    pub(super) fn cell(&self, service: usize) -> &Cell {
        &self.cells[service % SERVICES_MAX]
    }

    /// What the terms in force mean for a class.
    #[inline(always)]
    pub(super) fn word(&self, class: ClassId, order: Ordering) -> ClassWord {
        ClassWord(self.slot(class).load(order))
    }

    /// Where that stands.
    #[inline(always)]
    pub(super) fn slot(&self, class: ClassId) -> &AtomicU64 {
        &self.classes[class.at() % CLASSES_MAX].word
    }

    #[inline(always)]
    pub(super) fn note_admitted(&self, class: ClassId) {
        bump(&self.classes[class.at() % CLASSES_MAX].admitted, Relaxed);
    }

    /// Whoever sees it sees the admission too, whichever worker noted that.
    #[inline(always)]
    pub(super) fn note_released(&self, class: ClassId) {
        let own = &self.classes[class.at() % CLASSES_MAX];
        bump(&own.released, Ordering::Release);
    }

    pub(super) fn note_refused(&self, class: ClassId, reason: RefusalReason) {
        let refused = &self.refused[class.at() % CLASSES_MAX];
        let counter = match reason {
            RefusalReason::ServiceBlocked => &refused.service,
            RefusalReason::FeatureBlocked { .. } => &refused.feature,
            RefusalReason::AtCeiling => &refused.ceiling,
            RefusalReason::LowPriority => &refused.low,
            RefusalReason::Unsettled => &refused.unsettled,
        };
        bump(counter, Relaxed);
    }

    /// Let through by a word that blocks and eases.
    pub(super) fn note_eased(&self, class: ClassId, word: ClassWord) {
        let eased = &self.eased[class.at() % CLASSES_MAX];
        let counter = match word.is_by_feature() {
            false => &eased.service,
            true => &eased.feature,
        };
        bump(counter, Relaxed);
    }

    pub(super) fn released(&self, class: ClassId) -> u64 {
        self.classes[class.at() % CLASSES_MAX]
            .released
            .load(Ordering::Acquire)
    }

    /// Everything but what was released.
    pub(super) fn others(&self, class: ClassId) -> ClassCounters {
        let refused = &self.refused[class.at() % CLASSES_MAX];
        let eased = &self.eased[class.at() % CLASSES_MAX];
        ClassCounters {
            admitted: self.classes[class.at() % CLASSES_MAX]
                .admitted
                .load(Relaxed),
            released: 0,
            refused_service: refused.service.load(Relaxed),
            refused_feature: refused.feature.load(Relaxed),
            refused_ceiling: refused.ceiling.load(Relaxed),
            refused_low: refused.low.load(Relaxed),
            refused_unsettled: refused.unsettled.load(Relaxed),
            eased_service: eased.service.load(Relaxed),
            eased_feature: eased.feature.load(Relaxed),
        }
    }

    pub(super) fn counters(&self, class: ClassId) -> ClassCounters {
        ClassCounters {
            released: self.released(class),
            ..self.others(class)
        }
    }
}

/// What threads without a worker released, by class.
pub(super) struct SharedRow {
    released: [Counter; CLASSES_MAX],
}

impl SharedRow {
    pub(super) fn new() -> Self {
        Self {
            released: array::from_fn(|_| Counter::new(0)),
        }
    }

    pub(super) fn note_released(&self, class: ClassId) {
        self.released[class.at() % CLASSES_MAX].fetch_add(1, Ordering::Release);
    }

    pub(super) fn released(&self, class: ClassId) -> u64 {
        self.released[class.at() % CLASSES_MAX].load(Ordering::Acquire)
    }
}
