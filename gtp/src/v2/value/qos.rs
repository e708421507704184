//! Rates, priorities and classes (TS 29.274 8.7, 8.15, 8.16, 8.86).

use super::{Reader, ValueError};

pub use crate::v1::EvolvedArp as Arp;

/// Aggregate Maximum Bit Rate (TS 29.274 8.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ambr {
    /// From the UE. Unit: kbit/s.
    pub uplink_kbps: u32,
    /// To the UE. Unit: kbit/s.
    pub downlink_kbps: u32,
}

/// Flow Quality of Service: class and rates (TS 29.274 8.16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowQos {
    /// Class identifier, QCI (TS 23.203 6.1.7).
    pub qci: u8,
    /// Most from the UE; 0 where nothing is guaranteed. Unit: kbit/s, at most [`FlowQos::MAX_KBPS`].
    pub maximum_uplink_kbps: u64,
    /// Most to the UE. Unit: kbit/s.
    pub maximum_downlink_kbps: u64,
    /// Guaranteed from the UE. Unit: kbit/s.
    pub guaranteed_uplink_kbps: u64,
    /// Guaranteed to the UE. Unit: kbit/s.
    pub guaranteed_downlink_kbps: u64,
}

/// Bearer Level Quality of Service: who goes first, class and rates (TS 29.274 8.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BearerQos {
    /// Allocation/retention priority.
    pub arp: Arp,
    /// Class and rates.
    pub flow: FlowQos,
}

impl Ambr {
    /// Reads the value of an AMBR element.
    ///
    /// # Errors
    ///
    /// When it has fewer than 8 octets.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader::new("Aggregate Maximum Bit Rate", value);
        Ok(Self {
            uplink_kbps: u32::from_be_bytes(reader.take()?),
            downlink_kbps: u32::from_be_bytes(reader.take()?),
        })
    }

    /// The value of the element.
    pub fn octets(&self) -> [u8; 8] {
        let [u0, u1, u2, u3] = self.uplink_kbps.to_be_bytes();
        let [d0, d1, d2, d3] = self.downlink_kbps.to_be_bytes();
        [u0, u1, u2, u3, d0, d1, d2, d3]
    }
}

impl FlowQos {
    /// Highest rate: 40 bits. Unit: kbit/s.
    pub const MAX_KBPS: u64 = (1 << 40) - 1;

    /// Reads the value of a Flow QoS element.
    ///
    /// # Errors
    ///
    /// When it has fewer than 21 octets.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        Self::read(&mut Reader::new("Flow Quality of Service", value))
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let [qci] = reader.take()?;
        Ok(Self {
            qci,
            maximum_uplink_kbps: rate(reader)?,
            maximum_downlink_kbps: rate(reader)?,
            guaranteed_uplink_kbps: rate(reader)?,
            guaranteed_downlink_kbps: rate(reader)?,
        })
    }

    /// The value of the element. A rate above [`FlowQos::MAX_KBPS`] is written as that.
    pub fn octets(&self) -> [u8; 21] {
        let mut octets = [self.qci; 21];
        let rates = [
            self.maximum_uplink_kbps,
            self.maximum_downlink_kbps,
            self.guaranteed_uplink_kbps,
            self.guaranteed_downlink_kbps,
        ];
        for (place, rate) in octets[1..].chunks_exact_mut(5).zip(rates) {
            place.copy_from_slice(&rate.min(Self::MAX_KBPS).to_be_bytes()[3..]);
        }
        octets
    }
}

impl BearerQos {
    /// Reads the value of a Bearer QoS element.
    ///
    /// # Errors
    ///
    /// When it has fewer than 22 octets.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader::new("Bearer Level Quality of Service", value);
        let first: [u8; 1] = reader.take()?;
        Ok(Self {
            arp: Arp::parse(&first)?,
            flow: FlowQos::read(&mut reader)?,
        })
    }

    /// The value of the element.
    pub fn octets(&self) -> [u8; 22] {
        let mut octets = [self.arp.octet(); 22];
        octets[1..].copy_from_slice(&self.flow.octets());
        octets
    }
}

/// A rate of 40 bits.
fn rate(reader: &mut Reader<'_>) -> Result<u64, ValueError> {
    let [a, b, c, d, e] = reader.take()?;
    Ok(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
}
