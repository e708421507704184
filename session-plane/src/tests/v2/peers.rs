//! Peers by GTPv2: restart counters and path supervision.

use std::time::Duration;

use gtp::v2::{IeType, InterfaceType, Message, MessageType};

use super::super::rig::*;
use super::rig::*;

#[test]
fn a_restart_told_in_any_message_ends_older_sessions_and_no_others() {
    let told = |request: Message2, counter: u8| request.with(IeType::RECOVERY, 0, &[counter]);
    let mut rig = Rig::v2();
    rig.accepted2(&told(create2(1, 5, "internet"), 1));
    rig.make2(2, 5, "internet");
    let other = fteid(InterfaceType::S5S8_SGW_C, 1, OTHER_SGW);
    rig.accepted2(&create2(3, 5, "internet").but(false, IeType::F_TEID, 0, &other));
    rig.accepted2(&told(create2(4, 5, "internet"), 2));
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.live(), 2, "the other peer's, and the one made after");
    assert_eq!(rig.plane.statistics().peer_restarts, 1);
    // An Echo Request tells it too.
    let echo = told(Message2::new(MessageType::ECHO_REQUEST, None), 3).encode(1);
    rig.plane.handle_datagram(&echo, Rig::path(SGW), rig.now);
    rig.outputs();
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.live(), 1);
}

#[test]
fn a_modify_without_an_endpoint_tells_the_counter_of_the_peer_that_it_has() {
    let mut rig = Rig::v2();
    let first = create2(1, 5, "internet").with(IeType::RECOVERY, 0, &[1]);
    let teid = rig.accepted2(&first).control().teid;
    let modify = Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid));
    rig.accepted2(&modify.with(IeType::RECOVERY, 0, &[2]));
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.live(), 0);
}

#[test]
fn a_peer_is_asked_for_an_echo_in_its_own_version() {
    let mut rig = Rig::v2();
    rig.make2(1, 5, "internet");
    rig.make(2, 5, "internet");
    let sent = rig.run(Duration::from_secs(61));
    let to = |peer: &str| {
        let datagrams = sent.iter().filter(|(path, _)| *path == Rig::path(peer));
        let octets = datagrams.map(|(_, octets)| octets.clone());
        octets.collect::<Vec<_>>()
    };
    assert_eq!(to(SGSN)[0][..2], [0x32, 1]);
    let asked = to(SGW);
    let question = Message::parse(&asked[0]).unwrap();
    assert_eq!(question.header.kind, MessageType::ECHO_REQUEST);
    let own = question.ie_set().unwrap();
    assert_eq!(own.get(IeType::RECOVERY, 0), Some(&[RECOVERY][..]));
    let answer = Message2::new(MessageType::ECHO_RESPONSE, None).with(IeType::RECOVERY, 0, &[9]);
    let answer = answer.encode(question.header.sequence);
    rig.plane.handle_datagram(&answer, Rig::path(SGW), rig.now);
    rig.run(Duration::from_secs(40));
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.paths_down, 1, "the SGSN's alone");
    assert_eq!(statistics.sessions_by_service.get(&PGW), Some(&1));
    assert_eq!(statistics.sessions_by_service.get(&GGSN), None);
}
