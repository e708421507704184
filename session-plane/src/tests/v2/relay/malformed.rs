//! What an SGW makes of a PGW's messages that lack something, are malformed, or are octets at random.

use std::time::Duration;

use gtp::v2::{Cause, IeType, MessageType};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::rig::{Answer2, Message2, modify11};
use super::net::{Net, create, delete, ue_teid};

const SECOND: Duration = Duration::from_secs(1);

/// The PGW's answer to a Create Session Request, in parts.
fn answer_of(net: &Net) -> (u32, Message2) {
    let made = Answer2::read(net.said_by_pgw.last().unwrap());
    let mut message = Message2::new(made.header.kind, made.header.teid);
    for ie in made
        .ies()
        .iter()
        .filter(|ie| ie.kind != IeType::BEARER_CONTEXT)
    {
        message = message.with(ie.kind, ie.instance, ie.value);
    }
    for ie in made.bearers()[0].iter() {
        message = message.with_bearer(ie.kind, ie.instance, ie.value);
    }
    (made.header.sequence, message)
}

#[test]
fn an_answer_of_the_pgw_must_tell_what_it_has_made() {
    let missing = [
        (false, IeType::F_TEID, 1),
        (true, IeType::F_TEID, 2),
        (false, IeType::BEARER_CONTEXT, 0),
    ];
    for (of_bearer, kind, instance) in missing {
        for malformed in [false, true] {
            let mut net = Net::new();
            net.hold = true;
            let request = net.begin(&create(1, 5, "internet"));
            let (sequence, answer) = answer_of(&net);
            let answer = match (kind, malformed) {
                (IeType::BEARER_CONTEXT, true) => Message2 {
                    bearer: None,
                    ..answer.with(IeType::BEARER_CONTEXT, 0, &[9])
                },
                (IeType::BEARER_CONTEXT, false) => Message2 {
                    bearer: None,
                    ..answer
                },
                (_, true) => answer.but(of_bearer, kind, instance, &[0x87]),
                (_, false) => answer.without(of_bearer, kind, instance),
            };
            net.hold = false;
            net.pgw_sends(answer.encode(sequence));
            net.run(SECOND);
            let told = net.answer_to(&request);
            assert_eq!(told.cause(), Cause::INVALID_REPLY_FROM_REMOTE_PEER);
            assert_eq!(net.counts().0, 0, "{kind}");
        }
    }
}

/// One whose cause can't be read is as good as none: the PGW is asked again.
#[test]
fn an_answer_without_a_cause_is_none() {
    let mut net = Net::new();
    net.hold = true;
    let request = net.begin(&create(1, 5, "internet"));
    let (sequence, answer) = answer_of(&net);
    net.lose_held();
    for answer in [
        answer.clone().without(false, IeType::CAUSE, 0),
        answer.but(false, IeType::CAUSE, 0, &[16]),
    ] {
        net.pgw_sends(answer.encode(sequence));
        net.run(SECOND);
        assert!(net.answers_to(&request).is_empty());
    }
    net.run(5 * SECOND);
    assert_eq!(net.answer_to(&request).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(net.counts(), (1, 1));
}

#[test]
fn a_request_of_the_pgw_must_tell_which_bearers() {
    let mut net = Net::new();
    net.accepted(&create(1, 5, "internet"));
    let session = net.sgw[0].plane.table.sessions().next().unwrap().1.teid;
    let of = |kind| Message2::new(kind, Some(session)).with(IeType::EBI, 0, &[5]);
    let (make, change) = (
        MessageType::CREATE_BEARER_REQUEST,
        MessageType::UPDATE_BEARER_REQUEST,
    );
    let missing = |kind| Some((kind, 0));
    let cases = [
        (of(make), 70, missing(IeType::BEARER_CONTEXT)),
        (of(change), 70, missing(IeType::BEARER_CONTEXT)),
        (
            of(make).with_bearer(IeType::BEARER_QOS, 0, &[0; 22]),
            70,
            missing(IeType::EBI),
        ),
        (
            of(change).with_bearer(IeType::EBI, 0, &[]),
            69,
            missing(IeType::EBI),
        ),
        (
            Message2::new(MessageType::DELETE_BEARER_REQUEST, Some(session)).with(
                IeType::EBI,
                0,
                &[],
            ),
            69,
            missing(IeType::EBI),
        ),
    ];
    for (sequence, (request, cause, offending)) in (900..).zip(cases) {
        net.to_pgw.clear();
        net.pgw_sends(request.encode(sequence));
        net.run(SECOND);
        let answer = Answer2::read(&net.to_pgw[0]);
        assert_eq!(answer.complaint(), (Cause(cause), offending));
    }
    assert_eq!(net.counts(), (1, 1));
}

/// Whatever a PGW says, the SGW counts what it has, and comes to rest.
#[test]
fn a_pgw_that_talks_at_random_breaks_nothing() {
    for seed in 0..60 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut net = Net::new().seeded(seed);
        let mut teid = 0;
        for step in 0..30 {
            net.hold = true;
            let request = match step % 3 {
                0 => create(1, 5 + step % 2, "internet").with(IeType::RECOVERY, 0, &[1]),
                1 => modify11(teid, 1, 5).with(IeType::UE_TIME_ZONE, 0, &[0, 0]),
                _ => delete(teid, 5),
            };
            let octets = net.begin(&request);
            let said = net.said_by_pgw.last().cloned();
            let spoilt = said.map(|mut octets| {
                for _ in 0..random.random_range(0..4) {
                    let at = random.random_range(0..octets.len());
                    octets[at] = random.random();
                }
                octets
            });
            match random.random_bool(0.5) {
                true => net.let_go(),
                false => net.lose_held(),
            }
            if let Some(octets) = spoilt {
                net.pgw_sends(octets);
            }
            net.run(SECOND);
            for answer in net.answers_to(&octets) {
                if step % 3 == 0 && answer.cause().is_accepted() {
                    teid = ue_teid(&answer);
                }
            }
            let sessions = net.sgw[0].plane.table.len();
            assert_eq!(net.counts().0, sessions);
        }
        let echo = Message2::new(MessageType::ECHO_REQUEST, None).with(IeType::RECOVERY, 0, &[2]);
        net.mme_sends(echo.encode(9));
        net.run(200 * SECOND);
        assert_eq!(net.counts().0, 0);
        let plane = &net.sgw[0].plane;
        assert_eq!((plane.table.len(), plane.cache.in_progress()), (0, 0));
        assert_eq!(plane.transactions.len(), 0);
    }
}
