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
                        tracing::warn!(%error, file, name, "a file of bulk statistics is not transferred");
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
