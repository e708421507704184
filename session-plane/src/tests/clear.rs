//! Sessions that an operator clears: requests of our own, their answers, and what crosses them.

use std::time::Duration;

use gtp::v1::{self, IeType as Ie1};
use gtp::v2::{self, Cause, IeType, MessageType};

use super::rig::*;
use super::v2::rig::*;
use crate::statistics::{DropReason, Ended};
use crate::{Clear, Path, Whom};

const T3: Duration = Duration::from_secs(5);

fn all() -> Clear {
    Clear {
        whom: Whom::All,
        reactivate: false,
    }
}

/// A request of ours, read.
struct Asked {
    path: Path,
    octets: Vec<u8>,
}

impl Asked {
    fn v2(&self) -> v2::Message<'_> {
        v2::Message::parse(&self.octets).unwrap()
    }

    fn sequence(&self) -> u32 {
        gtp::peek::peek(&self.octets).unwrap().sequence.unwrap()
    }

    /// A Delete Bearer Response with this cause to this endpoint.
    fn answer(&self, teid: u32, cause: Cause) -> Vec<u8> {
        Message2::new(MessageType::DELETE_BEARER_RESPONSE, Some(teid))
            .with(IeType::CAUSE, 0, &[cause.0, 0])
            .encode(self.sequence())
    }
}

impl Rig {
    /// Clears, and lets the requests go out; those sent.
    fn clear(&mut self, clear: &Clear) -> Vec<Asked> {
        assert!(self.plane.clear(clear, self.now));
        let sent = self.run(Duration::from_millis(20));
        asked(sent)
    }

    fn hear(&mut self, from: &str, datagram: &[u8]) -> Vec<(Path, Vec<u8>)> {
        self.plane
            .handle_datagram(datagram, Self::path(from), self.now);
        self.outputs()
    }

    fn dropped(&self, why: DropReason) -> u64 {
        let drops = self.plane.statistics().drops;
        drops.get(&why).copied().unwrap_or(0)
    }

    fn ended(&self, how: Ended) -> u64 {
        let ended = self.plane.statistics().sessions_ended;
        ended.get(&how).copied().unwrap_or(0)
    }
}

fn asked(sent: Vec<(Path, Vec<u8>)>) -> Vec<Asked> {
    let asked = sent.into_iter();
    asked.map(|(path, octets)| Asked { path, octets }).collect()
}

fn quiet(config: &mut crate::PlaneConfig) {
    and_v2(config);
    config.echo.interval = None;
}

#[test]
fn a_cleared_session_is_asked_of_its_peer_and_ends_with_the_answer() {
    for (cause, reactivate) in [
        (Cause::REQUEST_ACCEPTED, false),
        (Cause::CONTEXT_NOT_FOUND, true),
        (Cause::SYSTEM_FAILURE, false),
    ] {
        let mut rig = Rig::with(quiet);
        let teid = rig.make2(1, 6, "internet");
        let whom = Whom::All;
        let asked = rig.clear(&Clear { whom, reactivate });
        assert_eq!((rig.cleared.as_slice(), asked.len()), (&[1][..], 1));
        assert_eq!(asked[0].path, Rig::path(SGW));
        let message = asked[0].v2();
        assert_eq!(message.header.kind, MessageType::DELETE_BEARER_REQUEST);
        assert_eq!(message.header.teid, Some(sgw_teids(1, 6).0));
        let ies = message.ie_set().unwrap();
        assert_eq!(ies.get(IeType::EBI, 0), Some(&[6][..]));
        let wish = reactivate.then_some(&[8, 0][..]);
        assert_eq!(ies.get(IeType::CAUSE, 0), wish);
        assert_eq!(ies.len(), 1 + usize::from(reactivate));
        assert_eq!(rig.live(), 1, "it counts until its peer has answered");

        let answer = asked[0].answer(teid, cause);
        assert_eq!(rig.hear(SGW, &answer), []);
        assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
        assert_eq!(rig.ended(Ended::Cleared), 1);
        let heard = rig.plane.statistics().heard_v2;
        assert_eq!(
            (heard.len(), heard[0].cause, heard[0].count),
            (1, cause.0, 1)
        );
        // The same answer again is one to nothing.
        rig.hear(SGW, &answer);
        assert_eq!(rig.dropped(DropReason::UnexpectedResponse), 1);
        assert_eq!(rig.ended(Ended::Cleared), 1);
        assert!(rig.run(Duration::from_secs(60)).is_empty());
    }
}

#[test]
fn a_request_without_an_answer_is_repeated_and_then_given_up() {
    let mut rig = Rig::with(quiet);
    rig.make2(1, 5, "internet");
    let first = rig.clear(&all());
    let again = rig.run(T3 * 5 - Duration::from_secs(1));
    assert_eq!(again.len(), 4, "N3-REQUESTS is 5");
    assert!(again.iter().all(|(_, octets)| *octets == first[0].octets));
    assert_eq!(rig.live(), 1);
    assert!(rig.run(Duration::from_secs(2)).is_empty());
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
    let statistics = rig.plane.statistics();
    assert_eq!(
        (statistics.requests_repeated, statistics.requests_unanswered),
        (4, 1)
    );
    assert_eq!(statistics.sent_v2[&MessageType::DELETE_BEARER_REQUEST.0], 5);
    assert_eq!(rig.ended(Ended::Cleared), 1);
    // Late.
    rig.hear(SGW, &first[0].answer(0, Cause::REQUEST_ACCEPTED));
    assert_eq!(rig.dropped(DropReason::UnexpectedResponse), 1);
}

//= L13
#[test]
fn only_the_peers_own_whole_answer_to_our_endpoint_counts() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make2(1, 5, "internet");
    let asked = rig.clear(&all());
    let accepted = asked[0].answer(teid, Cause::REQUEST_ACCEPTED);
    let kind = |kind: MessageType| {
        let mut octets = accepted.clone();
        octets[1] = kind.0;
        octets
    };
    let mut other_number = accepted.clone();
    other_number[10] ^= 0x40;
    let unexpected = [
        (OTHER_SGW, accepted.clone()),
        (SGW, asked[0].answer(teid ^ 0x100, Cause::REQUEST_ACCEPTED)),
        (SGW, kind(MessageType::DELETE_SESSION_RESPONSE)),
        (SGW, kind(MessageType::CREATE_BEARER_RESPONSE)),
        (SGW, other_number),
        (
            SGW,
            Message1::new(v1::MessageType::DELETE_PDP_CONTEXT_RESPONSE, teid)
                .with(Ie1::CAUSE, &[128])
                .encode(asked[0].sequence() as u16),
        ),
    ];
    for (n, (from, datagram)) in (1..).zip(&unexpected) {
        assert!(rig.hear(from, datagram).is_empty());
        assert_eq!(rig.dropped(DropReason::UnexpectedResponse), n);
    }
    let bare = Message2::new(MessageType::DELETE_BEARER_RESPONSE, Some(teid));
    let malformed = [
        bare.clone().encode(asked[0].sequence()),
        bare.clone()
            .with(IeType::CAUSE, 0, &[16])
            .encode(asked[0].sequence()),
        [&accepted[..], &[2, 0, 9]].concat(),
    ];
    for mut datagram in malformed {
        let length = (datagram.len() - 4) as u16;
        datagram[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(rig.hear(SGW, &datagram).is_empty());
    }
    assert_eq!(rig.dropped(DropReason::MalformedResponse), 3);
    assert_eq!(rig.live(), 1);
    rig.hear(SGW, &accepted);
    assert_eq!(rig.live(), 0);
}

/// TS 29.060 7.3.5: all contexts go, and the SGSN is asked by the NSAPI of one.
#[test]
fn a_call_by_gtpv1_is_cleared_too() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make(1, 5, "internet");
    rig.ask(&secondary(teid, 7, 5));
    let reactivate = true;
    let asked = rig.clear(&Clear {
        reactivate,
        ..all()
    });
    let answer = Answer1::read(&asked[0].octets);
    assert_eq!(
        answer.header.kind,
        v1::MessageType::DELETE_PDP_CONTEXT_REQUEST
    );
    assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
    let expected = [(Ie1::CAUSE, 6), (Ie1::TEARDOWN_IND, 0xFF), (Ie1::NSAPI, 5)];
    assert_eq!(answer.types(), expected.map(|(kind, _)| kind));
    for (kind, value) in expected {
        assert_eq!(answer.get(kind, 0), Some(vec![value]));
    }
    let deleted = Message1::new(v1::MessageType::DELETE_PDP_CONTEXT_RESPONSE, teid)
        .with(Ie1::CAUSE, &[128])
        .encode(asked[0].sequence() as u16);
    rig.hear(SGSN, &deleted);
    assert_eq!((rig.live(), rig.plane.table.contexts()), (0, 0));
    let heard = rig.plane.statistics().heard;
    assert_eq!((heard[0].request, heard[0].cause), (20, 128));
}

//= L13
#[test]
fn a_deletion_from_the_peer_crosses_ours() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make2(1, 5, "internet");
    let asked = rig.clear(&all());
    rig.accepted2(&delete2(teid, 5));
    assert_eq!(rig.live(), 0);
    assert!(rig.run(T3 * 6).is_empty(), "there is nothing to ask for");
    rig.hear(SGW, &asked[0].answer(0, Cause::CONTEXT_NOT_FOUND));
    assert_eq!(rig.ended(Ended::Deleted), 1);
    assert_eq!(rig.ended(Ended::Cleared), 0);
}

/// The new session is not the one that was cleared, even where the peer uses its endpoint again.
//= L13
#[test]
fn a_create_that_collides_is_not_ended_by_the_answer_to_the_old_request() {
    let mut rig = Rig::with(quiet);
    let old = rig.make2(1, 5, "internet");
    let asked = rig.clear(&all());
    let new = rig.make2(1, 5, "internet");
    assert_ne!(old, new);
    assert!(
        rig.run(T3 * 6).is_empty(),
        "what was asked is asked no more"
    );
    for teid in [old, new, 0] {
        rig.hear(SGW, &asked[0].answer(teid, Cause::REQUEST_ACCEPTED));
    }
    assert_eq!(rig.dropped(DropReason::UnexpectedResponse), 3);
    assert_eq!(rig.plane.table.by_teid(new).map(|_| rig.live()), Some(1));
    assert_eq!(rig.ended(Ended::Replaced), 1);
}

#[test]
fn a_session_that_moves_meanwhile_is_asked_of_its_new_peer() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make2(1, 5, "internet");
    let before = rig.clear(&Clear {
        reactivate: true,
        ..all()
    });
    let sequence = 0x0070_0000;
    let moved = rig.hear(SGW, &modify(teid, 5, OTHER_SGW, 0x9009).encode(sequence));
    let moved = asked(moved);
    assert_eq!(moved.len(), 2);
    let request = moved
        .iter()
        .find(|asked| asked.path == Rig::path(OTHER_SGW));
    let request = request.expect("the new peer is asked");
    assert_eq!(request.v2().header.teid, Some(0x9009));
    let ies = request.v2().ie_set().unwrap();
    assert_eq!(ies.get(IeType::CAUSE, 0), Some(&[8, 0][..]));
    assert_ne!(request.sequence(), before[0].sequence());
    // The old one knows it no more, which says nothing.
    rig.hear(SGW, &before[0].answer(0, Cause::CONTEXT_NOT_FOUND));
    assert_eq!(rig.live(), 1);
    rig.hear(OTHER_SGW, &request.answer(teid, Cause::REQUEST_ACCEPTED));
    assert_eq!(rig.live(), 0);
}

/// TS 23.401 5.4.4.1: it is asked again when the hand-over may be over, by a request of another number, N3-REQUESTS in all.
#[test]
fn a_session_that_is_being_handed_over_is_asked_for_later() {
    for accepts in [true, false] {
        let mut rig = Rig::with(quiet);
        let teid = rig.make2(1, 5, "internet");
        let mut requests = rig.clear(&all());
        for n in 1..=5 {
            let [request] = &requests[..] else {
                panic!("one request, not {}", requests.len());
            };
            let last = accepts && n == 5;
            let cause = match last {
                true => Cause::REQUEST_ACCEPTED,
                false => Cause::TEMPORARILY_REJECTED,
            };
            rig.hear(SGW, &request.answer(teid, cause));
            assert_eq!(rig.live(), i64::from(!last));
            let before = request.sequence();
            requests = asked(rig.run(T3));
            assert!(requests.iter().all(|asked| asked.sequence() != before));
        }
        assert!(requests.is_empty());
        assert_eq!((rig.live(), rig.ended(Ended::Cleared)), (0, 1));
        let statistics = rig.plane.statistics();
        assert_eq!(statistics.requests_unanswered, 0);
        assert_eq!(rig.plane.transactions.len(), 0);
    }
}

/// Each move asks anew, but not for ever: N3-REQUESTS in all.
#[test]
fn a_session_that_moves_again_and_again_ends_all_the_same() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make2(1, 5, "internet");
    let mut requests = rig.clear(&all()).len();
    for n in 0..20 {
        let moves = modify(teid, 5, OTHER_SGW, 0x9000 + n).encode(0x0070_0000 + n);
        let sent = asked(rig.hear(SGW, &moves));
        let sent = sent.into_iter().chain(asked(rig.run(T3 / 2)));
        let is_request =
            |asked: &Asked| asked.v2().header.kind == MessageType::DELETE_BEARER_REQUEST;
        requests += sent.filter(is_request).count();
    }
    assert_eq!((requests, rig.live()), (5, 0));
    assert_eq!(rig.ended(Ended::Cleared), 1);
    assert_eq!(rig.plane.transactions.len(), 0);
}

#[test]
fn a_session_by_gtpv1_that_moves_meanwhile_is_asked_of_its_new_peer() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make(1, 5, "internet");
    let before = rig.clear(&all());
    let moves = update(teid, 5)
        .but(Ie1::GSN_ADDRESS, 0, &address(OTHER_SGSN))
        .with(Ie1::TEID_CONTROL_PLANE, &0x9009_u32.to_be_bytes());
    let sequence = rig.next_sequence();
    let moved = asked(rig.hear(SGSN, &moves.encode(sequence)));
    let request = moved
        .iter()
        .find(|asked| asked.path == Rig::path(OTHER_SGSN));
    let request = Answer1::read(&request.expect("the new peer is asked").octets);
    assert_eq!(request.header.teid, 0x9009);
    assert_ne!(request.header.sequence, Some(before[0].sequence() as u16));
    // Nothing else moves it.
    rig.ask(&update(teid, 5).but(Ie1::GSN_ADDRESS, 0, &address(OTHER_SGSN)));
    assert!(
        rig.run(T3 * 6)
            .iter()
            .all(|(path, _)| *path == Rig::path(OTHER_SGSN))
    );
    assert_eq!(rig.live(), 0);
}

#[test]
fn a_peer_that_restarts_meanwhile_ends_it() {
    let mut rig = Rig::with(quiet);
    let first = create2(1, 5, "internet").with(IeType::RECOVERY, 0, &[1]);
    rig.accepted2(&first);
    let asked = rig.clear(&all());
    let echo = Message2::new(MessageType::ECHO_REQUEST, None).with(IeType::RECOVERY, 0, &[2]);
    rig.hear(SGW, &echo.encode(1));
    assert!(rig.run(T3 * 6).is_empty());
    assert_eq!((rig.live(), rig.ended(Ended::PeerLost)), (0, 1));
    rig.hear(SGW, &asked[0].answer(0, Cause::CONTEXT_NOT_FOUND));
    assert_eq!(rig.ended(Ended::Cleared), 0);
}

/// Where a session may be: its Create, where its peer is and which endpoint it has, and how the cause names it.
type Side2 = (
    fn(u64, u8) -> Message2,
    &'static str,
    fn(u64, u8) -> u32,
    bool,
);
const ACCESSES: [Side2; 4] = [
    (
        |n, ebi| create2(n, ebi, "internet"),
        SGW,
        |n, ebi| sgw_teids(n, ebi).0,
        true,
    ),
    (
        |n, ebi| create_by(S2B, n, ebi, "internet"),
        SGW,
        |n, ebi| sgw_teids(n, ebi).0,
        false,
    ),
    (
        |n, ebi| create_by(S2A, n, ebi, "internet"),
        SGW,
        |n, ebi| sgw_teids(n, ebi).0,
        false,
    ),
    (
        |n, ebi| create11(n, ebi, "internet"),
        MME,
        |n, ebi| mme_teids(n, ebi).0,
        true,
    ),
];

/// TS 29.274 7.2.9.2, cause: the access that a session left is told where it went, and the session lives on.
//= L7
#[test]
fn the_access_that_a_session_left_is_told_so() {
    for (create_from, peer, teid, from_3gpp) in ACCESSES {
        for (create_to, _, _, to_3gpp) in ACCESSES {
            let mut rig = Rig::with(quiet);
            rig.accepted2(&create_from(1, 6));
            rig.accepted2(&handed_over(create_to(1, 5)));
            let told = asked(std::mem::take(&mut rig.aside));
            assert_eq!(rig.live(), 1);
            let is_same = std::ptr::fn_addr_eq(create_from, create_to);
            if is_same || from_3gpp && to_3gpp {
                assert!(told.is_empty());
                continue;
            }
            assert_eq!((told.len(), told[0].path), (1, Rig::path(peer)));
            let message = told[0].v2();
            assert_eq!(message.header.teid, Some(teid(1, 6)));
            let ies = message.ie_set().unwrap();
            assert_eq!(ies.get(IeType::EBI, 0), Some(&[6][..]));
            let why = match (from_3gpp, to_3gpp) {
                (true, false) => Some(&[4, 0][..]),
                (false, true) => Some(&[10, 0][..]),
                _ => None,
            };
            assert_eq!(ies.get(IeType::CAUSE, 0), why);
            // Whether it is answered or not, the session stays.
            match to_3gpp {
                true => drop(rig.hear(peer, &told[0].answer(0, Cause::REQUEST_ACCEPTED))),
                false => assert_eq!(rig.run(T3 * 6).len(), 4, "asked 5 times"),
            }
            assert_eq!(rig.plane.transactions.len(), 0);
            assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
        }
    }
}

/// The peer that a session left, and came back to with the same endpoint and number, is not asked on to delete it.
//= L7
#[test]
fn an_access_that_a_session_came_back_to_is_not_asked_on_to_delete_it() {
    for (create_from, _, _, from_3gpp) in ACCESSES {
        for (create_to, _, _, to_3gpp) in ACCESSES {
            if std::ptr::fn_addr_eq(create_from, create_to) || from_3gpp && to_3gpp {
                continue;
            }
            let mut rig = Rig::with(quiet);
            rig.accepted2(&create_from(1, 6));
            rig.accepted2(&handed_over(create_to(1, 5)));
            assert_eq!(asked(std::mem::take(&mut rig.aside)).len(), 1);
            rig.accepted2(&handed_over(create_from(1, 6)));
            rig.aside.clear();
            let again = asked(rig.run(T3 * 12));
            assert_eq!(again.len(), 4, "the access that it left now");
            assert!(
                again
                    .iter()
                    .all(|sent| sent.v2().ie_set().unwrap().get(IeType::EBI, 0) == Some(&[5][..]))
            );
            assert_eq!((rig.live(), rig.plane.transactions.len()), (1, 0));
        }
    }
}

/// On S11 the MME is asked at its endpoint for the UE, connection by connection.
#[test]
fn a_collapsed_call_is_cleared_at_its_mme() {
    let mut rig = Rig::with(quiet);
    let teid = rig.make11(1, 5, "internet");
    let mut second = create11(1, 6, "ims");
    second.teid = Some(teid);
    rig.accepted2(&second);
    let whom = Whom::Apn("ims".into());
    let reactivate = false;
    let asked = rig.clear(&Clear { whom, reactivate });
    assert_eq!((asked.len(), asked[0].path), (1, Rig::path(MME)));
    assert_eq!(asked[0].v2().header.teid, Some(mme_teids(1, 6).0));
    let linked = asked[0]
        .v2()
        .ie_set()
        .unwrap()
        .get(IeType::EBI, 0)
        .map(<[u8]>::to_vec);
    assert_eq!(linked, Some(vec![6]));
    rig.hear(MME, &asked[0].answer(teid, Cause::REQUEST_ACCEPTED));
    assert_eq!((rig.live(), rig.ended(Ended::Cleared)), (1, 1));
    let asked = rig.clear(&all());
    rig.hear(MME, &asked[0].answer(teid, Cause::REQUEST_ACCEPTED));
    assert_eq!((rig.live(), rig.ended(Ended::Cleared)), (0, 2));
}

#[test]
fn what_is_refused_and_what_comes_again_says_no_farewell() {
    let mut rig = Rig::with(quiet);
    rig.make2(1, 6, "internet");
    let request = handed_over(create_by(S2B, 1, 5, "nowhere"));
    assert_eq!(rig.ask2(&request).cause(), Cause::MISSING_OR_UNKNOWN_APN);
    assert!(rig.aside.is_empty());
    let request = handed_over(create_by(S2B, 1, 5, "internet")).encode(0x77);
    let answers = rig.raw(&request);
    assert_eq!(rig.aside.len(), 1);
    assert_eq!(rig.raw(&request), answers);
    assert_eq!(rig.aside.len(), 1);
}

#[test]
fn without_room_for_it_no_farewell_is_said_and_a_clear_waits() {
    let mut rig = Rig::with(|config| {
        quiet(config);
        config.bounds.requests = 2;
    });
    (1..5).for_each(|n| assert!(rig.make2(n, 5, "internet") > 0));
    let first = rig.clear(&all());
    assert_eq!(
        (rig.cleared.as_slice(), first.len()),
        (&[4][..], 1),
        "half of the room"
    );
    for (n, told) in [(3, 1), (4, 1)] {
        rig.accepted2(&handed_over(create_by(S2B, n, 5, "internet")));
        assert_eq!(rig.aside.len(), told);
    }
    assert_eq!(rig.plane.statistics().requests_unsent, 1);
    // Those that came over have places of their own; one at a time is asked for.
    let mut waiting = first;
    let mut asked_for = 0;
    while let Some(next) = waiting.pop() {
        asked_for += 1;
        rig.hear(SGW, &next.answer(0, Cause::REQUEST_ACCEPTED));
        waiting.extend(asked(rig.run(T3 * 5)).into_iter().next());
    }
    assert!(asked_for >= 2, "{asked_for}");
    assert_eq!(rig.plane.transactions.len(), 0);
}

/// Half of a node's sessions are meant by each.
#[test]
fn a_clear_ends_what_it_names_and_nothing_else() {
    let make = || {
        let mut rig = Rig::with(quiet);
        for n in 1..4 {
            rig.make2(n, 5, "internet");
            rig.make2(n, 6, "sos");
            rig.make(n, 5, "internet");
        }
        let other = create2(4, 5, "ims").but(
            false,
            IeType::F_TEID,
            0,
            &fteid(v2::InterfaceType::S5S8_SGW_C, 0x77, OTHER_SGW),
        );
        rig.accepted2(&other);
        rig
    };
    let subscriber = gtp::v1::Imsi::from_number(240_010_000_000_002, 15).unwrap();
    let cases = [
        (Whom::All, 7, "emergency calls stay"),
        (
            Whom::Imsi(subscriber),
            3,
            "a subscriber's emergency call goes too",
        ),
        (Whom::Apn("InterNet".into()), 6, "by both versions"),
        (Whom::Apn("SOS".into()), 3, "named"),
        (Whom::Apn("nowhere".into()), 0, "none such"),
        (
            Whom::Peer(SGW.parse().unwrap()),
            3,
            "not its emergency calls",
        ),
        (Whom::Peer(OTHER_SGW.parse().unwrap()), 1, "its only one"),
        (Whom::Peer("10.0.0.1".parse().unwrap()), 0, "unknown"),
        (Whom::Service(PGW), 4, "not its emergency calls"),
        (Whom::Service(GGSN), 3, "the others"),
    ];
    for (whom, expected, why) in cases {
        let mut rig = make();
        let reactivate = false;
        let asked = rig.clear(&Clear { whom, reactivate });
        assert_eq!(rig.cleared, [expected as u64], "{why}");
        assert_eq!(asked.len(), expected, "{why}");
        rig.run(T3 * 6);
        assert_eq!(rig.live(), 10 - expected as i64, "{why}");
        assert_eq!(rig.ended(Ended::Cleared), expected as u64);
    }
}

#[test]
fn what_is_being_cleared_is_counted_again_but_not_asked_for_again() {
    let mut rig = Rig::with(quiet);
    rig.make2(1, 5, "internet");
    assert_eq!(rig.clear(&all()).len(), 1);
    assert_eq!(rig.clear(&all()).len(), 0);
    assert_eq!(rig.cleared, [1, 1]);
}

#[test]
fn clears_wait_for_each_other_and_one_too_many_is_told() {
    let mut rig = Rig::with(quiet);
    rig.make2(1, 5, "internet");
    let none = Clear {
        whom: Whom::Apn("none".into()),
        reactivate: false,
    };
    (0..15).for_each(|_| assert!(rig.plane.clear(&none, rig.now)));
    assert!(rig.plane.clear(&all(), rig.now));
    assert!(!rig.plane.clear(&all(), rig.now));
    rig.run(Duration::from_millis(100));
    let expected = [[0; 15].as_slice(), &[1]].concat();
    assert_eq!(rig.cleared, expected);
    assert!(rig.plane.clear(&all(), rig.now));
}

/// New calls are answered between the steps of a mass clear, and what comes after it stays.
#[test]
fn a_mass_clear_goes_in_steps() {
    let mut rig = Rig::with(quiet);
    for n in 0..2000 {
        rig.make2(n, 5, "internet");
    }
    assert!(rig.plane.clear(&all(), rig.now));
    let mut sent = 0;
    for n in 0..200 {
        rig.plane.handle_timeout(rig.now);
        let asked = rig.outputs().len();
        assert!(asked <= 16, "{asked} at once");
        sent += asked;
        assert_eq!(
            rig.ask2(&create2(5000 + n, 5, "internet")).cause(),
            Cause::REQUEST_ACCEPTED
        );
        rig.pass(Duration::from_millis(1));
    }
    assert_eq!((sent, rig.cleared.as_slice()), (2000, &[2000][..]));
    rig.run(T3 * 6);
    assert_eq!((rig.live(), rig.ended(Ended::Cleared)), (200, 2000));
}

/// A restart counter may be in any message (TS 23.007 18), but only one that we asked for is believed by its sequence number.
#[test]
fn an_answer_tells_a_restart_too() {
    let mut rig = Rig::with(quiet);
    let told =
        |number, counter: u8| create2(number, 5, "internet").with(IeType::RECOVERY, 0, &[counter]);
    let teid = rig.accepted2(&told(1, 1)).control().teid;
    rig.accepted2(&told(2, 1));
    let whom = Whom::Imsi(v1::Imsi::from_number(240_010_000_000_001, 15).unwrap());
    let reactivate = false;
    let asked = rig.clear(&Clear { whom, reactivate });
    let answer = |counter: u8| {
        Message2::new(MessageType::DELETE_BEARER_RESPONSE, Some(teid))
            .with(IeType::CAUSE, 0, &[Cause::CONTEXT_NOT_FOUND.0, 0])
            .with(IeType::RECOVERY, 0, &[counter])
            .encode(asked[0].sequence())
    };
    rig.hear(SGW, &answer(2));
    rig.run(Duration::from_secs(1));
    assert_eq!(
        (rig.ended(Ended::Cleared), rig.ended(Ended::PeerLost)),
        (1, 1)
    );
    rig.accepted2(&told(3, 2));
    rig.hear(SGW, &answer(3));
    rig.run(Duration::from_secs(1));
    assert_eq!((rig.live(), rig.plane.statistics().peer_restarts), (1, 1));
}
