use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::store::{seal, unseal};

const LEAST: &str = r#"
[node]
name = "ggsn-1"
state_dir = "state"
[[pool]]
name = "internet"
ipv4 = ["10.1.0.0/16"]
[[apn]]
name = "internet"
service = "GGSN"
pool = "internet"
"#;

/// A configuration with a proxy and two targets.
const MORE: &str = r#"
[agent]
authority = "https://below.example:8443"
proxy = { host = "below.example", port = 3128, username = "u", password_file = "password" }
[[snmp.user]]
name = "monitor"
[[snmp.target]]
name = "first"
address = "192.0.2.1:162"
version = "v3"
user = "monitor"
[[snmp.target]]
name = "second"
address = "192.0.2.2:162"
version = "v3"
user = "monitor"
"#;

/// A node's directory: `gateway.toml` as [`LEAST`] and more, a password of the operator's, and the state.
struct Node(tempfile::TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        let private = fs::Permissions::from_mode(0o700);
        fs::create_dir(node.state()).unwrap();
        fs::set_permissions(node.state(), private).unwrap();
        let password = node.0.path().join("password");
        fs::write(&password, "below-secret\n").unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        node
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn file(&self) -> PathBuf {
        self.state().join(FILE)
    }

    fn below(&self, more: &str) -> Config {
        let path = self.0.path().join("gateway.toml");
        Config::parse(&format!("{LEAST}{more}"), &path).unwrap()
    }

    /// Of a node that has not come to set it up.
    fn lose_key(&self) {
        fs::remove_file(self.state().join("node.key.new")).unwrap();
    }

    fn open(&self, more: &str) -> (Config, Settings) {
        Settings::open(self.below(more)).unwrap()
    }

    /// What a start says of settings of this text.
    fn refused(&self, more: &str, settings: &str) -> String {
        fs::write(self.file(), settings).unwrap();
        let error = Settings::open(self.below(more)).unwrap_err();
        let said = error.to_string();
        said.replace(&format!("{}/", self.0.path().display()), "")
    }

    fn written(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Files of secrets, with what is in them.
    fn secrets(&self) -> Vec<(String, String)> {
        let Ok(files) = fs::read_dir(self.state().join(SECRETS)) else {
            return Vec::new();
        };
        let mut found: Vec<_> = files
            .map(|file| {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let sealed = fs::read_to_string(path).unwrap();
                let secret = unseal(&self.state(), &sealed).expect("it is sealed");
                (name, secret.unwrap().to_string())
            })
            .collect();
        found.sort();
        found
    }
}

fn authority(config: &Config) -> String {
    let authority = config.agent.way.authority.as_ref();
    authority.map(ToString::to_string).unwrap_or_default()
}

/// Host, user name and password.
fn proxy(config: &Config) -> Option<(String, String, String)> {
    let proxy = config.agent.way.proxy.as_ref()?;
    let own = proxy.credentials.as_ref();
    Some((
        proxy.host.clone(),
        own.map(|own| own.username.clone()).unwrap_or_default(),
        own.map(|own| own.password.to_string()).unwrap_or_default(),
    ))
}

/// Name and port of each target.
fn targets(config: &Config) -> Vec<(String, u16)> {
    let targets = config.snmp.targets.iter();
    targets
        .map(|to| (to.target.name.clone(), to.target.address.port()))
        .collect()
}

fn with_password(edit: &mut Edit, host: &str, password: &str) {
    let file = edit.secret(password.to_owned().into());
    let mut proxy = Table::new();
    proxy.insert("host".into(), host.into());
    proxy.insert("port".into(), 3128.into());
    proxy.insert("username".into(), "node".into());
    proxy.insert("password_file".into(), file);
    edit.set(Setting::PROXY, proxy);
}

fn target(port: u16) -> Table {
    let mut target = Table::new();
    target.insert("address".into(), format!("192.0.2.9:{port}").into());
    target.insert("version".into(), "v3".into());
    target.insert("user".into(), "monitor".into());
    target
}

#[test]
fn a_key_is_set_taken_back_and_kept() {
    let node = Node::new();
    let (config, mut settings) = node.open(MORE);
    assert_eq!(authority(&config), "below.example:8443");
    let set = |edit: &mut Edit| edit.set(Setting::AUTHORITY, "https://above.example");
    let done = settings.change(set).unwrap();
    assert_eq!(
        (authority(&done.config).as_str(), done.changed),
        ("above.example:443", true)
    );
    assert!(!settings.change(set).unwrap().changed);
    let text = format!("{HEADING}[agent]\nauthority = \"https://above.example\"\n");
    assert_eq!(node.written(), text);
    let mode = fs::metadata(node.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing else of the section has changed, and the next start finds it so.
    let (config, mut settings) = node.open(MORE);
    assert_eq!(authority(&config), "above.example:443");
    assert_eq!(proxy(&config).unwrap().0, "below.example");
    let done = settings
        .change(|edit| edit.unset(Setting::AUTHORITY))
        .unwrap();
    assert_eq!(authority(&done.config), "below.example:8443");
    assert_eq!(authority(&node.open(MORE).0), "below.example:8443");
    assert_eq!(node.written(), HEADING);
}

#[test]
fn a_table_is_taken_whole_and_what_is_removed_is_not_there() {
    let node = Node::new();
    let (_, mut settings) = node.open(MORE);
    let plain = |edit: &mut Edit| {
        let mut proxy = Table::new();
        proxy.insert("host".into(), "above.example".into());
        proxy.insert("port".into(), 80.into());
        edit.set(Setting::PROXY, proxy);
    };
    // The credentials of the one below are not for another.
    let done = settings.change(plain).unwrap();
    let (none, host) = (String::new(), "above.example".to_owned());
    assert_eq!(proxy(&done.config), Some((host, none.clone(), none)));
    let remove = |edit: &mut Edit| edit.remove(Setting::PROXY);
    let done = settings.change(remove).unwrap();
    assert_eq!((proxy(&done.config), done.changed), (None, true));
    assert!(!settings.change(remove).unwrap().changed);
    assert_eq!(
        node.written(),
        format!("{HEADING}removed = [\"agent.proxy\"]\n")
    );
    assert_eq!(proxy(&node.open(MORE).0), None);
    // Where there is none below, there is nothing to remove.
    assert_eq!(proxy(&node.open("").0), None);
    let done = settings.change(|edit| edit.unset(Setting::PROXY)).unwrap();
    assert_eq!(proxy(&done.config).unwrap().2, "below-secret");
    let (_, mut settings) = node.open("");
    assert!(!settings.change(remove).unwrap().changed);
}

#[test]
fn entries_of_lists_go_by_their_names() {
    let node = Node::new();
    let (config, mut settings) = node.open(MORE);
    let named = |name: &str, port| (name.to_owned(), port);
    assert_eq!(
        targets(&config),
        [named("first", 162), named("second", 162)]
    );
    let done = settings
        .change(|edit| {
            edit.set(Setting::snmp_target("first"), target(1162));
            edit.set(Setting::snmp_target("third"), target(3162));
            edit.remove(Setting::snmp_target("second"));
        })
        .unwrap();
    let expected = [named("first", 1162), named("third", 3162)];
    assert_eq!(targets(&done.config), expected);
    assert_eq!(targets(&node.open(MORE).0), expected);
    assert!(
        node.written()
            .contains("removed = [\"snmp.target[second]\"]")
    );
    let done = settings
        .change(|edit| {
            edit.unset(Setting::snmp_target("second"));
            edit.unset(Setting::snmp_target("third"));
            edit.remove(Setting::snmp_target("first"));
        })
        .unwrap();
    assert_eq!(targets(&done.config), [named("second", 162)]);
}

#[test]
fn what_is_refused_changes_nothing() {
    let node = Node::new();
    let (_, mut settings) = node.open(MORE);
    let done = settings.change(|edit| with_password(edit, "a.example", "hunter2"));
    done.unwrap();
    let (text, secrets) = (node.written(), node.secrets());
    assert_eq!(secrets, [("1".to_owned(), "hunter2".to_owned())]);
    type Case = (fn(&mut Edit), &'static str);
    let cases: [Case; 3] = [
        (
            |edit| edit.set(Setting::AUTHORITY, "http://a.example"),
            "agent.authority: http://a.example is not https, and nothing is sent in the clear; expected an address such as \"https://authority.example:8443\"; mend the value",
        ),
        (
            |edit| with_password(edit, "b.example", ""),
            "agent.proxy.password_file: STATE/secrets/2 is refused: its first line is not a password; expected the path of a file that holds the password and is for this user alone; mend the file or name another",
        ),
        (
            |edit| edit.set(Setting::snmp_target("no good"), target(162)),
            "snmp.target[2].name: \"no good\"; expected 1 to 63 letters, digits, hyphens, dots or underscores; mend the value",
        ),
    ];
    for (edit, said) in cases {
        let error = settings.change(edit).unwrap_err().to_string();
        let state = node.state().display().to_string();
        assert_eq!(error.replace(&state, "STATE"), said);
        assert_eq!(
            (node.written(), node.secrets()),
            (text.clone(), secrets.clone())
        );
    }
    let done = settings.change(|edit| edit.set(Setting::AUTHORITY, "https://c.example"));
    let config = done.unwrap().config;
    assert_eq!(proxy(&config).unwrap().2, "hunter2");
    assert_eq!(authority(&config), "c.example:443");
}

#[test]
fn a_secret_has_a_file_of_its_own_and_goes_with_what_named_it() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let done = settings.change(|edit| with_password(edit, "a.example", "hunter2"));
    assert_eq!(proxy(&done.unwrap().config).unwrap().2, "hunter2");
    assert!(!node.written().contains("hunter2"));
    let path = node.state().join("secrets/1");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let done = settings.change(|edit| with_password(edit, "a.example", "hunter3"));
    assert_eq!(proxy(&done.unwrap().config).unwrap().2, "hunter3");
    assert_eq!(node.secrets(), [("2".to_owned(), "hunter3".to_owned())]);
    assert_eq!(proxy(&node.open("").0).unwrap().2, "hunter3");
    let mut shown = String::new();
    let edit = |edit: &mut Edit| {
        with_password(edit, "a.example", "hunter4");
        shown = format!("{edit:?}");
        edit.remove(Setting::PROXY);
    };
    assert_eq!(proxy(&settings.change(edit).unwrap().config), None);
    assert!(
        shown.contains("a.example") && !shown.contains("hunter"),
        "{shown}"
    );
    assert_eq!(node.secrets(), []);
}

#[test]
fn the_number_of_a_secret_that_is_gone_is_no_other_s_and_is_not_named_again() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let set = |edit: &mut Edit| with_password(edit, "a.example", "hunter2");
    settings.change(set).unwrap();
    let remove = |edit: &mut Edit| edit.remove(Setting::PROXY);
    settings.change(remove).unwrap();
    // Also for another process.
    let (_, mut settings) = node.open("");
    let set = |edit: &mut Edit| with_password(edit, "b.example", "hunter3");
    settings.change(set).unwrap();
    assert_eq!(node.secrets(), [("2".to_owned(), "hunter3".to_owned())]);

    // An older text names the first one.
    let older = |edit: &mut Edit| {
        let mut proxy = edit.kept["agent"]["proxy"].as_table().unwrap().clone();
        proxy.insert("password_file".into(), "secrets/1".into());
        edit.set(Setting::PROXY, proxy);
    };
    let said = |error: SettingsError| error.to_string();
    let checked = said(settings.check(older).1.unwrap_err());
    let changed = said(settings.change(older).unwrap_err());
    assert_eq!(checked, changed);
    assert!(
        changed.contains("secrets/1 is not there any more"),
        "{changed}"
    );
    assert!(changed.contains("agent.proxy.password_file"), "{changed}");
    assert_eq!(node.secrets(), [("2".to_owned(), "hunter3".to_owned())]);
    assert_eq!(proxy(&node.open("").0).unwrap().2, "hunter3");
}

#[test]
fn what_a_saved_text_names_is_not_swept_and_nothing_is_while_one_can_not_be_read() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let set =
        |secret: &'static str| move |edit: &mut Edit| with_password(edit, "a.example", secret);
    settings.change(set("hunter1")).unwrap();
    let saved = crate::config::text::print(&settings.table());
    fs::write(node.state().join("before.cfg"), saved).unwrap();
    settings.change(set("hunter2")).unwrap();
    settings.change(set("hunter3")).unwrap();
    let names = || {
        let secrets = node.secrets().into_iter();
        secrets.map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["1", "3"]);
    fs::write(node.state().join("other.cfg"), "config\n  nod\n").unwrap();
    settings.change(set("hunter4")).unwrap();
    assert_eq!(names(), ["1", "3", "4"]);
    fs::remove_file(node.state().join("other.cfg")).unwrap();
    fs::remove_file(node.state().join("before.cfg")).unwrap();
    settings.change(set("hunter5")).unwrap();
    assert_eq!(names(), ["5"]);
}

#[test]
fn a_process_that_was_killed_leaves_the_old_settings_or_the_new_ones() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let first = |edit: &mut Edit| with_password(edit, "a.example", "hunter2");
    settings.change(first).unwrap();
    // Killed while it wrote beside, or before the rename: half of a file, a secret that nothing names.
    let beside = node.file().with_added_extension("new");
    fs::write(&beside, "[agent]\nproxy = { ho").unwrap();
    fs::write(node.state().join("secrets/2"), "hunter3").unwrap();
    let (config, mut settings) = node.open("");
    assert_eq!(proxy(&config).unwrap().2, "hunter2");
    assert_eq!(node.secrets(), [("1".to_owned(), "hunter2".to_owned())]);
    settings
        .change(|edit| with_password(edit, "b.example", "hunter4"))
        .unwrap();
    assert!(!beside.exists());
    // Killed after the rename, before the old secret was swept.
    fs::write(node.state().join("secrets/1"), "hunter2").unwrap();
    assert_eq!(proxy(&node.open("").0).unwrap().2, "hunter4");
    assert_eq!(node.secrets(), [("2".to_owned(), "hunter4".to_owned())]);
}

#[test]
fn settings_that_can_not_be_written_change_nothing() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    // A directory is in the way of the rename.
    fs::create_dir(node.file()).unwrap();
    let set = |edit: &mut Edit| with_password(edit, "a.example", "hunter2");
    let error = settings.change(set).unwrap_err();
    assert!(matches!(error, SettingsError::Store(_)), "{error}");
    fs::remove_dir(node.file()).unwrap();
    assert_eq!(proxy(&node.open("").0), None);
    let done = settings.change(set).unwrap();
    assert!(done.changed);
    assert_eq!(proxy(&node.open("").0).unwrap().2, "hunter2");
}

/// A change that fails once its file has been renamed: the directory can't be made durable.
fn fails_after_the_rename(node: &Node, settings: &mut Settings, edit: impl FnOnce(&mut Edit)) {
    fs::remove_file(node.file()).unwrap();
    fs::create_dir(node.file()).unwrap();
    let error = settings.change(edit).unwrap_err();
    assert!(matches!(error, SettingsError::Store(_)), "{error}");
    fs::remove_dir(node.file()).unwrap();
    fs::rename(node.file().with_added_extension("new"), node.file()).unwrap();
}

#[test]
fn a_secret_that_a_start_may_want_stays_until_a_file_is_whole_again() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let set = |edit: &mut Edit| with_password(edit, "a.example", "hunter2");
    settings.change(set).unwrap();
    let failing = |edit: &mut Edit| with_password(edit, "b.example", "hunter3");
    fails_after_the_rename(&node, &mut settings, failing);
    let refused = settings.change(|edit| edit.set(Setting::AUTHORITY, "http://a.example"));
    assert!(matches!(refused, Err(SettingsError::Refused { .. })));
    let both = [("1", "hunter2"), ("2", "hunter3")];
    assert_eq!(
        node.secrets(),
        both.map(|(n, secret)| (n.to_owned(), secret.to_owned()))
    );
    // A start takes what the file says.
    let laid = laid_over(node.below("")).unwrap();
    assert_eq!(proxy(&laid).unwrap().2, "hunter3");
    // Whole again: what was in force is, and the rest is swept.
    assert!(!settings.change(|_| {}).unwrap().changed);
    assert_eq!(node.secrets(), [("1".to_owned(), "hunter2".to_owned())]);
    assert_eq!(proxy(&node.open("").0).unwrap().2, "hunter2");
}

#[test]
fn the_old_value_set_again_is_written_over_one_that_failed() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let old = |edit: &mut Edit| edit.set(Setting::AUTHORITY, "https://old.example");
    settings.change(old).unwrap();
    fails_after_the_rename(&node, &mut settings, |edit| {
        edit.set(Setting::AUTHORITY, "https://new.example");
    });
    assert_eq!(
        authority(&laid_over(node.below("")).unwrap()),
        "new.example:443"
    );
    let done = settings.change(old).unwrap();
    assert_eq!(
        (authority(&done.config).as_str(), done.changed),
        ("old.example:443", false)
    );
    assert_eq!(authority(&node.open("").0), "old.example:443");
    // Sure again: the same once more is not written.
    fs::remove_file(node.file()).unwrap();
    settings.change(old).unwrap();
    assert!(!node.file().exists());
}

#[test]
fn a_sweep_takes_halves_of_secrets_and_keeps_what_is_named_in_other_words() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let set = |edit: &mut Edit| with_password(edit, "a.example", "hunter2");
    settings.change(set).unwrap();
    let by_hand = node.written().replace("\"secrets/1\"", "\"./secrets/1\"");
    assert!(by_hand.contains("./secrets/1"), "{by_hand}");
    fs::write(node.file(), by_hand).unwrap();
    let dir = node.state().join(SECRETS);
    fs::write(dir.join("2.new"), "sealed:").unwrap();
    fs::write(dir.join("notes.new"), "not the node's").unwrap();
    assert_eq!(proxy(&node.open("").0).unwrap().2, "hunter2");
    let left = |name: &str| dir.join(name).exists();
    assert_eq!(["1", "2.new", "notes.new"].map(left), [true, false, true]);
}

#[test]
fn settings_that_are_broken_are_named_with_file_and_line() {
    let node = Node::new();
    let cases = [
        (
            "[agent]\nauthority = ",
            "state/settings.toml:2: not TOML: string values must be quoted, expected literal string; expected key = value or [section]; mend this line",
        ),
        (
            "\n[gn]\nn3_requests = 1\n",
            "state/settings.toml:3: gn.n3_requests: not set at run time; expected agent.authority, agent.proxy, bulkstats.collection, bulkstats.sample_interval_min, bulkstats.transfer_interval_min, bulkstats.limit_mib, bulkstats.historical_days, bulkstats.historical_mib, bulkstats.file, licensing.remaining_low_percent, licensing.remaining_clear_percent, snmp.suppress, snmp.community, snmp.target, snmp.user, logging.filter, logging.syslog, ssh.account; move it to the configuration",
        ),
        (
            "lab = 1\n",
            "state/settings.toml:1: lab: not set at run time; expected agent.authority, agent.proxy, bulkstats.collection, bulkstats.sample_interval_min, bulkstats.transfer_interval_min, bulkstats.limit_mib, bulkstats.historical_days, bulkstats.historical_mib, bulkstats.file, licensing.remaining_low_percent, licensing.remaining_clear_percent, snmp.suppress, snmp.community, snmp.target, snmp.user, logging.filter, logging.syslog, ssh.account; move it to the configuration",
        ),
        (
            "[agent]\nauthority = 7\n",
            "state/settings.toml:2: agent.authority: invalid type: integer `7`; expected an address of HTTPS such as \"https://authority.example:8443\"; mend the value",
        ),
        (
            "[agent.proxy]\nhost = \"a\"\nport = 0\n",
            "state/settings.toml:3: agent.proxy.port: 0; expected a TCP port, 1 to 65535; mend the value",
        ),
        (
            "[agent.proxy]\nhost = \"a\"\n",
            "state/settings.toml:1: agent.proxy.port: missing; expected a TCP port, 1 to 65535; add it",
        ),
        (
            "[[snmp.target]]\naddress = \"192.0.2.9:162\"\n",
            "state/settings.toml:1: snmp.target[0].name: missing; expected 1 to 63 letters, digits, hyphens, dots or underscores; add it",
        ),
        (
            "[[snmp.user]]\nname = \"a\"\n[[snmp.user]]\nname = \"a\"\n",
            "state/settings.toml:4: snmp.user[1].name: \"a\" is given twice; expected each entry once; remove one",
        ),
        (
            "removed = [\"snmp.user[monitor]\"]\n",
            "gateway.toml:22: snmp.target[0].user: no user is called \"monitor\": there is none; expected one user at least; add it, or see `removed` in settings.toml of node.state_dir",
        ),
        (
            "removed = [\"snmp.target\"]\n",
            "state/settings.toml:1: removed[0]: \"snmp.target\"; expected a list of names such as [\"agent.proxy\", \"snmp.target[nms]\"]; mend the value",
        ),
        (
            "removed = 1\n",
            "state/settings.toml:1: removed: integer; expected a list of names such as [\"agent.proxy\", \"snmp.target[nms]\"]; mend the value",
        ),
    ];
    for (settings, said) in cases {
        assert_eq!(node.refused(MORE, settings), said);
    }
    fs::remove_file(node.file()).unwrap();
    fs::create_dir(node.file()).unwrap();
    let error = Settings::open(node.below("")).unwrap_err();
    assert!(matches!(error, ConfigError::Settings { .. }), "{error}");
}

#[test]
fn everything_else_of_the_configuration_stays_as_it_is() {
    let node = Node::new();
    let below = Config {
        workers: 7,
        ..node.below(MORE)
    };
    let (_, mut settings) = Settings::open(below.clone()).unwrap();
    let set = |edit: &mut Edit| edit.set(Setting::AUTHORITY, "https://above.example");
    let mut config = settings.change(set).unwrap().config;
    assert!(config.agent.authority_set && !config.agent.proxy_set);
    config.agent.authority_set = false;
    config.agent.way.authority = below.agent.way.authority.clone();
    assert_eq!(config, below);
}

/// What a configuration leaves out, without its reasons.
fn left_out(config: &Config) -> Vec<(&str, &str)> {
    let out = config.snmp.left_out.iter();
    out.map(|out| (out.what.as_str(), out.name.as_str()))
        .collect()
}

fn with_secret(edit: &mut Edit, setting: Setting<'_>, key: &str, secret: String) {
    let file = edit.secret(secret.into());
    let mut entry = Table::new();
    entry.insert(key.into(), file);
    if key == "auth_file" {
        entry.insert("auth".into(), "sha-256".into());
    } else {
        entry.insert("read".into(), vec!["1"].into());
    }
    edit.set(setting, entry);
}

fn with_user(user: &str) -> Table {
    let mut entry = target(162);
    entry.insert("user".into(), user.into());
    entry
}

#[test]
fn what_a_lost_key_had_sealed_is_left_out_and_kept_and_is_in_force_once_it_is_set_anew() {
    let node = Node::new();
    let (_, mut settings) = node.open(MORE);
    let set = |edit: &mut Edit| {
        with_secret(
            edit,
            Setting::snmp_community("noc"),
            "community_file",
            "hunter2".into(),
        );
        with_secret(
            edit,
            Setting::snmp_user("sealed"),
            "auth_file",
            "maplesyrup".into(),
        );
        edit.set(Setting::snmp_target("by-it"), with_user("sealed"));
        edit.set(Setting::snmp_target("first"), target(1162));
    };
    let done = settings.change(set).unwrap();
    assert_eq!(left_out(&done.config), []);
    let text = node.written();
    for another in [false, true] {
        node.lose_key();
        if another {
            seal(&node.state(), "a new key").unwrap();
        }
        let (config, mut settings) = node.open(MORE);
        let lost = [
            ("community", "noc"),
            ("user", "sealed"),
            ("target", "by-it"),
        ];
        assert_eq!(left_out(&config), lost);
        assert!(
            config.snmp.access.communities.is_empty() && config.snmp.community_names.is_empty()
        );
        assert_eq!(
            config.snmp.left_out[0].why,
            format!(
                "{} can't be used: another node.key has sealed it",
                node.state().join("secrets/1").display()
            )
        );
        assert_eq!(config.snmp.left_out[2].why, "its user sealed is left out");
        // What it is to be sent waits.
        let delivered = config.snmp.delivered().into_iter();
        let delivered: Vec<_> = delivered.map(|to| (to.name, to.left_out)).collect();
        let to = |name: &str, left_out| (name.to_owned(), left_out);
        assert_eq!(
            delivered,
            [to("first", false), to("second", false), to("by-it", true)]
        );
        let port = |name: &str, port| (name.to_owned(), port);
        assert_eq!(targets(&config), [port("first", 1162), port("second", 162)]);
        assert_eq!(node.written(), text);
        assert_eq!(fs::read_dir(node.state().join(SECRETS)).unwrap().count(), 2);
        // Another setting leaves it where it is.
        let other = |edit: &mut Edit| edit.set(Setting::AUTHORITY, "https://above.example");
        assert_eq!(left_out(&settings.change(other).unwrap().config), lost);
        settings
            .change(|edit| edit.unset(Setting::AUTHORITY))
            .unwrap();
        assert_eq!(node.written(), text);
        if !another {
            // A key, for the next turn to lose.
            seal(&node.state(), "a new key").unwrap();
        }
    }
    let (_, mut settings) = node.open(MORE);
    let anew = |edit: &mut Edit| {
        with_secret(
            edit,
            Setting::snmp_user("sealed"),
            "auth_file",
            "maplesyrup".into(),
        )
    };
    let done = settings.change(anew).unwrap();
    assert_eq!(left_out(&done.config), [("community", "noc")]);
    let names: Vec<_> = targets(&done.config)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["first", "second", "by-it"]);
    let done = settings.change(|edit| edit.unset(Setting::snmp_community("noc")));
    assert_eq!(left_out(&done.unwrap().config), []);
}

#[test]
fn a_secret_that_is_lost_is_left_out_and_its_number_is_no_others() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let noc = |edit: &mut Edit| {
        let setting = Setting::snmp_community("noc");
        with_secret(edit, setting, "community_file", "hunter2".into());
    };
    settings.change(noc).unwrap();
    let secrets = node.state().join(SECRETS);
    fs::remove_dir_all(&secrets).unwrap();
    let set = |edit: &mut Edit| {
        let setting = Setting::snmp_community("other");
        with_secret(edit, setting, "community_file", "maplesyrup".into());
    };
    let refused = settings.change(set).unwrap_err().to_string();
    assert!(refused.starts_with("snmp.community[noc]: "), "{refused}");
    fs::remove_dir_all(&secrets).unwrap();
    let (config, mut settings) = node.open("");
    assert_eq!(left_out(&config), [("community", "noc")]);
    let lost = secrets.join("1");
    let why = format!("{} can't be used: it is lost", lost.display());
    assert_eq!(config.snmp.left_out[0].why, why);
    assert_eq!(
        left_out(&settings.change(set).unwrap().config),
        [("community", "noc")]
    );
    // The refused one had 2.
    assert_eq!(node.secrets(), [("3".into(), "maplesyrup".into())]);
    assert_eq!(left_out(&settings.change(noc).unwrap().config), []);
    // One that the operator's own file names stops the start, lost or not.
    for own in ["secrets/own", "state/secrets/own"] {
        let more = format!("[[snmp.community]]\ncommunity_file = \"{own}\"\nread = [\"1\"]\n");
        let path = node.0.path().join("gateway.toml");
        let refused = Config::parse(&format!("{LEAST}{more}"), &path).unwrap_err();
        assert!(refused.to_string().contains("No such file"), "{refused}");
    }
}

#[test]
fn a_change_is_refused_by_which_something_would_be_left_out() {
    let node = Node::new();
    let (_, mut settings) = node.open(MORE);
    let sealed = |name: &'static str| {
        move |edit: &mut Edit| {
            let setting = Setting::snmp_user(name);
            with_secret(edit, setting, "auth_file", "maplesyrup".into());
        }
    };
    settings.change(sealed("noc")).unwrap();
    let by_noc = |edit: &mut Edit| edit.set(Setting::snmp_target("nms"), with_user("noc"));
    settings.change(by_noc).unwrap();
    let text = node.written();
    node.lose_key();
    // What is in force stays, and no other key is made.
    let refused = settings.change(|edit| edit.set(Setting::snmp_target("a"), target(162)));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with("snmp.user[noc]: "), "{refused}");
    let refused = settings.change(sealed("other")).unwrap_err().to_string();
    assert!(refused.starts_with("snmp.user[noc]: "), "{refused}");
    assert!(!node.state().join("node.key.new").exists());
    assert_eq!(node.written(), text);

    // One that can't be read is not a lost one.
    fs::create_dir(node.state().join("node.key")).unwrap();
    let unread = Settings::open(node.below(MORE)).unwrap_err().to_string();
    assert!(unread.contains("node.key"), "{unread}");
    fs::remove_dir(node.state().join("node.key")).unwrap();

    let (config, mut settings) = node.open(MORE);
    assert_eq!(left_out(&config), [("user", "noc"), ("target", "nms")]);
    // Neither a new target of a user that is left out, nor the same one again.
    for name in ["other", "nms"] {
        let by_noc = |edit: &mut Edit| edit.set(Setting::snmp_target(name), with_user("noc"));
        let refused = settings.change(by_noc).unwrap_err().to_string();
        let wanted = format!("snmp.target[{name}]: its user noc is left out; ");
        assert!(refused.starts_with(&wanted), "{refused}");
    }
    assert_eq!(node.written(), text);
    let done = settings.change(sealed("noc")).unwrap();
    assert_eq!(left_out(&done.config), []);
}

#[test]
fn a_sealed_key_that_is_localized_to_another_engine_is_left_out() {
    let node = Node::new();
    let (config, mut settings) = node.open("");
    let key = crate::config::localized("sha-256", "maplesyrup", &config.snmp.engine).unwrap();
    let set = |edit: &mut Edit| {
        with_secret(
            edit,
            Setting::snmp_user("noc"),
            "auth_file",
            key.to_string(),
        )
    };
    assert_eq!(left_out(&settings.change(set).unwrap().config), []);
    let (config, _) = node.open("[snmp]\nenterprise = \"1.3.6.1.4.1.32474.1\"\n");
    assert_eq!(left_out(&config), [("user", "noc")]);
    let why = &config.snmp.left_out[0].why;
    assert!(why.ends_with("its key is localized to engine 80007ed9046767736e2d31, this one is 80007eda046767736e2d31"), "{why}");
    assert_eq!(left_out(&node.open("").0), []);
}

#[test]
fn a_password_of_a_proxy_that_a_lost_key_had_sealed_is_named_with_what_to_do() {
    let node = Node::new();
    let (_, mut settings) = node.open("");
    let set = |edit: &mut Edit| with_password(edit, "a.example", "hunter2");
    settings.change(set).unwrap();
    node.lose_key();
    let said = Settings::open(node.below("")).unwrap_err().to_string();
    let said = said.replace(&format!("{}/", node.0.path().display()), "");
    assert_eq!(
        said,
        "state/settings.toml:4: agent.proxy.password_file: state/secrets/1 can't be used: another node.key has sealed it; \
         expected a secret that this node has sealed; set it anew, or take its entry out of settings.toml of node.state_dir"
    );
}
