use licensing::{Entitlement, LicenseCount, Tag, Wall};

use super::*;

const PGW: &str =
    "regid.2017-02.com.cisco.ASR5K-00-PW10GTWY,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a";
const INSTANCE: &str = "0a1b2c3d-0000-4000-8000-00000000000f";

fn tag() -> Tag {
    Tag::new(PGW).unwrap()
}

fn header() -> Header {
    Header {
        version: Version,
        timestamp: Wall(1_795_300_000_000),
        nonce: Nonce(7_648_446_339_161_391_345),
        sudi: Sudi {
            udi_pid: "VPC-SI".into(),
            udi_serial_number: "1".into(),
        },
        product_instance_identifier: Some(InstanceId::new(INSTANCE).unwrap()),
        id_cert_serial_number: Some(Serial::of(&[0, 0x0f, 0xa0])),
        signing_cert_serial_number: None,
        orders: None,
    }
}

fn report() -> ReportText {
    let report = UsageReport {
        report_id: 1,
        previous: None,
        start: Wall(1),
        end: Wall(300_001),
        interval_ms: 300_000,
        entries: vec![ReportEntry {
            tag: tag(),
            licenses: LicenseCount(2),
            peak: LicenseCount(3),
            license_ms: 700_000,
        }],
    };
    report.text()
}

fn entitlement() -> Request {
    let demand = TagDemand {
        tag: tag(),
        in_use: LicenseCount(2),
        requested: LicenseCount(3),
        held: None,
    };
    Request {
        header: header(),
        body: RequestBody::Entitlement(EntitlementRequest {
            tags: vec![demand],
            reports: vec![report()],
            oldest_report: Some(1),
        }),
    }
}

fn authorized() -> Reply {
    let header = ReplyHeader {
        version: Version,
        timestamp: Wall(1_795_300_000_100),
        calendar: Wall(1_795_300_000_100),
        nonce: header().nonce,
        request_type: RequestType::Entitlement,
        product_instance_identifier: header().product_instance_identifier,
        lab: None,
    };
    let granted = Entitlement {
        licenses: LicenseCount(3),
        until: Some(Wall(1_800_000_000_000)),
    };
    let answer = AuthorizationAnswer {
        verdicts: vec![TagVerdict {
            tag: tag(),
            verdict: Verdict::Authorized,
            granted: Some(granted),
        }],
        receipt: Receipt {
            last: Some(Acknowledged {
                report_id: 1,
                digest: Digest([0xab; 32]),
            }),
            taken: vec![1],
            forked: false,
        },
        renew_s: 2_592_000,
        ooc_retry_s: 43_200,
        deadline_s: 7_776_000,
    };
    Reply {
        header,
        body: ReplyBody::Ok(Answer::Authorization(answer)),
        orders: None,
    }
}

/// Stands in for a signature: it says what it is over.
fn sum(octets: &[u8]) -> Vec<u8> {
    let sum = octets
        .iter()
        .fold(7u64, |sum, octet| sum.rotate_left(9) ^ u64::from(*octet));
    sum.to_be_bytes().to_vec()
}

fn sealed(request: &Request) -> Envelope {
    Envelope::seal(request, [9; 32], sum)
}

fn good(octets: &[u8], signature: &Signature) -> bool {
    signature.value.0 == sum(octets)
}

#[test]
fn a_request_is_a_string_in_an_envelope_with_the_signature_beside_it() {
    let octets = sealed(&entitlement()).octets();
    let text = String::from_utf8(octets).unwrap();
    let begin = r#"{"request":"{\"header\":{\"version\":\"1.0\",\"timestamp\":1795300000000,\"nonce\":\"7648446339161391345\",\"sudi\":{\"udi_pid\":\"VPC-SI\",\"udi_serial_number\":\"1\"},\"product_instance_identifier\":\"0a1b2c3d-0000-4000-8000-00000000000f\",\"id_cert_serial_number\":\"0fa0\",\"signing_cert_serial_number\":null},\"body\":{\"request_type\":\"ENTITLEMENT\",\"request_data\":{\"tags\":[{\"tag\":\"regid.2017-02.com.cisco.ASR5K-00-PW10GTWY,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a\",\"in_use\":2,\"requested\":3,\"held\":null}],\"reports\":[\"{\\\"report_id\\\":1,\\\"previous\\\":null,"#;
    assert!(text.starts_with(begin), "{text}");
    let end = r#"\"oldest_report\":1}}}","credential":{"public_key":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="},"signature":{"type":"ED25519","value":"#;
    assert!(text.contains(end), "{text}");
}

#[test]
fn an_answer_has_its_status_and_the_chain_of_its_signer() {
    let chain = vec![Octets(vec![1]), Octets(vec![2, 3])];
    let octets = ReplyEnvelope::seal(&authorized(), chain, sum).octets();
    let text = String::from_utf8(octets).unwrap();
    let parts = [
        r#"\"request_type\":\"ENTITLEMENT\",\"product_instance_identifier\":\"0a1b2c3d-0000-4000-8000-00000000000f\",\"lab\":null},\"body\":{\"status\":\"OK\",\"of\":{\"response_type\":\"AUTHORIZATION\",\"response_data\":{\"verdicts\":[{\"tag\":"#,
        r#"\"verdict\":\"AUTHORIZED\",\"granted\":{\"licenses\":3,\"until\":1800000000000}}],\"receipt\":{\"last\":{\"report_id\":1,\"digest\":\"abababab"#,
        r#"\"taken\":[1],\"forked\":false},\"renew_s\":2592000,\"ooc_retry_s\":43200,\"deadline_s\":7776000}}}}","chain":["AQ==","AgM="],"calendar":1795300000100,"signature":{"type":"ED25519","#,
    ];
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn every_kind_of_request_and_answer_survives_the_way() {
    let csr = Octets(vec![0x30, 0]);
    let bodies = [
        RequestBody::Registration(Registration {
            idtoken: IdToken::new("YWJjZGVmZ2hpamtsbW5v%3D").unwrap(),
            csr: csr.clone(),
            software_tag_identifier: tag(),
            software_version: "0.1.0".into(),
            hostname: Some("gw1".into()),
            force: true,
            lab: false,
        }),
        RequestBody::Renew(Renewal {
            csr: csr.clone(),
            certificate: csr.clone(),
            software_tag_identifier: tag(),
        }),
        entitlement().body,
        RequestBody::Acknowledgement(Acknowledgement {
            id_cert_serial_number: Serial::of(&[1]),
        }),
        RequestBody::Deregistration(Deregistration {
            reports: vec![report()],
            oldest_report: None,
        }),
        RequestBody::TrustPool(TrustRequest {}),
    ];
    for body in bodies {
        let header = header();
        let kind = body.kind();
        let request = Request { header, body };
        let envelope = Envelope::read(&sealed(&request).octets()).unwrap();
        let named = format!("\"request_type\":\"{kind}\"");
        assert!(envelope.request.contains(&named), "{named}");
        assert_eq!(envelope.open(good).unwrap(), request);
    }
    let answers = [
        ReplyBody::Ok(Answer::Registration(RegistrationAnswer {
            product_instance_identifier: InstanceId::new(INSTANCE).unwrap(),
            certificates: vec![csr.clone()],
            smart_account: "example.com".into(),
            virtual_account: "Default".into(),
            renew_s: 15_552_000,
        })),
        authorized().body,
        ReplyBody::Ok(Answer::Acknowledgement {}),
        ReplyBody::Ok(Answer::Deregistration {
            receipt: Receipt::default(),
        }),
        ReplyBody::Ok(Answer::TrustPool(TrustAnswer::default())),
        ReplyBody::OkPoll { poll_interval_s: 5 },
        ReplyBody::Failed {
            code: FailureCode::TokenExpired,
            message: "it expired".into(),
            retry_after_s: None,
        },
    ];
    for body in answers {
        let reply = Reply {
            body,
            ..authorized()
        };
        let octets = ReplyEnvelope::seal(&reply, Vec::new(), sum).octets();
        let envelope = ReplyEnvelope::read(&octets).unwrap();
        assert_eq!(envelope.open(|_, _| Ok::<_, WireError>(())).unwrap(), reply);
    }
}

#[test]
fn a_text_is_not_looked_into_before_its_signature_was_found_good() {
    let mut envelope = sealed(&entitlement());
    envelope.request = "not even JSON".into();
    let error = envelope.open(good).unwrap_err();
    assert!(matches!(error, WireError::NotAuthentic), "{error}");
    let mut reply = ReplyEnvelope::seal(&authorized(), Vec::new(), sum);
    reply.response = "not even JSON".into();
    let error = reply.open(|_, _| Err(WireError::NotAuthentic)).unwrap_err();
    assert!(matches!(error, WireError::NotAuthentic), "{error}");
}

#[test]
fn one_octet_changed_and_the_signature_is_not_good() {
    let envelope = sealed(&entitlement());
    for at in 0..envelope.request.len() {
        let mut request = envelope.request.clone().into_bytes();
        request[at] ^= 1;
        let changed = Envelope {
            request: String::from_utf8(request).unwrap(),
            ..envelope.clone()
        };
        assert!(matches!(changed.open(good), Err(WireError::NotAuthentic)));
    }
    let spaced = Envelope {
        request: envelope.request.replace(':', ": "),
        ..envelope.clone()
    };
    assert!(matches!(spaced.open(good), Err(WireError::NotAuthentic)));
    assert!(envelope.open(good).is_ok());
}

#[test]
fn the_calendar_beside_the_text_is_the_one_inside() {
    let mut reply = ReplyEnvelope::seal(&authorized(), Vec::new(), sum);
    reply.calendar.0 += 1;
    let error = reply.open(|_, _| Ok::<_, WireError>(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "envelope and text do not agree on the calendar"
    );
}

/// The envelope with its text changed and signed again.
fn changed(from: &str, to: &str) -> Result<Request, WireError> {
    let mut envelope = sealed(&entitlement());
    assert!(envelope.request.contains(from), "{from}");
    envelope.request = envelope.request.replacen(from, to, 1);
    envelope.signature.value = Octets(sum(envelope.request.as_bytes()));
    envelope.open(good)
}

//= TS 33.117 4.3.6.3
#[test]
fn what_is_not_of_the_form_is_refused_and_the_cause_named() {
    let cases = [
        (
            r#""version":"1.0""#,
            r#""version":"2.0""#,
            "version 2.0 is not understood, only 1.0",
        ),
        (
            r#""nonce":"7648"#,
            r#""nonce":"+7648"#,
            "a nonce is a decimal number below 2^64",
        ),
        (
            r#""nonce":"7648"#,
            r#""nonce":"99997648"#,
            "a nonce is a decimal number below 2^64",
        ),
        (
            "0a1b2c3d-",
            "0A1B2C3D-",
            "a product instance identifier is a UUID in lower case",
        ),
        (
            r#""0fa0""#,
            r#""0x0fa0""#,
            "a serial number is 1 to 40 lower-case hexadecimal digits",
        ),
        (r#""in_use":2"#, r#""in_use":-2"#, "expected u32"),
        (
            r#""in_use":2"#,
            r#""in_use":2,"in_use":9"#,
            "duplicate field `in_use`",
        ),
        (
            r#""in_use":2"#,
            r#""in_use":2,"more":9"#,
            "unknown field `more`",
        ),
        (
            r#""held":null"#,
            r#""held":null,"tag":"x""#,
            "duplicate field `tag`",
        ),
        (
            r#""sudi":{"#,
            r#""sudi":{"vid":"V01","#,
            "unknown field `vid`",
        ),
        (
            r#""body":{"#,
            r#""extra":1,"body":{"#,
            "unknown field `extra`",
        ),
        (
            r#""ENTITLEMENT""#,
            r#""ENTITLEMENTS""#,
            "unknown variant `ENTITLEMENTS`",
        ),
        (
            r#""request_data":{"#,
            r#""request_data":{"force":true,"#,
            "unknown field `force`",
        ),
        (
            r#"regid.2017-02"#,
            r#"regid.2017"#,
            "the date is not YYYY-MM",
        ),
        (
            r#""timestamp":1795300000000"#,
            r#""timestamp":1795300000000.5"#,
            "expected i64",
        ),
    ];
    for (from, to, expected) in cases {
        let error = changed(from, to).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
    assert!(changed(r#""in_use":2"#, r#""in_use":3"#).is_ok());
}

#[test]
fn a_message_cut_short_anywhere_is_refused() {
    let octets = sealed(&entitlement()).octets();
    for length in 0..octets.len() {
        assert!(Envelope::read(&octets[..length]).is_err(), "{length}");
    }
    let octets = ReplyEnvelope::seal(&authorized(), Vec::new(), sum).octets();
    for length in 0..octets.len() {
        assert!(ReplyEnvelope::read(&octets[..length]).is_err(), "{length}");
    }
}

fn refused(change: impl FnOnce(&mut EntitlementRequest)) -> String {
    let mut request = entitlement();
    let RequestBody::Entitlement(body) = &mut request.body else {
        unreachable!("it is one");
    };
    change(body);
    sealed(&request).open(good).unwrap_err().to_string()
}

#[test]
fn whatever_has_more_than_it_may_is_refused() {
    let error = refused(|body| body.tags = vec![body.tags[0].clone(); TAGS_MAX + 1]);
    assert_eq!(error, "the list of tags has 129, at most 128 are taken");
    let error = refused(|body| body.reports = vec![report(); REPORTS_MAX + 1]);
    assert_eq!(error, "the list of reports has 17, at most 16 are taken");
    let long = |bytes| ReportText::from_written("x".repeat(bytes));
    let error = refused(|body| body.reports = vec![long(REPORT_BYTES_MAX + 1)]);
    assert_eq!(error, "a report has 32769, at most 32768 are taken");
    let error = refused(|body| body.reports = vec![long(REPORTS_BYTES_MAX / 16 + 1); 16]);
    assert_eq!(error, "all reports has 262160, at most 262144 are taken");

    let mut request = entitlement();
    request.header.sudi.udi_pid = "x".repeat(256);
    let error = sealed(&request).open(good).unwrap_err().to_string();
    assert_eq!(
        error,
        "the product identifier has 256, at most 255 are taken"
    );

    let chain = vec![Octets(vec![1]); CHAIN_MAX + 1];
    let octets = ReplyEnvelope::seal(&authorized(), chain, sum).octets();
    let error = ReplyEnvelope::read(&octets).unwrap_err().to_string();
    assert_eq!(error, "the chain has 5, at most 4 are taken");

    let octets = vec![b' '; MESSAGE_BYTES_MAX + 1];
    let error = Envelope::read(&octets).unwrap_err().to_string();
    assert_eq!(
        error,
        "the message has 1048577 bytes, at most 1048576 are taken"
    );
}

#[test]
fn the_largest_message_that_may_be_is_below_the_bound() {
    let mut request = entitlement();
    let RequestBody::Entitlement(body) = &mut request.body else {
        unreachable!("it is one");
    };
    body.tags = vec![body.tags[0].clone(); TAGS_MAX];
    let mut entries = report().read().unwrap().entries;
    entries[0].license_ms = u64::MAX;
    let mut full = report().read().unwrap();
    full.entries = vec![entries[0].clone(); TAGS_MAX];
    let full = full.text();
    assert!(full.as_str().len() < REPORT_BYTES_MAX);
    let fit = REPORTS_BYTES_MAX / full.as_str().len();
    body.reports = vec![full; fit];
    let octets = sealed(&request).octets();
    assert!(octets.len() < MESSAGE_BYTES_MAX, "{}", octets.len());
}

#[test]
fn a_report_is_kept_as_the_text_that_was_written() {
    let text = report();
    assert_eq!(text.read().unwrap().text(), text);
    let odd = ReportText::from_written(text.as_str().replace(':', ": "));
    assert_eq!(odd.read().unwrap(), text.read().unwrap());
    assert_ne!(odd, text);
    assert!(ReportText::from_written("{}".into()).read().is_err());
}

#[test]
fn a_code_of_a_newer_authority_is_another_failure() {
    let text = r#"{"status":"FAILED","of":{"code":"MOON_PHASE","message":"m","retry_after_s":9}}"#;
    let body: ReplyBody = serde_json::from_str(text).unwrap();
    let ReplyBody::Failed { code, .. } = body else {
        panic!("{body:?}");
    };
    assert_eq!(code, FailureCode::Other);
}

#[test]
fn a_token_shows_itself_nowhere() {
    let token = IdToken::new("c2VjcmV0LXNlY3JldA==").unwrap();
    assert_eq!(format!("{token:?}"), "IdToken(..)");
    assert_eq!(token.reveal(), "c2VjcmV0LXNlY3JldA==");
    for bad in [
        "short",
        "with white space in it",
        "quoted\"quoted\"quoted",
        &"x".repeat(513),
    ] {
        assert_eq!(IdToken::new(bad), Err(PartError::IdToken));
    }
}

#[test]
fn serial_numbers_are_their_octets_without_leading_zeros() {
    for (octets, text) in [
        (&[0x00, 0xff, 0x00][..], "ff00"),
        (&[0x01], "01"),
        (&[0x00], "00"),
        (&[], "00"),
    ] {
        assert_eq!(Serial::of(octets).as_str(), text);
    }
}

#[test]
fn the_purpose_of_the_signer_reads_the_same_both_ways() {
    let mut octets = vec![u8::try_from(SIGNER_PURPOSE[0] * 40 + SIGNER_PURPOSE[1]).unwrap()];
    for arc in &SIGNER_PURPOSE[2..] {
        let mut groups = vec![u8::try_from(arc & 0x7f).unwrap()];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        octets.extend(groups.iter().rev());
    }
    assert_eq!(octets, SIGNER_PURPOSE_DER);
}
