//! What an MME or SGW tells or asks in the life of a session beside making, changing and deleting it. No bearer but the
//! default one and no user plane is here, so there is little to do; but unanswered it would all be sent again, and count
//! as a failure of the path.
//!
//! - Change Notification, Suspend and Resume Notification (TS 29.274 7.3.14, 7.4.1, 7.4.3) are accepted, and change
//!   nothing: location is not reported further, and there are no downlink data to hold back.
//! - Delete Bearer Command, Bearer Resource Command and Modify Bearer Command (7.2.17.1, 7.2.5, 7.2.14) get their failure
//!   indications: there is no dedicated bearer to delete, none is made, and no QoS is changed.
//! - Create and Delete Indirect Data Forwarding Tunnel (7.2.18, 7.2.12) are refused; a hand-over goes on without.
//!
//! Everything else is dropped and counted: Modify Access Bearers, which no MME sends to an SGW that did not offer it,
//! failure indications and acknowledgements, which nothing follows.

use gtp::v2::{Cause, IeType, Imei, Imsi, MessageType};

use super::answer::Bearers;
use super::mandatory::{self, BEARER_COMMAND, CHANGE_NOTIFICATION, RESOURCE_COMMAND, RESUME};
use super::{Done, Rejected, Request, bearer_number};
use crate::plane::SessionPlane;

/// What an answer repeats of its request, by its type: the first values, each of at most 8 octets, if they are well formed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repeated([Option<(IeType, [u8; 8], usize)>; 2]);

impl Repeated {
    /// Whose location changed (table 7.3.15-1); which connection and procedure of the UE failed (table 7.2.6-1).
    pub(super) fn of(request: &Request<'_>) -> Self {
        match request.kind {
            MessageType::CHANGE_NOTIFICATION_REQUEST => {
                request.repeated([IeType::IMSI, IeType::MEI])
            }
            MessageType::BEARER_RESOURCE_COMMAND => request.repeated([IeType::EBI, IeType::PTI]),
            _ => Self::default(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (IeType, &[u8])> {
        let values = self.0.iter().flatten();
        values.map(|(kind, octets, len)| (*kind, &octets[..*len]))
    }
}

impl Request<'_> {
    fn repeated(&self, kinds: [IeType; 2]) -> Repeated {
        Repeated(kinds.map(|kind| {
            let value = self
                .ies
                .get(kind, 0)
                .filter(|value| is_formed(kind, value))?;
            let mut octets = [0; 8];
            octets.get_mut(..value.len())?.copy_from_slice(value);
            Some((kind, octets, value.len()))
        }))
    }
}

fn is_formed(kind: IeType, value: &[u8]) -> bool {
    match kind {
        IeType::IMSI => Imsi::parse_short(value).is_ok(),
        IeType::MEI => Imei::parse(value).is_ok(),
        _ => !value.is_empty(),
    }
}

impl SessionPlane {
    pub(super) fn take_notice(&self, request: &Request<'_>) -> Result<Done, Rejected> {
        let known = self
            .ue_named(request)
            .or_else(|| self.session_named(request));
        let known = known.map(drop).ok_or(Cause::CONTEXT_NOT_FOUND);
        match request.kind {
            MessageType::CHANGE_NOTIFICATION_REQUEST => {
                mandatory::check(&CHANGE_NOTIFICATION, request.ies, None)?;
                known?;
                Ok(Done::with(Cause::REQUEST_ACCEPTED))
            }
            MessageType::SUSPEND_NOTIFICATION => {
                known?;
                Ok(Done::with(Cause::REQUEST_ACCEPTED))
            }
            MessageType::RESUME_NOTIFICATION => {
                mandatory::check(&RESUME, request.ies, None)?;
                known?;
                Ok(Done::with(Cause::REQUEST_ACCEPTED))
            }
            MessageType::DELETE_BEARER_COMMAND => {
                mandatory::check(&BEARER_COMMAND, request.ies, None)?;
                known?;
                no_such_bearers(request)
            }
            MessageType::BEARER_RESOURCE_COMMAND => {
                mandatory::check(&RESOURCE_COMMAND, request.ies, None)?;
                known?;
                Err(Cause::SERVICE_NOT_SUPPORTED.into())
            }
            MessageType::CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST => {
                Err(Cause::DATA_FORWARDING_NOT_SUPPORTED.into())
            }
            MessageType::DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST => {
                Err(Cause::CONTEXT_NOT_FOUND.into())
            }
            _ => {
                known?;
                Err(Cause::SERVICE_NOT_SUPPORTED.into())
            }
        }
    }
}

/// Dedicated bearers that are to go were never here.
fn no_such_bearers(request: &Request<'_>) -> Result<Done, Rejected> {
    let mut bearers = Bearers::default();
    for bearer in request.bearers(0) {
        bearers.set(bearer_number(&bearer?)?, Cause::CONTEXT_NOT_FOUND, None);
    }
    Ok(Done {
        bearers,
        ..Done::with(Cause::CONTEXT_NOT_FOUND)
    })
}
