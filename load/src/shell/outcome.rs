//! What a [`Client`](super::Client) hears.

use std::collections::BTreeMap;
use std::time::Duration;

use gtp::v1::{
    BackOffTime, Cause, EndUserAddress, IeSet, IeType, Imsi, Message, MessageType, Nsapi,
    WriteError, value,
};
use thiserror::Error;

use super::LoadError;

/// A PDP context that is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// The subscriber.
    pub imsi: Imsi,
    /// Names the context among the subscriber's.
    pub nsapi: Nsapi,
    /// The access point name that was asked for.
    pub apn: String,
    /// Our tunnel endpoint, for signalling and data.
    pub teid: u32,
    /// The GGSN's tunnel endpoint for signalling.
    pub peer_teid: u32,
    /// The address that the GGSN gave.
    pub address: Option<EndUserAddress>,
}

/// What the GGSN answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its cause; 0 where the answer has none, as an Echo Response.
    pub cause: Cause,
    /// The context, if a create was accepted.
    pub context: Option<Context>,
    /// How long to leave the APN alone, if it says so.
    pub back_off: Option<BackOffTime>,
    /// The GGSN's restart counter, if it says so.
    pub recovery: Option<u8>,
    /// From first sending the request until its answer came.
    pub round_trip: Duration,
    /// How often the request was sent.
    pub sends: u8,
    /// The answer, whole.
    pub reply: Vec<u8>,
}

/// What came of many requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Burst {
    /// The answers, in the order in which they came.
    pub outcomes: Vec<Outcome>,
    /// Requests that were never answered.
    pub lost: u32,
}

/// Why a request came to nothing. A refusal is no error: it is an [`Outcome`].
#[derive(Debug, Error)]
pub enum ClientError {
    /// No answer, however often it was sent.
    #[error("no answer to a {kind}")]
    NoAnswer {
        /// The request.
        kind: MessageType,
    },
    /// The request can't be written.
    #[error("cannot write the request")]
    Write(#[from] WriteError),
    /// A socket failed.
    #[error(transparent)]
    Socket(#[from] LoadError),
}

impl Burst {
    /// The contexts that came up.
    pub fn contexts(self) -> Vec<Context> {
        let outcomes = self.outcomes.into_iter();
        outcomes.filter_map(|outcome| outcome.context).collect()
    }

    /// How often each cause came.
    pub fn causes(&self) -> BTreeMap<Cause, u32> {
        let mut causes = BTreeMap::new();
        for outcome in &self.outcomes {
            *causes.entry(outcome.cause).or_default() += 1;
        }
        causes
    }
}

impl Outcome {
    /// Reads an answer; `context` is what it brings up if it accepts.
    pub(super) fn read(message: &Message<'_>, context: Option<Context>) -> Self {
        let (ies, _) = IeSet::parse_prefix(message.body);
        let octet = |kind| ies.get(kind).and_then(|value| value.first().copied());
        let cause = Cause(octet(IeType::CAUSE).unwrap_or_default());
        let back_off = ies.get(IeType::GGSN_BACK_OFF_TIME);
        Self {
            cause,
            context: context
                .filter(|_| cause.is_accepted())
                .and_then(|context| complete(context, &ies)),
            back_off: back_off.and_then(|value| BackOffTime::parse(value).ok()),
            recovery: octet(IeType::RECOVERY),
            round_trip: Duration::ZERO,
            sends: 0,
            reply: Vec::new(),
        }
    }
}

/// Adds what the GGSN answered. A secondary context goes by the tunnel of the first if the answer names none.
fn complete(context: Context, ies: &IeSet<'_>) -> Option<Context> {
    let teid = ies.get(IeType::TEID_CONTROL_PLANE);
    let address = ies.get(IeType::END_USER_ADDRESS);
    let peer_teid = match teid {
        Some(value) => value::number("Tunnel Endpoint Identifier Control Plane", value).ok()?,
        None => context.peer_teid,
    };
    Some(Context {
        peer_teid,
        address: address
            .and_then(|value| EndUserAddress::parse(value).ok())
            .or(context.address),
        ..context
    })
}
