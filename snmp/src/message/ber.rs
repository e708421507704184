//! BER as it is written: definite lengths, as short as they can be (RFC 3417 section 8).

use super::wire::{INTEGER, OCTET_STRING, SEQUENCE};
use crate::{Oid, Value, VarBind};

const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const IP_ADDRESS: u8 = 0x40;
const COUNTER_32: u8 = 0x41;
const GAUGE_32: u8 = 0x42;
const TIME_TICKS: u8 = 0x43;
const OPAQUE: u8 = 0x44;
const COUNTER_64: u8 = 0x46;
const NO_SUCH_OBJECT: u8 = 0x80;
const NO_SUCH_INSTANCE: u8 = 0x81;
const END_OF_MIB_VIEW: u8 = 0x82;

/// Octets, written from the end to the beginning, so that each length is known when its turn comes: what is last goes in
/// first.
#[derive(Debug, Default)]
pub struct Backwards(Vec<u8>);

/// The octets of what `write` puts in.
pub fn written(write: impl FnOnce(&mut Backwards)) -> Vec<u8> {
    let mut octets = Backwards(Vec::with_capacity(512));
    write(&mut octets);
    octets.0.reverse();
    octets.0
}

impl Backwards {
    /// An element around what `contents` puts in.
    pub fn element(&mut self, tag: u8, contents: impl FnOnce(&mut Self)) {
        let behind = self.0.len();
        contents(self);
        self.head(tag, self.0.len() - behind);
    }

    pub fn sequence(&mut self, contents: impl FnOnce(&mut Self)) {
        self.element(SEQUENCE, contents);
    }

    pub fn integer(&mut self, value: impl Into<i128>) {
        self.number(INTEGER, value);
    }

    pub fn octet_string(&mut self, octets: &[u8]) {
        self.octets(OCTET_STRING, octets);
    }

    pub fn object_identifier(&mut self, oid: &Oid) {
        self.element(OBJECT_IDENTIFIER, |out| {
            // What is too short to be one has no octets.
            let [first, second, rest @ ..] = oid.arcs() else {
                return;
            };
            rest.iter().rev().for_each(|arc| out.arc(*arc));
            out.arc(first * 40 + second);
        });
    }

    pub fn ip_address(&mut self, octets: [u8; 4]) {
        self.octets(IP_ADDRESS, &octets);
    }

    pub fn time_ticks(&mut self, hundredths: u32) {
        self.number(TIME_TICKS, hundredths);
    }

    pub fn varbinds(&mut self, varbinds: &[VarBind]) {
        self.sequence(|out| {
            for varbind in varbinds.iter().rev() {
                out.sequence(|out| {
                    out.value(&varbind.value);
                    out.object_identifier(&varbind.name);
                });
            }
        });
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Integer(value) => self.integer(*value),
            Value::OctetString(octets) => self.octet_string(octets),
            Value::ObjectIdentifier(oid) => self.object_identifier(oid),
            Value::IpAddress(address) => self.ip_address(address.octets()),
            Value::Counter32(value) => self.number(COUNTER_32, *value),
            Value::Gauge32(value) => self.number(GAUGE_32, *value),
            Value::TimeTicks(value) => self.time_ticks(*value),
            Value::Opaque(octets) => self.octets(OPAQUE, octets),
            Value::Counter64(value) => self.number(COUNTER_64, *value),
            Value::Unspecified => self.head(NULL, 0),
            Value::NoSuchObject => self.head(NO_SUCH_OBJECT, 0),
            Value::NoSuchInstance => self.head(NO_SUCH_INSTANCE, 0),
            Value::EndOfMibView => self.head(END_OF_MIB_VIEW, 0),
        }
    }

    fn octets(&mut self, tag: u8, octets: &[u8]) {
        self.0.extend(octets.iter().rev());
        self.head(tag, octets.len());
    }

    /// Two's complement, as short as it can be.
    fn number(&mut self, tag: u8, value: impl Into<i128>) {
        self.element(tag, |out| {
            let mut left: i128 = value.into();
            loop {
                let octet = left as u8;
                out.0.push(octet);
                left >>= 8;
                let sign = if octet & 0x80 == 0 { 0 } else { -1 };
                if left == sign {
                    break;
                }
            }
        });
    }

    /// Seven bits an octet, the last without the high bit.
    fn arc(&mut self, arc: u32) {
        self.0.push(arc as u8 & 0x7f);
        let mut left = arc >> 7;
        while left > 0 {
            self.0.push(left as u8 | 0x80);
            left >>= 7;
        }
    }

    fn head(&mut self, tag: u8, length: usize) {
        if length < 0x80 {
            self.0.extend([length as u8, tag]);
            return;
        }
        let (mut left, mut octets) = (length, 0x80);
        while left > 0 {
            self.0.push(left as u8);
            left >>= 8;
            octets += 1;
        }
        self.0.extend([octets, tag]);
    }
}
