//! Create Session on S11, S5/S8, S2a and S2b (TS 29.274 7.2.1, 7.2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gtp::pco;
use gtp::v2::value::low_access_priority;
use gtp::v2::{
    Apn as AskedApn, BearerQos, Cause, CauseIe, FTeid, IeSet, IeType, Imei, Imsi, Indication,
    InterfaceType, Paa, PdnType,
};

use super::answer::{Bearers, Granted};
use super::{Done, Rejected, Request, bearer_number, value};
use crate::call::{Call, Obstacle};
use crate::config::{Apn, Role, StaticAddress};
use crate::plane::SessionPlane;
use crate::session::{Access, Identity, Leases};

/// Instance of the PGW's endpoint for signalling (TS 29.274 table 7.2.1-1).
const PGW_CONTROL: u8 = 1;
/// Length of the prefix that a UE is given. Unit: bits.
const PREFIX_BITS: u8 = 64;

/// A call, and what its answer tells beside.
struct Plan<'a> {
    call: Call<'a>,
    pdn_type: PdnType,
    /// Accepted, or accepted with another type than was asked for.
    cause: Cause,
    options: Option<(IeType, pco::Answer)>,
    /// The PGW that gives the addresses, where that is another's.
    pgw: Option<IpAddr>,
    /// A connection of ours that comes from another SGW; and whether it is sure to stay.
    relocated: Option<(u32, bool)>,
}

impl SessionPlane {
    /// None: the answer waits for the PGW's.
    pub(super) fn create_session(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Option<Done>, Rejected> {
        let plan = self.plan_session(request)?;
        if let Some(pgw) = plan.pgw {
            self.relay_session(request, &plan.call, pgw)?;
            return Ok(None);
        }
        let made = match plan.relocated {
            Some((session, sure)) => {
                self.come_from_an_sgw(&plan.call, session, sure, request.now.mono)
            }
            None => self.begin_call(&plan.call, request.now),
        };
        let made = match made {
            Ok(made) => made,
            Err(obstacle) => return Err(self.stopped_v2(obstacle, &plan.call, request)),
        };
        let (bearers, partly) = further_bearers(request, &plan.call);
        let granted = Granted {
            access: plan.call.access,
            teid: made.teid,
            ue_teid: made.ue_teid,
            number: plan.call.number,
            address: self.allocation(plan.pdn_type, made.leases),
            options: plan.options,
        };
        let cause = match partly {
            true => Cause::REQUEST_ACCEPTED_PARTIALLY,
            false => plan.cause,
        };
        Ok(Some(Done {
            granted: Some(granted),
            bearers,
            ..Done::with(cause)
        }))
    }

    pub(super) fn stopped_v2(
        &mut self,
        obstacle: Obstacle,
        call: &Call<'_>,
        request: &Request<'_>,
    ) -> Rejected {
        match obstacle {
            Obstacle::Peers | Obstacle::Endpoints => Cause::NO_RESOURCES_AVAILABLE.into(),
            Obstacle::Memory => Cause::NO_MEMORY_AVAILABLE.into(),
            Obstacle::Addresses => Cause::ALL_DYNAMIC_ADDRESSES_OCCUPIED.into(),
            Obstacle::License(refusal) => {
                let style = request.options.back_off;
                let (cause, back_off) = self.reject_refused(call, refusal, style, request.now);
                Rejected {
                    cause: CauseIe::new(Cause(cause)),
                    back_off,
                }
            }
        }
    }

    fn plan_session<'a>(&self, request: &Request<'a>) -> Result<Plan<'a>, CauseIe> {
        let access = request.access();
        let access = access.ok_or(CauseIe::new(Cause::SERVICE_NOT_SUPPORTED))?;
        let asked = request.value(IeType::APN, AskedApn::parse)?;
        let unknown = || CauseIe::new(Cause::MISSING_OR_UNKNOWN_APN);
        let endpoint = pgw_of(request, access)?;
        let role = self.role_of(endpoint.as_ref());
        let place = self.shared.apns.find(&asked, role);
        let place = place.ok_or_else(unknown)?;
        let apn = self.config.apns.get(usize::from(place));
        let apn = apn.ok_or_else(unknown)?;
        let served = self.shared.apns.served(place).ok_or_else(unknown)?;
        let bearer = request.bearer()?;
        let qos = value(&bearer, IeType::BEARER_QOS, 0, BearerQos::parse)?;
        let flags = request.flags();
        let sender = request.value(IeType::F_TEID, FTeid::parse)?;
        if !apn.emergency && request.is_unidentified(flags) {
            self.shared.refusals.note_unidentified();
        }
        let who = identify(request, apn, flags)?;
        let number = bearer_number(&bearer)?;
        // What comes over may make a call of an SGW and PGW one of a PGW alone, or the other way round.
        let apns = || [Role::Pgw, Role::Saegw].map(|role| self.shared.apns.find(&asked, role));
        let relocated = match &endpoint {
            Some(ours) if role != Role::Sgw => self.relocated(ours, who, apns())?,
            Some(_) | None => None,
        };
        let handed_over = || self.table.handed_over(who, number, apns(), access);
        let nowhere = || CauseIe::about(Cause::MANDATORY_IE_INCORRECT, IeType::F_TEID, PGW_CONTROL);
        // What another's PGW hands over is its to say, and so is the type of its address.
        let pgw = match (&endpoint, role) {
            (Some(endpoint), Role::Sgw) => Some(self.pgw_address(endpoint).ok_or_else(nowhere)?),
            (_, Role::Ggsn | Role::Pgw | Role::Saegw | Role::Sgw) => None,
        };
        let is_handed = flags.has(Indication::HI) && pgw.is_none() && relocated.is_none();
        let comes_over = is_handed.then(handed_over).flatten();
        let (pdn_type, cause) = match relocated.and_then(|session| self.pdn_type_of(session)) {
            Some(pdn_type) => (pdn_type, Cause::REQUEST_ACCEPTED),
            None if pgw.is_some() => (PdnType::NonIp, Cause::REQUEST_ACCEPTED),
            None => wanted_type(request, apn, access, flags)?,
        };
        let class = served.class(apn, Some(qos.arp.priority_level), None);
        let call = Call {
            asked,
            apn: place,
            emergency: apn.emergency,
            class,
            low_priority: served.gives_way(apn, class, request.has_low_priority()),
            who,
            access,
            named: request.teid.unwrap_or(0),
            number,
            shard: request.shard,
            wants_v4: matches!(pdn_type, PdnType::Ipv4 | PdnType::Ipv4v6),
            wants_v6: matches!(pdn_type, PdnType::Ipv6 | PdnType::Ipv4v6),
            peer: address_of(&sender, 0, false)?,
            peer_teid: sender.teid,
            recovery: request.recovery(),
            user: user_plane(&bearer, access)?,
            comes_over,
            comes_here: role == Role::Sgw && endpoint.is_some_and(|endpoint| endpoint.teid != 0),
        };
        Ok(Plan {
            call,
            pdn_type,
            cause,
            options: request.options_of(apn),
            pgw,
            relocated: relocated.map(|session| (session, flags.has(Indication::OI))),
        })
    }

    /// What the call makes of us: by S11 that is up to the address of the PGW that the MME names.
    pub(super) fn role_of(&self, pgw: Option<&FTeid>) -> Role {
        let Some(pgw) = pgw else {
            return Role::Pgw;
        };
        let addresses = [
            pgw.v4.map(IpAddr::V4),
            pgw.v6.map(|address| address.to_canonical()),
        ];
        match addresses.contains(&Some(self.config.control.ip())) {
            true => Role::Saegw,
            false => Role::Sgw,
        }
    }

    /// The addresses as the UE is told them.
    fn allocation(&self, pdn_type: PdnType, leases: Leases) -> Paa {
        let (mut v4, mut v6) = (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
        for lease in leases.iter() {
            match self.shared.pools.address(lease) {
                IpAddr::V4(address) => v4 = address,
                IpAddr::V6(address) => v6 = address,
            }
        }
        let prefix_bits = PREFIX_BITS;
        match pdn_type {
            PdnType::Ipv4 => Paa::Ipv4(v4),
            PdnType::Ipv6 => Paa::Ipv6 {
                prefix_bits,
                address: v6,
            },
            PdnType::Ipv4v6 => Paa::Ipv4v6 {
                prefix_bits,
                v6,
                v4,
            },
            PdnType::NonIp | PdnType::Ethernet => Paa::dynamic(pdn_type),
        }
    }
}

impl<'a> Request<'a> {
    /// Which access it comes by: what the sender's endpoint says. None for one that we have no part in.
    pub(super) fn access(&self) -> Option<Access> {
        match self.sender()?.interface {
            InterfaceType::S11_MME_C => Some(Access::S11),
            InterfaceType::S5S8_SGW_C => Some(Access::S5),
            InterfaceType::S2A_TWAN_C => Some(Access::S2a),
            InterfaceType::S2B_EPDG_C => Some(Access::S2b),
            _ => None,
        }
    }

    /// The first bearer context: the default bearer's.
    pub(super) fn bearer(&self) -> Result<IeSet<'a>, CauseIe> {
        let kind = IeType::BEARER_CONTEXT;
        let group = self.ies.group(kind, 0);
        let group = group.ok_or(CauseIe::about(Cause::MANDATORY_IE_MISSING, kind, 0))?;
        group.map_err(|_| CauseIe::about(Cause::MANDATORY_IE_INCORRECT, kind, 0))
    }

    /// In one of the two forms that an emergency call without an authenticated subscriber has.
    fn is_unidentified(&self, flags: Indication) -> bool {
        match self.ies.get(IeType::IMSI, 0) {
            Some(_) => flags.has(Indication::UIMSI),
            None => self.ies.get(IeType::MEI, 0).is_some(),
        }
    }

    /// The answer to options, in the element that they came in: the extended ones where the UE has them, the additional
    /// ones of an ePDG, or the plain ones (TS 29.274 table 7.2.2-1).
    fn options_of(&self, apn: &Apn) -> Option<(IeType, pco::Answer)> {
        let kinds = [IeType::EPCO, IeType::APCO, IeType::PCO];
        let mut asked = kinds
            .into_iter()
            .zip(kinds.map(|kind| self.ies.get(kind, 0)));
        let (kind, options) = asked.find_map(|(kind, options)| Some((kind, options?)))?;
        Some((kind, apn.answer_to(options)?))
    }

    /// Low access priority (TS 29.274 8.88).
    pub(super) fn has_low_priority(&self) -> bool {
        let value = self.ies.get(IeType::SIGNALLING_PRIORITY_INDICATION, 0);
        value.is_some_and(|value| low_access_priority(value).unwrap_or(false))
    }

    /// Indication flags; malformed they are as good as absent.
    pub(super) fn flags(&self) -> Indication {
        let value = self.ies.get(IeType::INDICATION, 0);
        let flags = value.and_then(|value| Indication::parse(value).ok());
        flags.unwrap_or_default()
    }
}

/// The PGW that an MME names; no other peer does.
pub(super) fn pgw_of(request: &Request<'_>, access: Access) -> Result<Option<FTeid>, CauseIe> {
    match access {
        Access::S11 => value(request.ies, IeType::F_TEID, PGW_CONTROL, FTeid::parse).map(Some),
        Access::Gn | Access::S5 | Access::S2a | Access::S2b => Ok(None),
    }
}

/// Where user data goes; the instance of its endpoint depends on the access. By S11 the eNodeB's endpoint comes later,
/// but for a hand-over.
fn user_plane(bearer: &IeSet<'_>, access: Access) -> Result<(u32, IpAddr), CauseIe> {
    let instance = match access {
        Access::S11 if bearer.get(IeType::F_TEID, 0).is_none() => {
            return Ok((0, IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        }
        Access::S11 => 0,
        Access::Gn | Access::S5 => 2,
        Access::S2b => 5,
        Access::S2a => 6,
    };
    let endpoint = value(bearer, IeType::F_TEID, instance, FTeid::parse)?;
    Ok((endpoint.teid, address_of(&endpoint, instance, true)?))
}

fn address_of(endpoint: &FTeid, instance: u8, of_bearer: bool) -> Result<IpAddr, CauseIe> {
    let address = endpoint.address().map(|address| address.to_canonical());
    address.ok_or(CauseIe {
        bearer_context_error: of_bearer,
        ..CauseIe::about(Cause::MANDATORY_IE_INCORRECT, IeType::F_TEID, instance)
    })
}

/// Bearers beyond the default one are not made: each is told so, and the request is accepted in part.
fn further_bearers(request: &Request<'_>, call: &Call<'_>) -> (Bearers, bool) {
    let mut bearers = Bearers::default();
    let mut partly = false;
    let groups = request.ies.groups(IeType::BEARER_CONTEXT, 0).skip(1);
    for number in groups.filter_map(|group| bearer_number(&group.ok()?).ok()) {
        if number != call.number {
            bearers.set(number, Cause::NO_RESOURCES_AVAILABLE, None);
            partly = true;
        }
    }
    (bearers, partly)
}

/// Who calls. Without an IMSI, or with one that nobody authenticated, it is the equipment, and only an emergency call
/// may come so (TS 29.274 table 7.2.1-1, TS 23.401 4.3.12).
fn identify(request: &Request<'_>, apn: &Apn, flags: Indication) -> Result<Identity, CauseIe> {
    let has_imsi = request.ies.get(IeType::IMSI, 0).is_some();
    if has_imsi && !flags.has(Indication::UIMSI) {
        let imsi = request.value(IeType::IMSI, Imsi::parse_short)?;
        return Ok(Identity::of_imsi(imsi));
    }
    if apn.emergency {
        let missing = CauseIe::about(Cause::CONDITIONAL_IE_MISSING, IeType::MEI, 0);
        let mei = request.ies.get(IeType::MEI, 0).ok_or(missing)?;
        let malformed = CauseIe::about(Cause::MANDATORY_IE_INCORRECT, IeType::MEI, 0);
        return Imei::parse(mei)
            .map(Identity::of_imei)
            .map_err(|_| malformed);
    }
    Err(match has_imsi {
        true => CauseIe::new(Cause::USER_AUTHENTICATION_FAILED),
        false => CauseIe::about(Cause::CONDITIONAL_IE_MISSING, IeType::IMSI, 0),
    })
}

/// The PDN type that is granted, with the cause that says so. Only IP is served, and only where the access point name
/// has pools for it; of two versions asked for, one may be granted (TS 29.274 7.2.2, TS 23.401 5.3.1.1).
fn wanted_type(
    request: &Request<'_>,
    apn: &Apn,
    access: Access,
    flags: Indication,
) -> Result<(PdnType, Cause), CauseIe> {
    let wanted = request.value(IeType::PAA, Paa::parse)?;
    let v4_static = wanted.v4().is_some_and(|address| !address.is_unspecified());
    let v6_static = wanted.v6().is_some_and(|address| !address.is_unspecified());
    let is_static = (v4_static || v6_static) && !flags.has(Indication::HI);
    if is_static && apn.static_address == StaticAddress::Refuse {
        return Err(CauseIe::new(Cause::PREFERRED_PDN_TYPE_NOT_SUPPORTED));
    }
    let accepted = Cause::REQUEST_ACCEPTED;
    let preferred = Cause::NEW_PDN_TYPE_NETWORK_PREFERENCE;
    let single = Cause::NEW_PDN_TYPE_SINGLE_ADDRESS_BEARER;
    let v4_served = !apn.ipv4_pools.is_empty();
    let v6_served = !apn.ipv6_pools.is_empty();
    let one_bearer_carries_both =
        matches!(access, Access::S2a | Access::S2b) || flags.has(Indication::DAF);
    match (wanted.pdn_type(), v4_served, v6_served) {
        (PdnType::Ipv4, true, _) => Ok((PdnType::Ipv4, accepted)),
        (PdnType::Ipv6, _, true) => Ok((PdnType::Ipv6, accepted)),
        (PdnType::Ipv4v6, true, true) if one_bearer_carries_both => Ok((PdnType::Ipv4v6, accepted)),
        (PdnType::Ipv4v6, true, true) => Ok((PdnType::Ipv4, single)),
        (PdnType::Ipv4v6, true, false) => Ok((PdnType::Ipv4, preferred)),
        (PdnType::Ipv4v6, false, true) => Ok((PdnType::Ipv6, preferred)),
        (PdnType::Ipv4 | PdnType::Ipv6 | PdnType::Ipv4v6, _, _)
        | (PdnType::NonIp | PdnType::Ethernet, _, _) => {
            Err(CauseIe::new(Cause::PREFERRED_PDN_TYPE_NOT_SUPPORTED))
        }
    }
}
