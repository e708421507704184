//! Accounts: who may log in, by what, and as what.

use std::fmt;
use std::net::SocketAddr;

use licensing::Wall;
use serde::{Deserialize, Serialize};

use crate::access::Privilege;

/// What an administrator may set of accounts. It is kept, and in force with the answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum AccountCommand {
    /// `administrator <name> password`, and the like for operators and inspectors: the account is made, or changed.
    Password {
        /// Its name.
        name: String,
        /// What it may do.
        privilege: Privilege,
        /// A secret.
        password: String,
    },
    /// `administrator <name> ssh-key <key>`, and the like: the account is made, or has one key more.
    Key {
        /// Its name.
        name: String,
        /// What it may do.
        privilege: Privilege,
        /// A public key as in a `.pub` file.
        key: String,
    },
    /// `no administrator <name>`, and the like: it is not there, whatever the configuration says.
    Remove {
        /// Its name.
        name: String,
        /// What it may do.
        privilege: Privilege,
    },
    /// `clear administrator lock <name>`: wrong passwords are forgotten.
    Unlock {
        /// Its name.
        name: String,
    },
}

/// Accounts, and where they log in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsView {
    /// Where SSH is served; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// The fingerprint of the host key.
    pub host_key: Option<String>,
    /// Sessions by SSH now.
    pub sessions: u32,
    /// At most so many.
    pub sessions_max: u32,
    /// Wrong passwords that lock an account.
    pub failures_max: u32,
    /// For so long, in seconds.
    pub lockout_s: u64,
    /// By name.
    pub accounts: Vec<AccountRow>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub privilege: Privilege,
    /// It has a password.
    pub password: bool,
    /// It has so many public keys.
    pub keys: u32,
    /// Wrong passwords since the last right one.
    pub failures: u32,
    /// For so many seconds yet no password lets in; none: it is not locked.
    pub locked_s: Option<u64>,
    /// When it logged in last since the node began.
    pub last_login: Option<Wall>,
    /// From where.
    pub last_from: Option<String>,
}

impl AccountCommand {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        let of = |privilege: &Privilege, words: [&'static str; 3]| match privilege {
            Privilege::Inspector => words[0],
            Privilege::Operator => words[1],
            Privilege::Administrator => words[2],
        };
        match self {
            Self::Password { privilege, .. } | Self::Key { privilege, .. } => {
                of(privilege, ["inspector", "operator", "administrator"])
            }
            Self::Remove { privilege, .. } => of(
                privilege,
                ["no inspector", "no operator", "no administrator"],
            ),
            Self::Unlock { .. } => "clear administrator lock",
        }
    }

    /// The account.
    pub fn name(&self) -> &str {
        match self {
            Self::Password { name, .. }
            | Self::Key { name, .. }
            | Self::Remove { name, .. }
            | Self::Unlock { name } => name,
        }
    }

    /// As it is typed, without the secret.
    pub fn command(&self) -> String {
        let what = match self {
            Self::Password { .. } => " password ***",
            Self::Key { .. } => " ssh-key",
            Self::Remove { .. } | Self::Unlock { .. } => "",
        };
        format!("{} {}{what}", self.words(), self.name())
    }
}

/// Without the secret.
impl fmt::Debug for AccountCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command())
    }
}
