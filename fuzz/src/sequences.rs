//! Messages one after another at the workers of a node: captured ones with octets changed, from several peers, to endpoints that
//! the node has given out, with time and other ceilings in between. After each the counts are those of the sessions (I2), and
//! none is above a ceiling that was not (I1).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::Duration;

use enforcer::Terms;
use licensing::ServiceIndex;

use super::planes::{Planes, config};

const CAPTURES: [&str; 12] = [
    include_str!("../../gtp/tests/vectors/sgsnemu-create-request.hex"),
    include_str!("../../gtp/tests/vectors/sgsnemu-delete-request.hex"),
    include_str!("../../gtp/tests/vectors/sgsnemu-echo-request.hex"),
    include_str!("../../gtp/tests/vectors/scapy-v2-create-session-request.hex"),
    include_str!("../../gtp/tests/vectors/scapy-v2-delete-session-request.hex"),
    include_str!("../../gtp/tests/vectors/scapy-v2-echo-request.hex"),
    include_str!("../../gtp/tests/vectors/scapy-v2-modify-bearer-request.hex"),
    include_str!("../../tests/captures/pycrate-change-notification-request.hex"),
    include_str!("../../tests/captures/pycrate-delete-bearer-command.hex"),
    include_str!("../../tests/captures/pycrate-delete-bearer-response.hex"),
    include_str!("../../tests/captures/pycrate-echo-response.hex"),
    include_str!("../../tests/captures/pycrate-modify-bearer-command.hex"),
];
const SERVICES: u8 = 4;
const STEPS_MAX: usize = 48;
/// Endpoints of the node that are remembered.
const ENDPOINTS: usize = 8;

/// What there was in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Datagrams that the node sent.
    pub sent: u64,
    /// Sessions that are left.
    pub sessions: u32,
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

/// [`CAPTURES`] as octets.
static MESSAGES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| CAPTURES.iter().map(|hex| octets(hex)).collect());

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.trim().bytes().filter_map(digit).collect();
    digits
        .chunks_exact(2)
        .map(|two| two[0] << 4 | two[1])
        .collect()
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Runs an input.
pub fn sequences(input: &[u8]) -> Left {
    let mut planes = Planes::new(config(), 2, 3).expect("the configuration is good");
    let mut input = Input(input);
    let mut endpoints = Vec::new();
    let mut ceilings = [None; SERVICES as usize];
    let mut left = Left::default();
    let mut sequence = 0_u16;
    for _ in 0..STEPS_MAX {
        let Some(what) = input.octet() else {
            break;
        };
        let before = counts(&planes);
        if step(
            &mut planes,
            what,
            &mut input,
            &endpoints,
            &mut ceilings,
            &mut sequence,
        )
        .is_none()
        {
            break;
        }
        while let Some(sent) = planes.take_sent() {
            left.sent += 1;
            remember(&mut endpoints, &sent.octets);
        }
        let after = counts(&planes);
        for ((before, after), ceiling) in before.iter().zip(after).zip(ceilings) {
            let over = ceiling.is_some_and(|ceiling| after > ceiling && after > *before);
            assert!(!over, "I1: {before} sessions, then {after} of {ceiling:?}");
        }
        let (sessions, permits) = (planes.sessions(), planes.permits());
        assert_eq!(i64::from(sessions), permits, "I2: sessions and permits");
    }
    left.sessions = planes.sessions();
    left
}

fn counts(planes: &Planes) -> Vec<u32> {
    (0..SERVICES)
        .map(|service| planes.gate.count(ServiceIndex(service)))
        .collect()
}

fn step(
    planes: &mut Planes,
    what: u8,
    input: &mut Input<'_>,
    endpoints: &[u32],
    ceilings: &mut [Option<u32>],
    sequence: &mut u16,
) -> Option<()> {
    match what {
        0..208 => {
            let mut message = MESSAGES[usize::from(what) % MESSAGES.len()].clone();
            let peer = IpAddr::from(Ipv4Addr::new(198, 51, 100, 1 + input.octet()? % 3));
            let how = input.octet()?;
            let has_teid = message[0] >> 5 == 1 || message[0] & 8 != 0;
            *sequence += u16::from(how & 1);
            let place = match (message[0] >> 5, has_teid) {
                (1, _) => 8,
                (_, true) => 9,
                (_, false) => 5,
            };
            if let Some(octets) = message.get_mut(place..place + 2) {
                octets.copy_from_slice(&sequence.to_be_bytes());
            }
            if how & 2 != 0 && has_teid && !endpoints.is_empty() {
                let endpoint = endpoints[usize::from(input.octet()?) % endpoints.len()];
                message[4..8].copy_from_slice(&endpoint.to_be_bytes());
            }
            for _ in 0..how >> 5 {
                let at = usize::from(u16::from_be_bytes([input.octet()?, input.octet()?]));
                let at = at % message.len();
                message[at] = input.octet()?;
            }
            if how & 4 != 0 {
                let cut = usize::from(input.octet()?) % message.len();
                message.truncate(cut);
            }
            planes.deliver(&message, peer);
        }
        208..232 => {
            let millis = u64::from(input.octet()?) * 250;
            planes
                .pass(Duration::from_millis(millis))
                .expect("table and counters are the same");
        }
        _ => {
            let service = input.octet()? % SERVICES;
            let ceiling = Some(u32::from(input.octet()? % 8)).filter(|ceiling| *ceiling < 7);
            ceilings[usize::from(service)] = ceiling;
            let terms = Terms {
                ceiling,
                ..Terms::default()
            };
            planes.set_terms(ServiceIndex(service), terms);
        }
    }
    Some(())
}

/// The endpoint for signalling that an answer tells.
fn remember(endpoints: &mut Vec<u32>, sent: &[u8]) {
    let told = match gtp::v2::Message::parse(sent) {
        Ok(message) => message.ie_set().ok().and_then(|set| {
            let fteid = set.get(gtp::v2::IeType::F_TEID, 0)?;
            Some(gtp::v2::FTeid::parse(fteid).ok()?.teid)
        }),
        Err(_) => gtp::v1::Message::parse(sent).ok().and_then(|message| {
            let set = message.ie_set().ok()?;
            let teid = set.get(gtp::v1::IeType::TEID_CONTROL_PLANE)?;
            Some(u32::from_be_bytes(teid.try_into().ok()?))
        }),
    };
    if let Some(told) = told {
        if endpoints.len() == ENDPOINTS {
            endpoints.remove(0);
        }
        endpoints.push(told);
    }
}
