//! A thousand peers on real sockets, each with a session: asked for an Echo, restarted, silent.
#![forbid(unsafe_code)]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{PeerState, SessionSummary};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::gateway::Site;
use tests::node::Node;
use tests::sgsn::{Call, Message, Received, cause, ie, kind};
use tests::wait::{eventually, until};

const PEERS: u16 = 1_000;
/// A node does in far less what is waited for; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// One peer: its own address and socket.
struct Peer {
    address: Ipv4Addr,
    socket: UdpSocket,
    counter: u8,
    silent: bool,
    accepted: u32,
    echoes: u32,
}

/// All of them, at one port.
struct Peers {
    ggsn: SocketAddr,
    peers: Vec<Peer>,
}

impl Peers {
    /// On addresses 127.78.0.0/16, at a port that was free.
    fn open(ggsn: SocketAddr) -> Result<Self> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                ..limit
            },
        )?;
        let mut port = 0;
        let peers = (0..PEERS).map(|number| {
            let [high, low] = number.to_be_bytes();
            let address = Ipv4Addr::new(127, 78, high + 1, low);
            let socket = UdpSocket::bind((address, port));
            let socket = socket.with_context(|| format!("bind {address}:{port}"))?;
            port = socket.local_addr()?.port();
            socket.set_nonblocking(true)?;
            Ok(Peer {
                address,
                socket,
                counter: 7,
                silent: false,
                accepted: 0,
                echoes: 0,
            })
        });
        let peers = peers.collect::<Result<_>>()?;
        Ok(Self { ggsn, peers })
    }

    fn port(&self) -> Result<u16> {
        Ok(self.peers[0].socket.local_addr()?.port())
    }

    /// Calls of these peers, which all are accepted; a subscriber each.
    fn call(&mut self, which: std::ops::Range<usize>, first_subscriber: u32) -> Result<()> {
        let before = self.accepted();
        let calls = which.len() as u32;
        for (subscriber, peer) in (first_subscriber..).zip(&self.peers[which]) {
            let call = Call {
                recovery: Some(peer.counter),
                ..Call::new(subscriber, "internet")
            };
            let request = call.request(1, peer.address).bytes();
            peer.socket.send_to(&request, self.ggsn)?;
        }
        until("every call is accepted", LIMIT, || {
            self.answer()?;
            Ok(self.accepted() - before == calls)
        })
    }

    fn accepted(&self) -> u32 {
        self.peers.iter().map(|peer| peer.accepted).sum()
    }

    /// Takes what has come, and answers each Echo Request.
    fn answer(&mut self) -> Result<()> {
        let mut buffer = [0; 2048];
        for peer in &mut self.peers {
            loop {
                let length = match peer.socket.recv(&mut buffer) {
                    Ok(length) => length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                let came = Received::read(&buffer[..length])?;
                if came.kind == kind::CREATE_RESPONSE {
                    ensure!(came.cause()? == cause::ACCEPTED, "{came:?}");
                    peer.accepted += 1;
                    continue;
                }
                ensure!(came.kind == kind::ECHO_REQUEST, "{came:?}");
                peer.echoes += 1;
                if !peer.silent {
                    let sequence = came.seq.context("an Echo Request has a number")?;
                    let answer = Message::new(kind::ECHO_RESPONSE, 0, sequence);
                    let answer = answer.tv(ie::RECOVERY, &[peer.counter]);
                    peer.socket.send_to(&answer.bytes(), self.ggsn)?;
                }
            }
        }
        Ok(())
    }

    /// Answers until the node has so many sessions.
    fn until_sessions(&mut self, node: &Node, count: u64) -> Result<SessionSummary> {
        eventually("so many sessions are left", LIMIT, || {
            self.answer()?;
            let sessions = node.control().sessions()?;
            ensure!(sessions.sessions >= count, "{}", sessions.sessions);
            Ok((sessions.sessions == count).then_some(sessions))
        })
    }
}

fn ended(sessions: &SessionSummary) -> u64 {
    let rows = sessions.ended.iter();
    let lost = rows.filter(|row| row.reason == "peer or PGW restarted, or path to it down");
    lost.map(|row| row.sessions).sum()
}

//= L13 L14
#[test]
fn a_thousand_peers_are_asked_and_their_restarts_end_what_was_theirs_and_nothing_else() -> Result<()>
{
    let site = Site::new()?;
    let mut configuration = site.configuration().with("[lab]\nspeedup = 1");
    let mut peers = Peers::open(configuration.listen)?;
    configuration.gn = format!(
        "echo_interval_s = 4\nt3_response_s = 5\nn3_requests = 3\nrecount_interval_s = 1\necho_port = {}",
        peers.port()?
    );
    let node = Node::start(&configuration)?;
    peers.call(0..1_000, 0)?;
    let list = node.control().peers(10_000)?;
    assert_eq!((list.total, list.down, list.ending), (1_000, 0, 0));
    assert!(list.peers.iter().all(|row| row.sessions == 1));

    until("every peer has answered an Echo", LIMIT, || {
        peers.answer()?;
        let list = node.control().peers(10_000)?;
        Ok(list.peers.iter().all(|row| row.echo_age_ms.is_some()))
    })?;
    assert!(peers.peers.iter().all(|peer| peer.echoes > 0));
    let list = node.control().peers(10_000)?;
    let up = |row: &&api::PeerRow| (row.state, row.restart_counter) == (PeerState::Up, Some(7));
    assert_eq!(list.peers.iter().filter(up).count(), 1_000);
    assert_eq!(node.control().sessions()?.sessions, 1_000);

    // A hundred restart, which their next answers tell.
    peers.peers[..100]
        .iter_mut()
        .for_each(|peer| peer.counter = 8);
    let sessions = peers.until_sessions(&node, 900)?;
    assert_eq!(ended(&sessions), 100);
    peers.call(0..100, 10_000)?;
    let list = node.control().peers(10_000)?;
    let restarted = list.peers.iter().filter(|row| row.restarts == 1).count();
    assert_eq!((list.total, restarted), (1_000, 100));

    // A hundred others fall silent.
    peers.peers[900..]
        .iter_mut()
        .for_each(|peer| peer.silent = true);
    let sessions = peers.until_sessions(&node, 900)?;
    assert_eq!(ended(&sessions), 200);
    let used: u64 = sessions.pools.iter().map(|pool| pool.used).sum();
    assert_eq!(used, 900);
    until("a recount finds those that are left", LIMIT, || {
        peers.answer()?;
        let recount = node.control().snapshot()?.recount;
        Ok(recount.is_some_and(|recount| (recount.sessions, recount.drift) == (900, 0)))
    })?;
    assert_eq!(node.control().sessions()?.sessions, 900);
    let shown = node.cli("show gtpc peers --limit 3 --offset 100")?.log();
    assert!(shown.contains("127.78.1.100"), "{shown}");
    let health = node.control().health()?;
    assert_eq!((health.permits_dropped, health.send_failures), (0, 0));
    Ok(())
}
