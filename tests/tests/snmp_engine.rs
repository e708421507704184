//! The SNMP engine with net-snmp and pysnmp, which nobody here wrote: managers ask, and notifications are taken.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use licensing::Mono;
use serde_json::json;
use snmp::agent::{Access, Limits};
use snmp::message::{CommunityMessage, Notification, V3Message};
use snmp::notifications::{Mib, NotificationType, Which};
use snmp::objects::Syntax;
use snmp::target::{Heard, Outbound, Security, Target};
use snmp::usm::{AuthProtocol, Level, Local, PrivProtocol, Secret, User};
use snmp::vacm::{Subtree, View};
use snmp::{Community, Oid, Value, VarBind};
use tests::child::Ended;
use tests::net_snmp::{Snmptrapd, run};
use tests::pysnmp::Pysnmp;
use tests::snmp_agent::{UdpAgent, engine_id};
use tests::subnet::Subnet;
use tests::wait::until;

const PASSWORD: &str = "maplesyrup";
/// Enterprises of traps of SNMPv1, as snmptrapd names them without their modules.
const STARENT: &str = "SNMPv2-SMI::enterprises.8164.2";
const SMART: &str = "SNMPv2-SMI::enterprises.9.9.831.1";
const TABLE: &str = ".1.3.6.1.4.1.32473.9.2";

/// Where receivers of notifications listen.
const TRAPS: u16 = 1162;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A name, and what it authenticates and encrypts with, each as net-snmp's tools name it too.
type Named<T> = Option<(T, &'static str)>;
type Entry = (&'static str, Named<AuthProtocol>, Named<PrivProtocol>);

/// The users.
const USERS: [Entry; 7] = [
    ("nobody", None, None),
    ("auth", Some((AuthProtocol::Sha256, "SHA-256")), None),
    (
        "old",
        Some((AuthProtocol::Sha1, "SHA")),
        Some((PrivProtocol::Aes128, "AES")),
    ),
    (
        "usual",
        Some((AuthProtocol::Sha256, "SHA-256")),
        Some((PrivProtocol::Aes128, "AES")),
    ),
    (
        "strong",
        Some((AuthProtocol::Sha384, "SHA-384")),
        Some((PrivProtocol::Aes256, "AES-256")),
    ),
    (
        "strongest",
        Some((AuthProtocol::Sha512, "SHA-512")),
        Some((PrivProtocol::Aes256, "AES-256")),
    ),
    (
        "long",
        Some((AuthProtocol::Sha256, "SHA-256")),
        Some((PrivProtocol::Aes256, "AES-256")),
    ),
];

fn user(at: usize) -> User {
    let (name, auth, privacy) = USERS[at];
    let secret = |auth| Secret::of_password(auth, PASSWORD.as_bytes()).unwrap();
    User {
        name: name.to_owned(),
        auth: auth.map(|(auth, _)| (auth, secret(auth))),
        privacy: privacy.map(|(privacy, _)| (privacy, secret(auth.unwrap().0))),
    }
}

/// Options of the tools for a user.
fn options(at: usize) -> Vec<&'static str> {
    let (name, auth, privacy) = USERS[at];
    let level = match (auth, privacy) {
        (None, _) => "noAuthNoPriv",
        (Some(_), None) => "authNoPriv",
        (Some(_), Some(_)) => "authPriv",
    };
    let mut options = vec!["-v3", "-u", name, "-l", level];
    if let Some((_, auth)) = auth {
        options.extend(["-a", auth, "-A", PASSWORD]);
    }
    if let Some((_, privacy)) = privacy {
        options.extend(["-x", privacy, "-X", PASSWORD]);
    }
    options
}

fn view(roots: &[&str]) -> View {
    let subtrees: Vec<_> = roots
        .iter()
        .map(|root| Subtree::parse(root, true).unwrap())
        .collect();
    View::new(&subtrees).unwrap()
}

fn access() -> Access {
    let all = view(&[".1"]);
    Access {
        communities: vec![
            (Community::new("public"), view(&[".1.3.6.1.2.1.1", TABLE])),
            (Community::new("everything"), all.clone()),
        ],
        users: (0..USERS.len()).map(|at| (user(at), all.clone())).collect(),
    }
}

fn agent(rows: usize) -> UdpAgent {
    UdpAgent::start(access(), Limits::default(), rows).unwrap()
}

fn succeeded(ended: &Ended) -> &[String] {
    assert!(ended.status.success(), "{}", ended.log());
    &ended.lines
}

#[test]
fn managers_read_over_every_version_and_level() {
    let agent = agent(3);
    let dir = tempfile::tempdir().unwrap();
    let v3 = (0..USERS.len()).map(options);
    let versions = [vec!["-v2c", "-c", "everything"]].into_iter().chain(v3);
    for version in versions {
        let names = [
            ".1.3.6.1.2.1.1.5.0",
            ".1.3.6.1.2.1.1.99.0",
            &format!("{TABLE}.1.3.2"),
        ];
        let got = run(dir.path(), "snmpget", &version, agent.address, &names).unwrap();
        assert_eq!(
            succeeded(&got),
            [
                ".1.3.6.1.2.1.1.5.0 = STRING: \"node\"".to_owned(),
                ".1.3.6.1.2.1.1.99.0 = No Such Object available on this agent at this OID"
                    .to_owned(),
                format!("{TABLE}.1.3.2 = Counter64: 18446744073709551613"),
            ],
            "{version:?}"
        );
        for tool in ["snmpwalk", "snmpbulkwalk"] {
            let walked = run(dir.path(), tool, &version, agent.address, &[TABLE]).unwrap();
            let lines = succeeded(&walked);
            assert_eq!(lines.len(), 15, "{version:?} {tool}: {lines:?}");
            assert_eq!(lines[4], format!("{TABLE}.1.2.2 = STRING: \"row 2\""));
            assert_eq!(lines[9], format!("{TABLE}.1.4.1 = INTEGER: -1"));
            assert_eq!(lines[14], format!("{TABLE}.1.5.3 = IpAddress: 10.200.0.1"));
        }
    }
}

#[test]
fn snmp_v1_gets_errors_and_no_counters_of_64_bits() {
    let agent = agent(2);
    let dir = tempfile::tempdir().unwrap();
    let v1 = ["-v1", "-c", "everything"];
    let walked = run(dir.path(), "snmpwalk", &v1, agent.address, &[TABLE]).unwrap();
    let columns = |lines: &[String]| -> Vec<char> {
        let at = TABLE.len() + 3;
        lines
            .iter()
            .map(|line| line.chars().nth(at).unwrap())
            .collect()
    };
    assert_eq!(
        columns(succeeded(&walked)),
        ['1', '1', '2', '2', '4', '4', '5', '5']
    );
    let got = run(
        dir.path(),
        "snmpget",
        &v1,
        agent.address,
        &[&format!("{TABLE}.1.3.1")],
    )
    .unwrap();
    assert!(
        !got.status.success() && got.log().contains("noSuchName"),
        "{}",
        got.log()
    );
}

#[test]
fn a_walk_of_everything_is_in_order_and_of_one_snapshot() {
    let agent = agent(2000);
    let dir = tempfile::tempdir().unwrap();
    let version = options(3);
    let walked = [&version[..], &["-Cr50"]].concat();
    let walked = run(dir.path(), "snmpbulkwalk", &walked, agent.address, &[".1"]).unwrap();
    let (end, lines) = succeeded(&walked).split_last().unwrap();
    assert!(end.contains("No more variables"), "{end}");
    let names: Vec<Oid> = lines
        .iter()
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .collect();
    assert!(
        names.windows(2).all(|pair| pair[0] < pair[1]),
        "a name is repeated, or out of order"
    );
    let sequences = lines
        .iter()
        .filter(|line| line.starts_with(&format!("{TABLE}.1.1.")));
    let sequences: Vec<&str> = sequences
        .filter_map(|line| line.split(": ").nth(1))
        .collect();
    assert_eq!(sequences.len(), 2000);
    assert!(
        sequences.iter().all(|sequence| *sequence == sequences[0]),
        "of several snapshots"
    );
    assert_eq!(agent.counters().walks_dropped, 0);
}

#[test]
fn a_community_sees_its_view_and_nothing_else() {
    let agent = agent(1);
    let dir = tempfile::tempdir().unwrap();
    let public = ["-v2c", "-c", "public"];
    let walked = run(dir.path(), "snmpwalk", &public, agent.address, &[".1"]).unwrap();
    let lines = succeeded(&walked);
    let inside = |line: &String| {
        line.starts_with(".1.3.6.1.2.1.1.")
            || line.starts_with(TABLE)
            || line.contains("No more variables")
    };
    assert!(lines.iter().all(inside), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.starts_with(TABLE)),
        "{lines:?}"
    );
    let set = [".1.3.6.1.2.1.1.5.0", "s", "other"];
    let set = run(dir.path(), "snmpset", &public, agent.address, &set).unwrap();
    assert!(
        !set.status.success() && set.log().contains("notWritable"),
        "{}",
        set.log()
    );
    assert!(agent.counters().in_bad_community_uses >= 1);
    let stranger = ["-v2c", "-c", "private", "-t", "0.2", "-r", "0"];
    let got = run(
        dir.path(),
        "snmpget",
        &stranger,
        agent.address,
        &[".1.3.6.1.2.1.1.5.0"],
    )
    .unwrap();
    assert!(got.log().contains("Timeout"), "{}", got.log());
    until("the stranger is counted", LIMIT, || {
        Ok(agent.counters().in_bad_community_names == 1)
    })
    .unwrap();
}

#[test]
fn whoever_is_not_who_he_says_is_refused_and_counted() {
    let agent = agent(1);
    let dir = tempfile::tempdir().unwrap();
    let name = [".1.3.6.1.2.1.1.5.0"];
    let with = |from: &'static str, to: &'static str| -> Vec<&'static str> {
        options(3)
            .into_iter()
            .map(|option| if option == from { to } else { option })
            .collect()
    };
    let refused = |options: &[&str]| {
        let ended = run(dir.path(), "snmpget", options, agent.address, &name).unwrap();
        assert!(!ended.status.success(), "{}", ended.log());
        ended.log()
    };
    let log = refused(&with(PASSWORD, "another password"));
    assert!(
        log.contains("Authentication failure") || log.contains("Timeout"),
        "{log}"
    );
    assert!(agent.counters().usm[4] >= 1, "{:?}", agent.counters());
    let log = refused(&with("usual", "somebody"));
    assert!(log.contains("Unknown user name"), "{log}");
    assert!(agent.counters().usm[2] >= 1);
    // A user who could encrypt, and doesn't.
    let log = refused(&[
        "-v3",
        "-u",
        "usual",
        "-l",
        "authNoPriv",
        "-a",
        "SHA-256",
        "-A",
        PASSWORD,
    ]);
    assert!(log.contains("authorizationError"), "{log}");
    // A time of its own choosing: it is told the right one, and asks again.
    let stale = [&options(3)[..], &["-Z", "3,5"]].concat();
    let got = run(dir.path(), "snmpget", &stale, agent.address, &name).unwrap();
    succeeded(&got);
    assert!(agent.counters().usm[1] >= 1);
}

/// What a tool sends to an agent to read a name by user 3, in order: the question for the engine first.
fn sent_to(agent: &UdpAgent, dir: &Path, name: &str) -> Vec<Vec<u8>> {
    let [near, far] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    near.set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    far.set_read_timeout(Some(LIMIT)).unwrap();
    far.connect(agent.address).unwrap();
    let relay = near.local_addr().unwrap();
    let mut sent = Vec::new();
    std::thread::scope(|scope| {
        let tool = scope.spawn(|| run(dir, "snmpget", &options(3), relay, &[name]).unwrap());
        let mut buffer = [0; 65_536];
        while !tool.is_finished() {
            let Ok((length, from)) = near.recv_from(&mut buffer) else {
                continue;
            };
            sent.push(buffer[..length].to_vec());
            far.send(&buffer[..length]).unwrap();
            // What is asked again is not answered again.
            far.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            if let Ok(length) = far.recv(&mut buffer) {
                near.send_to(&buffer[..length], from).unwrap();
            }
        }
        succeeded(&tool.join().unwrap());
    });
    sent
}

#[test]
fn a_packet_that_is_replayed_is_refused_and_counted() {
    let agent = agent(1);
    let dir = tempfile::tempdir().unwrap();
    let sent = sent_to(&agent, dir.path(), ".1.3.6.1.2.1.1.5.0");
    let (question, request) = (&sent[0], sent.last().unwrap());
    let before = agent.counters().replays;
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_read_timeout(Some(LIMIT)).unwrap();
    stranger.send_to(request, agent.address).unwrap();
    until("the replay is counted", LIMIT, || {
        Ok(agent.counters().replays == before + 1)
    })
    .unwrap();
    // The first that comes back answers what is sent now, which anybody may ask.
    stranger.send_to(question, agent.address).unwrap();
    let mut buffer = [0; 65_536];
    let length = stranger.recv(&mut buffer).unwrap();
    let of = |bytes: &[u8]| V3Message::decode(bytes).unwrap().header.id;
    assert_eq!(of(&buffer[..length]), of(question));
    assert_ne!(of(question), of(request));
}

/// A receiver with a socket, and the engine that speaks to it.
struct Sender {
    socket: UdpSocket,
    local: Local,
    target: Target,
    began: Instant,
    next_id: i32,
}

impl Sender {
    fn new(security: Security, receiver: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(receiver).unwrap();
        let local = Local::new(engine_id(), 7, Mono::default());
        let target = Target::new(security, local.id());
        Self {
            socket,
            local,
            target,
            began: Instant::now(),
            next_id: 1,
        }
    }

    fn now(&self) -> Mono {
        Mono::default().after(self.began.elapsed())
    }

    fn trap(&mut self, text: &str) {
        self.tell(&notification(text));
    }

    fn tell(&mut self, notification: &Notification) {
        let now = self.now();
        let bytes = self
            .target
            .trap(&mut self.local, now, 5, notification)
            .unwrap();
        self.socket.send(&bytes).unwrap();
    }

    /// Sends until it is acknowledged, as delivery does; how often it took.
    fn inform(&mut self, text: &str) -> usize {
        self.inform_of(&notification(text))
    }

    fn inform_of(&mut self, notification: &Notification) -> usize {
        let deadline = Instant::now() + LIMIT;
        let mut sent = 0;
        let first = self.next_id;
        while Instant::now() < deadline {
            let (now, id) = (self.now(), self.next_id);
            self.next_id += 1;
            let outbound = self.target.inform(&mut self.local, now, id, notification);
            let (Outbound::Inform(bytes) | Outbound::Question(bytes)) = outbound.unwrap();
            // Nobody may be there yet.
            let _ = self.socket.send(&bytes);
            sent += 1;
            if self.hears(first) {
                return sent;
            }
        }
        panic!("not acknowledged within {LIMIT:?}: {notification:?}");
    }

    /// Whether an inform with this id, or a later one, is acknowledged: an answer may be late.
    fn hears(&mut self, first: i32) -> bool {
        let mut buffer = [0; 65_536];
        self.socket
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        let Ok(length) = self.socket.recv(&mut buffer) else {
            return false;
        };
        let heard = self.target.handle_datagram(self.now(), &buffer[..length]);
        matches!(heard, Heard::Acknowledged(id) if id >= first)
    }
}

fn notification(text: &str) -> Notification {
    Notification {
        uptime: 12345,
        trap: Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, 1349]),
        varbinds: vec![
            VarBind::new(
                Oid::from([1, 3, 6, 1, 4, 1, 8164, 1, 31, 178, 0]),
                Value::text(text),
            ),
            VarBind::new(
                Oid::from([1, 3, 6, 1, 4, 1, 8164, 1, 31, 177, 0]),
                Value::Gauge32(4_000_000_000),
            ),
        ],
    }
}

fn v3(at: usize) -> Security {
    Security::V3 {
        user: user(at),
        level: Level::AuthPriv,
    }
}

fn receiver(dir: &Path, address: SocketAddr) -> Snmptrapd {
    Snmptrapd::start(dir, address, &receivers_configuration()).unwrap()
}

/// Configuration of a receiver that knows the users, here for traps by our engine, for informs by its own.
fn receivers_configuration() -> String {
    let mut lines = vec![
        "disableAuthorization no".to_owned(),
        "authCommunity log public".to_owned(),
    ];
    for (name, auth, privacy) in USERS {
        let (auth, privacy) = (auth.map(|a| a.1), privacy.map(|p| p.1));
        let keys = match (auth, privacy) {
            (Some(auth), Some(privacy)) => format!(" {auth} {PASSWORD} {privacy} {PASSWORD}"),
            (Some(auth), None) => format!(" {auth} {PASSWORD}"),
            (None, _) => String::new(),
        };
        let level = match (auth, privacy) {
            (Some(_), Some(_)) => "priv",
            (Some(_), None) => "auth",
            (None, _) => "noauth",
        };
        lines.push(format!("createUser {name}{keys}"));
        lines.push(format!("createUser -e 0x{} {name}{keys}", engine_id()));
        lines.push(format!("authUser log {name} {level}"));
    }
    lines.join("\n")
}

/// Every notification, with its row and example varbinds.
fn every_notification() -> Vec<(&'static NotificationType, Notification)> {
    let golden = include_str!("../../snmp/tests/golden/traps-v2c.txt");
    let read = golden.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, oid, octets] = words[..] else {
            panic!("{line}");
        };
        let octets = tests::python::bytes(octets).unwrap();
        let mut pdu = CommunityMessage::decode_v2c(&octets).unwrap().pdu;
        let notification = Notification {
            uptime: 12345,
            trap: oid.parse().unwrap(),
            // Behind sysUpTime and snmpTrapOID.
            varbinds: pdu.varbinds.split_off(2),
        };
        (Which::named(name).unwrap().row(), notification)
    });
    read.collect()
}

/// How snmptrapd names what is below `enterprises` and, if it is ours, has a name.
fn shown_name(mib: Mib, name: &str, oid: &Oid) -> String {
    let instance = oid.arcs().last().copied().unwrap_or_default();
    match mib {
        Mib::Tollgate => format!("TOLLGATE-MIB::{name}.{instance}"),
        Mib::Starent | Mib::CiscoSmartLic => {
            let text = oid.to_string();
            let below = text.strip_prefix("1.3.6.1.4.1.").unwrap();
            format!("SNMPv2-SMI::enterprises.{below}")
        }
    }
}

/// What snmptrapd prints of a notification behind the uptime and the trap.
fn shown_values(row: &NotificationType, notification: &Notification) -> Vec<String> {
    assert_eq!(row.objects.len(), notification.varbinds.len());
    let pairs = row.objects.iter().zip(&notification.varbinds);
    let shown = pairs.map(|(object, varbind)| {
        let is_ours = object.mib == Mib::Tollgate;
        let value = match (&varbind.value, object.syntax) {
            (Value::Integer(n), Syntax::Named(names)) if is_ours => {
                let name = names.iter().find(|(_, number)| number == n).unwrap().0;
                format!("INTEGER: {name}({n})")
            }
            (Value::Integer(n), _) => format!("INTEGER: {n}"),
            (Value::Gauge32(n), _) => format!("Gauge32: {n}"),
            (Value::OctetString(octets), _) => {
                let text = String::from_utf8_lossy(octets);
                match is_ours {
                    true => format!("STRING: {text}"),
                    false => format!("STRING: \"{text}\""),
                }
            }
            (value, _) => panic!("{value:?}"),
        };
        let name = shown_name(object.mib, object.name, &varbind.name);
        format!("{name} = {value}")
    });
    shown.collect()
}

/// How snmptrapd names a notification.
fn shown_trap(row: &NotificationType, notification: &Notification) -> String {
    match row.mib {
        Mib::Tollgate => format!("TOLLGATE-MIB::{}", row.name),
        Mib::Starent | Mib::CiscoSmartLic => shown_name(row.mib, row.name, &notification.trap),
    }
}

/// A version and level, a part of the lines that snmptrapd writes of it, and whether informs are sent.
type Spoken = (Security, &'static str, bool);

fn every_way() -> [Spoken; 7] {
    let community = Community::new("public");
    let v2c = Security::V2c {
        community: community.clone(),
    };
    let agent = Ipv4Addr::new(10, 1, 2, 3);
    [
        (
            Security::V1 { community, agent },
            "TRAP, SNMP v1, community public",
            false,
        ),
        (v2c.clone(), "TRAP2, SNMP v2c, community public", false),
        (v2c, "INFORM, SNMP v2c, community public", true),
        (v3(3), "TRAP2, SNMP v3, user usual", false),
        (v3(3), "INFORM, SNMP v3, user usual", true),
        (v3(6), "TRAP2, SNMP v3, user long", false),
        (v3(6), "INFORM, SNMP v3, user long", true),
    ]
}

//= L18
#[test]
fn snmptrapd_prints_every_notification_of_the_table_in_every_way() {
    let dir = tempfile::tempdir().unwrap();
    let subnet = Subnet::take().unwrap();
    let address = SocketAddr::from((subnet.ip(1), TRAPS));
    let configuration = receivers_configuration();
    let trapd = Snmptrapd::start_with_module(dir.path(), address, &configuration).unwrap();
    let all = every_notification();
    assert_eq!(all.len(), snmp::notifications::table().count());
    for (security, mark, informs) in every_way() {
        let is_v1 = matches!(security, Security::V1 { .. });
        let mut sender = Sender::new(security, address);
        for (row, notification) in &all {
            match informs {
                true => drop(sender.inform_of(notification)),
                false => sender.tell(notification),
            }
            let told = match (is_v1, row.mib) {
                (true, Mib::Tollgate) => {
                    format!(
                        "Specific.TOLLGATE-MIB::{}|TOLLGATE-MIB::tollgateMIB",
                        row.name
                    )
                }
                (true, Mib::Starent) => format!("Specific..{}|{STARENT}", row.number),
                (true, Mib::CiscoSmartLic) => format!("Specific..{}|{SMART}", row.number),
                (false, _) => format!("OID: {}", shown_trap(row, notification)),
            };
            let told = [vec![told], shown_values(row, notification)]
                .concat()
                .join("|");
            until(&format!("{mark}: {told}"), LIMIT, || {
                let lines = trapd.lines();
                let mut lines = lines.iter().filter(|line| line.contains(mark));
                Ok(lines.any(|line| line.trim_end_matches('|').ends_with(&told)))
            })
            .unwrap_or_else(|error| panic!("{error}: {:?}", trapd.lines().last()));
        }
    }
}

#[test]
fn traps_of_every_version_and_level_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let subnet = Subnet::take().unwrap();
    let address = SocketAddr::from((subnet.ip(1), TRAPS));
    let trapd = receiver(dir.path(), address);
    let community = || Community::new("public");
    let agent = Ipv4Addr::new(10, 1, 2, 3);
    let mut all = vec![
        (
            Security::V1 {
                community: community(),
                agent,
            },
            "v1".to_owned(),
        ),
        (
            Security::V2c {
                community: community(),
            },
            "v2c".to_owned(),
        ),
    ];
    for (at, (name, ..)) in USERS.iter().enumerate() {
        let (user, level) = (user(at), user(at).level());
        all.push((Security::V3 { user, level }, format!("v3 {name}")));
    }
    for (security, text) in all {
        Sender::new(security, address).trap(&text);
        let line = trapd.wait_for(&format!("\"{text}\"")).unwrap();
        assert!(
            line.contains(".1.3.6.1.4.1.8164.1.31.177.0 = Gauge32: 4000000000"),
            "{line}"
        );
        if text == "v1" {
            assert!(
                line.contains("|10.1.2.3|") || line.contains("1349"),
                "{line}"
            );
        } else {
            assert!(
                line.contains(".1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.4.1.8164.2.1349"),
                "{line}"
            );
        }
    }
}

#[test]
fn informs_are_acknowledged_also_by_a_receiver_that_started_anew() {
    let dir = tempfile::tempdir().unwrap();
    let subnet = Subnet::take().unwrap();
    let address = SocketAddr::from((subnet.ip(1), TRAPS));
    let trapd = receiver(dir.path(), address);
    let community = Community::new("public");
    let mut v2c = Sender::new(Security::V2c { community }, address);
    v2c.inform("first, v2c");
    trapd.wait_for("first, v2c").unwrap();
    let mut senders: Vec<Sender> = [2, 3, 4, 5, 6]
        .map(|at| Sender::new(v3(at), address))
        .into();
    for (at, sender) in senders.iter_mut().enumerate() {
        // A question, an inform that is told the time, an inform.
        assert!(sender.inform(&format!("first of {at}")) >= 3);
        assert_eq!(
            sender.target.engine().map(|id| id.octets().len() >= 5),
            Some(true)
        );
        trapd.wait_for(&format!("first of {at}")).unwrap();
    }
    trapd.kill().unwrap();
    let again = receiver(dir.path(), address);
    v2c.inform("second, v2c");
    again.wait_for("second, v2c").unwrap();
    for (at, sender) in senders.iter_mut().enumerate() {
        sender.inform(&format!("second of {at}"));
        again.wait_for(&format!("second of {at}")).unwrap();
    }
}

/// A user in the words of pysnmp's script.
fn who(at: usize) -> serde_json::Value {
    let (name, auth, privacy) = USERS[at];
    let lower = |name: &str| name.to_lowercase();
    let auth = auth.map(|(_, auth)| match auth {
        "SHA" => "sha-1".to_owned(),
        other => lower(other),
    });
    let privacy = privacy.map(|(_, privacy)| match privacy {
        "AES" => "aes-128".to_owned(),
        other => lower(other),
    });
    json!({"user": name, "auth": auth, "privacy": privacy, "password": PASSWORD})
}

#[test]
fn pysnmp_reads_over_v2c_and_v3() {
    let agent = agent(40);
    let mut pysnmp = Pysnmp::start().unwrap();
    let table = TABLE.trim_start_matches('.');
    let hex = |text: &str| tests::python::hex(text.as_bytes());
    let everybody = (0..USERS.len()).map(who);
    for who in [json!({"community": "everything"})]
        .into_iter()
        .chain(everybody)
    {
        let mut ask = |how: &str, names: &[&str]| {
            let got = pysnmp.ask(how, agent.address, &who, names);
            got.unwrap_or_else(|error| panic!("{how} by {who}: {error:#}"))
        };
        let large = format!("{table}.1.3.2");
        let names = ["1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.99.0", &large];
        let value = |name: &str, kind: &str, value| (name.to_owned(), kind.to_owned(), value);
        assert_eq!(
            ask("get", &names),
            [
                value(names[0], "OctetString", json!(hex("node"))),
                value(names[1], "NoSuchObject", json!(null)),
                value(names[2], "Counter64", json!(u64::MAX - 2)),
            ],
            "{who}"
        );
        let rows = ask("walk", &[&format!("{table}.1.4")]);
        let wanted = (1..=40).map(|row| {
            let name = format!("{table}.1.4.{row}");
            value(&name, "Integer", json!(-row))
        });
        assert_eq!(rows, wanted.collect::<Vec<_>>(), "{who}");
        let all = ask("bulkwalk", &[table]);
        assert_eq!(all.len(), 5 * 40, "{who}");
        let name = format!("{table}.1.2.40");
        assert_eq!(
            all[79],
            value(&name, "OctetString", json!(hex("row 40"))),
            "{who}"
        );
        let name = format!("{table}.1.5.40");
        assert_eq!(
            all[199],
            value(&name, "IpAddress", json!("0ac80001")),
            "{who}"
        );
        let sequences: Vec<_> = all[..40].iter().map(|(_, _, value)| value).collect();
        assert!(
            sequences.iter().all(|sequence| *sequence == sequences[0]),
            "of several snapshots"
        );
    }
    let mut refused = |who: serde_json::Value| {
        let got = pysnmp.ask("get", agent.address, &who, &["1.3.6.1.2.1.1.5.0"]);
        got.unwrap_err().to_string()
    };
    let mut other = who(3);
    other["user"] = json!("somebody");
    let log = refused(other);
    assert!(log.contains("Unknown USM user"), "{log}");
    assert!(agent.counters().usm[2] >= 1, "{:?}", agent.counters());
    let wrong = agent.counters().usm[4];
    let mut other = who(3);
    other["password"] = json!("another password");
    let log = refused(other);
    assert!(log.contains("digest"), "{log}");
    assert!(agent.counters().usm[4] > wrong, "{:?}", agent.counters());
}

#[test]
fn pysnmp_acknowledges_informs_and_takes_traps() {
    let mut pysnmp = Pysnmp::start().unwrap();
    let everybody = (0..USERS.len()).map(who);
    let known: Vec<_> = [json!({"community": "public"})]
        .into_iter()
        .chain(everybody)
        .collect();
    let subnet = Subnet::take().unwrap();
    let address = pysnmp.listen(subnet.ip(1).into(), &known).unwrap();
    let community = Community::new("public");
    let v2c = || Security::V2c {
        community: community.clone(),
    };
    let mut senders: Vec<Sender> = vec![Sender::new(v2c(), address)];
    senders.extend([2, 3, 4, 5, 6].map(|at| Sender::new(v3(at), address)));
    let mut take = || {
        let values = pysnmp.take().unwrap();
        let value = |at: usize| values[at].2.clone();
        assert_eq!(value(0), json!(12345));
        assert_eq!(value(1), json!("1.3.6.1.4.1.8164.2.1349"));
        assert_eq!(value(3), json!(4_000_000_000_u32));
        value(2).as_str().unwrap().to_owned()
    };
    for (at, sender) in senders.iter_mut().enumerate() {
        let text = format!("inform of {at}");
        sender.inform(&text);
        let hex = tests::python::hex(text.as_bytes());
        // One whose acknowledgement was late was sent again.
        let deadline = Instant::now() + LIMIT;
        while take() != hex {
            assert!(Instant::now() < deadline, "{text}");
        }
    }
    let mut sender = Sender::new(v2c(), address);
    sender.trap("a trap");
    let hex = tests::python::hex(b"a trap");
    let deadline = Instant::now() + LIMIT;
    while take() != hex {
        assert!(Instant::now() < deadline, "a trap");
    }
}
