//! scapy's `contrib.gtp` and `contrib.gtp_v2` as a second encoder and decoder, in a virtual environment.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::python::{Script, bytes, hex};

/// A running scapy that encodes and decodes messages.
#[derive(Debug)]
pub struct Scapy(Script);

/// An information element by its class in scapy, and the class's fields.
pub type Ie = (&'static str, Value);

/// A message as scapy reads it.
#[derive(Debug)]
pub struct Decoded {
    /// The message type.
    pub kind: u64,
    /// The header's TEID.
    pub teid: u64,
    /// The sequence number.
    pub seq: u64,
    /// The header's length field, in octets.
    pub length: u64,
    /// The information elements in their order, each with its class in `ie`.
    pub ies: Vec<Map<String, Value>>,
}

impl Scapy {
    /// Starts scapy.
    pub fn start() -> Result<Self> {
        Script::start("scapy_gtp.py").map(Self)
    }

    /// The bytes of a GTPv1-C message.
    pub fn encode(&mut self, kind: u8, teid: u32, seq: u16, ies: &[Ie]) -> Result<Vec<u8>> {
        let request = json!({"op": "encode", "type": kind, "teid": teid, "seq": seq, "ies": ies});
        self.encoded(&request)
    }

    /// The bytes of a GTPv2-C message, with a TEID or without.
    pub fn encode_v2(
        &mut self,
        kind: u8,
        teid: Option<u32>,
        seq: u32,
        ies: &[Ie],
    ) -> Result<Vec<u8>> {
        let request =
            json!({"op": "encode_v2", "type": kind, "teid": teid, "seq": seq, "ies": ies});
        self.encoded(&request)
    }

    fn encoded(&mut self, request: &Value) -> Result<Vec<u8>> {
        let answer = self.ask(request)?;
        let hex = answer["hex"]
            .as_str()
            .with_context(|| format!("scapy can't encode {request}: {answer}"))?;
        bytes(hex)
    }

    /// A GTPv1-C message as scapy reads it.
    pub fn decode(&mut self, message: &[u8]) -> Result<Decoded> {
        self.decoded("decode", message)
    }

    /// A GTPv2-C message as scapy reads it; TEID 0 where it has none.
    pub fn decode_v2(&mut self, message: &[u8]) -> Result<Decoded> {
        self.decoded("decode_v2", message)
    }

    fn decoded(&mut self, operation: &str, message: &[u8]) -> Result<Decoded> {
        let answer = self.ask(&json!({"op": operation, "hex": hex(message)}))?;
        let number = |key: &str| {
            let value = answer[key].as_u64();
            value.with_context(|| {
                format!(
                    "no {key} in what scapy read from {}: {answer}",
                    hex(message)
                )
            })
        };
        let ies = answer["ies"]
            .as_array()
            .context("scapy lists information elements")?;
        let ies = ies.iter().filter_map(Value::as_object).cloned().collect();
        Ok(Decoded {
            kind: number("type")?,
            teid: number("teid")?,
            seq: number("seq")?,
            length: number("length")?,
            ies,
        })
    }

    /// The messages of a GTPv2-C datagram as scapy reads them, in the words of [`elements`](crate::elements).
    pub fn read(&mut self, datagram: &[u8]) -> Result<Vec<Value>> {
        self.0.read(datagram)
    }

    /// The datagram that scapy makes of them; what [`in_words_of_scapy`] leaves out, scapy can't say.
    pub fn write(&mut self, messages: &[Value]) -> Result<Vec<u8>> {
        self.0.write(messages)
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        self.0.ask(request)
    }
}

/// Flags of the Indication that scapy has no name for, or no octet.
const UNNAMED_FLAGS: [&str; 14] = [
    "CSRMFI", "MTEDTN", "MTEDTA", "NSPUSI", "PGWRNSI", "RPPCSI", "PGWCHI", "SISSME", "NSENBI",
    "IDFUPF", "EMCI", "LTEMSAI", "SRTPI", "UPIPSI",
];

/// The same messages without what scapy neither reads nor writes: the offending element of a Cause, the eNodeBs of a
/// location, the Indication beyond its eighth octet and a few of its flags.
pub fn in_words_of_scapy(messages: &[Value]) -> Vec<Value> {
    let mut messages = messages.to_vec();
    for message in &mut messages {
        leave_out(&mut message["elements"]);
    }
    messages
}

fn leave_out(elements: &mut Value) {
    for element in elements.as_array_mut().into_iter().flatten() {
        let Some(value) = element["value"].as_object_mut() else {
            continue;
        };
        for unread in ["offending", "macro_enb", "extended_macro_enb"] {
            if let Some(part) = value.get_mut(unread) {
                *part = Value::Null;
            }
        }
        if let Some(flags) = value.get_mut("flags").and_then(Value::as_array_mut) {
            let named = |flag: &str| !UNNAMED_FLAGS.contains(&flag);
            flags.retain(|flag| flag.as_str().is_some_and(named));
        }
        if let Some(octets) = value.get_mut("octets") {
            *octets = octets.as_u64().map_or(0, |octets| octets.min(8)).into();
        }
        if let Some(inner) = value.get_mut("elements") {
            leave_out(inner);
        }
    }
}

impl Decoded {
    /// A field of the only information element of this class.
    pub fn field(&self, class: &str, field: &str) -> Result<&Value> {
        let mut found = self.ies.iter().filter(|ie| ie["ie"] == class);
        let (Some(ie), None) = (found.next(), found.next()) else {
            bail!("not exactly one {class} in {:?}", self.ies);
        };
        ie.get(field)
            .with_context(|| format!("no {field} in {ie:?}"))
    }

    /// The same as a number.
    pub fn number(&self, class: &str, field: &str) -> Result<u64> {
        let value = self.field(class, field)?;
        value
            .as_u64()
            .with_context(|| format!("{class}.{field} is {value}"))
    }

    /// The same as a text.
    pub fn text(&self, class: &str, field: &str) -> Result<&str> {
        let value = self.field(class, field)?;
        value
            .as_str()
            .with_context(|| format!("{class}.{field} is {value}"))
    }

    /// The value of the Cause.
    pub fn cause(&self) -> Result<u64> {
        self.number("IE_Cause", "CauseValue")
    }

    /// The GSN addresses in their order: signalling, then traffic.
    pub fn gsn_addresses(&self) -> Vec<&str> {
        let addresses = self.ies.iter().filter(|ie| ie["ie"] == "IE_GSNAddress");
        addresses
            .filter_map(|ie| ie.get("ipv4_address")?.as_str())
            .collect()
    }
}

/// The International Mobile Subscriber Identity.
pub fn imsi(digits: &str) -> Ie {
    ("IE_IMSI", json!({"imsi": digits}))
}

/// The restart counter.
pub fn recovery(counter: u8) -> Ie {
    ("IE_Recovery", json!({"restart_counter": counter}))
}

/// "MS or network provided APN, subscribed verified".
pub fn selection_mode() -> Ie {
    ("IE_SelectionMode", json!({"SelectionMode": 252}))
}

/// The peer's TEID for the user plane.
pub fn teid_data(teid: u32) -> Ie {
    ("IE_TEIDI", json!({"TEIDI": teid}))
}

/// The peer's TEID for the control plane.
pub fn teid_control(teid: u32) -> Ie {
    ("IE_TEICP", json!({"TEICI": teid}))
}

/// The NSAPI.
pub fn nsapi(nsapi: u8) -> Ie {
    ("IE_NSAPI", json!({"NSAPI": nsapi}))
}

/// A request for an address of an IETF type: 0x21 IPv4, 0x57 IPv6, 0x8d both.
pub fn end_user_address(pdp_type: u8) -> Ie {
    (
        "IE_EndUserAddress",
        json!({"PDPTypeNumber": pdp_type, "length": 2}),
    )
}

/// The access point name.
pub fn apn(name: &str) -> Ie {
    ("IE_AccessPointName", json!({"APN": name}))
}

/// A peer's address.
pub fn gsn_address(address: Ipv4Addr) -> Ie {
    (
        "IE_GSNAddress",
        json!({"length": 4, "ipv4_address": address.to_string()}),
    )
}

/// An MSISDN of 11 digits; scapy wants to be told the length.
pub fn msisdn(digits: &str) -> Ie {
    let length = 1 + digits.len().div_ceil(2);
    (
        "IE_MSInternationalNumber",
        json!({"length": length, "digits": digits}),
    )
}

/// A quality of service of release 97: three octets of it after the allocation/retention priority.
pub fn qos(arp: u8) -> Ie {
    (
        "IE_NotImplementedTLV",
        json!({"ietype": 135, "length": 4, "data": format!("hex:{arp:02x}0b921f")}),
    )
}

/// A traffic flow template with one packet filter (IPv4 protocol 17), created anew (TS 24.008 10.5.6.12).
pub fn tft() -> Ie {
    let one_filter = "hex:21300003".to_owned() + "023011";
    (
        "IE_NotImplementedTLV",
        json!({"ietype": 137, "length": 7, "data": one_filter}),
    )
}

/// Whether all contexts of the address go.
pub fn teardown(all: bool) -> Ie {
    ("IE_Teardown", json!({"indicator": 254 + u8::from(all)}))
}
