//! How long varbinds are on the wire, and how much room a message has for them.

use crate::{Oid, Value, VarBind};

/// Octets of everything around the varbinds of a PDU at the longest: three headers, request id, status, index.
const PDU_BYTES: usize = 3 * 4 + 3 * 6;

/// Octets of varbinds that fit into a message with this community that may have `max` octets.
pub fn community_room(max: usize, community: &[u8]) -> usize {
    max.saturating_sub(PDU_BYTES + 3 + 4 + community.len())
}

/// Octets of varbinds that fit into a message of SNMPv3 that may have `max` octets, whose engine id, user name, MAC, salt
/// and contexts have `names` octets together.
pub fn v3_room(max: usize, names: usize) -> usize {
    // Version; header; parameters: two headers, two numbers, four strings; scoped PDU: two headers, two strings.
    let around = 3 + (2 + 6 + 6 + 3 + 6) + (4 + 4 + 2 * 6 + 4 * 2) + (4 + 4 + 2 * 2);
    max.saturating_sub(PDU_BYTES + around + names)
}

/// Octets of a varbind on the wire.
pub fn encoded_len(varbind: &VarBind) -> usize {
    with_header(with_header(oid_len(&varbind.name)) + with_header(value_len(&varbind.value)))
}

fn with_header(contents: usize) -> usize {
    let length = match contents {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 4,
    };
    1 + length + contents
}

fn value_len(value: &Value) -> usize {
    match value {
        Value::Integer(value) => signed_len(i128::from(*value)),
        Value::OctetString(octets) | Value::Opaque(octets) => octets.len(),
        Value::ObjectIdentifier(oid) => oid_len(oid),
        Value::IpAddress(_) => 4,
        Value::Counter32(value) | Value::Gauge32(value) | Value::TimeTicks(value) => {
            signed_len(i128::from(*value))
        }
        Value::Counter64(value) => signed_len(i128::from(*value)),
        Value::Unspecified | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => 0,
    }
}

/// Octets of a number in two's complement, its sign included.
fn signed_len(value: i128) -> usize {
    let bits = 129
        - if value < 0 {
            value.leading_ones()
        } else {
            value.leading_zeros()
        };
    (bits as usize).div_ceil(8)
}

fn oid_len(oid: &Oid) -> usize {
    let arc_len = |arc: u32| (32 - arc.leading_zeros()).div_ceil(7).max(1) as usize;
    match oid.arcs() {
        [first, second, rest @ ..] => {
            arc_len(first * 40 + second) + rest.iter().copied().map(arc_len).sum::<usize>()
        }
        _ => 0,
    }
}
