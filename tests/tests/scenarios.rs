//! A node from its start to its end, as an operator and a peer see it: the real binary, its control socket, its CLI.
#![forbid(unsafe_code)]

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use api::{REQUEST_PATH, Request};
use licensing::RefusalReason;
use licensing::alarm::AlarmKind;
use licensing::compliance::{Compliance, Mode, Policy};
use licensing::snapshot::State;
use serde_json::Value;
use tests::child::Ended;
use tests::gateway::{Gateway, Site};
use tests::node::{self, Node};
use tests::sgsn::{Call, cause, ie};
use tests::{thread, tollgate, wait};

const SOON: Duration = Duration::from_secs(120);
const ENABLE: Request = Request::SmartLicensing { enable: true };
const DISABLE: Request = Request::SmartLicensing { enable: false };

/// Exit status, and the only line on stderr and stdout together.
fn one_line(ended: &Ended) -> (Option<i32>, String) {
    assert_eq!(ended.lines.len(), 1, "one line: {}", ended.log());
    (ended.status.code(), ended.lines[0].clone())
}

fn json(ended: &Ended) -> Result<Value> {
    assert_eq!(ended.status.code(), Some(0), "{}", ended.log());
    serde_json::from_str(&ended.log()).with_context(|| ended.log())
}

// --- Starting ---------------------------------------------------------------------------------------------------------

#[test]
fn a_wrong_configuration_is_refused_with_file_line_key_and_what_is_expected() -> Result<()> {
    let site = Site::new()?;
    let plain = site.configuration();
    let text = plain.text();
    let cases = [
        (
            "an unknown key",
            text.replace("workers = 2", "workers = 2\nwrokers = 2"),
            "wrokers",
        ),
        (
            "a value of another type",
            text.replace("workers = 2", "workers = \"two\""),
            "node.workers",
        ),
        (
            "a value out of bounds",
            text.replace("workers = 2", "workers = 0"),
            "1 to 256",
        ),
        (
            "an unknown service",
            text.replace("service = \"GGSN\"", "service = \"GGSM\""),
            "apn[0].service",
        ),
        ("no TOML", text.replace("[gn]", "[gn"), "TOML"),
        (
            "an unsigned catalog without lab",
            text + "\n[catalog]\nfile = \"x\"",
            "catalog",
        ),
    ];
    for (what, text, expected) in cases {
        let file = plain.write()?;
        fs::write(&file, &text)?;
        let ended = node::launch(&file)?.wait(SOON)?;
        assert_eq!(ended.status.code(), Some(1), "{what}: {}", ended.log());
        let last = ended.lines.last().context("it says why")?;
        assert!(last.contains("node.toml:"), "{what}: file and line: {last}");
        assert!(last.contains(expected), "{what}: {expected}: {last}");
    }
    Ok(())
}

/// Local configuration may only tighten.
//= L2
#[test]
fn another_catalog_needs_a_lab_node() -> Result<()> {
    let site = Site::new()?;
    let plain = site.configuration();
    let catalog = plain.beside("catalog.toml");
    fs::write(
        &catalog,
        include_str!("../../licensing/catalogs/staros.toml").replace("10_000", "20_000"),
    )?;
    let mut command = tollgate::tollgate(["node", "--config"])?;
    command.arg(plain.write()?).arg("--catalog").arg(&catalog);
    let ended = tests::child::Running::start("tollgate node", &mut command)?.wait(SOON)?;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log());
    assert!(ended.log().contains("lab"), "{}", ended.log());
    Ok(())
}

#[test]
fn a_second_node_in_the_same_state_directory_is_refused() -> Result<()> {
    let gateway = Gateway::plain()?;
    let mut second = gateway.site().configuration();
    second.listen = gateway.site().subnet().gtp_c(77);
    let file = second.beside("second.toml");
    fs::write(&file, second.text())?;
    let ended = node::launch(&file)?.wait(SOON)?;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log());
    let state_dir = gateway.node()?.state_dir().to_string_lossy().into_owned();
    assert!(ended.log().contains(&state_dir), "{}", ended.log());
    assert!(
        gateway.node()?.control().health().is_ok(),
        "the first one goes on"
    );
    Ok(())
}

#[test]
fn an_address_that_is_taken_is_named() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let _taken = std::net::UdpSocket::bind(configuration.listen)?;
    let ended = node::launch(&configuration.write()?)?.wait(SOON)?;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log());
    assert!(
        ended.log().contains(&configuration.listen.to_string()),
        "{}",
        ended.log()
    );
    Ok(())
}

// --- Modes ------------------------------------------------------------------------------------------------------------

/// Never enabled, calls are counted and allowed; enabling lets those live that are above the ceiling; disabling keeps
/// the verdicts.
//= L2
//= L7
//= L9
#[test]
fn enforcement_begins_when_it_is_enabled_and_ends_no_session() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration().with_sessions_per_license(2)?;
    let mut gateway = site.open(&configuration)?;
    let teids: Vec<u32> = (1..=3)
        .map(|n| gateway.accepted(&Call::new(n, "internet")))
        .collect::<Result<_>>()?;
    let before = gateway.ggsn()?;
    assert_eq!(
        (before.sessions.0, before.ceiling, before.tag.state),
        (3, None, State::Allow)
    );
    assert!(!gateway.snapshot()?.smart.ever_enabled);

    assert!(gateway.node()?.control().change(&ENABLE)?);
    assert!(
        !gateway.node()?.control().change(&ENABLE)?,
        "it was so before"
    );
    let after = gateway.ggsn()?;
    assert_eq!(after.sessions.0, 3, "no session ended");
    assert_eq!(after.ceiling.map(|ceiling| ceiling.0), Some(2));
    assert_eq!(after.tag.state, State::AllowAtLimit);
    assert_eq!(after.tag.compliance, Some(Compliance::Evaluation));
    gateway.refused(&Call::new(4, "internet"))?;
    gateway.delete(teids[0], 5)?;
    gateway.refused(&Call::new(4, "internet"))?;
    gateway.delete(teids[1], 5)?;
    gateway.accepted(&Call::new(4, "internet"))?;

    assert!(gateway.node()?.control().change(&DISABLE)?);
    gateway.refused(&Call::new(5, "internet"))?;
    let smart = gateway.snapshot()?.smart;
    assert_eq!(
        (smart.enabled, smart.ever_enabled, smart.mode),
        (false, true, Mode::Evaluation)
    );
    assert_eq!((smart.total_enabled, smart.total_disabled), (1, 1));
    Ok(())
}

// --- The limit --------------------------------------------------------------------------------------------------------

/// Full, refused with a cause and explained; a release lets the next one in.
//= L3
//= L6
//= L15
//= L16
//= L17
#[test]
fn a_full_service_refuses_says_why_and_takes_the_next_after_a_release() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(3)?;
    let teids: Vec<u32> = (1..=3)
        .map(|n| gateway.accepted(&Call::new(n, "internet")))
        .collect::<Result<_>>()?;
    let full = gateway.ggsn()?;
    assert_eq!(
        (full.sessions.0, full.tag.state, full.tag.policy),
        (3, State::AllowAtLimit, Policy::Allow)
    );
    let at_limit = AlarmKind::AtLimit {
        service: full.service,
    };
    let outstanding = |gateway: &Gateway| -> Result<usize> {
        Ok(gateway
            .snapshot()?
            .alarms
            .iter()
            .filter(|alarm| alarm.kind == at_limit)
            .count())
    };

    let refused = gateway.refused(&Call::new(4, "internet"))?;
    assert_eq!(refused.cause()?, cause::NO_RESOURCES);
    gateway.refused(&Call::new(4, "internet"))?;
    let history = gateway.node()?.control().history()?;
    assert_eq!(history.len(), 2);
    let why = &history[0];
    assert_eq!(
        (why.service, why.reason),
        (full.service, RefusalReason::AtCeiling)
    );
    assert_eq!(
        (why.sessions.0, why.ceiling.map(|ceiling| ceiling.0)),
        (3, Some(3))
    );
    assert_eq!(
        (why.policy, why.compliance),
        (Policy::Allow, Compliance::Evaluation)
    );
    assert_eq!(
        (why.apn.as_str(), why.cause),
        ("internet", cause::NO_RESOURCES)
    );
    assert!(
        why.timer_left_s.is_some_and(|left| left <= 90 * 86_400),
        "{why:?}"
    );
    let counted = gateway.ggsn()?.tag.refused;
    assert_eq!(
        (counted.at_ceiling, counted.subscribers),
        (2, 1),
        "a retry within a minute is one subscriber"
    );
    assert_eq!(outstanding(&gateway)?, 1);

    gateway.delete(teids[1], 5)?;
    let open = gateway.ggsn()?;
    assert_eq!((open.sessions.0, open.tag.state), (2, State::Allow));
    assert_eq!(outstanding(&gateway)?, 0);
    gateway.accepted(&Call::new(4, "internet"))?;
    let row = gateway.ggsn()?;
    assert_eq!(row.tag.evaluation.max_call_count, 3);
    assert_eq!(
        (
            row.tag.evaluation.cur_call_count,
            row.tag.registered.cur_call_count
        ),
        (3, 0)
    );
    Ok(())
}

/// Each surface of the CLI shows the same, as text and as JSON.
#[test]
fn the_cli_shows_the_limit() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(1)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    gateway.refused(&Call::new(2, "internet"))?;
    let node = gateway.node()?;
    let surfaces = [
        ("show license enforcement policy", "GGSN"),
        ("show license enforcement status", "ALLOW-AT-LIMIT"),
        ("show license enforcement status blocked service", "GGSN"),
        ("show license enforcement history", "internet"),
        ("show license statistics", "GGSN"),
        ("show license eval-period", "90"),
        ("show license smart-tags service", "ASR5K-00-GN10SESS"),
        ("show session summary", "internet"),
    ];
    for (surface, expected) in surfaces {
        let text = node.cli(surface)?;
        assert_eq!(text.status.code(), Some(0), "{surface}: {}", text.log());
        assert!(
            text.log().contains(expected),
            "{surface}: {expected}:\n{}",
            text.log()
        );
        json(&node.cli(&format!("{surface} --json"))?).with_context(|| surface.to_owned())?;
    }
    let allowed = node.cli("show license enforcement status allowed service")?;
    assert!(
        !allowed.log().contains("GGSN"),
        "it is at its limit:\n{}",
        allowed.log()
    );
    Ok(())
}

/// A retransmitted request has the identical answer and takes no second permit; a repeated one replaces the session.
//= L13
#[test]
fn a_retransmission_and_a_collision_take_no_second_permit() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(1)?;
    let call = Call::new(1, "internet");
    let request = call.request(gateway.sgsn.seq(), gateway.sgsn.ip()?).bytes();
    let first = gateway.sgsn.exchange(&request)?;
    assert_eq!(first.cause()?, cause::ACCEPTED);
    for _ in 0..3 {
        assert_eq!(gateway.sgsn.exchange(&request)?.bytes, first.bytes);
    }
    assert_eq!(gateway.ggsn()?.sessions.0, 1);
    let old = first.teid_of(ie::TEID_CONTROL)?;
    let new = gateway.accepted(&call)?;
    assert_ne!(old, new, "the colliding context is another one");
    assert_eq!(gateway.ggsn()?.sessions.0, 1);
    assert_eq!(
        gateway.sgsn.delete(old, 5, true)?.cause()?,
        cause::NON_EXISTENT
    );
    gateway.refused(&Call::new(2, "internet"))?;
    gateway.delete(new, 5)?;
    assert_eq!(gateway.ggsn()?.sessions.0, 0);
    Ok(())
}

//= L8
#[test]
fn emergency_and_priority_calls_go_over_the_ceiling_each_in_its_way() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(100)?;
    for n in 1..=100 {
        gateway.accepted(&Call::new(n, "internet"))?;
    }
    gateway.refused(&Call::new(101, "internet"))?;
    for n in 201..=210 {
        gateway.accepted(&Call::new(n, "sos"))?;
    }
    let snapshot = gateway.snapshot()?;
    assert_eq!(
        (snapshot.emergency.sessions, snapshot.emergency.admitted),
        (10, 10)
    );
    assert_eq!(
        gateway.ggsn()?.sessions.0,
        100,
        "an emergency call holds no license"
    );

    let priority = |n: u32| Call {
        priority_level: Some(1),
        ..Call::new(n, "blue-light")
    };
    for n in 301..=305 {
        gateway.accepted(&priority(n))?;
    }
    gateway.refused(&priority(306))?;
    let row = gateway.ggsn()?;
    assert_eq!(
        (row.sessions.0, row.priority_sessions.0),
        (105, 5),
        "5 % of the ceiling"
    );
    gateway.refused(&Call {
        priority_level: Some(9),
        ..Call::new(307, "blue-light")
    })?;
    Ok(())
}

/// A peer whose restart counter moved loses its older sessions, and their permits come back.
//= L13
#[test]
fn a_peer_that_restarted_loses_its_older_sessions() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(3)?;
    let call = |n: u32, recovery: u8| Call {
        recovery: Some(recovery),
        ..Call::new(n, "internet")
    };
    for n in 1..=3 {
        gateway.accepted(&call(n, 7))?;
    }
    gateway.refused(&call(4, 7))?;
    // The request that tells of the restart may come before its permits are back.
    let answer = gateway.sgsn.create(&call(5, 8))?;
    let made = u32::from(answer.cause()? == cause::ACCEPTED);
    wait::until("the older sessions are gone", SOON, || {
        Ok(gateway.ggsn()?.sessions.0 == made)
    })?;
    for n in 6..=7 {
        gateway.accepted(&call(n, 8))?;
    }
    assert_eq!(gateway.ggsn()?.sessions.0, made + 2);
    Ok(())
}

// --- The evaluation ---------------------------------------------------------------------------------------------------

/// At the end of the evaluation every new call is refused; established ones stay and may be changed and deleted.
//= L3
//= L7
#[test]
fn an_evaluation_that_runs_out_blocks_new_calls_only() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(10)?;
    let teid = gateway.accepted(&Call::new(1, "internet"))?;
    gateway.accepted(&Call::new(2, "internet"))?;
    // Ninety days in less than a second.
    gateway.node()?.control().change(&Request::LabSpeedup {
        speedup: 10_000_000,
    })?;
    wait::until("the evaluation has run out", SOON, || {
        Ok(gateway.snapshot()?.evaluation.expired)
    })?;
    let snapshot = gateway.snapshot()?;
    assert_eq!(
        (snapshot.evaluation.remaining_s, snapshot.evaluation.used_s),
        (0, 90 * 86_400)
    );
    let row = gateway.ggsn()?;
    assert_eq!(
        (row.tag.policy, row.tag.state, row.sessions.0),
        (Policy::Block, State::Block, 2)
    );
    assert_eq!(row.tag.compliance, Some(Compliance::EvaluationExpired));
    assert_eq!(row.tag.evaluation.policy_change_block, 1);
    let alarms: Vec<AlarmKind> = snapshot.alarms.iter().map(|alarm| alarm.kind).collect();
    assert!(alarms.contains(&AlarmKind::EvaluationExpired), "{alarms:?}");

    gateway.refused(&Call::new(3, "internet"))?;
    gateway.accepted(&Call::new(9, "sos"))?;
    let history = gateway.node()?.control().history()?;
    assert_eq!(history[0].reason, RefusalReason::ServiceBlocked);
    let seq = gateway.sgsn.seq();
    let update = tests::sgsn::Message::new(tests::sgsn::kind::UPDATE_REQUEST, teid, seq)
        .tv(ie::TEID_DATA, &[0, 0, 9, 9])
        .tv(ie::NSAPI, &[5])
        .gsn_addresses(gateway.sgsn.ip()?)
        .tlv(ie::QOS, &[2, 0x0b, 0x92, 0x1f]);
    assert_eq!(
        gateway.sgsn.exchange(&update.bytes())?.cause()?,
        cause::ACCEPTED
    );
    // The same subscriber's second try is a new call: refused, and the old context stays.
    gateway.refused(&Call::new(1, "internet"))?;
    gateway.delete(teid, 5)?;
    assert_eq!(gateway.ggsn()?.sessions.0, 1);
    Ok(())
}

/// Minutes spent and what operators switched outlive a crash; at most one quantum is charged extra, and none is gained.
//= L3
#[test]
fn a_crash_gains_no_time_and_forgets_no_switch() -> Result<()> {
    const SPEEDUP: u64 = 36_000;
    let site = Site::new()?;
    let configuration = site
        .configuration()
        .with(&format!("[lab]\nspeedup = {SPEEDUP}"));
    let mut gateway = site.open(&configuration)?;
    gateway.node()?.control().change(&ENABLE)?;
    let gre = Request::Feature {
        name: "gre".to_owned(),
        enable: true,
    };
    gateway.node()?.control().change(&gre)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    wait::until("a day is spent", SOON, || {
        Ok(gateway.snapshot()?.evaluation.used_s >= 86_400)
    })?;
    let asked = Instant::now();
    let before = gateway.snapshot()?;
    gateway.crash_and_restart()?;
    let after = gateway.snapshot()?;
    assert!(
        after.evaluation.used_s >= before.evaluation.used_s,
        "{:?} {:?}",
        before.evaluation,
        after.evaluation
    );
    // What passed between the snapshot and the crash, and one quantum: what a second brings, begun and charged before.
    let passed_s = asked.elapsed().as_secs() + 1;
    let extra_s = after.evaluation.used_s - before.evaluation.used_s;
    assert!(extra_s <= (passed_s + 1) * SPEEDUP, "{extra_s} s");
    assert!(after.smart.enabled && after.smart.ever_enabled);
    assert_eq!(after.smart.total_enabled, 1);
    let feature = after
        .features
        .iter()
        .find(|row| row.tag.name == "GRE")
        .context("GRE is a feature")?;
    assert!(feature.enabled, "it was enabled at run time");
    assert_eq!(
        gateway.ggsn()?.sessions.0,
        0,
        "counts are rebuilt from the session table, which is empty"
    );
    Ok(())
}

#[test]
fn sigterm_saves_and_exits_with_0() -> Result<()> {
    let mut gateway = Gateway::plain()?;
    gateway.node()?.control().change(&ENABLE)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let configuration = gateway.site().configuration();
    let ended = gateway.terminate()?;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.log());
    assert!(
        !configuration.control_socket().exists(),
        "the socket is removed"
    );
    let node = Node::start(&configuration)?;
    assert!(node.control().snapshot()?.smart.enabled);
    Ok(())
}

// --- When things break ------------------------------------------------------------------------------------------------

/// Calls go on; what was switched while the disk was full is written once there is room.
#[test]
fn a_full_disk_stops_no_call() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let node = Node::start_on_small_disk(&configuration, 8 * 1024)?;
    let mut sgsn = tests::sgsn::Sgsn::new(site.subnet().socket(9)?, node.address())?;
    let filler = node.inside(node.state_dir()).join("filler");
    let mut file = fs::File::create(&filler)?;
    let full = (0..9 * 1024).find_map(|_| file.write_all(&[0; 1024]).err());
    assert!(full.is_some(), "the file system is full");
    for enable in [true, false, true] {
        node.control().change(&Request::SmartLicensing { enable })?;
    }
    for n in 1..=20 {
        assert_eq!(
            sgsn.create(&Call::new(n, "internet"))?.cause()?,
            cause::ACCEPTED
        );
    }
    assert_eq!(node.control().snapshot()?.smart.total_enabled, 2);
    wait::until("what health says, an alarm says", SOON, || {
        let alarms = node.control().snapshot()?.alarms;
        let mut unwritten = alarms.iter();
        let unwritten = unwritten.any(|alarm| alarm.kind == AlarmKind::StateNotWritten);
        Ok(unwritten != node.control().health()?.state_written)
    })?;
    drop(file);
    fs::remove_file(&filler)?;
    wait::until("state is written", SOON, || {
        Ok(node.control().health()?.state_written)
    })?;
    wait::until("the alarm is cleared", SOON, || {
        let alarms = node.control().snapshot()?.alarms;
        Ok(alarms
            .iter()
            .all(|alarm| alarm.kind != AlarmKind::StateNotWritten))
    })?;
    Ok(())
}

/// The gate goes on with the last policies and ceilings while the control thread stands still, and health says so.
#[test]
fn calls_go_on_while_the_control_thread_stands_still() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(3)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let pid = gateway.node()?.process().pid();
    let stopped = thread::stop(pid, "control")?;
    for n in 2..=3 {
        gateway.accepted(&Call::new(n, "internet"))?;
    }
    gateway.refused(&Call::new(4, "internet"))?;
    wait::until("health tells of the stall", SOON, || {
        Ok(gateway.node()?.control().health()?.control_stalled)
    })?;
    let api::Reply::Snapshot {
        stalled, age_ms, ..
    } = gateway.node()?.control().ask(&Request::Snapshot)?
    else {
        anyhow::bail!("a snapshot was asked for");
    };
    assert!(
        stalled && age_ms > 1_000,
        "stalled {stalled}, {age_ms} ms old"
    );
    let error = gateway
        .node()?
        .control()
        .change(&DISABLE)
        .map_err(|error| error.to_string());
    assert!(
        error.as_ref().is_err_and(|error| error.starts_with("503")),
        "{error:?}"
    );
    stopped.release()?;
    wait::until("the control thread works", SOON, || {
        Ok(!gateway.node()?.control().health()?.control_stalled)
    })?;
    let row = gateway.ggsn()?;
    assert_eq!(
        (row.sessions.0, row.tag.refused.at_ceiling),
        (3, 1),
        "nothing was lost meanwhile"
    );
    assert!(
        gateway.snapshot()?.smart.enabled,
        "what was refused is not done"
    );
    Ok(())
}

// --- The control interface --------------------------------------------------------------------------------------------

#[test]
fn requests_that_are_wrong_are_refused_and_harm_nothing() -> Result<()> {
    let gateway = Gateway::plain()?;
    let control = gateway.node()?.control();
    let long = format!("{{\"request\":\"{}\"}}", "x".repeat(api::REQUEST_BYTES_MAX));
    let cases = [
        ("no JSON", "POST", REQUEST_PATH, "snapshot", 400),
        (
            "an unknown request",
            "POST",
            REQUEST_PATH,
            r#"{"request":"reboot"}"#,
            400,
        ),
        (
            "an unknown key",
            "POST",
            REQUEST_PATH,
            r#"{"request":"smart-licensing","enable":true,"force":true}"#,
            400,
        ),
        (
            "a missing key",
            "POST",
            REQUEST_PATH,
            r#"{"request":"history"}"#,
            400,
        ),
        (
            "an unknown feature",
            "POST",
            REQUEST_PATH,
            r#"{"request":"feature","name":"GRX","enable":true}"#,
            404,
        ),
        (
            "a fast clock on a plain node",
            "POST",
            REQUEST_PATH,
            r#"{"request":"lab-speedup","speedup":2}"#,
            403,
        ),
        ("too long", "POST", REQUEST_PATH, &long, 413),
        (
            "another path",
            "POST",
            "/v1/other",
            r#"{"request":"health"}"#,
            404,
        ),
        ("another method", "GET", REQUEST_PATH, "", 405),
    ];
    for (what, method, path, body, status) in cases {
        let response = control.http(method, path, body)?;
        assert_eq!(response.status, status, "{what}: {}", response.body);
        let failure: Value = serde_json::from_str(&response.body)
            .with_context(|| format!("{what}: {response:?}"))?;
        for part in ["what", "where", "todo"] {
            assert!(
                failure[part].as_str().is_some_and(|text| !text.is_empty()),
                "{what}: {part}: {failure}"
            );
        }
    }
    // What is no HTTP at all, and what stops in the middle, is given up; everybody else is served meanwhile.
    let mut idle: Vec<UnixStream> = Vec::new();
    for part in [
        "",
        "POST",
        "POST /v1/request HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
    ] {
        let mut stream = UnixStream::connect(control.socket())?;
        stream.write_all(part.as_bytes())?;
        idle.push(stream);
    }
    let _ = control.raw(b"\x00\x01\x02\r\n\r\n");
    assert!(control.health().is_ok());
    Ok(())
}

#[test]
fn the_cli_says_in_one_line_what_went_wrong() -> Result<()> {
    let site = Site::new()?;
    let missing = site.dir().join("none.sock");
    let missing = missing.to_string_lossy();
    let (code, line) = one_line(&tollgate::run([
        "show",
        "license",
        "statistics",
        "--socket",
        &missing,
    ])?);
    assert_eq!(code, Some(1));
    assert!(
        line.starts_with("Failure: ") && line.contains(&*missing),
        "{line}"
    );
    let (code, line) = one_line(&tollgate::run(["show", "licence"])?);
    assert_eq!(code, Some(2));
    assert!(line.starts_with("Failure: "), "{line}");

    let gateway = Gateway::plain()?;
    let (code, line) = one_line(&gateway.node()?.cli("feature GRX enable")?);
    assert_eq!(code, Some(1));
    assert!(line.contains("GRX"), "{line}");
    let (code, line) = one_line(&gateway.node()?.cli("lab speedup 2")?);
    assert_eq!(code, Some(1));
    assert!(line.contains("lab"), "{line}");
    Ok(())
}
