//! Bulk statistics as operators set them while a node runs, with a real receiver.
#![forbid(unsafe_code)]

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{
    BulkstatsCommand, BulkstatsPart, BulkstatsReceiverSetting, BulkstatsSetting, BulkstatsStatus,
    Request,
};
use tests::gateway::{Gateway, Site};
use tests::receivers::{Nginx, PASSWORD, USER};
use tests::wait::until;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The schema of what is sent.
const SYSTEM: &str = "system schema c format \"c,%host%\"";

fn set(gateway: &Gateway, setting: BulkstatsSetting) -> Result<bool> {
    let request = Request::BulkstatsSet(Box::new(setting));
    gateway.node()?.control().change(&request)
}

fn part(gateway: &Gateway, part: BulkstatsPart) -> Result<bool> {
    set(gateway, BulkstatsSetting::Part { number: 1, part })
}

fn receiver(port: u16, password: &str) -> BulkstatsPart {
    BulkstatsPart::Receiver {
        secondary: false,
        receiver: Box::new(BulkstatsReceiverSetting {
            address: "127.0.0.1".into(),
            mechanism: "http".into(),
            port: Some(port),
            login: Some(USER.into()),
            password: Some(password.into()),
            key_file: None,
            host_key: None,
            roots: None,
            method: None,
        }),
    }
}

fn status(gateway: &Gateway) -> Result<BulkstatsStatus> {
    gateway.node()?.control().bulkstats()
}

fn ask(gateway: &Gateway, command: BulkstatsCommand) -> Result<()> {
    gateway.node()?.control().bulkstats_do(command)
}

/// A sample, and its file on its way.
fn send(gateway: &Gateway) -> Result<()> {
    ask(gateway, BulkstatsCommand::ForceGather)?;
    ask(gateway, BulkstatsCommand::ForceTransfer)
}

#[test]
fn a_file_that_is_set_line_by_line_arrives_and_is_there_after_a_crash() -> Result<()> {
    let site = Site::new()?;
    let dir = tempfile::tempdir()?;
    let nginx = Nginx::start(dir.path(), None)?;
    let configuration = site.configuration();
    let mut gateway = site.open(&configuration)?;
    // No interval begins while a test runs.
    set(
        &gateway,
        BulkstatsSetting::SampleInterval { minutes: 10_080 },
    )?;
    set(&gateway, BulkstatsSetting::Collection { on: true })?;
    set(&gateway, BulkstatsSetting::File { number: 1 })?;
    let lacks = |gateway: &Gateway| Ok(status(gateway)?.files.remove(0).lacks);
    let why: Result<_> = lacks(&gateway);
    ensure!(
        why?.context("nobody gets it")?
            .starts_with("nobody gets file 1")
    );
    let format = "one.csv".to_owned();
    ensure!(part(&gateway, BulkstatsPart::Remotefile { format })?);
    let format = "EndOfFile".to_owned();
    ensure!(part(&gateway, BulkstatsPart::Footer { format })?);
    let line = SYSTEM.to_owned();
    ensure!(part(
        &gateway,
        BulkstatsPart::Schema { line: line.clone() }
    )?);
    ensure!(!part(&gateway, BulkstatsPart::Schema { line })?, "as it is");
    // A receiver that refuses the login, and the same with the right password.
    part(&gateway, receiver(nginx.port, "wrong"))?;
    send(&gateway)?;
    until("the receiver refuses", LIMIT, || {
        Ok(status(&gateway)?.files[0].failing)
    })?;
    part(&gateway, receiver(nginx.port, PASSWORD))?;
    let first = nginx.home().join("one.csv");
    until("the first file is there", LIMIT, || Ok(first.exists()))?;
    let host = gateway.node()?.control().health()?.name;
    let expected = format!("c,{host}\nEndOfFile\n");
    until("it is whole", LIMIT, || {
        Ok(fs::read_to_string(&first)? == expected)
    })?;
    until("it is told", LIMIT, || {
        Ok(status(&gateway)?.files[0].awaiting_records == 0)
    })?;

    // What is wrong is refused with the nearest name, and changes nothing.
    let before = status(&gateway)?.files;
    let line = "system schema c format %hosst%".to_owned();
    let refused = part(&gateway, BulkstatsPart::Schema { line });
    let said = refused.err().context("it is refused")?.to_string();
    ensure!(said.contains("no variable %hosst% here, at character 1; the nearest is %host%"));
    ensure!(said.contains("nothing has changed"), "{said}");
    ensure!(status(&gateway)?.files == before);

    set(&gateway, BulkstatsSetting::TransferInterval { minutes: 77 })?;
    ensure!(status(&gateway)?.transfer_interval_min == 77, "at once");
    gateway.crash_and_restart()?;
    let after = status(&gateway)?;
    ensure!(after.collection && after.transfer_interval_min == 77);
    let file = &after.files[0];
    ensure!((file.lacks.as_deref(), file.footer.as_str()) == (None, "EndOfFile"));
    let format = "two.csv".to_owned();
    part(&gateway, BulkstatsPart::Remotefile { format })?;
    send(&gateway)?;
    let second = nginx.home().join("two.csv");
    until("the second file is there", LIMIT, || Ok(second.exists()))?;

    ensure!(set(&gateway, BulkstatsSetting::NoFile { number: 1 })?);
    ensure!(status(&gateway)?.files.is_empty());
    gateway.crash_and_restart()?;
    ensure!(status(&gateway)?.files.is_empty());
    Ok(())
}
