//! Keys and messages of USM against vectors of RFC 3414, of net-snmp, and against each other.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::time::Duration;

use licensing::time::Mono;
use snmp::message::{Kind, Notification, Pdu, Scoped, V3Message};
use snmp::usm::{
    AuthProtocol, BOOTS_MAX, EngineId, EngineIdError, Fault, Key, KeyError, Keys, Level, Local,
    PrivProtocol, Replays, Sealed, Secret, User, check, seal,
};
use snmp::{Oid, Value, VarBind};

const PASSWORD: &[u8] = b"maplesyrup";

fn hex(text: &str) -> Vec<u8> {
    let octet = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(octet).collect()
}

fn at(seconds: u64) -> Mono {
    Mono::default().after(Duration::from_secs(seconds))
}

fn user(name: &str, auth: AuthProtocol, privacy: PrivProtocol) -> User {
    let secret = Secret::of_password(auth, PASSWORD).unwrap();
    User {
        name: name.to_owned(),
        auth: Some((auth, secret.clone())),
        privacy: Some((privacy, secret)),
    }
}

fn net_snmp_engine() -> EngineId {
    EngineId::new(&hex("80007a6904746f6c6c")).unwrap()
}

#[test]
fn keys_are_those_of_rfc_3414_and_net_snmp() {
    use AuthProtocol::{Sha1, Sha256, Sha384, Sha512};
    let key = Sha1.key_of(PASSWORD).unwrap();
    // RFC 3414 section A.3.2.
    assert_eq!(
        key.octets(),
        hex("9fb5cc0381497b3793528939ff788d5d79145211")
    );
    let engine = EngineId::new(&hex("000000000000000000000002")).unwrap();
    let localized = Sha1.localize(&key, &engine);
    assert_eq!(
        localized.octets(),
        hex("6695febc9288e36282235fc7151f128497b38f3f")
    );
    // What snmptrapd 5.9.3 keeps of createUser.
    let engine = net_snmp_engine();
    for (protocol, localized) in [
        (Sha1, "2ae2b2871d2b2717a125c1dd4f8ccc988cd514a6"),
        (
            Sha256,
            "34d0d81474d1ea3f104d11e2ab200d972b824ecc3dd83dce506bac3015c89168",
        ),
        (
            Sha384,
            "5dfe2b902432a3b13934810437f3d2eec33b7d1207f74f7290b44face035ff3e7c2c23d3c3bb6d8b04a8ab0e214f2f33",
        ),
        (
            Sha512,
            "7d5410b732ffd3cd099a0b5455dc4fd942243fbf1d50332be622093adaee1287c58169209dcae62dfb426aa1a8ca5a52763ef63ef07adb3768516a4c5ad25121",
        ),
    ] {
        let key = protocol.key_of(PASSWORD).unwrap();
        assert_eq!(key.octets().len(), protocol.key_bytes());
        assert_eq!(protocol.localize(&key, &engine).octets(), hex(localized));
    }
}

#[test]
fn what_makes_no_key_is_refused() {
    assert_eq!(
        AuthProtocol::Sha256.key_of(b"seven77"),
        Err(KeyError::PasswordTooShort)
    );
    // SHA-1 gives 20 octets, AES-256 wants 32.
    let short = user("u", AuthProtocol::Sha1, PrivProtocol::Aes256);
    let why = KeyError::Length {
        found: 20,
        wanted: 32,
    };
    assert_eq!(short.keys(&net_snmp_engine()).unwrap_err(), why);
    let elsewhere = Secret::Localized {
        engine: net_snmp_engine(),
        key: Key::new(vec![1; 32]),
    };
    let bound = User {
        name: "u".to_owned(),
        auth: Some((AuthProtocol::Sha256, elsewhere)),
        privacy: None,
    };
    assert!(bound.keys(&net_snmp_engine()).is_ok());
    let other = EngineId::of_node(8164, "n");
    assert_eq!(bound.keys(&other).unwrap_err(), KeyError::OtherEngine);
    assert_eq!(format!("{:?}", Key::new(vec![0x55; 3])), "Key(3 octets)");
}

#[test]
fn engine_ids_are_those_of_rfc_3411() {
    assert_eq!(
        EngineId::of_node(31_337, "toll").to_string(),
        "80007a6904746f6c6c"
    );
    let long = EngineId::of_node(31_337, &"n".repeat(28));
    assert_eq!(long.octets().len(), 21);
    assert_eq!(long.octets()[..5], hex("80007a6905"));
    assert_ne!(long, EngineId::of_node(31_337, &"m".repeat(28)));
    assert_eq!(EngineId::of_node(1, "").octets().len(), 21);
    assert_eq!(EngineId::new(&[1; 4]), Err(EngineIdError::Length(4)));
    assert_eq!(EngineId::new(&[1; 33]), Err(EngineIdError::Length(33)));
    assert_eq!(EngineId::new(&[0; 5]), Err(EngineIdError::Blank));
    assert_eq!(EngineId::new(&[0xff; 32]), Err(EngineIdError::Blank));
}

/// Each line of the vectors: the user, and what snmptrap sent as it.
fn sent_by_net_snmp() -> Vec<(User, Vec<u8>)> {
    use AuthProtocol::{Sha1, Sha256, Sha384, Sha512};
    use PrivProtocol::{Aes128, Aes256};
    let lines = include_str!("vectors/net-snmp.txt").lines();
    let vectors = lines.filter_map(|line| {
        let [name, level, octets] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let (auth, privacy) = match name {
            "u1" => (Sha1, Aes128),
            "u256" => (Sha256, Aes128),
            "u384" => (Sha384, Aes256),
            "u512" => (Sha512, Aes256),
            _ => return None,
        };
        assert!(level == "authPriv" || level == "authNoPriv");
        Some((user(name, auth, privacy), hex(octets)))
    });
    vectors.collect()
}

#[test]
fn what_net_snmp_sealed_is_opened() {
    let vectors = sent_by_net_snmp();
    assert_eq!(vectors.len(), 5);
    let local = Local::new(net_snmp_engine(), 7, Mono::default());
    for (user, bytes) in vectors {
        let keys = user.keys(local.id()).unwrap();
        let message = V3Message::decode(&bytes).unwrap();
        let authentic = check(&local, at(1000), Some(&keys), &bytes, &message).unwrap();
        assert_eq!(authentic.level, message.level(), "{}", user.name);
        let pdu = authentic.scoped.pdu;
        assert_eq!(pdu.kind, Kind::Trap);
        assert_eq!(pdu.varbinds[2].value, Value::text("pgw"));
        assert_eq!(pdu.varbinds[3].value, Value::Gauge32(70_000));
        // The same again, in our own words: the same octets.
        let sealed = Sealed {
            id: message.header.id,
            reportable: false,
            level: authentic.level,
            engine_id: message.security.engine_id.clone(),
            boots: 7,
            time: 1000,
            user: message.security.user.clone(),
            salt: message
                .security
                .salt
                .first_chunk()
                .map_or(0, |salt| u64::from_be_bytes(*salt)),
        };
        let scoped = Scoped {
            engine_id: authentic.scoped.engine_id,
            context: authentic.scoped.context,
            pdu,
        };
        assert_eq!(seal(sealed, &keys, scoped).unwrap(), bytes, "{}", user.name);
    }
}

/// A GET to this engine, as somebody would send it at these boots and this time.
fn get(keys: &Keys, level: Level, boots: u32, time: u32, name: &str) -> Vec<u8> {
    let engine_id = net_snmp_engine().octets().to_vec();
    let sealed = Sealed {
        id: 77,
        reportable: true,
        level,
        engine_id: engine_id.clone(),
        boots,
        time,
        user: name.into(),
        salt: 0x1122_3344_5566_7788,
    };
    let varbinds = vec![VarBind::new(Oid::from([1, 3, 6]), Value::Unspecified)];
    let pdu = Pdu {
        kind: Kind::Get,
        request_id: 77,
        varbinds,
    };
    let scoped = Scoped {
        engine_id,
        context: Vec::new(),
        pdu,
    };
    seal(sealed, keys, scoped).unwrap()
}

#[test]
fn only_150_seconds_around_the_time_and_the_same_boots_are_timely() {
    let user = user("u", AuthProtocol::Sha256, PrivProtocol::Aes128);
    let local = Local::new(net_snmp_engine(), 7, at(0));
    let keys = user.keys(local.id()).unwrap();
    let outcome = |local: &Local, boots, time| {
        let bytes = get(&keys, Level::AuthNoPriv, boots, time, "u");
        let message = V3Message::decode(&bytes).unwrap();
        check(local, at(1000), Some(&keys), &bytes, &message).map(|authentic| authentic.level)
    };
    for time in [850, 1000, 1150] {
        assert_eq!(outcome(&local, 7, time), Ok(Level::AuthNoPriv), "{time}");
    }
    for (boots, time) in [(7, 849), (7, 1151), (6, 1000), (8, 1000), (0, 0)] {
        let late = outcome(&local, boots, time);
        assert_eq!(late, Err(Fault::NotInTimeWindow), "{boots} {time}");
    }
    // An engine that can count no more starts is never timely.
    let last = Local::new(net_snmp_engine(), BOOTS_MAX, at(0));
    assert_eq!(outcome(&last, BOOTS_MAX, 1000), Err(Fault::NotInTimeWindow));
}

#[test]
fn each_fault_is_found_in_the_order_of_the_rfc() {
    let user = user("u", AuthProtocol::Sha256, PrivProtocol::Aes128);
    let local = Local::new(net_snmp_engine(), 7, at(0));
    let keys = user.keys(local.id()).unwrap();
    let auth_only = User {
        privacy: None,
        ..user.clone()
    };
    let auth_only = auth_only.keys(local.id()).unwrap();
    let outcome = |local: &Local, keys: Option<&Keys>, bytes: &[u8]| {
        let message = V3Message::decode(bytes).unwrap();
        check(local, at(1000), keys, bytes, &message).map(|authentic| authentic.level)
    };
    let good = get(&keys, Level::AuthPriv, 7, 1000, "u");
    assert_eq!(outcome(&local, Some(&keys), &good), Ok(Level::AuthPriv));
    let other = Local::new(EngineId::of_node(1, "other"), 7, at(0));
    assert_eq!(outcome(&other, None, &good), Err(Fault::UnknownEngine));
    assert_eq!(outcome(&local, None, &good), Err(Fault::UnknownUser));
    let unsupported = outcome(&local, Some(&auth_only), &good);
    assert_eq!(unsupported, Err(Fault::UnsupportedLevel));
    // A stale one with a wrong key is a wrong digest: time is believed only of who is known.
    let stale = get(&keys, Level::AuthPriv, 7, 1, "u");
    let wrong = Secret::of_password(AuthProtocol::Sha256, b"not the password").unwrap();
    let wrong = User {
        name: "u".to_owned(),
        auth: Some((AuthProtocol::Sha256, wrong.clone())),
        privacy: Some((PrivProtocol::Aes128, wrong)),
    };
    let wrong = wrong.keys(local.id()).unwrap();
    assert_eq!(
        outcome(&local, Some(&wrong), &stale),
        Err(Fault::WrongDigest)
    );
    assert_eq!(
        outcome(&local, Some(&keys), &stale),
        Err(Fault::NotInTimeWindow)
    );
}

#[test]
fn a_message_with_any_octet_changed_is_not_authentic() {
    let user = user("u", AuthProtocol::Sha512, PrivProtocol::Aes256);
    let local = Local::new(net_snmp_engine(), 7, at(0));
    let keys = user.keys(local.id()).unwrap();
    let good = get(&keys, Level::AuthPriv, 7, 1000, "u");
    for at_octet in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at_octet] ^= 1;
        let Ok(message) = V3Message::decode(&bytes) else {
            continue;
        };
        let outcome = check(&local, at(1000), Some(&keys), &bytes, &message);
        // Without its bit a message doesn't claim to be authentic; then it must not be read as an encrypted one.
        assert!(outcome.is_err(), "octet {at_octet}: {outcome:?}");
    }
}

#[test]
fn a_mac_that_is_cut_short_is_wrong() {
    let user = user("u", AuthProtocol::Sha256, PrivProtocol::Aes128);
    let local = Local::new(net_snmp_engine(), 7, at(0));
    let keys = user.keys(local.id()).unwrap();
    let good = get(&keys, Level::AuthNoPriv, 7, 1000, "u");
    let message = V3Message::decode(&good).unwrap();
    for octets in [0, 1, 12, 23, 25] {
        let mut cut = message.clone();
        cut.security.mac.resize(octets, 0);
        let bytes = cut.encode();
        let message = V3Message::decode(&bytes).unwrap();
        let outcome = check(&local, at(1000), Some(&keys), &bytes, &message);
        assert_eq!(outcome.unwrap_err(), Fault::WrongDigest, "{octets}");
    }
}

#[test]
fn what_decrypts_to_nothing_sensible_is_a_decryption_error() {
    let user = user("u", AuthProtocol::Sha256, PrivProtocol::Aes128);
    let local = Local::new(net_snmp_engine(), 7, at(0));
    let keys = user.keys(local.id()).unwrap();
    let other_cipher = User {
        privacy: Some((PrivProtocol::Aes256, user.privacy.clone().unwrap().1)),
        ..user
    };
    let other_cipher = other_cipher.keys(local.id()).unwrap();
    let bytes = get(&other_cipher, Level::AuthPriv, 7, 1000, "u");
    let message = V3Message::decode(&bytes).unwrap();
    let outcome = check(&local, at(1000), Some(&keys), &bytes, &message);
    assert_eq!(outcome.unwrap_err(), Fault::Decryption);
}

#[test]
fn salts_come_once_and_differ_over_starts() {
    let mut seen = std::collections::HashSet::new();
    for boots in 1..4 {
        let mut local = Local::new(net_snmp_engine(), boots, at(0));
        assert!((0..1000).all(|_| seen.insert(local.salt())));
    }
}

#[test]
fn encrypted_traps_of_the_same_never_look_the_same() {
    use snmp::target::{Security, Target};
    let user = user("u", AuthProtocol::Sha256, PrivProtocol::Aes128);
    let mut local = Local::new(net_snmp_engine(), 7, at(0));
    let level = Level::AuthPriv;
    let target = Target::new(Security::V3 { user, level }, local.id());
    let notification = Notification {
        uptime: 1,
        trap: Oid::from([1, 3, 6, 1, 4, 1, 1]),
        varbinds: Vec::new(),
    };
    let mut trap = |boots| {
        if boots != local.boots() {
            local = Local::new(net_snmp_engine(), boots, at(0));
        }
        let bytes = target.trap(&mut local, at(5), 9, &notification).unwrap();
        V3Message::decode(&bytes).unwrap().security.salt
    };
    let salts = [trap(7), trap(7), trap(8), trap(8)];
    let different: std::collections::HashSet<_> = salts.iter().collect();
    assert_eq!(different.len(), salts.len());
}

#[test]
fn a_message_is_let_in_once() {
    let mut replays = Replays::default();
    let mac = |n: u32| [n.to_be_bytes(), [7; 4], [7; 4], [7; 4]].concat();
    assert!((0..4096).all(|n| !replays.is_replay(&mac(n))));
    assert!((0..4096).all(|n| replays.is_replay(&mac(n))));
    // The oldest is forgotten for the next, and only that one.
    assert!(!replays.is_replay(&mac(4096)));
    assert!(replays.is_replay(&mac(1)));
    assert!(!replays.is_replay(&mac(0)));
    assert!(!replays.is_replay(&[]) && !replays.is_replay(&[]));
}

#[test]
fn the_clock_of_this_engine_counts_from_its_start() {
    let local = Local::new(net_snmp_engine(), 3, at(100));
    assert_eq!((local.time(at(100)), local.time(at(161))), (0, 61));
    assert_eq!(local.uptime(at(161)), 6100);
    // Hundredths of a second wrap after 497 days.
    let wrapped = u64::from(u32::MAX / 100) + 1;
    assert_eq!(local.uptime(at(100 + wrapped)), 4);
}
