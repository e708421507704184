//! Users, and the keys that they have with an engine.

use super::{AuthProtocol, EngineId, Key, KeyError, PrivProtocol};

/// Levels of security, each including the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Anybody may have sent it.
    NoAuthNoPriv,
    /// Authenticated.
    AuthNoPriv,
    /// Authenticated and encrypted.
    AuthPriv,
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Of the password: good for every engine, and for receivers of informs it has to be.
    Master(Key),
    /// Of the password and one engine.
    Localized {
        /// The engine that it is good for.
        engine: EngineId,
        /// The key.
        key: Key,
    },
}

/// A user: a name, and what it takes to be that user. The level of security is as high as its secrets reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// 1 to 32 octets.
    pub name: String,
    /// How it authenticates.
    pub auth: Option<(AuthProtocol, Secret)>,
    /// How it encrypts; without `auth` it counts for nothing.
    pub privacy: Option<(PrivProtocol, Secret)>,
}

/// A user's keys with one engine.
#[derive(Clone, Debug)]
pub struct Keys {
    pub(super) auth: Option<(AuthProtocol, Key)>,
    pub(super) privacy: Option<(PrivProtocol, Key)>,
}

impl User {
    /// The highest level that it can speak at.
    pub fn level(&self) -> Level {
        match (&self.auth, &self.privacy) {
            (None, _) => Level::NoAuthNoPriv,
            (Some(_), None) => Level::AuthNoPriv,
            (Some(_), Some(_)) => Level::AuthPriv,
        }
    }

    /// Its keys with an engine; lengths are checked, so that no message fails for them.
    pub fn keys(&self, engine: &EngineId) -> Result<Keys, KeyError> {
        let Some((auth, secret)) = &self.auth else {
            return Ok(Keys::none());
        };
        let key = secret.localized(*auth, engine)?;
        if key.octets().len() != auth.key_bytes() {
            return Err(KeyError::Length {
                found: key.octets().len(),
                wanted: auth.key_bytes(),
            });
        }
        let privacy = match &self.privacy {
            None => None,
            Some((privacy, secret)) => {
                let key = secret.localized(*auth, engine)?;
                let (found, wanted) = (key.octets().len(), privacy.key_bytes());
                if found < wanted {
                    return Err(KeyError::Length { found, wanted });
                }
                Some((*privacy, key))
            }
        };
        Ok(Keys {
            auth: Some((*auth, key)),
            privacy,
        })
    }
}

impl Secret {
    /// The key of a password.
    pub fn of_password(auth: AuthProtocol, password: &[u8]) -> Result<Self, KeyError> {
        auth.key_of(password).map(Self::Master)
    }

    fn localized(&self, auth: AuthProtocol, engine: &EngineId) -> Result<Key, KeyError> {
        match self {
            Self::Master(key) => Ok(auth.localize(key, engine)),
            Self::Localized { engine: of, key } if of == engine => Ok(key.clone()),
            Self::Localized { .. } => Err(KeyError::OtherEngine),
        }
    }
}

impl Keys {
    /// No keys at all.
    pub fn none() -> Self {
        Self {
            auth: None,
            privacy: None,
        }
    }

    /// The highest level that they reach.
    pub fn level(&self) -> Level {
        match (&self.auth, &self.privacy) {
            (None, _) => Level::NoAuthNoPriv,
            (Some(_), None) => Level::AuthNoPriv,
            (Some(_), Some(_)) => Level::AuthPriv,
        }
    }

    /// Octets of a MAC, 0 without authentication.
    pub fn mac_bytes(&self) -> usize {
        self.auth.as_ref().map_or(0, |(auth, _)| auth.mac_bytes())
    }
}
