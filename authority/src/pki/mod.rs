//! The authority's certificates: a root, an issuing authority below it, and the key that signs answers.
//!
//! They are made at the first start, all or none, and kept in a folder of their own, keys with mode 0600. What nodes and
//! browsers meet, the root, the issuing authority and the certificate of the connection, has ECDSA keys on P-256,
//! because browsers know no other small ones; answers are signed with Ed25519, as their format wants.

mod files;
mod identity;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::smart::{Digest, InstanceId, Octets, SIGNER_PURPOSE, Serial};
use licensing::Wall;
use parking_lot::RwLock;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, RevokedCertParams, SerialNumber,
    SignatureAlgorithm, SigningKey,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use time::OffsetDateTime;

pub use files::PkiFileError;
pub(crate) use files::pem;
pub(crate) use identity::{Identity, csr_key, raw_key};
use identity::{ends_of, name_of};

use crate::moment::{DAY_MS, Moment};
use crate::secret::random;

/// How much earlier than it is made a certificate begins: the hour by which a node's clock may be behind, and the vendor's 5
/// minutes.
const BACKDATED_MS: i64 = 3_600_000 + 300_000;
const YEAR_MS: i64 = 365 * DAY_MS;
const ROOT_MS: i64 = 20 * YEAR_MS;
const ISSUING_MS: i64 = 15 * YEAR_MS;
/// Validity of a node's identity certificate (rule L11).
pub(crate) const IDENTITY_MS: i64 = 365 * DAY_MS;
/// Validity of the certificate of the connection; it is made anew at each start and after [`TLS_RENEW_MS`].
const TLS_MS: i64 = 90 * DAY_MS;
/// See [`TLS_MS`].
pub(crate) const TLS_RENEW_MS: i64 = 30 * DAY_MS;
/// How long a revocation list says that it is good.
pub(crate) const CRL_MS: i64 = 30 * DAY_MS;
/// Certificates below the root are made anew, for the same keys and names, when so much of their time is left: twice what an
/// identity certificate that stands below them lasts.
const RENEW_MS: i64 = 2 * YEAR_MS;
/// People are warned so long before the root ends.
const ROOT_WARNED_MS: i64 = 3 * YEAR_MS;
/// The calendar of a lab runs through decades in an hour: what all others stand on must not end.
const LAB_MS: i64 = 1_000 * YEAR_MS;

/// Why a certificate could not be made or kept.
#[derive(Debug, Error)]
pub enum PkiError {
    /// It can't be made.
    #[error("a certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    /// Its files can't be read or written.
    #[error(transparent)]
    File(#[from] PkiFileError),
    /// A certificate of its own can't be read.
    #[error("a certificate of the authority is none")]
    Read,
    /// The certificate of the connection can't be used.
    #[error("the certificate of the connection can't be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// The keys and certificates of an authority.
pub(crate) struct Pki {
    dir: PathBuf,
    root: Octets,
    root_ends: Wall,
    issuing: Issuer<'static, KeyPair>,
    signer: KeyPair,
    below: RwLock<Below>,
    lab: bool,
}

/// The certificates below the root, which are made anew from time to time.
#[derive(Clone)]
struct Below {
    issuing: Octets,
    signer: Octets,
}

/// A raw Ed25519 public key.
struct RawKey<'a>(&'a [u8]);

impl PublicKeyData for RawKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// Whom an identity certificate is for.
pub(crate) struct Subject<'a> {
    pub(crate) instance: &'a InstanceId,
    pub(crate) udi: &'a str,
    /// Domain of the Smart Account.
    pub(crate) account: &'a str,
    /// Name of the virtual account.
    pub(crate) virtual_account: &'a str,
}

impl Pki {
    /// The certificates of this folder; makes them if it is not there.
    pub(crate) fn open(dir: &Path, lab: bool, now: Moment) -> Result<Self, PkiError> {
        if !dir.exists() {
            files::Kept::write(&Self::make(lab, now)?, dir)?;
        }
        let kept = files::Kept::read(dir)?;
        let issuing_key = key_of(&kept.issuing_key, &PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            issuing: Issuer::from_ca_cert_der(&kept.issuing.0.as_slice().into(), issuing_key)?,
            signer: key_of(&kept.signer_key, &PKCS_ED25519)?,
            dir: dir.to_owned(),
            root_ends: ends_of(&kept.root.0)?,
            root: kept.root,
            below: RwLock::new(Below {
                issuing: kept.issuing,
                signer: kept.signer,
            }),
            lab,
        })
    }

    fn make(lab: bool, now: Moment) -> Result<files::Kept, PkiError> {
        let span = |ms: i64| if lab { LAB_MS } else { ms };
        let mark: String = random::<4>().iter().map(|o| format!("{o:02x}")).collect();
        let named = |what: &str, ms| named(&format!("tollgate {what} {mark}"), now, span(ms));

        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let root_params = authority(named("license root", ROOT_MS));
        let root = root_params.self_signed(&root_key)?;
        let above = Issuer::from_params(&root_params, &root_key);

        let issuing_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = issuing_authority(named("license authority", ISSUING_MS));
        let issuing = params.signed_by(&issuing_key, &above)?;
        let above = Issuer::from_params(&params, &issuing_key);

        let signer_key = KeyPair::generate_for(&PKCS_ED25519)?;
        let params = signs_answers(named("license signer", ISSUING_MS));
        let signer = params.signed_by(&signer_key, &above)?;
        let octets = |der: &[u8]| Octets(der.to_vec());
        Ok(files::Kept {
            root: octets(root.der()),
            issuing: octets(issuing.der()),
            signer: octets(signer.der()),
            root_key: root_key.serialize_der().into(),
            issuing_key: issuing_key.serialize_der().into(),
            signer_key: signer_key.serialize_der().into(),
        })
    }

    /// The root in DER.
    pub(crate) fn root(&self) -> &Octets {
        &self.root
    }

    /// SHA-256 of the root, which people compare.
    pub(crate) fn fingerprint(&self) -> Digest {
        crate::secret::digest(&self.root.0)
    }

    /// The chain of an answer.
    pub(crate) fn chain(&self) -> Vec<Octets> {
        let Below { issuing, signer } = self.below.read().clone();
        vec![signer, issuing, self.root.clone()]
    }

    /// The issuing authority in DER.
    pub(crate) fn issuing(&self) -> Octets {
        self.below.read().issuing.clone()
    }

    /// When the root ends, if that is so near that people are to be warned.
    pub(crate) fn root_ends_soon(&self, now: Moment) -> Option<Wall> {
        let left_ms = self.root_ends.0.saturating_sub(now.date.0);
        (left_ms < ROOT_WARNED_MS).then_some(self.root_ends)
    }

    /// Makes the certificates below the root anew, if they end before long and the root does not end with them: for the same
    /// keys and names, so that all below them goes on. True if any was made.
    ///
    /// Errors: the root's key is not at hand, or a file can't be written; what there was stays.
    pub(crate) fn renew(&self, now: Moment) -> Result<bool, PkiError> {
        let Below { issuing, signer } = self.below.read().clone();
        let new_issuing = self.renewed(&issuing, now, issuing_authority)?;
        if let Some(params) = &new_issuing {
            let root_key = files::root_key(&self.dir)?;
            let root_key = key_of(&root_key, &PKCS_ECDSA_P256_SHA256)?;
            let above = Issuer::from_ca_cert_der(&self.root.0.as_slice().into(), root_key)?;
            let made = params.signed_by(self.issuing.key(), &above)?;
            let made = Octets(made.der().to_vec());
            files::replace_issuing(&self.dir, &made)?;
            self.below.write().issuing = made;
        }
        let new_signer = self.renewed(&signer, now, signs_answers)?;
        if let Some(params) = &new_signer {
            let made = params.signed_by(&self.signer, &self.issuing)?;
            let made = Octets(made.der().to_vec());
            files::replace_signer(&self.dir, &made)?;
            self.below.write().signer = made;
        }
        Ok(new_issuing.is_some() || new_signer.is_some())
    }

    /// What is to be certified in place of this, if it ends before long.
    fn renewed(
        &self,
        held: &Octets,
        now: Moment,
        kind: fn(CertificateParams) -> CertificateParams,
    ) -> Result<Option<CertificateParams>, PkiError> {
        let ends = ends_of(&held.0)?;
        let until = now.date.0.saturating_add(ISSUING_MS).min(self.root_ends.0);
        let near = ends.0.saturating_sub(now.date.0) < RENEW_MS;
        if !near || until <= ends.0.saturating_add(DAY_MS) {
            return Ok(None);
        }
        let span = until.saturating_sub(now.date.0);
        Ok(Some(kind(named(&name_of(&held.0)?, now, span))))
    }

    /// Signs an answer.
    pub(crate) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, PkiError> {
        Ok(self.signer.sign(octets)?)
    }

    /// An identity certificate for this raw Ed25519 key, and its serial number.
    pub(crate) fn issue(
        &self,
        key: &[u8],
        subject: &Subject<'_>,
        now: Moment,
    ) -> Result<(Octets, Serial), PkiError> {
        let mut params = named(subject.udi, now, IDENTITY_MS);
        params.not_after = date(Wall(now.date.0.saturating_add(IDENTITY_MS)));
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationName, subject.account);
        name.push(DnType::OrganizationalUnitName, subject.virtual_account);
        let serial_number = DnType::CustomDnType(vec![2, 5, 4, 5]);
        name.push(serial_number, subject.instance.as_str());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let serial = serial();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        let made = params.signed_by(&RawKey(key), &self.issuing)?;
        Ok((Octets(made.der().to_vec()), Serial::of(&serial)))
    }

    /// A certificate and a key for connections under these names.
    pub(crate) fn tls(&self, names: &[String], now: Moment) -> Result<Arc<CertifiedKey>, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(names)?;
        let mut name = DistinguishedName::new();
        let first = names.first().map_or("tollgate", String::as_str);
        name.push(DnType::CommonName, first);
        params.distinguished_name = name;
        let earlier = now.wall.0.min(now.date.0);
        let later = now.wall.0.max(now.date.0);
        params.not_before = date(Wall(earlier.saturating_sub(BACKDATED_MS)));
        let span = if self.lab { LAB_MS } else { TLS_MS };
        params.not_after = date(Wall(later.saturating_add(span)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.serial_number = Some(SerialNumber::from_slice(&serial()));
        let made = params.signed_by(&key, &self.issuing)?;
        // The root, too: whoever does not trust it yet is to tell people its fingerprint.
        let chain = vec![
            made.der().clone(),
            self.issuing().0.into(),
            self.root.0.clone().into(),
        ];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Arc::new(CertifiedKey::from_der(
            chain,
            key,
            &default_provider(),
        )?))
    }

    /// The revocation list of the issuing authority: serial numbers, and when each was revoked.
    pub(crate) fn crl(&self, revoked: &[(Vec<u8>, Wall)], made: Wall) -> Result<Octets, PkiError> {
        let revoked = revoked.iter().map(|(serial, at)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: date(*at),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date(made),
            next_update: date(Wall(made.0.saturating_add(CRL_MS))),
            // Dates rise, and so do the numbers of the lists.
            crl_number: SerialNumber::from(made.0.unsigned_abs()),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let made = params.signed_by(&self.issuing)?;
        Ok(Octets(made.der().to_vec()))
    }
}

fn key_of(der: &[u8], kind: &'static SignatureAlgorithm) -> Result<KeyPair, rcgen::Error> {
    let der = PrivatePkcs8KeyDer::from(der);
    KeyPair::from_pkcs8_der_and_sign_algo(&der, kind)
}

fn named(name: &str, now: Moment, span_ms: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.not_before = date(Wall(now.date.0.saturating_sub(BACKDATED_MS)));
    params.not_after = date(Wall(now.date.0.saturating_add(span_ms)));
    params.serial_number = Some(SerialNumber::from_slice(&serial()));
    params
}

fn authority(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn issuing_authority(params: CertificateParams) -> CertificateParams {
    let mut params = authority(params);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
}

fn signs_answers(mut params: CertificateParams) -> CertificateParams {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(SIGNER_PURPOSE.to_vec())];
    params
}

/// 120 random bits, never negative and never beginning with a zero octet.
fn serial() -> [u8; 16] {
    let mut serial = random::<16>();
    serial[0] = serial[0] & 0x3f | 0x40;
    serial
}

/// A date as the maker of certificates takes it, to the second, at most the last that a certificate can say.
fn date(at: Wall) -> OffsetDateTime {
    /// 9999-12-31 23:59:59.
    const LAST_S: i64 = 253_402_300_799;
    let seconds = at.0.div_euclid(1_000).clamp(0, LAST_S);
    OffsetDateTime::from_unix_timestamp(seconds)
        .expect("a second from 1970 to 9999 is in the range of the type")
}
