//! Outstanding alarms, the log of notifications, and targets.

use licensing::{Alarm, TagRef};

use super::{column, gauge, indexed, rows, seconds, signed, text};
use crate::Value;
use crate::delivery::{HistoryRow, TargetStatus};
use crate::notifications::{Which, of_alarm, tag_of};
use crate::objects::{Index, Syntax, Table};
use crate::view::View;

/// In the order of [`Severity`](crate::notifications::Severity).
const SEVERITIES: Syntax = Syntax::Named(&[
    ("critical", 1),
    ("major", 2),
    ("minor", 3),
    ("warning", 4),
    ("informational", 5),
]);

pub(super) fn alarms() -> Table<View> {
    Table {
        name: "tgAlarmTable",
        entry: "tgAlarmEntry",
        arcs: &[6],
        index: &["tgAlarmId"],
        help: "Outstanding alarms: the truth, which notifications only carry.",
        rows: |v| {
            let ids = v.node.alarms.iter().map(|alarm| alarm.id.0);
            rows(ids.map(|id| Index::of(u32::try_from(id).unwrap_or(u32::MAX))))
        },
        columns: vec![
            indexed(
                1,
                "tgAlarmId",
                Syntax::Unsigned32,
                "Its number, the same from raise to clear.",
            ),
            column(
                2,
                "tgAlarmName",
                Syntax::DisplayString,
                "Name of the notification that raises it.",
                |v, n| text(of_alarm(alarm(v, n)?.kind).first()?),
            ),
            column(
                3,
                "tgAlarmSeverity",
                SEVERITIES,
                "How urgent it is.",
                |v, n| {
                    let name = of_alarm(alarm(v, n)?.kind).first()?;
                    Some(Value::Integer(
                        Which::named(name)?.row().severity as i32 + 1,
                    ))
                },
            ),
            column(
                4,
                "tgAlarmTagName",
                Syntax::DisplayString,
                "Name of its service or feature; empty if it is the node's.",
                |v, n| {
                    let name = match tag_of(alarm(v, n)?.kind) {
                        None => "",
                        Some(TagRef::Service(at)) => &v.node.services.get(at.at())?.tag.name,
                        Some(TagRef::Feature(at)) => &v.node.features.get(at.at())?.tag.name,
                    };
                    text(name)
                },
            ),
            column(
                5,
                "tgAlarmRaised",
                Syntax::Unsigned32,
                "When it was raised, in seconds since 1970 (UTC).",
                |v, n| seconds(alarm(v, n)?.raised),
            ),
            column(
                6,
                "tgAlarmRepeated",
                Syntax::Unsigned32,
                "When it was last said again; not there if it was not.",
                |v, n| seconds(alarm(v, n)?.repeated?),
            ),
            column(
                7,
                "tgAlarmValue",
                Syntax::Integer32,
                "The figure that goes with it, 0 where none does.",
                |v, n| signed(alarm(v, n)?.value),
            ),
        ],
    }
}

pub(super) fn log() -> Table<View> {
    Table {
        name: "tgLogTable",
        entry: "tgLogEntry",
        arcs: &[7],
        index: &["tgLogIndex"],
        help: "The last notifications, at most 1,000.",
        rows: |v| {
            let places = v.told.log.iter().map(|logged| logged.place);
            // Numbers wrap, and start with 1.
            rows(places.map(|place| Index::of(u32::try_from(place % (1 << 32)).unwrap_or(0))))
        },
        columns: vec![
            indexed(
                1,
                "tgLogIndex",
                Syntax::Unsigned32,
                "Rises with each notification since the process began.",
            ),
            column(
                2,
                "tgLogTime",
                Syntax::Unsigned32,
                "When it was issued, in seconds since 1970 (UTC).",
                |v, n| seconds(logged(v, n)?.at),
            ),
            column(
                3,
                "tgLogName",
                Syntax::DisplayString,
                "Its name.",
                |v, n| text(logged(v, n)?.which.row().name),
            ),
            column(
                4,
                "tgLogOid",
                Syntax::ObjectIdentifier,
                "Its snmpTrapOID.",
                |v, n| {
                    let oid = logged(v, n)?.which.oid(&v.told.enterprise);
                    Some(Value::ObjectIdentifier(oid))
                },
            ),
            column(
                5,
                "tgLogText",
                Syntax::DisplayString,
                "Names and values of its varbinds.",
                |v, n| text(&logged(v, n)?.text),
            ),
        ],
    }
}

pub(super) fn targets() -> Table<View> {
    Table {
        name: "tgTargetTable",
        entry: "tgTargetEntry",
        arcs: &[8],
        index: &["tgTargetIndex"],
        help: "Who is sent notifications, and what became of them since the process began.",
        rows: |v| rows((1..).map(Index::of).take(v.told.targets.len())),
        columns: vec![
            indexed(
                1,
                "tgTargetIndex",
                Syntax::Unsigned32,
                "Its place in the configuration.",
            ),
            column(
                2,
                "tgTargetName",
                Syntax::DisplayString,
                "Its name.",
                |v, n| text(&target(v, n)?.name),
            ),
            column(
                3,
                "tgTargetWaiting",
                Syntax::Gauge32,
                "Notifications that wait for it.",
                |v, n| gauge(target(v, n)?.waiting),
            ),
            column(
                4,
                "tgTargetHeld",
                Syntax::Gauge32,
                "Notifications that are held, because more came than are sent.",
                |v, n| gauge(target(v, n)?.held),
            ),
            column(5, "tgTargetSent", Syntax::Counter64, "Sent.", |v, n| {
                Some(Value::Counter64(target(v, n)?.sent))
            }),
            column(
                6,
                "tgTargetRepeated",
                Syntax::Counter64,
                "Informs sent again.",
                |v, n| Some(Value::Counter64(target(v, n)?.repeated)),
            ),
            column(
                7,
                "tgTargetAcknowledged",
                Syntax::Counter64,
                "Informs acknowledged.",
                |v, n| Some(Value::Counter64(target(v, n)?.acknowledged)),
            ),
            column(
                8,
                "tgTargetCoalesced",
                Syntax::Counter64,
                "For which others stand: more came than are sent.",
                |v, n| Some(Value::Counter64(target(v, n)?.coalesced)),
            ),
            column(
                9,
                "tgTargetDropped",
                Syntax::Counter64,
                "Dropped: its queue was full.",
                |v, n| Some(Value::Counter64(target(v, n)?.dropped)),
            ),
            column(
                10,
                "tgTargetAwaySince",
                Syntax::Unsigned32,
                "Since when it does not acknowledge, in seconds since 1970 (UTC); not there if it does.",
                |v, n| seconds(target(v, n)?.away_since?),
            ),
        ],
    }
}

fn alarm(view: &View, place: usize) -> Option<&Alarm> {
    view.node.alarms.get(place)
}

fn logged(view: &View, place: usize) -> Option<&HistoryRow> {
    view.told.log.get(place).map(AsRef::as_ref)
}

fn target(view: &View, place: usize) -> Option<&TargetStatus> {
    view.told.targets.get(place)
}
