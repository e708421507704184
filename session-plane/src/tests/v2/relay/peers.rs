//! What becomes of sessions at an SGW when its peers restart or can't be reached.

use std::time::Duration;

use gtp::v2::{Cause, IeType, Message, MessageType};

use super::super::rig::Message2;
use super::net::{Net, create, ue_teid};
use crate::clear::{Clear, Whom};
use crate::statistics::Ended;

const SECOND: Duration = Duration::from_secs(1);
const DELETE_BEARER: MessageType = MessageType::DELETE_BEARER_REQUEST;

/// An Echo Request that tells this restart counter.
fn echo(counter: u8) -> Vec<u8> {
    Message2::new(MessageType::ECHO_REQUEST, None)
        .with(IeType::RECOVERY, 0, &[counter])
        .encode(9)
}

fn create_with(number: u64, recovery: u8) -> Message2 {
    create(number, 5, "internet").with(IeType::RECOVERY, 0, &[recovery])
}

#[test]
fn when_the_mme_has_restarted_the_pgw_is_told() {
    let mut net = Net::new();
    for number in 1..4 {
        net.accepted(&create_with(number, 1));
    }
    net.hold = true;
    let waiting = net.begin(&create_with(4, 1));
    net.mme_sends(echo(2));
    net.run(SECOND);
    assert_eq!(net.answer_to(&waiting).cause(), Cause::REQUEST_REJECTED);
    assert_eq!(net.counts(), (0, 1));
    net.let_go();
    net.run(SECOND);
    net.assert_empty();
    let ended = net.sgw[0].plane.statistics().sessions_ended;
    assert_eq!(ended, [(Ended::PeerLost, 4)].into());
}

/// What is told of the dead leaves room for the living, and none of it is forgotten.
#[test]
fn a_restart_with_many_sessions_holds_up_no_call() {
    let mut net = Net::with(1, |config| config.bounds.requests = 8);
    for number in 1..100 {
        net.accepted(&create_with(number, 1));
    }
    net.hold = true;
    net.mme_sends(echo(2));
    net.run(SECOND);
    assert_eq!(net.counts().0, 0);
    assert_eq!(net.sgw[0].plane.transactions.len(), 4);
    let request = net.begin(&create_with(200, 2));
    assert_eq!(net.counts().0, 1);
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    net.run(10 * SECOND);
    assert_eq!(net.counts(), (1, 1));
    assert!(net.sgw[0].plane.statistics().drops.is_empty());
}

#[test]
fn when_the_pgw_has_restarted_its_sessions_end_here_and_the_mme_is_told() {
    let mut net = Net::new();
    let teids: Vec<_> = (1..4)
        .map(|number| ue_teid(&net.accepted(&create_with(number, 1))))
        .collect();
    net.kinds_to_pgw();
    let counter = net.pgw.plane.config.recovery;
    net.pgw_sends(echo(counter + 1));
    net.run(SECOND);
    assert_eq!(net.counts().0, 0);
    let asked = net.asked_of_mme(DELETE_BEARER);
    assert_eq!(asked.len(), 3);
    for (request, teid) in asked.iter().zip(&teids) {
        let ies = Message::parse(request).unwrap().ie_set().unwrap();
        let why = ies.get(IeType::CAUSE, 0).map(|cause| cause[0]);
        assert_eq!(why, Some(Cause::REACTIVATION_REQUESTED.0));
        net.mme_answers(request, *teid, Cause::REQUEST_ACCEPTED);
    }
    net.run(60 * SECOND);
    assert!(net.asked_of_mme(DELETE_BEARER).is_empty());
    let lost = net
        .to_pgw
        .iter()
        .any(|octets| octets[1] != MessageType::ECHO_RESPONSE.0);
    assert!(!lost, "a PGW that has lost a session is told nothing");
    let statistics = net.sgw[0].plane.statistics();
    assert_eq!(statistics.sessions_ended, [(Ended::PeerLost, 3)].into());
    assert_eq!(statistics.requests_unanswered, 0);
}

#[test]
fn sessions_made_after_a_restart_of_the_pgw_live() {
    let mut net = Net::new();
    net.accepted(&create_with(1, 1));
    net.hold = true;
    let request = net.begin(&create_with(2, 1));
    // Its answer tells the new restart counter: it was made after the restart.
    let counter = net.pgw.plane.config.recovery + 1;
    let made = net.said_by_pgw.last().unwrap().clone();
    let at = made
        .windows(5)
        .rposition(|ie| ie == [3, 0, 1, 0, counter - 1])
        .unwrap();
    let mut answer = made;
    answer[at + 4] = counter;
    net.hold = false;
    net.pgw_sends(answer);
    net.run(SECOND);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts().0, 1);
    assert_eq!(net.asked_of_mme(DELETE_BEARER).len(), 1);
}

#[test]
fn a_pgw_that_can_not_be_reached_loses_its_sessions() {
    let mut net = Net::with(1, |config| {
        config.echo.interval = Some(60 * SECOND);
    });
    net.accepted(&create(1, 5, "internet"));
    net.cut = true;
    let mut mme_alive = || {
        net.run(SECOND);
        // The MME answers its Echo Requests.
        for request in net.asked_of_mme(MessageType::ECHO_REQUEST) {
            let sequence = Message::parse(&request).unwrap().header.sequence;
            let answer = Message2::new(MessageType::ECHO_RESPONSE, None);
            net.mme_sends(answer.with(IeType::RECOVERY, 0, &[1]).encode(sequence));
        }
    };
    (0..95).for_each(|_| mme_alive());
    assert_eq!(net.counts(), (0, 1));
    assert!(!net.asked_of_mme(DELETE_BEARER).is_empty());
    assert_eq!(net.sgw[0].plane.statistics().paths_down, 1);
}

/// TS 29.274 7.2.9.2: a bearer is named by the UE's endpoint and its number, which the MME gives to the next session.
//= L13
#[test]
fn an_mme_is_not_asked_on_to_delete_what_it_has_made_anew() {
    for way in 0..3 {
        // No room: one farewell is bidden, the other waits.
        let mut net = Net::with(1, |config| {
            config.bounds.requests = [16, 16, 2][way];
        });
        let teid = ue_teid(&net.accepted(&create_with(1, 1)));
        net.accepted(&create_with(2, 1));
        let counter = net.pgw.plane.config.recovery;
        if way == 1 {
            // The PGW restarts while the MME is asked what it wanted.
            let clear = Clear {
                whom: Whom::All,
                reactivate: false,
            };
            assert!(net.pgw.plane.clear(&clear, net.now));
            net.run(SECOND / 10);
        }
        net.pgw_sends(echo(counter + 1));
        net.run(SECOND / 10);
        let asked = net.asked_of_mme(DELETE_BEARER);
        assert_eq!(asked.len(), [2, 2, 1][way], "{way}");
        net.restart_pgw();
        let again = [1, 2].map(|number| ue_teid(&net.accepted(&create_with(number, 1))));
        assert_ne!(again[0], teid);
        net.run(60 * SECOND);
        assert!(net.asked_of_mme(DELETE_BEARER).is_empty(), "{way}");
        assert_eq!(net.counts(), (2, 2));
        let plane = &net.sgw[0].plane;
        assert_eq!((plane.transactions.len(), plane.relays.waiting()), (0, 0));
        assert!(plane.statistics().drops.is_empty());
    }
}

/// Of another UE, of another bearer, and of this one at its next end the MME is asked all the same.
#[test]
fn an_mme_is_asked_on_to_delete_what_it_has_not_made_anew() {
    let mut net = Net::new();
    let lose = |net: &mut Net| {
        let counter = net.pgw.plane.config.recovery;
        net.pgw_sends(echo(counter + 1));
        net.run(SECOND / 10);
        net.restart_pgw();
    };
    for number in [1, 2] {
        net.accepted(&create_with(number, 1));
    }
    lose(&mut net);
    net.accepted(&create_with(1, 1));
    net.accepted(&create(2, 6, "internet"));
    net.asked_of_mme(DELETE_BEARER);
    net.run(60 * SECOND);
    assert_eq!(net.asked_of_mme(DELETE_BEARER).len(), 4);
    lose(&mut net);
    net.run(60 * SECOND);
    assert_eq!(net.asked_of_mme(DELETE_BEARER).len(), 10);
}
