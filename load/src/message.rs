//! The requests that are sent (TS 29.060 7.3.1, 7.3.3, 7.3.5).

use std::net::IpAddr;

use gtp::v1::{
    EndUserAddress, EvolvedArp, IeType, Imsi, MessageType, Nsapi, RatType, SelectionMode,
    WriteError, Writer,
};

/// A QoS profile of R99 behind its allocation/retention priority: interactive class, 2 Mbit/s down and up.
pub const QOS_R99: [u8; 11] = [
    0x0B, 0x92, 0x1F, 0x73, 0x96, 0x40, 0x40, 0x74, 0xFB, 0x40, 0x40,
];

/// What a Create PDP Context Request says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreateRequest<'a> {
    /// The subscriber. A secondary context has none: the GGSN knows it by its tunnel.
    pub imsi: Option<Imsi>,
    /// Names the context.
    pub nsapi: Nsapi,
    /// The context of which this one is a secondary.
    pub linked_nsapi: Option<Nsapi>,
    /// Restart counter of the sender.
    pub recovery: Option<u8>,
    /// The sender's tunnel endpoint for user traffic.
    pub teid_data: u32,
    /// The sender's tunnel endpoint for signalling.
    pub teid_control: u32,
    /// Charging characteristics.
    pub charging_characteristics: u16,
    /// What address is wanted.
    pub end_user_address: EndUserAddress,
    /// The access point name, dotted.
    pub apn: &'a str,
    /// Protocol configuration options, as they are coded.
    pub pco: Option<&'a [u8]>,
    /// The sender's address for signalling and user traffic.
    pub gsn_address: IpAddr,
    /// MSISDN, as it is coded.
    pub msisdn: Option<&'a [u8]>,
    /// Allocation/retention priority, 1 to 3.
    pub arp: u8,
    /// The QoS profile behind it.
    pub qos: &'a [u8],
    /// Priority of the evolved kind.
    pub evolved_arp: Option<EvolvedArp>,
    /// The MS signals with low access priority.
    pub low_priority: bool,
}

/// Signalling Priority Indication: low access priority (TS 29.060 7.7.103).
const LAPI: u8 = 1;

/// Octets of the longest QoS profile that is sent.
const QOS_MAX_BYTES: usize = 255;

impl CreateRequest<'_> {
    /// Writes the request into `out`.
    ///
    /// # Errors
    ///
    /// When the access point name can't be coded, or the message is too long.
    pub fn write<'b>(
        &self,
        out: &'b mut Vec<u8>,
        teid: u32,
        sequence: u16,
    ) -> Result<&'b [u8], WriteError> {
        let kind = MessageType::CREATE_PDP_CONTEXT_REQUEST;
        let mut writer = Writer::new(out, kind, teid, sequence);
        let secondary = self.linked_nsapi.is_some();
        if let Some(imsi) = self.imsi {
            writer.imsi(imsi);
        }
        if let Some(recovery) = self.recovery {
            writer.recovery(recovery);
        }
        if !secondary {
            writer.selection_mode(SelectionMode::Verified);
        }
        writer.teid_data(self.teid_data);
        if !secondary {
            writer.teid_control(self.teid_control);
        }
        writer.nsapi(self.nsapi);
        if let Some(linked) = self.linked_nsapi {
            writer.nsapi(linked);
        }
        if !secondary {
            writer
                .charging_characteristics(self.charging_characteristics)
                .end_user_address(&self.end_user_address)
                .apn(self.apn);
        }
        if let Some(pco) = self.pco {
            writer.pco(pco);
        }
        writer
            .gsn_address(self.gsn_address)
            .gsn_address(self.gsn_address);
        if let Some(msisdn) = self.msisdn {
            writer.msisdn(msisdn);
        }
        write_qos(&mut writer, self.arp, self.qos);
        if !secondary {
            writer.rat_type(RatType::UTRAN);
        }
        if let Some(arp) = self.evolved_arp {
            writer.evolved_arp(arp);
        }
        if self.low_priority {
            writer.ie(IeType::SIGNALLING_PRIORITY_INDICATION, &[LAPI]);
        }
        writer.finish()
    }
}

/// What an Update PDP Context Request says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpdateRequest<'a> {
    pub nsapi: Nsapi,
    pub recovery: Option<u8>,
    pub teid_data: u32,
    pub teid_control: u32,
    pub gsn_address: IpAddr,
    pub arp: u8,
    pub qos: &'a [u8],
}

impl UpdateRequest<'_> {
    pub fn write<'b>(
        &self,
        out: &'b mut Vec<u8>,
        teid: u32,
        sequence: u16,
    ) -> Result<&'b [u8], WriteError> {
        let kind = MessageType::UPDATE_PDP_CONTEXT_REQUEST;
        let mut writer = Writer::new(out, kind, teid, sequence);
        if let Some(recovery) = self.recovery {
            writer.recovery(recovery);
        }
        writer
            .teid_data(self.teid_data)
            .teid_control(self.teid_control)
            .nsapi(self.nsapi)
            .gsn_address(self.gsn_address)
            .gsn_address(self.gsn_address);
        write_qos(&mut writer, self.arp, self.qos);
        writer.finish()
    }
}

/// Writes a Delete PDP Context Request.
pub(crate) fn write_delete(
    out: &mut Vec<u8>,
    teid: u32,
    sequence: u16,
    nsapi: Nsapi,
    teardown: bool,
) -> Result<&[u8], WriteError> {
    let kind = MessageType::DELETE_PDP_CONTEXT_REQUEST;
    let mut writer = Writer::new(out, kind, teid, sequence);
    writer.teardown(teardown).nsapi(nsapi);
    writer.finish()
}

/// Writes an Echo Response.
pub(crate) fn write_echo_response(
    out: &mut Vec<u8>,
    sequence: u16,
    recovery: u8,
) -> Result<&[u8], WriteError> {
    let mut writer = Writer::new(out, MessageType::ECHO_RESPONSE, 0, sequence);
    writer.recovery(recovery);
    writer.finish()
}

/// Writes the answer to a Delete PDP Context Request of the GGSN's.
pub(crate) fn write_delete_response(
    out: &mut Vec<u8>,
    teid: u32,
    sequence: u16,
    cause: gtp::v1::Cause,
) -> Result<&[u8], WriteError> {
    let kind = MessageType::DELETE_PDP_CONTEXT_RESPONSE;
    let mut writer = Writer::new(out, kind, teid, sequence);
    writer.cause(cause);
    writer.finish()
}

fn write_qos(writer: &mut Writer<'_>, arp: u8, qos: &[u8]) {
    let mut octets = [0; QOS_MAX_BYTES];
    let len = qos.len().min(QOS_MAX_BYTES - 1);
    octets[0] = arp;
    octets[1..=len].copy_from_slice(&qos[..len]);
    writer.qos_profile(&octets[..=len]);
}
