//! Accounts while the node runs: who is let in, and what became of those who tried.

use std::collections::HashMap;
use std::net::SocketAddr;
#[cfg(feature = "sftp")]
use std::pin::pin;
#[cfg(feature = "sftp")]
use std::sync::Arc;
#[cfg(feature = "sftp")]
use std::time::Duration;

use api::{AccountRow, AccountsView, Privilege};
#[cfg(feature = "sftp")]
use licensing::Now;
use licensing::{Mono, Wall};
use parking_lot::Mutex;
#[cfg(feature = "sftp")]
use tokio::sync::Notify;
#[cfg(feature = "sftp")]
use tokio::time::timeout;

use super::lockout::Lockouts;
#[cfg(feature = "sftp")]
use super::lockout::{Guess, Wrong};
#[cfg(feature = "sftp")]
use super::password::PasswordHash;
use crate::config::{Account, Ssh};

/// Who may log in, and who did.
#[derive(Debug)]
pub(crate) struct Accounts {
    ssh: Ssh,
    state: Mutex<State>,
    /// A password that was looked at is known.
    #[cfg(feature = "sftp")]
    settled: Notify,
}

/// A password is looked at; what is dropped before it is known was wrong.
#[cfg(feature = "sftp")]
#[derive(Debug)]
pub(crate) struct LookedAt {
    pub(crate) hash: PasswordHash,
    begun: Option<(Arc<Accounts>, String, Mono)>,
}

/// Longest wait for another password of the name, which is looked at, to be known.
#[cfg(feature = "sftp")]
const LATER: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct State {
    accounts: Vec<Account>,
    lockouts: Lockouts,
    /// When each logged in last, and from where.
    last: HashMap<String, (Wall, String)>,
    /// Where SSH is served, and the fingerprint of its key.
    served: Option<(SocketAddr, String)>,
    /// Whose sessions there are.
    sessions: Vec<String>,
    /// Whose connections there are.
    #[cfg(feature = "sftp")]
    connections: Vec<String>,
}

/// What an account has until this is dropped.
#[cfg(feature = "sftp")]
#[derive(Debug)]
pub(crate) struct Held {
    accounts: Arc<Accounts>,
    account: String,
    has: fn(&mut State) -> &mut Vec<String>,
}

/// Seats that are for administrators alone, where there are twice as many.
#[cfg(feature = "sftp")]
const ADMINISTRATORS_SEATS: usize = 2;

/// Seats that one account may have of few.
#[cfg(feature = "sftp")]
const OF_FEW: usize = 4;

/// Connections that an account may have for each session that it may have.
#[cfg(feature = "sftp")]
const CONNECTIONS: usize = 2;

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
                sessions: Vec::new(),
                #[cfg(feature = "sftp")]
                connections: Vec::new(),
            }),
            #[cfg(feature = "sftp")]
            settled: Notify::new(),
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
    /// locked, or too many of its passwords are looked at for too long, and nothing is looked at.
    #[cfg(feature = "sftp")]
    pub(crate) async fn guess(self: &Arc<Self>, name: &str, now: Mono) -> Option<LookedAt> {
        let begins = async {
            loop {
                // What is settled from here on wakes it.
                let mut settled = pin!(self.settled.notified());
                settled.as_mut().enable();
                match self.begin(name, now) {
                    Guess::Begun => return true,
                    Guess::Locked => return false,
                    Guess::Later => settled.await,
                }
            }
        };
        if !matches!(timeout(LATER, begins).await, Ok(true)) {
            return None;
        }
        let state = self.state.lock();
        let kept = state.account(name).and_then(|own| own.password.clone());
        Some(LookedAt {
            hash: kept.unwrap_or_else(PasswordHash::of_nobody),
            begun: Some((Arc::clone(self), name.to_owned(), now)),
        })
    }

    #[cfg(feature = "sftp")]
    fn begin(&self, name: &str, now: Mono) -> Guess {
        let mut state = self.state.lock();
        let State {
            accounts, lockouts, ..
        } = &mut *state;
        let is_account = |name: &str| accounts.iter().any(|account| account.name == name);
        lockouts.guess(name, now, is_account)
    }

    /// Somebody is let in.
    #[cfg(feature = "sftp")]
    pub(crate) fn let_in(&self, name: &str, from: &str, now: Now) {
        let mut state = self.state.lock();
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

    /// A place for a session of an account; none: it has as many as it may, or there are. Two of them are kept for
    /// administrators.
    #[cfg(feature = "sftp")]
    pub(crate) fn seat(self: &Arc<Self>, account: &str) -> Option<Held> {
        let mut state = self.state.lock();
        let most = usize::from(self.ssh.sessions_max);
        let kept = match state.account(account)?.privilege {
            Privilege::Administrator => 0,
            Privilege::Operator | Privilege::Inspector => ADMINISTRATORS_SEATS.min(most / 2),
        };
        if state.sessions.len() >= most - kept {
            return None;
        }
        self.hold(&mut state, account, self.seats_of_one(), State::sessions)
    }

    /// A place for a connection on which an account logs in; none: it has as many as it may.
    #[cfg(feature = "sftp")]
    pub(crate) fn connection(self: &Arc<Self>, account: &str) -> Option<Held> {
        let most = CONNECTIONS * self.seats_of_one();
        self.hold(&mut self.state.lock(), account, most, State::connections)
    }

    #[cfg(feature = "sftp")]
    fn seats_of_one(&self) -> usize {
        let most = usize::from(self.ssh.sessions_max);
        (most / 2).max(OF_FEW).min(most)
    }

    #[cfg(feature = "sftp")]
    fn hold(
        self: &Arc<Self>,
        state: &mut State,
        account: &str,
        most: usize,
        has: fn(&mut State) -> &mut Vec<String>,
    ) -> Option<Held> {
        let names = has(state);
        if names.iter().filter(|name| *name == account).count() >= most {
            return None;
        }
        names.push(account.to_owned());
        Some(Held {
            accounts: Arc::clone(self),
            account: account.to_owned(),
            has,
        })
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
            sessions: u32::try_from(state.sessions.len()).unwrap_or(u32::MAX),
            sessions_max: u32::from(self.ssh.sessions_max),
            failures_max: self.ssh.failures_max,
            lockout_s: self.ssh.lockout.as_secs(),
            accounts,
        }
    }
}

impl State {
    #[cfg(feature = "sftp")]
    fn sessions(&mut self) -> &mut Vec<String> {
        &mut self.sessions
    }

    #[cfg(feature = "sftp")]
    fn connections(&mut self) -> &mut Vec<String> {
        &mut self.connections
    }

    fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }
}

#[cfg(feature = "sftp")]
impl LookedAt {
    /// It is the account's.
    pub(crate) fn was_right(mut self) {
        if let Some((accounts, name, _)) = self.begun.take() {
            accounts.state.lock().lockouts.was_right(&name);
            accounts.settled.notify_waiters();
        }
    }

    /// It is not.
    pub(crate) fn was_wrong(mut self) -> Option<Wrong> {
        self.ends()
    }

    fn ends(&mut self) -> Option<Wrong> {
        let (accounts, name, now) = self.begun.take()?;
        let wrong = accounts.state.lock().lockouts.was_wrong(&name, now);
        accounts.settled.notify_waiters();
        Some(wrong)
    }
}

#[cfg(feature = "sftp")]
impl Drop for LookedAt {
    fn drop(&mut self) {
        self.ends();
    }
}

#[cfg(feature = "sftp")]
impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.accounts.state.lock();
        let names = (self.has)(&mut state);
        if let Some(at) = names.iter().position(|name| *name == self.account) {
            names.swap_remove(at);
        }
    }
}

#[cfg(all(test, feature = "sftp"))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn account(name: &str, privilege: Privilege) -> Account {
        Account {
            name: name.to_owned(),
            privilege,
            password: None,
            keys: Vec::new(),
        }
    }

    fn accounts(sessions_max: u16) -> Arc<Accounts> {
        let ssh = Ssh {
            listen: None,
            sessions_max,
            idle: Duration::from_secs(600),
            failures_max: 5,
            lockout: Duration::from_secs(900),
            accounts: vec![
                account("ivo", Privilege::Inspector),
                account("otto", Privilege::Operator),
                account("maja", Privilege::Administrator),
            ],
        };
        Arc::new(Accounts::new(&ssh))
    }

    /// Seats that it gets.
    fn seats(accounts: &Arc<Accounts>, name: &str) -> Vec<Held> {
        (0..100).map_while(|_| accounts.seat(name)).collect()
    }

    #[test]
    fn an_account_has_half_of_the_seats_and_administrators_keep_two() {
        for (sessions_max, of_ivo, of_otto, of_maja) in
            [(16, 8, 6, 2), (4, 2, 0, 2), (2, 1, 0, 1), (1, 1, 0, 0)]
        {
            let accounts = accounts(sessions_max);
            let held: Vec<Vec<Held>> = ["ivo", "otto", "maja"]
                .map(|name| seats(&accounts, name))
                .into();
            let counts: Vec<usize> = held.iter().map(Vec::len).collect();
            assert_eq!(counts, [of_ivo, of_otto, of_maja], "{sessions_max}");
            drop(held);
            assert_eq!(accounts.view(Mono(0)).sessions, 0);
        }
        let accounts = accounts(16);
        assert_eq!(seats(&accounts, "maja").len(), 8);
        assert_eq!(seats(&accounts, "nobody").len(), 0);
    }

    #[test]
    fn an_account_has_so_many_connections() {
        let accounts = accounts(16);
        let held: Vec<Held> = (0..100).map_while(|_| accounts.connection("ivo")).collect();
        assert_eq!(held.len(), 16);
        assert!(accounts.connection("maja").is_some());
        drop(held);
        assert!(accounts.connection("ivo").is_some());
    }
}
