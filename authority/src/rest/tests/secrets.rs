//! No secret is in an answer but in that which makes it, nor in what is kept or printed.

use super::*;
use crate::admin::accounts::Setup;
use crate::admin::sessions::{Login, PasswordEdit};
use crate::admin::users::{NewUser, PasswordReset};

const CANARY: &str = "canary in the coal mine";

/// A body of this schema with the canary wherever a secret may be.
fn filled(schema: &Value, document: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return filled(&document["components"]["schemas"][name], document);
    }
    let Some(properties) = schema["properties"].as_object() else {
        let secret = schema["writeOnly"] == json!(true);
        return json!(if secret { CANARY } else { "some text" });
    };
    let filled = properties
        .iter()
        .map(|(name, schema)| (name.clone(), filled(schema, document)));
    Value::Object(filled.collect())
}

#[tokio::test]
async fn no_operation_tells_or_keeps_a_secret() {
    let api = Api::new().await;
    let user = json!({ "name": "bob", "password": CANARY, "role": "SMART_ACCOUNT_USER" });
    let users = format!("{SA}/users");
    assert_eq!(api.admin("POST", &users, Some(user)).await.0, 201);
    let session = api.log_in("bob", CANARY).await;
    let new = json!({ "name": "portal" });
    let (_, made) = api.admin("POST", "/v1/api-tokens", Some(new)).await;
    let api_token = made["token"].as_str().unwrap().to_owned();
    let new = json!({ "description": "for gw1" });
    let (_, made) = api.admin("POST", &format!("{VA}/tokens"), Some(new)).await;
    let token = made["token"].as_str().unwrap().to_owned();
    let reset = json!({ "password": "another canary" });
    let path = format!("{users}/bob/password");
    assert_eq!(api.admin("PUT", &path, Some(reset)).await.0, 204);
    let setup = api.authority.new_setup_secret().await.unwrap();
    let secrets = [
        ("a password", CANARY),
        ("a password that was given", "another canary"),
        ("the administrator's password", PASSWORD),
        ("the set-up secret", setup.reveal()),
        ("a session", &session),
        ("the administrator's session", &api.admin),
        ("an API token", &api_token),
        ("a registration token", &token),
    ];
    let check = |what: &str, octets: &[u8]| {
        let text = String::from_utf8_lossy(octets);
        for (name, secret) in secrets {
            assert!(!text.contains(secret), "{what} holds {name}: {text}");
        }
    };

    let (_, document) = api.call("GET", "/v1/openapi.json", "", None).await;
    let mut asked = 0;
    for operation in OPERATIONS.iter().filter(|one| one.id != "logout") {
        for path in operation.paths() {
            let path = at(&path);
            let mut bodies = vec![None, Some(json!(CANARY))];
            if let Some(schema) = operation.body {
                let schema = &document["components"]["schemas"][schema];
                bodies.push(Some(filled(schema, &document)));
            }
            for body in bodies {
                let (_, answer) = api.raw(operation.verb, &path, &api.admin, body).await;
                check(&format!("{} {path}", operation.id), &answer);
                asked += 1;
            }
        }
    }
    assert!(asked > 2 * OPERATIONS.len(), "{asked}");
    for file in std::fs::read_dir(api._dir.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let octets = std::fs::read(&path).unwrap();
            check(&path.display().to_string(), &octets);
        }
    }
}

#[test]
fn what_is_printed_of_a_request_is_without_its_secrets() {
    let read = |body: Value| body.to_string();
    let bodies = [
        format!(
            "{:?}",
            serde_json::from_str::<Login>(&read(json!({ "user": "ada", "password": CANARY })))
                .unwrap()
        ),
        format!(
            "{:?}",
            serde_json::from_str::<PasswordEdit>(&read(json!({ "old": CANARY, "new": CANARY })))
                .unwrap()
        ),
        format!(
            "{:?}",
            serde_json::from_str::<PasswordReset>(&read(json!({ "password": CANARY }))).unwrap()
        ),
        format!(
            "{:?}",
            serde_json::from_str::<NewUser>(&read(
                json!({ "name": "bob", "password": CANARY, "role": "SMART_ACCOUNT_USER" })
            ))
            .unwrap()
        ),
        format!(
            "{:?}",
            serde_json::from_str::<Setup>(&read(json!({
                "secret": CANARY, "domain": "example.org", "name": "Example",
                "user": "ada", "password": CANARY,
            })))
            .unwrap()
        ),
    ];
    for body in bodies {
        assert!(
            body.contains("Secret(..)") && !body.contains(CANARY),
            "{body}"
        );
    }
}
