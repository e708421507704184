//! Addresses of the UE and of nodes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ValueError, array};

/// PDP type organization and number (TS 29.060 7.7.27, tables 41 and 42).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PdpType {
    /// ETSI, PPP.
    Ppp,
    /// IETF, IPv4.
    Ipv4,
    /// IETF, IPv6.
    Ipv6,
    /// IETF, both.
    Ipv4v6,
    /// Any other.
    Other {
        /// Organization: 0 is ETSI, 1 is IETF; at most 15.
        organization: u8,
        /// Number within the organization.
        number: u8,
    },
}

/// End User Address: what kind of address the UE wants or has, and which. An address that is absent is one that the
/// GGSN is to choose (TS 29.060 7.7.27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndUserAddress {
    /// The kind.
    pub pdp_type: PdpType,
    /// IPv4 address, as it came: some peers ask for a dynamic one with 0.0.0.0.
    pub v4: Option<Ipv4Addr>,
    /// IPv6 address: prefix and interface identifier.
    pub v6: Option<Ipv6Addr>,
}

/// The upper half of the first octet is spare and sent as ones.
const SPARE: u8 = 0xF0;

impl PdpType {
    fn parse(organization: u8, number: u8) -> Self {
        match (organization, number) {
            (0, 0x01) => Self::Ppp,
            (1, 0x21) => Self::Ipv4,
            (1, 0x57) => Self::Ipv6,
            (1, 0x8D) => Self::Ipv4v6,
            _ => Self::Other {
                organization,
                number,
            },
        }
    }

    /// Organization and number.
    pub fn numbers(self) -> (u8, u8) {
        match self {
            Self::Ppp => (0, 0x01),
            Self::Ipv4 => (1, 0x21),
            Self::Ipv6 => (1, 0x57),
            Self::Ipv4v6 => (1, 0x8D),
            Self::Other {
                organization,
                number,
            } => (organization & 0xF, number),
        }
    }
}

impl EndUserAddress {
    /// Longest value that is written: two octets and both addresses.
    pub const MAX_BYTES: usize = 22;

    /// Of this kind, the address left to the GGSN.
    pub fn dynamic(pdp_type: PdpType) -> Self {
        Self {
            pdp_type,
            v4: None,
            v6: None,
        }
    }

    /// Reads the value of an End User Address element.
    ///
    /// # Errors
    ///
    /// When it has fewer than two octets, or the address's length does not suit its kind.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        const WHAT: &str = "End User Address";
        let Some((&[organization, number], address)) = value.split_first_chunk::<2>() else {
            return Err(ValueError::Length {
                what: WHAT,
                have: value.len(),
            });
        };
        let pdp_type = PdpType::parse(organization & 0xF, number);
        let wrong = ValueError::Length {
            what: WHAT,
            have: value.len(),
        };
        let (v4, v6) = match (pdp_type, address.len()) {
            (PdpType::Ppp | PdpType::Ipv4 | PdpType::Ipv6 | PdpType::Ipv4v6, 0) => (None, None),
            (PdpType::Ipv4 | PdpType::Ipv4v6, 4) => (Some(v4(address)?), None),
            (PdpType::Ipv6 | PdpType::Ipv4v6, 16) => (None, Some(v6(address)?)),
            (PdpType::Ipv4v6, 20) => (Some(v4(&address[..4])?), Some(v6(&address[4..])?)),
            (PdpType::Other { .. }, _) => (None, None),
            (PdpType::Ppp | PdpType::Ipv4 | PdpType::Ipv6 | PdpType::Ipv4v6, _) => {
                return Err(wrong);
            }
        };
        Ok(Self { pdp_type, v4, v6 })
    }

    /// Writes the value of the element into `out` and says how many octets it has.
    pub fn write(&self, out: &mut [u8; Self::MAX_BYTES]) -> usize {
        let (organization, number) = self.pdp_type.numbers();
        out[0] = SPARE | organization;
        out[1] = number;
        let mut len = 2;
        if let Some(address) = self.v4 {
            out[len..len + 4].copy_from_slice(&address.octets());
            len += 4;
        }
        if let Some(address) = self.v6 {
            out[len..len + 16].copy_from_slice(&address.octets());
            len += 16;
        }
        len
    }
}

/// Reads the value of a GSN Address element: 4 or 16 octets (TS 29.060 7.7.32).
///
/// # Errors
///
/// When it has any other length.
pub fn gsn_address(value: &[u8]) -> Result<IpAddr, ValueError> {
    match value.len() {
        4 => v4(value).map(IpAddr::V4),
        16 => v6(value).map(IpAddr::V6),
        have => Err(ValueError::Length {
            what: "GSN Address",
            have,
        }),
    }
}

/// The value of a GSN Address element, in `out`.
pub fn gsn_address_octets(address: IpAddr, out: &mut [u8; 16]) -> &[u8] {
    match address {
        IpAddr::V4(v4) => {
            out[..4].copy_from_slice(&v4.octets());
            &out[..4]
        }
        IpAddr::V6(v6) => {
            *out = v6.octets();
            out
        }
    }
}

fn v4(octets: &[u8]) -> Result<Ipv4Addr, ValueError> {
    array::<4>("IPv4 address", octets).map(Ipv4Addr::from)
}

fn v6(octets: &[u8]) -> Result<Ipv6Addr, ValueError> {
    array::<16>("IPv6 address", octets).map(Ipv6Addr::from)
}
