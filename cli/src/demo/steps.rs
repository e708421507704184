//! The steps, in order: what each shows, and what it asserts.

use std::time::{Duration, Instant};

use api::{Failure, Request};
use licensing::snapshot::State;
use licensing::{Mode, Policy, RefusalReason};
use load::Interface;

use super::{Demo, GGSN, epc, interrupted, licensed};
use crate::output;
use crate::show::{Filter, Kind, history, status, text};

/// One step.
pub struct Step {
    /// What it is called.
    pub heading: &'static str,
    /// What happens in it, and why.
    pub words: &'static str,
    /// Does it.
    pub play: fn(&mut Demo) -> Result<(), Failure>,
}

/// Sessions that one license of the embedded catalog covers; in evaluation, the ceiling.
const CEILING: u32 = 10_000;

/// Calls made one after the other before the rest comes at a rate.
const FIRST_CALLS: u32 = 100;

/// License seconds a second at which the evaluation period of 90 days passes in six seconds.
const SPEEDUP: u32 = 90 * 86_400 / 6;

/// Longest wait for something that the node does by itself.
pub const WAIT: Duration = Duration::from_secs(120);

/// Cause "Request accepted" (TS 29.060 7.7.1).
const ACCEPTED: u8 = 128;

/// Cause "No resources available", which a refused call is told unless configured otherwise.
const NO_RESOURCES: u8 = 199;

pub const STATUS: &[&str] = &["license", "enforcement", "status"];
const STATISTICS: &[&str] = &["license", "statistics"];
const EVALUATION: &[&str] = &["license", "eval-period"];
const HISTORY: &[&str] = &["license", "enforcement", "history"];

const SUMMARY: &[&str] = &["session", "summary"];

pub const SERVICES: Filter = Filter {
    standing: None,
    kind: Some(Kind::Service),
    verbose: false,
    schema: None,
    facility: None,
    level: None,
    since: None,
};

/// All of them.
pub const STEPS: &[Step] = &[
    Step {
        heading: "1. Smart licensing is enabled",
        words: "Until now calls would be counted and let through. From here on licenses are enforced; the node is not \
                registered, so its 90 days of evaluation apply: one license a service, features without limit.",
        play: enable,
    },
    Step {
        heading: "2. Calls are let through in evaluation",
        words: "A hundred subscribers set up a PDP context each, over UDP.",
        play: first_calls,
    },
    Step {
        heading: "3. The ceiling is reached",
        words: "One GGSN license covers 10,000 sessions. The load generator fills it; the policy stays ALLOW, the \
                state becomes ALLOW-AT-LIMIT, and the next call is refused.",
        play: fill,
    },
    Step {
        heading: "4. A release lets the next one in",
        words: "The bound is exact: one call ends, one call gets in, the next is refused again.",
        play: release,
    },
    Step {
        heading: "5. An emergency call is never refused for a license",
        words: "A call to an access point that is configured for emergencies, at the full ceiling. It holds no \
                license and is counted apart.",
        play: emergency,
    },
    Step {
        heading: "6. On S5 the node is a PGW, with a license of its own",
        words: "The same port takes GTPv2-C. Fifty subscribers of an SGW set up a session each, then the load generator \
                two thousand. They are counted as PGW; that GGSN is full means nothing to them.",
        play: epc::pgw,
    },
    Step {
        heading: "7. On S11 it is SGW and PGW in one",
        words: "An MME names the node itself as the PGW. Such a collapsed call counts as SAEGW, neither as SGW nor as \
                PGW. A UE has two PDN connections here, falls idle and comes back; then a load.",
        play: epc::saegw,
    },
    Step {
        heading: "8. The evaluation period runs out",
        words: "The license clock of a lab node may be sped up; no other time changes. At this speed 90 days of use \
                pass in six seconds.",
        play: run_out,
    },
    Step {
        heading: "9. New calls are refused, established ones stay",
        words: "BLOCK never ends a session, nor refuses a change or the end of one. Emergency calls get in.",
        play: blocked,
    },
    Step {
        heading: "10. So it is by GTPv2-C, in its own words",
        words: "An SGW is told cause 73, No resources available; by an access point that is configured to, cause 113, \
                APN Congestion, with a time to stay away.",
        play: epc::blocked,
    },
    Step {
        heading: "11. An operator ends sessions",
        words: "The peer of each is asked to delete it; it counts until that is answered. Here the MME answers for all \
                that SAEGW holds; what PGW holds is left alone.",
        play: epc::cleared,
    },
    Step {
        heading: "12. A license authority serves",
        words: "It plays the part of the vendor's, on loopback; people ask it by HTTPS. Licenses are bought: four of \
                GGSN, one of PGW for good, one of the feature VoLTE for ten days.",
        play: licensed::authority,
    },
    Step {
        heading: "13. The node registers, and its ceiling is lifted",
        words: "The license clock is slowed to that of people. With a token of the authority the node gets an identity \
                certificate, asks for what it uses, and is granted what it will need soon.",
        play: licensed::registered,
    },
    Step {
        heading: "14. It grows to what is owned",
        words: "The node asks before it needs more, so no call is refused while the pool has a license. Then the pool \
                has none: that is a limit, and nothing is out of compliance.",
        play: licensed::grown,
    },
    Step {
        heading: "15. Licenses are moved away",
        words: "Two of four licenses go to another virtual account: more is used than is owned. Out of compliance, a \
                service is blocked at once; what is established stays.",
        play: licensed::moved,
    },
    Step {
        heading: "16. A term ends, and 90 days of grace pass",
        words: "The calendar of a lab authority is sped up, and the license clock of its nodes with it. A feature out \
                of compliance has 90 days of grace; after them it blocks the services that are tied to it.",
        play: licensed::ended,
    },
    Step {
        heading: "17. The feature is disabled",
        words: "What is not in use needs no license: the block of the services that are tied to it ends.",
        play: licensed::disabled,
    },
    Step {
        heading: "18. Licenses are bought",
        words: "As soon as the pool covers what is used, the node is told so when it asks again, once a second here.",
        play: licensed::bought,
    },
    Step {
        heading: "19. The count is proved",
        words: "In the background the node recounts its session table and compares it with every counter that \
                licensing relies on.",
        play: proved,
    },
];

fn enable(demo: &mut Demo) -> Result<(), Failure> {
    output::print("\n$ tollgate license smart enable\n");
    demo.change(&Request::SmartLicensing { enable: true })?;
    let smart = demo.snapshot()?.smart;
    let held = smart.enabled && smart.mode == Mode::Evaluation;
    let word = if smart.enabled { "enabled" } else { "disabled" };
    let observed = format!("{word}, {}", smart.mode);
    demo.check("smart licensing is on, in evaluation", held, observed);
    let ceiling = demo.service(GGSN)?.ceiling;
    let held = ceiling.is_some_and(|ceiling| ceiling.0 == CEILING);
    let observed = format!("ceiling {}", text::ceiling(ceiling));
    demo.check("GGSN may hold one license", held, observed);
    demo.show(STATUS, Filter::default(), "")?;
    demo.show(STATISTICS, SERVICES, " service")
}

fn first_calls(demo: &mut Demo) -> Result<(), Failure> {
    let mut accepted = 0;
    for _ in 0..FIRST_CALLS {
        if demo.caller.create(Interface::Gn, "internet")?.cause == ACCEPTED {
            accepted += 1;
        }
        if demo.interrupt.came() {
            return Err(interrupted());
        }
    }
    let observed = format!("{accepted} of {FIRST_CALLS} with cause {ACCEPTED}");
    demo.check(
        "the first calls are accepted",
        accepted == FIRST_CALLS,
        observed,
    );
    sessions(demo, "each of them is counted once", FIRST_CALLS)?;
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(STATISTICS, SERVICES, " service")
}

fn fill(demo: &mut Demo) -> Result<(), Failure> {
    let calls = u64::from(CEILING - FIRST_CALLS);
    load(
        demo,
        "calls up to the ceiling are accepted",
        Interface::Gn,
        calls,
    )?;
    let row = demo.service(GGSN)?;
    let state = status::state(row.tag.state);
    let held = row.tag.state == State::AllowAtLimit && row.tag.policy == Policy::Allow;
    demo.check("the state is ALLOW-AT-LIMIT", held, state);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "call 10,001 is refused", cause);
    because(demo, "its refusal is explained", RefusalReason::AtCeiling)?;
    sessions(demo, "the count has not moved", CEILING)?;
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(STATISTICS, SERVICES, " service")?;
    demo.show(HISTORY, Filter::default(), "")
}

fn release(demo: &mut Demo) -> Result<(), Failure> {
    let cause = demo.caller.delete(Interface::Gn)?;
    accepted(demo, "a call ends", cause);
    let state = demo.service(GGSN)?.tag.state;
    let word = status::state(state);
    demo.check(
        "there is room: the state is ALLOW",
        state == State::Allow,
        word,
    );
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    accepted(demo, "the next call gets in", cause);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "the one after it does not", cause);
    sessions(demo, "the ceiling is full again", CEILING)?;
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(STATISTICS, SERVICES, " service")
}

fn emergency(demo: &mut Demo) -> Result<(), Failure> {
    let cause = demo.caller.create(Interface::Gn, "sos")?.cause;
    accepted(demo, "an emergency call gets in", cause);
    emergencies(demo, "it is counted apart", 1)?;
    sessions(demo, "it holds no license", CEILING)?;
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(STATISTICS, SERVICES, " service")
}

fn run_out(demo: &mut Demo) -> Result<(), Failure> {
    demo.show(EVALUATION, Filter::default(), "")?;
    output::print(&format!("\n$ tollgate lab speedup {SPEEDUP}\n"));
    demo.change(&Request::LabSpeedup { speedup: SPEEDUP })?;
    let end = Instant::now() + WAIT;
    let expired = loop {
        let evaluation = demo.snapshot()?.evaluation;
        output::print(&format!(
            "  {} left\n",
            text::rough_span(evaluation.remaining_s)
        ));
        if evaluation.expired || Instant::now() > end {
            break evaluation.expired;
        }
        if demo.interrupt.wait(Duration::from_secs(1)) {
            return Err(interrupted());
        }
    };
    let observed = text::rough_span(demo.snapshot()?.evaluation.used_s);
    demo.check("90 days of use are used up", expired, observed);
    demo.show(EVALUATION, Filter::default(), "")?;
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(STATISTICS, SERVICES, " service")
}

fn blocked(demo: &mut Demo) -> Result<(), Failure> {
    let snapshot = demo.snapshot()?;
    let all = snapshot.rows().count();
    let block = snapshot
        .rows()
        .filter(|row| row.tag().state == State::Block)
        .count();
    let observed = format!("{block} of {all}");
    demo.check("every service and feature is BLOCK", block == all, observed);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "a new call is refused", cause);
    sessions(demo, "established calls stay", CEILING)?;
    let cause = demo.caller.update(Interface::Gn)?;
    accepted(demo, "an established call may change", cause);
    let cause = demo.caller.delete(Interface::Gn)?;
    accepted(demo, "an established call may end", cause);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "with room below the ceiling, still refused", cause);
    because(
        demo,
        "for the block, not the ceiling",
        RefusalReason::ServiceBlocked,
    )?;
    sessions(demo, "one less is counted", CEILING - 1)?;
    let cause = demo.caller.create(Interface::Gn, "sos")?.cause;
    accepted(demo, "an emergency call gets in", cause);
    emergencies(demo, "both emergency calls are up", 2)?;
    demo.show(STATUS, Filter::default(), "")?;
    demo.show(STATISTICS, SERVICES, " service")?;
    demo.show(HISTORY, Filter::default(), "")
}

fn proved(demo: &mut Demo) -> Result<(), Failure> {
    let from = demo.snapshot()?.at.wall;
    let end = Instant::now() + WAIT;
    let recount = loop {
        let recount = demo
            .snapshot()?
            .recount
            .filter(|recount| recount.at >= from);
        if recount.is_some() || Instant::now() > end {
            break recount;
        }
        if demo.interrupt.wait(Duration::from_millis(500)) {
            return Err(interrupted());
        }
    };
    let observed = recount.map_or_else(
        || "no recount".to_owned(),
        |recount| format!("{} counted, drift {}", recount.sessions, recount.drift),
    );
    let held = recount.is_some_and(|recount| recount.drift == 0);
    demo.check("a recount finds no drift", held, observed);
    let dropped = demo.health()?.permits_dropped;
    demo.check(
        "no permit was lost",
        dropped == 0,
        format!("{dropped} lost"),
    );
    demo.show(SUMMARY, Filter::default(), "")
}

/// The load generator puts so many calls on the node; each is accepted.
pub fn load(
    demo: &mut Demo,
    asserted: &'static str,
    on: Interface,
    calls: u64,
) -> Result<(), Failure> {
    let report = demo.caller.load(on, "internet", calls, &demo.interrupt)?;
    if demo.interrupt.came() {
        return Err(interrupted());
    }
    let create = &report.create;
    let observed = format!("{} of {calls}, {} refused", create.accepted, create.refused);
    let held = create.accepted == calls && create.requests == calls;
    demo.check(asserted, held, observed);
    Ok(())
}

pub fn accepted(demo: &mut Demo, asserted: &'static str, cause: u8) {
    demo.check(asserted, cause == ACCEPTED, format!("cause {cause}"));
}

pub fn refused(demo: &mut Demo, asserted: &'static str, cause: u8) {
    demo.check(asserted, cause == NO_RESOURCES, format!("cause {cause}"));
}

fn sessions(demo: &mut Demo, asserted: &'static str, wanted: u32) -> Result<(), Failure> {
    counted(demo, asserted, &[(GGSN, wanted)])
}

/// These services hold so many sessions.
pub fn counted(
    demo: &mut Demo,
    asserted: &'static str,
    wanted: &[(&str, u32)],
) -> Result<(), Failure> {
    let snapshot = demo.snapshot()?;
    let sessions = |name: &str| {
        let mut rows = snapshot.services.iter();
        let row = rows.find(|row| row.tag.name == name);
        row.map_or(0, |row| row.sessions.0)
    };
    let held = wanted.iter().all(|(name, many)| sessions(name) == *many);
    let observed = match wanted {
        [(name, _)] => format!("{} sessions", sessions(name)),
        many => {
            let each = many
                .iter()
                .map(|(name, _)| format!("{name} {}", sessions(name)));
            each.collect::<Vec<_>>().join(", ")
        }
    };
    demo.check(asserted, held, observed);
    Ok(())
}

fn emergencies(demo: &mut Demo, asserted: &'static str, wanted: u64) -> Result<(), Failure> {
    let now = demo.snapshot()?.emergency.sessions;
    demo.check(asserted, now == wanted, format!("{now} emergency"));
    Ok(())
}

pub fn because(
    demo: &mut Demo,
    asserted: &'static str,
    wanted: RefusalReason,
) -> Result<(), Failure> {
    let record = demo.refusal()?;
    let held = record
        .as_ref()
        .is_some_and(|record| record.reason == wanted);
    let observed = record.map_or_else(
        || "no record".to_owned(),
        |record| {
            let reason = history::reason(record.reason);
            format!("{reason} at {} calls", record.sessions)
        },
    );
    demo.check(asserted, held, observed);
    Ok(())
}
