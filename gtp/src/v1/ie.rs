//! Information elements: types, the lengths of those without a length field, iteration (TS 29.060 7.7, table 37).

use std::fmt;

use super::{IeError, MAX_IES};

/// The type octet of an information element. Below 128 it is followed by a value of fixed length (TV), from 128 by a
/// length of two octets and a value (TLV).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IeType(pub u8);

/// One line a type: its constant, its number, its octets if it is TV, its name in the table.
macro_rules! elements {
    (tv { $($tv:ident = $tv_number:literal, $octets:literal, $tv_text:literal;)* }
     tlv { $($tlv:ident = $tlv_number:literal, $tlv_text:literal;)* }) => {
        impl IeType {
            $(#[doc = $tv_text] pub const $tv: Self = Self($tv_number);)*
            $(#[doc = $tlv_text] pub const $tlv: Self = Self($tlv_number);)*

            /// The name in TS 29.060 table 37, where this table has it.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($tv_number => Some($tv_text),)*
                    $($tlv_number => Some($tlv_text),)*
                    _ => None,
                }
            }

            /// Octets of the value of a TV element; `None` for a TLV one and for a TV one that no table has.
            pub fn fixed_length(self) -> Option<u8> {
                match self.0 {
                    $($tv_number => Some($octets),)*
                    _ => None,
                }
            }
        }
    };
}

elements! {
    tv {
    CAUSE = 1, 1, "Cause";
    IMSI = 2, 8, "International Mobile Subscriber Identity";
    RAI = 3, 6, "Routeing Area Identity";
    TLLI = 4, 4, "Temporary Logical Link Identity";
    P_TMSI = 5, 4, "Packet TMSI";
    REORDERING_REQUIRED = 8, 1, "Reordering Required";
    AUTHENTICATION_TRIPLET = 9, 28, "Authentication Triplet";
    MAP_CAUSE = 11, 1, "MAP Cause";
    P_TMSI_SIGNATURE = 12, 3, "P-TMSI Signature";
    MS_VALIDATED = 13, 1, "MS Validated";
    RECOVERY = 14, 1, "Recovery";
    SELECTION_MODE = 15, 1, "Selection Mode";
    TEID_DATA_I = 16, 4, "Tunnel Endpoint Identifier Data I";
    TEID_CONTROL_PLANE = 17, 4, "Tunnel Endpoint Identifier Control Plane";
    TEID_DATA_II = 18, 5, "Tunnel Endpoint Identifier Data II";
    TEARDOWN_IND = 19, 1, "Teardown Ind";
    NSAPI = 20, 1, "NSAPI";
    RANAP_CAUSE = 21, 1, "RANAP Cause";
    RAB_CONTEXT = 22, 9, "RAB Context";
    RADIO_PRIORITY_SMS = 23, 1, "Radio Priority SMS";
    RADIO_PRIORITY = 24, 1, "Radio Priority";
    PACKET_FLOW_ID = 25, 2, "Packet Flow Id";
    CHARGING_CHARACTERISTICS = 26, 2, "Charging Characteristics";
    TRACE_REFERENCE = 27, 2, "Trace Reference";
    TRACE_TYPE = 28, 2, "Trace Type";
    MS_NOT_REACHABLE_REASON = 29, 1, "MS Not Reachable Reason";
    CHARGING_ID = 127, 4, "Charging ID";
    }
    tlv {
    END_USER_ADDRESS = 128, "End User Address";
    MM_CONTEXT = 129, "MM Context";
    PDP_CONTEXT = 130, "PDP Context";
    ACCESS_POINT_NAME = 131, "Access Point Name";
    PROTOCOL_CONFIGURATION_OPTIONS = 132, "Protocol Configuration Options";
    GSN_ADDRESS = 133, "GSN Address";
    MSISDN = 134, "MS International PSTN/ISDN Number";
    QOS_PROFILE = 135, "Quality of Service Profile";
    TRAFFIC_FLOW_TEMPLATE = 137, "Traffic Flow Template";
    EXTENSION_HEADER_TYPE_LIST = 141, "Extension Header Type List";
    TRIGGER_ID = 142, "Trigger Id";
    OMC_IDENTITY = 143, "OMC Identity";
    COMMON_FLAGS = 148, "Common Flags";
    APN_RESTRICTION = 149, "APN Restriction";
    RAT_TYPE = 151, "RAT Type";
    USER_LOCATION_INFORMATION = 152, "User Location Information";
    MS_TIME_ZONE = 153, "MS Time Zone";
    IMEI = 154, "IMEI(SV)";
    CAMEL_CHARGING_INFORMATION = 155, "CAMEL Charging Information Container";
    ADDITIONAL_TRACE_INFO = 162, "Additional Trace Info";
    MS_INFO_CHANGE_REPORTING_ACTION = 181, "MS Info Change Reporting Action";
    DIRECT_TUNNEL_FLAGS = 182, "Direct Tunnel Flags";
    CORRELATION_ID = 183, "Correlation-ID";
    BEARER_CONTROL_MODE = 184, "Bearer Control Mode";
    EVOLVED_ARP_I = 191, "Evolved Allocation/Retention Priority I";
    EVOLVED_ARP_II = 192, "Evolved Allocation/Retention Priority II";
    EXTENDED_COMMON_FLAGS = 193, "Extended Common Flags";
    USER_CSG_INFORMATION = 194, "User CSG Information";
    CSG_INFORMATION_REPORTING_ACTION = 195, "CSG Information Reporting Action";
    APN_AMBR = 198, "Aggregate Maximum Bit Rate";
    GGSN_BACK_OFF_TIME = 202, "GGSN Back-Off Time";
    SIGNALLING_PRIORITY_INDICATION = 203, "Signalling Priority Indication";
    HIGHER_BITRATES_FLAG = 205, "Higher bitrates than 16 Mbps flag";
    ULI_TIMESTAMP = 214, "ULI Timestamp";
    CN_OPERATOR_SELECTION_ENTITY = 216, "CN Operator Selection Entity";
    EXTENDED_COMMON_FLAGS_II = 218, "Extended Common Flags II";
    CHARGING_GATEWAY_ADDRESS = 251, "Charging Gateway Address";
    PRIVATE_EXTENSION = 255, "Private Extension";
    }
}

impl IeType {
    /// Whether the element has a length field.
    pub fn is_tlv(self) -> bool {
        self.0 & 0x80 != 0
    }
}

impl fmt::Display for IeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "information element {}", self.0),
        }
    }
}

impl fmt::Debug for IeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}

/// One information element, its value as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ie<'a> {
    /// Its type.
    pub kind: IeType,
    /// Its value, without type and length.
    pub value: &'a [u8],
}

/// The elements of a message, in the order in which they came. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Ies<'a> {
    rest: &'a [u8],
}

impl<'a> Ies<'a> {
    /// Over the octets after a header.
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    fn take(&mut self, kind: u8) -> Result<Ie<'a>, IeError> {
        let after_type = &self.rest[1..];
        let (needs, from) = match IeType(kind).fixed_length() {
            Some(octets) => (usize::from(octets), after_type),
            None if kind < 128 => return Err(IeError::UnknownTv { kind }),
            None => read_length(kind, after_type)?,
        };
        let Some((value, rest)) = from.split_at_checked(needs) else {
            return Err(IeError::Overrun {
                kind,
                needs,
                have: from.len(),
            });
        };
        self.rest = rest;
        Ok(Ie {
            kind: IeType(kind),
            value,
        })
    }
}

/// The length in front of a TLV element's value: two octets, but one in an Extension Header Type List (TS 29.060 7.7.40).
fn read_length(kind: u8, after_type: &[u8]) -> Result<(usize, &[u8]), IeError> {
    let read = match IeType(kind) {
        IeType::EXTENSION_HEADER_TYPE_LIST => after_type
            .split_first()
            .map(|(length, value)| (usize::from(*length), value)),
        _ => after_type
            .split_first_chunk::<2>()
            .map(|(length, value)| (usize::from(u16::from_be_bytes(*length)), value)),
    };
    read.ok_or(IeError::Overrun {
        kind,
        needs: 2,
        have: after_type.len(),
    })
}

impl<'a> Iterator for Ies<'a> {
    type Item = Result<Ie<'a>, IeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let kind = *self.rest.first()?;
        let taken = self.take(kind);
        if taken.is_err() {
            self.rest = &[];
        }
        Some(taken)
    }
}

/// The elements of a message, told apart once and then looked up by type. Nothing is copied or allocated.
#[derive(Clone, Debug)]
pub struct IeSet<'a> {
    body: &'a [u8],
    places: [Place; MAX_IES],
    len: usize,
}

/// Where an element's value lies in the body.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    kind: u8,
    from: u16,
    to: u16,
}

impl<'a> IeSet<'a> {
    /// Tells the elements of a message's body apart.
    ///
    /// # Errors
    ///
    /// When an element runs over the end, a TV type is unknown, or there are more than [`MAX_IES`].
    pub fn parse(body: &'a [u8]) -> Result<Self, IeError> {
        let (set, ended) = Self::parse_prefix(body);
        match ended {
            None => Ok(set),
            Some(error) => Err(error),
        }
    }

    /// As [`IeSet::parse`], but keeps what came before an error.
    pub fn parse_prefix(body: &'a [u8]) -> (Self, Option<IeError>) {
        let mut set = Self {
            body: &body[..body.len().min(usize::from(u16::MAX))],
            places: [Place::default(); MAX_IES],
            len: 0,
        };
        let mut ies = Ies::new(set.body);
        while let Some(next) = ies.next() {
            let ie = match next {
                Ok(ie) => ie,
                Err(error) => return (set, Some(error)),
            };
            let Some(place) = set.places.get_mut(set.len) else {
                return (set, Some(IeError::TooMany));
            };
            let to = set.body.len() - ies.rest.len();
            *place = Place {
                kind: ie.kind.0,
                // Both fit: the body was cut to what 16 bits can index.
                from: (to - ie.value.len()) as u16,
                to: to as u16,
            };
            set.len += 1;
        }
        (set, None)
    }

    /// The value of the first element of this type. Where a type may come only once, further ones are ignored
    /// (TS 29.060 11.1.12).
    pub fn get(&self, kind: IeType) -> Option<&'a [u8]> {
        self.nth(kind, 0)
    }

    /// The value of the element of this type that has `n` of the same type before it: a second GSN Address, say, or the
    /// linked NSAPI.
    pub fn nth(&self, kind: IeType, n: usize) -> Option<&'a [u8]> {
        self.places[..self.len]
            .iter()
            .filter(|place| place.kind == kind.0)
            .nth(n)
            .map(|place| &self.body[usize::from(place.from)..usize::from(place.to)])
    }

    /// All elements, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Ie<'a>> + '_ {
        self.places[..self.len].iter().map(|place| Ie {
            kind: IeType(place.kind),
            value: &self.body[usize::from(place.from)..usize::from(place.to)],
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
