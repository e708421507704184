use std::fs;
use std::os::unix::fs::PermissionsExt;

use bulkstats::collector::Which;
use tempfile::TempDir;

use super::*;
use crate::config::{Bulkstats, Config};
use crate::settings::Settings;
use crate::transfer::Mechanism;

const LEAST: &str = "[node]\nname = \"g\"\nstate_dir = \"s\"\n[[pool]]\nname = \"p\"\nipv4 = [\"10.1.0.0/16\"]\n\
                     [[apn]]\nname = \"i\"\nservice = \"GGSN\"\npool = \"p\"\n";

/// A file that the configuration has.
const BELOW: &str = "[[bulkstats.file]]\nnumber = 2\nremotefile = \"b.csv\"\nheader = \"below\"\n\
                     schemas = ['system schema s format s,%uptime%']\n\
                     [bulkstats.file.primary]\naddress = \"192.0.2.10\"\nmechanism = \"ftp\"\nlogin = \"csv\"\n\
                     password_file = \"pw\"\n";

/// A node's directory.
struct Node(TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        fs::create_dir(node.path("s")).unwrap();
        fs::set_permissions(node.path("s"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(node.path("pw"), "below-secret\n").unwrap();
        fs::set_permissions(node.path("pw"), fs::Permissions::from_mode(0o600)).unwrap();
        node
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn open(&self, more: &str) -> (Config, Settings) {
        let below = Config::parse(&format!("{LEAST}{more}"), &self.path("g.toml"));
        Settings::open(below.unwrap()).unwrap()
    }

    fn written(&self) -> String {
        fs::read_to_string(self.path("s/settings.toml")).unwrap_or_default()
    }
}

fn set(settings: &mut Settings, setting: BulkstatsSetting) -> Result<Bulkstats, String> {
    check(&setting).map_err(|(what, _)| what)?;
    let done = settings.change(|edit| change(edit, setting));
    let done = done.map_err(|error| error.to_string())?;
    Ok(done.config.bulkstats)
}

fn part(number: u8, part: BulkstatsPart) -> BulkstatsSetting {
    BulkstatsSetting::Part { number, part }
}

fn schema(line: &str) -> BulkstatsPart {
    BulkstatsPart::Schema { line: line.into() }
}

fn http(secondary: bool) -> BulkstatsPart {
    BulkstatsPart::Receiver {
        secondary,
        receiver: Box::new(BulkstatsReceiverSetting {
            address: "192.0.2.20".into(),
            mechanism: "http".into(),
            port: Some(8_080),
            login: Some("csv".into()),
            password: Some("hunter2".into()),
            key_file: None,
            host_key: None,
            roots: None,
            method: Some("post".into()),
        }),
    }
}

fn password(config: &Bulkstats, file: u8) -> String {
    match &config.receiver(file, Which::Primary).unwrap().mechanism {
        Mechanism::Ftp { account, .. } | Mechanism::Http { account, .. } => {
            account.as_ref().unwrap().password.to_string()
        }
        Mechanism::Tftp => panic!("tftp"),
        #[cfg(feature = "sftp")]
        Mechanism::Sftp { .. } => panic!("sftp"),
    }
}

#[test]
fn a_file_is_made_of_nothing_line_by_line_and_is_there_at_the_next_start() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let mut do_it = |setting| set(&mut settings, setting).unwrap();
    do_it(BulkstatsSetting::Collection { on: true });
    do_it(BulkstatsSetting::SampleInterval { minutes: 5 });
    do_it(BulkstatsSetting::HistoricalLimit { mib: 7 });
    let config = do_it(BulkstatsSetting::File { number: 1 });
    let file = &config.config.files[0];
    assert_eq!(
        (file.number, file.remote.as_str()),
        (1, "bulkstats_%host%_%date%_%time%_1.csv")
    );
    assert!(config.config.lacks(file).is_some());
    do_it(part(1, schema("apn schema a format \"a,%apn%\"")));
    do_it(part(1, schema("system schema s format s,%uptime%")));
    do_it(part(1, schema("apn schema a format \"b,%apn%\"")));
    do_it(part(1, BulkstatsPart::Gzip { on: true }));
    let config = do_it(part(1, http(false)));
    let file = &config.config.files[0];
    assert!(config.config.lacks(file).is_none() && file.gzip);
    let lines: Vec<String> = file.schemas.iter().map(|schema| schema.line()).collect();
    assert_eq!(
        lines,
        [
            "apn schema a format \"b,%apn%\"",
            "system schema s format \"s,%uptime%\""
        ]
    );
    assert_eq!(password(&config, 1), "hunter2");
    assert!(!node.written().contains("hunter2"));
    assert_eq!(node.open("").0.bulkstats, config);
    assert_eq!(config.config.historical_bytes, 7 << 20);
    let again = do_it(part(1, http(false)));
    assert_eq!(again.config, config.config);
    // Its password is in another file.
    assert_eq!(again.renewed(&config), [(1, Which::Primary)]);
    let config = do_it(part(
        1,
        BulkstatsPart::NoSchema {
            schema: "apn".into(),
            name: "a".into(),
        },
    ));
    assert_eq!(config.config.files[0].schemas.len(), 1);
    do_it(BulkstatsSetting::NoFile { number: 1 });
    for what in [
        BulkstatsKey::Collection,
        BulkstatsKey::SampleInterval,
        BulkstatsKey::Historical,
    ] {
        do_it(BulkstatsSetting::Default { what });
    }
    assert_eq!(node.open("").0.bulkstats, Bulkstats::default());
}

#[test]
fn what_is_not_set_of_a_file_stays_as_the_configuration_has_it() {
    let node = Node::new();
    let (below, mut settings) = node.open(BELOW);
    let mut do_it = |setting| set(&mut settings, setting).unwrap();
    let format = || "above".to_owned();
    let config = do_it(part(2, BulkstatsPart::Header { format: format() }));
    assert_eq!(config.config.files[0].header, "above");
    assert_eq!(password(&config, 2), "below-secret");
    let config = do_it(part(2, http(false)));
    assert_eq!(password(&config, 2), "hunter2");
    for what in [BulkstatsFileKey::Primary, BulkstatsFileKey::Footer] {
        let config = do_it(part(2, BulkstatsPart::Default { what }));
        assert_eq!(password(&config, 2), "below-secret");
        assert_eq!(config.config.files[0].header, "above");
    }
    let config = do_it(BulkstatsSetting::NoFile { number: 2 });
    assert!(config.config.files.is_empty());
    assert!(node.written().contains("removed = [\"bulkstats.file[2]\"]"));
    // What begins no file doesn't bring it back.
    do_it(part(2, BulkstatsPart::NoReceiver { secondary: true }));
    assert!(node.open(BELOW).0.bulkstats.config.files.is_empty());
    let config = do_it(part(2, BulkstatsPart::Footer { format: format() }));
    let file = &config.config.files[0];
    assert_eq!((file.header.as_str(), file.footer.as_str()), ("", "above"));
    assert!(file.primary.is_none());
    let config = do_it(BulkstatsSetting::DefaultFile { number: 2 });
    assert_eq!(config, below.bulkstats);
}

#[test]
fn what_is_wrong_is_told_with_the_nearest_name_and_nothing_changes() {
    let node = Node::new();
    let (_, mut settings) = node.open(BELOW);
    set(&mut settings, BulkstatsSetting::Collection { on: true }).unwrap();
    let before = node.written();
    for (setting, said) in [
        (
            part(2, schema("apn schema a format %apnn%")),
            "a: no variable %apnn% here, at character 1; the nearest is %apn%",
        ),
        (
            part(2, schema("apm schema a format %apn%")),
            "no schema \"apm\"; there are smart-license, tollgate-license, system, apn, gtpc and agent",
        ),
        (
            part(
                2,
                BulkstatsPart::Footer {
                    format: "%uptimes%".into(),
                },
            ),
            "bulkstats.file[0].footer: footer: no variable %uptimes% here, at character 1; the nearest is %uptime%; \
             expected a format of at most 2047 characters such as \"EndOfFile\"; mend the value",
        ),
        (
            BulkstatsSetting::SampleInterval { minutes: 0 },
            "bulkstats.sample_interval_min: sample-interval is 1 to 10080 minutes, not 0; \
             expected a number of minutes, 1 to 10080; mend the value",
        ),
        (
            BulkstatsSetting::Limit { mib: u64::MAX },
            "bulkstats.limit_mib: 9223372036854775807; expected a number of mebibytes, 1 to 96; mend the value",
        ),
        (
            part(3, http(true)),
            "bulkstats.file[1].secondary: file 3 has a secondary receiver and no primary one; \
             expected a section [bulkstats.file.secondary] beside a primary one; mend the value",
        ),
        (
            BulkstatsSetting::File { number: 5 },
            "bulkstats.file[1].number: files have the numbers 1 to 4, not 5; expected a number, 1 to 4, of its own; \
             mend the value",
        ),
    ] {
        assert_eq!(set(&mut settings, setting).unwrap_err(), said);
        assert_eq!(node.written(), before);
    }
    let secrets = fs::read_dir(node.path("s/secrets")).into_iter().flatten();
    assert_eq!(secrets.count(), 0, "what is refused leaves no secret");
}

#[test]
fn what_is_kept_and_not_in_force_is_said_with_its_cause() {
    let failed = answer(
        "file",
        Some((Reply::Done { changed: true }, Err(ConfigError::Number(5)))),
    );
    let (status, failure) = failed.unwrap_err();
    assert_eq!(
        (status.as_u16(), failure.what.as_str()),
        (
            503,
            "files have the numbers 1 to 4, not 5; it is kept, and not in force"
        )
    );
    let (status, failure) = answer("file", None).unwrap_err();
    assert_eq!(
        (status.as_u16(), failure.what.as_str()),
        (
            503,
            "it is kept, and not in force before bulk statistics work"
        )
    );
}
