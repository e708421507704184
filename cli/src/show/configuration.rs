//! `show configuration`: as the node prints it, or as data.

use node::config::text::table_of;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::View;

/// Its lines.
pub fn text(view: &View) -> String {
    view.configuration.clone()
}

/// Its sections and keys.
pub fn json(view: &View) -> Value {
    json!({ "configuration": table_of(&view.configuration).unwrap_or_default() })
}

/// What tells it apart from any other.
pub fn checksum(view: &View) -> String {
    format!("SHA-256 {}\n", digest(view))
}

/// The same.
pub fn checksum_json(view: &View) -> Value {
    json!({ "sha256": digest(view) })
}

fn digest(view: &View) -> String {
    let digest = Sha256::digest(view.configuration.as_bytes());
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}
