//! tshark as the judge of captures.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::child::{Running, command, require};

const PACKAGE: &str = "tshark";
/// It reads a capture of ten thousand packets in a few seconds; several run at once.
const LIMIT: Duration = Duration::from_secs(120);

/// Everything that tshark finds fault with: a malformed packet, and any expert information of warning or error.
pub const FAULTS: &str = "_ws.malformed || _ws.expert.severity >= \"Warning\"";

/// The packets among those that `filter` lets through that tshark finds fault with, decoded; empty if there is none.
pub fn faults(capture: &Path, filter: &str) -> Result<Vec<String>> {
    let faulty = format!("({filter}) && ({FAULTS})");
    let packets = run(capture, &["-Y", &faulty])?;
    if packets.is_empty() {
        return Ok(packets);
    }
    run(capture, &["-Y", &faulty, "-V", "-O", "gtp,gtpv2"])
}

/// Fields of every packet that `filter` lets through, one row a packet, in the order asked for; a field that occurs
/// several times in a packet has its values joined by commas, one that does not occur is empty.
pub fn fields(capture: &Path, filter: &str, names: &[&str]) -> Result<Vec<Vec<String>>> {
    let mut arguments = vec![
        "-Y",
        filter,
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=,",
    ];
    for name in names {
        arguments.extend(["-e", name]);
    }
    let lines = run(capture, &arguments)?;
    let row = |line: &String| line.split('|').map(str::to_owned).collect();
    Ok(lines.iter().map(row).collect())
}

/// How many packets `filter` lets through.
pub fn count(capture: &Path, filter: &str) -> Result<usize> {
    Ok(fields(capture, filter, &["frame.number"])?.len())
}

/// How many values a field has among the packets that `filter` lets through: requests that were sent again are one.
pub fn distinct(capture: &Path, filter: &str, name: &str) -> Result<usize> {
    let values: BTreeSet<_> = fields(capture, filter, &[name])?.into_iter().collect();
    Ok(values.len())
}

fn run(capture: &Path, arguments: &[&str]) -> Result<Vec<String>> {
    require("tshark", PACKAGE)?;
    let mut tshark = command("sh");
    // Its stderr holds a remark about root; it is shown if tshark fails.
    tshark.args(["-c", "exec tshark \"$@\" 2>/dev/null", "tshark", "-n", "-r"]);
    tshark.arg(capture).args(arguments);
    let ended = Running::start("tshark", &mut tshark)?.wait(LIMIT)?;
    if !ended.status.success() {
        bail!(
            "tshark {arguments:?} on {capture:?}: {}: {}",
            ended.status,
            complaint(capture, arguments)?
        );
    }
    Ok(ended.lines)
}

/// What tshark says on stderr about a call that failed.
fn complaint(capture: &Path, arguments: &[&str]) -> Result<String> {
    let mut tshark = command("tshark");
    tshark.args(["-n", "-r"]).arg(capture).args(arguments);
    let Output { stderr, .. } = tshark.output().context("tshark again, for its error")?;
    Ok(String::from_utf8_lossy(&stderr).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::capture::Capture;

    #[test]
    fn a_good_message_has_its_values_and_a_bad_one_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let capture = Capture::create(dir.path().join("c.pcap")).unwrap();
        let peers: [SocketAddr; 2] = [
            "127.0.0.1:2123".parse().unwrap(),
            "127.0.0.2:2123".parse().unwrap(),
        ];
        let echo = [0x32, 1, 0, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0];
        capture.record(peers[0], peers[1], &echo).unwrap();
        assert_eq!(faults(capture.path(), "gtp").unwrap(), Vec::<String>::new());
        let rows = fields(
            capture.path(),
            "gtp",
            &["ip.src", "gtp.message", "gtp.seq_number"],
        )
        .unwrap();
        assert_eq!(rows, [["127.0.0.1", "0x01", "0x1234"]]);

        let again = [0x32, 1, 0, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0];
        capture.record(peers[0], peers[1], &again).unwrap();
        let of = |name| distinct(capture.path(), "gtp.message == 1", name).unwrap();
        assert_eq!((of("gtp.seq_number"), of("frame.number")), (1, 2));

        let cut_off_create = [0x32, 16, 0, 8, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 2, 0, 1, 1];
        capture.record(peers[0], peers[1], &cut_off_create).unwrap();
        assert!(!faults(capture.path(), "gtp").unwrap().is_empty());
        assert_eq!(count(capture.path(), "gtp").unwrap(), 3);
    }

    #[test]
    fn a_filter_that_tshark_does_not_know_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let capture = Capture::create(dir.path().join("c.pcap")).unwrap();
        let error = count(capture.path(), "no.such.field").unwrap_err();
        assert!(error.to_string().contains("no.such.field"), "{error}");
    }
}
