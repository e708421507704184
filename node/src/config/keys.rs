//! Keys of SNMP's users as files have them: in place of a password, so that none lies on the node.
//!
//! ```text
//! localized:ENGINE:KEY   good for this engine alone: what `tollgate snmp localize` prints, and what the node seals
//! master:KEY             good for every engine: sealed by the node only, for users that are sent informs
//! ```
//!
//! All are in hexadecimal, a key as long as the hash of the protocol by which its user authenticates. No password begins so.

use std::path::Path;

use serde::Deserialize;
use serde::de::{self, IntoDeserializer};
use snmp::usm::{AuthProtocol, EngineId, Key, KeyError, Secret};
use zeroize::Zeroizing;

use super::Problem;
use super::agent::{Line, read_secret};
use super::check::{Checked, expected, wrong};
use super::file::SnmpAuth;
use super::snmp::auth_protocol;

/// How a key begins that is localized to an engine.
const LOCALIZED: &str = "localized:";

/// How a key begins that is good for every engine.
const MASTER: &str = "master:";

/// The authentication protocol of this name.
pub(crate) fn auth_named(name: &str) -> Option<AuthProtocol> {
    let name: de::value::StrDeserializer<'_, de::value::Error> = name.into_deserializer();
    SnmpAuth::deserialize(name).ok().map(auth_protocol)
}

/// The key of a password, which is forgotten, or a key as [`written`] has it.
pub(super) fn secret(
    key: &str,
    file: &Path,
    auth: AuthProtocol,
    engine: &EngineId,
) -> Checked<Secret> {
    let line = read_secret(key, file)?;
    let refused = |reason: String| Problem::Named {
        refused: format!("{} is refused: {reason}", file.display()),
        expected: expected(key),
    };
    let secret = match parse_written(&line, auth) {
        None => Secret::of_password(auth, line.text.as_bytes())
            .or_else(|error: KeyError| wrong(key, error.to_string()))?,
        Some(Err(reason)) => return Err((key.to_owned(), refused(reason))),
        Some(Ok(secret)) => secret,
    };
    match &secret {
        Secret::Localized { engine: of, .. } if of != engine => {
            let reason = format!("its key is localized to engine {of}, this one is {engine}");
            let problem = match line.sealed {
                true => Problem::sealed(file, &reason),
                false => refused(format!(
                    "{reason}: name the node as it was, or set the user anew"
                )),
            };
            Err((key.to_owned(), problem))
        }
        Secret::Localized { .. } | Secret::Master(_) => Ok(secret),
    }
}

/// A key as it stands in a file.
pub(crate) fn written(secret: &Secret) -> Zeroizing<String> {
    let hex = |octets: &[u8]| {
        let digits = octets.iter().map(|octet| format!("{octet:02x}"));
        Zeroizing::new(digits.collect::<String>())
    };
    Zeroizing::new(match secret {
        Secret::Localized { engine, key } => {
            format!("{LOCALIZED}{engine}:{}", *hex(key.octets()))
        }
        Secret::Master(key) => format!("{MASTER}{}", *hex(key.octets())),
    })
}

/// A key that stands in a file; none: it is a password.
fn parse_written(line: &Line, auth: AuthProtocol) -> Option<Result<Secret, String>> {
    let key = |hex: &str| {
        let key = octets(hex)?;
        match key.len() == auth.key_bytes() {
            true => Ok(Key::new(key)),
            false => Err(KeyError::Length {
                found: key.len(),
                wanted: auth.key_bytes(),
            }
            .to_string()),
        }
    };
    if let Some(hex) = line.text.strip_prefix(MASTER) {
        // In the clear it would be as good as the password, everywhere.
        return Some(match line.sealed {
            true => key(hex).map(Secret::Master),
            false => Err("a key behind master: is taken of this node alone, which seals it".into()),
        });
    }
    let rest = line.text.strip_prefix(LOCALIZED)?;
    let Some((engine, hex)) = rest.split_once(':') else {
        return Some(Err("it names no engine".into()));
    };
    Some(
        engine_named(engine)
            .and_then(|engine| key(hex).map(|key| Secret::Localized { engine, key })),
    )
}

fn octets(hex: &str) -> Result<Vec<u8>, String> {
    let octet = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16)
            .ok()
            .filter(|_| pair.len() == 2)
    };
    let octets: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(octet).collect();
    octets.ok_or_else(|| "it is not hexadecimal".to_owned())
}

/// The key of a password with one engine, as it stands in a file; `auth` is the name of the protocol that the user
/// authenticates by. Errors: what is wrong.
pub fn localized(
    auth: &str,
    password: &str,
    engine: &EngineId,
) -> Result<Zeroizing<String>, String> {
    let auth = auth_named(auth).ok_or_else(|| format!("no protocol is called {auth:?}"))?;
    let master = auth.key_of(password.as_bytes());
    let master = master.map_err(|error| error.to_string())?;
    let key = auth.localize(&master, engine);
    let engine = engine.clone();
    Ok(written(&Secret::Localized { engine, key }))
}

/// The engine of an id in hexadecimal digits, `0x` before them or not. Errors: what is wrong.
pub fn engine_named(hex: &str) -> Result<EngineId, String> {
    let octets = octets(hex.strip_prefix("0x").unwrap_or(hex))?;
    EngineId::new(&octets).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, sealed: bool) -> Option<Result<Secret, String>> {
        let text = Zeroizing::new(text.to_owned());
        parse_written(&Line { text, sealed }, AuthProtocol::Sha1)
    }

    #[test]
    fn keys_are_as_long_as_their_hash_and_those_for_every_engine_are_sealed() {
        let engine = EngineId::of_node(32473, "gw1");
        let (long, short) = ("07".repeat(20), "07".repeat(19));
        let key = || Key::new(vec![7; 20]);
        let master = Secret::Master(key());
        let localized = Secret::Localized {
            engine: engine.clone(),
            key: key(),
        };
        assert_eq!(*written(&master), format!("master:{long}"));
        assert_eq!(*written(&localized), format!("localized:{engine}:{long}"));
        for sealed in [false, true] {
            assert_eq!(
                parsed(&written(&localized), sealed),
                Some(Ok(localized.clone()))
            );
            assert_eq!(parsed("maplesyrup", sealed), None);
            let wrong = [
                (
                    format!("localized:{engine}:{short}"),
                    "the key has 19 octets, the protocol wants 20",
                ),
                (
                    format!("localized:{engine}:{long}0"),
                    "it is not hexadecimal",
                ),
                (format!("localized:{engine}"), "it names no engine"),
            ];
            for (text, why) in wrong {
                assert_eq!(parsed(&text, sealed), Some(Err(why.to_owned())), "{text}");
            }
        }
        assert_eq!(parsed(&written(&master), true), Some(Ok(master.clone())));
        let refused = |text: &str, sealed| parsed(text, sealed).unwrap().unwrap_err();
        assert!(refused(&format!("master:{short}"), true).contains("19 octets"));
        assert!(refused(&written(&master), false).contains("which seals it"));
    }
}
