//! Messages between a Smart Agent and a license authority.
//!
//! ```text
//! POST /v1/smart      {"request":"{\"header\":{..},\"body\":{..}}","credential":{"public_key":".."},"signature":{"type":"ED25519","value":".."}}
//! 200                 {"response":"{\"header\":{..},\"body\":{..}}","chain":["..",".."],"calendar":..,"signature":{"type":"ED25519","value":".."}}
//! ```
//!
//! The shape is that of the one public dump of a Smart Agent's message (facts of the vendor's support pages): the request
//! travels as a string inside of an envelope, the signature beside it is over the exact octets of that string, and its
//! header has a UDI, a timestamp in milliseconds, a nonce, a request type, the product instance identifier and serial
//! numbers of certificates. The bodies, the answers and their signatures are not published: they are this project's own
//! format, version [`VERSION`], and make no claim to be understood by anything else.
//!
//! Rules for whoever reads these messages:
//! - [`Envelope::open`] and [`ReplyEnvelope::open`] look into a text only after its signature was found good.
//! - A key that is not listed, a key that comes twice, a value out of its bounds: the message is refused whole.
//! - A request whose [`Header::timestamp`] is over [`SKEW_MAX_S`] off, or whose [`Header::nonce`] was seen within that
//!   time, is refused ([`FailureCode::ClockSkew`], [`FailureCode::Replayed`]).
//! - Every request may come twice under another nonce, because its first answer was lost: the second changes nothing.
//!   A registration is told by its public key, a report by its number and digest.
//!
//! Deliberately absent: cryptography. Whoever signs or verifies passes it in.

mod envelope;
mod order;
mod parts;
mod reply;
mod report;
mod request;
#[cfg(test)]
mod tests;

pub use envelope::{Credential, Envelope, ReplyEnvelope, Signature, SignatureType, WireError};
pub use order::{CatalogOrder, ORDERS_PREFIX, Order, OrderKind, Orders, OrdersHeld, SignedOrders};
pub use parts::{
    Digest, ID_TOKEN_BYTES_MAX, ID_TOKEN_BYTES_MIN, IdToken, InstanceId, Nonce, Octets, PartError,
    Serial, Version,
};
pub use reply::{
    Acknowledged, Answer, AuthorizationAnswer, FailureCode, LabClock, Receipt, RegistrationAnswer,
    Reply, ReplyBody, ReplyHeader, TagVerdict, TrustAnswer, Verdict,
};
pub use report::{ReportEntry, ReportText, UsageReport};
pub use request::{
    Acknowledgement, Deregistration, EntitlementRequest, Header, Registration, Renewal, Request,
    RequestBody, RequestType, Sudi, TagDemand, TrustRequest,
};

/// Where messages are posted.
pub const SMART_PATH: &str = "/v1/smart";
/// Version of this format.
pub const VERSION: &str = "1.0";
/// Longest message of either direction, in bytes of its envelope.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// How far the clocks of the two sides may be apart, in seconds: one hour.
pub const SKEW_MAX_S: u64 = 3_600;
/// Most tags of one request or answer: one a service and one a feature of the largest catalog.
pub const TAGS_MAX: usize = 128;
/// Most usage reports of one request.
pub const REPORTS_MAX: usize = 16;
/// Longest usage report, in bytes.
pub const REPORT_BYTES_MAX: usize = 32 * 1024;
/// Most bytes of all usage reports of one request.
pub const REPORTS_BYTES_MAX: usize = 256 * 1024;
/// Most certificates of a chain, the root included.
pub const CHAIN_MAX: usize = 4;
/// Longest certificate or signing request, in bytes of DER.
pub const CERTIFICATE_BYTES_MAX: usize = 8 * 1024;
/// Most roots of a trust pool.
pub const ROOTS_MAX: usize = 32;
/// Most revocation lists of a trust pool.
pub const CRLS_MAX: usize = 8;
/// Longest revocation list, in bytes of DER.
pub const CRL_BYTES_MAX: usize = 64 * 1024;
/// Most orders of a product instance: one of each kind a tag.
pub const ORDERS_MAX: usize = 2 * TAGS_MAX;
/// Longest text of a catalog that is ordered, in bytes.
pub const CATALOG_BYTES_MAX: usize = 64 * 1024;
/// Longest text of orders, in bytes: that of a catalog may be twice as long as a JSON string.
pub const ORDERS_BYTES_MAX: usize = 256 * 1024;
/// Longest time from the writing of an order to its end, in milliseconds: 366 days.
pub const ORDER_SPAN_MS: i64 = 366 * 86_400_000;
/// Longest name of an account, host or software version, and longest text of a failure, in bytes.
pub const TEXT_BYTES_MAX: usize = 255;
/// Extended key usage of the certificate that signs answers: no other certificate of the authority's may.
///
/// 1.3.6.1.4.1.32473 is the number that RFC 5612 sets aside for documentation; a deployment with a number of its own
/// would use that.
pub const SIGNER_PURPOSE: [u64; 9] = [1, 3, 6, 1, 4, 1, 32473, 1, 1];
/// [`SIGNER_PURPOSE`] as the content octets of its DER.
pub const SIGNER_PURPOSE_DER: [u8; 10] =
    [0x2b, 0x06, 0x01, 0x04, 0x01, 0x81, 0xfd, 0x59, 0x01, 0x01];
