//! Informs: the receiver's engine and time are discovered and kept, and only what it vouches for counts.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::Ipv4Addr;
use std::time::Duration;

use licensing::time::Mono;
use snmp::message::{
    CommunityMessage, EncodeError, Kind, Notification, Pdu, Scoped, Status, V3Message,
};
use snmp::target::{Heard, Ignored, Outbound, Security, Target};
use snmp::usm::{
    AuthProtocol, EngineId, Fault, Keys, Level, Local, PrivProtocol, Sealed, Secret, User, check,
    seal,
};
use snmp::{Community, Oid, Value, VarBind};

fn at(seconds: u64) -> Mono {
    Mono::default().after(Duration::from_secs(seconds))
}

fn user(password: &[u8]) -> User {
    let secret = Secret::of_password(AuthProtocol::Sha256, password).unwrap();
    User {
        name: "carrier".to_owned(),
        auth: Some((AuthProtocol::Sha256, secret.clone())),
        privacy: Some((PrivProtocol::Aes128, secret)),
    }
}

fn notification() -> Notification {
    Notification {
        uptime: 100,
        trap: Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, 1349]),
        varbinds: vec![VarBind::new(Oid::from([1, 3, 1]), Value::text("pgw"))],
    }
}

/// A manager that takes informs as the authoritative engine that it is.
struct Receiver {
    engine: Local,
    keys: Keys,
}

impl Receiver {
    fn new(name: &str, boots: u32, began: Mono) -> Self {
        let id = EngineId::of_node(8072, name);
        let keys = user(b"maplesyrup").keys(&id).unwrap();
        let engine = Local::new(id, boots, began);
        Self { engine, keys }
    }

    fn sealed(&mut self, now: Mono, id: i32, level: Level, user: &[u8]) -> Sealed {
        Sealed {
            id,
            reportable: false,
            level,
            engine_id: self.engine.id().octets().to_vec(),
            boots: self.engine.boots(),
            time: self.engine.time(now),
            user: user.to_vec(),
            salt: self.engine.salt(),
        }
    }

    /// What it answers, and what it took.
    fn take(&mut self, now: Mono, bytes: &[u8]) -> (Vec<u8>, Option<Pdu>) {
        let message = V3Message::decode(bytes).unwrap();
        let id = message.header.id;
        let known = message.security.user == b"carrier";
        let keys = known.then_some(&self.keys);
        let (level, pdu, taken) = match check(&self.engine, now, keys, bytes, &message) {
            Ok(authentic) => {
                let pdu = authentic.scoped.pdu;
                let response = pdu.response(Status::NO_ERROR, 0, pdu.varbinds.clone());
                (authentic.level, response, Some(pdu))
            }
            Err(fault) => {
                let level = if fault == Fault::NotInTimeWindow {
                    Level::AuthNoPriv
                } else {
                    Level::NoAuthNoPriv
                };
                (level, report(id, fault), None)
            }
        };
        let sealed = self.sealed(now, id, level, &message.security.user);
        (self.seal(sealed, pdu), taken)
    }

    fn seal(&self, sealed: Sealed, pdu: Pdu) -> Vec<u8> {
        let scoped = Scoped {
            engine_id: self.engine.id().octets().to_vec(),
            context: Vec::new(),
            pdu,
        };
        seal(sealed, &self.keys, scoped).unwrap()
    }
}

fn report(request_id: i32, fault: Fault) -> Pdu {
    Pdu {
        kind: Kind::Report,
        request_id,
        varbinds: vec![VarBind::new(fault.counter(), Value::Counter32(1))],
    }
}

fn sender(user: User, level: Level) -> (Local, Target) {
    let local = Local::new(EngineId::of_node(8164, "node"), 4, at(0));
    let target = Target::new(Security::V3 { user, level }, local.id());
    (local, target)
}

fn inform(local: &mut Local, target: &mut Target, now: Mono, id: i32) -> Vec<u8> {
    match target.inform(local, now, id, &notification()).unwrap() {
        Outbound::Inform(bytes) => bytes,
        Outbound::Question(_) => panic!("the receiver is known"),
    }
}

/// As far as a receiver whose engine and time are known.
fn introduced(receiver: &mut Receiver, now: Mono) -> (Local, Target) {
    let (mut local, mut target) = sender(user(b"maplesyrup"), Level::AuthPriv);
    let Ok(Outbound::Question(question)) = target.inform(&mut local, now, 1, &notification())
    else {
        panic!("nobody knows the receiver yet");
    };
    let (answer, _) = receiver.take(now, &question);
    assert_eq!(target.handle_datagram(now, &answer), Heard::Learned(1));
    let (answer, taken) = receiver.take(now, &inform(&mut local, &mut target, now, 2));
    assert_eq!(taken, None);
    assert_eq!(target.handle_datagram(now, &answer), Heard::Learned(2));
    (local, target)
}

#[test]
fn a_receiver_is_discovered_by_its_engine_then_its_time() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    assert_eq!(target.engine(), Some(receiver.engine.id()));
    let bytes = inform(&mut local, &mut target, at(1001), 3);
    assert_eq!(V3Message::decode(&bytes).unwrap().level(), Level::AuthPriv);
    let (answer, taken) = receiver.take(at(1001), &bytes);
    assert_eq!(taken, Some(notification().pdu(3, true)));
    assert_eq!(
        target.handle_datagram(at(1001), &answer),
        Heard::Acknowledged(3)
    );
}

#[test]
fn the_question_names_no_engine_and_no_user() {
    let (mut local, mut target) = sender(user(b"maplesyrup"), Level::AuthPriv);
    let outbound = target.inform(&mut local, at(0), 0x1234, &notification());
    let Ok(Outbound::Question(bytes)) = outbound else {
        panic!("{outbound:?}");
    };
    // Header, empty parameters, empty contexts, an empty GET.
    let expected: &[u8] = &[
        0x30, 0x3a, 2, 1, 3, // msgVersion
        0x30, 0x0f, 2, 2, 0x12, 0x34, 2, 3, 0, 0xff, 0xe3, 4, 1, 4, 2, 1,
        3, // reportable, USM
        4, 0x10, 0x30, 0x0e, 4, 0, 2, 1, 0, 2, 1, 0, 4, 0, 4, 0, 4, 0, //
        0x30, 0x12, 4, 0, 4, 0, 0xa0, 0x0c, 2, 2, 0x12, 0x34, 2, 1, 0, 2, 1, 0, 0x30, 0,
    ];
    assert_eq!(bytes[2..], expected[2..]);
    assert_eq!(usize::from(bytes[1]), bytes.len() - 2);
}

#[test]
fn a_restart_of_the_receiver_is_followed() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    let mut again = Receiver::new("manager", 10, at(2000));
    let (answer, taken) = again.take(at(2001), &inform(&mut local, &mut target, at(2001), 5));
    assert_eq!(taken, None);
    assert_eq!(target.handle_datagram(at(2001), &answer), Heard::Learned(5));
    let (answer, taken) = again.take(at(2001), &inform(&mut local, &mut target, at(2001), 6));
    assert!(taken.is_some());
    assert_eq!(
        target.handle_datagram(at(2001), &answer),
        Heard::Acknowledged(6)
    );
    // What the old one would have said is late now.
    inform(&mut local, &mut target, at(2001), 7);
    let stale = receiver.sealed(at(2001), 7, Level::AuthPriv, b"carrier");
    let pdu = notification().pdu(7, true);
    let stale = receiver.seal(stale, pdu.response(Status::NO_ERROR, 0, Vec::new()));
    let late = Heard::Ignored(Ignored::Fault(Fault::NotInTimeWindow));
    assert_eq!(target.handle_datagram(at(2001), &stale), late);
}

#[test]
fn an_answer_more_than_150_seconds_old_is_not_heard() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    let (answer, _) = receiver.take(at(1000), &inform(&mut local, &mut target, at(1000), 5));
    let late = Heard::Ignored(Ignored::Fault(Fault::NotInTimeWindow));
    assert_eq!(target.handle_datagram(at(1151), &answer), late);
    assert_eq!(
        target.handle_datagram(at(1150), &answer),
        Heard::Acknowledged(5)
    );
}

#[test]
fn another_engine_at_the_address_is_learned_anew() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    let mut other = Receiver::new("reinstalled", 1, at(900));
    let bytes = inform(&mut local, &mut target, at(1001), 5);
    let (answer, _) = other.take(at(1001), &bytes);
    assert_eq!(target.handle_datagram(at(1001), &answer), Heard::Learned(5));
    assert_eq!(target.engine(), Some(other.engine.id()));
    // Said again it is nothing new.
    assert_eq!(
        target.handle_datagram(at(1001), &answer),
        Heard::Refused(5, Fault::UnknownEngine.counter())
    );
}

#[test]
fn nobody_else_acknowledges() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    let bytes = inform(&mut local, &mut target, at(1001), 5);
    let (answer, _) = receiver.take(at(1001), &bytes);
    inform(&mut local, &mut target, at(1001), 6);
    let response = notification()
        .pdu(5, true)
        .response(Status::NO_ERROR, 0, Vec::new());
    let mut ignored = |bytes: &[u8]| {
        let heard = target.handle_datagram(at(1001), bytes);
        let Heard::Ignored(why) = heard else {
            panic!("{heard:?}");
        };
        why
    };
    // In the clear, or authentic but not encrypted, where encryption was asked for.
    for level in [Level::NoAuthNoPriv, Level::AuthNoPriv] {
        let sealed = receiver.sealed(at(1001), 5, level, b"carrier");
        let bytes = receiver.seal(sealed, response.clone());
        assert_eq!(ignored(&bytes), Ignored::Fault(Fault::UnsupportedLevel));
    }
    // With another key.
    let wrong = user(b"not the password")
        .keys(receiver.engine.id())
        .unwrap();
    let right = std::mem::replace(&mut receiver.keys, wrong);
    let sealed = receiver.sealed(at(1001), 5, Level::AuthPriv, b"carrier");
    let bytes = receiver.seal(sealed, response.clone());
    assert_eq!(ignored(&bytes), Ignored::Fault(Fault::WrongDigest));
    receiver.keys = right;
    // As another user, or for another request than its header says.
    let sealed = receiver.sealed(at(1001), 5, Level::AuthPriv, b"somebody");
    let bytes = receiver.seal(sealed, response.clone());
    assert_eq!(ignored(&bytes), Ignored::Fault(Fault::UnknownUser));
    let sealed = receiver.sealed(at(1001), 6, Level::AuthPriv, b"carrier");
    let bytes = receiver.seal(sealed, response);
    assert_eq!(ignored(&bytes), Ignored::Malformed);
    assert_eq!(ignored(b"rubbish"), Ignored::Malformed);
    // The answer itself still counts.
    assert_eq!(
        target.handle_datagram(at(1001), &answer),
        Heard::Acknowledged(5)
    );
}

#[test]
fn a_report_that_nobody_vouches_for_changes_nothing() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    inform(&mut local, &mut target, at(1001), 5);
    for fault in [
        Fault::UnknownUser,
        Fault::WrongDigest,
        Fault::UnsupportedLevel,
        Fault::Decryption,
        Fault::NotInTimeWindow,
    ] {
        let mut sealed = receiver.sealed(at(1001), 5, Level::NoAuthNoPriv, b"carrier");
        sealed.boots = 4000;
        let bytes = receiver.seal(sealed, report(0, fault));
        let refused = Heard::Refused(5, fault.counter());
        assert_eq!(target.handle_datagram(at(1001), &bytes), refused);
    }
    let (_, taken) = receiver.take(at(1001), &inform(&mut local, &mut target, at(1001), 6));
    assert!(taken.is_some());
}

#[test]
fn what_answers_no_question_is_not_believed() {
    let mut receiver = Receiver::new("manager", 9, at(0));
    let (mut local, mut target) = introduced(&mut receiver, at(1000));
    let mut other = Receiver::new("other", 1, at(900));
    let bytes = inform(&mut local, &mut target, at(1001), 5);
    let unasked = Heard::Ignored(Ignored::Unasked);
    let sealed = other.sealed(at(1001), 6, Level::NoAuthNoPriv, b"carrier");
    let bait = other.seal(sealed, report(0, Fault::UnknownEngine));
    assert_eq!(target.handle_datagram(at(1001), &bait), unasked);
    assert_eq!(target.engine(), Some(receiver.engine.id()));
    let (answer, _) = receiver.take(at(1001), &bytes);
    assert_eq!(
        target.handle_datagram(at(1001), &answer),
        Heard::Acknowledged(5)
    );
    // An answer counts once.
    assert_eq!(target.handle_datagram(at(1001), &answer), unasked);
}

#[test]
fn a_user_without_authentication_is_believed_and_believes() {
    let nobody = User {
        name: "carrier".to_owned(),
        auth: None,
        privacy: None,
    };
    let (mut local, mut target) = sender(nobody, Level::NoAuthNoPriv);
    let mut receiver = Receiver::new("manager", 9, at(0));
    let Ok(Outbound::Question(question)) = target.inform(&mut local, at(50), 1, &notification())
    else {
        panic!("nobody knows the receiver yet");
    };
    let (answer, _) = receiver.take(at(50), &question);
    assert_eq!(target.handle_datagram(at(50), &answer), Heard::Learned(1));
    let bytes = inform(&mut local, &mut target, at(60), 2);
    let security = V3Message::decode(&bytes).unwrap().security;
    assert_eq!((security.boots, security.time), (9, 60));
    let (answer, taken) = receiver.take(at(60), &bytes);
    assert_eq!(taken, Some(notification().pdu(2, true)));
    assert_eq!(
        target.handle_datagram(at(60), &answer),
        Heard::Acknowledged(2)
    );
}

#[test]
fn snmp_v2c_acknowledges_with_its_community() {
    let mut local = Local::new(EngineId::of_node(8164, "node"), 4, at(0));
    let community = Community::new("secret");
    let mut target = Target::new(Security::V2c { community }, local.id());
    let bytes = inform(&mut local, &mut target, at(0), 8);
    let message = CommunityMessage::decode_v2c(&bytes).unwrap();
    assert_eq!(message.pdu, notification().pdu(8, true));
    let answer = |community: &str, status| {
        let pdu = message
            .pdu
            .response(status, 0, message.pdu.varbinds.clone());
        let community = community.into();
        let answer = CommunityMessage {
            is_v1: false,
            community,
            pdu,
        };
        answer.encode().unwrap()
    };
    let mut heard = |bytes: &[u8]| target.handle_datagram(at(0), bytes);
    assert_eq!(
        heard(&answer("secret", Status::NO_ERROR)),
        Heard::Acknowledged(8)
    );
    assert_eq!(
        heard(&answer("secret", Status::GEN_ERR)),
        Heard::Failed(8, Status::GEN_ERR)
    );
    assert_eq!(
        heard(&answer("Secret", Status::NO_ERROR)),
        Heard::Ignored(Ignored::Community)
    );
    assert_eq!(heard(&bytes), Heard::Ignored(Ignored::Malformed));
}

#[test]
fn snmp_v1_has_no_informs() {
    let mut local = Local::new(EngineId::of_node(8164, "node"), 4, at(0));
    let (community, agent) = (Community::new("public"), Ipv4Addr::LOCALHOST);
    let mut target = Target::new(Security::V1 { community, agent }, local.id());
    let inform = target.inform(&mut local, at(0), 1, &notification());
    assert_eq!(inform, Err(EncodeError::NotInV1));
    assert!(target.trap(&mut local, at(0), 1, &notification()).is_ok());
}
