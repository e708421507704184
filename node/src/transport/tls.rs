//! TLS: the authority's certificate is judged by the agent's roots alone, and the node shows its own once it has one.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use api::smart::Digest;
use parking_lot::Mutex;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
    UnixTime,
};
use sha2::{Digest as _, Sha256};
use smart_agent::{Failure, TrustPool};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{AuthorityUrl, os_said, unreachable_at};

/// A connection to the authority.
pub(super) type Stream = tokio_rustls::client::TlsStream<TcpStream>;

/// Roots and revocation lists, in DER.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    roots: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
}

/// The node's key in PKCS#8, and its certificate with those above it.
pub struct Credentials {
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
    /// The certificates in DER, the node's own first.
    pub chain: Vec<Vec<u8>>,
}

/// The certificates that an authority showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The last of them: its root, if it showed that.
    pub last: Vec<u8>,
}

/// Judges an authority's certificate, and remembers what it saw.
#[derive(Clone, Debug)]
pub(super) struct Judge(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    provider: Arc<CryptoProvider>,
    /// None: there is no root to judge by.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    presented: Mutex<Option<Presented>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} certificates)", self.chain.len())
    }
}

impl Trust {
    /// What the pool holds now.
    pub fn of(pool: &TrustPool) -> Self {
        let roots = pool.roots().iter();
        Self {
            roots: roots.map(|root| root.certificate.der.0.clone()).collect(),
            crls: pool.record().crls.into_iter().map(|der| der.0).collect(),
        }
    }

    #[cfg(test)]
    pub(super) fn in_roots(roots: &[&[u8]]) -> Self {
        Self {
            roots: roots.iter().map(|der| der.to_vec()).collect(),
            crls: Vec::new(),
        }
    }
}

impl Presented {
    /// What people compare.
    pub fn fingerprint(&self) -> Digest {
        Digest(Sha256::digest(&self.last).into())
    }
}

impl Judge {
    pub(super) fn new(trust: &Trust) -> Self {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        let certificates = trust.roots.iter().cloned().map(CertificateDer::from);
        roots.add_parsable_certificates(certificates);
        let crls = trust.crls.iter().cloned();
        let crls = crls.map(CertificateRevocationListDer::from);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .with_crls(crls)
                // No news of a certificate is no objection: silence must not stop a node (rule L10).
                .allow_unknown_revocation_status()
                .build();
        Self(Arc::new(Inner {
            provider,
            verifier: verifier.ok(),
            presented: Mutex::new(None),
        }))
    }

    pub(super) fn presented(&self) -> Option<Presented> {
        self.0.presented.lock().clone()
    }

    fn config(&self, credentials: Option<Credentials>) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.0.provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.0) as Arc<dyn ServerCertVerifier>);
        let Some(credentials) = credentials else {
            return Ok(builder.with_no_client_auth());
        };
        let key = PrivatePkcs8KeyDer::from(credentials.key.to_vec());
        let chain = credentials.chain.into_iter().map(CertificateDer::from);
        builder.with_client_auth_cert(chain.collect(), PrivateKeyDer::Pkcs8(key))
    }

    fn failure(&self, authority: &AuthorityUrl, error: &rustls::Error) -> Failure {
        let rustls::Error::InvalidCertificate(certificate) = error else {
            return unreachable_at(authority, format!("TLS: {error}"));
        };
        let unknown = matches!(
            certificate,
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        );
        if unknown && let Some(presented) = self.presented() {
            return Failure::WrongAuthority(presented.fingerprint());
        }
        Failure::Certificate(said_of(certificate, authority))
    }
}

/// Judged by rustls's own verifier, after the last certificate was noted.
impl ServerCertVerifier for Inner {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let last = intermediates.last().unwrap_or(end_entity).to_vec();
        *self.presented.lock() = Some(Presented { last });
        let Some(verifier) = &self.verifier else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Makes a connection a private one to the authority, and nobody else.
pub(super) async fn shake_hands(
    stream: TcpStream,
    authority: &AuthorityUrl,
    credentials: Option<Credentials>,
    judge: &Judge,
) -> Result<Stream, Failure> {
    let unusable = |error: rustls::Error| {
        unreachable_at(
            authority,
            format!("the node's own certificate can't be used: {error}"),
        )
    };
    let config = judge.config(credentials).map_err(unusable)?;
    let Some(name) = authority.server_name() else {
        return Err(Failure::Unresolved(authority.host().to_owned()));
    };
    let connector = TlsConnector::from(Arc::new(config));
    let shaken = connector.connect(name, stream).await;
    shaken.map_err(|error| match tls_error(&error) {
        Some(error) => judge.failure(authority, error),
        None => unreachable_at(authority, format!("TLS: {}", os_said(&error))),
    })
}

/// A connection that ended in the middle, which may be how the authority refuses the node's certificate.
pub(super) fn broke_off(authority: &AuthorityUrl, error: &hyper::Error) -> Failure {
    let mut source = error.source();
    while let Some(error) = source {
        let io = error.downcast_ref::<std::io::Error>();
        if let Some(error) = io.and_then(tls_error) {
            return unreachable_at(authority, format!("TLS: {error}"));
        }
        source = error.source();
    }
    Failure::CutOff("the connection broke off".into())
}

fn tls_error(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn said_of(error: &CertificateError, authority: &AuthorityUrl) -> String {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum of another crate, which may grow; all of its other causes are told as they are"
    )]
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".into()
        }
        CertificateError::Revoked => "it was revoked".into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it is not for {}", authority.host())
        }
        other => other.to_string(),
    }
}
