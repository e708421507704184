//! The procedures of a GGSN on Gn and Gp, one file each.

mod create;
mod delete;
mod echo;
mod secondary;
mod update;
mod urgency;
mod version;

use std::net::IpAddr;

use gtp::v1::value::{gsn_address, number};
use gtp::v1::{
    BackOffTime, Cause, EvolvedArp, IeSet, IeType, MessageType, Nsapi, QosProfile, ValueError,
};
use licensing::Now;

use crate::answer::{Answer, Granted};
use crate::config::PeerOptions;
use crate::mandatory::{self, CREATE, CREATE_SECONDARY, DELETE, UPDATE};
use crate::plane::SessionPlane;

/// A request that changes sessions.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub kind: MessageType,
    pub teid: u32,
    pub sequence: u16,
    /// The shard that it was steered by, which the endpoints that it is given carry.
    pub shard: u8,
    pub ies: &'a IeSet<'a>,
    /// What its sender needs.
    pub options: PeerOptions,
    pub now: Now,
}

/// What a procedure comes to: what it granted, nothing for a deletion, or why it did nothing at all.
pub(crate) type Outcome<'a> = Result<(Cause, Option<Granted<'a>>), Rejected>;

/// A request that was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub cause: Cause,
    pub back_off: Option<BackOffTime>,
}

impl From<Cause> for Rejected {
    fn from(cause: Cause) -> Self {
        Self {
            cause,
            back_off: None,
        }
    }
}

impl SessionPlane {
    /// Checks what a request must carry, then does it.
    pub(crate) fn serve<'a>(&mut self, request: &Request<'a>) -> Answer<'a> {
        // Before the session goes, if it goes.
        let teid = self.answer_teid(request);
        let mut answer = Answer::refusal(request, teid, Cause::REQUEST_ACCEPTED);
        match self.dispatch(request) {
            Ok((cause, granted)) => {
                answer.cause = cause;
                answer.granted = granted;
            }
            Err(rejected) => {
                answer.cause = rejected.cause;
                answer.back_off = rejected.back_off;
            }
        }
        answer
    }

    fn dispatch<'a>(&mut self, request: &Request<'a>) -> Outcome<'a> {
        let check = |table| mandatory::check(table, request.ies, request.teid);
        match request.kind {
            MessageType::UPDATE_PDP_CONTEXT_REQUEST => {
                check(&UPDATE)?;
                self.update(request)
            }
            MessageType::DELETE_PDP_CONTEXT_REQUEST => {
                check(&DELETE)?;
                self.delete(request)
            }
            _ if request.linked_nsapi().is_some() => {
                check(&CREATE_SECONDARY)?;
                self.create_secondary(request)
            }
            _ => {
                check(&CREATE)?;
                self.create(request)
            }
        }
    }
}

impl<'a> Request<'a> {
    /// A second NSAPI in a Create makes it one for a secondary context (TS 29.060 7.3.1).
    fn linked_nsapi(&self) -> Option<&'a [u8]> {
        self.ies.nth(IeType::NSAPI, 1)
    }

    /// An element that the table has checked.
    fn value<T>(
        &self,
        kind: IeType,
        nth: usize,
        parse: impl FnOnce(&'a [u8]) -> Result<T, ValueError>,
    ) -> Result<T, Cause> {
        let value = self.ies.nth(kind, nth).ok_or(Cause::MANDATORY_IE_MISSING)?;
        parse(value).map_err(|_| Cause::MANDATORY_IE_INCORRECT)
    }

    fn nsapi(&self) -> Result<Nsapi, Cause> {
        self.value(IeType::NSAPI, 0, Nsapi::parse)
    }

    fn qos(&self) -> Result<QosProfile<'a>, Cause> {
        self.value(IeType::QOS_PROFILE, 0, QosProfile::parse)
    }

    /// The peer's endpoint for user data and its address.
    fn user_plane(&self) -> Result<(u32, IpAddr), Cause> {
        let teid = self.value(IeType::TEID_DATA_I, 0, |v| number("TEID Data I", v))?;
        Ok((teid, self.value(IeType::GSN_ADDRESS, 1, gsn_address)?))
    }

    /// The address that the peer signals from: what it says, not where the datagram came from, which a proxy changes.
    fn peer(&self) -> Result<IpAddr, Cause> {
        let address = self.value(IeType::GSN_ADDRESS, 0, gsn_address)?;
        Ok(address.to_canonical())
    }

    /// The peer's endpoint for signalling, where it tells it.
    fn control_teid(&self) -> Option<u32> {
        let value = self.ies.get(IeType::TEID_CONTROL_PLANE)?;
        number("TEID Control Plane", value).ok()
    }

    fn recovery(&self) -> Option<u8> {
        self.ies.get(IeType::RECOVERY)?.first().copied()
    }

    /// Low access priority (TS 29.060 7.7.103).
    fn has_low_priority(&self) -> bool {
        let value = self.ies.get(IeType::SIGNALLING_PRIORITY_INDICATION);
        let flags = value.and_then(|value| value.first());
        flags.is_some_and(|flags| flags & 1 == 1)
    }

    /// The evolved priority level; one that is malformed is as good as none (TS 29.060 11.1.8).
    fn priority_level(&self) -> Option<u8> {
        let arp = EvolvedArp::parse(self.ies.get(IeType::EVOLVED_ARP_I)?).ok()?;
        Some(arp.priority_level)
    }
}
