//! A model of a license authority: what it must do, at its shortest, with real certificates and signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use api::smart::{
    Acknowledged, Answer, AuthorizationAnswer, EntitlementRequest, Envelope, FailureCode, Header,
    InstanceId, LabClock, Nonce, Octets, OrdersHeld, Receipt, RegistrationAnswer, Reply, ReplyBody,
    ReplyEnvelope, ReplyHeader, ReportText, Request, RequestBody, SIGNER_PURPOSE, SignedOrders,
    TagVerdict, TrustAnswer, UsageReport, Verdict, Version,
};
use licensing::{Entitlement, LicenseCount, Tag, Wall};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, PublicKeyData, RevokedCertParams, SerialNumber,
    SignatureAlgorithm, SigningKey,
};

use crate::certificate::{Certificate, digest};
use crate::identity::verify;

pub(super) const DAY_MS: i64 = 86_400_000;

pub(super) struct Authority {
    pub(super) keys: Keys,
    pub(super) lab: Option<LabClock>,
    /// How much later than its own wall clock its date is.
    pub(super) ahead_ms: i64,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    pub(super) removed: BTreeSet<InstanceId>,
    pub(super) pools: BTreeMap<Tag, Pool>,
    pub(super) seen: BTreeSet<Nonce>,
    /// Refuses everything with this.
    pub(super) refuse: Option<FailureCode>,
    /// Says this often that the answer is not there yet.
    pub(super) polls: u32,
    /// When an authorization is to be renewed.
    pub(super) renew_s: u64,
    pub(super) crl: Option<Vec<u8>>,
    pub(super) more_roots: Vec<Octets>,
    /// Goes with every answer.
    pub(super) orders: Option<SignedOrders>,
    /// What the node last said that it has of them.
    pub(super) held: Option<OrdersHeld>,
}

/// A root, an issuing authority, and the key that signs answers.
pub(super) struct Keys {
    pub(super) root: CertifiedIssuer<'static, KeyPair>,
    pub(super) issuing: CertifiedIssuer<'static, KeyPair>,
    pub(super) signer: KeyPair,
    pub(super) signer_der: Octets,
    serial: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) uses: u32,
    pub(super) fate: Option<FailureCode>,
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) key: Vec<u8>,
    pub(super) serials: Vec<String>,
    pub(super) acknowledged: bool,
    pub(super) reports: BTreeMap<u64, Stored>,
    pub(super) last: Option<Acknowledged>,
    pub(super) forked: bool,
    pub(super) in_use: BTreeMap<Tag, u32>,
    pub(super) granted: BTreeMap<Tag, u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) digest: api::smart::Digest,
    pub(super) report: UsageReport,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) owned: u32,
    /// Answers with exact grants.
    pub(super) exact: bool,
    pub(super) until: Option<Wall>,
}

struct RawKey(Vec<u8>);

impl PublicKeyData for RawKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn date(at: Wall) -> time_of::Date {
    time_of::date(at)
}

/// Dates as the certificate maker takes them.
mod time_of {
    use super::{Duration, SystemTime, Wall};

    pub(super) type Date = SystemTime;

    pub(super) fn date(at: Wall) -> Date {
        let ms = u64::try_from(at.0).unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
    }
}

fn named(name: &str, at: Wall, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.not_before = date(Wall(at.0 - 3_900_000)).into();
    params.not_after = date(Wall(at.0 + days * DAY_MS)).into();
    params
}

fn authority(name: &str, at: Wall, days: i64) -> CertificateParams {
    let mut params = named(name, at, days);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

impl Keys {
    pub(super) fn new(at: Wall) -> Self {
        let (root_key, issuing_key) = (key(), key());
        // No two authorities have one name.
        let unique = digest(root_key.der_bytes());
        let params = authority(&format!("root {unique}"), at, 3_650);
        let root = CertifiedIssuer::self_signed(params, root_key).unwrap();
        let params = authority(&format!("issuing {unique}"), at, 1_825);
        let issuing = CertifiedIssuer::signed_by(params, issuing_key, &root).unwrap();
        let signer = key();
        let purpose = ExtendedKeyUsagePurpose::Other(SIGNER_PURPOSE.to_vec());
        let mut params = named("test signer", at, 1_825);
        params.extended_key_usages = vec![purpose];
        params.serial_number = Some(SerialNumber::from(5));
        let signer_der = params.signed_by(&signer, &issuing).unwrap();
        Self {
            root,
            issuing,
            signer,
            signer_der: Octets(signer_der.der().to_vec()),
            serial: 1_000,
        }
    }

    pub(super) fn chain(&self) -> Vec<Octets> {
        let above = [self.issuing.der(), self.root.der()];
        let above = above.map(|certificate| Octets(certificate.to_vec()));
        std::iter::once(self.signer_der.clone())
            .chain(above)
            .collect()
    }

    /// A certificate that is for nothing in particular.
    pub(super) fn purposeless(&self, at: Wall) -> Octets {
        let certificate = named("anything", at, 365).signed_by(&self.signer, &self.issuing);
        Octets(certificate.unwrap().der().to_vec())
    }

    /// A list that revokes this serial number.
    pub(super) fn crl(&self, serial: u64, at: Wall) -> Vec<u8> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date(at).into(),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date(at).into(),
            next_update: date(Wall(at.0 + 30 * DAY_MS)).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuing).unwrap().der().to_vec()
    }

    fn identity(&mut self, key: &[u8], instance: &InstanceId, at: Wall) -> Octets {
        self.serial += 1;
        let mut params = named("node", at, 365);
        let serial_number = DnType::CustomDnType(vec![2, 5, 4, 5]);
        params
            .distinguished_name
            .push(serial_number, instance.as_str());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from(self.serial));
        let certificate = params.signed_by(&RawKey(key.to_vec()), &self.issuing);
        Octets(certificate.unwrap().der().to_vec())
    }
}

impl Instance {
    fn receive(&mut self, reports: &[ReportText], oldest: Option<u64>) -> Receipt {
        let mut taken = Vec::new();
        for text in reports {
            let report = text.read().unwrap();
            let digest = digest(text.as_str().as_bytes());
            if let Some(stored) = self.reports.get(&report.report_id) {
                if stored.digest == digest {
                    taken.push(report.report_id);
                } else {
                    self.forked = true;
                }
                continue;
            }
            let follows = self.last.is_none_or(|last| {
                last.report_id + 1 == report.report_id && report.previous == Some(last.digest)
            });
            let first = oldest == Some(report.report_id);
            let later = self.last.is_none_or(|l| report.report_id > l.report_id + 1);
            if follows && (self.last.is_some() || first) || first && later {
                taken.push(report.report_id);
                self.last = Some(Acknowledged {
                    report_id: report.report_id,
                    digest,
                });
                self.reports
                    .insert(report.report_id, Stored { digest, report });
            } else if self
                .last
                .is_some_and(|l| l.report_id + 1 == report.report_id)
            {
                self.forked = true;
            }
        }
        Receipt {
            last: self.last,
            taken,
            forked: self.forked,
        }
    }

    /// Licenses times milliseconds of all reports.
    pub(super) fn license_ms(&self) -> u64 {
        let reports = self.reports.values();
        let entries = reports.flat_map(|stored| &stored.report.entries);
        entries.map(|entry| entry.license_ms).sum()
    }
}

impl Authority {
    pub(super) fn new(at: Wall) -> Self {
        Self {
            keys: Keys::new(at),
            lab: None,
            ahead_ms: 0,
            tokens: BTreeMap::new(),
            instances: BTreeMap::new(),
            removed: BTreeSet::new(),
            pools: BTreeMap::new(),
            seen: BTreeSet::new(),
            refuse: None,
            polls: 0,
            renew_s: 30 * 86_400,
            crl: None,
            more_roots: Vec::new(),
            orders: None,
            held: None,
        }
    }

    pub(super) fn the_instance(&self) -> &Instance {
        assert_eq!(self.instances.len(), 1, "one product instance");
        self.instances.values().next().unwrap()
    }

    pub(super) fn date(&self, wall: Wall) -> Wall {
        Wall(wall.0 + self.ahead_ms)
    }

    /// The answer to a message, at its own wall clock.
    pub(super) fn answer(&mut self, octets: &[u8], wall: Wall) -> Vec<u8> {
        let envelope = Envelope::read(octets).unwrap();
        let key = envelope.credential.public_key.0.clone();
        let request = envelope
            .open(|text, signature| verify(&key, text, &signature.value.0).is_ok())
            .unwrap();
        let body = self.judge(&request, &key, wall);
        let reply = self.reply(&request.header, request.body.kind(), body, wall);
        self.seal(&reply)
    }

    pub(super) fn seal(&self, reply: &Reply) -> Vec<u8> {
        let sign = |octets: &[u8]| self.keys.signer.sign(octets).unwrap();
        ReplyEnvelope::seal(reply, self.keys.chain(), sign).octets()
    }

    pub(super) fn reply(
        &self,
        header: &Header,
        kind: api::smart::RequestType,
        body: ReplyBody,
        wall: Wall,
    ) -> Reply {
        let header = ReplyHeader {
            version: Version,
            timestamp: wall,
            calendar: self.date(wall),
            nonce: header.nonce,
            request_type: kind,
            product_instance_identifier: header.product_instance_identifier.clone(),
            lab: self.lab,
        };
        let orders = self.orders.clone();
        Reply {
            header,
            body,
            orders,
        }
    }

    fn judge(&mut self, request: &Request, key: &[u8], wall: Wall) -> ReplyBody {
        let header = &request.header;
        self.held = header.orders.clone().or(self.held.take());
        if header.timestamp.0.abs_diff(wall.0) > 3_600_000 {
            return failed(FailureCode::ClockSkew);
        }
        if !self.seen.insert(header.nonce) {
            return failed(FailureCode::Replayed);
        }
        if let Some(code) = self.refuse {
            return failed(code);
        }
        if self.polls > 0 {
            self.polls -= 1;
            return ReplyBody::OkPoll { poll_interval_s: 5 };
        }
        let answer = match &request.body {
            RequestBody::Registration(asked) => {
                self.register(asked.idtoken.reveal(), key, asked.lab, wall)
            }
            RequestBody::Renew(asked) => {
                let certificate = Certificate::read(&asked.certificate.0).unwrap();
                let instance = InstanceId::new(certificate.subject_serial.unwrap()).unwrap();
                self.renew(instance, key, wall)
            }
            RequestBody::TrustPool(_) => Ok(Answer::TrustPool(TrustAnswer {
                roots: std::iter::once(Octets(self.keys.root.der().to_vec()))
                    .chain(self.more_roots.clone())
                    .collect(),
                crls: self.crl.clone().into_iter().map(Octets).collect(),
            })),
            RequestBody::Entitlement(_)
            | RequestBody::Acknowledgement(_)
            | RequestBody::Deregistration(_) => self.known(request, key),
        };
        answer.map_or_else(failed, ReplyBody::Ok)
    }

    fn known(&mut self, request: &Request, key: &[u8]) -> Result<Answer, FailureCode> {
        let id = request.header.product_instance_identifier.clone().unwrap();
        if self.removed.contains(&id) {
            return Err(FailureCode::InstanceRemoved);
        }
        let Some(instance) = self.instances.get_mut(&id) else {
            return Err(FailureCode::InstanceUnknown);
        };
        if instance.key != key {
            return Err(FailureCode::SignatureInvalid);
        }
        let serial = request.header.id_cert_serial_number.as_ref().unwrap();
        if !instance.serials.iter().any(|s| s == serial.as_str()) {
            return Err(FailureCode::CertificateInvalid);
        }
        match &request.body {
            RequestBody::Entitlement(asked) => {
                let receipt = instance.receive(&asked.reports, asked.oldest_report);
                Ok(self.authorize(&id, asked, receipt))
            }
            RequestBody::Acknowledgement(asked) => {
                instance.acknowledged = true;
                let kept = asked.id_cert_serial_number.as_str();
                instance.serials.retain(|serial| serial == kept);
                Ok(Answer::Acknowledgement {})
            }
            RequestBody::Deregistration(asked) => {
                let receipt = instance.receive(&asked.reports, asked.oldest_report);
                let gone = self.instances.remove(&id).unwrap();
                self.removed.insert(id);
                self.gone(gone);
                Ok(Answer::Deregistration { receipt })
            }
            RequestBody::Registration(_) | RequestBody::Renew(_) | RequestBody::TrustPool(_) => {
                unreachable!("answered before")
            }
        }
    }

    fn gone(&mut self, instance: Instance) {
        // What it reported stays on the books.
        let id = InstanceId::new(format!("{:08x}-0000-4000-8000-0000000000aa", 0xdead)).unwrap();
        self.instances.insert(id, instance);
    }

    fn register(
        &mut self,
        token: &str,
        key: &[u8],
        lab: bool,
        wall: Wall,
    ) -> Result<Answer, FailureCode> {
        if lab != self.lab.is_some() {
            return Err(FailureCode::LabMismatch);
        }
        let known = self.instances.iter().find(|(_, of)| of.key == key);
        let known = known.map(|(id, _)| id.clone());
        let pending = known.filter(|id| !self.instances[id].acknowledged);
        if let Some(id) = pending {
            return self.renew(id, key, wall);
        }
        let token = self.tokens.get_mut(token);
        let token = token.ok_or(FailureCode::TokenUnknown)?;
        if let Some(fate) = token.fate {
            return Err(fate);
        }
        if token.uses == 0 {
            return Err(FailureCode::TokenUsedUp);
        }
        token.uses -= 1;
        let number = self.instances.len() + self.removed.len() + 1;
        let id = InstanceId::new(format!("{number:08x}-0000-4000-8000-000000000000")).unwrap();
        self.renew(id, key, wall)
    }

    fn renew(&mut self, id: InstanceId, key: &[u8], wall: Wall) -> Result<Answer, FailureCode> {
        if self.removed.contains(&id) {
            return Err(FailureCode::InstanceRemoved);
        }
        let at = self.date(wall);
        let certificate = self.keys.identity(key, &id, at);
        let serial = Certificate::read(&certificate.0).unwrap().serial;
        let instance = self.instances.entry(id.clone()).or_insert(Instance {
            key: key.to_vec(),
            serials: Vec::new(),
            acknowledged: false,
            reports: BTreeMap::new(),
            last: None,
            forked: false,
            in_use: BTreeMap::new(),
            granted: BTreeMap::new(),
        });
        instance.serials.push(serial.as_str().to_owned());
        Ok(Answer::Registration(RegistrationAnswer {
            product_instance_identifier: id,
            certificates: vec![certificate, Octets(self.keys.issuing.der().to_vec())],
            smart_account: "example.org".into(),
            virtual_account: "Default".into(),
            renew_s: 180 * 86_400,
        }))
    }

    fn authorize(
        &mut self,
        id: &InstanceId,
        asked: &EntitlementRequest,
        receipt: Receipt,
    ) -> Answer {
        let in_use = asked.tags.iter().map(|d| (d.tag.clone(), d.in_use.0));
        self.instances.get_mut(id).unwrap().in_use = in_use.collect();
        let verdicts = asked.tags.iter().map(|demand| {
            let Some(pool) = self.pools.get(&demand.tag).copied() else {
                return verdict(&demand.tag, Verdict::InvalidTag, None);
            };
            let of_all = self.instances.values();
            let used: u32 = of_all.filter_map(|of| of.in_use.get(&demand.tag)).sum();
            let others = self.instances.iter().filter(|(other, _)| *other != id);
            let others: u32 = others
                .filter_map(|(_, of)| of.granted.get(&demand.tag))
                .sum();
            let standing = if used <= pool.owned {
                Verdict::Authorized
            } else {
                Verdict::OutOfCompliance
            };
            let granted = demand.requested.0.min(pool.owned.saturating_sub(others));
            let granted = pool.exact.then_some(Entitlement {
                licenses: LicenseCount(granted),
                until: pool.until,
            });
            if let Some(granted) = granted {
                // What it says that it holds is out until it says that it does not.
                let out = granted.licenses.0.max(demand.held.map_or(0, |held| held.0));
                let instance = self.instances.get_mut(id).unwrap();
                instance.granted.insert(demand.tag.clone(), out);
            }
            verdict(&demand.tag, standing, granted)
        });
        Answer::Authorization(AuthorizationAnswer {
            verdicts: verdicts.collect(),
            receipt,
            renew_s: self.renew_s,
            ooc_retry_s: 43_200,
            deadline_s: 90 * 86_400,
        })
    }
}

fn verdict(tag: &Tag, verdict: Verdict, granted: Option<Entitlement>) -> TagVerdict {
    TagVerdict {
        tag: tag.clone(),
        verdict,
        granted,
    }
}

fn failed(code: FailureCode) -> ReplyBody {
    ReplyBody::Failed {
        code,
        message: format!("{code:?}"),
        retry_after_s: None,
    }
}
