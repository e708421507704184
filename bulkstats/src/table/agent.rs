//! Schema `agent`: the Smart Agent.

use super::{About, Own, Rows, own, seconds, truth};
use crate::value::Value::{Absent, Int, Text};
use crate::view::View;

pub(crate) struct AgentRows;

const VARIABLES: &[Own<AgentRows>] = &[
    own(
        About::info(
            "registration",
            "unregistered, registering, registered, out-of-range or deregistering.",
        ),
        |v, ()| Text(v.agent.registration),
    ),
    own(
        About::info(
            "virtual_account",
            "The virtual account; empty if not registered.",
        ),
        |v, ()| v.agent.virtual_account.as_deref().map_or(Absent, Text),
    ),
    own(
        About::time("registered", "When the registration began; empty likewise."),
        |v, ()| seconds(v.agent.registered),
    ),
    own(
        About::time(
            "renew",
            "When the registration is to be renewed; empty likewise.",
        ),
        |v, ()| seconds(v.agent.renew),
    ),
    own(
        About::time(
            "expires",
            "When the identity certificate ends; empty likewise.",
        ),
        |v, ()| seconds(v.agent.expires),
    ),
    own(
        About::time(
            "deadline",
            "When the authorization expires unless the authority is heard; empty if not registered or not heard yet.",
        ),
        |v, ()| seconds(v.agent.deadline),
    ),
    own(
        About::time(
            "silent_since",
            "Since when attempts find nothing; empty if the last was answered.",
        ),
        |v, ()| seconds(v.agent.silent_since),
    ),
    own(
        About::gauge(
            "last_report",
            "Number of the last usage report; 0: there is none.",
        ),
        |v, ()| Int(v.agent.last_report),
    ),
    own(
        About::gauge("reports_waiting", "Usage reports not acknowledged."),
        |v, ()| Int(v.agent.reports_waiting),
    ),
    own(
        About::truth(
            "forked",
            "1: the authority sees two nodes of this identity.",
        ),
        |v, ()| truth(v.agent.forked),
    ),
    own(
        About::gauge(
            "orders_serial",
            "Serial number of the orders in force; 0: there are none.",
        ),
        |v, ()| Int(v.agent.orders_serial),
    ),
    own(
        About::counter("orders_refused", "Orders refused."),
        |v, ()| Int(v.agent.orders_refused),
    ),
    own(
        About::counter(
            "stale_answers",
            "Answers that came late, twice, or to nothing.",
        ),
        |v, ()| Int(v.agent.stale_answers),
    ),
    own(
        About::gauge("roots", "Roots of the Trust Pool."),
        |v, ()| Int(v.agent.roots),
    ),
    own(
        About::counter(
            "messages_success",
            "Messages to the authority sent, and done.",
        ),
        |v, ()| Int(v.agent.messages.success),
    ),
    own(
        About::counter(
            "messages_failed",
            "Messages not sent, without an answer, or not done.",
        ),
        |v, ()| Int(v.agent.messages.failed),
    ),
    own(
        About::gauge("messages_queued", "Messages to be sent, or on their way."),
        |v, ()| Int(v.agent.messages.queued),
    ),
    own(
        About::counter(
            "messages_dropped",
            "Messages not sent because the configuration does not let them.",
        ),
        |v, ()| Int(v.agent.messages.dropped),
    ),
    own(
        About::time("messages_last", "When one was last sent; empty: never."),
        |v, ()| seconds(v.agent.messages.last),
    ),
];

impl Rows for AgentRows {
    type Row<'v> = ();
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(_: &View) -> impl Iterator<Item = ()> {
        std::iter::once(())
    }
}
