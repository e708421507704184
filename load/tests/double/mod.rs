//! A GGSN of a few lines: it keeps sessions up to a ceiling, answers a repeated request as before, and remembers what it
//! was asked for.

#[allow(dead_code, reason = "each test binary uses a part of this")]
pub mod epc;
#[allow(dead_code, reason = "each test binary uses a part of this")]
pub mod world;

use std::collections::{BTreeMap, HashMap, HashSet};

use gtp::v1::value::{APN_MAX_BYTES, number};
use gtp::v1::{
    Apn, BackOffTime, Cause, EndUserAddress, IeSet, IeType, Imsi, Message, MessageType, PdpType,
    Writer,
};

pub struct Session {
    pub imsi: Imsi,
    /// The SGSN's tunnel endpoint.
    pub sgsn_teid: u32,
}

pub struct Ggsn {
    pub ceiling: usize,
    pub recovery: u8,
    pub refusal: Cause,
    pub back_off: Option<BackOffTime>,
    /// By our tunnel endpoint.
    pub sessions: HashMap<u32, Session>,
    pub apns: BTreeMap<String, u32>,
    pub created: u32,
    pub updated: u32,
    /// Answers given, by path, sequence number and type of the request.
    answers: HashMap<(u16, u16, u8), Vec<u8>>,
    next_teid: u32,
}

impl Ggsn {
    #[allow(dead_code, reason = "each test binary uses a part of this")]
    pub fn new(ceiling: usize) -> Self {
        Self {
            ceiling,
            recovery: 5,
            refusal: Cause::NO_RESOURCES_AVAILABLE,
            back_off: None,
            sessions: HashMap::new(),
            apns: BTreeMap::new(),
            created: 0,
            updated: 0,
            answers: HashMap::new(),
            next_teid: 0x1000,
        }
    }

    /// Forgets the answers it gave: more time passed than anybody would ask again in.
    #[allow(dead_code, reason = "each test binary uses a part of this")]
    pub fn forget(&mut self) {
        self.answers.clear();
    }

    /// The IMSIs of the sessions, each once.
    #[allow(dead_code, reason = "each test binary uses a part of this")]
    pub fn subscribers(&self) -> HashSet<Imsi> {
        self.sessions.values().map(|session| session.imsi).collect()
    }

    pub fn handle(&mut self, path: u16, datagram: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(datagram).ok()?;
        let sequence = message.header.sequence?;
        let key = (path, sequence, message.header.kind.0);
        if let Some(answer) = self.answers.get(&key) {
            return Some(answer.clone());
        }
        let ies = message.ie_set().ok()?;
        let mut out = Vec::new();
        match message.header.kind {
            MessageType::ECHO_REQUEST => {
                let mut writer = Writer::new(&mut out, MessageType::ECHO_RESPONSE, 0, sequence);
                writer.recovery(self.recovery);
                writer.finish().ok()?;
            }
            MessageType::CREATE_PDP_CONTEXT_REQUEST => self.create(sequence, &ies, &mut out)?,
            MessageType::UPDATE_PDP_CONTEXT_REQUEST => {
                let known = self.sessions.contains_key(&message.header.teid);
                self.updated += u32::from(known);
                self.answer(message.header.kind, message.header.teid, sequence, &mut out)?;
            }
            MessageType::DELETE_PDP_CONTEXT_REQUEST => {
                self.answer(message.header.kind, message.header.teid, sequence, &mut out)?;
                self.sessions.remove(&message.header.teid);
            }
            _ => return None,
        }
        self.answers.insert(key, out.clone());
        Some(out)
    }

    fn create(&mut self, sequence: u16, ies: &IeSet<'_>, out: &mut Vec<u8>) -> Option<()> {
        let imsi = Imsi::parse(ies.get(IeType::IMSI)?).ok()?;
        let sgsn_teid = number("TEID", ies.get(IeType::TEID_CONTROL_PLANE)?).ok()?;
        let apn = Apn::parse(ies.get(IeType::ACCESS_POINT_NAME)?).ok()?;
        let apn = apn.text(&mut [0; APN_MAX_BYTES]).to_owned();
        *self.apns.entry(apn).or_default() += 1;
        let kind = MessageType::CREATE_PDP_CONTEXT_RESPONSE;
        let mut writer = Writer::new(out, kind, sgsn_teid, sequence);
        if self.sessions.len() >= self.ceiling {
            writer.cause(self.refusal);
            if let Some(time) = self.back_off {
                writer.back_off_time(time);
            }
            return writer.finish().ok().map(|_| ());
        }
        self.next_teid += 1;
        self.created += 1;
        let mut address = EndUserAddress::dynamic(PdpType::Ipv4);
        address.v4 = Some(self.next_teid.into());
        writer
            .cause(Cause::REQUEST_ACCEPTED)
            .reordering_required(false)
            .recovery(self.recovery)
            .teid_data(self.next_teid)
            .teid_control(self.next_teid)
            .charging_id(self.next_teid)
            .end_user_address(&address);
        writer.finish().ok()?;
        let session = Session { imsi, sgsn_teid };
        self.sessions.insert(self.next_teid, session);
        Some(())
    }

    fn answer(
        &self,
        request: MessageType,
        teid: u32,
        sequence: u16,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let session = self.sessions.get(&teid);
        let sgsn_teid = session.map_or(0, |session| session.sgsn_teid);
        let mut writer = Writer::new(out, request.response()?, sgsn_teid, sequence);
        writer.cause(match session {
            Some(_) => Cause::REQUEST_ACCEPTED,
            None => Cause::NON_EXISTENT,
        });
        writer.finish().ok().map(|_| ())
    }
}

impl world::Gateway for Ggsn {
    fn handle(&mut self, path: u16, datagram: &[u8]) -> Option<Vec<u8>> {
        Self::handle(self, path, datagram)
    }
}
