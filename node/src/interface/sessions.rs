//! The summary of sessions, from what each worker says.

use std::collections::BTreeMap;
use std::net::IpAddr;

use api::{
    ApnSessions, CauseCount, DropCount, EndCount, MessageCount, PeerSessions, PoolUse,
    ServiceSessions, SessionSummary, WorkerSessions,
};
use gtp::{v1, v2};
use licensing::{Mono, ServiceIndex};
use session_plane::config::{Apn, GtpVersion};
use session_plane::statistics::{DropReason, Ended, Statistics};
use session_plane::{PeerStatus, PoolCount, Shared};

use crate::admission::Admissions;
use crate::config::Config;

/// Peers listed at most.
const PEERS: usize = 1_000;

/// The sum over the workers, whose numbers are their places.
pub(super) fn summary(
    config: &Config,
    plane: &Shared,
    workers: &[Statistics],
    statuses: &[Vec<PeerStatus>],
) -> SessionSummary {
    let sessions = total(workers, |w| w.sessions.into());
    SessionSummary {
        sessions,
        emergency: total(workers, |w| {
            w.emergency_by_service
                .values()
                .copied()
                .map(u64::from)
                .sum()
        }),
        secondary_contexts: total(workers, |w| w.contexts.into()).saturating_sub(sessions),
        services: services(config, workers),
        kinds: super::subscribers::kinds(workers),
        apns: apns(config, workers),
        peers: peers(statuses),
        workers: (0..)
            .zip(workers)
            .map(|(worker, w)| WorkerSessions {
                worker,
                sessions: w.sessions.into(),
                datagrams: w.datagrams,
            })
            .collect(),
        clients: Vec::new(),
        pools: pools(plane.pools.counts()),
        ended: ended(workers),
        messages: messages(workers),
        causes: causes(workers),
        dropped: dropped(workers),
    }
}

/// Adds the sessions of clients.
pub(super) fn add_clients(summary: &mut SessionSummary, clients: &Admissions, now: Mono) {
    let by_service = clients.by_service();
    for row in &mut summary.services {
        row.sessions += by_service.get(&row.service).copied().unwrap_or(0);
    }
    summary.sessions += by_service.values().sum::<u64>();
    summary.emergency += clients.emergency();
    summary.clients = clients.clients(now);
    let ended = clients.totals();
    let rows = [
        ("released by its client", ended.released),
        ("closed with its client", ended.closed),
        ("its client's lease ran out", ended.expired),
    ];
    let rows = rows.into_iter().filter(|(_, sessions)| *sessions > 0);
    summary
        .ended
        .extend(rows.map(|(reason, sessions)| EndCount {
            reason: reason.to_owned(),
            sessions,
        }));
}

fn total(workers: &[Statistics], of: impl Fn(&Statistics) -> u64) -> u64 {
    workers.iter().map(of).sum()
}

fn services(config: &Config, workers: &[Statistics]) -> Vec<ServiceSessions> {
    let named = (0..).map(ServiceIndex).zip(config.catalog.services());
    let sessions = |service| {
        total(workers, |w| {
            let sessions = w.sessions_by_service.get(&service);
            sessions.copied().unwrap_or(0).into()
        })
    };
    let rows = named.map(|(service, row)| ServiceSessions {
        service,
        name: row.name.clone(),
        sessions: sessions(service),
    });
    rows.collect()
}

fn apns(config: &Config, workers: &[Statistics]) -> Vec<ApnSessions> {
    let named = config.plane.apns.iter().enumerate();
    let service = |apn: &Apn| config.catalog.services().get(apn.service.at());
    let rows = named.map(|(place, apn)| ApnSessions {
        apn: apn.name.clone(),
        service: service(apn).map_or_else(String::new, |service| service.name.clone()),
        sessions: total(workers, |w| {
            let sessions = w.sessions_by_apn.get(place);
            sessions.copied().unwrap_or(0).into()
        }),
    });
    rows.collect()
}

/// Those that have sessions of their own here.
fn peers(workers: &[Vec<PeerStatus>]) -> Vec<PeerSessions> {
    let mut peers: BTreeMap<IpAddr, u64> = BTreeMap::new();
    for peer in workers.iter().flatten() {
        *peers.entry(peer.address).or_default() += u64::from(peer.sessions);
    }
    let with_sessions = peers.into_iter().filter(|(_, sessions)| *sessions > 0);
    let rows = with_sessions.map(|(peer, sessions)| PeerSessions { peer, sessions });
    rows.take(PEERS).collect()
}

/// One row a section of the configuration, whose networks are pools of their own to the plane, one after the other.
fn pools(counts: Vec<PoolCount>) -> Vec<PoolUse> {
    let mut rows: Vec<PoolUse> = Vec::new();
    for count in counts {
        let (used, size) = (u64::from(count.used), u64::from(count.size));
        match rows.last_mut() {
            Some(row) if row.pool == count.name => {
                row.used += used;
                row.size += size;
            }
            Some(_) | None => rows.push(PoolUse {
                pool: count.name,
                used,
                size,
            }),
        }
    }
    rows
}

fn ended(workers: &[Statistics]) -> Vec<EndCount> {
    let mut counts: BTreeMap<Ended, u64> = BTreeMap::new();
    for (why, count) in workers.iter().flat_map(|w| &w.sessions_ended) {
        *counts.entry(*why).or_default() += count;
    }
    let rows = counts.into_iter().map(|(why, sessions)| EndCount {
        reason: end(why).to_owned(),
        sessions,
    });
    rows.collect()
}

fn end(why: Ended) -> &'static str {
    match why {
        Ended::Deleted => "deleted by its peer",
        Ended::Replaced => "replaced by another of its subscriber",
        Ended::NotMade => "refused or not answered by its PGW, or its hand-over did not come",
        Ended::Cleared => "cleared by an operator",
        Ended::Inactive => "emergency call without signalling for too long",
        Ended::PeerLost => "peer or PGW restarted, or path to it down",
        Ended::Stopped => "stopped with the node",
    }
}

fn messages(workers: &[Statistics]) -> Vec<MessageCount> {
    let mut counts: BTreeMap<(GtpVersion, u8), (u64, u64)> = BTreeMap::new();
    for worker in workers {
        for (version, received, sent) in [
            (GtpVersion::V1, &worker.received, &worker.sent),
            (GtpVersion::V2, &worker.received_v2, &worker.sent_v2),
        ] {
            for (kind, count) in received {
                counts.entry((version, *kind)).or_default().0 += count;
            }
            for (kind, count) in sent {
                counts.entry((version, *kind)).or_default().1 += count;
            }
        }
    }
    let rows = counts.into_iter();
    let rows = rows.map(|((version, kind), (received, sent))| MessageCount {
        message: message_name(version, kind),
        received,
        sent,
    });
    rows.collect()
}

/// Both versions have an Echo Request: the name of one of GTPv2 says so.
fn message_name(version: GtpVersion, kind: u8) -> String {
    let (of, name) = match version {
        GtpVersion::V1 => ("", v1::MessageType(kind).name()),
        GtpVersion::V2 => ("GTPv2 ", v2::MessageType(kind).name()),
    };
    match name {
        Some(name) => format!("{of}{name}"),
        None if of.is_empty() => format!("Message type {kind}"),
        None => format!("{of}message type {kind}"),
    }
}

fn causes(workers: &[Statistics]) -> Vec<CauseCount> {
    let mut counts: BTreeMap<(GtpVersion, u8), (u64, u64)> = BTreeMap::new();
    for worker in workers {
        for (version, given, heard) in [
            (GtpVersion::V1, &worker.causes, &worker.heard),
            (GtpVersion::V2, &worker.causes_v2, &worker.heard_v2),
        ] {
            for count in given {
                counts.entry((version, count.cause)).or_default().0 += count.count;
            }
            for count in heard {
                counts.entry((version, count.cause)).or_default().1 += count.count;
            }
        }
    }
    let rows = counts.into_iter();
    let rows = rows.map(|((version, cause), (answers, heard))| CauseCount {
        cause,
        name: cause_name(version, cause),
        answers,
        heard,
    });
    rows.collect()
}

/// Numbers mean other things in the other version: the name of one of GTPv2 says so.
fn cause_name(version: GtpVersion, cause: u8) -> String {
    let (of, name) = match version {
        GtpVersion::V1 => ("", v1::Cause(cause).name()),
        GtpVersion::V2 => ("GTPv2 ", v2::Cause(cause).name()),
    };
    match name {
        Some(name) => format!("{of}{name}"),
        None if of.is_empty() => format!("Cause {cause}"),
        None => format!("{of}cause {cause}"),
    }
}

fn dropped(workers: &[Statistics]) -> Vec<DropCount> {
    let mut counts: BTreeMap<DropReason, u64> = BTreeMap::new();
    for (reason, count) in workers.iter().flat_map(|w| &w.drops) {
        *counts.entry(*reason).or_default() += count;
    }
    let rows = counts.into_iter().map(|(reason, datagrams)| DropCount {
        reason: phrase(reason).to_owned(),
        datagrams,
    });
    rows.collect()
}

fn phrase(reason: DropReason) -> &'static str {
    match reason {
        DropReason::TooShort => "too short for a header",
        DropReason::TooLong => "longer than any message",
        DropReason::Length => "length field wrong",
        DropReason::NotGtp => "charging protocol",
        DropReason::Extension => "extension headers wrong",
        DropReason::NoSequence => "no sequence number",
        DropReason::UnknownMessage => "unknown message type",
        DropReason::UnexpectedMessage => "message not served",
        DropReason::UnexpectedResponse => "response to nothing",
        DropReason::MalformedResponse => "response malformed",
        DropReason::VersionNotSupported => "version not supported, from the peer",
        DropReason::Piggybacked => "piggybacked message",
        DropReason::NotAllowed => "peer not allowed",
        DropReason::Overload => "overload",
        DropReason::NoRoomToSend => "no room to send",
        DropReason::NoRoomToAsk => "no room to tell a peer that a session has ended",
    }
}

#[cfg(test)]
mod tests {
    use session_plane::statistics;

    use super::*;

    fn count(request: u8, cause: u8, count: u64) -> statistics::CauseCount {
        statistics::CauseCount {
            request,
            cause,
            count,
        }
    }

    fn worker(sessions: u32) -> Statistics {
        Statistics {
            sessions,
            contexts: sessions + 1,
            sessions_by_service: [(ServiceIndex(2), sessions)].into(),
            emergency_by_service: [(ServiceIndex(2), 1)].into(),
            sessions_by_apn: vec![sessions - 1, 1],
            received: [(16, 10), (251, 1)].into(),
            sent: [(17, 9)].into(),
            received_v2: [(1, 4), (32, 5), (250, 6)].into(),
            sent_v2: [(33, 5)].into(),
            causes: vec![count(16, 128, 9)],
            heard: vec![count(20, 128, 2)],
            causes_v2: vec![count(32, 16, 4), count(32, 73, 1), count(36, 16, 2)],
            drops: [(DropReason::TooShort, 2)].into(),
            sessions_ended: [(Ended::PeerLost, 7), (Ended::Deleted, 1)].into(),
            ..Statistics::default()
        }
    }

    fn peer(last: u8, sessions: u32) -> PeerStatus {
        PeerStatus {
            address: [10, 0, 0, last].into(),
            version: GtpVersion::V1,
            sessions,
            relayed: 1,
            ending: false,
            down: false,
            unanswered: 0,
            heard_at: None,
        }
    }

    #[test]
    fn workers_are_added_up() {
        let workers = [worker(3), worker(4), worker(5)];
        let peers = peers(&[
            vec![peer(9, 3), peer(3, 0)],
            vec![peer(9, 4)],
            vec![peer(2, 5)],
        ]);
        assert_eq!(peers.len(), 2);
        assert_eq!(
            (peers[0].peer.to_string().as_str(), peers[0].sessions),
            ("10.0.0.2", 5)
        );
        assert_eq!(peers[1].sessions, 7);
        let messages = messages(&workers);
        assert_eq!(messages[0].message, "Create PDP Context Request");
        assert_eq!((messages[0].received, messages[1].sent), (30, 27));
        assert_eq!(messages[2].message, "Message type 251");
        let names: Vec<_> = messages[3..]
            .iter()
            .map(|row| row.message.as_str())
            .collect();
        let expected = [
            "GTPv2 Echo Request",
            "GTPv2 Create Session Request",
            "GTPv2 Create Session Response",
            "GTPv2 message type 250",
        ];
        assert_eq!(names, expected);
        let causes = causes(&workers).into_iter();
        let causes: Vec<_> = causes
            .map(|row| (row.cause, row.name, row.answers, row.heard))
            .collect();
        let expected = [
            (128, "Request accepted".to_owned(), 27, 6),
            (16, "GTPv2 Request accepted".to_owned(), 18, 0),
            (73, "GTPv2 No resources available".to_owned(), 3, 0),
        ];
        assert_eq!(causes, expected);
        assert_eq!(dropped(&workers)[0].datagrams, 6);
        let ended = ended(&workers).into_iter();
        let ended: Vec<_> = ended.map(|row| (row.reason, row.sessions)).collect();
        let expected = [
            ("deleted by its peer".to_owned(), 3),
            ("peer or PGW restarted, or path to it down".to_owned(), 21),
        ];
        assert_eq!(ended, expected);
    }

    #[test]
    fn networks_of_one_section_are_one_pool() {
        let count = |name: &str, used| PoolCount {
            name: name.into(),
            size: 10,
            used,
        };
        let rows = pools(vec![count("a", 1), count("a", 2), count("b", 3)]);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].used, rows[0].size), (3, 20));
        assert_eq!((rows[1].pool.as_str(), rows[1].used), ("b", 3));
    }
}
