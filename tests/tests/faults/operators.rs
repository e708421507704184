//! What operators are told of a registration that is not made, at their own command line, and that all is as it was.

use anyhow::{Context, Result};
use api::smart::RequestType;
use api::{LicenseCommand, RegistrationState};
use licensing::Mode;
use tests::gateway::{Gateway, Site};
use tests::office::Office;
use tests::wait::until;

use crate::processes::copy;
use crate::stage::{LIMIT, PLENTY, Stage, Watch, command, enable, grow, instance, settled, status};

/// What the command line says of a registration that is refused. The node is as it was, and nothing is on its way.
fn refused(gateway: &Gateway, idtoken: &str) -> Result<String> {
    let node = gateway.node()?;
    let before = node.control().agent()?;
    let ended = node.cli(&format!("license smart register idtoken {idtoken}"))?;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let after = node.control().agent()?;
    assert_eq!(after.0.smart.mode, before.0.smart.mode);
    assert_eq!(after.1.status.registration, before.1.status.registration);
    assert_eq!(after.1.status.registered, before.1.status.registered);
    let rows = after.1.status.call_home.iter();
    let mut registrations = rows.filter(|row| row.subtype == RequestType::Registration);
    assert!(registrations.all(|row| row.in_queue == 0));
    assert!(!node.process().log().contains(idtoken), "a secret");
    Ok(ended.log())
}

/// A day of this authority's calendar is a second.
#[test]
fn a_token_whose_time_is_over_registers_nobody() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(86_400))?;
    let site = Site::new()?;
    let section = format!(
        "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"",
        office.url(),
        office.root_file(site.dir())?.display()
    );
    let configuration = site.configuration().with(&section);
    let gateway = site.open(&configuration.with_sessions_per_license(10)?)?;
    enable(gateway.node()?)?;
    let new = serde_json::json!({ "usesMax": 5, "expiresAfterDays": 1 });
    let made = office.account("POST", "/tokens", Some(new))?;
    until("its time is over", LIMIT, || {
        let listed = office.account("GET", "/tokens", None)?;
        Ok(listed["tokens"][0]["status"] == "EXPIRED")
    })?;
    assert_eq!(
        refused(&gateway, made["token"].as_str().context("a token")?)?,
        "Failure: the registration token has expired; nothing has changed (license smart register): make another one at the license authority"
    );
    let listed = office.account("GET", "/tokens", None)?;
    assert_eq!(listed["tokens"][0]["uses"], 0);
    let shown = gateway.node()?.control().agent()?;
    assert_eq!(shown.0.smart.mode, Mode::Evaluation);
    assert_eq!(shown.1.status.registration, RegistrationState::Unregistered);
    Ok(())
}

/// A copy of a device, from before that was registered, takes its place with `force` alone; the other one is told by the
/// authority, which is an order, and goes on in evaluation.
//= L11
#[test]
fn a_device_that_is_registered_there_is_registered_again_with_force_alone() -> Result<()> {
    let stage = Stage::open(PLENTY)?;
    let mut first = stage.gateway("report_usage_s = 1")?;
    let site = Site::new()?;
    let configuration = stage.configuration(&site, "report_usage_s = 1")?;
    first.while_down(|state_dir| copy(state_dir, &configuration.state_dir))?;
    let second = site.open(&configuration)?;
    let (_, token) = stage.office.token(2)?;
    first.node()?.control().license(command(&token, false))?;
    grow(&mut first, 0..12)?;
    settled(&first)?;
    let id = instance(&first)?;
    let watch = Watch::begin(&first)?;
    assert_eq!(
        refused(&second, &token)?,
        "Failure: the license authority holds a registration of this device already; nothing has changed (license smart register): add `force` to replace it"
    );
    assert_eq!(
        refused(&first, &token)?,
        "Failure: this node is registered already, with virtual account Default; nothing has changed (license smart register): add `force` to register it anew"
    );
    assert_eq!(stage.device(&id)?["status"], "ACTIVE");
    watch.end()?;
    second.node()?.control().license(command(&token, true))?;
    assert_ne!(instance(&second)?, id);
    until("the other one is told", LIMIT, || {
        // It is refused as soon as it is not registered any more.
        let _told = first.node()?.control().license(LicenseCommand::RenewAuth);
        Ok(status(&first)?.registered.is_none())
    })?;
    assert_eq!(first.snapshot()?.smart.mode, Mode::Evaluation);
    assert_eq!(first.ggsn()?.sessions.0, 12);
    let devices = stage.office.account("GET", "/devices", None)?;
    assert_eq!(devices["devices"].as_array().map(Vec::len), Some(1));
    Ok(())
}
