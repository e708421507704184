//! The same request again, the same numbers by the other version, requests in another order (rule L13).

use super::super::rig::*;
use super::rig::*;

//= L13
#[test]
fn the_same_request_gets_the_same_octets_and_no_second_permit() {
    let mut rig = Rig::v2();
    let create = create2(1, 5, "internet").encode(7);
    let answer = rig.raw(&create);
    assert_eq!(rig.raw(&create), answer);
    let teid = Answer2::read(&answer[0]).control().teid;
    assert_eq!((rig.live(), rig.admitted()), (1, 1));
    for (sequence, request) in [(8, modify(teid, 5, SGW, 4)), (9, delete2(teid, 5))] {
        let datagram = request.encode(sequence);
        let answer = rig.raw(&datagram);
        assert_eq!(answer.len(), 1);
        assert_eq!(rig.raw(&datagram), answer);
    }
    assert_eq!(rig.raw(&create), answer, "late: no session comes back");
    assert_eq!(rig.live(), 0);
    assert_eq!(rig.plane.statistics().retransmissions, 4);
}

#[test]
fn the_versions_count_their_sequence_numbers_apart() {
    let mut rig = Rig::v2();
    let by_v2 = rig.raw(&create2(1, 5, "internet").encode(7));
    let by_v1 = rig.raw(&create(1, 5, "internet").encode(7));
    assert_ne!(by_v1, by_v2);
    assert_eq!(rig.live(), 2);
    assert_eq!(rig.plane.statistics().retransmissions, 0);
    // 24 bits of it count.
    rig.raw(&create2(1, 5, "internet").encode(0x0001_0007));
    assert_eq!(rig.plane.statistics().retransmissions, 0);
}

#[test]
fn a_refusal_stays_one_when_the_request_is_sent_again() {
    let mut rig = Rig::v2();
    let block = |block| enforcer::Terms {
        block,
        ..enforcer::Terms::default()
    };
    rig.terms(PGW, block(Some(enforcer::Block::Service)));
    let create = create2(1, 5, "internet").encode(7);
    let refused = rig.raw(&create);
    rig.terms(PGW, block(None));
    assert_eq!(rig.raw(&create), refused);
    assert_eq!(rig.live(), 0);
    assert_eq!(rig.refusals().len(), 1);
}
