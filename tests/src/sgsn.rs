//! A peer of our own: an SGSN that sends what a test tells it to, octet by octet.
//!
//! It shares no code with the codec under test, so that an error there is not made twice. Layouts: TS 29.060, section 6
//! (header) and 7.7 (information elements).

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::capture::Capture;
use crate::wait::datagram;

/// A node answers in milliseconds; the machine may be busy.
const ANSWER: Duration = Duration::from_secs(60);

/// Message types (TS 29.060 7.1).
pub mod kind {
    #![expect(missing_docs, reason = "the names are the specification's")]
    pub const ECHO_REQUEST: u8 = 1;
    pub const ECHO_RESPONSE: u8 = 2;
    pub const VERSION_NOT_SUPPORTED: u8 = 3;
    pub const CREATE_REQUEST: u8 = 16;
    pub const CREATE_RESPONSE: u8 = 17;
    pub const UPDATE_REQUEST: u8 = 18;
    pub const UPDATE_RESPONSE: u8 = 19;
    pub const DELETE_REQUEST: u8 = 20;
    pub const DELETE_RESPONSE: u8 = 21;
}

/// Types of information elements (TS 29.060 7.7).
pub mod ie {
    #![expect(missing_docs, reason = "the names are the specification's")]
    pub const CAUSE: u8 = 1;
    pub const IMSI: u8 = 2;
    pub const REORDERING: u8 = 8;
    pub const RECOVERY: u8 = 14;
    pub const SELECTION_MODE: u8 = 15;
    pub const TEID_DATA: u8 = 16;
    pub const TEID_CONTROL: u8 = 17;
    pub const TEARDOWN: u8 = 19;
    pub const NSAPI: u8 = 20;
    pub const CHARGING_ID: u8 = 127;
    pub const END_USER_ADDRESS: u8 = 128;
    pub const APN: u8 = 131;
    pub const PCO: u8 = 132;
    pub const GSN_ADDRESS: u8 = 133;
    pub const MSISDN: u8 = 134;
    pub const QOS: u8 = 135;
    pub const TFT: u8 = 137;
    pub const EXTENSION_HEADER_TYPES: u8 = 141;
    pub const COMMON_FLAGS: u8 = 148;
    pub const EVOLVED_ARP: u8 = 191;
    pub const BACK_OFF_TIME: u8 = 202;
}

/// Values of the Cause (TS 29.060 7.7.1).
pub mod cause {
    #![expect(missing_docs, reason = "the names are the specification's")]
    pub const ACCEPTED: u8 = 128;
    pub const NEW_PDP_TYPE_NETWORK_PREFERENCE: u8 = 129;
    pub const NON_EXISTENT: u8 = 192;
    pub const INVALID_MESSAGE_FORMAT: u8 = 193;
    pub const NO_RESOURCES: u8 = 199;
    pub const SERVICE_NOT_SUPPORTED: u8 = 200;
    pub const MANDATORY_IE_INCORRECT: u8 = 201;
    pub const MANDATORY_IE_MISSING: u8 = 202;
    pub const SYSTEM_FAILURE: u8 = 204;
    pub const CONTEXT_NOT_FOUND: u8 = 210;
    pub const ALL_ADDRESSES_OCCUPIED: u8 = 211;
    pub const UNKNOWN_MANDATORY_EXTENSION: u8 = 214;
    pub const UNKNOWN_APN: u8 = 219;
    pub const UNKNOWN_PDP_TYPE: u8 = 220;
    pub const NO_MEMORY: u8 = 212;
    pub const APN_CONGESTION: u8 = 229;
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Message {
    kind: u8,
    teid: u32,
    seq: u16,
    ies: Vec<u8>,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Message type.
    pub kind: u8,
    /// Tunnel endpoint identifier of the header.
    pub teid: u32,
    /// Sequence number; none: the S flag is not set.
    pub seq: Option<u16>,
    /// Type and value of each information element, in the order in which they came.
    pub ies: Vec<(u8, Vec<u8>)>,
    /// The octets.
    pub bytes: Vec<u8>,
}

/// The SGSN: a socket at the port of GTP-C, whose datagrams are recorded both ways.
#[derive(Debug)]
pub struct Sgsn {
    socket: UdpSocket,
    ggsn: SocketAddr,
    capture: Option<Arc<Capture>>,
    next_seq: u16,
}

/// What a Create PDP Context Request for a primary context asks for.
#[derive(Clone, Debug)]
pub struct Call {
    /// 15 digits.
    pub imsi: String,
    /// 0 to 15.
    pub nsapi: u8,
    /// Access point name.
    pub apn: String,
    /// The PDP type of the IETF: 0x21 IPv4, 0x57 IPv6, 0x8d both.
    pub pdp_type: u8,
    /// The SGSN's TEID of the control plane.
    pub control: u32,
    /// The SGSN's TEID of the user plane.
    pub data: u32,
    /// The SGSN's restart counter, if it sends it.
    pub recovery: Option<u8>,
    /// Priority level of the Evolved Allocation/Retention Priority, if it sends that.
    pub priority_level: Option<u8>,
}

impl Message {
    /// A message without information elements.
    pub fn new(kind: u8, teid: u32, seq: u16) -> Self {
        Self {
            kind,
            teid,
            seq,
            ies: Vec::new(),
        }
    }

    /// Adds an element of fixed length (its type below 128).
    #[must_use]
    pub fn tv(mut self, kind: u8, value: &[u8]) -> Self {
        self.ies.push(kind);
        self.ies.extend(value);
        self
    }

    /// Adds an element with a length (its type from 128).
    #[must_use]
    pub fn tlv(mut self, kind: u8, value: &[u8]) -> Self {
        self.ies.push(kind);
        self.ies.extend((value.len() as u16).to_be_bytes());
        self.ies.extend(value);
        self
    }

    /// Adds an SGSN's two addresses: for signalling, then for user traffic.
    #[must_use]
    pub fn gsn_addresses(self, address: Ipv4Addr) -> Self {
        let octets = address.octets();
        self.tlv(ie::GSN_ADDRESS, &octets)
            .tlv(ie::GSN_ADDRESS, &octets)
    }

    /// Its octets, with a sequence number.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x32, self.kind];
        bytes.extend((4 + self.ies.len() as u16).to_be_bytes());
        bytes.extend(self.teid.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(&self.ies);
        bytes
    }
}

impl Call {
    /// A call of subscriber number `subscriber` to an APN, for an IPv4 address, on NSAPI 5.
    pub fn new(subscriber: u32, apn: &str) -> Self {
        Self {
            imsi: format!("00101{subscriber:010}"),
            nsapi: 5,
            apn: apn.to_owned(),
            pdp_type: 0x21,
            control: 0x1000_0000 + subscriber,
            data: 0x2000_0000 + subscriber,
            recovery: None,
            priority_level: None,
        }
    }

    /// The request, from an SGSN at this address.
    pub fn request(&self, seq: u16, sgsn: Ipv4Addr) -> Message {
        let mut message =
            Message::new(kind::CREATE_REQUEST, 0, seq).tv(ie::IMSI, &tbcd(&self.imsi));
        if let Some(counter) = self.recovery {
            message = message.tv(ie::RECOVERY, &[counter]);
        }
        message = message
            .tv(ie::SELECTION_MODE, &[0xfc])
            .tv(ie::TEID_DATA, &self.data.to_be_bytes())
            .tv(ie::TEID_CONTROL, &self.control.to_be_bytes())
            .tv(ie::NSAPI, &[self.nsapi])
            .tlv(ie::END_USER_ADDRESS, &[0xf1, self.pdp_type])
            .tlv(ie::APN, &labels(&self.apn))
            .gsn_addresses(sgsn)
            .tlv(ie::MSISDN, &[0x91, 0x64, 0x07, 0x12, 0x32, 0x54, 0xf6])
            .tlv(ie::QOS, &[1, 0x0b, 0x92, 0x1f]);
        if let Some(level) = self.priority_level {
            message = message.tlv(ie::EVOLVED_ARP, &[level << 2]);
        }
        message
    }
}

impl Received {
    /// Reads a message; the walk over elements of fixed length knows those that a GGSN sends.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() >= 8, "{} octets are no header", bytes.len());
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        ensure!(
            bytes.len() == 8 + length,
            "length says {length}, {} octets follow",
            bytes.len() - 8
        );
        let optional = bytes[0] & 7 != 0;
        ensure!(
            !optional || length >= 4,
            "flags {:#04x} without the octets that they announce",
            bytes[0]
        );
        let seq = (bytes[0] & 2 != 0).then(|| u16::from_be_bytes([bytes[8], bytes[9]]));
        let teid = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        let ies = read_ies(&bytes[if optional { 12 } else { 8 }..])?;
        Ok(Self {
            kind: bytes[1],
            teid,
            seq,
            ies,
            bytes: bytes.to_vec(),
        })
    }

    /// The value of the first element of a type.
    pub fn ie(&self, kind: u8) -> Result<&[u8]> {
        let found = self.ies.iter().find(|(of, _)| *of == kind);
        let (_, value) = found.with_context(|| format!("no element {kind} in {:?}", self.ies))?;
        Ok(value)
    }

    /// True if it has an element of a type.
    pub fn has(&self, kind: u8) -> bool {
        self.ies.iter().any(|(of, _)| *of == kind)
    }

    /// The value of the Cause.
    pub fn cause(&self) -> Result<u8> {
        Ok(self.ie(ie::CAUSE)?[0])
    }

    /// The value of a TEID element.
    pub fn teid_of(&self, kind: u8) -> Result<u32> {
        Ok(u32::from_be_bytes(self.ie(kind)?.try_into()?))
    }
}

impl Sgsn {
    /// An SGSN on a socket, calling one GGSN.
    pub fn new(socket: UdpSocket, ggsn: SocketAddr) -> Result<Self> {
        socket.set_read_timeout(Some(ANSWER))?;
        Ok(Self {
            socket,
            ggsn,
            capture: None,
            next_seq: 1,
        })
    }

    /// Records every datagram from now on.
    pub fn record(&mut self, capture: Arc<Capture>) {
        self.capture = Some(capture);
    }

    /// Its address.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Its IPv4 address.
    pub fn ip(&self) -> Result<Ipv4Addr> {
        match self.address()? {
            SocketAddr::V4(address) => Ok(*address.ip()),
            SocketAddr::V6(address) => anyhow::bail!("{address} is not IPv4"),
        }
    }

    /// A sequence number that it has not used.
    pub fn seq(&mut self) -> u16 {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.wrapping_add(1);
        seq
    }

    /// Sends octets.
    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        self.socket.send_to(bytes, self.ggsn)?;
        if let Some(capture) = &self.capture {
            capture.record(self.address()?, self.ggsn, bytes)?;
        }
        Ok(())
    }

    /// The next message that comes.
    pub fn receive(&self) -> Result<Received> {
        let mut buffer = [0; 4096];
        let received = datagram(&self.socket, &mut buffer);
        let (length, from) = received.context("no answer came")?;
        ensure!(
            from == self.ggsn,
            "an answer came from {from}, not from {}",
            self.ggsn
        );
        if let Some(capture) = &self.capture {
            capture.record(from, self.address()?, &buffer[..length])?;
        }
        Received::read(&buffer[..length])
    }

    /// Sends octets and takes the next message.
    pub fn exchange(&self, bytes: &[u8]) -> Result<Received> {
        self.send(bytes)?;
        self.receive()
    }

    /// Makes a call and takes the answer.
    pub fn create(&mut self, call: &Call) -> Result<Received> {
        let seq = self.seq();
        let answer = self.exchange(&call.request(seq, self.ip()?).bytes())?;
        ensure!(
            answer.kind == kind::CREATE_RESPONSE && answer.seq == Some(seq),
            "{answer:?}"
        );
        Ok(answer)
    }

    /// Deletes the context of an NSAPI at the GGSN's TEID, or all that share its address.
    pub fn delete(&mut self, ggsn_control: u32, nsapi: u8, all: bool) -> Result<Received> {
        let seq = self.seq();
        let mut message = Message::new(kind::DELETE_REQUEST, ggsn_control, seq);
        if all {
            message = message.tv(ie::TEARDOWN, &[0xff]);
        }
        let answer = self.exchange(&message.tv(ie::NSAPI, &[nsapi]).bytes())?;
        ensure!(
            answer.kind == kind::DELETE_RESPONSE && answer.seq == Some(seq),
            "{answer:?}"
        );
        Ok(answer)
    }
}

/// Digits, two an octet, the first in the low half, filled up with 1111 (TS 29.060 7.7.2).
pub fn tbcd(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| pair[0] | pair.get(1).unwrap_or(&0xf) << 4)
        .collect()
}

/// A name as a row of labels, each behind its length (TS 23.003 9.1).
pub fn labels(name: &str) -> Vec<u8> {
    let labels = name.split('.');
    labels
        .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
        .collect()
}

fn read_ies(mut rest: &[u8]) -> Result<Vec<(u8, Vec<u8>)>> {
    let mut ies = Vec::new();
    while let [kind, after @ ..] = rest {
        let (head, length) = match *kind {
            ie::CAUSE | ie::REORDERING | ie::RECOVERY | ie::TEARDOWN | ie::NSAPI => (0, 1),
            ie::TEID_DATA | ie::TEID_CONTROL | ie::CHARGING_ID => (0, 4),
            // The only one with a length of one octet.
            ie::EXTENSION_HEADER_TYPES => {
                ensure!(!after.is_empty(), "element {kind} is cut off in its length");
                (1, usize::from(after[0]))
            }
            128.. => {
                ensure!(after.len() >= 2, "element {kind} is cut off in its length");
                (2, usize::from(u16::from_be_bytes([after[0], after[1]])))
            }
            other => anyhow::bail!("a GGSN does not send element {other}"),
        };
        let value = after.get(head..head + length);
        let value = value.with_context(|| format!("element {kind} is cut off"))?;
        ies.push((*kind, value.to_vec()));
        rest = &after[head + length..];
    }
    Ok(ies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_labels_have_the_octets_of_the_specification() {
        assert_eq!(
            tbcd("240010123456789"),
            [0x42, 0x00, 0x01, 0x21, 0x43, 0x65, 0x87, 0xf9]
        );
        assert_eq!(labels("internet.test"), *b"\x08internet\x04test");
    }

    #[test]
    fn elements_of_both_forms_are_walked() {
        let message = Message::new(kind::CREATE_RESPONSE, 7, 9)
            .tv(ie::CAUSE, &[128])
            .tv(ie::TEID_CONTROL, &[0, 0, 1, 2])
            .tlv(ie::END_USER_ADDRESS, &[0xf1, 0x21, 10, 0, 0, 1]);
        let read = Received::read(&message.bytes()).unwrap();
        assert_eq!(
            (read.kind, read.teid, read.seq),
            (kind::CREATE_RESPONSE, 7, Some(9))
        );
        assert_eq!(read.cause().unwrap(), cause::ACCEPTED);
        assert_eq!(read.teid_of(ie::TEID_CONTROL).unwrap(), 0x102);
        assert_eq!(
            read.ie(ie::END_USER_ADDRESS).unwrap(),
            [0xf1, 0x21, 10, 0, 0, 1]
        );
    }
}
