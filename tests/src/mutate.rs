//! Captured messages, replayed with mutations: octets and bits changed, messages cut, lengths wrong, elements doubled,
//! moved, left out, taken from other messages, endpoints and sequence numbers of others.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use gtp::{v1, v2};
use rand::Rng;
use rand::rngs::StdRng;

use crate::python::bytes;

/// Where captures are.
const DIRECTORIES: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/captures"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../gtp/tests/vectors"),
];
/// The subscriber of the captures, as it is coded in both versions.
const IMSI: [u8; 8] = [0x42, 0x00, 0x01, 0x21, 0x43, 0x65, 0x87, 0xF9];
/// The octet of it that tells subscribers apart here, and how many there are.
const SUBSCRIBER: usize = 6;
const SUBSCRIBERS: u8 = 40;
/// Endpoints and requests of the node that are remembered.
const REMEMBERED: usize = 256;

/// Captured messages and what was learnt since.
pub struct Mutator {
    random: StdRng,
    captures: Vec<Vec<u8>>,
    /// Endpoints that the node has given out.
    endpoints: VecDeque<u32>,
    /// What the node has asked by itself.
    asked: VecDeque<u32>,
    sequence: u32,
}

impl Mutator {
    /// Reads the captures.
    ///
    /// # Errors
    ///
    /// When there are none, or one is not hexadecimal.
    pub fn new(random: StdRng) -> Result<Self> {
        let mut captures = Vec::new();
        for directory in DIRECTORIES {
            read_all(Path::new(directory), &mut captures)?;
        }
        ensure!(captures.len() > 20, "{} captures", captures.len());
        Ok(Self {
            random,
            captures,
            endpoints: VecDeque::new(),
            asked: VecDeque::new(),
            sequence: 0,
        })
    }

    /// Has the captures name this address in the place of that one.
    pub fn replace_address(&mut self, from: [u8; 4], to: [u8; 4]) {
        for capture in &mut self.captures {
            replace(capture, &from, &to);
        }
    }

    /// What the node has sent: endpoints to name, requests to answer.
    pub fn learn(&mut self, sent: &[u8]) {
        let endpoint = endpoint_of(sent);
        if let Some(endpoint) = endpoint {
            remember(&mut self.endpoints, endpoint);
        }
        if let Some(peeked) = gtp::peek::peek(sent)
            && let Some(sequence) = peeked.sequence
            && matches!(peeked.kind, 1 | 20 | 99)
        {
            remember(&mut self.asked, sequence);
        }
    }

    /// The next message, with up to four mutations or with none.
    pub fn draw(&mut self) -> Vec<u8> {
        let at = self.random.random_range(0..self.captures.len());
        let mut octets = self.captures[at].clone();
        self.address(&mut octets);
        self.spoilt(octets)
    }

    /// An answer to a request that the node has sent, if there is one among the captures; mutated likewise.
    pub fn answer_to(&mut self, sent: &[u8]) -> Option<Vec<u8>> {
        let asked = gtp::peek::peek(sent)?;
        let answers = |capture: &&Vec<u8>| {
            let answer = gtp::peek::peek(capture);
            answer.is_some_and(|answer| {
                (answer.version, answer.kind) == (asked.version, asked.kind + 1)
            })
        };
        let mut octets = self.captures.iter().find(answers)?.clone();
        self.address(&mut octets);
        let teid = endpoint_of(sent).unwrap_or(0);
        let sequence = asked.sequence?.to_be_bytes();
        match (asked.version, octets[0] & 8 != 0) {
            (2, true) => {
                octets[4..8].copy_from_slice(&teid.to_be_bytes());
                octets[8..11].copy_from_slice(&sequence[1..]);
            }
            (2, false) => octets[4..7].copy_from_slice(&sequence[1..]),
            _ => octets[8..10].copy_from_slice(&sequence[2..]),
        }
        Some(self.spoilt(octets))
    }

    fn spoilt(&mut self, mut octets: Vec<u8>) -> Vec<u8> {
        let mutations = self.random.random_range(0..6_u8).saturating_sub(1);
        for _ in 0..mutations {
            self.mutate(&mut octets);
        }
        if self.random.random_bool(0.8) {
            fix_length(&mut octets);
        }
        octets
    }

    /// From another subscriber, for another bearer, to an endpoint that there is, with a sequence number of its own.
    fn address(&mut self, octets: &mut [u8]) {
        let mut subscriber = IMSI;
        subscriber[SUBSCRIBER] = self.random.random_range(0..SUBSCRIBERS) % 10 * 17;
        replace(octets, &IMSI, &subscriber);
        let number = self.random.random_range(5..9);
        replace(octets, &[73, 0, 1, 0, 5], &[73, 0, 1, 0, number]);
        let is_v2 = octets[0] >> 5 == 2;
        let has_teid = !is_v2 || octets[0] & 8 != 0;
        let names_one = has_teid && octets.get(4..8).is_some_and(|teid| teid != [0; 4]);
        if names_one && let Some(endpoint) = pick(&mut self.random, &self.endpoints) {
            octets[4..8].copy_from_slice(&endpoint.to_be_bytes());
        }
        self.sequence = self.sequence.wrapping_add(1);
        let is_answer = matches!(octets[1], 2 | 21 | 100);
        let asked = pick(&mut self.random, &self.asked).filter(|_| is_answer);
        let sequence = asked.unwrap_or(self.sequence).to_be_bytes();
        match (is_v2, has_teid) {
            (true, true) => octets[8..11].copy_from_slice(&sequence[1..]),
            (true, false) => octets[4..7].copy_from_slice(&sequence[1..]),
            (false, _) => octets[8..10].copy_from_slice(&sequence[2..]),
        }
    }

    fn mutate(&mut self, octets: &mut Vec<u8>) {
        if octets.is_empty() {
            return;
        }
        let at = self.random.random_range(0..octets.len());
        match self.random.random_range(0..10) {
            0 => octets[at] ^= 1 << self.random.random_range(0..8),
            1 | 2 => octets[at] = self.random.random(),
            3 => octets.truncate(at),
            4 => octets.insert(at, self.random.random()),
            5 => drop(octets.remove(at)),
            6 if octets.len() > 4 => {
                let length = self.random.random_range(0..octets.len() as u16 * 2);
                octets[2..4].copy_from_slice(&length.to_be_bytes());
            }
            7 => {
                let other = self.random.random_range(0..self.captures.len());
                octets.extend_from_slice(&self.captures[other].clone());
            }
            _ => self.mutate_elements(octets),
        }
    }

    /// Elements of GTPv2 doubled, left out, moved, made longer than they are, of another instance, or of another message.
    fn mutate_elements(&mut self, octets: &mut Vec<u8>) {
        let other = self.random.random_range(0..self.captures.len());
        let other = elements(&self.captures[other]).map(|(_, elements)| elements);
        let Some((header, mut elements)) = elements(octets) else {
            return;
        };
        if elements.is_empty() {
            return;
        }
        let at = self.random.random_range(0..elements.len());
        let to = self.random.random_range(0..elements.len());
        match self.random.random_range(0..7) {
            0 => elements.insert(to, elements[at].clone()),
            1 => drop(elements.remove(at)),
            2 => elements.swap(at, to),
            3 => elements.reverse(),
            4 => elements[at][2] = self.random.random(),
            5 => elements[at][3] = self.random.random_range(0..16),
            _ => {
                if let Some(other) = other.filter(|other| !other.is_empty()) {
                    let from = self.random.random_range(0..other.len());
                    elements.insert(to, other[from].clone());
                }
            }
        }
        octets.truncate(header);
        octets.extend(elements.concat());
    }
}

fn read_all(directory: &Path, captures: &mut Vec<Vec<u8>>) -> Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("read {directory:?}"))?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.extension().is_some_and(|extension| extension == "hex") {
            let text = fs::read_to_string(&path)?;
            captures.push(bytes(text.trim()).with_context(|| format!("{path:?}"))?);
        }
    }
    Ok(())
}

fn remember(numbers: &mut VecDeque<u32>, number: u32) {
    if numbers.len() == REMEMBERED {
        numbers.pop_front();
    }
    numbers.push_back(number);
}

fn pick(random: &mut StdRng, numbers: &VecDeque<u32>) -> Option<u32> {
    match numbers.len() {
        0 => None,
        len => numbers.get(random.random_range(0..len)).copied(),
    }
}

/// The node's endpoint for signalling in a response of its that accepts.
fn endpoint_of(sent: &[u8]) -> Option<u32> {
    if sent.first()? >> 5 == 1 {
        let message = v1::Message::parse(sent).ok()?;
        let ies = message.ie_set().ok()?;
        let ours = ies.get(v1::IeType::TEID_CONTROL_PLANE)?;
        return Some(u32::from_be_bytes(ours.try_into().ok()?));
    }
    let message = v2::Message::parse(sent).ok()?;
    let ies = message.ie_set().ok()?;
    let ours = ies.get(v2::IeType::F_TEID, 0);
    let ours = ours.or_else(|| ies.get(v2::IeType::F_TEID, 1))?;
    Some(v2::FTeid::parse(ours).ok()?.teid)
}

/// Octets of the header of a message of GTPv2, and its elements, each with its type, length and instance.
fn elements(octets: &[u8]) -> Option<(usize, Vec<Vec<u8>>)> {
    let flags = *octets.first().filter(|flags| **flags >> 5 == 2)?;
    let header = if flags & 8 != 0 { 12 } else { 8 };
    let mut rest = octets.get(header..)?;
    let mut elements = Vec::new();
    while let Some(length) = rest.get(1..3) {
        let end = 4 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (element, behind) = rest.split_at_checked(end)?;
        elements.push(element.to_vec());
        rest = behind;
    }
    Some((header, elements))
}

fn fix_length(octets: &mut [u8]) {
    let Some(flags) = octets.first() else {
        return;
    };
    let behind = if flags >> 5 == 2 { 4 } else { 8 };
    let length = octets.len().saturating_sub(behind) as u16;
    if let Some(field) = octets.get_mut(2..4) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// Replaces octets wherever they are.
fn replace(octets: &mut [u8], from: &[u8], to: &[u8]) {
    let mut at = 0;
    while let Some(place) = octets.get_mut(at..at + from.len()) {
        if place == from {
            place.copy_from_slice(to);
        }
        at += 1;
    }
}
