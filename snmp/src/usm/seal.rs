//! Making a message secure, and looking into one.

use super::{Fault, Keys, Level};
use crate::message::{
    EncodeError, Flags, Header, MESSAGE_MAX_BYTES, Scoped, ScopedData, SecurityParameters,
    V3Message,
};

/// What is put around a scoped PDU.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// msgID.
    pub id: i32,
    /// Whether a report is welcome.
    pub reportable: bool,
    /// How secure; no higher than the keys reach.
    pub level: Level,
    /// The authoritative engine.
    pub engine_id: Vec<u8>,
    /// Its boots.
    pub boots: u32,
    /// Its time.
    pub time: u32,
    /// Name of the user.
    pub user: Vec<u8>,
    /// A salt that was never used.
    pub salt: u64,
}

/// Octets of a message (RFC 3414 section 3.1).
pub fn seal(around: Sealed, keys: &Keys, scoped: Scoped) -> Result<Vec<u8>, EncodeError> {
    let level = around.level.min(keys.level());
    let mut flags = if around.reportable {
        Flags::REPORTABLE
    } else {
        0
    };
    let mut security = SecurityParameters {
        engine_id: around.engine_id,
        boots: around.boots,
        time: around.time,
        user: around.user,
        mac: Vec::new(),
        salt: Vec::new(),
    };
    if level >= Level::AuthNoPriv {
        flags |= Flags::AUTH;
        security.mac = vec![0; keys.mac_bytes()];
    }
    let data = match &keys.privacy {
        Some((privacy, key)) if level == Level::AuthPriv => {
            flags |= Flags::PRIV;
            security.salt = around.salt.to_be_bytes().to_vec();
            let mut octets = scoped.encode();
            privacy
                .encrypt(key, &vector(&security), &mut octets)
                .map_err(|error| EncodeError::Unencodable(error.to_string()))?;
            ScopedData::Encrypted(octets)
        }
        _ => ScopedData::Plain(scoped),
    };
    let header = Header::ours(around.id, Flags(flags));
    let message = V3Message {
        header,
        security,
        data,
    };
    let mut bytes = message.encode();
    if bytes.len() > MESSAGE_MAX_BYTES {
        return Err(EncodeError::TooLong {
            bytes: bytes.len(),
            max: MESSAGE_MAX_BYTES,
        });
    }
    if let Some((auth, key)) = &keys.auth
        && level >= Level::AuthNoPriv
    {
        let place = V3Message::mac_in(&bytes)
            .map_err(|error| EncodeError::Unencodable(error.to_string()))?;
        let mac = auth.mac(key, &[&bytes]);
        bytes[place].copy_from_slice(&mac);
    }
    Ok(bytes)
}

/// Whether the MAC of a message is that of the key.
pub(super) fn is_authentic(keys: &Keys, bytes: &[u8], message: &V3Message) -> bool {
    let (Some((auth, key)), Ok(place)) = (&keys.auth, V3Message::mac_in(bytes)) else {
        return false;
    };
    let mac = &message.security.mac;
    if mac.len() != auth.mac_bytes() || bytes[place.clone()] != mac[..] {
        return false;
    }
    let zeros = [0; 48];
    let parts = [
        &bytes[..place.start],
        &zeros[..mac.len()],
        &bytes[place.end..],
    ];
    auth.is_mac(key, &parts, mac)
}

/// The scoped PDU of a message that was found authentic, or needs not be.
pub fn open(keys: &Keys, message: &V3Message) -> Result<Scoped, Fault> {
    let octets = match (&message.data, message.level()) {
        (ScopedData::Plain(scoped), Level::NoAuthNoPriv | Level::AuthNoPriv) => {
            return Ok(scoped.clone());
        }
        (ScopedData::Encrypted(octets), Level::AuthPriv) => octets,
        (ScopedData::Plain(_), Level::AuthPriv) | (ScopedData::Encrypted(_), _) => {
            return Err(Fault::Decryption);
        }
    };
    let Some((privacy, key)) = &keys.privacy else {
        return Err(Fault::UnsupportedLevel);
    };
    if message.security.salt.len() != 8 {
        return Err(Fault::Decryption);
    }
    let mut octets = octets.clone();
    let vector = vector(&message.security);
    privacy
        .decrypt(key, &vector, &mut octets)
        .map_err(|_| Fault::Decryption)?;
    Scoped::decode(&octets).map_err(|_| Fault::Decryption)
}

/// Boots, time and salt (RFC 3826 section 3.1.2.1).
fn vector(security: &SecurityParameters) -> [u8; 16] {
    let mut vector = [0; 16];
    vector[..4].copy_from_slice(&security.boots.to_be_bytes());
    vector[4..8].copy_from_slice(&security.time.to_be_bytes());
    vector[8..].copy_from_slice(&security.salt);
    vector
}

impl V3Message {
    /// How secure its flags say that it is.
    pub fn level(&self) -> Level {
        let flags = self.header.flags;
        match (flags.has(Flags::AUTH), flags.has(Flags::PRIV)) {
            (true, true) => Level::AuthPriv,
            (true, false) => Level::AuthNoPriv,
            (false, _) => Level::NoAuthNoPriv,
        }
    }
}
