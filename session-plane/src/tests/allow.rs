//! Peers that may not ask.

use gtp::v1::{Cause, IeType, MessageType};
use gtp::v2;
use licensing::ServiceIndex;

use super::rig::*;
use super::v2::rig::*;
use crate::PlaneConfig;
use crate::config::{Allowed, Interface, Network};
use crate::statistics::DropReason;

const FRIEND: &str = "10.3.0.7";
const STRANGER: &str = "192.0.2.66";

fn allow(config: &mut PlaneConfig, service: ServiceIndex, interface: Interface, base: &str) {
    config.allowed.push(Allowed {
        service,
        interface,
        networks: vec![Network {
            base: base.parse().unwrap(),
            prefix: 16,
        }],
    });
}

/// Octets in from a peer; the types of what comes back.
fn from(rig: &mut Rig, peer: &str, datagram: &[u8]) -> Vec<u8> {
    let path = Rig::path(peer);
    rig.plane.handle_datagram(datagram, path, rig.now);
    let sent = rig.outputs().into_iter();
    let back = sent.filter(|(way, _)| *way == path);
    back.map(|(_, octets)| octets[1]).collect()
}

fn not_allowed(rig: &Rig) -> u64 {
    let drops = rig.plane.statistics().drops;
    drops.get(&DropReason::NotAllowed).copied().unwrap_or(0)
}

//= TS 33.117 4.2.6.2.3
#[test]
fn who_is_not_on_the_list_is_not_answered_whatever_it_sends() {
    let mut rig = Rig::with(|config| {
        config.apns.retain(|apn| apn.service == GGSN);
        allow(config, GGSN, Interface::Gn, "10.3.0.0");
    });
    let echo = Message1::new(MessageType::ECHO_REQUEST, 0).encode(1);
    let call = create(1, 5, "internet");
    let other_version = [0x48, 1, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0];
    let mut too_short = call.encode(9);
    too_short.truncate(20);
    for datagram in [&echo, &call.encode(2), &other_version.to_vec(), &too_short] {
        assert!(from(&mut rig, STRANGER, datagram).is_empty());
    }
    assert!(from(&mut rig, STRANGER, &[]).is_empty());
    assert_eq!((not_allowed(&rig), rig.live()), (5, 0));
    let statistics = rig.plane.statistics();
    assert!(statistics.received.is_empty(), "nothing of it was read");
    assert_eq!(statistics.datagrams, 5);
    let response = MessageType::CREATE_PDP_CONTEXT_RESPONSE.0;
    assert_eq!(from(&mut rig, FRIEND, &call.encode(3)), [response]);
    assert_eq!(
        from(&mut rig, FRIEND, &echo),
        [MessageType::ECHO_RESPONSE.0]
    );
    assert_eq!((not_allowed(&rig), rig.live()), (5, 1));
}

/// By one port come both versions and all interfaces.
#[test]
fn a_list_is_of_one_service_and_interface() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        allow(config, PGW, Interface::S5, "10.3.0.0");
    });
    let echo = Message1::new(MessageType::ECHO_REQUEST, 0).encode(1);
    assert_eq!(from(&mut rig, STRANGER, &echo).len(), 1, "no list for Gn");
    let by_s11 = create11(1, 5, "internet").encode(2);
    assert_eq!(from(&mut rig, STRANGER, &by_s11).len(), 1, "nor for S11");
    let by_s5 = create2(2, 5, "internet");
    assert!(from(&mut rig, STRANGER, &by_s5.encode(3)).is_empty());
    assert_eq!((not_allowed(&rig), rig.live()), (1, 1));
    let response = v2::MessageType::CREATE_SESSION_RESPONSE.0;
    assert_eq!(from(&mut rig, FRIEND, &by_s5.encode(4)), [response]);
    assert_eq!(rig.live(), 2);
}

//= L7
#[test]
fn a_session_is_changed_and_ended_by_its_own_side_alone() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        allow(config, GGSN, Interface::Gn, "127.0.0.0");
        allow(config, PGW, Interface::S5, "127.0.0.0");
        allow(config, SAEGW, Interface::S11, "127.0.0.0");
        allow(config, SAEGW, Interface::S11, "10.3.0.0");
    });
    let by_gn = rig.make(1, 5, "internet");
    let by_s5 = rig.make2(2, 5, "internet");
    let by_s11 = rig.make11(3, 5, "internet");
    for datagram in [
        delete(by_gn, 5, true).encode(9),
        delete2(by_s5, 5).encode(10),
        delete2(by_s11, 5).encode(11),
        release11(by_s11).encode(12),
    ] {
        assert!(from(&mut rig, STRANGER, &datagram).is_empty());
    }
    assert_eq!((not_allowed(&rig), rig.live()), (4, 3));
    assert_eq!(
        rig.ask(&delete(by_gn, 5, true)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    rig.accepted2(&delete2(by_s5, 5));
    rig.accepted2(&delete2(by_s11, 5));
    assert_eq!(rig.live(), 0);
}

/// An unknown access point name is of no service: whoever is heard is told so.
#[test]
fn what_is_about_nothing_is_answered_to_whoever_is_heard() {
    let mut rig = Rig::with(|config| allow(config, GGSN, Interface::Gn, "127.0.0.0"));
    let unknown = create(1, 5, "nowhere");
    assert_eq!(rig.ask(&unknown).cause(), Cause::MISSING_OR_UNKNOWN_APN);
    let nobody = update(0x7700, 5).but(IeType::NSAPI, 0, &[5]);
    assert_eq!(rig.ask(&nobody).cause(), Cause::NON_EXISTENT);
    assert_eq!(not_allowed(&rig), 0);
}
