//! What happens by the passing of time alone: terms that begin and end, instances that fall silent, certificates that are
//! made anew, and what is kept no longer. Each step is bounded; what is left is for the next one.

use licensing::Wall;

use crate::admin::text_of;
use crate::authority::Authority;
use crate::instances::Instance;
use crate::journal::{self, Alert, AlertKind};
use crate::moment::{DAY_MS, Moment, put_setting, setting};
use crate::store::{self, StoreError};

/// Most instances of one step.
const STEP: i64 = 1_000;
/// Name of the setting that holds the date up to which terms were looked at.
const SWEPT: &str = "swept";

impl Authority {
    /// Looks at what time has changed since the last call.
    pub async fn sweep(&self, now: Moment) -> Result<(), StoreError> {
        if self.terms_turned(now).await? {
            self.sweep_terms(now).await?;
        }
        self.sweep_silent(now).await?;
        self.sweep_certificates(now).await?;
        self.let_go(now).await
    }

    /// Whether there is anything to look at: what is idle writes nothing.
    async fn terms_turned(&self, now: Moment) -> Result<bool, StoreError> {
        let mut tx = self.store.read().await?;
        let swept = setting(&mut tx, SWEPT).await?;
        let swept = Wall(swept.and_then(|text| text.parse().ok()).unwrap_or(0));
        let old = now.date.0 - swept.0 > DAY_MS;
        Ok(old
            || !crate::books::turned(&mut tx, swept, now.date)
                .await?
                .is_empty())
    }

    /// Pools whose licenses began or ended.
    async fn sweep_terms(&self, now: Moment) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let swept = setting(&mut tx, SWEPT).await?;
        let swept = swept.and_then(|text| text.parse().ok());
        let turned = crate::books::turned(&mut tx, Wall(swept.unwrap_or(0)), now.date).await?;
        for key in turned {
            let account: i64 =
                store::query_scalar("SELECT account FROM virtual_accounts WHERE id = $1")
                    .bind(key.va)
                    .fetch_one(&mut tx)
                    .await?;
            journal::judge_key(&mut tx, account, key, &self.tags, now).await?;
        }
        put_setting(&mut tx, SWEPT, &now.date.0.to_string()).await?;
        tx.commit().await
    }

    /// Instances that were not heard of for long: shown, and nothing else (rule L11).
    async fn sweep_silent(&self, now: Moment) -> Result<(), StoreError> {
        let since = now.date.0 - i64::from(self.silent_days) * DAY_MS;
        let mut tx = self.store.read().await?;
        let any: bool = store::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM instances
             WHERE state = 'registered' AND silent = 0 AND last_contact < $1)",
        )
        .bind(since)
        .fetch_one(&mut tx)
        .await?;
        drop(tx);
        if !any {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        let silent: Vec<Instance> = store::query_as(
            "SELECT * FROM instances WHERE state = 'registered' AND silent = 0 AND last_contact < $1
             ORDER BY last_contact LIMIT $2",
        )
        .bind(since)
        .bind(STEP)
        .fetch_all(&mut tx)
        .await?;
        for instance in &silent {
            store::query("UPDATE instances SET silent = 1 WHERE id = $1")
                .bind(instance.id)
                .execute(&mut tx)
                .await?;
            let message = format!(
                "{} was not heard of for {} days; what it holds stays with it until it is removed",
                instance.udi_text(),
                self.silent_days
            );
            let alert = Alert {
                kind: AlertKind::InstanceSilent,
                subject: &instance.piid,
                needed: None,
                message: &message,
            };
            journal::raise(&mut tx, instance.place, &alert, now).await?;
        }
        tx.commit().await
    }

    /// Certificates of its own: made anew, or people are warned.
    async fn sweep_certificates(&self, now: Moment) -> Result<(), StoreError> {
        let failed = match self.pki.renew(now) {
            Ok(false) => None,
            Ok(true) => {
                tracing::info!("certificates below the root were made anew");
                None
            }
            Err(error) => Some(format!(
                "the certificates below the root end before long, and can't be made anew: {error}"
            )),
        };
        self.warn(AlertKind::NotRenewed, failed, now).await?;
        let ends = self.pki.root_ends_soon(now);
        let ends = ends.map(|ends| {
            let ends = text_of(ends.0);
            format!("the root certificate of this authority ends at {ends}, and all below it; plan another one")
        });
        self.warn(AlertKind::RootEnds, ends, now).await
    }

    /// Raises an alert in all Smart Accounts, or clears it; what is so already writes nothing.
    async fn warn(
        &self,
        kind: AlertKind,
        message: Option<String>,
        now: Moment,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.read().await?;
        let accounts: Vec<(i64, String)> = store::query_as(
            "SELECT id, domain FROM smart_accounts a WHERE $1 <> EXISTS
                (SELECT 1 FROM alerts WHERE va = 0 AND kind = $2 AND subject = a.domain
                 AND cleared IS NULL)",
        )
        .bind(message.is_some())
        .bind(kind.name())
        .fetch_all(&mut tx)
        .await?;
        drop(tx);
        if accounts.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        for (account, domain) in &accounts {
            let place = journal::Place {
                account: *account,
                va: 0,
            };
            match &message {
                None => journal::clear(&mut tx, place, kind, domain, now).await?,
                Some(message) => {
                    let alert = Alert {
                        kind,
                        subject: domain,
                        needed: None,
                        message,
                    };
                    journal::raise(&mut tx, place, &alert, now).await?;
                }
            }
        }
        tx.commit().await
    }
}
