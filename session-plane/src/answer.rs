//! Answers to Create, Update and Delete PDP Context Request, and their octets (TS 29.060 7.3.2, 7.3.4, 7.3.6).

use gtp::pco;
use gtp::v1::{BackOffTime, Cause, EndUserAddress, MessageType, WriteError, Writer};

use crate::config::PlaneConfig;
use crate::procedure::Request;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub kind: MessageType,
    /// The peer's tunnel endpoint.
    pub teid: u32,
    pub sequence: u16,
    pub cause: Cause,
    /// What an accepted Create or Update carries.
    pub granted: Option<Granted<'a>>,
    /// With cause 229.
    pub back_off: Option<BackOffTime>,
    /// A refused Create carries endpoints and addresses all the same.
    pub padded: bool,
}

/// The endpoint in a padded refusal: not 0, which stands for none, and below all that are ever drawn.
const NOBODY: u32 = 1;

/// What was made or changed.
#[derive(Debug)]
pub(crate) struct Granted<'a> {
    /// Our tunnel endpoint for signalling.
    pub teid: u32,
    /// Our tunnel endpoint for user data, the context's charging identifier.
    pub user_teid: u32,
    /// The address, when the first context is made.
    pub address: Option<EndUserAddress>,
    /// What the UE is told of what it asked for.
    pub options: Option<pco::Answer>,
    /// The profile asked for, which is granted as it is.
    pub qos: &'a [u8],
}

impl<'a> Answer<'a> {
    pub(crate) fn refusal(request: &Request<'a>, teid: u32, cause: Cause) -> Self {
        Self {
            kind: response(request.kind),
            teid,
            sequence: request.sequence,
            cause,
            granted: None,
            back_off: None,
            padded: false,
        }
    }

    /// For a request of which only the header could be read.
    pub(crate) fn of_length_fault(request: MessageType, sequence: u16) -> Self {
        Self {
            kind: response(request),
            teid: 0,
            sequence,
            cause: Cause::INVALID_MESSAGE_FORMAT,
            granted: None,
            back_off: None,
            padded: false,
        }
    }

    /// Its octets, elements in ascending order of their types.
    pub(crate) fn write<'b>(
        &self,
        config: &PlaneConfig,
        out: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], WriteError> {
        let mut writer = Writer::new(out, self.kind, self.teid, self.sequence);
        writer.cause(self.cause);
        if let Some(granted) = &self.granted {
            if self.kind == MessageType::CREATE_PDP_CONTEXT_RESPONSE {
                writer.reordering_required(false);
            }
            writer
                .recovery(config.recovery)
                .teid_data(granted.user_teid)
                .teid_control(granted.teid)
                .charging_id(granted.user_teid);
            if let Some(address) = &granted.address {
                writer.end_user_address(address);
            }
            if let Some(options) = &granted.options {
                writer.pco(options.octets());
            }
            writer
                .gsn_address(config.control.ip())
                .gsn_address(config.user)
                .qos_profile(granted.qos);
        } else if self.padded && self.kind == MessageType::CREATE_PDP_CONTEXT_RESPONSE {
            writer
                .teid_data(NOBODY)
                .teid_control(NOBODY)
                .gsn_address(config.control.ip())
                .gsn_address(config.user);
        }
        if let Some(back_off) = self.back_off {
            writer.back_off_time(back_off);
        }
        writer.finish()
    }
}

fn response(request: MessageType) -> MessageType {
    request
        .response()
        .unwrap_or(MessageType::VERSION_NOT_SUPPORTED)
}
