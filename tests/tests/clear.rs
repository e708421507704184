//! An operator clears sessions of a node that is GGSN and PGW: the requests that its peers get, and what becomes of the
//! sessions when they answer, when they answer wrongly, and when they do not. tshark judges the requests.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gtp::v2::{
    Arp, BearerQos, Cause, CauseIe, Ebi, FTeid, FlowQos, IeType, Imsi, InterfaceType, Message,
    MessageType, Paa, PdnType, Plmn, RatType, SelectionMode, Writer,
};
use tests::capture::Capture;
use tests::child::Ended;
use tests::gateway::{Gateway, Site};
use tests::node::APNS;
use tests::sgsn::{self, Call, ie, kind};
use tests::sgsnemu::Sgsnemu;
use tests::tshark;
use tests::wait::{datagram, until};

const SGW: u8 = 3;
const OTHER_SGW: u8 = 4;
/// The node asks again after a second, and goes on for longer than a busy machine holds an answer up.
const TIMERS: &str =
    "echo_interval_s = 0\nrecount_interval_s = 1\nt3_response_s = 1\nn3_requests = 10";
const LIMIT: Duration = Duration::from_secs(120);

const PGW_APNS: &str = r#"
[[apn]]
name = "internet"
service = "PGW"
pool = "mobiles"

[[apn]]
name = "sos"
service = "PGW"
pool = "mobiles"
emergency = true
"#;

/// An SGW with all that it sends and gets recorded.
struct Sgw {
    socket: UdpSocket,
    pgw: SocketAddr,
    capture: Arc<Capture>,
    sequence: u32,
    /// What it was asked.
    heard: BTreeSet<Vec<u8>>,
}

impl Sgw {
    fn send(&self, octets: &[u8]) -> Result<()> {
        self.socket.send_to(octets, self.pgw)?;
        let from = self.socket.local_addr()?;
        self.capture.record(from, self.pgw, octets)
    }

    fn receive(&self) -> Result<Vec<u8>> {
        let mut octets = vec![0; 4096];
        let (length, from) = datagram(&self.socket, &mut octets).context("nothing came")?;
        ensure!(from == self.pgw, "from {from}");
        octets.truncate(length);
        self.capture
            .record(from, self.socket.local_addr()?, &octets)?;
        Ok(octets)
    }

    /// Makes a call; the node's endpoint for it.
    fn create(&mut self, subscriber: u64, apn: &str) -> Result<u32> {
        self.sequence += 1;
        let ip = self.socket.local_addr()?.ip();
        let teid = u32::try_from(subscriber)?;
        let mut octets = Vec::new();
        let kind = MessageType::CREATE_SESSION_REQUEST;
        let mut writer = Writer::new(&mut octets, kind, Some(0), self.sequence);
        let control = FTeid::new(InterfaceType::S5S8_SGW_C, 0x6000_0000 + teid, ip);
        let user = FTeid::new(InterfaceType::S5S8_SGW_U, 0x7000_0000 + teid, ip);
        let ebi = Ebi::new(5)?;
        writer
            .imsi(Imsi::from_number(imsi(subscriber), 15)?)
            .rat_type(RatType(6))
            .serving_network(Plmn::from_text("240", "01")?)
            .f_teid(0, &control)
            .apn(apn)
            .selection_mode(SelectionMode::Verified)
            .pdn_type(PdnType::Ipv4)
            .paa(&Paa::dynamic(PdnType::Ipv4))
            .bearer_context(0, |bearer| {
                bearer.ebi(0, ebi).f_teid(2, &user).bearer_qos(&BearerQos {
                    arp: Arp {
                        priority_level: 9,
                        may_preempt: false,
                        preemptable: true,
                    },
                    flow: FlowQos {
                        qci: 9,
                        ..FlowQos::default()
                    },
                });
            });
        self.send(writer.finish()?)?;
        let answer = self.receive()?;
        let ies = Message::parse(&answer)?.ie_set()?;
        let cause = CauseIe::parse(ies.get(IeType::CAUSE, 0).context("no cause")?)?;
        ensure!(cause.cause == Cause::REQUEST_ACCEPTED, "{cause:?}");
        Ok(FTeid::parse(ies.get(IeType::F_TEID, 1).context("no endpoint")?)?.teid)
    }

    /// The next message that does not repeat another, a Delete Bearer Request for the call of one of these subscribers:
    /// its sequence number, the subscriber and the cause.
    fn asked(&mut self) -> Result<(u32, u64, Option<Cause>)> {
        let octets = loop {
            let octets = self.receive()?;
            if self.heard.insert(octets.clone()) {
                break octets;
            }
        };
        let message = Message::parse(&octets)?;
        ensure!(message.header.kind == MessageType::DELETE_BEARER_REQUEST);
        let ies = message.ie_set()?;
        ensure!(ies.get(IeType::EBI, 0) == Some(&[5][..]));
        let cause = ies.get(IeType::CAUSE, 0).map(CauseIe::parse).transpose()?;
        let teid = message.header.teid.context("no endpoint")?;
        let subscriber = u64::from(teid - 0x6000_0000);
        Ok((
            message.header.sequence,
            subscriber,
            cause.map(|cause| cause.cause),
        ))
    }

    fn answer(&self, sequence: u32, teid: u32, cause: Cause) -> Result<()> {
        let mut octets = Vec::new();
        let kind = MessageType::DELETE_BEARER_RESPONSE;
        let mut writer = Writer::new(&mut octets, kind, Some(teid), sequence);
        writer.cause(&CauseIe::new(cause));
        self.send(writer.finish()?)
    }
}

fn imsi(subscriber: u64) -> u64 {
    240_010_000_000_000 + subscriber
}

fn open() -> Result<(Gateway, [Sgw; 2], Arc<Capture>)> {
    let site = Site::new()?;
    let mut configuration = site.configuration();
    configuration.apns = format!("{APNS}{PGW_APNS}");
    configuration.gn = TIMERS.to_owned();
    let capture = Arc::new(Capture::create(site.dir().join("clear.pcap"))?);
    let sgw = |host| -> Result<Sgw> {
        let socket = site.subnet().socket(host)?;
        socket.set_read_timeout(Some(LIMIT))?;
        Ok(Sgw {
            socket,
            pgw: configuration.listen,
            capture: Arc::clone(&capture),
            sequence: 0x0010_0000,
            heard: BTreeSet::new(),
        })
    };
    let sgws = [sgw(SGW)?, sgw(OTHER_SGW)?];
    let mut gateway = site.open(&configuration)?;
    gateway.sgsn.record(Arc::clone(&capture));
    Ok((gateway, sgws, capture))
}

/// `tollgate clear subscribers ...`, as an operator types it.
fn clear(gateway: &Gateway, words: &str) -> Result<Ended> {
    let socket = gateway.node()?.control().socket().to_owned();
    let mut arguments: Vec<_> = ["clear", "subscribers"].map(str::to_owned).into();
    arguments.extend(words.split(' ').map(str::to_owned));
    arguments.extend(["--socket".to_owned(), socket.display().to_string()]);
    tests::tollgate::run(arguments)
}

fn cleared(gateway: &Gateway, words: &str) -> Result<Vec<String>> {
    let ended = clear(gateway, words)?;
    ensure!(ended.status.success(), "{words}: {ended:?}");
    Ok(ended.lines)
}

fn sessions(gateway: &Gateway) -> Result<u64> {
    Ok(gateway.node()?.control().sessions()?.sessions)
}

fn ended(gateway: &Gateway, why: &str) -> Result<u64> {
    let summary = gateway.node()?.control().sessions()?;
    let mut rows = summary.ended.iter().filter(|row| row.reason == why);
    Ok(rows.next().map_or(0, |row| row.sessions))
}

const CLEARED: &str = "cleared by an operator";

#[test]
fn an_operator_clears_sessions_and_their_peers_hear_of_it() -> Result<()> {
    let (mut gateway, [mut sgw, mut other], capture) = open()?;
    let first = sgw.create(1, "internet")?;
    let second = sgw.create(2, "internet")?;
    let emergency = sgw.create(3, "sos")?;
    let third = other.create(4, "internet")?;
    gateway.accepted(&Call::new(7, "internet"))?;
    assert_eq!(sessions(&gateway)?, 5);

    // A subscriber's; the first request is lost, the next is answered.
    let said = cleared(&gateway, &format!("imsi {} -noconfirm", imsi(1)))?;
    assert_eq!(
        said,
        ["1 session is cleared; it ends with its peer's answer"]
    );
    let (sequence, who, cause) = sgw.asked()?;
    assert_eq!((who, cause), (1, None));
    assert_eq!(sessions(&gateway)?, 5, "it counts until it is answered");
    let again = sgw.receive()?;
    assert!(sgw.heard.contains(&again), "{again:02x?}");
    // Neither the answer of another nor one to another endpoint is its answer.
    other.answer(sequence, first, Cause::REQUEST_ACCEPTED)?;
    sgw.answer(sequence, first ^ 0x0100, Cause::REQUEST_ACCEPTED)?;
    sgw.answer(sequence, first, Cause::REQUEST_ACCEPTED)?;
    until("the session ends", LIMIT, || Ok(sessions(&gateway)? == 4))?;
    assert_eq!(ended(&gateway, CLEARED)?, 1);

    // A peer's, which does not know it any more, with TEID 0; the UE may come back.
    let peer = other.socket.local_addr()?.ip();
    cleared(&gateway, &format!("peer {peer} --reactivate -noconfirm"))?;
    let (sequence, who, cause) = other.asked()?;
    assert_eq!((who, cause), (4, Some(Cause::REACTIVATION_REQUESTED)));
    other.answer(sequence, 0, Cause::CONTEXT_NOT_FOUND)?;
    other.answer(sequence, third, Cause::CONTEXT_NOT_FOUND)?;
    until("the session ends", LIMIT, || Ok(sessions(&gateway)? == 3))?;

    // All but the emergency call: one answer by GTPv2, none by GTPv1.
    let said = cleared(&gateway, "all -noconfirm")?;
    assert_eq!(
        said,
        ["2 sessions are cleared; each ends with its peer's answer"]
    );
    let (sequence, who, _) = sgw.asked()?;
    assert_eq!(who, 2);
    sgw.answer(sequence, second, Cause::REQUEST_ACCEPTED)?;
    for _ in 0..10 {
        let asked = gateway.sgsn.receive()?;
        assert_eq!(asked.kind, kind::DELETE_REQUEST);
        assert_eq!(asked.ie(ie::NSAPI)?, [5]);
        assert_eq!(asked.ie(ie::TEARDOWN)?, [0xff]);
    }
    until("it is given up", LIMIT, || Ok(sessions(&gateway)? == 1))?;
    assert_eq!(ended(&gateway, CLEARED)?, 4);

    let nothing = clear(&gateway, "service PGW -noconfirm")?;
    assert_eq!(nothing.status.code(), Some(1));
    let expected = "Failure: no session matches (service PGW): see what there is with show session summary; emergency sessions are cleared by imsi and apn alone";
    assert_eq!(nothing.lines, [expected]);
    let unknown = clear(&gateway, "apn intranet -noconfirm")?;
    assert_eq!(unknown.status.code(), Some(1));
    let expected = "Failure: no such apn: intranet (apn): name one of internet, sos, blue-light";
    assert_eq!(unknown.lines, [expected]);

    // The emergency call where it is named.
    cleared(&gateway, "apn SOS -noconfirm")?;
    let (sequence, ..) = sgw.asked()?;
    sgw.answer(sequence, emergency, Cause::REQUEST_ACCEPTED)?;
    until("the session ends", LIMIT, || Ok(sessions(&gateway)? == 0))?;
    judge(&capture, &format!("ip.src == {}", sgw.pgw.ip()))?;
    let health = gateway.node()?.control().health()?;
    assert_eq!((health.permits_dropped, health.send_failures), (0, 0));
    let summary = gateway.node()?.control().sessions()?;
    let heard = |name: &str| {
        let mut causes = summary.causes.iter().filter(|row| row.name == name);
        causes.next().map(|row| row.heard)
    };
    assert_eq!(heard("GTPv2 Request accepted"), Some(3));
    assert_eq!(heard("GTPv2 Context Not Found"), Some(1));
    let log = gateway.terminate()?.lines.join("\n");
    let said = "an operator clears sessions whom=\"imsi 24001...\"";
    assert!(log.contains(said), "{log}");
    assert!(!log.contains(&imsi(1).to_string()), "{log}");
    Ok(())
}

/// tshark finds no fault with what the node sent, and reads in it what was meant.
fn judge(capture: &Capture, from_node: &str) -> Result<()> {
    let path = capture.path();
    assert_eq!(tshark::faults(path, from_node)?, Vec::<String>::new());
    let names = ["gtpv2.teid", "gtpv2.ebi", "gtpv2.cause"];
    let asked = format!("{from_node} && gtpv2.message_type == 99");
    // What was repeated is one row; the first was for certain.
    let mut rows = tshark::fields(path, &asked, &names)?;
    let requests = rows.len();
    rows.dedup();
    assert!(requests > rows.len(), "{requests} requests");
    let expected = [
        ["0x60000001", "5", ""],
        ["0x60000004", "5", "8"],
        ["0x60000002", "5", ""],
        ["0x60000003", "5", ""],
    ];
    assert_eq!(rows, expected);
    let names = ["gtp.tear_ind", "gtp.nsapi"];
    let asked = format!("{from_node} && gtp.message == 0x14");
    let rows = tshark::fields(path, &asked, &names)?;
    assert_eq!(rows, vec![["1", "5"]; 10]);
    Ok(())
}

/// Calls go on while a thousand sessions are asked of a peer that does not answer, and all of those end.
#[test]
fn a_mass_clear_holds_up_no_call() -> Result<()> {
    let (gateway, [mut sgw, mut other], _) = open()?;
    for subscriber in 0..1000 {
        sgw.create(subscriber, "internet")?;
    }
    let said = cleared(&gateway, "service PGW -noconfirm")?;
    assert_eq!(
        said,
        ["1000 sessions are cleared; each ends with its peer's answer"]
    );
    for subscriber in 5000..5050 {
        other.create(subscriber, "internet")?;
    }
    assert_eq!(ended(&gateway, CLEARED)?, 0, "all of them wait");
    until("the thousand end", LIMIT, || Ok(sessions(&gateway)? == 50))?;
    assert_eq!(ended(&gateway, CLEARED)?, 1000);
    Ok(())
}

/// What a client of the admission API holds is not cleared, and that is said.
#[test]
fn sessions_of_other_processes_are_left_to_them() -> Result<()> {
    let (gateway, _, _) = open()?;
    let control = gateway.node()?.control();
    let open = r#"{"request":"client","do":"open","name":"mme","instance":7,"lease_ms":60000,"classes":[{"service":"MME","features":[],"kind":"ordinary"}]}"#;
    let reply = control.ask(&serde_json::from_str(open)?)?;
    let api::Reply::Lease { lease } = reply else {
        bail!("{reply:?}");
    };
    let admit = format!(
        r#"{{"request":"client","do":"batch","lease":{},"sequence":1,"operation":"admit","class":0,"calls":3}}"#,
        lease.lease
    );
    control.ask(&serde_json::from_str(&admit)?)?;
    for words in ["all -noconfirm", "service mme -noconfirm"] {
        let left = clear(&gateway, words)?;
        assert_eq!(left.status.code(), Some(1));
        let said = left.lines.join(" ");
        assert!(
            said.contains("3 sessions of other processes are theirs to end"),
            "{said}"
        );
    }
    assert_eq!(sessions(&gateway)?, 3);
    Ok(())
}

#[test]
fn an_answer_by_gtpv1_ends_the_session() -> Result<()> {
    let (mut gateway, _, _) = open()?;
    let teid = gateway.accepted(&Call::new(7, "internet"))?;
    cleared(&gateway, "service GGSN --reactivate -noconfirm")?;
    let asked = gateway.sgsn.receive()?;
    assert_eq!((asked.kind, asked.cause()?), (kind::DELETE_REQUEST, 6));
    let sequence = asked.seq.context("no sequence number")?;
    let answer = sgsn::Message::new(kind::DELETE_RESPONSE, teid, sequence).tv(ie::CAUSE, &[128]);
    gateway.sgsn.send(&answer.bytes())?;
    until("the session ends", LIMIT, || Ok(sessions(&gateway)? == 0))?;
    assert_eq!(ended(&gateway, CLEARED)?, 1);
    Ok(())
}

/// An SGSN of another hand does what it is asked.
#[test]
fn sgsnemu_is_asked_and_answers() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let (listen, state_dir) = (site.subnet().ip(SGW), site.dir().join("sgsnemu"));
    let remote = site.subnet().ip(1);
    let gateway = site.open(&configuration)?;
    let emulator = Sgsnemu {
        listen,
        remote,
        contexts: 3,
        imsi: "240010123456789",
        apn: "internet",
        state_dir: &state_dir,
    };
    let running = emulator.start()?;
    until(
        "its calls are there",
        LIMIT,
        || Ok(sessions(&gateway)? == 3),
    )?;
    cleared(&gateway, "service GGSN -noconfirm")?;
    until("its calls end", LIMIT * 2, || Ok(sessions(&gateway)? == 0))?;
    let summary = gateway.node()?.control().sessions()?;
    let accepted = summary.causes.iter().find(|row| row.cause == 128);
    assert_eq!(accepted.map(|row| (row.answers, row.heard)), Some((3, 3)));
    assert_eq!(ended(&gateway, CLEARED)?, 3);
    drop(running);
    Ok(())
}
