//! Information elements: types, instances, iteration, groups (TS 29.274 8.1, 8.2).

use std::fmt;

use super::{IE_HEADER_BYTES, IeError, MAX_DEPTH, MAX_IES, MAX_INSTANCE};

/// The type octet of an information element. All have a length of two octets, then a spare half octet and an instance,
/// which tells elements of one type with different meanings apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IeType(pub u8);

/// One line a type: its constant, its number, its name in the table.
macro_rules! elements {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl IeType {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// The name in TS 29.274 table 8.1-1, where this table has it.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

elements! {
    IMSI = 1, "International Mobile Subscriber Identity";
    CAUSE = 2, "Cause";
    RECOVERY = 3, "Recovery";
    APN = 71, "Access Point Name";
    AMBR = 72, "Aggregate Maximum Bit Rate";
    EBI = 73, "EPS Bearer ID";
    IP_ADDRESS = 74, "IP Address";
    MEI = 75, "Mobile Equipment Identity";
    MSISDN = 76, "MSISDN";
    INDICATION = 77, "Indication";
    PCO = 78, "Protocol Configuration Options";
    PAA = 79, "PDN Address Allocation";
    BEARER_QOS = 80, "Bearer Level Quality of Service";
    FLOW_QOS = 81, "Flow Quality of Service";
    RAT_TYPE = 82, "RAT Type";
    SERVING_NETWORK = 83, "Serving Network";
    BEARER_TFT = 84, "EPS Bearer Level Traffic Flow Template";
    TAD = 85, "Traffic Aggregation Description";
    ULI = 86, "User Location Information";
    F_TEID = 87, "Fully Qualified Tunnel Endpoint Identifier";
    DELAY_VALUE = 92, "Delay Value";
    BEARER_CONTEXT = 93, "Bearer Context";
    CHARGING_ID = 94, "Charging ID";
    CHARGING_CHARACTERISTICS = 95, "Charging Characteristics";
    TRACE_INFORMATION = 96, "Trace Information";
    BEARER_FLAGS = 97, "Bearer Flags";
    PDN_TYPE = 99, "PDN Type";
    PTI = 100, "Procedure Transaction ID";
    PDN_CONNECTION = 109, "PDN Connection";
    UE_TIME_ZONE = 114, "UE Time Zone";
    TRACE_REFERENCE = 115, "Trace Reference";
    COMPLETE_REQUEST_MESSAGE = 116, "Complete Request Message";
    F_CONTAINER = 118, "F-Container";
    F_CAUSE = 119, "F-Cause";
    PLMN_ID = 120, "PLMN ID";
    PORT_NUMBER = 126, "Port Number";
    APN_RESTRICTION = 127, "APN Restriction";
    SELECTION_MODE = 128, "Selection Mode";
    BEARER_CONTROL_MODE = 130, "Bearer Control Mode";
    CHANGE_REPORTING_ACTION = 131, "Change Reporting Action";
    FQ_CSID = 132, "Fully Qualified PDN Connection Set Identifier";
    NODE_TYPE = 135, "Node Type";
    FQDN = 136, "Fully Qualified Domain Name";
    TRANSACTION_IDENTIFIER = 137, "Transaction Identifier";
    UCI = 145, "User CSG Information";
    CSG_INFORMATION_REPORTING_ACTION = 146, "CSG Information Reporting Action";
    CMI = 148, "CSG Membership Indication";
    SERVICE_INDICATOR = 149, "Service indicator";
    DETACH_TYPE = 150, "Detach Type";
    LDN = 151, "Local Distinguished Name";
    NODE_FEATURES = 152, "Node Features";
    THROTTLING = 154, "Throttling";
    ARP = 155, "Allocation/Retention Priority";
    EPC_TIMER = 156, "EPC Timer";
    SIGNALLING_PRIORITY_INDICATION = 157, "Signalling Priority Indication";
    MMBR = 161, "Max MBR/APN-AMBR";
    APCO = 163, "Additional Protocol Configuration Options";
    HENB_INFORMATION_REPORTING = 165, "H(e)NB Information Reporting";
    IP4CP = 166, "IPv4 Configuration Parameters";
    CHANGE_TO_REPORT_FLAGS = 167, "Change to Report Flags";
    ACTION_INDICATION = 168, "Action Indication";
    TWAN_IDENTIFIER = 169, "TWAN Identifier";
    ULI_TIMESTAMP = 170, "ULI Timestamp";
    RAN_NAS_CAUSE = 172, "RAN/NAS Cause";
    CN_OPERATOR_SELECTION_ENTITY = 173, "CN Operator Selection Entity";
    TRUSTED_WLAN_MODE_INDICATION = 174, "Trusted WLAN Mode Indication";
    PRESENCE_REPORTING_AREA_ACTION = 177, "Presence Reporting Area Action";
    PRESENCE_REPORTING_AREA_INFORMATION = 178, "Presence Reporting Area Information";
    TWAN_IDENTIFIER_TIMESTAMP = 179, "TWAN Identifier Timestamp";
    OVERLOAD_CONTROL_INFORMATION = 180, "Overload Control Information";
    LOAD_CONTROL_INFORMATION = 181, "Load Control Information";
    METRIC = 182, "Metric";
    SEQUENCE_NUMBER = 183, "Sequence Number";
    APN_AND_RELATIVE_CAPACITY = 184, "APN and Relative Capacity";
    WLAN_OFFLOADABILITY_INDICATION = 185, "WLAN Offloadability Indication";
    PAGING_AND_SERVICE_INFORMATION = 186, "Paging and Service Information";
    INTEGER_NUMBER = 187, "Integer Number";
    MILLISECOND_TIME_STAMP = 188, "Millisecond Time Stamp";
    REMOTE_UE_CONTEXT = 191, "Remote UE Context";
    REMOTE_USER_ID = 192, "Remote User ID";
    REMOTE_UE_IP_INFORMATION = 193, "Remote UE IP information";
    CIOT_OPTIMIZATIONS_SUPPORT_INDICATION = 194, "CIoT Optimizations Support Indication";
    SCEF_PDN_CONNECTION = 195, "SCEF PDN Connection";
    HEADER_COMPRESSION_CONFIGURATION = 196, "Header Compression Configuration";
    EPCO = 197, "Extended Protocol Configuration Options";
    SERVING_PLMN_RATE_CONTROL = 198, "Serving PLMN Rate Control";
    COUNTER = 199, "Counter";
    MAPPED_UE_USAGE_TYPE = 200, "Mapped UE Usage Type";
    SECONDARY_RAT_USAGE_DATA_REPORT = 201, "Secondary RAT Usage Data Report";
    UP_FUNCTION_SELECTION_INDICATION_FLAGS = 202, "UP Function Selection Indication Flags";
    MAXIMUM_PACKET_LOSS_RATE = 203, "Maximum Packet Loss Rate";
    APN_RATE_CONTROL_STATUS = 204, "APN Rate Control Status";
    SGI_PTP_TUNNEL_ADDRESS = 213, "SGi PtP Tunnel Address";
    PGW_CHANGE_INFO = 214, "PGW Change Info";
    PGW_SET_FQDN = 215, "PGW Set FQDN";
    PRIVATE_EXTENSION = 255, "Private Extension";
}

impl IeType {
    /// Whether its value is elements again (table 8.1-1, "Grouped").
    pub fn is_grouped(self) -> bool {
        matches!(
            self,
            Self::BEARER_CONTEXT
                | Self::PDN_CONNECTION
                | Self::OVERLOAD_CONTROL_INFORMATION
                | Self::LOAD_CONTROL_INFORMATION
                | Self::REMOTE_UE_CONTEXT
                | Self::SCEF_PDN_CONNECTION
                | Self::PGW_CHANGE_INFO
        )
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
    /// Its instance, 0 to 15.
    pub instance: u8,
    /// Its value, without the four octets in front.
    pub value: &'a [u8],
}

/// The elements of a message or of a grouped element, in the order in which they came. After an error there is nothing
/// more.
#[derive(Clone, Debug)]
pub struct Ies<'a> {
    rest: &'a [u8],
}

impl<'a> Ies<'a> {
    /// Over the octets after a header, or over the value of a grouped element.
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    fn take(&mut self, kind: u8) -> Result<Ie<'a>, IeError> {
        let have = self.rest.len() - 1;
        let Some((&[_, l0, l1, spare_and_instance], from)) =
            self.rest.split_first_chunk::<IE_HEADER_BYTES>()
        else {
            let needs = IE_HEADER_BYTES - 1;
            return Err(IeError::Overrun { kind, needs, have });
        };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let Some((value, rest)) = from.split_at_checked(length) else {
            let needs = IE_HEADER_BYTES - 1 + length;
            return Err(IeError::Overrun { kind, needs, have });
        };
        self.rest = rest;
        Ok(Ie {
            kind: IeType(kind),
            instance: spare_and_instance & MAX_INSTANCE,
            value,
        })
    }
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

/// The elements of a message or of a grouped element, told apart once and then looked up by type and instance. Nothing
/// is copied or allocated.
#[derive(Clone, Debug)]
pub struct IeSet<'a> {
    body: &'a [u8],
    places: [Place; MAX_IES],
    len: usize,
    depth: u8,
}

/// Where an element's value lies in the body.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    kind: u8,
    instance: u8,
    from: u16,
    to: u16,
}

impl<'a> IeSet<'a> {
    /// Tells the elements of a message's body apart. Grouped ones stay closed until [`IeSet::group`] or
    /// [`IeSet::groups`].
    ///
    /// # Errors
    ///
    /// When an element runs over the end, or there are more than [`MAX_IES`].
    pub fn parse(body: &'a [u8]) -> Result<Self, IeError> {
        Self::parse_at(body, 0)
    }

    /// As [`IeSet::parse`], but keeps what came before an error.
    pub fn parse_prefix(body: &'a [u8]) -> (Self, Option<IeError>) {
        Self::prefix_at(body, 0)
    }

    fn parse_at(body: &'a [u8], depth: u8) -> Result<Self, IeError> {
        let (set, ended) = Self::prefix_at(body, depth);
        match ended {
            None => Ok(set),
            Some(error) => Err(error),
        }
    }

    fn prefix_at(body: &'a [u8], depth: u8) -> (Self, Option<IeError>) {
        let mut set = Self {
            body: &body[..body.len().min(usize::from(u16::MAX))],
            places: [Place::default(); MAX_IES],
            len: 0,
            depth,
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
                instance: ie.instance,
                // Both fit: the body was cut to what 16 bits can index.
                from: (to - ie.value.len()) as u16,
                to: to as u16,
            };
            set.len += 1;
        }
        (set, None)
    }

    /// The value of the first element of this type and instance. Where one may come only once, further ones are ignored
    /// (TS 29.274 7.7.10).
    pub fn get(&self, kind: IeType, instance: u8) -> Option<&'a [u8]> {
        self.all(kind, instance).next()
    }

    /// The values of all elements of this type and instance, in their order: Bearer Contexts, or EPS Bearer IDs, of
    /// which there may be several.
    pub fn all(&self, kind: IeType, instance: u8) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.iter()
            .filter(move |ie| ie.kind == kind && ie.instance == instance)
            .map(|ie| ie.value)
    }

    /// The elements in the first element of this type and instance, which is a grouped one.
    ///
    /// # Errors
    ///
    /// As [`IeSet::parse`], and when it lies deeper than [`MAX_DEPTH`].
    pub fn group(&self, kind: IeType, instance: u8) -> Option<Result<Self, IeError>> {
        self.groups(kind, instance).next()
    }

    /// As [`IeSet::group`], for all of this type and instance.
    pub fn groups(
        &self,
        kind: IeType,
        instance: u8,
    ) -> impl Iterator<Item = Result<Self, IeError>> + '_ {
        self.all(kind, instance)
            .map(|value| match self.depth < MAX_DEPTH {
                true => Self::parse_at(value, self.depth + 1),
                false => Err(IeError::TooDeep),
            })
    }

    /// All elements, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Ie<'a>> + '_ {
        self.places[..self.len].iter().map(|place| Ie {
            kind: IeType(place.kind),
            instance: place.instance,
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

    /// How many grouped elements these ones lie in: 0 for those of a message.
    pub fn depth(&self) -> u8 {
        self.depth
    }
}
