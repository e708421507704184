//! Schema `gtpc`: signalling by message type, and by request and cause.

use super::{About, Own, Rows, count, own};
use crate::value::Value::{self, Absent, Int, Text};
use crate::view::{Causes, Messages, View};

pub(crate) struct GtpcRows;

#[derive(Clone, Copy)]
pub(crate) enum GtpcRow<'v> {
    Messages(&'v Messages),
    Causes(&'v Causes),
}

const VARIABLES: &[Own<GtpcRows>] = &[
    own(
        About::number("gtp-version", "Version of GTP, 1 or 2.").key(),
        |_, row| {
            Int(match row {
                GtpcRow::Messages(row) => row.version.into(),
                GtpcRow::Causes(row) => row.version.into(),
            })
        },
    ),
    own(
        About::number(
            "message",
            "Message type (TS 29.060 table 1, TS 29.274 table 6.1-1); of a cause that of the request.",
        )
        .key(),
        |_, row| {
            Int(match row {
                GtpcRow::Messages(row) => row.kind.into(),
                GtpcRow::Causes(row) => row.request.into(),
            })
        },
    ),
    own(
        About::number(
            "cause",
            "Cause (TS 29.060 7.7.1, TS 29.274 8.4); empty in rows of messages.",
        )
        .key(),
        |_, row| count(cause(row).map(|row| row.cause)),
    ),
    own(
        About::info(
            "message-name",
            "Name of the message type, with _ for spaces; empty if it has none.",
        )
        .label(),
        |_, row| {
            let name = match row {
                GtpcRow::Messages(row) => row.name,
                GtpcRow::Causes(row) => row.name,
            };
            name.map_or(Absent, Text)
        },
    ),
    own(
        About::counter("received", "Messages received, retransmissions included."),
        |_, row| messages(row, |row| row.received),
    ),
    own(
        About::counter("sent", "Messages sent, retransmissions included."),
        |_, row| messages(row, |row| row.sent),
    ),
    own(
        About::counter("answered", "Answers sent with the cause, retransmissions apart."),
        |_, row| count(cause(row).map(|row| row.answered)),
    ),
    own(
        About::counter(
            "heard",
            "Answers to requests of the node's own received with the cause.",
        ),
        |_, row| count(cause(row).map(|row| row.heard)),
    ),
];

impl Rows for GtpcRows {
    type Row<'v> = GtpcRow<'v>;
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(view: &View) -> impl Iterator<Item = GtpcRow<'_>> {
        let messages = view.plane.messages.iter().map(GtpcRow::Messages);
        messages.chain(view.plane.causes.iter().map(GtpcRow::Causes))
    }
}

fn cause(row: GtpcRow<'_>) -> Option<&Causes> {
    match row {
        GtpcRow::Messages(_) => None,
        GtpcRow::Causes(row) => Some(row),
    }
}

fn messages<'v>(row: GtpcRow<'v>, of: impl Fn(&'v Messages) -> u64) -> Value<'v> {
    match row {
        GtpcRow::Messages(row) => Int(of(row)),
        GtpcRow::Causes(_) => Absent,
    }
}
