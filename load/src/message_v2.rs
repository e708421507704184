//! The messages that are sent by GTPv2-C (TS 29.274 7.1, 7.2).

use std::net::IpAddr;

use gtp::v2::{
    Ambr, ApnRestriction, Arp, BearerQos, Cause, CauseIe, Ebi, Ecgi, FTeid, FlowQos, Imei, Imsi,
    Indication, InterfaceType, MessageType, Paa, PdnType, Plmn, RatType, SelectionMode, Tai,
    UserLocation, WriteError, Writer,
};

use crate::Interface;

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A subscriber.
    Subscriber(Imsi),
    /// Equipment without a subscriber, which may make emergency calls only (TS 23.401 4.3.12).
    Equipment(Imei),
}

/// What a Create Session Request says (TS 29.274 7.2.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreateSession<'a> {
    /// S5 or S11: what its elements are.
    pub interface: Interface,
    /// Who calls.
    pub caller: Caller,
    /// The network that serves it.
    pub plmn: Plmn,
    /// Our address for signalling and user data.
    pub local: IpAddr,
    /// Our tunnel endpoint for signalling and user data.
    pub teid: u32,
    /// On S11: the PGW that the SGW is to take.
    pub pgw: IpAddr,
    /// The access point name, dotted.
    pub apn: &'a str,
    /// What addresses are wanted.
    pub pdn_type: PdnType,
    /// The default bearer.
    pub ebi: Ebi,
    /// Its allocation/retention priority, 1 to 15.
    pub priority_level: u8,
    /// The UE signals with low access priority.
    pub low_priority: bool,
    /// Restart counter of the sender.
    pub recovery: Option<u8>,
}

/// QCI of an ordinary default bearer: best effort (TS 23.203 6.1.7).
const QCI: u8 = 9;
/// Most that a UE may have on one access point, down and up. Unit: kbit/s.
const AMBR_KBPS: u32 = 50_000;
/// The tracking area of every call.
const TAC: u16 = 1;
/// The cell of every call: eNodeB 1, cell 1.
const ECI: u32 = 0x0000_0101;

impl CreateSession<'_> {
    /// Writes the request into `out`.
    ///
    /// # Errors
    ///
    /// When the access point name can't be coded, or the message is too long.
    pub fn write<'b>(
        &self,
        out: &'b mut Vec<u8>,
        teid: u32,
        sequence: u32,
    ) -> Result<&'b [u8], WriteError> {
        let kind = MessageType::CREATE_SESSION_REQUEST;
        let mut writer = Writer::new(out, kind, Some(teid), sequence);
        match self.caller {
            Caller::Subscriber(imsi) => writer.imsi(imsi),
            Caller::Equipment(imei) => writer.mei(imei),
        };
        writer
            .user_location(0, &self.location())
            .serving_network(self.plmn)
            .rat_type(RatType::EUTRAN)
            .indication(Indication::default().with(Indication::DAF))
            .f_teid(0, &control(self.interface, self.teid, self.local));
        if self.interface == Interface::S11 {
            writer.f_teid(1, &FTeid::new(InterfaceType::S5S8_PGW_C, 0, self.pgw));
        }
        writer
            .apn(self.apn)
            .selection_mode(SelectionMode::Verified)
            .pdn_type(self.pdn_type)
            .paa(&Paa::dynamic(self.pdn_type))
            .apn_restriction(ApnRestriction(0))
            .ambr(Ambr {
                uplink_kbps: AMBR_KBPS,
                downlink_kbps: AMBR_KBPS,
            })
            .bearer_context(0, |bearer| self.bearer(bearer));
        if let Some(recovery) = self.recovery {
            writer.recovery(recovery);
        }
        if self.low_priority {
            writer.low_access_priority(true);
        }
        writer.finish()
    }

    fn bearer(&self, bearer: &mut Writer<'_>) {
        bearer.ebi(0, self.ebi);
        if self.interface == Interface::S5 {
            let user = FTeid::new(InterfaceType::S5S8_SGW_U, self.teid, self.local);
            bearer.f_teid(2, &user);
        }
        bearer.bearer_qos(&BearerQos {
            arp: Arp {
                priority_level: self.priority_level,
                may_preempt: false,
                preemptable: true,
            },
            flow: FlowQos {
                qci: QCI,
                ..FlowQos::default()
            },
        });
    }

    fn location(&self) -> UserLocation {
        let plmn = self.plmn;
        UserLocation {
            tai: Some(Tai { plmn, tac: TAC }),
            ecgi: Some(Ecgi { plmn, eci: ECI }),
            ..UserLocation::default()
        }
    }
}

/// Our endpoint for signalling.
fn control(interface: Interface, teid: u32, local: IpAddr) -> FTeid {
    let kind = match interface {
        Interface::S11 => InterfaceType::S11_MME_C,
        Interface::S5 | Interface::Gn => InterfaceType::S5S8_SGW_C,
    };
    FTeid::new(kind, teid, local)
}

/// What a Modify Bearer Request says: on S11 where the eNodeB takes user data, on S5 where the SGW does (TS 29.274
/// 7.2.7).
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModifyBearer {
    pub interface: Interface,
    pub ebi: Ebi,
    pub local: IpAddr,
    pub teid: u32,
}

impl ModifyBearer {
    pub fn write<'b>(
        &self,
        out: &'b mut Vec<u8>,
        teid: u32,
        sequence: u32,
    ) -> Result<&'b [u8], WriteError> {
        let kind = MessageType::MODIFY_BEARER_REQUEST;
        let mut writer = Writer::new(out, kind, Some(teid), sequence);
        let (interface, instance) = match self.interface {
            Interface::S11 => (InterfaceType::S1U_ENB_U, 0),
            Interface::S5 | Interface::Gn => (InterfaceType::S5S8_SGW_U, 1),
        };
        if self.interface == Interface::S5 {
            writer.f_teid(0, &control(self.interface, self.teid, self.local));
        }
        writer.bearer_context(0, |bearer| {
            let user = FTeid::new(interface, self.teid, self.local);
            bearer.ebi(0, self.ebi).f_teid(instance, &user);
        });
        writer.finish()
    }
}

/// Writes a Release Access Bearers Request (TS 29.274 7.2.21): all bearers of the UE.
pub(crate) fn write_release(
    out: &mut Vec<u8>,
    teid: u32,
    sequence: u32,
) -> Result<&[u8], WriteError> {
    let kind = MessageType::RELEASE_ACCESS_BEARERS_REQUEST;
    Writer::new(out, kind, Some(teid), sequence).finish()
}

/// Writes a Delete Session Request for the PDN connection of this default bearer; an MME tells the SGW to pass it on to
/// the PGW (TS 29.274 7.2.9.1, OI).
pub(crate) fn write_delete(
    out: &mut Vec<u8>,
    interface: Interface,
    teid: u32,
    sequence: u32,
    linked: Ebi,
) -> Result<&[u8], WriteError> {
    let kind = MessageType::DELETE_SESSION_REQUEST;
    let mut writer = Writer::new(out, kind, Some(teid), sequence);
    writer.ebi(0, linked);
    if interface == Interface::S11 {
        writer.indication(Indication::default().with(Indication::OI));
    }
    writer.finish()
}

/// Writes an Echo Request or an Echo Response (TS 29.274 7.1.1, 7.1.2).
pub(crate) fn write_echo(
    out: &mut Vec<u8>,
    kind: MessageType,
    sequence: u32,
    recovery: u8,
) -> Result<&[u8], WriteError> {
    let mut writer = Writer::new(out, kind, None, sequence);
    writer.recovery(recovery);
    writer.finish()
}

/// Writes a Version Not Supported Indication, which says that version 2 is (TS 29.274 7.1.3).
pub(crate) fn write_version_not_supported(
    out: &mut Vec<u8>,
    sequence: u32,
) -> Result<&[u8], WriteError> {
    Writer::new(out, MessageType::VERSION_NOT_SUPPORTED, None, sequence).finish()
}

/// Writes the answer to a Delete Bearer Request of the gateway's (TS 29.274 7.2.10.2).
pub(crate) fn write_delete_bearer_response(
    out: &mut Vec<u8>,
    teid: u32,
    sequence: u32,
    cause: Cause,
    linked: Option<Ebi>,
) -> Result<&[u8], WriteError> {
    let kind = MessageType::DELETE_BEARER_RESPONSE;
    let mut writer = Writer::new(out, kind, Some(teid), sequence);
    writer.cause(&CauseIe::new(cause));
    if let Some(ebi) = linked {
        writer.ebi(0, ebi);
    }
    writer.finish()
}
