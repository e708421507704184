//! Echo, Create Session, Modify Bearer, Delete Session and Version Not Supported, as they go well and as they go wrong.

use std::net::IpAddr;

use gtp::v2::{
    Cause, CauseIe, Ebi, FTeid, IeType, Indication, InterfaceType, MessageType, Paa, PdnType,
};

use super::super::rig::*;
use super::rig::*;
use crate::statistics::{DropReason, Ended};

#[test]
fn an_answer_holds_what_a_deployed_sgw_asks_for() {
    let sides = [
        (S5, InterfaceType(7), InterfaceType(5), 2),
        (S2B, InterfaceType(32), InterfaceType(33), 4),
        (S2A, InterfaceType(36), InterfaceType(37), 5),
    ];
    for (side, control_type, user_type, instance) in sides {
        let mut rig = Rig::v2();
        let answer = rig.accepted2(&create_by(side, 1, 6, "internet"));
        assert_eq!(answer.header.teid, Some(sgw_teids(1, 6).0));
        let control = answer.control();
        assert_eq!(control.interface, control_type);
        assert_eq!(control.address(), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(control.teid & 0xFF, rig.shard(1));
        let address = answer.paa();
        assert_eq!(address.v4(), Some("10.0.0.1".parse().unwrap()));
        let [bearer] = &answer.bearers()[..] else {
            panic!("one bearer context");
        };
        let ebi = Ebi::parse(bearer.get(IeType::EBI, 0).unwrap()).unwrap();
        assert_eq!(ebi.number(), 6);
        let cause = CauseIe::parse(bearer.get(IeType::CAUSE, 0).unwrap()).unwrap();
        assert_eq!(cause.cause, Cause::REQUEST_ACCEPTED);
        let user = FTeid::parse(bearer.get(IeType::F_TEID, instance).unwrap()).unwrap();
        assert_eq!(user.interface, user_type);
        assert_eq!(user.address(), Some("127.0.0.9".parse().unwrap()));
        let charging_id = bearer.get(IeType::CHARGING_ID, 0).unwrap();
        assert_eq!(charging_id, user.teid.to_be_bytes());
        assert_eq!(rig.gate.count_exact(PGW), 1);
        assert_eq!(rig.plane.statistics().sessions_by_service[&PGW], 1);
    }
}

impl Rig {
    fn shard(&self, number: u64) -> u32 {
        let datagram = create2(number, 5, "internet").encode(1);
        u32::from(crate::worker_of(&datagram, 256))
    }
}

#[test]
fn a_session_is_made_changed_and_deleted() {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "internet");
    let answer = rig.accepted2(&modify(teid, 5, OTHER_SGW, 0x6123_0000));
    assert_eq!(answer.header.teid, Some(0x6123_0000), "the new endpoint");
    let [bearer] = &answer.bearers()[..] else {
        panic!("one bearer context");
    };
    assert_eq!(bearer.get(IeType::EBI, 0), Some(&[5][..]));
    assert_eq!(bearer.get(IeType::CAUSE, 0), Some(&[16, 0][..]));
    let place = rig.plane.table.by_teid(teid).unwrap();
    let session = rig.plane.table.session(place).unwrap();
    let there: IpAddr = OTHER_SGW.parse().unwrap();
    assert_eq!(session.context.peer_user(), there);
    assert_eq!(session.context.peer_teid, 0x7FFF_0001);
    let peers = rig.sessions_by_peer();
    assert_eq!(peers.into_iter().collect::<Vec<_>>(), [(there, 1)]);

    let answer = rig.accepted2(&delete2(teid, 5));
    assert_eq!(answer.header.teid, Some(0x6123_0000));
    assert_eq!(rig.live(), 0);
    assert_eq!(rig.addresses_out(), 0);
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.sessions_ended[&Ended::Deleted], 1);
    assert_eq!(statistics.received_v2, [(32, 1), (34, 1), (36, 1)].into());
    assert_eq!(statistics.sent_v2, [(33, 1), (35, 1), (37, 1)].into());
    assert_eq!(statistics.causes_v2.len(), 3);
    assert!(statistics.received.is_empty() && statistics.causes.is_empty());
}

#[test]
fn a_modify_without_endpoints_changes_nothing() {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "internet");
    let plain = Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid));
    let answer = rig.accepted2(&plain);
    assert_eq!(answer.header.teid, Some(sgw_teids(1, 5).0));
    assert!(answer.bearers().is_empty());
    rig.accepted2(&plain.with_bearer(IeType::EBI, 0, &[5]));
    let place = rig.plane.table.by_teid(teid).unwrap();
    let session = rig.plane.table.session(place).unwrap();
    assert_eq!(session.context.peer_teid, sgw_teids(1, 5).1);
}

#[test]
fn bearers_that_are_not_there_are_told_so() {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "internet");
    let mut both = modify(teid, 5, OTHER_SGW, 0x6123_0000);
    both.ies.push(Ie2 {
        kind: IeType::BEARER_CONTEXT,
        instance: 0,
        value: vec![IeType::EBI.0, 0, 1, 0, 7],
    });
    let answer = rig.ask2(&both);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED_PARTIALLY);
    let causes: Vec<_> = answer.bearers().iter().map(cause_of).collect();
    assert_eq!(causes, [(5, 16), (7, 64)]);
    let unknown = rig.ask2(&modify(teid, 9, SGW, 0x6999_0000));
    assert_eq!(unknown.cause(), Cause::CONTEXT_NOT_FOUND);
    let place = rig.plane.table.by_teid(teid).unwrap();
    let session = rig.plane.table.session(place).unwrap();
    assert_eq!(session.peer_teid, 0x6123_0000, "it did nothing");
}

fn cause_of(bearer: &gtp::v2::IeSet<'_>) -> (u8, u8) {
    let ebi = bearer.get(IeType::EBI, 0).unwrap();
    (ebi[0], bearer.get(IeType::CAUSE, 0).unwrap()[0])
}

#[test]
fn further_bearers_of_a_create_are_not_made() {
    let mut rig = Rig::v2();
    let mut request = create2(1, 5, "internet");
    request.ies.insert(0, request_bearer(&request));
    request.bearer = Some(vec![Ie2 {
        kind: IeType::EBI,
        instance: 0,
        value: vec![6],
    }]);
    let answer = rig.ask2(&request);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED_PARTIALLY);
    let causes: Vec<_> = answer.bearers().iter().map(cause_of).collect();
    assert_eq!(causes, [(5, 16), (6, 73)]);
    assert_eq!(rig.plane.table.contexts(), 1);
}

/// The bearer context of a message, as an element of its own.
fn request_bearer(request: &Message2) -> Ie2 {
    let body = request.body();
    let ies = gtp::v2::IeSet::parse(&body).unwrap();
    Ie2 {
        kind: IeType::BEARER_CONTEXT,
        instance: 0,
        value: ies.get(IeType::BEARER_CONTEXT, 0).unwrap().to_vec(),
    }
}

//= L13
#[test]
fn a_subscriber_has_several_connections_and_a_colliding_one_is_replaced() {
    let mut rig = Rig::v2();
    let first = rig.make2(1, 5, "internet");
    rig.make2(1, 6, "internet");
    rig.make2(1, 7, "ims");
    assert_eq!((rig.live(), rig.addresses_out()), (3, 3));
    let address = rig.accepted2(&create2(1, 5, "internet"));
    assert_ne!(address.control().teid, first);
    assert_eq!(
        address.paa().v4(),
        Some("10.0.0.1".parse().unwrap()),
        "kept"
    );
    assert_eq!((rig.live(), rig.addresses_out()), (3, 3));
    assert_eq!(
        rig.ask2(&delete2(first, 5)).cause(),
        Cause::CONTEXT_NOT_FOUND
    );
    assert_eq!(rig.plane.statistics().sessions_ended[&Ended::Replaced], 1);
    // By another access the same numbers are other bearers.
    rig.accepted2(&create_by(S2B, 1, 5, "internet"));
    assert_eq!(rig.live(), 4);
}

/// One peer too many is no reason to refuse what changes a session: its hand-over neither.
//= L7
#[test]
fn a_hand_over_by_one_peer_too_many_is_not_refused() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        config.bounds.peers = 1;
    });
    rig.make2(1, 5, "internet");
    let epdg = fteid(InterfaceType::S2B_EPDG_C, 0x6000_0007, OTHER_SGW);
    let request =
        |number| create_by(S2B, number, 7, "internet").but(false, IeType::F_TEID, 0, &epdg);
    let refused = rig.ask2(&handed_over(request(2)));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    rig.accepted2(&handed_over(request(1)));
    assert_eq!((rig.live(), rig.plane.table.len()), (1, 1));
}

/// The number of a bearer is the UE's own, whatever its access point name (TS 29.274 7.2.1: the triplet of IMSI, EPS Bearer
/// ID and interface type): who attaches anew with another name first leaves no session behind, nor its permit.
//= L13
#[test]
fn a_connection_of_another_access_point_name_takes_the_place_of_that_with_its_number() {
    let mut rig = Rig::v2();
    let old = rig.make2(1, 5, "internet");
    rig.terms(
        PGW,
        enforcer::Terms {
            ceiling: Some(1),
            ..enforcer::Terms::default()
        },
    );
    let new = rig.make2(1, 5, "ims");
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    assert_eq!(rig.ask2(&delete2(old, 5)).cause(), Cause::CONTEXT_NOT_FOUND);
    rig.accepted2(&delete2(new, 5));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

//= L7
//= L13
#[test]
fn a_session_that_is_handed_over_brings_its_permit_and_address_along() {
    let mut rig = Rig::v2();
    let old = rig.make2(1, 5, "internet");
    let admitted = rig.admitted();
    rig.terms(
        PGW,
        enforcer::Terms {
            ceiling: Some(0),
            block: Some(enforcer::Block::Service),
            ..enforcer::Terms::default()
        },
    );
    let answer = rig.accepted2(&handed_over(create_by(S2B, 1, 7, "internet")));
    assert_eq!(answer.paa().v4(), Some("10.0.0.1".parse().unwrap()));
    assert_eq!((rig.live(), rig.admitted()), (1, admitted));
    assert_eq!(rig.gate.count_exact(PGW), 1);
    assert_eq!(rig.ask2(&delete2(old, 5)).cause(), Cause::CONTEXT_NOT_FOUND);
    let back = rig.accepted2(&handed_over(create2(1, 5, "internet")));
    assert_eq!((rig.live(), rig.admitted()), (1, admitted));
    // One that is not here is a new call; so is one without the flag.
    let other = rig.ask2(&handed_over(create2(1, 5, "ims")));
    assert_eq!(other.cause(), Cause::NO_RESOURCES_AVAILABLE);
    let plain = rig.ask2(&create_by(S2B, 1, 7, "internet"));
    assert_eq!(plain.cause(), Cause::NO_RESOURCES_AVAILABLE);
    rig.accepted2(&delete2(back.control().teid, 5));
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

/// Of two connections to one access point name, the one by another access is what comes over.
#[test]
fn a_hand_over_leaves_a_connection_by_the_same_access_alone() {
    let mut rig = Rig::v2();
    let stays = rig.make2(1, 5, "internet");
    let moves = rig.accepted2(&create_by(S2B, 1, 6, "internet"));
    let answer = rig.accepted2(&handed_over(create2(1, 7, "internet")));
    assert_eq!(answer.paa().v4(), moves.paa().v4());
    assert_eq!((rig.live(), rig.gate.count_exact(PGW)), (2, 2));
    rig.accepted2(&delete2(stays, 5));
}

//= L7
#[test]
fn a_hand_over_onto_a_session_that_is_there_is_not_refused() {
    let mut rig = Rig::v2();
    rig.make2(1, 5, "internet");
    rig.accepted2(&create_by(S2B, 1, 6, "internet"));
    rig.terms(
        PGW,
        enforcer::Terms {
            ceiling: Some(0),
            block: Some(enforcer::Block::Service),
            ..enforcer::Terms::default()
        },
    );
    rig.accepted2(&handed_over(create_by(S2B, 1, 6, "internet")));
    assert_eq!((rig.live(), rig.gate.count_exact(PGW)), (2, 2));
}

#[test]
fn a_hand_over_changes_the_class_with_the_priority() {
    let mut rig = Rig::v2();
    rig.make2(1, 5, "internet");
    let request = handed_over(create_by(S2A, 1, 5, "internet"));
    rig.accepted2(&request.but(true, IeType::BEARER_QOS, 0, &qos(2)));
    let priority = rig.plane.shared.apns.served(10).unwrap().priority;
    assert_eq!(rig.gate.class_counters(priority).live(), 1);
    assert_eq!((rig.live(), rig.gate.count_exact(PGW)), (1, 1));
}

#[test]
fn addresses_are_of_the_type_that_was_asked_for_or_the_cause_says_why_not() {
    let daf = Indication::default().with(Indication::DAF);
    let cases = [
        ("dual", PdnType::Ipv4, false, Cause(16), PdnType::Ipv4),
        ("dual", PdnType::Ipv6, false, Cause(16), PdnType::Ipv6),
        ("dual", PdnType::Ipv4v6, true, Cause(16), PdnType::Ipv4v6),
        ("dual", PdnType::Ipv4v6, false, Cause(19), PdnType::Ipv4),
        ("internet", PdnType::Ipv4v6, true, Cause(18), PdnType::Ipv4),
        ("six", PdnType::Ipv4v6, true, Cause(18), PdnType::Ipv6),
    ];
    for (apn, wanted, both, cause, granted) in cases {
        let mut rig = Rig::v2();
        let mut request = create2(1, 5, apn).but(false, IeType::PAA, 0, &paa(Paa::dynamic(wanted)));
        if both {
            request = request.with(IeType::INDICATION, 0, daf.octets());
        }
        let answer = rig.ask2(&request);
        assert_eq!(answer.cause(), cause, "{apn} {wanted:?}");
        assert_eq!(answer.paa().pdn_type(), granted);
        let v6 = answer.paa().v6();
        assert!(v6.is_none_or(|address| address.to_string().starts_with("2001:db8:")));
    }
    let mut rig = Rig::v2();
    for (apn, wanted) in [("internet", PdnType::Ipv6), ("dual", PdnType::NonIp)] {
        let request = create2(1, 5, apn).but(false, IeType::PAA, 0, &paa(Paa::dynamic(wanted)));
        let answer = rig.ask2(&request);
        assert_eq!(answer.cause(), Cause::PREFERRED_PDN_TYPE_NOT_SUPPORTED);
    }
    let own = paa(Paa::Ipv4([10, 7, 7, 7].into()));
    let fixed = create2(1, 5, "fixed").but(false, IeType::PAA, 0, &own);
    let refused = rig.ask2(&fixed);
    assert_eq!(refused.cause(), Cause::PREFERRED_PDN_TYPE_NOT_SUPPORTED);
    let other = create2(1, 5, "internet").but(false, IeType::PAA, 0, &own);
    assert_eq!(rig.accepted2(&other).paa().v4(), Some([10, 0, 0, 1].into()));
}

#[test]
fn addresses_end_with_a_cause_of_their_own() {
    let mut rig = Rig::v2();
    rig.make2(1, 5, "tiny");
    rig.make2(2, 5, "tiny");
    let answer = rig.ask2(&create2(3, 5, "tiny"));
    assert_eq!(answer.cause(), Cause::ALL_DYNAMIC_ADDRESSES_OCCUPIED);
    rig.make2(2, 5, "tiny");
    assert_eq!(rig.live(), 2);
}

#[test]
fn a_full_table_and_one_peer_too_many_are_told() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        config.bounds.sessions = 1;
        config.bounds.emergency_reserve = 1;
        config.bounds.peers = 1;
    });
    rig.make2(1, 5, "internet");
    let full = rig.ask2(&create2(2, 5, "internet"));
    assert_eq!(full.cause(), Cause::NO_MEMORY_AVAILABLE);
    let sender = fteid(InterfaceType::S5S8_SGW_C, 1, OTHER_SGW);
    let other = create2(1, 5, "internet").but(false, IeType::F_TEID, 0, &sender);
    assert_eq!(rig.ask2(&other).cause(), Cause::NO_RESOURCES_AVAILABLE);
    rig.accepted2(&create2(3, 5, "sos").but(false, IeType::F_TEID, 0, &sender));
    assert_eq!(rig.live(), 2);
}

#[test]
fn a_service_decides_by_which_version_it_is_called() {
    let mut rig = Rig::v2();
    let gn_only = rig.ask2(&create2(1, 5, "other"));
    assert_eq!(gn_only.cause(), Cause::MISSING_OR_UNKNOWN_APN);
    let s5_only = rig.ask(&create(1, 5, "ims"));
    assert_eq!(s5_only.cause(), gtp::v1::Cause::MISSING_OR_UNKNOWN_APN);
    rig.make(1, 5, "internet");
    rig.make2(1, 5, "internet");
    let counts = (rig.gate.count_exact(GGSN), rig.gate.count_exact(PGW));
    assert_eq!(counts, (1, 1), "each takes its own license");
}

#[test]
fn neither_version_reaches_the_sessions_of_the_other() {
    let mut rig = Rig::v2();
    let (by_v1, by_v2) = (rig.make(1, 5, "internet"), rig.make2(1, 5, "internet"));
    let gone = gtp::v1::Cause::NON_EXISTENT;
    assert_eq!(rig.ask(&delete(by_v2, 5, true)).cause(), gone);
    assert_eq!(rig.ask(&update(by_v2, 5)).cause(), gone);
    let unknown = gtp::v1::Cause::CONTEXT_NOT_FOUND;
    assert_eq!(rig.ask(&secondary(by_v2, 6, 5)).cause(), unknown);
    let not_found = Cause::CONTEXT_NOT_FOUND;
    assert_eq!(rig.ask2(&delete2(by_v1, 5)).cause(), not_found);
    assert_eq!(rig.ask2(&modify(by_v1, 5, SGW, 1)).cause(), not_found);
    assert_eq!(rig.live(), 2);
}

#[test]
fn a_delete_for_another_bearer_deletes_nothing() {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "internet");
    assert_eq!(
        rig.ask2(&delete2(teid, 6)).cause(),
        Cause::CONTEXT_NOT_FOUND
    );
    let plain = Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(teid));
    rig.accepted2(&plain);
    assert_eq!(rig.live(), 0);
}

#[test]
fn messages_of_a_session_that_is_gone_come_too_late() {
    let mut rig = Rig::v2();
    let early = rig.ask2(&delete2(0x1234_5600, 5));
    assert_eq!(early.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(early.header.teid, Some(0));
    let teid = rig.make2(1, 5, "internet");
    rig.accepted2(&delete2(teid, 5));
    let late = rig.ask2(&modify(teid, 5, SGW, 0x6001_0000));
    assert_eq!(late.cause(), Cause::CONTEXT_NOT_FOUND);
    assert_eq!(late.header.teid, Some(0x6001_0000));
    assert_eq!(
        rig.ask2(&delete2(teid, 5)).cause(),
        Cause::CONTEXT_NOT_FOUND
    );
    rig.run(std::time::Duration::from_secs(2));
    assert_eq!(rig.plane.statistics().peers, 0, "no peer is kept for it");
}

#[test]
fn an_echo_is_answered_with_our_restart_counter() {
    let mut rig = Rig::v2();
    let request = Message2::new(MessageType::ECHO_REQUEST, None).with(IeType::RECOVERY, 0, &[9]);
    let answers = rig.raw(&request.encode(0x00AB_CDEF));
    assert_eq!(
        answers,
        [[0x40, 2, 0, 9, 0xAB, 0xCD, 0xEF, 0, 3, 0, 1, 0, RECOVERY]]
    );
}

#[test]
fn a_later_version_is_told_ours_and_an_answer_never_is() {
    let mut rig = Rig::v2();
    let version_3 = [0x60, 1, 0, 4, 0xAB, 0xCD, 0xEF, 0];
    let answer = rig.raw(&version_3).remove(0);
    assert_eq!(answer[..4], [0x40, 3, 0, 4]);
    let version_0 = [0x1E, 1, 0, 0, 0x12, 0x34, 0, 0, 0, 0, 0, 0];
    let answer = Answer1::read(&rig.raw(&version_0).remove(0));
    assert_eq!(
        answer.header.kind,
        gtp::v1::MessageType::VERSION_NOT_SUPPORTED
    );
    for answer in [0x40, 0x60] {
        assert!(rig.raw(&[answer, 3, 0, 4, 0, 0, 1, 0]).is_empty());
    }
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::VersionNotSupported], 2);
}
