//! What somebody who has logged in asks of the node.

use std::sync::Arc;
use std::time::Duration;

use api::{AuditOutcome, Failure, Privilege, Reply, Request};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::visit::Keys;
use crate::access::{Line, Who};
use crate::interface::Interface;

/// Somebody who has logged in; only a login makes one.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) interface: Arc<Interface>,
    pub(super) runtime: Handle,
    pub(super) account: String,
    pub(super) from: String,
    pub(super) keys: Arc<Keys>,
    /// There is a terminal at the other end.
    pub(super) terminal: bool,
}

/// Why there is no answer to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody waits for it: Ctrl-C, or the client is gone. A change that was begun goes on.
    Left,
    /// It has not come in time.
    Slow,
    /// The node says why not.
    Refused(Failure),
}

impl Session {
    /// The name of the account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// What the account may do now; none: it is no more.
    pub fn privilege(&self) -> Option<Privilege> {
        self.interface.accounts.privilege(&self.account)
    }

    /// A command was not done because the account may not: the audit log has it on return. Not to be called by a task of a
    /// runtime.
    pub fn refused(&self, command: &str) {
        let line = Line {
            command: command.to_owned(),
            before: None,
            after: None,
            outcome: AuditOutcome::Refused,
            why: None,
        };
        let written = self.interface.write_down(self.who(), line);
        self.runtime.block_on(written);
    }

    fn who(&self) -> Who {
        Who {
            name: self.account.clone(),
            privilege: self.privilege(),
            from: self.from.clone(),
            is_remote: true,
        }
    }

    /// Asks, and waits so long for the answer, if nobody leaves before. Not to be called by a task of a runtime.
    ///
    /// Errors: why not; whoever may not ask it is told so, and the audit log has it.
    pub fn ask(&self, request: Request, wait: Duration) -> Result<Reply, Unanswered> {
        let interface = Arc::clone(&self.interface);
        self.runtime.block_on(async {
            tokio::select! {
                answer = timeout(wait, interface.serve(self.who(), request)) => match answer {
                    Ok(answer) => answer.map_err(|(_, failure)| Unanswered::Refused(failure)),
                    Err(_) => Err(Unanswered::Slow),
                },
                () = self.keys.left(self.terminal) => Err(Unanswered::Left),
            }
        })
    }
}
