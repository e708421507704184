//! SSH: where the shell is served, and the accounts that may log in.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use api::Privilege;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Problem;
use super::agent::read_secret;
use super::check::{Checked, expected, missing, once, within, wrong};
use super::file;
use crate::access::PasswordHash;

/// Accounts at most.
const ACCOUNTS_MAX: usize = 64;

/// Keys of one account at most.
const KEYS_MAX: usize = 8;

/// Kinds of keys that are taken. What there is for RSA in Rust leaks private keys through its timing (RUSTSEC-2023-0071).
const KEY_KINDS: [&str; 4] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
];

/// SSH, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// Where it is served; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// Sessions at most.
    pub sessions_max: u16,
    /// Longest time in which a client sends nothing.
    pub idle: Duration,
    /// Wrong passwords that lock an account.
    pub failures_max: u32,
    /// For so long.
    pub lockout: Duration,
    /// Who may log in.
    pub accounts: Vec<Account>,
}

/// Who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub privilege: Privilege,
    /// Its password; none: it has none, or what sealed it is lost.
    pub password: Option<PasswordHash>,
    /// Its public keys: kind and base64, one space between them.
    pub keys: Vec<String>,
}

impl Account {
    /// An administrator who can log in by something.
    pub(crate) fn administers(&self) -> bool {
        let logs_in = self.password.is_some() || !self.keys.is_empty();
        self.privilege == Privilege::Administrator && logs_in
    }
}

pub(super) fn check(ssh: file::Ssh, base: &Path) -> Checked<Ssh> {
    within(ssh.sessions_max, 1, 256, "ssh.sessions_max")?;
    within(ssh.idle_s, 10, 86_400, "ssh.idle_s")?;
    within(ssh.failures_max, 1, 100, "ssh.failures_max")?;
    within(ssh.lockout_s, 1, 86_400, "ssh.lockout_s")?;
    #[cfg(not(feature = "sftp"))]
    if ssh.listen.is_some() {
        return wrong("ssh.listen", "this program is built without SSH");
    }
    if ssh.account.len() > ACCOUNTS_MAX {
        return wrong("ssh.account", format!("{} accounts", ssh.account.len()));
    }
    let mut accounts: Vec<Account> = Vec::new();
    for (place, account) in ssh.account.into_iter().enumerate() {
        let key = |name: &str| format!("ssh.account[{place}].{name}");
        if !is_account_name(&account.name) {
            return wrong(key("name"), format!("{:?}", account.name));
        }
        let others = accounts.iter().map(|other| other.name.as_str());
        once("account", &account.name, &key("name"), others)?;
        if account.password_file.is_none() && account.ssh_keys.is_empty() {
            return missing(key("password_file"));
        }
        let password = match account.password_file {
            Some(file) => password(&key("password_file"), &base.join(file))?,
            None => None,
        };
        if account.ssh_keys.len() > KEYS_MAX {
            return wrong(key("ssh_keys"), format!("{} keys", account.ssh_keys.len()));
        }
        let mut keys = Vec::new();
        for (n, text) in account.ssh_keys.iter().enumerate() {
            let Some(public) = public_key(text) else {
                return wrong(format!("{}[{n}]", key("ssh_keys")), format!("{text:?}"));
            };
            keys.push(public);
        }
        accounts.push(Account {
            name: account.name,
            privilege: account.role,
            password,
            keys,
        });
    }
    Ok(Ssh {
        listen: ssh.listen,
        sessions_max: ssh.sessions_max,
        idle: Duration::from_secs(ssh.idle_s),
        failures_max: ssh.failures_max,
        lockout: Duration::from_secs(ssh.lockout_s),
        accounts,
    })
}

/// The hash in a file; none: the key that sealed it is lost, and no password lets in.
fn password(key: &str, file: &Path) -> Checked<Option<PasswordHash>> {
    match read_secret(key, file) {
        Ok(line) => line.text.parse().map(Some).map_err(|error| {
            let refused = format!("{}: {error}", file.display());
            let expected = expected(key);
            (key.to_owned(), Problem::Named { refused, expected })
        }),
        Err((_, Problem::Sealed { why })) => {
            event!(ACCOUNT_WITHOUT_PASSWORD, why);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// 1 to 32 letters, digits, dots, hyphens and underscores, the first a letter or an underscore.
pub(crate) fn is_account_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || [b'-', b'.', b'_'].contains(&b);
    let begins = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    name.len() <= 32 && name.as_bytes().first().is_some_and(begins) && name.bytes().all(allowed)
}

/// A public key as in a `.pub` file: its kind and base64; none: it is none that is taken.
pub(crate) fn public_key(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (kind, coded) = (words.next()?, words.next()?);
    let kind = KEY_KINDS.into_iter().find(|known| *known == kind)?;
    let octets = STANDARD.decode(coded).ok()?;
    // It begins with its kind once more, behind the length (RFC 4253 6.6).
    let length = u32::try_from(kind.len()).ok()?.to_be_bytes();
    let is_of_kind = octets.strip_prefix(&length)?.strip_prefix(kind.as_bytes());
    is_of_kind.filter(|rest| rest.len() >= 32)?;
    Some(format!("{kind} {coded}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_key_is_of_the_kind_that_it_says() {
        assert_eq!(public_key(KEY).as_deref(), Some(KEY));
        assert_eq!(
            public_key(&format!(" {KEY} maja@desk\n")).as_deref(),
            Some(KEY)
        );
        let other = KEY.replace("ssh-ed25519", "ecdsa-sha2-nistp256");
        let rsa = KEY.replace("ssh-ed25519", "ssh-rsa");
        for none in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            &other,
            &rsa,
            &KEY[..40],
        ] {
            assert_eq!(public_key(none), None, "{none}");
        }
    }

    #[test]
    fn names_of_accounts_are_words() {
        for name in ["maja", "_x", "A.b-c_9", &"a".repeat(32)] {
            assert!(is_account_name(name), "{name}");
        }
        for name in ["", "1a", "-a", "a b", "a$", "é", &"a".repeat(33)] {
            assert!(!is_account_name(name), "{name}");
        }
    }
}
