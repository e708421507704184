//! Small values of a PDP context.

use std::time::Duration;

use super::{ValueError, array, octet};

/// Network service access point identifier: names a PDP context of a UE (TS 29.060 7.7.17). 5 to 15 are for use, 0 to 4
/// are reserved (TS 24.008 10.5.6.2), but there are SGSNs that count from 0, and as a name any will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nsapi(u8);

/// How the APN was chosen (TS 29.060 7.7.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SelectionMode {
    /// 0: the UE's or the network's APN, the subscription verified.
    Verified,
    /// 1: the UE's APN, the subscription not verified.
    MsProvided,
    /// 2, and 3 which is read as 2: the network's APN, the subscription not verified.
    NetworkProvided,
}

/// Quality of Service Profile: an octet of allocation/retention priority, then the profile of TS 24.008 10.5.6.5, 3 to
/// 251 octets by its release: 3 of R97, 11 of R99, 12 or 14 from R5 and R7 on, more later (TS 29.060 7.7.34).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QosProfile<'a>(&'a [u8]);

/// Radio access technology (TS 29.060 7.7.50); any number may arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RatType(pub u8);

/// User Location Information: the kind of location, then the location (TS 29.060 7.7.51).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserLocation<'a> {
    /// 0: cell global identity, 1: service area identity, 2: routeing area identity.
    pub geographic_location_type: u8,
    /// Network code, area code and what the kind asks for.
    pub location: &'a [u8],
}

/// Time zone of the UE and its daylight saving (TS 29.060 7.7.52).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MsTimeZone {
    /// Time zone as TS 24.008 10.5.3.8 codes it: quarters of an hour, digits swapped, sign in bit 4.
    pub zone: u8,
    /// Hours added for daylight saving, 0 to 2.
    pub daylight_saving: u8,
}

/// Common Flags (TS 29.060 7.7.48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommonFlags(pub u8);

/// Maximum APN restriction value (TS 29.060 7.7.49): 0 is none, 1 and 2 are public, 3 and 4 private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApnRestriction(pub u8);

/// Evolved Allocation/Retention Priority I (TS 29.060 7.7.91).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EvolvedArp {
    /// 1, the highest, to 15 (TS 29.212 5.3.45); 0 is reserved.
    pub priority_level: u8,
    /// May pre-empt others. On the wire the bit is set when it may not.
    pub may_preempt: bool,
    /// May be pre-empted. On the wire the bit is set when it may not.
    pub preemptable: bool,
}

/// GGSN Back-Off Time, which may come with cause 229: how long the SGSN is to leave the APN alone (TS 29.060 7.7.102).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BackOffTime(u8);

/// Private Extension: whose, and what (TS 29.060 7.7.46).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PrivateExtension<'a> {
    /// The private enterprise number of whose it is.
    pub enterprise: u16,
    /// Its contents.
    pub contents: &'a [u8],
}

impl Nsapi {
    /// The lowest that is not reserved.
    pub const FIRST: Self = Self(5);
    /// The highest number.
    pub const MAX: u8 = 15;

    /// This number.
    ///
    /// # Errors
    ///
    /// When it has more than four bits.
    pub fn new(number: u8) -> Result<Self, ValueError> {
        match number <= Self::MAX {
            true => Ok(Self(number)),
            false => Err(ValueError::Range {
                what: "NSAPI",
                value: u32::from(number),
            }),
        }
    }

    /// Reads the value of an NSAPI element; its upper half is spare.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        Self::new(octet("NSAPI", value)? & 0xF)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl SelectionMode {
    /// Reads the value of a Selection Mode element; its upper six bits are spare.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        Ok(match octet("Selection Mode", value)? & 3 {
            0 => Self::Verified,
            1 => Self::MsProvided,
            _ => Self::NetworkProvided,
        })
    }

    /// The value of the element, its spare bits set.
    pub fn octet(self) -> u8 {
        0xFC | match self {
            Self::Verified => 0,
            Self::MsProvided => 1,
            Self::NetworkProvided => 2,
        }
    }
}

impl<'a> QosProfile<'a> {
    /// Reads the value of a Quality of Service Profile element.
    ///
    /// # Errors
    ///
    /// When it has fewer than 4 octets, or more than 255.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        match value.len() {
            4..=255 => Ok(Self(value)),
            have => Err(ValueError::Length {
                what: "Quality of Service Profile",
                have,
            }),
        }
    }

    /// Allocation/retention priority: 1, the highest, to 3; 0 is read as 1 (TS 23.107 6.4.4.1).
    pub fn arp(&self) -> u8 {
        self.0[0]
    }

    /// The profile of TS 24.008.
    pub fn profile(&self) -> &'a [u8] {
        &self.0[1..]
    }

    /// The value of the element.
    pub fn octets(&self) -> &'a [u8] {
        self.0
    }
}

impl RatType {
    /// UTRAN.
    pub const UTRAN: Self = Self(1);
    /// GERAN.
    pub const GERAN: Self = Self(2);
    /// WLAN.
    pub const WLAN: Self = Self(3);
    /// GAN.
    pub const GAN: Self = Self(4);
    /// HSPA Evolution.
    pub const HSPA_EVOLUTION: Self = Self(5);
    /// E-UTRAN.
    pub const EUTRAN: Self = Self(6);
    /// Virtual: there is no radio.
    pub const VIRTUAL: Self = Self(7);
    /// E-UTRAN for narrow band things.
    pub const NB_IOT: Self = Self(8);
    /// E-UTRAN for machines.
    pub const LTE_M: Self = Self(9);
    /// New Radio.
    pub const NR: Self = Self(10);
}

impl<'a> UserLocation<'a> {
    /// Reads the value of a User Location Information element.
    ///
    /// # Errors
    ///
    /// When it is empty, or a location of a known kind is shorter than 7 octets.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        let wrong = ValueError::Length {
            what: "User Location Information",
            have: value.len(),
        };
        let (&geographic_location_type, location) = value.split_first().ok_or(wrong)?;
        if geographic_location_type <= 2 && location.len() < 7 {
            return Err(wrong);
        }
        Ok(Self {
            geographic_location_type,
            location,
        })
    }
}

impl MsTimeZone {
    /// Reads the value of an MS Time Zone element.
    ///
    /// # Errors
    ///
    /// When it is not 2 octets.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let [zone, daylight_saving] = array::<2>("MS Time Zone", value)?;
        Ok(Self {
            zone,
            daylight_saving: daylight_saving & 3,
        })
    }
}

impl CommonFlags {
    /// Prohibit payload compression.
    pub const PROHIBIT_PAYLOAD_COMPRESSION: u8 = 0x01;
    /// No QoS negotiation.
    pub const NO_QOS_NEGOTIATION: u8 = 0x10;
    /// Upgrade QoS supported.
    pub const UPGRADE_QOS_SUPPORTED: u8 = 0x40;
    /// Dual address bearer flag: both ends of a hand-over can carry IPv4 and IPv6 on one bearer.
    pub const DUAL_ADDRESS_BEARER: u8 = 0x80;

    /// Whether all bits of `mask` are set.
    pub fn has(self, mask: u8) -> bool {
        self.0 & mask == mask
    }
}

impl EvolvedArp {
    /// Reads the value of an Evolved ARP element.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let bits = octet("Evolved Allocation/Retention Priority", value)?;
        Ok(Self {
            priority_level: bits >> 2 & 0xF,
            may_preempt: bits & 0x40 == 0,
            preemptable: bits & 0x01 == 0,
        })
    }

    /// The value of the element.
    pub fn octet(self) -> u8 {
        let pci = if self.may_preempt { 0 } else { 0x40 };
        let pvi = if self.preemptable { 0 } else { 0x01 };
        pci | (self.priority_level & 0xF) << 2 | pvi
    }
}

/// The units of a back-off time by its upper three bits; 7 is for ever, and what is not here counts minutes.
const BACK_OFF_UNIT_S: [u64; 5] = [2, 60, 600, 3_600, 36_000];
/// The upper three bits of a back-off time without an end.
const BACK_OFF_INFINITE: u8 = 7;
/// A back-off time counts up to this many units.
const BACK_OFF_MAX_UNITS: u64 = 31;

impl BackOffTime {
    /// The shortest that is not below `wait`; at most 310 hours.
    pub fn at_least(wait: Duration) -> Self {
        let wait_s = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        for (bits, unit_s) in (0_u8..).zip(BACK_OFF_UNIT_S) {
            let units = wait_s.div_ceil(unit_s);
            if units <= BACK_OFF_MAX_UNITS {
                return Self(bits << 5 | units as u8);
            }
        }
        Self(4 << 5 | BACK_OFF_MAX_UNITS as u8)
    }

    /// Reads the value of a GGSN Back-Off Time element.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        octet("GGSN Back-Off Time", value).map(Self)
    }

    /// How long it is; `None` is for ever.
    pub fn duration(self) -> Option<Duration> {
        let unit = self.0 >> 5;
        if unit == BACK_OFF_INFINITE {
            return None;
        }
        let unit_s = BACK_OFF_UNIT_S.get(usize::from(unit)).unwrap_or(&60);
        Some(Duration::from_secs(unit_s * u64::from(self.0 & 0x1F)))
    }

    /// The value of the element.
    pub fn octet(self) -> u8 {
        self.0
    }
}

impl<'a> PrivateExtension<'a> {
    /// Reads the value of a Private Extension element.
    ///
    /// # Errors
    ///
    /// When it has fewer than 2 octets.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        match value.split_first_chunk::<2>() {
            Some((enterprise, contents)) => Ok(Self {
                enterprise: u16::from_be_bytes(*enterprise),
                contents,
            }),
            None => Err(ValueError::Length {
                what: "Private Extension",
                have: value.len(),
            }),
        }
    }
}
