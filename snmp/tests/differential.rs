//! What is written here is read by an independent decoder, `snmp-parser`, as it was meant, and by ourselves.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use snmp::message::{
    CommunityMessage, Flags, Header, Kind, Notification, Pdu, Scoped, ScopedData,
    SecurityParameters, Status, V3Message, Version, encoded_len, v1_trap, version_of,
};
use snmp::{Oid, Value, VarBind};
use snmp_parser::asn1_rs::FromBer;
use snmp_parser::{
    NetworkAddress, ObjectSyntax, ScopedPduData, SnmpMessage, SnmpPdu, SnmpV3Message, SnmpVariable,
    VarBindValue,
};

fn oid() -> impl Strategy<Value = Oid> {
    let arc = prop_oneof![0..3u32, 0..300u32, any::<u32>()];
    (0..3u32, 0..40u32, vec(arc, 0..12)).prop_map(|(first, second, rest)| {
        let mut arcs = vec![first, second];
        arcs.extend(rest);
        Oid::new(&arcs).unwrap()
    })
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0..300u32,
        Just(0x7f),
        Just(0x80),
        Just(0x7fff_ffff),
        Just(u32::MAX)
    ]
}

/// Of SNMPv1; the independent decoder takes an empty string for no value, so that none is empty.
fn value_v1() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        (-200..200i32).prop_map(Value::Integer),
        vec(any::<u8>(), 1..300).prop_map(Value::OctetString),
        oid().prop_map(Value::ObjectIdentifier),
        any::<u32>().prop_map(|bits| Value::IpAddress(Ipv4Addr::from_bits(bits))),
        number().prop_map(Value::Counter32),
        number().prop_map(Value::Gauge32),
        number().prop_map(Value::TimeTicks),
        vec(any::<u8>(), 0..40).prop_map(Value::Opaque),
        Just(Value::Unspecified),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => value_v1(),
        1 => any::<u64>().prop_map(Value::Counter64),
        1 => Just(Value::NoSuchObject),
        1 => Just(Value::NoSuchInstance),
        1 => Just(Value::EndOfMibView),
    ]
}

fn varbinds(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<VarBind>> {
    let varbind = (oid(), value).prop_map(|(name, value)| VarBind::new(name, value));
    vec(varbind, 0..10)
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Get),
        Just(Kind::GetNext),
        Just(Kind::Set),
        Just(Kind::Inform),
        Just(Kind::Trap),
        Just(Kind::Report),
        (0..19u32, 0..100u32).prop_map(|(status, index)| Kind::Response {
            status: Status(status),
            index
        }),
        (0..0x8000_0000u32, 0..0x8000_0000u32).prop_map(|(non_repeaters, max_repetitions)| {
            Kind::GetBulk {
                non_repeaters,
                max_repetitions,
            }
        }),
    ]
}

/// The independent decoder has request ids without a sign.
fn pdu() -> impl Strategy<Value = Pdu> {
    (kind(), 0..i32::MAX, varbinds(value())).prop_map(|(kind, request_id, varbinds)| Pdu {
        kind,
        request_id,
        varbinds,
    })
}

fn pdu_v1() -> impl Strategy<Value = Pdu> {
    let kind = kind().prop_filter("an operation of SNMPv1", |kind| match kind {
        Kind::Get | Kind::GetNext | Kind::Set | Kind::Response { .. } => true,
        Kind::GetBulk { .. } | Kind::Inform | Kind::Trap | Kind::Report => false,
    });
    (kind, 0..i32::MAX, varbinds(value_v1())).prop_map(|(kind, request_id, varbinds)| Pdu {
        kind,
        request_id,
        varbinds,
    })
}

/// From its octets: the independent decoder prints 0.0 as nothing.
fn their_oid(oid: &snmp_parser::Oid<'_>) -> Oid {
    let mut arcs = Vec::new();
    let mut arc = 0u64;
    for octet in oid.as_bytes() {
        arc = arc << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let first = (arcs[0] / 40).min(2);
    let mut all = vec![first, arcs[0] - first * 40];
    all.extend(&arcs[1..]);
    let all: Vec<u32> = all.into_iter().map(|arc| arc.try_into().unwrap()).collect();
    Oid::new(&all).unwrap()
}

fn their_varbind(theirs: &SnmpVariable<'_>) -> VarBind {
    let value = match &theirs.val {
        VarBindValue::Unspecified | VarBindValue::Value(ObjectSyntax::Empty) => Value::Unspecified,
        VarBindValue::NoSuchObject => Value::NoSuchObject,
        VarBindValue::NoSuchInstance => Value::NoSuchInstance,
        VarBindValue::EndOfMibView => Value::EndOfMibView,
        VarBindValue::Value(ObjectSyntax::Number(value)) => Value::Integer(*value),
        VarBindValue::Value(ObjectSyntax::String(octets)) => Value::OctetString(octets.to_vec()),
        VarBindValue::Value(ObjectSyntax::Object(oid)) => Value::ObjectIdentifier(their_oid(oid)),
        VarBindValue::Value(ObjectSyntax::IpAddress(NetworkAddress::IPv4(address))) => {
            Value::IpAddress(*address)
        }
        VarBindValue::Value(ObjectSyntax::Counter32(value)) => Value::Counter32(*value),
        VarBindValue::Value(ObjectSyntax::Gauge32(value)) => Value::Gauge32(*value),
        VarBindValue::Value(ObjectSyntax::TimeTicks(value)) => Value::TimeTicks(*value),
        VarBindValue::Value(ObjectSyntax::Opaque(octets)) => Value::Opaque(octets.to_vec()),
        VarBindValue::Value(ObjectSyntax::Counter64(value)) => Value::Counter64(*value),
        VarBindValue::Value(other) => panic!("not of SMIv2: {other:?}"),
    };
    VarBind::new(their_oid(&theirs.oid), value)
}

fn their_pdu(theirs: &SnmpPdu<'_>) -> Pdu {
    let varbinds = theirs.vars_iter().map(their_varbind).collect();
    let (kind, request_id) = match theirs {
        SnmpPdu::Bulk(bulk) => (
            Kind::GetBulk {
                non_repeaters: bulk.non_repeaters,
                max_repetitions: bulk.max_repetitions,
            },
            bulk.req_id,
        ),
        SnmpPdu::TrapV1(_) => panic!("a trap of SNMPv1"),
        SnmpPdu::Generic(pdu) => {
            let kind = match pdu.pdu_type.0 {
                0 => Kind::Get,
                1 => Kind::GetNext,
                2 => Kind::Response {
                    status: Status(pdu.err.0),
                    index: pdu.err_index,
                },
                3 => Kind::Set,
                6 => Kind::Inform,
                7 => Kind::Trap,
                8 => Kind::Report,
                other => panic!("PDU {other}"),
            };
            (kind, pdu.req_id)
        }
    };
    Pdu {
        kind,
        request_id: i32::try_from(request_id).unwrap(),
        varbinds,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn snmp_v2c_is_read_as_it_was_written(community in "[ -~]{0,40}", pdu in pdu()) {
        let message = CommunityMessage { is_v1: false, community: community.clone().into_bytes(), pdu: pdu.clone() };
        let bytes = message.encode().unwrap();
        let (rest, theirs) = SnmpMessage::from_ber(&bytes).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!((theirs.version, &theirs.community), (1, &community));
        prop_assert_eq!(their_pdu(&theirs.pdu), pdu);
        prop_assert_eq!(version_of(&bytes), Ok(Version::V2c));
        prop_assert_eq!(CommunityMessage::decode_v2c(&bytes).unwrap(), message);
    }

    #[test]
    fn snmp_v1_is_read_as_it_was_written(community in "[ -~]{0,40}", pdu in pdu_v1()) {
        let message = CommunityMessage { is_v1: true, community: community.clone().into_bytes(), pdu: pdu.clone() };
        let bytes = message.encode().unwrap();
        let (rest, theirs) = SnmpMessage::from_ber(&bytes).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!((theirs.version, &theirs.community), (0, &community));
        prop_assert_eq!(their_pdu(&theirs.pdu), pdu);
        prop_assert_eq!(version_of(&bytes), Ok(Version::V1));
        prop_assert_eq!(CommunityMessage::decode_v1(&bytes).unwrap(), message);
    }

    #[test]
    fn a_trap_of_snmp_v1_is_read_as_it_was_written(
        uptime in any::<u32>(), trap in oid(), agent in any::<u32>(), varbinds in varbinds(value_v1()),
    ) {
        let agent = Ipv4Addr::from_bits(agent);
        let specific = trap.arcs().last().copied().unwrap();
        let notification = Notification { uptime, trap, varbinds: varbinds.clone() };
        let bytes = v1_trap(b"public", agent, &notification).unwrap();
        let (rest, theirs) = SnmpMessage::from_ber(&bytes).unwrap();
        prop_assert!(rest.is_empty());
        let SnmpPdu::TrapV1(trap) = &theirs.pdu else { panic!("{theirs:?}") };
        prop_assert_eq!(trap.timestamp, uptime);
        prop_assert_eq!(trap.agent_addr, NetworkAddress::IPv4(agent));
        prop_assert_eq!((trap.generic_trap.0, trap.specific_trap), (6, specific));
        prop_assert_eq!(trap.var.iter().map(their_varbind).collect::<Vec<_>>(), varbinds);
    }

    #[test]
    fn snmp_v3_is_read_as_it_was_written(
        id in 0..i32::MAX,
        boots in 0..0x8000_0000u32,
        time in 0..0x8000_0000u32,
        engine in vec(any::<u8>(), 0..33),
        user in "[ -~]{0,32}",
        mac in vec(any::<u8>(), 0..49),
        context in vec(any::<u8>(), 0..33),
        encrypted in proptest::option::of(vec(any::<u8>(), 0..500)),
        pdu in pdu(),
    ) {
        let flags = if encrypted.is_some() { Flags::AUTH | Flags::PRIV } else { Flags::AUTH };
        let security = SecurityParameters {
            engine_id: engine.clone(), boots, time, user: user.clone().into_bytes(), mac: mac.clone(), salt: vec![1; 8],
        };
        let data = match &encrypted {
            Some(octets) => ScopedData::Encrypted(octets.clone()),
            None => ScopedData::Plain(Scoped { engine_id: engine.clone(), context, pdu: pdu.clone() }),
        };
        let message = V3Message { header: Header::ours(id, Flags(flags)), security, data };
        let bytes = message.encode();
        let (rest, theirs) = SnmpV3Message::from_ber(&bytes).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(theirs.header_data.msg_id, id.unsigned_abs());
        prop_assert_eq!((theirs.header_data.msg_flags, theirs.header_data.msg_max_size), (flags, 65_507));
        let snmp_parser::SecurityParameters::USM(usm) = &theirs.security_params else { panic!() };
        prop_assert_eq!(usm.msg_authoritative_engine_id, &engine[..]);
        prop_assert_eq!((usm.msg_authoritative_engine_boots, usm.msg_authoritative_engine_time), (boots, time));
        prop_assert_eq!((&usm.msg_user_name, usm.msg_privacy_parameters), (&user, &[1; 8][..]));
        prop_assert_eq!(usm.msg_authentication_parameters, &mac[..]);
        match (&theirs.data, encrypted) {
            (ScopedPduData::Encrypted(octets), Some(ours)) => prop_assert_eq!(*octets, &ours[..]),
            (ScopedPduData::Plaintext(scoped), None) => prop_assert_eq!(their_pdu(&scoped.data), pdu),
            (theirs, _) => panic!("{theirs:?}"),
        }
        // Where the MAC is, by the pointer of the one that borrows and by ours.
        let at = usm.msg_authentication_parameters.as_ptr() as usize - bytes.as_ptr() as usize;
        prop_assert_eq!(V3Message::mac_in(&bytes).unwrap(), at..at + mac.len());
        prop_assert_eq!(V3Message::decode(&bytes).unwrap(), message);
    }

    #[test]
    fn a_varbind_is_as_long_as_was_reckoned(varbinds in varbinds(value())) {
        let of = |varbinds: Vec<VarBind>| {
            let pdu = Pdu { kind: Kind::Get, request_id: 1, varbinds };
            CommunityMessage { is_v1: false, community: Vec::new(), pdu }.encode().unwrap()
        };
        for varbind in varbinds {
            let bytes = of(vec![varbind.clone()]);
            let theirs = bytes.windows(2).position(|w| w == [0x02, 0x01]).unwrap();
            prop_assert!(theirs > 0);
            let (_, message) = element(&bytes);
            let (_, pdu) = element(&message[5..]);
            let (_, list) = element(&pdu[9..]);
            prop_assert_eq!(encoded_len(&varbind), list.len());
        }
    }
}

/// The golden octets of every notification: name, snmpTrapOID, octets.
#[test]
fn both_decoders_read_the_committed_octets_of_every_notification_alike() {
    let golden = include_str!("golden/traps-v2c.txt");
    let mut read = 0;
    for line in golden.lines() {
        let [name, oid, hex] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(octet).collect();
        let ours = CommunityMessage::decode_v2c(&bytes).unwrap();
        let (rest, theirs) = SnmpMessage::from_ber(&bytes).unwrap();
        assert!(rest.is_empty(), "{name}");
        assert_eq!((theirs.version, theirs.community.as_str()), (1, "public"));
        let pdu = their_pdu(&theirs.pdu);
        // The independent decoder takes an empty string for no value.
        let mut expected = ours.pdu.clone();
        for varbind in &mut expected.varbinds {
            if varbind.value == Value::text("") {
                varbind.value = Value::Unspecified;
            }
        }
        assert_eq!(pdu, expected, "{name}");
        assert_eq!((pdu.kind, pdu.request_id), (Kind::Trap, 7), "{name}");
        assert_eq!(pdu.varbinds[0].value, Value::TimeTicks(100), "{name}");
        let trap: Oid = oid.parse().unwrap();
        assert_eq!(
            pdu.varbinds[1].value,
            Value::ObjectIdentifier(trap),
            "{name}"
        );
        read += 1;
    }
    assert_eq!(read, snmp::notifications::table().count());
}

/// Tag and contents of the element that the octets begin with.
fn element(bytes: &[u8]) -> (u8, &[u8]) {
    let (length, at) = match bytes[1] {
        short @ 0..=0x7f => (usize::from(short), 2),
        long => {
            let at = 2 + usize::from(long & 0x7f);
            let octets = &bytes[2..at];
            (
                octets
                    .iter()
                    .fold(0, |n, octet| n << 8 | usize::from(*octet)),
                at,
            )
        }
    };
    (bytes[0], &bytes[at..at + length])
}
