//! Which crate may use which, and what none may.

use std::path::Path;

use anyhow::Result;

use super::Breach;
use crate::workspace::{Member, Workspace};

/// The only arrows between crates; dependencies of tests count too.
const ARROWS: [(&str, &[&str]); 17] = [
    ("licensing", &[]),
    ("enforcer", &["licensing"]),
    ("gtp", &[]),
    ("session-plane", &["licensing", "enforcer", "gtp"]),
    ("load", &["licensing", "gtp"]),
    ("api", &["licensing"]),
    ("admission-client", &["licensing", "api"]),
    ("smart-agent", &["licensing", "api"]),
    ("eventlog", &["licensing", "api"]),
    ("snmp", &["licensing"]),
    ("bulkstats", &["licensing"]),
    ("authority", &["licensing", "api"]),
    (
        "node",
        &[
            "licensing",
            "enforcer",
            "gtp",
            "session-plane",
            "api",
            "smart-agent",
            "snmp",
            "bulkstats",
            "eventlog",
        ],
    ),
    (
        "cli",
        &[
            "licensing",
            "api",
            "node",
            "authority",
            "load",
            "bulkstats",
            "eventlog",
        ],
    ),
    ("tests", ANY),
    ("benches", ANY),
    ("xtask", ANY),
];

const ANY: &[&str] = &["*"];

/// Crates whose decisions are values: no dependency that does IO.
pub const MACHINES: [&str; 9] = [
    "licensing",
    "enforcer",
    "gtp",
    "session-plane",
    "api",
    "smart-agent",
    "snmp",
    "bulkstats",
    "eventlog",
];

const IO: [&str; 12] = [
    "axum",
    "hyper",
    "hyper-util",
    "mio",
    "nix",
    "quanta",
    "redb",
    "rustix",
    "socket2",
    "tokio",
    "tracing-subscriber",
    "libc",
];

/// Never in the lock file: C code that costs minutes to build, or a second TLS stack.
const BANNED: [&str; 5] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "native-tls",
    "openssl",
    "openssl-sys",
];

pub fn breaches(workspace: &Workspace) -> Result<Vec<Breach>> {
    let members: Vec<&str> = workspace.members.iter().map(|m| m.name.as_str()).collect();
    let mut breaches = Vec::new();
    for member in &workspace.members {
        let manifest = member.manifest_path.strip_prefix(&workspace.root)?;
        breaches.extend(arrows(member, &members, manifest));
        breaches.extend(lints(manifest, &workspace.text(manifest)?));
    }
    breaches.extend(banned(&workspace.text(Path::new("Cargo.lock"))?));
    Ok(breaches)
}

fn arrows(member: &Member, members: &[&str], manifest: &Path) -> Vec<Breach> {
    let name = member.name.as_str();
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        let why = format!("{name} is not in the table of arrows");
        return vec![Breach::of(manifest, why)];
    };
    let uses = member.dependencies.iter().map(|d| d.name.as_str());
    let mut breaches = Vec::new();
    for used in uses {
        let arrow = !members.contains(&used) || *allowed == ANY || allowed.contains(&used);
        if !arrow {
            breaches.push(Breach::of(manifest, format!("{name} may not use {used}")));
        }
        if MACHINES.contains(&name) && IO.contains(&used) {
            let why = format!("{name} is a machine and may not use {used}, which does IO");
            breaches.push(Breach::of(manifest, why));
        }
    }
    breaches
}

fn lints(manifest: &Path, text: &str) -> Option<Breach> {
    let mut section = text.lines().map(str::trim).skip_while(|l| *l != "[lints]");
    let taken = section.nth(1) == Some("workspace = true");
    (!taken).then(|| Breach::of(manifest, "it doesn't take the workspace's lints"))
}

fn banned(lock: &str) -> Vec<Breach> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = "));
    names
        .map(|name| name.trim_matches('"'))
        .filter(|name| BANNED.contains(name))
        .map(|name| Breach::of("Cargo.lock", format!("{name} is banned")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn of(name: &str, uses: &[&str]) -> Vec<String> {
        let member = Member {
            name: name.to_owned(),
            manifest_path: "x/Cargo.toml".into(),
            dependencies: uses
                .iter()
                .map(|used| Dependency {
                    name: (*used).to_owned(),
                })
                .collect(),
            targets: Vec::new(),
        };
        let members: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
        let found = arrows(&member, &members, Path::new("x/Cargo.toml"));
        found.into_iter().map(|breach| breach.why).collect()
    }

    #[test]
    fn an_arrow_outside_the_table_is_found() {
        assert_eq!(of("enforcer", &["licensing", "serde"]), [""; 0]);
        assert_eq!(of("tests", &["node", "load", "tokio"]), [""; 0]);
        assert_eq!(of("enforcer", &["gtp"]), ["enforcer may not use gtp"]);
        assert_eq!(of("node", &["load"]), ["node may not use load"]);
        assert_eq!(of("extra", &[]), ["extra is not in the table of arrows"]);
    }

    #[test]
    fn a_machine_that_could_do_io_is_found() {
        assert_eq!(
            of("session-plane", &["socket2"]),
            ["session-plane is a machine and may not use socket2, which does IO"]
        );
        assert_eq!(of("node", &["socket2"]), [""; 0]);
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let manifest = Path::new("Cargo.toml");
        assert_eq!(lints(manifest, "[lints]\nworkspace = true\n"), None);
        for text in ["", "[lints]\n", "[lints]\nworkspace = false\n"] {
            assert!(lints(manifest, text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_banned_crate_is_found() {
        let lock = "[[package]]\nname = \"serde\"\n[[package]]\nname = \"openssl-sys\"\n";
        let found = banned(lock);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].why, "openssl-sys is banned");
    }
}
