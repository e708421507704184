//! Cause values (TS 29.060 7.7.1).

use std::fmt;

/// The value of a Cause element; any of the 256 may arrive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause(pub u8);

/// One line a cause: its constant, its number, its name in the specification.
macro_rules! causes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Cause {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// The name in TS 29.060 7.7.1, where it has one.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

causes! {
    REQUEST_IMSI = 0, "Request IMSI";
    REQUEST_IMEI = 1, "Request IMEI";
    REQUEST_IMSI_AND_IMEI = 2, "Request IMSI and IMEI";
    NO_IDENTITY_NEEDED = 3, "No identity needed";
    MS_REFUSES_IN_REQUEST = 4, "MS refuses";
    MS_IS_NOT_GPRS_RESPONDING_IN_REQUEST = 5, "MS is not GPRS responding";
    REACTIVATION_REQUESTED = 6, "Reactivation Requested";
    PDP_ADDRESS_INACTIVITY_TIMER_EXPIRES = 7, "PDP address inactivity timer expires";
    NETWORK_FAILURE = 8, "Network Failure";
    QOS_PARAMETER_MISMATCH = 9, "QoS parameter mismatch";
    SYSTEM_FAILURE_IN_REQUEST = 59, "System failure";
    TRANSMIT_BUFFERS_FULL = 60, "The transmit buffers are becoming full";
    RECEIVE_BUFFERS_FULL = 61, "The receive buffers are becoming full";
    ANOTHER_NODE_GOING_DOWN = 62, "Another node is about to go down";
    THIS_NODE_GOING_DOWN = 63, "This node is about to go down";
    REQUEST_ACCEPTED = 128, "Request accepted";
    NEW_PDP_TYPE_NETWORK_PREFERENCE = 129, "New PDP type due to network preference";
    NEW_PDP_TYPE_SINGLE_ADDRESS_BEARER = 130, "New PDP type due to single address bearer only";
    CDR_DECODING_ERROR = 177, "CDR decoding error";
    NON_EXISTENT = 192, "Non-existent";
    INVALID_MESSAGE_FORMAT = 193, "Invalid message format";
    IMSI_NOT_KNOWN = 194, "IMSI/IMEI not known";
    MS_IS_GPRS_DETACHED = 195, "MS is GPRS Detached";
    MS_IS_NOT_GPRS_RESPONDING = 196, "MS is not GPRS Responding";
    MS_REFUSES = 197, "MS Refuses";
    VERSION_NOT_SUPPORTED = 198, "Version not supported";
    NO_RESOURCES_AVAILABLE = 199, "No resources available";
    SERVICE_NOT_SUPPORTED = 200, "Service not supported";
    MANDATORY_IE_INCORRECT = 201, "Mandatory IE incorrect";
    MANDATORY_IE_MISSING = 202, "Mandatory IE missing";
    OPTIONAL_IE_INCORRECT = 203, "Optional IE incorrect";
    SYSTEM_FAILURE = 204, "System failure";
    ROAMING_RESTRICTION = 205, "Roaming restriction";
    P_TMSI_SIGNATURE_MISMATCH = 206, "P-TMSI Signature mismatch";
    GPRS_CONNECTION_SUSPENDED = 207, "GPRS connection suspended";
    AUTHENTICATION_FAILURE = 208, "Authentication failure";
    USER_AUTHENTICATION_FAILED = 209, "User authentication failed";
    CONTEXT_NOT_FOUND = 210, "Context not found";
    ALL_DYNAMIC_PDP_ADDRESSES_OCCUPIED = 211, "All dynamic PDP addresses are occupied";
    NO_MEMORY_IS_AVAILABLE = 212, "No memory is available";
    RELOCATION_FAILURE = 213, "Relocation failure";
    UNKNOWN_MANDATORY_EXTENSION_HEADER = 214, "Unknown mandatory extension header";
    SEMANTIC_ERROR_IN_THE_TFT_OPERATION = 215, "Semantic error in the TFT operation";
    SYNTACTIC_ERROR_IN_THE_TFT_OPERATION = 216, "Syntactic error in the TFT operation";
    SEMANTIC_ERRORS_IN_PACKET_FILTERS = 217, "Semantic errors in packet filter(s)";
    SYNTACTIC_ERRORS_IN_PACKET_FILTERS = 218, "Syntactic errors in packet filter(s)";
    MISSING_OR_UNKNOWN_APN = 219, "Missing or unknown APN";
    UNKNOWN_PDP_ADDRESS_OR_TYPE = 220, "Unknown PDP address or PDP type";
    PDP_CONTEXT_WITHOUT_TFT_ALREADY_ACTIVATED = 221, "PDP context without TFT already activated";
    APN_ACCESS_DENIED = 222, "APN access denied - no subscription";
    APN_RESTRICTION_INCOMPATIBLE = 223,
        "APN Restriction type incompatibility with currently active PDP Contexts";
    MS_MBMS_CAPABILITIES_INSUFFICIENT = 224, "MS MBMS Capabilities Insufficient";
    INVALID_CORRELATION_ID = 225, "Invalid Correlation-ID";
    MBMS_BEARER_CONTEXT_SUPERSEDED = 226, "MBMS Bearer Context Superseded";
    BEARER_CONTROL_MODE_VIOLATION = 227, "Bearer Control Mode violation";
    COLLISION_WITH_NETWORK_INITIATED_REQUEST = 228, "Collision with network initiated request";
    APN_CONGESTION = 229, "APN Congestion";
    BEARER_HANDLING_NOT_SUPPORTED = 230, "Bearer handling not supported";
    TARGET_ACCESS_RESTRICTED = 231, "Target access restricted for the subscriber";
    UE_TEMPORARILY_NOT_REACHABLE = 232, "UE is temporarily not reachable due to power saving";
    RELOCATION_FAILURE_NAS_REDIRECTION = 233, "Relocation failure due to NAS message redirection";
}

impl Cause {
    /// Whether the request did what it asked for: 128 to 191 accept, 192 to 255 reject (TS 29.060 7.7.1, table 38).
    pub fn is_accepted(self) -> bool {
        (128..192).contains(&self.0)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "cause {}", self.0),
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}
