//! Transfers, on a thread of their own: a receiver that is slow, or far away, delays no sample.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bulkstats::collector::{TRANSFER_MAX, TransferError, Which};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::config::Bulkstats;
use crate::transfer::{self, Cause};

/// It is given up so long before the collector does, so that its word is heard.
const EARLIER: Duration = Duration::from_secs(10);

/// Ends of transfers that wait at most; each file has one at a time.
const ENDED: usize = 16;

/// Threads that read files and look up names at most: one for each file, so that a dead name server of one delays no other.
const BLOCKING: usize = 4;

/// A transfer that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub attempt: u64,
    pub result: Result<(), TransferError>,
}

/// The transfers under way.
#[derive(Debug)]
pub(super) struct Courier {
    /// None: it has ended.
    runtime: Option<Runtime>,
    ended: mpsc::Sender<Ended>,
    pub results: mpsc::Receiver<Ended>,
}

impl Courier {
    /// Errors: the system gives no thread.
    pub fn new() -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(BLOCKING);
        let runtime = builder.enable_all().thread_name("transfer").build()?;
        let (ended, results) = mpsc::channel(ENDED);
        Ok(Self {
            runtime: Some(runtime),
            ended,
            results,
        })
    }

    /// Begins a transfer.
    pub fn send(
        &self,
        config: &Bulkstats,
        (file, which): (u8, Which),
        attempt: u64,
        path: PathBuf,
        name: String,
    ) {
        let receiver = config.receiver(file, which).cloned();
        let (ended, Some(runtime)) = (self.ended.clone(), &self.runtime) else {
            return;
        };
        runtime.spawn(async move {
            let result = match receiver {
                Some(to) => {
                    let sent = transfer::send(&path, &name, &to, TRANSFER_MAX - EARLIER).await;
                    sent.map_err(|error| {
                        event!(FILE_UNTRANSFERRED, %error, file, name);
                        cause(&error.cause)
                    })
                    .map(drop)
                }
                None => Err(TransferError::Other("no such receiver".to_owned())),
            };
            let end = Ended { attempt, result };
            // The node may have ended.
            let _gone = ended.send(end).await;
        });
    }

    /// Leaves what is under way: it begins anew with the next start.
    pub fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the collector makes of a cause.
fn cause(cause: &Cause) -> TransferError {
    match cause {
        Cause::NameTaken { .. } => TransferError::NameTaken,
        Cause::NoSpace => TransferError::Full,
        Cause::HostKey { .. } | Cause::Certificate { .. } => TransferError::HostKey,
        Cause::Login { .. } => TransferError::Login,
        Cause::TimedOut { .. } => TransferError::Timeout,
        Cause::LocalFile { .. } | Cause::Name(_) => TransferError::Local(cause.to_string()),
        Cause::Unreachable { why } | Cause::Unresolved { why } => {
            TransferError::Unreachable(why.clone())
        }
        Cause::Tls { .. }
        | Cause::Denied { .. }
        | Cause::Refused { .. }
        | Cause::Closed { .. }
        | Cause::Protocol { .. } => TransferError::Other(cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_the_one_that_was_named_is_told_from_who_fails() {
        let why = || "expired".to_owned();
        let (expected, found) = (String::new(), String::new());
        for strange in [
            Cause::HostKey { expected, found },
            Cause::Certificate { why: why() },
        ] {
            assert_eq!(cause(&strange), TransferError::HostKey, "{strange}");
        }
        let tls = cause(&Cause::Tls { why: why() });
        assert!(matches!(tls, TransferError::Other(_)), "{tls:?}");
        let user = "csv".to_owned();
        assert_eq!(cause(&Cause::Login { user }), TransferError::Login);
    }

    #[test]
    fn what_another_name_or_time_mends_is_told_from_what_nothing_mends() {
        let name = || "a.csv".to_owned();
        let taken = cause(&Cause::NameTaken { name: name() });
        assert_eq!(taken, TransferError::NameTaken);
        assert_eq!(cause(&Cause::NoSpace), TransferError::Full);
        let after = Duration::from_secs(9);
        assert_eq!(cause(&Cause::TimedOut { after }), TransferError::Timeout);
        let local = cause(&Cause::Name(name()));
        assert!(matches!(local, TransferError::Local(_)), "{local:?}");
        let why = "no file".to_owned();
        let local = cause(&Cause::LocalFile { why });
        assert!(matches!(local, TransferError::Local(_)), "{local:?}");
        let said = "reply 451".to_owned();
        let step = "take the file";
        let other = cause(&Cause::Refused { step, said });
        assert!(matches!(other, TransferError::Other(_)), "{other:?}");
    }
}
