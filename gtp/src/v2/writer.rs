//! Writes a message into a buffer that is used again and again.

use std::net::IpAddr;

use super::header::{FLAG_MP, FLAG_P, FLAG_T, LENGTH_FROM, VERSION};
use super::value::{APN_MAX_BYTES, ip_address_octets};
use super::{
    Ambr, Apn, ApnRestriction, Arp, BearerQos, CauseIe, DelayValue, Ebi, EpcTimer, FTeid, FlowQos,
    HEADER_BYTES, IE_HEADER_BYTES, IeType, Imei, Imsi, Indication, MAX_DEPTH, MAX_INSTANCE,
    MAX_MESSAGE_BYTES, MAX_SEQUENCE, Message, MessageType, MsTimeZone, NodeType, Paa, PdnType,
    Plmn, PrivateExtension, RatType, SelectionMode, UserLocation, ValueError, WriteError,
};

/// One message in the making. A fault is kept and told by [`Writer::finish`], so that calls can be chained.
///
/// An element that has one meaning in all messages is written with instance 0; where several may come, the instance is
/// the first argument.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
    /// Where this message begins: behind the one that it is piggybacked on, or at 0.
    start: usize,
    depth: u8,
    fault: Option<WriteError>,
}

impl<'b> Writer<'b> {
    /// Begins a message in `out`, which is cleared first. Without a TEID the header is the short one of Echo and Version
    /// Not Supported; a message to a peer whose TEID is not known yet has TEID 0 (TS 29.274 5.4, 5.5.1).
    pub fn new(out: &'b mut Vec<u8>, kind: MessageType, teid: Option<u32>, sequence: u32) -> Self {
        out.clear();
        Self::begin(out, kind, teid, sequence)
    }

    /// Begins a message behind the whole one that `out` holds; [`Writer::finish`] sets P in that one (TS 29.274 5.5.1).
    pub fn piggyback(
        out: &'b mut Vec<u8>,
        kind: MessageType,
        teid: Option<u32>,
        sequence: u32,
    ) -> Self {
        let fits = matches!(Message::parse(out), Ok(message) if message.piggybacked().is_none());
        let mut writer = Self::begin(out, kind, teid, sequence);
        if !fits {
            writer.fail(WriteError::Piggyback);
        }
        writer
    }

    fn begin(out: &'b mut Vec<u8>, kind: MessageType, teid: Option<u32>, sequence: u32) -> Self {
        let start = out.len();
        let [_, s0, s1, s2] = sequence.to_be_bytes();
        let flag = if teid.is_some() { FLAG_T } else { 0 };
        out.extend_from_slice(&[VERSION << 5 | flag, kind.0, 0, 0]);
        if let Some(teid) = teid {
            out.extend_from_slice(&teid.to_be_bytes());
        }
        out.extend_from_slice(&[s0, s1, s2, 0]);
        let mut writer = Self {
            out,
            start,
            depth: 0,
            fault: None,
        };
        if sequence > MAX_SEQUENCE {
            writer.fail(range("sequence number", sequence));
        }
        writer
    }

    /// Sets MP and the message's priority, 0 (the highest) to 15 (TS 29.274 5.4). A header without a TEID has none.
    pub fn priority(&mut self, priority: u8) -> &mut Self {
        let flags = self.out[self.start];
        if priority > 15 || flags & FLAG_T == 0 {
            self.fail(range("message priority", u32::from(priority)));
            return self;
        }
        self.out[self.start] |= FLAG_MP;
        self.out[self.start + HEADER_BYTES - 1] = priority << 4;
        self
    }

    /// Writes the length into the header and hands the datagram out.
    ///
    /// # Errors
    ///
    /// When a value did not fit its element, grouped elements were too deep, there was nothing to piggyback on, or the
    /// datagram is longer than [`MAX_MESSAGE_BYTES`].
    pub fn finish(self) -> Result<&'b [u8], WriteError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let message = &mut self.out[self.start..];
        let length = (message.len() - LENGTH_FROM) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        if self.start > 0 {
            self.out[0] |= FLAG_P;
        }
        Ok(self.out)
    }

    /// Any element.
    pub fn ie(&mut self, kind: IeType, instance: u8, value: &[u8]) -> &mut Self {
        self.parts(kind, instance, value, &[])
    }

    /// A grouped element, which `fill` fills.
    pub fn group(&mut self, kind: IeType, instance: u8, fill: impl FnOnce(&mut Self)) -> &mut Self {
        if self.depth >= MAX_DEPTH {
            self.fail(WriteError::TooDeep);
            return self;
        }
        let at = self.out.len();
        self.ie(kind, instance, &[]);
        if self.fault.is_some() {
            return self;
        }
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        let length = (self.out.len() - at - IE_HEADER_BYTES) as u16;
        self.out[at + 1..at + 3].copy_from_slice(&length.to_be_bytes());
        self
    }

    /// Bearer Context, 8.28.
    pub fn bearer_context(&mut self, instance: u8, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.group(IeType::BEARER_CONTEXT, instance, fill)
    }

    /// IMSI, 8.3.
    pub fn imsi(&mut self, imsi: Imsi) -> &mut Self {
        self.ie(IeType::IMSI, 0, imsi.short_octets())
    }

    /// Cause, 8.4.
    pub fn cause(&mut self, cause: &CauseIe) -> &mut Self {
        let mut octets = [0; CauseIe::MAX_BYTES];
        let len = cause.write(&mut octets);
        self.ie(IeType::CAUSE, 0, &octets[..len])
    }

    /// Recovery, 8.5: our restart counter.
    pub fn recovery(&mut self, restart_counter: u8) -> &mut Self {
        self.ie(IeType::RECOVERY, 0, &[restart_counter])
    }

    /// Access Point Name from dotted text, 8.6.
    pub fn apn(&mut self, text: &str) -> &mut Self {
        let mut octets = [0; APN_MAX_BYTES];
        match Apn::encode(text, &mut octets) {
            Ok(apn) => self.ie(IeType::APN, 0, apn.octets()),
            Err(error) => {
                self.fail(error.into());
                self
            }
        }
    }

    /// Aggregate Maximum Bit Rate, 8.7.
    pub fn ambr(&mut self, ambr: Ambr) -> &mut Self {
        self.ie(IeType::AMBR, 0, &ambr.octets())
    }

    /// EPS Bearer ID, 8.8. Instance 0 is the linked bearer's where a message has one.
    pub fn ebi(&mut self, instance: u8, ebi: Ebi) -> &mut Self {
        self.ie(IeType::EBI, instance, &[ebi.number()])
    }

    /// IP Address, 8.9.
    pub fn ip_address(&mut self, instance: u8, address: IpAddr) -> &mut Self {
        let mut octets = [0; 16];
        self.ie(
            IeType::IP_ADDRESS,
            instance,
            ip_address_octets(address, &mut octets),
        )
    }

    /// Mobile Equipment Identity, 8.10.
    pub fn mei(&mut self, mei: Imei) -> &mut Self {
        self.ie(IeType::MEI, 0, &mei.octets())
    }

    /// MSISDN, 8.11, as it is coded.
    pub fn msisdn(&mut self, value: &[u8]) -> &mut Self {
        self.ie(IeType::MSISDN, 0, value)
    }

    /// Indication, 8.12.
    pub fn indication(&mut self, flags: Indication) -> &mut Self {
        self.ie(IeType::INDICATION, 0, flags.octets())
    }

    /// Protocol Configuration Options, 8.13, as they came.
    pub fn pco(&mut self, options: &[u8]) -> &mut Self {
        self.ie(IeType::PCO, 0, options)
    }

    /// PDN Address Allocation, 8.14.
    pub fn paa(&mut self, paa: &Paa) -> &mut Self {
        let mut octets = [0; Paa::MAX_BYTES];
        let len = paa.write(&mut octets);
        self.ie(IeType::PAA, 0, &octets[..len])
    }

    /// Bearer QoS, 8.15.
    pub fn bearer_qos(&mut self, qos: &BearerQos) -> &mut Self {
        self.ie(IeType::BEARER_QOS, 0, &qos.octets())
    }

    /// Flow QoS, 8.16.
    pub fn flow_qos(&mut self, qos: &FlowQos) -> &mut Self {
        self.ie(IeType::FLOW_QOS, 0, &qos.octets())
    }

    /// RAT Type, 8.17.
    pub fn rat_type(&mut self, rat: RatType) -> &mut Self {
        self.ie(IeType::RAT_TYPE, 0, &[rat.0])
    }

    /// Serving Network, 8.18.
    pub fn serving_network(&mut self, plmn: Plmn) -> &mut Self {
        self.ie(IeType::SERVING_NETWORK, 0, &plmn.0)
    }

    /// Bearer TFT, 8.19, as it is coded.
    pub fn bearer_tft(&mut self, value: &[u8]) -> &mut Self {
        self.ie(IeType::BEARER_TFT, 0, value)
    }

    /// User Location Information, 8.21.
    pub fn user_location(&mut self, instance: u8, location: &UserLocation) -> &mut Self {
        let mut octets = [0; UserLocation::MAX_BYTES];
        let len = location.write(&mut octets);
        self.ie(IeType::ULI, instance, &octets[..len])
    }

    /// F-TEID, 8.22. Without an address it is a fault.
    pub fn f_teid(&mut self, instance: u8, fteid: &FTeid) -> &mut Self {
        if fteid.address().is_none() {
            self.fail(range("F-TEID", u32::from(fteid.interface.0)));
            return self;
        }
        let mut octets = [0; FTeid::MAX_BYTES];
        let len = fteid.write(&mut octets);
        self.ie(IeType::F_TEID, instance, &octets[..len])
    }

    /// Delay Value, 8.27.
    pub fn delay_value(&mut self, delay: DelayValue) -> &mut Self {
        self.ie(IeType::DELAY_VALUE, 0, &[delay.0])
    }

    /// Charging ID, 8.29.
    pub fn charging_id(&mut self, id: u32) -> &mut Self {
        self.ie(IeType::CHARGING_ID, 0, &id.to_be_bytes())
    }

    /// Charging Characteristics, 8.30.
    pub fn charging_characteristics(&mut self, bits: u16) -> &mut Self {
        self.ie(IeType::CHARGING_CHARACTERISTICS, 0, &bits.to_be_bytes())
    }

    /// PDN Type, 8.34.
    pub fn pdn_type(&mut self, pdn_type: PdnType) -> &mut Self {
        self.ie(IeType::PDN_TYPE, 0, &[pdn_type.number()])
    }

    /// Procedure Transaction ID, 8.35.
    pub fn pti(&mut self, id: u8) -> &mut Self {
        self.ie(IeType::PTI, 0, &[id])
    }

    /// UE Time Zone, 8.44.
    pub fn ue_time_zone(&mut self, zone: MsTimeZone) -> &mut Self {
        self.ie(
            IeType::UE_TIME_ZONE,
            0,
            &[zone.zone, zone.daylight_saving & 3],
        )
    }

    /// Port Number, 8.56.
    pub fn port_number(&mut self, instance: u8, port: u16) -> &mut Self {
        self.ie(IeType::PORT_NUMBER, instance, &port.to_be_bytes())
    }

    /// APN Restriction, 8.57.
    pub fn apn_restriction(&mut self, restriction: ApnRestriction) -> &mut Self {
        self.ie(IeType::APN_RESTRICTION, 0, &[restriction.0])
    }

    /// Selection Mode, 8.58; its spare bits are sent as zeros.
    pub fn selection_mode(&mut self, mode: SelectionMode) -> &mut Self {
        self.ie(IeType::SELECTION_MODE, 0, &[mode.octet() & 3])
    }

    /// FQ-CSID, 8.62, as it is coded.
    pub fn fq_csid(&mut self, instance: u8, value: &[u8]) -> &mut Self {
        self.ie(IeType::FQ_CSID, instance, value)
    }

    /// Node Type, 8.65.
    pub fn node_type(&mut self, node: NodeType) -> &mut Self {
        self.ie(IeType::NODE_TYPE, 0, &[node.0])
    }

    /// Private Extension, 8.67.
    pub fn private_extension(
        &mut self,
        instance: u8,
        extension: &PrivateExtension<'_>,
    ) -> &mut Self {
        self.parts(
            IeType::PRIVATE_EXTENSION,
            instance,
            &extension.enterprise.to_be_bytes(),
            extension.contents,
        )
    }

    /// Node Features, 8.83: the bits of what we support.
    pub fn node_features(&mut self, features: u8) -> &mut Self {
        self.ie(IeType::NODE_FEATURES, 0, &[features])
    }

    /// Allocation/Retention Priority, 8.86.
    pub fn arp(&mut self, arp: Arp) -> &mut Self {
        self.ie(IeType::ARP, 0, &[arp.octet()])
    }

    /// EPC Timer, 8.87. Instance 0 in a Create Session Response is the PGW Back-Off Time.
    pub fn epc_timer(&mut self, instance: u8, timer: EpcTimer) -> &mut Self {
        self.ie(IeType::EPC_TIMER, instance, &[timer.octet()])
    }

    /// Signalling Priority Indication, 8.88: whether the UE signals with low access priority.
    pub fn low_access_priority(&mut self, low: bool) -> &mut Self {
        self.ie(IeType::SIGNALLING_PRIORITY_INDICATION, 0, &[u8::from(low)])
    }

    /// An element in two parts.
    fn parts(&mut self, kind: IeType, instance: u8, front: &[u8], back: &[u8]) -> &mut Self {
        debug_assert!(instance <= MAX_INSTANCE, "{kind}, instance {instance}");
        let length = front.len() + back.len();
        if self.out.len() + IE_HEADER_BYTES + length > MAX_MESSAGE_BYTES {
            self.fail(WriteError::TooLong);
            return self;
        }
        let [l0, l1] = (length as u16).to_be_bytes();
        self.out
            .extend_from_slice(&[kind.0, l0, l1, instance & MAX_INSTANCE]);
        self.out.extend_from_slice(front);
        self.out.extend_from_slice(back);
        self
    }

    fn fail(&mut self, fault: WriteError) {
        self.fault.get_or_insert(fault);
    }
}

fn range(what: &'static str, value: u32) -> WriteError {
    WriteError::Value(ValueError::Range { what, value })
}
