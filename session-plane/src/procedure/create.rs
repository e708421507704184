//! Create PDP Context, the first context of a session (TS 29.060 7.3.1, 7.3.2).

use std::net::IpAddr;

use enforcer::{ClassId, Permit, Refusal};
use gtp::v1::{
    Apn as AskedApn, Cause, EndUserAddress, IeType, Imei, Imsi, Nsapi, PdpType, QosProfile,
};

use super::{Outcome, Request};
use crate::answer::Granted;
use crate::config::{Apn, StaticAddress};
use crate::plane::SessionPlane;
use crate::pools::Lease;
use crate::refusal::Refused;
use crate::session::{Context, Identity, Leases, NONE, Session};
use crate::statistics::Ended;
use crate::table::Place;

/// Extended Common Flags: the IMSI was not authenticated (TS 29.060 7.7.93).
const UNAUTHENTICATED_IMSI: u8 = 0x01;

/// What a request asks for, found to be something that can be given.
struct Plan<'a> {
    asked: AskedApn<'a>,
    /// Place in the configured access point names.
    apn: u16,
    emergency: bool,
    class: ClassId,
    who: Identity,
    nsapi: Nsapi,
    qos: QosProfile<'a>,
    pdp_type: PdpType,
    /// Accepted, or accepted with another type than was asked for.
    cause: Cause,
    peer: IpAddr,
    peer_teid: u32,
    user: (u32, IpAddr),
}

/// Addresses for a session.
struct Offer {
    leases: Leases,
    /// Those of them taken out of the pools for it; the others are its predecessor's.
    fresh: Leases,
}

impl SessionPlane {
    /// Everything that may fail comes before the permit; after it nothing does. A refused request leaves all as it was.
    pub(super) fn create<'a>(&mut self, request: &Request<'a>) -> Outcome<'a> {
        let plan = self.plan(request)?;
        let peer = self.meet(plan.peer, plan.emergency, request.now.mono)?;
        if let Some(counter) = request.recovery() {
            self.hear_recovery(plan.peer, counter);
        }
        let outcome = self.make(&plan, peer, request);
        if outcome.is_err() {
            self.part(peer);
        }
        outcome
    }

    fn make<'a>(&mut self, plan: &Plan<'a>, peer: u32, request: &Request<'a>) -> Outcome<'a> {
        let collision = self.table.by_key(plan.who.with(plan.nsapi));
        let old = match collision {
            Some(Place::First(session)) => Some(session),
            Some(Place::Further(_)) | None => None,
        };
        if !self.has_room(plan.emergency, old) {
            return Err(Cause::NO_MEMORY_IS_AVAILABLE.into());
        }
        let teid = self.table.draw_teid(request.shard, &mut self.random);
        let teid = teid.ok_or(Cause::NO_RESOURCES_AVAILABLE)?;
        let offer = self.offer(plan, old)?;
        let permit = match self.ask(old, plan.class) {
            Ok(permit) => permit,
            Err(refusal) => {
                offer
                    .fresh
                    .iter()
                    .for_each(|lease| self.shared.pools.undo(lease));
                let refused = Refused {
                    who: plan.who,
                    asked: plan.asked,
                    apn: plan.apn,
                    refusal,
                };
                return Err(self.reject_refused(&refused, request.now));
            }
        };
        let left = self.make_way(collision, offer.leases);
        self.begin_session(Session {
            identity: plan.who,
            teid,
            peer_teid: plan.peer_teid,
            peer,
            incarnation: self.shared.restarts.incarnation(plan.peer),
            apn: plan.apn,
            leases: offer.leases,
            class: plan.class,
            permit: Some(permit),
            context: Context::new(teid, plan.nsapi, plan.user.0, plan.user.1),
            further: NONE,
            newer: NONE,
            older: NONE,
        });
        if let Some(left) = left {
            self.part(left);
        }
        let granted = Granted {
            teid,
            user_teid: teid,
            address: Some(self.end_user_address(plan.pdp_type, offer.leases)),
            qos: plan.qos.octets(),
        };
        Ok((plan.cause, Some(granted)))
    }

    fn plan<'a>(&self, request: &Request<'a>) -> Result<Plan<'a>, Cause> {
        let asked = request.value(IeType::ACCESS_POINT_NAME, 0, AskedApn::parse)?;
        let unknown = Cause::MISSING_OR_UNKNOWN_APN;
        let place = self.shared.apns.find(&asked).ok_or(unknown)?;
        let apn = self.config.apns.get(usize::from(place)).ok_or(unknown)?;
        let served = self.shared.apns.served(place).ok_or(unknown)?;
        let qos = request.qos()?;
        let (pdp_type, cause) = wanted_type(request, apn)?;
        let who = identify(request, apn)?;
        Ok(Plan {
            asked,
            apn: place,
            emergency: apn.emergency,
            class: served.class(apn, request.priority_level(), &qos),
            who,
            nsapi: request.nsapi()?,
            qos,
            pdp_type,
            cause,
            peer: request.peer()?,
            peer_teid: self.peer_teid(request, who)?,
            user: request.user_plane()?,
        })
    }

    /// The peer's endpoint for signalling: it may be left out by a request to a session of the same subscriber, for which
    /// the peer told it before (TS 29.060 7.3.1).
    fn peer_teid(&self, request: &Request<'_>, who: Identity) -> Result<u32, Cause> {
        let told_before = || {
            let session = self.table.session(self.table.by_teid(request.teid)?)?;
            (session.identity == who).then_some(session.peer_teid)
        };
        let teid = request.control_teid().or_else(told_before);
        teid.ok_or(Cause::MANDATORY_IE_MISSING)
    }

    /// Asks the gate. While a colliding session is replaced its place is never free; refused, the old one keeps its
    /// permit (rule L13).
    fn ask(&mut self, old: Option<u32>, class: ClassId) -> Result<Permit, Refusal> {
        let Some((place, permit)) = old.and_then(|old| Some((old, self.take_permit(old)?))) else {
            return self.gate.admit(class);
        };
        self.gate
            .replace(permit, class)
            .map_err(|(refusal, permit)| {
                if let Some(session) = self.table.session_mut(place) {
                    session.permit = Some(permit);
                }
                refusal
            })
    }

    /// Takes out what the new session replaces: the old session whole, or the one further context that has its NSAPI
    /// (TS 29.060 7.3.1). The peer that had the old session, if there was one.
    fn make_way(&mut self, collision: Option<Place>, kept: Leases) -> Option<u32> {
        match collision? {
            Place::First(old) => {
                let session = self.table.remove(old)?;
                let peer = session.peer;
                self.settle(old, session, Ended::Replaced, kept);
                Some(peer)
            }
            further @ Place::Further(_) => {
                self.table.remove_context(further);
                None
            }
        }
    }

    /// Addresses of the wanted type. One that replaces a session of the same access point name keeps its addresses: a
    /// full pool must not end a session that is only made anew.
    fn offer(&self, plan: &Plan<'_>, old: Option<u32>) -> Result<Offer, Cause> {
        let old = old.and_then(|old| self.table.session(old));
        let old = old.filter(|session| session.apn == plan.apn);
        let inherited = old.map_or(Leases::default(), |session| session.leases);
        let apn = self.config.apns.get(usize::from(plan.apn));
        let apn = apn.ok_or(Cause::MISSING_OR_UNKNOWN_APN)?;
        let v4 = self.lease(
            plan.pdp_type != PdpType::Ipv6,
            inherited.v4,
            &apn.ipv4_pools,
        );
        let v6 = self.lease(
            plan.pdp_type != PdpType::Ipv4,
            inherited.v6,
            &apn.ipv6_pools,
        );
        let unless_inherited =
            |lease: Option<Lease>, inherited| lease.filter(|_| lease != inherited);
        let fresh = Leases {
            v4: unless_inherited(v4.unwrap_or_default(), inherited.v4),
            v6: unless_inherited(v6.unwrap_or_default(), inherited.v6),
        };
        match (v4, v6) {
            (Ok(v4), Ok(v6)) => Ok(Offer {
                leases: Leases { v4, v6 },
                fresh,
            }),
            (Err(cause), _) | (_, Err(cause)) => {
                fresh.iter().for_each(|lease| self.shared.pools.undo(lease));
                Err(cause)
            }
        }
    }

    /// The address of one family: none if none is wanted, the inherited one, or one from the pools.
    fn lease(
        &self,
        wanted: bool,
        inherited: Option<Lease>,
        pools: &[u16],
    ) -> Result<Option<Lease>, Cause> {
        if !wanted {
            return Ok(None);
        }
        let lease = inherited.or_else(|| self.shared.pools.allocate(pools));
        match lease {
            Some(lease) => Ok(Some(lease)),
            None => Err(Cause::ALL_DYNAMIC_PDP_ADDRESSES_OCCUPIED),
        }
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

/// Who calls. Without an IMSI, or with one that nobody authenticated, it is the equipment, and only an emergency call
/// may come so (TS 29.060 7.3.1).
fn identify(request: &Request<'_>, apn: &Apn) -> Result<Identity, Cause> {
    let has_imsi = request.ies.get(IeType::IMSI).is_some();
    let flags = request.ies.get(IeType::EXTENDED_COMMON_FLAGS);
    let flags = flags.and_then(|value| value.first()).unwrap_or(&0);
    let authenticated = flags & UNAUTHENTICATED_IMSI == 0;
    if has_imsi && authenticated {
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
