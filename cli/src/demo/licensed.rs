//! The steps with a license authority: registration, growth, out of compliance, grace, and the ways out.

use std::time::{Duration, Instant};

use api::{AgentView, Failure, LicenseCommand, Reply, Request};
use licensing::snapshot::{ServiceStatus, State, TagStatus};
use licensing::{Compliance, Mode, Policy, RefusalReason, Snapshot};
use load::Interface;
use serde_json::{Value, json};

use super::office::Office;
use super::steps::{SERVICES, STATUS, WAIT, accepted, because, load, refused};
use super::{Demo, GGSN, PGW, epc, interrupted};
use crate::output;
use crate::show::{Filter, status, text};

/// Sessions that one license of the embedded catalog covers.
const PER_LICENSE: u32 = 10_000;

/// Licenses of GGSN that are bought, and of these, moved away later.
const OWNED: u32 = 4;
const MOVED: u32 = 2;

/// What GGSN grows to.
const FULL: u32 = OWNED * PER_LICENSE;

/// A feature that is tied to PGW and not to GGSN, and the days of its term.
const FEATURE: &str = "VoLTE";
const TERM_DAYS: i64 = 10;

/// License seconds a second at which its 90 days of grace pass in sixteen seconds.
const SPEEDUP: u32 = 500_000;

/// How often a wait looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// First digits of a fingerprint, as an assertion shows it.
const DIGITS: usize = 16;

const LICENSE_STATUS: &[&str] = &["license", "status"];
const SUMMARY: &[&str] = &["license", "summary"];

pub fn authority(demo: &mut Demo) -> Result<(), Failure> {
    let place = demo.authority.clone();
    let office = demo
        .office
        .insert(Office::open(place.state_dir, place.listen)?);
    output::print(&format!("\n  It serves at https://{}.\n", place.listen));
    let fingerprint = office.fingerprint();
    output::print(&format!("  SHA-256 of its root:\n  {fingerprint}\n"));
    buy(office, GGSN, OWNED)?;
    buy(office, PGW, 1)?;
    let term = json!({
        "license": FEATURE, "quantity": 1, "licenseType": "TERM",
        "endDate": office.date_in(TERM_DAYS),
    });
    office.ask("POST", "/licenses", Some(&term))?;
    let owned = office.ask("GET", "/licenses", None)?;
    let owned: Vec<String> = items(&owned["licenses"])
        .map(|pool| format!("{} {}", text_of(&pool["license"]), pool["quantity"]))
        .collect();
    let held = owned.len() == 3 && owned.contains(&format!("{GGSN} {OWNED}"));
    demo.check("the pool owns three kinds", held, owned.join(", "));
    Ok(())
}

pub fn registered(demo: &mut Demo) -> Result<(), Failure> {
    output::print("\n$ tollgate lab speedup 1\n");
    demo.change(&Request::LabSpeedup { speedup: 1 })?;
    let idtoken = office(demo)?.token()?;
    output::print("\n$ tollgate license smart register idtoken -\n");
    let force = false;
    demo.change(&Request::License(LicenseCommand::Register {
        idtoken,
        force,
    }))?;
    let (snapshot, agent) = agent(demo)?;
    let mode = snapshot.smart.mode;
    let held = mode == Mode::Registered && agent.status.registered.is_some();
    demo.check("the node is registered", held, mode.to_string());
    let ours = office(demo)?.fingerprint();
    let roots = agent.status.trust_pool;
    let roots: Vec<String> = roots.iter().map(|r| r.fingerprint.to_string()).collect();
    let first = roots.first().map_or("none", |root| &root[..DIGITS]);
    let (held, first) = (roots == [ours], format!("{first}..."));
    demo.check("it trusts this authority's root", held, first);
    let devices = office(demo)?.account("GET", "/devices", None)?;
    let devices = items(&devices["devices"]).count();
    let observed = format!("{devices} product instance");
    demo.check("the authority lists it", devices == 1, observed);
    let snapshot = until(demo, |snapshot| ceiling(snapshot, GGSN) > PER_LICENSE)?;
    let lifted = ceiling(&snapshot, GGSN);
    let held = lifted > PER_LICENSE && lifted <= FULL;
    demo.check("the ceiling is lifted", held, format!("ceiling {lifted}"));
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    accepted(demo, "a new call gets in again", cause);
    output::print(&format!("\n$ tollgate feature {FEATURE} enable\n"));
    feature(demo, true)?;
    let authorized = |snapshot: &Snapshot| {
        volte(snapshot).and_then(|row| row.compliance) == Some(Compliance::Authorized)
    };
    let snapshot = until(demo, authorized)?;
    let observed = standing(volte(&snapshot));
    demo.check("the feature is authorized", authorized(&snapshot), observed);
    demo.show(LICENSE_STATUS, Filter::default(), "")?;
    demo.show(SUMMARY, Filter::default(), "")
}

pub fn grown(demo: &mut Demo) -> Result<(), Failure> {
    let before = demo.service(GGSN)?;
    let calls = u64::from(FULL - before.sessions.0);
    let asserted = "calls up to what is owned get in";
    load(demo, asserted, Interface::Gn, calls)?;
    let row = demo.service(GGSN)?;
    let wrongly = row.tag.refused.at_ceiling + row.tag.refused.blocked
        - before.tag.refused.at_ceiling
        - before.tag.refused.blocked;
    let observed = format!("{wrongly} refused");
    demo.check("none was refused on the way", wrongly == 0, observed);
    let held = row.ceiling.is_some_and(|ceiling| ceiling.0 == FULL);
    let observed = format!("ceiling {}", text::ceiling(row.ceiling));
    demo.check("the ceiling is what is owned", held, observed);
    let held =
        row.tag.state == State::AllowAtLimit && row.tag.compliance == Some(Compliance::Authorized);
    let observed = standing(Some(&row.tag));
    demo.check("at its limit, it is in compliance", held, observed);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "one call more is refused", cause);
    because(demo, "for the ceiling", RefusalReason::AtCeiling)?;
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(SUMMARY, Filter::default(), "")
}

pub fn moved(demo: &mut Demo) -> Result<(), Failure> {
    let transfer = json!({ "licenses": [{
        "license": GGSN, "quantity": MOVED, "targetVirtualAccount": "Spare",
    }] });
    office(demo)?.ask("POST", "/licenses/transfer", Some(&transfer))?;
    let alerts = office(demo)?.ask("GET", "/alerts", None)?;
    // Beside it stands a minor one: the licenses are out with the node until it has asked.
    let mut alerts = items(&alerts["alerts"]);
    let alert = alerts.find(|alert| alert["severity"] == "Major").cloned();
    let alert = alert.unwrap_or_default();
    let held = alert["needed"] == MOVED;
    let observed = format!(
        "{}, {} needed",
        text_of(&alert["severity"]),
        alert["needed"]
    );
    demo.check("the authority raises an alert", held, observed);
    output::print("\n$ tollgate license smart renew auth\n");
    demo.change(&Request::License(LicenseCommand::RenewAuth))?;
    let snapshot = until(demo, |snapshot| blocked(snapshot, GGSN))?;
    let observed = standing(tag(&snapshot, GGSN));
    demo.check(
        "GGSN is blocked at once",
        blocked(&snapshot, GGSN),
        observed,
    );
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "a new call is refused", cause);
    because(demo, "for the block", RefusalReason::ServiceBlocked)?;
    let cause = demo.caller.update(Interface::Gn)?;
    accepted(demo, "an established call may change", cause);
    let sessions = demo.service(GGSN)?.sessions.0;
    let observed = format!("{sessions} sessions");
    demo.check("no session has ended", sessions == FULL, observed);
    let cause = demo.caller.create(Interface::S5, "internet")?.cause;
    epc::accepted(demo, "PGW is authorized: a call on S5", cause);
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(SUMMARY, Filter::default(), "")
}

pub fn ended(demo: &mut Demo) -> Result<(), Failure> {
    output::print(&format!(
        "\n  The authority starts again, with [lab] speedup = {SPEEDUP}.\n"
    ));
    office_mut(demo)?.restart(SPEEDUP)?;
    let out = |snapshot: &Snapshot| volte(snapshot).is_some_and(|row| row.grace_left_s.is_some());
    let snapshot = until(demo, out)?;
    let row = volte(&snapshot);
    let held = out(&snapshot) && row.is_some_and(|row| row.policy == Policy::Allow);
    let observed = standing(row);
    demo.check("the term has ended: grace begins", held, observed);
    let cause = demo.caller.create(Interface::S5, "internet")?.cause;
    epc::accepted(demo, "in grace, a call on S5 gets in", cause);
    let snapshot = grace(demo)?;
    let row = volte(&snapshot);
    let held = row.is_some_and(|row| row.policy == Policy::Block);
    demo.check("90 days later it is blocked", held, standing(row));
    let pgw = of(&snapshot, PGW);
    let held = pgw.is_some_and(|row| row.blocked_by.is_some());
    let observed = standing(tag(&snapshot, PGW));
    demo.check("and PGW, which is tied to it", held, observed);
    let cause = demo.caller.create(Interface::S5, "internet")?.cause;
    epc::refused(demo, "a new call on S5 is refused", cause);
    let record = demo.refusal()?;
    let reason = record.map(|record| record.reason);
    let held = matches!(reason, Some(RefusalReason::FeatureBlocked { .. }));
    let observed = reason.map_or("no record", crate::show::history::reason);
    demo.check("for the feature", held, observed);
    let cause = demo.caller.update(Interface::S5)?;
    epc::accepted(demo, "a session on S5 may change", cause);
    demo.show(STATUS, Filter::default(), "")
}

/// Waits for the end of the feature's grace, and tells what is left.
fn grace(demo: &mut Demo) -> Result<Snapshot, Failure> {
    let end = Instant::now() + WAIT;
    loop {
        let snapshot = demo.snapshot()?;
        let row = volte(&snapshot);
        if row.is_none_or(|row| row.policy == Policy::Block) || Instant::now() > end {
            return Ok(snapshot);
        }
        if let Some(left) = row.and_then(|row| row.grace_left_s) {
            output::print(&format!("  {} of grace left\n", text::rough_span(left)));
        }
        if demo.interrupt.wait(Duration::from_secs(1)) {
            return Err(interrupted());
        }
    }
}

pub fn disabled(demo: &mut Demo) -> Result<(), Failure> {
    output::print(&format!("\n$ tollgate no feature {FEATURE} enable\n"));
    feature(demo, false)?;
    let free = |snapshot: &Snapshot| {
        let pgw = of(snapshot, PGW);
        pgw.is_some_and(|row| row.blocked_by.is_none() && row.tag.state == State::Allow)
    };
    let snapshot = until(demo, free)?;
    let observed = standing(tag(&snapshot, PGW));
    demo.check("PGW is free again", free(&snapshot), observed);
    let cause = demo.caller.create(Interface::S5, "internet")?.cause;
    epc::accepted(demo, "a new call on S5 gets in", cause);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    refused(demo, "GGSN still lacks licenses", cause);
    because(
        demo,
        "it is blocked for its own",
        RefusalReason::ServiceBlocked,
    )?;
    demo.show(STATUS, SERVICES, " service")
}

pub fn bought(demo: &mut Demo) -> Result<(), Failure> {
    buy(office(demo)?, GGSN, MOVED)?;
    let clear = |snapshot: &Snapshot| {
        let ggsn = of(snapshot, GGSN);
        ggsn.is_some_and(|row| row.tag.policy == Policy::Allow) && ceiling(snapshot, GGSN) == FULL
    };
    let snapshot = until(demo, clear)?;
    let observed = standing(tag(&snapshot, GGSN));
    demo.check("GGSN is in compliance", clear(&snapshot), observed);
    let alerts = office(demo)?.ask("GET", "/alerts", None)?;
    let alerts = items(&alerts["alerts"]).count();
    let observed = format!("{alerts} outstanding");
    demo.check("the alert has cleared", alerts == 0, observed);
    let cause = demo.caller.delete(Interface::Gn)?;
    accepted(demo, "a call ends", cause);
    let cause = demo.caller.create(Interface::Gn, "internet")?.cause;
    accepted(demo, "the next one gets in", cause);
    let snapshot = demo.snapshot()?;
    let block = snapshot
        .rows()
        .filter(|row| row.tag().state == State::Block);
    let block = block.count();
    demo.check(
        "nothing is blocked any more",
        block == 0,
        format!("{block} rows"),
    );
    demo.show(STATUS, SERVICES, " service")?;
    demo.show(SUMMARY, Filter::default(), "")
}

fn buy(office: &Office, license: &str, quantity: u32) -> Result<(), Failure> {
    let new = json!({
        "license": license, "quantity": quantity, "licenseType": "PERPETUAL",
    });
    office.ask("POST", "/licenses", Some(&new)).map(drop)
}

fn feature(demo: &Demo, enable: bool) -> Result<(), Failure> {
    let name = FEATURE.to_owned();
    demo.change(&Request::Feature { name, enable }).map(drop)
}

fn agent(demo: &Demo) -> Result<(Snapshot, AgentView), Failure> {
    let Reply::Agent {
        snapshot, agent, ..
    } = demo.ask(&Request::Agent)?
    else {
        return Err(demo.client.unexpected());
    };
    Ok((*snapshot, *agent))
}

fn office(demo: &Demo) -> Result<&Office, Failure> {
    demo.office.as_ref().ok_or_else(none_serves)
}

fn office_mut(demo: &mut Demo) -> Result<&mut Office, Failure> {
    demo.office.as_mut().ok_or_else(none_serves)
}

fn none_serves() -> Failure {
    Failure::new("no license authority serves", "demo", "run it again")
}

/// Waits until the node is so, at most for [`WAIT`]; how it is then.
fn until(demo: &Demo, wanted: impl Fn(&Snapshot) -> bool) -> Result<Snapshot, Failure> {
    let end = Instant::now() + WAIT;
    loop {
        let snapshot = demo.snapshot()?;
        if wanted(&snapshot) || Instant::now() > end {
            return Ok(snapshot);
        }
        if demo.interrupt.wait(LOOK_EVERY) {
            return Err(interrupted());
        }
    }
}

fn of<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a ServiceStatus> {
    snapshot.services.iter().find(|row| row.tag.name == name)
}

fn tag<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a TagStatus> {
    of(snapshot, name).map(|row| &row.tag)
}

/// The ceiling of a service; 0: it has none.
fn ceiling(snapshot: &Snapshot, name: &str) -> u32 {
    let ceiling = of(snapshot, name).and_then(|row| row.ceiling);
    ceiling.map_or(0, |ceiling| ceiling.0)
}

/// The row of [`FEATURE`].
fn volte(snapshot: &Snapshot) -> Option<&TagStatus> {
    let mut rows = snapshot.features.iter();
    rows.find(|row| row.tag.name == FEATURE).map(|row| &row.tag)
}

fn blocked(snapshot: &Snapshot, name: &str) -> bool {
    of(snapshot, name).is_some_and(|row| {
        let compliance = row.tag.compliance;
        row.tag.policy == Policy::Block
            && matches!(compliance, Some(Compliance::OutOfCompliance { .. }))
    })
}

/// State and compliance, in the words of the surfaces.
fn standing(row: Option<&TagStatus>) -> String {
    let Some(row) = row else {
        return "no such row".to_owned();
    };
    let compliance = row.compliance.map_or(text::ABSENT, text::compliance);
    format!("{}, {compliance}", status::state(row.state))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or(text::ABSENT)
}
