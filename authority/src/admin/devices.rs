//! Product instances, as people see, move and remove them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::pools::{Usage, usage};
use super::transfers::{self, Moved};
use super::{By, Problem, not_found, orders, text_of};
use crate::authority::Authority;
use crate::books::{self, PoolKey};
use crate::instances::{self, Instance, State};
use crate::journal::{self, Change, Place};
use crate::pool::Demand;
use crate::store::{self, StoreError, Tx};

/// Where an instance is to go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Move {
    pub(crate) target_virtual_account: String,
}

/// A product instance.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    #[serde(skip)]
    pub(crate) id: i64,
    pub(crate) product_instance_identifier: String,
    pub(crate) display_name: String,
    pub(crate) host_name: String,
    pub(crate) sudi: Sudi,
    pub(crate) virtual_account: String,
    pub(crate) product_name: String,
    pub(crate) software_version: String,
    pub(crate) status: &'static str,
    pub(crate) registration_date: String,
    pub(crate) renewal_date: Option<String>,
    pub(crate) last_contact_date: String,
    /// Number of the last usage report.
    pub(crate) last_report: Option<i64>,
    /// The chain of its usage reports has forked.
    pub(crate) reports_forked: bool,
    /// How often reports of it were lost.
    pub(crate) report_gaps: i64,
    pub(crate) license_usage: Vec<Usage>,
    /// How it stands with its orders.
    pub(crate) orders: Option<orders::OfDevice>,
}

/// A device, as the vendor's API has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sudi {
    pub(crate) udi_pid: String,
    pub(crate) udi_serial_number: String,
}

type DeviceRow = (
    i64,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    i64,
    Option<i64>,
    i64,
    Option<i64>,
    bool,
    i64,
    bool,
);

fn device(row: DeviceRow) -> Device {
    let (
        id,
        piid,
        hostname,
        pid,
        sn,
        va,
        product,
        version,
        state,
        registered,
        renewed,
        contact,
        last_report,
        forked,
        gaps,
        silent,
    ) = row;
    Device {
        id,
        product_instance_identifier: piid,
        display_name: format!("UDI_PID:{pid}; UDI_SN:{sn};"),
        host_name: hostname,
        sudi: Sudi {
            udi_pid: pid,
            udi_serial_number: sn,
        },
        virtual_account: va,
        product_name: product,
        software_version: version,
        status: match state.as_str() {
            "pending" => "PENDING",
            "registered" if silent => "SILENT",
            "registered" => "ACTIVE",
            "deregistered" => "DEREGISTERED",
            _ => "REMOVED",
        },
        registration_date: text_of(registered),
        renewal_date: renewed.map(text_of),
        last_contact_date: text_of(contact),
        last_report,
        reports_forked: forked,
        report_gaps: gaps,
        license_usage: Vec::new(),
        orders: None,
    }
}

/// Which instances are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Those after this one.
    pub(crate) after: i64,
    /// At most so many.
    pub(crate) limit: i64,
    /// Those that are gone, too.
    pub(crate) gone: bool,
}

/// Instances of a virtual account (0: of all of the account), in the order in which they were made.
pub(crate) async fn list(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    page: Page,
) -> Result<Vec<Device>, StoreError> {
    let sql = match place.va {
        0 => {
            "SELECT i.id, piid, hostname, udi_pid, udi_sn, v.name, product, version, state,
                registered, renewed, last_contact, last_report, forked, gaps, silent
             FROM instances i JOIN virtual_accounts v ON v.id = i.va
             WHERE i.account = $1 AND i.id > $3 AND ($4 OR state IN ('pending', 'registered'))
                AND $2 = 0 ORDER BY i.id LIMIT $5"
        }
        _ => {
            "SELECT i.id, piid, hostname, udi_pid, udi_sn, v.name, product, version, state,
                registered, renewed, last_contact, last_report, forked, gaps, silent
             FROM instances i JOIN virtual_accounts v ON v.id = i.va
             WHERE i.account = $1 AND i.va = $2 AND i.id > $3
                AND ($4 OR state IN ('pending', 'registered')) ORDER BY i.id LIMIT $5"
        }
    };
    let rows: Vec<DeviceRow> = store::query_as(sql)
        .bind(place.account)
        .bind(place.va)
        .bind(page.after)
        .bind(page.gone)
        .bind(page.limit)
        .fetch_all(tx)
        .await?;
    let mut devices: Vec<Device> = rows.into_iter().map(device).collect();
    for device in &mut devices {
        device.license_usage = usage(authority, tx, device.id).await?;
        device.orders = orders::of_device(tx, device.id).await?;
    }
    Ok(devices)
}

/// The instance of an identifier, in this account.
pub(crate) async fn find(tx: &mut Tx, account: i64, piid: &str) -> Result<Instance, Problem> {
    match instances::by_piid(tx, piid).await? {
        Some(instance) if instance.place.account == account => Ok(instance),
        Some(_) | None => not_found("product instance of this identifier"),
    }
}

/// How an instance looks.
pub(crate) async fn show(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
) -> Result<Device, Problem> {
    let page = Page {
        after: instance.id - 1,
        limit: 1,
        gone: true,
    };
    let mut found = list(authority, tx, instance.place, page).await?;
    match found.pop() {
        Some(device) => Ok(device),
        None => not_found("product instance of this identifier"),
    }
}

fn check_living(instance: &Instance) -> Result<(), Problem> {
    if !instance.state.lives() {
        return Err(Problem::Conflict(
            "the product instance is gone already".into(),
        ));
    }
    Ok(())
}

/// Removes an instance; its licenses return.
pub(crate) async fn remove(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    by: By<'_>,
) -> Result<(), Problem> {
    check_living(instance)?;
    let before = show(authority, tx, instance).await?;
    instances::end(tx, instance, State::Removed, &authority.tags, by.now).await?;
    let change = Change {
        who: by.who,
        action: "remove-instance",
        object: &instance.piid,
        before: Some(json!(before)),
        after: None,
    };
    journal::audit(tx, instance.place, change, by.now).await?;
    let (kind, udi) = ("INSTANCE_REMOVED", instance.udi_text());
    journal::event(tx, instance.place, kind, &instance.piid, &udi, by.now).await?;
    Ok(())
}

/// Moves an instance, with what it uses and holds, to another virtual account of the same Smart Account.
pub(crate) async fn transfer(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    target: &(i64, String),
    by: By<'_>,
) -> Result<(), Problem> {
    check_living(instance)?;
    let Place { account, va } = instance.place;
    let (target, name) = (target.0, &target.1);
    if target == va {
        return super::invalid("an instance moves to another virtual account");
    }
    let demands = books::take_off(tx, instance.id, va).await?;
    for (tag, demand) in demands {
        let key = PoolKey { va: target, tag };
        books::put(tx, instance.id, key, Demand::NONE, demand).await?;
        for va in [va, target] {
            let key = PoolKey { va, tag };
            journal::judge_key(tx, account, key, &authority.tags, by.now).await?;
        }
    }
    store::query("UPDATE instances SET va = $1 WHERE id = $2")
        .bind(target)
        .bind(instance.id)
        .execute(tx)
        .await?;
    store::query("UPDATE alerts SET va = $1 WHERE va = $2 AND subject = $3 AND cleared IS NULL")
        .bind(target)
        .bind(va)
        .bind(&instance.piid)
        .execute(tx)
        .await?;
    let moved = Moved::Instance(&instance.piid);
    transfers::note(tx, instance.place, target, moved, by).await?;
    let change = Change {
        who: by.who,
        action: "transfer-instance",
        object: &instance.piid,
        before: Some(json!({ "virtualAccountNumber": va })),
        after: Some(json!({ "virtualAccount": name, "virtualAccountNumber": target })),
    };
    journal::audit(tx, instance.place, change, by.now).await?;
    let message = format!("{} moved to {name}", instance.udi_text());
    let kind = "INSTANCE_TRANSFERRED";
    journal::event(tx, instance.place, kind, &instance.piid, &message, by.now).await?;
    Ok(())
}
