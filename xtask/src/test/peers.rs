//! The programs that tests talk to, from Debian's packages and PyPI.
//!
//! Nothing is skipped: what can't be installed fails the run and is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::run;
use crate::workspace::Workspace;

/// Debian packages, with what each brings.
const PACKAGES: [(&str, &str); 21] = [
    ("smitools", "smilint, which reads our MIB"),
    ("osmo-ggsn", "sgsnemu and a GGSN"),
    ("osmo-gtphub", "a proxy between SGSN and GGSN"),
    ("tshark", "a second decoder"),
    (
        "python3-venv",
        "an environment for scapy, pycrate, schemathesis and pysnmp",
    ),
    (
        "tinyproxy",
        "an HTTP proxy on the way to a license authority",
    ),
    ("faketime", "a wall clock that is wrong, for one process"),
    ("snmp", "an SNMP manager"),
    ("snmptrapd", "a receiver of notifications"),
    ("openssh-client", "a visitor of the shell by SSH"),
    ("openssh-server", "a receiver of files by SFTP"),
    ("vsftpd", "one by FTP and FTPS"),
    ("nginx", "one by HTTP and HTTPS"),
    ("tftpd-hpa", "one by TFTP"),
    ("rsyslog", "a syslog server"),
    ("rsyslog-gnutls", "TLS for that"),
    ("prometheus", "a reader of metrics, and promtool"),
    ("valgrind", "callgrind, which counts instructions"),
    ("tmux", "a terminal that can be looked at"),
    ("iproute2", "a network namespace for that GGSN"),
    ("systemd", "systemd-analyze, which judges our unit"),
];

/// From PyPI: two more encoders and decoders, a client that tries an API by its OpenAPI document, an SNMP manager, what that
/// encrypts with, a parser of OpenMetrics, and somebody at a terminal.
const PYTHON: [&str; 7] = [
    "scapy==2.8.0",
    "pycrate==0.8.1",
    "schemathesis==4.32.5",
    "pysnmp==7.1.30",
    "cryptography==50.0.2",
    "prometheus_client==0.26.0",
    "pexpect==4.9.0",
];

/// Says which of them are there, as the test set-up names them.
const PROBE: &str = "\
import scapy.contrib.gtp_v2, pycrate_mobile.TS29274_GTPC, schemathesis, pysnmp, cryptography, prometheus_client, pexpect
from importlib.metadata import version
print(*(f'{name}=={version(name)}' for name in (
    'scapy', 'pycrate', 'schemathesis', 'pysnmp', 'cryptography', 'prometheus_client', 'pexpect')))";

/// Cisco's unicon, its plugins and what those import, in the order of [`UNICON_PROBE`].
const UNICON: [&str; 3] = ["genie==26.9", "pyats==26.9", "unicon.plugins==26.9"];

/// Says which of those are there.
const UNICON_PROBE: &str = "\
import unicon.plugins.staros
from importlib.metadata import version
print(*(f'{name}=={version(name)}' for name in ('genie', 'pyats', 'unicon.plugins')))";

/// Where they live.
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
    python(&venv(workspace), &PYTHON, PROBE)
}

/// Installs unicon in this virtual environment.
pub fn install_unicon(venv: &Path) -> Result<()> {
    python(venv, &UNICON, UNICON_PROBE)
}

/// Installs a PostgreSQL server if there is none; its own cluster is not started.
pub fn install_postgres() -> Result<()> {
    match is_installed("postgresql") {
        true => Ok(()),
        false => packages(&["postgresql"]),
    }
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    run::output(&mut query).is_some_and(|status| status == "installed")
}

fn packages(missing: &[&str]) -> Result<()> {
    let list = missing.join(" ");
    let script = script("/usr/sbin/policy-rc.d", &list);
    let root = run::output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !root {
        bail!("missing packages: {list}. This installs them:\n\nsudo sh -c '{script}'\n");
    }
    println!("installing {list}");
    let mut install = run::bounded(900, "sh");
    run::must(
        &format!("can't install {list}"),
        install.args(["-c", &script]),
    )?;
    let absent: Vec<_> = missing.iter().filter(|p| !is_installed(p)).collect();
    ensure!(absent.is_empty(), "still not installed: {absent:?}");
    Ok(())
}

/// Installs packages without questions. While they go in, `policy` keeps their services from starting by themselves; one
/// that is there already stays as it is. The package lists are fetched only if they are missing or old.
fn script(policy: &str, packages: &str) -> String {
    format!(
        r##"policy={policy}
if [ ! -e $policy ]; then
    trap "rm -f $policy" EXIT
    trap "exit 1" HUP INT TERM
    printf "#!/bin/sh\nexit 101\n" > $policy && chmod 755 $policy || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
install="apt-get install --yes --quiet --no-install-recommends {packages}"
$install || {{ apt-get update --quiet && $install; }}"##
    )
}

fn python(venv: &Path, packages: &[&str], probe: &str) -> Result<()> {
    let python = venv.join("bin/python");
    let list = packages.join(" ");
    let mut probing = Command::new(&python);
    probing.args(["-c", probe]);
    if run::output(&mut probing).is_some_and(|found| found.trim() == list) {
        return Ok(());
    }
    println!("installing {list} in {}", venv.display());
    let mut make = run::bounded(120, "python3");
    run::must(
        "python3 -m venv",
        make.args(["-m", "venv", "--clear"]).arg(venv),
    )?;
    let mut pip = run::bounded(600, &python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
    // Most of pycrate is never imported, and would take longer to compile than to fetch.
    pip.args(["--no-compile", "--disable-pip-version-check"]);
    pip.args(packages);
    run::must(&format!("can't install {list} from PyPI"), &mut pip)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Runs the script with an `apt-get` of our own, which writes down its arguments and the policy that it finds, and
    /// fails as long as `update` was not called. Gives what was written down, and whether the policy is there after.
    fn installed_with(name: &str, held: Option<&str>) -> (String, bool) {
        let place = std::env::temp_dir().join(format!("peers-{name}-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        let apt = place.join("apt-get");
        let told = place.join("told");
        let policy = place.join("policy");
        let body = format!(
            "#!/bin/sh\necho $1 $DEBIAN_FRONTEND $(cat {0}) >> {1}\n\
             [ $1 = update ] || grep -q update {1}\n",
            policy.display(),
            told.display()
        );
        fs::write(&apt, body).unwrap();
        fs::set_permissions(&apt, fs::Permissions::from_mode(0o755)).unwrap();
        if let Some(held) = held {
            fs::write(&policy, held).unwrap();
        }
        let path = format!("{}:{}", place.display(), std::env::var("PATH").unwrap());
        let mut sh = Command::new("sh");
        sh.arg("-c")
            .arg(script(&policy.display().to_string(), "some more"));
        assert!(sh.env("PATH", path).status().unwrap().success());
        let there = policy.exists();
        let told = fs::read_to_string(told).unwrap();
        fs::remove_dir_all(place).unwrap();
        (told, there)
    }

    #[test]
    fn services_are_kept_from_starting_only_while_packages_go_in() {
        let (told, there) = installed_with("absent", None);
        let line = |verb: &str| format!("{verb} noninteractive #!/bin/sh exit 101\n");
        assert_eq!(told, line("install") + &line("update") + &line("install"));
        assert!(!there);
    }

    #[test]
    fn a_policy_that_is_there_stays() {
        let (told, there) = installed_with("present", Some("mine"));
        assert!(
            told.lines()
                .all(|line| line.ends_with("noninteractive mine")),
            "{told}"
        );
        assert!(there);
    }

    #[test]
    fn the_script_can_be_quoted() {
        assert!(!script("/p", "a b").contains('\''));
    }

    #[test]
    fn a_package_of_no_such_name_is_not_installed() {
        assert!(!is_installed("no-such-package-anywhere"));
    }
}
