//! Create PDP Context, the first context of a session (TS 29.060 7.3.1, 7.3.2).

use std::net::IpAddr;

use gtp::pco;
use gtp::v1::{Apn as AskedApn, Cause, EndUserAddress, IeType, Imei, Imsi, PdpType, QosProfile};

use super::{Outcome, Rejected, Request};
use crate::answer::Granted;
use crate::call::{Call, Obstacle};
use crate::config::{Apn, GtpVersion, Role, StaticAddress};
use crate::plane::SessionPlane;
use crate::session::{Access, Identity, Leases};

/// Extended Common Flags: the IMSI was not authenticated (TS 29.060 7.7.93).
const UNAUTHENTICATED_IMSI: u8 = 0x01;

/// A call, and what its answer tells beside.
struct Plan<'a> {
    call: Call<'a>,
    qos: QosProfile<'a>,
    pdp_type: PdpType,
    /// Accepted, or accepted with another type than was asked for.
    cause: Cause,
    options: Option<pco::Answer>,
}

impl SessionPlane {
    pub(super) fn create<'a>(&mut self, request: &Request<'a>) -> Outcome<'a> {
        let plan = self.plan(request)?;
        let made = match self.begin_call(&plan.call, request.now) {
            Ok(made) => made,
            Err(obstacle) => return Err(self.stopped(obstacle, &plan.call, request)),
        };
        let granted = Granted {
            teid: made.teid,
            user_teid: made.teid,
            address: Some(self.end_user_address(plan.pdp_type, made.leases)),
            options: plan.options,
            qos: plan.qos.octets(),
        };
        Ok((plan.cause, Some(granted)))
    }

    fn stopped(&mut self, obstacle: Obstacle, call: &Call<'_>, request: &Request<'_>) -> Rejected {
        match obstacle {
            Obstacle::Peers | Obstacle::Endpoints => Cause::NO_RESOURCES_AVAILABLE.into(),
            Obstacle::Memory => Cause::NO_MEMORY_IS_AVAILABLE.into(),
            Obstacle::Addresses => Cause::ALL_DYNAMIC_PDP_ADDRESSES_OCCUPIED.into(),
            Obstacle::License(refusal) => {
                let style = request.options.back_off;
                let (cause, back_off) = self.reject_refused(call, refusal, style, request.now);
                Rejected {
                    cause: Cause(cause),
                    back_off,
                }
            }
        }
    }

    fn plan<'a>(&self, request: &Request<'a>) -> Result<Plan<'a>, Cause> {
        let asked = request.value(IeType::ACCESS_POINT_NAME, 0, AskedApn::parse)?;
        let unknown = Cause::MISSING_OR_UNKNOWN_APN;
        let place = self.shared.apns.find(&asked, Role::Ggsn);
        let place = place.ok_or(unknown)?;
        let apn = self.config.apns.get(usize::from(place)).ok_or(unknown)?;
        let served = self.shared.apns.served(place).ok_or(unknown)?;
        let qos = request.qos()?;
        let (pdp_type, cause) = wanted_type(request, apn)?;
        if !apn.emergency && request.is_unidentified() {
            self.shared.refusals.note_unidentified();
        }
        let who = identify(request, apn)?;
        let class = served.class(apn, request.priority_level(), Some(qos.arp()));
        let call = Call {
            asked,
            apn: place,
            emergency: apn.emergency,
            class,
            low_priority: served.gives_way(apn, class, request.has_low_priority()),
            who,
            access: Access::Gn,
            named: request.teid,
            number: request.nsapi()?,
            shard: request.shard,
            wants_v4: pdp_type != PdpType::Ipv6,
            wants_v6: pdp_type != PdpType::Ipv4,
            peer: request.peer()?,
            peer_teid: self.peer_teid(request, who)?,
            recovery: request.recovery(),
            user: request.user_plane()?,
            comes_over: None,
            comes_here: false,
        };
        Ok(Plan {
            call,
            qos,
            pdp_type,
            cause,
            options: request.options_of(apn),
        })
    }

    /// The peer's endpoint for signalling: it may be left out by a request to a session of the same subscriber, for which
    /// the peer told it before (TS 29.060 7.3.1).
    fn peer_teid(&self, request: &Request<'_>, who: Identity) -> Result<u32, Cause> {
        let told_before = || {
            let session = self
                .table
                .session(self.table.by_teid_of(request.teid, GtpVersion::V1)?)?;
            (session.identity == who).then_some(session.peer_teid)
        };
        let teid = request.control_teid().or_else(told_before);
        teid.ok_or(Cause::MANDATORY_IE_MISSING)
    }

    fn end_user_address(&self, pdp_type: PdpType, leases: Leases) -> EndUserAddress {
        let mut end_user = EndUserAddress::dynamic(pdp_type);
        for lease in leases.iter() {
            match self.shared.pools.address(lease) {
                IpAddr::V4(v4) => end_user.v4 = Some(v4),
                IpAddr::V6(v6) => end_user.v6 = Some(v6),
            }
        }
        end_user
    }
}

impl Request<'_> {
    fn options_of(&self, apn: &Apn) -> Option<pco::Answer> {
        apn.answer_to(self.ies.get(IeType::PROTOCOL_CONFIGURATION_OPTIONS)?)
    }

    fn is_authenticated(&self) -> bool {
        let flags = self.ies.get(IeType::EXTENDED_COMMON_FLAGS);
        let flags = flags.and_then(|value| value.first()).unwrap_or(&0);
        flags & UNAUTHENTICATED_IMSI == 0
    }

    /// In one of the two forms that an emergency call without an authenticated subscriber has.
    fn is_unidentified(&self) -> bool {
        match self.ies.get(IeType::IMSI) {
            Some(_) => !self.is_authenticated(),
            None => self.ies.get(IeType::IMEI).is_some(),
        }
    }
}

/// Who calls. Without an IMSI, or with one that nobody authenticated, it is the equipment, and only an emergency call
/// may come so (TS 29.060 7.3.1).
fn identify(request: &Request<'_>, apn: &Apn) -> Result<Identity, Cause> {
    let has_imsi = request.ies.get(IeType::IMSI).is_some();
    if has_imsi && request.is_authenticated() {
        let imsi = request.value(IeType::IMSI, 0, Imsi::parse)?;
        return Ok(Identity::of_imsi(imsi));
    }
    if apn.emergency {
        let imei = request.value(IeType::IMEI, 0, Imei::parse)?;
        return Ok(Identity::of_imei(imei));
    }
    Err(match has_imsi {
        true => Cause::USER_AUTHENTICATION_FAILED,
        false => Cause::MANDATORY_IE_MISSING,
    })
}

/// The PDP type that is granted, with the cause that says so. Only IP is served, and only where the access point name
/// has pools for it; of two versions asked for, one may be granted (TS 29.060 7.3.2).
fn wanted_type(request: &Request<'_>, apn: &Apn) -> Result<(PdpType, Cause), Cause> {
    let wanted = request.value(IeType::END_USER_ADDRESS, 0, EndUserAddress::parse)?;
    let v4_static = wanted.v4.is_some_and(|address| !address.is_unspecified());
    let v6_static = wanted.v6.is_some_and(|address| !address.is_unspecified());
    if (v4_static || v6_static) && apn.static_address == StaticAddress::Refuse {
        return Err(Cause::UNKNOWN_PDP_ADDRESS_OR_TYPE);
    }
    let accepted = Cause::REQUEST_ACCEPTED;
    let preferred = Cause::NEW_PDP_TYPE_NETWORK_PREFERENCE;
    let v4_served = !apn.ipv4_pools.is_empty();
    let v6_served = !apn.ipv6_pools.is_empty();
    match (wanted.pdp_type, v4_served, v6_served) {
        (PdpType::Ipv4, true, _) => Ok((PdpType::Ipv4, accepted)),
        (PdpType::Ipv6, _, true) => Ok((PdpType::Ipv6, accepted)),
        (PdpType::Ipv4v6, true, true) => Ok((PdpType::Ipv4v6, accepted)),
        (PdpType::Ipv4v6, true, false) => Ok((PdpType::Ipv4, preferred)),
        (PdpType::Ipv4v6, false, true) => Ok((PdpType::Ipv6, preferred)),
        (PdpType::Ipv4 | PdpType::Ipv6 | PdpType::Ipv4v6 | PdpType::Ppp, _, _)
        | (PdpType::Other { .. }, _, _) => Err(Cause::UNKNOWN_PDP_ADDRESS_OR_TYPE),
    }
}
