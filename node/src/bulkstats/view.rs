//! The node at one instant, as the variables of [`bulkstats`] are functions of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::{AgentStatus, CallHomeRow, Health, RegistrationState};
use bulkstats::view::{Agent, AgentMessages, Apn, Causes, Ended, Messages, Plane, Process, View};
use gtp::{v1, v2};
use licensing::ServiceIndex;
use session_plane::statistics::Ended as How;
use session_plane::statistics::{CauseCount, DropReason, Statistics};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::admission::Admissions;
use crate::config::Config;
use crate::interface::Interface;
use crate::receiver::Job;

/// Longest wait for the answers of all workers.
const WORKERS_ANSWER: Duration = Duration::from_secs(2);

impl Interface {
    /// The node now. Of a control thread that does not work there is the last snapshot, of a worker that does not answer
    /// within 2 s what it counted last: nothing that is counted ever falls.
    pub(crate) async fn view(&self) -> View {
        let workers = self.workers_statistics().await;
        // The agent first: what it told is in a snapshot that is taken later.
        let agent = agent(&self.agent.status());
        let (node, _, _) = self.now().await;
        let health = self.health();
        let mut plane = plane(&self.config, self.plane.restarts.busy(), &workers);
        add_clients(&mut plane, &self.admissions.lock());
        View {
            uptime_s: health.uptime_ms / 1_000,
            address: self.config.snmp.listen.map(|at| at.ip()),
            zone: super::zone::local(self.clock.now().wall),
            node: Arc::from(node),
            process: process(&health),
            plane,
            agent,
            bulkstats: self.bulkstats.shown.load(),
        }
    }

    /// Of each worker, in their order. One asks at a time, so that no older answer comes after a newer one.
    pub(crate) async fn workers_statistics(&self) -> Vec<Arc<Statistics>> {
        let mut counted = self.counted.lock().await;
        let until = Instant::now() + WORKERS_ANSWER;
        let asked = self.queues.iter().map(|queue| {
            let (reply, answer) = oneshot::channel();
            queue.try_send(Job::Statistics(reply)).ok().map(|()| answer)
        });
        let asked: Vec<_> = asked.collect();
        for (worker, answer) in asked.into_iter().enumerate() {
            let Some(answer) = answer else { continue };
            if let Ok(Ok(told)) = timeout_at(until, answer).await {
                counted[worker] = Arc::new(told);
            }
        }
        counted.clone()
    }
}

fn process(health: &Health) -> Process {
    let alive = health.workers.iter().filter(|worker| worker.alive).count();
    Process {
        control_age_ms: health.control_age_ms,
        state_written: health.state_written,
        workers: u32::try_from(health.workers.len()).unwrap_or(u32::MAX),
        workers_alive: u32::try_from(alive).unwrap_or(u32::MAX),
        queue_drops: health.queue_drops,
        socket_drops: health.socket_drops,
        send_failures: health.send_failures,
        permits_dropped: health.permits_dropped,
    }
}

fn plane(config: &Config, peers: u32, workers: &[Arc<Statistics>]) -> Plane {
    let sum = |of: fn(&Statistics) -> u64| workers.iter().map(|worker| of(worker)).sum();
    let sessions: u64 = sum(|w| w.sessions.into());
    let contexts: u64 = sum(|w| w.contexts.into());
    Plane {
        sessions,
        secondary_contexts: contexts.saturating_sub(sessions),
        peers: peers.into(),
        created: sum(|w| w.sessions_created),
        ended: ended(workers),
        refused: sum(|w| w.refused),
        refused_subscribers: sum(|w| w.refused_subscribers),
        datagrams: sum(|w| w.datagrams),
        dropped: sum(|w| w.drops.values().sum()),
        retransmissions: sum(|w| w.retransmissions),
        repeated: sum(|w| w.requests_repeated),
        unanswered: sum(|w| w.requests_unanswered),
        peer_restarts: sum(|w| w.peer_restarts),
        paths_down: sum(|w| w.paths_down),
        not_allowed: sum(|w| of(w, DropReason::NotAllowed)),
        overload_refused: sum(|w| w.overload_refused),
        overload_dropped: sum(|w| of(w, DropReason::Overload)),
        restless_restarts: sum(|w| w.restless_restarts),
        emergency: emergency(config, workers),
        apns: apns(config, workers),
        messages: messages(workers),
        causes: causes(workers),
    }
}

/// How many datagrams a worker dropped for this reason.
fn of(worker: &Statistics, reason: DropReason) -> u64 {
    worker.drops.get(&reason).copied().unwrap_or(0)
}

fn ended(workers: &[Arc<Statistics>]) -> Ended {
    let of = |how: How| {
        let counts = workers.iter().map(|worker| worker.sessions_ended.get(&how));
        counts.map(|count| count.copied().unwrap_or(0)).sum()
    };
    Ended {
        deleted: of(How::Deleted),
        replaced: of(How::Replaced),
        cleared: of(How::Cleared),
        inactive: of(How::Inactive),
        not_made: of(How::NotMade),
        peer_lost: of(How::PeerLost),
        stopped: of(How::Stopped),
    }
}

fn emergency(config: &Config, workers: &[Arc<Statistics>]) -> Vec<u64> {
    let services = (0..).map(ServiceIndex).zip(config.catalog.services());
    let of = |service: ServiceIndex| {
        let counts = workers
            .iter()
            .map(|worker| worker.emergency_by_service.get(&service));
        counts
            .map(|count| u64::from(count.copied().unwrap_or(0)))
            .sum()
    };
    services.map(|(service, _)| of(service)).collect()
}

fn apns(config: &Config, workers: &[Arc<Statistics>]) -> Vec<Apn> {
    let services = config.catalog.services();
    let rows = config.plane.apns.iter().enumerate().map(|(place, apn)| {
        let service = services.get(apn.service.at());
        let sessions = workers
            .iter()
            .map(|worker| worker.sessions_by_apn.get(place));
        let mut row = Apn {
            name: apn.name.clone(),
            service: service.map_or_else(String::new, |service| service.name.clone()),
            sessions: sessions.map(|n| u64::from(n.copied().unwrap_or(0))).sum(),
            refused: licensing::snapshot::RefusedCounts::default(),
        };
        for more in workers
            .iter()
            .filter_map(|worker| worker.refused_by_apn.get(place))
        {
            row.refused.blocked += more.blocked;
            row.refused.at_ceiling += more.at_ceiling;
            row.refused.low_priority += more.low_priority;
            row.refused.unsettled += more.unsettled;
            row.refused.by_feature += more.by_feature;
            row.refused.subscribers += more.subscribers;
        }
        row
    });
    rows.collect()
}

fn messages(workers: &[Arc<Statistics>]) -> Vec<Messages> {
    let mut counts: BTreeMap<(u8, u8), (u64, u64)> = BTreeMap::new();
    for worker in workers {
        for (version, received, sent) in [
            (1, &worker.received, &worker.sent),
            (2, &worker.received_v2, &worker.sent_v2),
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
    let rows = rows.map(|((version, kind), (received, sent))| Messages {
        version,
        kind,
        name: name(version, kind),
        received,
        sent,
    });
    rows.collect()
}

fn causes(workers: &[Arc<Statistics>]) -> Vec<Causes> {
    let mut counts: BTreeMap<(u8, u8, u8), (u64, u64)> = BTreeMap::new();
    let mut count = |version, rows: &[CauseCount], heard: bool| {
        for row in rows {
            let cell = counts.entry((version, row.request, row.cause)).or_default();
            *(if heard { &mut cell.1 } else { &mut cell.0 }) += row.count;
        }
    };
    for worker in workers {
        count(1, &worker.causes, false);
        count(1, &worker.heard, true);
        count(2, &worker.causes_v2, false);
        count(2, &worker.heard_v2, true);
    }
    let rows = counts.into_iter();
    let rows = rows.map(|((version, request, cause), (answered, heard))| Causes {
        version,
        request,
        name: name(version, request),
        cause,
        answered,
        heard,
    });
    rows.collect()
}

fn name(version: u8, kind: u8) -> Option<&'static str> {
    match version {
        1 => v1::MessageType(kind).name(),
        _ => v2::MessageType(kind).name(),
    }
}

/// Adds the sessions of clients of the admission API. Who its subscribers are a client does not say: each refusal is of another.
fn add_clients(plane: &mut Plane, clients: &Admissions) {
    plane.sessions += clients.by_service().values().sum::<u64>();
    let totals = clients.totals();
    plane.created += totals.made;
    plane.refused += totals.refused;
    plane.refused_subscribers += totals.refused;
    plane.ended.deleted += totals.released + totals.closed;
    plane.ended.peer_lost += totals.expired;
    for (service, sessions) in clients.emergency_by_service() {
        if let Some(row) = plane.emergency.get_mut(service.at()) {
            *row += sessions;
        }
    }
}

fn agent(status: &AgentStatus) -> Agent {
    let registered = status.registered.as_ref();
    let all = |of: fn(&CallHomeRow) -> u64| status.call_home.iter().map(of).sum();
    Agent {
        registration: registration(status.registration),
        virtual_account: registered.map(|of| of.virtual_account.clone()),
        registered: registered.map(|of| of.since),
        renew: registered.map(|of| of.renew_at),
        expires: registered.map(|of| of.expires),
        deadline: status.communication_deadline,
        silent_since: status.silence.as_ref().map(|silence| silence.since),
        last_report: status.last_report,
        reports_waiting: status.reports_waiting,
        forked: status.forked,
        orders_serial: status.orders.serial,
        orders_refused: status.orders.refused,
        stale_answers: status.stale_answers,
        roots: status.trust_pool.len() as u64,
        messages: AgentMessages {
            success: all(|row| row.success),
            failed: all(|row| row.failed),
            queued: all(|row| row.in_queue),
            dropped: all(|row| row.dropped),
            last: status
                .call_home
                .iter()
                .filter_map(|row| row.last_sent)
                .max(),
        },
    }
}

fn registration(state: RegistrationState) -> &'static str {
    match state {
        RegistrationState::Unregistered => "unregistered",
        RegistrationState::Registering => "registering",
        RegistrationState::Registered => "registered",
        RegistrationState::OutOfRange => "out-of-range",
        RegistrationState::Deregistering => "deregistering",
    }
}

#[cfg(test)]
mod tests {
    use api::{BatchOperation, CallClass, CallKind, ClientRequest};
    use enforcer::{Gate, GateConfig, RefusalRing, Terms};
    use licensing::{Catalog, Now};

    use super::*;

    const LEASE_MS: u64 = 2_000;

    /// What clients have made and were refused is among what GTP has, so that sessions are those made less those ended.
    //= L15
    #[test]
    fn clients_are_counted_with_the_calls_of_gtp() {
        let catalog = Arc::new(Catalog::staros());
        let services = u8::try_from(catalog.services().len()).unwrap();
        let gate = Gate::new(GateConfig::new(services, 1)).unwrap();
        let mme = catalog.service_named("MME").unwrap();
        let ceiling = Some(10);
        gate.set_terms(
            mme,
            Terms {
                ceiling,
                ..Terms::default()
            },
        );
        let ring = Arc::new(RefusalRing::new(100));
        let (seat, every) = (gate.worker().unwrap(), Duration::from_secs(1));
        let mut clients = Admissions::new(seat, catalog, ring, 100, every);
        let mut lease = 0;
        let mut ask = |request: ClientRequest, ms: u64| {
            let mono = licensing::Mono(ms * 1_000_000);
            let now = Now {
                mono,
                ..Now::default()
            };
            let answer = clients.handle(request, now).unwrap();
            lease = answer.lease;
            let mut plane = Plane {
                sessions: 100,
                created: 150,
                ended: Ended {
                    deleted: 30,
                    peer_lost: 20,
                    ..Ended::default()
                },
                refused: 7,
                refused_subscribers: 5,
                ..Plane::default()
            };
            add_clients(&mut plane, &clients);
            let ended = plane.ended;
            assert_eq!(
                plane.sessions + ended.deleted + ended.peer_lost,
                plane.created
            );
            (lease, plane)
        };
        let open = |name: &str, instance| ClientRequest::Open {
            name: name.into(),
            instance,
            lease_ms: LEASE_MS,
            classes: vec![CallClass {
                service: "MME".into(),
                features: Vec::new(),
                kind: CallKind::Ordinary,
            }],
        };
        let batch = |lease, sequence, operation, calls| ClientRequest::Batch {
            lease,
            sequence,
            operation,
            class: 0,
            calls,
        };
        let (first, _) = ask(open("mme1", 1), 0);
        ask(batch(first, 1, BatchOperation::Restore, 2), 10);
        let (_, plane) = ask(batch(first, 2, BatchOperation::Admit, 12), 10);
        assert_eq!((plane.sessions, plane.created), (110, 160));
        assert_eq!((plane.refused, plane.refused_subscribers), (11, 9));
        // Once more is once.
        let (_, again) = ask(batch(first, 2, BatchOperation::Admit, 12), 20);
        assert_eq!((again.refused, again.created), (11, 160));
        let (_, plane) = ask(batch(first, 3, BatchOperation::Release, 3), 30);
        assert_eq!((plane.sessions, plane.ended.deleted), (107, 33));
        // The first one's lease is over, and what it was answered stays counted.
        let (_, plane) = ask(open("mme2", 1), LEASE_MS + 100);
        assert_eq!((plane.sessions, plane.ended.peer_lost), (100, 27));
        assert_eq!((plane.refused, plane.created), (11, 160));
    }
}
