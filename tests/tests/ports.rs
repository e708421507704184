//! What a node listens at is what its manual says, after a restart too, and a node as it is installed lets nobody in: no
//! account, community or token is there from the start (TS 33.117 4.2.3.4.2.2, 4.3.2.1, 4.4.2).
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, bail};
use api::{Reply, Request};
use tests::gateway::Site;
use tests::node::Node;

/// A socket that somebody may reach: its protocol, and where.
type Listening = (&'static str, String);

/// Sockets of a process that listen or, by UDP, are bound; by the tables of the kernel.
fn listening(pid: u32) -> Result<BTreeSet<Listening>> {
    let mut inodes = BTreeSet::new();
    for fd in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // One may be closed meanwhile.
        if let Ok(target) = fs::read_link(fd?.path()) {
            let target = target.to_string_lossy().into_owned();
            let inode = target.strip_prefix("socket:[");
            inodes.extend(inode.and_then(|inode| inode.strip_suffix(']')?.parse::<u64>().ok()));
        }
    }
    let mut found = BTreeSet::new();
    // UDP has no state of its own: 07 is bound, and sends to whom it likes.
    for (protocol, state) in [
        ("tcp", "0A"),
        ("tcp6", "0A"),
        ("udp", "07"),
        ("udp6", "07"),
        ("raw", "07"),
        ("raw6", "07"),
    ] {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{protocol}"))?;
        for row in table.lines().skip(1) {
            let columns: Vec<&str> = row.split_ascii_whitespace().collect();
            let inode: u64 = columns.get(9).context("an inode")?.parse()?;
            if inodes.contains(&inode) && columns[3] == state {
                found.insert((protocol, columns[1].to_owned()));
            }
        }
    }
    let table = fs::read_to_string(format!("/proc/{pid}/net/unix"))?;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split_ascii_whitespace().collect();
        let inode: u64 = columns.get(6).context("an inode")?.parse()?;
        // __SO_ACCEPTCON: it listens.
        if inodes.contains(&inode) && columns[3] == "00010000" {
            let path = columns.get(7).copied().unwrap_or_default();
            found.insert(("unix", path.to_owned()));
        }
    }
    Ok(found)
}

/// As the kernel prints an address.
fn kernel_form(address: SocketAddr) -> Result<String> {
    let IpAddr::V4(ip) = address.ip() else {
        bail!("{address} is of IPv6");
    };
    let ip = u32::from_ne_bytes(ip.octets());
    Ok(format!("{ip:08X}:{:04X}", address.port()))
}

//= TS 33.117 4.3.2.1
//= TS 33.117 4.4.2
#[test]
fn a_node_listens_where_it_is_told_and_nowhere_else() -> Result<()> {
    let site = Site::new()?;
    let ip = site.subnet().ip(1);
    let at = |port| SocketAddr::from((ip, port));
    let (ssh, snmp, metrics) = (at(2222), at(1161), at(9464));
    let sections = format!(
        "[ssh]\nlisten = \"{ssh}\"\n[snmp]\nlisten = \"{snmp}\"\n[metrics]\nlisten = \"{metrics}\"\n"
    );
    let configuration = site.configuration().with(&sections);
    let mut node = Node::start(&configuration)?;
    let control = configuration.control_socket();
    let expected = BTreeSet::from([
        ("udp", kernel_form(configuration.listen)?),
        ("udp", kernel_form(snmp)?),
        ("tcp", kernel_form(ssh)?),
        ("tcp", kernel_form(metrics)?),
        ("unix", control.display().to_string()),
    ]);
    assert_eq!(listening(node.process().pid())?, expected);
    node = node.crash_and_restart()?;
    assert_eq!(
        listening(node.process().pid())?,
        expected,
        "after a restart"
    );
    Ok(())
}

//= TS 33.117 4.2.3.4.2.2
//= TS 33.117 4.3.2.7
#[test]
fn a_node_as_it_is_installed_lets_nobody_in() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let node = Node::start(&configuration)?;
    let control = configuration.control_socket();
    let expected = BTreeSet::from([
        ("udp", kernel_form(configuration.listen)?),
        ("unix", control.display().to_string()),
    ]);
    assert_eq!(listening(node.process().pid())?, expected);
    let mode = fs::metadata(&control)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let mode = fs::metadata(node.state_dir())?.permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
    let (_, snmp) = node.control().snmp(0)?;
    assert!(snmp.communities.is_empty() && snmp.users.is_empty() && snmp.targets.is_empty());
    let Reply::Accounts { accounts } = node.control().ask(&Request::Accounts)? else {
        bail!("accounts were asked for");
    };
    assert_eq!((accounts.listen, accounts.accounts.len()), (None, 0));
    Ok(())
}

/// Whatever the shell that starts it allows: memory has keys.
#[test]
fn a_node_leaves_no_core_file() -> Result<()> {
    let site = Site::new()?;
    let node = Node::start(&site.configuration())?;
    let limits = fs::read_to_string(format!("/proc/{}/limits", node.process().pid()))?;
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.context("a limit")?.split_ascii_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
    Ok(())
}
