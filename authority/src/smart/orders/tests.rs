use api::smart::{
    EntitlementRequest, OrderKind, Orders, OrdersHeld, Reply, RequestBody, SignedOrders, WireError,
};
use licensing::{Catalog, OnOoc, OocRule, Shadow};
use serde_json::{Value, json};

use crate::admin::{devices, orders};
use crate::rig::{Node, Rig};
use crate::store;

/// A message of a node, and the orders that its answer brings, whose signature was looked at.
async fn ask(rig: &Rig, node: &Node) -> Option<Orders> {
    let body = RequestBody::Entitlement(EntitlementRequest {
        tags: Vec::new(),
        reports: Vec::new(),
        oldest_report: None,
    });
    let octets = node.message(body, rig.now.wall).octets();
    let peer = Some(node.key.public_key_raw());
    let answer = rig.authority.answer(&octets, peer, rig.now).await;
    let reply: Reply = rig.opened(&answer.unwrap());
    reply.orders.map(|signed| opened(&signed))
}

fn opened(signed: &SignedOrders) -> Orders {
    let signer = crate::pki::raw_key(&signed.chain[0].0).unwrap();
    let opened = signed.open(|octets, signed| {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &signer);
        let good = key.verify(octets, &signed.signature.value.0);
        good.map_err(|_| WireError::NotAuthentic)
    });
    opened.unwrap()
}

/// The same, and the node takes them.
async fn ask_and_take(rig: &Rig, node: &mut Node) -> Vec<OrderKind> {
    let orders = ask(rig, node).await.expect("there are other orders");
    assert!(orders.serial > node.orders.serial);
    assert_eq!(
        Some(&orders.product_instance_identifier),
        node.instance.as_ref()
    );
    node.orders.serial = orders.serial;
    orders.orders.into_iter().map(|order| order.what).collect()
}

async fn issue(rig: &Rig, node: Option<&Node>, new: Value) -> Result<i64, String> {
    let new = serde_json::from_value(new).unwrap();
    let mut tx = rig.authority.store.write().await.unwrap();
    let device = match node.and_then(|node| node.instance.as_ref()) {
        Some(piid) => {
            let found = devices::find(&mut tx, rig.place.account, piid.as_str()).await;
            Some(found.unwrap())
        }
        None => None,
    };
    let (authority, by) = (&rig.authority, rig.by());
    let made = orders::issue(authority, &mut tx, rig.place, device.as_ref(), &new, by).await;
    let made = made.map_err(|error| error.to_string())?;
    tx.commit().await.unwrap();
    Ok(json!(made)["id"].as_i64().unwrap())
}

async fn withdraw(rig: &Rig, id: i64) {
    let mut tx = rig.authority.store.write().await.unwrap();
    let done = orders::withdraw(&rig.authority, &mut tx, rig.place, id, rig.by()).await;
    done.unwrap();
    tx.commit().await.unwrap();
}

fn lenient(days: u16) -> Value {
    json!({ "kind": "RULE", "license": "PGW", "onOoc": "ALLOW", "graceDays": days })
}

fn catalog(text: &str) -> Value {
    json!({ "kind": "CATALOG", "catalog": text })
}

fn rule(grace_days: u16) -> OrderKind {
    let on_ooc = OnOoc::Allow;
    OrderKind::Rule(OocRule { on_ooc, grace_days })
}

fn observe(rig: &Rig, days: i64) -> Value {
    let until = crate::admin::text_of(rig.now.date.0 + days * crate::moment::DAY_MS);
    json!({ "kind": "SHADOW", "license": "PGW", "mode": "OBSERVE", "expiresAt": until })
}

//= L2
#[tokio::test]
async fn orders_come_with_answers_until_the_node_has_them() {
    let rig = Rig::new().await;
    let mut node = rig.node(1).await;
    assert_eq!(ask(&rig, &node).await, None, "nothing is ordered");
    issue(&rig, None, lenient(30)).await.unwrap();
    let first = ask(&rig, &node).await.unwrap();
    assert_eq!((first.serial, first.lab), (1, false));
    assert_eq!(ask(&rig, &node).await, Some(first), "once more, the same");
    assert_eq!(ask_and_take(&rig, &mut node).await, [rule(30)]);
    assert_eq!(ask(&rig, &node).await, None, "it has them");
    issue(&rig, None, lenient(31)).await.unwrap();
    assert_eq!(
        ask_and_take(&rig, &mut node).await,
        [rule(31)],
        "in place of it"
    );
    assert_eq!(node.orders.serial, 2);
}

//= L2
#[tokio::test]
async fn an_instance_has_its_own_orders_before_those_of_its_virtual_account() {
    let mut rig = Rig::new().await;
    let (mut one, mut other) = (rig.node(1).await, rig.node(2).await);
    issue(&rig, None, lenient(30)).await.unwrap();
    let own = issue(&rig, Some(&one), lenient(5)).await.unwrap();
    issue(&rig, Some(&one), observe(&rig, 2)).await.unwrap();
    let observed = OrderKind::Shadow(Shadow::Observe);
    assert_eq!(ask_and_take(&rig, &mut one).await, [rule(5), observed]);
    assert_eq!(ask_and_take(&rig, &mut other).await, [rule(30)]);
    rig.pass_days(2);
    assert_eq!(
        ask_and_take(&rig, &mut one).await,
        [rule(5)],
        "its day has come"
    );
    assert_eq!(ask(&rig, &other).await, None);
    withdraw(&rig, own).await;
    assert_eq!(ask_and_take(&rig, &mut one).await, [rule(30)]);
}

//= L2
#[tokio::test]
async fn a_serial_number_only_grows_whatever_became_of_the_books() {
    let rig = Rig::new().await;
    let mut node = rig.node(1).await;
    node.orders.serial = 7;
    assert_eq!(
        ask_and_take(&rig, &mut node).await,
        [],
        "these books know of none"
    );
    assert_eq!(node.orders.serial, 8);
    let id = issue(&rig, None, lenient(30)).await.unwrap();
    ask_and_take(&rig, &mut node).await;
    withdraw(&rig, id).await;
    assert_eq!(ask_and_take(&rig, &mut node).await, []);
    assert_eq!(node.orders.serial, 10);
    node.orders.serial = 3;
    assert_eq!(
        ask(&rig, &node).await.unwrap().serial,
        10,
        "its disk is older"
    );
    node.orders.serial = u64::MAX;
    assert_eq!(ask(&rig, &node).await, None, "no number is higher");
}

//= L2
#[tokio::test]
async fn what_a_node_has_and_why_not_is_shown() {
    let rig = Rig::new().await;
    let mut node = rig.node(1).await;
    let shown = async |rig: &Rig| {
        let mut tx = rig.authority.store.read().await.unwrap();
        let id = rig.number("SELECT id FROM instances").await;
        json!(orders::of_device(&mut tx, id).await.unwrap())
    };
    assert_eq!(shown(&rig).await, Value::Null);
    issue(&rig, None, lenient(30)).await.unwrap();
    ask(&rig, &node).await.unwrap();
    node.orders.refused = Some("no such tag".into());
    ask(&rig, &node).await.unwrap();
    let stands = |applied, refused, aside| json!({ "issuedSerial": 1, "appliedSerial": applied, "refused": refused, "setAside": aside });
    let none = Value::Null;
    assert_eq!(
        shown(&rig).await,
        stands(0, json!("no such tag"), none.clone())
    );
    node.orders = OrdersHeld {
        serial: 1,
        ..OrdersHeld::default()
    };
    assert_eq!(ask(&rig, &node).await, None);
    assert_eq!(shown(&rig).await, stands(1, none.clone(), none.clone()));
    node.orders.set_aside = Some("1 set aside: X".into());
    assert_eq!(ask(&rig, &node).await, None, "it is not sent again");
    let aside = json!("1 set aside: X");
    assert_eq!(shown(&rig).await, stands(1, none.clone(), aside.clone()));
    // An older text came to it once more: that is refused, and what it has is as it was.
    node.orders.refused = Some("their serial number is 0".into());
    assert_eq!(ask(&rig, &node).await, None);
    let replayed = json!("their serial number is 0");
    assert_eq!(shown(&rig).await, stands(1, replayed, aside.clone()));
    node.orders.refused = None;
    assert_eq!(ask(&rig, &node).await, None);
    assert_eq!(shown(&rig).await, stands(1, none.clone(), aside));
    // An older node tells it so, of what it has.
    node.orders.set_aside = None;
    for (serial, said) in [(0, "set aside: Y"), (1, "set aside: Z")] {
        node.orders.serial = serial;
        node.orders.refused = Some(said.into());
        ask(&rig, &node).await;
    }
    assert_eq!(shown(&rig).await, stands(1, none, json!("set aside: Z")));
    let events = async |kind| {
        let mut tx = rig.authority.store.read().await.unwrap();
        let sql = "SELECT count(*) FROM events WHERE kind = $1";
        let number: i64 = { store::query_scalar(sql).bind(kind) }
            .fetch_one(&mut tx)
            .await
            .unwrap();
        number
    };
    assert_eq!(events("ORDERS_REFUSED").await, 3);
    assert_eq!(events("ORDERS_APPLIED").await, 2);
    assert_eq!(events("ORDERS_PARTLY_APPLIED").await, 2);
    rig.deregister(&node).await.unwrap();
    assert_eq!(shown(&rig).await, Value::Null, "gone with the instance");
}

#[tokio::test]
async fn orders_that_may_not_be_are_not_issued() {
    let rig = Rig::new().await;
    let with = |changed: Value| {
        let mut new = lenient(30);
        for (key, value) in changed.as_object().unwrap() {
            new[key] = value.clone();
        }
        new
    };
    let shadow = |changed: Value| {
        let mut new = observe(&rig, 1);
        for (key, value) in changed.as_object().unwrap() {
            new[key] = value.clone();
        }
        new
    };
    let span = observe(&rig, 367)["expiresAt"].clone();
    let cases = [
        (with(json!({ "license": "XYZ" })), "is not licensed here"),
        (
            with(json!({ "graceDays": 367 })),
            "graceDays is at most 366",
        ),
        (
            with(json!({ "graceDays": null })),
            "a rule has onOoc and graceDays",
        ),
        (
            with(json!({ "mode": "OBSERVE" })),
            "a rule has onOoc and graceDays",
        ),
        (
            with(json!({ "expiresAt": "2001-01-01" })),
            "expiresAt is in the future",
        ),
        (
            with(json!({ "expiresAt": span })),
            "at most 366 days from now",
        ),
        (
            shadow(json!({ "expiresAt": null })),
            "what loosens a block has an expiresAt",
        ),
        (
            shadow(json!({ "mode": "RAMP" })),
            "percent (1 to 100) with RAMP",
        ),
        (
            shadow(json!({ "mode": "RAMP", "percent": 101 })),
            "percent (1 to 100)",
        ),
        (
            shadow(json!({ "percent": 5 })),
            "percent (1 to 100) with RAMP",
        ),
        (
            shadow(json!({ "graceDays": 5 })),
            "neither onOoc nor graceDays",
        ),
        (with(json!({ "catalog": "" })), "and no catalog"),
        (
            with(json!({ "kind": "CATALOG" })),
            "a catalog has its text, and neither",
        ),
        (
            catalog(&Catalog::staros_text().replace("ASR5K-00-EG01RS,", "ASR5K-00-EG01RX,")),
            "the catalog has the tag regid.2017-11.com.cisco.ASR5K-00-EG01RX,1.0_b7f0b7d1-0d68-4223-abb1-381c3ac968ec, which is not licensed here: to sell its licenses, the authority needs that catalog itself",
        ),
        (
            catalog(&Catalog::staros_text().replace("ASR5K-00-GN10SESS,", "ASR5K-00-GN10SESX,")),
            "the catalog has the tag regid.2017-02.com.cisco.ASR5K-00-GN10SESX,",
        ),
        (
            catalog(&Catalog::staros_text().replace("VPC_SI,1.0_", "VPC_SX,1.0_")),
            "the catalog has the product tag regid.2017-02.com.cisco.VPC_SX,1.0_dcb12293-10c0-4e90-b35e-b10a9f8bfac1, which the authority does not have",
        ),
        (
            catalog("[[product]]\nname = 3"),
            "the catalog is refused: line 2: ",
        ),
        (
            catalog(&"#".repeat(65_537)),
            "the catalog has 65537 bytes, at most 65536 are taken",
        ),
    ];
    for (new, said) in cases {
        let why = issue(&rig, None, new.clone()).await.unwrap_err();
        assert!(why.contains(said), "{new}: {why}");
    }
    assert_eq!(rig.number("SELECT count(*) FROM orders").await, 0);
}

//= L1
//= L2
#[tokio::test]
async fn an_instance_has_its_own_catalog_before_that_of_its_virtual_account() {
    let mut rig = Rig::new().await;
    let mut node = rig.node(1).await;
    let own = Catalog::staros_text().replace("10_000", "20_000");
    let all = issue(&rig, None, catalog(Catalog::staros_text())).await;
    let first = ask(&rig, &node).await.unwrap();
    assert_eq!(first.catalog.unwrap().text, Catalog::staros_text());
    let id = issue(&rig, Some(&node), catalog(&own)).await.unwrap();
    let next = ask(&rig, &node).await.unwrap();
    assert_eq!((next.serial, next.orders.len()), (2, 0));
    assert_eq!(next.catalog.unwrap().text, own);
    withdraw(&rig, id).await;
    withdraw(&rig, all.unwrap()).await;
    node.orders.serial = 2;
    let last = ask(&rig, &node).await.unwrap();
    assert_eq!((last.serial, last.catalog), (3, None));
    let audited = "SELECT count(*) FROM audit WHERE action IN ('issue-order', 'withdraw-order')";
    assert_eq!(rig.number(audited).await, 4);

    let until = crate::admin::text_of(rig.now.date.0 + crate::moment::DAY_MS);
    let mut ending = catalog(&own);
    ending["expiresAt"] = json!(until);
    issue(&rig, None, ending).await.unwrap();
    node.orders.serial = 3;
    let given = ask(&rig, &node).await.unwrap().catalog.unwrap();
    let ends = given.not_after.map(|ends| ends.0);
    assert_eq!(ends, Some(rig.now.date.0 + crate::moment::DAY_MS));
    node.orders.serial = 4;
    rig.pass_days(1);
    let last = ask(&rig, &node).await.unwrap();
    assert_eq!((last.serial, last.catalog), (5, None), "its day has come");
}

/// A text that is due again is made again.
//= L2
#[tokio::test]
async fn a_catalog_is_kept_once_however_many_instances_have_it() {
    let rig = Rig::new().await;
    let mut nodes = Vec::new();
    for number in 1..=3 {
        nodes.push(rig.node(number).await);
    }
    let id = issue(&rig, None, catalog(Catalog::staros_text())).await;
    issue(&rig, None, lenient(30)).await.unwrap();
    let mut first = Vec::new();
    for node in &mut nodes {
        let given = ask(&rig, node).await.unwrap();
        let text = &given.catalog.as_ref().unwrap().text;
        assert_eq!(text, Catalog::staros_text());
        node.orders.serial = 1;
        assert_eq!(ask(&rig, node).await, None, "it has them");
        first.push(given);
    }
    assert_eq!(rig.number("SELECT count(*) FROM ordered_catalogs").await, 1);
    let longest = "SELECT CAST(max(length(digest)) AS BIGINT) FROM instance_orders";
    assert_eq!(rig.number(longest).await, 64);
    // Their disks are older.
    for (node, first) in nodes.iter_mut().zip(first) {
        node.orders.serial = 0;
        assert_eq!(ask(&rig, node).await, Some(first), "to the last field");
    }
    let mut tx = rig.authority.store.read().await.unwrap();
    let listed = orders::list(&rig.authority, &mut tx, rig.place.va, rig.by()).await;
    drop(tx);
    let sha256 = crate::secret::digest(Catalog::staros_text().as_bytes()).to_string();
    assert_eq!(json!(listed.unwrap())[1]["catalogSha256"], json!(sha256));
    withdraw(&rig, id.unwrap()).await;
    assert_eq!(
        rig.number("SELECT count(*) FROM ordered_catalogs").await,
        0,
        "gone with its order"
    );
}

/// What a program of before wrote for an instance is written anew: what it was is not known.
//= L2
#[tokio::test]
async fn what_was_written_for_an_instance_before_there_were_digests_is_written_anew() {
    let rig = Rig::new().await;
    let mut node = rig.node(1).await;
    issue(&rig, None, lenient(30)).await.unwrap();
    ask_and_take(&rig, &mut node).await;
    let mut tx = rig.authority.store.write().await.unwrap();
    let old = "UPDATE instance_orders SET digest = '', issued = 0";
    store::query(old).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let again = ask(&rig, &node).await.unwrap();
    assert_eq!((again.serial, again.issued), (2, rig.now.date));
    assert_eq!(ask_and_take(&rig, &mut node).await, [rule(30)]);
    assert_eq!(ask(&rig, &node).await, None);
}
