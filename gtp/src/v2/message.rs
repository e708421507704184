//! Message types (TS 29.274 6.1, table 6.1-1).

use std::fmt;

/// The type octet of a message; any of the 256 may arrive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u8);

/// One line a type: its constant, its number, its name in the table.
macro_rules! messages {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl MessageType {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// The name in TS 29.274 table 6.1-1, where this table has it.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

messages! {
    ECHO_REQUEST = 1, "Echo Request";
    ECHO_RESPONSE = 2, "Echo Response";
    VERSION_NOT_SUPPORTED = 3, "Version Not Supported Indication";
    CREATE_SESSION_REQUEST = 32, "Create Session Request";
    CREATE_SESSION_RESPONSE = 33, "Create Session Response";
    MODIFY_BEARER_REQUEST = 34, "Modify Bearer Request";
    MODIFY_BEARER_RESPONSE = 35, "Modify Bearer Response";
    DELETE_SESSION_REQUEST = 36, "Delete Session Request";
    DELETE_SESSION_RESPONSE = 37, "Delete Session Response";
    CHANGE_NOTIFICATION_REQUEST = 38, "Change Notification Request";
    CHANGE_NOTIFICATION_RESPONSE = 39, "Change Notification Response";
    REMOTE_UE_REPORT_NOTIFICATION = 40, "Remote UE Report Notification";
    REMOTE_UE_REPORT_ACKNOWLEDGE = 41, "Remote UE Report Acknowledge";
    MODIFY_BEARER_COMMAND = 64, "Modify Bearer Command";
    MODIFY_BEARER_FAILURE_INDICATION = 65, "Modify Bearer Failure Indication";
    DELETE_BEARER_COMMAND = 66, "Delete Bearer Command";
    DELETE_BEARER_FAILURE_INDICATION = 67, "Delete Bearer Failure Indication";
    BEARER_RESOURCE_COMMAND = 68, "Bearer Resource Command";
    BEARER_RESOURCE_FAILURE_INDICATION = 69, "Bearer Resource Failure Indication";
    DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION = 70,
        "Downlink Data Notification Failure Indication";
    TRACE_SESSION_ACTIVATION = 71, "Trace Session Activation";
    TRACE_SESSION_DEACTIVATION = 72, "Trace Session Deactivation";
    STOP_PAGING_INDICATION = 73, "Stop Paging Indication";
    CREATE_BEARER_REQUEST = 95, "Create Bearer Request";
    CREATE_BEARER_RESPONSE = 96, "Create Bearer Response";
    UPDATE_BEARER_REQUEST = 97, "Update Bearer Request";
    UPDATE_BEARER_RESPONSE = 98, "Update Bearer Response";
    DELETE_BEARER_REQUEST = 99, "Delete Bearer Request";
    DELETE_BEARER_RESPONSE = 100, "Delete Bearer Response";
    DELETE_PDN_CONNECTION_SET_REQUEST = 101, "Delete PDN Connection Set Request";
    DELETE_PDN_CONNECTION_SET_RESPONSE = 102, "Delete PDN Connection Set Response";
    PGW_DOWNLINK_TRIGGERING_NOTIFICATION = 103, "PGW Downlink Triggering Notification";
    PGW_DOWNLINK_TRIGGERING_ACKNOWLEDGE = 104, "PGW Downlink Triggering Acknowledge";
    SUSPEND_NOTIFICATION = 162, "Suspend Notification";
    SUSPEND_ACKNOWLEDGE = 163, "Suspend Acknowledge";
    RESUME_NOTIFICATION = 164, "Resume Notification";
    RESUME_ACKNOWLEDGE = 165, "Resume Acknowledge";
    CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST = 166,
        "Create Indirect Data Forwarding Tunnel Request";
    CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_RESPONSE = 167,
        "Create Indirect Data Forwarding Tunnel Response";
    DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST = 168,
        "Delete Indirect Data Forwarding Tunnel Request";
    DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_RESPONSE = 169,
        "Delete Indirect Data Forwarding Tunnel Response";
    RELEASE_ACCESS_BEARERS_REQUEST = 170, "Release Access Bearers Request";
    RELEASE_ACCESS_BEARERS_RESPONSE = 171, "Release Access Bearers Response";
    DOWNLINK_DATA_NOTIFICATION = 176, "Downlink Data Notification";
    DOWNLINK_DATA_NOTIFICATION_ACKNOWLEDGE = 177, "Downlink Data Notification Acknowledge";
    PGW_RESTART_NOTIFICATION = 179, "PGW Restart Notification";
    PGW_RESTART_NOTIFICATION_ACKNOWLEDGE = 180, "PGW Restart Notification Acknowledge";
    UPDATE_PDN_CONNECTION_SET_REQUEST = 200, "Update PDN Connection Set Request";
    UPDATE_PDN_CONNECTION_SET_RESPONSE = 201, "Update PDN Connection Set Response";
    MODIFY_ACCESS_BEARERS_REQUEST = 211, "Modify Access Bearers Request";
    MODIFY_ACCESS_BEARERS_RESPONSE = 212, "Modify Access Bearers Response";
}

impl MessageType {
    /// The type that answers this request. A command has none: it is answered by a request or by a failure indication
    /// (TS 29.274 6.1).
    pub fn response(self) -> Option<Self> {
        match self {
            Self::ECHO_REQUEST
            | Self::CREATE_SESSION_REQUEST
            | Self::MODIFY_BEARER_REQUEST
            | Self::DELETE_SESSION_REQUEST
            | Self::CHANGE_NOTIFICATION_REQUEST
            | Self::REMOTE_UE_REPORT_NOTIFICATION
            | Self::CREATE_BEARER_REQUEST
            | Self::UPDATE_BEARER_REQUEST
            | Self::DELETE_BEARER_REQUEST
            | Self::DELETE_PDN_CONNECTION_SET_REQUEST
            | Self::PGW_DOWNLINK_TRIGGERING_NOTIFICATION
            | Self::SUSPEND_NOTIFICATION
            | Self::RESUME_NOTIFICATION
            | Self::CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST
            | Self::DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST
            | Self::RELEASE_ACCESS_BEARERS_REQUEST
            | Self::DOWNLINK_DATA_NOTIFICATION
            | Self::PGW_RESTART_NOTIFICATION
            | Self::UPDATE_PDN_CONNECTION_SET_REQUEST
            | Self::MODIFY_ACCESS_BEARERS_REQUEST => Some(Self(self.0 + 1)),
            _ => None,
        }
    }

    /// The type that tells that this command failed; one that succeeds is answered by a request.
    pub fn failure_indication(self) -> Option<Self> {
        match self {
            Self::MODIFY_BEARER_COMMAND
            | Self::DELETE_BEARER_COMMAND
            | Self::BEARER_RESOURCE_COMMAND => Some(Self(self.0 + 1)),
            _ => None,
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "message type {}", self.0),
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}
