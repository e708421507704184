//! What is asked of this engine: is it from who it says, for us, and of now?

use licensing::time::Mono;

use super::seal::is_authentic;
use super::{Fault, Keys, Level, Local, open};
use crate::message::{Scoped, V3Message};

/// A message that is let in.
#[derive(Debug)]
pub struct Authentic {
    /// How secure it came; the answer goes the same way.
    pub level: Level,
    /// What it asks.
    pub scoped: Scoped,
}

/// Looks at a message as the authoritative engine does (RFC 3414 section 3.2). `keys` are those of the user that it names,
/// with this engine, if there is one.
pub fn check(
    local: &Local,
    now: Mono,
    keys: Option<&Keys>,
    bytes: &[u8],
    message: &V3Message,
) -> Result<Authentic, Fault> {
    let security = &message.security;
    if security.engine_id != local.id().octets() {
        return Err(Fault::UnknownEngine);
    }
    let keys = keys.ok_or(Fault::UnknownUser)?;
    let level = message.level();
    if level > keys.level() {
        return Err(Fault::UnsupportedLevel);
    }
    if level >= Level::AuthNoPriv {
        if !is_authentic(keys, bytes, message) {
            return Err(Fault::WrongDigest);
        }
        if !local.is_timely(security.boots, security.time, now) {
            return Err(Fault::NotInTimeWindow);
        }
    }
    let scoped = open(keys, message)?;
    Ok(Authentic { level, scoped })
}
