//! What an authority answers.

use licensing::{Entitlement, Tag, Wall};
use serde::{Deserialize, Serialize};

use super::envelope::{WireError, bound};
use super::order::SignedOrders;
use super::parts::{Digest, InstanceId, Nonce, Octets, Version};
use super::request::{RequestType, check_der, check_text};
use super::{CHAIN_MAX, CRL_BYTES_MAX, CRLS_MAX, REPORTS_MAX, ROOTS_MAX, TAGS_MAX};

/// An answer: the text of a [`ReplyEnvelope`](super::ReplyEnvelope). The statuses are those of the published messages; the
/// rest is our own format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// To what, and when.
    pub header: ReplyHeader,
    /// What.
    pub body: ReplyBody,
    /// The orders of the instance, if they are others than those that it said it has; only in answers to an instance
    /// that is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<SignedOrders>,
}

/// To what an answer is, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyHeader {
    /// Of this format.
    pub version: Version,
    /// When it was made by the authority's wall clock, in milliseconds since 1970-01-01 UTC.
    pub timestamp: Wall,
    /// The authority's date, by which its certificates and licenses age. Off the lab it is `timestamp`; in the lab it
    /// runs as fast as license time, and its nodes take it over.
    pub calendar: Wall,
    /// That of the request.
    pub nonce: Nonce,
    /// Type of the request.
    pub request_type: RequestType,
    /// Whom it is for; null only in an answer to a node that has none.
    pub product_instance_identifier: Option<InstanceId>,
    /// Present in all that a lab authority says (rule L2).
    pub lab: Option<LabClock>,
}

/// The clock of a lab authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabClock {
    /// License seconds a second, at least 1; its nodes take it over.
    pub speedup: u32,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "status",
    content = "of",
    rename_all = "SCREAMING_SNAKE_CASE",
    deny_unknown_fields
)]
pub enum ReplyBody {
    /// It was done.
    Ok(Answer),
    /// It was taken, and its answer is not there yet: the same is to be asked again.
    OkPoll {
        /// After so many seconds.
        poll_interval_s: u32,
    },
    /// It was not done, and nothing has changed.
    Failed {
        /// Why, for machines.
        code: FailureCode,
        /// Why, for people.
        message: String,
        /// Seconds after which it may be asked again; null: the node decides.
        retry_after_s: Option<u32>,
    },
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureCode {
    /// No token of this authority.
    TokenUnknown,
    /// The token's time is over.
    TokenExpired,
    /// The token was revoked.
    TokenRevoked,
    /// The token was used as often as it may be.
    TokenUsedUp,
    /// This device is registered already, and `force` was not said.
    AlreadyRegistered,
    /// Lab nodes are for lab authorities, and no other nodes are (rule L2).
    LabMismatch,
    /// The product tag is not one that is sold here.
    ProductUnknown,
    /// An account's administrator removed the instance: an order, by which its registration has ended.
    InstanceRemoved,
    /// Nothing is known of the instance, nor that it ever was: no order. The node goes on and asks with
    /// [`RequestBody::Renew`](super::RequestBody::Renew) to be taken in again.
    InstanceUnknown,
    /// The identity certificate was revoked: an order, as [`FailureCode::InstanceRemoved`] is.
    CertificateRevoked,
    /// The identity certificate is past its validity, or is not the instance's.
    CertificateInvalid,
    /// The signature is not good by the instance's key.
    SignatureInvalid,
    /// The timestamp is over an hour off.
    ClockSkew,
    /// The nonce was seen before.
    Replayed,
    /// The message is not of its form.
    Malformed,
    /// The authority can't say now.
    TryAgain,
    /// A code of a newer authority.
    #[serde(other)]
    Other,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "response_type",
    content = "response_data",
    rename_all = "SCREAMING_SNAKE_CASE",
    deny_unknown_fields
)]
pub enum Answer {
    /// The node is registered, or its registration was renewed.
    Registration(RegistrationAnswer),
    /// The standing of every tag asked for.
    Authorization(AuthorizationAnswer),
    /// The certificate is known to be stored, and those before it are void.
    Acknowledgement {},
    /// The instance is gone, and its licenses are free.
    Deregistration {
        /// What became of the reports.
        receipt: Receipt,
    },
    /// Roots and revocation lists.
    TrustPool(TrustAnswer),
}

/// See [`Answer::Registration`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationAnswer {
    /// The product instance identifier.
    pub product_instance_identifier: InstanceId,
    /// The identity certificate in DER, then those that signed it, without the root; at most [`CHAIN_MAX`]. Its subject's
    /// serialNumber attribute (2.5.4.5) is the product instance identifier, as in the vendor's certificates, its extended
    /// key usage is client authentication, its key the one that the request was signed with.
    pub certificates: Vec<Octets>,
    /// Name of the Smart Account.
    pub smart_account: String,
    /// Name of the virtual account.
    pub virtual_account: String,
    /// Seconds after which the registration is to be renewed, at most 180 days (rule L11).
    pub renew_s: u64,
}

/// See [`Answer::Authorization`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationAnswer {
    /// One entry a tag asked for.
    pub verdicts: Vec<TagVerdict>,
    /// What became of the reports.
    pub receipt: Receipt,
    /// Seconds after which the authorization is to be renewed, at most 30 days (rule L11).
    pub renew_s: u64,
    /// Seconds after which it is to be asked again while out of compliance, at most 12 hours (rule L11).
    pub ooc_retry_s: u64,
    /// Seconds of silence after which the authorization expires, at most 90 days (rule L10).
    pub deadline_s: u64,
}

/// The standing of one tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagVerdict {
    /// The tag.
    pub tag: Tag,
    /// Its standing.
    pub verdict: Verdict,
    /// The exact grant, with its end on the authority's calendar; null: there is none, and the verdict stands alone, as
    /// StarOS knows it. A feature has none.
    pub granted: Option<Entitlement>,
}

/// The standing of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Use is covered.
    Authorized,
    /// Use in the pool exceeds what is owned.
    OutOfCompliance,
    /// The tag is not known.
    InvalidTag,
}

/// What became of the reports of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The last report of the chain that is stored; null: none is. A node that is told of an earlier one than it knew,
    /// because the authority was restored from an older copy, sends again what it still has.
    pub last: Option<Acknowledged>,
    /// Numbers of those of this request's reports that are stored, now or earlier, with the same text. One that is not
    /// among them, and whose number is not above that of `last`, met another report of its number: the node gives it the
    /// next number that is free.
    pub taken: Vec<u64>,
    /// The chain has forked, now or earlier: two nodes have this identity, or the state of one was restored.
    pub forked: bool,
}

/// A report that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Its number.
    pub report_id: u64,
    /// SHA-256 of its text.
    pub digest: Digest,
}

/// See [`Answer::TrustPool`]. That the answer itself is signed below a root trusted already is what lets new roots in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustAnswer {
    /// Root certificates in DER; at most [`ROOTS_MAX`].
    pub roots: Vec<Octets>,
    /// Revocation lists in DER; at most [`CRLS_MAX`], each of at most [`CRL_BYTES_MAX`].
    pub crls: Vec<Octets>,
}

impl Reply {
    /// Bounds that types don't hold.
    pub(super) fn check(&self) -> Result<(), WireError> {
        self.orders.iter().try_for_each(SignedOrders::check)?;
        match &self.body {
            ReplyBody::Ok(answer) => answer.check(),
            ReplyBody::OkPoll { .. } => Ok(()),
            ReplyBody::Failed { message, .. } => check_text("the text of the failure", message),
        }
    }
}

impl Answer {
    fn check(&self) -> Result<(), WireError> {
        match self {
            Self::Registration(answer) => {
                check_text("the name of the account", &answer.smart_account)?;
                check_text("the name of the account", &answer.virtual_account)?;
                bound("the chain", answer.certificates.len(), CHAIN_MAX)?;
                let mut chain = answer.certificates.iter();
                chain.try_for_each(|certificate| check_der("a certificate", certificate))
            }
            Self::Authorization(answer) => {
                bound("the list of verdicts", answer.verdicts.len(), TAGS_MAX)?;
                answer.receipt.check()
            }
            Self::Acknowledgement {} => Ok(()),
            Self::Deregistration { receipt } => receipt.check(),
            Self::TrustPool(answer) => {
                bound("the list of roots", answer.roots.len(), ROOTS_MAX)?;
                bound("the list of revocation lists", answer.crls.len(), CRLS_MAX)?;
                let mut roots = answer.roots.iter();
                roots.try_for_each(|root| check_der("a root", root))?;
                let longest = answer.crls.iter().map(|crl| crl.0.len()).max();
                bound("a revocation list", longest.unwrap_or(0), CRL_BYTES_MAX)
            }
        }
    }
}

impl Receipt {
    fn check(&self) -> Result<(), WireError> {
        bound("the list of reports", self.taken.len(), REPORTS_MAX)
    }
}
