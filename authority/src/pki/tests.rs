use api::smart::{InstanceId, SIGNER_PURPOSE_DER};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;

const NOW: Moment = Moment {
    wall: Wall(1_795_300_000_000),
    date: Wall(1_795_300_000_000),
};

fn subject(instance: &InstanceId) -> Subject<'_> {
    Subject {
        instance,
        udi: "PID:VPC-SI,SN:1",
        account: "example.org",
        virtual_account: "Default",
    }
}

fn instance() -> InstanceId {
    InstanceId::new("0a1b2c3d-0000-4000-8000-00000000000f").unwrap()
}

fn made(dir: &tempfile::TempDir) -> Pki {
    Pki::open(&dir.path().join("pki"), false, NOW).unwrap()
}

fn verified(pki: &Pki, leaf: &Octets, at: Wall) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(pki.root().0.clone().into()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), default_provider().into());
    let issuing = [CertificateDer::from(pki.issuing().0)];
    let seconds = u64::try_from(at.0 / 1_000).unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let leaf = CertificateDer::from(leaf.0.clone());
    let verified = verifier
        .build()
        .unwrap()
        .verify_client_cert(&leaf, &issuing, at);
    verified.map(drop)
}

#[test]
fn certificates_are_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let first = made(&dir);
    let again = made(&dir);
    assert_eq!(first.chain(), again.chain());
    assert_eq!(first.fingerprint(), again.fingerprint());
    let other = made(&tempfile::tempdir().unwrap());
    assert_ne!(first.fingerprint(), other.fingerprint());
}

#[test]
fn the_chain_of_answers_leads_from_a_signer_with_the_purpose_to_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let pki = made(&dir);
    let chain = pki.chain();
    let read = |at: usize| X509Certificate::from_der(&chain[at].0).unwrap().1;
    let (signer, issuing, root) = (read(0), read(1), read(2));
    let usage = signer.extended_key_usage().unwrap().unwrap();
    assert_eq!(usage.value.other[0].as_bytes(), SIGNER_PURPOSE_DER);
    assert!(!signer.is_ca() && issuing.is_ca() && root.is_ca());
    for (below, above) in [(&signer, &issuing), (&issuing, &root), (&root, &root)] {
        assert_eq!(below.issuer().as_raw(), above.subject().as_raw());
        assert!(below.verify_signature(Some(above.public_key())).is_ok());
    }
    let key = &signer.public_key().subject_public_key.data;
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    assert!(key.verify(b"answer", &pki.sign(b"answer").unwrap()).is_ok());
}

//= L11
#[test]
fn an_identity_is_good_for_a_year_and_for_its_authority_alone() {
    let dir = tempfile::tempdir().unwrap();
    let pki = made(&dir);
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let instance = instance();
    let issued = pki.issue(key.public_key_raw(), &subject(&instance), NOW);
    let (certificate, serial) = issued.unwrap();
    let day = DAY_MS;
    assert!(verified(&pki, &certificate, Wall(NOW.date.0 - 240_000)).is_ok());
    assert!(verified(&pki, &certificate, Wall(NOW.date.0 + 365 * day - 1_000)).is_ok());
    assert!(verified(&pki, &certificate, Wall(NOW.date.0 + 365 * day + 1_000)).is_err());
    let identity = pki.identity(&certificate.0).unwrap();
    assert_eq!((identity.instance, identity.serial), (instance, serial));
    assert_eq!(identity.account, "example.org");
    assert_eq!(identity.key, key.public_key_raw());
    let elsewhere = tempfile::tempdir().unwrap();
    let other = made(&elsewhere);
    assert_eq!(other.identity(&certificate.0), None);
    assert!(verified(&other, &certificate, NOW.date).is_err());
    let signer = &pki.chain()[0].0;
    assert_eq!(pki.identity(signer), None, "a signer is no node");
}

#[test]
fn a_signing_request_is_taken_for_its_key_if_its_signature_is_good() {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let request = CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let der = request.der().to_vec();
    assert_eq!(csr_key(&der).unwrap(), key.public_key_raw());
    let mut forged = der.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(csr_key(&forged), None);
    assert_eq!(csr_key(&der[1..]), None);
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let request = CertificateParams::default()
        .serialize_request(&other)
        .unwrap();
    assert_eq!(csr_key(request.der()), None, "another kind of key");
}

#[test]
fn certificates_of_connections_name_what_nodes_call_and_end_before_long() {
    let dir = tempfile::tempdir().unwrap();
    let pki = made(&dir);
    let names = ["license.example.org".to_owned(), "192.0.2.1".to_owned()];
    let key = pki.tls(&names, NOW).unwrap();
    let (_, leaf) = X509Certificate::from_der(&key.cert[0]).unwrap();
    let named = leaf.subject_alternative_name().unwrap().unwrap();
    assert_eq!(named.value.general_names.len(), 2);
    let days = leaf.validity().not_after.timestamp() - NOW.date.0 / 1_000;
    assert_eq!(days, TLS_MS / 1_000);
    let lab = tempfile::tempdir().unwrap();
    let lab = Pki::open(&lab.path().join("pki"), true, NOW).unwrap();
    let key = lab.tls(&names, NOW).unwrap();
    let (_, leaf) = X509Certificate::from_der(&key.cert[0]).unwrap();
    assert!(leaf.validity().not_after.timestamp() > NOW.date.0 / 1_000 + 900 * YEAR_MS / 1_000);
}

#[test]
fn what_is_not_a_key_or_not_ours_alone_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    drop(made(&dir));
    let open = || {
        Pki::open(&dir.path().join("pki"), false, NOW)
            .err()
            .map(|e| e.to_string())
    };
    let signer = dir.path().join("pki/signer.pem");
    std::fs::write(&signer, "not PEM").unwrap();
    let why = open().unwrap();
    assert!(
        why.contains("signer.pem: it is not what was written there"),
        "{why}"
    );
    let key = dir.path().join("pki/issuing.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::remove_file(&signer).unwrap();
    let why = open().unwrap();
    assert!(why.contains("signer.pem"), "{why}");
}

fn after(years: i64) -> Moment {
    let at = Wall(NOW.date.0 + years * YEAR_MS);
    Moment { wall: at, date: at }
}

//= L11
#[test]
fn certificates_below_the_root_are_made_anew_and_all_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let pki = made(&dir);
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let instance = instance();
    let mut before = after(12);
    before.date.0 += 200 * DAY_MS;
    let issued = pki.issue(key.public_key_raw(), &subject(&instance), before);
    let (certificate, _) = issued.unwrap();
    let (old, old_chain) = (pki.issuing(), pki.chain());
    assert!(!pki.renew(after(12)).unwrap(), "three years are left");
    assert!(
        pki.renew(Moment {
            date: Wall(after(13).date.0 + DAY_MS),
            ..after(13)
        })
        .unwrap()
    );
    assert!(!pki.renew(after(14)).unwrap(), "once");
    let chain = pki.chain();
    assert!(chain[0] != old_chain[0] && chain[1] != old_chain[1] && chain[2] == old_chain[2]);
    assert_eq!(chain, made(&dir).chain(), "it is kept");
    for (place, der) in chain.iter().enumerate() {
        let (_, read) = X509Certificate::from_der(&der.0).unwrap();
        let (_, before) = X509Certificate::from_der(&old_chain[place].0).unwrap();
        assert_eq!(read.subject().as_raw(), before.subject().as_raw());
        assert_eq!(read.public_key().raw, before.public_key().raw);
        assert_eq!(
            ends_of(&der.0).unwrap(),
            pki.root_ends,
            "not after the root"
        );
    }
    // What was given before is good below either, and so is what is given now.
    assert!(verified(&pki, &certificate, Wall(after(13).date.0 + 2 * DAY_MS)).is_ok());
    assert!(pki.identity(&certificate.0).is_some());
    let (later, _) = pki
        .issue(key.public_key_raw(), &subject(&instance), after(17))
        .unwrap();
    assert!(verified(&pki, &later, Wall(after(18).date.0 - DAY_MS)).is_ok());
    assert_ne!(old, pki.issuing());
}

#[test]
fn people_are_warned_before_the_root_ends_and_if_its_key_is_not_at_hand() {
    let dir = tempfile::tempdir().unwrap();
    let pki = made(&dir);
    let key = dir.path().join("pki/root.key");
    std::fs::rename(&key, dir.path().join("root.key")).unwrap();
    let why = pki.renew(after(14)).unwrap_err().to_string();
    assert!(why.contains("root.key: No such file"), "{why}");
    std::fs::rename(dir.path().join("root.key"), &key).unwrap();
    assert!(pki.renew(after(14)).unwrap());
    assert_eq!(pki.root_ends_soon(after(16)), None);
    assert_eq!(pki.root_ends_soon(after(18)), Some(pki.root_ends));
}
