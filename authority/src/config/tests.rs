use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("conf/a.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_example_has_every_key_and_its_default() {
    let text = include_str!("../../examples/authority.toml");
    for (key, _) in EXPECTED {
        let name = key.rsplit('.').next().unwrap();
        assert!(text.contains(name), "{key}");
    }
    let config = parse(text).unwrap();
    assert_eq!(config, Config::new("conf/authority-state".into()));
    assert_eq!(parse("").unwrap(), config);
}

#[test]
fn values_are_taken_over() {
    let config = parse(
        "[authority]\nlisten = \"0.0.0.0:1\"\nnames = [\"a.b\"]\nsilent_days = 3\n[lab]\nspeedup = 9\n",
    )
    .unwrap();
    assert_eq!(config.speedup, Some(9));
    assert_eq!(config.names(), ["a.b"]);
    assert_eq!(config.silent_days, 3);
    let kept = "audit_kept_days = 401\nevents_kept_days = 30\nreports_kept_days = 402\ninstances_kept_days = 403";
    let config = parse(&format!("[authority]\n{kept}")).unwrap().kept;
    let days = [
        config.audit_days,
        config.events_days,
        config.reports_days,
        config.instances_days,
    ];
    assert_eq!(days, [401, 30, 402, 403]);
    let url = "postgres://a@b/c";
    let text = format!("[authority]\ndatabase = \"{url}\"\ndatabase_password_file = \"f\"");
    let expected = Database::new(url, Some("conf/f".into())).unwrap();
    assert_eq!(parse(&text).unwrap().database, Some(expected));
    let config = parse("[authority]\nlisten = \"127.0.0.2:0\"").unwrap();
    assert_eq!(config.names(), ["localhost", "127.0.0.2"]);
}

#[test]
fn errors_name_file_line_and_key_and_what_to_do() {
    let cases = [
        (
            "\n[authority]\nlisten = \"here\"",
            "conf/a.toml:3: authority.listen: invalid socket address syntax; expected an address and port such as \"127.0.0.1:8443\"; mend the value",
        ),
        (
            "[authority]\nsilent_days = 0",
            "conf/a.toml:2: authority.silent_days: 0; expected a number of days, 1 to 365; mend the value",
        ),
        (
            "[authority]\nrequest_timeout_s = 0",
            "conf/a.toml:2: authority.request_timeout_s: 0; expected a number of seconds, 1 to 600; mend the value",
        ),
        (
            "[authority]\naudit_kept_days = 399",
            "conf/a.toml:2: authority.audit_kept_days: 399; expected a number of days, 400 to 36500; mend the value",
        ),
        (
            "[authority]\ndatabase = \"postgres://a:secret@b/c\"",
            "conf/a.toml:2: authority.database: a password stands in it; a password is kept in a file of mode 0600; expected a URL such as \"postgres://user@host/database\", without a password; mend the value",
        ),
        (
            "[authority]\ndatabase_password_file = \"f\"",
            "conf/a.toml:2: authority.database_password_file: there is no authority.database; expected the path of a file of mode 0600, beside authority.database; mend the value",
        ),
        (
            "[authority]\nspeed = 1",
            "conf/a.toml:2: authority.speed: no such key; expected one of `state_dir`, `database`, `database_password_file`, `listen`, `names`, `catalog`, `silent_days`, `audit_kept_days`, `events_kept_days`, `reports_kept_days`, `instances_kept_days`, `connections_max`, `connections_per_address_max`, `request_timeout_s`; mend its spelling or remove it",
        ),
        (
            "[lab]\n",
            "conf/a.toml:1: lab.speedup: missing; expected license seconds a second, 1 to 1000000, the same as its nodes have; add it",
        ),
        (
            "[lab]\nspeedup = 2000000",
            "conf/a.toml:2: lab.speedup: 2000000; expected license seconds a second, 1 to 1000000, the same as its nodes have; mend the value",
        ),
        (
            "[authority]\nnames = []",
            "conf/a.toml:2: authority.names: []; expected a list of 1 to 16 names or addresses that nodes reach it by, such as [\"license.example.org\"]; mend the value",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap_err(), expected);
    }
    let error = parse("[authority\n").unwrap_err();
    assert!(error.starts_with("conf/a.toml:1: not TOML: "), "{error}");
    let error = parse("[authority]\ncatalog = \"none.toml\"").unwrap_err();
    assert!(error.contains("conf/none.toml: No such file"), "{error}");
}
