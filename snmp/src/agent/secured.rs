//! Requests of SNMPv3 (RFC 3412 section 7.2), and reports.

use super::answer::{self, Rules};
use super::walks::Walker;
use super::{Agent, Arrival, is_request};
use crate::counters::count;
use crate::groups::Own;
use crate::message::{Flags, Kind, Pdu, Scoped, ScopedData, V3Message, v3_room};
use crate::usm::{Authentic, Fault, Keys, Level, Local, Sealed, check, seal};
use crate::{Oid, Value, VarBind};

/// snmpUnknownPDUHandlers.0.
const UNKNOWN_PDU_HANDLERS: [u32; 11] = [1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0];

/// Octets of a salt.
const SALT_BYTES: usize = 8;

/// snmpUnknownContexts.0.
const UNKNOWN_CONTEXTS: [u32; 10] = [1, 3, 6, 1, 6, 3, 12, 1, 5, 0];

/// A message, and the user that it names if there is one.
#[derive(Clone, Copy)]
struct Question<'a> {
    arrival: Arrival<'a>,
    message: &'a V3Message,
    reader: Option<usize>,
}

/// What is said of it: the counter and its value, how secure the report is, and the id of the request if it is known.
struct Complaint {
    counter: Oid,
    value: u32,
    level: Level,
    request_id: i32,
}

impl<S> Agent<S> {
    pub(super) fn handle_v3(
        &mut self,
        local: &mut Local,
        arrival: Arrival<'_>,
        snapshot: impl FnOnce(Own) -> S,
    ) -> Option<Vec<u8>> {
        let message = match V3Message::decode(arrival.bytes) {
            Ok(message) => message,
            Err(error) => {
                self.count_undecodable(&error);
                return None;
            }
        };
        if !self.is_well_formed(&message) {
            return None;
        }
        let user = &message.security.user;
        let reader = self.users.iter().position(|reader| reader.name == *user);
        let question = Question {
            arrival,
            message: &message,
            reader,
        };
        let keys = reader.map(|at| &self.users[at].keys);
        match check(local, arrival.now, keys, arrival.bytes, &message) {
            Ok(authentic) => self.handle_authentic(local, question, authentic, snapshot),
            Err(fault) => self.handle_fault(local, question, fault),
        }
    }

    fn is_well_formed(&mut self, message: &V3Message) -> bool {
        let flags = message.header.flags;
        let wrong = if !message.header.is_usm() {
            &mut self.counters.unknown_security_models
        } else if flags.has(Flags::PRIV) && !flags.has(Flags::AUTH) {
            &mut self.counters.invalid_msgs
        } else if flags.has(Flags::PRIV) != matches!(message.data, ScopedData::Encrypted(_)) {
            &mut self.counters.in_asn_parse_errs
        } else {
            return true;
        };
        count(wrong);
        false
    }

    fn handle_fault(
        &mut self,
        local: &mut Local,
        question: Question<'_>,
        fault: Fault,
    ) -> Option<Vec<u8>> {
        let value = self.counters.fault(fault);
        let level = if fault == Fault::NotInTimeWindow {
            Level::AuthNoPriv
        } else {
            Level::NoAuthNoPriv
        };
        let request_id = match &question.message.data {
            ScopedData::Plain(scoped) if !scoped.pdu.is_confirmed() => return None,
            ScopedData::Plain(scoped) => scoped.pdu.request_id,
            ScopedData::Encrypted(_) => 0,
        };
        let complaint = Complaint {
            counter: fault.counter(),
            value,
            level,
            request_id,
        };
        self.report(local, question, complaint)
    }

    fn handle_authentic(
        &mut self,
        local: &mut Local,
        question: Question<'_>,
        authentic: Authentic,
        snapshot: impl FnOnce(Own) -> S,
    ) -> Option<Vec<u8>> {
        let Authentic { level, scoped } = authentic;
        let message = question.message;
        if level > Level::NoAuthNoPriv && self.replays.is_replay(&message.security.mac) {
            count(&mut self.counters.replays);
            return None;
        }
        let pdu = scoped.pdu;
        let foreign = scoped.engine_id != local.id().octets() || !is_request(pdu.kind);
        if foreign || !scoped.context.is_empty() {
            let (counter, value) = if foreign {
                let value = count(&mut self.counters.unknown_pdu_handlers);
                (Oid::from(UNKNOWN_PDU_HANDLERS), value)
            } else {
                let value = count(&mut self.counters.unknown_contexts);
                (Oid::from(UNKNOWN_CONTEXTS), value)
            };
            let complaint = Complaint {
                counter,
                value,
                level,
                request_id: pdu.request_id,
            };
            let report = pdu.is_confirmed();
            return self.report(local, question, complaint).filter(|_| report);
        }
        // The check has found the user.
        let at = question.reader?;
        let keys = &self.users[at].keys;
        let theirs = usize::try_from(message.header.max_size).unwrap_or(usize::MAX);
        let max = self.limits.response_bytes.min(theirs);
        let engine_ids = 2 * local.id().octets().len();
        let names = engine_ids + message.security.user.len() + keys.mac_bytes() + SALT_BYTES;
        let rules = Rules {
            is_v1: false,
            room: v3_room(max, names),
            repetitions: self.limits.repetitions,
        };
        let response = if level < keys.level() {
            answer::unauthorized(&pdu, rules)
        } else {
            let arrival = question.arrival;
            self.answer(local, arrival, Walker::User(at), &pdu, rules, snapshot)
        };
        let bytes = self.sealed(local, question, level, response);
        self.bounded(bytes, max)
    }

    /// A report, if one is welcome.
    fn report(
        &self,
        local: &mut Local,
        question: Question<'_>,
        complaint: Complaint,
    ) -> Option<Vec<u8>> {
        if !question.message.header.flags.has(Flags::REPORTABLE) {
            return None;
        }
        let value = Value::Counter32(complaint.value);
        let pdu = Pdu {
            kind: Kind::Report,
            request_id: complaint.request_id,
            varbinds: vec![VarBind::new(complaint.counter, value)],
        };
        self.sealed(local, question, complaint.level, pdu)
    }

    /// Octets of an answer, in the name of the user who asked.
    fn sealed(
        &self,
        local: &mut Local,
        question: Question<'_>,
        level: Level,
        pdu: Pdu,
    ) -> Option<Vec<u8>> {
        let engine_id = local.id().octets().to_vec();
        let around = Sealed {
            id: question.message.header.id,
            reportable: false,
            level,
            engine_id: engine_id.clone(),
            boots: local.boots(),
            time: local.time(question.arrival.now),
            user: question.message.security.user.clone(),
            salt: local.salt(),
        };
        let scoped = Scoped {
            engine_id,
            context: Vec::new(),
            pdu,
        };
        let nobody = Keys::none();
        let keys = question.reader.map_or(&nobody, |at| &self.users[at].keys);
        seal(around, keys, scoped).ok()
    }
}
