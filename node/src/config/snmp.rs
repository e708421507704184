//! `[snmp]`: this engine, who may ask it what, and the targets that are sent notifications.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use licensing::place::Places;
use serde::Deserialize;
use serde::de::{self, IntoDeserializer};
use snmp::agent::Access;
use snmp::delivery::{Inform, QUEUE_MAX, TARGETS_MAX, Target};
use snmp::notifications::{DEFAULT_ENTERPRISE, Which};
use snmp::target::Security;
use snmp::usm::{AuthProtocol, EngineId, Key, KeyError, PrivProtocol, Secret, User};
use snmp::vacm::{Subtree, View, ViewError};
use snmp::{Community, Oid};
use zeroize::Zeroizing;

use super::agent::read_secret;
use super::check::{Checked, expected, missing, once, unknown, within, wrong};
use super::file::{self, SnmpAuth, SnmpNotify, SnmpPrivacy, SnmpVersion};
use super::{ConfigError, Problem};

/// Users at most.
const USERS_MAX: usize = 64;

/// Communities that may read, at most.
const COMMUNITIES_MAX: usize = 64;

/// Longest contact and location, in octets (RFC 3418).
const TEXT_BYTES_MAX: usize = 255;

/// Below it are the numbers of enterprises.
const ENTERPRISES: [u32; 6] = [1, 3, 6, 1, 4, 1];

/// Who asks, who is sent notifications, and by which engine. Passwords are kept as keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snmp {
    /// The arc of our own MIB.
    pub enterprise: Oid,
    /// snmpEngineID: of the enterprise's number and the node's name.
    pub engine: EngineId,
    /// Where managers ask; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// Who may read what.
    pub access: Access,
    /// sysContact.
    pub contact: String,
    /// sysLocation.
    pub location: String,
    /// Who is sent notifications.
    pub targets: Vec<NotifyTarget>,
    /// Notifications that nobody is sent.
    pub suppressed: Vec<Which>,
}

/// A target and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyTarget {
    /// Its name, address and queue.
    pub target: Target,
    /// Version and credentials.
    pub security: Security,
}

pub(super) fn check(snmp: file::Snmp, base: &Path, node: &str, gn: IpAddr) -> Checked<Snmp> {
    let enterprise = enterprise(snmp.enterprise.as_deref())?;
    let engine = self::engine(&enterprise, node);
    check_listen(snmp.listen)?;
    for (text, key) in [(&snmp.contact, "contact"), (&snmp.location, "location")] {
        if text.len() > TEXT_BYTES_MAX || text.contains(char::is_control) {
            return wrong(format!("snmp.{key}"), format!("{text:?}"));
        }
    }
    let communities = communities(snmp.community, base)?;
    let readers = users(snmp.user, base, &engine)?;
    let users: Vec<User> = readers.iter().map(|(user, _)| user.clone()).collect();
    if snmp.target.len() > TARGETS_MAX {
        let (found, expected) = (snmp.target.len(), TARGETS_MAX);
        return too_many("snmp.target", found, expected);
    }
    let agent = match gn {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    let mut targets: Vec<NotifyTarget> = Vec::new();
    for (n, target) in snmp.target.into_iter().enumerate() {
        let key = format!("snmp.target[{n}]");
        let target = self::target(target, &key, base, &users, agent)?;
        if targets.iter().any(|t| t.target.name == target.target.name) {
            let (what, name) = ("target", target.target.name);
            return Err((format!("{key}.name"), Problem::Twice { what, name }));
        }
        targets.push(target);
    }
    Ok(Snmp {
        enterprise,
        engine,
        listen: snmp.listen,
        access: Access {
            communities,
            users: readers,
        },
        contact: snmp.contact,
        location: snmp.location,
        targets,
        suppressed: suppressed(&snmp.suppress)?,
    })
}

fn too_many<T>(key: &str, found: usize, most: usize) -> Checked<T> {
    let found = format!("{found} sections");
    let expected = format!("at most {most}");
    Err((key.to_owned(), Problem::Value { found, expected }))
}

fn enterprise(written: Option<&str>) -> Checked<Oid> {
    let Some(written) = written else {
        return Ok(Oid::from(DEFAULT_ENTERPRISE));
    };
    let arc: Option<Oid> = written.parse().ok();
    // Room for the objects below it.
    let is_arc =
        |arc: &Oid| arc.arcs().starts_with(&ENTERPRISES) && (7..=32).contains(&arc.arcs().len());
    match arc.filter(is_arc) {
        Some(arc) => Ok(arc),
        None => wrong("snmp.enterprise", format!("{written:?}")),
    }
}

fn suppressed(names: &[String]) -> Checked<Vec<Which>> {
    let named = names.iter().enumerate().map(|(n, name)| {
        let key = format!("snmp.suppress[{n}]");
        match Which::named(name) {
            Some(which) => Ok(which),
            None => wrong(key, format!("{name:?}")),
        }
    });
    named.collect()
}

/// Answers come from where managers asked, so that it is one address.
fn check_listen(listen: Option<SocketAddr>) -> Checked<()> {
    match listen {
        Some(at) if at.ip().is_unspecified() || at.port() == 0 => {
            wrong("snmp.listen", at.to_string())
        }
        Some(_) | None => Ok(()),
    }
}

fn communities(written: Vec<file::SnmpCommunity>, base: &Path) -> Checked<Vec<(Community, View)>> {
    if written.len() > COMMUNITIES_MAX {
        return too_many("snmp.community", written.len(), COMMUNITIES_MAX);
    }
    let names: Vec<Option<String>> = written.iter().map(|row| row.name.clone()).collect();
    let communities = written.into_iter().enumerate().map(|(n, community)| {
        let key = format!("snmp.community[{n}]");
        if let Some(name) = &community.name {
            let key = format!("{key}.name");
            check_name(name, &key)?;
            let before = names[..n].iter().flatten().map(String::as_str);
            once("community", name, &key, before)?;
        }
        let file = base.join(community.community_file);
        let secret = read_secret(&format!("{key}.community_file"), &file)?;
        let view = view(&community.read, &format!("{key}.read"))?;
        Ok((Community::new(secret.as_bytes()), view))
    });
    communities.collect()
}

/// What is in these subtrees; nothing, if there are none.
fn view(roots: &[String], key: &str) -> Checked<View> {
    let subtrees = roots.iter().map(|root| {
        let subtree = Subtree::parse(root, true);
        subtree.or_else(|_| wrong(key, format!("{root:?}")))
    });
    let subtrees: Vec<_> = subtrees.collect::<Checked<_>>()?;
    View::new(&subtrees).or_else(|error: ViewError| wrong(key, error.to_string()))
}

fn users(
    written: Vec<file::SnmpUser>,
    base: &Path,
    engine: &EngineId,
) -> Checked<Vec<(User, View)>> {
    if written.len() > USERS_MAX {
        return too_many("snmp.user", written.len(), USERS_MAX);
    }
    let mut users: Vec<(User, View)> = Vec::new();
    for (n, user) in written.into_iter().enumerate() {
        let key = format!("snmp.user[{n}]");
        let view = view(&user.read, &format!("{key}.read"))?;
        let user = self::user(user, &key, base, engine)?;
        if users.iter().any(|(other, _)| other.name == user.name) {
            let (what, name) = ("user", user.name);
            return Err((format!("{key}.name"), Problem::Twice { what, name }));
        }
        users.push((user, view));
    }
    Ok(users)
}

fn user(user: file::SnmpUser, key: &str, base: &Path, engine: &EngineId) -> Checked<User> {
    let printable = user.name.bytes().all(|b| b.is_ascii_graphic());
    if user.name.is_empty() || user.name.len() > 32 || !printable {
        return wrong(format!("{key}.name"), format!("{:?}", user.name));
    }
    let (auth_key, privacy_key) = (format!("{key}.auth"), format!("{key}.privacy"));
    let auth = match (user.auth.map(auth_protocol), user.auth_file) {
        (None, None) => None,
        (Some(_), None) => return missing(format!("{auth_key}_file")),
        (None, Some(_)) => return missing(auth_key),
        (Some(auth), Some(file)) => Some((
            auth,
            secret(&format!("{auth_key}_file"), &base.join(file), auth, engine)?,
        )),
    };
    let privacy = match (user.privacy.map(privacy_protocol), user.privacy_file) {
        (None, None) => None,
        (Some(_), None) => return missing(format!("{privacy_key}_file")),
        (None, Some(_)) => return missing(privacy_key),
        (Some(privacy), Some(file)) => {
            let Some((auth, _)) = &auth else {
                return missing(auth_key);
            };
            let key = format!("{privacy_key}_file");
            Some((privacy, secret(&key, &base.join(file), *auth, engine)?))
        }
    };
    let user = User {
        name: user.name,
        auth,
        privacy,
    };
    match user.keys(engine) {
        Ok(_) => Ok(user),
        Err(error) => wrong(privacy_key, error.to_string()),
    }
}

/// The authentication protocol of this name.
pub(crate) fn auth_named(name: &str) -> Option<AuthProtocol> {
    let name: de::value::StrDeserializer<'_, de::value::Error> = name.into_deserializer();
    SnmpAuth::deserialize(name).ok().map(auth_protocol)
}

fn auth_protocol(auth: SnmpAuth) -> AuthProtocol {
    match auth {
        SnmpAuth::Sha1 => AuthProtocol::Sha1,
        SnmpAuth::Sha256 => AuthProtocol::Sha256,
        SnmpAuth::Sha384 => AuthProtocol::Sha384,
        SnmpAuth::Sha512 => AuthProtocol::Sha512,
    }
}

fn privacy_protocol(privacy: SnmpPrivacy) -> PrivProtocol {
    match privacy {
        SnmpPrivacy::Aes128 => PrivProtocol::Aes128,
        SnmpPrivacy::Aes256 => PrivProtocol::Aes256,
    }
}

/// The key of a password, which is forgotten, or a key as [`written`] has it.
fn secret(key: &str, file: &Path, auth: AuthProtocol, engine: &EngineId) -> Checked<Secret> {
    let line = read_secret(key, file)?;
    let refused = |reason: String| Problem::Named {
        refused: format!("{} is refused: {reason}", file.display()),
        expected: expected(key),
    };
    let secret = match parse_written(&line) {
        None => Secret::of_password(auth, line.as_bytes())
            .or_else(|error: KeyError| wrong(key, error.to_string()))?,
        Some(Err(reason)) => return Err((key.to_owned(), refused(reason.into()))),
        Some(Ok(secret)) => secret,
    };
    match &secret {
        Secret::Localized { engine: of, .. } if of != engine => {
            let reason = format!(
                "its key is localized to engine {of}, this one is {engine}: name the node as it was, or set the user anew"
            );
            Err((key.to_owned(), refused(reason)))
        }
        Secret::Localized { .. } | Secret::Master(_) => Ok(secret),
    }
}

/// How a key begins that is localized to an engine: `localized:ENGINE:KEY`, both in hexadecimal.
const LOCALIZED: &str = "localized:";

/// How a key begins that is good for every engine: `master:KEY`. The node alone writes it, and seals it.
const MASTER: &str = "master:";

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
fn parse_written(line: &str) -> Option<Result<Secret, &'static str>> {
    if let Some(key) = line.strip_prefix(MASTER) {
        return Some(octets(key).map(|key| Secret::Master(Key::new(key))));
    }
    let (engine, key) = line.strip_prefix(LOCALIZED)?.split_once(':')?;
    Some(octets(engine).and_then(|engine| {
        let engine = EngineId::new(&engine).map_err(|_| "it names no engine")?;
        let key = Key::new(octets(key)?);
        Ok(Secret::Localized { engine, key })
    }))
}

fn octets(hex: &str) -> Result<Vec<u8>, &'static str> {
    let octet = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16)
            .ok()
            .filter(|_| pair.len() == 2)
    };
    let octets: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(octet).collect();
    octets.ok_or("it is not hexadecimal")
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

/// The engine of the node whose configuration a file is, which need not be whole otherwise: files that it names may be
/// missing. Errors: [`ConfigError`], of the file alone.
pub fn engine_of(path: &Path) -> Result<EngineId, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        file: path.to_owned(),
        source,
    })?;
    let places = Places::of(&text);
    let found = toml::from_str::<file::File>(&text)
        .map_err(|error| super::explain(&error, &places))
        .and_then(|file| {
            let enterprise = enterprise(file.snmp.enterprise.as_deref());
            let enterprise =
                enterprise.map_err(|(key, problem)| (places.line_of_key(&key), key, problem))?;
            Ok(engine(&enterprise, &file.node.name))
        });
    found.map_err(|(line, key, problem)| ConfigError::Wrong {
        file: path.to_owned(),
        line,
        key,
        problem,
    })
}

fn engine(enterprise: &Oid, node: &str) -> EngineId {
    let number = enterprise.arcs().get(ENTERPRISES.len());
    EngineId::of_node(number.copied().unwrap_or_default(), node)
}

fn check_name(name: &str, key: &str) -> Checked<()> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    match name.is_empty() || name.len() > 63 || !name.bytes().all(letter) {
        true => wrong(key, format!("{name:?}")),
        false => Ok(()),
    }
}

fn target(
    target: file::SnmpTarget,
    key: &str,
    base: &Path,
    users: &[User],
    agent: Ipv4Addr,
) -> Checked<NotifyTarget> {
    check_name(&target.name, &format!("{key}.name"))?;
    if target.address.port() == 0 || target.address.ip().is_unspecified() {
        return wrong(format!("{key}.address"), target.address.to_string());
    }
    within(target.timeout_ms, 100, 60_000, &format!("{key}.timeout_ms"))?;
    within(target.retries, 0, 10, &format!("{key}.retries"))?;
    let most = QUEUE_MAX as u64;
    within(target.queue, 16, most, &format!("{key}.queue"))?;
    let inform = match (target.notify, target.version) {
        (SnmpNotify::Trap, _) => None,
        (SnmpNotify::Inform, SnmpVersion::V1) => {
            return wrong(format!("{key}.notify"), "\"inform\" by version \"v1\"");
        }
        (SnmpNotify::Inform, SnmpVersion::V2c | SnmpVersion::V3) => Some(Inform {
            timeout: Duration::from_millis(target.timeout_ms),
            retries: target.retries,
        }),
    };
    let security = security(&target, key, base, users, agent)?;
    Ok(NotifyTarget {
        target: Target {
            inform,
            queue: usize::try_from(target.queue).unwrap_or(QUEUE_MAX),
            ..Target::new(&target.name, target.address)
        },
        security,
    })
}

fn has_localized(user: &User) -> bool {
    let auth = user.auth.as_ref().map(|(_, secret)| secret);
    let privacy = user.privacy.as_ref().map(|(_, secret)| secret);
    let mut secrets = auth.into_iter().chain(privacy);
    secrets.any(|secret| matches!(secret, Secret::Localized { .. }))
}

/// A community goes with versions 1 and 2c, a user with version 3.
fn security(
    target: &file::SnmpTarget,
    key: &str,
    base: &Path,
    users: &[User],
    agent: Ipv4Addr,
) -> Checked<Security> {
    let (community_key, user_key) = (format!("{key}.community_file"), format!("{key}.user"));
    let version = target.version;
    match (version, &target.community_file, &target.user) {
        (SnmpVersion::V1 | SnmpVersion::V2c, Some(file), None) => {
            let community = read_secret(&community_key, &base.join(file))?;
            let community = Community::new(community.as_bytes());
            Ok(match version {
                SnmpVersion::V1 => Security::V1 { community, agent },
                SnmpVersion::V2c | SnmpVersion::V3 => Security::V2c { community },
            })
        }
        (SnmpVersion::V3, None, Some(name)) => {
            let Some(user) = users.iter().find(|user| user.name == *name) else {
                let known = users.iter().map(|user| user.name.as_str());
                return unknown("user", name, user_key, known);
            };
            if target.notify == SnmpNotify::Inform && has_localized(user) {
                let refused = format!(
                    "informs are secured with the engine of their target, for which the localized keys of user {name:?} are of no use"
                );
                let expected = "a user with passwords, or one that was set for informs";
                return Err((user_key, Problem::Named { refused, expected }));
            }
            let (user, level) = (user.clone(), user.level());
            Ok(Security::V3 { user, level })
        }
        (SnmpVersion::V1 | SnmpVersion::V2c, None, None) => missing(community_key),
        (SnmpVersion::V3, None, None) => missing(user_key),
        (SnmpVersion::V1 | SnmpVersion::V2c, _, Some(_)) => {
            wrong(user_key, "a user by version \"v1\" or \"v2c\"")
        }
        (SnmpVersion::V3, Some(_), _) => wrong(community_key, "a community by version \"v3\""),
    }
}
