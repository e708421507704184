//! The end of a session at an SGW and at its PGW, whoever wants it.

use std::time::Duration;

use gtp::v2::{Cause, IeType, Indication, Message, MessageType};

use super::super::super::rig::{RELAY, SAEGW};
use super::super::rig::{Message2, create11, delete2, modify11};
use super::net::{Net, PGW_AT, create, delete, ue_teid};
use crate::clear::{Clear, Whom};

const SECOND: Duration = Duration::from_secs(1);
const DELETE_BEARER: MessageType = MessageType::DELETE_BEARER_REQUEST;

/// A net with one session; our endpoint for its UE, and the PGW's for the session.
fn with_session() -> (Net, u32, u32) {
    let mut net = Net::new();
    let answer = net.accepted(&create(1, 5, "internet"));
    net.kinds_to_pgw();
    let teids = (ue_teid(&answer), answer.control().teid);
    (net, teids.0, teids.1)
}

fn clear() -> Clear {
    Clear {
        whom: Whom::All,
        reactivate: false,
    }
}

//= L13
#[test]
fn a_session_holds_its_permit_until_the_pgw_has_answered() {
    let (mut net, teid, _) = with_session();
    net.hold = true;
    let request = net.begin(&delete(teid, 5));
    assert_eq!(net.counts(), (1, 0));
    net.mme_sends(request.clone());
    // It is on its way out: nothing else is done with it.
    let again = net.ask(&delete(teid, 5));
    assert_eq!(again.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(net.kinds_to_pgw(), [MessageType::DELETE_SESSION_REQUEST]);
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    net.assert_empty();
}

#[test]
fn a_pgw_that_does_not_answer_does_not_keep_a_session_here() {
    let (mut net, teid, _) = with_session();
    net.cut = true;
    let request = net.begin(&delete(teid, 5));
    net.run(24 * SECOND);
    assert_eq!(net.counts(), (1, 1));
    net.run(2 * SECOND);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (0, 1));
    assert_eq!(net.kinds_to_pgw(), [MessageType::DELETE_SESSION_REQUEST; 5]);
}

#[test]
fn what_the_pgw_does_not_know_is_gone_and_another_refusal_is_passed_on() {
    for (says, told) in [(64, 16), (73, 73)] {
        let (mut net, teid, _) = with_session();
        net.hold = true;
        let request = net.begin(&delete(teid, 5));
        let asked = Message::parse(net.to_pgw.last().unwrap()).unwrap().header;
        let answer = Message2::new(MessageType::DELETE_SESSION_RESPONSE, Some(0))
            .with(IeType::CAUSE, 0, &[says, 0])
            .with(IeType::PCO, 0, &[0x80]);
        net.hold = false;
        net.pgw_sends(answer.encode(asked.sequence));
        net.run(SECOND);
        let answer = net.answer_to(&request);
        assert_eq!(answer.cause(), Cause(told));
        assert_eq!(answer.cause_ie().from_remote_node, told == 73);
        assert_eq!(answer.ies().get(IeType::PCO, 0), Some(&[0x80][..]));
        assert_eq!(net.counts().0, 0);
    }
}

#[test]
fn the_operation_indication_says_whether_the_pgw_is_told() {
    let (mut net, teid, _) = with_session();
    let second = Message2 {
        teid: Some(teid),
        ..create(1, 6, "ims")
    };
    net.accepted(&second);
    let collapsed = Message2 {
        teid: Some(teid),
        ..create11(1, 7, "internet")
    };
    net.accepted(&collapsed);
    net.kinds_to_pgw();
    assert_eq!(net.ask(&delete2(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (1, 2));
    // The Scope Indication: all that the UE has here.
    let scope = Indication::default().with(Indication::SI);
    let all = Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(teid)).with(
        IeType::INDICATION,
        0,
        scope.octets(),
    );
    assert_eq!(net.ask(&all).cause(), Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    assert_eq!(net.counts(), (0, 2));
    assert_eq!(net.sgw[0].gate.count_exact(SAEGW), 0);
    assert!(net.kinds_to_pgw().is_empty());
}

#[test]
fn both_indications_tell_every_pgw() {
    let (mut net, teid, _) = with_session();
    let second = Message2 {
        teid: Some(teid),
        ..create(1, 6, "ims")
    };
    net.accepted(&second);
    let flags = Indication::default()
        .with(Indication::SI)
        .with(Indication::OI);
    let all = Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(teid)).with(
        IeType::INDICATION,
        0,
        flags.octets(),
    );
    assert_eq!(net.ask(&all).cause(), Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    net.assert_empty();
}

//= L13
#[test]
fn a_session_that_the_pgw_is_asked_for_is_deleted_too() {
    let (mut net, teid, _) = with_session();
    net.hold = true;
    let second = Message2 {
        teid: Some(teid),
        ..create(1, 6, "ims")
    };
    let making = net.begin(&second);
    assert_eq!(net.ask(&delete(teid, 6)).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.answer_to(&making).cause(), Cause::REQUEST_REJECTED);
    assert_eq!(net.counts(), (1, 2));
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.counts(), (1, 1));
}

#[test]
fn without_room_for_a_request_a_session_ends_at_once_and_the_pgw_is_told_later() {
    let mut net = Net::with(1, |config| config.bounds.requests = 1);
    let answer = net.accepted(&create(1, 5, "internet"));
    net.hold = true;
    net.begin(&create(2, 5, "internet"));
    let gone = net.ask(&delete(ue_teid(&answer), 5));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (1, 2));
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.counts(), (1, 1));
}

//= L13
#[test]
fn without_room_for_requests_an_mme_hears_that_a_session_is_not_made_and_no_other_does() {
    let mut net = Net::with(1, |config| config.bounds.requests = 4);
    let first = net.accepted(&create(1, 5, "internet"));
    net.hold = true;
    let waiting = [2, 3].map(|n| net.begin(&create(n, 5, "internet")));
    net.hold = false;
    // Half of the requests are taken, and the PGW answers when the MME does not want it any more.
    let unmade = net.say(&create(1, 6, "internet"));
    let gone = net.ask(&delete(ue_teid(&first), 6));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.answer_to(&unmade).cause(), Cause::REQUEST_REJECTED);
    net.hold = true;
    let other = net.begin(&create(4, 5, "internet"));
    net.let_go();
    net.run(SECOND);
    for request in waiting.iter().chain([&other]) {
        assert_eq!(net.answer_to(request).cause(), Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(net.counts(), (4, 4));
    assert_eq!(net.sgw[0].plane.relays.waiting(), 0);
}

//= L13
#[test]
fn without_room_for_requests_what_waits_to_be_asked_for_is_asked_for() {
    let mut net = Net::with(1, |config| config.bounds.requests = 6);
    let first = net.accepted(&create(1, 5, "internet"));
    net.hold = true;
    let waiting = [2, 3, 4].map(|n| net.begin(&create(n, 5, "internet")));
    net.begin(&create(1, 6, "internet"));
    net.ask(&delete(ue_teid(&first), 6));
    let replaced = net.begin(&create(1, 6, "internet"));
    let next = net.begin(&create(1, 6, "internet"));
    assert_eq!(net.answer_to(&replaced).cause(), Cause::REQUEST_REJECTED);
    net.let_go();
    net.run(SECOND);
    for request in waiting.iter().chain([&next]) {
        assert_eq!(net.answer_to(request).cause(), Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(net.counts(), (5, 5));
}

//= L13
#[test]
fn without_room_for_requests_a_pgw_hears_that_a_session_is_gone_and_no_other_does() {
    let mut net = Net::with(1, |config| config.bounds.requests = 4);
    let first = net.accepted(&create(1, 5, "internet"));
    assert!(net.pgw.plane.clear(&clear(), net.now));
    net.run(SECOND / 10);
    let asked = net.asked_of_mme(DELETE_BEARER);
    net.hold = true;
    let waiting = [2, 3].map(|n| net.begin(&create(n, 5, "internet")));
    let gone = net.ask(&delete(ue_teid(&first), 5));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    net.mme_answers(&asked[0], 0, Cause::REQUEST_ACCEPTED);
    let other = net.begin(&create(4, 5, "internet"));
    net.let_go();
    net.run(SECOND);
    for request in waiting.iter().chain([&other]) {
        assert_eq!(net.answer_to(request).cause(), Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(net.counts(), (3, 3));
    assert_eq!(net.sgw[0].plane.relays.waiting(), 0);
}

#[test]
fn the_pgw_has_the_mme_delete_a_session_and_hears_of_it() {
    let (mut net, teid, pgw_teid) = with_session();
    let mut plane = clear();
    plane.reactivate = true;
    assert!(net.pgw.plane.clear(&plane, net.now));
    net.run(SECOND / 10);
    assert_eq!(net.counts(), (1, 1));
    let asked = net.asked_of_mme(DELETE_BEARER);
    assert_eq!(asked.len(), 1);
    let message = Message::parse(&asked[0]).unwrap();
    let ies = message.ie_set().unwrap();
    assert_eq!(ies.get(IeType::EBI, 0), Some(&[5][..]));
    let why = ies.get(IeType::CAUSE, 0).map(|cause| cause[0]);
    assert_eq!(why, Some(Cause::REACTIVATION_REQUESTED.0));
    // The PGW asks again: nothing more is asked of the MME than its own repetition.
    net.run(6 * SECOND);
    assert_eq!(net.asked_of_mme(DELETE_BEARER), [asked[0].clone()]);
    net.mme_answers(&asked[0], teid, Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    net.assert_empty();
    let told = Message::parse(net.to_pgw.last().unwrap()).unwrap();
    assert_eq!(told.header.kind, MessageType::DELETE_BEARER_RESPONSE);
    assert_eq!(told.header.teid, Some(pgw_teid));
    assert_eq!(told.ie_set().unwrap().get(IeType::EBI, 0), Some(&[5][..]));
}

#[test]
fn an_mme_that_does_not_answer_does_not_keep_what_the_pgw_deletes() {
    let (mut net, _, _) = with_session();
    assert!(net.pgw.plane.clear(&clear(), net.now));
    net.run(30 * SECOND);
    assert_eq!(net.asked_of_mme(DELETE_BEARER).len(), 5);
    net.assert_empty();
}

#[test]
fn a_pgw_is_told_which_session_is_gone_whatever_the_mme_says_of_it() {
    for way in 0..3 {
        let (mut net, teid, pgw_teid) = with_session();
        assert!(net.pgw.plane.clear(&clear(), net.now));
        net.run(SECOND / 10);
        let asked = net.asked_of_mme(DELETE_BEARER);
        match way {
            0 => net.run(30 * SECOND),
            1 => drop(net.ask(&delete(teid, 5))),
            _ => {
                let unknown = Message2::new(MessageType::DELETE_BEARER_RESPONSE, Some(0));
                let unknown = unknown.with(IeType::CAUSE, 0, &[Cause::CONTEXT_NOT_FOUND.0, 0]);
                let sequence = Message::parse(&asked[0]).unwrap().header.sequence;
                net.mme_sends(unknown.encode(sequence));
            }
        }
        net.run(SECOND);
        net.assert_empty();
        let told = Message::parse(net.to_pgw.last().unwrap()).unwrap();
        assert_eq!(told.header.kind, MessageType::DELETE_BEARER_RESPONSE);
        assert_eq!(told.header.teid, Some(pgw_teid));
        let ies = told.ie_set().unwrap();
        assert_eq!(ies.get(IeType::CAUSE, 0), Some(&[16, 0][..]));
        assert_eq!(ies.get(IeType::EBI, 0), Some(&[5][..]), "{way}");
    }
}

/// The MME wants a session gone while the PGW wants it, and the other way round.
#[test]
fn deletions_that_cross_end_a_session_once() {
    let (mut net, teid, _) = with_session();
    assert!(net.pgw.plane.clear(&clear(), net.now));
    net.run(SECOND / 10);
    let asked = net.asked_of_mme(DELETE_BEARER);
    assert_eq!(net.ask(&delete(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    net.assert_empty();
    net.mme_answers(&asked[0], teid, Cause::CONTEXT_NOT_FOUND);
    net.run(SECOND);
    net.assert_empty();
    assert!(net.sgw[0].plane.statistics().drops.is_empty());

    let (mut net, teid, _) = with_session();
    let request = net.say(&delete(teid, 5));
    assert!(net.pgw.plane.clear(&clear(), net.now));
    net.collect();
    net.run(SECOND);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    net.assert_empty();
    assert!(net.asked_of_mme(DELETE_BEARER).is_empty());
}

/// TS 23.401 5.4.4.1: the PGW asks again.
#[test]
fn what_the_pgw_deletes_stays_while_the_mme_has_a_hand_over_on() {
    let (mut net, teid, _) = with_session();
    assert!(net.pgw.plane.clear(&clear(), net.now));
    for (cause, left) in [
        (Cause::TEMPORARILY_REJECTED, (1, 1)),
        (Cause::REQUEST_ACCEPTED, (0, 0)),
    ] {
        net.run(6 * SECOND);
        let asked = net.asked_of_mme(DELETE_BEARER);
        net.mme_answers(asked.last().unwrap(), teid, cause);
        net.run(SECOND);
        assert_eq!(net.counts(), left);
    }
    net.assert_empty();
}

#[test]
fn an_operator_clears_a_session_towards_both_sides() {
    let (mut net, teid, _) = with_session();
    assert!(net.sgw[0].plane.clear(&clear(), net.now));
    net.run(SECOND / 10);
    let asked = net.asked_of_mme(DELETE_BEARER);
    assert_eq!((asked.len(), net.counts()), (1, (1, 1)));
    net.mme_answers(&asked[0], teid, Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    net.assert_empty();
    assert_eq!(net.kinds_to_pgw(), [MessageType::DELETE_SESSION_REQUEST]);
}

#[test]
fn an_operator_clears_what_is_relayed_to_a_pgw() {
    let (mut net, teid, _) = with_session();
    let of = |peer: &str| Clear {
        whom: Whom::Peer(peer.parse().unwrap()),
        reactivate: false,
    };
    assert!(net.sgw[0].plane.clear(&of("10.0.0.1"), net.now));
    assert!(net.sgw[0].plane.clear(&of(PGW_AT), net.now));
    net.run(SECOND / 10);
    assert_eq!(net.sgw[0].cleared, [0, 1]);
    let asked = net.asked_of_mme(DELETE_BEARER);
    assert_eq!((asked.len(), net.counts()), (1, (1, 1)));
    net.mme_answers(&asked[0], teid, Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    net.assert_empty();
}

#[test]
fn an_operator_clears_what_the_pgw_is_asked_for() {
    let mut net = Net::new();
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    assert!(net.sgw[0].plane.clear(&clear(), net.now));
    net.run(SECOND / 10);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_REJECTED);
    assert_eq!(net.sgw[0].cleared, [1]);
    assert!(net.asked_of_mme(DELETE_BEARER).is_empty());
    net.let_go();
    net.run(SECOND);
    net.assert_empty();
}

#[test]
fn bearers_beyond_the_default_one_are_refused_to_the_pgw() {
    let (mut net, teid, pgw_teid) = with_session();
    net.accepted(&modify11(teid, 1, 5));
    let session = net.sgw[0].plane.table.sessions().next().unwrap().1.teid;
    let bearer = |kind, number| {
        Message2::new(kind, Some(session))
            .with(IeType::EBI, 0, &[5])
            .with_bearer(IeType::EBI, 0, &[number])
    };
    let dedicated = Message2::new(DELETE_BEARER, Some(session)).with(IeType::EBI, 1, &[6]);
    let bare = Message2::new(DELETE_BEARER, Some(session));
    let stranger = Message2::new(DELETE_BEARER, Some(session ^ 0x100)).with(IeType::EBI, 0, &[5]);
    let not_ours = Message2::new(DELETE_BEARER, Some(session)).with(IeType::EBI, 0, &[6]);
    let of_ue = Message2::new(DELETE_BEARER, Some(teid)).with(IeType::EBI, 0, &[5]);
    let cases = [
        (
            bearer(MessageType::CREATE_BEARER_REQUEST, 0),
            73,
            Some((0, 73)),
        ),
        (
            bearer(MessageType::UPDATE_BEARER_REQUEST, 5),
            73,
            Some((5, 73)),
        ),
        (dedicated, 64, Some((6, 64))),
        (bare, 103, None),
        (stranger, 64, None),
        (not_ours, 64, None),
        (of_ue, 64, None),
    ];
    for (sequence, (request, cause, bearer)) in (700..).zip(cases) {
        net.to_pgw.clear();
        net.pgw_sends(request.encode(sequence));
        net.run(SECOND / 10);
        let answer = super::super::rig::Answer2::read(&net.to_pgw[0]);
        assert_eq!((net.to_pgw.len(), answer.header.sequence), (1, sequence));
        assert_eq!(answer.header.kind, request.kind.response().unwrap());
        assert_eq!(answer.cause(), Cause(cause));
        let told = answer.bearers().first().map(|bearer| {
            let number = bearer.get(IeType::EBI, 0).unwrap()[0];
            (number, bearer.get(IeType::CAUSE, 0).unwrap()[0])
        });
        assert_eq!(told, bearer);
        let known = request.teid == Some(session);
        assert_eq!(answer.header.teid == Some(pgw_teid), known, "{cause}");
    }
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(net.sgw[0].gate.count_exact(RELAY), 1);
}
