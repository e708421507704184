//! What fails around a node: its proxy, its disk, its clock.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use api::{LicenseCommand, RegistrationState};
use tests::gateway::{Gateway, Site};
use tests::office::Office;
use tests::sgsn::Call;
use tests::tinyproxy::{Tinyproxy, Wants};
use tests::wait::until;

use crate::stage::{
    LIMIT, PER_LICENSE, Stage, Watch, ceiling, command, deregister, enable, grow, instance,
    register, settled, status,
};

/// What is said of an authorization that is not renewed.
fn not_renewed(gateway: &Gateway) -> Result<String> {
    let control = gateway.node()?.control();
    let said = control.unlicensed(LicenseCommand::RenewAuth)?;
    let (why, _) = said.split_once("; nothing has changed").context("why")?;
    Ok(why.to_owned())
}

/// A listener that takes connections and ends them.
struct Closing {
    ended: Arc<AtomicBool>,
    port: u16,
}

impl Closing {
    fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        thread::spawn(move || {
            let taken = listener.incoming();
            taken.take_while(|_| !stop.load(Ordering::Relaxed)).count()
        });
        Ok(Self { ended, port })
    }

    fn end(self) -> Result<()> {
        self.ended.store(true, Ordering::Relaxed);
        until("nobody listens", LIMIT, || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err())
        })
    }
}

/// A proxy that let a node through begins to want a password, lets nobody through, ends connections, and is away.
//= L10
#[test]
fn a_proxy_that_refuses_is_told_as_the_proxys_and_costs_messages_alone() -> Result<()> {
    let stage = Stage::open(5)?;
    let dir = stage.dir.path();
    let to = stage.courier.port();
    let mut proxy = Tinyproxy::start_wanting(dir, to, Wants::Nothing)?;
    let port = proxy.port;
    let line = format!("report_usage_s = 1\nproxy = {{ host = \"127.0.0.1\", port = {port} }}");
    let mut gateway = stage.registered(&line, 5)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    let at = format!("127.0.0.1:{port}");

    proxy = proxy.again(dir, to, Wants::Password)?;
    assert_eq!(
        not_renewed(&gateway)?,
        format!("the proxy {at} refuses: it wants a user name and a password (HTTP status 407)")
    );
    proxy = proxy.again(dir, 1, Wants::Nothing)?;
    assert_eq!(
        not_renewed(&gateway)?,
        format!(
            "the proxy {at} refuses: it lets nobody through to localhost:{to} (HTTP status 403)"
        )
    );
    let place = proxy.end()?;
    assert_eq!(
        not_renewed(&gateway)?,
        format!("the proxy {at} refuses: it can't be reached: connection refused")
    );
    let closing = Closing::start(port)?;
    let closed = not_renewed(&gateway)?;
    let ends = [
        "it closed the connection",
        "connection reset",
        "broken pipe",
    ];
    let ends = ends.map(|end| format!("the proxy {at} refuses: {end}"));
    assert!(ends.contains(&closed), "{closed}");
    closing.end()?;
    gateway.accepted(&Call::new(5, "internet"))?;

    let _proxy = Tinyproxy::start_at(dir, place, to, Wants::Nothing)?;
    let control = gateway.node()?.control();
    control.license(LicenseCommand::RenewAuth)?;
    settled(&gateway)?;
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}

/// Writes until the file system of a node's state takes no more.
fn fill(gateway: &Gateway) -> Result<PathBuf> {
    let node = gateway.node()?;
    let path = node.inside(node.state_dir()).join("filler");
    let mut file = fs::File::create(&path)?;
    let full = (0..64 * 1024).find_map(|_| file.write_all(&[0; 1024]).err());
    let full = full.context("the file system has an end")?;
    ensure!(full.kind() == std::io::ErrorKind::StorageFull, "{full}");
    Ok(path)
}

/// The state directory is a file system of its own, which is filled to its last octet.
//= L10
#[test]
fn a_disk_that_is_full_holds_up_messages_and_loses_no_usage() -> Result<()> {
    let stage = Stage::open(5)?;
    let site = Site::new()?;
    let configuration = stage.configuration(&site, "report_usage_s = 1")?;
    let mut gateway = site.open_on_small_disk(&configuration, 8 * 1024)?;
    let node = gateway.node()?;
    stage.courier.speak_for(node.inside(node.state_dir()));
    enable(node)?;
    register(node, &stage.office.token(1)?.1)?;
    grow(&mut gateway, 0..PER_LICENSE)?;
    until("there is a second license", LIMIT, || {
        Ok(ceiling(&gateway)? > Some(PER_LICENSE))
    })?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    let filler = fill(&gateway)?;
    // Use goes up and down past a license: sooner or later there is no room for what is to be kept of it.
    let mut extra = None;
    until("the disk takes no record", LIMIT, || {
        extra = match extra {
            Some(teid) => gateway.delete(teid, 5).map(|()| None)?,
            None => Some(gateway.accepted(&Call::new(100, "internet"))?),
        };
        Ok(status(&gateway)?.not_written)
    })?;
    fs::remove_file(filler)?;
    until("the disk takes records", LIMIT, || {
        Ok(!status(&gateway)?.not_written)
    })?;
    settled(&gateway)?;
    watch.end()?;
    assert_eq!(instance(&gateway)?, id);
    deregister(&gateway)?;
    stage.conserved(&id)
}

/// A node in service whose wall clock is what the file says beside the right time.
fn in_service(office: &Office, wrong: &Path) -> Result<Gateway> {
    let site = Site::new()?;
    let section = format!(
        "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\nreport_usage_s = 1",
        office.url(),
        office.root_file(site.dir())?.display()
    );
    let mut configuration = site.configuration().with(&section);
    configuration.clock = Some(wrong.to_owned());
    let gateway = site.open(&configuration)?;
    enable(gateway.node()?)?;
    Ok(gateway)
}

/// The wall clock of a node in service jumps by a day, either way, and the node is killed while it is wrong.
//= L10
#[test]
fn a_clock_moved_by_a_day_costs_messages_and_nothing_else() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), None)?;
    office.own("GGSN", 5)?;
    let wrong = dir.path().join("wrong");
    let set = |seconds: &str| {
        // By rename, so that nobody reads half of it.
        let whole = wrong.with_extension("new");
        fs::write(&whole, seconds)?;
        fs::rename(whole, &wrong)
    };
    set("+0")?;
    let mut gateway = in_service(&office, &wrong)?;
    let (_, token) = office.token(1)?;
    gateway.node()?.control().license(command(&token, false))?;
    grow(&mut gateway, 0..5)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    let cases = [
        (
            "+86400",
            RegistrationState::Registered,
            " seconds apart, at most 3600 are allowed",
        ),
        (
            "-86400",
            RegistrationState::OutOfRange,
            "it is not valid yet",
        ),
    ];
    for (seconds, registration, why) in cases {
        set(seconds)?;
        until("the clock is wrong", LIMIT, || {
            let apart = gateway.snapshot()?.at.wall.0 - wall()?;
            Ok(apart.abs() > 86_000_000)
        })?;
        let said = not_renewed(&gateway)?;
        assert!(said.contains(why), "{said}");
        assert_eq!(status(&gateway)?.registration, registration);
        gateway.accepted(&Call::new(5, "internet"))?;
        gateway.crash_and_restart()?;
        assert_eq!(instance(&gateway)?, id);
        set("+0")?;
        until("the registration is in its time", LIMIT, || {
            Ok(status(&gateway)?.registration == RegistrationState::Registered)
        })?;
        until("the authority is heard", LIMIT, || {
            let control = gateway.node()?.control();
            Ok(control.license(LicenseCommand::RenewAuth).is_ok())
        })?;
        settled(&gateway)?;
        grow(&mut gateway, 0..5)?;
    }
    watch.end()?;
    deregister(&gateway)?;
    let alerts = office.account("GET", "/alerts?cleared=true", None)?;
    assert!(!alerts.to_string().contains("REPORTS_"), "{alerts}");
    Ok(())
}

/// The right time, in milliseconds since 1970.
fn wall() -> Result<i64> {
    let since = std::time::UNIX_EPOCH.elapsed()?.as_millis();
    Ok(i64::try_from(since)?)
}
