//! Why a file is not there.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

/// Why a receiver does not have a file. One line, and no secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{receiver}: {cause}")]
pub struct TransferError {
    /// Who: `MECHANISM HOST:PORT`.
    pub receiver: String,
    /// Why.
    pub cause: Cause,
}

/// One cause a variant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Cause {
    /// The file can't be read here.
    #[error("the file can't be read here: {why}")]
    LocalFile {
        /// What the system says.
        why: String,
    },
    /// No file can have this name.
    #[error("{0:?} is no name of a file")]
    Name(String),
    /// Its name has no address.
    #[error("its name can't be resolved: {why}")]
    Unresolved {
        /// What the resolver says.
        why: String,
    },
    /// Nobody answers at its address.
    #[error("it can't be reached: {why}")]
    Unreachable {
        /// What the system says.
        why: String,
    },
    /// Another host key than the configured one. Nothing was said to whoever has it.
    #[error("it shows the host key {found}, and {expected} is configured")]
    HostKey {
        /// SHA-256 fingerprint of the configured one.
        expected: String,
        /// Kind and SHA-256 fingerprint of the one that it has.
        found: String,
    },
    /// A certificate that is not to be believed: it is not below the configured roots, of another host, or too old. Nothing was
    /// said to whoever has it.
    #[error("it shows a certificate that is not to be believed: {why}")]
    Certificate {
        /// What is wrong with it.
        why: String,
    },
    /// TLS that is not to be had.
    #[error("no TLS with it: {why}")]
    Tls {
        /// What is wrong with it.
        why: String,
    },
    /// It does not take the name and the password or key.
    #[error("it refuses the login of {user}")]
    Login {
        /// The name.
        user: String,
    },
    /// It has no room for the file.
    #[error("it has no space for the file")]
    NoSpace,
    /// Another file has the name.
    #[error("it has another file named {name}")]
    NameTaken {
        /// The name there.
        name: String,
    },
    /// It has no such directory, or we may not write there.
    #[error("it does not let {name} be stored: {said}")]
    Denied {
        /// The name there.
        name: String,
        /// Its answer, as a number and what that means.
        said: String,
    },
    /// It refuses something else.
    #[error("it refuses to {step}: {said}")]
    Refused {
        /// What was asked.
        step: &'static str,
        /// Its answer, as a number and what that means.
        said: String,
    },
    /// The connection ended before it had said that it has the file.
    #[error("the connection broke off while it was asked to {step}")]
    Closed {
        /// What it was asked.
        step: &'static str,
    },
    /// It speaks something else.
    #[error("it speaks otherwise than its mechanism: {why}")]
    Protocol {
        /// What was not expected.
        why: String,
    },
    /// It took too long.
    #[error("it did not have the file after {} ms", after.as_millis())]
    TimedOut {
        /// The deadline.
        after: Duration,
    },
}

/// Longest words of a library in a cause, in characters.
const WORDS_MAX: usize = 200;

/// What rustls says first of a certificate that it refuses.
const CERTIFICATE: &str = "invalid peer certificate: ";

/// What a library says of an error, without what it repeats of its peer: what that sent stands behind a semicolon, as
/// the names of a certificate do.
pub(super) fn words(error: &impl fmt::Display) -> String {
    let said = error.to_string();
    let own = said.split(';').next().unwrap_or_default();
    own.chars().take(WORDS_MAX).collect()
}

impl Cause {
    /// TLS that failed.
    pub(super) fn tls(error: &impl fmt::Display) -> Self {
        let why = words(error);
        match why.strip_prefix(CERTIFICATE) {
            Some(why) => Self::Certificate { why: why.into() },
            None => Self::Tls { why },
        }
    }

    /// A connection that failed at this step.
    pub(super) fn broke(step: &'static str, error: &io::Error) -> Self {
        let closed = [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::WriteZero,
            io::ErrorKind::NotConnected,
        ];
        if closed.contains(&error.kind()) {
            return Self::Closed { step };
        }
        Self::Unreachable {
            why: error.kind().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_library_are_short_and_its_own() {
        let said = words(&"not valid for name \"a\"; valid for DnsName(\"canary-hollyhock\")");
        assert_eq!(said, "not valid for name \"a\"");
        assert_eq!(words(&"\u{e9}".repeat(300)), "\u{e9}".repeat(200));
    }
}
