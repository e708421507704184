//! The last refused call of each service and reason, for exemplars.

use enforcer::RefusalSeen;
use licensing::RefusalReason;
use parking_lot::Mutex;

/// At most four of each service of the catalog.
#[derive(Debug, Default)]
pub(crate) struct LastRefusals(Mutex<Vec<Last>>);

/// The last of its service and reason.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub(super) seen: RefusalSeen,
}

impl Last {
    /// The variable that counts such refusals.
    pub(super) fn counter(&self) -> &'static str {
        counter(self.seen.reason)
    }
}

impl LastRefusals {
    /// Keeps the last of each, oldest first; called by the control thread.
    pub(crate) fn note(&self, seen: &[RefusalSeen]) {
        let mut kept = self.0.lock();
        for seen in seen {
            let of_kind = |last: &&mut Last| {
                last.seen.service == seen.service && last.counter() == counter(seen.reason)
            };
            match kept.iter_mut().find(of_kind) {
                Some(last) => last.seen.clone_from(seen),
                None => kept.push(Last { seen: seen.clone() }),
            }
        }
    }

    pub(super) fn of_each(&self) -> Vec<Last> {
        self.0.lock().clone()
    }
}

fn counter(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::ServiceBlocked => "refused_blocked",
        RefusalReason::FeatureBlocked { .. } => "refused_by_feature",
        RefusalReason::AtCeiling => "refused_at_ceiling",
        RefusalReason::LowPriority => "refused_low_priority",
        RefusalReason::Unsettled => "refused_unsettled",
    }
}

#[cfg(test)]
mod tests {
    use licensing::{FeatureIndex, ServiceIndex, Wall};

    use super::*;

    #[test]
    fn the_last_of_each_service_and_reason_is_kept() {
        let seen = |at: i64, service: u8, reason: RefusalReason| RefusalSeen {
            at: Wall(at),
            service: ServiceIndex(service),
            reason,
            sessions: 1,
            ceiling: Some(1),
            apn: "internet".into(),
            cause: 199,
            new_subscriber: true,
        };
        let by = |feature| RefusalReason::FeatureBlocked {
            feature: FeatureIndex(feature),
        };
        let last = LastRefusals::default();
        last.note(&[
            seen(1, 0, RefusalReason::AtCeiling),
            seen(2, 1, RefusalReason::AtCeiling),
            seen(3, 0, by(1)),
        ]);
        last.note(&[
            seen(4, 0, RefusalReason::ServiceBlocked),
            seen(5, 0, RefusalReason::AtCeiling),
            seen(6, 0, by(2)),
            seen(7, 0, RefusalReason::LowPriority),
        ]);
        let kept = last.of_each().into_iter();
        let kept: Vec<_> = kept.map(|last| (last.seen.at.0, last.counter())).collect();
        let expected = [
            (5, "refused_at_ceiling"),
            (2, "refused_at_ceiling"),
            (6, "refused_by_feature"),
            (4, "refused_blocked"),
            (7, "refused_low_priority"),
        ];
        assert_eq!(kept, expected);
    }
}
