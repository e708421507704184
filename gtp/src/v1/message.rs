//! Message types (TS 29.060 7.1, table 1).

use std::fmt;

/// The type octet of a message; any of the 256 may arrive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u8);

/// One line a type: its constant, its number, its name in the table, and whether it asks for an answer.
macro_rules! messages {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl MessageType {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// The name in TS 29.060 table 1, where this table has it.
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
    VERSION_NOT_SUPPORTED = 3, "Version Not Supported";
    NODE_ALIVE_REQUEST = 4, "Node Alive Request";
    NODE_ALIVE_RESPONSE = 5, "Node Alive Response";
    REDIRECTION_REQUEST = 6, "Redirection Request";
    REDIRECTION_RESPONSE = 7, "Redirection Response";
    CREATE_PDP_CONTEXT_REQUEST = 16, "Create PDP Context Request";
    CREATE_PDP_CONTEXT_RESPONSE = 17, "Create PDP Context Response";
    UPDATE_PDP_CONTEXT_REQUEST = 18, "Update PDP Context Request";
    UPDATE_PDP_CONTEXT_RESPONSE = 19, "Update PDP Context Response";
    DELETE_PDP_CONTEXT_REQUEST = 20, "Delete PDP Context Request";
    DELETE_PDP_CONTEXT_RESPONSE = 21, "Delete PDP Context Response";
    INITIATE_PDP_CONTEXT_ACTIVATION_REQUEST = 22, "Initiate PDP Context Activation Request";
    INITIATE_PDP_CONTEXT_ACTIVATION_RESPONSE = 23, "Initiate PDP Context Activation Response";
    ERROR_INDICATION = 26, "Error Indication";
    PDU_NOTIFICATION_REQUEST = 27, "PDU Notification Request";
    PDU_NOTIFICATION_RESPONSE = 28, "PDU Notification Response";
    PDU_NOTIFICATION_REJECT_REQUEST = 29, "PDU Notification Reject Request";
    PDU_NOTIFICATION_REJECT_RESPONSE = 30, "PDU Notification Reject Response";
    SUPPORTED_EXTENSION_HEADERS_NOTIFICATION = 31, "Supported Extension Headers Notification";
    SEND_ROUTEING_INFORMATION_REQUEST = 32, "Send Routeing Information for GPRS Request";
    SEND_ROUTEING_INFORMATION_RESPONSE = 33, "Send Routeing Information for GPRS Response";
    FAILURE_REPORT_REQUEST = 34, "Failure Report Request";
    FAILURE_REPORT_RESPONSE = 35, "Failure Report Response";
    NOTE_MS_PRESENT_REQUEST = 36, "Note MS GPRS Present Request";
    NOTE_MS_PRESENT_RESPONSE = 37, "Note MS GPRS Present Response";
    IDENTIFICATION_REQUEST = 48, "Identification Request";
    IDENTIFICATION_RESPONSE = 49, "Identification Response";
    SGSN_CONTEXT_REQUEST = 50, "SGSN Context Request";
    SGSN_CONTEXT_RESPONSE = 51, "SGSN Context Response";
    SGSN_CONTEXT_ACKNOWLEDGE = 52, "SGSN Context Acknowledge";
    MS_INFO_CHANGE_NOTIFICATION_REQUEST = 128, "MS Info Change Notification Request";
    MS_INFO_CHANGE_NOTIFICATION_RESPONSE = 129, "MS Info Change Notification Response";
    DATA_RECORD_TRANSFER_REQUEST = 240, "Data Record Transfer Request";
    DATA_RECORD_TRANSFER_RESPONSE = 241, "Data Record Transfer Response";
    END_MARKER = 254, "End Marker";
    G_PDU = 255, "G-PDU";
}

impl MessageType {
    /// The type that answers this request, for the requests that a GGSN or its peer sends on Gn.
    pub fn response(self) -> Option<Self> {
        match self {
            Self::ECHO_REQUEST
            | Self::CREATE_PDP_CONTEXT_REQUEST
            | Self::UPDATE_PDP_CONTEXT_REQUEST
            | Self::DELETE_PDP_CONTEXT_REQUEST
            | Self::INITIATE_PDP_CONTEXT_ACTIVATION_REQUEST
            | Self::PDU_NOTIFICATION_REQUEST
            | Self::PDU_NOTIFICATION_REJECT_REQUEST
            | Self::MS_INFO_CHANGE_NOTIFICATION_REQUEST => Some(Self(self.0 + 1)),
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
