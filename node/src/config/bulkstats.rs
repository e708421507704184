//! `[bulkstats]`: what is collected, into which files, and who receives them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bulkstats::collector::Which;
use bulkstats::config::{Config, ConfigError, FileConfig, SchemaConfig};
use bulkstats::config::{Mechanism as Shown, Receiver as ShownReceiver};
use bulkstats::plan::FilePlan;
use rustls_pki_types::ServerName;

#[cfg(feature = "sftp")]
use super::agent::read_private;
use super::agent::{read_secret, refuse};
use super::check::{Checked, missing, within, wrong};
use super::file::{self, BulkstatsMechanism as Written, BulkstatsMethod, BulkstatsReceiver};
use crate::transfer::{self, Account, Mechanism, Method, Roots};

/// Most mebibytes that wait: a file is completed at half of that, and no longer one is transferred.
const LIMIT_MIB_MAX: u64 = 96;

/// Longest name of an account.
const LOGIN_BYTES_MAX: usize = 64;

/// What is collected, and who receives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulkstats {
    /// Files, schemas and intervals.
    pub config: Config,
    /// Receivers by the number of their file, with what it takes to reach them.
    pub receivers: BTreeMap<(u8, bool), Receiver>,
}

/// A receiver with its secrets.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Who it is, and what it takes.
    pub to: transfer::Receiver,
    written: BulkstatsReceiver,
}

/// Two are one if they are written alike.
impl PartialEq for Receiver {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Receiver {}

impl Bulkstats {
    /// A receiver of a file.
    pub fn receiver(&self, file: u8, which: Which) -> Option<&transfer::Receiver> {
        let receiver = self.receivers.get(&(file, which == Which::Secondary));
        receiver.map(|receiver| &receiver.to)
    }

    /// Receivers that are others than before, by file, though they may be shown alike.
    pub fn renewed(&self, before: &Self) -> Vec<(u8, Which)> {
        let who: BTreeSet<_> = before
            .receivers
            .keys()
            .chain(self.receivers.keys())
            .collect();
        let others = who
            .into_iter()
            .filter(|who| before.receivers.get(who) != self.receivers.get(who));
        let which = |secondary| match secondary {
            true => Which::Secondary,
            false => Which::Primary,
        };
        others
            .map(|(file, secondary)| (*file, which(*secondary)))
            .collect()
    }
}

pub(super) fn check(written: file::Bulkstats, base: &Path) -> Checked<Bulkstats> {
    within(written.limit_mib, 1, LIMIT_MIB_MAX, "bulkstats.limit_mib")?;
    within(
        written.historical_days,
        0,
        3_650,
        "bulkstats.historical_days",
    )?;
    within(
        written.historical_mib,
        1,
        1 << 20,
        "bulkstats.historical_mib",
    )?;
    let mut checked = Bulkstats {
        config: Config {
            collection: written.collection,
            files: Vec::new(),
            sample_interval_min: written.sample_interval_min,
            transfer_interval_min: written.transfer_interval_min,
            limit_bytes: written.limit_mib << 20,
            historical_days: written.historical_days,
            historical_bytes: written.historical_mib << 20,
        },
        receivers: BTreeMap::new(),
    };
    for (n, file) in written.file.into_iter().enumerate() {
        let key = file_key(n);
        add_file(&mut checked, file, &key, base)?;
        // Alone, so that what is wrong is of this block.
        let plans = checked.config.plans();
        plans.map_err(|error| explain(&key, &error))?;
    }
    let plans = checked.config.plans();
    plans.map_err(|error| explain("bulkstats", &error))?;
    Ok(checked)
}

/// That no file lacks anything: of what operators set line by line, one may.
pub(super) fn complete(checked: &Bulkstats) -> Checked<()> {
    let config = &checked.config;
    for (n, file) in config.files.iter().enumerate() {
        if let Some(error) = config.lacks(file) {
            return Err(explain(&file_key(n), &error));
        }
    }
    Ok(())
}

fn file_key(n: usize) -> String {
    format!("bulkstats.file[{n}]")
}

fn add_file(
    checked: &mut Bulkstats,
    written: file::BulkstatsFile,
    key: &str,
    base: &Path,
) -> Checked<()> {
    let remote = written.remotefile;
    let remote = remote.unwrap_or_else(|| FileConfig::default_remote(written.number));
    let mut file = FileConfig::new(written.number, &remote);
    file.header = written.header;
    file.footer = written.footer;
    file.gzip = written.gzip;
    for (n, line) in written.schemas.iter().enumerate() {
        let schema = SchemaConfig::parse(line);
        let key = format!("{key}.schemas[{n}]");
        file.schemas
            .push(schema.or_else(|error| wrong(key, error.to_string()))?);
    }
    for (receiver, name) in [
        (written.primary, "primary"),
        (written.secondary, "secondary"),
    ] {
        let Some(receiver) = receiver else { continue };
        let key = format!("{key}.{name}");
        let shown = Some(shown(&receiver, &key)?);
        let secondary = name == "secondary";
        match secondary {
            true => file.secondary = shown,
            false => file.primary = shown,
        }
        let receiver = self::receiver(receiver, &key, base)?;
        checked
            .receivers
            .insert((written.number, secondary), receiver);
    }
    FilePlan::new(file.clone()).map_err(|error| explain(key, &error))?;
    checked.config.files.push(file);
    Ok(())
}

/// The key that an error is of.
fn explain(file: &str, error: &ConfigError) -> (String, super::Problem) {
    let key = match error {
        ConfigError::Interval { what, .. } if *what == "sample-interval" => {
            "bulkstats.sample_interval_min".to_owned()
        }
        ConfigError::Interval { .. } => "bulkstats.transfer_interval_min".to_owned(),
        ConfigError::Number(_) | ConfigError::NumberTwice(_) => format!("{file}.number"),
        ConfigError::HeaderTooLong { what, .. } => format!("{file}.{what}"),
        ConfigError::Format { what, .. } if matches!(what.as_str(), "header" | "footer") => {
            format!("{file}.{what}")
        }
        ConfigError::RemoteTooLong(_) | ConfigError::Remote(_) | ConfigError::Zipped => {
            format!("{file}.remotefile")
        }
        ConfigError::Format { what, .. } if what == "remotefile" => format!("{file}.remotefile"),
        ConfigError::NoPrimary(_) => format!("{file}.secondary"),
        ConfigError::Nowhere(_) => format!("{file}.primary"),
        ConfigError::Twice { .. }
        | ConfigError::Schemas { .. }
        | ConfigError::NoSchema(_)
        | ConfigError::Line(_)
        | ConfigError::LineTooLong(_)
        | ConfigError::Schema(_)
        | ConfigError::Name(_)
        | ConfigError::Format { .. } => format!("{file}.schemas"),
    };
    let expected = super::check::expected(&key).to_owned();
    let found = error.to_string();
    (key, super::Problem::Value { found, expected })
}

/// As it is shown: without secrets.
fn shown(receiver: &BulkstatsReceiver, key: &str) -> Checked<ShownReceiver> {
    let address = &receiver.address;
    if ServerName::try_from(address.as_str()).is_err() {
        // Before an @ a password may be.
        let host = address.rsplit('@').next().unwrap_or_default();
        return wrong(format!("{key}.address"), format!("{host:?}"));
    }
    let fits = |login: &String| {
        let printable = login.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        !login.is_empty() && login.len() <= LOGIN_BYTES_MAX && printable
    };
    if receiver.login.as_ref().is_some_and(|login| !fits(login)) {
        // Behind a colon a password may be.
        let name = receiver.login.as_deref().unwrap_or_default();
        let name = name.split(':').next().unwrap_or_default();
        return wrong(format!("{key}.login"), format!("{name:?}"));
    }
    Ok(ShownReceiver {
        address: address.clone(),
        mechanism: match receiver.mechanism {
            Written::Sftp => Shown::Sftp,
            Written::Ftp | Written::Ftps => Shown::Ftp,
            Written::Tftp => Shown::Tftp,
            Written::Http | Written::Https => Shown::Http,
        },
        login: receiver.login.clone(),
    })
}

fn receiver(written: BulkstatsReceiver, key: &str, base: &Path) -> Checked<Receiver> {
    let port = match (written.port, written.mechanism) {
        (Some(0), _) => return wrong(format!("{key}.port"), "0"),
        (Some(port), _) => port,
        (None, Written::Sftp) => 22,
        (None, Written::Ftp | Written::Ftps) => 21,
        (None, Written::Tftp) => 69,
        (None, Written::Http) => 80,
        (None, Written::Https) => 443,
    };
    idle_keys(&written, key)?;
    let mechanism = match written.mechanism {
        Written::Sftp => sftp(&written, key, base)?,
        Written::Ftp => Mechanism::Ftp {
            account: account(&written, key, base)?,
            tls: None,
        },
        Written::Ftps => Mechanism::Ftp {
            account: account(&written, key, base)?,
            tls: Some(roots(&written, key, base)?),
        },
        Written::Tftp => Mechanism::Tftp,
        Written::Http => Mechanism::Http {
            method: method(&written),
            account: account(&written, key, base)?,
            tls: None,
        },
        Written::Https => Mechanism::Http {
            method: method(&written),
            account: account(&written, key, base)?,
            tls: Some(roots(&written, key, base)?),
        },
    };
    let to = transfer::Receiver {
        host: written.address.clone(),
        port,
        mechanism,
    };
    Ok(Receiver { to, written })
}

/// Refuses what the mechanism has no use for: who wrote it expects something that does not happen.
fn idle_keys(written: &BulkstatsReceiver, key: &str) -> Checked<()> {
    let mechanism = written.mechanism;
    let sftp = mechanism == Written::Sftp;
    let http = matches!(mechanism, Written::Http | Written::Https);
    let tls = matches!(mechanism, Written::Ftps | Written::Https);
    let account = mechanism != Written::Tftp;
    for (name, there, of_use) in [
        ("login", written.login.is_some(), account),
        ("password_file", written.password_file.is_some(), account),
        ("key_file", written.key_file.is_some(), sftp),
        ("host_key", written.host_key.is_some(), sftp),
        ("roots", written.roots.is_some(), tls),
        ("method", written.method.is_some(), http),
    ] {
        if there && !of_use {
            let found = format!("{mechanism:?} has no use for it").to_lowercase();
            return wrong(format!("{key}.{name}"), found);
        }
    }
    Ok(())
}

fn method(written: &BulkstatsReceiver) -> Method {
    match written.method {
        Some(BulkstatsMethod::Post) => Method::Post,
        Some(BulkstatsMethod::Put) | None => Method::Put,
    }
}

fn account(written: &BulkstatsReceiver, key: &str, base: &Path) -> Checked<Option<Account>> {
    let password_key = format!("{key}.password_file");
    match (&written.login, &written.password_file) {
        (None, None) => Ok(None),
        (None, Some(_)) => missing(format!("{key}.login")),
        (Some(_), None) => missing(password_key),
        (Some(user), Some(file)) => Ok(Some(Account {
            user: user.clone(),
            password: read_secret(&password_key, &base.join(file))?.text,
        })),
    }
}

fn roots(written: &BulkstatsReceiver, key: &str, base: &Path) -> Checked<Roots> {
    let key = format!("{key}.roots");
    let Some(file) = &written.roots else {
        return missing(key);
    };
    let file = base.join(file);
    let text = fs::read(&file).map_err(|error| refuse(&key, &file, error.to_string()))?;
    Roots::parse(&text).map_err(|error| refuse(&key, &file, error.to_string()))
}

#[cfg(feature = "sftp")]
fn sftp(written: &BulkstatsReceiver, key: &str, base: &Path) -> Checked<Mechanism> {
    use crate::transfer::{Login, Proof};

    let Some(user) = written.login.clone() else {
        return missing(format!("{key}.login"));
    };
    let host_key = format!("{key}.host_key");
    let Some(pinned) = &written.host_key else {
        return missing(host_key);
    };
    let pinned = pinned.parse();
    let pinned = pinned.or_else(|error: transfer::KeyError| wrong(host_key, error.to_string()))?;
    let password_key = format!("{key}.password_file");
    let key_key = format!("{key}.key_file");
    let proof = match (&written.password_file, &written.key_file) {
        (None, None) => return missing(password_key),
        (Some(_), Some(_)) => return wrong(key_key, "there is a password_file"),
        (Some(file), None) => Proof::Password(read_secret(&password_key, &base.join(file))?.text),
        (None, Some(file)) => {
            let file = base.join(file);
            let text = read_private(&key_key, &file)?;
            let key = text.parse();
            let key =
                key.map_err(|error: transfer::KeyError| refuse(&key_key, &file, error.to_string()));
            Proof::Key(key?)
        }
    };
    Ok(Mechanism::Sftp {
        host_key: pinned,
        login: Login { user, proof },
    })
}

#[cfg(not(feature = "sftp"))]
fn sftp(_written: &BulkstatsReceiver, key: &str, _base: &Path) -> Checked<Mechanism> {
    wrong(
        format!("{key}.mechanism"),
        "\"sftp\", which this program is built without",
    )
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Config as All;

    const LEAST: &str = "[node]\nname = \"g\"\nstate_dir = \"s\"\n[[pool]]\nname = \"p\"\nipv4 = [\"10.1.0.0/16\"]\n\
                         [[apn]]\nname = \"i\"\nservice = \"GGSN\"\npool = \"p\"\n";
    const PRINT: &str = "SHA256:qyHvG36HIR+lbO/Wu2m3Hc/ZfuvJ0FktKXRmao7bgPQ";
    /// The first line of what tests append.
    const FIRST: usize = 11;

    fn dir() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, mode) in [("pw", 0o600), ("open", 0o644)] {
            let file = dir.path().join(name);
            fs::write(&file, "canary-1\n").unwrap();
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
        dir
    }

    fn parse(dir: &Path, text: &str) -> Result<Bulkstats, String> {
        let all = All::parse(&format!("{LEAST}{text}"), &dir.join("g.toml"));
        let all = all.map(|all| all.bulkstats);
        all.map_err(|error| {
            let said = error.to_string();
            said.replace(&format!("{}/", dir.display()), "")
        })
    }

    fn file(lines: &str) -> String {
        format!(
            "[[bulkstats.file]]\nnumber = 1\nremotefile = \"a.csv\"\n\
             schemas = ['system schema s format s,%uptime%']\n{lines}\n"
        )
    }

    fn primary(lines: &str) -> String {
        file(&format!(
            "[bulkstats.file.primary]\naddress = \"192.0.2.10\"\n{lines}"
        ))
    }

    #[test]
    fn what_is_not_said_is_as_the_machine_has_it() {
        let dir = dir();
        assert_eq!(parse(dir.path(), "").unwrap(), Bulkstats::default());
    }

    #[test]
    fn a_file_and_its_receivers_are_read() {
        let dir = dir();
        let text = format!(
            "[bulkstats]\ncollection = true\nsample_interval_min = 5\nlimit_mib = 2\n{}\
             [bulkstats.file.secondary]\naddress = \"fd00::1\"\nmechanism = \"http\"\nmethod = \"post\"\n",
            primary(&format!(
                "mechanism = \"sftp\"\nport = 2222\nlogin = \"csv\"\npassword_file = \"pw\"\nhost_key = \"{PRINT}\""
            ))
        );
        let read = parse(dir.path(), &text).unwrap();
        assert!(read.config.collection);
        assert_eq!(read.config.sample_interval_min, 5);
        assert_eq!(read.config.transfer_interval_min, 480);
        assert_eq!(read.config.limit_bytes, 2 << 20);
        let primary = read.receiver(1, Which::Primary).unwrap();
        assert_eq!(primary.to_string(), "sftp 192.0.2.10:2222");
        let secondary = read.receiver(1, Which::Secondary).unwrap();
        assert_eq!(secondary.to_string(), "http [fd00::1]:80");
        assert!(matches!(
            secondary.mechanism,
            Mechanism::Http {
                method: Method::Post,
                ..
            }
        ));
        assert!(read.receiver(2, Which::Primary).is_none());
        assert_eq!(
            read.config.files[0]
                .primary
                .as_ref()
                .unwrap()
                .login
                .as_deref(),
            Some("csv")
        );
        assert!(!format!("{read:?}").contains("canary"));
    }

    #[test]
    fn what_is_wrong_is_named_with_line_key_and_what_to_do() {
        let dir = dir();
        let at = |line: usize| FIRST + line - 1;
        let sftp = |more: &str| primary(&format!("mechanism = \"sftp\"\nlogin = \"csv\"\n{more}"));
        let cases = [
            (
                "[bulkstats]\nsample_interval_min = 0".to_owned(),
                2,
                "bulkstats.sample_interval_min: sample-interval is 1 to 10080 minutes, not 0; \
                 expected a number of minutes, 1 to 10080; mend the value",
            ),
            (
                "[bulkstats]\nlimit_mib = 97".to_owned(),
                2,
                "bulkstats.limit_mib: 97; expected a number of mebibytes, 1 to 96; mend the value",
            ),
            (
                file(""),
                1,
                "bulkstats.file[0].primary: nobody gets file 1, and it is not kept: it wants a receiver, or historical \
                 collection of a day or more; expected a section [bulkstats.file.primary] for the file; mend the value",
            ),
            (
                format!("[bulkstats]\nhistorical_days = 1\n{}{}", file(""), file("")),
                9,
                "bulkstats.file[1].number: two files have the number 1; expected a number, 1 to 4, of its own; \
                 mend the value",
            ),
            (
                file("footer = \"%uptimes%\""),
                5,
                "bulkstats.file[0].footer: footer: no variable %uptimes% here, at character 1; the nearest is %uptime%; \
                 expected a format of at most 2047 characters such as \"EndOfFile\"; mend the value",
            ),
            (
                sftp("password_file = \"pw\""),
                5,
                "bulkstats.file[0].primary.host_key: missing; \
                 expected the host key for \"sftp\", as ssh-keygen -l or ssh-keyscan prints it; add it",
            ),
            (
                sftp("password_file = \"pw\"\nhost_key = \"SHA256:x\""),
                10,
                "bulkstats.file[0].primary.host_key: it is no host key: SHA256:<base64>, or <kind> <base64>; \
                 expected the host key for \"sftp\", as ssh-keygen -l or ssh-keyscan prints it; mend the value",
            ),
            (
                sftp(&format!("password_file = \"open\"\nhost_key = \"{PRINT}\"")),
                9,
                "bulkstats.file[0].primary.password_file: open is refused: others may read it, its mode is 644; \
                 expected the path of a file that holds the password and is for this user alone; \
                 mend the file or name another",
            ),
            (
                sftp(&format!("key_file = \"pw\"\nhost_key = \"{PRINT}\"")),
                9,
                "bulkstats.file[0].primary.key_file: pw is refused: it is no private key that can be read here: \
                 OpenSSH or PKCS#8, Ed25519 or ECDSA; expected the path of a private key for \"sftp\" that is for this \
                 user alone, and no password_file; mend the file or name another",
            ),
            (
                primary("mechanism = \"tftp\"\nlogin = \"csv\""),
                8,
                "bulkstats.file[0].primary.login: tftp has no use for it; \
                 expected 1 to 64 printable characters without a colon; mend the value",
            ),
            (
                primary("mechanism = \"https\""),
                5,
                "bulkstats.file[0].primary.roots: missing; \
                 expected the path of a file of root certificates in PEM, for \"ftps\" and \"https\"; add it",
            ),
            (
                primary("mechanism = \"scp\""),
                7,
                "bulkstats.file[0].primary.mechanism: unknown variant `scp`; \
                 expected \"sftp\", \"ftp\", \"ftps\", \"tftp\", \"http\" or \"https\"; mend the value",
            ),
        ];
        for (text, line, expected) in cases {
            let said = parse(dir.path(), &text).unwrap_err();
            assert_eq!(said, format!("g.toml:{}: {expected}", at(line)), "{text}");
            assert!(!said.contains("canary"));
        }
    }

    #[test]
    fn each_mechanism_has_what_it_takes_and_nothing_goes_in_the_clear_that_should_not() {
        let dir = dir();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::default();
        let root = params.self_signed(&key).unwrap().pem();
        fs::write(dir.path().join("root"), root).unwrap();
        let login = "login = \"csv\"\npassword_file = \"pw\"\n";
        let read = |mechanism: &str, more: &str| {
            let text = primary(&format!("mechanism = \"{mechanism}\"\n{more}"));
            let read = parse(dir.path(), &text).unwrap();
            read.receiver(1, Which::Primary).unwrap().clone()
        };
        let trusting = format!("{login}roots = \"root\"\n");
        for (mechanism, more, port, tls) in [
            ("ftp", login, 21, false),
            ("ftps", &trusting, 21, true),
            ("http", login, 80, false),
            ("https", &trusting, 443, true),
        ] {
            let to = read(mechanism, more);
            assert_eq!((to.host.as_str(), to.port), ("192.0.2.10", port));
            let (account, roots) = match to.mechanism {
                Mechanism::Ftp { account, tls } => (account, tls),
                Mechanism::Http {
                    account,
                    tls,
                    method,
                } => {
                    assert_eq!(method, Method::Put);
                    (account, tls)
                }
                Mechanism::Tftp => panic!("{mechanism} is tftp"),
                #[cfg(feature = "sftp")]
                Mechanism::Sftp { .. } => panic!("{mechanism} is sftp"),
            };
            assert_eq!(roots.is_some(), tls, "{mechanism}");
            let account = account.unwrap();
            assert_eq!(
                (account.user.as_str(), account.password.as_str()),
                ("csv", "canary-1")
            );
        }
        let tftp = read("tftp", "");
        assert!(matches!(tftp.mechanism, Mechanism::Tftp) && tftp.port == 69);
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let dir = dir();
        let text =
            primary("mechanism = \"tftp\"").replace("192.0.2.10", "csv:canary-1@ftp.example");
        let said = parse(dir.path(), &text).unwrap_err();
        let start = "bulkstats.file[0].primary.address: \"ftp.example\"";
        assert!(said.contains(start), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }

    #[test]
    fn a_variable_that_is_not_there_is_told_with_the_nearest() {
        let dir = dir();
        let text = file("").replace("s format s,%uptime%", "s format s,%sess-createt%");
        let said = parse(dir.path(), &text).unwrap_err();
        let start = format!(
            "g.toml:{}: bulkstats.file[0].schemas[0]: s: no variable %sess-createt%",
            FIRST + 3
        );
        assert!(said.starts_with(&start), "{said}");
        assert!(said.contains("%sess-created%"), "{said}");
    }
}
