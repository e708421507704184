//! Peers that may not ask, and a peer that asks ten times as much as it may, over UDP.
#![forbid(unsafe_code)]

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Result, ensure};
use api::SessionSummary;
use tests::gateway::Site;
use tests::node::Node;
use tests::sgsn::{Call, Message, cause, ie, kind};
use tests::wait;

const STRANGER: u8 = 9;
const SGSN: u8 = 2;
const LIMIT: Duration = Duration::from_secs(120);
/// Calls of the flood, of which one a second may pass at each of two workers.
const FLOOD: u32 = 1_000;

fn dropped(sessions: &SessionSummary, reason: &str) -> u64 {
    let rows = sessions.dropped.iter();
    let of_reason = rows.filter(|row| row.reason == reason);
    of_reason.map(|row| row.datagrams).sum()
}

/// Waits until so many datagrams have been taken; what there is then.
fn taken(node: &Node, datagrams: u64) -> Result<SessionSummary> {
    wait::eventually("the datagrams are taken", LIMIT, || {
        let sessions = node.control().sessions()?;
        let taken: u64 = sessions.workers.iter().map(|row| row.datagrams).sum();
        Ok((taken >= datagrams).then_some(sessions))
    })
}

//= TS 33.117 4.2.6.2.3
//= TS 33.117 4.2.6.2.1
//= TS 33.117 4.2.6.2.3
#[test]
fn a_peer_that_is_not_allowed_hears_nothing() -> Result<()> {
    let site = Site::new()?;
    let sgsn = site.subnet().ip(SGSN);
    let list = format!("[[allow]]\nservice = \"GGSN\"\ngn = [\"{sgsn}\"]");
    let configuration = site.configuration().with(&list);
    let stranger = site.subnet().socket(STRANGER)?;
    let stranger_ip = site.subnet().ip(STRANGER);
    let mut gateway = site.open(&configuration)?;
    let node_address = gateway.node()?.address();
    let echo = Message::new(kind::ECHO_REQUEST, 0, 7);
    let call = Call::new(1, "internet").request(8, stranger_ip);
    let teid = gateway.accepted(&Call::new(2, "internet"))?;
    let delete = Message::new(kind::DELETE_REQUEST, teid, 9)
        .tv(ie::TEARDOWN, &[0xff])
        .tv(ie::NSAPI, &[5]);
    for message in [&echo, &call, &delete] {
        stranger.send_to(&message.bytes(), node_address)?;
    }
    let sessions = taken(gateway.node()?, 4)?;
    assert_eq!(dropped(&sessions, "peer not allowed"), 3);
    assert_eq!(sessions.sessions, 1);
    gateway.delete(teid, 5)?;
    stranger.set_nonblocking(true)?;
    let heard = stranger.recv(&mut [0; 64]);
    assert_eq!(
        heard.map_err(|error| error.kind()),
        Err(ErrorKind::WouldBlock)
    );
    Ok(())
}

/// In the order of arrival: the flood first, then those that are served all the same.
//= TS 33.117 4.2.3.3.3
//= I3
//= TS 33.117 4.2.3.3.3
#[test]
fn in_a_flood_emergency_calls_and_deletions_are_served_and_the_counts_agree() -> Result<()> {
    let site = Site::new()?;
    let limit = "[overload]\npeer_requests_per_s = 2";
    let configuration = site.configuration().with(limit);
    let flooding = UdpSocket::bind((site.subnet().ip(SGSN), 0))?;
    let mut gateway = site.open(&configuration)?;
    let teid = gateway.accepted(&Call::new(1, "internet"))?;
    let ip = gateway.sgsn.ip()?;
    let mut sent = 1;
    for n in 0..FLOOD {
        let call = Call::new(1_000 + n, "internet").request(n as u16, ip);
        flooding.send_to(&call.bytes(), gateway.node()?.address())?;
        sent += 1;
        if sent % 500 == 0 {
            // No more at once than the system holds for the node.
            taken(gateway.node()?, sent)?;
        }
    }
    for n in 0..30 {
        gateway.accepted(&Call::new(10_000 + n, "sos"))?;
    }
    gateway.delete(teid, 5)?;
    let sessions = taken(gateway.node()?, sent + 31)?;
    let accepted = accepted_among(&flooding)?;
    ensure!(
        accepted < u64::from(FLOOD) / 2,
        "{accepted} of {FLOOD} passed"
    );
    ensure!(dropped(&sessions, "overload") > 0, "{:?}", sessions.dropped);
    assert_eq!(sessions.sessions, accepted + 30);
    let drift = wait::eventually("a recount has all of them", LIMIT, || {
        let recount = gateway.snapshot()?.recount;
        let recount = recount.filter(|recount| recount.sessions == sessions.sessions);
        Ok(recount.map(|recount| recount.drift))
    })?;
    assert_eq!(drift, 0);
    Ok(())
}

/// Of the answers that a flood got: all of them are there before the last one that was waited for.
fn accepted_among(flooding: &UdpSocket) -> Result<u64> {
    flooding.set_nonblocking(true)?;
    let mut accepted = 0;
    let mut octets = [0; 512];
    loop {
        match flooding.recv(&mut octets) {
            Ok(_) => accepted += u64::from(octets[12..14] == [ie::CAUSE, cause::ACCEPTED]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(accepted),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
