//! The steps by GTPv2-C: a PGW on S5, SGW and PGW in one on S11.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use api::{ClearWhom, Failure};
use licensing::RefusalReason;
use load::Interface;

use super::caller::Answer;
use super::steps::{SERVICES, STATUS, WAIT, because, counted, load};
use super::{Demo, GGSN, PGW, SAEGW, SGW, interrupted};
use crate::output;

/// Cause "Request accepted" (TS 29.274 8.4).
const ACCEPTED: u8 = 16;

/// Cause "No resources available", which a refused call is told unless configured otherwise.
const NO_RESOURCES: u8 = 73;

/// Cause "APN Congestion", the one that a PGW Back-Off Time goes with (TS 29.274 7.2.2).
const APN_CONGESTION: u8 = 113;

/// The least that the back-off time of the access point `patient` may be; more is jitter.
const BACK_OFF: Duration = Duration::from_secs(120);

/// Calls made one after the other on S5 before the load.
const FIRST_CALLS: u32 = 50;

/// Calls of a load on S5, and on S11.
const LOAD: u32 = 2_000;

/// What GGSN holds from step 4 on.
const GGSN_CALLS: u32 = 10_000;

pub fn pgw(demo: &mut Demo) -> Result<(), Failure> {
    let mut many = 0;
    for _ in 0..FIRST_CALLS {
        let answer = demo.caller.create(Interface::S5, "internet")?;
        many += u32::from(answer.cause == ACCEPTED);
        if demo.interrupt.came() {
            return Err(interrupted());
        }
    }
    let observed = format!("{many} of {FIRST_CALLS} with cause {ACCEPTED}");
    demo.check("calls on S5 are accepted", many == FIRST_CALLS, observed);
    let cause = demo.caller.update(Interface::S5)?;
    accepted(demo, "one of them changes", cause);
    let cause = demo.caller.delete(Interface::S5)?;
    accepted(demo, "and ends", cause);
    load(demo, "a load on S5 is accepted", Interface::S5, LOAD.into())?;
    let asserted = "they count as PGW, not as GGSN";
    let wanted = [(PGW, FIRST_CALLS - 1 + LOAD), (GGSN, GGSN_CALLS)];
    counted(demo, asserted, &wanted)?;
    demo.show(STATUS, SERVICES, " service")
}

pub fn saegw(demo: &mut Demo) -> Result<(), Failure> {
    let cause = demo.caller.create(Interface::S11, "internet")?.cause;
    accepted(demo, "a UE attaches on S11", cause);
    let cause = demo.caller.update(Interface::S11)?;
    accepted(demo, "its eNodeB is told", cause);
    let cause = demo.caller.create_beside("ims")?;
    accepted(demo, "it gets a second PDN connection", cause);
    counted(demo, "each of the two counts", &[(SAEGW, 2)])?;
    let cause = demo.caller.release()?;
    accepted(demo, "it falls idle", cause);
    let cause = demo.caller.update(Interface::S11)?;
    accepted(demo, "it comes back", cause);
    counted(demo, "that changed no count", &[(SAEGW, 2)])?;
    let cause = demo.caller.delete(Interface::S11)?;
    accepted(demo, "one PDN connection ends", cause);
    load(
        demo,
        "a load on S11 is accepted",
        Interface::S11,
        LOAD.into(),
    )?;
    let asserted = "a collapsed call counts as SAEGW only";
    let pgw = FIRST_CALLS - 1 + LOAD;
    let wanted = [(SAEGW, 1 + LOAD), (PGW, pgw), (SGW, 0)];
    counted(demo, asserted, &wanted)?;
    demo.show(STATUS, SERVICES, " service")
}

/// Everything is blocked.
pub fn blocked(demo: &mut Demo) -> Result<(), Failure> {
    let answer = demo.caller.create(Interface::S5, "internet")?;
    refused(demo, "a new call on S5 is refused", answer.cause);
    because(
        demo,
        "for the block of its service",
        RefusalReason::ServiceBlocked,
    )?;
    let answer = demo.caller.create(Interface::S5, "patient")?;
    told_to_wait(demo, "by the patient access point with a time", answer);
    let answer = demo.caller.create(Interface::S11, "internet")?;
    refused(demo, "a new call on S11 is refused", answer.cause);
    let cause = demo.caller.update(Interface::S5)?;
    accepted(demo, "a session on S5 may change", cause);
    let cause = demo.caller.delete(Interface::S5)?;
    accepted(demo, "a session on S5 may end", cause);
    let cause = demo.caller.delete(Interface::S11)?;
    accepted(demo, "the UE on S11 may detach", cause);
    let wanted = [(PGW, FIRST_CALLS - 2 + LOAD), (SAEGW, LOAD)];
    counted(demo, "both are counted down", &wanted)?;
    demo.show(STATUS, SERVICES, " service")
}

/// An operator ends what SAEGW holds.
pub fn cleared(demo: &mut Demo) -> Result<(), Failure> {
    output::print("\n$ tollgate clear subscribers service SAEGW -noconfirm\n");
    let asked_for = demo.clear(ClearWhom::Service(SAEGW.to_owned()))?;
    let observed = format!("{asked_for} sessions");
    let held = asked_for == u64::from(LOAD);
    demo.check("all that SAEGW holds are meant", held, observed);
    let end = Instant::now() + WAIT;
    let mut ended = BTreeSet::new();
    while ended.len() < LOAD as usize && Instant::now() < end {
        ended.extend(demo.caller.ended(Duration::from_millis(50))?);
        if demo.interrupt.came() {
            return Err(interrupted());
        }
    }
    let observed = format!("{} sessions", ended.len());
    let held = ended.len() == LOAD as usize;
    demo.check("the MME is asked to delete each", held, observed);
    while demo.service(SAEGW)?.sessions.0 > 0 && Instant::now() < end {
        if demo.interrupt.wait(Duration::from_millis(50)) {
            return Err(interrupted());
        }
    }
    let wanted = [(SAEGW, 0), (PGW, FIRST_CALLS - 2 + LOAD)];
    counted(demo, "they are gone, the others are not", &wanted)?;
    demo.show(STATUS, SERVICES, " service")
}

pub fn accepted(demo: &mut Demo, asserted: &'static str, cause: u8) {
    demo.check(asserted, cause == ACCEPTED, format!("cause {cause}"));
}

pub fn refused(demo: &mut Demo, asserted: &'static str, cause: u8) {
    demo.check(asserted, cause == NO_RESOURCES, format!("cause {cause}"));
}

fn told_to_wait(demo: &mut Demo, asserted: &'static str, answer: Answer) {
    let Answer { cause, back_off } = answer;
    let held = cause == APN_CONGESTION && back_off.is_some_and(|time| time >= BACK_OFF);
    let wait = back_off.map_or_else(|| "none".to_owned(), |time| format!("{time:?}"));
    demo.check(asserted, held, format!("cause {cause}, wait {wait}"));
}
