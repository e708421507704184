//! One connection: who logs in, and the channels that they open.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::AuditOutcome;
use eventlog::printable;
use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, ChannelWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::server::{Ends, Server, methods};
use super::visit::{Keys, Visit};
use crate::access::{Held, Line, Who, Wrong};

/// Longest that a client takes nothing that is sent to it.
const TAKES: Duration = Duration::from_secs(60);

/// Pieces of output that wait to be sent.
const OUT_MAX: usize = 16;

/// Channels of one connection that have not begun a session.
const OPEN_MAX: usize = 4;

/// Longest command of a channel, in bytes.
const COMMAND_BYTES_MAX: usize = 16 * 1024;

/// One connection.
pub(super) struct Visitor {
    server: Arc<Server>,
    ends: Arc<Ends>,
    from: SocketAddr,
    account: Option<String>,
    /// The account's place for the connection.
    place: Option<Held>,
    opened: HashMap<ChannelId, Opened>,
    /// Of each channel, until its session is over.
    keys: HashMap<ChannelId, Arc<Keys>>,
}

/// A channel whose session has not begun.
struct Opened {
    write: ChannelWriteHalf<Msg>,
    seat: Held,
    terminal: bool,
}

impl Visitor {
    pub(super) fn new(server: Arc<Server>, ends: Arc<Ends>, from: SocketAddr) -> Self {
        Self {
            server,
            ends,
            from,
            account: None,
            place: None,
            opened: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    /// Does a password let in? It takes as long for a name that no account has.
    async fn by_password(&mut self, name: &str, password: &str) -> bool {
        let interface = Arc::clone(&self.server.interface);
        let now = interface.clock.now().mono;
        let Some(looked_at) = interface.accounts.guess(name, now).await else {
            self.refuse(name, "the account is locked").await;
            return false;
        };
        let password = Zeroizing::new(password.to_owned());
        let hash = looked_at.hash.clone();
        let right = spawn_blocking(move || hash.is(&password)).await;
        if !matches!(right, Ok(true)) {
            if looked_at.was_wrong() == Some(Wrong::Locked) {
                let lockout_s = interface.accounts.ssh().lockout.as_secs();
                event!(LOCKED_OUT, account = printable(name), from = %self.from, lockout_s);
            }
            self.refuse(name, "wrong password, or no such account")
                .await;
            return false;
        }
        looked_at.was_right();
        self.let_in(name, "password").await
    }

    async fn let_in(&mut self, name: &str, by: &'static str) -> bool {
        let interface = Arc::clone(&self.server.interface);
        let Some(privilege) = interface.accounts.privilege(name) else {
            return false;
        };
        self.place = interface.accounts.connection(name);
        if self.place.is_none() {
            self.server
                .has_no_room("the account has as many connections as it may", self.from);
            return false;
        }
        let from = format!("ssh {}", self.from);
        let now = interface.clock.now();
        interface.accounts.let_in(name, &from, now);
        event!(LOGGED_IN, account = name, %privilege, from, by);
        let who = Who {
            name: name.to_owned(),
            privilege: Some(privilege),
            from,
            is_remote: true,
        };
        let line = login(by, AuditOutcome::Done, None);
        self.server.write_down(who, line).await;
        self.account = Some(name.to_owned());
        self.ends.has_logged_in();
        true
    }

    async fn refuse(&self, name: &str, why: &'static str) {
        event!(NOT_LET_IN, account = printable(name), from = %self.from, why);
        let who = Who {
            name: name.to_owned(),
            privilege: None,
            from: format!("ssh {}", self.from),
            is_remote: true,
        };
        let line = login("password", AuditOutcome::Refused, Some(why.to_owned()));
        self.server.write_down(who, line).await;
    }

    fn has_key(&self, name: &str, key: &PublicKey) -> bool {
        let Ok(text) = key.to_openssh() else {
            return false;
        };
        let mut words = text.split_whitespace();
        let (kind, coded) = (words.next(), words.next());
        let key = format!("{} {}", kind.unwrap_or_default(), coded.unwrap_or_default());
        self.server.interface.accounts.has_key(name, &key)
    }

    /// Begins a session on a thread of its own; false: there is no such channel, or no thread.
    fn begin(&mut self, channel: ChannelId, command: Option<String>) -> bool {
        let (Some(opened), Some(keys), Some(account)) = (
            self.opened.remove(&channel),
            self.keys.get(&channel),
            &self.account,
        ) else {
            return false;
        };
        let seen = (Arc::clone(keys), opened.terminal);
        let session = self.server.session(account, self.from, seen);
        let shells = Arc::clone(&self.server.shells);
        let (out, texts) = mpsc::channel(OUT_MAX);
        let (code, ended) = oneshot::channel();
        let mut visit = Visit {
            command,
            terminal: opened.terminal,
            keys: Arc::clone(keys),
            out,
        };
        let seat = opened.seat;
        let thread = std::thread::Builder::new().name("ssh session".to_owned());
        let thread = thread.spawn(move || {
            let status = shells.run(&session, &mut visit);
            drop(visit);
            // Who waited for it may be gone.
            let _sent = code.send(status);
            drop(seat);
        });
        tokio::spawn(send(opened.write, texts, ended, Arc::clone(&self.ends)));
        thread.is_ok()
    }
}

/// Not so; each way in may be tried again.
fn again() -> Auth {
    Auth::Reject {
        proceed_with_methods: Some(methods()),
        partial_success: false,
    }
}

fn login(by: &str, outcome: AuditOutcome, why: Option<String>) -> Line {
    Line {
        command: format!("login by {by}"),
        before: None,
        after: None,
        outcome,
        why,
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        // With the connection, or with the runtime: nobody is at the other end of its channels any more.
        self.keys.values().for_each(|keys| keys.gone());
    }
}

/// Sends what a thread writes, and at its end the exit status.
async fn send(
    write: ChannelWriteHalf<Msg>,
    mut texts: mpsc::Receiver<Vec<u8>>,
    ended: oneshot::Receiver<u32>,
    ends: Arc<Ends>,
) {
    while let Some(text) = texts.recv().await {
        let sent = timeout(TAKES, write.data_bytes(text)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return ends.end();
        }
    }
    let status = ended.await.unwrap_or(1);
    let goodbye = async {
        let _said = write.exit_status(status).await;
        let _said = write.eof().await;
        let _said = write.close().await;
    };
    if timeout(TAKES, goodbye).await.is_err() {
        ends.end();
    }
}

impl Handler for Visitor {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(match self.by_password(user, password).await {
            true => Auth::Accept,
            false => again(),
        })
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(match self.has_key(user, offer.public_key) {
            true => Auth::Accept,
            false => again(),
        })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        let has = self.has_key(user, key.public_key);
        Ok(match has && self.let_in(user, "key").await {
            true => Auth::Accept,
            false => again(),
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        let accounts = &self.server.interface.accounts;
        let seat = self.account.as_deref();
        let seat = seat.and_then(|account| accounts.seat(account));
        let (Some(seat), true) = (seat, self.opened.len() < OPEN_MAX) else {
            self.server
                .has_no_room("there are as many sessions as may be", self.from);
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        let id = channel.id();
        // What comes is taken as it comes, by `data` and the others, not through the half that is dropped here.
        let (_, write) = channel.split();
        self.keys.retain(|_, keys| !keys.is_over());
        let keys = Keys::new(Arc::clone(&self.ends.hold));
        self.keys.insert(id, Arc::new(keys));
        let terminal = false;
        let opened = Opened {
            write,
            seat,
            terminal,
        };
        self.opened.insert(id, opened);
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        drop(self.opened.remove(&channel));
        if let Some(keys) = self.keys.remove(&channel) {
            keys.gone();
        }
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        let keys = self.keys.get(&channel);
        if keys.is_some_and(|keys| !keys.typed(data)) {
            event!(SSH_BROKE, error = "too much is typed ahead", from = %self.from);
            self.ends.end();
        }
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        if let Some(keys) = self.keys.get(&channel) {
            keys.end();
        }
        Ok(())
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        lines: u32,
        _pix_width: u32,
        _pix_height: u32,
        _session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        if let Some(keys) = self.keys.get(&channel) {
            keys.resized(lines, columns);
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        columns: u32,
        lines: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        match (self.opened.get_mut(&channel), self.keys.get(&channel)) {
            (Some(opened), Some(keys)) => {
                opened.terminal = true;
                keys.resized(lines, columns);
                session.channel_success(channel)
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        match self.begin(channel, None) {
            true => session.channel_success(channel),
            false => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        let command = std::str::from_utf8(data).ok();
        let command = command.filter(|command| command.len() <= COMMAND_BYTES_MAX);
        let begun = command.is_some_and(|command| self.begin(channel, Some(command.to_owned())));
        match begun {
            true => session.channel_success(channel),
            false => session.channel_failure(channel),
        }
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut russh::server::Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }
}
