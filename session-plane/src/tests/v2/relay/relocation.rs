//! Sessions that come to an SGW from another one (TS 23.401 5.3.3.1, 5.5.1).

use std::net::SocketAddr;
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v2::{Cause, FTeid, IeType, Indication, InterfaceType, Message, MessageType};

use super::super::super::rig::RELAY;
use super::super::rig::{Answer2, Message2, OTHER_SGW, create2, delete2, fteid, imsi2, modify11};
use super::net::{Net, PGW_AT, create, create_through, delete, ue_teid};
use crate::Path;
use crate::statistics::Ended;

const SECOND: Duration = Duration::from_secs(1);

/// A session that the PGW has by another SGW; its endpoint for it.
fn elsewhere(net: &mut Net) -> u32 {
    let sender = fteid(InterfaceType::S5S8_SGW_C, 0x77, OTHER_SGW);
    let request = create2(1, 5, "internet").but(false, IeType::F_TEID, 0, &sender);
    let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 2123);
    let path = Path {
        local: at(OTHER_SGW),
        peer: at(PGW_AT),
    };
    net.post(path, request.encode(77));
    net.run(SECOND);
    let made = Answer2::read(net.said_by_pgw.last().unwrap());
    assert_eq!(
        (made.cause(), net.counts()),
        (Cause::REQUEST_ACCEPTED, (0, 1))
    );
    net.to_pgw.clear();
    made.control().teid
}

/// The MME brings it to us.
fn bring(teid: u32) -> Message2 {
    let control = fteid(InterfaceType::S5S8_PGW_C, teid, PGW_AT);
    let user = fteid(InterfaceType::S5S8_PGW_U, teid, PGW_AT);
    create_through(PGW_AT, 1, 5, "internet")
        .but(false, IeType::F_TEID, 1, &control)
        .without(false, IeType::PAA, 0)
        .with(IeType::UE_TIME_ZONE, 0, &[0x40, 0])
        .with_bearer(IeType::F_TEID, 3, &user)
        .with(
            IeType::INDICATION,
            0,
            Indication::default().with(Indication::OI).octets(),
        )
}

/// The MME prepares to bring it.
fn prepare(teid: u32) -> Message2 {
    bring(teid).without(false, IeType::INDICATION, 0)
}

//= L7
//= L13
#[test]
fn a_session_comes_with_its_address_and_is_not_refused_for_a_license() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    let blocked = Terms {
        block: Some(Block::Service),
        ..Terms::default()
    };
    net.sgw[0].terms(RELAY, blocked);
    let answer = net.accepted(&bring(teid));
    assert_eq!(net.counts(), (1, 1));
    assert_eq!(answer.control().teid, teid);
    let bearer = &answer.bearers()[0];
    let user = |instance| FTeid::parse(bearer.get(IeType::F_TEID, instance).unwrap()).unwrap();
    assert_eq!(user(0).interface, InterfaceType::S1U_SGW_U);
    assert_eq!(
        (user(2).interface, user(2).teid),
        (InterfaceType::S5S8_PGW_U, teid)
    );
    let told = Message::parse(&net.to_pgw[0]).unwrap().ie_set().unwrap();
    assert!(told.get(IeType::UE_TIME_ZONE, 0).is_some());
    assert!(told.get(IeType::APN, 0).is_none());
    assert_eq!(net.kinds_to_pgw(), [MessageType::MODIFY_BEARER_REQUEST]);
    assert_eq!(
        net.ask(&create(2, 5, "internet")).cause(),
        Cause::NO_RESOURCES_AVAILABLE
    );
    // It is the SGW's to delete from here on.
    let gone = net.ask(&delete(ue_teid(&answer), 5));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    net.assert_empty();
}

//= L13
#[test]
fn a_session_that_the_pgw_does_not_know_does_not_come() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    let unknown = net.ask(&bring(teid ^ 0x100));
    assert_eq!(unknown.cause(), Cause::CONTEXT_NOT_FOUND);
    assert!(unknown.cause_ie().from_remote_node);
    assert_eq!(net.counts(), (0, 1));
    let nowhere = net.ask(&bring(teid).without(true, IeType::F_TEID, 3));
    let missing = Some((IeType::F_TEID, 3));
    assert_eq!(
        nowhere.complaint(),
        (Cause::CONDITIONAL_IE_MISSING, missing)
    );
    assert_eq!(net.counts(), (0, 1));
}

/// Nobody deletes at its PGW what did not come.
#[test]
fn a_session_that_did_not_come_in_time_stays_with_whom_it_was() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    net.hold = true;
    let request = net.begin(&bring(teid));
    net.run(26 * SECOND);
    let cause = net.answer_to(&request).cause();
    assert_eq!(cause, Cause::REMOTE_PEER_NOT_RESPONDING);
    let again = net.begin(&bring(teid));
    let instead = net.begin(&bring(teid));
    assert_eq!(net.answer_to(&again).cause(), Cause::REQUEST_REJECTED);
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.answer_to(&instead).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (1, 1));
    assert!(
        net.kinds_to_pgw()
            .iter()
            .all(|kind| *kind == MessageType::MODIFY_BEARER_REQUEST)
    );
}

//= L7
#[test]
fn a_prepared_session_is_the_pgws_by_us_with_the_first_modify_bearer() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    let answer = net.accepted(&prepare(teid));
    assert_eq!((answer.control().teid, net.counts()), (teid, (1, 1)));
    assert!(net.kinds_to_pgw().is_empty());
    net.accepted(&modify11(ue_teid(&answer), 1, 5));
    let told = Answer2::read(&net.to_pgw[0]);
    let bearer = &told.bearers()[0];
    assert_eq!(bearer.get(IeType::EBI, 0), Some(&[5][..]));
    let user = FTeid::parse(bearer.get(IeType::F_TEID, 1).unwrap()).unwrap();
    assert_eq!(user.interface, InterfaceType::S5S8_SGW_U);
    assert_eq!(net.kinds_to_pgw(), [MessageType::MODIFY_BEARER_REQUEST]);
    // It has come: a second one has nothing to tell.
    net.accepted(&modify11(ue_teid(&answer), 1, 5));
    assert!(net.kinds_to_pgw().is_empty());
    let gone = net.ask(&delete(ue_teid(&answer), 5));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    net.assert_empty();
}

//= L13
#[test]
fn a_prepared_session_that_does_not_come_stays_with_whom_it_was() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    let answer = net.accepted(&prepare(teid));
    let scope = Indication::default().with(Indication::SI);
    let cancel = delete2(ue_teid(&answer), 5).with(IeType::INDICATION, 0, scope.octets());
    assert_eq!(net.ask(&cancel).cause(), Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    assert_eq!(net.counts(), (0, 1));
    // Nor is it lost when the MME that prepared it is.
    net.accepted(&prepare(teid).with(IeType::RECOVERY, 0, &[1]));
    let echo = Message2::new(MessageType::ECHO_REQUEST, None).with(IeType::RECOVERY, 0, &[2]);
    net.mme_sends(echo.encode(9));
    net.run(SECOND);
    assert_eq!(net.counts(), (0, 1));
    assert!(net.kinds_to_pgw().is_empty());
}

/// An MME that tells of sessions which no PGW has does not keep permits for them.
//= L13
#[test]
fn a_prepared_session_that_nobody_confirms_gives_its_permit_back() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    let answer = net.accepted(&prepare(teid ^ 0x100));
    assert_eq!(net.counts(), (1, 1));
    net.run(59 * SECOND);
    assert_eq!(net.counts(), (1, 1));
    net.run(SECOND);
    assert_eq!(net.counts(), (0, 1));
    let ended = net.sgw[0].plane.statistics().sessions_ended;
    assert_eq!(ended.get(&Ended::NotMade), Some(&1));
    let late = net.ask(&modify11(ue_teid(&answer), 1, 5));
    assert_eq!(late.cause(), Cause::CONTEXT_NOT_FOUND);
    assert!(net.kinds_to_pgw().is_empty());
    // One that has come stays.
    let answer = net.accepted(&prepare(teid));
    net.run(50 * SECOND);
    net.accepted(&modify11(ue_teid(&answer), 1, 5));
    net.run(120 * SECOND);
    assert_eq!(net.counts(), (1, 1));
}

/// The PGW that is asked in time answers in time, whenever that is; but an MME that asks on and on has no more time.
//= L13
#[test]
fn a_prepared_session_waits_once_for_the_answer_of_its_pgw() {
    let mut net = Net::new();
    let teid = elsewhere(&mut net);
    let answer = net.accepted(&prepare(teid));
    net.hold = true;
    net.run(50 * SECOND);
    let comes = net.begin(&modify11(ue_teid(&answer), 1, 5));
    net.run(20 * SECOND);
    net.let_go();
    net.run(SECOND);
    assert_eq!(net.answer_to(&comes).cause(), Cause::REQUEST_ACCEPTED);
    net.run(120 * SECOND);
    assert_eq!(net.counts(), (1, 1));

    net.cut = true;
    let answer = net.accepted(&create_and_prepare(0x7000));
    for _ in 0..8 {
        net.begin(&modify11(ue_teid(&answer), 2, 5));
        net.run(10 * SECOND);
    }
    assert_eq!(net.counts(), (1, 1));
}

/// Another UE's, which is at no PGW.
fn create_and_prepare(teid: u32) -> Message2 {
    prepare(teid).but(false, IeType::IMSI, 0, &imsi2(2))
}

/// What a PGW does not confirm ends, though the MME tells of several at once.
//= L13
#[test]
fn each_of_several_prepared_sessions_is_to_be_confirmed() {
    let mut net = Net::new();
    let junk = |ebi: u8| prepare(0x7000 + u32::from(ebi)).but(true, IeType::EBI, 0, &[ebi]);
    let first = net.accepted(&junk(5));
    let mut second = junk(6);
    second.teid = Some(ue_teid(&first));
    net.accepted(&second);
    assert_eq!(net.counts(), (2, 0));
    let all = Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(ue_teid(&first)));
    assert_eq!(net.ask(&all).cause(), Cause::CONTEXT_NOT_FOUND);
    net.run(SECOND);
    assert_eq!(net.kinds_to_pgw(), [MessageType::MODIFY_BEARER_REQUEST; 2]);
    net.assert_empty();
}

//= L13
#[test]
fn what_an_mme_brings_that_was_here_before_is_told_to_the_pgw_at_once() {
    let mut net = Net::new();
    let first = net.accepted(&create(1, 5, "internet"));
    net.kinds_to_pgw();
    let again = net.accepted(&prepare(first.control().teid));
    assert_eq!(net.kinds_to_pgw(), [MessageType::MODIFY_BEARER_REQUEST]);
    assert_eq!(net.counts(), (1, 1));
    let gone = net.ask(&delete(ue_teid(&again), 5));
    assert_eq!(gone.cause(), Cause::REQUEST_ACCEPTED);
    net.assert_empty();
}
