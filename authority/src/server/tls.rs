//! TLS: our certificate, and which certificates of nodes are taken.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::moment::Moment;
use crate::pki::{PkiError, TLS_RENEW_MS};

/// The certificate of connections, which is made anew from time to time.
#[derive(Debug)]
pub(super) struct Certificate {
    names: Vec<String>,
    held: RwLock<(Arc<CertifiedKey>, Moment)>,
}

impl Certificate {
    pub(super) fn make(authority: &Authority, names: Vec<String>) -> Result<Self, PkiError> {
        let now = authority.now();
        let key = authority.pki.tls(&names, now)?;
        Ok(Self {
            names,
            held: RwLock::new((key, now)),
        })
    }

    /// Makes another one if this one is old, or stands below a certificate that was made anew; in a lab it outlasts the calendar.
    pub(super) fn renew(&self, authority: &Authority, now: Moment) -> Result<(), PkiError> {
        let (held, made) = self.held.read().clone();
        let old = now.wall.0.abs_diff(made.wall.0) > TLS_RENEW_MS.unsigned_abs();
        let issuing = held.cert.get(1).map(|der| der.as_ref());
        if old || issuing != Some(authority.pki.issuing().0.as_slice()) {
            let key = authority.pki.tls(&self.names, now)?;
            *self.held.write() = (key, now);
        }
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.held.read().0))
    }
}

/// TLS 1.2 or 1.3; a node may present its identity certificate, which is checked by the authority's calendar.
pub(super) fn acceptor(
    authority: &Authority,
    certificate: Arc<Certificate>,
) -> Result<TlsAcceptor, PkiError> {
    let provider = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.root().to_vec()))?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
    let calendar = Arc::new(authority.calendar);
    let mut config = ServerConfig::builder_with_details(provider, calendar)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
