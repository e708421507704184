//! What a usage report costs in a pool of 300,000 product instances, over the same in one of 3,000.
//!
//! Two authorities, each with its store on disk: 3,000 instances are registered by messages in both, and in one of them
//! the rest is loaded, each with a key and a certificate of its own. Reports of registered instances go to either in turn.
//! The last two lines are figures: `ID VALUE target TARGET ok|short`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a measurement ends by it")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::smart::{
    Acknowledgement, Answer, Digest, EntitlementRequest, Envelope, Header, IdToken, InstanceId,
    Nonce, Octets, OrdersHeld, Registration, Reply, ReplyBody, ReplyEnvelope, ReportEntry, Request,
    RequestBody, Serial, Sudi, TagDemand, UsageReport, Version, WireError,
};
use authority::{Authority, Settings};
use axum::body::Body;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use licensing::{Catalog, LicenseCount, Tag, Wall};
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SigningKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

const REGISTERED: usize = 3_000;
const ALL: usize = 300_000;
/// Reports of a slice, and slices.
const SLICE: usize = 50;
const SLICES: usize = 40;
const VA: &str = "/v1/accounts/example.org/virtual-accounts/Default";

struct Node {
    key: KeyPair,
    number: usize,
    instance: Option<InstanceId>,
    serial: Option<Serial>,
    report: u64,
    previous: Option<Digest>,
}

struct Office {
    dir: tempfile::TempDir,
    authority: Arc<Authority>,
    token: String,
    nodes: Vec<Node>,
    nonce: u64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let mut small = Office::new().await;
        let mut large = Office::new().await;
        let loaded = load(&large.dir.path().join("authority.sqlite"), large.dir.path()).await;
        println!(
            "{} instances in one authority, {} in the other",
            loaded, REGISTERED
        );
        // The pages of both are in memory before it is measured.
        small.slice(0).await;
        large.slice(0).await;
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for slice in 1..=SLICES {
            few.extend(small.slice(slice).await);
            many.extend(large.slice(slice).await);
        }
        let (few, many) = (median(few), median(many));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("median of a report: {few:?} at {REGISTERED}, {many:?} at {loaded}");
        let verdict = |good: bool| if good { "ok" } else { "short" };
        let all = verdict(loaded >= ALL);
        println!("authority-instances {loaded} target 300000 {all}");
        let cost = verdict(ratio <= 1.3);
        println!("authority-report-cost {ratio:.2} target 1.3 {cost}");
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn wall() -> Wall {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Wall(i64::try_from(since).unwrap())
}

impl Office {
    async fn new() -> Self {
        let dir = tempfile::tempdir_in(".").unwrap();
        let settings = Settings {
            state_dir: dir.path().to_owned(),
            database: None,
            catalog: Catalog::staros().into(),
            speedup: None,
            silent_days: 31,
            kept: authority::Kept::default(),
        };
        let (authority, secret) = Authority::open(settings).await.unwrap();
        let mut office = Self {
            dir,
            authority: Arc::new(authority),
            token: String::new(),
            nodes: Vec::new(),
            nonce: 0,
        };
        let password = "analytical engine";
        let setup = json!({
            "secret": secret.unwrap().reveal(), "domain": "example.org", "name": "Example",
            "user": "ada", "password": password,
        });
        office.post("/v1/setup", setup).await;
        let session = office.post("/v1/login", json!({ "user": "ada", "password": password }));
        office.token = session.await["token"].as_str().unwrap().to_owned();
        let new = json!({ "license": "PGW", "quantity": 10_000_000, "licenseType": "PERPETUAL" });
        office.post(&format!("{VA}/licenses"), new).await;
        let token = json!({ "usesMax": REGISTERED });
        let token = office.post(&format!("{VA}/tokens"), token).await;
        let token = token["token"].as_str().unwrap().to_owned();
        for number in 0..REGISTERED {
            office.register(number, &token).await;
        }
        office
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = axum::http::Request::post(path);
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.body(Body::from(body.to_string())).unwrap();
        let service = TowerToHyperService::new(self.authority.router());
        let Ok(response) = service.call(request).await;
        assert_eq!(response.status(), 201, "{path}");
        let octets = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        serde_json::from_slice(&octets.unwrap()).unwrap()
    }

    async fn register(&mut self, number: usize, token: &str) {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let csr = CertificateParams::default().serialize_request(&key);
        let body = RequestBody::Registration(Registration {
            idtoken: IdToken::new(token).unwrap(),
            csr: Octets(csr.unwrap().der().to_vec()),
            software_tag_identifier: Catalog::staros().products()[0].tag.clone(),
            software_version: "0.1.0".into(),
            hostname: None,
            force: false,
            lab: false,
        });
        let mut node = Node {
            key,
            number,
            instance: None,
            serial: None,
            report: 0,
            previous: None,
        };
        let (answer, _) = self.send(&node, body).await;
        let Answer::Registration(answer) = answer else {
            panic!("another answer");
        };
        let der = &answer.certificates[0].0;
        let (_, read) = x509_parser::parse_x509_certificate(der).unwrap();
        node.serial = Some(Serial::of(read.raw_serial()));
        node.instance = Some(answer.product_instance_identifier);
        let stored = RequestBody::Acknowledgement(Acknowledgement {
            id_cert_serial_number: node.serial.clone().unwrap(),
        });
        self.send(&node, stored).await;
        self.nodes.push(node);
    }

    async fn send(&mut self, node: &Node, body: RequestBody) -> (Answer, Duration) {
        self.nonce += 1;
        let header = Header {
            version: Version,
            timestamp: wall(),
            nonce: Nonce(self.nonce),
            sudi: Sudi {
                udi_pid: "VPC-SI".into(),
                udi_serial_number: format!("R{}", node.number),
            },
            product_instance_identifier: node.instance.clone(),
            id_cert_serial_number: node.serial.clone(),
            signing_cert_serial_number: None,
            orders: Some(OrdersHeld::default()),
        };
        let mut key = [0; 32];
        key.copy_from_slice(node.key.public_key_raw());
        let envelope = Envelope::seal(&Request { header, body }, key, |text| {
            node.key.sign(text).unwrap()
        });
        let octets = envelope.octets();
        let peer = node.instance.is_some().then_some(key.as_slice());
        let now = self.authority.now();
        let begin = Instant::now();
        let answer = self.authority.answer(&octets, peer, now).await.unwrap();
        let took = begin.elapsed();
        let reply = ReplyEnvelope::read(&answer).unwrap();
        let reply: Reply = reply.open(|_, _| Ok::<(), WireError>(())).unwrap();
        let ReplyBody::Ok(answer) = reply.body else {
            panic!("{:?}", reply.body);
        };
        (answer, took)
    }

    /// Reports of some nodes, each with its use of one tag, and what each took.
    async fn slice(&mut self, slice: usize) -> Vec<Duration> {
        let mut times = Vec::new();
        for at in 0..SLICE {
            // A stride that meets all nodes, none twice in a row.
            let place = (slice * SLICE + at) * 1_009 % REGISTERED;
            let mut node = self.nodes.swap_remove(place);
            let body = node.usage();
            let (_, took) = self.send(&node, body).await;
            times.push(took);
            self.nodes.push(node);
        }
        times
    }
}

impl Node {
    fn usage(&mut self) -> RequestBody {
        let tag = pgw();
        self.report += 1;
        let in_use = LicenseCount(1 + u32::try_from(self.report % 3).unwrap());
        let report = UsageReport {
            report_id: self.report,
            previous: self.previous,
            start: wall(),
            end: wall(),
            interval_ms: 300_000,
            entries: vec![ReportEntry {
                tag: tag.clone(),
                licenses: in_use,
                peak: in_use,
                license_ms: 300_000,
            }],
        };
        let text = report.text();
        let found = ring::digest::digest(&ring::digest::SHA256, text.as_str().as_bytes());
        self.previous = Some(Digest(found.as_ref().try_into().unwrap()));
        RequestBody::Entitlement(EntitlementRequest {
            tags: vec![TagDemand {
                tag,
                in_use,
                requested: LicenseCount(in_use.0 + 1),
                held: None,
            }],
            reports: vec![text],
            oldest_report: Some(1),
        })
    }
}

fn pgw() -> Tag {
    let catalog = Catalog::staros();
    let pgw = catalog.service_named("PGW").unwrap();
    catalog.services()[pgw.at()].tag.clone()
}

/// Loads the instances that did not register: with keys, certificates and demands, and the sums of their pool.
async fn load(store: &Path, dir: &Path) -> usize {
    let certificate = CertificateDer::from_pem_file(dir.join("pki/issuing.pem")).unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_file(dir.join("pki/issuing.key")).unwrap();
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256).unwrap();
    let issuing = Issuer::from_ca_cert_der(&certificate, key).unwrap();
    let options = SqliteConnectOptions::new().filename(store);
    let mut connection = options.connect().await.unwrap();
    let tag: i64 = sqlx::query_scalar("SELECT id FROM tags WHERE tag = $1")
        .bind(pgw().as_str())
        .fetch_one(&mut connection)
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut connection)
        .await
        .unwrap();
    let more = ALL - REGISTERED;
    for number in 0..more {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let params = CertificateParams::default();
        let made = params.signed_by(&key, &issuing).unwrap();
        let (_, read) = x509_parser::parse_x509_certificate(made.der()).unwrap();
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO instances (piid, account, va, udi_pid, udi_sn, hostname, product, version,
                public_key, state, registered, last_contact)
             VALUES ($1, 1, 1, 'VPC-SI', $2, '', 'VPC_SI', '0.1.0', $3, 'registered', $4, $4)
             RETURNING id",
        )
        .bind(format!("{number:08x}-0000-4000-8000-000000000000"))
        .bind(format!("L{number}"))
        .bind(key.public_key_raw().to_vec())
        .bind(wall().0)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        sqlx::query("INSERT INTO certificates (serial, instance, ends) VALUES ($1, $2, $3)")
            .bind(Serial::of(read.raw_serial()).as_str())
            .bind(id)
            .bind(wall().0 + 365 * 86_400_000)
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO demands (instance, tag, in_use, requested, granted, out, ends)
             VALUES ($1, $2, 2, 3, 3, 3, $3)",
        )
        .bind(id)
        .bind(tag)
        .bind(i64::MAX)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    let more = i64::try_from(more).unwrap();
    for sql in [
        "INSERT INTO pools (va, tag, in_use, requested) VALUES (1, $1, 2 * $2, 3 * $2)",
        "INSERT INTO outstanding (va, tag, ends, licenses) VALUES (1, $1, 9223372036854775807, 3 * $2)",
    ] {
        let insert = sqlx::query(sql).bind(tag).bind(more);
        insert.execute(&mut connection).await.unwrap();
    }
    sqlx::query("COMMIT")
        .execute(&mut connection)
        .await
        .unwrap();
    let all: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM instances i JOIN certificates c ON c.instance = i.id
         WHERE c.revoked IS NULL",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    usize::try_from(all).unwrap()
}
