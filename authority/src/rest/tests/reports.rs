use super::*;
use crate::store;

/// What the bound of reports is said to be.
const BOUND: usize = 100_000;

/// As many changes in the audit log as this, of a stranger's.
async fn load(api: &Api, lines: i64) {
    let mut tx = api.authority.store.write().await.unwrap();
    store::query(
        "INSERT INTO audit (at, account, va, who, action, object, before, after)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         SELECT i, 1, 1, 'eve', 'x', 'y', NULL, NULL FROM n",
    )
    .bind(lines)
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn report(api: &Api, format: &str) -> (String, String) {
    let path = format!("{SA}/reports/audit?format={format}");
    let request = HttpRequest::builder().uri(path);
    let request = request.header("authorization", format!("Bearer {}", api.admin));
    let request = request.body(Body::empty()).unwrap();
    let response = api.router.call(request).await.unwrap();
    let said = response.headers()["report-complete"].to_str().unwrap();
    let said = said.to_owned();
    let octets = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let text = String::from_utf8(octets.unwrap().to_vec()).unwrap();
    (said, text)
}

#[tokio::test]
async fn a_report_ends_at_its_bound_and_says_whether_there_is_more() {
    let api = Api::new().await;
    let (_, before) = report(&api, "csv").await;
    let own = before.lines().count() - 1;
    load(&api, (BOUND - own) as i64).await;
    for complete in ["true", "false"] {
        let (said, text) = report(&api, "json").await;
        assert_eq!(said, complete);
        let whole: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(whole["complete"].to_string(), complete);
        let rows = whole["rows"].as_array().unwrap();
        assert_eq!(rows.len(), BOUND);
        // Newest first: with one more the oldest one is not there.
        let ids = rows.iter().map(|row| row["id"].as_i64().unwrap());
        let newest = rows[0]["id"].as_i64().unwrap();
        assert!(ids.eq((1..=newest).rev().take(BOUND)), "each once");
        load(&api, 1).await;
    }
    let (said, csv) = report(&api, "csv").await;
    assert_eq!((said.as_str(), csv.lines().count()), ("false", 1 + BOUND));
}
