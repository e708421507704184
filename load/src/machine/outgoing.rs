//! What goes out: datagrams are written from the state of their call when they are sent.

use std::net::SocketAddr;

use gtp::v1::{self, EndUserAddress, EvolvedArp, Nsapi};
use gtp::v2::{self, Ebi};
use gtp::{v1::WriteError as V1Error, v2::WriteError as V2Error};
use thiserror::Error;

use super::calls::Call;
use super::{Machine, Request, Transmit};
use crate::interface::Kind;
use crate::message::{self, UpdateRequest};
use crate::message_v2::{self, Caller, CreateSession, ModifyBearer};
use crate::{CreateRequest, Interface, QOS_R99};

/// A datagram that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outgoing {
    Request {
        path: u16,
        sequence: u32,
    },
    /// The answer to an Echo Request.
    Echo {
        to: SocketAddr,
        path: u16,
        sequence: u32,
    },
    /// The answer to the end of a call.
    Ended {
        to: SocketAddr,
        path: u16,
        sequence: u32,
        teid: u32,
        bearer: Option<u8>,
        known: bool,
    },
    /// The answer to a message of another version.
    Version {
        to: SocketAddr,
        path: u16,
        sequence: u32,
    },
}

/// Why a message can't be written.
#[derive(Debug, Error)]
pub(super) enum Unwritable {
    #[error(transparent)]
    V1(#[from] V1Error),
    #[error(transparent)]
    V2(#[from] V2Error),
}

impl Machine {
    /// None where a request was answered before it was sent again.
    pub(super) fn write(
        &self,
        outgoing: Outgoing,
        out: &mut Vec<u8>,
    ) -> Option<Result<Transmit, Unwritable>> {
        let (path, to) = match outgoing {
            Outgoing::Request { path, .. } => (path, None),
            Outgoing::Echo { path, to, .. }
            | Outgoing::Ended { path, to, .. }
            | Outgoing::Version { path, to, .. } => (path, Some(to)),
        };
        let written = match (outgoing, self.plan.interface) {
            (Outgoing::Request { path, sequence }, interface) => {
                let pending = self.paths[usize::from(path)].get(sequence)?;
                let request = &pending.what;
                let call = self.calls.get(request.teid)?;
                match interface {
                    Interface::Gn => self.write_v1(request, call, sequence as u16, out),
                    Interface::S5 | Interface::S11 => self.write_v2(request, call, sequence, out),
                }
            }
            (answer, Interface::Gn) => self.answer_v1(answer, out).map_err(Unwritable::from),
            (answer, Interface::S5 | Interface::S11) => {
                self.answer_v2(answer, out).map_err(Unwritable::from)
            }
        };
        Some(written.map(|()| Transmit { path, to }))
    }

    fn answer_v1(&self, answer: Outgoing, out: &mut Vec<u8>) -> Result<(), V1Error> {
        match answer {
            Outgoing::Echo { sequence, .. } => {
                message::write_echo_response(out, sequence as u16, self.plan.recovery)?;
            }
            Outgoing::Ended {
                sequence,
                teid,
                known,
                ..
            } => {
                let cause = match known {
                    true => v1::Cause::REQUEST_ACCEPTED,
                    false => v1::Cause::NON_EXISTENT,
                };
                message::write_delete_response(out, teid, sequence as u16, cause)?;
            }
            Outgoing::Request { .. } | Outgoing::Version { .. } => {}
        }
        Ok(())
    }

    fn answer_v2(&self, answer: Outgoing, out: &mut Vec<u8>) -> Result<(), V2Error> {
        match answer {
            Outgoing::Echo { sequence, .. } => {
                let kind = v2::MessageType::ECHO_RESPONSE;
                message_v2::write_echo(out, kind, sequence, self.plan.recovery)?;
            }
            Outgoing::Ended {
                sequence,
                teid,
                bearer,
                known,
                ..
            } => {
                let cause = match known {
                    true => v2::Cause::REQUEST_ACCEPTED,
                    false => v2::Cause::CONTEXT_NOT_FOUND,
                };
                let linked = bearer.filter(|_| known).map(Ebi::new).transpose()?;
                message_v2::write_delete_bearer_response(out, teid, sequence, cause, linked)?;
            }
            Outgoing::Version { sequence, .. } => {
                message_v2::write_version_not_supported(out, sequence)?;
            }
            Outgoing::Request { .. } => {}
        }
        Ok(())
    }

    fn write_v1(
        &self,
        request: &Request,
        call: &Call,
        sequence: u16,
        out: &mut Vec<u8>,
    ) -> Result<(), Unwritable> {
        let peer_teid = request.peer_teid;
        match request.kind {
            Kind::Create => {
                self.create_request(call)?.write(out, peer_teid, sequence)?;
            }
            Kind::Update | Kind::Release => {
                let update = UpdateRequest {
                    nsapi: Nsapi::FIRST,
                    recovery: None,
                    teid_data: call.teid,
                    teid_control: call.teid,
                    gsn_address: self.local,
                    arp: self.plan.arp,
                    qos: &QOS_R99,
                };
                update.write(out, peer_teid, sequence)?;
            }
            Kind::Delete => {
                message::write_delete(out, peer_teid, sequence, Nsapi::FIRST, true)?;
            }
        }
        Ok(())
    }

    fn create_request(&self, call: &Call) -> Result<CreateRequest<'_>, V1Error> {
        let number = self.first_caller + u64::from(call.subscriber);
        let evolved_arp = self
            .plan
            .evolved_arp_level
            .map(|priority_level| EvolvedArp {
                priority_level,
                may_preempt: false,
                preemptable: true,
            });
        Ok(CreateRequest {
            imsi: Some(v1::Imsi::from_number(number, self.imsi_digits)?),
            nsapi: Nsapi::FIRST,
            linked_nsapi: None,
            recovery: Some(self.plan.recovery),
            teid_data: call.teid,
            teid_control: call.teid,
            charging_characteristics: 0x0800,
            end_user_address: EndUserAddress::dynamic(self.plan.addresses.pdp_type()),
            apn: self.apn(call, 0),
            pco: None,
            gsn_address: self.local,
            msisdn: None,
            arp: self.plan.arp,
            qos: &QOS_R99,
            evolved_arp,
            low_priority: self.plan.low_priority,
        })
    }

    fn write_v2(
        &self,
        request: &Request,
        call: &Call,
        sequence: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Unwritable> {
        let peer_teid = request.peer_teid;
        let interface = self.plan.interface;
        let ebi = Ebi::new(Ebi::FIRST.number() + request.pdn).map_err(V2Error::from)?;
        match request.kind {
            Kind::Create => {
                let create = self.create_session(call, request.pdn, ebi)?;
                create.write(out, peer_teid, sequence)?;
            }
            Kind::Update => {
                let modify = ModifyBearer {
                    interface,
                    ebi,
                    local: self.local,
                    teid: call.teid,
                };
                modify.write(out, peer_teid, sequence)?;
            }
            Kind::Release => {
                message_v2::write_release(out, peer_teid, sequence)?;
            }
            Kind::Delete => {
                message_v2::write_delete(out, interface, peer_teid, sequence, ebi)?;
            }
        }
        Ok(())
    }

    fn create_session(
        &self,
        call: &Call,
        pdn: u8,
        ebi: Ebi,
    ) -> Result<CreateSession<'_>, Unwritable> {
        let number = self.first_caller + u64::from(call.subscriber);
        let caller = match self.plan.emergency {
            // The digit that checks the others is sent as 0 (TS 23.003 6.2.1).
            true => v2::Imsi::from_number(number * 10, IMEI_DIGITS)
                .and_then(|digits| v2::Imei::parse(&digits.octets()))
                .map(Caller::Equipment),
            false => v2::Imsi::from_number(number, self.imsi_digits).map(Caller::Subscriber),
        };
        Ok(CreateSession {
            interface: self.plan.interface,
            caller: caller.map_err(V2Error::from)?,
            plmn: self.plmn,
            local: self.local,
            teid: call.teid,
            pgw: self.plan.pgw.unwrap_or(self.plan.peer.ip()),
            apn: self.apn(call, pdn),
            pdn_type: self.plan.addresses.pdn_type(),
            ebi,
            priority_level: self.plan.evolved_arp_level.unwrap_or(PRIORITY_LEVEL),
            low_priority: self.plan.low_priority,
            recovery: Some(self.plan.recovery),
        })
    }

    /// A UE's PDN connections go round the access points, from the one that was drawn.
    fn apn(&self, call: &Call, pdn: u8) -> &str {
        let place = usize::from(call.apn) + usize::from(pdn);
        &self.plan.apns[place % self.plan.apns.len()].apn
    }
}

/// Digits of an IMEI; they are coded as those of an IMSI are.
const IMEI_DIGITS: u8 = 15;

/// Allocation/retention priority of a default bearer where the plan says none.
const PRIORITY_LEVEL: u8 = 9;
