//! What tests of this crate stand on: an authority in a folder of its own, and nodes with real keys.

pub(crate) mod database;
mod dump;

use api::smart::{
    Acknowledgement, Answer, Deregistration, EntitlementRequest, Envelope, FailureCode, Header,
    IdToken, InstanceId, Nonce, Octets, OrdersHeld, Registration, RegistrationAnswer, Renewal,
    Reply, ReplyBody, ReplyEnvelope, ReportEntry, ReportText, Request, RequestBody, Serial, Sudi,
    TagDemand, TagVerdict, UsageReport, Version,
};
use api::smart::{AuthorizationAnswer, Digest, WireError};
use licensing::{Catalog, LicenseCount, Tag, Wall};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SigningKey};
use serde_json::{Value, json};

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;

use crate::admin::{By, accounts, licenses, tokens};
use crate::authority::{Authority, Settings};
use crate::journal::Place;
use crate::moment::{DAY_MS, Moment};
use crate::secret::{digest, random};
use crate::store::{self, Database};

/// Where the clocks of tests begin.
pub(crate) const START: Wall = Wall(1_795_300_000_000);
pub(crate) const PGW: &str =
    "regid.2017-02.com.cisco.ASR5K-00-PW10GTWY,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a";

/// An authority, its clock, and an account with a default virtual account.
pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) authority: Authority,
    pub(crate) now: Moment,
    pub(crate) place: Place,
}

/// A node.
pub(crate) struct Node {
    pub(crate) key: KeyPair,
    pub(crate) sudi: Sudi,
    pub(crate) instance: Option<InstanceId>,
    pub(crate) serial: Option<Serial>,
    pub(crate) certificate: Option<Octets>,
    pub(crate) reports: Vec<ReportText>,
    /// What it says that it has of its orders.
    pub(crate) orders: OrdersHeld,
}

pub(crate) type Failed = (FailureCode, String);

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(None).await
    }

    pub(crate) async fn with(speedup: Option<u32>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (authority, secret) = open(dir.path(), speedup, START).await;
        let now = authority.at(START);
        let setup = json!({
            "secret": secret.unwrap(),
            "domain": "example.org",
            "name": "Example",
            "user": "ada",
            "password": "analytical engine",
        });
        let setup = serde_json::from_value(setup).unwrap();
        let account = accounts::set_up(&authority, setup, now).await.unwrap();
        let mut tx = authority.store.read().await.unwrap();
        let found = accounts::find_virtual(&mut tx, account.id, accounts::DEFAULT).await;
        drop(tx);
        let place = Place {
            account: account.id,
            va: found.unwrap().id,
        };
        Self {
            dir,
            authority,
            now,
            place,
        }
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        self.now = self.authority.at(Wall(self.now.wall.0 + ms));
    }

    pub(crate) fn pass_days(&mut self, days: i64) {
        self.pass(days * DAY_MS);
    }

    pub(crate) fn by(&self) -> By<'static> {
        By {
            who: "ada",
            now: self.now,
        }
    }

    /// A registration token, with what differs from the defaults.
    pub(crate) async fn token(&self, new: Value) -> tokens::Token {
        let new = serde_json::from_value(new).unwrap();
        let mut tx = self.authority.store.write().await.unwrap();
        let token = tokens::make(&mut tx, self.place, new, self.by()).await;
        tx.commit().await.unwrap();
        token.unwrap()
    }

    /// Enters licenses, with what differs from 10 perpetual ones of PGW.
    pub(crate) async fn own(&self, changed: Value) -> i64 {
        self.own_at(self.place, changed).await
    }

    pub(crate) async fn own_at(&self, place: Place, changed: Value) -> i64 {
        let mut new = json!({ "license": "PGW", "quantity": 10, "licenseType": "PERPETUAL" });
        for (key, value) in changed.as_object().unwrap() {
            new[key] = value.clone();
        }
        let new = serde_json::from_value(new).unwrap();
        let mut tx = self.authority.store.write().await.unwrap();
        let made = licenses::add(&self.authority, &mut tx, place, new, self.by()).await;
        tx.commit().await.unwrap();
        made.unwrap().id
    }

    /// What a message is answered.
    pub(crate) async fn post(&self, node: &Node, body: RequestBody) -> Result<Answer, Failed> {
        let octets = node.message(body, self.now.wall).octets();
        self.send(node, &octets).await
    }

    pub(crate) async fn send(&self, node: &Node, octets: &[u8]) -> Result<Answer, Failed> {
        let peer = node
            .certificate
            .is_some()
            .then(|| node.key.public_key_raw());
        let answer = self.authority.answer(octets, peer, self.now).await.unwrap();
        match self.opened(&answer).body {
            ReplyBody::Ok(answer) => Ok(answer),
            ReplyBody::OkPoll { .. } => panic!("nothing is to be asked again"),
            ReplyBody::Failed { code, message, .. } => Err((code, message)),
        }
    }

    /// An answer whose signature was looked at.
    pub(crate) fn opened(&self, octets: &[u8]) -> Reply {
        let envelope = ReplyEnvelope::read(octets).unwrap();
        let signer = crate::pki::raw_key(&envelope.chain[0].0).unwrap();
        let opened = envelope.open(|text, envelope| {
            let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &signer);
            let good = key.verify(text, &envelope.signature.value.0);
            good.map_err(|_| WireError::NotAuthentic)
        });
        opened.unwrap()
    }

    /// Registers a node and lets it say that it has its certificate.
    pub(crate) async fn register(&self, node: &mut Node, token: &str) {
        self.try_register(node, token, false).await.unwrap();
        self.acknowledge(node).await.unwrap();
    }

    pub(crate) async fn try_register(
        &self,
        node: &mut Node,
        token: &str,
        force: bool,
    ) -> Result<RegistrationAnswer, Failed> {
        let body = node.registration(token, force, self.authority.speedup.is_some());
        let named = (node.instance.take(), node.serial.take());
        let answer = self.post(node, body).await;
        match answer {
            Ok(Answer::Registration(answer)) => {
                node.take(&answer);
                Ok(answer)
            }
            Ok(_) => panic!("another answer"),
            Err(failed) => {
                (node.instance, node.serial) = named;
                Err(failed)
            }
        }
    }

    pub(crate) async fn acknowledge(&self, node: &Node) -> Result<Answer, Failed> {
        let id_cert_serial_number = node.serial.clone().unwrap();
        let body = RequestBody::Acknowledgement(Acknowledgement {
            id_cert_serial_number,
        });
        self.post(node, body).await
    }

    pub(crate) async fn renew(&self, node: &mut Node) -> Result<RegistrationAnswer, Failed> {
        let body = RequestBody::Renew(Renewal {
            csr: node.csr(),
            certificate: node.certificate.clone().unwrap(),
            software_tag_identifier: product(),
        });
        let Answer::Registration(answer) = self.post(node, body).await? else {
            panic!("another answer");
        };
        node.take(&answer);
        Ok(answer)
    }

    /// A node that is registered.
    pub(crate) async fn node(&self, number: u32) -> Node {
        let token = self.token(json!({})).await;
        let mut node = Node::new(number);
        self.register(&mut node, &token.token.unwrap()).await;
        node
    }

    /// Says what a node uses and wants of PGW: its verdict.
    pub(crate) async fn ask(
        &self,
        node: &Node,
        in_use: u32,
        requested: u32,
        held: Option<u32>,
    ) -> TagVerdict {
        let answer = self
            .ask_all(node, vec![demand(PGW, in_use, requested, held)])
            .await;
        answer.unwrap().verdicts.remove(0)
    }

    pub(crate) async fn ask_all(
        &self,
        node: &Node,
        tags: Vec<TagDemand>,
    ) -> Result<AuthorizationAnswer, Failed> {
        let oldest = node.reports.first().map(|r| r.read().unwrap().report_id);
        self.ask_with(node, tags, node.reports.clone(), oldest)
            .await
    }

    pub(crate) async fn ask_with(
        &self,
        node: &Node,
        tags: Vec<TagDemand>,
        reports: Vec<ReportText>,
        oldest_report: Option<u64>,
    ) -> Result<AuthorizationAnswer, Failed> {
        let body = RequestBody::Entitlement(EntitlementRequest {
            tags,
            reports,
            oldest_report,
        });
        let Answer::Authorization(answer) = self.post(node, body).await? else {
            panic!("another answer");
        };
        Ok(answer)
    }

    pub(crate) async fn deregister(&self, node: &Node) -> Result<Answer, Failed> {
        let body = RequestBody::Deregistration(Deregistration {
            reports: Vec::new(),
            oldest_report: None,
        });
        self.post(node, body).await
    }

    /// A number of the store.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let mut tx = self.authority.store.read().await.unwrap();
        store::query_scalar(sql).fetch_one(&mut tx).await.unwrap()
    }

    /// Outstanding alerts: kind, needed.
    pub(crate) async fn alerts(&self) -> Vec<(String, Option<i64>)> {
        let mut tx = self.authority.store.read().await.unwrap();
        store::query_as("SELECT kind, needed FROM alerts WHERE cleared IS NULL ORDER BY id")
            .fetch_all(&mut tx)
            .await
            .unwrap()
    }
}

/// Opens the authority of a folder.
pub(crate) async fn open(
    dir: &Path,
    speedup: Option<u32>,
    wall: Wall,
) -> (Authority, Option<String>) {
    let settings = Settings {
        state_dir: dir.to_owned(),
        database: database::url_of(dir).map(|url| Database::new(&url, None).unwrap()),
        catalog: Catalog::staros().into(),
        speedup,
        silent_days: 31,
        kept: crate::Kept::default(),
    };
    let (authority, secret) = Authority::open_at(settings, wall).await.unwrap();
    (authority, secret.map(|secret| secret.reveal().to_owned()))
}

/// Backs the store of a folder up, and restores it for another one.
pub(crate) async fn copy_store(from: &Path, to: &Path) {
    let Some(source) = database::url_of(from) else {
        let file = from.join("authority.sqlite");
        let mut connection = { SqliteConnectOptions::new().filename(file) }
            .connect()
            .await
            .unwrap();
        let copy = to.join("authority.sqlite");
        sqlx::query("VACUUM INTO $1")
            .bind(copy.to_str().unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
        return;
    };
    let target = database::url_of(to).unwrap();
    let file = to.join("dump.sql");
    dump::write(&source, &file);
    dump::read(&target, &file);
}

pub(crate) fn product() -> Tag {
    Catalog::staros().products()[0].tag.clone()
}

pub(crate) fn demand(tag: &str, in_use: u32, requested: u32, held: Option<u32>) -> TagDemand {
    TagDemand {
        tag: Tag::new(tag).unwrap(),
        in_use: LicenseCount(in_use),
        requested: LicenseCount(requested),
        held: held.map(LicenseCount),
    }
}

impl Node {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            key: KeyPair::generate_for(&PKCS_ED25519).unwrap(),
            sudi: Sudi {
                udi_pid: "VPC-SI".into(),
                udi_serial_number: format!("SN{number}"),
            },
            instance: None,
            serial: None,
            certificate: None,
            reports: Vec::new(),
            orders: OrdersHeld::default(),
        }
    }

    pub(crate) fn csr(&self) -> Octets {
        let request = CertificateParams::default().serialize_request(&self.key);
        Octets(request.unwrap().der().to_vec())
    }

    pub(crate) fn registration(&self, token: &str, force: bool, lab: bool) -> RequestBody {
        RequestBody::Registration(Registration {
            idtoken: IdToken::new(token).unwrap(),
            csr: self.csr(),
            software_tag_identifier: product(),
            software_version: "0.1.0".into(),
            hostname: Some("gw1".into()),
            force,
            lab,
        })
    }

    pub(crate) fn message(&self, body: RequestBody, at: Wall) -> Envelope {
        let header = Header {
            version: Version,
            timestamp: at,
            nonce: Nonce(u64::from_be_bytes(random())),
            sudi: self.sudi.clone(),
            product_instance_identifier: self.instance.clone(),
            id_cert_serial_number: self.serial.clone(),
            signing_cert_serial_number: None,
            orders: self.instance.as_ref().map(|_| self.orders.clone()),
        };
        let mut key = [0; 32];
        key.copy_from_slice(self.key.public_key_raw());
        let request = Request { header, body };
        Envelope::seal(&request, key, |text| self.key.sign(text).unwrap())
    }

    fn take(&mut self, answer: &RegistrationAnswer) {
        let certificate = answer.certificates[0].clone();
        let (_, read) = x509_parser::parse_x509_certificate(&certificate.0).unwrap();
        self.serial = Some(Serial::of(read.raw_serial()));
        self.instance = Some(answer.product_instance_identifier.clone());
        self.certificate = Some(certificate);
    }

    /// Writes a report of so many license-milliseconds of PGW after the last one.
    pub(crate) fn report(&mut self, license_ms: u64) -> ReportText {
        let last = self.reports.last();
        let number = last.map_or(0, |last| last.read().unwrap().report_id) + 1;
        let previous = last.map(|last| digest(last.as_str().as_bytes()));
        let report = report(number, previous, license_ms);
        self.reports.push(report.clone());
        report
    }
}

pub(crate) fn report(report_id: u64, previous: Option<Digest>, license_ms: u64) -> ReportText {
    UsageReport {
        report_id,
        previous,
        start: START,
        end: Wall(START.0 + 300_000),
        interval_ms: 300_000,
        entries: vec![ReportEntry {
            tag: Tag::new(PGW).unwrap(),
            licenses: LicenseCount(1),
            peak: LicenseCount(2),
            license_ms,
        }],
    }
    .text()
}
