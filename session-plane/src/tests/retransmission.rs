//! Requests that come twice, late or out of order (rule L13).

use std::time::Duration;

use gtp::v1::{Cause, IeType, MessageType};

use super::rig::*;
use crate::statistics::DropReason;

/// T3 5 s, N3 5.
const WINDOW: Duration = Duration::from_secs(25);

//= L13
#[test]
fn the_same_create_gets_the_same_octets_and_no_second_permit() {
    let mut rig = Rig::new();
    let datagram = create(1, 5, "internet").encode(7);
    let first = rig.raw(&datagram);
    rig.pass(WINDOW - Duration::from_nanos(1));
    assert_eq!(rig.raw(&datagram), first);
    assert_eq!((rig.admitted(), rig.live(), rig.addresses_out()), (1, 1, 1));
    let statistics = rig.plane.statistics();
    assert_eq!(
        (statistics.retransmissions, statistics.sessions_created),
        (1, 1)
    );
    assert_eq!((statistics.received[&16], statistics.sent[&17]), (2, 2));
}

//= L13
#[test]
fn a_create_repeated_after_the_window_replaces_its_session() {
    let mut rig = Rig::new();
    let datagram = create(1, 5, "internet").encode(7);
    let first = rig.raw(&datagram);
    rig.pass(WINDOW);
    let second = rig.raw(&datagram);
    assert_ne!(first, second);
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    assert_eq!(rig.plane.statistics().retransmissions, 0);
}

//= L13
#[test]
fn a_refused_create_stays_refused_when_it_is_sent_again() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.ceiling(1);
    let datagram = create(2, 5, "slow").encode(700);
    let refused = rig.raw(&datagram);
    rig.ask(&delete(teid, 5, true));
    assert_eq!(rig.raw(&datagram), refused, "with its back-off time");
    assert_eq!(rig.refusals().len(), 1);
    assert_eq!((rig.live(), rig.plane.statistics().refused), (0, 1));
    let again = rig.ask(&create(2, 5, "slow"));
    assert_eq!(again.cause(), Cause::REQUEST_ACCEPTED);
}

#[test]
fn deletes_and_updates_get_the_same_octets_again() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    for request in [
        update(teid, 5),
        secondary(teid, 6, 5),
        delete(teid, 5, true),
    ] {
        let sequence = rig.next_sequence();
        let first = rig.raw(&request.encode(sequence));
        assert_eq!(Answer1::read(&first[0]).cause(), Cause::REQUEST_ACCEPTED);
        assert_eq!(rig.raw(&request.encode(sequence)), first);
    }
    assert_eq!(rig.plane.statistics().retransmissions, 3);
    assert_eq!(rig.plane.statistics().contexts_created, 1);
}

#[test]
fn a_late_copy_of_a_create_does_not_bring_a_deleted_session_back() {
    let mut rig = Rig::new();
    let datagram = create(1, 5, "internet").encode(700);
    let first = rig.raw(&datagram);
    let teid = Answer1::read(&first[0]).control_teid();
    rig.ask(&delete(teid, 5, true));
    assert_eq!(rig.raw(&datagram), first);
    assert_eq!((rig.live(), rig.admitted()), (0, 1));
}

#[test]
fn a_peer_that_starts_anew_with_the_same_numbers_is_not_a_retransmission() {
    let mut rig = Rig::new();
    let first = rig.raw(&create(1, 5, "internet").encode(0));
    let second = rig.raw(&create(2, 5, "internet").encode(0));
    assert_ne!(first, second);
    assert_eq!(rig.live(), 2);
    assert_eq!(rig.raw(&create(2, 5, "internet").encode(0)), second);
}

#[test]
fn the_same_request_from_another_port_is_another_request() {
    let mut rig = Rig::new();
    let datagram = create(1, 5, "internet").encode(7);
    let first = rig.raw(&datagram);
    let mut path = Rig::path(SGSN);
    path.peer.set_port(40_000);
    rig.plane.handle_datagram(&datagram, path, rig.now);
    let sent = rig.outputs();
    assert_eq!(sent[0].0, path);
    assert_ne!(sent[0].1, first[0]);
    assert_eq!(rig.live(), 1);
}

#[test]
fn old_answers_give_way_to_new_ones_and_to_time() {
    let mut rig = Rig::with(|config| config.bounds.responses = 2);
    let datagrams: Vec<_> = (1..=3)
        .map(|n| create(n, 5, "internet").encode(n as u16))
        .collect();
    let first = rig.raw(&datagrams[0]);
    rig.raw(&datagrams[1]);
    rig.raw(&datagrams[2]);
    assert_ne!(
        rig.raw(&datagrams[0]),
        first,
        "it gave way, and the session is replaced"
    );
    assert_eq!(rig.live(), 3);
    rig.run(WINDOW * 2);
    assert_eq!(rig.plane.statistics().retransmissions, 0);
}

#[test]
fn messages_come_in_any_order() {
    let mut rig = Rig::new();
    let early = rig.ask(&delete(0x1234_5600, 5, true));
    assert_eq!(early.cause(), Cause::NON_EXISTENT);
    let stray = Message1::new(MessageType::CREATE_PDP_CONTEXT_RESPONSE, 0x1234_5600)
        .with(IeType::CAUSE, &[128]);
    assert!(rig.raw(&stray.encode(9)).is_empty());
    assert_eq!(
        rig.plane.statistics().drops[&DropReason::UnexpectedResponse],
        1
    );
}
