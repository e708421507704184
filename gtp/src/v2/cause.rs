//! Cause values (TS 29.274 8.4, table 8.4-1).

use std::fmt;

/// The value of a Cause element; any of the 256 may arrive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause(pub u8);

/// One line a cause: its constant, its number, its name in the specification.
macro_rules! causes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Cause {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// The name in TS 29.274 table 8.4-1, where it has one.
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
    LOCAL_DETACH = 2, "Local Detach";
    COMPLETE_DETACH = 3, "Complete Detach";
    RAT_CHANGED_TO_NON_3GPP = 4, "RAT changed from 3GPP to Non-3GPP";
    ISR_DEACTIVATION = 5, "ISR deactivation";
    ERROR_INDICATION_RECEIVED = 6, "Error Indication received from RNC/eNodeB/S4-SGSN/MME";
    IMSI_DETACH_ONLY = 7, "IMSI Detach Only";
    REACTIVATION_REQUESTED = 8, "Reactivation Requested";
    PDN_RECONNECTION_DISALLOWED = 9, "PDN reconnection to this APN disallowed";
    ACCESS_CHANGED_TO_3GPP = 10, "Access changed from Non-3GPP to 3GPP";
    PDN_CONNECTION_INACTIVITY_TIMER_EXPIRES = 11, "PDN connection inactivity timer expires";
    PGW_NOT_RESPONDING = 12, "PGW not responding";
    NETWORK_FAILURE = 13, "Network Failure";
    QOS_PARAMETER_MISMATCH = 14, "QoS parameter mismatch";
    EPS_TO_5GS_MOBILITY = 15, "EPS to 5GS Mobility";
    REQUEST_ACCEPTED = 16, "Request accepted";
    REQUEST_ACCEPTED_PARTIALLY = 17, "Request accepted partially";
    NEW_PDN_TYPE_NETWORK_PREFERENCE = 18, "New PDN type due to network preference";
    NEW_PDN_TYPE_SINGLE_ADDRESS_BEARER = 19, "New PDN type due to single address bearer only";
    CONTEXT_NOT_FOUND = 64, "Context Not Found";
    INVALID_MESSAGE_FORMAT = 65, "Invalid Message Format";
    VERSION_NOT_SUPPORTED_BY_NEXT_PEER = 66, "Version not supported by next peer";
    INVALID_LENGTH = 67, "Invalid length";
    SERVICE_NOT_SUPPORTED = 68, "Service not supported";
    MANDATORY_IE_INCORRECT = 69, "Mandatory IE incorrect";
    MANDATORY_IE_MISSING = 70, "Mandatory IE missing";
    SYSTEM_FAILURE = 72, "System failure";
    NO_RESOURCES_AVAILABLE = 73, "No resources available";
    SEMANTIC_ERROR_IN_THE_TFT_OPERATION = 74, "Semantic error in the TFT operation";
    SYNTACTIC_ERROR_IN_THE_TFT_OPERATION = 75, "Syntactic error in the TFT operation";
    SEMANTIC_ERRORS_IN_PACKET_FILTER = 76, "Semantic errors in packet filter(s)";
    SYNTACTIC_ERRORS_IN_PACKET_FILTER = 77, "Syntactic errors in packet filter(s)";
    MISSING_OR_UNKNOWN_APN = 78, "Missing or unknown APN";
    GRE_KEY_NOT_FOUND = 80, "GRE key not found";
    RELOCATION_FAILURE = 81, "Relocation failure";
    DENIED_IN_RAT = 82, "Denied in RAT";
    PREFERRED_PDN_TYPE_NOT_SUPPORTED = 83, "Preferred PDN type not supported";
    ALL_DYNAMIC_ADDRESSES_OCCUPIED = 84, "All dynamic addresses are occupied";
    UE_CONTEXT_WITHOUT_TFT_ALREADY_ACTIVATED = 85, "UE context without TFT already activated";
    PROTOCOL_TYPE_NOT_SUPPORTED = 86, "Protocol type not supported";
    UE_NOT_RESPONDING = 87, "UE not responding";
    UE_REFUSES = 88, "UE refuses";
    SERVICE_DENIED = 89, "Service denied";
    UNABLE_TO_PAGE_UE = 90, "Unable to page UE";
    NO_MEMORY_AVAILABLE = 91, "No memory available";
    USER_AUTHENTICATION_FAILED = 92, "User authentication failed";
    APN_ACCESS_DENIED = 93, "APN access denied - no subscription";
    REQUEST_REJECTED = 94, "Request rejected (reason not specified)";
    P_TMSI_SIGNATURE_MISMATCH = 95, "P-TMSI Signature mismatch";
    IMSI_IMEI_NOT_KNOWN = 96, "IMSI/IMEI not known";
    SEMANTIC_ERROR_IN_THE_TAD_OPERATION = 97, "Semantic error in the TAD operation";
    SYNTACTIC_ERROR_IN_THE_TAD_OPERATION = 98, "Syntactic error in the TAD operation";
    REMOTE_PEER_NOT_RESPONDING = 100, "Remote peer not responding";
    COLLISION_WITH_NETWORK_INITIATED_REQUEST = 101, "Collision with network initiated request";
    UNABLE_TO_PAGE_UE_DUE_TO_SUSPENSION = 102, "Unable to page UE due to Suspension";
    CONDITIONAL_IE_MISSING = 103, "Conditional IE missing";
    APN_RESTRICTION_INCOMPATIBLE = 104, "APN Restriction type incompatible with currently active PDN connection";
    INVALID_LENGTH_WITH_PIGGYBACKED = 105, "Invalid overall length of the triggered response message and a piggybacked initial message";
    DATA_FORWARDING_NOT_SUPPORTED = 106, "Data forwarding not supported";
    INVALID_REPLY_FROM_REMOTE_PEER = 107, "Invalid reply from remote peer";
    FALLBACK_TO_GTPV1 = 108, "Fallback to GTPv1";
    INVALID_PEER = 109, "Invalid peer";
    TEMPORARILY_REJECTED = 110, "Temporarily rejected due to handover/TAU/RAU procedure in progress";
    MODIFICATIONS_NOT_LIMITED_TO_S1U_BEARERS = 111, "Modifications not limited to S1-U bearers";
    REJECTED_FOR_A_PMIPV6_REASON = 112, "Request rejected for a PMIPv6 reason";
    APN_CONGESTION = 113, "APN Congestion";
    BEARER_HANDLING_NOT_SUPPORTED = 114, "Bearer handling not supported";
    UE_ALREADY_RE_ATTACHED = 115, "UE already re-attached";
    MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED = 116, "Multiple PDN connections for a given APN not allowed";
    TARGET_ACCESS_RESTRICTED = 117, "Target access restricted for the subscriber";
    REFUSED_DUE_TO_VPLMN_POLICY = 119, "MME/SGSN refuses due to VPLMN Policy";
    GTP_C_ENTITY_CONGESTION = 120, "GTP-C Entity Congestion";
    LATE_OVERLAPPING_REQUEST = 121, "Late Overlapping Request";
    TIMED_OUT_REQUEST = 122, "Timed out Request";
    UE_TEMPORARILY_NOT_REACHABLE = 123, "UE is temporarily not reachable due to power saving";
    RELOCATION_FAILURE_NAS_REDIRECTION = 124, "Relocation failure due to NAS message redirection";
    UE_NOT_AUTHORISED_BY_OCS_OR_AAA = 125, "UE not authorised by OCS or external AAA Server";
    MULTIPLE_ACCESSES_NOT_ALLOWED = 126, "Multiple accesses to a PDN connection not allowed";
    REQUEST_REJECTED_DUE_TO_UE_CAPABILITY = 127, "Request rejected due to UE capability";
    S1U_PATH_FAILURE = 128, "S1-U Path Failure";
    FIVE_GC_NOT_ALLOWED = 129, "5GC not allowed";
    PGW_MISMATCH_WITH_SLICE = 130, "PGW mismatch with network slice subscribed by the UE";
    REJECTION_DUE_TO_PAGING_RESTRICTION = 131, "Rejection due to paging restriction";
}

impl Cause {
    /// Whether the request did what it asked for, wholly or partly: 16 to 63 accept, 64 to 239 reject; what is below
    /// and above those is for requests (TS 29.274 table 8.4-1).
    pub fn is_accepted(self) -> bool {
        (16..64).contains(&self.0)
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
