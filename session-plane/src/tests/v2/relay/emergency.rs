//! Emergency calls through an SGW.

use std::time::Duration;

use gtp::v2::{Cause, IeType, Message, MessageType};

use super::super::super::rig::RELAY;
use super::super::rig::release11;
use super::net::{Net, create, ue_teid};
use crate::config::{Apn, Role};
use crate::statistics::Ended;

const SECOND: Duration = Duration::from_secs(1);

/// The calls of the SGW's emergency access point name are inactive after ten minutes.
fn net() -> Net {
    Net::with(1, |config| {
        config.apns.push(Apn {
            role: Role::Sgw,
            emergency: true,
            emergency_inactivity: Some(600 * SECOND),
            ..Apn::new("sos", RELAY)
        });
    })
}

//= L8
#[test]
fn a_second_one_of_a_caller_takes_the_place_of_the_first_at_both() {
    let mut net = net();
    net.sgw[0].terms(
        RELAY,
        enforcer::Terms {
            ceiling: Some(0),
            ..enforcer::Terms::default()
        },
    );
    net.accepted(&create(1, 5, "sos"));
    net.accepted(&create(1, 6, "sos"));
    net.run(SECOND);
    assert_eq!(net.sgw[0].plane.table.len(), 1);
    assert_eq!(net.pgw.plane.table.len(), 1);
    let ended = net.sgw[0].plane.statistics().sessions_ended;
    assert_eq!(ended[&Ended::Replaced], 1);
    assert_eq!(net.counts(), (0, 0), "they hold no license");
}

#[test]
fn an_inactive_one_is_asked_of_the_mme_and_then_deleted_at_the_pgw() {
    let mut net = net();
    let teid = ue_teid(&net.accepted(&create(1, 5, "sos")));
    net.run(599 * SECOND);
    net.ask(&release11(teid));
    net.run(599 * SECOND);
    net.kinds_to_pgw();
    let kind = MessageType::DELETE_BEARER_REQUEST;
    assert!(net.asked_of_mme(kind).is_empty(), "put off");
    net.run(2 * SECOND);
    let asked = net.asked_of_mme(kind);
    let cause = Message::parse(&asked[0]).unwrap().ie_set().unwrap();
    assert_eq!(cause.get(IeType::CAUSE, 0), Some(&[11, 0][..]));
    net.mme_answers(&asked[0], teid, Cause::REQUEST_ACCEPTED);
    net.run(SECOND);
    assert_eq!(net.kinds_to_pgw(), [MessageType::DELETE_SESSION_REQUEST]);
    net.assert_empty();
    let ended = net.sgw[0].plane.statistics().sessions_ended;
    assert_eq!(ended[&Ended::Inactive], 1);
}
