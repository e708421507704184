//! What the snapshot's table of alarms does not say itself: their notifications, how urgent they are, how many there were.

use api::{AlarmCounts, AlarmRow, AlarmSeverity, AlarmView};
use licensing::{Alarm, Event, Snapshot, Wall};
use snmp::notifications::{Severity, Which, of_alarm, tag_of};

/// Alarms that were raised since the process began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raised {
    counts: AlarmCounts,
    last: Option<Wall>,
}

impl Raised {
    /// Takes those of some events.
    pub(crate) fn count(&mut self, events: &[Event]) {
        for event in events {
            if let Event::AlarmRaised { alarm } = event {
                self.counts.count(row(alarm).severity);
                self.last = Some(alarm.raised);
            }
        }
    }
}

/// The alarms of a snapshot, and those that were raised until then.
pub(crate) fn view(snapshot: &Snapshot, raised: &Raised) -> AlarmView {
    AlarmView {
        outstanding: snapshot.alarms.iter().map(row).collect(),
        raised: raised.counts,
        last_raised: raised.last,
    }
}

/// What is said of an alarm; it is as urgent as the first notification that raises it.
pub fn row(alarm: &Alarm) -> AlarmRow {
    let name = of_alarm(alarm.kind).first().copied().unwrap_or_default();
    let of = Which::named(name).map(Which::row);
    let severity = match of.map_or(Severity::Informational, |of| of.severity) {
        Severity::Critical => AlarmSeverity::Critical,
        Severity::Major => AlarmSeverity::Major,
        Severity::Minor => AlarmSeverity::Minor,
        Severity::Warning => AlarmSeverity::Warning,
        Severity::Informational => AlarmSeverity::Informational,
    };
    AlarmRow {
        id: alarm.id.0,
        name: name.to_owned(),
        severity,
        tag: tag_of(alarm.kind),
    }
}

#[cfg(test)]
mod tests {
    use licensing::{AlarmId, AlarmKind, ServiceIndex, TagRef};

    use super::*;

    fn alarm(id: u64, kind: AlarmKind) -> Alarm {
        Alarm {
            id: AlarmId(id),
            kind,
            raised: Wall(1_000 * id.cast_signed()),
            repeated: None,
            value: 0,
        }
    }

    #[test]
    fn a_row_is_of_the_first_notification() {
        let service = ServiceIndex(2);
        let told = row(&alarm(7, AlarmKind::AtLimit { service }));
        assert_eq!((told.id, told.name.as_str()), (7, "starLicenseExceeded"));
        assert_eq!(told.severity, AlarmSeverity::Major);
        assert_eq!(told.tag, Some(TagRef::Service(service)));
        let told = row(&alarm(8, AlarmKind::EvaluationMode));
        assert_eq!((told.severity, told.tag), (AlarmSeverity::Warning, None));
    }

    #[test]
    fn raises_are_counted_and_nothing_else() {
        //= L16
        let mut raised = Raised::default();
        let (first, second) = (
            alarm(1, AlarmKind::EvaluationExpired),
            alarm(2, AlarmKind::EvaluationMode),
        );
        let raise = |alarm: &Alarm| Event::AlarmRaised {
            alarm: alarm.clone(),
        };
        raised.count(&[raise(&first), raise(&second)]);
        raised.count(&[
            Event::AlarmRepeated {
                alarm: first.clone(),
            },
            Event::AlarmCleared { alarm: first },
            Event::EvaluationStarted,
        ]);
        let counts = AlarmCounts {
            critical: 1,
            warning: 1,
            ..AlarmCounts::default()
        };
        assert_eq!(raised.counts, counts);
        assert_eq!(raised.counts.total(), 2);
        assert_eq!(raised.last, Some(second.raised));
    }
}
