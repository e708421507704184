use proptest::prelude::*;

use super::*;
use crate::tag::{TagError, TagRef};

const UUID: &str = "85a577a1-017d-4dc6-8bf7-4fac7c4d465a";

fn tag(name: &str) -> String {
    format!("regid.2026-01.com.example.{name},1.0_{UUID}")
}

fn product(name: &str) -> String {
    let tag = tag(name);
    format!("[[product]]\nname = \"{name}\"\ntag = \"{tag}\"\ndescription = \"\"\n")
}

/// Six lines: TagId on the second, name, tag, description, sessions per license on the sixth.
fn service(id: u16, name: &str, tag: &str) -> String {
    format!(
        "[[service]]\ntag_id = {id}\nname = \"{name}\"\ntag = \"{tag}\"\ndescription = \"\"\nsessions_per_license = 10\n"
    )
}

/// Six lines: TagId on the second, name, tag, description, ties on the sixth.
fn feature(id: u16, name: &str, tag: &str, services: &str) -> String {
    format!(
        "[[feature]]\ntag_id = {id}\nname = \"{name}\"\ntag = \"{tag}\"\ndescription = \"\"\nservices = [{services}]\n"
    )
}

/// A product on lines 1 to 4, services A and B on 5 to 10 and 11 to 16, features X and Y on 17 to 22 and 23 to 28.
fn small() -> String {
    [
        product("P"),
        service(0, "A", &tag("A")),
        service(1, "B", &tag("B")),
        feature(0, "X", &tag("X"), "\"A\""),
        feature(1, "Y", &tag("Y"), "\"A\", \"B\""),
    ]
    .concat()
}

/// The fault of the small catalog after one replacement, which must be possible exactly once.
fn fault_of(from: &str, to: &str) -> (usize, CatalogFault) {
    let text = small();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let error = Catalog::parse(&text.replacen(from, to, 1)).expect_err(to);
    (error.line, error.fault)
}

fn form(fault: &CatalogFault) -> &str {
    let CatalogFault::Form(message) = fault else {
        panic!("not a fault of form: {fault}");
    };
    message
}

/// Tags exactly as printed, text breaks apart.
///
//= L1
#[test]
fn the_embedded_catalog_is_that_of_staros() {
    let catalog = Catalog::staros();
    let products: Vec<_> = catalog
        .products()
        .iter()
        .map(|p| (p.name.as_str(), p.tag.as_str()))
        .collect();
    assert_eq!(
        products,
        [
            (
                "ASR5500",
                "regid.2017-02.com.cisco.ASR5500,1.0_401f2e9e-67fd-4131-b61d-6e229d13a338"
            ),
            (
                "VPC_SI",
                "regid.2017-02.com.cisco.VPC_SI,1.0_dcb12293-10c0-4e90-b35e-b10a9f8bfac1"
            ),
            (
                "VPC_DI",
                "regid.2017-02.com.cisco.VPC_DI,1.0_5cb68f91-c1d6-48d6-9482-e9750203f5e6"
            ),
        ]
    );
    let services: Vec<_> = catalog
        .services()
        .iter()
        .map(|s| (s.tag_id.0, s.name.as_str(), s.tag.as_str()))
        .collect();
    assert_eq!(services, SERVICES);
    for service in catalog.services() {
        assert_eq!(service.sessions_per_license.get(), 10_000);
        assert_eq!(
            (service.rule.on_ooc, service.rule.grace_days),
            (OnOoc::Block, 0)
        );
    }
    let features: Vec<_> = catalog
        .features()
        .iter()
        .map(|f| (f.tag_id.0, f.name.as_str(), f.tag.as_str()))
        .collect();
    assert_eq!(features, FEATURES);
    for feature in catalog.features() {
        assert_eq!(feature.tie, Tie::Service);
        assert_eq!(
            (feature.rule.on_ooc, feature.rule.grace_days),
            (OnOoc::Block, 90)
        );
    }
}

const SERVICES: [(u16, &str, &str); 7] = [
    (
        0,
        "PGW",
        "regid.2017-02.com.cisco.ASR5K-00-PW10GTWY,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a",
    ),
    (
        1,
        "SAEGW",
        "regid.2017-02.com.cisco.ASR5K-00-SG10,1.0_e87d1e76-e34c-4699-94ad-68eafa2da8b2",
    ),
    (
        2,
        "GGSN",
        "regid.2017-02.com.cisco.ASR5K-00-GN10SESS,1.0_bf7eb1d7-35bf-40c6-8763-a4770f5ebf64",
    ),
    (
        3,
        "SGW",
        "regid.2017-02.com.cisco.ASR5K-00-SW10LIC,1.0_ca9d09ee-5e72-4695-97ef-d5117037cfb4",
    ),
    (
        4,
        "MME",
        "regid.2017-02.com.cisco.ASR5K-00-ME10LIC,1.0_37a452c9-ff23-41fc-b96c-c8b2eb09254b",
    ),
    (
        5,
        "ePDG",
        "regid.2017-02.com.cisco.ASR5K-00-EG10S-K9,1.0_5c625d0f-8b2c-4c44-970b-9668a072890f",
    ),
    (
        6,
        "SaMOG",
        "regid.2017-02.com.cisco.ASR5K-00-SM10S-K9,1.0_289f4807-fb6e-4750-b047-a9d57e7b045f",
    ),
];

const FEATURES: [(u16, &str, &str); 9] = [
    (
        0,
        "GRE",
        "regid.2017-11.com.cisco.ASR5K-00-CS01GRET,1.0_284ba242-a2ef-4ad0-b445-b62ed3887d3b",
    ),
    (
        1,
        "MPLS",
        "regid.2017-11.com.cisco.ASR5K-00-CS01MPLS,1.0_1b1221cd-39de-4113-8709-dad022c0a063",
    ),
    (
        2,
        "Session-Recovery",
        "regid.2017-11.com.cisco.ASR5K-00-GN01REC,1.0_88542f00-077b-4ed0-9698-a3cec699a047",
    ),
    (
        3,
        "ICSR",
        "regid.2017-11.com.cisco.ASR5K-00-GN01ICSR,1.0_d0bca3e3-1218-4e91-98f6-207a20a5401a",
    ),
    (
        4,
        "VoLTE",
        "regid.2017-11.com.cisco.ASR5K-00-EP01VLE,1.0_a6c3d615-0b37-4f4a-8c34-3090ed5e265c",
    ),
    (
        5,
        "ICSR-Enhanced",
        "regid.2017-11.com.cisco.ASR5K-00-EP01ICSE,1.0_bf87e837-003e-4832-b29f-ce0416699b01",
    ),
    (
        6,
        "ICSR-SR-Performance",
        "regid.2017-11.com.cisco.ASR5K-00-PWXICSRP,1.0_079a8bd2-a97d-4d12-bc5a-b0f70eec6c26",
    ),
    (
        7,
        "IPSec",
        "regid.2017-11.com.cisco.ASR5K-00-CS01I-K9,1.0_a6e5539c-ab69-4303-b2a8-e71c03ac2a08",
    ),
    (
        8,
        "ePDG-Reselection",
        "regid.2017-11.com.cisco.ASR5K-00-EG01RS,1.0_b7f0b7d1-0d68-4223-abb1-381c3ac968ec",
    ),
];

//= L1
//= L12
#[test]
fn the_embedded_ties_are_the_documented_ones() {
    let catalog = Catalog::staros();
    let ties = |name: &str| -> Vec<&str> {
        let feature = catalog.feature_named(name).unwrap();
        let services = catalog.features()[feature.at()].services.iter();
        services
            .map(|s| catalog.services()[s.at()].name.as_str())
            .collect()
    };
    let every = ["PGW", "SAEGW", "GGSN", "SGW", "MME", "ePDG", "SaMOG"];
    for name in ["GRE", "MPLS", "IPSec", "ICSR"] {
        assert_eq!(ties(name), every, "{name}");
    }
    assert_eq!(
        ties("Session-Recovery"),
        ["PGW", "SAEGW", "GGSN", "MME", "ePDG", "SaMOG"]
    );
    assert_eq!(ties("VoLTE"), ["PGW", "SAEGW"]);
    assert_eq!(ties("ICSR-Enhanced"), ["PGW", "SAEGW", "SGW"]);
    assert_eq!(ties("ICSR-SR-Performance"), ["PGW", "SAEGW", "GGSN"]);
    assert_eq!(ties("ePDG-Reselection"), ["ePDG"]);
    let sgw = catalog.service_named("sgw").unwrap();
    let tied: Vec<u8> = catalog.tied_to(sgw).iter().map(|f| f.0).collect();
    assert_eq!(tied, [0, 1, 3, 5, 7]);
}

#[test]
fn names_are_found_in_any_letter_case() {
    let catalog = Catalog::staros();
    assert_eq!(catalog.service_named("ggsn"), Some(ServiceIndex(2)));
    assert_eq!(catalog.service_named("EPDG"), Some(ServiceIndex(5)));
    assert_eq!(catalog.feature_named("VOLTE"), Some(FeatureIndex(4)));
    assert_eq!(catalog.service_named("GGS"), None);
    assert_eq!(catalog.product("vpc_si").unwrap().name, "VPC_SI");
    assert!(catalog.product("VPC").is_none());
}

#[test]
fn a_small_catalog_is_read_with_its_rules_and_ties() {
    let text = small().replace(
        "services = [\"A\", \"B\"]\n",
        "services = [\"b\", \"A\"]\ntie = \"call\"\non_ooc = \"allow\"\ngrace_days = 7\n",
    );
    let catalog = Catalog::parse(&text).unwrap();
    let y = &catalog.features()[1];
    assert_eq!(y.services, [ServiceIndex(0), ServiceIndex(1)]);
    assert_eq!(y.tie, Tie::Call);
    assert_eq!((y.rule.on_ooc, y.rule.grace_days), (OnOoc::Allow, 7));
    assert_eq!(catalog.services()[1].sessions_per_license.get(), 10);
}

//= L1
#[test]
fn what_is_there_twice_is_refused() {
    assert_eq!(
        fault_of("tag_id = 1\nname = \"B\"", "tag_id = 0\nname = \"B\""),
        (
            12,
            CatalogFault::DuplicateTagId {
                tag_id: TagId(0),
                kind: "service",
                line: 6
            }
        )
    );
    assert_eq!(
        fault_of("tag_id = 1\nname = \"Y\"", "tag_id = 0\nname = \"Y\""),
        (
            24,
            CatalogFault::DuplicateTagId {
                tag_id: TagId(0),
                kind: "feature",
                line: 18
            }
        )
    );
    for (of, line) in [("B", 14), ("X", 20), ("Y", 26)] {
        assert_eq!(
            fault_of(&tag(of), &tag("A")),
            (line, CatalogFault::DuplicateTag { line: 8 })
        );
    }
    assert_eq!(
        fault_of(&tag("A"), &tag("P")),
        (8, CatalogFault::DuplicateTag { line: 3 })
    );
    assert_eq!(
        fault_of("name = \"B\"", "name = \"a\""),
        (
            13,
            CatalogFault::DuplicateName {
                name: "a".into(),
                kind: "service",
                line: 7
            }
        )
    );
    assert_eq!(
        fault_of("name = \"Y\"", "name = \"X\""),
        (
            25,
            CatalogFault::DuplicateName {
                name: "X".into(),
                kind: "feature",
                line: 19
            }
        )
    );
}

#[test]
fn a_service_and_a_feature_may_share_name_and_tag_id() {
    let text = small().replace("name = \"X\"", "name = \"A\"");
    assert_eq!(Catalog::parse(&text).unwrap().features()[0].name, "A");
}

//= L1
#[test]
fn white_space_in_a_tag_is_refused() {
    for white in [" ", "\\t", "\\n", "\u{a0}"] {
        let broken = tag("B").replace(",1.0", &format!(",{white}1.0"));
        let at = tag("B").find("1.0").unwrap();
        let fault = CatalogFault::Tag(TagError::WhiteSpace(at));
        assert_eq!(fault_of(&tag("B"), &broken), (14, fault));
    }
    assert_eq!(
        fault_of(&tag("X"), "regid.2026.com"),
        (
            20,
            CatalogFault::Tag(TagError::Form("the date is not YYYY-MM"))
        )
    );
}

//= L1
#[test]
fn a_license_for_no_session_is_refused() {
    let from = "sessions_per_license = 10\n[[feature]]\ntag_id = 0";
    let to = "sessions_per_license = 0\n[[feature]]\ntag_id = 0";
    assert_eq!(fault_of(from, to), (16, CatalogFault::NoSessionsPerLicense));
    let error = Catalog::parse(&small().replacen("= 10", "= -1", 1)).unwrap_err();
    assert_eq!(error.line, 10);
    assert!(form(&error.fault).contains("-1"), "{error}");
}

//= L1
#[test]
fn more_entries_than_an_index_can_number_are_refused() {
    let services = |n: u16| -> String {
        (0..n)
            .map(|i| service(i, &format!("S{i}"), &tag(&format!("S{i}"))))
            .collect()
    };
    let features = |n: u16| -> String {
        (0..n)
            .map(|i| feature(i, &format!("F{i}"), &tag(&format!("F{i}")), "\"S63\""))
            .collect()
    };
    let full = Catalog::parse(&(product("P") + &services(64) + &features(64))).unwrap();
    assert_eq!((full.services().len(), full.features().len()), (64, 64));
    assert_eq!(full.features()[63].services, [ServiceIndex(63)]);

    let error = Catalog::parse(&(product("P") + &services(65))).unwrap_err();
    let kind = "service";
    assert_eq!(
        (error.line, error.fault),
        (4 + 64 * 6 + 3, CatalogFault::TooMany { kind, max: 64 })
    );
    let error = Catalog::parse(&(product("P") + &services(64) + &features(65))).unwrap_err();
    let kind = "feature";
    assert_eq!(
        (error.line, error.fault),
        (4 + 128 * 6 + 3, CatalogFault::TooMany { kind, max: 64 })
    );
    let products: String = (0..65).map(|i| product(&format!("P{i}"))).collect();
    let error = Catalog::parse(&(products + &services(1))).unwrap_err();
    let kind = "product";
    assert_eq!(
        (error.line, error.fault),
        (64 * 4 + 2, CatalogFault::TooMany { kind, max: 64 })
    );
}

//= L1
#[test]
fn a_catalog_without_product_or_service_is_refused() {
    for (text, kind) in [
        (String::new(), "product"),
        (service(0, "A", &tag("A")), "product"),
        (product("P"), "service"),
    ] {
        let error = Catalog::parse(&text).unwrap_err();
        assert_eq!((error.line, error.fault), (1, CatalogFault::None { kind }));
    }
    assert!(Catalog::parse(&(product("P") + &service(0, "A", &tag("A")))).is_ok());
}

//= L1
#[test]
fn a_tie_to_an_unknown_service_is_refused() {
    assert_eq!(
        fault_of("services = [\"A\"]", "services = [\"C\"]"),
        (22, CatalogFault::UnknownService("C".into()))
    );
    assert_eq!(
        fault_of("services = [\"A\", \"B\"]", "services = [\n\"A\",\n\"a\"]"),
        (30, CatalogFault::TiedTwice("a".into()))
    );
}

//= L1
#[test]
fn unknown_missing_and_mistyped_keys_are_refused_with_their_line() {
    let (line, fault) = fault_of("name = \"B\"", "name = \"B\"\ncolour = \"red\"");
    assert_eq!(line, 14);
    assert!(form(&fault).contains("unknown field `colour`"), "{fault}");

    let (line, fault) = fault_of("[[product]]", "edition = 3\n[[product]]");
    assert_eq!(line, 1);
    assert!(form(&fault).contains("unknown field `edition`"), "{fault}");

    let (line, fault) = fault_of("name = \"B\"\n", "");
    assert_eq!(line, 11);
    assert!(form(&fault).contains("missing field `name`"), "{fault}");

    let (line, fault) = fault_of("name = \"B\"", "name = 5");
    assert_eq!(line, 13);
    assert!(form(&fault).contains("expected a string"), "{fault}");

    let (line, fault) = fault_of(
        "services = [\"A\"]",
        "services = [\"A\"]\ntie = \"loosely\"",
    );
    assert_eq!(line, 23);
    assert!(form(&fault).contains("`loosely`"), "{fault}");

    let (line, fault) = fault_of("tag_id = 1\nname = \"Y\"", "tag_id = 65536\nname = \"Y\"");
    assert_eq!(line, 24);
    assert!(form(&fault).contains("65536"), "{fault}");

    let (line, fault) = fault_of("name = \"Y\"", "name = \"Y\"\nname = \"Z\"");
    assert_eq!(line, 26);
    assert!(form(&fault).contains("duplicate key"), "{fault}");

    let (line, fault) = fault_of("name = \"Y\"", "name = \"Y");
    assert_eq!(line, 25, "{fault}");
}

#[test]
fn names_are_keywords_and_descriptions_one_line() {
    let long = "n".repeat(NAME_MAX_BYTES + 1);
    for name in ["", "Two Words", "7up", "-x", "Ü", "a.b", &long] {
        assert_eq!(
            fault_of("name = \"B\"", &format!("name = \"{name}\"")),
            (13, CatalogFault::Name(name.into()))
        );
    }
    let long = "d".repeat(DESCRIPTION_MAX_BYTES + 1);
    for description in ["two\\nlines", "\\u001b[2J", &long] {
        let text = small().replacen(
            "description = \"\"",
            &format!("description = \"{description}\""),
            1,
        );
        let error = Catalog::parse(&text).unwrap_err();
        assert_eq!((error.line, error.fault), (4, CatalogFault::Description));
    }
}

#[test]
fn an_error_reads_as_line_and_reason() {
    let error = Catalog::parse(&small().replacen(&tag("B"), &tag("A"), 1)).unwrap_err();
    assert_eq!(error.to_string(), "line 14: the tag is taken by line 8");
}

//= L1
#[test]
fn a_reload_keeps_what_is_in_use() {
    let old = Catalog::parse(&small()).unwrap();
    let b = TagRef::Service(ServiceIndex(1));
    let y = TagRef::Feature(FeatureIndex(1));
    let shrunk = [
        product("P"),
        service(0, "A", &tag("A")),
        feature(0, "X", &tag("X"), "\"A\""),
    ]
    .concat();
    let renamed = |from: &str, to: &str| small().replacen(from, to, 1);
    let sessions = small().replacen("= 10\n[[feature]]", "= 11\n[[feature]]", 1);
    let with = |key: &str| small() + key + "\n";
    let moved = "replaced, moved or renamed";
    let changes = [
        (b, "B", shrunk.clone(), "removed"),
        (b, "B", renamed(&tag("B"), &tag("C")), moved),
        (
            b,
            "B",
            renamed("tag_id = 1\nname = \"B\"", "tag_id = 2\nname = \"B\""),
            moved,
        ),
        (b, "B", small().replace("\"B\"", "\"C\""), moved),
        (b, "B", sessions, "given other sessions per license"),
        (
            b,
            "B",
            renamed("= 10\n[[feature]]", "= 10\ngrace_days = 1\n[[feature]]"),
            "given another rule",
        ),
        (y, "Y", shrunk, "removed"),
        (y, "Y", renamed("\"Y\"", "\"Z\""), moved),
        (y, "Y", with("tie = \"call\""), "tied in another way"),
        (y, "Y", with("on_ooc = \"allow\""), "given another rule"),
        (
            y,
            "Y",
            renamed("\"A\", \"B\"", "\"A\""),
            "tied to other services",
        ),
    ];
    for (tag, name, text, change) in changes {
        let new = Catalog::parse(&text).unwrap();
        let error = old.check_reload(&new, |t| t == tag).unwrap_err();
        assert_eq!((error.name.as_str(), error.change), (name, change));
        let other = |t| t == TagRef::Service(ServiceIndex(0));
        assert_eq!(old.check_reload(&new, other), Ok(()), "{change}");
    }
    let described = small().replace("description = \"\"", "description = \"new\"");
    let described = Catalog::parse(&described).unwrap();
    assert_eq!(old.check_reload(&described, |_| true), Ok(()));
}

proptest! {
    /// Whatever is cut, doubled or overwritten, the answer is a catalog or a line that is there.
    #[test]
    fn no_text_makes_it_panic(at in 0..STAROS.len(), to in 0..STAROS.len(), put in "[\\PC\n]{0,8}") {
        let text: String = match at <= to {
            true => [&STAROS[..at], &put, &STAROS[to..]].concat(),
            false => [&STAROS[..at], &put, &STAROS[to..at], &STAROS[at..]].concat(),
        };
        if let Err(error) = Catalog::parse(&text) {
            prop_assert!(error.line >= 1 && error.line <= 1 + text.lines().count(), "{}", error);
        }
    }
}
