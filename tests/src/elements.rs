//! What GTPv2-C messages say, in words that are nobody's own, so that our codec and others can be compared.
//!
//! A datagram is a list of messages: one, or one with another piggybacked. A message is
//! `{"type", "teid", "seq", "priority", "piggyback", "elements"}`, an element `{"type", "instance", "value"}`, and a value
//! an object whose words are those of the table below; `{"hex"}` where an element has no view, `{"elements"}` of a group.
//! What a codec read may also have `"length"`, the header's length field.

mod messages;
mod values;

pub use messages::random;

use anyhow::{Context, Result, ensure};
use gtp::v2::{IeSet, IeType, Message, MessageType, Writer};
use serde_json::{Value, json};

use crate::python::hex;
use values::row;

/// The octets of a datagram, by our writer.
pub fn write(messages: &[Value]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        let kind = MessageType(number(message, "type")?);
        let teid = message["teid"].as_u64().map(u32::try_from).transpose()?;
        let sequence = number(message, "seq")?;
        let mut writer = match n {
            0 => Writer::new(&mut out, kind, teid, sequence),
            _ => Writer::piggyback(&mut out, kind, teid, sequence),
        };
        if let Some(priority) = message["priority"].as_u64() {
            writer.priority(u8::try_from(priority)?);
        }
        write_elements(&mut writer, &message["elements"])?;
        writer.finish()?;
    }
    Ok(out)
}

fn write_elements(writer: &mut Writer<'_>, elements: &Value) -> Result<()> {
    for element in list(elements)? {
        let kind = IeType(number(element, "type")?);
        let instance = number(element, "instance")?;
        let value = &element["value"];
        if value["elements"].is_array() {
            let mut written = Ok(());
            writer.group(kind, instance, |group| {
                written = write_elements(group, &value["elements"]);
            });
            written?;
        } else {
            let row = row(kind)?;
            (row.write)(writer, instance, value).with_context(|| format!("write {element}"))?;
        }
    }
    Ok(())
}

/// What a datagram says, by our reader.
pub fn read(datagram: &[u8]) -> Result<Vec<Value>> {
    let first = Message::parse(datagram)?;
    let second = first.piggybacked().transpose()?;
    let mut messages = vec![said(&first, second.is_some())?];
    if let Some(second) = second {
        messages.push(said(&second, false)?);
    }
    Ok(messages)
}

fn said(message: &Message<'_>, piggyback: bool) -> Result<Value> {
    let header = message.header;
    let behind_length_field = if header.teid.is_some() { 8 } else { 4 };
    Ok(json!({
        "type": header.kind.0,
        "teid": header.teid,
        "seq": header.sequence,
        "length": message.body.len() + behind_length_field,
        "priority": header.priority,
        "piggyback": piggyback,
        "elements": read_elements(&message.ie_set()?)?,
    }))
}

fn read_elements(ies: &IeSet<'_>) -> Result<Vec<Value>> {
    let element = |ie: gtp::v2::Ie<'_>| {
        let value = match ie.kind.is_grouped() {
            true => {
                let ies = IeSet::parse(ie.value)?;
                json!({"elements": read_elements(&ies)?})
            }
            false => {
                let row = row(ie.kind)?;
                (row.read)(ie.value)
                    .with_context(|| format!("read {} of {}", hex(ie.value), ie.kind))?
            }
        };
        Ok(json!({"type": ie.kind.0, "instance": ie.instance, "value": value}))
    };
    ies.iter().map(element).collect()
}

/// The same messages without what only some readers tell.
pub fn bare(messages: &[Value]) -> Vec<Value> {
    let mut messages = messages.to_vec();
    for message in messages.iter_mut().filter_map(Value::as_object_mut) {
        message.remove("length");
        message.remove("complete");
    }
    messages
}

/// What the header's length field says of each message.
pub fn lengths(messages: &[Value]) -> Vec<u64> {
    let length = |message: &Value| message["length"].as_u64();
    messages.iter().filter_map(length).collect()
}

/// The same messages in the words of a reader that has no view of some elements, and tells their octets.
pub fn in_words_of(said: &[Value], messages: &[Value]) -> Result<Vec<Value>> {
    let mut messages = messages.to_vec();
    for (message, said) in messages.iter_mut().zip(said) {
        without_views(&said["elements"], &mut message["elements"])?;
    }
    Ok(messages)
}

fn without_views(said: &Value, elements: &mut Value) -> Result<()> {
    let said = list(said)?.iter();
    let elements = elements.as_array_mut().context("elements")?;
    for (element, said) in elements.iter_mut().zip(said) {
        if said["value"]["elements"].is_array() && element["value"]["elements"].is_array() {
            without_views(
                &said["value"]["elements"],
                &mut element["value"]["elements"],
            )?;
        } else if said["value"]["hex"].is_string() {
            let octets = octets_of(element)?;
            element["value"] = json!({"hex": hex(&octets)});
        }
    }
    Ok(())
}

/// The value of one element, by our writer.
fn octets_of(element: &Value) -> Result<Vec<u8>> {
    let alone = json!({"type": 3, "teid": null, "seq": 0, "elements": [element]});
    let octets = write(&[alone])?;
    let ies = Message::parse(&octets)?.ie_set()?;
    let only = ies.iter().next().context("one element")?;
    Ok(only.value.to_vec())
}

fn list(elements: &Value) -> Result<&Vec<Value>> {
    elements
        .as_array()
        .with_context(|| format!("no list: {elements}"))
}

/// A number of an object, in the type that is asked for.
fn number<T: TryFrom<u64>>(object: &Value, key: &str) -> Result<T> {
    let number = object[key].as_u64();
    let number = number.with_context(|| format!("no number {key} in {object}"))?;
    let fits = T::try_from(number).ok();
    fits.with_context(|| format!("{key} of {object} is too large"))
}

/// Only one instance is written of what has one meaning in all messages.
fn only(instance: u8) -> Result<()> {
    ensure!(instance == 0, "instance {instance}");
    Ok(())
}
