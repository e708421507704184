//! Authorization: usage reports taken in, and the standing of every tag asked for.

use std::collections::HashSet;

use api::smart::{
    Acknowledged, Answer, AuthorizationAnswer, Deregistration, Digest, EntitlementRequest,
    FailureCode, Receipt, ReportEntry, ReportText, TagDemand, TagVerdict, UsageReport, Verdict,
};
use licensing::{Entitlement, LicenseCount, Tag, Wall};

use super::{Refusal, Sender, check_certificate, heard, refused};
use crate::authority::Authority;
use crate::books::{self, PoolKey, number};
use crate::chain::{self, Fate, Link};
use crate::instances::{self, Instance, State};
use crate::journal::{self, Alert, AlertKind};
use crate::moment::Moment;
use crate::pool::{Ask, Demand, NEVER, Out, Pool};
use crate::secret::digest;
use crate::store::{self, StoreError, Tx};
use crate::tags::Sold;

/// Seconds after which an authorization is renewed: 30 days (rule L11), or when a term begins or ends before.
const RENEW_S: u64 = 30 * 86_400;
/// Seconds after which a node that is out of compliance asks again: 12 hours (rule L11).
const OOC_RETRY_S: u64 = 12 * 3_600;
/// Seconds of silence after which an authorization expires: 90 days (rule L10).
const DEADLINE_S: u64 = 90 * 86_400;

/// Takes the reports in and answers each tag.
pub(super) async fn authorize(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    sender: &Sender<'_>,
    asked: &EntitlementRequest,
    now: Moment,
) -> Result<Answer, Refusal> {
    let receipt = receive(tx, instance, &asked.reports, asked.oldest_report, now).await?;
    let late = sender.header.timestamp.0 < instance.last_sent;
    let mut before = books::demands(tx, instance.id).await?;
    let mut verdicts = Vec::with_capacity(asked.tags.len());
    let mut seen = HashSet::new();
    let mut turns = Turns(i64::MAX);
    for demand in &asked.tags {
        if !seen.insert(&demand.tag) {
            return refused(FailureCode::Malformed, "a tag comes twice");
        }
        let Some(sold) = authority.tags.find(&demand.tag) else {
            verdicts.push(verdict(&demand.tag, Verdict::InvalidTag, None));
            continue;
        };
        let held = before.remove(&sold.id).unwrap_or(Demand::NONE);
        let ask = ask(demand, late);
        let (verdict, turn) =
            stand(authority, tx, instance, sold, &demand.tag, held, ask, now).await?;
        verdicts.push(verdict);
        turns.see(turn);
    }
    // A tag that is not listed is not in use, and nothing is held of it.
    for (tag, held) in before {
        let key = PoolKey {
            va: instance.place.va,
            tag,
        };
        let nothing = Ask {
            late,
            ..Ask::default()
        };
        settle(authority, tx, instance, key, held, nothing, false, now).await?;
    }
    Ok(Answer::Authorization(AuthorizationAnswer {
        verdicts,
        receipt,
        renew_s: turns.renew_s(now),
        ooc_retry_s: OOC_RETRY_S,
        deadline_s: DEADLINE_S,
    }))
}

/// The first date on which licenses of a tag that was asked for begin or end.
struct Turns(i64);

impl Turns {
    fn see(&mut self, turn: Option<Wall>) {
        self.0 = turn.map_or(self.0, |turn| self.0.min(turn.0));
    }

    /// Seconds after which the node is to ask again, so that it hears of that date on it.
    fn renew_s(&self, now: Moment) -> u64 {
        let left_ms = self.0.saturating_sub(now.date.0);
        let left_s = u64::try_from(left_ms).unwrap_or(0).div_ceil(1_000);
        left_s.clamp(1, RENEW_S)
    }
}

fn ask(demand: &TagDemand, late: bool) -> Ask {
    let in_use = u64::from(demand.in_use.0);
    Ask {
        in_use,
        requested: u64::from(demand.requested.0).max(in_use),
        held: demand.held.map(|held| u64::from(held.0)),
        late,
    }
}

fn verdict(tag: &Tag, verdict: Verdict, granted: Option<Entitlement>) -> TagVerdict {
    TagVerdict {
        tag: tag.clone(),
        verdict,
        granted,
    }
}

/// The standing of one tag (rules L4 to L6), and the date on which it may change by itself.
#[expect(
    clippy::too_many_arguments,
    reason = "all that one tag's answer follows from, each named"
)]
async fn stand(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    sold: &Sold,
    tag: &Tag,
    held: Demand,
    ask: Ask,
    now: Moment,
) -> Result<(TagVerdict, Option<Wall>), StoreError> {
    let key = PoolKey {
        va: instance.place.va,
        tag: sold.id,
    };
    let (pool, granted) =
        settle(authority, tx, instance, key, held, ask, !sold.feature, now).await?;
    let covered = pool.lacking(now.date) == 0;
    let standing = match covered || ask.in_use == 0 {
        true => Verdict::Authorized,
        false => Verdict::OutOfCompliance,
    };
    let granted = granted.map(|granted| Entitlement {
        licenses: LicenseCount(u32::try_from(granted.licenses).unwrap_or(u32::MAX)),
        until: (granted.ends < NEVER).then_some(Wall(granted.ends)),
    });
    Ok((verdict(tag, standing, granted), pool.turns(now.date)))
}

/// Brings the books of one tag up to date: the pool then, and what is granted.
#[expect(
    clippy::too_many_arguments,
    reason = "all that the books of one tag follow from, each named"
)]
async fn settle(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    key: PoolKey,
    held: Demand,
    ask: Ask,
    grantable: bool,
    now: Moment,
) -> Result<(Pool, Option<Out>), StoreError> {
    let mut pool = books::pool(tx, key).await?;
    let exact = grantable && pool.grants;
    let (after, granted) = pool.take(held, ask, exact, now.date);
    books::put(tx, instance.id, key, held, after).await?;
    if (held.in_use, held.out) != (after.in_use, after.out) {
        let account = instance.place.account;
        journal::judge_pool(tx, account, key, &pool, &authority.tags, now).await?;
    }
    Ok((pool, granted))
}

/// Ends a registration; of an instance that is gone already, too.
pub(super) async fn deregister(
    authority: &Authority,
    tx: &mut Tx,
    sender: &Sender<'_>,
    asked: &Deregistration,
    now: Moment,
) -> Result<Answer, Refusal> {
    let instance = authority.identified(tx, sender, now).await?;
    let receipt = receive(tx, &instance, &asked.reports, asked.oldest_report, now).await?;
    if instance.state.lives() {
        check_certificate(tx, &instance, sender.header, now).await?;
        heard(tx, &instance, sender.header, now).await?;
        let tags = &authority.tags;
        instances::end(tx, &instance, State::Deregistered, tags, now).await?;
        let (kind, place) = ("INSTANCE_DEREGISTERED", instance.place);
        let udi = instance.udi_text();
        journal::event(tx, place, kind, &instance.piid, &udi, now).await?;
    }
    Ok(Answer::Deregistration { receipt })
}

/// Takes usage reports in, each once.
async fn receive(
    tx: &mut Tx,
    instance: &Instance,
    reports: &[ReportText],
    oldest: Option<u64>,
    now: Moment,
) -> Result<Receipt, Refusal> {
    let mut receipt = Receipt {
        last: instance.last,
        taken: Vec::new(),
        forked: instance.forked,
    };
    for text in reports {
        let Ok(report) = text.read() else {
            return refused(FailureCode::Malformed, "a usage report is not one");
        };
        let last = i64::MAX.unsigned_abs();
        if report.report_id > last || report.interval_ms > last {
            return refused(
                FailureCode::Malformed,
                "a number of a usage report is too large",
            );
        }
        let link = Link {
            number: report.report_id,
            previous: report.previous,
            digest: digest(text.as_str().as_bytes()),
        };
        // The last one is known when its row has gone, too.
        let stored = match receipt.last.filter(|last| last.report_id == link.number) {
            Some(last) => Some(last.digest),
            None => stored(tx, instance.id, link.number).await?,
        };
        match chain::judge(receipt.last, stored, &link, oldest) {
            Fate::Same => receipt.taken.push(link.number),
            fate @ (Fate::Append | Fate::AppendAfterGap) => {
                store(tx, instance, &report, text, &link, now).await?;
                if fate == Fate::AppendAfterGap {
                    gap(tx, instance, receipt.last, link.number, now).await?;
                }
                receipt.last = Some(Acknowledged {
                    report_id: link.number,
                    digest: link.digest,
                });
                receipt.taken.push(link.number);
            }
            Fate::Fork => {
                fork(tx, instance, link.number, now).await?;
                receipt.forked = true;
            }
            Fate::Wait => {}
        }
    }
    Ok(receipt)
}

async fn stored(tx: &mut Tx, instance: i64, report: u64) -> Result<Option<Digest>, StoreError> {
    let found: Option<Vec<u8>> =
        store::query_scalar("SELECT digest FROM usage_reports WHERE instance = $1 AND number = $2")
            .bind(instance)
            .bind(number(report))
            .fetch_optional(tx)
            .await?;
    let digest = found.map(<[u8; 32]>::try_from).transpose();
    let digest = digest.map_err(|_| StoreError::Value("a digest of another length".into()))?;
    Ok(digest.map(Digest))
}

async fn store(
    tx: &mut Tx,
    instance: &Instance,
    report: &UsageReport,
    text: &ReportText,
    link: &Link,
    now: Moment,
) -> Result<(), Refusal> {
    store::query(
        "INSERT INTO usage_reports (instance, number, digest, received, starts, ends, interval_ms, text)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(instance.id)
    .bind(number(link.number))
    .bind(link.digest.0.to_vec())
    .bind(now.date.0)
    .bind(report.start.0)
    .bind(report.end.0)
    .bind(number(report.interval_ms))
    .bind(text.as_str())
    .execute(tx)
    .await?;
    if !is_counted(tx, instance, link).await? {
        for entry in &report.entries {
            add(tx, instance, entry).await?;
        }
    }
    store::query("UPDATE instances SET last_report = $1, last_digest = $2 WHERE id = $3")
        .bind(number(link.number))
        .bind(link.digest.0.to_vec())
        .bind(instance.id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether another registration of this key has the report: the message with it was late, and the node, which had no
/// receipt, brought it along to this one.
async fn is_counted(tx: &mut Tx, instance: &Instance, link: &Link) -> Result<bool, StoreError> {
    let other: Option<i64> = store::query_scalar(
        "SELECT i.id FROM instances i JOIN usage_reports r ON r.instance = i.id
         WHERE i.public_key = $1 AND i.id <> $2 AND r.number = $3 AND r.digest = $4 LIMIT 1",
    )
    .bind(instance.key.as_slice())
    .bind(instance.id)
    .bind(number(link.number))
    .bind(link.digest.0.to_vec())
    .fetch_optional(tx)
    .await?;
    Ok(other.is_some())
}

/// Adds an entry to what the instance used.
async fn add(tx: &mut Tx, instance: &Instance, entry: &ReportEntry) -> Result<(), Refusal> {
    let Ok(license_ms) = i64::try_from(entry.license_ms) else {
        return refused(FailureCode::Malformed, "a usage report says too much use");
    };
    let sum = store::query(
        "INSERT INTO usage_sums (instance, va, tag, reports, license_ms, peak)
         VALUES ($1, $2, $3, 1, $4, $5)
         ON CONFLICT (instance, va, tag) DO UPDATE SET reports = usage_sums.reports + 1,
            license_ms = usage_sums.license_ms + excluded.license_ms,
            peak = CASE WHEN excluded.peak > usage_sums.peak THEN excluded.peak ELSE usage_sums.peak END",
    );
    sum.bind(instance.id)
        .bind(instance.place.va)
        .bind(entry.tag.as_str())
        .bind(license_ms)
        .bind(i64::from(entry.peak.0))
        .execute(tx)
        .await?;
    Ok(())
}

/// What lies between two reports is gone.
async fn gap(
    tx: &mut Tx,
    instance: &Instance,
    last: Option<Acknowledged>,
    next: u64,
    now: Moment,
) -> Result<(), StoreError> {
    store::query("UPDATE instances SET gaps = gaps + 1 WHERE id = $1")
        .bind(instance.id)
        .execute(tx)
        .await?;
    let message = format!(
        "{}: usage reports {} to {} are lost",
        instance.udi_text(),
        last.map_or(0, |last| last.report_id) + 1,
        next - 1
    );
    let alert = Alert {
        kind: AlertKind::ReportsMissing,
        subject: &instance.piid,
        needed: None,
        message: &message,
    };
    journal::raise(tx, instance.place, &alert, now).await
}

/// Another report of a number, or one that does not follow.
async fn fork(
    tx: &mut Tx,
    instance: &Instance,
    report: u64,
    now: Moment,
) -> Result<(), StoreError> {
    store::query("UPDATE instances SET forked = 1 WHERE id = $1")
        .bind(instance.id)
        .execute(tx)
        .await?;
    let message = format!(
        "{}: the chain of usage reports forked at report {report}: two nodes have this identity, or the state of one was restored",
        instance.udi_text()
    );
    let alert = Alert {
        kind: AlertKind::ReportsForked,
        subject: &instance.piid,
        needed: None,
        message: &message,
    };
    journal::raise(tx, instance.place, &alert, now).await
}
