//! OpenSSH's client before a node that serves the shell by SSH: it knows the host key of that node and takes no other.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::child::{Ended, Running, command, require};
use crate::gateway::{Gateway, Site};
use crate::node::Configuration;

/// Longest wait for a program.
const LIMIT: Duration = Duration::from_secs(60);

/// Where such a node listens.
pub const PORT: u16 = 2222;

/// The client's files, and the address of the node.
#[derive(Clone, Debug)]
pub struct OpenSsh {
    dir: PathBuf,
    ip: String,
}

/// A node of this site that serves SSH, with these further keys of `[ssh]`, and a client of it.
pub fn served(site: Site, configuration: &Configuration, keys: &str) -> Result<(Gateway, OpenSsh)> {
    let ip = site.subnet().ip(1);
    let ssh = format!("[ssh]\nlisten = \"{ip}:{PORT}\"\n{keys}");
    let gateway = site.open(&configuration.clone().with(&ssh))?;
    let client = OpenSsh::of(&gateway, &ip.to_string())?;
    Ok((gateway, client))
}

impl OpenSsh {
    fn of(gateway: &Gateway, ip: &str) -> Result<Self> {
        let node = gateway.node()?;
        node.process()
            .wait_for_line("the shell is served by SSH", LIMIT)?;
        Self::before(node.state_dir(), gateway.site().dir(), ip)
    }

    /// A client that keeps its files here, of the node there that has this state directory and listens at this address.
    pub fn before(state_dir: &Path, dir: &Path, ip: &str) -> Result<Self> {
        require("ssh", "openssh-client")?;
        let client = Self {
            dir: dir.to_owned(),
            ip: ip.to_owned(),
        };
        let host_key = state_dir.join("ssh_host_ed25519_key");
        let public = keygen(&["-y", "-f", &host_key.display().to_string()])?;
        let known = format!("[{ip}]:{PORT} {}\n", public.log());
        std::fs::write(client.known(), known)?;
        Ok(client)
    }

    /// The file of host keys that it knows.
    pub fn known(&self) -> PathBuf {
        self.dir.join("known_hosts")
    }

    /// Its arguments for this account, with these options.
    pub fn argv(&self, options: &[&str], account: &str) -> Vec<String> {
        let port = PORT.to_string();
        let known = format!("UserKnownHostsFile={}", self.known().display());
        let fixed = [
            "ssh",
            "-F",
            "none",
            "-p",
            &port,
            "-o",
            &known,
            "-o",
            "GlobalKnownHostsFile=none",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ];
        let to = format!("{account}@{}", self.ip);
        let all = fixed.iter().chain(options).map(ToString::to_string);
        all.chain([to]).collect()
    }

    /// The same by a password alone, which it asks for so many times.
    pub fn argv_by_password(&self, account: &str, prompts: u8) -> Vec<String> {
        let prompts = format!("NumberOfPasswordPrompts={prompts}");
        let options = ["-o", "PreferredAuthentications=password", "-o", &prompts];
        self.argv(&options, account)
    }

    /// The same by the account's key alone.
    pub fn argv_by_key(&self, account: &str) -> Vec<String> {
        let key = self.dir.join(account).display().to_string();
        self.argv(&["-i", &key, "-o", "BatchMode=yes"], account)
    }

    /// A command with the account's key: its exit status, and what it printed.
    pub fn runs(&self, account: &str, line: &str) -> Result<(Option<i32>, String)> {
        let argv = self.argv_by_key(account);
        let mut ssh = command(&argv[0]);
        ssh.args(&argv[1..]).arg(line);
        let ended = Running::start("ssh", &mut ssh)?.wait(LIMIT)?;
        Ok((ended.status.code(), ended.log()))
    }

    /// The same with the text of a file on its standard input.
    pub fn runs_with(
        &self,
        account: &str,
        line: &[&str],
        input: &Path,
    ) -> Result<(Option<i32>, String)> {
        let ended = self.starts_with(account, line, input)?.wait(LIMIT)?;
        Ok((ended.status.code(), ended.log()))
    }

    /// Begins that.
    pub fn starts_with(&self, account: &str, line: &[&str], input: &Path) -> Result<Running> {
        let argv = self.argv_by_key(account);
        let mut ssh = command(&argv[0]);
        ssh.args(&argv[1..]).args(line);
        Running::start_with("ssh", &mut ssh, File::open(input)?.into())
    }

    /// Makes a key, and an account of this role that has it.
    pub fn account_with_key(&self, gateway: &Gateway, role: &str, name: &str) -> Result<()> {
        let key = make_key(&self.dir, name)?;
        done(gateway, &format!("{role} {name} ssh-key {key}"))?;
        Ok(())
    }

    /// Makes an account of this role that has a password.
    pub fn account_with_password(
        &self,
        gateway: &Gateway,
        role: &str,
        name: &str,
        password: &str,
    ) -> Result<()> {
        let file = self.dir.join("password");
        std::fs::write(&file, format!("{password}\n"))?;
        let file = file.display();
        done(
            gateway,
            &format!("{role} {name} password --password-file {file}"),
        )?;
        Ok(())
    }
}

/// What a command line of the node itself, which succeeds, prints.
pub fn done(gateway: &Gateway, command: &str) -> Result<String> {
    let done = gateway.node()?.cli(command)?;
    ensure!(done.status.success(), "{command}: {}", done.log());
    Ok(done.log())
}

/// Makes a key for this account in a directory: its public half, in two words.
pub fn make_key(dir: &Path, name: &str) -> Result<String> {
    let file = dir.join(name);
    let path = file.display().to_string();
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &path])?;
    let key = std::fs::read_to_string(file.with_extension("pub"))?;
    let mut words = key.split_whitespace();
    let (kind, key) = (words.next().context("kind")?, words.next().context("key")?);
    Ok(format!("{kind} {key}"))
}

fn keygen(arguments: &[&str]) -> Result<Ended> {
    let mut keygen = command("ssh-keygen");
    let ended = Running::start("ssh-keygen", keygen.args(arguments))?.wait(LIMIT)?;
    ensure!(ended.status.success(), "{}", ended.log());
    Ok(ended)
}
