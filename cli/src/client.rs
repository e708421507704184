//! One question to a node over its control socket, and the answer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::{
    Answer, BULKSTATS_ANSWER_S, Failure, IN_FORCE_S, LICENSE_ANSWER_S, REQUEST_PATH, Reply, Request,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use node::ssh::{Session, Unanswered};
use thiserror::Error;
use tokio::net::UnixStream;

use crate::interrupt::Leavable;

/// Longest wait for an answer, connecting included.
const ANSWER_WAIT: Duration = Duration::from_secs(15);

/// Longest answer accepted, in bytes: [`api::HISTORY_LIMIT_MAX`] refusals with room to spare.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where the node's control socket is.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    /// In its place: whoever has logged in by SSH.
    session: Option<Session>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The socket can't be opened.
    #[error("the control socket can't be opened: {error}")]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No answer in time.
    #[error("no answer within {} seconds", wait.as_secs())]
    Slow {
        /// The socket.
        socket: PathBuf,
        /// How long it was waited for.
        wait: Duration,
    },
    /// The connection ended before the answer did.
    #[error("the answer broke off: {error}")]
    BrokeOff {
        /// The socket.
        socket: PathBuf,
        /// Why.
        error: String,
    },
    /// What came is no answer of this version.
    #[error("the answer is not understood: {error}")]
    NotUnderstood {
        /// The socket.
        socket: PathBuf,
        /// Why.
        error: String,
    },
    /// Nobody waits for the answer any more.
    #[error("nobody waits for the answer")]
    Left,
    /// The node says why not.
    #[error("{0}")]
    Refused(Failure),
}

impl Client {
    /// Of the node behind this socket; nothing is opened yet.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            session: None,
        }
    }

    /// Of the node that this session is of.
    pub fn of_session(session: &Session) -> Self {
        Self {
            socket: "the node".into(),
            session: Some(session.clone()),
        }
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks, and waits for the answer.
    pub fn ask(&self, request: &Request) -> Result<Reply, ClientError> {
        if let Some(session) = &self.session {
            return self.ask_of(session, request, wait(request));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.connect_error(error))?;
        let asked = runtime.block_on(async {
            let mut leavable = Leavable::begin();
            tokio::select! {
                asked = tokio::time::timeout(wait(request), self.exchange(request)) => asked,
                () = leavable.left() => Ok(Err(ClientError::Left)),
            }
        });
        asked.unwrap_or_else(|_| {
            Err(ClientError::Slow {
                socket: self.socket.clone(),
                wait: wait(request),
            })
        })
    }

    /// Asks, and waits no longer than this.
    pub fn ask_within(&self, request: &Request, wait: Duration) -> Result<Reply, ClientError> {
        if let Some(session) = &self.session {
            return self.ask_of(session, request, wait);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.connect_error(error))?;
        let asked =
            runtime.block_on(async { tokio::time::timeout(wait, self.exchange(request)).await });
        asked.unwrap_or_else(|_| {
            Err(ClientError::Slow {
                socket: self.socket.clone(),
                wait,
            })
        })
    }

    fn ask_of(
        &self,
        session: &Session,
        request: &Request,
        wait: Duration,
    ) -> Result<Reply, ClientError> {
        let answer = session.ask(request.clone(), wait);
        answer.map_err(|unanswered| match unanswered {
            Unanswered::Left => ClientError::Left,
            Unanswered::Slow => ClientError::Slow {
                socket: self.socket.clone(),
                wait,
            },
            Unanswered::Refused(failure) => ClientError::Refused(failure),
        })
    }

    async fn exchange(&self, request: &Request) -> Result<Reply, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| self.connect_error(error))?;
        let broke_off = |error: String| ClientError::BrokeOff {
            socket: self.socket.clone(),
            error,
        };
        let body = serde_json::to_vec(request).map_err(|error| self.not_understood(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broke_off(error.to_string()))?;
        tokio::spawn(connection);
        let request = hyper::Request::post(REQUEST_PATH)
            .header(hyper::header::HOST, "node")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| broke_off(error.to_string()))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broke_off(error.to_string()))?;
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let body = body
            .collect()
            .await
            .map_err(|error| broke_off(error.to_string()))?;
        match serde_json::from_slice(&body.to_bytes()) {
            Ok(Answer::Reply(reply)) => Ok(reply),
            Ok(Answer::Failure(failure)) => Err(ClientError::Refused(failure)),
            Err(error) => Err(self.not_understood(&error)),
        }
    }

    fn connect_error(&self, error: io::Error) -> ClientError {
        ClientError::Connect {
            socket: self.socket.clone(),
            error,
        }
    }

    fn not_understood(&self, error: &impl ToString) -> ClientError {
        ClientError::NotUnderstood {
            socket: self.socket.clone(),
            error: error.to_string(),
        }
    }

    /// The failure of an answer that is right in itself, but none to what was asked.
    pub fn unexpected(&self) -> Failure {
        Failure::from(ClientError::NotUnderstood {
            socket: self.socket.clone(),
            error: "a reply to another request".to_owned(),
        })
    }
}

/// Longest wait for the answer to a request: the node waits for the license authority itself.
fn wait(request: &Request) -> Duration {
    match request {
        Request::License(_) => ANSWER_WAIT + Duration::from_secs(LICENSE_ANSWER_S),
        Request::BulkstatsData | Request::BulkstatsDo { .. } => {
            ANSWER_WAIT + Duration::from_secs(BULKSTATS_ANSWER_S)
        }
        Request::Transport(_)
        | Request::SnmpSet(_)
        | Request::BulkstatsSet(_)
        | Request::Threshold(_)
        | Request::LoggingSet(_)
        | Request::Account(_)
        | Request::Apply(_)
        | Request::Configuration
        | Request::SaveConfiguration { .. } => ANSWER_WAIT + Duration::from_secs(IN_FORCE_S),
        Request::Snapshot
        | Request::History { .. }
        | Request::Sessions
        | Request::Subscriber { .. }
        | Request::Counters
        | Request::Forecast
        | Request::Preview { .. }
        | Request::Peers { .. }
        | Request::SmartLicensing { .. }
        | Request::Feature { .. }
        | Request::LabSpeedup { .. }
        | Request::Health
        | Request::Agent
        | Request::Alarms
        | Request::Logs { .. }
        | Request::Audit { .. }
        | Request::Logging
        | Request::Accounts
        | Request::Bulkstats
        | Request::Snmp { .. }
        | Request::Clear { .. }
        | Request::Client(_) => ANSWER_WAIT,
    }
}

/// What is wrong, where, and what to do.
impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let what = error.to_string();
        let at = |socket: PathBuf| socket.display().to_string();
        match error {
            ClientError::Connect { socket, error } => connect_failure(&socket, &error),
            ClientError::Slow { socket, .. } | ClientError::BrokeOff { socket, .. } => {
                Self::new(what, at(socket), "look at the node's log")
            }
            ClientError::NotUnderstood { socket, .. } => Self::new(
                what,
                at(socket),
                "use the tollgate of the node's own version",
            ),
            ClientError::Left => Self::new(
                what,
                "Ctrl-C",
                "the node goes on with it: see what became of it",
            ),
            ClientError::Refused(failure) => failure,
        }
    }
}

fn connect_failure(socket: &Path, error: &io::Error) -> Failure {
    let place = socket.display().to_string();
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::new(
            "no control socket",
            place,
            "is the node running? name its socket with --socket or TOLLGATE_SOCKET",
        );
    }
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Failure::new(
            "nothing listens on the control socket",
            place,
            "is the node running? start it with tollgate node --config FILE",
        );
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Failure::new(
            "no permission for the control socket",
            place,
            "run this as the user that the node runs as",
        );
    }
    Failure::new(
        format!("the control socket can't be opened: {error}"),
        place,
        "is the node running?",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_missing_dead_or_forbidden_is_told_apart() {
        let cases = [
            (io::ErrorKind::NotFound, "no control socket"),
            (
                io::ErrorKind::ConnectionRefused,
                "nothing listens on the control socket",
            ),
            (
                io::ErrorKind::PermissionDenied,
                "no permission for the control socket",
            ),
            (
                io::ErrorKind::NotADirectory,
                "the control socket can't be opened: not a directory",
            ),
        ];
        for (kind, what) in cases {
            let client = Client::new("/run/s");
            let failure = Failure::from(client.connect_error(kind.into()));
            assert_eq!(failure.what, what);
            assert_eq!(failure.place, "/run/s");
            assert!(!failure.todo.is_empty());
        }
    }
}
