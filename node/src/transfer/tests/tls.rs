//! TLS with whoever has the certificate of another host.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A root in PEM, and what a server with a certificate below it for another host has.
fn of_another_host() -> (String, ServerConfig) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["collector.example".to_owned()]).unwrap();
    let made = params.signed_by(&key, &issuer).unwrap();
    let own = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], own)
        .unwrap();
    (root, config)
}

#[tokio::test]
async fn the_certificate_of_another_host_is_refused() {
    let (root, config) = of_another_host();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = Receiver {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        mechanism: Mechanism::Http {
            method: Method::Put,
            account: None,
            tls: Some(Roots::parse(root.as_bytes()).unwrap()),
        },
    };
    let file = file(b"x");
    let served = async {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.is_ok()
    };
    let sent = send(file.path(), "a.csv", &receiver, LIMIT);
    let (sent, _) = tokio::join!(sent, served);
    let why = "certificate not valid for name \"127.0.0.1\"".to_owned();
    assert_eq!(sent.unwrap_err().cause, Cause::Certificate { why });
}
