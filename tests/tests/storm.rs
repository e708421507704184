//! Storms of calls from two peers that fight for the same subscribers, over paths that lose and repeat datagrams: every
//! count agrees afterwards.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use api::{Request, SessionSummary};
use licensing::snapshot::{ServiceStatus, Snapshot};
use load::{ApnShare, HoldTime, Plan, Report};
use tests::capture::Capture;
use tests::gateway::Site;
use tests::node::{Configuration, Node};
use tests::relay::{Noise, Relay};
use tests::subnet::GTP_C;
use tests::wait;

/// Sessions a license, and so the ceiling in evaluation.
const CEILING: u32 = 150;
/// From one recount to the end of the next.
const RECOUNT: Duration = Duration::from_secs(120);

/// Four seconds of 400 calls a second, held for half a second on average, updated on the way.
fn plan(peer: std::net::Ipv4Addr, local: std::net::Ipv4Addr, seed: u64) -> Plan {
    Plan {
        peer: (peer, GTP_C).into(),
        local: local.into(),
        calls_per_s: 400.0,
        duration: Some(Duration::from_secs(4)),
        hold: HoldTime::Exponential(Duration::from_millis(500)),
        update_every: Some(Duration::from_millis(400)),
        apns: vec![
            ApnShare {
                apn: "internet".to_owned(),
                weight: 8,
            },
            ApnShare {
                apn: "blue-light".to_owned(),
                weight: 1,
            },
            ApnShare {
                apn: "sos".to_owned(),
                weight: 1,
            },
        ],
        subscribers: 500,
        t3_response: Duration::from_millis(500),
        n3_requests: 20,
        seed,
        ..Plan::default()
    }
}

/// Two peers at once; the reports of both.
fn storm(site: &Site, node: &Node, leave_up: bool) -> Result<Vec<Report>> {
    let capture = Arc::new(Capture::create(site.dir().join("storm.pcap"))?);
    let runs = [(20, 21, 1), (30, 31, 2)];
    let relays = runs.map(|(front, ..)| {
        let noise = Noise {
            repeat: 5,
            lose: 11,
        };
        Relay::start_noisy(
            site.subnet().socket(front)?,
            node.address(),
            Arc::clone(&capture),
            noise,
        )
    });
    let reports = thread::scope(|scope| {
        let threads = runs.map(|(front, local, seed)| {
            let plan = plan(site.subnet().ip(front), site.subnet().ip(local), seed);
            scope.spawn(move || load::run(Plan { leave_up, ..plan }, || false, |_| ()))
        });
        threads.map(|thread| thread.join().map_err(|_| anyhow!("a run panicked")))
    });
    for relay in relays {
        relay?.finish()?;
    }
    reports.into_iter().map(|report| Ok(report??)).collect()
}

/// What a node says once a recount that began after now has ended.
fn proved(node: &Node) -> Result<(Snapshot, SessionSummary)> {
    let began = node.control().snapshot()?.at.wall;
    // The pass under way now may have begun before.
    for _ in 0..2 {
        let last = node.control().snapshot()?.recount.map(|recount| recount.at);
        wait::until("a recount has ended", RECOUNT, || {
            Ok(
                node.control().snapshot()?.recount.map(|recount| recount.at)
                    > last.max(Some(began)),
            )
        })?;
    }
    Ok((node.control().snapshot()?, node.control().sessions()?))
}

fn ggsn(snapshot: &Snapshot) -> Result<&ServiceStatus> {
    snapshot
        .services
        .iter()
        .find(|row| row.tag.name == "GGSN")
        .context("GGSN is a service")
}

/// Retransmissions, repetitions, collisions, refusals and deletions in any order, and nothing is counted twice or lost.
//= L13
//= L14
//= L6
#[test]
fn every_count_agrees_after_a_storm_at_a_socket_of_each_worker() -> Result<()> {
    agree_after_a_storm(3, "steered")
}

//= L13
//= L14
//= L6
#[test]
fn every_count_agrees_after_a_storm_at_one_socket() -> Result<()> {
    agree_after_a_storm(2, "one")
}

fn agree_after_a_storm(workers: u16, gtp_sockets: &'static str) -> Result<()> {
    let site = Site::new()?;
    let configuration = Configuration {
        workers,
        gtp_sockets: Some(gtp_sockets),
        ..site.configuration()
    };
    let configuration = configuration.with_sessions_per_license(CEILING)?;
    let node = Node::start(&configuration)?;
    node.control()
        .change(&Request::SmartLicensing { enable: true })?;
    let reports = storm(&site, &node, false)?;
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let told: String = reports.iter().map(|report| format!("{report}\n")).collect();
    assert!(
        sum(|report| report.create.retransmitted) > 100,
        "the path was bad: {told}"
    );
    assert!(
        sum(|report| report.create.refused) > 0,
        "the ceiling was reached: {told}"
    );
    assert_eq!(
        sum(|report| report.create.lost + report.delete.lost),
        0,
        "{told}"
    );

    let (snapshot, sessions) = proved(&node)?;
    let row = ggsn(&snapshot)?;
    assert_eq!(
        (sessions.sessions, sessions.emergency, row.sessions.0),
        (0, 0, 0),
        "{told}"
    );
    assert!(
        sessions.pools.iter().all(|pool| pool.used == 0),
        "{:?}",
        sessions.pools
    );
    assert_eq!(
        snapshot
            .recount
            .map(|recount| (recount.sessions, recount.drift)),
        Some((0, 0))
    );
    assert!(snapshot.rows().all(|row| row.tag().drift.unwrap_or(0) == 0));
    // Each refused request was refused once, however often it came; no ordinary call went over the ceiling.
    assert_eq!(
        row.tag.refused.at_ceiling,
        sum(|report| report.create.refused),
        "{told}"
    );
    let share = CEILING * 5 / 100;
    let peak = row.tag.evaluation.max_call_count;
    assert!((CEILING..=CEILING + share).contains(&peak), "{peak}");
    assert_eq!(node.control().health()?.permits_dropped, 0);
    Ok(())
}

/// The same with calls left up: the gate's count, the table's and the recount's are one.
//= L14
#[test]
fn every_count_agrees_while_calls_are_up() -> Result<()> {
    let site = Site::new()?;
    let node = Node::start(&site.configuration())?;
    let reports = storm(&site, &node, true)?;
    let (snapshot, sessions) = proved(&node)?;
    let row = ggsn(&snapshot)?;
    assert!(sessions.sessions > 0, "{reports:?}");
    assert_eq!(
        u64::from(row.sessions.0) + snapshot.emergency.sessions,
        sessions.sessions
    );
    assert_eq!(snapshot.emergency.sessions, sessions.emergency);
    assert_eq!(
        snapshot
            .recount
            .map(|recount| (recount.sessions, recount.drift)),
        Some((sessions.sessions, 0))
    );
    assert_eq!(
        sessions
            .workers
            .iter()
            .map(|worker| worker.sessions)
            .sum::<u64>(),
        sessions.sessions
    );
    assert_eq!(
        sessions.pools.iter().map(|pool| pool.used).sum::<u64>(),
        sessions.sessions
    );
    Ok(())
}
