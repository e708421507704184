//! Orders of the authority to a node: from the API to the calls of subscribers.

use api::{ThresholdCommand, TransportCommand};
use jiff::{SignedDuration, Timestamp};
use licensing::{OnOoc, Shadow};
use serde_json::{Value, json};

use super::*;

/// A day soon, as the API reads it.
fn soon() -> String {
    (Timestamp::now() + SignedDuration::from_hours(30 * 24)).to_string()
}

fn issue(office: &Office, order: Value) -> Result<Value> {
    office.account("POST", "/orders", Some(order))
}

/// The node asks its authority, and shows GGSN as is waited for.
fn learns(
    gateway: &Gateway,
    what: &str,
    shown: impl Fn(&licensing::snapshot::ServiceStatus) -> bool,
) -> Result<()> {
    let renew = Request::License(LicenseCommand::RenewAuth);
    gateway.node()?.control().change(&renew)?;
    until(what, LIMIT, || Ok(shown(&gateway.ggsn()?)))
}

/// The office has what the node says of its orders.
fn applied(office: &Office) -> Result<(i64, i64)> {
    let devices = office.account("GET", "/devices", None)?;
    let orders = &devices["devices"][0]["orders"];
    let number = |key: &str| orders[key].as_i64().context("a serial number");
    Ok((number("issuedSerial")?, number("appliedSerial")?))
}

/// A node with ten calls of GGSN whose only license went elsewhere: out of compliance.
fn blocked(office: &Office) -> Result<Gateway> {
    office.own("GGSN", 1)?;
    let mut gateway = gateway(office, "")?;
    register(gateway.node()?, &office.token(1)?.1, false)?;
    accepted(&mut gateway, 0..PER_LICENSE)?;
    office.move_away("GGSN", 1)?;
    learns(&gateway, "GGSN is blocked", |row| {
        row.tag.state == State::Block
    })?;
    gateway.refused(&Call::new(100, "internet"))?;
    Ok(gateway)
}

//= L2
#[test]
fn an_ordered_rule_reaches_the_calls_survives_a_kill_and_is_withdrawn() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut office = Office::open(dir.path(), Some(1))?;
    let mut gateway = blocked(&office)?;
    let rule = json!({ "kind": "RULE", "license": "GGSN", "onOoc": "ALLOW", "graceDays": 7 });
    let issued = issue(&office, rule)?;
    learns(&gateway, "the rule holds", |row| {
        row.tag.state == State::Allow
    })?;
    let row = gateway.ggsn()?;
    assert_eq!(
        (row.tag.rule.on_ooc, row.tag.rule.grace_days),
        (OnOoc::Allow, 7)
    );
    assert!(matches!(
        row.tag.compliance,
        Some(Compliance::OutOfCompliance { .. })
    ));
    accepted(&mut gateway, 100..103)?;
    until("it is acknowledged", LIMIT, || {
        Ok(applied(&office)? == (1, 1))
    })?;
    let all = gateway.node()?.cli("show license all")?;
    let line = "GN10SESS: out of compliance ALLOW after 7 days of grace";
    assert!(all.log().contains(line), "{all:?}");

    // Killed while the authority is down: the text that was kept holds from the first call on.
    office.end();
    gateway.crash_and_restart()?;
    accepted(&mut gateway, 200..201)?;
    assert_eq!(gateway.ggsn()?.tag.rule.grace_days, 7);

    office.begin()?;
    let path = format!("/orders/{}", issued["id"]);
    office.account("DELETE", &path, None)?;
    learns(&gateway, "the rule is withdrawn", |row| {
        row.tag.rule.on_ooc == OnOoc::Block
    })?;
    assert_eq!(gateway.ggsn()?.tag.state, State::Block);
    gateway.refused(&Call::new(201, "internet"))?;
    until("that is acknowledged", LIMIT, || {
        Ok(applied(&office)? == (2, 2))
    })
}

//= L2
#[test]
fn a_block_is_tried_out_before_it_refuses() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let mut gateway = blocked(&office)?;
    let shadow = |mode: &str, percent: Option<u8>| {
        json!({
            "kind": "SHADOW", "license": "GGSN", "mode": mode, "percent": percent,
            "expiresAt": soon(),
        })
    };
    issue(&office, shadow("OBSERVE", None))?;
    learns(&gateway, "the block is observed", |row| row.tag.eased)?;
    let row = gateway.ggsn()?;
    assert_eq!(
        (row.tag.state, row.tag.shadow),
        (State::Allow, Shadow::Observe)
    );
    accepted(&mut gateway, 100..105)?;
    until("they are counted", LIMIT, || {
        Ok(gateway.ggsn()?.tag.let_through == 5)
    })?;
    let status = gateway.node()?.cli("show license enforcement status")?;
    let said = "observe, and it would be BLOCK; 5 calls let through";
    assert!(status.log().contains(said), "{status:?}");

    issue(&office, shadow("WARN", None))?;
    let warned = |row: &licensing::snapshot::ServiceStatus| row.tag.shadow == Shadow::Warn;
    learns(&gateway, "it is warned of", warned)?;
    let alarms = gateway.snapshot()?.alarms;
    let warning = |alarm: &licensing::Alarm| {
        matches!(alarm.kind, licensing::AlarmKind::BlockNotApplied { .. })
    };
    assert!(alarms.iter().any(warning), "{alarms:?}");

    issue(&office, shadow("RAMP", Some(50)))?;
    let ramp = Shadow::Ramp { percent: 50 };
    learns(&gateway, "some are refused", |row| row.tag.shadow == ramp)?;
    let mut turns = [Vec::new(), Vec::new()];
    for turn in &mut turns {
        for subscriber in 300..340 {
            turn.push(gateway.is_accepted(&Call::new(subscriber, "internet"))?);
        }
    }
    let [first, second] = turns;
    assert_eq!(first, second, "always the same");
    let refused = first.iter().filter(|accepted| !**accepted).count();
    assert!((5..=35).contains(&refused), "{refused} of 40 at 50 %");
    for (subscriber, accepted) in (300..340).zip(first) {
        let does = if accepted { "lets through" } else { "refuses" };
        let said = format!("the block of service GGSN {does}");
        let why = why(&gateway, &Call::new(subscriber, "internet").imsi)?;
        assert!(why.contains(&said), "{subscriber}: {why}");
    }

    issue(&office, shadow("BLOCK", None))?;
    learns(&gateway, "all are refused", |row| {
        row.tag.shadow == Shadow::Block
    })?;
    for subscriber in 300..310 {
        gateway.refused(&Call::new(subscriber, "internet"))?;
    }
    Ok(())
}

/// What is said of a subscriber's calls, with one space between words.
fn why(gateway: &Gateway, imsi: &str) -> Result<String> {
    let command = format!("show license why imsi {imsi}");
    let said = gateway.node()?.cli(&command)?.log();
    Ok(said.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What a surface of the node says of its catalog, as data.
fn origin(gateway: &Gateway, surface: &str) -> Result<Value> {
    let said = gateway.node()?.cli(&format!("{surface} --json"))?;
    let said: Value = serde_json::from_str(&said.log())?;
    Ok(said["node"]["catalog"].clone())
}

/// The node lists this among its orders.
fn lists(gateway: &Gateway, what: &str) -> Result<bool> {
    let all = gateway.node()?.cli("show license all")?;
    let all = all.log();
    let words: Vec<_> = all.split_whitespace().collect();
    Ok(words.join(" ").contains(what))
}

/// The node asks its authority, and lists this among its orders.
fn gets(gateway: &Gateway, what: &str) -> Result<()> {
    let renew = Request::License(LicenseCommand::RenewAuth);
    gateway.node()?.control().change(&renew)?;
    until(what, LIMIT, || lists(gateway, what))
}

//= L1
//= L2
#[test]
fn a_signed_catalog_is_that_of_the_next_start_and_the_nodes_own_after_it_is_withdrawn() -> Result<()>
{
    let dir = tempfile::tempdir()?;
    let mut office = Office::open(dir.path(), Some(1))?;
    office.own("GGSN", 3)?;
    let mut gateway = gateway(&office, "")?;
    register(gateway.node()?, &office.token(1)?.1, false)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let order = |text: &str| json!({ "kind": "CATALOG", "catalog": text });
    let bad = issue(&office, order("[[product]]\nname = 3")).unwrap_err();
    let said = format!("{bad:#}");
    assert!(said.contains("the catalog is refused: line 2: "), "{said}");

    // A catalog without GGSN, which an access point names: it is set aside, and the rule beside it is in force.
    let staros = licensing::Catalog::staros_text();
    let renamed = staros.replace("\"GGSN\"", "\"GGSX\"");
    assert_ne!(renamed, staros);
    issue(&office, order(&renamed))?;
    let rule = json!({ "kind": "RULE", "license": "GGSN", "onOoc": "ALLOW", "graceDays": 7 });
    issue(&office, rule)?;
    learns(&gateway, "the rule holds", |row| {
        row.tag.rule.grace_days == 7
    })?;
    until("the authority shows what is set aside", LIMIT, || {
        let devices = office.account("GET", "/devices", None)?;
        let orders = &devices["devices"][0]["orders"];
        let said = "1 set aside: the catalog does not go with the configuration: ";
        let told = orders["setAside"].as_str().is_some_and(|why| {
            why.starts_with(said) && why.contains("no service is called \"GGSN\"")
        });
        Ok(told && orders["refused"].is_null())
    })?;
    gets(&gateway, "SET ASIDE (the catalog does not go with")?;

    // 10,000 sessions a license, where the node's own has 10: from the next start on.
    let issued = issue(&office, order(staros))?;
    let listed = office.account("GET", "/orders", None)?;
    let sha256 = listed["orders"][0]["catalogSha256"].as_str();
    let sha256 = sha256.context("the catalog is listed first")?;
    let line = |standing: &str| format!("catalog: {standing}; SHA-256 {sha256}");
    gets(&gateway, &line("PENDING until the node starts again"))?;
    let per_license =
        |gateway: &Gateway| Ok::<_, anyhow::Error>(gateway.ggsn()?.sessions_per_license);
    assert_eq!(per_license(&gateway)?, PER_LICENSE);
    let policy = "show license enforcement policy";
    assert_eq!(origin(&gateway, policy)?, json!("file"));

    // Killed while the authority is down: it is in force from the first call on.
    office.end();
    gateway.crash_and_restart()?;
    assert_eq!(per_license(&gateway)?, 10_000);
    for surface in [policy, "show license enforcement status"] {
        assert_eq!(origin(&gateway, surface)?, json!("ordered"));
        let said = gateway.node()?.cli(surface)?.log();
        let line = said.lines().find(|line| line.contains("Catalog"));
        let line = line.context("a line about the catalog")?;
        assert!(line.ends_with("ordered and signed by the license authority"));
    }
    assert!(lists(&gateway, &line("IN FORCE"))?);
    assert_eq!(gateway.ggsn()?.tag.rule.grace_days, 7);
    accepted(&mut gateway, 10..25)?;

    office.begin()?;
    office.account("DELETE", &format!("/orders/{}", issued["id"]), None)?;
    gets(
        &gateway,
        &line(
            "withdrawn or ended, IN FORCE until the node starts again with that of its configuration",
        ),
    )?;
    assert_eq!(per_license(&gateway)?, 10_000);
    gateway.crash_and_restart()?;
    assert_eq!(per_license(&gateway)?, PER_LICENSE);
    assert_eq!(origin(&gateway, policy)?, json!("file"));
    Ok(())
}

/// What operators set, and the journal, go with a catalog that is ordered.
//= L1
//= L2
#[test]
fn a_start_with_an_ordered_catalog_keeps_settings_and_leaves_a_journal_that_replays() -> Result<()>
{
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    office.own("GGSN", 1)?;
    let mut gateway = gateway(&office, "\n[journal]\nenabled = true")?;
    register(gateway.node()?, &office.token(1)?.1, false)?;
    let few = Request::Threshold(ThresholdCommand::Set {
        low_percent: 10,
        clear_percent: 20,
    });
    ensure!(gateway.node()?.control().change(&few)?);
    let url = Request::Transport(TransportCommand::Url { url: office.url() });
    ensure!(gateway.node()?.control().change(&url)?);
    let order = json!({ "kind": "CATALOG", "catalog": licensing::Catalog::staros_text() });
    issue(&office, order)?;
    gets(&gateway, "catalog: PENDING until the node starts again")?;
    gateway.crash_and_restart()?;

    assert_eq!(gateway.ggsn()?.sessions_per_license, 10_000);
    assert!(lists(&gateway, "catalog: IN FORCE")?);
    let transport = gateway.node()?.cli("show license transport")?.log();
    assert!(
        transport.contains("  Set at run time: URL\n"),
        "{transport}"
    );
    let again = gateway.node()?.control().change(&few)?;
    ensure!(!again, "it was so before");
    // More than a license of the node's own catalog covers.
    accepted(&mut gateway, 0..PER_LICENSE + 5)?;
    let journal = gateway.node()?.state_dir().join("journal.jsonl");
    gateway.terminate()?;
    let replayed = node::journal::replay(&journal)?;
    assert_eq!((replayed.ended, replayed.difference), (true, None));
    let ggsn = { replayed.snapshot.services.into_iter() }.find(|row| row.tag.name == "GGSN");
    let ggsn = ggsn.context("GGSN is a service of the catalog")?;
    assert_eq!(ggsn.sessions_per_license, 10_000);
    Ok(())
}
