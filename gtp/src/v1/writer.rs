//! Writes a message into a buffer that is used again and again.

use std::net::IpAddr;

use super::header::{FLAG_PT, FLAG_S};
use super::value::{APN_MAX_BYTES, Apn, gsn_address_octets};
use super::{
    ApnRestriction, BackOffTime, Cause, CommonFlags, EndUserAddress, EvolvedArp, HEADER_BYTES,
    IeType, Imei, Imsi, MAX_MESSAGE_BYTES, MessageType, MsTimeZone, Nsapi, PrivateExtension, Rai,
    RatType, SelectionMode, UserLocation, WriteError,
};

/// One message in the making. Elements are to be added in ascending order of their types (TS 29.060 7.7), which debug
/// builds assert. A fault is kept and told by [`Writer::finish`], so that calls can be chained.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
    last: IeType,
    fault: Option<WriteError>,
}

impl<'b> Writer<'b> {
    /// Begins a message in `out`, which is cleared first. Every message of ours has a sequence number.
    pub fn new(out: &'b mut Vec<u8>, kind: MessageType, teid: u32, sequence: u16) -> Self {
        out.clear();
        out.extend_from_slice(&[1 << 5 | FLAG_PT | FLAG_S, kind.0, 0, 0]);
        out.extend_from_slice(&teid.to_be_bytes());
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        Self {
            out,
            last: IeType(0),
            fault: None,
        }
    }

    /// Writes the length into the header and hands the message out.
    ///
    /// # Errors
    ///
    /// When a value did not fit its element, or the message is longer than [`MAX_MESSAGE_BYTES`].
    pub fn finish(self) -> Result<&'b [u8], WriteError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let length = (self.out.len() - HEADER_BYTES) as u16;
        self.out[2..4].copy_from_slice(&length.to_be_bytes());
        Ok(self.out)
    }

    /// Any element, with its length in front if its type has one.
    pub fn ie(&mut self, kind: IeType, value: &[u8]) -> &mut Self {
        debug_assert!(self.last <= kind, "{kind} after {}", self.last);
        debug_assert!(kind.is_tlv() || kind.fixed_length().map(usize::from) == Some(value.len()));
        if self.out.len() + 3 + value.len() > MAX_MESSAGE_BYTES {
            self.fault.get_or_insert(WriteError::TooLong);
            return self;
        }
        self.last = kind;
        self.out.push(kind.0);
        if kind.is_tlv() {
            self.out
                .extend_from_slice(&(value.len() as u16).to_be_bytes());
        }
        self.out.extend_from_slice(value);
        self
    }

    /// Cause, 7.7.1.
    pub fn cause(&mut self, cause: Cause) -> &mut Self {
        self.ie(IeType::CAUSE, &[cause.0])
    }

    /// IMSI, 7.7.2.
    pub fn imsi(&mut self, imsi: Imsi) -> &mut Self {
        self.ie(IeType::IMSI, &imsi.octets())
    }

    /// Routeing Area Identity, 7.7.3.
    pub fn rai(&mut self, rai: Rai) -> &mut Self {
        self.ie(IeType::RAI, &rai.octets())
    }

    /// Reordering Required, 7.7.6.
    pub fn reordering_required(&mut self, required: bool) -> &mut Self {
        self.flag(IeType::REORDERING_REQUIRED, required)
    }

    /// Recovery, 7.7.11: our restart counter.
    pub fn recovery(&mut self, restart_counter: u8) -> &mut Self {
        self.ie(IeType::RECOVERY, &[restart_counter])
    }

    /// Selection Mode, 7.7.12.
    pub fn selection_mode(&mut self, mode: SelectionMode) -> &mut Self {
        self.ie(IeType::SELECTION_MODE, &[mode.octet()])
    }

    /// Tunnel Endpoint Identifier Data I, 7.7.13.
    pub fn teid_data(&mut self, teid: u32) -> &mut Self {
        self.ie(IeType::TEID_DATA_I, &teid.to_be_bytes())
    }

    /// Tunnel Endpoint Identifier Control Plane, 7.7.14.
    pub fn teid_control(&mut self, teid: u32) -> &mut Self {
        self.ie(IeType::TEID_CONTROL_PLANE, &teid.to_be_bytes())
    }

    /// Teardown Ind, 7.7.16: whether all contexts of the address go with this one.
    pub fn teardown(&mut self, all: bool) -> &mut Self {
        self.flag(IeType::TEARDOWN_IND, all)
    }

    /// NSAPI, 7.7.17; a second one is the linked NSAPI.
    pub fn nsapi(&mut self, nsapi: Nsapi) -> &mut Self {
        self.ie(IeType::NSAPI, &[nsapi.number()])
    }

    /// Charging Characteristics, 7.7.23.
    pub fn charging_characteristics(&mut self, bits: u16) -> &mut Self {
        self.ie(IeType::CHARGING_CHARACTERISTICS, &bits.to_be_bytes())
    }

    /// Charging ID, 7.7.26.
    pub fn charging_id(&mut self, id: u32) -> &mut Self {
        self.ie(IeType::CHARGING_ID, &id.to_be_bytes())
    }

    /// End User Address, 7.7.27.
    pub fn end_user_address(&mut self, address: &EndUserAddress) -> &mut Self {
        let mut octets = [0; EndUserAddress::MAX_BYTES];
        let len = address.write(&mut octets);
        self.ie(IeType::END_USER_ADDRESS, &octets[..len])
    }

    /// Access Point Name from dotted text, 7.7.30.
    pub fn apn(&mut self, text: &str) -> &mut Self {
        let mut octets = [0; APN_MAX_BYTES];
        match Apn::encode(text, &mut octets) {
            Ok(apn) => self.ie(IeType::ACCESS_POINT_NAME, apn.octets()),
            Err(error) => {
                self.fault.get_or_insert(error.into());
                self
            }
        }
    }

    /// Protocol Configuration Options, 7.7.31, as they came.
    pub fn pco(&mut self, options: &[u8]) -> &mut Self {
        self.ie(IeType::PROTOCOL_CONFIGURATION_OPTIONS, options)
    }

    /// GSN Address, 7.7.32: the one for signalling first, the one for user traffic second.
    pub fn gsn_address(&mut self, address: IpAddr) -> &mut Self {
        let mut octets = [0; 16];
        self.ie(
            IeType::GSN_ADDRESS,
            gsn_address_octets(address, &mut octets),
        )
    }

    /// MSISDN, 7.7.33, as it is coded.
    pub fn msisdn(&mut self, value: &[u8]) -> &mut Self {
        self.ie(IeType::MSISDN, value)
    }

    /// Quality of Service Profile, 7.7.34: the priority octet, then the profile.
    pub fn qos_profile(&mut self, value: &[u8]) -> &mut Self {
        self.ie(IeType::QOS_PROFILE, value)
    }

    /// Traffic Flow Template, 7.7.36, as it is coded.
    pub fn traffic_flow_template(&mut self, value: &[u8]) -> &mut Self {
        self.ie(IeType::TRAFFIC_FLOW_TEMPLATE, value)
    }

    /// Extension Header Type List, 7.7.40.
    ///
    /// Its length field has one octet. At most 255 types.
    pub fn extension_header_types(&mut self, types: &[u8]) -> &mut Self {
        debug_assert!(self.last <= IeType::EXTENSION_HEADER_TYPE_LIST);
        self.last = IeType::EXTENSION_HEADER_TYPE_LIST;
        let types = &types[..types.len().min(usize::from(u8::MAX))];
        if self.out.len() + 2 + types.len() > MAX_MESSAGE_BYTES {
            self.fault.get_or_insert(WriteError::TooLong);
            return self;
        }
        self.out
            .extend_from_slice(&[IeType::EXTENSION_HEADER_TYPE_LIST.0, types.len() as u8]);
        self.out.extend_from_slice(types);
        self
    }

    /// Common Flags, 7.7.48.
    pub fn common_flags(&mut self, flags: CommonFlags) -> &mut Self {
        self.ie(IeType::COMMON_FLAGS, &[flags.0])
    }

    /// APN Restriction, 7.7.49.
    pub fn apn_restriction(&mut self, restriction: ApnRestriction) -> &mut Self {
        self.ie(IeType::APN_RESTRICTION, &[restriction.0])
    }

    /// RAT Type, 7.7.50.
    pub fn rat_type(&mut self, rat: RatType) -> &mut Self {
        self.ie(IeType::RAT_TYPE, &[rat.0])
    }

    /// User Location Information, 7.7.51.
    pub fn user_location(&mut self, location: &UserLocation<'_>) -> &mut Self {
        self.prefixed(
            IeType::USER_LOCATION_INFORMATION,
            &[location.geographic_location_type],
            location.location,
        )
    }

    /// MS Time Zone, 7.7.52.
    pub fn ms_time_zone(&mut self, zone: MsTimeZone) -> &mut Self {
        self.ie(IeType::MS_TIME_ZONE, &[zone.zone, zone.daylight_saving])
    }

    /// IMEI(SV), 7.7.53.
    pub fn imei(&mut self, imei: Imei) -> &mut Self {
        self.ie(IeType::IMEI, &imei.octets())
    }

    /// Evolved Allocation/Retention Priority I, 7.7.91.
    pub fn evolved_arp(&mut self, arp: EvolvedArp) -> &mut Self {
        self.ie(IeType::EVOLVED_ARP_I, &[arp.octet()])
    }

    /// GGSN Back-Off Time, 7.7.102.
    pub fn back_off_time(&mut self, time: BackOffTime) -> &mut Self {
        self.ie(IeType::GGSN_BACK_OFF_TIME, &[time.octet()])
    }

    /// Private Extension, 7.7.46.
    pub fn private_extension(&mut self, extension: &PrivateExtension<'_>) -> &mut Self {
        self.prefixed(
            IeType::PRIVATE_EXTENSION,
            &extension.enterprise.to_be_bytes(),
            extension.contents,
        )
    }

    /// An octet whose lowest bit means something and whose spare bits are sent as ones.
    fn flag(&mut self, kind: IeType, set: bool) -> &mut Self {
        self.ie(kind, &[0xFE | u8::from(set)])
    }

    /// A TLV element in two parts.
    fn prefixed(&mut self, kind: IeType, front: &[u8], back: &[u8]) -> &mut Self {
        let at = self.out.len();
        self.ie(kind, front);
        if self.fault.is_some() {
            return self;
        }
        if self.out.len() + back.len() > MAX_MESSAGE_BYTES {
            self.fault = Some(WriteError::TooLong);
            return self;
        }
        let length = (front.len() + back.len()) as u16;
        self.out[at + 1..at + 3].copy_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(back);
        self
    }
}
