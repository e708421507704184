//! SFTP: an SSH connection to whoever has the configured host key, a login, and the file.
//!
//! RSA keys are not taken, neither a receiver's nor ours: what there is for them in Rust leaks the private key through its
//! timing (RUSTSEC-2023-0071). Ed25519 and ECDSA are.

mod key;
mod session;
#[cfg(test)]
mod tests;
mod upload;

use std::borrow::Cow;
use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Msg, Prompt};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{AlgorithmKind, Channel, ChannelMsg, Disconnect, MethodKind, Preferred};
use tokio::time::timeout;
use zeroize::Zeroizing;

pub use key::{HostKey, KeyError, PrivateKey};

use self::session::Session;
use super::error::words;
use super::{Cause, GOODBYE, Sent, connect};

/// How long a server that has shown another key may take to show one of another kind.
const ANOTHER_KEY: Duration = Duration::from_secs(10);

/// Most that a server asks before it lets somebody in: a password, and what says that it is old.
const QUESTIONS_MAX: usize = 4;

/// Who we are to an SSH server.
#[derive(Clone)]
pub struct Login {
    /// The name of the account.
    pub user: String,
    /// What shows that it is ours.
    pub proof: Proof,
}

/// What shows that an account is ours.
#[derive(Clone)]
pub enum Proof {
    /// A password; a secret.
    Password(Zeroizing<String>),
    /// A key whose public half the account knows.
    Key(PrivateKey),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

pub(super) async fn send(
    to: (&str, u16),
    host_key: &HostKey,
    login: &Login,
    name: &str,
    octets: &[u8],
) -> Result<Sent, Cause> {
    let (mut ssh, _ends) = open(to, host_key).await?;
    let sent = talk(&mut ssh, login, name, octets).await;
    // It has the file or not, whatever it says to this.
    let goodbye = async {
        let _said = ssh.disconnect(Disconnect::ByApplication, "", "").await;
        let _ended = (&mut ssh).await;
    };
    let _late = timeout(GOODBYE, goodbye).await;
    sent
}

async fn talk(
    ssh: &mut Handle<Pinned>,
    login: &Login,
    name: &str,
    octets: &[u8],
) -> Result<Sent, Cause> {
    log_in(ssh, login).await?;
    let step = "open an SFTP session";
    let channel = ssh.channel_open_session().await;
    let mut channel = channel.map_err(|error| broke(step, &error))?;
    let asked = channel.request_subsystem(true, "sftp").await;
    asked.map_err(|error| broke(step, &error))?;
    granted(&mut channel, step).await?;
    let mut session = Session::open(channel.into_stream()).await?;
    upload::upload(&mut session, name, octets).await
}

/// Ends a connection when it is dropped.
///
/// The task that has the connection is the crate's, and waits for a server that says nothing, or takes nothing, for ever:
/// whoever gives up on a transfer must end the connection below it.
struct Ends(TcpStream);

impl Ends {
    fn with(stream: &tokio::net::TcpStream) -> Result<Self, Cause> {
        let own = stream.as_fd().try_clone_to_owned();
        let own = own.map_err(|error| Cause::broke("greet", &error))?;
        Ok(Self(own.into()))
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        // The server may have ended it.
        let _ended = self.0.shutdown(Shutdown::Both);
    }
}

/// A connection to whoever has the host key.
///
/// A server shows the key of the first kind that both have. Of a fingerprint nobody knows what kind its key is: each kind
/// that the server has is then looked at in a connection of its own.
async fn open(to: (&str, u16), host_key: &HostKey) -> Result<(Handle<Pinned>, Ends), Cause> {
    let mut kinds = match host_key.kind() {
        Some(kind) => vec![kind],
        None => vec![
            Algorithm::Ed25519,
            ecdsa(EcdsaCurve::NistP256),
            ecdsa(EcdsaCurve::NistP384),
            ecdsa(EcdsaCurve::NistP521),
        ],
    };
    let mut found = shake(to, host_key, &kinds).await;
    let mut told = None;
    loop {
        let (cause, shown) = match found {
            Ok(opened) => return Ok(opened),
            Err(Stopped::HostKey(cause, shown)) => (cause, shown),
            // What fails once another key was shown says less than that key.
            Err(Stopped::Early(cause)) => return Err(told.unwrap_or(cause)),
            Err(Stopped::Ssh(error)) => {
                return Err(told.unwrap_or_else(|| broke("agree on keys", &error)));
            }
        };
        let before = kinds.len();
        kinds.retain(|kind| Some(kind) != shown.as_ref());
        let cause = told.unwrap_or(cause);
        // A kind less each time, or it shows what was not asked for.
        if kinds.is_empty() || kinds.len() == before {
            return Err(cause);
        }
        let Ok(next) = timeout(ANOTHER_KEY, shake(to, host_key, &kinds)).await else {
            return Err(cause);
        };
        (found, told) = (next, Some(cause));
    }
}

async fn shake(
    to: (&str, u16),
    host_key: &HostKey,
    kinds: &[Algorithm],
) -> Result<(Handle<Pinned>, Ends), Stopped> {
    let stream = connect(to).await.map_err(Stopped::Early)?;
    let ends = Ends::with(&stream).map_err(Stopped::Early)?;
    let config = client::Config {
        preferred: Preferred {
            key: Cow::Owned(kinds.to_vec()),
            ..Preferred::DEFAULT
        },
        nodelay: true,
        ..client::Config::default()
    };
    let pinned = Pinned(host_key.clone());
    let ssh = client::connect_stream(Arc::new(config), stream, pinned).await?;
    Ok((ssh, ends))
}

fn ecdsa(curve: EcdsaCurve) -> Algorithm {
    Algorithm::Ecdsa { curve }
}

async fn log_in(ssh: &mut Handle<Pinned>, login: &Login) -> Result<(), Cause> {
    let user = login.user.as_str();
    let answer = match &login.proof {
        Proof::Password(password) => by_password(ssh, user, password).await,
        Proof::Key(key) => {
            let key = PrivateKeyWithHashAlg::new(key.inner(), None);
            let answer = ssh.authenticate_publickey(user, key).await;
            answer.map(|answer| answer.success())
        }
    };
    match answer {
        Ok(true) => Ok(()),
        Ok(false) => Err(Cause::Login {
            user: user.to_owned(),
        }),
        Err(error) => Err(broke("take the login", &error)),
    }
}

/// Whether it takes a password, as one or as the answer to what it asks (RFC 4256): many servers know one way alone.
async fn by_password(
    ssh: &mut Handle<Pinned>,
    user: &str,
    password: &str,
) -> Result<bool, russh::Error> {
    let remaining = match ssh.authenticate_password(user, password).await? {
        AuthResult::Success => return Ok(true),
        AuthResult::Failure {
            remaining_methods, ..
        } => remaining_methods,
    };
    if !remaining.contains(&MethodKind::KeyboardInteractive) {
        return Ok(false);
    }
    let none: Option<String> = None;
    let mut said = ssh
        .authenticate_keyboard_interactive_start(user, none)
        .await?;
    for _ in 0..QUESTIONS_MAX {
        let prompts = match said {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        // What would be shown as it is typed is no password.
        let answer = |prompt: &Prompt| match prompt.echo {
            true => String::new(),
            false => password.to_owned(),
        };
        let answers = prompts.iter().map(answer).collect();
        said = ssh
            .authenticate_keyboard_interactive_respond(answers)
            .await?;
    }
    Ok(matches!(said, KeyboardInteractiveAuthResponse::Success))
}

/// Waits until the server says that it has what was asked of a channel.
async fn granted(channel: &mut Channel<Msg>, step: &'static str) -> Result<(), Cause> {
    loop {
        let said = channel.wait().await.ok_or(Cause::Closed { step })?;
        if matches!(said, ChannelMsg::Success) {
            return Ok(());
        }
        if matches!(said, ChannelMsg::Failure | ChannelMsg::Close) {
            let said = "it has none".to_owned();
            return Err(Cause::Refused { step, said });
        }
    }
}

/// Believes one host key.
struct Pinned(HostKey);

/// Why a connection did not come to be.
#[derive(Debug)]
enum Stopped {
    /// There is nobody to speak with.
    Early(Cause),
    /// Another host key, and its kind, if it is one.
    HostKey(Cause, Option<Algorithm>),
    Ssh(russh::Error),
}

impl From<russh::Error> for Stopped {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Pinned {
    type Error = Stopped;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Stopped> {
        let shown = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => key,
            PublicKeyOrCertificate::Certificate(certificate) => {
                // None was asked for.
                let why = format!(
                    "it shows a certificate of {}",
                    name_of(&certificate.algorithm())
                );
                return Err(Stopped::HostKey(Cause::Protocol { why }, None));
            }
        };
        let found = shown.fingerprint(HashAlg::Sha256);
        if self.0.fingerprint() == found {
            return Ok(true);
        }
        let cause = Cause::HostKey {
            expected: self.0.fingerprint().to_string(),
            found: format!("{} {found}", name_of(&shown.algorithm())),
        };
        Err(Stopped::HostKey(cause, Some(shown.algorithm())))
    }
}

fn kind_of(kind: &AlgorithmKind) -> &'static str {
    match kind {
        AlgorithmKind::Kex => "key exchange",
        AlgorithmKind::Key => "host key",
        AlgorithmKind::Cipher => "cipher",
        AlgorithmKind::Compression => "compression",
        AlgorithmKind::Mac => "MAC",
    }
}

/// The name of a kind of key, if it is one.
fn name_of(kind: &Algorithm) -> &str {
    match matches!(kind, Algorithm::Other(_)) {
        true => "unknown",
        false => kind.as_str(),
    }
}

/// The cause of a failure of SSH.
fn broke(step: &'static str, error: &russh::Error) -> Cause {
    use russh::Error;
    if let Error::IO(error) = error {
        return Cause::broke(step, error);
    }
    let closed = matches!(
        error,
        Error::HUP | Error::Disconnect | Error::SendError | Error::RecvError
    );
    if closed {
        return Cause::Closed { step };
    }
    // The crate's words repeat all that the server has.
    if let Error::NoCommonAlgo { kind, .. } = error {
        let why = format!("it has no {} that is taken", kind_of(kind));
        return Cause::Protocol { why };
    }
    Cause::Protocol { why: words(error) }
}
