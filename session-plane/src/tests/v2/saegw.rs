//! A collapsed SGW and PGW: what an MME asks for, and what it gets.

use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v2::{Cause, FTeid, IeType, Indication, InterfaceType, MessageType, Paa, PdnType};
use licensing::ServiceIndex;

use super::super::rig::{PGW, Rig, SAEGW};
use super::rig::*;
use crate::statistics::{DropReason, Ended};

const MEI: [u8; 8] = [0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21];

fn at_ceiling(rig: &Rig, service: ServiceIndex) {
    rig.terms(
        service,
        Terms {
            ceiling: Some(0),
            ..Terms::default()
        },
    );
}

fn blocked(rig: &Rig, service: ServiceIndex) {
    rig.terms(
        service,
        Terms {
            block: Some(Block::Service),
            ..Terms::default()
        },
    );
}

fn counts(rig: &Rig) -> (u32, u32) {
    (rig.gate.count_exact(SAEGW), rig.gate.count_exact(PGW))
}

fn with_flags(request: Message2, flags: Indication) -> Message2 {
    request.with(IeType::INDICATION, 0, flags.octets())
}

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
fn an_access_point_name_of_an_sgw_is_not_one_of_an_saegw() {
    let mut rig = Rig::v2();
    let pgw = fteid(InterfaceType::S5S8_PGW_C, 0, "192.0.2.9");
    let request = |name| create11(1, 5, name).but(false, IeType::F_TEID, 1, &pgw);
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
    let peers = rig.sessions_by_peer();
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

/// A Create goes by its IMSI: one whose endpoint is another UE's touches that UE's sessions as little as one with none.
//= L13
#[test]
fn a_create_goes_by_its_subscriber_whatever_endpoint_it_names() {
    let mut rig = Rig::v2();
    let first = rig.make11(1, 5, "internet");
    let second = rig.make11(2, 5, "internet");
    assert_ne!(first, second);
    for (n, named) in [(3, first), (4, first ^ 0x100)] {
        let mut request = create11(1, 5, "internet");
        request.teid = Some(second);
        let again = rig.accepted2(&request);
        let ours = again.s11().teid;
        assert_ne!(ours, second);
        assert_eq!(rig.admitted(), n, "replaced, not added");
        assert_eq!((rig.plane.table.len(), rig.live()), (2, 2));
        assert_eq!(
            rig.ask2(&release11(named)).cause(),
            Cause::CONTEXT_NOT_FOUND
        );
        rig.accepted2(&release11(ours));
    }
    rig.accepted2(&delete2(second, 5));
}

/// The colliding context is that of the UE and the number, whatever its access point name (TS 29.274 7.2.1).
//= L13
#[test]
fn a_colliding_connection_is_replaced_without_its_place_being_free() {
    let mut rig = Rig::v2();
    let old = rig.make11(1, 5, "internet");
    at_ceiling(&rig, SAEGW);
    let refused = rig.ask2(&create11(2, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    // With TEID 0 it is a UE that the MME does not know to be here: what the other MME still sends does not reach it.
    let new = rig.accepted2(&create11(1, 5, "ims")).s11().teid;
    assert_ne!(new, old);
    assert_eq!(counts(&rig), (1, 0));
    assert_eq!(rig.ask2(&delete2(old, 5)).cause(), Cause::CONTEXT_NOT_FOUND);
    // With the UE's own endpoint it stays the same one.
    let mut request = create11(1, 5, "internet");
    request.teid = Some(new);
    assert_eq!(rig.accepted2(&request).s11().teid, new);
    blocked(&rig, SAEGW);
    let refused = rig.ask2(&request);
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(counts(&rig), (1, 0));
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.sessions_ended[&Ended::Replaced], 2);
    rig.accepted2(&delete2(new, 5));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

/// A UE that comes through another MME with TEID 0 and leaves a connection of other number here is one UE still.
#[test]
fn a_ue_has_one_mme_whichever_way_it_came() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    rig.make11(1, 6, "ims");
    let sender = fteid(InterfaceType::S11_MME_C, 0x4777_0000, OTHER_MME);
    let request = create11(1, 5, "internet").but(false, IeType::F_TEID, 0, &sender);
    assert_eq!(rig.accepted2(&request).s11().teid, teid);
    let peers: Vec<_> = rig.sessions_by_peer().into_iter().collect();
    assert_eq!(peers, [(OTHER_MME.parse().unwrap(), 2)]);
    let answer = rig.accepted2(&delete2(teid, 6));
    assert_eq!(answer.header.teid, Some(0x4777_0000));
}

//= L7
//= L13
#[test]
fn a_hand_over_makes_a_call_of_a_pgw_one_of_an_saegw_and_back() {
    let mut rig = Rig::v2();
    let by_wlan = rig.accepted2(&create_by(S2B, 1, 7, "internet"));
    let admitted = rig.admitted();
    assert_eq!(counts(&rig), (0, 1));
    for service in [PGW, SAEGW] {
        blocked(&rig, service);
    }
    let by_lte = rig.accepted2(&handed_over(create11(1, 5, "internet")));
    assert_eq!(by_lte.paa(), by_wlan.paa());
    assert_eq!(counts(&rig), (1, 0));
    let back = rig.accepted2(&handed_over(create_by(S2B, 1, 7, "internet")));
    assert_eq!(back.paa(), by_wlan.paa());
    assert_eq!((counts(&rig), rig.live()), ((0, 1), 1));
    let late = rig.ask2(&delete2(by_lte.s11().teid, 5));
    assert_eq!(late.cause(), Cause::CONTEXT_NOT_FOUND);
    let other = rig.ask2(&handed_over(create11(1, 5, "ims")));
    assert_eq!(other.cause(), Cause::NO_RESOURCES_AVAILABLE);
    // A class of another service counts its own admission.
    assert_eq!(rig.admitted(), admitted + 2);
}

/// What comes over takes a number that another connection of the UE has: that one is gone for the UE.
#[test]
fn a_hand_over_onto_the_number_of_another_connection_ends_that_one() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "ims");
    let by_wlan = rig.accepted2(&create_by(S2B, 1, 7, "internet"));
    let mut request = handed_over(create11(1, 5, "internet"));
    request.teid = Some(teid);
    let answer = rig.accepted2(&request);
    assert_eq!((answer.s11().teid, answer.paa()), (teid, by_wlan.paa()));
    assert_eq!((counts(&rig), rig.live()), ((1, 0), 1));
    assert_eq!(rig.addresses_out(), 1);
}

/// A UE's connection comes to us from another SGW: the MME names the PGW's endpoint, which is ours.
//= L7
#[test]
fn a_connection_comes_from_another_sgw_with_permit_and_address() {
    let mut rig = Rig::v2();
    let before = rig.accepted2(&create2(1, 5, "internet"));
    for service in [PGW, SAEGW] {
        blocked(&rig, service);
    }
    let named = |teid| fteid(InterfaceType::S5S8_PGW_C, teid, OURSELVES);
    let old = before.control().teid;
    let request = |teid| {
        create11(1, 5, "internet")
            .but(false, IeType::F_TEID, 1, &named(teid))
            .without(false, IeType::PAA, 0)
    };
    let unknown = rig.ask2(&request(old ^ 0x100));
    assert_eq!(unknown.cause(), Cause::CONTEXT_NOT_FOUND);
    let stranger = create11(2, 5, "internet").but(false, IeType::F_TEID, 1, &named(old));
    assert_eq!(rig.ask2(&stranger).cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(counts(&rig), (0, 1));
    let peer = rig.sessions_by_peer();
    assert_eq!(peer[&SGW.parse().unwrap()], 1);
    let after = rig.accepted2(&request(old));
    assert_eq!((after.paa(), after.control().teid), (before.paa(), old));
    assert_eq!((counts(&rig), rig.live()), ((1, 0), 1));
    let peers = rig.sessions_by_peer();
    let peers: Vec<_> = peers.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(peers, [(MME.parse().unwrap(), 1)]);
    assert_eq!(rig.ask2(&delete2(old, 5)).cause(), Cause::CONTEXT_NOT_FOUND);
    rig.accepted2(&delete2(after.s11().teid, 5));
    assert_eq!(rig.addresses_out(), 0);
}

/// A hand-over is prepared without the Operation Indication, and cancelled: the SGW that had the connection has it again.
/// Once the UE is here it is not.
//= L7
#[test]
fn a_connection_goes_back_when_its_hand_over_is_cancelled() {
    let mut rig = Rig::v2();
    let before = rig.accepted2(&create2(1, 5, "internet"));
    let here = rig.make11(1, 6, "ims");
    for service in [PGW, SAEGW] {
        blocked(&rig, service);
    }
    let teid = before.control().teid;
    let pgw = fteid(InterfaceType::S5S8_PGW_C, teid, OURSELVES);
    let prepare = create11(1, 5, "internet").but(false, IeType::F_TEID, 1, &pgw);
    let scope = Indication::default().with(Indication::SI);
    let cancel = |teid| {
        let request = Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(teid));
        with_flags(request, scope)
    };
    let prepared = rig.accepted2(&prepare);
    assert_eq!((prepared.s11().teid, counts(&rig)), (here, (2, 0)));
    rig.accepted2(&cancel(here));
    assert_eq!((counts(&rig), rig.live()), ((0, 1), 1));
    let session = rig.plane.table.sessions().next().unwrap().1;
    assert_eq!(session.peer_teid, sgw_teids(1, 5).0);
    assert_eq!(session.context.peer_teid, sgw_teids(1, 5).1);
    let answer = rig.accepted2(&modify(teid, 5, OTHER_SGW, 7));
    assert_eq!(answer.header.teid, Some(7));
    // Told that it is sure, or that the UE has come, it stays, and goes with all the others.
    let sure = Indication::default().with(Indication::OI);
    let ue = rig.accepted2(&with_flags(prepare.clone(), sure)).s11().teid;
    rig.accepted2(&modify(teid, 5, OTHER_SGW, 7));
    let ue = [ue, rig.accepted2(&prepare).s11().teid][1];
    rig.accepted2(&modify11(ue, 1, 5));
    rig.accepted2(&cancel(ue));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
    assert!(rig.plane.prepared.is_empty());
}

/// A UE's connection goes to another SGW, which tells the PGW: it is a PGW's alone from here on.
//= L7
#[test]
fn a_connection_goes_to_another_sgw_with_permit_and_address() {
    let mut rig = Rig::v2();
    let first = rig.accepted2(&create11(1, 5, "internet"));
    let second = rig.accepted2(&create11(1, 6, "ims"));
    for service in [PGW, SAEGW] {
        blocked(&rig, service);
    }
    let (ue, teid) = (first.s11().teid, first.control().teid);
    let by_nobody = Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid));
    assert_eq!(rig.ask2(&by_nobody).cause(), Cause::CONTEXT_NOT_FOUND);
    let wrong = rig.ask2(&modify(teid, 6, OTHER_SGW, 0x6123_0000));
    assert_eq!(wrong.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(counts(&rig), (2, 0));
    let answer = rig.accepted2(&modify(teid, 5, OTHER_SGW, 0x6123_0000));
    assert_eq!(answer.header.teid, Some(0x6123_0000));
    assert_eq!((counts(&rig), rig.live()), ((1, 1), 2));
    let by_apn = rig.plane.statistics().sessions_by_apn;
    assert_eq!(by_apn.iter().sum::<u32>(), 2);
    let peers = rig.sessions_by_peer();
    assert_eq!(peers[&OTHER_SGW.parse().unwrap()], 1);
    // The MME deletes what is left at this SGW: the other connection went along, or is gone.
    let all = Indication::default().with(Indication::SI);
    let request = Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(ue));
    rig.accepted2(&with_flags(request, all));
    assert_eq!((counts(&rig), rig.live()), ((0, 1), 1));
    let late = rig.ask2(&modify(second.control().teid, 6, OTHER_SGW, 1));
    assert_eq!(late.cause(), Cause::CONTEXT_NOT_FOUND);
    rig.accepted2(&delete2(teid, 5));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

/// One that no PGW's access point name is there for goes on counting as it did.
#[test]
fn a_connection_that_goes_where_no_pgw_serves_its_name_counts_as_before() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        config
            .apns
            .retain(|apn| apn.name != "ims" || apn.service != PGW);
    });
    let teid = rig.accepted2(&create11(1, 5, "ims")).control().teid;
    rig.accepted2(&modify(teid, 5, OTHER_SGW, 0x6123_0000));
    assert_eq!((counts(&rig), rig.live()), ((1, 0), 1));
    rig.accepted2(&delete2(teid, 5));
}

//= L7
#[test]
fn what_is_there_is_changed_released_and_deleted_under_a_block() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    blocked(&rig, SAEGW);
    rig.accepted2(&modify11(teid, 1, 5));
    rig.accepted2(&release11(teid));
    rig.accepted2(&modify11(teid, 1, 5));
    rig.accepted2(&taken_over(teid, OTHER_MME, 7));
    assert_eq!(rig.gate.count_exact(SAEGW), 1);
    rig.accepted2(&delete2(teid, 5));
    assert_eq!((rig.live(), rig.gate.count_exact(SAEGW)), (0, 0));
}

/// Bearers of several connections in one message; the MME tells which are not to go on.
#[test]
fn each_bearer_is_told_what_became_of_it() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    rig.make11(1, 6, "ims");
    let group = |ebi: u8| [IeType::EBI.0, 0, 1, 0, ebi];
    let context = IeType::BEARER_CONTEXT;
    let request = modify11(teid, 1, 5)
        .with(context, 0, &group(6))
        .with(context, 0, &group(9));
    let answer = rig.ask2(&request);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED_PARTIALLY);
    let told = |answer: &Answer2, instance| {
        let ies = answer.ies();
        let groups = ies.groups(context, instance).map(Result::unwrap);
        let value = |group: &gtp::v2::IeSet<'_>, kind| group.get(kind, 0).map(|value| value[0]);
        let rows = groups.map(|group| (value(&group, IeType::EBI), value(&group, IeType::CAUSE)));
        rows.map(|(ebi, cause)| (ebi.unwrap(), cause.unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&answer, 0), [(5, 16), (6, 16), (9, 64)]);
    assert!(answer.bearers()[2].get(IeType::F_TEID, 0).is_none());
    let none = rig.ask2(&modify11(teid, 1, 9));
    assert_eq!(none.cause(), Cause::CONTEXT_NOT_FOUND);
    // Without its default bearer a connection is none; what is not there is removed already.
    let request = modify11(teid, 1, 5)
        .with(context, 1, &group(6))
        .with(context, 1, &group(9));
    let answer = rig.accepted2(&request);
    assert_eq!(told(&answer, 0), [(5, 16)]);
    assert_eq!(told(&answer, 1), [(6, 16), (9, 64)]);
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    let request = Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid));
    let answer = rig.accepted2(&request.with(context, 1, &group(5)));
    assert_eq!(answer.header.teid, Some(mme_teids(1, 5).0));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn a_modify_that_is_malformed_changes_nothing() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    rig.make11(1, 6, "ims");
    let group = [IeType::EBI.0, 0, 1, 0, 6];
    let broken = [IeType::EBI.0, 0, 9];
    for instance in [0, 1] {
        let request = modify11(teid, 1, 5).with(IeType::BEARER_CONTEXT, 1, &group);
        let request = request.with(IeType::BEARER_CONTEXT, instance, &broken);
        let answer = rig.ask2(&request);
        let named = Some((IeType::BEARER_CONTEXT, instance));
        assert_eq!(answer.complaint(), (Cause::MANDATORY_IE_INCORRECT, named));
        assert_eq!(rig.live(), 2);
        let mut sessions = rig.plane.table.sessions();
        assert!(sessions.all(|(_, session)| session.context.peer_teid == 0));
    }
}

#[test]
fn an_enodeb_told_with_the_create_is_where_user_data_goes() {
    let mut rig = Rig::v2();
    let enodeb = fteid(InterfaceType::S1U_ENB_U, 0x5000_0001, ENODEB);
    rig.accepted2(&create11(1, 5, "internet").with_bearer(IeType::F_TEID, 0, &enodeb));
    let context = rig.plane.table.sessions().next().unwrap().1.context;
    assert_eq!(context.peer_teid, 0x5000_0001);
    assert_eq!(context.peer_user().to_string(), ENODEB);
    let broken = create11(2, 5, "internet").with_bearer(IeType::F_TEID, 0, &[0x80]);
    let answer = rig.ask2(&broken);
    let named = Some((IeType::F_TEID, 0));
    assert_eq!(answer.complaint(), (Cause::MANDATORY_IE_INCORRECT, named));
    assert!(answer.cause_ie().bearer_context_error);
    assert_eq!(rig.live(), 1);
}

#[test]
fn a_scope_of_all_ends_every_connection_of_the_ue_and_of_no_other() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    rig.make11(1, 6, "ims");
    let other = rig.make11(2, 5, "internet");
    let missing = rig.ask2(&Message2::new(
        MessageType::DELETE_SESSION_REQUEST,
        Some(teid),
    ));
    let named = Some((IeType::EBI, 0));
    assert_eq!(missing.complaint(), (Cause::CONDITIONAL_IE_MISSING, named));
    let all = Indication::default().with(Indication::SI);
    // The Operation Indication is for an SGW whose PGW is another.
    rig.accepted2(&with_flags(delete2(teid, 5), all.with(Indication::OI)));
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    rig.accepted2(&with_flags(
        delete2(other, 5),
        Indication::default().with(Indication::OI),
    ));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn both_addresses_want_a_bearer_that_carries_both() {
    let mut rig = Rig::v2();
    let request =
        create11(1, 5, "dual").but(false, IeType::PAA, 0, &paa(Paa::dynamic(PdnType::Ipv4v6)));
    let answer = rig.ask2(&request);
    assert_eq!(answer.cause(), Cause::NEW_PDN_TYPE_SINGLE_ADDRESS_BEARER);
    let flags = Indication::default().with(Indication::DAF);
    let answer = rig.accepted2(&with_flags(request, flags));
    assert_eq!(answer.paa().pdn_type(), PdnType::Ipv4v6);
}

//= L8
#[test]
fn emergency_and_priority_calls_and_back_off_are_those_of_a_pgw() {
    let mut rig = Rig::v2();
    blocked(&rig, SAEGW);
    let without = create11(1, 5, "sos")
        .without(false, IeType::IMSI, 0)
        .with(IeType::MEI, 0, &MEI);
    let call = rig.accepted2(&without);
    let again = rig.accepted2(&without);
    assert_ne!(call.s11().teid, again.s11().teid);
    assert_eq!((rig.live(), rig.gate.count_exact(SAEGW)), (1, 0));
    rig.accepted2(&modify11(again.s11().teid, 1, 5));
    let refused = rig.ask2(&create11(2, 5, "slow"));
    assert_eq!(refused.cause(), Cause::APN_CONGESTION);
    assert!(refused.ies().get(IeType::EPC_TIMER, 0).is_some());
    rig.terms(
        SAEGW,
        Terms {
            ceiling: Some(0),
            priority_share: 1,
            ..Terms::default()
        },
    );
    let plain = create11(3, 5, "internet");
    let refused = rig.ask2(&plain);
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    rig.accepted2(&plain.but(true, IeType::BEARER_QOS, 0, &qos(2)));
    assert_eq!(rig.gate.count_exact(SAEGW), 1);
    let seen = rig.refusals();
    assert!(seen.iter().all(|refusal| refusal.service == SAEGW));
}

#[test]
fn an_mme_that_restarts_or_is_silent_loses_its_sessions_and_their_ues() {
    let mut rig = Rig::v2();
    let told = |request: Message2, counter: u8| request.with(IeType::RECOVERY, 0, &[counter]);
    let teid = rig
        .accepted2(&told(create11(1, 5, "internet"), 1))
        .s11()
        .teid;
    rig.make11(1, 6, "ims");
    rig.accepted2(&told(create11(2, 5, "internet"), 2));
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.live(), 1, "the one made after");
    assert_eq!(rig.ask2(&release11(teid)).cause(), Cause::CONTEXT_NOT_FOUND);
    rig.run(Duration::from_secs(120));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
    assert_eq!(rig.plane.statistics().paths_down, 1);
}

/// A UE comes back before the sessions from before its MME's restart have all been ended.
#[test]
fn a_ue_outlives_the_restart_of_its_mme_with_its_new_session() {
    let mut rig = Rig::v2();
    let told = |request: Message2, counter: u8| request.with(IeType::RECOVERY, 0, &[counter]);
    rig.accepted2(&told(create11(1, 5, "internet"), 1));
    rig.make11(1, 6, "ims");
    let teid = rig
        .accepted2(&told(create11(1, 5, "internet"), 2))
        .s11()
        .teid;
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.live(), 1);
    assert_eq!(
        rig.ask2(&delete2(teid, 6)).cause(),
        Cause::CONTEXT_NOT_FOUND
    );
    rig.accepted2(&delete2(teid, 5));
}

//= L13
#[test]
fn requests_that_come_again_in_another_order_or_late_change_nothing_twice() {
    let mut rig = Rig::v2();
    let create = create11(1, 5, "internet").encode(0x0020_0001);
    let created = rig.raw(&create);
    let teid = Answer2::read(&created[0]).s11().teid;
    let others = [
        modify11(teid, 1, 5).encode(0x0020_0002),
        release11(teid).encode(0x0020_0003),
        delete2(teid, 5).encode(0x0020_0004),
    ];
    let answers: Vec<_> = others.iter().map(|octets| rig.raw(octets)).collect();
    assert_eq!((rig.live(), rig.admitted()), (0, 1));
    // All of them once more, the last first: each gets the octets that it got.
    for (octets, answer) in others.iter().zip(&answers).rev() {
        assert_eq!(rig.raw(octets), *answer);
    }
    assert_eq!(rig.raw(&create), created);
    assert_eq!((rig.live(), rig.admitted()), (0, 1));
    let late = rig.ask2(&modify11(teid, 1, 5));
    assert_eq!(late.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(rig.plane.statistics().retransmissions, 4);
}

#[test]
fn notices_are_accepted_and_repeat_what_they_must() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    let change = notice(MessageType::CHANGE_NOTIFICATION_REQUEST, teid);
    let change = change.with(IeType::RAT_TYPE, 0, &[6]);
    let answer = rig.accepted2(&change.clone().with(IeType::MEI, 0, &MEI));
    assert_eq!(answer.ies().get(IeType::IMSI, 0), Some(&imsi2(1)[..]));
    assert_eq!(answer.ies().get(IeType::MEI, 0), Some(&MEI[..]));
    let malformed = rig.ask2(&change.clone().but(false, IeType::IMSI, 0, &[0xAA; 8]));
    let named = Some((IeType::IMSI, 0));
    assert_eq!(
        malformed.complaint(),
        (Cause::MANDATORY_IE_INCORRECT, named)
    );
    assert_eq!(malformed.ies().get(IeType::IMSI, 0), None);
    let without = rig.accepted2(&change.without(false, IeType::IMSI, 0));
    assert_eq!(without.ies().get(IeType::IMSI, 0), None);
    let by_sgw = rig.make2(2, 5, "internet");
    for kind in [
        MessageType::SUSPEND_NOTIFICATION,
        MessageType::RESUME_NOTIFICATION,
    ] {
        for teid in [teid, by_sgw] {
            let answer = rig.accepted2(&notice(kind, teid));
            assert_eq!(answer.ies().get(IeType::IMSI, 0), None);
        }
    }
    assert_eq!(rig.live(), 2);
}

#[test]
fn commands_fail_with_what_their_indications_must_carry() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    let delete = Message2::new(MessageType::DELETE_BEARER_COMMAND, Some(teid));
    let answer = rig.ask2(&delete.with_bearer(IeType::EBI, 0, &[6]));
    assert_eq!(answer.cause(), Cause::CONTEXT_NOT_FOUND);
    let [bearer] = &answer.bearers()[..] else {
        panic!("one bearer context")
    };
    assert_eq!(bearer.get(IeType::EBI, 0), Some(&[6][..]));
    assert_eq!(bearer.get(IeType::CAUSE, 0).unwrap()[0], 64);
    let resource = Message2::new(MessageType::BEARER_RESOURCE_COMMAND, Some(teid));
    let resource = resource.with(IeType::EBI, 0, &[5]);
    let answer = rig.ask2(&resource.with(IeType::PTI, 0, &[7]));
    assert_eq!(answer.cause(), Cause::SERVICE_NOT_SUPPORTED);
    assert_eq!(answer.ies().get(IeType::EBI, 0), Some(&[5][..]));
    assert_eq!(answer.ies().get(IeType::PTI, 0), Some(&[7][..]));
    let others = [
        (
            MessageType::MODIFY_BEARER_COMMAND,
            Cause::SERVICE_NOT_SUPPORTED,
        ),
        (
            MessageType::CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST,
            Cause::DATA_FORWARDING_NOT_SUPPORTED,
        ),
        (
            MessageType::DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST,
            Cause::CONTEXT_NOT_FOUND,
        ),
    ];
    for (kind, cause) in others {
        assert_eq!(rig.ask2(&Message2::new(kind, Some(teid))).cause(), cause);
    }
    assert_eq!(rig.live(), 1);
}

#[test]
fn what_an_mme_sends_that_nothing_follows_is_dropped_and_counted() {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    let cases = [
        (
            MessageType::DOWNLINK_DATA_NOTIFICATION_ACKNOWLEDGE,
            DropReason::UnexpectedResponse,
        ),
        (
            MessageType::DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION,
            DropReason::UnexpectedMessage,
        ),
        (
            MessageType::MODIFY_ACCESS_BEARERS_REQUEST,
            DropReason::UnexpectedMessage,
        ),
    ];
    for (n, (kind, _)) in (1..).zip(cases) {
        assert!(rig.raw(&notice(kind, teid).encode(n)).is_empty());
    }
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::UnexpectedResponse], 1);
    assert_eq!(drops[&DropReason::UnexpectedMessage], 2);
}

/// What comes from another SGW is of the same access point name: an emergency call, which takes no license, does not become
/// an ordinary one, nor a call of one name that of another.
//= L7
//= L8
#[test]
fn a_connection_comes_from_another_sgw_under_its_own_access_point_name_only() {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "sos");
    for service in [PGW, SAEGW] {
        blocked(&rig, service);
    }
    let pgw = fteid(InterfaceType::S5S8_PGW_C, teid, OURSELVES);
    let request = |name| create11(1, 5, name).but(false, IeType::F_TEID, 1, &pgw);
    let answer = rig.ask2(&request("internet"));
    assert_eq!(answer.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!((counts(&rig), rig.plane.table.len()), ((0, 0), 1));
    rig.accepted2(&request("sos"));
    assert_eq!((counts(&rig), rig.plane.table.len()), ((0, 0), 1));
}

/// A hand-over is cancelled, and the SGW that had the connection has lost it by a restart meanwhile.
//= L13
#[test]
fn a_connection_does_not_go_back_to_an_sgw_that_restarted_meanwhile() {
    let mut rig = Rig::v2();
    let told =
        |number, counter| create2(number, 5, "internet").with(IeType::RECOVERY, 0, &[counter]);
    let teid = rig.accepted2(&told(1, 7)).control().teid;
    let pgw = fteid(InterfaceType::S5S8_PGW_C, teid, OURSELVES);
    let prepare = create11(1, 5, "internet").but(false, IeType::F_TEID, 1, &pgw);
    let here = rig.accepted2(&prepare).s11().teid;
    rig.accepted2(&told(2, 8));
    let all = Indication::default().with(Indication::SI);
    let request = Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(here));
    rig.accepted2(&with_flags(request, all));
    assert_eq!((counts(&rig), rig.live()), ((0, 1), 1));
    let ended = rig.plane.statistics().sessions_ended;
    assert_eq!(ended.get(&Ended::PeerLost), Some(&1));
    assert!(rig.plane.prepared.is_empty());
}
