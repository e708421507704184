//! A collapsed SGW and PGW: what an MME asks for, and what it gets.

use gtp::v2::{Cause, FTeid, IeType, InterfaceType, MessageType, Paa};

use super::super::rig::{Rig, SAEGW};
use super::rig::*;

#[test]
fn an_answer_holds_what_a_deployed_mme_asks_for() {
    let mut rig = Rig::v2();
    let answer = rig.accepted2(&create11(1, 5, "internet"));
    assert_eq!(answer.header.teid, Some(mme_teids(1, 5).0));
    let s11 = answer.s11();
    assert_eq!(s11.interface, InterfaceType::S11_SGW_C);
    let pgw = answer.control();
    assert_eq!(pgw.interface, InterfaceType::S5S8_PGW_C);
    assert_ne!(s11.teid, pgw.teid);
    assert_eq!(s11.teid & 0xFF, pgw.teid & 0xFF, "one worker");
    assert!(matches!(answer.paa(), Paa::Ipv4(address) if !address.is_unspecified()));
    assert_eq!(answer.ies().get(IeType::APN_RESTRICTION, 0), Some(&[0][..]));
    let [bearer] = &answer.bearers()[..] else {
        panic!("one bearer context")
    };
    assert_eq!(bearer.get(IeType::EBI, 0), Some(&[5][..]));
    assert_eq!(bearer.get(IeType::CAUSE, 0).unwrap()[0], 16);
    let user = |instance| FTeid::parse(bearer.get(IeType::F_TEID, instance).unwrap()).unwrap();
    assert_eq!(user(0).interface, InterfaceType::S1U_SGW_U);
    assert_eq!(user(2).interface, InterfaceType::S5S8_PGW_U);
    assert_eq!(user(0).v4, Some("127.0.0.9".parse().unwrap()));
    assert_eq!((user(0).teid, user(2).teid), (pgw.teid, pgw.teid));
    let id = bearer.get(IeType::CHARGING_ID, 0);
    assert_eq!(id, Some(&pgw.teid.to_be_bytes()[..]));
}

//= L13
#[test]
fn connections_of_a_ue_share_an_endpoint_and_each_has_a_permit() {
    let mut rig = Rig::v2();
    let first = rig.make11(1, 5, "internet");
    let mut second = create11(1, 6, "ims");
    second.teid = Some(first);
    let second = rig.accepted2(&second);
    assert_eq!(second.s11().teid, first);
    assert_eq!((rig.plane.table.len(), rig.live()), (2, 2));
    let statistics = rig.plane.statistics();
    let by_service: Vec<_> = statistics.sessions_by_service.into_iter().collect();
    assert_eq!(by_service, [(SAEGW, 2)]);
    // The endpoint of the PGW is no way to it from an SGW that does not have it.
    let gone = rig.ask2(&delete2(second.control().teid, 6));
    assert_eq!(gone.cause(), Cause::CONTEXT_NOT_FOUND);
    let unknown = rig.ask2(&delete2(first, 7));
    assert_eq!(unknown.cause(), Cause::CONTEXT_NOT_FOUND);
    for (ebi, left) in [(5, 1), (6, 0)] {
        let answer = rig.accepted2(&delete2(first, ebi));
        assert_eq!(answer.header.teid, Some(mme_teids(1, 5).0));
        assert_eq!((rig.plane.table.len(), rig.live()), (left, i64::from(left)));
    }
    let gone = rig.ask2(&delete2(first, 5));
    assert_eq!(gone.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(rig.addresses_out(), 0);
}

#[test]
fn access_bearers_come_and_go_and_the_sessions_stay() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    let answer = rig.accepted2(&modify11(teid, 1, 5));
    assert_eq!(answer.header.teid, Some(mme_teids(1, 5).0));
    let [bearer] = &answer.bearers()[..] else {
        panic!("one bearer context")
    };
    let sgw = FTeid::parse(bearer.get(IeType::F_TEID, 0).unwrap()).unwrap();
    assert_eq!(sgw.interface, InterfaceType::S1U_SGW_U);
    let enodeb = |rig: &Rig| {
        let context = rig.plane.table.sessions().next().unwrap().1.context;
        (context.peer_teid, context.peer_user().to_string())
    };
    let there = (mme_teids(1, 5).1, ENODEB.to_owned());
    assert_eq!(enodeb(&rig), there);
    let answer = rig.accepted2(&release11(teid));
    assert_eq!(answer.header.teid, Some(mme_teids(1, 5).0));
    assert_eq!(enodeb(&rig), (0, "0.0.0.0".to_owned()));
    assert_eq!(rig.live(), 1);
    rig.accepted2(&modify11(teid, 1, 5));
    assert_eq!(enodeb(&rig), there);
    for request in [release11(teid ^ 0x100), modify11(teid ^ 0x100, 1, 5)] {
        assert_eq!(rig.ask2(&request).cause(), Cause::CONTEXT_NOT_FOUND);
    }
}

#[test]
fn an_sgw_without_a_way_to_its_pgw_says_so() {
    let mut rig = Rig::v2();
    let pgw = fteid(InterfaceType::S5S8_PGW_C, 0, "192.0.2.9");
    let request = |name| create11(1, 5, name).but(false, IeType::F_TEID, 1, &pgw);
    let answer = rig.ask2(&request("away"));
    assert_eq!(answer.cause(), Cause::SERVICE_NOT_SUPPORTED);
    let answer = rig.ask2(&request("ims"));
    assert_eq!(answer.cause(), Cause::MISSING_OR_UNKNOWN_APN);
    let answer = rig.ask2(&create11(1, 5, "away"));
    assert_eq!(answer.cause(), Cause::MISSING_OR_UNKNOWN_APN);
    assert_eq!((rig.plane.table.len(), rig.live()), (0, 0));
}

/// A UE's Modify Bearer Request by which another MME takes it over.
fn taken_over(teid: u32, mme: &str, control: u32) -> Message2 {
    let sender = fteid(InterfaceType::S11_MME_C, control, mme);
    Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid)).with(IeType::F_TEID, 0, &sender)
}

//= L7
#[test]
fn a_ue_goes_over_to_another_mme_with_all_its_connections() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    rig.make11(1, 6, "ims");
    let answer = rig.accepted2(&taken_over(teid, OTHER_MME, 0x4999_0000));
    assert_eq!(answer.header.teid, Some(0x4999_0000));
    let peers = rig.plane.statistics().sessions_by_peer;
    let peers: Vec<_> = peers.into_iter().collect();
    assert_eq!(peers, [(OTHER_MME.parse().unwrap(), 2)]);
    // The MME that had it deletes nothing.
    let old = fteid(InterfaceType::S11_MME_C, mme_teids(1, 5).0, MME);
    let late = rig.ask2(&delete2(teid, 5).with(IeType::F_TEID, 0, &old));
    assert_eq!(late.cause(), Cause::INVALID_PEER);
    assert_eq!(late.header.teid, Some(mme_teids(1, 5).0));
    assert_eq!(rig.live(), 2);
    let new = fteid(InterfaceType::S11_MME_C, 0x4999_0000, OTHER_MME);
    rig.accepted2(&delete2(teid, 5).with(IeType::F_TEID, 0, &new));
    rig.accepted2(&delete2(teid, 6));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}
