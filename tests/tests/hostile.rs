//! Whatever comes to a node, it goes on, and what it sends is well formed.
#![forbid(unsafe_code)]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use api::ClearWhom;
use api::Request;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tests::capture::Capture;
use tests::gateway::{Gateway, Site};
use tests::mutate::Mutator;
use tests::node::APNS;
use tests::sgsn::{Call, Message, Received, ie, kind};
use tests::{tshark, wait};

const DATAGRAMS: u32 = 8_000;
/// Sent before it is waited until the node has taken them, and their answers are, so that no buffer overflows.
const BATCH: u32 = 50;
const SOON: Duration = Duration::from_secs(120);

/// Numbers that look random and are the same in every run (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A good message of one of the kinds that a GGSN serves.
fn good(numbers: &mut Numbers, seq: u16, sgsn: std::net::Ipv4Addr, teid: u32) -> Message {
    let subscriber = numbers.below(200) as u32;
    let update = || {
        Message::new(kind::UPDATE_REQUEST, teid, seq)
            .tv(ie::TEID_DATA, &[0, 0, 1, 1])
            .tv(ie::NSAPI, &[5])
            .gsn_addresses(sgsn)
            .tlv(ie::QOS, &[2, 0x0b, 0x92, 0x1f])
    };
    match numbers.below(6) {
        0 => Message::new(kind::ECHO_REQUEST, 0, seq),
        1 => update(),
        2 => Message::new(kind::DELETE_REQUEST, teid, seq)
            .tv(ie::TEARDOWN, &[0xff])
            .tv(ie::NSAPI, &[5]),
        3 => Call {
            pdp_type: 0x8d,
            ..Call::new(subscriber, "internet")
        }
        .request(seq, sgsn),
        _ => Call::new(subscriber, "internet").request(seq, sgsn),
    }
}

/// Changes, cuts or lengthens it, at up to four places.
fn spoil(numbers: &mut Numbers, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..numbers.below(5) {
        let at = numbers.below(bytes.len().max(1));
        match numbers.below(6) {
            0 if bytes.len() > 1 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), numbers.next() as u8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if bytes.len() > 4 => {
                let length = bytes.len().saturating_sub(8) as u16;
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
            }
            _ if at < bytes.len() => bytes[at] = numbers.next() as u8,
            _ => {}
        }
    }
    bytes
}

/// Waits until the node has taken, and answered, so many datagrams.
fn taken(gateway: &Gateway, datagrams: u64) -> Result<()> {
    let control = gateway.node()?.control();
    wait::until("every datagram was looked at", SOON, || {
        let health = control.health()?;
        let workers = control.sessions()?.workers;
        let taken: u64 = workers.iter().map(|worker| worker.datagrams).sum();
        Ok(taken + health.queue_drops + health.socket_drops.unwrap_or(0) >= datagrams)
    })
}

/// Takes the answers that are there; the endpoint of the newest context among them.
fn answers(socket: &UdpSocket, gateway: &Gateway, capture: &Capture) -> Result<Option<u32>> {
    let (mut buffer, mut made) = ([0; 8192], None);
    let node = gateway.node()?.address();
    while let Ok((length, _)) = socket.recv_from(&mut buffer) {
        let bytes = &buffer[..length];
        capture.record(node, socket.local_addr()?, bytes)?;
        // The harness's own reader is as strict as can be.
        let read = Received::read(bytes).with_context(|| format!("{bytes:02x?}"))?;
        if read.kind == kind::CREATE_RESPONSE && read.has(ie::TEID_CONTROL) {
            made = Some(read.teid_of(ie::TEID_CONTROL)?);
        }
    }
    Ok(made)
}

//= TS 33.117 4.2.3.3.4
//= TS 33.117 4.4.4
#[test]
fn spoilt_messages_do_no_harm_and_every_answer_is_well_formed() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let gateway = site.open(&configuration)?;
    let socket = gateway.site().subnet().socket(50)?;
    socket.set_nonblocking(true)?;
    let capture = Arc::new(Capture::create(gateway.site().dir().join("hostile.pcap"))?);
    let (sgsn, mut teid) = (gateway.site().subnet().ip(50), 0);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for n in 0..DATAGRAMS {
        let message = good(&mut numbers, n as u16, sgsn, teid).bytes();
        socket.send_to(&spoil(&mut numbers, message), configuration.listen)?;
        if n % BATCH == BATCH - 1 {
            taken(&gateway, u64::from(n) + 1)?;
            teid = answers(&socket, &gateway, &capture)?.unwrap_or(teid);
        }
    }
    let control = gateway.node()?.control();
    let health = control.health()?;
    assert!(
        health.workers.iter().all(|worker| worker.alive),
        "{health:?}"
    );
    assert_eq!((health.permits_dropped, health.control_dead), (0, false));
    let summary = control.sessions()?;
    assert!(
        summary.dropped.iter().any(|count| count.datagrams > 0),
        "{:?}",
        summary.dropped
    );
    assert!(summary.causes.len() > 5, "{:?}", summary.causes);
    assert!(tshark::count(capture.path(), "gtp")? > 1_000);
    assert_eq!(tshark::faults(capture.path(), "gtp")?, Vec::<String>::new());
    Ok(())
}

/// The roles that answer by themselves, under the names that the captures ask for. What the node asks is soon given up.
const ROLES: &str = r#"
[[apn]]
name = "internet"
service = "PGW"
pool = "mobiles"

[[apn]]
name = "internet"
service = "SAEGW"
pool = "mobiles"

[[apn]]
name = "sos"
service = "SAEGW"
pool = "mobiles"
emergency = true
"#;
/// One that passes on what it does not read, malformed or not.
const RELAY: &str = r#"
[[apn]]
name = "internet"
service = "SGW"
"#;
const TIMERS: &str =
    "echo_interval_s = 0\nrecount_interval_s = 1\nt3_response_s = 1\nn3_requests = 2";

/// Takes what the node sent, and answers half of what it asks; how many answers that were.
fn drain(
    socket: &UdpSocket,
    node: SocketAddr,
    capture: &Capture,
    mutator: &mut Mutator,
) -> Result<u64> {
    let (mut buffer, mut answered) = ([0; 8192], 0);
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let octets = &buffer[..length];
        if from == node {
            capture.record(node, socket.local_addr()?, octets)?;
            mutator.learn(octets);
            let answer = mutator.answer_to(octets);
            if let Some(answer) = answer.filter(|_| length % 2 == 0) {
                socket.send_to(&answer, node)?;
                answered += 1;
            }
        }
    }
    Ok(answered)
}

fn clear(gateway: &Gateway, whom: ClearWhom) -> Result<()> {
    let reactivate = false;
    let request = Request::Clear { whom, reactivate };
    gateway.node()?.control().ask(&request)?;
    Ok(())
}

/// Replays mutated captures against a node with these access points, then has it emptied; what it sent.
fn replay(apns: &str) -> Result<(Gateway, Capture)> {
    let site = Site::new()?;
    let mut configuration = site.configuration();
    configuration.apns = apns.to_owned();
    configuration.gn = TIMERS.to_owned();
    let gateway = site.open(&configuration)?;
    let node = configuration.listen;
    let capture = Capture::create(gateway.site().dir().join("mutated.pcap"))?;
    let sockets = [50, 51, 57].map(|host| gateway.site().subnet().socket(host));
    let sockets = sockets.into_iter().collect::<Result<Vec<_>>>()?;
    for socket in &sockets {
        socket.set_nonblocking(true)?;
    }
    let mut mutator = Mutator::new(StdRng::seed_from_u64(7))?;
    let IpAddr::V4(own) = node.ip() else {
        bail!("{node} is no IPv4 address")
    };
    mutator.replace_address([192, 0, 2, 1], own.octets());
    // The node asks its peers where the captures say that they are: at the sockets here.
    for (n, socket) in [1, 2, 7].into_iter().zip(&sockets) {
        if let IpAddr::V4(peer) = socket.local_addr()?.ip() {
            mutator.replace_address([198, 51, 100, n], peer.octets());
        }
    }
    let mut sent = 0;
    for n in 0..DATAGRAMS {
        let socket = &sockets[n as usize % sockets.len()];
        socket.send_to(&mutator.draw(), node)?;
        sent += 1;
        if n % BATCH == BATCH - 1 {
            taken(&gateway, sent)?;
            for socket in &sockets {
                sent += drain(socket, node, &capture, &mut mutator)?;
            }
        }
    }
    let control = gateway.node()?.control();
    let made = control.sessions()?.sessions;
    assert!(made > 0, "no session was made");
    for whom in [ClearWhom::All, ClearWhom::Apn("sos".into())] {
        clear(&gateway, whom)?;
    }
    wait::until("all sessions have ended", SOON, || {
        for socket in &sockets {
            drain(socket, node, &capture, &mut mutator)?;
        }
        Ok(control.sessions()?.sessions == 0)
    })?;
    let (health, summary) = (control.health()?, control.sessions()?);
    assert!(health.workers.iter().all(|worker| worker.alive));
    assert_eq!((health.permits_dropped, health.control_dead), (0, false));
    assert!(summary.pools.iter().all(|pool| pool.used == 0));
    let services = control.snapshot()?.services;
    assert!(services.iter().all(|service| service.sessions.0 == 0));
    assert!(tshark::count(capture.path(), "gtpv2")? > 1_000);
    Ok((gateway, capture))
}

//= TS 33.117 4.4.4
#[test]
fn mutated_captures_do_a_node_no_harm_and_every_answer_is_well_formed() -> Result<()> {
    let (_gateway, capture) = replay(&format!("{APNS}{ROLES}"))?;
    let faults = tshark::faults(capture.path(), "gtp || gtpv2")?;
    assert_eq!(faults, Vec::<String>::new());
    Ok(())
}

#[test]
fn mutated_captures_do_an_sgw_no_harm() -> Result<()> {
    let (gateway, capture) = replay(&format!("{APNS}{ROLES}{RELAY}"))?;
    // What it passes on may be malformed; what it says itself to a PGW that wants bearers is not.
    let node = gateway.node()?.address().ip();
    for refusal in [96, 98] {
        let said = format!("ip.src == {node} && gtpv2.message_type == {refusal}");
        assert!(tshark::count(capture.path(), &said)? > 0, "{said}");
        let faults = tshark::faults(capture.path(), &said)?;
        assert_eq!(faults, Vec::<String>::new());
    }
    let messages = gateway.node()?.control().sessions()?.messages;
    let asked = messages
        .iter()
        .any(|row| row.message == "GTPv2 Create Session Request" && row.sent > 0);
    assert!(asked, "{messages:?}");
    Ok(())
}
