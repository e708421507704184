use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use toml::{Table, Value};

use super::schema::{Keys, Kind, keys};
use super::*;
use crate::config::{Config, ConfigError};

/// Texts that mean something in some place.
const TEXTS: &[&str] = &[
    "",
    " ",
    "default",
    "no",
    "end",
    "exit",
    "#exit",
    "!remark",
    "a b",
    "a|grep b",
    "what?",
    "\"",
    "\\",
    "\\n",
    "\"quoted\"",
    "--read",
    "--community-file",
    "read",
    "informs",
    "enable",
    "clear",
    "true",
    "5",
    "-",
    "\u{0}\u{7f}\r\n\t",
    "\u{2028}\u{3000}\u{a0}",
    "höchst ☃ 日本",
    "192.0.2.162:162",
    "192.0.2.162",
    "2001:db8::1",
    "[2001:db8::1]:162",
    "https://authority.example:8443",
    "1.3.6.1.4.1.32473.1",
    "smart-license schema sl format \"sl,%localdate%,%mode%\"",
    "x]y[z.",
];

fn text(random: &mut StdRng) -> String {
    if random.random_bool(0.6) {
        return (*TEXTS.choose(random).unwrap()).to_owned();
    }
    let letters = 0..random.random_range(0..12);
    letters.map(|_| random.random::<char>()).collect()
}

fn value_of(kind: &Kind, random: &mut StdRng) -> Value {
    match kind {
        Kind::Text | Kind::Path => text(random).into(),
        Kind::Word(words) => (*words.choose(random).unwrap()).into(),
        Kind::Integer if random.random_bool(0.3) => random.random::<i64>().into(),
        Kind::Integer => random.random_range(0..100).into(),
        Kind::Boolean => random.random::<bool>().into(),
        Kind::List(of) => {
            let elements = 0..random.random_range(0..4);
            Value::Array(elements.map(|_| value_of(of, random)).collect())
        }
        Kind::Block(keys) => table(keys, random).into(),
        Kind::Blocks(keys) => {
            let entries = 0..random.random_range(0..4);
            let entries: Vec<Value> = entries.map(|_| table(keys, random).into()).collect();
            entries.into()
        }
    }
}

/// Some of these keys; the most of them where it has few.
fn table(keys: &Keys, random: &mut StdRng) -> Table {
    let often = random.random_range(0.1..=1.0);
    let mut table = Table::new();
    for (name, kind) in keys {
        if random.random_bool(often) {
            table.insert((*name).to_owned(), value_of(kind, random));
        }
    }
    table
}

#[test]
fn a_random_configuration_is_printed_and_read_back_the_same() {
    let measured = std::env::var_os("TOLLGATE_FIGURE").is_some();
    let cases = if measured { 10_000 } else { 300 };
    let mut random = StdRng::seed_from_u64(7);
    let mut unequal = 0;
    for case in 0..cases {
        let table = table(keys(), &mut random);
        let printed = print(&table);
        if table_of(&printed).as_ref() != Ok(&table) {
            unequal += 1;
            eprintln!(
                "case {case}: {:?}\n{table:?}\n{printed}",
                table_of(&printed)
            );
        }
    }
    println!("cli-roundtrip {unequal}");
    assert_eq!(unequal, 0, "of {cases}");
}

#[test]
fn the_schema_has_every_documented_key_and_no_other() {
    fn names(keys: &Keys, before: &str, into: &mut Vec<String>) {
        for (name, kind) in keys {
            let name = format!("{before}{name}");
            match kind {
                Kind::Block(keys) => names(keys, &format!("{name}."), into),
                Kind::Blocks(keys) => names(keys, &format!("{name}[]."), into),
                Kind::List(_) => into.push(format!("{name}[]")),
                Kind::Text | Kind::Path | Kind::Word(_) | Kind::Integer | Kind::Boolean => {}
            }
            into.push(name);
        }
    }
    let mut found = Vec::new();
    names(keys(), "", &mut found);
    let documented = crate::config::file::EXPECTED.iter().map(|(name, _)| *name);
    for name in documented {
        assert!(found.iter().any(|own| own == name), "{name}");
    }
    // What is a value has a row that says what it is to be.
    for path in [
        "node.state_dir",
        "snmp.target[].community_file",
        "lab.catalog",
    ] {
        assert_eq!(kind_at(path), &Kind::Path, "{path}");
    }
    assert_eq!(
        kind_at("gn.path_down"),
        &Kind::Word(&["end-sessions", "keep-sessions"])
    );
    assert_eq!(kind_at("gn.listen"), &Kind::Text);
    assert_eq!(kind_at("gn.echo_port"), &Kind::Integer);
    assert_eq!(
        kind_at("apn[].priority_arp"),
        &Kind::List(Box::new(Kind::Integer))
    );
}

fn kind_at(path: &str) -> &'static Kind {
    let (above, last) = path.rsplit_once('.').unwrap();
    let mut below = keys();
    for part in above.split('.') {
        let name = part.trim_end_matches("[]");
        let kind = below.iter().find(|(own, _)| *own == name);
        let Some((_, Kind::Block(keys) | Kind::Blocks(keys))) = kind else {
            panic!("{path}")
        };
        below = keys;
    }
    &below.iter().find(|(own, _)| *own == last).unwrap().1
}

const FULL: &str = "\
config
  license smart enable
  license smart url https://authority.example:8443
  license smart proxy proxy.example 3128 username node-1 --password-file /etc/tollgate/proxy
  feature GRE enable
  threshold license remaining-sessions 10 clear 20
  snmp community noc read 1.3.6.1.2.1 1.3.6.1.4.1 --community-file /etc/tollgate/noc
  snmp user noc auth sha-256 privacy aes-128 read 1.3.6.1 --auth-file /etc/a --privacy-file /etc/p
  snmp target nms 192.0.2.162:162 version v3 user noc informs --timeout-ms 500 --retries 2
  snmp trap suppress tgCeilingChanged
  node
    name ggsn-1
    state-dir /var/lib/tollgate
    udi
      pid VPC_SI
    #exit
  #exit
  gn
    listen 127.0.0.1:2123
    path-down keep-sessions
  #exit
  pool internet
    ipv4 10.1.0.0/16 10.3.0.0/16
  #exit
  apn internet
    service GGSN
    pool internet
    no emergency
    dns
  #exit
  agent
    send-hostname
  #exit
  snmp
    location \"rack 7\"
  #exit
end
";

#[test]
fn what_is_read_is_printed_as_it_was() {
    let table = table_of(FULL).unwrap();
    assert_eq!(print(&table), FULL);
    assert_eq!(table["licensing"]["remaining_low_percent"], 10.into());
    assert_eq!(table["agent"]["proxy"]["port"], 3128.into());
    assert_eq!(table["apn"][0]["emergency"], false.into());
    assert_eq!(table["apn"][0]["dns"], Value::Array(Vec::new()));
    assert_eq!(table["node"]["udi"]["pid"], "VPC_SI".into());
    assert_eq!(table["snmp"]["target"][0]["notify"], "inform".into());
    assert_eq!(table["snmp"]["location"], "rack 7".into());
}

#[test]
fn no_and_default_take_back_what_is_said_before() {
    let of = |lines: &str| table_of(&format!("config\n{lines}\nend\n")).unwrap();
    let gn =
        of("gn\n user-plane 10.0.0.1\n no user-plane\n echo-port 5\n default echo-port\n exit");
    assert_eq!(gn["gn"], Table::new().into());
    assert_eq!(
        of("agent\nno send-hostname\nexit")["agent"]["send_hostname"],
        false.into()
    );
    assert_eq!(
        of("feature GRE enable\nno feature GRE enable")["licensing"]["features"],
        Value::Array(vec![])
    );
    assert_eq!(
        of("no threshold license remaining-sessions")["licensing"]["remaining_low_percent"],
        0.into()
    );
    assert_eq!(
        of("license smart url https://a\nlicense smart url default")["agent"],
        Table::new().into()
    );
    let target = "snmp target nms 192.0.2.1 version v2c\n";
    assert_eq!(
        of(target)["snmp"]["target"][0]["address"],
        "192.0.2.1:162".into()
    );
    assert_eq!(
        of(&format!("{target}no snmp target nms"))["snmp"]["target"],
        Value::Array(vec![])
    );
    assert_eq!(
        of("pool a\n exit\npool b\n exit\nno pool a")["pool"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// What is said of a text.
fn refused(text: &str) -> String {
    let error = Config::parse(text, Path::new("a.cfg")).unwrap_err();
    let ConfigError::Wrong { line, column, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        *line > 0 && column.is_some_and(|column| column > 0),
        "{error}"
    );
    error.to_string()
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_nearest_word() {
    let instead = |line: &str, other: &str| {
        assert!(FULL.contains(line), "{line}");
        refused(&FULL.replacen(line, other, 1))
    };
    assert_eq!(
        instead("listen 127", "lisen 127"),
        "a.cfg: line 19, column 5: 'lisen' is no key of gn; did you mean listen?"
    );
    assert_eq!(
        instead("  gn\n", "  gm\n"),
        "a.cfg: line 18, column 3: 'gm' is no section or command; did you mean gn?"
    );
    assert_eq!(
        instead("keep-sessions", "keep-session"),
        "a.cfg: line 20, column 15: 'keep-session' is no path-down there is; did you mean keep-sessions?"
    );
    assert_eq!(
        instead("license smart url", "license smart ulr"),
        "a.cfg: line 3, column 17: 'ulr' is no command of license smart; did you mean url?"
    );
    assert_eq!(
        instead("127.0.0.1:2123", "127.0.0.1"),
        "a.cfg: line 19, column 5: gn.listen: invalid socket address syntax; expected an address and port such as \"127.0.0.1:2123\"; mend the value"
    );
    assert_eq!(
        instead("    service GGSN\n", "    service GGSM\n")
            .split(';')
            .next()
            .unwrap(),
        "a.cfg: line 26, column 5: apn[0].service: no service is called \"GGSM\""
    );
    assert_eq!(
        instead("\nend\n", "\n"),
        "a.cfg: line 36, column 8: the text ends within config; expected end"
    );
    assert_eq!(
        instead(
            "    listen 127.0.0.1:2123\n",
            "    listen 127.0.0.1:2123\n    listen 127.0.0.1:2124\n"
        ),
        "a.cfg: line 20, column 5: listen is given twice"
    );
    assert_eq!(
        refused("pool internet\n"),
        "a.cfg: line 1, column 1: the first line is to be config"
    );
    assert!(
        refused("config\n node \"x\nend").contains("line 2, column 7: a quote that is not closed")
    );
}

#[test]
fn a_text_and_the_toml_that_it_is_from_are_one_configuration() {
    let path = Path::new("/etc/tollgate/gateway.toml");
    let example = include_str!("../../../examples/gateway.toml");
    let from_toml = Config::parse(example, path).unwrap();
    let printed = print(&with_paths_from(
        Path::new("/etc/tollgate"),
        from_toml.source.table(),
    ));
    assert!(begins_as_text(&printed) && !begins_as_text(example));
    // Where it lies makes no difference.
    let from_text = Config::parse(&printed, Path::new("/elsewhere/startup")).unwrap();
    let source = from_toml.source.clone();
    assert_eq!(
        Config {
            source,
            ..from_text
        },
        from_toml
    );
}
