//! Schema `system`: the node as a whole.

use super::smart::mode_name;
use super::{About, Own, Rows, count, own, seconds, truth};
use crate::value::Value::{Int, Text};
use crate::view::View;

pub(crate) struct SystemRows;

const VARIABLES: &[Own<SystemRows>] = &[
    own(
        About::truth("lab", "1: the node is marked [lab]."),
        |v, ()| truth(v.node.lab.is_some()),
    ),
    own(
        About::info("mode", "The mode in force: EVALUATION or REGISTERED."),
        |v, ()| Text(mode_name(v.node.smart.mode)),
    ),
    own(
        About::truth("smart-licensing", "1: smart licensing is enabled."),
        |v, ()| truth(v.node.smart.enabled),
    ),
    own(
        About::gauge(
            "sess-current",
            "Sessions now, emergency sessions and those of clients included.",
        ),
        |v, ()| Int(v.plane.sessions),
    ),
    own(
        About::gauge(
            "sess-secondary",
            "Secondary PDP contexts now, which hold no license.",
        ),
        |v, ()| Int(v.plane.secondary_contexts),
    ),
    own(
        About::gauge(
            "sess-emergency",
            "Emergency sessions now, which hold no license.",
        ),
        |v, ()| Int(v.node.emergency.sessions),
    ),
    own(
        About::counter("sess-emergency-ttl", "Emergency sessions admitted."),
        |v, ()| Int(v.node.emergency.admitted),
    ),
    own(
        About::gauge(
            "peers",
            "Peers with sessions, those to which sessions are relayed among them; one that has none left is forgotten within a second.",
        ),
        |v, ()| Int(v.plane.peers),
    ),
    own(
        About::counter(
            "sess-created",
            "Sessions made, those of clients included, and those that clients restored.",
        ),
        |v, ()| Int(v.plane.created),
    ),
    own(
        About::counter(
            "sess-ended-deleted",
            "Sessions ended by their peer or client.",
        ),
        |v, ()| Int(v.plane.ended.deleted),
    ),
    own(
        About::counter(
            "sess-ended-replaced",
            "Sessions ended by another of their subscriber.",
        ),
        |v, ()| Int(v.plane.ended.replaced),
    ),
    own(
        About::counter("sess-ended-cleared", "Sessions ended by an operator."),
        |v, ()| Int(v.plane.ended.cleared),
    ),
    own(
        About::counter(
            "sess-ended-inactive",
            "Emergency sessions ended without signalling for too long.",
        ),
        |v, ()| Int(v.plane.ended.inactive),
    ),
    own(
        About::counter(
            "sess-ended-notmade",
            "Sessions refused or not answered by their PGW, or whose hand-over did not come.",
        ),
        |v, ()| Int(v.plane.ended.not_made),
    ),
    own(
        About::counter(
            "sess-ended-peerlost",
            "Sessions ended because their peer or PGW restarted, the path to it failed, or their client's lease ran out.",
        ),
        |v, ()| Int(v.plane.ended.peer_lost),
    ),
    own(
        About::counter("sess-ended-stopped", "Sessions stopped with the node."),
        |v, ()| Int(v.plane.ended.stopped),
    ),
    own(
        About::counter(
            "sess-rejected-license",
            "New calls refused for a license, those of clients included.",
        ),
        |v, ()| Int(v.plane.refused),
    ),
    own(
        About::counter(
            "sess-rejected-license-subs",
            "Distinct subscribers among them; a retry within a minute is one, each call of a client is another.",
        ),
        |v, ()| Int(v.plane.refused_subscribers),
    ),
    own(About::counter("datagrams", "Datagrams taken."), |v, ()| {
        Int(v.plane.datagrams)
    }),
    own(
        About::counter("datagrams-dropped", "Datagrams that got no answer."),
        |v, ()| Int(v.plane.dropped),
    ),
    own(
        About::counter("retransmissions", "Requests answered from the cache."),
        |v, ()| Int(v.plane.retransmissions),
    ),
    own(
        About::counter(
            "requests-repeated",
            "Requests of the node's own sent again.",
        ),
        |v, ()| Int(v.plane.repeated),
    ),
    own(
        About::counter(
            "requests-unanswered",
            "Requests of the node's own given up.",
        ),
        |v, ()| Int(v.plane.unanswered),
    ),
    own(
        About::counter("peer-restarts", "Restarts of peers."),
        |v, ()| Int(v.plane.peer_restarts),
    ),
    own(
        About::counter("paths-down", "Paths found down."),
        |v, ()| Int(v.plane.paths_down),
    ),
    own(
        About::counter(
            "peer-restarts-held",
            "Restarts of peers beyond three a minute, which end sessions when it is over.",
        ),
        |v, ()| Int(v.plane.restless_restarts),
    ),
    own(
        About::counter(
            "peer-not-allowed",
            "Datagrams of peers that may not send them.",
        ),
        |v, ()| Int(v.plane.not_allowed),
    ),
    own(
        About::counter("overload-refused", "Requests refused by overload control."),
        |v, ()| Int(v.plane.overload_refused),
    ),
    own(
        About::counter(
            "overload-dropped",
            "Requests that overload control left unanswered.",
        ),
        |v, ()| Int(v.plane.overload_dropped),
    ),
    own(
        About::counter(
            "sess-unidentified",
            "Calls without an authenticated subscriber that came to ordinary access points.",
        ),
        |v, ()| Int(v.node.unidentified_calls),
    ),
    own(
        About::counter("refusals-lost", "Refusals that the history never saw."),
        |v, ()| Int(v.node.refusals_lost),
    ),
    own(
        About::gauge("eval-remaining", "Evaluation left, of license time.").unit("s"),
        |v, ()| Int(v.node.evaluation.remaining_s),
    ),
    own(
        About::gauge("eval-used", "Evaluation used, of license time.").unit("s"),
        |v, ()| Int(v.node.evaluation.used_s),
    ),
    own(
        About::truth("eval-running", "1: the evaluation clock runs."),
        |v, ()| truth(v.node.evaluation.running),
    ),
    own(
        About::gauge(
            "authority-silent",
            "License time since the authority was last heard; empty: never registered.",
        )
        .unit("s"),
        |v, ()| count(v.node.authority_silent_s),
    ),
    own(About::gauge("alarms", "Alarms outstanding."), |v, ()| {
        Int(v.node.alarms.len() as u64)
    }),
    own(
        About::gauge(
            "drift",
            "Sum of the differences of all counters at the last recount; empty: none has ended yet.",
        ),
        |v, ()| count(v.node.recount.map(|recount| recount.drift)),
    ),
    own(
        About::time("recounted", "When the last recount ended; empty likewise."),
        |v, ()| seconds(v.node.recount.map(|recount| recount.at)),
    ),
    own(
        About::gauge("control-age", "Time since the control thread last worked.").unit("ms"),
        |v, ()| Int(v.process.control_age_ms),
    ),
    own(
        About::truth(
            "state-written",
            "1: state was written when last it had to be.",
        ),
        |v, ()| truth(v.process.state_written),
    ),
    own(
        About::gauge("workers", "Worker threads that there should be."),
        |v, ()| Int(v.process.workers.into()),
    ),
    own(
        About::gauge("workers-alive", "Those of them that work."),
        |v, ()| Int(v.process.workers_alive.into()),
    ),
    own(
        About::counter(
            "queue-drops",
            "Datagrams lost because a worker's queue was full.",
        ),
        |v, ()| Int(v.process.queue_drops),
    ),
    own(
        About::counter(
            "socket-drops",
            "Datagrams that the kernel lost because the socket's buffer was full; empty: it does not say.",
        ),
        |v, ()| count(v.process.socket_drops),
    ),
    own(
        About::counter("send-failures", "Answers that the socket did not take."),
        |v, ()| Int(v.process.send_failures),
    ),
    own(
        About::counter("permits-dropped", "Permits dropped unreleased; 0, always."),
        |v, ()| Int(v.process.permits_dropped),
    ),
    own(
        About::counter(
            "bulkstats-samples",
            "Samples of bulk statistics taken; these four begin anew with clear bulkstats counters, too.",
        ),
        |v, ()| Int(v.bulkstats.samples),
    ),
    own(
        About::counter(
            "bulkstats-skipped",
            "Intervals that passed without a sample.",
        ),
        |v, ()| Int(v.bulkstats.skipped),
    ),
    own(
        About::counter(
            "bulkstats-repeated",
            "Samples of intervals that had one: the clock was put back.",
        ),
        |v, ()| Int(v.bulkstats.repeated),
    ),
    own(
        About::counter(
            "bulkstats-lost",
            "Samples of one file that were taken and not written.",
        ),
        |v, ()| Int(v.bulkstats.lost),
    ),
    own(
        About::truth(
            "bulkstats-discarding",
            "1: files are dropped for want of room.",
        ),
        |v, ()| truth(v.bulkstats.discarding),
    ),
    own(
        About::truth("bulkstats-not-written", "1: samples can't be written."),
        |v, ()| truth(v.bulkstats.storage_failing),
    ),
];

impl Rows for SystemRows {
    type Row<'v> = ();
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(_: &View) -> impl Iterator<Item = ()> {
        std::iter::once(())
    }
}
