//! What nodes present: signing requests and identity certificates.

use api::smart::{InstanceId, Serial};
use licensing::Wall;
use rcgen::{CertificateSigningRequestParams, PKCS_ED25519, PublicKeyData};
use x509_parser::oid_registry::{
    OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT, OID_X509_SERIALNUMBER,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Pki, PkiError};

/// What an identity certificate of this authority says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) instance: InstanceId,
    pub(crate) serial: Serial,
    /// The raw Ed25519 key.
    pub(crate) key: Vec<u8>,
    pub(crate) account: String,
    pub(crate) virtual_account: String,
    pub(crate) not_before: Wall,
    pub(crate) not_after: Wall,
}

/// The raw Ed25519 key of a signing request whose own signature is good; none: it is not one.
pub(crate) fn csr_key(der: &[u8]) -> Option<Vec<u8>> {
    let request = CertificateSigningRequestParams::from_der(&der.into()).ok()?;
    let key = request.public_key;
    (*PublicKeyData::algorithm(&key) == PKCS_ED25519).then(|| key.der_bytes().to_vec())
}

/// The raw public key of a certificate.
pub(crate) fn raw_key(der: &[u8]) -> Option<Vec<u8>> {
    let (_, read) = X509Certificate::from_der(der).ok()?;
    Some(read.public_key().subject_public_key.data.to_vec())
}

/// When a certificate ends.
pub(super) fn ends_of(der: &[u8]) -> Result<Wall, PkiError> {
    let (_, read) = X509Certificate::from_der(der).map_err(|_| PkiError::Read)?;
    let seconds = read.validity().not_after.timestamp();
    Ok(Wall(seconds.saturating_mul(1_000)))
}

/// The common name of a certificate.
pub(super) fn name_of(der: &[u8]) -> Result<String, PkiError> {
    let (_, read) = X509Certificate::from_der(der).map_err(|_| PkiError::Read)?;
    let name = read.subject().iter_common_name().next();
    let name = name.and_then(|name| name.as_str().ok());
    name.map(str::to_owned).ok_or(PkiError::Read)
}

impl Pki {
    /// What an identity certificate says; none: this authority did not make it.
    pub(crate) fn identity(&self, der: &[u8]) -> Option<Identity> {
        let held = self.issuing();
        let (rest, read) = X509Certificate::from_der(der).ok()?;
        let (_, issuing) = X509Certificate::from_der(&held.0).ok()?;
        if !rest.is_empty() || read.issuer().as_raw() != issuing.subject().as_raw() {
            return None;
        }
        read.verify_signature(Some(issuing.public_key())).ok()?;
        let usage = read.extended_key_usage().ok()??;
        let subject = read.subject();
        let part = |oid| {
            let found = subject.iter_by_oid(&oid).next()?;
            found.as_str().ok().map(str::to_owned)
        };
        let ms = |at: x509_parser::time::ASN1Time| Wall(at.timestamp().saturating_mul(1_000));
        let identity = Identity {
            instance: InstanceId::new(part(OID_X509_SERIALNUMBER)?).ok()?,
            serial: Serial::of(read.raw_serial()),
            key: read.public_key().subject_public_key.data.to_vec(),
            account: part(OID_X509_ORGANIZATION_NAME)?,
            virtual_account: part(OID_X509_ORGANIZATIONAL_UNIT)?,
            not_before: ms(read.validity().not_before),
            not_after: ms(read.validity().not_after),
        };
        usage.value.client_auth.then_some(identity)
    }
}
