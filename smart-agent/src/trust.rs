//! The Trust Pool: the roots below which an authority's certificates must stand, and its revocation lists.
//!
//! A root comes in by an operator's file, or in an answer that is itself signed below a root trusted already. Dates are
//! arguments: a chain is judged at a date that the caller names.

use std::sync::Arc;

use api::smart::{CRLS_MAX, Digest, Octets, ROOTS_MAX, SIGNER_PURPOSE_DER, TrustAnswer};
use licensing::Wall;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::certificate::{Certificate, CertificateError};

/// Signatures that certificates of a chain may have.
const SIGNATURES: &[&dyn rustls_pki_types::SignatureVerificationAlgorithm] = &[
    webpki::ring::ED25519,
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
];

/// Where a root came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An operator's file.
    Operator,
    /// An answer signed below a root trusted already.
    Authority,
}

/// A root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its certificate.
    pub certificate: Certificate,
    /// Where it came from.
    pub origin: Origin,
}

/// What a chain is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To sign answers ([`api::smart::SIGNER_PURPOSE`]).
    Signer,
    /// To be a node's identity: client authentication.
    Identity,
}

/// Why a certificate is not trusted, or no root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrustError {
    /// There is no root, or none whose validity the date lies in.
    #[error("the trust pool has no root that is valid now")]
    Empty,
    /// Its chain leads to no root of the pool.
    #[error(
        "its chain leads to no root of the trust pool; the last certificate of the chain has the SHA-256 fingerprint {0}"
    )]
    UnknownRoot(Digest),
    /// A certificate of the chain is past its validity.
    #[error("a certificate of its chain has expired")]
    Expired,
    /// A certificate of the chain is not valid yet.
    #[error("a certificate of its chain is not valid yet")]
    NotYetValid,
    /// A certificate of the chain was revoked.
    #[error("a certificate of its chain was revoked")]
    Revoked,
    /// The certificate is for something else.
    #[error("the certificate is not for this purpose")]
    Purpose,
    /// The chain is broken in another way.
    #[error("its chain is not good: {0}")]
    Chain(String),
    /// Not a certificate.
    #[error(transparent)]
    Form(#[from] CertificateError),
    /// A root is to be self-issued and an authority.
    #[error("it is not a root certificate")]
    NotARoot,
    /// Not a revocation list.
    #[error("it is not a revocation list: {0}")]
    Crl(String),
    /// The pool is full.
    #[error("the trust pool holds {ROOTS_MAX} roots already")]
    Full,
}

/// The roots and the revocation lists.
#[derive(Clone, Debug, Default)]
pub struct TrustPool {
    roots: Vec<Root>,
    crls: Vec<Crl>,
}

#[derive(Clone, Debug)]
struct Crl {
    der: Octets,
    issuer: Vec<u8>,
    made: i64,
    parsed: Arc<CertRevocationList<'static>>,
}

/// What is kept of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRecord {
    /// Roots that authorities handed out, in DER; an operator's come by their files at each start, and go with them.
    pub roots: Vec<Octets>,
    /// Revocation lists in DER.
    pub crls: Vec<Octets>,
}

impl TrustPool {
    /// The pool as it was kept; what can't be read any more is left out.
    pub fn restored(record: &TrustRecord) -> Self {
        let mut pool = Self::default();
        for der in &record.roots {
            // It was read once before it was kept; a root lost is asked for again.
            drop(pool.add_root(&der.0, Origin::Authority));
        }
        for der in &record.crls {
            drop(pool.add_crl(&der.0));
        }
        pool
    }

    /// What is to be kept.
    pub fn record(&self) -> TrustRecord {
        let roots = self.roots.iter();
        let roots = roots.filter(|root| root.origin == Origin::Authority);
        TrustRecord {
            roots: roots.map(|root| root.certificate.der.clone()).collect(),
            crls: self.crls.iter().map(|crl| crl.der.clone()).collect(),
        }
    }

    /// The roots, in the order in which they came.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Takes a root in; false: it was there.
    pub fn add_root(&mut self, der: &[u8], origin: Origin) -> Result<bool, TrustError> {
        let certificate = Certificate::read(der)?;
        if !certificate.self_issued || !certificate.authority {
            return Err(TrustError::NotARoot);
        }
        let anchor = CertificateDer::from(der);
        anchor_from_trusted_cert(&anchor).map_err(|_| TrustError::NotARoot)?;
        let known = |root: &Root| root.certificate.fingerprint == certificate.fingerprint;
        if self.roots.iter().any(known) {
            return Ok(false);
        }
        if self.roots.len() >= ROOTS_MAX {
            return Err(TrustError::Full);
        }
        let root = Root {
            certificate,
            origin,
        };
        self.roots.push(root);
        Ok(true)
    }

    /// Takes a revocation list in, in place of an older one of the same issuer; false: it is no newer.
    fn add_crl(&mut self, der: &[u8]) -> Result<bool, TrustError> {
        let failed = |why: String| TrustError::Crl(why);
        let parsed =
            OwnedCertRevocationList::from_der(der).map_err(|error| failed(error.to_string()))?;
        let (_, read) = CertificateRevocationList::from_der(der)
            .map_err(|_| failed("it is not in DER".into()))?;
        let crl = Crl {
            der: Octets(der.to_vec()),
            issuer: read.issuer().as_raw().to_vec(),
            made: read.last_update().timestamp(),
            parsed: Arc::new(parsed.into()),
        };
        let place = self.crls.iter().position(|held| held.issuer == crl.issuer);
        match place {
            Some(at) if self.crls[at].made >= crl.made => return Ok(false),
            Some(at) => self.crls[at] = crl,
            None => self.crls.push(crl),
        }
        if self.crls.len() > CRLS_MAX {
            self.crls.sort_by_key(|held| std::cmp::Reverse(held.made));
            self.crls.truncate(CRLS_MAX);
        }
        Ok(true)
    }

    /// What an authority handed out, in an answer whose signer has this chain: roots that are valid at this date are taken
    /// in, revocation lists in place of older ones, and roots that have expired go, but for an operator's. Nothing is taken
    /// if the signer would not stand by it. True if the pool changed.
    pub fn refresh(
        &mut self,
        answer: &TrustAnswer,
        signer: &[Octets],
        date: Wall,
    ) -> Result<bool, TrustError> {
        let mut next = self.clone();
        let kept =
            |root: &Root| root.origin == Origin::Operator || root.certificate.not_after >= date;
        next.roots.retain(kept);
        for root in &answer.roots {
            if Certificate::read(&root.0)?.valid_at(date) {
                next.add_root(&root.0, Origin::Authority)?;
            }
        }
        for crl in &answer.crls {
            next.add_crl(&crl.0)?;
        }
        next.verify(signer, Purpose::Signer, date)?;
        let changed = next.record() != self.record();
        *self = next;
        Ok(changed)
    }

    /// Whether the first certificate of a chain is good for this purpose at this date, and what it says.
    pub fn verify(
        &self,
        chain: &[Octets],
        purpose: Purpose,
        date: Wall,
    ) -> Result<Certificate, TrustError> {
        let Some((first, above)) = chain.split_first() else {
            return Err(TrustError::Chain("it is empty".into()));
        };
        let certificate = Certificate::read(&first.0)?;
        let roots = self.roots.iter().filter(|r| r.certificate.valid_at(date));
        let roots: Vec<_> = roots
            .map(|root| CertificateDer::from(root.certificate.der.0.as_slice()))
            .collect();
        if roots.is_empty() {
            return Err(TrustError::Empty);
        }
        let anchors: Vec<TrustAnchor<'_>> = roots
            .iter()
            .filter_map(|root| anchor_from_trusted_cert(root).ok())
            .collect();
        let above: Vec<_> = above
            .iter()
            .map(|der| CertificateDer::from(der.0.as_slice()))
            .collect();
        let first = CertificateDer::from(first.0.as_slice());
        let judged = EndEntityCert::try_from(&first)
            .and_then(|end| self.path(&end, &anchors, &above, purpose, date));
        match judged {
            Ok(()) if purpose == Purpose::Signer && !certificate.signs_answers => {
                Err(TrustError::Purpose)
            }
            Ok(()) => Ok(certificate),
            Err(error) => Err(named(error, chain)),
        }
    }

    fn path(
        &self,
        end: &EndEntityCert<'_>,
        anchors: &[TrustAnchor<'_>],
        above: &[CertificateDer<'_>],
        purpose: Purpose,
        date: Wall,
    ) -> Result<(), webpki::Error> {
        let seconds = u64::try_from(date.0 / 1_000).unwrap_or(0);
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let usage = match purpose {
            // Those above the signer have no purposes of their own; that the signer has it is checked besides.
            Purpose::Signer => KeyUsage::required_if_present(&SIGNER_PURPOSE_DER),
            Purpose::Identity => KeyUsage::client_auth(),
        };
        let crls: Vec<_> = self.crls.iter().map(|crl| &*crl.parsed).collect();
        let revocation = RevocationOptionsBuilder::new(&crls).ok().map(|builder| {
            builder
                .with_depth(RevocationCheckDepth::Chain)
                // A list that is not there, or past its date, is no objection: silence must not stop a node (rule L10).
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Ignore)
                .build()
        });
        end.verify_for_usage(SIGNATURES, anchors, above, time, usage, revocation, None)
            .map(drop)
    }
}

/// The cause, in words of ours.
fn named(error: webpki::Error, chain: &[Octets]) -> TrustError {
    use webpki::Error;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum of another crate, which may grow; all of its other causes are told as they are"
    )]
    match error {
        // A root of the pool has the name and not the key: an authority that was set up anew, or somebody else.
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
            let last = chain.last().map(|der| crate::certificate::digest(&der.0));
            TrustError::UnknownRoot(last.unwrap_or(Digest([0; 32])))
        }
        Error::CertExpired { .. } => TrustError::Expired,
        Error::CertNotValidYet { .. } => TrustError::NotYetValid,
        Error::CertRevoked => TrustError::Revoked,
        Error::RequiredEkuNotFoundContext(_) => TrustError::Purpose,
        other => TrustError::Chain(other.to_string()),
    }
}
