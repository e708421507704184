use licensing::{Threshold, Thresholds};
use session_plane::config::{BackOff, Interface, PeerOptions, Role};

use super::*;
use crate::transport::Way;

const FILE: &str = "gateway.toml";

/// The least that a configuration says.
const LEAST: &str = r#"
[node]
name = "ggsn-1"
state_dir = "/var/lib/tollgate"
[[pool]]
name = "internet"
ipv4 = ["10.1.0.0/16"]
[[apn]]
name = "internet"
service = "GGSN"
pool = "internet"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new(FILE))
}

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// [`LEAST`] with one line in place of another.
fn with(line: &str, instead: &str) -> String {
    assert!(LEAST.contains(line), "{line}");
    LEAST.replacen(line, instead, 1)
}

/// [`LEAST`] with an access point of an SGW that has a line in place of a pool.
fn sgw(line: &str) -> String {
    let text = with("service = \"GGSN\"", "service = \"SGW\"");
    text.replacen("pool = \"internet\"", line, 1)
}

/// One more access point.
const PGW: &str = "[[apn]]\nname = \"internet\"\nservice = \"PGW\"\npool = \"internet\"\n";

/// [`LEAST`] with lines at its end.
fn and(lines: &str) -> String {
    format!("{LEAST}{lines}\n")
}

#[test]
fn the_example_says_what_the_defaults_are() {
    let text = include_str!("../../examples/gateway.toml");
    let example = parse(text).unwrap();
    let roles: Vec<_> = example.plane.apns.iter().map(|apn| apn.role).collect();
    let ggsn = Role::Ggsn;
    assert_eq!(roles, [ggsn, ggsn, ggsn, Role::Pgw, Role::Saegw, Role::Sgw]);
    assert!(example.plane.apns[2].emergency);
    let options = PeerOptions {
        padded: true,
        back_off: BackOff::WithCongestion,
    };
    let expected = [([192, 0, 2, 17].into(), options)].into();
    assert_eq!(example.plane.peer_options, expected);
    let other_case = parse(
        &text
            .replace("\"PGW\"", "\"pgw\"")
            .replace("\"SGW\"", "\"sGW\""),
    );
    assert_eq!(other_case.unwrap().plane.apns, example.plane.apns);
    // Managers are examples, and files of theirs there are none.
    let (before, managers) = text.split_once("\n# Where managers ask").unwrap();
    let (_, after) = managers.split_once("\n[journal]").unwrap();
    let (files_apart, _) = managers.split_once("\n# Up to four files").unwrap();
    let (_, bulkstats) = files_apart.split_once("\n[bulkstats]").unwrap();
    let without_managers = format!("{before}\n[bulkstats]{bulkstats}\n[journal]{after}");
    let uncommented: String = without_managers
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !rest.ends_with('.') => rest,
            Some("[lab]") => "[lab]",
            _ => line,
        })
        .filter(|line| {
            let files = ["catalog =", "trust_pool =", "proxy ="];
            !files.iter().any(|key| line.starts_with(key))
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let written_out = parse(&uncommented).unwrap();
    let lab = written_out.lab.unwrap();
    let no_authority = Agent {
        way: Way {
            authority: None,
            ..written_out.agent.way.clone()
        },
        ..written_out.agent.clone()
    };
    assert_eq!(no_authority, example.agent);
    assert_eq!((lab.speedup, lab.unsigned_catalog), (1, false));
    let authority = written_out.agent.way.authority.as_ref().unwrap();
    assert_eq!(authority.to_string(), "authority.example:8443");
    let apart_from_examples = Config {
        agent: example.agent.clone(),
        lab: None,
        udi_pid: None,
        udi_serial: None,
        control_socket: example.control_socket.clone(),
        source: example.source.clone(),
        ..written_out
    };
    assert_eq!(apart_from_examples, example);
}

#[test]
fn what_ues_are_told_and_who_gives_way_is_handed_on() {
    let text = and(
        "dns = [\"10.0.0.53\", \"2001:db8::53\"]\nmtu = 1400\nlow_priority = true\n\
                    [[peer]]\naddress = \"10.9.9.9\"\nback_off = \"always\"\n\
                    [licensing]\nlow_priority_percent = 0",
    );
    let plane = parse(&text).unwrap().plane;
    let apn = &plane.apns[0];
    assert_eq!(
        apn.dns.v4,
        ["10.0.0.53".parse::<std::net::Ipv4Addr>().unwrap()]
    );
    assert_eq!(
        apn.dns.v6,
        ["2001:db8::53".parse::<std::net::Ipv6Addr>().unwrap()]
    );
    assert_eq!((apn.mtu, apn.low_priority), (Some(1400), true));
    assert_eq!(plane.low_priority_percent, 0);
    let peer: std::net::IpAddr = "10.9.9.9".parse().unwrap();
    assert_eq!(plane.peer_options[&peer].back_off, BackOff::Always);
    assert_eq!(parse(LEAST).unwrap().plane.apns[0].mtu, None);
}

#[test]
fn the_example_names_every_key() {
    let text = include_str!("../../examples/gateway.toml");
    for (key, _) in file::EXPECTED {
        let name = key.trim_end_matches("[]").rsplit('.').next().unwrap();
        let written = [
            format!("\n{name} = "),
            format!("\n# {name} = "),
            format!("[{name}]"),
            format!(".{name}]"),
            format!(" {name} = "),
        ];
        assert!(written.iter().any(|form| text.contains(form)), "{key}");
    }
}

#[test]
fn the_least_configuration_has_defaults() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.workers, 1);
    assert_eq!(config.product.name, "VPC_SI");
    assert_eq!(config.gn().to_string(), "127.0.0.1:2123");
    assert_eq!(config.plane.user.to_string(), "127.0.0.1");
    assert_eq!(
        config.control_socket,
        Path::new("/var/lib/tollgate/control.sock")
    );
    assert_eq!(config.plane.causes.at_ceiling.0, 199);
    assert_eq!(config.lab, None);
    assert_eq!(
        config.catalog.services()[config.plane.apns[0].service.at()].name,
        "GGSN"
    );
}

#[test]
fn relative_paths_start_from_the_file() {
    let text = with("/var/lib/tollgate", "state");
    let config = Config::parse(&text, Path::new("/etc/tollgate/gateway.toml")).unwrap();
    assert_eq!(config.state_dir, Path::new("/etc/tollgate/state"));
}

#[test]
fn what_is_wrong_is_named_with_line_key_and_what_to_do() {
    let cases = [
        (
            with("[node]", "[node"),
            "gateway.toml:2: not TOML: unclosed table, expected `]`; \
             expected key = value or [section]; mend this line",
        ),
        (
            with("name = \"ggsn-1\"", "name ="),
            "gateway.toml:3: not TOML: string values must be quoted, expected literal string; \
             expected key = value or [section]; mend this line",
        ),
        (
            with("[[pool]]", "[[pool"),
            "gateway.toml:5: not TOML: unclosed array table, expected `]]`; \
             expected key = value or [section]; mend this line",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\nname = \"b\""),
            "gateway.toml:4: name: \"name\" is given twice; expected each key once; remove one",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\nworker = 2"),
            "gateway.toml:4: node.worker: no such key; expected one of `name`, `state_dir`, \
             `workers`, `gate`, `gtp_sockets`, `product`, `udi`; mend its spelling or remove it",
        ),
        (
            and("[licence]\nx = 1"),
            "gateway.toml:12: licence: no such key; expected one of `node`, `control`, `gn`, \
             `pool`, `apn`, `peer`, `allow`, `overload`, `refusal`, `licensing`, `agent`, `snmp`, `bulkstats`, `logging`, `ssh`, `metrics`, `journal`, `audit`, `lab`; mend its spelling or remove it",
        ),
        (
            with("name = \"ggsn-1\"", ""),
            "gateway.toml:2: node.name: missing; \
             expected 1 to 63 letters, digits, hyphens or dots; add it",
        ),
        (
            with("service = \"GGSN\"\n", ""),
            "gateway.toml:8: apn[0].service: missing; \
             expected the name of a service of the catalog, such as \"GGSN\"; add it",
        ),
        (
            "[node]\nname = \"a\"\nstate_dir = \"s\"\n[[pool]]\nname = \"p\"\nipv4 = [\"10.0.0.0/8\"]\n".into(),
            "gateway.toml:1: apn: missing; expected one or more sections [[apn]]; add it",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\nworkers = \"two\""),
            "gateway.toml:4: node.workers: invalid type: string \"two\"; \
             expected a number of threads, 1 to 256; mend the value",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\nworkers = 257"),
            "gateway.toml:4: node.workers: 257; \
             expected a number of threads, 1 to 256; mend the value",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\ngate = \"fast\""),
            "gateway.toml:4: node.gate: unknown variant `fast`; \
             expected \"auto\", \"asymmetric\" or \"atomic\"; mend the value",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\nworkers = -1"),
            "gateway.toml:4: node.workers: invalid value: integer `-1`; \
             expected a number of threads, 1 to 256; mend the value",
        ),
        (
            and("[gn]\nlisten = \"127.0.0.1\""),
            "gateway.toml:13: gn.listen: invalid socket address syntax; \
             expected an address and port such as \"127.0.0.1:2123\"; mend the value",
        ),
        (
            and("[gn]\nlisten = \"0.0.0.0:2123\""),
            "gateway.toml:13: gn.listen: 0.0.0.0 is not the address of one interface; \
             expected an address and port such as \"127.0.0.1:2123\"; mend the value",
        ),
        (
            with("service = \"GGSN\"", "service = \"GGSM\""),
            "gateway.toml:10: apn[0].service: no service is called \"GGSM\"; \
             expected PGW, SAEGW, GGSN, SGW, MME, ePDG, SaMOG; mend the name",
        ),
        (
            with("pool = \"internet\"", "pool = \"inet\""),
            "gateway.toml:11: apn[0].pool: no pool is called \"inet\"; \
             expected internet; mend the name",
        ),
        (
            with("pool = \"internet\"", ""),
            "gateway.toml:8: apn[0].pool: missing; \
             expected the name of a [[pool]], none for service SGW; add it",
        ),
        (
            with("service = \"GGSN\"", "service = \"SGW\""),
            "gateway.toml:11: apn[0].pool: \"internet\" for service SGW; \
             expected the name of a [[pool]], none for service SGW; mend the value",
        ),
        (
            with("service = \"GGSN\"", "service = \"sgw\""),
            "gateway.toml:11: apn[0].pool: \"internet\" for service SGW; \
             expected the name of a [[pool]], none for service SGW; mend the value",
        ),
        (
            sgw("dns = [\"10.0.0.53\"]"),
            "gateway.toml:11: apn[0].dns: 1 for service SGW; \
             expected a list of addresses, at most 4 of a family, none for service SGW; mend the value",
        ),
        (
            sgw("mtu = 1400"),
            "gateway.toml:11: apn[0].mtu: 1400 for service SGW; \
             expected 0 for none, as for service SGW, or a number of octets, 1280 to 9000; mend the value",
        ),
        (
            sgw("static_address = \"refuse\""),
            "gateway.toml:11: apn[0].static_address: \"refuse\" for service SGW; \
             expected \"dynamic\" or \"refuse\", which service SGW leaves to its PGW; mend the value",
        ),
        (
            and("emergency = true\nlow_priority = true"),
            "gateway.toml:13: apn[0].low_priority: true where emergency is true; \
             expected true or false, false where emergency is true; mend the value",
        ),
        (
            and(&format!("{PGW}{}", PGW.replace("PGW", "pgw"))),
            "gateway.toml:17: apn[2].name: \"internet\" is given twice; \
             expected each access point of service PGW once; remove one",
        ),
        (
            and(&PGW.replace("PGW", "MME")),
            "gateway.toml:13: apn[1].name: \"internet\" is given twice; \
             expected each access point by GTPv1 once; remove one",
        ),
        (
            with("name = \"ggsn-1\"", "name = \"a\"\nproduct = \"VPC\""),
            "gateway.toml:4: node.product: no product is called \"VPC\"; \
             expected ASR5500, VPC_SI, VPC_DI; mend the name",
        ),
        (
            and("features = [\"GRE\",\n\"gre\"]"),
            "gateway.toml:13: apn[0].features[1]: \"gre\" is given twice; \
             expected each feature once; remove one",
        ),
        (
            and("[[peer]]\naddress = \"10.9.9.9\"\n[[peer]]\naddress = \"10.9.9.9\""),
            "gateway.toml:15: peer[1].address: \"10.9.9.9\" is given twice; \
             expected each peer once; remove one",
        ),
        (
            and("[[pool]]\nname = \"b\"\nipv4 = [\"10.1.128.0/20\"]"),
            "gateway.toml:14: pool[1].ipv4[0]: 10.1.128.0/20 shares addresses with 10.1.0.0/16; \
             expected networks that lie apart; mend one",
        ),
        (
            with("10.1.0.0/16", "10.1.0.1/16"),
            "gateway.toml:7: pool[0].ipv4[0]: \"10.1.0.1/16\"; expected an IPv4 network such as \
             \"10.1.0.0/16\", prefix length 8 to 30, host bits 0; mend the value",
        ),
        (
            and("dns = [\"10.0.0.53\", \"0.0.0.0\"]"),
            "gateway.toml:12: apn[0].dns[1]: 0.0.0.0; \
             expected an address such as \"192.0.2.53\"; mend the value",
        ),
        (
            and("dns = [\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\", \"10.0.0.4\", \"10.0.0.5\"]"),
            "gateway.toml:12: apn[0].dns: 5 of a family; \
             expected a list of addresses, at most 4 of a family, none for service SGW; mend the value",
        ),
        (
            and(&format!(
                "{PGW}{}emergency = true",
                PGW.replace("PGW", "saegw").replace("internet\"\ns", "Internet\"\ns")
            )),
            "gateway.toml:20: apn[2].emergency: true where \"internet\" of service PGW has false; \
             expected true or false, the same for services PGW and SAEGW under one name; mend the value",
        ),
        (
            and(&format!(
                "{}emergency = true\n{PGW}",
                PGW.replace("PGW", "SAEGW")
            )),
            "gateway.toml:17: apn[2].emergency: false where \"internet\" of service SAEGW has true; \
             expected true or false, the same for services PGW and SAEGW under one name; mend the value",
        ),
        (
            and("[[allow]]\nservice = \"GGSN\"\ngn = [\"10.0.0.0/8\", \"10.0.0.1/8\"]"),
            "gateway.toml:14: allow[0].gn[1]: \"10.0.0.1/8\"; \
             expected an address, or a network such as \"10.0.0.0/8\" whose host bits are 0; mend the value",
        ),
        (
            and("[[allow]]\nservice = \"PGW\"\ns11 = [\"::/0\"]"),
            "gateway.toml:14: allow[0].s11: a list for service PGW; expected a list of networks such as \
             \"10.0.0.0/8\" for service SAEGW or SGW, at most 1024; mend the value",
        ),
        (
            and("[overload]\nrequests_per_s = 1000001"),
            "gateway.toml:13: overload.requests_per_s: 1000001; \
             expected 0 for any number, or a number of requests, 1 to 1000000; mend the value",
        ),
        (
            and("[gn]\nsessions_max = 1001\nemergency_reserve = 501"),
            "gateway.toml:14: gn.emergency_reserve: 501 where gn.sessions_max is 1001; \
             expected a number of sessions, at most half of gn.sessions_max; mend the value",
        ),
        (
            and("emergency_inactivity_s = 600"),
            "gateway.toml:12: apn[0].emergency_inactivity_s: 600 where emergency is false; expected 0 for none, \
             or, where emergency is true, a number of seconds, 1 to 86400; mend the value",
        ),
        (
            and("emergency = true\nemergency_inactivity_s = 86401"),
            "gateway.toml:13: apn[0].emergency_inactivity_s: 86401; expected 0 for none, \
             or, where emergency is true, a number of seconds, 1 to 86400; mend the value",
        ),
        (
            and("mtu = 576"),
            "gateway.toml:12: apn[0].mtu: 576; \
             expected 0 for none, as for service SGW, or a number of octets, 1280 to 9000; mend the value",
        ),
        (
            and("[licensing]\nlow_priority_percent = 51"),
            "gateway.toml:13: licensing.low_priority_percent: 51; \
             expected a percentage, 0 to 50; mend the value",
        ),
        (
            and("[licensing]\nremaining_low_percent = 20\nremaining_clear_percent = 19"),
            "gateway.toml:14: licensing.remaining_clear_percent: 19; \
             expected a percentage, remaining_low_percent to 99; mend the value",
        ),
        (
            and("[licensing]\ncongestion_percent = 10"),
            "gateway.toml:12: licensing.congestion_tolerance_percent: 10; \
             expected a percentage, 0 to 25 and less than congestion_percent; mend the value",
        ),
        (
            and("[refusal]\nat_ceiling = 128"),
            "gateway.toml:13: refusal.at_ceiling: 128; \
             expected a rejection cause of TS 29.060, 192 to 255; mend the value",
        ),
        (
            and("[gn]\necho_interval_s = 10"),
            "gateway.toml:13: gn.echo_interval_s: an echo interval of 10 s, below 60 s, loosens what is licensed \
             or specified; expected only on a node marked lab; remove it or add a [lab] section",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(&text), expected, "in\n{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::read(Path::new("/nowhere/gateway.toml")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nowhere/gateway.toml: can't be read: No such file or directory (os error 2); \
         expected a TOML file, or a text that begins with config; give its path with --config"
    );
}

/// A catalog of one service with two sessions a license.
const SMALL: &str = r#"
[[product]]
name = "VPC_SI"
tag = "regid.2017-02.com.cisco.VPC_SI,1.0_dcb12293-10c0-4e90-b35e-b10a9f8bfac1"
description = "Virtualized Packet Core (Single instance)"
[[service]]
tag_id = 2
name = "GGSN"
tag = "regid.2017-02.com.cisco.ASR5K-00-GN10SESS,1.0_bf7eb1d7-35bf-40c6-8763-a4770f5ebf64"
description = "GGSN"
sessions_per_license = 2
"#;

//= L1
//= L2
#[test]
fn only_a_lab_node_takes_another_catalog() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.toml");
    let catalog = dir.path().join("small.toml");
    std::fs::write(&catalog, SMALL).unwrap();
    std::fs::write(&file, LEAST).unwrap();
    let error = Config::read_with_catalog(&file, Some(&catalog)).unwrap_err();
    assert!(matches!(
        &error,
        ConfigError::Wrong { key, problem: Problem::NeedsLab { .. }, .. } if &**key == "--catalog"
    ));
    std::fs::write(&file, and("[lab]\nspeedup = 60\ncatalog = \"small.toml\"")).unwrap();
    let config = Config::read(&file).unwrap();
    let lab = config.lab.unwrap();
    assert_eq!((lab.speedup, lab.unsigned_catalog), (60, true));
    assert_eq!(config.catalog.services().len(), 1);
    std::fs::write(&file, and("[lab]")).unwrap();
    assert!(!Config::read(&file).unwrap().lab.unwrap().unsigned_catalog);
}

//= L1
//= L2
#[test]
fn a_catalog_by_order_takes_the_place_of_the_own_one_where_the_rest_goes_with_it() {
    let staros = Catalog::staros_text();
    let ordered = |text: &str| Arc::new(Catalog::parse(text).unwrap());
    let own = parse(LEAST).unwrap();
    assert_eq!(own.catalog_origin, CatalogOrigin::Embedded);
    let text = staros.replace("10_000", "20_000");
    let config = own.with_ordered(&ordered(&text), &text).unwrap();
    assert_eq!(
        config.catalog.services()[0].sessions_per_license.get(),
        20_000
    );
    assert_eq!(&*config.catalog_text, text);
    let rest = Config {
        catalog: Arc::clone(&own.catalog),
        catalog_text: Arc::clone(&own.catalog_text),
        catalog_origin: own.catalog_origin,
        ..config.clone()
    };
    assert_eq!(rest, own, "nothing else changes");
    assert_eq!(config.catalog_origin, CatalogOrigin::Ordered);

    let fits = own.fits();
    // What is kept by place stays with its tag: nothing moves, nothing is left out, something may follow.
    let blocks = |kind: &str| {
        let head = format!("[[{kind}]]");
        let from = staros.find(&head).unwrap();
        let second = from + 1 + staros[from + 1..].find(&head).unwrap();
        let third = second + 1 + staros[second + 1..].find(&head).unwrap();
        (from, second, third)
    };
    for kind in ["service", "feature"] {
        let (first, second, third) = blocks(kind);
        let moved = [
            &staros[..first],
            &staros[second..third],
            &staros[first..second],
            &staros[third..],
        ];
        let why = fits.judge(&ordered(&moved.concat())).unwrap_err();
        assert!(why.contains("is not where it was in that catalog"), "{why}");
    }
    let tag = own.catalog.services()[1].tag.as_str();
    let other = tag.replacen("regid.", "regid.1999-12.org.example.", 1);
    let why = fits.judge(&ordered(&staros.replace(tag, &other)));
    let why = why.unwrap_err();
    assert!(why.contains("is not where it was in that catalog"), "{why}");

    let said = |from: &str, to: &str| {
        let text = staros.replace(from, to);
        assert_ne!(text, staros);
        fits.judge(&ordered(&text)).unwrap_err()
    };
    let why = said("\"GGSN\"", "\"GGSX\"");
    assert!(
        why.starts_with("gateway.toml:10: apn[0].service: no service is called \"GGSN\""),
        "{why}"
    );
    let why = said("name = \"VPC_SI\"", "name = \"OTHER\"");
    assert!(why.contains("node.product: no product is called"), "{why}");
    let tag = own.product.tag.as_str();
    let why = said(
        tag,
        &tag.replacen("regid.", "regid.1999-12.org.example.", 1),
    );
    assert!(
        why.contains("node.product: VPC_SI has another tag in that catalog"),
        "{why}"
    );
    assert_eq!(fits.judge(&own.catalog), Ok(()));
}

//= L2
#[test]
fn a_lab_nodes_unsigned_catalog_gives_way_to_a_signed_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.toml");
    std::fs::write(dir.path().join("small.toml"), SMALL).unwrap();
    std::fs::write(&file, and("[lab]\nspeedup = 60\ncatalog = \"small.toml\"")).unwrap();
    let own = Config::read(&file).unwrap();
    assert_eq!(own.catalog_origin, CatalogOrigin::File);
    let text = SMALL.replacen("sessions_per_license = ", "sessions_per_license = 1", 1);
    let ordered = Arc::new(Catalog::parse(&text).unwrap());
    let config = own.with_ordered(&ordered, &text).unwrap();
    let lab = config.lab.unwrap();
    assert_eq!((lab.speedup, lab.unsigned_catalog), (60, false));
    assert_eq!(config.catalog_origin, CatalogOrigin::Ordered);
}

//= L1
#[test]
fn a_catalog_that_is_refused_is_named_with_its_own_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.toml");
    std::fs::write(&file, and("[lab]\ncatalog = \"small.toml\"")).unwrap();
    let zero = SMALL.replace("license = 2", "license = 0");
    std::fs::write(dir.path().join("small.toml"), zero).unwrap();
    let error = Config::read(&file).unwrap_err().to_string();
    let expected = format!(
        "{0}/gateway.toml:13: lab.catalog: the catalog {0}/small.toml is refused: line 11: \
         a license covers at least one session; expected a catalog as the embedded one; mend it",
        dir.path().display()
    );
    assert_eq!(error, expected);
}

//= L8
#[test]
fn the_priority_share_may_only_be_tightened() {
    let text = and("[licensing]\npriority_percent = 6");
    assert_eq!(
        refused(&text),
        "gateway.toml:13: licensing.priority_percent: 6; \
         expected a percentage, 0 to 5; mend the value"
    );
    let tightened = and("[licensing]\npriority_percent = 0");
    assert_eq!(parse(&tightened).unwrap().priority_percent, 0);
}

#[test]
fn a_key_of_another_section_is_told_where_it_belongs() {
    assert_eq!(
        refused(&and("[licensing]\nspeedup = 10")),
        "gateway.toml:13: licensing.speedup: no such key here; expected in [lab]; move it there",
    );
    let ambiguous = refused(&and("[licensing]\nname = \"x\""));
    assert!(
        ambiguous.contains(": no such key; expected "),
        "{ambiguous}"
    );
}

#[test]
fn a_journal_is_written_where_it_is_enabled() {
    assert_eq!(parse(LEAST).unwrap().journal, None);
    let journal = |lines: &str| {
        let text = and(&format!("[journal]\n{lines}"));
        Config::parse(&text, Path::new("/etc/tollgate/gateway.toml")).map(|config| config.journal)
    };
    assert_eq!(
        journal("enabled = true").unwrap(),
        Some(Journal {
            file: "/var/lib/tollgate/journal.jsonl".into(),
            max_bytes: 256 << 20,
        })
    );
    assert_eq!(
        journal("enabled = true\nfile = \"inputs\"\nmax_mib = 1").unwrap(),
        Some(Journal {
            file: "/etc/tollgate/inputs".into(),
            max_bytes: 1 << 20,
        })
    );
    assert_eq!(journal("file = \"inputs\"").unwrap(), None);
    assert_eq!(
        refused(&and("[journal]\nmax_mib = 0")),
        "gateway.toml:13: journal.max_mib: 0; expected a number of mebibytes, 1 to 1048576; mend the value"
    );
}

/// A root certificate in PEM.
fn root_pem() -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&key).unwrap().pem()
}

/// A file in a directory of its own, with this mode.
fn private(dir: &Path, name: &str, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(dir.join(name), text).unwrap();
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(dir.join(name), mode).unwrap();
}

#[test]
fn the_agents_section_is_read_with_its_files() {
    let dir = tempfile::tempdir().unwrap();
    private(dir.path(), "password", "hunter2\nnot this\n", 0o600);
    private(dir.path(), "roots.pem", &(root_pem() + &root_pem()), 0o644);
    let text = and("[agent]
authority = \"https://authority.example\"
proxy = { host = \"proxy.example\", port = 3128, username = \"node\", password_file = \"password\" }
trust_pool = \"roots.pem\"
report_usage_s = 30");
    let config = Config::parse(&text, &dir.path().join(FILE)).unwrap();
    let agent = &config.agent;
    assert_eq!(agent.roots.len(), 2);
    assert_eq!(agent.report_usage.as_secs(), 30);
    assert_eq!(agent.ooc_retry.as_secs(), 60);
    assert!(!agent.trust_first);
    let proxy = agent.way.proxy.as_ref().unwrap();
    assert_eq!(
        proxy.credentials.as_ref().unwrap().password.as_str(),
        "hunter2"
    );
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_is_wrong_with_the_agent_is_named_with_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    private(dir.path(), "open", "hunter2\n", 0o644);
    private(dir.path(), "empty", "\n", 0o600);
    let cases = [
        (
            "authority = \"http://authority.example\"",
            "agent.authority: http://authority.example is not https, and nothing is sent in the clear; expected an address such as \"https://authority.example:8443\"; mend the value",
        ),
        (
            "authority = \"authority.example\"",
            "agent.authority: \"authority.example\" is not an address; expected an address such as \"https://authority.example:8443\"; mend the value",
        ),
        (
            "first_use = \"trust\"",
            "agent.first_use: trusting the first license authority that answers loosens what is licensed or specified; expected only on a node marked lab; remove it or add a [lab] section",
        ),
        (
            "report_usage_s = 0",
            "agent.report_usage_s: 0; expected a number of seconds, 1 to 86400; mend the value",
        ),
        (
            "proxy = { host = \"a b\", port = 1 }",
            "agent.proxy.host: \"a b\"; expected a host name or an address; mend the value",
        ),
        (
            "proxy = { host = \"a\", port = 1, username = \"u\" }",
            "agent.proxy.password_file: missing; expected the path of a file that holds the password and is for this user alone; add it",
        ),
        (
            "proxy = { host = \"a\", port = 1, password_file = \"empty\" }",
            "agent.proxy.password_file: it is of no use without agent.proxy.username; expected both or neither; add agent.proxy.username or remove it",
        ),
        (
            "proxy = { host = \"a\", port = 1, username = \"u\", password_file = \"open\" }",
            "agent.proxy.password_file: DIR/open is refused: others may read it, its mode is 644; expected the path of a file that holds the password and is for this user alone; mend the file or name another",
        ),
        (
            "proxy = { host = \"a\", port = 1, username = \"u\", password_file = \"empty\" }",
            "agent.proxy.password_file: DIR/empty is refused: its first line is not a password; expected the path of a file that holds the password and is for this user alone; mend the file or name another",
        ),
        (
            "trust_pool = \"empty\"",
            "agent.trust_pool: DIR/empty is refused: there is no certificate in it; expected the path of a file of root certificates in PEM; mend the file or name another",
        ),
        (
            "trust_pool = \"gone\"",
            "agent.trust_pool: DIR/gone is refused: No such file or directory (os error 2); expected the path of a file of root certificates in PEM; mend the file or name another",
        ),
    ];
    for (line, said) in cases {
        let text = and(&format!("[agent]\n{line}"));
        let error = Config::parse(&text, &dir.path().join(FILE)).unwrap_err();
        let error = error.to_string();
        let error = error.replace(&dir.path().display().to_string(), "DIR");
        let at = text.lines().position(|l| l == line).unwrap() + 1;
        assert_eq!(error, format!("DIR/gateway.toml:{at}: {said}"));
    }
}

//= L2
#[test]
fn a_lab_node_may_trust_the_first_authority() {
    let config = parse(&and("[agent]\nfirst_use = \"trust\"\n[lab]")).unwrap();
    assert!(config.agent.trust_first);
}

#[test]
fn alarms_on_use_are_off_unless_a_percentage_is_set() {
    assert_eq!(parse(LEAST).unwrap().thresholds, Thresholds::default());
    let text = and("[licensing]\nremaining_low_percent = 10\ncongestion_percent = 75");
    let threshold = |raise_percent, clear_percent| {
        Some(Threshold {
            raise_percent,
            clear_percent,
        })
    };
    let expected = Thresholds {
        remaining: threshold(10, 10),
        congestion: threshold(75, 65),
    };
    assert_eq!(parse(&text).unwrap().thresholds, expected);
}

const MANAGERS: &str = r#"[snmp]
enterprise = "1.3.6.1.4.1.32473.7"
suppress = ["tgLabSpeedup"]
listen = "192.0.2.3:161"
contact = "the noc"
[[snmp.community]]
community_file = "community"
read = ["1.3.6.1.2.1.1"]
[[snmp.user]]
name = "noc"
auth = "sha-256"
auth_file = "auth"
privacy = "aes-256"
privacy_file = "privacy"
[[snmp.user]]
name = "reader"
read = ["1", ".1.3.6.1.2.1"]
[[snmp.target]]
name = "first"
address = "192.0.2.1:162"
version = "v2c"
community_file = "community"
[[snmp.target]]
name = "second"
address = "[2001:db8::1]:162"
version = "v3"
user = "noc"
notify = "inform"
timeout_ms = 700
retries = 2
queue = 100
"#;

/// Files of passwords for [`MANAGERS`].
fn passwords() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    private(dir.path(), "auth", "maplesyrup\n", 0o600);
    private(dir.path(), "privacy", "syrupmaple\n", 0o600);
    private(dir.path(), "community", "hunter2\n", 0o600);
    private(dir.path(), "short", "sevenoc\n", 0o600);
    private(dir.path(), "open", "maplesyrup\n", 0o644);
    dir
}

#[test]
fn managers_are_spoken_to_as_is_written_and_no_secret_is_shown() {
    use ::snmp::target::Security;
    use ::snmp::usm::{AuthProtocol, Level, Secret};
    let dir = passwords();
    let config = Config::parse(&and(MANAGERS), &dir.path().join(FILE)).unwrap();
    let snmp = &config.snmp;
    assert_eq!(snmp.enterprise.to_string(), "1.3.6.1.4.1.32473.7");
    assert_eq!(snmp.engine.to_string(), "80007ed9046767736e2d31");
    assert_eq!(snmp.suppressed[0].row().name, "tgLabSpeedup");
    let [first, second] = snmp.targets.as_slice() else {
        panic!("{:?}", snmp.targets)
    };
    assert_eq!((first.target.inform, first.target.queue), (None, 10_000));
    assert!(matches!(&first.security, Security::V2c { community } if community.is(b"hunter2")));
    let inform = second.target.inform.unwrap();
    assert_eq!((inform.timeout.as_millis(), inform.retries), (700, 2));
    assert_eq!(second.target.queue, 100);
    let Security::V3 { user, level } = &second.security else {
        panic!("{:?}", second.security)
    };
    let key = Secret::of_password(AuthProtocol::Sha256, b"maplesyrup").unwrap();
    assert_eq!(user.auth, Some((AuthProtocol::Sha256, key)));
    assert_eq!(*level, Level::AuthPriv);
    assert_eq!(snmp.listen, Some("192.0.2.3:161".parse().unwrap()));
    let access = &snmp.access;
    let [(community, view)] = access.communities.as_slice() else {
        panic!("{access:?}")
    };
    let sees = |view: &::snmp::vacm::View, name: &str| view.contains(&name.parse().unwrap());
    assert!(community.is(b"hunter2") && sees(view, "1.3.6.1.2.1.1.1.0"));
    assert!(!sees(view, "1.3.6.1.2.1.2.1"));
    let views: Vec<_> = access
        .users
        .iter()
        .map(|(user, view)| (user.name.as_str(), view))
        .collect();
    assert!(
        matches!(views[..], [("noc", nothing), ("reader", all)] if nothing.is_empty() && sees(all, "1.2.3"))
    );
    let shown = format!("{config:?}");
    for secret in ["hunter2", "maplesyrup", "syrupmaple"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn managers_that_are_wrong_are_named_with_what_to_do() {
    let dir = passwords();
    let password = "the path of a file that holds a password of at least 8 characters, or a localized key, and is for this user alone";
    let cases = [
        ("enterprise = \"1.3.6.1.4.1.32473.7\"", "enterprise = \"1.3.6.1\"", "snmp.enterprise: \"1.3.6.1\"; expected an object identifier below 1.3.6.1.4.1 such as \"1.3.6.1.4.1.32473.1\"; mend the value".to_owned()),
        ("192.0.2.3:161", "0.0.0.0:161", "snmp.listen: 0.0.0.0:161; expected the address of one interface and a port such as \"192.0.2.1:161\"; mend the value".to_owned()),
        ("\"1.3.6.1.2.1.1\"", "\"sysName\"", "snmp.community[0].read: \"sysName\"; expected a list of object identifiers such as [\"1.3.6.1.2.1\"]; mend the value".to_owned()),
        ("tgLabSpeedup", "tgLab", "snmp.suppress[0]: \"tgLab\"; expected the name of a notification; mend the value".to_owned()),
        ("auth_file = \"auth\"", "auth_file = \"short\"", format!("snmp.user[0].auth_file: a password has at least 8 octets; expected {password}; mend the value")),
        ("auth_file = \"auth\"", "auth_file = \"open\"", format!("snmp.user[0].auth_file: DIR/open is refused: others may read it, its mode is 644; expected {password}; mend the file or name another")),
        ("sha-256", "sha-1", "snmp.user[0].privacy: the key has 20 octets, the protocol wants 32; expected \"aes-128\" or, with an auth of SHA-2, \"aes-256\"; mend the value".to_owned()),
        ("user = \"noc\"", "user = \"nok\"", "snmp.target[1].user: no user is called \"nok\"; expected noc, reader; mend the name".to_owned()),
        ("\"second\"", "\"first\"", "snmp.target[1].name: \"first\" is given twice; expected each target once; remove one".to_owned()),
        ("version = \"v2c\"", "version = \"v1\"\nnotify = \"inform\"", "snmp.target[0].notify: \"inform\" by version \"v1\"; expected \"trap\" or, not for version \"v1\", \"inform\"; mend the value".to_owned()),
        ("version = \"v3\"", "version = \"v2c\"", "snmp.target[1].user: a user by version \"v1\" or \"v2c\"; expected the name of a [[snmp.user]], for version \"v3\"; mend the value".to_owned()),
    ];
    for (line, instead, said) in cases {
        assert!(MANAGERS.contains(line), "{line}");
        let text = and(&MANAGERS.replacen(line, instead, 1));
        let error = Config::parse(&text, &dir.path().join(FILE)).unwrap_err();
        let error = error.to_string();
        let error = error.replace(&dir.path().display().to_string(), "DIR");
        let (_, problem) = error.split_once(": ").unwrap();
        assert_eq!(problem, said);
    }
}

#[test]
fn peers_are_allowed_by_service_and_interface() {
    let text = and(
        "[[allow]]\nservice = \"GGSN\"\ngn = [\"10.0.0.0/8\", \"192.0.2.7\", \"2001:db8::/32\", \"0.0.0.0/0\"]\n\
         [[allow]]\nservice = \"sgw\"\ns5s8 = [\"10.1.0.0/16\"]\ns11 = [\"::1\"]\n\
         [overload]\npeer_requests_per_s = 500",
    );
    let plane = parse(&text).unwrap().plane;
    let lists: Vec<_> = plane
        .allowed
        .iter()
        .map(|of| (of.interface, of.networks.len()))
        .collect();
    assert_eq!(
        lists,
        [(Interface::Gn, 4), (Interface::S5, 1), (Interface::S11, 1)]
    );
    assert_eq!(plane.allowed[0].networks[1].prefix, 32);
    assert_eq!(plane.allowed[2].networks[0].prefix, 128);
    assert_eq!((plane.rates.peer_per_s, plane.rates.all_per_s), (500, 0));
    let least = parse(LEAST).unwrap().plane;
    assert_eq!((least.allowed.len(), least.rates.peer_per_s), (0, 0));
    for wrong in [
        "10.0.0.0/33",
        "10.0.0.1/31",
        "::1/127",
        "10.0.0",
        "/8",
        "10.0.0.0/",
        "",
    ] {
        let text = and(&format!(
            "[[allow]]\nservice = \"GGSN\"\ngn = [\"{wrong}\"]"
        ));
        assert!(refused(&text).contains("allow[0].gn[0]"), "{wrong}");
    }
    let twice = and("[[allow]]\nservice = \"GGSN\"\n[[allow]]\nservice = \"GGSN\"");
    assert!(refused(&twice).contains("allow[1].service"));
}
