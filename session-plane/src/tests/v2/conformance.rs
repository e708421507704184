//! Every procedure by GTPv2, with each of its mandatory elements missing, malformed, duplicated and out of order: one test
//! a procedure and form. `ROWS` of a procedure's module are its elements.

use gtp::v2::{Cause, FTeid, IeType, InterfaceType, MessageType};

use super::super::rig::Rig;
use super::rig::*;

/// An element that must be there: whether it is of the bearer context, its type and instance, and the cause that tells
/// that it is missing; none: it may be, but not malformed.
type Row = (bool, IeType, u8, Option<Cause>);

const MANDATORY: Option<Cause> = Some(Cause::MANDATORY_IE_MISSING);
const CONDITIONAL: Option<Cause> = Some(Cause::CONDITIONAL_IE_MISSING);

/// A procedure, ready to be asked for: the rig, the request, and the cause of its answer.
type Ready = (Rig, Message2, Cause);

/// What a request leaves behind: permits given, sessions, addresses, endpoints of the default bearer.
fn trace(rig: &Rig) -> (u64, u32, u32, Vec<(u32, u32)>) {
    let sessions = rig.plane.table.sessions();
    let endpoints = sessions.map(|(_, s)| (s.peer_teid, s.context.peer_teid));
    (
        rig.admitted(),
        rig.plane.table.len(),
        rig.addresses_out(),
        endpoints.collect(),
    )
}

/// Refused with this cause, which names the element, and nothing done.
fn refused(ready: Ready, row: Row, change: impl FnOnce(Message2) -> Message2, cause: Cause) {
    let (mut rig, request, _) = ready;
    let (of_bearer, kind, instance, _) = row;
    let before = trace(&rig);
    let answer = rig.ask2(&change(request));
    let named = Some((kind, instance));
    assert_eq!(answer.complaint(), (cause, named), "{kind} {instance}");
    assert_eq!(answer.cause_ie().bearer_context_error, of_bearer);
    assert_eq!(trace(&rig), before, "{kind} {instance}");
}

/// Answered as the request itself is, with the same effect.
fn as_whole(ready: fn() -> Ready, change: impl FnOnce(Message2) -> Message2) {
    let (mut rig, request, cause) = ready();
    let (mut plain, whole, _) = ready();
    let answer = rig.ask2(&change(request));
    assert_eq!(answer.cause(), cause);
    assert_eq!(answer.body, plain.ask2(&whole).body);
    assert_eq!(trace(&rig), trace(&plain));
}

fn missing(ready: fn() -> Ready, rows: &[Row]) {
    for row in rows {
        let (of_bearer, kind, instance, cause) = *row;
        let without = |request: Message2| match kind {
            IeType::BEARER_CONTEXT => request.without_bearer(),
            _ => request.without(of_bearer, kind, instance),
        };
        match cause {
            Some(cause) => refused(ready(), *row, without, cause),
            None => {
                let (mut rig, request, cause) = ready();
                assert_eq!(rig.ask2(&without(request)).cause(), cause, "{kind}");
            }
        }
    }
}

fn malformed(ready: fn() -> Ready, rows: &[Row]) {
    for row in rows {
        let (of_bearer, kind, instance, _) = *row;
        let broken = |request: Message2| match kind {
            IeType::BEARER_CONTEXT => {
                let cut = [IeType::EBI.0, 0, 9];
                request.without_bearer().with(kind, 0, &cut)
            }
            _ => request.but(of_bearer, kind, instance, &[]),
        };
        refused(ready(), *row, broken, Cause::MANDATORY_IE_INCORRECT);
    }
}

/// Of several the first counts (TS 29.274 7.7.10), whatever the others are; of bearer contexts, which may be several, each
/// counts once.
fn duplicated(ready: fn() -> Ready, rows: &[Row]) {
    for (of_bearer, kind, instance, _) in rows {
        as_whole(ready, |request| match (*kind, of_bearer) {
            (IeType::BEARER_CONTEXT, _) => {
                let same = request.bearer_octets();
                request.with(*kind, 0, &same)
            }
            (_, true) => request.with_bearer(*kind, *instance, &[]),
            (_, false) => request.with(*kind, *instance, &[]),
        });
    }
}

/// The order of elements says nothing (TS 29.274 6.1.1), but for that of two of the same type and instance.
fn out_of_order(ready: fn() -> Ready, _: &[Row]) {
    as_whole(ready, |mut request| {
        request.ies.reverse();
        request
            .bearer
            .iter_mut()
            .for_each(|bearer| bearer.reverse());
        request
    });
}

/// One module a procedure, with the four tests.
macro_rules! procedures {
    ($($name:ident($ready:expr) [$($row:expr),* $(,)?];)*) => {
        $(mod $name {
            use super::*;

            const ROWS: &[Row] = &[$($row),*];

            #[test]
            fn missing() {
                super::missing($ready, ROWS);
            }

            #[test]
            fn malformed() {
                super::malformed($ready, ROWS);
            }

            #[test]
            fn duplicated() {
                super::duplicated($ready, ROWS);
            }

            #[test]
            fn out_of_order() {
                super::out_of_order($ready, ROWS);
            }
        })*
    };
}

procedures! {
    create_session_on_s5(|| creating(create_by(S5, 1, 5, "internet"))) [
        (false, IeType::RAT_TYPE, 0, MANDATORY),
        (false, IeType::F_TEID, 0, MANDATORY),
        (false, IeType::APN, 0, MANDATORY),
        (false, IeType::BEARER_CONTEXT, 0, MANDATORY),
        (true, IeType::EBI, 0, MANDATORY),
        (true, IeType::BEARER_QOS, 0, MANDATORY),
        (false, IeType::IMSI, 0, CONDITIONAL),
        (false, IeType::PAA, 0, CONDITIONAL),
        (true, IeType::F_TEID, 2, CONDITIONAL),
    ];
    create_session_on_s2b(|| creating(create_by(S2B, 1, 5, "internet"))) [
        (false, IeType::RAT_TYPE, 0, MANDATORY),
        (false, IeType::F_TEID, 0, MANDATORY),
        (false, IeType::APN, 0, MANDATORY),
        (false, IeType::BEARER_CONTEXT, 0, MANDATORY),
        (true, IeType::EBI, 0, MANDATORY),
        (true, IeType::BEARER_QOS, 0, MANDATORY),
        (false, IeType::IMSI, 0, CONDITIONAL),
        (false, IeType::PAA, 0, CONDITIONAL),
        (true, IeType::F_TEID, 5, CONDITIONAL),
    ];
    create_session_on_s2a(|| creating(create_by(S2A, 1, 5, "internet"))) [
        (false, IeType::RAT_TYPE, 0, MANDATORY),
        (false, IeType::F_TEID, 0, MANDATORY),
        (false, IeType::APN, 0, MANDATORY),
        (false, IeType::BEARER_CONTEXT, 0, MANDATORY),
        (true, IeType::EBI, 0, MANDATORY),
        (true, IeType::BEARER_QOS, 0, MANDATORY),
        (false, IeType::IMSI, 0, CONDITIONAL),
        (false, IeType::PAA, 0, CONDITIONAL),
        (true, IeType::F_TEID, 6, CONDITIONAL),
    ];
    create_session_on_s11(|| creating(create11(1, 5, "internet"))) [
        (false, IeType::RAT_TYPE, 0, MANDATORY),
        (false, IeType::F_TEID, 0, MANDATORY),
        (false, IeType::APN, 0, MANDATORY),
        (false, IeType::BEARER_CONTEXT, 0, MANDATORY),
        (true, IeType::EBI, 0, MANDATORY),
        (true, IeType::BEARER_QOS, 0, MANDATORY),
        (false, IeType::IMSI, 0, CONDITIONAL),
        (false, IeType::F_TEID, 1, CONDITIONAL),
        (false, IeType::PAA, 0, CONDITIONAL),
    ];
    modify_bearer_on_s5(|| by_pgw(|teid| modify(teid, 5, OTHER_SGW, 0x6123_0000))) [
        (false, IeType::F_TEID, 0, None),
        (false, IeType::BEARER_CONTEXT, 0, None),
        (true, IeType::EBI, 0, MANDATORY),
        (true, IeType::F_TEID, 1, None),
    ];
    modify_bearer_on_s11(|| by_saegw(taken_over_with_bearer)) [
        (false, IeType::F_TEID, 0, None),
        (false, IeType::BEARER_CONTEXT, 0, None),
        (true, IeType::EBI, 0, MANDATORY),
        (true, IeType::F_TEID, 0, None),
    ];
    delete_session_on_s5(|| by_pgw(|teid| delete2(teid, 5))) [
        (false, IeType::EBI, 0, None),
    ];
    delete_session_on_s11(|| by_saegw(|teid| delete2(teid, 5))) [
        (false, IeType::EBI, 0, CONDITIONAL),
    ];
    release_access_bearers(|| by_saegw(release11)) [];
    change_notification(|| by_saegw(change_notification)) [
        (false, IeType::RAT_TYPE, 0, MANDATORY),
        (false, IeType::IMSI, 0, None),
    ];
    suspend_notification(|| by_saegw(|teid| notice(MessageType::SUSPEND_NOTIFICATION, teid))) [];
    resume_notification(|| by_saegw(|teid| notice(MessageType::RESUME_NOTIFICATION, teid))) [
        (false, IeType::IMSI, 0, MANDATORY),
    ];
    delete_bearer_command(|| failing(delete_bearer_command, Cause::CONTEXT_NOT_FOUND)) [
        (false, IeType::BEARER_CONTEXT, 0, MANDATORY),
        (true, IeType::EBI, 0, MANDATORY),
    ];
    bearer_resource_command(|| failing(bearer_resource_command, Cause::SERVICE_NOT_SUPPORTED)) [
        (false, IeType::EBI, 0, MANDATORY),
        (false, IeType::PTI, 0, MANDATORY),
    ];
}

fn creating(request: Message2) -> Ready {
    (Rig::v2(), request, Cause::REQUEST_ACCEPTED)
}

fn by_pgw(request: impl FnOnce(u32) -> Message2) -> Ready {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "internet");
    (rig, request(teid), Cause::REQUEST_ACCEPTED)
}

fn by_saegw(request: impl FnOnce(u32) -> Message2) -> Ready {
    let mut rig = Rig::v2();
    let teid = rig.make11(1, 5, "internet");
    (rig, request(teid), Cause::REQUEST_ACCEPTED)
}

fn failing(request: impl FnOnce(u32) -> Message2, cause: Cause) -> Ready {
    let (rig, request, _) = by_saegw(request);
    (rig, request, cause)
}

/// By which another MME takes a UE over, and tells another eNodeB.
fn taken_over_with_bearer(teid: u32) -> Message2 {
    let sender = fteid(InterfaceType::S11_MME_C, 0x4999_0000, OTHER_MME);
    modify11(teid, 1, 5).with(IeType::F_TEID, 0, &sender)
}

fn change_notification(teid: u32) -> Message2 {
    notice(MessageType::CHANGE_NOTIFICATION_REQUEST, teid).with(IeType::RAT_TYPE, 0, &[6])
}

fn delete_bearer_command(teid: u32) -> Message2 {
    Message2::new(MessageType::DELETE_BEARER_COMMAND, Some(teid)).with_bearer(IeType::EBI, 0, &[6])
}

fn bearer_resource_command(teid: u32) -> Message2 {
    Message2::new(MessageType::BEARER_RESOURCE_COMMAND, Some(teid))
        .with(IeType::EBI, 0, &[5])
        .with(IeType::PTI, 0, &[3])
}

/// A header without an endpoint is no header of these (TS 29.274 5.5.2), and one with another's finds nothing.
#[test]
fn every_request_but_a_create_names_what_is_there() {
    let requests: [fn(u32) -> Message2; 8] = [
        |teid| delete2(teid, 5),
        |teid| modify11(teid, 1, 5),
        release11,
        change_notification,
        |teid| notice(MessageType::SUSPEND_NOTIFICATION, teid),
        |teid| notice(MessageType::RESUME_NOTIFICATION, teid),
        delete_bearer_command,
        bearer_resource_command,
    ];
    for request in requests {
        let (mut rig, mut request, _) = by_saegw(request);
        let before = trace(&rig);
        let teid = request.teid.replace(request.teid.unwrap() ^ 0x100);
        assert_eq!(rig.ask2(&request).cause(), Cause::CONTEXT_NOT_FOUND);
        request.teid = None;
        assert_eq!(rig.ask2(&request).cause(), Cause::INVALID_MESSAGE_FORMAT);
        assert_eq!(trace(&rig), before);
        request.teid = teid;
        let whole = rig.ask2(&request);
        let mme = FTeid::parse(&fteid(InterfaceType::S11_MME_C, mme_teids(1, 5).0, MME));
        assert_eq!(whole.header.teid, Some(mme.unwrap().teid));
    }
}
