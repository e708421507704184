//! The table of outstanding alarms (rule L16): it is the truth, an event only carries it.

use std::collections::{BTreeMap, BTreeSet};

use licensing::{Alarm, AlarmId, AlarmKind, Event, Wall};

/// Outstanding alarms, at most one a kind and tag.
#[derive(Clone, Debug)]
pub(super) struct Alarms {
    outstanding: BTreeMap<AlarmKind, Alarm>,
    next: AlarmId,
}

/// Conditions that hold.
pub(super) type Conditions = BTreeSet<AlarmKind>;

impl Alarms {
    /// The table as it was kept.
    pub(super) fn restored(kept: Vec<Alarm>, next: AlarmId) -> Self {
        let above = kept.iter().map(|alarm| alarm.id.0 + 1).max();
        Self {
            next: AlarmId(above.unwrap_or_default().max(next.0)),
            outstanding: kept.into_iter().map(|alarm| (alarm.kind, alarm)).collect(),
        }
    }

    /// Number of the next alarm.
    pub(super) fn next(&self) -> AlarmId {
        self.next
    }

    pub(super) fn contains(&self, kind: &AlarmKind) -> bool {
        self.outstanding.contains_key(kind)
    }

    /// All of them, oldest first.
    pub(super) fn oldest_first(&self) -> Vec<Alarm> {
        let mut alarms: Vec<_> = self.outstanding.values().cloned().collect();
        alarms.sort_by_key(|alarm| alarm.id);
        alarms
    }

    /// Makes the table say what holds: clears what does not any more, then raises what is new. `figure` is what goes
    /// with a condition, at its beginning and at its end.
    pub(super) fn reconcile(
        &mut self,
        holding: &Conditions,
        figure: impl Fn(AlarmKind) -> i64,
        at: Wall,
    ) -> Vec<Event> {
        let over = self.oldest_first().into_iter();
        let over: Vec<_> = over
            .filter(|alarm| !holding.contains(&alarm.kind))
            .collect();
        let mut events = Vec::new();
        for mut alarm in over {
            self.outstanding.remove(&alarm.kind);
            alarm.value = figure(alarm.kind);
            events.push(Event::AlarmCleared { alarm });
        }
        for kind in holding {
            if !self.contains(kind) {
                let alarm = self.raise(*kind, figure(*kind), at);
                events.push(Event::AlarmRaised { alarm });
            }
        }
        events
    }

    fn raise(&mut self, kind: AlarmKind, value: i64, at: Wall) -> Alarm {
        let alarm = Alarm {
            id: self.next,
            kind,
            raised: at,
            repeated: None,
            value,
        };
        self.next = AlarmId(self.next.0 + 1);
        self.outstanding.insert(kind, alarm.clone());
        alarm
    }

    /// Says an alarm again under its own number; none: it is not outstanding.
    pub(super) fn repeat(&mut self, kind: &AlarmKind, value: i64, at: Wall) -> Option<Event> {
        let alarm = self.outstanding.get_mut(kind)?;
        alarm.repeated = Some(at);
        alarm.value = value;
        Some(Event::AlarmRepeated {
            alarm: alarm.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODE: AlarmKind = AlarmKind::EvaluationMode;
    const EXPIRED: AlarmKind = AlarmKind::EvaluationExpired;

    fn empty() -> Alarms {
        Alarms::restored(Vec::new(), AlarmId(1))
    }

    //= L16
    #[test]
    fn each_raise_has_one_clear_and_the_table_is_the_truth() {
        let mut alarms = empty();
        let raised = alarms.reconcile(&Conditions::from([MODE]), |_| 60, Wall(1));
        let [Event::AlarmRaised { alarm }] = &raised[..] else {
            panic!("one raise: {raised:?}");
        };
        assert_eq!((alarm.id, alarm.value), (AlarmId(1), 60));
        assert_eq!(alarms.oldest_first(), std::slice::from_ref(alarm));
        let again = alarms.reconcile(&Conditions::from([MODE]), |_| 59, Wall(2));
        assert_eq!(again, [], "at most one outstanding");
        let cleared = alarms.reconcile(&Conditions::new(), |_| 40, Wall(3));
        let mut alarm = alarm.clone();
        alarm.value = 40;
        assert_eq!(cleared, [Event::AlarmCleared { alarm }]);
        assert_eq!(alarms.reconcile(&Conditions::new(), |_| 0, Wall(4)), []);
        assert_eq!(alarms.oldest_first(), []);
    }

    //= L16
    #[test]
    fn a_repeat_is_neither_raise_nor_clear() {
        let mut alarms = empty();
        assert_eq!(alarms.repeat(&MODE, 1, Wall(1)), None);
        alarms.reconcile(&Conditions::from([MODE]), |_| 60, Wall(1));
        let Some(Event::AlarmRepeated { alarm }) = alarms.repeat(&MODE, 50, Wall(2)) else {
            panic!("it is outstanding");
        };
        assert_eq!((alarm.id, alarm.raised), (AlarmId(1), Wall(1)));
        assert_eq!((alarm.repeated, alarm.value), (Some(Wall(2)), 50));
        assert_eq!(alarms.oldest_first(), [alarm]);
    }

    //= L16
    #[test]
    fn a_number_is_never_used_again_also_after_a_restart() {
        let mut alarms = empty();
        alarms.reconcile(&Conditions::from([MODE, EXPIRED]), |_| 0, Wall(1));
        let kept = alarms.oldest_first();
        let mut again = Alarms::restored(kept.clone(), AlarmId(1));
        assert_eq!(again.next(), AlarmId(3));
        assert_eq!(again.oldest_first(), kept);
        let events = again.reconcile(&Conditions::from([EXPIRED]), |_| 0, Wall(2));
        let [Event::AlarmCleared { alarm }] = &events[..] else {
            panic!("one clear: {events:?}");
        };
        assert_eq!(alarm, &kept[0], "the clear of the raise before the restart");
        let events = again.reconcile(&Conditions::from([MODE, EXPIRED]), |_| 0, Wall(3));
        let [Event::AlarmRaised { alarm }] = &events[..] else {
            panic!("one raise: {events:?}");
        };
        assert_eq!(alarm.id, AlarmId(3));
    }
}
