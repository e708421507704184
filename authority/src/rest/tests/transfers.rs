use super::*;
use crate::store;

async fn transfer(api: &Api, license: &str, quantity: u32, to: &str) -> u16 {
    let item = json!({ "license": license, "quantity": quantity, "targetVirtualAccount": to });
    let body = json!({ "licenses": [item] });
    let path = format!("{VA}/licenses/transfer");
    api.admin("POST", &path, Some(body)).await.0
}

/// Kind, object, quantity, from and to.
fn row(row: &Value) -> (&str, &str, i64, &str, &str) {
    let text = |key: &str| row[key].as_str().unwrap();
    let quantity = row["quantity"].as_i64().unwrap();
    (
        text("kind"),
        text("object"),
        quantity,
        text("from"),
        text("to"),
    )
}

#[tokio::test]
async fn transfers_are_listed_with_who_and_what_and_between_which_accounts() {
    let api = Api::new().await;
    for name in ["West", "East"] {
        let path = format!("{SA}/virtual-accounts");
        let new = json!({ "name": name });
        assert_eq!(api.admin("POST", &path, Some(new)).await.0, 201);
    }
    let new = json!({ "license": "PGW", "quantity": 5, "licenseType": "PERPETUAL" });
    let path = format!("{VA}/licenses");
    let (status, _) = api.admin("POST", &path, Some(new)).await;
    assert_eq!(status, 201);
    let mut tx = api.authority.store.write().await.unwrap();
    store::query(
        "INSERT INTO instances (piid, account, va, udi_pid, udi_sn, hostname, product, version,
            public_key, state, registered, last_contact)
         VALUES ('p-1', 1, 1, 'a', 'b', '', '', '', $1, 'registered', 5, 7)",
    )
    .bind(vec![1])
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();

    assert_eq!(transfer(&api, "PGW", 3, "West").await, 204);
    assert_eq!(transfer(&api, "PGW", 9, "West").await, 409, "there are 2");
    let (_, licenses) = api.admin("GET", &format!("{VA}/licenses"), None).await;
    let tag = licenses["licenses"][0]["tag"].as_str().unwrap().to_owned();
    assert_eq!(transfer(&api, &tag, 1, "West").await, 204);
    let path = format!("{SA}/devices/p-1/transfer");
    let to = json!({ "targetVirtualAccount": "East" });
    assert_eq!(api.admin("POST", &path, Some(to)).await.0, 200);
    // A name of today is not that of then.
    let edit = json!({ "name": "North" });
    let path = format!("{SA}/virtual-accounts/West");
    assert_eq!(api.admin("PATCH", &path, Some(edit)).await.0, 200);

    let all = [
        ("INSTANCE", "p-1", 1, "Default", "East"),
        ("LICENSES", "PGW", 1, "Default", "West"),
        ("LICENSES", "PGW", 3, "Default", "West"),
    ];
    let of = |name: &str| format!("{SA}/virtual-accounts/{name}");
    let cases = [
        (SA.to_owned(), &all[..]),
        (of("Default"), &all),
        (of("North"), &all[1..]),
        (of("East"), &all[..1]),
    ];
    for (place, expected) in cases {
        let (status, said) = api.admin("GET", &format!("{place}/transfers"), None).await;
        assert_eq!(status, 200, "{said}");
        let rows = said["transfers"].as_array().unwrap();
        let shown: Vec<_> = rows.iter().map(row).collect();
        assert_eq!(shown, expected, "{place}");
        assert!(rows.iter().all(|row| row["who"] == "ada"), "{said}");
        let at = rows[0]["at"].as_str().unwrap();
        assert!(at.ends_with('Z') && at.len() > 18, "{at}");
        assert_eq!(said["next"], Value::Null);
        let path = format!("{place}/reports/transfers");
        let (_, csv) = api.raw("GET", &path, &api.admin, None).await;
        let csv = String::from_utf8(csv).unwrap();
        assert!(csv.starts_with("id,at,who,kind,object,quantity,from,to\r\n"));
        assert_eq!(csv.lines().count(), 1 + expected.len(), "{csv}");
    }

    let mut next = Value::Null;
    for expected in all {
        let before = next.as_i64().map(|id| format!("&before={id}"));
        let path = format!("{SA}/transfers?limit=1{}", before.unwrap_or_default());
        let (_, page) = api.admin("GET", &path, None).await;
        assert_eq!(row(&page["transfers"][0]), expected);
        next = page["next"].clone();
    }
}

#[tokio::test]
async fn transfers_are_nobody_elses() {
    let api = Api::new().await;
    let mut tx = api.authority.store.write().await.unwrap();
    store::query(
        "INSERT INTO transfers
            (at, account, who, kind, object, quantity, source, source_name, target, target_name)
         VALUES (5, 2, 'eve', 'LICENSES', 'PGW', 1, 1, 'a', 9, 'b')",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for place in [SA, VA] {
        let (_, said) = api.admin("GET", &format!("{place}/transfers"), None).await;
        assert_eq!(said["transfers"], json!([]));
    }
}
