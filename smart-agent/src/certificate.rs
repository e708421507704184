//! What is read of a certificate. Whether it is to be trusted is said by [`crate::trust::TrustPool`] alone.

use api::smart::{Digest, Octets, SIGNER_PURPOSE_DER, Serial};
use licensing::Wall;
use thiserror::Error;
use x509_parser::der_parser::oid::Oid;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What is read of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate in DER.
    pub der: Octets,
    /// Its serial number.
    pub serial: Serial,
    /// Its subject, for people.
    pub subject: String,
    /// The serialNumber attribute of its subject (2.5.4.5).
    pub subject_serial: Option<String>,
    /// When it begins to be valid.
    pub not_before: Wall,
    /// When it ends to be valid.
    pub not_after: Wall,
    /// Its raw public key.
    pub public_key: Vec<u8>,
    /// Subject and issuer are the same.
    pub self_issued: bool,
    /// It may sign certificates.
    pub authority: bool,
    /// Its extended key usage names [`SIGNER_PURPOSE_DER`].
    pub signs_answers: bool,
    /// SHA-256 over the DER.
    pub fingerprint: Digest,
}

/// Why octets are not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// They are not one in DER, or more follows it.
    #[error("it is not an X.509 certificate in DER")]
    Form,
}

impl Certificate {
    /// Reads it.
    pub fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, read) = X509Certificate::from_der(der).map_err(|_| CertificateError::Form)?;
        if !rest.is_empty() {
            return Err(CertificateError::Form);
        }
        let subject = read.subject();
        let subject_serial = subject.iter_by_oid(&SERIAL_NUMBER).next();
        let subject_serial = subject_serial.and_then(|found| found.as_str().ok());
        let date = |time: x509_parser::time::ASN1Time| Wall(time.timestamp().saturating_mul(1_000));
        let validity = read.validity();
        let usage = read.extended_key_usage().ok().flatten();
        let purposes = usage.map(|usage| usage.value.other.as_slice());
        let is_signer = |purpose: &Oid<'_>| purpose.as_bytes() == SIGNER_PURPOSE_DER;
        Ok(Self {
            der: Octets(der.to_vec()),
            serial: Serial::of(read.raw_serial()),
            subject: subject.to_string(),
            subject_serial: subject_serial.map(str::to_owned),
            not_before: date(validity.not_before),
            not_after: date(validity.not_after),
            public_key: read.public_key().subject_public_key.data.to_vec(),
            self_issued: read.subject().as_raw() == read.issuer().as_raw(),
            authority: read.is_ca(),
            signs_answers: purposes.is_some_and(|purposes| purposes.iter().any(is_signer)),
            fingerprint: digest(der),
        })
    }

    /// This date lies in its validity.
    pub fn valid_at(&self, date: Wall) -> bool {
        (self.not_before..=self.not_after).contains(&date)
    }
}

const SERIAL_NUMBER: Oid<'static> = x509_parser::oid_registry::OID_X509_SERIALNUMBER;

/// SHA-256 of these octets.
pub fn digest(octets: &[u8]) -> Digest {
    let found = ring::digest::digest(&ring::digest::SHA256, octets);
    let mut digest = [0; 32];
    digest.copy_from_slice(found.as_ref());
    Digest(digest)
}
