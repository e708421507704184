//! A PGW, or an SGW and PGW in one, of a few lines: it keeps sessions up to a ceiling, answers a repeated request as
//! before, remembers what it was asked for, and fails on what no SGW or MME would send.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use gtp::v2::value::{APN_MAX_BYTES, low_access_priority};
use gtp::v2::{
    Apn, BearerQos, Cause, CauseIe, Ebi, EpcTimer, FTeid, IeSet, IeType, Indication, InterfaceType,
    Message, MessageType, Paa, PdnType, Writer,
};
use load::Interface;

use super::world::{GATEWAY, Gateway, LOCAL};

/// One PDN connection: by which access point, and whether its user data has where to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdn {
    pub apn: String,
    pub connected: bool,
}

/// One UE, or on S5 one session.
#[derive(Debug)]
pub struct Ue {
    /// The value of the element that names it: IMSI or MEI.
    pub caller: Vec<u8>,
    /// The SGW's or MME's tunnel endpoint.
    pub peer_teid: u32,
    /// By default bearer.
    pub pdns: BTreeMap<u8, Pdn>,
}

/// What a create said.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub by_imsi: bool,
    pub pgw: Option<FTeid>,
    pub pdn_type: PdnType,
    pub priority_level: u8,
    pub low_priority: bool,
}

pub struct Epc {
    pub interface: Interface,
    /// The address that the SGW or MME says it has.
    pub local: IpAddr,
    pub ceiling: usize,
    pub recovery: u8,
    pub refusal: Cause,
    pub back_off: Option<EpcTimer>,
    /// By our tunnel endpoint.
    pub ues: HashMap<u32, Ue>,
    pub asked: Vec<Asked>,
    pub created: u32,
    pub modified: u32,
    pub released: u32,
    /// What was said to be ended as we asked: our tunnel endpoint and the default bearer.
    pub ended: Vec<(u32, u8)>,
    /// Answers given, by path, sequence number and type of the request.
    answers: HashMap<(u16, u32, u8), Vec<u8>>,
    next_teid: u32,
}

impl Epc {
    pub fn new(interface: Interface, ceiling: usize) -> Self {
        Self {
            interface,
            local: LOCAL,
            ceiling,
            recovery: 5,
            refusal: Cause::NO_RESOURCES_AVAILABLE,
            back_off: None,
            ues: HashMap::new(),
            asked: Vec::new(),
            created: 0,
            modified: 0,
            released: 0,
            ended: Vec::new(),
            answers: HashMap::new(),
            next_teid: 0x1000,
        }
    }

    /// PDN connections that are up.
    pub fn sessions(&self) -> usize {
        self.ues.values().map(|ue| ue.pdns.len()).sum()
    }

    fn create(&mut self, teid: u32, sequence: u32, ies: &IeSet<'_>, out: &mut Vec<u8>) {
        let sender = FTeid::parse(ies.get(IeType::F_TEID, 0).unwrap()).unwrap();
        let imsi = ies.get(IeType::IMSI, 0);
        let caller = imsi.or(ies.get(IeType::MEI, 0)).unwrap().to_vec();
        let bearer = ies.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
        let ebi = Ebi::parse(bearer.get(IeType::EBI, 0).unwrap()).unwrap();
        self.check_endpoints(&sender, &bearer);
        self.note(ies, &bearer);
        let kind = MessageType::CREATE_SESSION_RESPONSE;
        let mut writer = Writer::new(out, kind, Some(sender.teid), sequence);
        if self.sessions() >= self.ceiling {
            writer.cause(&CauseIe::new(self.refusal));
            if let Some(back_off) = self.back_off {
                writer.epc_timer(0, back_off);
            }
            writer.finish().unwrap();
            return;
        }
        self.created += 1;
        let ours = match self.ues.get(&teid) {
            Some(ue) => {
                assert_eq!((&ue.caller, ue.peer_teid), (&caller, sender.teid));
                teid
            }
            None => {
                assert_eq!(teid, 0, "nobody has this endpoint");
                self.next_teid += 1;
                self.next_teid
            }
        };
        let ue = self.ues.entry(ours).or_insert_with(|| Ue {
            caller,
            peer_teid: sender.teid,
            pdns: BTreeMap::new(),
        });
        let apn = Apn::parse(ies.get(IeType::APN, 0).unwrap()).unwrap();
        let pdn = Pdn {
            apn: apn.text(&mut [0; APN_MAX_BYTES]).to_owned(),
            connected: self.interface == Interface::S5,
        };
        assert_eq!(ue.pdns.insert(ebi.number(), pdn), None, "{ebi:?} again");
        let control = |kind| FTeid::new(kind, ours, GATEWAY.ip());
        writer
            .cause(&CauseIe::new(Cause::REQUEST_ACCEPTED))
            .f_teid(1, &control(InterfaceType::S5S8_PGW_C))
            .paa(&Paa::Ipv4(ours.into()))
            .recovery(self.recovery);
        if self.interface == Interface::S11 {
            writer.f_teid(0, &control(InterfaceType::S11_SGW_C));
        }
        writer.bearer_context(0, |bearer| {
            bearer
                .ebi(0, ebi)
                .cause(&CauseIe::new(Cause::REQUEST_ACCEPTED));
        });
        writer.finish().unwrap();
    }

    fn check_endpoints(&self, sender: &FTeid, bearer: &IeSet<'_>) {
        let (control, user) = match self.interface {
            Interface::S5 => (
                InterfaceType::S5S8_SGW_C,
                Some((2, InterfaceType::S5S8_SGW_U)),
            ),
            Interface::S11 | Interface::Gn => (InterfaceType::S11_MME_C, None),
        };
        let expected = FTeid::new(control, sender.teid, self.local);
        assert_eq!(*sender, expected);
        for instance in 0..=6 {
            let endpoint = bearer.get(IeType::F_TEID, instance);
            let endpoint = endpoint.map(|value| FTeid::parse(value).unwrap());
            let expected = user.filter(|(of, _)| *of == instance);
            let expected = expected.map(|(_, kind)| FTeid::new(kind, sender.teid, self.local));
            assert_eq!(endpoint, expected, "instance {instance}");
        }
    }

    fn note(&mut self, ies: &IeSet<'_>, bearer: &IeSet<'_>) {
        let qos = BearerQos::parse(bearer.get(IeType::BEARER_QOS, 0).unwrap()).unwrap();
        let paa = Paa::parse(ies.get(IeType::PAA, 0).unwrap()).unwrap();
        let pdn_type = PdnType::parse(ies.get(IeType::PDN_TYPE, 0).unwrap()).unwrap();
        assert_eq!(paa, Paa::dynamic(pdn_type));
        let pgw = ies.get(IeType::F_TEID, 1);
        let low = ies.get(IeType::SIGNALLING_PRIORITY_INDICATION, 0);
        self.asked.push(Asked {
            by_imsi: ies.get(IeType::IMSI, 0).is_some(),
            pgw: pgw.map(|value| FTeid::parse(value).unwrap()),
            pdn_type,
            priority_level: qos.arp.priority_level,
            low_priority: low.is_some_and(|value| low_access_priority(value).unwrap()),
        });
    }

    fn change(&mut self, kind: MessageType, teid: u32, ies: &IeSet<'_>) -> Cause {
        let Some(ue) = self.ues.get_mut(&teid) else {
            return Cause::CONTEXT_NOT_FOUND;
        };
        let number = |value| Ebi::parse(value).unwrap().number();
        match kind {
            MessageType::MODIFY_BEARER_REQUEST => {
                let bearer = ies.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
                let (instance, user) = match self.interface {
                    Interface::S5 => (1, InterfaceType::S5S8_SGW_U),
                    Interface::S11 | Interface::Gn => (0, InterfaceType::S1U_ENB_U),
                };
                let endpoint = FTeid::parse(bearer.get(IeType::F_TEID, instance).unwrap());
                assert_eq!(endpoint, Ok(FTeid::new(user, ue.peer_teid, self.local)));
                let ebi = number(bearer.get(IeType::EBI, 0).unwrap());
                let Some(pdn) = ue.pdns.get_mut(&ebi) else {
                    return Cause::CONTEXT_NOT_FOUND;
                };
                pdn.connected = true;
                self.modified += 1;
            }
            MessageType::RELEASE_ACCESS_BEARERS_REQUEST => {
                assert_eq!(self.interface, Interface::S11);
                ue.pdns.values_mut().for_each(|pdn| pdn.connected = false);
                self.released += 1;
            }
            _ => {
                let flags = ies.get(IeType::INDICATION, 0);
                let passed_on = flags
                    .is_some_and(|flags| Indication::parse(flags).unwrap().has(Indication::OI));
                assert_eq!(passed_on, self.interface == Interface::S11);
                let linked = number(ies.get(IeType::EBI, 0).unwrap());
                if ue.pdns.remove(&linked).is_none() {
                    return Cause::CONTEXT_NOT_FOUND;
                }
                if ue.pdns.is_empty() {
                    self.ues.remove(&teid);
                }
            }
        }
        Cause::REQUEST_ACCEPTED
    }
}

impl Gateway for Epc {
    fn handle(&mut self, path: u16, datagram: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(datagram).unwrap();
        let sequence = message.header.sequence;
        assert!(sequence < 0x80_0000, "no command, {sequence:#x}");
        let key = (path, sequence, message.header.kind.0);
        if let Some(answer) = self.answers.get(&key) {
            return Some(answer.clone());
        }
        let ies = message.ie_set().unwrap();
        let mut out = Vec::new();
        match (message.header.kind, message.header.teid) {
            (MessageType::ECHO_REQUEST, None) => {
                let kind = MessageType::ECHO_RESPONSE;
                let mut writer = Writer::new(&mut out, kind, None, sequence);
                writer.recovery(self.recovery);
                writer.finish().unwrap();
            }
            (MessageType::CREATE_SESSION_REQUEST, Some(teid)) => {
                self.create(teid, sequence, &ies, &mut out);
            }
            (MessageType::DELETE_BEARER_RESPONSE, Some(teid)) => {
                self.ended.push((teid, ies.get(IeType::EBI, 0).unwrap()[0]));
                return None;
            }
            (kind, Some(teid)) => {
                let peer_teid = self.ues.get(&teid).map_or(0, |ue| ue.peer_teid);
                let cause = self.change(kind, teid, &ies);
                let kind = kind.response().unwrap();
                let mut writer = Writer::new(&mut out, kind, Some(peer_teid), sequence);
                writer.cause(&CauseIe::new(cause));
                writer.finish().unwrap();
            }
            (kind, None) => panic!("{kind} without an endpoint"),
        }
        self.answers.insert(key, out.clone());
        Some(out)
    }
}
