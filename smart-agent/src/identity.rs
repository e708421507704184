//! The node's own key, and what is made with it.

use api::smart::{Sudi, WireError};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ED25519};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::PrivatePkcs8KeyDer;
use thiserror::Error;
use zeroize::Zeroizing;

/// What stands before an Ed25519 private key in PKCS#8, version 1 (RFC 8410, section 7).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The seed of the node's Ed25519 key: 32 octets drawn by the shell at the first start, and kept in a file of its own,
/// mode 0600. It has no `Debug`, no serialisation, and is wiped from memory when it is dropped.
pub struct Seed(Zeroizing<[u8; 32]>);

/// The node's key.
pub struct Identity {
    seed: Seed,
    key: Ed25519KeyPair,
    csr: Vec<u8>,
}

/// Why there is no identity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// The signing request could not be made.
    #[error("the certificate signing request can't be made: {0}")]
    Csr(String),
}

impl Seed {
    /// Of these octets, which must be drawn by a generator fit for keys.
    pub fn new(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl Identity {
    /// The key of this seed, for this device.
    pub fn new(seed: Seed, sudi: &Sudi) -> Result<Self, IdentityError> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed.0.as_ref())
            .expect("any 32 octets are the seed of an Ed25519 key");
        let csr = signing_request(&seed, sudi)?;
        Ok(Self { seed, key, csr })
    }

    /// Its public half.
    pub fn public_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.key.public_key().as_ref());
        key
    }

    /// Its signature over these octets.
    pub fn sign(&self, octets: &[u8]) -> Vec<u8> {
        self.key.sign(octets).as_ref().to_vec()
    }

    /// The PKCS#10 signing request in DER: the key, and the UDI as its subject.
    pub fn csr(&self) -> &[u8] {
        &self.csr
    }

    /// The private key in PKCS#8, for the TLS connection that the shell makes with it.
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        pkcs8(&self.seed)
    }
}

fn pkcs8(seed: &Seed) -> Zeroizing<Vec<u8>> {
    let mut der = Zeroizing::new(Vec::with_capacity(PKCS8_HEAD.len() + seed.0.len()));
    der.extend_from_slice(&PKCS8_HEAD);
    der.extend_from_slice(seed.0.as_ref());
    der
}

fn signing_request(seed: &Seed, sudi: &Sudi) -> Result<Vec<u8>, IdentityError> {
    let failed = |error: rcgen::Error| IdentityError::Csr(error.to_string());
    let der = pkcs8(seed);
    let der = PrivatePkcs8KeyDer::from(der.as_slice());
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).map_err(failed)?;
    let mut name = DistinguishedName::new();
    let udi = format!("PID:{},SN:{}", sudi.udi_pid, sudi.udi_serial_number);
    name.push(DnType::CommonName, udi);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    let request = params.serialize_request(&key).map_err(failed)?;
    Ok(request.der().to_vec())
}

/// Whether a signature over these octets is good by this raw Ed25519 public key.
pub fn verify(public_key: &[u8], octets: &[u8], signature: &[u8]) -> Result<(), WireError> {
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public_key);
    key.verify(octets, signature)
        .map_err(|_| WireError::NotAuthentic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudi() -> Sudi {
        Sudi {
            udi_pid: "VPC-SI".into(),
            udi_serial_number: "FLM2039N9QG".into(),
        }
    }

    fn identity(octet: u8) -> Identity {
        Identity::new(Seed::new([octet; 32]), &sudi()).unwrap()
    }

    #[test]
    fn the_same_seed_is_the_same_key() {
        assert_eq!(identity(1).public_key(), identity(1).public_key());
        assert_eq!(identity(1).csr(), identity(1).csr());
        assert_ne!(identity(1).public_key(), identity(2).public_key());
    }

    // RFC 8032, section 7.1, test 1.
    #[test]
    fn the_key_of_a_seed_is_the_one_of_the_standard() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        let identity = Identity::new(Seed::new(seed), &sudi()).unwrap();
        assert_eq!(identity.public_key()[..4], [0xd7, 0x5a, 0x98, 0x01]);
        assert_eq!(identity.sign(b"")[..4], [0xe5, 0x56, 0x43, 0x00]);
    }

    #[test]
    fn a_signature_is_good_for_its_octets_and_its_key_alone() {
        let identity = identity(1);
        let signature = identity.sign(b"counts");
        let key = identity.public_key();
        assert!(verify(&key, b"counts", &signature).is_ok());
        assert!(verify(&key, b"count", &signature).is_err());
        let other = super::tests::identity(2).public_key();
        assert!(verify(&other, b"counts", &signature).is_err());
        assert!(verify(&key, b"counts", &signature[1..]).is_err());
    }

    #[test]
    fn the_signing_request_has_the_key_and_the_udi_and_not_the_seed() {
        let identity = identity(7);
        let csr = identity.csr();
        let has = |octets: &[u8]| csr.windows(octets.len()).any(|window| window == octets);
        assert!(has(&identity.public_key()));
        assert!(has(b"PID:VPC-SI,SN:FLM2039N9QG"));
        assert!(!has(&[7; 32]));
        assert!(identity.pkcs8().ends_with(&[7; 32]));
    }
}
