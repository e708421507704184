//! Envelopes: a text, and a signature over its exact octets.

use licensing::Wall;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::parts::Octets;
use super::reply::Reply;
use super::request::Request;
use super::{CERTIFICATE_BYTES_MAX, CHAIN_MAX, MESSAGE_BYTES_MAX};

/// Why octets are not a message.
#[derive(Debug, Error)]
pub enum WireError {
    /// More than [`MESSAGE_BYTES_MAX`].
    #[error("the message has {0} bytes, at most {MESSAGE_BYTES_MAX} are taken")]
    TooLong(usize),
    /// Not JSON, or not of this form.
    #[error("the message is not of the form of one: {0}")]
    Form(#[from] serde_json::Error),
    /// The signature is not one of this text by this key.
    #[error("the signature is not good")]
    NotAuthentic,
    /// Something has more than it may.
    #[error("{what} has {is}, at most {most} are taken")]
    Bound {
        /// What it is.
        what: &'static str,
        /// How many it has.
        is: usize,
        /// How many it may have.
        most: usize,
    },
    /// An order is none that may be given.
    #[error("an order is not one: {0}")]
    Order(&'static str),
    /// What the envelope says beside the text is not what the text says.
    #[error("envelope and text do not agree on {0}")]
    Beside(&'static str),
}

/// How a text is signed; Ed25519 (RFC 8032), and nothing else in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SignatureType {
    /// Ed25519, 64 octets.
    Ed25519,
}

/// A signature over the exact octets of the text beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// How it was made.
    #[serde(rename = "type")]
    pub kind: SignatureType,
    /// The signature; the vendor's dump has it as base64 too.
    pub value: Octets,
}

/// Whose signature it is. The vendor's dump has the key `credential` with null; its other values are not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The node's raw Ed25519 public key, 32 octets. The authority compares it with the key of the certificate (of the
    /// signing request, for a registration) that the text names, and with the one that the connection was made with.
    pub public_key: Octets,
}

/// A request in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The text of a [`Request`].
    pub request: String,
    /// Who signed it.
    pub credential: Credential,
    /// The signature.
    pub signature: Signature,
}

/// An answer in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyEnvelope {
    /// The text of a [`Reply`].
    pub response: String,
    /// Certificates in DER, the signer's first, each signed by the next, the root last; at most [`CHAIN_MAX`]. The
    /// signer's has the extended key usage [`super::SIGNER_PURPOSE`]. That the root is among them makes nobody trust it:
    /// a node that does not can show its fingerprint, to be compared.
    pub chain: Vec<Octets>,
    /// The authority's date, the same as in the text: a lab node checks the chain at this date, before it looks inside.
    pub calendar: Wall,
    /// The signature.
    pub signature: Signature,
}

impl Envelope {
    /// Writes and signs a request.
    pub fn seal(
        request: &Request,
        public_key: [u8; 32],
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Self {
        let request = text(request);
        let signature = Signature::ed25519(sign(request.as_bytes()));
        let credential = Credential {
            public_key: Octets(public_key.to_vec()),
        };
        Self {
            request,
            credential,
            signature,
        }
    }

    /// Reads an envelope and nothing inside of it.
    pub fn read(octets: &[u8]) -> Result<Self, WireError> {
        read(octets)
    }

    /// What goes over the wire.
    pub fn octets(&self) -> Vec<u8> {
        text(self).into_bytes()
    }

    /// The request, once `verify` has said that the signature over these octets is good by the key of the credential.
    pub fn open(
        &self,
        verify: impl FnOnce(&[u8], &Signature) -> bool,
    ) -> Result<Request, WireError> {
        if !verify(self.request.as_bytes(), &self.signature) {
            return Err(WireError::NotAuthentic);
        }
        let request: Request = serde_json::from_str(&self.request)?;
        request.check()?;
        Ok(request)
    }
}

impl ReplyEnvelope {
    /// Writes and signs an answer.
    pub fn seal(reply: &Reply, chain: Vec<Octets>, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let response = text(reply);
        let signature = Signature::ed25519(sign(response.as_bytes()));
        let calendar = reply.header.calendar;
        Self {
            response,
            chain,
            calendar,
            signature,
        }
    }

    /// Reads an envelope and nothing inside of it.
    pub fn read(octets: &[u8]) -> Result<Self, WireError> {
        let envelope: Self = read(octets)?;
        bound("the chain", envelope.chain.len(), CHAIN_MAX)?;
        for certificate in &envelope.chain {
            bound("a certificate", certificate.0.len(), CERTIFICATE_BYTES_MAX)?;
        }
        Ok(envelope)
    }

    /// What goes over the wire.
    pub fn octets(&self) -> Vec<u8> {
        text(self).into_bytes()
    }

    /// The answer, once `verify` has said that the signature over these octets is good by the first key of the chain,
    /// and the chain good.
    pub fn open<E: From<WireError>>(
        &self,
        verify: impl FnOnce(&[u8], &Self) -> Result<(), E>,
    ) -> Result<Reply, E> {
        verify(self.response.as_bytes(), self)?;
        let reply: Reply = serde_json::from_str(&self.response).map_err(WireError::from)?;
        reply.check()?;
        if reply.header.calendar != self.calendar {
            return Err(WireError::Beside("the calendar").into());
        }
        Ok(reply)
    }
}

impl Signature {
    pub(super) fn ed25519(value: Vec<u8>) -> Self {
        Self {
            kind: SignatureType::Ed25519,
            value: Octets(value),
        }
    }
}

pub(super) fn bound(what: &'static str, is: usize, most: usize) -> Result<(), WireError> {
    if is > most {
        return Err(WireError::Bound { what, is, most });
    }
    Ok(())
}

pub(super) fn text<T: Serialize>(of: &T) -> String {
    serde_json::to_string(of).expect("structs, strings and numbers are written to memory")
}

fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, WireError> {
    if octets.len() > MESSAGE_BYTES_MAX {
        return Err(WireError::TooLong(octets.len()));
    }
    Ok(serde_json::from_slice(octets)?)
}
