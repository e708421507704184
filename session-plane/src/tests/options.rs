//! Protocol configuration options in and out (TS 24.008 10.5.6.3).

use std::net::Ipv4Addr;

use gtp::{v1, v2};

use super::rig::*;
use super::v2::rig::*;

/// Name servers by IPv4 and IPv6, and the MTU.
const ASKED: &[u8] = &[0x80, 0, 0x0D, 0, 0, 0x03, 0, 0, 0x10, 0];
const TOLD: &[u8] = &[0x80, 0, 0x0D, 4, 10, 0, 0, 53, 0, 0x10, 2, 0x05, 0x78];

fn rig() -> Rig {
    Rig::with(|config| {
        and_v2(config);
        for apn in config.apns.iter_mut().filter(|apn| apn.name != "ims") {
            apn.dns.v4 = vec![Ipv4Addr::new(10, 0, 0, 53)];
            apn.mtu = Some(1400);
        }
    })
}

fn told(answer: &Answer2, kind: v2::IeType) -> Option<Vec<u8>> {
    answer.ies().get(kind, 0).map(<[u8]>::to_vec)
}

#[test]
fn a_ue_is_told_what_it_asks_for_by_gtpv1() {
    let mut rig = rig();
    let pco = v1::IeType::PROTOCOL_CONFIGURATION_OPTIONS;
    let answer = rig.ask(&create(1, 5, "internet").with(pco, ASKED));
    assert_eq!(answer.cause(), v1::Cause::REQUEST_ACCEPTED);
    assert_eq!(answer.get(pco, 0).as_deref(), Some(TOLD));
    let silent = rig.ask(&create(2, 5, "internet"));
    assert_eq!(silent.get(pco, 0), None);
    let malformed = rig.ask(&create(3, 5, "internet").with(pco, &ASKED[..3]));
    assert_eq!(malformed.cause(), v1::Cause::REQUEST_ACCEPTED);
    assert_eq!(malformed.get(pco, 0), None);
}

#[test]
fn a_ue_is_told_in_the_element_that_it_asked_in_by_gtpv2() {
    let mut rig = rig();
    let kinds = [v2::IeType::PCO, v2::IeType::APCO, v2::IeType::EPCO];
    for (number, kind) in (1..).zip(kinds) {
        let request = create_by(S2B, number, 5, "internet").with(kind, 0, ASKED);
        let answer = rig.accepted2(&request);
        for other in kinds {
            let expected = (other == kind).then(|| TOLD.to_vec());
            assert_eq!(told(&answer, other), expected, "{other}, asked in {kind}");
        }
    }
    let both = create2(4, 5, "internet")
        .with(v2::IeType::PCO, 0, ASKED)
        .with(v2::IeType::EPCO, 0, ASKED);
    let answer = rig.accepted2(&both);
    assert_eq!(
        told(&answer, v2::IeType::PCO),
        None,
        "extended ones go before plain ones"
    );
    assert_eq!(told(&answer, v2::IeType::EPCO), Some(TOLD.to_vec()));
}

#[test]
fn options_that_are_malformed_or_ask_for_what_is_not_there_are_passed_over() {
    let mut rig = rig();
    let pco = v2::IeType::PCO;
    for options in [
        &[][..],
        &[0x80],
        &ASKED[..2],
        &[0x80, 0, 0x0C, 0],
        &[0x80, 0, 0x0D, 9],
    ] {
        let answer = rig.accepted2(&create2(1, 5, "internet").with(pco, 0, options));
        assert_eq!(told(&answer, pco), None, "{options:?}");
    }
    let nothing_there = rig.accepted2(&create2(1, 5, "ims").with(pco, 0, ASKED));
    assert_eq!(told(&nothing_there, pco), None);
    rig.terms(
        PGW,
        enforcer::Terms {
            ceiling: Some(0),
            ..enforcer::Terms::default()
        },
    );
    let refused = rig.ask2(&create2(2, 5, "internet").with(pco, 0, ASKED));
    assert_eq!(refused.cause(), v2::Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(told(&refused, pco), None);
}
