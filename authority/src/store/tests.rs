use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};

use super::*;
use crate::rig::{self, Node, PGW, Rig, START, database, demand};

thread_local! {
    /// Statements that this thread asked, in order.
    pub(super) static ASKED: RefCell<Vec<&'static str>> = RefCell::default();
}

/// How SQLite goes about a statement.
async fn plan(store: &Store, sql: &'static str) -> Vec<String> {
    let Store::Sqlite { readers, .. } = store else {
        panic!("it was opened in a file");
    };
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(readers).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn messages_find_their_rows_by_indexes() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let token = rig.token(json!({ "usesMax": 2 })).await.token.unwrap();
    ASKED.take();
    let mut node = Node::new(1);
    rig.register(&mut node, &token).await;
    node.report(5);
    rig.ask_all(&node, vec![demand(PGW, 11, 12, None)])
        .await
        .unwrap();
    rig.renew(&mut node).await.unwrap();
    rig.acknowledge(&node).await.unwrap();
    node.report(7);
    rig.ask_all(&node, vec![demand(PGW, 2, 3, None)])
        .await
        .unwrap();
    rig.try_register(&mut node, &token, true).await.unwrap();
    rig.acknowledge(&node).await.unwrap();
    rig.deregister(&node).await.unwrap();
    let asked = BTreeSet::from_iter(ASKED.take());
    assert!(asked.len() > 30, "{} statements", asked.len());

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("plans.sqlite")).await.unwrap();
    let mut by_udi = 0;
    for sql in asked {
        let plan = plan(&store, sql).await;
        let scan = plan.iter().find(|step| step.starts_with("SCAN"));
        assert_eq!(scan, None, "{sql}");
        if sql.contains("udi_sn = $3") {
            by_udi += 1;
            for index in [
                "instances_udi (account=? AND udi_pid=? AND udi_sn=?)",
                "instances_key",
            ] {
                let uses = plan.iter().any(|step| step.contains(index));
                assert!(uses, "{index} is not in {plan:?}");
            }
        }
    }
    assert!(by_udi > 0);
}

#[tokio::test]
async fn a_report_asks_the_same_statements_however_many_instances_there_are() {
    let rig = Rig::new().await;
    rig.own(json!({ "quantity": 1_000 })).await;
    let mut asked = Vec::new();
    for number in 1..=30 {
        let mut node = rig.node(number).await;
        node.report(5);
        ASKED.take();
        let demand = vec![demand(PGW, 1, 2, None)];
        rig.ask_all(&node, demand).await.unwrap();
        asked.push(ASKED.take());
    }
    assert!(asked[0].len() > 10, "{} statements", asked[0].len());
    assert_eq!(asked[1], asked[29]);
    assert!(asked.iter().all(|one| one.len() <= asked[0].len()));
}

#[tokio::test]
async fn a_scan_would_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("plans.sqlite")).await.unwrap();
    let sql = "SELECT id FROM instances WHERE hostname = $1";
    assert_eq!(plan(&store, sql).await, ["SCAN instances"]);
}

/// Opens the store of a folder.
async fn open(dir: &Path) -> Result<Store, StoreError> {
    match database::url_of(dir) {
        None => Store::open(&dir.join("authority.sqlite")).await,
        Some(url) => Store::open_database(&Database::new(&url, None).unwrap()).await,
    }
}

/// Makes the store of a folder as a program of an earlier version left it.
async fn make_old(dir: &Path, version: i64) {
    match database::url_of(dir) {
        None => {
            let writer = sqlite::writer(&dir.join("authority.sqlite")).await.unwrap();
            let all = migrations::all(Dialect::Sqlite);
            all.run_to(version, &writer).await.unwrap();
            writer.close().await;
        }
        Some(url) => {
            let lines = Lines::new(&Database::new(&url, None).unwrap(), true);
            let mut line = lines.dial().await.unwrap();
            let all = migrations::all(Dialect::Postgres);
            all.run_to(version, &mut line).await.unwrap();
            lines.keep(line);
            lines.close().await;
        }
    }
}

/// Runs SQL of both on the store of a folder, whatever its version.
async fn run(dir: &Path, sql: &'static str) {
    let mut tx = match database::url_of(dir) {
        None => {
            let writer = sqlite::writer(&dir.join("authority.sqlite")).await.unwrap();
            Tx::Sqlite(writer.begin().await.unwrap())
        }
        Some(url) => {
            let lines = Lines::new(&Database::new(&url, None).unwrap(), true);
            Tx::Postgres(lines.begin().await.unwrap())
        }
    };
    query(sql).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    make_old(dir.path(), 1).await;
    for sql in [
        "INSERT INTO smart_accounts (id, domain, name, created) VALUES (1, 'a.b', 'A', 0)",
        "INSERT INTO virtual_accounts (id, account, name, description, is_default, created)
         VALUES (1, 1, 'Default', '', 1, 0)",
        "INSERT INTO instances (piid, account, va, udi_pid, udi_sn, hostname, product, version,
            public_key, state, registered, last_contact)
         VALUES ('p', 1, 1, 'a', 'b', '', '', '', '', 'removed', 5, 7)",
    ] {
        run(dir.path(), sql).await;
    }
    let (authority, secret) = rig::open(dir.path(), None, START).await;
    assert_eq!(secret, None, "it was set up");
    let mut tx = authority.store.read().await.unwrap();
    let ended: i64 = query_scalar("SELECT ended FROM instances")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(ended, 7);
}

#[tokio::test]
async fn a_store_from_before_catalogs_keeps_its_orders_and_takes_one() {
    let dir = tempfile::tempdir().unwrap();
    make_old(dir.path(), 3).await;
    for sql in [
        "INSERT INTO tags (tag) VALUES ('t')",
        "INSERT INTO orders (va, instance, tag, kind, what, issued, issued_by)
         VALUES (1, 0, 1, 'rule', 'x', 0, 'ann')",
    ] {
        run(dir.path(), sql).await;
    }
    open(dir.path()).await.unwrap().close().await;
    for sql in [
        "INSERT INTO orders (va, instance, tag, kind, what, issued, issued_by)
         VALUES (1, 0, 0, 'catalog', 'y', 0, 'ann')",
        "INSERT INTO tags (tag) VALUES ('u')",
    ] {
        run(dir.path(), sql).await;
    }
    let store = open(dir.path()).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let found: Vec<(i64, i64, String)> = query_as("SELECT id, tag, what FROM orders ORDER BY id")
        .fetch_all(&mut tx)
        .await
        .unwrap();
    assert_eq!(found, [(1, 1, "x".into()), (2, 0, "y".into())]);
}

#[tokio::test]
async fn a_store_from_before_digests_keeps_its_catalogs_and_what_its_instances_have() {
    let dir = tempfile::tempdir().unwrap();
    make_old(dir.path(), 5).await;
    for sql in [
        "INSERT INTO smart_accounts (id, domain, name, created) VALUES (1, 'a.b', 'A', 0)",
        "INSERT INTO virtual_accounts (id, account, name, description, is_default, created)
         VALUES (1, 1, 'Default', '', 1, 0)",
        "INSERT INTO tags (tag) VALUES ('t')",
        "INSERT INTO orders (va, instance, tag, kind, what, issued, issued_by)
         VALUES (1, 0, 1, 'rule', 'x', 0, 'ann'), (1, 0, 0, 'catalog', 'abc', 0, 'ann'),
                (0, 7, 0, 'catalog', 'abc', 0, 'ann')",
        "INSERT INTO instance_orders (instance, serial, list, text, held, refused)
         VALUES (7, 4, '[]', '{}', 3, 'too old')",
    ] {
        run(dir.path(), sql).await;
    }
    // The second time there is nothing to do.
    for _ in 0..2 {
        let (authority, _) = rig::open(dir.path(), None, START).await;
        let mut tx = authority.store.read().await.unwrap();
        let orders: Vec<(String, Option<String>)> = query_as(
            "SELECT o.what, c.text FROM orders o LEFT JOIN ordered_catalogs c ON c.id = o.id
             ORDER BY o.id",
        )
        .fetch_all(&mut tx)
        .await
        .unwrap();
        // SHA-256 of "abc": FIPS 180-4, example B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let catalog = (abc.to_owned(), Some("abc".to_owned()));
        assert_eq!(orders, [("x".into(), None), catalog.clone(), catalog]);
        let written: (i64, String, i64, Option<String>, Option<String>) =
            query_as("SELECT serial, digest, held, refused, set_aside FROM instance_orders")
                .fetch_one(&mut tx)
                .await
                .unwrap();
        assert_eq!(written, (4, String::new(), 3, Some("too old".into()), None));
        drop(tx);
        authority.close().await;
    }
}

#[tokio::test]
async fn a_store_of_a_newer_program_or_of_another_one_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    make_old(dir.path(), 1).await;
    run(
        dir.path(),
        "UPDATE _sqlx_migrations SET description = 'another program'",
    )
    .await;
    let refused = open(dir.path()).await;
    assert!(matches!(refused, Err(StoreError::Foreign)), "{refused:?}");
    run(
        dir.path(),
        "UPDATE _sqlx_migrations SET description = 'accounts, licenses, instances, users'",
    )
    .await;
    open(dir.path()).await.unwrap().close().await;
    run(
        dir.path(),
        "UPDATE _sqlx_migrations SET version = 99 WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    )
    .await;
    let refused = open(dir.path()).await;
    assert!(
        matches!(refused, Err(StoreError::Newer { found: 99, known }) if known < 99),
        "{refused:?}"
    );

    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "CREATE TABLE theirs (id BIGINT)").await;
    let refused = open(dir.path()).await;
    assert!(matches!(refused, Err(StoreError::Foreign)), "{refused:?}");
}

#[tokio::test]
async fn texts_and_truths_are_the_same_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    for tag in ["b", "B", "a_", "ä", "Z"] {
        query("INSERT INTO tags (tag) VALUES ($1)")
            .bind(tag)
            .execute(&mut tx)
            .await
            .unwrap();
    }
    let sorted: Vec<String> = query_scalar("SELECT tag FROM tags WHERE id > 0 ORDER BY tag")
        .fetch_all(&mut tx)
        .await
        .unwrap();
    assert_eq!(sorted, ["B", "Z", "a_", "b", "ä"], "by their octets");
    let truths: Vec<bool> = query_scalar("SELECT $1 UNION ALL SELECT EXISTS (SELECT 1 FROM users)")
        .bind(true)
        .fetch_all(&mut tx)
        .await
        .unwrap();
    assert_eq!(truths, [true, false]);
    let zero = query("UPDATE tags SET tag = $1")
        .bind("a\0")
        .execute(&mut tx)
        .await;
    assert!(matches!(zero, Err(StoreError::Zero)));
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let kept: i64 = query_scalar("SELECT count(*) FROM tags WHERE id > 0")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(kept, 5);
    let written = query("DELETE FROM tags").execute(&mut tx).await;
    assert!(written.is_err(), "who reads does not write");
}

#[tokio::test]
async fn what_is_not_committed_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    let insert = || query("INSERT INTO tags (tag) VALUES ('x')");
    let mut tx = store.write().await.unwrap();
    insert().execute(&mut tx).await.unwrap();
    drop(tx);
    let mut tx = store.write().await.unwrap();
    let kept: i64 = query_scalar("SELECT count(*) FROM tags WHERE id > 0")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(kept, 0);
    insert().execute(&mut tx).await.unwrap();
    assert!(insert().execute(&mut tx).await.is_err(), "it is there");
    // SQLite goes on after it; PostgreSQL keeps nothing, and says so.
    let kept = i64::from(tx.commit().await.is_ok());
    let mut tx = store.read().await.unwrap();
    let found: i64 = query_scalar("SELECT count(*) FROM tags WHERE id > 0")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(found, kept);
}

#[test]
fn a_url_holds_no_password_and_nothing_that_is_not_known() {
    for good in [
        "postgres://tollgate@db.example.org/tollgate",
        "postgresql://tollgate@127.0.0.1:5433/books?sslmode=disable",
        "postgres://tollgate@%2Fvar%2Frun%2Fpostgresql/books",
        "postgres:///books?host=/run/db&port=5433",
    ] {
        assert!(Database::new(good, None).is_ok(), "{good}");
    }
    for (bad, why) in [
        ("postgres://tollgate:secret@db/books", UrlError::Password),
        (
            "postgres://tollgate@db/books?password=secret",
            UrlError::Password,
        ),
        (
            "postgres://tollgate@db/books?options=-csynchronous_commit=off",
            UrlError::Parameter,
        ),
        ("mysql://tollgate@db/books", UrlError::Form),
        ("postgres://tollgate@db", UrlError::Form),
        ("postgres://tollgate@db/", UrlError::Form),
        ("postgres://tollgate@db:port/books", UrlError::Form),
        ("books", UrlError::Form),
    ] {
        assert_eq!(Database::new(bad, None), Err(why), "{bad}");
        assert!(!why.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_and_a_password_that_others_read_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "opensesame\n").unwrap();
    let mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let url = format!("postgres://t@localhost/books?host={}", dir.path().display());
    let database = Database::new(&url, Some(file.clone())).unwrap();
    mode(0o640);
    let said = Store::open_database(&database)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("others may read this password; make its mode 0600"),
        "{said}"
    );
    mode(0o600);
    let error = Store::open_database(&database).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("{url}: the database can't be reached")),
        "{said}"
    );
    let all = format!("{said} {error:?} {database:?}");
    assert!(!all.contains("opensesame"), "{all}");
}
