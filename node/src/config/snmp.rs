//! `[snmp]`: this engine, who may ask it what, and the targets that are sent notifications.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use api::SnmpLeftOut;
use snmp::agent::Access;
use snmp::delivery::{Inform, QUEUE_MAX, TARGETS_MAX, Target};
use snmp::notifications::{DEFAULT_ENTERPRISE, Which};
use snmp::target::Security;
use snmp::usm::{AuthProtocol, EngineId, PrivProtocol, Secret, User};
use snmp::vacm::{Subtree, View, ViewError};
use snmp::{Community, Oid};

use super::agent::read_secret;
use super::check::{Checked, missing, once, unknown, within, wrong};
use super::file::{self, SnmpAuth, SnmpNotify, SnmpPrivacy, SnmpVersion};
use super::keys::secret;
use super::{ConfigError, Problem, Source};

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
    /// Names of the communities in `access`, in that order, which are no secrets; one may have none.
    pub community_names: Vec<Option<String>>,
    /// sysContact.
    pub contact: String,
    /// sysLocation.
    pub location: String,
    /// Who is sent notifications.
    pub targets: Vec<NotifyTarget>,
    /// Those of them that are left out.
    pub targets_left_out: Vec<TargetLeftOut>,
    /// Notifications that nobody is sent.
    pub suppressed: Vec<Which>,
    /// What is there and not in force, because a secret that this node has sealed can't be opened.
    pub left_out: Vec<SnmpLeftOut>,
}

/// A target and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyTarget {
    /// Its name, address and queue.
    pub target: Target,
    /// Version and credentials.
    pub security: Security,
}

/// A target that is left out: what it is to be sent waits until it can be spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLeftOut {
    /// Its name, address and queue.
    pub target: Target,
    /// How it would be spoken to.
    pub version: &'static str,
    /// The user, if by one.
    pub user: Option<String>,
}

impl Snmp {
    /// Targets as delivery has them: those that are spoken to, then those that are left out.
    pub(crate) fn delivered(&self) -> Vec<Target> {
        let spoken = self.targets.iter().map(|to| &to.target);
        let left_out = self.targets_left_out.iter().map(|to| &to.target);
        spoken.chain(left_out).cloned().collect()
    }
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
    let mut left_out = LeftOut::default();
    let (community_names, communities) = communities(snmp.community, base, &mut left_out)?;
    let readers = users(snmp.user, base, &engine, &mut left_out)?;
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
    let mut targets_left_out = Vec::new();
    let mut names = BTreeSet::new();
    for (n, target) in snmp.target.into_iter().enumerate() {
        let key = format!("snmp.target[{n}]");
        let to = self::target(&target, &key)?;
        let security = match left_out.has_user(target.user.as_deref()) {
            Some(lost) => Err(lost),
            None => security(&target, &key, base, &users, agent),
        };
        let security = left_out.take("target", Some(&target.name), security)?;
        if !names.insert(target.name.clone()) {
            let (what, name) = ("target", target.name);
            return Err((format!("{key}.name"), Problem::Twice { what, name }));
        }
        match security {
            Some(security) => targets.push(NotifyTarget {
                target: to,
                security,
            }),
            None => targets_left_out.push(TargetLeftOut {
                target: Target {
                    left_out: true,
                    ..to
                },
                version: target.version.name(),
                user: target.user,
            }),
        }
    }
    Ok(Snmp {
        enterprise,
        engine,
        listen: snmp.listen,
        access: Access {
            communities,
            users: readers,
        },
        community_names,
        contact: snmp.contact,
        location: snmp.location,
        targets,
        targets_left_out,
        suppressed: suppressed(&snmp.suppress)?,
        left_out: left_out.0,
    })
}

/// What is left out.
#[derive(Default)]
struct LeftOut(Vec<SnmpLeftOut>);

impl LeftOut {
    /// What there is; none: its secret can't be opened, and it is left out.
    fn take<T>(
        &mut self,
        what: &str,
        name: Option<&str>,
        checked: Checked<T>,
    ) -> Checked<Option<T>> {
        match checked {
            Err((_, Problem::Sealed { why })) => {
                self.0.push(SnmpLeftOut {
                    what: what.to_owned(),
                    name: name.unwrap_or_default().to_owned(),
                    why,
                });
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// The problem of whatever names a user that is left out.
    fn has_user(&self, user: Option<&str>) -> Option<(String, Problem)> {
        let lost = |out: &&SnmpLeftOut| out.what == "user" && Some(out.name.as_str()) == user;
        let lost = self.0.iter().find(lost)?;
        let why = format!("its user {} is left out", lost.name);
        Some((String::new(), Problem::Sealed { why }))
    }
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

/// Names of the communities, and what they may read.
type Communities = (Vec<Option<String>>, Vec<(Community, View)>);

fn communities(
    written: Vec<file::SnmpCommunity>,
    base: &Path,
    left_out: &mut LeftOut,
) -> Checked<Communities> {
    if written.len() > COMMUNITIES_MAX {
        return too_many("snmp.community", written.len(), COMMUNITIES_MAX);
    }
    let names: Vec<Option<String>> = written.iter().map(|row| row.name.clone()).collect();
    let mut taken = Communities::default();
    for (n, community) in written.into_iter().enumerate() {
        let key = format!("snmp.community[{n}]");
        if let Some(name) = &community.name {
            let key = format!("{key}.name");
            check_name(name, &key)?;
            let before = names[..n].iter().flatten().map(String::as_str);
            once("community", name, &key, before)?;
        }
        let file = base.join(community.community_file);
        let view = view(&community.read, &format!("{key}.read"))?;
        let line = read_secret(&format!("{key}.community_file"), &file);
        let name = community.name;
        if let Some(line) = left_out.take("community", name.as_deref(), line)? {
            taken.0.push(name);
            taken.1.push((Community::new(line.text.as_bytes()), view));
        }
    }
    Ok(taken)
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
    left_out: &mut LeftOut,
) -> Checked<Vec<(User, View)>> {
    if written.len() > USERS_MAX {
        return too_many("snmp.user", written.len(), USERS_MAX);
    }
    let mut users: Vec<(User, View)> = Vec::new();
    for (n, user) in written.into_iter().enumerate() {
        let key = format!("snmp.user[{n}]");
        let view = view(&user.read, &format!("{key}.read"))?;
        let name = user.name.clone();
        let user = self::user(user, &key, base, engine);
        let Some(user) = left_out.take("user", Some(&name), user)? else {
            continue;
        };
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

pub(super) fn auth_protocol(auth: SnmpAuth) -> AuthProtocol {
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

/// The engine of the node whose configuration a file is, which need not be whole otherwise: files that it names may be
/// missing. Errors: [`ConfigError`], of the file alone.
pub fn engine_of(path: &Path) -> Result<EngineId, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        file: path.to_owned(),
        source,
    })?;
    let source = Source {
        path: path.to_owned(),
        text: text.into(),
        catalog: None,
    };
    let places = source.places();
    let found = source
        .tables()
        .and_then(|table| super::file_of(table, &places))
        .and_then(|file| {
            let enterprise = enterprise(file.snmp.enterprise.as_deref());
            let enterprise =
                enterprise.map_err(|(key, problem)| (places.line_of_key(&key), key, problem))?;
            Ok(engine(&enterprise, &file.node.name))
        });
    found.map_err(|wrong| source.explain(wrong))
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

fn target(target: &file::SnmpTarget, key: &str) -> Checked<Target> {
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
    Ok(Target {
        inform,
        queue: usize::try_from(target.queue).unwrap_or(QUEUE_MAX),
        ..Target::new(&target.name, target.address)
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
            let line = read_secret(&community_key, &base.join(file))?;
            let community = Community::new(line.text.as_bytes());
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
