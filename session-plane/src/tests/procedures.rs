//! Each procedure as it should go.

use std::time::Duration;

use gtp::v1::{Cause, IeType, MessageType, PdpType};

use super::rig::*;
use crate::config::PeerOptions;
use crate::statistics::{DropReason, Ended};

#[test]
fn an_echo_request_is_answered_with_our_restart_counter() {
    let mut rig = Rig::new();
    let answer = rig.ask(&Message1::new(MessageType::ECHO_REQUEST, 0));
    assert_eq!(answer.header.teid, 0);
    assert_eq!(answer.get(IeType::RECOVERY, 0), Some(vec![RECOVERY]));
    assert_eq!(answer.types(), [IeType::RECOVERY]);
}

#[test]
fn a_created_context_gets_all_that_it_needs() {
    let mut rig = Rig::new();
    let answer = rig.ask(&create(1, 5, "Internet"));
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
    let order = [
        IeType::CAUSE,
        IeType::REORDERING_REQUIRED,
        IeType::RECOVERY,
        IeType::TEID_DATA_I,
        IeType::TEID_CONTROL_PLANE,
        IeType::CHARGING_ID,
        IeType::END_USER_ADDRESS,
        IeType::GSN_ADDRESS,
        IeType::GSN_ADDRESS,
        IeType::QOS_PROFILE,
    ];
    assert_eq!(answer.types(), order);
    assert_eq!(
        answer.get(IeType::GSN_ADDRESS, 0),
        Some(address("127.0.0.1"))
    );
    assert_eq!(
        answer.get(IeType::GSN_ADDRESS, 1),
        Some(address("127.0.0.9"))
    );
    assert_eq!(answer.get(IeType::QOS_PROFILE, 0), Some(QOS.to_vec()));
    assert_eq!(answer.end_user().v4, Some([10, 0, 0, 1].into()));
    assert_eq!(answer.charging_id(), answer.user_teid());
    let shard = crate::steer::shard_of(&create(1, 5, "internet").encode(9));
    assert_eq!(answer.control_teid() & 0xFF, u32::from(shard));
    assert!(answer.control_teid() > 0xFF);
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    let statistics = rig.plane.statistics();
    assert_eq!(
        (statistics.sessions, statistics.contexts, statistics.peers),
        (1, 1, 1)
    );
    assert_eq!(statistics.sessions_by_service[&GGSN], 1);
    assert_eq!(statistics.sessions_by_apn.iter().sum::<u32>(), 1);
    assert_eq!(statistics.sessions_by_apn[0], 1);
    let peers: Vec<u32> = rig.sessions_by_peer().into_values().collect();
    assert_eq!((peers, rig.shared.restarts.busy()), (vec![1], 1));
    assert_eq!((statistics.datagrams, statistics.received[&16]), (1, 1));
    assert_eq!(statistics.sent[&17], 1);
    assert_eq!(
        (statistics.causes[0].request, statistics.causes[0].cause),
        (16, 128)
    );
}

/// osmo-gtphub passes no refused Create on that announces no endpoint.
#[test]
fn a_refusal_is_padded_for_the_peers_that_need_it() {
    let padded = |peers: Vec<std::net::IpAddr>| {
        let mut rig = Rig::with(|config| {
            let padded = PeerOptions {
                padded: true,
                ..PeerOptions::default()
            };
            config.peer_options = peers.into_iter().map(|peer| (peer, padded)).collect();
        });
        let answer = rig.ask(&create(1, 5, "elsewhere"));
        assert_eq!(answer.cause(), Cause::MISSING_OR_UNKNOWN_APN);
        let gone = rig.ask(&delete(1, 5, true));
        assert_eq!(gone.types(), [IeType::CAUSE]);
        assert_eq!(
            gone.cause(),
            Cause::NON_EXISTENT,
            "nobody has that endpoint"
        );
        (rig.live(), answer)
    };
    let (live, answer) = padded(vec![SGSN.parse().unwrap()]);
    let order = [
        IeType::CAUSE,
        IeType::TEID_DATA_I,
        IeType::TEID_CONTROL_PLANE,
        IeType::GSN_ADDRESS,
        IeType::GSN_ADDRESS,
    ];
    assert_eq!(answer.types(), order);
    assert_eq!((answer.control_teid(), answer.user_teid(), live), (1, 1, 0));
    let (_, answer) = padded(vec![OTHER_SGSN.parse().unwrap()]);
    assert_eq!(answer.types(), [IeType::CAUSE]);
}

#[test]
fn an_access_point_name_is_found_with_its_operator_identifier_and_unknown_ones_are_not() {
    let mut rig = Rig::new();
    rig.make(1, 5, "INTERNET.mnc001.mcc240.gprs");
    let answer = rig.ask(&create(2, 5, "elsewhere"));
    assert_eq!(answer.cause(), Cause::MISSING_OR_UNKNOWN_APN);
    assert_eq!(answer.header.teid, sgsn_teids(2, 5).0);
    assert_eq!(answer.types(), [IeType::CAUSE]);
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
}

#[test]
fn a_wildcard_takes_every_other_name_and_history_says_which() {
    let mut rig = Rig::with(|config| {
        let mut wildcard = config.apns[1].clone();
        wildcard.name = "*".into();
        config.apns.push(wildcard);
    });
    rig.make(1, 5, "elsewhere");
    rig.ceiling(1);
    let answer = rig.ask(&create(2, 5, "Some.Where"));
    assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(&*rig.refusals()[0].apn, "some.where");
}

#[test]
fn addresses_come_in_the_type_that_was_asked_for_or_in_the_one_there_is() {
    let mut rig = Rig::new();
    let cases = [
        (
            "dual",
            PdpType::Ipv4v6,
            Cause::REQUEST_ACCEPTED,
            PdpType::Ipv4v6,
        ),
        (
            "dual",
            PdpType::Ipv6,
            Cause::REQUEST_ACCEPTED,
            PdpType::Ipv6,
        ),
        (
            "internet",
            PdpType::Ipv4v6,
            Cause::NEW_PDP_TYPE_NETWORK_PREFERENCE,
            PdpType::Ipv4,
        ),
        (
            "six",
            PdpType::Ipv4v6,
            Cause::NEW_PDP_TYPE_NETWORK_PREFERENCE,
            PdpType::Ipv6,
        ),
    ];
    for (n, (apn, wanted, cause, given)) in (1..).zip(cases) {
        let request = create(n, 5, apn).but(IeType::END_USER_ADDRESS, 0, &end_user(wanted));
        let answer = rig.ask(&request);
        assert_eq!(answer.cause(), cause, "{apn} {wanted:?}");
        let end_user = answer.end_user();
        assert_eq!(end_user.pdp_type, given);
        assert_eq!(end_user.v4.is_some(), given != PdpType::Ipv6);
        assert_eq!(end_user.v6.is_some(), given != PdpType::Ipv4);
    }
    for (apn, wanted) in [
        ("internet", PdpType::Ipv6),
        ("six", PdpType::Ipv4),
        ("dual", PdpType::Ppp),
    ] {
        let request = create(9, 5, apn).but(IeType::END_USER_ADDRESS, 0, &end_user(wanted));
        assert_eq!(
            rig.ask(&request).cause(),
            Cause::UNKNOWN_PDP_ADDRESS_OR_TYPE
        );
    }
    assert_eq!((rig.live(), rig.addresses_out()), (4, 5));
}

#[test]
fn an_address_of_ones_own_is_ignored_or_refused() {
    let mut rig = Rig::new();
    let wanted = [0xF1, 0x21, 10, 7, 7, 7];
    let answer = rig.ask(&create(1, 5, "internet").but(IeType::END_USER_ADDRESS, 0, &wanted));
    assert_eq!(answer.end_user().v4, Some([10, 0, 0, 1].into()));
    let answer = rig.ask(&create(2, 5, "fixed").but(IeType::END_USER_ADDRESS, 0, &wanted));
    assert_eq!(answer.cause(), Cause::UNKNOWN_PDP_ADDRESS_OR_TYPE);
    let unspecified = [0xF1, 0x21, 0, 0, 0, 0];
    let answer = rig.ask(&create(2, 5, "fixed").but(IeType::END_USER_ADDRESS, 0, &unspecified));
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
}

#[test]
fn a_full_pool_refuses_and_takes_no_permit() {
    let mut rig = Rig::new();
    rig.make(1, 5, "tiny");
    let second = rig.make(2, 5, "tiny");
    let answer = rig.ask(&create(3, 5, "tiny"));
    assert_eq!(answer.cause(), Cause::ALL_DYNAMIC_PDP_ADDRESSES_OCCUPIED);
    assert_eq!(rig.admitted(), 2);
    rig.ask(&delete(second, 5, true));
    rig.make(3, 5, "tiny");
    assert_eq!((rig.live(), rig.addresses_out()), (2, 2));
}

#[test]
fn of_two_addresses_neither_stays_out_when_one_is_not_to_be_had() {
    let mut rig = Rig::with(|config| {
        config.apns[9].ipv6_pools = vec![1];
    });
    rig.make(1, 5, "tiny");
    rig.make(2, 5, "tiny");
    let request = create(3, 5, "tiny").but(IeType::END_USER_ADDRESS, 0, &end_user(PdpType::Ipv4v6));
    assert_eq!(
        rig.ask(&request).cause(),
        Cause::ALL_DYNAMIC_PDP_ADDRESSES_OCCUPIED
    );
    assert_eq!(rig.addresses_out(), 2);
}

#[test]
fn a_full_table_refuses_for_want_of_memory() {
    let mut rig = Rig::with(|config| config.bounds.sessions = 2);
    rig.make(1, 5, "internet");
    rig.make(2, 5, "internet");
    let answer = rig.ask(&create(3, 5, "internet"));
    assert_eq!(answer.cause(), Cause::NO_MEMORY_IS_AVAILABLE);
    assert_eq!((rig.live(), rig.admitted(), rig.addresses_out()), (2, 2, 2));
    rig.make(2, 5, "internet");
}

#[test]
fn an_update_moves_a_context_to_another_sgsn() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let request = update(teid, 5)
        .with(IeType::TEID_CONTROL_PLANE, &0x7777_0001_u32.to_be_bytes())
        .but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN))
        .but(IeType::GSN_ADDRESS, 1, &address("127.0.0.45"))
        .but(IeType::QOS_PROFILE, 0, &[3, 1, 2, 3, 4]);
    let answer = rig.ask(&request);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(answer.header.teid, 0x7777_0001, "the new SGSN's");
    let order = [
        IeType::CAUSE,
        IeType::RECOVERY,
        IeType::TEID_DATA_I,
        IeType::TEID_CONTROL_PLANE,
        IeType::CHARGING_ID,
        IeType::GSN_ADDRESS,
        IeType::GSN_ADDRESS,
        IeType::QOS_PROFILE,
    ];
    assert_eq!(answer.types(), order);
    assert_eq!(answer.control_teid(), teid);
    assert_eq!(
        answer.get(IeType::QOS_PROFILE, 0),
        Some(vec![3, 1, 2, 3, 4])
    );
    let (_, session) = rig.plane.table.sessions().next().unwrap();
    assert_eq!(session.context.peer_teid, 0x5000_0001);
    assert_eq!(session.context.peer_user().to_string(), "127.0.0.45");
    let peer = rig.plane.table.peers.get(session.peer).unwrap();
    assert_eq!(peer.address.to_string(), OTHER_SGSN);
    let answer = rig.ask(&delete(teid, 5, true));
    assert_eq!(answer.header.teid, 0x7777_0001);
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn a_deleted_context_gives_everything_back() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "dual");
    for teardown in [true, false] {
        let teid = if teardown {
            teid
        } else {
            rig.make(1, 5, "dual")
        };
        let answer = rig.ask(&delete(teid, 5, teardown));
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
        assert_eq!(answer.types(), [IeType::CAUSE]);
        assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
        let again = rig.ask(&delete(teid, 5, teardown));
        assert_eq!((again.cause(), again.header.teid), (Cause::NON_EXISTENT, 0));
    }
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.sessions_ended[&Ended::Deleted], 2);
    assert!(statistics.sessions_by_service.is_empty());
    assert_eq!(statistics.sessions_by_apn.iter().sum::<u32>(), 0);
}

#[test]
fn what_is_not_there_is_non_existent() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    for wrong in [teid ^ 0x100, 0, 0xFFFF_FFFF] {
        assert_eq!(rig.ask(&update(wrong, 5)).cause(), Cause::NON_EXISTENT);
        assert_eq!(
            rig.ask(&delete(wrong, 5, true)).cause(),
            Cause::NON_EXISTENT
        );
        let answer = rig.ask(&secondary(wrong | 1 << 31, 6, 5));
        assert_eq!(answer.cause(), Cause::CONTEXT_NOT_FOUND);
    }
    let sgsn = sgsn_teids(1, 5).0;
    for request in [
        update(teid, 6),
        delete(teid, 6, true),
        secondary(teid, 7, 6),
    ] {
        let answer = rig.ask(&request);
        assert!([Cause::NON_EXISTENT, Cause::CONTEXT_NOT_FOUND].contains(&answer.cause()));
        assert_eq!(answer.header.teid, sgsn, "a session that we know");
    }
    assert_eq!(rig.live(), 1);
}

//= L13
#[test]
fn a_secondary_context_takes_no_permit_and_no_address() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let answer = rig.ask(&secondary(teid, 6, 5));
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
    assert_eq!(answer.control_teid(), teid);
    assert_ne!(answer.user_teid(), teid);
    assert_eq!(answer.get(IeType::END_USER_ADDRESS, 0), None);
    assert_eq!((rig.live(), rig.admitted(), rig.addresses_out()), (1, 1, 1));
    assert_eq!(rig.plane.statistics().contexts, 2);
    rig.ask(&secondary(teid, 7, 6));
    assert_eq!(rig.plane.statistics().contexts, 3);
    let gone = rig.ask(&delete(answer.user_teid(), 6, false));
    assert_eq!(
        gone.cause(),
        Cause::NON_EXISTENT,
        "that one is for user data"
    );
    rig.ask(&delete(teid, 6, false));
    assert_eq!((rig.plane.statistics().contexts, rig.live()), (2, 1));
    rig.ask(&delete(teid, 7, true));
    assert_eq!((rig.plane.statistics().contexts, rig.live()), (0, 0));
    assert_eq!(rig.addresses_out(), 0);
}

//= L13
#[test]
fn a_session_lives_on_without_its_first_context() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let user_teid = rig.ask(&secondary(teid, 6, 5)).user_teid();
    rig.ask(&secondary(teid, 7, 5));
    assert_eq!(
        rig.ask(&delete(teid, 5, false)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!((rig.live(), rig.plane.statistics().contexts), (1, 2));
    let answer = rig.ask(&update(teid, 6));
    assert_eq!(
        (answer.cause(), answer.user_teid()),
        (Cause::REQUEST_ACCEPTED, user_teid)
    );
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::NON_EXISTENT);
    let other = rig.make(1, 5, "other");
    assert_eq!(rig.live(), 2, "the freed NSAPI is another session's now");
    assert_eq!(
        rig.ask(&delete(teid, 6, false)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!(
        rig.ask(&delete(teid, 7, false)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    assert_eq!(
        rig.ask(&delete(other, 5, false)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn a_secondary_context_replaces_the_one_that_has_its_nsapi() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let first = rig.ask(&secondary(teid, 6, 5)).user_teid();
    let second = rig.ask(&secondary(teid, 6, 5)).user_teid();
    assert_ne!(first, second);
    assert_eq!(rig.plane.statistics().contexts, 2);
    let other = rig.make(1, 9, "other");
    assert_eq!(rig.live(), 2);
    assert_eq!(
        rig.ask(&secondary(teid, 9, 5)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!(
        (rig.live(), rig.addresses_out()),
        (1, 1),
        "the other session had it"
    );
    assert_eq!(
        rig.ask(&delete(other, 9, true)).cause(),
        Cause::NON_EXISTENT
    );
    let same = rig.ask(&secondary(teid, 5, 5));
    assert_eq!(same.cause(), Cause::INVALID_MESSAGE_FORMAT);
    assert_eq!(
        rig.ask(&secondary(teid, 5, 6)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!((rig.live(), rig.plane.statistics().contexts), (1, 3));
    rig.ask(&delete(teid, 6, true));
    assert_eq!((rig.live(), rig.plane.statistics().contexts), (0, 0));
}

#[test]
fn a_first_context_takes_its_nsapi_from_another_sessions_further_one() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.ask(&secondary(teid, 6, 5));
    let other = rig.make(1, 6, "other");
    assert_eq!((rig.live(), rig.plane.statistics().contexts), (2, 2));
    assert_eq!(
        rig.ask(&delete(teid, 6, false)).cause(),
        Cause::NON_EXISTENT
    );
    assert_eq!(
        rig.ask(&delete(other, 6, false)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!(
        rig.ask(&delete(teid, 5, false)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn a_second_session_of_a_subscriber_may_name_the_first_ones_endpoint() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let mut request = create(1, 6, "other").without(IeType::TEID_CONTROL_PLANE, 0);
    request.teid = teid;
    let answer = rig.ask(&request);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(answer.header.teid, sgsn_teids(1, 5).0, "told before");
    assert_ne!(answer.control_teid(), teid);
    assert_eq!(answer.control_teid() & 0xFF, teid & 0xFF, "the same worker");
    assert_eq!(rig.live(), 2);
}

#[test]
fn another_version_is_told_ours_but_never_its_own_answer() {
    let mut rig = Rig::new();
    let version_2 = [0x40, 1, 0, 9, 0x12, 0x34, 0x56, 0, 3, 0, 1, 0, 7];
    let version_0 = [
        0x1E, 1, 0, 0, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let answers: Vec<_> = [&version_2[..], &version_0[..]]
        .into_iter()
        .flat_map(|datagram| rig.raw(datagram))
        .collect();
    assert_eq!(answers.len(), 2);
    for octets in &answers {
        let answer = Answer1::read(octets);
        assert_eq!(answer.header.kind, MessageType::VERSION_NOT_SUPPORTED);
        assert!(answer.body.is_empty());
    }
    assert_eq!(Answer1::read(&answers[0]).header.sequence, Some(0x3456));
    let version_2_answer = [0x40, 3, 0, 4, 0x12, 0x34, 0x56, 0];
    assert!(rig.raw(&version_2_answer).is_empty());
    let version_1_answer = Message1::new(MessageType::VERSION_NOT_SUPPORTED, 0).encode(1);
    assert!(rig.raw(&version_1_answer).is_empty());
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::VersionNotSupported], 2);
}

#[test]
fn statistics_are_plain_values() {
    let mut rig = Rig::new();
    rig.make(1, 5, "internet");
    rig.run(Duration::from_secs(11));
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.recounts, 1);
    assert_eq!(statistics, statistics.clone());
}

#[test]
fn a_plane_that_is_dropped_gives_everything_back() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "dual");
    rig.make(2, 5, "sos");
    rig.ask(&secondary(teid, 6, 5));
    let (gate, shared) = (rig.gate.clone(), rig.shared.clone());
    drop(rig);
    assert_eq!(gate.count_exact(GGSN), 0);
    assert!(shared.pools.counts().iter().all(|pool| pool.used == 0));
    assert_eq!(shared.pools.surplus_releases(), 0);
    assert_eq!(enforcer::permits_dropped(), 0);
}

#[test]
fn a_seat_that_is_none_is_refused() {
    use crate::{PlaneError, Seat, SessionPlane};
    let rig = Rig::new();
    let gate = enforcer::Gate::new(enforcer::GateConfig::new(7, 2)).unwrap();
    for (worker, workers) in [(1, 1), (0, 0), (0, 257)] {
        let seat = Seat { worker, workers };
        let made = SessionPlane::new(
            rig.plane.config.clone(),
            rig.shared.clone(),
            gate.worker().unwrap(),
            seat,
            [0; 32],
            rig.now,
        );
        assert_eq!(made.err(), Some(PlaneError::Seat { worker, workers }));
    }
}

#[test]
fn a_peer_that_told_its_endpoint_before_need_not_tell_it_again_and_no_other_may_leave_it_out() {
    let mut rig = Rig::new();
    let own = rig.make(1, 5, "internet");
    let others = rig.make(2, 5, "internet");
    let silent = |teid| Message1 {
        teid,
        ..create(1, 6, "other").without(IeType::TEID_CONTROL_PLANE, 0)
    };
    for teid in [others, 0x1234_5600] {
        let answer = rig.ask(&silent(teid));
        assert_eq!(answer.cause(), Cause::MANDATORY_IE_MISSING);
    }
    assert_eq!((rig.admitted(), rig.live()), (2, 2));
    let answer = rig.ask(&silent(own));
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
    let update = rig.ask(&update(answer.control_teid(), 6));
    assert_eq!(update.header.teid, sgsn_teids(1, 5).0);
}
