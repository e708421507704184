//! Osmocom's `osmo-gtphub`, a proxy between SGSNs and GGSNs that rewrites TEIDs and sequence numbers.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::child::{Running, command, require};

/// Starts a hub that takes calls at `to_sgsns` and passes them on from `to_ggsns` to one GGSN, each at port 2123.
pub fn start(
    to_sgsns: Ipv4Addr,
    to_ggsns: Ipv4Addr,
    ggsn: Ipv4Addr,
    state_dir: &Path,
) -> Result<Running> {
    require("osmo-gtphub", "osmo-gtphub")?;
    std::fs::create_dir_all(state_dir)?;
    let configuration = state_dir.join("gtphub.cfg");
    std::fs::write(
        &configuration,
        format!(
            "log stderr\n logging filter all 1\n logging level set-all fatal\n logging level gtphub debug\n\
             line vty\n no login\n bind {to_sgsns}\n\
             gtphub\n bind-to-sgsns {to_sgsns}\n bind-to-ggsns {to_ggsns}\n ggsn-proxy {ggsn}\n"
        ),
    )?;
    let mut hub = command("osmo-gtphub");
    hub.arg("-s")
        .arg("-c")
        .arg(&configuration)
        .arg("-r")
        .arg(state_dir.join("restarts"));
    let hub = Running::start("osmo-gtphub", &mut hub)?;
    hub.wait_for_line("to-GGSNs bind, USER", Duration::from_secs(120))?;
    Ok(hub)
}
