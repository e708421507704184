//! What goes out: datagrams are written from the state of their call when they are sent.

use std::net::SocketAddr;

use gtp::v1::{Cause, EndUserAddress, EvolvedArp, Imsi, MessageType, Nsapi, PdpType, WriteError};

use super::calls::Call;
use super::{Machine, Request, Transmit};
use crate::message::{UpdateRequest, write_delete, write_delete_response, write_echo_response};
use crate::transactions::Pending;
use crate::{CreateRequest, QOS_R99};

/// A datagram that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outgoing {
    Request {
        path: u16,
        sequence: u16,
    },
    Echo {
        to: SocketAddr,
        path: u16,
        sequence: u16,
    },
    Deleted {
        to: SocketAddr,
        path: u16,
        sequence: u16,
        teid: u32,
        cause: Cause,
    },
}

impl Machine {
    pub(super) fn write(
        &self,
        outgoing: Outgoing,
        out: &mut Vec<u8>,
    ) -> Option<Result<Transmit, WriteError>> {
        let (path, to, written) = match outgoing {
            Outgoing::Request { path, sequence } => {
                let pending = self.paths[usize::from(path)].get(sequence)?;
                let call = self.calls.get(pending.what.teid)?;
                (path, None, self.write_request(pending, call, sequence, out))
            }
            Outgoing::Echo { to, path, sequence } => {
                let written = write_echo_response(out, sequence, self.plan.recovery);
                (path, Some(to), written.map(|_| ()))
            }
            Outgoing::Deleted {
                to,
                path,
                sequence,
                teid,
                cause,
            } => {
                let written = write_delete_response(out, teid, sequence, cause);
                (path, Some(to), written.map(|_| ()))
            }
        };
        Some(written.map(|()| Transmit { path, to }))
    }

    fn write_request(
        &self,
        pending: &Pending<Request>,
        call: &Call,
        sequence: u16,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let peer_teid = pending.what.peer_teid;
        match pending.kind {
            MessageType::CREATE_PDP_CONTEXT_REQUEST => {
                self.create_request(call)?.write(out, peer_teid, sequence)?;
            }
            MessageType::UPDATE_PDP_CONTEXT_REQUEST => {
                let update = UpdateRequest {
                    nsapi: Nsapi::FIRST,
                    recovery: None,
                    teid_data: call.teid,
                    teid_control: call.teid,
                    gsn_address: self.gsn_address,
                    arp: self.plan.arp,
                    qos: &QOS_R99,
                };
                update.write(out, peer_teid, sequence)?;
            }
            _ => {
                write_delete(out, peer_teid, sequence, Nsapi::FIRST, true)?;
            }
        }
        Ok(())
    }

    fn create_request(&self, call: &Call) -> Result<CreateRequest<'_>, WriteError> {
        let number = self.first_imsi + u64::from(call.subscriber);
        let evolved_arp = self
            .plan
            .evolved_arp_level
            .map(|priority_level| EvolvedArp {
                priority_level,
                may_preempt: false,
                preemptable: true,
            });
        Ok(CreateRequest {
            imsi: Some(Imsi::from_number(number, self.imsi_digits)?),
            nsapi: Nsapi::FIRST,
            linked_nsapi: None,
            recovery: Some(self.plan.recovery),
            teid_data: call.teid,
            teid_control: call.teid,
            charging_characteristics: 0x0800,
            end_user_address: EndUserAddress::dynamic(PdpType::Ipv4),
            apn: &self.plan.apns[usize::from(call.apn)].apn,
            pco: None,
            gsn_address: self.gsn_address,
            msisdn: None,
            arp: self.plan.arp,
            qos: &QOS_R99,
            evolved_arp,
        })
    }
}
