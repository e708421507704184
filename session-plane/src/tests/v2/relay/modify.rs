//! Modify Bearer through an SGW: what stays here, and what the PGW is told.

use std::net::IpAddr;
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v2::{Cause, FTeid, IeType, Indication, InterfaceType, Message, MessageType};

use super::super::super::rig::{PGW, RELAY};
use super::super::rig::{
    ENODEB, Message2, OTHER_MME, create11, fteid, handed_over, mme_teids, modify11, release11,
};
use super::net::{Net, create, ue_teid};

const SECOND: Duration = Duration::from_secs(1);
const MODIFY: MessageType = MessageType::MODIFY_BEARER_REQUEST;

fn with_session() -> (Net, u32) {
    let mut net = Net::new();
    let answer = net.accepted(&create(1, 5, "internet"));
    net.kinds_to_pgw();
    let teid = ue_teid(&answer);
    (net, teid)
}

fn enodeb(net: &Net) -> (u32, IpAddr) {
    let context = net.sgw[0].plane.table.sessions().next().unwrap().1.context;
    (context.peer_teid, context.peer_user())
}

fn report(request: Message2) -> Message2 {
    request.with(IeType::ULI, 0, &[0x10, 0x42, 0xF0, 0x10, 0, 0, 0, 9])
}

//= L7
#[test]
fn what_only_the_sgw_has_to_know_stays_here() {
    let (mut net, teid) = with_session();
    let blocked = Terms {
        block: Some(Block::Service),
        ..Terms::default()
    };
    net.sgw[0].terms(RELAY, blocked);
    net.pgw.terms(PGW, blocked);
    let answer = net.accepted(&modify11(teid, 1, 5));
    let bearer = &answer.bearers()[0];
    let user = FTeid::parse(bearer.get(IeType::F_TEID, 0).unwrap()).unwrap();
    assert_eq!(user.interface, InterfaceType::S1U_SGW_U);
    assert_eq!(enodeb(&net), (mme_teids(1, 5).1, ENODEB.parse().unwrap()));
    net.accepted(&release11(teid));
    assert!(net.kinds_to_pgw().is_empty());
    // What the PGW wants to know it is told, blocked or not.
    let answer = net.accepted(&report(modify11(teid, 1, 5)));
    assert_eq!(answer.bearers().len(), 1);
    assert_eq!(enodeb(&net).0, mme_teids(1, 5).1);
    let told = Message::parse(&net.to_pgw[0]).unwrap();
    let ies = told.ie_set().unwrap();
    assert!(ies.get(IeType::ULI, 0).is_some());
    assert!(ies.get(IeType::BEARER_CONTEXT, 0).is_none());
    assert_eq!(net.kinds_to_pgw(), [MODIFY]);
    assert_eq!(net.counts(), (1, 1));
}

#[test]
fn nothing_is_changed_before_the_pgw_has_accepted() {
    let (mut net, teid) = with_session();
    net.cut = true;
    let sender = fteid(InterfaceType::S11_MME_C, 77, OTHER_MME);
    let request = report(modify11(teid, 1, 5)).with(IeType::F_TEID, 0, &sender);
    let request = net.begin(&request);
    net.mme_sends(request.clone());
    net.run(26 * SECOND);
    let answer = net.answer_to(&request);
    assert_eq!(answer.cause(), Cause::REMOTE_PEER_NOT_RESPONDING);
    assert_eq!(answer.header.teid, Some(77));
    assert_eq!(enodeb(&net).0, 0);
    assert_eq!(net.kinds_to_pgw(), [MODIFY; 5]);
    assert_eq!(net.counts(), (1, 1));
    net.cut = false;
    net.accepted(&report(modify11(teid, 1, 5)).with(IeType::F_TEID, 0, &sender));
    let place = net.sgw[0].plane.table.sessions().next().unwrap().0;
    assert_eq!(net.sgw[0].plane.table.endpoints(place).unwrap().peers, 77);
}

/// The PGW answers what the SGW asked last with this cause.
fn pgw_says(net: &mut Net, kind: MessageType, cause: Cause) {
    let asked = Message::parse(net.to_pgw.last().unwrap()).unwrap().header;
    let answer = Message2::new(kind, Some(0))
        .with(IeType::CAUSE, 0, &[cause.0, 0])
        .with(IeType::APN_RESTRICTION, 0, &[2]);
    net.hold = false;
    net.pgw_sends(answer.encode(asked.sequence));
    net.run(SECOND / 10);
}

#[test]
fn what_the_pgw_says_is_passed_on() {
    for cause in [Cause::REQUEST_ACCEPTED, Cause::SERVICE_DENIED] {
        let (mut net, teid) = with_session();
        net.hold = true;
        let request = net.begin(&report(modify11(teid, 1, 5)));
        pgw_says(&mut net, MessageType::MODIFY_BEARER_RESPONSE, cause);
        let answer = net.answer_to(&request);
        assert_eq!(answer.cause(), cause);
        assert_eq!(answer.cause_ie().from_remote_node, !cause.is_accepted());
        assert_eq!(answer.ies().get(IeType::APN_RESTRICTION, 0), Some(&[2][..]));
        assert_eq!(enodeb(&net).0 != 0, cause.is_accepted());
        assert_eq!(net.counts(), (1, 1));
    }
}

#[test]
fn a_session_that_the_pgw_does_not_know_ends_here_too() {
    let (mut net, teid) = with_session();
    net.hold = true;
    let request = net.begin(&report(modify11(teid, 1, 5)));
    let cause = Cause::CONTEXT_NOT_FOUND;
    pgw_says(&mut net, MessageType::MODIFY_BEARER_RESPONSE, cause);
    assert_eq!(net.answer_to(&request).cause(), cause);
    assert_eq!(net.counts().0, 0);
}

#[test]
fn a_session_that_ends_meanwhile_is_not_found() {
    let (mut net, teid) = with_session();
    net.hold = true;
    let request = net.begin(&report(modify11(teid, 1, 5)));
    let gone = net.begin(&super::net::delete(teid, 5));
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.answer_to(&gone).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.answers_to(&request).len(), 1);
    net.assert_empty();
}

#[test]
fn a_hand_over_is_told_to_the_pgw_by_the_first_modify_bearer() {
    let (mut net, teid) = with_session();
    net.accepted(&handed_over(modify11(teid, 1, 5)));
    let told = Message::parse(&net.to_pgw[0]).unwrap();
    let flags = told.ie_set().unwrap();
    let flags = Indication::parse(flags.get(IeType::INDICATION, 0).unwrap()).unwrap();
    assert!(flags.has(Indication::HI));
}

#[test]
fn only_the_pgws_of_the_bearers_in_a_request_are_told() {
    let (mut net, teid) = with_session();
    let named = |request: Message2| Message2 {
        teid: Some(teid),
        ..request
    };
    net.accepted(&named(create(1, 6, "ims")));
    net.accepted(&named(create11(1, 7, "internet")));
    net.kinds_to_pgw();
    net.accepted(&report(modify11(teid, 1, 7)));
    assert!(net.kinds_to_pgw().is_empty());
    net.accepted(&report(modify11(teid, 1, 6)));
    assert_eq!(net.kinds_to_pgw(), [MODIFY]);
    // Without bearers it is about all of them.
    net.accepted(&report(Message2::new(MODIFY, Some(teid))));
    assert_eq!(net.kinds_to_pgw(), [MODIFY; 2]);
}
