mod logins;
mod reports;
mod secrets;
mod transfers;

use axum::http::Request as HttpRequest;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::operations::Gives;
use super::*;
use crate::rig::open;
use crate::roles::{Action, Role};

/// An authority behind its routes, without sockets.
struct Api {
    _dir: tempfile::TempDir,
    authority: Arc<Authority>,
    router: TowerToHyperService<Router>,
    admin: String,
}

const PASSWORD: &str = "analytical engine";

impl Api {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (authority, secret) = open(dir.path(), None, crate::moment::wall_now()).await;
        let authority = Arc::new(authority);
        let router = TowerToHyperService::new(router(Arc::clone(&authority)));
        let mut api = Self {
            _dir: dir,
            authority,
            router,
            admin: String::new(),
        };
        let setup = json!({
            "secret": secret.unwrap(),
            "domain": "example.org",
            "name": "Example",
            "user": "ada",
            "password": PASSWORD,
        });
        let (status, _) = api.call("POST", "/v1/setup", "", Some(setup.clone())).await;
        assert_eq!(status, 201);
        let (status, said) = api.call("POST", "/v1/setup", "", Some(setup)).await;
        assert_eq!(
            (status, &said["code"]),
            (401, &json!("UNAUTHENTICATED")),
            "once"
        );
        api.admin = api.log_in("ada", PASSWORD).await;
        api
    }

    async fn log_in(&self, user: &str, password: &str) -> String {
        let login = json!({ "user": user, "password": password });
        let (status, session) = self.call("POST", "/v1/login", "", Some(login)).await;
        assert_eq!(status, 201, "{session}");
        session["token"].as_str().unwrap().to_owned()
    }

    async fn call(&self, verb: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let (status, octets) = self.raw(verb, path, token, body).await;
        (
            status,
            serde_json::from_slice(&octets).unwrap_or(Value::Null),
        )
    }

    async fn raw(
        &self,
        verb: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Vec<u8>) {
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let mut request = HttpRequest::builder().method(verb).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).unwrap();
        let response = self.router.call(request).await.unwrap();
        let status = response.status().as_u16();
        let octets = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        (status, octets.unwrap().to_vec())
    }

    async fn admin(&self, verb: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call(verb, path, &self.admin, body).await
    }
}

const SA: &str = "/v1/accounts/example.org";
const VA: &str = "/v1/accounts/example.org/virtual-accounts/Default";

fn at(path: &str) -> String {
    path.replace("{account}", "example.org")
        .replace("{virtualAccount}", "Default")
        .replace("{device}", "none")
        .replace("{user}", "none")
        .replace("{token}", "999")
        .replace("{license}", "999")
        .replace("{apiToken}", "999")
        .replace("{order}", "999")
}

//= TS 33.117 4.2.3.4.1.1
//= TS 33.117 4.2.3.4.6.2
#[tokio::test]
async fn each_role_may_what_the_table_says_at_every_operation() {
    let api = Api::new().await;
    let (status, _) = api
        .admin(
            "POST",
            &format!("{SA}/virtual-accounts"),
            Some(json!({ "name": "West" })),
        )
        .await;
    assert_eq!(status, 201);
    let mut refused = 0;
    let mut let_in = 0;
    for role in Role::ALL {
        let name = role.name().to_lowercase();
        let place = if role.of_virtual_account() { VA } else { SA };
        let user = json!({ "name": name, "password": PASSWORD, "role": role.name() });
        let (status, said) = api
            .admin("POST", &format!("{place}/users"), Some(user))
            .await;
        assert_eq!(status, 201, "{said}");
        let token = api.log_in(&name, PASSWORD).await;
        for operation in &OPERATIONS {
            let action = match operation.needs {
                Needs::Nothing | Needs::Login => continue,
                Needs::May(action) | Needs::Somewhere(action) => action,
            };
            for path in operation.paths() {
                let in_virtual = path.contains("{virtualAccount}");
                let here = in_virtual || !role.of_virtual_account();
                let somewhere = matches!(operation.needs, Needs::Somewhere(_));
                let may = role.allows(action) && (here || somewhere);
                // An empty body is refused after the role was looked at, and changes nothing.
                let changes =
                    matches!(operation.gives, Gives::Nothing) || action == Action::ApproveTerms;
                let removes = operation.verb == "DELETE" && operation.path.is_empty();
                if may
                    && (removes
                        || changes
                            && operation.body.is_none()
                            && action == Action::EditVirtualAccounts)
                {
                    continue;
                }
                let (status, _) = api.raw(operation.verb, &at(&path), &token, None).await;
                assert_eq!(
                    status != 403,
                    may,
                    "{name} {} {path}: {status}",
                    operation.id
                );
                refused += usize::from(!may);
                let_in += usize::from(may);
                if in_virtual {
                    let west = at(&path).replace("Default", "West");
                    let (status, _) = api.raw(operation.verb, &west, &token, None).await;
                    let may = may && !role.of_virtual_account();
                    assert_eq!(
                        status != 403,
                        may,
                        "{name} {} {west}: {status}",
                        operation.id
                    );
                }
            }
        }
    }
    assert!(refused > 40 && let_in > 60, "{refused} {let_in}");
}

#[tokio::test]
async fn nothing_is_shown_without_a_token_and_nothing_of_others_accounts() {
    let api = Api::new().await;
    for operation in &OPERATIONS {
        for path in operation.paths() {
            let (status, _) = api.raw(operation.verb, &at(&path), "", None).await;
            assert_eq!(status == 401, operation.needs != Needs::Nothing, "{path}");
            let (status, _) = api.raw(operation.verb, &at(&path), "wrong", None).await;
            assert_eq!(status == 401, operation.needs != Needs::Nothing, "{path}");
        }
    }
    let secret = api.authority.new_setup_secret().await.unwrap();
    let setup = json!({
        "secret": secret.reveal(),
        "domain": "other.org",
        "name": "Other",
        "user": "eve",
        "password": PASSWORD,
    });
    assert_eq!(api.call("POST", "/v1/setup", "", Some(setup)).await.0, 201);
    let eve = api.log_in("eve", PASSWORD).await;
    let (status, said) = api.call("GET", SA, &eve, None).await;
    assert_eq!(
        (status, &said["message"]),
        (404, &json!("there is no Smart Account of this domain"))
    );
    let (_, accounts) = api.call("GET", "/v1/accounts", &eve, None).await;
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn licenses_tokens_and_users_live_and_are_audited_before_and_after() {
    let api = Api::new().await;
    let new = json!({
        "license": "PGW", "quantity": 5, "licenseType": "TERM",
        "startDate": "2020-01-01", "endDate": "2999-01-01", "subscriptionId": "Sub-1",
    });
    let (status, made) = api
        .admin("POST", &format!("{VA}/licenses"), Some(new.clone()))
        .await;
    assert_eq!((status, &made["quantity"]), (201, &json!(5)), "{made}");
    let (_, more) = api
        .admin("POST", &format!("{VA}/licenses"), Some(new))
        .await;
    assert_eq!(
        (&more["quantity"], &more["id"]),
        (&json!(10), &made["id"]),
        "one entry"
    );
    let entry = format!("{VA}/licenses/{}", made["id"]);
    let (status, _) = api
        .admin("PATCH", &entry, Some(json!({ "quantity": 7 })))
        .await;
    assert_eq!(status, 200);
    let (_, listed) = api.admin("GET", &format!("{SA}/licenses"), None).await;
    let pool = &listed["licenses"][0];
    assert_eq!(pool["license"], "PGW");
    assert_eq!((&pool["quantity"], &pool["inUse"]), (&json!(7), &json!(0)));
    assert_eq!(pool["licenseDetails"][0]["endDate"], "2999-01-01T00:00:00Z");
    let (status, token) = api
        .admin("POST", &format!("{VA}/tokens"), Some(json!({})))
        .await;
    assert_eq!(status, 201);
    let secret = token["token"].as_str().unwrap().to_owned();
    let (_, tokens) = api.admin("GET", &format!("{VA}/tokens"), None).await;
    assert_eq!(tokens["tokens"][0]["status"], "ACTIVE");
    assert!(!tokens.to_string().contains(&secret), "shown once");
    let revoke = format!("{VA}/tokens/{}", token["id"]);
    assert_eq!(api.admin("DELETE", &revoke, None).await.0, 204);
    assert_eq!(api.admin("DELETE", &revoke, None).await.0, 404);
    assert_eq!(api.admin("DELETE", &entry, None).await.0, 204);
    let (_, audit) = api.admin("GET", &format!("{SA}/audit?limit=3"), None).await;
    let actions = audit["audit"].as_array().unwrap().iter().map(|change| {
        let quantity = |side: &str| change[side]["quantity"].as_i64();
        (
            change["action"].as_str().unwrap(),
            quantity("before"),
            quantity("after"),
        )
    });
    let expected = [
        ("remove-licenses", Some(7), None),
        ("revoke-token", None, None),
        ("make-token", None, None),
    ];
    assert_eq!(actions.collect::<Vec<_>>(), expected);
    let next = format!("{SA}/audit?limit=1&before={}", audit["next"]);
    let (_, edit) = api.admin("GET", &next, None).await;
    let edit = &edit["audit"][0];
    assert_eq!(
        (&edit["who"], &edit["action"]),
        (&json!("ada"), &json!("edit-licenses"))
    );
    assert_eq!(
        (&edit["before"]["quantity"], &edit["after"]["quantity"]),
        (&json!(10), &json!(7))
    );
    assert!(!edit.to_string().contains(&secret));
}

#[tokio::test]
async fn what_an_edit_of_a_virtual_account_does_not_name_stays() {
    let api = Api::new().await;
    let made = json!({ "name": "West", "description": "cost centre 7" });
    let accounts = format!("{SA}/virtual-accounts");
    let (status, _) = api.admin("POST", &accounts, Some(made)).await;
    assert_eq!(status, 201);
    let mut name = "West".to_owned();
    for (edit, left) in [
        (json!({ "name": "East" }), ("East", "cost centre 7")),
        (json!({ "description": "tests" }), ("East", "tests")),
        (json!({}), ("East", "tests")),
        (json!({ "name": "North", "description": "" }), ("North", "")),
    ] {
        let path = format!("{accounts}/{name}");
        let (status, said) = api.admin("PATCH", &path, Some(edit.clone())).await;
        assert_eq!(status, 200, "{edit}: {said}");
        let (_, all) = api.admin("GET", &accounts, None).await;
        let all = all["virtualAccounts"].as_array().unwrap();
        let of = |key: &str| all.iter().find(|va| va["isDefault"] == false).unwrap()[key].clone();
        assert_eq!(
            (of("name"), of("description")),
            (json!(left.0), json!(left.1))
        );
        assert_eq!(
            (&said["name"], &said["description"]),
            (&json!(left.0), &json!(left.1))
        );
        name = left.0.to_owned();
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_is_never_our_fault() {
    let api = Api::new().await;
    let licenses = format!("{VA}/licenses");
    let users = format!("{SA}/users");
    let long = json!({ "name": "x".repeat(600_000) });
    let unsold = licensing::Catalog::staros_text().replace("ASR5K-00-EG01RS,", "ASR5K-00-EG01RX,");
    let cases = [
        (
            "POST",
            licenses.as_str(),
            json!({}),
            400,
            "missing field `license`",
        ),
        (
            "POST",
            &licenses,
            json!({ "license": "NONE", "quantity": 1, "licenseType": "PERPETUAL" }),
            404,
            "there is no license \"NONE\" in the catalog",
        ),
        (
            "POST",
            &licenses,
            json!({ "license": "PGW", "quantity": 0, "licenseType": "PERPETUAL" }),
            400,
            "a quantity is 1 to",
        ),
        (
            "POST",
            &licenses,
            json!({ "license": "PGW", "quantity": 1, "licenseType": "TERM" }),
            400,
            "a term has an endDate",
        ),
        (
            "POST",
            &licenses,
            json!({ "license": "PGW", "quantity": 1, "licenseType": "TERM", "endDate": "soon" }),
            400,
            "is no date",
        ),
        (
            "POST",
            &users,
            json!({ "name": "bob", "password": "short", "role": "SMART_ACCOUNT_USER" }),
            400,
            "a password has 12 to 256 bytes",
        ),
        (
            "POST",
            &users,
            json!({ "name": "bob", "password": PASSWORD, "role": "VIRTUAL_ACCOUNT_USER" }),
            400,
            "this role is one of a virtual account",
        ),
        (
            "PUT",
            &format!("{users}/ada"),
            json!({ "role": "SMART_ACCOUNT_USER" }),
            409,
            "the last administrator",
        ),
        ("DELETE", VA, json!({}), 409, "the default virtual account"),
        (
            "POST",
            &format!("{VA}/licenses/transfer"),
            json!({ "licenses": [] }),
            400,
            "a transfer has 1 to 998 items",
        ),
        (
            "POST",
            &format!("{VA}/tokens"),
            json!({ "expiresAfterDays": 366 }),
            400,
            "expiresAfterDays is 1 to 365",
        ),
        (
            "POST",
            &format!("{SA}/virtual-accounts"),
            long,
            413,
            "too long",
        ),
        (
            "POST",
            &format!("{SA}/virtual-accounts"),
            json!({ "name": "Default" }),
            409,
            "already",
        ),
        (
            "GET",
            &format!("{SA}/alerts?limit=0"),
            json!({}),
            400,
            "limit is a number, 1 to 1000",
        ),
        (
            "GET",
            &format!("{SA}/alerts?colour=red"),
            json!({}),
            400,
            "there is no query parameter \"colour\" here",
        ),
        (
            "GET",
            &format!("{SA}/alerts?cleared=perhaps"),
            json!({}),
            400,
            "cleared is true or false",
        ),
        (
            "GET",
            &format!("{SA}/nothing"),
            json!({}),
            404,
            "there is no such resource",
        ),
        (
            "PUT",
            &format!("{SA}/alerts"),
            json!({}),
            405,
            "there is no such method here",
        ),
        (
            "GET",
            &format!("{SA}/reports/audit?format=pdf"),
            json!({}),
            400,
            "format is csv or json",
        ),
        (
            "POST",
            &format!("{VA}/orders"),
            json!({ "kind": "CATALOG", "catalog": unsold }),
            400,
            "the catalog has the tag regid.2017-11.com.cisco.ASR5K-00-EG01RX,1.0_b7f0b7d1-0d68-4223-abb1-381c3ac968ec, which is not licensed here: to sell its licenses, the authority needs that catalog itself (catalog in authority.toml)",
        ),
        (
            "POST",
            "/v1/smart",
            json!({}),
            400,
            "the message is not of the form of one",
        ),
    ];
    for (verb, path, body, status, message) in cases {
        let (found, said) = api.admin(verb, path, Some(body)).await;
        assert_eq!(found, status, "{verb} {path}: {said}");
        let text = said["message"].as_str().unwrap();
        assert!(text.contains(message), "{verb} {path}: {text}");
    }
}

//= TS 33.117 4.2.3.4.3.2
//= TS 33.117 4.2.3.5.1
#[tokio::test]
async fn a_new_password_ends_other_sessions_and_a_log_out_this_one() {
    let api = Api::new().await;
    let second = api.log_in("ada", PASSWORD).await;
    let edit = json!({ "old": PASSWORD, "new": "difference engine" });
    let (status, _) = api.call("PUT", "/v1/password", &second, Some(edit)).await;
    assert_eq!(status, 204);
    assert_eq!(api.admin("GET", SA, None).await.0, 401, "the first session");
    assert_eq!(api.call("GET", SA, &second, None).await.0, 200);
    assert_eq!(api.raw("POST", "/v1/logout", &second, None).await.0, 204);
    assert_eq!(api.call("GET", SA, &second, None).await.0, 401);
}

#[tokio::test]
async fn nothing_is_done_for_whoever_does_not_know_the_set_up_secret() {
    let api = Api::new().await;
    let setup = json!({
        "secret": "a guess", "domain": "example.org", "name": "Example",
        "user": "eve", "password": "short",
    });
    let (status, said) = api.call("POST", "/v1/setup", "", Some(setup)).await;
    assert_eq!(
        (status, &said["message"]),
        (401, &json!("the set-up secret is wrong, or was used"))
    );
}

#[tokio::test]
async fn a_connection_whose_request_was_not_read_to_its_end_is_said_to_close() {
    let api = Api::new().await;
    let cases = [
        ("POST", "/v1/api-tokens", "{}", 401, true),
        ("POST", "/v1/login?colour=red", "{}", 400, true),
        ("POST", "/v1/nothing", "{}", 404, true),
        ("PUT", "/v1/login", "{}", 405, true),
        ("GET", "/v1/api-tokens", "", 401, false),
        ("GET", "/v1/nothing", "", 404, false),
        ("POST", "/v1/login", "{}", 400, false),
    ];
    for (verb, path, body, status, closes) in cases {
        let request = HttpRequest::builder().method(verb).uri(path);
        let request = request.body(Body::from(body)).unwrap();
        let response = api.router.call(request).await.unwrap();
        assert_eq!(response.status(), status, "{verb} {path}");
        let said = response.headers().get(header::CONNECTION);
        assert_eq!(said.is_some_and(|said| said == "close"), closes, "{path}");
    }
}

#[tokio::test]
async fn a_virtual_account_has_nothing_of_one_that_was_removed() {
    let api = Api::new().await;
    for name in ["West", "East"] {
        let new = json!({ "name": name });
        let path = format!("{SA}/virtual-accounts");
        assert_eq!(api.admin("POST", &path, Some(new)).await.0, 201);
        let path = format!("{SA}/virtual-accounts/{name}");
        let (_, audit) = api.admin("GET", &format!("{path}/audit"), None).await;
        let changes = audit["audit"].as_array().unwrap();
        let objects: Vec<_> = changes.iter().map(|change| &change["object"]).collect();
        assert_eq!(objects, [name]);
        assert_eq!(api.admin("DELETE", &path, None).await.0, 204);
    }
}

#[tokio::test]
async fn an_api_token_may_what_its_user_may_until_it_is_revoked() {
    let api = Api::new().await;
    let new = json!({ "name": "portal" });
    let (status, made) = api.admin("POST", "/v1/api-tokens", Some(new)).await;
    assert_eq!(status, 201);
    let token = made["token"].as_str().unwrap();
    assert_eq!(api.call("GET", SA, token, None).await.0, 200);
    let (_, listed) = api.admin("GET", "/v1/api-tokens", None).await;
    assert_eq!(listed["apiTokens"][0]["name"], "portal");
    assert!(!listed.to_string().contains(token));
    let path = format!("/v1/api-tokens/{}", made["id"]);
    assert_eq!(api.admin("DELETE", &path, None).await.0, 204);
    assert_eq!(api.call("GET", SA, token, None).await.0, 401);
}

#[tokio::test]
async fn reports_are_streamed_as_csv_or_json() {
    let api = Api::new().await;
    for quantity in 1..=3 {
        let new = json!({ "license": "PGW", "quantity": quantity, "licenseType": "PERPETUAL" });
        api.admin("POST", &format!("{VA}/licenses"), Some(new))
            .await;
    }
    let path = format!("{SA}/reports/audit");
    let (status, csv) = api.raw("GET", &path, &api.admin, None).await;
    let csv = String::from_utf8(csv).unwrap();
    assert_eq!(status, 200);
    assert!(csv.starts_with("id,at,virtualAccount,who,action,object,before,after\r\n"));
    assert_eq!(csv.matches("add-licenses").count(), 3);
    let (_, rows) = api.admin("GET", &format!("{path}?format=json"), None).await;
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.len(), csv.lines().count() - 1);
    for kind in ["licenses", "devices", "usage", "transfers"] {
        let path = format!("{VA}/reports/{kind}?format=json");
        let (status, said) = api.admin("GET", &path, None).await;
        assert_eq!((status, said["rows"].is_array()), (200, true), "{kind}");
        assert_eq!(said["complete"], true, "{kind}");
    }
}

#[tokio::test]
async fn the_document_is_served_and_answers_are_as_it_says() {
    let api = Api::new().await;
    let (status, document) = api.call("GET", "/v1/openapi.json", "", None).await;
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    let new = json!({ "license": "PGW", "quantity": 1, "licenseType": "PERPETUAL" });
    api.admin("POST", &format!("{VA}/licenses"), Some(new))
        .await;
    for operation in &OPERATIONS {
        let Gives::Found(schema) = operation.gives else {
            continue;
        };
        if operation.verb != "GET" {
            continue;
        }
        for path in operation.paths() {
            let path = at(&path);
            let (status, answer) = api.admin("GET", &path, None).await;
            if status == 200 {
                let schema = &document["components"]["schemas"][schema];
                conforms(&answer, schema, &document, &path);
            } else {
                assert_eq!(status, 404, "{path}");
            }
        }
    }
}

/// Enough of JSON Schema for the schemas of the document.
fn conforms(value: &Value, schema: &Value, document: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return conforms(
            value,
            &document["components"]["schemas"][name],
            document,
            place,
        );
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.contains(&kind), "{place}: {value} is no {kinds:?}");
    if let (Value::String(_), Some(allowed)) = (value, schema["enum"].as_array()) {
        assert!(allowed.contains(value), "{place}: {value}");
    }
    if let Value::Array(items) = value {
        for item in items {
            conforms(item, &schema["items"], document, place);
        }
    }
    let Value::Object(object) = value else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            object.contains_key(name.as_str().unwrap()),
            "{place}: {name}"
        );
    }
    let Some(known) = schema["properties"].as_object() else {
        return;
    };
    for (name, value) in object {
        assert!(
            known.contains_key(name),
            "{place}: {name} is not in the document"
        );
        conforms(value, &known[name], document, &format!("{place} {name}"));
    }
}
