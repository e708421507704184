//! An SGW, an ePDG and a TWAN to talk to the plane.

use std::net::IpAddr;

use gtp::v2::value::APN_MAX_BYTES;
use gtp::v2::{
    Apn as ApnValue, Cause, CauseIe, FTeid, Header, IeSet, IeType, Imsi, Indication, InterfaceType,
    Message, MessageType, Paa, PdnType,
};
use licensing::FeatureSet;

use super::super::rig::{GRE, PGW, RECOVERY, RELAY, Rig, SAEGW};
use crate::PlaneConfig;
use crate::config::{Apn, ArpLevels, Role};

pub const SGW: &str = "127.0.0.53";
pub const MME: &str = "127.0.0.63";
pub const OTHER_MME: &str = "127.0.0.64";
pub const ENODEB: &str = "127.0.0.73";
pub const OTHER_SGW: &str = "127.0.0.54";
pub const QOS: [u8; 22] = qos(9);

/// A Bearer QoS with this priority level, QCI 9.
pub const fn qos(level: u8) -> [u8; 22] {
    let mut octets = [0; 22];
    octets[0] = level << 2;
    octets[1] = 9;
    octets
}

/// Access point names by GTPv2 beside those by GTPv1: `internet`, `ims` and `tunnel` (with GRE), `dual`, `six`, `sos`
/// (emergency), `slow` (with a back-off time), `fixed` (refuses static addresses), `tiny` (two addresses). All of them of a
/// PGW, and once more of an SAEGW; `internet` and `away` of an SGW.
pub fn and_v2(config: &mut PlaneConfig) {
    let apn = |name: &str| Apn {
        role: Role::Pgw,
        ipv4_pools: vec![0],
        ..Apn::new(name, PGW)
    };
    config.apns.extend([
        Apn {
            priority: ArpLevels::default().with_evolved(2),
            ..apn("internet")
        },
        apn("ims"),
        Apn {
            features: FeatureSet::EMPTY.with(GRE),
            ..apn("tunnel")
        },
        Apn {
            ipv6_pools: vec![1],
            ..apn("dual")
        },
        Apn {
            ipv4_pools: vec![],
            ipv6_pools: vec![1],
            ..apn("six")
        },
        Apn {
            ipv4_pools: vec![2],
            emergency: true,
            ..apn("sos")
        },
        Apn {
            back_off: Some(std::time::Duration::from_secs(40)),
            ..apn("slow")
        },
        Apn {
            static_address: crate::config::StaticAddress::Refuse,
            ..apn("fixed")
        },
        Apn {
            ipv4_pools: vec![3],
            ..apn("tiny")
        },
    ]);
    let mut by_s11: Vec<_> = config
        .apns
        .iter()
        .filter(|apn| apn.role == Role::Pgw)
        .cloned()
        .collect();
    for apn in &mut by_s11 {
        (apn.role, apn.service) = (Role::Saegw, SAEGW);
    }
    config.apns.extend(by_s11);
    config.apns.extend(["internet", "away"].map(|name| Apn {
        role: Role::Sgw,
        ..Apn::new(name, RELAY)
    }));
}

/// An element in the making.
#[derive(Clone, Debug)]
pub struct Ie2 {
    pub kind: IeType,
    pub instance: u8,
    pub value: Vec<u8>,
}

/// A message in the making, whose elements can be taken out and changed; those of its first bearer context too.
#[derive(Clone, Debug)]
pub struct Message2 {
    pub kind: MessageType,
    pub teid: Option<u32>,
    pub ies: Vec<Ie2>,
    pub bearer: Option<Vec<Ie2>>,
}

pub fn encode(ies: &[Ie2]) -> Vec<u8> {
    let mut octets = Vec::new();
    for ie in ies {
        let [l0, l1] = (ie.value.len() as u16).to_be_bytes();
        octets.extend_from_slice(&[ie.kind.0, l0, l1, ie.instance]);
        octets.extend_from_slice(&ie.value);
    }
    octets
}

impl Message2 {
    pub fn new(kind: MessageType, teid: Option<u32>) -> Self {
        Self {
            kind,
            teid,
            ies: Vec::new(),
            bearer: None,
        }
    }

    pub fn with(mut self, kind: IeType, instance: u8, value: &[u8]) -> Self {
        self.ies.push(Ie2 {
            kind,
            instance,
            value: value.to_vec(),
        });
        self
    }

    pub fn with_bearer(mut self, kind: IeType, instance: u8, value: &[u8]) -> Self {
        self.bearer.get_or_insert_default().push(Ie2 {
            kind,
            instance,
            value: value.to_vec(),
        });
        self
    }

    fn list(&mut self, of_bearer: bool) -> &mut Vec<Ie2> {
        match of_bearer {
            true => self.bearer.as_mut().expect("there is a bearer context"),
            false => &mut self.ies,
        }
    }

    pub fn without(mut self, of_bearer: bool, kind: IeType, instance: u8) -> Self {
        let list = self.list(of_bearer);
        let len = list.len();
        list.retain(|ie| (ie.kind, ie.instance) != (kind, instance));
        assert_eq!(list.len(), len - 1, "the element is there");
        self
    }

    pub fn without_bearer(mut self) -> Self {
        self.bearer.take().expect("there is a bearer context");
        self
    }

    /// The value of its first bearer context.
    pub fn bearer_octets(&self) -> Vec<u8> {
        encode(self.bearer.as_ref().expect("there is a bearer context"))
    }

    pub fn but(mut self, of_bearer: bool, kind: IeType, instance: u8, value: &[u8]) -> Self {
        let list = self.list(of_bearer);
        let found = list
            .iter_mut()
            .find(|ie| (ie.kind, ie.instance) == (kind, instance));
        found.expect("the element is there").value = value.to_vec();
        self
    }

    pub fn body(&self) -> Vec<u8> {
        let mut octets = encode(&self.ies);
        if let Some(bearer) = &self.bearer {
            octets.extend(encode(&[Ie2 {
                kind: IeType::BEARER_CONTEXT,
                instance: 0,
                value: encode(bearer),
            }]));
        }
        octets
    }

    pub fn encode(&self, sequence: u32) -> Vec<u8> {
        let flag = if self.teid.is_some() { 8 } else { 0 };
        let mut octets = vec![0x40 | flag, self.kind.0, 0, 0];
        if let Some(teid) = self.teid {
            octets.extend_from_slice(&teid.to_be_bytes());
        }
        let [_, s0, s1, s2] = sequence.to_be_bytes();
        octets.extend_from_slice(&[s0, s1, s2, 0]);
        octets.extend(self.body());
        let length = (octets.len() - 4) as u16;
        octets[2..4].copy_from_slice(&length.to_be_bytes());
        octets
    }
}

pub fn imsi2(number: u64) -> Vec<u8> {
    let imsi = Imsi::from_number(240_010_000_000_000 + number, 15).unwrap();
    imsi.short_octets().to_vec()
}

pub fn fteid(interface: InterfaceType, teid: u32, address: &str) -> Vec<u8> {
    let address: IpAddr = address.parse().unwrap();
    let mut octets = [0; FTeid::MAX_BYTES];
    let len = FTeid::new(interface, teid, address).write(&mut octets);
    octets[..len].to_vec()
}

pub fn paa(value: Paa) -> Vec<u8> {
    let mut octets = [0; Paa::MAX_BYTES];
    let len = value.write(&mut octets);
    octets[..len].to_vec()
}

fn apn(name: &str) -> Vec<u8> {
    let mut octets = [0; APN_MAX_BYTES];
    ApnValue::encode(name, &mut octets)
        .unwrap()
        .octets()
        .to_vec()
}

/// The sender's endpoints for a bearer of a subscriber: signalling, then user data.
pub fn sgw_teids(number: u64, ebi: u8) -> (u32, u32) {
    let base = (number as u32) << 8 | u32::from(ebi);
    (0x6000_0000 | base, 0x7000_0000 | base)
}

/// Interface types of the sender for signalling and user data, and the instance of the latter.
pub type Side = (InterfaceType, InterfaceType, u8);
pub const S5: Side = (InterfaceType::S5S8_SGW_C, InterfaceType::S5S8_SGW_U, 2);
pub const S2B: Side = (InterfaceType::S2B_EPDG_C, InterfaceType::S2B_EPDG_U, 5);
pub const S2A: Side = (InterfaceType::S2A_TWAN_C, InterfaceType::S2A_TWAN_U, 6);

/// A Create Session Request for a default bearer, IPv4.
pub fn create2(number: u64, ebi: u8, name: &str) -> Message2 {
    create_by(S5, number, ebi, name)
}

pub fn create_by(side: Side, number: u64, ebi: u8, name: &str) -> Message2 {
    let (control, user) = sgw_teids(number, ebi);
    let (control_side, user_side, instance) = side;
    Message2::new(MessageType::CREATE_SESSION_REQUEST, Some(0))
        .with(IeType::IMSI, 0, &imsi2(number))
        .with(IeType::MSISDN, 0, &[0x64, 0x07])
        .with(IeType::RAT_TYPE, 0, &[6])
        .with(IeType::SERVING_NETWORK, 0, &[0x42, 0xF0, 0x10])
        .with(IeType::F_TEID, 0, &fteid(control_side, control, SGW))
        .with(IeType::APN, 0, &apn(name))
        .with(IeType::SELECTION_MODE, 0, &[0])
        .with(IeType::PDN_TYPE, 0, &[1])
        .with(IeType::PAA, 0, &paa(Paa::dynamic(PdnType::Ipv4)))
        .with(IeType::AMBR, 0, &[0; 8])
        .with_bearer(IeType::EBI, 0, &[ebi])
        .with_bearer(IeType::F_TEID, instance, &fteid(user_side, user, SGW))
        .with_bearer(IeType::BEARER_QOS, 0, &QOS)
}

/// Our own address, by which an MME says that we are to be the PGW as well.
pub const OURSELVES: &str = "127.0.0.1";

/// A Create Session Request from an MME that wants us for SGW and PGW, IPv4.
pub fn create11(number: u64, ebi: u8, name: &str) -> Message2 {
    let (control, _) = mme_teids(number, ebi);
    let pgw = fteid(InterfaceType::S5S8_PGW_C, 0, OURSELVES);
    create2(number, ebi, name)
        .but(
            false,
            IeType::F_TEID,
            0,
            &fteid(InterfaceType::S11_MME_C, control, MME),
        )
        .with(IeType::F_TEID, 1, &pgw)
        .without(true, IeType::F_TEID, 2)
}

/// The MME's endpoint for the signalling of a subscriber, and the eNodeB's for the user data of a bearer.
pub fn mme_teids(number: u64, ebi: u8) -> (u32, u32) {
    let base = (number as u32) << 8;
    (0x4000_0000 | base, 0x5000_0000 | base | u32::from(ebi))
}

/// A Modify Bearer Request that tells the eNodeB of a subscriber's bearer.
pub fn modify11(teid: u32, number: u64, ebi: u8) -> Message2 {
    let (_, user) = mme_teids(number, ebi);
    Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid))
        .with_bearer(IeType::EBI, 0, &[ebi])
        .with_bearer(
            IeType::F_TEID,
            0,
            &fteid(InterfaceType::S1U_ENB_U, user, ENODEB),
        )
}

/// What an MME tells about a UE, by its IMSI.
pub fn notice(kind: MessageType, teid: u32) -> Message2 {
    Message2::new(kind, Some(teid)).with(IeType::IMSI, 0, &imsi2(1))
}

pub fn release11(teid: u32) -> Message2 {
    Message2::new(MessageType::RELEASE_ACCESS_BEARERS_REQUEST, Some(teid))
}

pub fn handed_over(request: Message2) -> Message2 {
    request.with(
        IeType::INDICATION,
        0,
        Indication::default().with(Indication::HI).octets(),
    )
}

/// A Modify Bearer Request by which another SGW takes a session over.
pub fn modify(teid: u32, ebi: u8, sgw: &str, control: u32) -> Message2 {
    Message2::new(MessageType::MODIFY_BEARER_REQUEST, Some(teid))
        .with(
            IeType::F_TEID,
            0,
            &fteid(InterfaceType::S5S8_SGW_C, control, sgw),
        )
        .with_bearer(IeType::EBI, 0, &[ebi])
        .with_bearer(
            IeType::F_TEID,
            1,
            &fteid(InterfaceType::S5S8_SGW_U, 0x7FFF_0001, sgw),
        )
}

pub fn delete2(teid: u32, ebi: u8) -> Message2 {
    Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(teid)).with(IeType::EBI, 0, &[ebi])
}

/// An answer, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer2 {
    pub header: Header,
    pub body: Vec<u8>,
}

impl Answer2 {
    pub fn read(octets: &[u8]) -> Self {
        let message = Message::parse(octets).unwrap();
        message.ie_set().unwrap();
        Self {
            header: message.header,
            body: message.body.to_vec(),
        }
    }

    pub fn ies(&self) -> IeSet<'_> {
        IeSet::parse(&self.body).unwrap()
    }

    pub fn bearers(&self) -> Vec<IeSet<'_>> {
        let ies = self.ies();
        let groups = ies.groups(IeType::BEARER_CONTEXT, 0);
        groups.map(Result::unwrap).collect()
    }

    pub fn cause_ie(&self) -> CauseIe {
        CauseIe::parse(self.ies().get(IeType::CAUSE, 0).unwrap()).unwrap()
    }

    pub fn cause(&self) -> Cause {
        self.cause_ie().cause
    }

    /// The cause, and the element that it complains of.
    pub fn complaint(&self) -> (Cause, Option<(IeType, u8)>) {
        let cause = self.cause_ie();
        let offending = cause.offending;
        (cause.cause, offending.map(|o| (o.kind, o.instance)))
    }

    pub fn control(&self) -> FTeid {
        FTeid::parse(self.ies().get(IeType::F_TEID, 1).unwrap()).unwrap()
    }

    /// Our endpoint for the signalling of a UE by S11.
    pub fn s11(&self) -> FTeid {
        FTeid::parse(self.ies().get(IeType::F_TEID, 0).unwrap()).unwrap()
    }

    pub fn paa(&self) -> Paa {
        Paa::parse(self.ies().get(IeType::PAA, 0).unwrap()).unwrap()
    }
}

impl Rig {
    /// A rig whose node is a PGW as well.
    pub fn v2() -> Self {
        Self::with(and_v2)
    }

    /// A request with a sequence number of its own; its one answer.
    pub fn ask2(&mut self, request: &Message2) -> Answer2 {
        let sequence = 0x0070_0000 + u32::from(self.next_sequence());
        let mut answers = self.raw(&request.encode(sequence));
        assert_eq!(answers.len(), 1, "one answer to {:?}", request.kind);
        let answer = Answer2::read(&answers.remove(0));
        assert_eq!(answer.header.sequence, sequence);
        let kind = request.kind;
        let answers = kind.response().or(kind.failure_indication());
        assert_eq!(Some(answer.header.kind), answers);
        if answer.cause().is_accepted() {
            let recovery = answer.ies().get(IeType::RECOVERY, 0).map(<[u8]>::to_vec);
            assert_eq!(recovery, Some(vec![RECOVERY]));
        }
        answer
    }

    /// Makes a session; its tunnel endpoint for signalling.
    pub fn make2(&mut self, number: u64, ebi: u8, apn: &str) -> u32 {
        self.accepted2(&create2(number, ebi, apn)).control().teid
    }

    /// Makes a session by S11; our tunnel endpoint for the signalling of its UE.
    pub fn make11(&mut self, number: u64, ebi: u8, apn: &str) -> u32 {
        self.accepted2(&create11(number, ebi, apn)).s11().teid
    }

    pub fn accepted2(&mut self, request: &Message2) -> Answer2 {
        let answer = self.ask2(request);
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        answer
    }
}
