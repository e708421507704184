//! What an agent asks.

use std::fmt;

use licensing::{LicenseCount, Tag, Wall};
use serde::{Deserialize, Serialize};

use super::envelope::{WireError, bound};
use super::order::OrdersHeld;
use super::parts::{IdToken, InstanceId, Nonce, Octets, Serial, Version};
use super::report::ReportText;
use super::{
    CERTIFICATE_BYTES_MAX, REPORT_BYTES_MAX, REPORTS_BYTES_MAX, REPORTS_MAX, TAGS_MAX,
    TEXT_BYTES_MAX,
};

/// A request: the text of an [`Envelope`](super::Envelope).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who asks, and when.
    pub header: Header,
    /// What.
    pub body: RequestBody,
}

/// Who asks, and when. The names are those of the vendor's dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Of this format.
    pub version: Version,
    /// When it was sent by the node's wall clock, in milliseconds since 1970-01-01 UTC.
    pub timestamp: Wall,
    /// Drawn anew for each attempt to send.
    pub nonce: Nonce,
    /// The device.
    pub sudi: Sudi,
    /// Given out by the authority; null before a registration.
    pub product_instance_identifier: Option<InstanceId>,
    /// Serial number of the node's identity certificate; null before a registration.
    pub id_cert_serial_number: Option<Serial>,
    /// Serial number of the certificate that signed the last good answer; null before there was one.
    pub signing_cert_serial_number: Option<Serial>,
    /// The orders that the node has; null before a registration. Our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<OrdersHeld>,
}

/// The unique device identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sudi {
    /// Product identifier.
    pub udi_pid: String,
    /// Serial number of the device.
    pub udi_serial_number: String,
}

/// What is asked. The names of the types are those of the call-home statistics (REGISTRATION, RENEW, ENTITLEMENT,
/// ACKNOWLEDGEMENT, DEREGISTRATION) and one of our own; their data is our own format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "request_type",
    content = "request_data",
    rename_all = "SCREAMING_SNAKE_CASE",
    deny_unknown_fields
)]
pub enum RequestBody {
    /// To be registered; answered with [`Answer::Registration`](super::Answer::Registration).
    Registration(Registration),
    /// For another identity certificate (rule L11); answered with
    /// [`Answer::Registration`](super::Answer::Registration).
    Renew(Renewal),
    /// For the authorization of every tag in use, with reports of usage (rules L4 to L6, L11); answered with
    /// [`Answer::Authorization`](super::Answer::Authorization).
    Entitlement(EntitlementRequest),
    /// The identity certificate is stored; answered with [`Answer::Acknowledgement`](super::Answer::Acknowledgement).
    Acknowledgement(Acknowledgement),
    /// To be forgotten (rule L11); answered with [`Answer::Deregistration`](super::Answer::Deregistration).
    Deregistration(Deregistration),
    /// For roots and revocation lists; answered with [`Answer::TrustPool`](super::Answer::TrustPool).
    TrustPool(TrustRequest),
}

/// The type of a request alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestType {
    /// See [`RequestBody::Entitlement`].
    Entitlement,
    /// See [`RequestBody::Registration`].
    Registration,
    /// See [`RequestBody::Acknowledgement`].
    Acknowledgement,
    /// See [`RequestBody::Renew`].
    Renew,
    /// See [`RequestBody::Deregistration`].
    Deregistration,
    /// See [`RequestBody::TrustPool`].
    TrustPool,
}

/// See [`RequestBody::Registration`]. The same key again gets the same product instance, and uses its token once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The registration token.
    pub idtoken: IdToken,
    /// PKCS#10 signing request in DER, at most [`CERTIFICATE_BYTES_MAX`]; its key is that of the envelope's credential.
    /// The authority takes nothing but the key from it.
    pub csr: Octets,
    /// The product tag (rule L1).
    pub software_tag_identifier: Tag,
    /// Version of the software.
    pub software_version: String,
    /// Host name; null if it is not to be told.
    pub hostname: Option<String>,
    /// In place of a registration of this device that the authority still holds.
    pub force: bool,
    /// The node is marked `[lab]`: only a lab authority registers it (rule L2).
    pub lab: bool,
}

/// See [`RequestBody::Renew`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// As in [`Registration::csr`].
    pub csr: Octets,
    /// The identity certificate that the node has, in DER: an authority that was restored from an older copy, and knows
    /// nothing of the instance, takes it in again by this, unless it was revoked.
    pub certificate: Octets,
    /// The product tag (rule L1).
    pub software_tag_identifier: Tag,
}

/// See [`RequestBody::Entitlement`]. It is the whole state: a tag that is not listed is not in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntitlementRequest {
    /// One entry a tag that is in use, or has a grant, or was in use at the last report; at most
    /// [`TAGS_MAX`]. A tag comes once.
    pub tags: Vec<TagDemand>,
    /// Usage that the authority has not acknowledged, oldest first, without a gap; at most
    /// [`REPORTS_MAX`].
    pub reports: Vec<ReportText>,
    /// The number of the oldest report that the node still has, in `reports` or not; null: it has none. Where
    /// `reports` begins with it, what came before is gone.
    pub oldest_report: Option<u64>,
}

/// What a node uses of a tag, holds and wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagDemand {
    /// The tag.
    pub tag: Tag,
    /// Licenses that are in use: what compliance is judged by (rule L5).
    pub in_use: LicenseCount,
    /// Licenses that the node would be granted, at least `in_use`; what goes beyond is ahead of need, and if it can't be
    /// met that is no growth and nothing else (rules L5, L6).
    pub requested: LicenseCount,
    /// The grant by which the node's ceiling stands as it sends this; null: there is no grant. A grant that was lowered is
    /// free for others once this says so, and not before.
    pub held: Option<LicenseCount>,
}

/// See [`RequestBody::Acknowledgement`]. Until it comes, an authority keeps the certificate before this one valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Serial number of the certificate that is stored.
    pub id_cert_serial_number: Serial,
}

/// See [`RequestBody::Deregistration`]; of an instance that is gone already, it succeeds too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deregistration {
    /// As in [`EntitlementRequest::reports`].
    pub reports: Vec<ReportText>,
    /// As in [`EntitlementRequest::oldest_report`].
    pub oldest_report: Option<u64>,
}

/// See [`RequestBody::TrustPool`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRequest {}

impl RequestBody {
    /// Its type.
    pub fn kind(&self) -> RequestType {
        match self {
            Self::Registration(_) => RequestType::Registration,
            Self::Renew(_) => RequestType::Renew,
            Self::Entitlement(_) => RequestType::Entitlement,
            Self::Acknowledgement(_) => RequestType::Acknowledgement,
            Self::Deregistration(_) => RequestType::Deregistration,
            Self::TrustPool(_) => RequestType::TrustPool,
        }
    }
}

impl RequestType {
    /// All types, in the order of the call-home statistics.
    pub const ALL: [Self; 6] = [
        Self::Entitlement,
        Self::Registration,
        Self::Acknowledgement,
        Self::Renew,
        Self::Deregistration,
        Self::TrustPool,
    ];

    /// Its name on the wire and in statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entitlement => "ENTITLEMENT",
            Self::Registration => "REGISTRATION",
            Self::Acknowledgement => "ACKNOWLEDGEMENT",
            Self::Renew => "RENEW",
            Self::Deregistration => "DEREGISTRATION",
            Self::TrustPool => "TRUST_POOL",
        }
    }
}

impl fmt::Display for RequestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Request {
    /// Bounds that types don't hold.
    pub(super) fn check(&self) -> Result<(), WireError> {
        self.header.orders.iter().try_for_each(OrdersHeld::check)?;
        let sudi = &self.header.sudi;
        check_text("the product identifier", &sudi.udi_pid)?;
        check_text("the serial number of the device", &sudi.udi_serial_number)?;
        match &self.body {
            RequestBody::Registration(registration) => {
                check_text("the software version", &registration.software_version)?;
                let hostname = registration.hostname.as_deref();
                check_text("the host name", hostname.unwrap_or_default())?;
                check_der("the signing request", &registration.csr)
            }
            RequestBody::Renew(renewal) => {
                check_der("the signing request", &renewal.csr)?;
                check_der("the certificate", &renewal.certificate)
            }
            RequestBody::Entitlement(entitlement) => {
                bound("the list of tags", entitlement.tags.len(), TAGS_MAX)?;
                check_reports(&entitlement.reports)
            }
            RequestBody::Deregistration(leaving) => check_reports(&leaving.reports),
            RequestBody::Acknowledgement(_) | RequestBody::TrustPool(_) => Ok(()),
        }
    }
}

pub(super) fn check_text(what: &'static str, text: &str) -> Result<(), WireError> {
    bound(what, text.len(), TEXT_BYTES_MAX)
}

pub(super) fn check_der(what: &'static str, der: &Octets) -> Result<(), WireError> {
    bound(what, der.0.len(), CERTIFICATE_BYTES_MAX)
}

fn check_reports(reports: &[ReportText]) -> Result<(), WireError> {
    bound("the list of reports", reports.len(), REPORTS_MAX)?;
    let lengths = reports.iter().map(|report| report.as_str().len());
    bound("all reports", lengths.clone().sum(), REPORTS_BYTES_MAX)?;
    let longest = lengths.max().unwrap_or(0);
    bound("a report", longest, REPORT_BYTES_MAX)
}
