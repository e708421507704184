//! What must hold of any input: of the SNMP agent, and of the sender of an inform. The first octet of an input says how the
//! others arrive; each input begins anew, so that it repeats by itself.
//!
//! The corpus is replayed by the tests of `snmp`, which take this file as a module of theirs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use licensing::time::Mono;
use snmp::agent::{Access, Agent, Arrival, Limits};
use snmp::groups::{self, Managed, Own, System};
use snmp::message::{
    Flags, Header, Kind, Notification, Pdu, Scoped, ScopedData, SecurityParameters, V3Message,
    Version, version_of,
};
use snmp::objects::Mib;
use snmp::target::{Heard, Outbound, Security, Target};
use snmp::usm::{
    AuthProtocol, EngineId, Keys, Level, Local, PrivProtocol, Sealed, Secret, User, seal,
};
use snmp::vacm::{Subtree, View};
use snmp::{Community, Counters, Oid, Value, VarBind};

/// Request id of the only inform that waits for an answer.
const ASKED: i32 = 7;

/// Stretching a password costs too much for every input.
static USER: LazyLock<User> = LazyLock::new(|| {
    let secret = Secret::of_password(AuthProtocol::Sha256, b"maplesyrup");
    let secret = secret.expect("the password is long enough");
    User {
        name: "carrier".to_owned(),
        auth: Some((AuthProtocol::Sha256, secret.clone())),
        privacy: Some((PrivProtocol::Aes128, secret)),
    }
});

/// What became of a datagram to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Answered, a report included.
    Answered,
    /// Not answered, and counted as that once.
    Dropped,
}

struct Shown(Own);

impl Managed for Shown {
    fn own(&self) -> &Own {
        &self.0
    }
}

fn at(seconds: u64) -> Mono {
    Mono::default().after(Duration::from_secs(seconds))
}

fn keys(engine: &EngineId) -> Keys {
    USER.keys(engine)
        .expect("a password gives keys with any engine")
}

/// A message from somebody who has the keys, to the engine or from it; none if the octets are no scoped PDU.
fn sealed(engine: &mut Local, id: i32, octets: &[u8]) -> Option<Vec<u8>> {
    let scoped = Scoped::decode(octets).ok()?;
    let around = Sealed {
        id,
        reportable: true,
        level: Level::AuthPriv,
        engine_id: engine.id().octets().to_vec(),
        boots: engine.boots(),
        time: engine.time(at(1000)),
        user: b"carrier".to_vec(),
        salt: engine.salt(),
    };
    seal(around, &keys(engine.id()), scoped).ok()
}

/// A datagram to the agent: as it is, or, after an odd first octet, a scoped PDU from a user. It is answered within the
/// bound by a message, or dropped and counted once; none: there was nothing to send.
pub fn agent(input: &[u8]) -> Option<Taken> {
    let (way, octets) = input.split_first()?;
    let mut local = Local::new(EngineId::of_node(32473, "node"), 7, at(0));
    let mut agent = the_agent(&local);
    let datagram = match way % 2 {
        0 => octets.to_vec(),
        _ => sealed(&mut local, 1, octets)?,
    };
    let arrival = Arrival {
        now: at(1000),
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        bytes: &datagram,
    };
    let answer = agent.handle_datagram(&mut local, arrival, Shown);
    let counters = agent.counters();
    assert_eq!(counters.in_pkts, 1);
    let faults = faults(counters);
    let Some(answer) = answer else {
        assert_eq!(faults, 1, "dropped without a count, or with two");
        return Some(Taken::Dropped);
    };
    assert!(faults <= 1);
    assert!(answer.len() <= Limits::default().response_bytes);
    assert_eq!(version_of(&answer), version_of(&datagram));
    Some(Taken::Answered)
}

fn the_agent(local: &Local) -> Agent<Shown> {
    let mib = Mib::new(groups::groups()).expect("the groups are apart from each other");
    let system = System {
        descr: "a node".to_owned(),
        object_id: Oid::from([1, 3, 6, 1, 4, 1, 32473, 1]),
        contact: String::new(),
        name: "node".to_owned(),
        location: String::new(),
        modules: vec![(Oid::from([1, 3, 6, 1, 6, 3, 1]), "SNMPv2-MIB".to_owned())],
    };
    let mut agent = Agent::new(mib, system, Limits::default());
    let all = Subtree::parse("1", true).and_then(|subtree| View::new(&[subtree]));
    let all = all.expect("everything is a view");
    let access = Access {
        communities: vec![(Community::new("public"), all.clone())],
        users: vec![(USER.clone(), all)],
    };
    agent
        .allow(access, local)
        .expect("a password gives keys with any engine");
    agent
}

/// Everything that is counted of messages that are not answered as they ask.
fn faults(counters: &Counters) -> u32 {
    let usm: u32 = counters.usm.iter().sum();
    usm + counters.in_bad_versions
        + counters.in_bad_community_names
        + counters.in_asn_parse_errs
        + counters.silent_drops
        + counters.unknown_security_models
        + counters.invalid_msgs
        + counters.unknown_pdu_handlers
        + counters.unknown_contexts
        + counters.replays
}

/// A datagram to the sender of an inform, by the first octet: to one of SNMPv2c; of SNMPv3 before it has discovered the
/// receiver; after that; and then from the receiver with its keys. Who has no keys acknowledges nothing, nobody does what
/// was not asked, and the sender goes on. None: there was nothing to send.
pub fn inform(input: &[u8]) -> Option<Heard> {
    let (way, octets) = input.split_first()?;
    let mut local = Local::new(EngineId::of_node(32473, "node"), 7, at(0));
    let mut receiver = Local::new(EngineId::of_node(8072, "receiver"), 3, at(0));
    let security = match way % 4 {
        0 => Security::V2c {
            community: Community::new("public"),
        },
        _ => Security::V3 {
            user: USER.clone(),
            level: Level::AuthPriv,
        },
    };
    let mut target = Target::new(security, local.id());
    ask(&mut target, &mut local);
    if way % 4 >= 2 {
        let report = discovery(&receiver);
        assert_eq!(
            target.handle_datagram(at(1000), &report),
            Heard::Learned(ASKED)
        );
        ask(&mut target, &mut local);
    }
    let datagram = match way % 4 {
        3 => sealed(&mut receiver, ASKED, octets)?,
        _ => octets.to_vec(),
    };
    let heard = target.handle_datagram(at(1000), &datagram);
    let is_believed = matches!(way % 4, 0 | 3);
    match &heard {
        Heard::Acknowledged(id) | Heard::Failed(id, _) => {
            assert!(is_believed, "nobody vouches for it");
            // SNMPv2c has no list of questions here: whoever sends pairs the ids.
            assert!(way % 4 == 0 || *id == ASKED);
        }
        Heard::Learned(id) | Heard::Refused(id, _) => assert_eq!(*id, ASKED),
        Heard::Ignored(_) => {}
    }
    ask(&mut target, &mut local);
    Some(heard)
}

fn ask(target: &mut Target, local: &mut Local) {
    let notification = Notification {
        uptime: 100,
        trap: Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, 1349]),
        varbinds: vec![VarBind::new(Oid::from([1, 3, 1]), Value::text("GGSN"))],
    };
    let sent = target.inform(local, at(1000), ASKED, &notification);
    let octets = match sent.expect("an inform can be encoded") {
        Outbound::Inform(octets) | Outbound::Question(octets) => octets,
    };
    assert!(matches!(
        version_of(&octets),
        Ok(Version::V2c | Version::V3)
    ));
}

/// The report by which the receiver tells its engine.
fn discovery(receiver: &Local) -> Vec<u8> {
    let counter = snmp::usm::Fault::UnknownEngine.counter();
    let engine_id = receiver.id().octets().to_vec();
    let message = V3Message {
        header: Header::ours(ASKED, Flags(0)),
        security: SecurityParameters {
            engine_id: engine_id.clone(),
            ..SecurityParameters::default()
        },
        data: ScopedData::Plain(Scoped {
            engine_id,
            context: Vec::new(),
            pdu: Pdu {
                kind: Kind::Report,
                request_id: ASKED,
                varbinds: vec![VarBind::new(counter, Value::Counter32(1))],
            },
        }),
    };
    message.encode()
}
