//! Accounts while the node runs: who is let in, and what became of those who tried.

use std::collections::HashMap;
use std::net::SocketAddr;

use api::{AccountRow, AccountsView, Privilege};
use licensing::{Mono, Now, Wall};
use parking_lot::Mutex;

use super::lockout::{Lockouts, Wrong};
use super::password::PasswordHash;
use crate::config::{Account, Ssh};

/// Who may log in, and who did.
#[derive(Debug)]
pub(crate) struct Accounts {
    ssh: Ssh,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    accounts: Vec<Account>,
    lockouts: Lockouts,
    /// When each logged in last, and from where.
    last: HashMap<String, (Wall, String)>,
    /// Where SSH is served, and the fingerprint of its key.
    served: Option<(SocketAddr, String)>,
    sessions: u32,
}

/// A session counts as one until this is dropped.
#[derive(Debug)]
pub(crate) struct Seat(std::sync::Arc<Accounts>);

impl Accounts {
    /// Those of a configuration.
    pub(crate) fn new(ssh: &Ssh) -> Self {
        Self {
            ssh: ssh.clone(),
            state: Mutex::new(State {
                accounts: ssh.accounts.clone(),
                lockouts: Lockouts::new(ssh.failures_max, ssh.lockout),
                last: HashMap::new(),
                served: None,
                sessions: 0,
            }),
        }
    }

    /// How SSH is configured.
    pub(crate) fn ssh(&self) -> &Ssh {
        &self.ssh
    }

    /// These are the accounts from now on.
    pub(crate) fn set(&self, accounts: Vec<Account>) {
        let mut state = self.state.lock();
        state
            .last
            .retain(|name, _| accounts.iter().any(|account| account.name == *name));
        state.accounts = accounts;
    }

    /// SSH is served.
    #[cfg(feature = "sftp")]
    pub(crate) fn serves(&self, at: SocketAddr, fingerprint: String) {
        self.state.lock().served = Some((at, fingerprint));
    }

    /// What an account may do; none: there is no such account.
    pub(crate) fn privilege(&self, name: &str) -> Option<Privilege> {
        let state = self.state.lock();
        state.account(name).map(|account| account.privilege)
    }

    /// Is there any?
    #[cfg(feature = "sftp")]
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().accounts.is_empty()
    }

    /// The hash that a password is to be compared with, one that no password has where there is none; no hash: the name is
    /// locked, and nothing is looked at.
    pub(crate) fn guess(&self, name: &str, now: Mono) -> Option<PasswordHash> {
        let mut state = self.state.lock();
        let State {
            accounts, lockouts, ..
        } = &mut *state;
        let is_account = |name: &str| accounts.iter().any(|account| account.name == name);
        if !lockouts.guess(name, now, is_account) {
            return None;
        }
        let kept = state.account(name).and_then(|own| own.password.clone());
        Some(kept.unwrap_or_else(PasswordHash::of_nobody))
    }

    /// A password was wrong.
    pub(crate) fn was_wrong(&self, name: &str, now: Mono) -> Wrong {
        self.state.lock().lockouts.was_wrong(name, now)
    }

    /// Somebody is let in, by a password or by a key.
    pub(crate) fn let_in(&self, name: &str, from: &str, by_password: bool, now: Now) {
        let mut state = self.state.lock();
        if by_password {
            state.lockouts.forget(name);
        }
        state
            .last
            .insert(name.to_owned(), (now.wall, from.to_owned()));
    }

    /// Has the account this public key?
    #[cfg(feature = "sftp")]
    pub(crate) fn has_key(&self, name: &str, key: &str) -> bool {
        let state = self.state.lock();
        let account = state.account(name);
        account.is_some_and(|account| account.keys.iter().any(|own| own == key))
    }

    /// Wrong passwords are forgotten; none: there is no such account; false: there were none.
    pub(crate) fn unlock(&self, name: &str) -> Option<bool> {
        let mut state = self.state.lock();
        state.account(name)?;
        Some(state.lockouts.forget(name))
    }

    /// Who administers, but this one.
    pub(crate) fn other_administrators(&self, but: &str) -> usize {
        let state = self.state.lock();
        let accounts = state.accounts.iter();
        let others = accounts.filter(|account| account.administers() && account.name != but);
        others.count()
    }

    /// A place for a session; none: there are as many as may be.
    #[cfg(feature = "sftp")]
    pub(crate) fn seat(self: &std::sync::Arc<Self>) -> Option<Seat> {
        let mut state = self.state.lock();
        if state.sessions >= u32::from(self.ssh.sessions_max) {
            return None;
        }
        state.sessions += 1;
        Some(Seat(std::sync::Arc::clone(self)))
    }

    /// What is shown.
    pub(crate) fn view(&self, now: Mono) -> AccountsView {
        let state = self.state.lock();
        let row = |account: &Account| {
            let (failures, locked) = state.lockouts.of(&account.name, now);
            let last = state.last.get(&account.name);
            AccountRow {
                name: account.name.clone(),
                privilege: account.privilege,
                password: account.password.is_some(),
                keys: u32::try_from(account.keys.len()).unwrap_or(u32::MAX),
                failures,
                locked_s: locked.map(|left| left.as_secs().max(1)),
                last_login: last.map(|(at, _)| *at),
                last_from: last.map(|(_, from)| from.clone()),
            }
        };
        let mut accounts: Vec<AccountRow> = state.accounts.iter().map(row).collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        AccountsView {
            listen: state.served.as_ref().map(|(at, _)| *at),
            host_key: state.served.as_ref().map(|(_, key)| key.clone()),
            sessions: state.sessions,
            sessions_max: u32::from(self.ssh.sessions_max),
            failures_max: self.ssh.failures_max,
            lockout_s: self.ssh.lockout.as_secs(),
            accounts,
        }
    }
}

impl State {
    fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.sessions = state.sessions.saturating_sub(1);
    }
}
