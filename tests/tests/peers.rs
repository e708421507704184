//! Osmocom's SGSN emulator and its hub against a node: what they print is what an operator of theirs would see.
//!
//! A run of `sgsnemu` takes up to 35 seconds, so all of them run at once, and each test looks at its own.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use api::{Request, SessionSummary};
use rustix::process::Signal;
use tests::child::Running;
use tests::node::{Configuration, Node};
use tests::sgsn::{Call, Sgsn, cause, ie};
use tests::sgsnemu::{Outcome, Sgsnemu};
use tests::subnet::Subnet;
use tests::{gtphub, wait};

const IMSI: &str = "240010123456789";
/// As many as the hub's own sockets hold at once.
const HUB_CONTEXTS: u16 = 50;
const LIMIT: Duration = Duration::from_secs(120);
/// Hosts of a case's subnet.
const GGSN: u8 = 1;
const SGSN: u8 = 2;
const OTHER_SGSN: u8 = 3;
const HUB_TO_SGSNS: u8 = 4;
const HUB_TO_GGSNS: u8 = 5;
const THIRD_SGSN: u8 = 6;

/// What all runs showed.
struct Runs {
    accepted: Result<Accepted>,
    refused: Result<Refused>,
    burst: Result<Burst>,
    hub_accepted: Result<Hub>,
    hub_refused: Result<Refused>,
}

static RUNS: LazyLock<Runs> = LazyLock::new(|| {
    thread::scope(|scope| {
        let accepted = scope.spawn(accepted);
        let direct = scope.spawn(|| refused(false));
        let burst = scope.spawn(burst);
        let hub_accepted = scope.spawn(hub_accepted);
        let hub_refused = scope.spawn(|| refused(true));
        Runs {
            accepted: joined(accepted),
            refused: joined(direct),
            burst: joined(burst),
            hub_accepted: joined(hub_accepted),
            hub_refused: joined(hub_refused),
        }
    })
});

fn joined<T>(run: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    run.join().map_err(|_| anyhow!("a run panicked"))?
}

fn of<T>(run: &'static Result<T>) -> Result<&'static T> {
    run.as_ref().map_err(|error| anyhow!("{error:#}"))
}

/// One context, made and deleted.
struct Accepted {
    outcome: Outcome,
    while_up: SessionSummary,
    after: SessionSummary,
}

/// A call above the ceiling.
struct Refused {
    outcome: Outcome,
    ceiling: Option<u32>,
    at_ceiling: u64,
}

/// 1,024 contexts at once.
struct Burst {
    outcome: Outcome,
    while_up: SessionSummary,
    after: SessionSummary,
    socket_drops: Option<u64>,
    queue_drops: u64,
}

/// Contexts through the hub.
struct Hub {
    outcome: Outcome,
    made: u8,
    /// With the endpoint that the hub announced: at the node itself, and through the hub.
    deleted: (u8, u8),
    /// Those that the hub got, with those that it chose.
    sequence_numbers: Vec<(u16, u16)>,
    after: SessionSummary,
}

fn sgsnemu(subnet: &Subnet, remote: Ipv4Addr, contexts: u16, node: &Node) -> Result<Outcome> {
    let state_dir = node.state_dir().join("sgsnemu");
    let run = Sgsnemu {
        listen: subnet.ip(SGSN),
        remote,
        contexts,
        imsi: IMSI,
        apn: "internet",
        state_dir: &state_dir,
    };
    run.run()
}

fn accepted() -> Result<Accepted> {
    let (subnet, dir) = (Subnet::take()?, tempfile::tempdir()?);
    let node = Node::start(&Configuration::new(
        subnet.gtp_c(GGSN),
        dir.path().join("state"),
    ))?;
    let (while_up, outcome) = thread::scope(|scope| {
        let run = scope.spawn(|| sgsnemu(&subnet, subnet.ip(GGSN), 1, &node));
        let while_up = with_sessions(&node, 1);
        (while_up, joined(run))
    });
    Ok(Accepted {
        outcome: outcome?,
        while_up: while_up?,
        after: with_sessions(&node, 0)?,
    })
}

/// Waits until the node has so many sessions.
fn with_sessions(node: &Node, count: u64) -> Result<SessionSummary> {
    wait::eventually("the sessions are there", LIMIT, || {
        let sessions = node.control().sessions()?;
        Ok((sessions.sessions == count).then_some(sessions))
    })
}

/// Two sessions a license, in evaluation, so that the ceiling is 2; both taken by another SGSN.
fn refused(through_hub: bool) -> Result<Refused> {
    let (subnet, dir) = (Subnet::take()?, tempfile::tempdir()?);
    // The hub passes a refusal on only if it announces endpoints.
    let hub_address = subnet.ip(HUB_TO_GGSNS);
    let padded = format!("[[peer]]\naddress = \"{hub_address}\"\nrefusal_style = \"padded\"");
    let configuration = Configuration::new(subnet.gtp_c(GGSN), dir.path().join("state"))
        .with(&padded)
        .with_sessions_per_license(2)?;
    let node = Node::start(&configuration)?;
    node.control()
        .change(&Request::SmartLicensing { enable: true })?;
    let mut other = Sgsn::new(subnet.socket(OTHER_SGSN)?, node.address())?;
    for subscriber in [1, 2] {
        let answer = other.create(&Call::new(subscriber, "internet"))?;
        ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
    }
    let _hub = through_hub.then(|| hub(&subnet, dir.path())).transpose()?;
    let remote = subnet.ip(if through_hub { HUB_TO_SGSNS } else { GGSN });
    let outcome = sgsnemu(&subnet, remote, 1, &node)?;
    let snapshot = node.control().snapshot()?;
    let ggsn = snapshot
        .services
        .iter()
        .find(|row| row.tag.name == "GGSN")
        .context("GGSN is a service")?;
    Ok(Refused {
        outcome,
        ceiling: ggsn.ceiling.map(|ceiling| ceiling.0),
        at_ceiling: ggsn.tag.refused.at_ceiling,
    })
}

fn burst() -> Result<Burst> {
    let (subnet, dir) = (Subnet::take()?, tempfile::tempdir()?);
    let node = Node::start(&Configuration::new(
        subnet.gtp_c(GGSN),
        dir.path().join("state"),
    ))?;
    let (while_up, outcome) = thread::scope(|scope| {
        let run = scope.spawn(|| sgsnemu(&subnet, subnet.ip(GGSN), 1_024, &node));
        let while_up = with_sessions(&node, 1_024);
        (while_up, joined(run))
    });
    let outcome = outcome?;
    // Those whose answer sgsnemu's socket dropped are not deleted by it.
    let left = 1_024 - outcome.addresses.len() as u64;
    let after = with_sessions(&node, left)?;
    let health = node.control().health()?;
    Ok(Burst {
        outcome,
        while_up: while_up?,
        after,
        socket_drops: health.socket_drops,
        queue_drops: health.queue_drops,
    })
}

fn hub_accepted() -> Result<Hub> {
    let (subnet, dir) = (Subnet::take()?, tempfile::tempdir()?);
    let node = Node::start(&Configuration::new(
        subnet.gtp_c(GGSN),
        dir.path().join("state"),
    ))?;
    let hub = hub(&subnet, dir.path())?;
    // The hub passes an endpoint of its own on: nobody has it here.
    let mut direct = Sgsn::new(subnet.socket(OTHER_SGSN)?, node.address())?;
    let mut through_hub = Sgsn::new(subnet.socket(THIRD_SGSN)?, subnet.gtp_c(HUB_TO_SGSNS))?;
    let made = through_hub.create(&Call::new(1, "internet"))?;
    let mapped = made.teid_of(ie::TEID_CONTROL)?;
    let without_hub = direct.delete(mapped, 5, true)?.cause()?;
    let with_hub = through_hub.delete(mapped, 5, true)?.cause()?;
    let outcome = sgsnemu(&subnet, subnet.ip(HUB_TO_SGSNS), HUB_CONTEXTS, &node)?;
    hub.signal(Signal::TERM)?;
    let hub = hub.wait(LIMIT)?;
    let sequence_numbers = hub.lines.iter().filter_map(|line| mapping(line)).collect();
    Ok(Hub {
        outcome,
        made: made.cause()?,
        deleted: (without_hub, with_hub),
        sequence_numbers,
        after: with_sessions(&node, 0)?,
    })
}

fn hub(subnet: &Subnet, dir: &Path) -> Result<Running> {
    let (to_sgsns, to_ggsns) = (subnet.ip(HUB_TO_SGSNS), subnet.ip(HUB_TO_GGSNS));
    gtphub::start(to_sgsns, to_ggsns, subnet.ip(GGSN), &dir.join("hub"))
}

/// Of a line in which the hub says which sequence number it chose for another: `... sequence map 1026 --> 27954`.
fn mapping(line: &str) -> Option<(u16, u16)> {
    let (_, numbers) = line.split_once("sequence map ")?;
    let (sent, chosen) = numbers.split_once(" --> ")?;
    Some((sent.parse().ok()?, chosen.trim().parse().ok()?))
}

/// (received, sent) of a message.
fn messages(summary: &SessionSummary, message: &str) -> (u64, u64) {
    let count = summary
        .messages
        .iter()
        .find(|count| count.message == message);
    count.map_or((0, 0), |count| (count.received, count.sent))
}

/// Answers with a cause.
fn answers(summary: &SessionSummary, cause: u8) -> u64 {
    let count = summary.causes.iter().find(|count| count.cause == cause);
    count.map_or(0, |count| count.answers)
}

#[test]
fn sgsnemu_makes_a_context_and_deletes_it() -> Result<()> {
    let run = of(&RUNS.accepted)?;
    let log = run.outcome.ended.log();
    assert_eq!(run.outcome.ended.status.code(), Some(0), "{log}");
    assert_eq!(run.outcome.refusals, Vec::<i16>::new(), "{log}");
    assert_eq!(run.outcome.addresses.len(), 1, "{log}");
    assert_eq!(
        run.outcome.addresses[0].octets()[..2],
        [10, 0],
        "from the pool: {log}"
    );
    assert_eq!(run.outcome.deletions, [i16::from(cause::ACCEPTED)], "{log}");
    assert_eq!(
        run.outcome.ended.count("Received echo response"),
        1,
        "{log}"
    );
    assert_eq!(run.while_up.sessions, 1);
    assert_eq!(run.after.sessions, 0);
    assert_eq!(
        run.after.pools.iter().map(|pool| pool.used).sum::<u64>(),
        0,
        "{:?}",
        run.after.pools
    );
    Ok(())
}

#[test]
fn sgsnemu_is_refused_above_the_ceiling_with_cause_199() -> Result<()> {
    assert_refused(of(&RUNS.refused)?)
}

#[test]
fn sgsnemu_is_refused_above_the_ceiling_with_cause_199_through_a_hub() -> Result<()> {
    assert_refused(of(&RUNS.hub_refused)?)
}

fn assert_refused(run: &Refused) -> Result<()> {
    let log = run.outcome.ended.log();
    assert_eq!(run.ceiling, Some(2));
    assert_eq!(
        run.outcome.refusals,
        [i16::from(cause::NO_RESOURCES)],
        "{log}"
    );
    assert_eq!(run.outcome.addresses, Vec::<Ipv4Addr>::new(), "{log}");
    assert_eq!(run.outcome.ended.status.code(), Some(1), "{log}");
    assert_eq!(run.at_ceiling, 1);
    Ok(())
}

/// sgsnemu's own socket may drop some of the answers, so what counts is what the node received, held and sent.
#[test]
fn a_burst_of_1024_contexts_is_answered_whole() -> Result<()> {
    let run = of(&RUNS.burst)?;
    assert_eq!(run.while_up.sessions, 1_024);
    let (requests, _) = messages(&run.while_up, "Create PDP Context Request");
    let (_, responses) = messages(&run.while_up, "Create PDP Context Response");
    assert!(requests >= 1_024, "{requests} requests");
    assert_eq!(responses, requests, "every request was answered");
    assert_eq!(
        answers(&run.while_up, cause::ACCEPTED),
        1_024,
        "one answer a context, retransmissions apart"
    );
    assert_eq!(
        (run.queue_drops, run.socket_drops.unwrap_or(0)),
        (0, 0),
        "nothing was lost on the way in"
    );
    let heard = run.outcome.addresses.len() as u64;
    assert_eq!(
        run.after.sessions,
        1_024 - heard,
        "{} deletions",
        run.outcome.deletions.len()
    );
    assert!(heard > 0, "{}", run.outcome.ended.log());
    Ok(())
}

#[test]
fn a_hub_that_rewrites_teids_and_sequence_numbers_is_served() -> Result<()> {
    let run = of(&RUNS.hub_accepted)?;
    let log = run.outcome.ended.log();
    let contexts = usize::from(HUB_CONTEXTS);
    let addresses: BTreeSet<_> = run.outcome.addresses.iter().collect();
    assert_eq!(
        (addresses.len(), run.outcome.addresses.len()),
        (contexts, contexts),
        "{log}"
    );
    assert_eq!(
        run.outcome.deletions,
        vec![i16::from(cause::ACCEPTED); contexts],
        "{log}"
    );
    assert_eq!(run.after.sessions, 0);
    assert_eq!(run.made, cause::ACCEPTED);
    assert_eq!(
        run.deleted,
        (cause::NON_EXISTENT, cause::ACCEPTED),
        "the hub maps endpoints"
    );
    // Each creation at least.
    assert!(
        run.sequence_numbers.len() > contexts,
        "{:?}",
        run.sequence_numbers
    );
    assert!(
        run.sequence_numbers
            .iter()
            .all(|(sent, chosen)| sent != chosen),
        "{:?}",
        run.sequence_numbers
    );
    Ok(())
}
