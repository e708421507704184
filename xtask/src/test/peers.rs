//! The programs that tests talk to, from Debian's packages and PyPI.
//!
//! Nothing is skipped: what can't be installed fails the run and is named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;
use crate::workspace::Workspace;

/// Debian packages, with what each brings.
const PACKAGES: [(&str, &str); 5] = [
    ("osmo-ggsn", "sgsnemu and a GGSN"),
    ("osmo-gtphub", "a proxy between SGSN and GGSN"),
    ("tshark", "a second decoder"),
    ("python3-venv", "an environment for scapy"),
    ("iproute2", "a network namespace for that GGSN"),
];

/// From PyPI: a second encoder and decoder.
const SCAPY: &str = "scapy==2.8.0";

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Where scapy lives.
pub fn venv(workspace: &Workspace) -> PathBuf {
    workspace.target.join("venv")
}

/// Installs what is missing.
pub fn install(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .map(|(package, _)| *package)
        .filter(|package| !is_installed(package))
        .collect();
    if !missing.is_empty() {
        packages(&missing)?;
    }
    scapy(&venv(workspace))
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    run::output(&mut query).is_some_and(|status| status == "installed")
}

fn packages(missing: &[&str]) -> Result<()> {
    let list = missing.join(" ");
    println!("installing {list}");
    let root = run::output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !root {
        bail!(
            "missing packages: {list}. As root, run:\n\n    \
             DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {list}\n"
        );
    }
    let _quiet = Quiet::keep(Path::new(POLICY))?;
    if apt(missing).is_err() {
        // the lists may be missing or old
        let mut update = run::bounded(300, "apt-get");
        run::must("apt-get update", update.args(["update", "--quiet"]))?;
        apt(missing).with_context(|| format!("can't install {list}"))?;
    }
    let absent: Vec<_> = missing.iter().filter(|p| !is_installed(p)).collect();
    if !absent.is_empty() {
        bail!("still not installed: {absent:?}");
    }
    Ok(())
}

fn apt(packages: &[&str]) -> Result<()> {
    let mut install = run::bounded(600, "apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]);
    install.args(packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run::must("apt-get install", &mut install)
}

/// While it lives, packages don't start their services.
struct Quiet<'a>(Option<&'a Path>);

impl<'a> Quiet<'a> {
    /// Puts the policy in place, unless there is one already: then it stays as it is.
    fn keep(policy: &'a Path) -> Result<Self> {
        if run::exists(policy) {
            return Ok(Self(None));
        }
        let place = || policy.display().to_string();
        fs::write(policy, "#!/bin/sh\nexit 101\n").with_context(place)?;
        let kept = Self(Some(policy));
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755)).with_context(place)?;
        Ok(kept)
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        if let Some(policy) = self.0
            && let Err(error) = fs::remove_file(policy)
        {
            eprintln!("warning: can't remove {}: {error}", policy.display());
        }
    }
}

fn scapy(venv: &Path) -> Result<()> {
    let python = venv.join("bin/python");
    let mut probe = Command::new(&python);
    probe.args([
        "-c",
        "import scapy.contrib.gtp, scapy; print(scapy.__version__)",
    ]);
    let version = SCAPY.split_once("==").map_or("", |(_, version)| version);
    if run::output(&mut probe).is_some_and(|found| found.trim() == version) {
        return Ok(());
    }
    println!("installing {SCAPY} in {}", venv.display());
    let mut make = run::bounded(120, "python3");
    run::must(
        "python3 -m venv",
        make.args(["-m", "venv", "--clear"]).arg(venv),
    )?;
    let mut pip = run::bounded(300, &python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", SCAPY]);
    pip.arg("--disable-pip-version-check");
    run::must(&format!("can't install {SCAPY} from PyPI"), &mut pip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_file(&place);
        place
    }

    #[test]
    fn services_are_kept_from_starting_only_while_packages_go_in() {
        let policy = place("policy-absent");
        let quiet = Quiet::keep(&policy).unwrap();
        assert_eq!(
            fs::read_to_string(&policy).unwrap(),
            "#!/bin/sh\nexit 101\n"
        );
        let mode = fs::metadata(&policy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        drop(quiet);
        assert!(!policy.exists());
    }

    #[test]
    fn a_policy_that_is_there_stays() {
        let policy = place("policy-present");
        fs::write(&policy, "mine").unwrap();
        drop(Quiet::keep(&policy).unwrap());
        assert_eq!(fs::read_to_string(&policy).unwrap(), "mine");
        fs::remove_file(&policy).unwrap();
    }

    #[test]
    fn a_package_of_no_such_name_is_not_installed() {
        assert!(!is_installed("no-such-package-anywhere"));
    }
}
