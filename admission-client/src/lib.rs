//! Counts calls of this process, an MME's, say, through the admission API of a node.
//!
//! [`Client::open`] takes a lease; [`Client::admit`] asks for permits for new calls, [`Client::release`] gives them back.
//! Within each lease some request must be made: [`Client::heartbeat`] if there is nothing else. When the process dies,
//! the node gives its sessions back once the lease has run out.
//!
//! What breaks off is settled by itself: an admission that ended in an error is taken back before the next request,
//! a release is completed. After [`ClientError::UnknownLease`] (the node has restarted, or this process was silent for
//! too long) call [`Client::reopen`]: it opens again and restores what is held. Every call blocks, for [`ANSWER_WAIT`]
//! at most.
//!
//! Deliberately absent: threads and timers; whoever calls knows when.
#![forbid(unsafe_code)]

mod exchange;

use std::path::{Path, PathBuf};
use std::time::Duration;

use api::{
    BATCH_CALLS_MAX, BatchOperation, BatchOutcome, CallClass, ClientLease, ClientRequest, Failure,
};
use rand::TryRngCore;
use rand::rngs::OsRng;
use thiserror::Error;

pub use exchange::ANSWER_WAIT;

/// A client with a lease.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    open: ClientRequest,
    lease: u64,
    sequence: u64,
    /// By class, the sessions that the process has.
    holds: Vec<u64>,
    /// A request broke off: the node may have done it.
    unsettled: bool,
}

/// Why something was not done.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The node can't be reached, or its answer broke off.
    #[error("no answer from the node: {0}")]
    Unreachable(#[from] std::io::Error),
    /// What came is no answer of this version.
    #[error("the answer is not understood: {0}")]
    NotUnderstood(String),
    /// The node does not know the lease, nor any session under it: [`Client::reopen`].
    #[error("{0}")]
    UnknownLease(Failure),
    /// The node says why not; nothing was done.
    #[error("{0}")]
    Refused(Failure),
    /// A class that was not named.
    #[error("no class {0} was named")]
    NoSuchClass(u16),
}

impl Client {
    /// Opens a lease of so long under this name, for calls of these classes. Errors: the node can't be reached; a
    /// process of that name has a lease; a bound of the API is passed.
    pub fn open(
        socket: impl AsRef<Path>,
        name: &str,
        lease: Duration,
        classes: Vec<CallClass>,
    ) -> Result<Self, ClientError> {
        let holds = vec![0; classes.len()];
        let chance = OsRng.try_next_u64().map_err(std::io::Error::other)?;
        let open = ClientRequest::Open {
            name: name.to_owned(),
            // Exact in every reader of JSON.
            instance: chance >> 12,
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
            classes,
        };
        let mut client = Self {
            socket: socket.as_ref().to_owned(),
            open,
            lease: 0,
            sequence: 0,
            holds,
            unsettled: false,
        };
        client.reopen()?;
        Ok(client)
    }

    /// Sessions that this process has, one entry a class.
    pub fn holds(&self) -> &[u64] {
        &self.holds
    }

    /// Renews the lease: the time until it runs out.
    pub fn heartbeat(&mut self) -> Result<Duration, ClientError> {
        self.settle()?;
        let lease = self.ask(&ClientRequest::Heartbeat { lease: self.lease })?;
        Ok(Duration::from_millis(lease.lease_left_ms))
    }

    /// Asks for permits for new calls of a class, at most [`BATCH_CALLS_MAX`] at a time: how many have one, and why the
    /// rest has none. Errors: none of them has one.
    pub fn admit(&mut self, class: u16, calls: u32) -> Result<BatchOutcome, ClientError> {
        self.settle()?;
        let outcome = self.batch(BatchOperation::Admit, class, calls)?;
        *self.held(class)? += u64::from(outcome.done);
        Ok(outcome)
    }

    /// Gives permits of a class back, at most [`BATCH_CALLS_MAX`] at a time.
    ///
    /// After [`ClientError::Unreachable`] they count as given back: it is completed before the next request.
    pub fn release(&mut self, class: u16, calls: u32) -> Result<(), ClientError> {
        self.settle()?;
        let done = self.batch(BatchOperation::Release, class, calls);
        let broke_off = self.unsettled;
        if done.is_ok() || broke_off {
            let held = self.held(class)?;
            *held = held.saturating_sub(u64::from(calls));
        }
        done.map(drop)
    }

    /// Opens the lease again and restores what is held, whatever the ceilings say (rules L7, L9). A lease that the node
    /// still knows goes on, and both sides are brought to what this process holds.
    pub fn reopen(&mut self) -> Result<(), ClientError> {
        self.unsettled = true;
        let lease = self.ask(&self.open.clone())?;
        self.lease = lease.lease;
        self.sequence = lease.sequence;
        for class in 0..self.holds.len() {
            let there = lease.holds.get(class).copied().unwrap_or(0);
            let here = self.holds[class];
            self.step(BatchOperation::Restore, class, here.saturating_sub(there))?;
            self.step(BatchOperation::Release, class, there.saturating_sub(here))?;
        }
        self.unsettled = false;
        Ok(())
    }

    /// Ends the lease: the node gives back all that it holds.
    pub fn close(mut self) -> Result<(), ClientError> {
        match self.ask(&ClientRequest::Close { lease: self.lease }) {
            Ok(_) | Err(ClientError::UnknownLease(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn settle(&mut self) -> Result<(), ClientError> {
        if self.unsettled {
            self.reopen()
        } else {
            Ok(())
        }
    }

    /// Restores or releases any number of one class.
    fn step(
        &mut self,
        operation: BatchOperation,
        class: usize,
        mut calls: u64,
    ) -> Result<(), ClientError> {
        let class = u16::try_from(class).unwrap_or(u16::MAX);
        while calls > 0 {
            let part = u32::try_from(calls).map_or(BATCH_CALLS_MAX, |c| c.min(BATCH_CALLS_MAX));
            self.batch(operation, class, part)?;
            calls -= u64::from(part);
        }
        Ok(())
    }

    fn batch(
        &mut self,
        operation: BatchOperation,
        class: u16,
        calls: u32,
    ) -> Result<BatchOutcome, ClientError> {
        self.held(class)?;
        let sequence = self.sequence + 1;
        let lease = self.ask(&ClientRequest::Batch {
            lease: self.lease,
            sequence,
            operation,
            class,
            calls,
        })?;
        self.sequence = sequence;
        let none = || ClientError::NotUnderstood("a batch without an outcome".to_owned());
        lease.batch.ok_or_else(none)
    }

    fn held(&mut self, class: u16) -> Result<&mut u64, ClientError> {
        let held = self.holds.get_mut(usize::from(class));
        held.ok_or(ClientError::NoSuchClass(class))
    }

    /// Asks, and once more if the answer breaks off: the same request is done once.
    fn ask(&mut self, request: &ClientRequest) -> Result<ClientLease, ClientError> {
        let once = exchange::ask(&self.socket, request);
        let asked = match once {
            Err(ClientError::Unreachable(_)) => exchange::ask(&self.socket, request),
            Ok(_) | Err(_) => once,
        };
        match &asked {
            Err(ClientError::Unreachable(_) | ClientError::NotUnderstood(_)) => {
                self.unsettled = true;
            }
            // A request that had broken off was done after all.
            Err(ClientError::Refused(failure)) if failure.place == "sequence" => {
                self.unsettled = true;
            }
            Ok(_) | Err(_) => {}
        }
        asked
    }
}
