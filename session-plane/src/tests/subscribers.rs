//! What an operator is told of one subscriber, and of what kinds of sessions there are.

use std::time::Duration;

use gtp::v1::{Cause, IeType, Imsi, PdpType};
use licensing::RefusalReason;

use super::rig::*;
use crate::session::Access;
use crate::statistics::{AddressType, TypeCount};

fn subscriber(number: u64) -> Imsi {
    Imsi::parse(&imsi(number)).unwrap()
}

fn make_v6(rig: &mut Rig, number: u64, nsapi: u8) {
    let v6 = end_user(PdpType::Ipv6);
    let request = create(number, nsapi, "six").but(IeType::END_USER_ADDRESS, 0, &v6);
    assert_eq!(rig.ask(&request).cause(), Cause::REQUEST_ACCEPTED);
}

#[test]
fn a_subscriber_is_told_with_its_sessions_and_no_other() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    make_v6(&mut rig, 1, 6);
    rig.make(2, 5, "other");
    let made = rig.ask(&secondary(teid, 7, 5));
    assert_eq!(made.cause(), Cause::REQUEST_ACCEPTED);
    let told = rig.plane.subscriber(subscriber(1), rig.now.mono);
    let of = |place: usize| {
        let session = told.sessions[place];
        let addresses = session.addresses.map(|address| address.is_some());
        (session.number, session.apn, session.further, addresses)
    };
    assert_eq!(told.sessions.len(), 2);
    assert_eq!(of(0), (5, 0, 1, [true, false]));
    assert_eq!(of(1), (6, 7, 0, [false, true]));
    assert!(told.sessions.iter().all(|s| s.access == Access::Gn));
    assert!(told.sessions.iter().all(|s| s.peer.is_some()));
    assert!(told.refused.is_empty());
    let nobody = rig.plane.subscriber(subscriber(3), rig.now.mono);
    assert_eq!(nobody, crate::Subscriber::default());
}

//= L17
#[test]
fn a_refused_subscriber_is_told_why_for_a_minute() {
    let mut rig = Rig::new();
    rig.ceiling(0);
    rig.ask(&create(1, 5, "internet"));
    rig.pass(Duration::from_secs(20));
    let cause = rig.ask(&create(1, 5, "other")).cause();
    let told = rig.plane.subscriber(subscriber(1), rig.now.mono);
    let [refused] = &told.refused[..] else {
        panic!("{told:?}");
    };
    assert_eq!(refused.at, rig.now.wall, "the last one");
    assert_eq!(
        (refused.service, refused.reason),
        (GGSN, RefusalReason::AtCeiling)
    );
    assert_eq!((&*refused.apn, refused.cause), ("other", cause.0));
    assert!(
        rig.plane
            .subscriber(subscriber(2), rig.now.mono)
            .refused
            .is_empty()
    );
    rig.pass(Duration::from_secs(40));
    assert!(
        rig.plane
            .subscriber(subscriber(1), rig.now.mono)
            .refused
            .is_empty()
    );
}

#[test]
fn sessions_are_counted_by_access_and_addresses_while_they_are_there() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.make(2, 5, "other");
    make_v6(&mut rig, 3, 5);
    let count = |addresses, sessions| TypeCount {
        access: Access::Gn,
        addresses,
        sessions,
    };
    let both = [count(AddressType::Ipv4, 2), count(AddressType::Ipv6, 1)];
    assert_eq!(rig.plane.statistics().sessions_by_type, both);
    rig.ask(&delete(teid, 5, true));
    let left = [count(AddressType::Ipv4, 1), count(AddressType::Ipv6, 1)];
    assert_eq!(rig.plane.statistics().sessions_by_type, left);
}
