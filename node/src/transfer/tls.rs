//! TLS with receivers: version 1.2 or newer, below roots that an operator names.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;

/// Roots that a receiver's certificate must be below.
#[derive(Clone)]
pub struct Roots(Arc<ClientConfig>);

/// Why a text is none of roots.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RootsError {
    /// A certificate that can't be one.
    #[error("certificate {number}: {why}")]
    Certificate {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// No certificate in it.
    #[error("there is no certificate in it")]
    None,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Roots")
    }
}

impl Roots {
    /// Of certificates in PEM.
    pub fn parse(pem: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for (n, der) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let refused = |why: String| RootsError::Certificate { number: n + 1, why };
            let der = der.map_err(|error| refused(error.to_string()))?;
            let added = roots.add(der);
            added.map_err(|error| refused(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(RootsError::None);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("ring has cipher suites of both versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Sessions are resumed between connections that share it.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}
