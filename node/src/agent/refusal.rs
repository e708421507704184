//! Why what an operator asked of the agent was not done: what is wrong, where, and what to do.

use api::{Failure, LicenseCommand};
use smart_agent::{Failure as Cause, OperatorError};

use crate::control::{Denial, Denied};

/// What stands between the cause and what to do in the words of every [`OperatorError`].
const UNCHANGED: &str = "; nothing has changed";

/// The answer to a command that was not done.
pub(super) fn denied(command: &str, error: &OperatorError) -> Denied {
    let said = error.to_string();
    let (cause, todo) = said.rsplit_once(UNCHANGED).unwrap_or((&said, ""));
    let todo = match todo.strip_prefix(": ") {
        Some(todo) => todo,
        None => todo_of(error),
    };
    Denied {
        why: denial(error),
        failure: Failure::new(format!("{cause}{UNCHANGED}"), command, todo),
    }
}

/// The words of a command, without what is secret.
pub(super) fn words(command: &LicenseCommand) -> &'static str {
    match command {
        LicenseCommand::Register { .. } => "license smart register",
        LicenseCommand::RenewId => "license smart renew id",
        LicenseCommand::RenewAuth => "license smart renew auth",
        LicenseCommand::Deregister => "license smart deregister",
    }
}

fn denial(error: &OperatorError) -> Denial {
    match error {
        OperatorError::TokenMalformed => Denial::Invalid,
        OperatorError::TokenUnknown => Denial::Unknown,
        OperatorError::NotEnabled
        | OperatorError::AlreadyRegistered(_)
        | OperatorError::NotRegistered
        | OperatorError::InProgress
        | OperatorError::TokenExpired
        | OperatorError::TokenRevoked
        | OperatorError::TokenUsedUp
        | OperatorError::RegisteredThere
        | OperatorError::Failed(_) => Denial::Conflict,
    }
}

/// What to do where the error itself says nothing of it.
fn todo_of(error: &OperatorError) -> &'static str {
    match error {
        OperatorError::Failed(cause) => todo_of_cause(cause),
        OperatorError::NotRegistered => "license smart register idtoken TOKEN",
        OperatorError::TokenUnknown => {
            "use a token of the license authority that show license transport names"
        }
        OperatorError::NotEnabled
        | OperatorError::AlreadyRegistered(_)
        | OperatorError::InProgress
        | OperatorError::TokenMalformed
        | OperatorError::TokenExpired
        | OperatorError::TokenRevoked
        | OperatorError::TokenUsedUp
        | OperatorError::RegisteredThere => "see show license status",
    }
}

fn todo_of_cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::NotConfigured | Cause::NotHttps(_) => {
            "license smart url https://authority.example:8443, with its own name in place of that"
        }
        Cause::Unresolved(_) => {
            "mend the address with license smart url, or the name service of this machine"
        }
        Cause::Unreachable { .. } | Cause::Timeout => {
            "see that the license authority runs there, and that nothing on the way keeps it from being reached"
        }
        Cause::Proxy { .. } => "mend it with license smart proxy, or ask whoever runs the proxy",
        Cause::WrongAuthority(_) => {
            "compare the fingerprint with the one that the license authority shows; if they are the same, name its root certificate in agent.trust_pool, and restart the node"
        }
        Cause::Certificate(_) => {
            "see the certificate that the license authority shows, and the clocks of both"
        }
        Cause::Status(_) | Cause::CutOff(_) | Cause::Answer(_) | Cause::Misdirected => {
            "see that show license transport names a license authority, and look at its log"
        }
        Cause::ClockSkew(_) => "set the clock",
        Cause::LabMismatch => "use another license authority, or another node",
        Cause::NotWritten => "see the node's log, and the disk of node.state_dir",
        Cause::Refused { .. } => "look at the license authority's log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_with_where_and_what_to_do() {
        let unresolved = Cause::Unresolved("authority.example: no such host".into());
        let cases = [
            (
                OperatorError::TokenExpired,
                "the registration token has expired; nothing has changed (license smart register): make another one at the license authority",
            ),
            (
                OperatorError::NotRegistered,
                "this node is not registered; nothing has changed (license smart register): license smart register idtoken TOKEN",
            ),
            (
                OperatorError::AlreadyRegistered("East".into()),
                "this node is registered already, with virtual account East; nothing has changed (license smart register): add `force` to register it anew",
            ),
            (
                OperatorError::Failed(unresolved),
                "the name of the license authority can't be resolved: authority.example: no such host; nothing has changed (license smart register): mend the address with license smart url, or the name service of this machine",
            ),
        ];
        let command = LicenseCommand::Register {
            idtoken: "secret".into(),
            force: false,
        };
        for (error, said) in cases {
            let denied = denied(words(&command), &error);
            assert_eq!(denied.failure.to_string(), said);
        }
    }
}
