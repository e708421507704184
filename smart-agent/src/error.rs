//! What went wrong: with a message, and with what an operator asked for.

use api::smart::{Digest, FailureCode, ID_TOKEN_BYTES_MAX, ID_TOKEN_BYTES_MIN};
use thiserror::Error;

/// Why a message was not sent, or had no good answer. A shell says the first ten, the agent the others.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// There is nowhere to send it.
    #[error("no license authority is configured")]
    NotConfigured,
    /// Its address is not one of HTTPS.
    #[error("the license authority's address is not https: {0}")]
    NotHttps(String),
    /// Its name has no address.
    #[error("the name of the license authority can't be resolved: {0}")]
    Unresolved(String),
    /// Nobody answers there.
    #[error("the license authority can't be reached at {address}: {why}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
    /// The proxy would not.
    #[error("the proxy {proxy} refuses: {why}")]
    Proxy {
        /// Its address, without credentials.
        proxy: String,
        /// Why.
        why: String,
    },
    /// Its connection is not below a root of the trust pool.
    #[error(
        "the license authority's certificate is not signed by a root of the trust pool; the SHA-256 fingerprint of its own root is {0}"
    )]
    WrongAuthority(Digest),
    /// Its connection has a certificate that is not good for another reason.
    #[error("the license authority's certificate is not good: {0}")]
    Certificate(String),
    /// No answer in time.
    #[error("the license authority did not answer in time")]
    Timeout,
    /// Another status than 200.
    #[error("the license authority answered with HTTP status {0}")]
    Status(u16),
    /// The answer is longer than one may be, or broke off.
    #[error("the license authority's answer was cut off: {0}")]
    CutOff(String),
    /// The answer is not one.
    #[error("the license authority's answer is not good: {0}")]
    Answer(String),
    /// The answer is to something else, or for somebody else.
    #[error("the license authority's answer is for another request or another node")]
    Misdirected,
    /// The two clocks are too far apart.
    #[error(
        "the clocks of this node and of the license authority are {0} seconds apart, at most 3600 are allowed; correct the clock"
    )]
    ClockSkew(i64),
    /// A lab node and an authority that is none, or the other way round.
    #[error("a lab node registers only with a lab authority, and no other node does")]
    LabMismatch,
    /// The agent's own records can't be written.
    #[error("the agent's state can't be written to disk, and nothing is sent before it is")]
    NotWritten,
    /// The authority said no.
    #[error("the license authority refused: {message}")]
    Refused {
        /// Why, for machines.
        code: FailureCode,
        /// Why, for people.
        message: String,
    },
}

impl Failure {
    /// The configuration does not let the message out: it is dropped.
    pub(crate) fn is_configuration(&self) -> bool {
        matches!(self, Self::NotConfigured | Self::NotHttps(_))
    }

    /// Nobody there answered: it counts towards the authority's being unreachable.
    pub(crate) fn is_silence(&self) -> bool {
        !matches!(self, Self::NotWritten | Self::Refused { .. })
    }

    /// Trying again soon can't help.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused { code, .. } => match code {
                FailureCode::TryAgain | FailureCode::Replayed | FailureCode::Other => false,
                FailureCode::TokenUnknown
                | FailureCode::TokenExpired
                | FailureCode::TokenRevoked
                | FailureCode::TokenUsedUp
                | FailureCode::AlreadyRegistered
                | FailureCode::LabMismatch
                | FailureCode::ProductUnknown
                | FailureCode::InstanceRemoved
                | FailureCode::InstanceUnknown
                | FailureCode::CertificateRevoked
                | FailureCode::CertificateInvalid
                | FailureCode::SignatureInvalid
                | FailureCode::ClockSkew
                | FailureCode::Malformed => true,
            },
            Self::NotConfigured
            | Self::NotHttps(_)
            | Self::WrongAuthority(_)
            | Self::ClockSkew(_)
            | Self::LabMismatch => true,
            Self::Unresolved(_)
            | Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::Certificate(_)
            | Self::Timeout
            | Self::Status(_)
            | Self::CutOff(_)
            | Self::Answer(_)
            | Self::Misdirected
            | Self::NotWritten => false,
        }
    }
}

/// Why what an operator asked for was not done. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OperatorError {
    /// Smart licensing is off.
    #[error(
        "smart licensing is not enabled; nothing has changed: configure `license smart enable` first"
    )]
    NotEnabled,
    /// A registration stands.
    #[error(
        "this node is registered already, with virtual account {0}; nothing has changed: add `force` to register it anew"
    )]
    AlreadyRegistered(String),
    /// There is no registration.
    #[error("this node is not registered; nothing has changed")]
    NotRegistered,
    /// Another one is waited for.
    #[error(
        "another registration or deregistration is on its way; nothing has changed: wait for its end"
    )]
    InProgress,
    /// Not the form of a token.
    #[error(
        "the registration token is malformed; nothing has changed: copy it whole, {ID_TOKEN_BYTES_MIN} to {ID_TOKEN_BYTES_MAX} characters without spaces"
    )]
    TokenMalformed,
    /// No token of this authority.
    #[error("the license authority does not know this registration token; nothing has changed")]
    TokenUnknown,
    /// Its time is over.
    #[error(
        "the registration token has expired; nothing has changed: make another one at the license authority"
    )]
    TokenExpired,
    /// It was revoked.
    #[error(
        "the registration token was revoked; nothing has changed: make another one at the license authority"
    )]
    TokenRevoked,
    /// It was used as often as it may be.
    #[error(
        "the registration token was used as often as it may be; nothing has changed: make another one at the license authority"
    )]
    TokenUsedUp,
    /// The authority holds a registration of this device.
    #[error(
        "the license authority holds a registration of this device already; nothing has changed: add `force` to replace it"
    )]
    RegisteredThere,
    /// Anything else.
    #[error("{0}; nothing has changed")]
    Failed(Failure),
}

impl From<Failure> for OperatorError {
    fn from(failure: Failure) -> Self {
        let Failure::Refused { code, .. } = &failure else {
            return Self::Failed(failure);
        };
        match code {
            FailureCode::TokenUnknown => Self::TokenUnknown,
            FailureCode::TokenExpired => Self::TokenExpired,
            FailureCode::TokenRevoked => Self::TokenRevoked,
            FailureCode::TokenUsedUp => Self::TokenUsedUp,
            FailureCode::AlreadyRegistered => Self::RegisteredThere,
            FailureCode::LabMismatch => Self::Failed(Failure::LabMismatch),
            FailureCode::ProductUnknown
            | FailureCode::InstanceRemoved
            | FailureCode::InstanceUnknown
            | FailureCode::CertificateRevoked
            | FailureCode::CertificateInvalid
            | FailureCode::SignatureInvalid
            | FailureCode::ClockSkew
            | FailureCode::Replayed
            | FailureCode::Malformed
            | FailureCode::TryAgain
            | FailureCode::Other => Self::Failed(failure),
        }
    }
}
