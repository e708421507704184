//! Addresses of the UE and of nodes (TS 29.274 8.9, 8.14, 8.22, 8.34).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Octets, Reader, ValueError, octet};

/// PDN type (TS 29.274 8.34).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PdnType {
    /// 1.
    Ipv4,
    /// 2.
    Ipv6,
    /// 3: both.
    Ipv4v6,
    /// 4: packets that are no IP, and so no address.
    NonIp,
    /// 5: no address either.
    Ethernet,
}

/// PDN Address Allocation: the address that the UE has, or wants. Zeros ask for one that the PGW chooses (TS 29.274
/// 8.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paa {
    /// IPv4.
    Ipv4(Ipv4Addr),
    /// IPv6.
    Ipv6 {
        /// Length of the prefix. Unit: bits; not above 128 by itself.
        prefix_bits: u8,
        /// Prefix and interface identifier.
        address: Ipv6Addr,
    },
    /// Both.
    Ipv4v6 {
        /// Length of the IPv6 prefix. Unit: bits.
        prefix_bits: u8,
        /// IPv6 prefix and interface identifier.
        v6: Ipv6Addr,
        /// IPv4 address.
        v4: Ipv4Addr,
    },
    /// No IP.
    NonIp,
    /// Ethernet.
    Ethernet,
}

/// The interface and the end of it that a tunnel endpoint belongs to (TS 29.274 8.22); 0 to 63 may arrive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceType(pub u8);

/// Fully Qualified Tunnel Endpoint Identifier: whose endpoint, its number, its address (TS 29.274 8.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FTeid {
    /// The interface, 0 to 63.
    pub interface: InterfaceType,
    /// TEID, or GRE key.
    pub teid: u32,
    /// IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// IPv6 address.
    pub v6: Option<Ipv6Addr>,
}

/// One line an interface type: its constant, its number, its name.
macro_rules! interfaces {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl InterfaceType {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// The name in TS 29.274 8.22, where it has one.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

interfaces! {
    S1U_ENB_U = 0, "S1-U eNodeB GTP-U";
    S1U_SGW_U = 1, "S1-U SGW GTP-U";
    S12_RNC_U = 2, "S12 RNC GTP-U";
    S12_SGW_U = 3, "S12 SGW GTP-U";
    S5S8_SGW_U = 4, "S5/S8 SGW GTP-U";
    S5S8_PGW_U = 5, "S5/S8 PGW GTP-U";
    S5S8_SGW_C = 6, "S5/S8 SGW GTP-C";
    S5S8_PGW_C = 7, "S5/S8 PGW GTP-C";
    S5S8_SGW_PMIPV6 = 8, "S5/S8 SGW PMIPv6";
    S5S8_PGW_PMIPV6 = 9, "S5/S8 PGW PMIPv6";
    S11_MME_C = 10, "S11 MME GTP-C";
    S11_SGW_C = 11, "S11/S4 SGW GTP-C";
    S10_MME_C = 12, "S10 MME GTP-C";
    S3_MME_C = 13, "S3 MME GTP-C";
    S3_SGSN_C = 14, "S3 SGSN GTP-C";
    S4_SGSN_U = 15, "S4 SGSN GTP-U";
    S4_SGW_U = 16, "S4 SGW GTP-U";
    S4_SGSN_C = 17, "S4 SGSN GTP-C";
    S16_SGSN_C = 18, "S16 SGSN GTP-C";
    ENB_U_FOR_DL_DATA_FORWARDING = 19, "eNodeB/gNodeB GTP-U for DL data forwarding";
    ENB_U_FOR_UL_DATA_FORWARDING = 20, "eNodeB GTP-U for UL data forwarding";
    RNC_U_FOR_DATA_FORWARDING = 21, "RNC GTP-U for data forwarding";
    SGSN_U_FOR_DATA_FORWARDING = 22, "SGSN GTP-U for data forwarding";
    SGW_U_FOR_DATA_FORWARDING = 23, "SGW GTP-U for data forwarding";
    SM_MBMS_GW_C = 24, "Sm MBMS GW GTP-C";
    SN_MBMS_GW_C = 25, "Sn MBMS GW GTP-C";
    SM_MME_C = 26, "Sm MME GTP-C";
    SN_SGSN_C = 27, "Sn SGSN GTP-C";
    SGW_U_FOR_UL_DATA_FORWARDING = 28, "SGW GTP-U for UL data forwarding";
    SN_SGSN_U = 29, "Sn SGSN GTP-U";
    S2B_EPDG_C = 30, "S2b ePDG GTP-C";
    S2B_EPDG_U = 31, "S2b-U ePDG GTP-U";
    S2B_PGW_C = 32, "S2b PGW GTP-C";
    S2B_PGW_U = 33, "S2b-U PGW GTP-U";
    S2A_TWAN_U = 34, "S2a TWAN GTP-U";
    S2A_TWAN_C = 35, "S2a TWAN GTP-C";
    S2A_PGW_C = 36, "S2a PGW GTP-C";
    S2A_PGW_U = 37, "S2a PGW GTP-U";
    S11_MME_U = 38, "S11 MME GTP-U";
    S11_SGW_U = 39, "S11 SGW GTP-U";
    N26_AMF_C = 40, "N26 AMF GTP-C";
}

impl fmt::Display for InterfaceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "interface {}", self.0),
        }
    }
}

impl fmt::Debug for InterfaceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}

/// The bits of the octets of PDN Type and PDN Address Allocation that hold the type.
const PDN_TYPE_BITS: u8 = 0x07;

impl PdnType {
    fn from_number(what: &'static str, number: u8) -> Result<Self, ValueError> {
        match number {
            1 => Ok(Self::Ipv4),
            2 => Ok(Self::Ipv6),
            3 => Ok(Self::Ipv4v6),
            4 => Ok(Self::NonIp),
            5 => Ok(Self::Ethernet),
            _ => Err(ValueError::Range {
                what,
                value: u32::from(number),
            }),
        }
    }

    /// Reads the value of a PDN Type element; its upper five bits are spare.
    ///
    /// # Errors
    ///
    /// When it is empty, or not 1 to 5.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        const WHAT: &str = "PDN Type";
        Self::from_number(WHAT, octet(WHAT, value)? & PDN_TYPE_BITS)
    }

    /// Its number, which is the value of the element.
    pub fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
            Self::Ipv4v6 => 3,
            Self::NonIp => 4,
            Self::Ethernet => 5,
        }
    }
}

impl Paa {
    /// Longest value: type, prefix length, both addresses.
    pub const MAX_BYTES: usize = 22;

    /// Of this type, the address left to the PGW: zeros, and a prefix length of 0.
    pub fn dynamic(pdn_type: PdnType) -> Self {
        match pdn_type {
            PdnType::Ipv4 => Self::Ipv4(Ipv4Addr::UNSPECIFIED),
            PdnType::Ipv6 => Self::Ipv6 {
                prefix_bits: 0,
                address: Ipv6Addr::UNSPECIFIED,
            },
            PdnType::Ipv4v6 => Self::Ipv4v6 {
                prefix_bits: 0,
                v6: Ipv6Addr::UNSPECIFIED,
                v4: Ipv4Addr::UNSPECIFIED,
            },
            PdnType::NonIp => Self::NonIp,
            PdnType::Ethernet => Self::Ethernet,
        }
    }

    /// Reads the value of a PDN Address Allocation element.
    ///
    /// # Errors
    ///
    /// When it is too short for its type, or that is not 1 to 5.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        const WHAT: &str = "PDN Address Allocation";
        let mut reader = Reader::new(WHAT, value);
        let [first] = reader.take()?;
        Ok(match PdnType::from_number(WHAT, first & PDN_TYPE_BITS)? {
            PdnType::Ipv4 => Self::Ipv4(v4(&mut reader)?),
            PdnType::Ipv6 => {
                let [prefix_bits] = reader.take()?;
                let address = v6(&mut reader)?;
                Self::Ipv6 {
                    prefix_bits,
                    address,
                }
            }
            PdnType::Ipv4v6 => {
                let [prefix_bits] = reader.take()?;
                let v6 = v6(&mut reader)?;
                let v4 = v4(&mut reader)?;
                Self::Ipv4v6 {
                    prefix_bits,
                    v6,
                    v4,
                }
            }
            PdnType::NonIp => Self::NonIp,
            PdnType::Ethernet => Self::Ethernet,
        })
    }

    /// Its type.
    pub fn pdn_type(&self) -> PdnType {
        match self {
            Self::Ipv4(_) => PdnType::Ipv4,
            Self::Ipv6 { .. } => PdnType::Ipv6,
            Self::Ipv4v6 { .. } => PdnType::Ipv4v6,
            Self::NonIp => PdnType::NonIp,
            Self::Ethernet => PdnType::Ethernet,
        }
    }

    /// Its IPv4 address.
    pub fn v4(&self) -> Option<Ipv4Addr> {
        match *self {
            Self::Ipv4(v4) | Self::Ipv4v6 { v4, .. } => Some(v4),
            Self::Ipv6 { .. } | Self::NonIp | Self::Ethernet => None,
        }
    }

    /// Its IPv6 address.
    pub fn v6(&self) -> Option<Ipv6Addr> {
        match *self {
            Self::Ipv6 { address: v6, .. } | Self::Ipv4v6 { v6, .. } => Some(v6),
            Self::Ipv4(_) | Self::NonIp | Self::Ethernet => None,
        }
    }

    /// Writes the value of the element into `out` and says how many octets it has.
    pub fn write(&self, out: &mut [u8; Self::MAX_BYTES]) -> usize {
        let mut octets = Octets::<{ Self::MAX_BYTES }>::new();
        octets.put(&[self.pdn_type().number()]);
        match self {
            Self::Ipv4(v4) => octets.put(&v4.octets()),
            Self::Ipv6 {
                prefix_bits,
                address,
            } => {
                octets.put(&[*prefix_bits]);
                octets.put(&address.octets());
            }
            Self::Ipv4v6 {
                prefix_bits,
                v6,
                v4,
            } => {
                octets.put(&[*prefix_bits]);
                octets.put(&v6.octets());
                octets.put(&v4.octets());
            }
            Self::NonIp | Self::Ethernet => (),
        }
        *out = octets.octets;
        octets.len
    }
}

/// An IPv4 address is there.
const FLAG_V4: u8 = 0x80;
/// An IPv6 address is there.
const FLAG_V6: u8 = 0x40;
/// The bits of the interface type.
const INTERFACE_BITS: u8 = 0x3F;

impl FTeid {
    /// Longest value: flags and interface, TEID, both addresses.
    pub const MAX_BYTES: usize = 25;

    /// With one address.
    pub fn new(interface: InterfaceType, teid: u32, address: IpAddr) -> Self {
        let (v4, v6) = match address {
            IpAddr::V4(v4) => (Some(v4), None),
            IpAddr::V6(v6) => (None, Some(v6)),
        };
        Self {
            interface,
            teid,
            v4,
            v6,
        }
    }

    /// Reads the value of an F-TEID element.
    ///
    /// # Errors
    ///
    /// When it is too short for its flags, or has no address.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        const WHAT: &str = "F-TEID";
        let mut reader = Reader::new(WHAT, value);
        let [flags, t0, t1, t2, t3] = reader.take()?;
        let mut fteid = Self {
            interface: InterfaceType(flags & INTERFACE_BITS),
            teid: u32::from_be_bytes([t0, t1, t2, t3]),
            v4: None,
            v6: None,
        };
        if flags & (FLAG_V4 | FLAG_V6) == 0 {
            return Err(ValueError::Range {
                what: WHAT,
                value: u32::from(flags),
            });
        }
        if flags & FLAG_V4 != 0 {
            fteid.v4 = Some(v4(&mut reader)?);
        }
        if flags & FLAG_V6 != 0 {
            fteid.v6 = Some(v6(&mut reader)?);
        }
        Ok(fteid)
    }

    /// Its address, the IPv4 one if it has both.
    pub fn address(&self) -> Option<IpAddr> {
        let v4 = self.v4.map(IpAddr::V4);
        v4.or(self.v6.map(IpAddr::V6))
    }

    /// Writes the value of the element into `out` and says how many octets it has.
    pub fn write(&self, out: &mut [u8; Self::MAX_BYTES]) -> usize {
        let mut octets = Octets::<{ Self::MAX_BYTES }>::new();
        let v4_flag = if self.v4.is_some() { FLAG_V4 } else { 0 };
        let v6_flag = if self.v6.is_some() { FLAG_V6 } else { 0 };
        octets.put(&[v4_flag | v6_flag | self.interface.0 & INTERFACE_BITS]);
        octets.put(&self.teid.to_be_bytes());
        if let Some(v4) = self.v4 {
            octets.put(&v4.octets());
        }
        if let Some(v6) = self.v6 {
            octets.put(&v6.octets());
        }
        *out = octets.octets;
        octets.len
    }
}

/// Reads the value of an IP Address element: 4 or 16 octets (TS 29.274 8.9).
///
/// # Errors
///
/// When it has any other length.
pub fn ip_address(value: &[u8]) -> Result<IpAddr, ValueError> {
    let mut reader = Reader::new("IP Address", value);
    match value.len() {
        4 => v4(&mut reader).map(IpAddr::V4),
        16 => v6(&mut reader).map(IpAddr::V6),
        have => Err(ValueError::Length {
            what: "IP Address",
            have,
        }),
    }
}

/// The value of an IP Address element, in `out`.
pub fn ip_address_octets(address: IpAddr, out: &mut [u8; 16]) -> &[u8] {
    crate::v1::value::gsn_address_octets(address, out)
}

fn v4(reader: &mut Reader<'_>) -> Result<Ipv4Addr, ValueError> {
    reader.take::<4>().map(Ipv4Addr::from)
}

fn v6(reader: &mut Reader<'_>) -> Result<Ipv6Addr, ValueError> {
    reader.take::<16>().map(Ipv6Addr::from)
}
