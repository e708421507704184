//! A node and a license authority over real TLS: registration, calls within what is owned, crashes, and the end of it.
#![forbid(unsafe_code)]

mod orders;
mod transport;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::{AgentView, LicenseCommand, RegistrationState, Reply, Request};
use licensing::snapshot::State;
use licensing::{Compliance, Mode, Snapshot};
use tests::gateway::{Gateway, Site};
use tests::node::Node;
use tests::office::Office;
use tests::sgsn::Call;
use tests::tinyproxy::{self, Tinyproxy};
use tests::wait::until;

/// What is waited for takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);
/// Sessions that one license covers here.
const PER_LICENSE: u32 = 10;

/// A lab node with small licenses that trusts the office's root, with more keys in its section `[agent]`.
fn gateway(office: &Office, more: &str) -> Result<Gateway> {
    let site = Site::new()?;
    let root = office.root_file(site.dir())?;
    let section = format!(
        "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\nreport_usage_s = 1\n{more}",
        office.url(),
        root.display()
    );
    open(site, &section)
}

fn open(site: Site, section: &str) -> Result<Gateway> {
    let configuration = site.configuration().with(section);
    let configuration = configuration.with_sessions_per_license(PER_LICENSE)?;
    let gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    ensure!(gateway.node()?.control().change(&enable)?);
    Ok(gateway)
}

fn agent(node: &Node) -> Result<(Snapshot, AgentView)> {
    let Reply::Agent {
        snapshot, agent, ..
    } = node.control().ask(&Request::Agent)?
    else {
        bail!("the agent was asked for, another reply came");
    };
    Ok((*snapshot, *agent))
}

fn register(node: &Node, idtoken: &str, force: bool) -> Result<()> {
    let idtoken = idtoken.to_owned();
    let command = LicenseCommand::Register { idtoken, force };
    ensure!(node.control().change(&Request::License(command))?);
    Ok(())
}

/// What is said of a registration that fails, without its status.
fn refused(node: &Node, idtoken: &str, force: bool) -> Result<String> {
    let error = register(node, idtoken, force).err();
    let said = error.context("it was not to be done")?.to_string();
    Ok(said.split_once(": ").context("status")?.1.to_owned())
}

/// What was refused has left the node as it was.
fn unregistered(node: &Node) -> Result<()> {
    let (snapshot, shown) = agent(node)?;
    assert_eq!(snapshot.smart.mode, Mode::Evaluation);
    assert_eq!(shown.status.registration, RegistrationState::Unregistered);
    assert_eq!(shown.status.registered, None);
    Ok(())
}

/// A call a subscriber, all of which are let through.
fn accepted(gateway: &mut Gateway, subscribers: std::ops::Range<u32>) -> Result<Vec<u32>> {
    subscribers
        .map(|n| gateway.accepted(&Call::new(n, "internet")))
        .collect()
}

fn ceiling(gateway: &Gateway) -> Result<Option<u32>> {
    Ok(gateway.ggsn()?.ceiling.map(|ceiling| ceiling.0))
}

//= L4
//= L6
//= L10
#[test]
fn a_node_registers_grows_to_what_is_owned_and_survives_a_kill() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut office = Office::open(dir.path(), Some(1))?;
    office.own("GGSN", 3)?;
    let mut gateway = gateway(&office, "")?;
    let (_, token) = office.token(1)?;
    register(gateway.node()?, &token, false)?;
    let (snapshot, shown) = agent(gateway.node()?)?;
    assert_eq!(snapshot.smart.mode, Mode::Registered);
    let registered = shown.status.registered.context("a registration")?;
    assert_eq!(registered.virtual_account, "Default");
    let devices = office.account("GET", "/devices", None)?;
    let devices = devices["devices"].as_array().context("a list")?.len();
    assert_eq!(devices, 1);

    // The node asks ahead: nobody is refused while the pool has licenses.
    for n in 0..3 {
        accepted(&mut gateway, n * PER_LICENSE..(n + 1) * PER_LICENSE - 3)?;
        let wanted = (n + 2).min(3) * PER_LICENSE;
        until("the ceiling rises", LIMIT, || {
            Ok(ceiling(&gateway)? >= Some(wanted))
        })?;
        accepted(
            &mut gateway,
            (n + 1) * PER_LICENSE - 3..(n + 1) * PER_LICENSE,
        )?;
    }
    let row = gateway.ggsn()?;
    assert_eq!(row.tag.compliance, Some(Compliance::Authorized));
    assert_eq!(row.ceiling.map(|c| c.0), Some(3 * PER_LICENSE));
    assert_eq!(row.tag.refused.at_ceiling, 0);
    gateway.refused(&Call::new(99, "internet"))?;
    assert_eq!(gateway.ggsn()?.tag.state, State::AllowAtLimit);

    // Killed while the authority is down, it is registered, with its grant; sessions are gone, so calls get in.
    office.end();
    gateway.crash_and_restart()?;
    let (snapshot, shown) = agent(gateway.node()?)?;
    assert_eq!(snapshot.smart.mode, Mode::Registered);
    assert_eq!(shown.status.registration, RegistrationState::Registered);
    let again = shown.status.registered.context("a registration")?;
    assert_eq!(again.instance, registered.instance);
    assert_eq!(ceiling(&gateway)?, Some(3 * PER_LICENSE));
    accepted(&mut gateway, 200..205)?;
    until("the silence is shown", LIMIT, || {
        Ok(agent(gateway.node()?)?.1.status.silence.is_some())
    })?;
    assert_eq!(ceiling(&gateway)?, Some(3 * PER_LICENSE));

    office.begin()?;
    until(
        "the authority is heard, and has every report",
        LIMIT,
        || {
            let status = agent(gateway.node()?)?.1.status;
            let heard = status.silence.is_none() && status.authorization.failure.is_none();
            Ok(heard && status.reports_waiting == 0)
        },
    )?;
    let status = gateway.node()?.cli("show license status")?;
    assert!(
        status.log().contains("\n  Status: REGISTERED\n"),
        "{status:?}"
    );
    assert!(
        status.log().contains("\n  Status: AUTHORIZED on "),
        "{status:?}"
    );

    let deregister = Request::License(LicenseCommand::Deregister);
    ensure!(gateway.node()?.control().change(&deregister)?);
    let (snapshot, shown) = agent(gateway.node()?)?;
    assert_eq!(snapshot.smart.mode, Mode::Evaluation);
    assert_eq!(shown.status.registration, RegistrationState::Unregistered);
    Ok(())
}

#[test]
fn what_a_token_is_refused_for_is_told_and_changes_nothing() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let one = gateway(&office, "")?;
    let node = one.node()?;
    let place = "(license smart register)";
    assert_eq!(
        refused(node, "bm90LWEtdG9rZW4tb2YtYW55Ym9keQ==", false)?,
        format!(
            "the license authority does not know this registration token; nothing has changed {place}: use a token of the license authority that show license transport names"
        )
    );
    let (id, revoked) = office.token(1)?;
    office.account("DELETE", &format!("/tokens/{id}"), None)?;
    assert_eq!(
        refused(node, &revoked, false)?,
        format!(
            "the registration token was revoked; nothing has changed {place}: make another one at the license authority"
        )
    );
    unregistered(node)?;

    let (_, once) = office.token(1)?;
    register(node, &once, false)?;
    let first = agent(node)?.1.status.registered.context("registered")?;
    assert_eq!(
        refused(node, &once, false)?,
        format!(
            "this node is registered already, with virtual account Default; nothing has changed {place}: add `force` to register it anew"
        )
    );
    let two = gateway(&office, "")?;
    assert_eq!(
        refused(two.node()?, &once, false)?,
        format!(
            "the registration token was used as often as it may be; nothing has changed {place}: make another one at the license authority"
        )
    );
    unregistered(two.node()?)?;
    let kept = agent(node)?.1.status.registered.context("registered")?;
    assert_eq!((kept.instance, kept.since), (first.instance, first.since));
    let (_, again) = office.token(1)?;
    register(node, &again, true)?;
    let second = agent(node)?.1.status.registered.context("registered")?;
    assert!(second.since > first.since);
    let log = node.process().log();
    for secret in [&revoked, &once, &again] {
        assert!(!log.contains(secret.as_str()), "a token is in the log");
    }
    Ok(())
}

//= L2
#[test]
fn an_authority_of_another_root_is_told_by_its_fingerprint() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let (_, token) = office.token(9)?;
    let none = open(
        Site::new()?,
        &format!("[agent]\nauthority = \"{}\"", office.url()),
    )?;
    let fingerprint = office.fingerprint()?;
    assert_eq!(
        refused(none.node()?, &token, false)?,
        format!(
            "the license authority's certificate is not signed by a root of the trust pool; the SHA-256 fingerprint of its own root is {fingerprint}; nothing has changed (license smart register): compare the fingerprint with the one that the license authority shows; if they are the same, name its root certificate in agent.trust_pool, and restart the node"
        )
    );
    unregistered(none.node()?)?;
    // A lab node may trust the first one, and knows it again.
    let section = format!(
        "[agent]\nauthority = \"{}\"\nfirst_use = \"trust\"",
        office.url()
    );
    let mut first = open(Site::new()?, &section)?;
    register(first.node()?, &token, false)?;
    let log = first.node()?.process().log();
    assert!(log.contains(&fingerprint), "{log}");
    first.crash_and_restart()?;
    let roots = agent(first.node()?)?.1.status.trust_pool;
    let roots: Vec<_> = roots.iter().map(|r| r.fingerprint.to_string()).collect();
    assert_eq!(roots, [fingerprint]);
    Ok(())
}

#[test]
fn a_node_in_service_and_a_lab_authority_do_not_go_together() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let site = Site::new()?;
    let root = office.root_file(site.dir())?;
    let section = format!(
        "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"",
        office.url(),
        root.display()
    );
    let configuration = site.configuration().with(&section);
    let gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    ensure!(gateway.node()?.control().change(&enable)?);
    let (_, token) = office.token(1)?;
    assert_eq!(
        refused(gateway.node()?, &token, false)?,
        "a lab node registers only with a lab authority, and no other node does; nothing has changed (license smart register): use another license authority, or another node"
    );
    Ok(())
}

/// The lines of `[agent]` for a proxy that hears this password.
fn proxy_line(dir: &Path, port: u16, password: &str) -> Result<String> {
    let file = dir.join(format!("{password}.password"));
    let mut options = fs::OpenOptions::new();
    let mut written = options.write(true).create(true).mode(0o600).open(&file)?;
    writeln!(written, "{password}")?;
    let (file, user) = (file.display(), tinyproxy::USER);
    Ok(format!(
        "proxy = {{ host = \"127.0.0.1\", port = {port}, username = \"{user}\", password_file = \"{file}\" }}"
    ))
}

#[test]
fn a_proxy_that_wants_a_password_lets_a_node_through_that_has_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let (_, token) = office.token(9)?;
    let proxy = Tinyproxy::start(dir.path(), office.port())?;
    let line = proxy_line(dir.path(), proxy.port, tinyproxy::PASSWORD)?;
    let through = gateway(&office, &line)?;
    register(through.node()?, &token, false)?;
    let asked = format!("CONNECT localhost:{} HTTP/1.1", office.port());
    assert!(proxy.log().contains(&asked), "{}", proxy.log());
    let log = through.node()?.process().log();
    assert!(
        !log.contains(tinyproxy::PASSWORD),
        "the password is in the log"
    );
    let shown = through.node()?.cli("show license transport")?.log();
    assert!(
        shown.contains("    Username: gw1\n    Password: <hidden>"),
        "{shown}"
    );

    let line = proxy_line(dir.path(), proxy.port, "wrong")?;
    let kept_out = gateway(&office, &line)?;
    let at = format!("127.0.0.1:{}", proxy.port);
    assert_eq!(
        refused(kept_out.node()?, &token, false)?,
        format!(
            "the proxy {at} refuses: it does not take the user name and password (HTTP status 401); nothing has changed (license smart register): mend it with license smart proxy, or ask whoever runs the proxy"
        )
    );

    let elsewhere = Tinyproxy::start(dir.path(), 1)?;
    let line = proxy_line(dir.path(), elsewhere.port, tinyproxy::PASSWORD)?;
    let kept_out = gateway(&office, &line)?;
    let (at, to) = (format!("127.0.0.1:{}", elsewhere.port), office.port());
    assert_eq!(
        refused(kept_out.node()?, &token, false)?,
        format!(
            "the proxy {at} refuses: it lets nobody through to localhost:{to} (HTTP status 403); nothing has changed (license smart register): mend it with license smart proxy, or ask whoever runs the proxy"
        )
    );
    Ok(())
}

//= L5
#[test]
fn licenses_moved_away_block_new_calls_and_licenses_bought_clear_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    office.own("GGSN", 3)?;
    let mut gateway = gateway(&office, "ooc_retry_s = 1")?;
    let (_, token) = office.token(1)?;
    register(gateway.node()?, &token, false)?;
    accepted(&mut gateway, 0..7)?;
    until("a second license is granted", LIMIT, || {
        Ok(ceiling(&gateway)? >= Some(2 * PER_LICENSE))
    })?;
    accepted(&mut gateway, 7..15)?;
    office.move_away("GGSN", 2)?;
    let renew = Request::License(LicenseCommand::RenewAuth);
    until("it is out of compliance", LIMIT, || {
        gateway.node()?.control().change(&renew)?;
        let compliance = gateway.ggsn()?.tag.compliance;
        Ok(matches!(
            compliance,
            Some(Compliance::OutOfCompliance { .. })
        ))
    })?;
    assert_eq!(gateway.ggsn()?.tag.state, State::Block);
    gateway.refused(&Call::new(90, "internet"))?;
    assert_eq!(gateway.ggsn()?.sessions.0, 15);
    office.own("GGSN", 4)?;
    until("what was bought clears it", LIMIT, || {
        Ok(gateway.ggsn()?.tag.compliance == Some(Compliance::Authorized))
    })?;
    accepted(&mut gateway, 90..91)?;
    Ok(())
}

/// Nothing is sent that is not kept; what waits for the disk is sent once that takes it.
//= L10
#[test]
fn a_disk_that_takes_no_record_holds_up_messages_and_nothing_else() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    office.own("GGSN", 2)?;
    let site = Site::new()?;
    // A folder where the database is to be: no record can be written.
    let state_dir = site.configuration().state_dir;
    let database = state_dir.join("agent.redb");
    fs::create_dir_all(&database)?;
    fs::set_permissions(&state_dir, fs::Permissions::from_mode(0o700))?;
    let root = office.root_file(site.dir())?;
    let section = format!(
        "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\nreport_usage_s = 1",
        office.url(),
        root.display()
    );
    let mut gateway = open(site, &section)?;
    let (_, token) = office.token(1)?;
    assert_eq!(
        refused(gateway.node()?, &token, false)?,
        "the agent's state can't be written to disk, and nothing is sent before it is; nothing has changed (license smart register): see the node's log, and the disk of node.state_dir"
    );
    let (_, shown) = agent(gateway.node()?)?;
    assert!(shown.status.not_written);
    assert!(shown.status.call_home.iter().all(|row| row.success == 0));
    accepted(&mut gateway, 0..5)?;

    fs::remove_dir(&database)?;
    until("all is written", LIMIT, || {
        Ok(!agent(gateway.node()?)?.1.status.not_written)
    })?;
    register(gateway.node()?, &token, false)?;
    until("a second license is granted", LIMIT, || {
        Ok(ceiling(&gateway)? >= Some(2 * PER_LICENSE))
    })?;
    accepted(&mut gateway, 5..15)?;
    until("the authority has every report", LIMIT, || {
        let status = agent(gateway.node()?)?.1.status;
        Ok(status.last_report > 0 && status.reports_waiting == 0)
    })
}
