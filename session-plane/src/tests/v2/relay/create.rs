//! Create Session through an SGW, and Delete Session.

use std::collections::BTreeSet;
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v2::{
    ApnRestriction, Cause, FTeid, IeType, Indication, InterfaceType, Message, MessageType,
};

use super::super::super::rig::{PGW, RECOVERY, RELAY, SAEGW};
use super::super::rig::{Answer2, MME, Message2, OURSELVES, QOS, create11, encode, fteid, imsi2};
use super::net::{Net, PGW_AT, create, create_through, delete, ue_teid};
use crate::statistics::Ended;

const SECOND: Duration = Duration::from_secs(1);

//= L13
#[test]
fn a_session_is_made_at_both_and_counted_at_each_once() {
    let mut net = Net::new();
    let answer = net.accepted(&create(1, 5, "internet"));
    assert_eq!(net.counts(), (1, 1));
    let ies = answer.ies();
    let sgw = FTeid::parse(ies.get(IeType::F_TEID, 0).unwrap()).unwrap();
    assert_eq!(sgw.interface, InterfaceType::S11_SGW_C);
    assert_eq!(sgw.address().unwrap().to_string(), OURSELVES);
    let pgw = answer.control();
    assert_eq!(pgw.interface, InterfaceType::S5S8_PGW_C);
    assert_eq!(pgw.address().unwrap().to_string(), PGW_AT);
    assert!(answer.paa().v4().is_some_and(|v4| !v4.is_unspecified()));
    assert_eq!(
        ies.get(IeType::APN_RESTRICTION, 0),
        Some(&[ApnRestriction(0).0][..])
    );
    let bearers = answer.bearers();
    let user = |instance| FTeid::parse(bearers[0].get(IeType::F_TEID, instance).unwrap()).unwrap();
    assert_eq!(user(0).interface, InterfaceType::S1U_SGW_U);
    assert_eq!(user(2).interface, InterfaceType::S5S8_PGW_U);
    assert_eq!(user(2).teid, pgw.teid);
    assert!(bearers[0].get(IeType::CHARGING_ID, 0).is_some());
    assert_eq!(bearers.len(), 1);
    let peers = net.sgw[0].plane.peers();
    let counted = peers
        .iter()
        .map(|peer| (peer.address.to_string(), peer.sessions, peer.relayed));
    let expected = [(PGW_AT.to_owned(), 0, 1), (MME.to_owned(), 1, 0)];
    assert_eq!(counted.collect::<BTreeSet<_>>(), expected.into());

    let gone = net.ask(&delete(sgw.teid, 5));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (0, 0));
    let kinds = [
        MessageType::CREATE_SESSION_REQUEST,
        MessageType::DELETE_SESSION_REQUEST,
    ];
    assert_eq!(net.kinds_to_pgw(), kinds);
}

//= L13
#[test]
fn a_request_again_takes_nothing_while_the_pgw_is_asked_and_gets_the_same_answer_after() {
    let mut net = Net::new();
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    for _ in 0..3 {
        net.mme_sends(request.clone());
        net.run(SECOND / 10);
    }
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(net.sgw[0].admitted(), 1);
    assert_eq!(net.kinds_to_pgw(), [MessageType::CREATE_SESSION_REQUEST]);
    assert_eq!(net.sgw[0].plane.statistics().retransmissions, 3);
    assert!(net.to_mme.is_empty());
    net.let_go();
    net.run(SECOND / 10);
    let answer = net.answer_to(&request);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    net.mme_sends(request.clone());
    net.run(SECOND / 10);
    assert_eq!(net.answer_to(&request), answer);
    assert_eq!((net.counts(), net.sgw[0].admitted()), ((1, 1), 1));
    assert!(net.kinds_to_pgw().is_empty());
}

fn ceiling(most: u32) -> Terms {
    Terms {
        ceiling: Some(most),
        ..Terms::default()
    }
}

#[test]
fn what_is_refused_here_never_reaches_the_pgw() {
    let mut net = Net::new();
    net.accepted(&create(1, 5, "internet"));
    net.kinds_to_pgw();
    net.sgw[0].terms(RELAY, ceiling(1));
    let refused = net.ask(&create(2, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert!(!refused.cause_ie().from_remote_node);
    let blocked = Terms {
        block: Some(Block::Service),
        ..Terms::default()
    };
    net.sgw[0].terms(RELAY, blocked);
    let refused = net.ask(&create(2, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    let unknown = net.ask(&create(2, 5, "nowhere"));
    assert_eq!(unknown.cause(), Cause::MISSING_OR_UNKNOWN_APN);
    assert!(net.kinds_to_pgw().is_empty());
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(net.sgw[0].refusals().len(), 2);
}

//= L13
#[test]
fn what_the_pgw_refuses_gives_the_permit_back_and_says_who_it_was() {
    let mut net = Net::new();
    net.pgw.terms(PGW, ceiling(0));
    net.sgw[0].terms(RELAY, ceiling(1));
    for number in 1..4 {
        let refused = net.ask(&create(number, 5, "internet"));
        assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
        assert!(refused.cause_ie().from_remote_node);
        net.assert_empty();
    }
    let later = net.ask(&create(1, 5, "slow"));
    assert_eq!(later.cause(), Cause::APN_CONGESTION);
    let back_off = later.ies().get(IeType::EPC_TIMER, 0).map(<[u8]>::to_vec);
    let told = Answer2::read(net.said_by_pgw.last().unwrap());
    assert_eq!(
        back_off,
        told.ies().get(IeType::EPC_TIMER, 0).map(<[u8]>::to_vec)
    );
    assert!(back_off.is_some());
    net.assert_empty();
    let ended = net.sgw[0].plane.statistics().sessions_ended;
    assert_eq!(ended, [(Ended::NotMade, 4)].into());
    net.pgw.terms(PGW, ceiling(1));
    net.accepted(&create(9, 5, "internet"));
    assert_eq!(net.counts(), (1, 1));
}

//= L13
#[test]
fn a_pgw_that_does_not_answer_is_given_up_and_the_permit_comes_back() {
    let mut net = Net::new();
    net.cut = true;
    net.sgw[0].terms(RELAY, ceiling(1));
    let request = net.begin(&create(1, 5, "internet"));
    net.run(24 * SECOND);
    assert_eq!(net.kinds_to_pgw(), [MessageType::CREATE_SESSION_REQUEST; 5]);
    assert_eq!(net.counts(), (1, 0));
    assert!(net.to_mme.is_empty());
    net.run(SECOND);
    let answer = net.answer_to(&request);
    assert_eq!(answer.cause(), Cause::REMOTE_PEER_NOT_RESPONDING);
    net.assert_empty();
    net.cut = false;
    net.accepted(&create(2, 5, "internet"));
    assert_eq!(net.counts(), (1, 1));
    net.run(60 * SECOND);
    assert_eq!(net.sgw[0].plane.transactions.len(), 0);
    assert_eq!(net.counts(), (1, 1));
}

//= L13
#[test]
fn a_pgw_that_accepts_when_nobody_waits_is_told_to_delete_it() {
    let mut net = Net::new();
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    net.run(26 * SECOND);
    let answer = net.answer_to(&request);
    assert_eq!(answer.cause(), Cause::REMOTE_PEER_NOT_RESPONDING);
    assert_eq!(net.counts(), (0, 1));
    net.let_go();
    net.run(SECOND);
    net.assert_empty();
    assert!(net.to_mme.is_empty());
    let last = net.kinds_to_pgw().pop();
    assert_eq!(last, Some(MessageType::DELETE_SESSION_REQUEST));
}

#[test]
fn bearers_beyond_the_default_one_are_not_asked_for() {
    let mut net = Net::new();
    let further = [73, 0, 1, 0, 6, 80, 0, 22, 0];
    let further = [&further[..], &[0; 22]].concat();
    let request = create(1, 5, "internet").with(IeType::BEARER_CONTEXT, 0, &[]);
    // The rig writes the default bearer last.
    let mut request = request.without(false, IeType::BEARER_CONTEXT, 0);
    let default = request.bearer.take().unwrap();
    request = request
        .with(IeType::BEARER_CONTEXT, 0, &encode(&default))
        .with(IeType::BEARER_CONTEXT, 0, &further);
    let answer = net.ask(&request);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED_PARTIALLY);
    let causes: Vec<_> = answer
        .bearers()
        .iter()
        .map(|b| b.get(IeType::CAUSE, 0).unwrap()[0])
        .collect();
    assert_eq!(causes, [16, 73]);
    let asked = Message::parse(&net.to_pgw[0]).unwrap().ie_set().unwrap();
    assert_eq!(asked.all(IeType::BEARER_CONTEXT, 0).count(), 1);
}

#[test]
fn what_is_of_one_hop_stays_and_all_else_goes_on() {
    let mut net = Net::new();
    let flags = Indication::default()
        .with(Indication::PS)
        .with(Indication::OI);
    let request = create(1, 5, "internet")
        .with(IeType::INDICATION, 0, flags.with(Indication::CRSI).octets())
        .with(IeType::RECOVERY, 0, &[77])
        .with(IeType::PCO, 0, &[0x80, 1, 2])
        .with(IeType(230), 3, &[9, 9])
        .with(IeType::EBI, 0, &[5])
        .with(IeType::LDN, 0, b"mme");
    net.accepted(&request);
    let asked = Answer2::read(&net.to_pgw[0]);
    let ies = asked.ies();
    let expected = Indication::default().with(Indication::CRSI);
    assert_eq!(ies.get(IeType::INDICATION, 0), Some(expected.octets()));
    assert_eq!(ies.get(IeType::RECOVERY, 0), Some(&[RECOVERY][..]));
    assert_eq!(ies.get(IeType::PCO, 0), Some(&[0x80, 1, 2][..]));
    assert_eq!(ies.get(IeType(230), 3), Some(&[9, 9][..]));
    assert_eq!(ies.get(IeType::IMSI, 0), Some(&imsi2(1)[..]));
    assert_eq!(
        (ies.get(IeType::EBI, 0), ies.get(IeType::LDN, 0)),
        (None, None)
    );
    assert_eq!(ies.get(IeType::F_TEID, 1), None);
    let sender = FTeid::parse(ies.get(IeType::F_TEID, 0).unwrap()).unwrap();
    assert_eq!(sender.interface, InterfaceType::S5S8_SGW_C);
    let bearer = &asked.bearers()[0];
    let user = FTeid::parse(bearer.get(IeType::F_TEID, 2).unwrap()).unwrap();
    assert_eq!(
        (user.interface, user.teid),
        (InterfaceType::S5S8_SGW_U, sender.teid)
    );
    assert_eq!(bearer.get(IeType::BEARER_QOS, 0), Some(&QOS[..]));
}

#[test]
fn an_answer_that_accepts_without_what_it_must_tell_is_as_good_as_a_refusal() {
    let mut net = Net::new();
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    let asked = Message::parse(&net.to_pgw[0]).unwrap().header;
    let bare = Message2::new(MessageType::CREATE_SESSION_RESPONSE, Some(0)).with(
        IeType::CAUSE,
        0,
        &[16, 0],
    );
    net.hold = false;
    net.pgw_sends(bare.encode(asked.sequence));
    net.run(SECOND / 10);
    let answer = net.answer_to(&request);
    assert_eq!(answer.cause(), Cause::INVALID_REPLY_FROM_REMOTE_PEER);
    assert_eq!(net.counts(), (0, 1));
    // One that tells at least where it is can be told to delete it.
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    let made = Answer2::read(net.said_by_pgw.last().unwrap());
    let endpoint = made.ies().get(IeType::F_TEID, 1).unwrap().to_vec();
    net.hold = false;
    net.pgw_sends(
        bare.with(IeType::F_TEID, 1, &endpoint)
            .encode(made.header.sequence),
    );
    net.run(SECOND);
    let answer = net.answer_to(&request);
    assert_eq!(answer.cause(), Cause::INVALID_REPLY_FROM_REMOTE_PEER);
    net.assert_empty();
}

/// The same message in the making.
fn again(answer: &Answer2) -> Message2 {
    let ies = answer.ies();
    let bearer = ies.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
    let others = ies.iter().filter(|ie| ie.kind != IeType::BEARER_CONTEXT);
    let message = Message2::new(answer.header.kind, answer.header.teid);
    let message = others.fold(message, |m, ie| m.with(ie.kind, ie.instance, ie.value));
    let inner = bearer.iter();
    inner.fold(message, |m, ie| {
        m.with_bearer(ie.kind, ie.instance, ie.value)
    })
}

#[test]
fn an_answer_that_accepts_without_an_address_or_the_bearer_is_none_that_an_mme_can_use() {
    for (of_bearer, kind) in [
        (false, IeType::PAA),
        (true, IeType::EBI),
        (true, IeType::CAUSE),
    ] {
        let mut net = Net::new();
        net.hold = true;
        let request = net.begin(&create(1, 5, "internet"));
        let made = Answer2::read(net.said_by_pgw.last().unwrap());
        net.hold = false;
        let unfit = again(&made).without(of_bearer, kind, 0);
        net.pgw_sends(unfit.encode(made.header.sequence));
        net.run(SECOND);
        let answer = net.answer_to(&request);
        assert_eq!(
            answer.cause(),
            Cause::INVALID_REPLY_FROM_REMOTE_PEER,
            "{kind}"
        );
        net.assert_empty();
    }
}

#[test]
fn an_address_that_is_no_pgws_is_asked_of_nobody() {
    for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"] {
        let mut net = Net::new();
        let answer = net.ask(&create_through(address, 1, 5, "internet"));
        assert_eq!(answer.cause(), Cause::MANDATORY_IE_INCORRECT, "{address}");
        assert_eq!(net.sgw[0].plane.table.peers.len(), 0);
        net.assert_empty();
    }
}

#[test]
fn our_own_address_is_ours_in_any_form() {
    let mut net = Net::new();
    let mapped = format!("::ffff:{OURSELVES}");
    net.accepted(&create_through(&mapped, 1, 5, "internet"));
    assert_eq!(net.counts(), (0, 0));
    assert_eq!(net.sgw[0].gate.count_exact(SAEGW), 1);
}

#[test]
fn a_pgw_that_tells_an_address_that_is_no_pgws_has_made_nothing() {
    for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", OURSELVES] {
        let mut net = Net::new();
        net.hold = true;
        let request = net.begin(&create(1, 5, "internet"));
        let made = Answer2::read(net.said_by_pgw.last().unwrap());
        net.hold = false;
        let nowhere = fteid(InterfaceType::S5S8_PGW_C, 0x77, address);
        let told = again(&made).but(false, IeType::F_TEID, 1, &nowhere);
        net.pgw_sends(told.encode(made.header.sequence));
        net.run(SECOND);
        let cause = net.answer_to(&request).cause();
        assert_eq!(cause, Cause::INVALID_REPLY_FROM_REMOTE_PEER, "{address}");
        assert_eq!(net.counts().0, 0);
        assert_eq!(net.sgw[0].plane.transactions.len(), 0, "{address}");
    }
}

#[test]
fn a_pgw_that_makes_another_bearer_than_was_asked_for_has_made_nothing() {
    let mut net = Net::new();
    net.accepted(&create(1, 6, "ims"));
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    let made = Answer2::read(net.said_by_pgw.last().unwrap());
    net.lose_held();
    let other = again(&made).but(true, IeType::EBI, 0, &[6]);
    net.pgw_sends(other.encode(made.header.sequence));
    net.run(SECOND);
    let cause = net.answer_to(&request).cause();
    assert_eq!(cause, Cause::INVALID_REPLY_FROM_REMOTE_PEER);
    assert_eq!(net.counts(), (1, 1));
}

#[test]
fn a_pgw_tells_its_own_restarts_and_no_others() {
    let mut net = Net::new();
    let elsewhere = fteid(InterfaceType::S5S8_PGW_C, 0x77, "127.0.0.77");
    for counter in [7, 8] {
        net.hold = true;
        let request = net.begin(&create(counter.into(), 5, "internet"));
        let made = Answer2::read(net.said_by_pgw.last().unwrap());
        net.lose_held();
        let told = again(&made).but(false, IeType::F_TEID, 1, &elsewhere).but(
            false,
            IeType::RECOVERY,
            0,
            &[counter],
        );
        net.pgw_sends(told.encode(made.header.sequence));
        net.run(SECOND);
        assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(net.counts().0, 2);
}

//= L13
#[test]
fn a_colliding_session_is_replaced_at_both_and_its_place_is_never_free() {
    let mut net = Net::new();
    net.sgw[0].terms(RELAY, ceiling(1));
    net.pgw.terms(PGW, ceiling(1));
    let first = net.accepted(&create(1, 5, "internet"));
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet").with(IeType::RECOVERY, 0, &[1]));
    assert_eq!(net.counts(), (1, 1));
    let other = net.ask(&create(2, 5, "internet"));
    assert_eq!(other.cause(), Cause::NO_RESOURCES_AVAILABLE);
    net.let_go();
    net.run(SECOND);
    let second = net.answer_to(&request);
    assert_eq!(second.cause(), Cause::REQUEST_ACCEPTED);
    assert_ne!(second.control(), first.control());
    assert_eq!(second.paa(), first.paa());
    assert_eq!(net.counts(), (1, 1));
    // The PGW replaced it itself: it need not be told.
    assert_eq!(net.kinds_to_pgw(), [MessageType::CREATE_SESSION_REQUEST; 2]);
    assert_eq!(
        net.ask(&delete(ue_teid(&second), 5)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    net.assert_empty();
}

//= L13
#[test]
fn what_a_colliding_session_had_at_its_pgw_goes_if_that_does_not_replace_it() {
    let mut net = Net::new();
    net.accepted(&create(1, 5, "internet"));
    net.kinds_to_pgw();
    // There are PGWs to which another access point name is another session.
    net.accepted(&create(1, 5, "ims"));
    net.run(SECOND);
    assert_eq!(net.counts(), (1, 1));
    let kinds = [
        MessageType::CREATE_SESSION_REQUEST,
        MessageType::DELETE_SESSION_REQUEST,
    ];
    assert_eq!(net.kinds_to_pgw(), kinds);
    // A new one that the PGW refuses does not bring the old one back.
    let blocked = Terms {
        block: Some(Block::Service),
        ..Terms::default()
    };
    net.pgw.terms(PGW, blocked);
    let refused = net.ask(&create(1, 5, "ims"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    net.run(SECOND);
    net.assert_empty();
}

//= L13
#[test]
fn refused_here_a_colliding_session_leaves_the_old_one_as_it_is() {
    let mut net = Net::new();
    let first = net.accepted(&create(1, 5, "internet"));
    let blocked = Terms {
        block: Some(Block::Service),
        ..Terms::default()
    };
    net.sgw[0].terms(RELAY, blocked);
    let refused = net.ask(&create(1, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(
        net.ask(&delete(ue_teid(&first), 5)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    net.assert_empty();
}

//= L13
#[test]
fn a_session_that_the_pgw_is_asked_for_is_replaced_too() {
    let mut net = Net::new();
    net.hold = true;
    let first = net.begin(&create(1, 5, "internet"));
    let second = net.begin(&create(1, 5, "internet"));
    let given_up = net.answer_to(&first);
    assert_eq!(given_up.cause(), Cause::REQUEST_REJECTED);
    assert_eq!(net.counts(), (1, 1));
    // Once more: it is in nobody's way.
    net.mme_sends(first.clone());
    net.run(SECOND / 10);
    assert_eq!(net.answer_to(&first), given_up);
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.answer_to(&second).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(net.sgw[0].plane.statistics().requests_repeated, 0);
}

/// Two requests for the same session might come to the PGW in another order, and the older replace the newer.
//= L13
#[test]
fn a_session_is_asked_for_again_once_the_first_request_has_come_to_its_end() {
    let mut net = Net::new();
    net.hold = true;
    let first = net.begin(&create(1, 5, "internet"));
    // A bearer's number is one session at a PGW, whatever the access point name is.
    let second = net.begin(&create(1, 5, "ims"));
    let third = net.begin(&create(1, 5, "internet"));
    for given_up in [first, second] {
        assert_eq!(net.answer_to(&given_up).cause(), Cause::REQUEST_REJECTED);
    }
    assert_eq!(net.kinds_to_pgw(), [MessageType::CREATE_SESSION_REQUEST]);
    assert_eq!(net.counts(), (1, 1));
    // The answer to the first is lost, and the third is refused: what the first has made goes all the same.
    net.lose_held();
    let blocked = Terms {
        block: Some(Block::Service),
        ..Terms::default()
    };
    net.pgw.terms(PGW, blocked);
    net.run(6 * SECOND);
    assert_eq!(net.answer_to(&third).cause(), Cause::NO_RESOURCES_AVAILABLE);
    let kinds = [
        MessageType::CREATE_SESSION_REQUEST,
        MessageType::CREATE_SESSION_REQUEST,
        MessageType::DELETE_SESSION_REQUEST,
    ];
    assert_eq!(net.kinds_to_pgw(), kinds);
    net.assert_empty();
}

#[test]
fn one_ue_has_collapsed_and_relayed_connections_and_each_counts_as_what_it_is() {
    let mut net = Net::new();
    let relayed = net.accepted(&create(1, 5, "internet"));
    let teid = ue_teid(&relayed);
    let collapsed = Message2 {
        teid: Some(teid),
        ..create11(1, 6, "internet")
    };
    let collapsed = net.accepted(&collapsed);
    assert_eq!(ue_teid(&collapsed), teid);
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(net.sgw[0].gate.count_exact(SAEGW), 1);
    // Either may take the place of the other; what the relayed one had at its PGW goes.
    let again = Message2 {
        teid: Some(teid),
        ..create11(1, 5, "internet")
    };
    net.accepted(&again);
    net.run(SECOND);
    assert_eq!(net.counts(), (0, 0));
    assert_eq!(net.sgw[0].gate.count_exact(SAEGW), 2);
    let again = Message2 {
        teid: Some(teid),
        ..create(1, 6, "internet")
    };
    net.accepted(&again);
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(net.sgw[0].gate.count_exact(SAEGW), 1);
    for ebi in [5, 6] {
        assert_eq!(net.ask(&delete(teid, ebi)).cause(), Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(net.sgw[0].gate.count_exact(SAEGW), 0);
    net.assert_empty();
}

#[test]
fn answers_find_the_worker_that_asked() {
    let mut net = Net::with(4, |_| {});
    net.pgw.terms(PGW, ceiling(40));
    for number in 0..64 {
        let expected = match number < 40 {
            true => Cause::REQUEST_ACCEPTED,
            false => Cause::NO_RESOURCES_AVAILABLE,
        };
        assert_eq!(net.ask(&create(number, 5, "internet")).cause(), expected);
    }
    assert_eq!(net.counts(), (40, 40));
    assert!(net.sgw.iter().all(|rig| rig.plane.table.len() > 0));
    let drops = net.sgw.iter().map(|rig| rig.plane.statistics().drops.len());
    assert_eq!(drops.sum::<usize>(), 0);
}

#[test]
fn one_request_too_many_is_refused_and_leaves_no_trace() {
    let mut net = Net::with(1, |config| config.bounds.requests = 2);
    net.hold = true;
    let waiting: Vec<_> = (1..3)
        .map(|n| net.begin(&create(n, 5, "internet")))
        .collect();
    let refused = net.ask(&create(3, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(net.counts(), (2, 2));
    net.let_go();
    net.run(SECOND);
    for request in waiting {
        assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    }
    net.accepted(&create(3, 5, "internet"));
    assert_eq!(net.counts(), (3, 3));
}
