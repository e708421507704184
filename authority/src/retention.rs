//! What is kept for so long and no longer: nonces, logins that are over, events, the audit log, transfers, usage reports, and
//! what is left of instances that are gone. It goes in steps, so that nobody waits long for the store.
//!
//! Nothing goes that is needed: an alert that is outstanding stays; of the reports of an instance that lives, its row keeps
//! number and digest of the last one, and `usage_sums` what they add up to; an instance that is gone is known until no
//! certificate of it could be valid.

use crate::authority::Authority;
use crate::moment::{DAY_MS, Moment};
use crate::store::{self, StoreError, Tx};

/// Most rows of a kind in one step, and instances of one step.
const STEP: i64 = 1_000;
const INSTANCES_STEP: i64 = 100;
/// Most steps of one call.
const STEPS_MAX: u32 = 20;

/// For how many days things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The audit log and transfers, by the wall clock.
    pub audit_days: u32,
    /// Events, and alerts that have cleared, by the wall clock.
    pub events_days: u32,
    /// Usage reports, by the calendar; their sums stay.
    pub reports_days: u32,
    /// Instances that are gone and registration tokens that have expired, by the calendar.
    pub instances_days: u32,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            audit_days: 400,
            events_days: 400,
            reports_days: 400,
            instances_days: 400,
        }
    }
}

/// What goes: whether there is any that is older than a time, and so many of the oldest of it.
struct Old {
    before: i64,
    any: &'static str,
    delete: &'static str,
}

/// Instances that are gone, and those that never said that they are there.
const GONE: [&str; 2] = [
    "SELECT id FROM instances WHERE ended < $1 ORDER BY ended LIMIT $2",
    "SELECT id FROM instances WHERE state = 'pending' AND registered < $1 ORDER BY registered LIMIT $2",
];

impl Kept {
    fn old(&self, now: Moment) -> [Old; 9] {
        let ago = |at: i64, days: u32| at.saturating_sub(i64::from(days) * DAY_MS);
        let events = ago(now.wall.0, self.events_days);
        [
            Old {
                before: now.wall.0,
                any: "SELECT EXISTS (SELECT 1 FROM nonces WHERE expires < $1)",
                delete: "DELETE FROM nonces WHERE (instance, nonce) IN
                    (SELECT instance, nonce FROM nonces WHERE expires < $1 ORDER BY expires LIMIT $2)",
            },
            Old {
                before: now.wall.0,
                any: "SELECT EXISTS (SELECT 1 FROM api_tokens WHERE expires < $1)",
                delete: "DELETE FROM api_tokens WHERE id IN
                    (SELECT id FROM api_tokens WHERE expires < $1 ORDER BY expires LIMIT $2)",
            },
            Old {
                before: now.wall.0,
                any: "SELECT EXISTS (SELECT 1 FROM api_tokens WHERE revoked < $1)",
                delete: "DELETE FROM api_tokens WHERE id IN
                    (SELECT id FROM api_tokens WHERE revoked < $1 ORDER BY revoked LIMIT $2)",
            },
            // Times of events and changes rise with their numbers.
            Old {
                before: events,
                any: "SELECT EXISTS (SELECT 1 FROM (SELECT at FROM events ORDER BY id LIMIT 1) x WHERE at < $1)",
                delete: "DELETE FROM events WHERE id IN
                    (SELECT id FROM (SELECT id, at FROM events ORDER BY id LIMIT $2) x WHERE at < $1)",
            },
            Old {
                before: events,
                any: "SELECT EXISTS (SELECT 1 FROM alerts WHERE cleared < $1)",
                delete: "DELETE FROM alerts WHERE id IN
                    (SELECT id FROM alerts WHERE cleared < $1 ORDER BY cleared LIMIT $2)",
            },
            Old {
                before: ago(now.wall.0, self.audit_days),
                any: "SELECT EXISTS (SELECT 1 FROM (SELECT at FROM audit ORDER BY id LIMIT 1) x WHERE at < $1)",
                delete: "DELETE FROM audit WHERE id IN
                    (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT $2) x WHERE at < $1)",
            },
            Old {
                before: ago(now.wall.0, self.audit_days),
                any: "SELECT EXISTS (SELECT 1 FROM (SELECT at FROM transfers ORDER BY id LIMIT 1) x WHERE at < $1)",
                delete: "DELETE FROM transfers WHERE id IN
                    (SELECT id FROM (SELECT id, at FROM transfers ORDER BY id LIMIT $2) x WHERE at < $1)",
            },
            Old {
                before: ago(now.date.0, self.reports_days),
                any: "SELECT EXISTS (SELECT 1 FROM usage_reports WHERE received < $1)",
                delete: "DELETE FROM usage_reports WHERE (instance, number) IN
                    (SELECT instance, number FROM usage_reports WHERE received < $1
                     ORDER BY received LIMIT $2)",
            },
            Old {
                before: ago(now.date.0, self.instances_days),
                any: "SELECT EXISTS (SELECT 1 FROM registration_tokens WHERE expires < $1)",
                delete: "DELETE FROM registration_tokens WHERE id IN
                    (SELECT id FROM registration_tokens WHERE expires < $1 ORDER BY expires LIMIT $2)",
            },
        ]
    }

    /// The date before which what is gone is forgotten: not before its reports would go.
    fn gone_before(&self, now: Moment) -> i64 {
        let days = self.instances_days.max(self.reports_days);
        now.date.0.saturating_sub(i64::from(days) * DAY_MS)
    }
}

impl Authority {
    /// Lets go of what is too old; what is left after some steps is for the next call.
    pub(crate) async fn let_go(&self, now: Moment) -> Result<(), StoreError> {
        for _ in 0..STEPS_MAX {
            if !self.any_old(now).await? {
                break;
            }
            let mut tx = self.store.write().await?;
            for old in self.kept.old(now) {
                store::query(old.delete)
                    .bind(old.before)
                    .bind(STEP)
                    .execute(&mut tx)
                    .await?;
            }
            forget_gone(&mut tx, self.kept.gone_before(now)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Whether anything is too old: what is idle writes nothing.
    async fn any_old(&self, now: Moment) -> Result<bool, StoreError> {
        let mut tx = self.store.read().await?;
        for old in self.kept.old(now) {
            let any: bool = store::query_scalar(old.any)
                .bind(old.before)
                .fetch_one(&mut tx)
                .await?;
            if any {
                return Ok(true);
            }
        }
        let gone = gone(&mut tx, self.kept.gone_before(now), 1).await?;
        Ok(!gone.is_empty())
    }
}

async fn gone(tx: &mut Tx, before: i64, most: i64) -> Result<Vec<i64>, StoreError> {
    let mut found = Vec::new();
    for sql in GONE {
        let ids: Vec<i64> = store::query_scalar(sql)
            .bind(before)
            .bind(most)
            .fetch_all(tx)
            .await?;
        found.extend(ids);
    }
    Ok(found)
}

/// Forgets instances, each once its reports have gone.
async fn forget_gone(tx: &mut Tx, before: i64) -> Result<(), StoreError> {
    for instance in gone(tx, before, INSTANCES_STEP).await? {
        let reports = store::query(
            "DELETE FROM usage_reports WHERE instance = $1 AND number IN
                (SELECT number FROM usage_reports WHERE instance = $1 ORDER BY number LIMIT $2)",
        )
        .bind(instance)
        .bind(STEP)
        .execute(tx)
        .await?;
        if reports >= STEP.unsigned_abs() {
            return Ok(());
        }
        for sql in [
            "DELETE FROM usage_sums WHERE instance = $1",
            "DELETE FROM nonces WHERE instance = $1",
            "DELETE FROM demands WHERE instance = $1",
            "DELETE FROM certificates WHERE instance = $1",
            "DELETE FROM instances WHERE id = $1",
        ] {
            store::query(sql).bind(instance).execute(tx).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use api::smart::FailureCode;
    use serde_json::json;

    use super::*;
    use crate::rig::{Node, PGW, Rig, demand};

    async fn count(rig: &Rig, table: &'static str) -> i64 {
        rig.number(table).await
    }

    const REPORTS: &str = "SELECT count(*) FROM usage_reports";
    const INSTANCES: &str = "SELECT count(*) FROM instances";
    const USED: &str = "SELECT CAST(sum(license_ms) AS BIGINT) FROM usage_sums";

    //= L10
    #[tokio::test]
    async fn reports_go_by_their_age_and_the_chain_and_its_sums_stay() {
        let mut rig = Rig::new().await;
        rig.own(json!({})).await;
        let mut node = rig.node(1).await;
        for license_ms in [5, 7] {
            node.report(license_ms);
        }
        rig.ask_all(&node, vec![]).await.unwrap();
        for _ in 0..3 {
            rig.pass_days(133);
            rig.renew(&mut node).await.unwrap();
            rig.acknowledge(&node).await.unwrap();
            rig.authority.sweep(rig.now).await.unwrap();
        }
        assert_eq!(count(&rig, REPORTS).await, 2, "399 days");
        rig.pass_days(2);
        rig.authority.sweep(rig.now).await.unwrap();
        assert_eq!(count(&rig, REPORTS).await, 0);
        assert_eq!(count(&rig, USED).await, 12);

        // The last one comes once more, because its receipt was lost; and one of before it, which nobody knows any more.
        let (first, last) = (node.reports[0].clone(), node.reports[1].clone());
        let next = node.report(11);
        let said = rig
            .ask_with(&node, vec![], vec![first, last.clone(), next], Some(1))
            .await;
        let receipt = said.unwrap().receipt;
        assert_eq!((receipt.taken, receipt.forked), (vec![2, 3], false));
        assert_eq!(count(&rig, USED).await, 23, "each counts once");
        let other = crate::rig::report(3, None, 9);
        let said = rig.ask_with(&node, vec![], vec![other], Some(3)).await;
        assert!(said.unwrap().receipt.forked);
        assert_eq!(count(&rig, USED).await, 23);
    }

    //= L10
    #[tokio::test]
    async fn what_is_gone_is_known_until_no_certificate_of_it_could_be_valid() {
        let mut rig = Rig::new().await;
        let mut node = rig.node(1).await;
        node.report(5);
        rig.ask_all(&node, vec![demand(PGW, 0, 0, None)])
            .await
            .unwrap();
        rig.renew(&mut node).await.unwrap();
        rig.deregister(&node).await.unwrap();
        let token = rig.token(json!({})).await.token.unwrap();
        let mut silent = Node::new(2);
        rig.try_register(&mut silent, &token, false).await.unwrap();
        rig.pass_days(364);
        rig.authority.sweep(rig.now).await.unwrap();
        let refused = rig.ask_all(&node, vec![]).await.unwrap_err().0;
        assert_eq!(refused, FailureCode::InstanceRemoved);
        assert_eq!(count(&rig, INSTANCES).await, 2);
        rig.pass_days(37);
        rig.authority.sweep(rig.now).await.unwrap();
        for table in [
            INSTANCES,
            REPORTS,
            "SELECT count(*) FROM usage_sums",
            "SELECT count(*) FROM certificates",
            "SELECT count(*) FROM nonces",
            "SELECT count(*) FROM demands",
        ] {
            assert_eq!(count(&rig, table).await, 0, "{table}");
        }
        let refused = rig.renew(&mut node).await.unwrap_err().0;
        assert_eq!(refused, FailureCode::CertificateInvalid, "not taken in");
    }

    #[tokio::test]
    async fn the_audit_log_and_tokens_go_by_their_age_and_living_instances_stay() {
        let mut rig = Rig::new().await;
        let node = rig.node(1).await;
        let mut tx = rig.authority.store.write().await.unwrap();
        store::query(
            "INSERT INTO transfers
                (at, account, who, kind, object, quantity, source, source_name, target, target_name)
             VALUES ($1, 1, 'a', 'LICENSES', 'PGW', 1, 1, 'a', 2, 'b')",
        )
        .bind(rig.now.wall.0)
        .execute(&mut tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let tables = [
            "SELECT count(*) FROM registration_tokens",
            "SELECT count(*) FROM audit",
            "SELECT count(*) FROM transfers",
        ];
        for (days, left) in [(0, [1, 2, 1]), (400, [1, 2, 1]), (31, [0, 0, 0])] {
            rig.pass_days(days);
            rig.authority.sweep(rig.now).await.unwrap();
            for (table, left) in tables.into_iter().zip(left) {
                assert_eq!(count(&rig, table).await, left, "{days}: {table}");
            }
        }
        assert_eq!(count(&rig, INSTANCES).await, 1, "{:?}", node.instance);
        let alerts = rig.alerts().await;
        assert_eq!(alerts, [("INSTANCE_SILENT".to_owned(), None)]);
        rig.pass_days(500);
        rig.authority.sweep(rig.now).await.unwrap();
        assert_eq!(rig.alerts().await, alerts, "it is outstanding");
    }

    #[tokio::test]
    async fn sessions_that_ended_go_at_once() {
        let mut rig = Rig::new().await;
        let mut tx = rig.authority.store.write().await.unwrap();
        for revoked in [None, Some(rig.now.wall.0)] {
            store::query(
                "INSERT INTO api_tokens (user_id, digest, name, session, created, expires, revoked)
                 VALUES (1, $1, 'x', 0, 0, 9000000000000, $2)",
            )
            .bind(vec![u8::from(revoked.is_some()); 32])
            .bind(revoked)
            .execute(&mut tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        rig.pass(1);
        rig.authority.sweep(rig.now).await.unwrap();
        let left = "SELECT count(*) FROM api_tokens";
        assert_eq!(count(&rig, left).await, 1);
    }

    #[tokio::test]
    async fn more_than_a_step_goes_in_steps() {
        let mut rig = Rig::new().await;
        let mut tx = rig.authority.store.write().await.unwrap();
        for at in 0..2 * STEP + 1 {
            store::query(
                "INSERT INTO events (at, calendar, account, va, kind, subject, message)
                 VALUES ($1, 0, 1, 1, 'x', 'x', 'x')",
            )
            .bind(rig.now.wall.0 + at)
            .execute(&mut tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        rig.pass_days(401);
        rig.authority.let_go(rig.now).await.unwrap();
        assert_eq!(count(&rig, "SELECT count(*) FROM events").await, 0);
    }
}
