//! The agent: what managers are answered, what they are not, and what is counted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use licensing::time::Mono;
use snmp::agent::{Access, Agent, Arrival, HELD_MAX, Limits};
use snmp::groups::{self, Managed, Own, System};
use snmp::message::{CommunityMessage, Flags, Kind, Pdu, Scoped, ScopedData, Status, V3Message};
use snmp::objects::{Column, Group, Index, Mib, Row, Scalar, Syntax, Table};
use snmp::usm::{
    AuthProtocol, EngineId, Fault, KeyError, Keys, Level, Local, PrivProtocol, Sealed, Secret,
    User, open, seal,
};
use snmp::vacm::{Subtree, View};
use snmp::{Community, Counters, Oid, Value, VarBind};

/// Objects of the test.
const ROOT: [u32; 8] = [1, 3, 6, 1, 4, 1, 32473, 9];

/// A snapshot: its number, and how many rows it has.
struct Shown {
    own: Own,
    sequence: u32,
    rows: usize,
}

impl Managed for Shown {
    fn own(&self) -> &Own {
        &self.own
    }
}

fn mib() -> Mib<Shown> {
    let column = |name, arc, syntax, value| Column {
        name,
        arc,
        syntax,
        help: "",
        value,
    };
    let mut all = groups::groups();
    all.push(Group {
        root: Oid::from(ROOT),
        scalars: vec![
            Scalar {
                name: "sequence",
                arcs: &[1],
                syntax: Syntax::Unsigned32,
                help: "Which snapshot it is.",
                value: |shown: &Shown| Some(Value::Gauge32(shown.sequence)),
            },
            Scalar {
                name: "absent",
                arcs: &[3],
                syntax: Syntax::Integer32,
                help: "Never there.",
                value: |_| None,
            },
        ],
        tables: vec![Table {
            name: "table",
            entry: "entry",
            arcs: &[2],
            index: &["index"],
            help: "Rows.",
            rows: |shown: &Shown| {
                let of = |key| u32::try_from(key).unwrap();
                let row = |key| Row {
                    index: Index::of(of(key)),
                    key,
                };
                // In no order, and one of them twice.
                (1..=shown.rows)
                    .rev()
                    .chain(1..2.min(shown.rows + 1))
                    .map(row)
                    .collect()
            },
            columns: vec![
                column(
                    "counter",
                    3,
                    Syntax::Counter64,
                    Some(|_, key| Some(Value::Counter64(key as u64))),
                ),
                column("index", 1, Syntax::Unsigned32, None),
                column(
                    "odd",
                    2,
                    Syntax::Unsigned32,
                    Some(|_, key| {
                        (key % 2 == 1).then(|| Value::Gauge32(u32::try_from(key).unwrap()))
                    }),
                ),
            ],
        }],
    });
    Mib::new(all).unwrap()
}

fn at(seconds: u64) -> Mono {
    Mono::default().after(Duration::from_secs(seconds))
}

fn peer(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn user(name: &str, privacy: bool) -> User {
    let secret = Secret::of_password(AuthProtocol::Sha256, b"maplesyrup").unwrap();
    User {
        name: name.to_owned(),
        auth: Some((AuthProtocol::Sha256, secret.clone())),
        privacy: privacy.then_some((PrivProtocol::Aes128, secret)),
    }
}

fn view(subtrees: &[(&str, bool)]) -> View {
    let parse = |(root, included): &(&str, bool)| Subtree::parse(root, *included).unwrap();
    View::new(&subtrees.iter().map(parse).collect::<Vec<_>>()).unwrap()
}

/// An agent, its engine, and how many snapshots were taken.
struct Node {
    agent: Agent<Shown>,
    local: Local,
    rows: usize,
    taken: u32,
    now: Mono,
}

impl Node {
    fn new(rows: usize) -> Self {
        Self::with(rows, Limits::default())
    }

    fn with(rows: usize, limits: Limits) -> Self {
        let local = Local::new(EngineId::of_node(32473, "node"), 7, at(0));
        let system = System {
            descr: "a node".to_owned(),
            object_id: Oid::from(ROOT),
            contact: String::new(),
            name: "node".to_owned(),
            location: String::new(),
            modules: Vec::new(),
        };
        let mut agent = Agent::new(mib(), system, limits);
        let all = view(&[("1", true)]);
        let some = view(&[
            ("1.3.6.1.2.1.1.3.0", true),
            ("1.3.6.1.4.1.32473.9.2.1.2", true),
        ]);
        let access = Access {
            communities: vec![
                (Community::new("all"), all.clone()),
                (Community::new("some"), some),
                (Community::new("rows"), view(&[("1.3.6.1.4.1.32473", true)])),
                (Community::new("none"), View::default()),
            ],
            users: vec![
                (user("private", true), all.clone()),
                (user("authentic", false), all),
                (user("blind", true), View::default()),
            ],
        };
        agent.allow(access, &local).unwrap();
        Self {
            agent,
            local,
            rows,
            taken: 0,
            now: at(1000),
        }
    }

    fn take(&mut self, peer: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
        let arrival = Arrival {
            now: self.now,
            peer,
            bytes,
        };
        let (taken, rows) = (&mut self.taken, self.rows);
        self.agent.handle_datagram(&mut self.local, arrival, |own| {
            *taken += 1;
            Shown {
                own,
                sequence: *taken,
                rows,
            }
        })
    }

    fn counters(&self) -> Counters {
        *self.agent.counters()
    }

    /// Asks by SNMPv1 or SNMPv2c.
    fn ask(&mut self, version: u8, community: &str, pdu: &Pdu) -> Option<Pdu> {
        self.ask_from(peer(1), version, community, pdu)
    }

    fn ask_from(
        &mut self,
        peer: SocketAddr,
        version: u8,
        community: &str,
        pdu: &Pdu,
    ) -> Option<Pdu> {
        let message = CommunityMessage {
            is_v1: version == 1,
            community: community.into(),
            pdu: pdu.clone(),
        };
        let answer = self.take(peer, &message.encode().unwrap())?;
        let answer = match version {
            1 => CommunityMessage::decode_v1(&answer),
            _ => CommunityMessage::decode_v2c(&answer),
        };
        let answer = answer.unwrap();
        assert_eq!(answer.community, community.as_bytes());
        assert_eq!(answer.pdu.request_id, pdu.request_id);
        Some(answer.pdu)
    }
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

fn pdu(kind: Kind, names: &[&str]) -> Pdu {
    let unspecified = |name: &&str| VarBind::new(oid(name), Value::Unspecified);
    Pdu {
        kind,
        request_id: 42,
        varbinds: names.iter().map(unspecified).collect(),
    }
}

fn bulk(non_repeaters: u32, max_repetitions: u32, names: &[&str]) -> Pdu {
    let kind = Kind::GetBulk {
        non_repeaters,
        max_repetitions,
    };
    pdu(kind, names)
}

fn status(pdu: &Pdu) -> (Status, u32) {
    let Kind::Response { status, index } = pdu.kind else {
        panic!("{pdu:?}");
    };
    (status, index)
}

fn values(pdu: &Pdu) -> Vec<Value> {
    assert_eq!(status(pdu), (Status::NO_ERROR, 0));
    pdu.varbinds
        .iter()
        .map(|varbind| varbind.value.clone())
        .collect()
}

fn names(pdu: &Pdu) -> Vec<String> {
    pdu.varbinds
        .iter()
        .map(|varbind| varbind.name.to_string())
        .collect()
}

const UPTIME: &str = "1.3.6.1.2.1.1.3.0";
const SEQUENCE: &str = "1.3.6.1.4.1.32473.9.1.0";
const ODD: &str = "1.3.6.1.4.1.32473.9.2.1.2";
const COUNTER: &str = "1.3.6.1.4.1.32473.9.2.1.3";

#[test]
fn a_get_tells_a_missing_object_from_a_missing_instance() {
    let mut node = Node::new(3);
    let odd = |row: u32| format!("{ODD}.{row}");
    let asked = pdu(
        Kind::Get,
        &[
            UPTIME,
            &odd(1),
            // No value, no row, no column, a column of the index, no table, no instance, no object.
            &odd(2),
            &odd(4),
            "1.3.6.1.4.1.32473.9.2.1.9.1",
            "1.3.6.1.4.1.32473.9.2.1.1.1",
            "1.3.6.1.4.1.32473.9.4",
            "1.3.6.1.4.1.32473.9.1.1",
            "1.3.6.1.4.1.32473.9.1",
            "1.3.6.1.4.1.32473.9.3.0",
            "1.2",
        ],
    );
    let answer = node.ask(2, "all", &asked).unwrap();
    use Value::{Gauge32, NoSuchInstance, NoSuchObject, TimeTicks};
    let expected = [
        TimeTicks(100_000),
        Gauge32(1),
        NoSuchInstance,
        NoSuchInstance,
        NoSuchObject,
        NoSuchObject,
        NoSuchObject,
        NoSuchInstance,
        NoSuchInstance,
        NoSuchInstance,
        NoSuchObject,
    ];
    assert_eq!(values(&answer), expected);
}

#[test]
fn snmp_v1_says_no_such_name_and_whose() {
    let mut node = Node::new(3);
    let asked = pdu(Kind::Get, &[UPTIME, "1.2", "1.2.3"]);
    let answer = node.ask(1, "all", &asked).unwrap();
    assert_eq!(status(&answer), (Status::NO_SUCH_NAME, 2));
    assert_eq!(answer.varbinds, asked.varbinds);
    // Counters of 64 bits are not there for it, and stepped over.
    let counter = node
        .ask(1, "all", &pdu(Kind::Get, &[&format!("{COUNTER}.1")]))
        .unwrap();
    assert_eq!(status(&counter), (Status::NO_SUCH_NAME, 1));
    let next = node.ask(1, "rows", &pdu(Kind::GetNext, &[&format!("{ODD}.3")]));
    assert_eq!(status(&next.unwrap()), (Status::NO_SUCH_NAME, 1));
    let next = node
        .ask(2, "all", &pdu(Kind::GetNext, &[&format!("{ODD}.3")]))
        .unwrap();
    assert_eq!(names(&next), [format!("{COUNTER}.1")]);
}

#[test]
fn a_getnext_goes_on_to_what_has_a_value() {
    let mut node = Node::new(3);
    for (from, to) in [
        ("1.3", "1.3.6.1.2.1.1.1.0"),
        (SEQUENCE, "1.3.6.1.4.1.32473.9.2.1.2.1"),
        // What is said to be there but is not: the row before the first, an odd one.
        ("1.3.6.1.4.1.32473.9.2.1.1.7", "1.3.6.1.4.1.32473.9.2.1.2.1"),
        ("1.3.6.1.4.1.32473.9.2.1.2.1", "1.3.6.1.4.1.32473.9.2.1.2.3"),
        ("1.3.6.1.4.1.32473.9.2.1.2.3", "1.3.6.1.4.1.32473.9.2.1.3.1"),
        (
            "1.3.6.1.4.1.32473.9.2.1.3.1.0",
            "1.3.6.1.4.1.32473.9.2.1.3.2",
        ),
    ] {
        let answer = node.ask(2, "all", &pdu(Kind::GetNext, &[from])).unwrap();
        assert_eq!(names(&answer), [to], "after {from}");
    }
    let end = node
        .ask(2, "rows", &pdu(Kind::GetNext, &[&format!("{COUNTER}.3")]))
        .unwrap();
    assert_eq!(values(&end), [Value::EndOfMibView]);
    assert_eq!(names(&end), [format!("{COUNTER}.3")]);
}

#[test]
fn a_view_is_all_that_is_seen() {
    let mut node = Node::new(3);
    let answer = node
        .ask(2, "some", &pdu(Kind::Get, &[UPTIME, SEQUENCE]))
        .unwrap();
    assert_eq!(
        values(&answer),
        [Value::TimeTicks(100_000), Value::NoSuchObject]
    );
    let mut from = "0.0".to_owned();
    let mut walked = Vec::new();
    loop {
        let answer = node.ask(2, "some", &pdu(Kind::GetNext, &[&from])).unwrap();
        if values(&answer) == [Value::EndOfMibView] {
            break;
        }
        from = names(&answer).remove(0);
        walked.push(from.clone());
    }
    assert_eq!(
        walked,
        [UPTIME.to_owned(), format!("{ODD}.1"), format!("{ODD}.3")]
    );
    // Nothing at all is seen by default.
    let nothing = node.ask(2, "none", &pdu(Kind::Get, &[UPTIME])).unwrap();
    assert_eq!(status(&nothing), (Status::AUTHORIZATION_ERROR, 0));
    let nothing = node.ask(1, "none", &pdu(Kind::Get, &[UPTIME])).unwrap();
    assert_eq!(status(&nothing), (Status::NO_SUCH_NAME, 0));
}

#[test]
fn nothing_can_be_set() {
    let mut node = Node::new(3);
    let asked = |name| pdu(Kind::Set, &[name]);
    for (version, community, name, expected) in [
        (2, "all", UPTIME, Status::NOT_WRITABLE),
        (2, "some", UPTIME, Status::NOT_WRITABLE),
        (2, "some", SEQUENCE, Status::NO_ACCESS),
        (1, "all", UPTIME, Status::NO_SUCH_NAME),
        (1, "some", SEQUENCE, Status::NO_SUCH_NAME),
    ] {
        let answer = node.ask(version, community, &asked(name)).unwrap();
        assert_eq!(
            status(&answer),
            (expected, 1),
            "{version} {community} {name}"
        );
        assert_eq!(answer.varbinds, asked(name).varbinds);
    }
    assert_eq!(node.counters().in_bad_community_uses, 5);
}

#[test]
fn a_getbulk_repeats_and_ends() {
    let mut node = Node::new(3);
    // One name once, two of them three times; the second ends in the last round.
    let asked = bulk(1, 3, &["1.3.6.1.2.1.1.2.0", ODD, COUNTER]);
    let answer = node.ask(2, "all", &asked).unwrap();
    let expected = [
        UPTIME.to_owned(),
        format!("{ODD}.1"),
        format!("{COUNTER}.1"),
        format!("{ODD}.3"),
        format!("{COUNTER}.2"),
        format!("{COUNTER}.1"),
        format!("{COUNTER}.3"),
    ];
    assert_eq!(names(&answer), expected);
    // When everything has ended, so does the answer.
    let asked = bulk(0, 50, &[&format!("{COUNTER}.2"), &format!("{COUNTER}.3")]);
    let answer = node.ask(2, "rows", &asked).unwrap();
    use Value::{Counter64, EndOfMibView};
    let ends = [Counter64(3), EndOfMibView, EndOfMibView, EndOfMibView];
    assert_eq!(values(&answer), ends);
    // None is a number of repetitions too.
    let nothing = node.ask(2, "all", &bulk(0, 0, &[ODD])).unwrap();
    assert_eq!(values(&nothing), []);
    let only_once = node.ask(2, "all", &bulk(9, 9, &[ODD])).unwrap();
    assert_eq!(names(&only_once), [format!("{ODD}.1")]);
}

#[test]
fn an_answer_is_no_longer_than_the_bound_and_no_wider_than_the_cap() {
    let limits = Limits {
        response_bytes: 500,
        repetitions: 10,
    };
    let mut node = Node::with(10_000, limits);
    let capped = node
        .ask(2, "all", &bulk(0, u32::MAX >> 1, &[COUNTER]))
        .unwrap();
    assert_eq!(capped.varbinds.len(), 10);
    let six = [COUNTER; 6];
    let message = |pdu: &Pdu| CommunityMessage {
        is_v1: false,
        community: b"all".to_vec(),
        pdu: pdu.clone(),
    };
    let cut = node
        .take(peer(1), &message(&bulk(0, 10, &six)).encode().unwrap())
        .unwrap();
    assert!((450..=500).contains(&cut.len()), "{} octets", cut.len());
    let cut = CommunityMessage::decode_v2c(&cut).unwrap().pdu;
    assert!(cut.varbinds.len() < 60 && status(&cut).0 == Status::NO_ERROR);
    // A GET is whole or too big.
    let many = vec![UPTIME; 40];
    let answer = node.ask(2, "all", &pdu(Kind::Get, &many)).unwrap();
    assert_eq!(
        (status(&answer), answer.varbinds.len()),
        ((Status::TOO_BIG, 0), 0)
    );
    let few = node.ask(2, "all", &pdu(Kind::Get, &many[..20])).unwrap();
    assert_eq!(values(&few).len(), 20);
    // By SNMPv1 the error would carry the request, and is too long as well.
    assert_eq!(node.ask(1, "all", &pdu(Kind::Get, &many)), None);
    assert_eq!(node.counters().silent_drops, 1);
}

#[test]
fn what_is_not_for_an_agent_is_counted_and_not_answered() {
    let mut node = Node::new(1);
    let none = |node: &mut Node, version, community: &str, kind| {
        assert_eq!(node.ask(version, community, &pdu(kind, &[UPTIME])), None);
    };
    none(&mut node, 2, "All", Kind::Get);
    none(&mut node, 1, "", Kind::Get);
    let response = Kind::Response {
        status: Status::NO_ERROR,
        index: 0,
    };
    for kind in [response, Kind::Inform, Kind::Trap, Kind::Report] {
        none(&mut node, 2, "all", kind);
    }
    assert_eq!(node.take(peer(1), b"\x30\x03\x02\x01\x02"), None);
    assert_eq!(node.take(peer(1), b"\x30\x03\x02\x01\x01"), None);
    assert_eq!(node.take(peer(1), b""), None);
    let expected = Counters {
        in_pkts: 9,
        in_bad_versions: 1,
        in_bad_community_names: 2,
        in_asn_parse_errs: 2,
        unknown_pdu_handlers: 4,
        ..Counters::default()
    };
    assert_eq!(node.counters(), expected);
    assert_eq!(node.taken, 0);
}

#[test]
fn a_walk_sees_one_snapshot_until_five_seconds_after_its_last_request() {
    let mut node = Node::new(3);
    let mut next = |seconds: u64, port: u16, community: &str, from: &str| {
        node.now = at(seconds);
        let asked = pdu(Kind::GetNext, &[from]);
        let answer = node.ask_from(peer(port), 2, community, &asked).unwrap();
        let sequence = pdu(Kind::Get, &[SEQUENCE]);
        let seen = node.ask_from(peer(port), 2, "all", &sequence).unwrap();
        (names(&answer).remove(0), values(&seen).remove(0))
    };
    let (first, seen) = next(10, 1, "all", "1.3.6.1.4.1.32473.9.1");
    assert_eq!((first.as_str(), seen), (SEQUENCE, Value::Gauge32(1)));
    // Requests keep it, five seconds each; a GET does not.
    assert_eq!(next(15, 1, "all", SEQUENCE).1, Value::Gauge32(1));
    assert_eq!(next(20, 1, "all", ODD).1, Value::Gauge32(1));
    assert_eq!(next(26, 1, "all", &format!("{ODD}.1")).1, Value::Gauge32(2));
    // Somebody else has another, and who begins again has a new one.
    assert_eq!(next(26, 2, "all", ODD).1, Value::Gauge32(3));
    assert_eq!(
        next(27, 1, "all", "1.3.6.1.4.1.32473.9.1").1,
        Value::Gauge32(4)
    );
    assert_eq!(node.agent.walks_held(), 2);
}

#[test]
fn a_request_that_is_repeated_belongs_to_its_walk() {
    let mut node = Node::new(3);
    let mut seen = |request_id, from: &str| {
        let mut asked = pdu(Kind::GetNext, &[from]);
        asked.request_id = request_id;
        let answer = node.ask(2, "all", &asked).unwrap();
        (values(&answer).remove(0), node.taken)
    };
    let begin = "1.3.6.1.4.1.32473.9.1";
    assert_eq!(seen(1, begin), (Value::Gauge32(1), 1));
    assert_eq!(seen(1, begin), (Value::Gauge32(1), 1));
    // A manager that polls by GETNEXT sees what is, not what was.
    assert_eq!(seen(2, begin), (Value::Gauge32(2), 2));
}

#[test]
fn a_walk_that_never_ends_sees_a_fresh_snapshot_in_time() {
    let mut node = Node::new(3);
    let begin = node.now;
    for second in 0..=301 {
        node.now = begin.after(Duration::from_secs(second));
        let from = if second == 0 { "1.3" } else { ODD };
        node.ask(2, "all", &pdu(Kind::GetNext, &[from])).unwrap();
        assert_eq!(node.taken, if second <= 300 { 1 } else { 2 }, "{second}");
    }
}

#[test]
fn at_most_64_walks_are_held_and_the_oldest_goes() {
    let mut node = Node::new(3);
    let step = |node: &mut Node, port: u16, from: &str| {
        let answer = node.ask_from(peer(port), 2, "all", &pdu(Kind::GetNext, &[from]));
        values(&answer.unwrap()).remove(0)
    };
    let held = u16::try_from(HELD_MAX).unwrap();
    for port in 0..held {
        node.now = node.now.after(Duration::from_millis(10));
        step(&mut node, port, "1.3");
    }
    assert_eq!((node.taken, node.counters().walks_dropped), (64, 0));
    // The first goes on, so that the second is the oldest.
    step(&mut node, 0, "1.3.6");
    assert_eq!(node.taken, 64);
    step(&mut node, held, "1.3");
    assert_eq!(
        (node.agent.walks_held(), node.counters().walks_dropped),
        (64, 1)
    );
    step(&mut node, 0, "1.3.6.1");
    assert_eq!(node.taken, 65);
    step(&mut node, 1, "1.3.6.1");
    assert_eq!((node.taken, node.counters().walks_dropped), (66, 2));
}

/// Whoever asks by SNMPv3.
struct Asker {
    user: User,
    keys: Keys,
    level: Level,
    engine_id: Vec<u8>,
    boots: u32,
    time: u32,
    id: i32,
    context: &'static str,
    reportable: bool,
}

impl Asker {
    fn new(user: User, node: &Node) -> Self {
        let keys = user.keys(node.local.id()).unwrap();
        Self {
            level: user.level(),
            keys,
            user,
            engine_id: node.local.id().octets().to_vec(),
            boots: 7,
            time: 1000,
            id: 1,
            context: "",
            reportable: true,
        }
    }

    fn bytes(&mut self, pdu: &Pdu) -> Vec<u8> {
        self.id += 1;
        let sealed = Sealed {
            id: self.id,
            reportable: self.reportable,
            level: self.level,
            engine_id: self.engine_id.clone(),
            boots: self.boots,
            time: self.time,
            user: self.user.name.clone().into(),
            salt: u64::from(self.id.unsigned_abs()),
        };
        let scoped = Scoped {
            engine_id: self.engine_id.clone(),
            context: self.context.into(),
            pdu: pdu.clone(),
        };
        seal(sealed, &self.keys, scoped).unwrap()
    }

    /// The answer: how secure it is, and what it says.
    fn ask(&mut self, node: &mut Node, pdu: &Pdu) -> Option<(Level, Pdu)> {
        let bytes = self.bytes(pdu);
        let answer = node.take(peer(9), &bytes)?;
        let message = V3Message::decode(&answer).unwrap();
        assert_eq!(message.header.id, self.id);
        assert!(!message.header.flags.has(Flags::REPORTABLE));
        assert_eq!(message.security.engine_id, node.local.id().octets());
        assert_eq!(
            (message.security.boots, message.security.time),
            (7, node.local.time(node.now))
        );
        let scoped = open(&self.keys, &message).unwrap();
        Some((message.level(), scoped.pdu))
    }

    /// The report: how secure it is, which counter it names, and what that says.
    fn complaint(&mut self, node: &mut Node, pdu: &Pdu) -> (Level, String, Value) {
        let (level, report) = self.ask(node, pdu).unwrap();
        assert_eq!(report.kind, Kind::Report);
        let [varbind] = &report.varbinds[..] else {
            panic!("{report:?}");
        };
        (level, varbind.name.to_string(), varbind.value.clone())
    }
}

fn fault(fault: Fault, level: Level, value: u32) -> (Level, String, Value) {
    (level, fault.counter().to_string(), Value::Counter32(value))
}

#[test]
fn a_user_is_answered_as_securely_as_he_asks() {
    let mut node = Node::new(3);
    for (name, privacy, level) in [
        ("private", true, Level::AuthPriv),
        ("authentic", false, Level::AuthNoPriv),
    ] {
        let mut manager = Asker::new(user(name, privacy), &node);
        let asked = pdu(Kind::Get, &[UPTIME]);
        let (answered, response) = manager.ask(&mut node, &asked).unwrap();
        assert_eq!(answered, level);
        assert_eq!(values(&response), [Value::TimeTicks(100_000)]);
        assert_eq!(response.request_id, 42);
    }
}

#[test]
fn a_user_reads_at_his_own_level_alone_and_by_his_view() {
    let mut node = Node::new(3);
    let mut manager = Asker::new(user("private", true), &node);
    for level in [Level::AuthNoPriv, Level::NoAuthNoPriv] {
        manager.level = level;
        let (_, answer) = manager.ask(&mut node, &pdu(Kind::Get, &[UPTIME])).unwrap();
        assert_eq!(
            status(&answer),
            (Status::AUTHORIZATION_ERROR, 0),
            "{level:?}"
        );
        assert_eq!(answer.varbinds[0].value, Value::Unspecified);
    }
    let mut blind = Asker::new(user("blind", true), &node);
    let (_, answer) = blind.ask(&mut node, &pdu(Kind::Get, &[UPTIME])).unwrap();
    assert_eq!(status(&answer), (Status::AUTHORIZATION_ERROR, 0));
    assert_eq!(node.taken, 0);
}

#[test]
fn each_fault_has_its_counter_and_its_report() {
    let mut node = Node::new(3);
    let asked = pdu(Kind::Get, &[UPTIME]);
    // Discovery: no engine, no user.
    let mut stranger = Asker::new(user("private", true), &node);
    stranger.level = Level::NoAuthNoPriv;
    stranger.engine_id = Vec::new();
    stranger.user.name = String::new();
    let found = stranger.complaint(&mut node, &asked);
    assert_eq!(found, fault(Fault::UnknownEngine, Level::NoAuthNoPriv, 1));
    let mut nobody = Asker::new(user("nobody", true), &node);
    let found = nobody.complaint(&mut node, &asked);
    assert_eq!(found, fault(Fault::UnknownUser, Level::NoAuthNoPriv, 1));
    let mut upstart = Asker::new(user("authentic", true), &node);
    let found = upstart.complaint(&mut node, &asked);
    assert_eq!(
        found,
        fault(Fault::UnsupportedLevel, Level::NoAuthNoPriv, 1)
    );
    let mut wrong = Asker::new(user("private", true), &node);
    let elsewhere = EngineId::of_node(1, "elsewhere");
    wrong.keys = wrong.user.keys(&elsewhere).unwrap();
    let bytes = wrong.bytes(&asked);
    let report = V3Message::decode(&node.take(peer(9), &bytes).unwrap()).unwrap();
    let ScopedData::Plain(scoped) = report.data else {
        panic!("a wrong digest is told in the clear");
    };
    assert_eq!(scoped.pdu.varbinds[0].name, Fault::WrongDigest.counter());
    // Who is late is told the time, with a proof.
    let mut late = Asker::new(user("private", true), &node);
    late.time = 849;
    let found = late.complaint(&mut node, &asked);
    assert_eq!(found, fault(Fault::NotInTimeWindow, Level::AuthNoPriv, 1));
    late.time = 1000;
    late.boots = 6;
    let found = late.complaint(&mut node, &asked);
    assert_eq!(found, fault(Fault::NotInTimeWindow, Level::AuthNoPriv, 2));
    late.boots = 7;
    assert!(late.ask(&mut node, &asked).is_some());
    assert_eq!(node.counters().usm, [1, 2, 1, 1, 1, 0]);
    assert_eq!(node.taken, 1);
}

#[test]
fn a_report_goes_to_who_waits_for_one_only() {
    let mut node = Node::new(3);
    let mut late = Asker::new(user("authentic", false), &node);
    late.time = 1;
    late.reportable = false;
    assert_eq!(late.ask(&mut node, &pdu(Kind::Get, &[UPTIME])), None);
    late.reportable = true;
    assert_eq!(late.ask(&mut node, &pdu(Kind::Trap, &[UPTIME])), None);
    assert_eq!(late.ask(&mut node, &pdu(Kind::Report, &[UPTIME])), None);
    assert_eq!(node.counters().usm[Fault::NotInTimeWindow as usize], 3);
}

#[test]
fn other_contexts_other_engines_and_other_pdus_are_told_so() {
    let mut node = Node::new(3);
    let mut manager = Asker::new(user("private", true), &node);
    manager.context = "other";
    let found = manager.complaint(&mut node, &pdu(Kind::Get, &[UPTIME]));
    let contexts = "1.3.6.1.6.3.12.1.5.0".to_owned();
    assert_eq!(found, (Level::AuthPriv, contexts, Value::Counter32(1)));
    manager.context = "";
    let found = manager.complaint(&mut node, &pdu(Kind::Inform, &[UPTIME]));
    let handlers = "1.3.6.1.6.3.11.2.1.3.0".to_owned();
    assert_eq!(found, (Level::AuthPriv, handlers, Value::Counter32(1)));
    assert_eq!(manager.ask(&mut node, &pdu(Kind::Trap, &[UPTIME])), None);
    assert_eq!(node.counters().unknown_pdu_handlers, 2);
}

#[test]
fn a_message_that_comes_again_is_not_answered_again() {
    let mut node = Node::new(3);
    let mut manager = Asker::new(user("private", true), &node);
    let bytes = manager.bytes(&pdu(Kind::Get, &[UPTIME]));
    assert!(node.take(peer(9), &bytes).is_some());
    assert_eq!(node.take(peer(9), &bytes), None);
    assert_eq!(node.take(peer(10), &bytes), None);
    assert_eq!(node.counters().replays, 2);
    // After its time it is late besides, and told so.
    node.now = at(1151);
    let report = V3Message::decode(&node.take(peer(9), &bytes).unwrap()).unwrap();
    assert_eq!(report.level(), Level::AuthNoPriv);
    assert_eq!(node.counters().usm[Fault::NotInTimeWindow as usize], 1);
}

#[test]
fn flags_that_contradict_each_other_are_counted() {
    let mut node = Node::new(3);
    let mut manager = Asker::new(user("authentic", false), &node);
    let good = V3Message::decode(&manager.bytes(&pdu(Kind::Get, &[UPTIME]))).unwrap();
    let mut send = |change: fn(&mut V3Message)| {
        let mut message = good.clone();
        change(&mut message);
        node.take(peer(9), &message.encode())
    };
    assert_eq!(
        send(|m| m.header.flags = Flags(Flags::PRIV | Flags::REPORTABLE)),
        None
    );
    assert_eq!(
        send(|m| m.header.flags = Flags(Flags::PRIV | Flags::AUTH)),
        None
    );
    assert_eq!(send(|m| m.header.model = 4), None);
    assert_eq!(send(|m| m.header.max_size = 483), None);
    let expected = Counters {
        in_pkts: 4,
        invalid_msgs: 1,
        in_asn_parse_errs: 2,
        unknown_security_models: 1,
        ..Counters::default()
    };
    assert_eq!(node.counters(), expected);
}

#[test]
fn an_answer_is_no_longer_than_what_the_manager_takes() {
    let mut node = Node::new(10_000);
    let mut manager = Asker::new(user("private", true), &node);
    let bytes = manager.bytes(&bulk(0, 100, &[COUNTER]));
    let whole = node.take(peer(9), &bytes).unwrap();
    assert!(whole.len() > 1300 && whole.len() <= 1472, "{}", whole.len());
    // The length that is taken is in the header, which the MAC covers: made anew for a small one.
    let mut authentic = Asker::new(user("authentic", false), &node);
    let mut bytes = authentic.bytes(&bulk(0, 100, &[COUNTER]));
    let at = bytes
        .windows(5)
        .position(|w| w == [2, 3, 0, 0xff, 0xe3])
        .unwrap();
    bytes[at + 2..at + 5].copy_from_slice(&[0, 0x01, 0xe4]);
    let place = V3Message::mac_in(&bytes).unwrap();
    bytes[place.clone()].fill(0);
    let mac = mac_of(&authentic, &bytes);
    bytes[place].copy_from_slice(&mac);
    let cut = node.take(peer(9), &bytes).unwrap();
    assert!(cut.len() > 400 && cut.len() <= 484, "{}", cut.len());
}

/// The MAC of octets by HMAC-SHA-256-192, computed apart from the code under test.
fn mac_of(manager: &Asker, bytes: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    let engine = EngineId::new(&manager.engine_id).unwrap();
    let key = AuthProtocol::Sha256.key_of(b"maplesyrup").unwrap();
    let key = AuthProtocol::Sha256.localize(&key, &engine);
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key.octets()).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes()[..24].to_vec()
}

#[test]
fn every_group_of_the_agent_has_values_of_its_types() {
    let mut node = Node::new(2);
    let listed: Vec<_> = node.agent.mib().listed().collect();
    assert!(listed.windows(2).all(|pair| pair[0].oid < pair[1].oid));
    let mut from = "1.2".to_owned();
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let answer = node.ask(2, "all", &pdu(Kind::GetNext, &[&from])).unwrap();
        if values(&answer) == [Value::EndOfMibView] {
            break;
        }
        let found = &answer.varbinds[0];
        let object = listed
            .iter()
            .rev()
            .find(|object| found.name.is_within(&object.oid))
            .unwrap();
        assert!(
            object.readable && object.syntax.unwrap().admits(&found.value),
            "{} {found:?}",
            object.name
        );
        assert!(oid(&from) < found.name, "{from}");
        seen.insert(object.name);
        from = found.name.to_string();
    }
    let readable = listed
        .iter()
        .filter(|object| object.readable)
        .map(|object| object.name);
    // No modules were told, and one object is never there.
    let missing: Vec<_> = readable.filter(|name| !seen.contains(name)).collect();
    assert_eq!(missing, ["sysORID", "sysORDescr", "sysORUpTime", "absent"]);
}

#[test]
fn counters_of_the_agent_are_what_it_counted() {
    let mut node = Node::new(1);
    node.take(peer(1), b"rubbish");
    let names = [
        "1.3.6.1.2.1.11.1.0",
        "1.3.6.1.2.1.11.6.0",
        "1.3.6.1.6.3.10.2.1.2.0",
        "1.3.6.1.6.3.10.2.1.3.0",
    ];
    let answer = node.ask(2, "all", &pdu(Kind::Get, &names)).unwrap();
    use Value::{Counter32, Integer};
    assert_eq!(
        values(&answer),
        [Counter32(2), Counter32(1), Integer(7), Integer(1000)]
    );
}

#[test]
fn objects_in_each_others_way_are_found() {
    let scalar = |arcs| Scalar {
        name: "s",
        arcs,
        syntax: Syntax::Integer32,
        help: "",
        value: |_: &()| None,
    };
    let of = |arcs: [&'static [u32]; 2]| {
        let group = Group {
            root: Oid::from([1, 3]),
            scalars: arcs.map(scalar).into(),
            tables: Vec::new(),
        };
        Mib::new(vec![group]).is_ok()
    };
    assert!(of([&[1], &[2]]) && !of([&[1], &[1]]) && !of([&[2, 1], &[2]]));
}

#[test]
fn access_with_a_key_for_another_engine_changes_nothing() {
    let mut node = Node::new(1);
    let (auth, key) = (AuthProtocol::Sha256, snmp::usm::Key::new(vec![1; 32]));
    let engine = EngineId::of_node(1, "elsewhere");
    let bound = User {
        name: "bound".to_owned(),
        auth: Some((auth, Secret::Localized { engine, key })),
        privacy: None,
    };
    let access = Access {
        communities: Vec::new(),
        users: vec![(bound, View::default())],
    };
    assert_eq!(
        node.agent.allow(access, &node.local),
        Err(KeyError::OtherEngine)
    );
    assert!(node.ask(2, "all", &pdu(Kind::Get, &[UPTIME])).is_some());
}

/// A generator that needs no crate (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[test]
fn no_octets_make_the_agent_panic_or_say_more_than_it_may() {
    let mut node = Node::new(50);
    let mut seeds = Vec::new();
    for kind in [Kind::Get, Kind::GetNext, Kind::Set, bulk(1, 20, &[]).kind] {
        let asked = pdu(kind, &[UPTIME, ODD, COUNTER]);
        for is_v1 in [false, true] {
            let community = b"all".to_vec();
            let pdu = asked.clone();
            let message = CommunityMessage {
                is_v1,
                community,
                pdu,
            };
            seeds.extend(message.encode().ok());
        }
        for (name, privacy) in [("private", true), ("authentic", false)] {
            seeds.push(Asker::new(user(name, privacy), &node).bytes(&asked));
        }
    }
    let mut random = Random(0x5eed_0005_0001);
    let mut answered = 0;
    for round in 0..30_000 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            let place = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[place] = u8::try_from(random.below(256)).unwrap(),
                1 => bytes[place] ^= 1 << random.below(8),
                2 => bytes.truncate(place.max(1)),
                3 => bytes.insert(place, [0x80, 0xff, 0x30, 0x00][random.below(4)]),
                _ => drop(bytes.remove(place)),
            }
            if bytes.is_empty() {
                bytes.push(0x30);
            }
        }
        node.now = at(1000 + round % 100);
        if let Some(answer) = node.take(peer(u16::try_from(random.below(200)).unwrap()), &bytes) {
            assert!(
                answer.len() <= 1472,
                "{} octets for {bytes:02x?}",
                answer.len()
            );
            answered += 1;
        }
    }
    let counters = node.counters();
    assert!(
        answered > 1000 && counters.in_asn_parse_errs > 1000,
        "{answered} {counters:?}"
    );
    assert!(node.agent.walks_held() <= HELD_MAX);
}
