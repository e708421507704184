//! Who gets in, and when what he got ends.

use super::*;
use crate::store;

/// A body that comes in parts.
struct Parts(tokio::sync::mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl futures_core::Stream for Parts {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

impl Api {
    async fn user(&self, name: &str, place: &str, role: Role) -> String {
        let user = json!({ "name": name, "password": PASSWORD, "role": role.name() });
        let path = format!("{place}/users");
        assert_eq!(self.admin("POST", &path, Some(user)).await.0, 201);
        self.log_in(name, PASSWORD).await
    }

    async fn api_token(&self, session: &str) -> String {
        let new = json!({ "name": "portal" });
        let (status, made) = self
            .call("POST", "/v1/api-tokens", session, Some(new))
            .await;
        assert_eq!(status, 201);
        made["token"].as_str().unwrap().to_owned()
    }

    async fn alive(&self, token: &str) -> bool {
        let (status, _) = self.call("GET", "/v1/api-tokens", token, None).await;
        assert!(status == 200 || status == 401, "{status}");
        status == 200
    }

    async fn try_login(&self, user: &str, password: &str) -> (u16, Value) {
        let login = json!({ "user": user, "password": password });
        self.call("POST", "/v1/login", "", Some(login)).await
    }

    async fn sql(&self, sql: &'static str) {
        let mut tx = self.authority.store.write().await.unwrap();
        store::query(sql).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn who_is_not_there_is_told_what_who_has_the_wrong_password_is_told() {
    let api = Api::new().await;
    api.user("bob", SA, Role::SmartAccountUser).await;
    api.sql("UPDATE users SET disabled = 1 WHERE name = 'bob'")
        .await;
    let wrong = api.try_login("ada", "not the password").await;
    assert_eq!(wrong.0, 401);
    let long = "x".repeat(400_000);
    for (name, password) in [
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("a/b", PASSWORD),
        (&long, PASSWORD),
        ("ada", &long),
        ("ada", ""),
    ] {
        let told = api.try_login(name, password).await;
        assert_eq!(told, wrong, "{:.20} {:.20}", name, password);
    }
}

#[tokio::test]
async fn guesses_are_refused_after_some_whoever_is_guessed_at() {
    let api = Api::new().await;
    for name in ["ada", "nobody"] {
        let mut told = Vec::new();
        // A stall lets one more through for each wait that it takes as long as: 40 of them take thousands of years.
        while told.len() < 40 && told.last() != Some(&429) {
            told.push(api.try_login(name, "not the password").await.0);
        }
        assert_eq!(told.pop(), Some(429), "{told:?}");
        assert!(told.len() >= 5 && told.iter().all(|status| *status == 401));
    }
}

#[tokio::test]
async fn no_password_is_looked_at_for_what_can_not_be_one_or_before_the_secret() {
    let api = Api::new().await;
    api.authority.door.close();
    let long = "x".repeat(65);
    assert_eq!(api.try_login("ada", PASSWORD).await.0, 429, "it would be");
    assert_eq!(api.try_login(&long, PASSWORD).await.0, 401);
    assert_eq!(api.try_login("ada", &"x".repeat(257)).await.0, 401);
    let setup = |secret: &str| {
        json!({
            "secret": secret, "domain": "other.org", "name": "Other",
            "user": "eve", "password": PASSWORD,
        })
    };
    let secret = api.authority.new_setup_secret().await.unwrap();
    for (secret, expected) in [("a guess", 401), (&long, 401), (secret.reveal(), 429)] {
        let (status, _) = api.call("POST", "/v1/setup", "", Some(setup(secret))).await;
        assert_eq!(status, expected);
    }
    let edit = json!({ "old": "x".repeat(257), "new": PASSWORD });
    let (status, said) = api.admin("PUT", "/v1/password", Some(edit)).await;
    assert_eq!(
        (status, &said["message"]),
        (403, &json!("the old password is wrong"))
    );
}

#[tokio::test]
async fn a_new_password_ends_all_but_the_session_that_it_was_changed_in() {
    let api = Api::new().await;
    for keep in [true, false] {
        let name = if keep { "bob" } else { "cyd" };
        let first = api.user(name, SA, Role::SmartAccountUser).await;
        let second = api.log_in(name, PASSWORD).await;
        let token = api.api_token(&first).await;
        let mut edit = json!({ "old": PASSWORD, "new": "difference engine" });
        if keep {
            edit["keepApiTokens"] = json!(true);
        }
        let (status, _) = api.call("PUT", "/v1/password", &second, Some(edit)).await;
        assert_eq!(status, 204);
        let alive = [&first, &second, &token].map(|token| api.alive(token));
        let [first, second, token] = alive;
        assert_eq!(
            [first.await, second.await, token.await],
            [false, true, keep]
        );
        assert_eq!(api.try_login(name, PASSWORD).await.0, 401);
        assert_eq!(api.try_login(name, "difference engine").await.0, 201);
    }
}

#[tokio::test]
async fn a_password_that_an_administrator_gives_ends_all_that_the_user_had() {
    let api = Api::new().await;
    let session = api.user("bob", SA, Role::SmartAccountUser).await;
    let token = api.api_token(&session).await;
    let reset = json!({ "password": "difference engine" });
    let path = format!("{SA}/users/bob/password");
    let (status, _) = api.admin("PUT", &path, Some(reset)).await;
    assert_eq!(status, 204);
    assert!(!api.alive(&session).await && !api.alive(&token).await);
    assert_eq!(api.try_login("bob", PASSWORD).await.0, 401);
    assert_eq!(api.try_login("bob", "difference engine").await.0, 201);
    let (_, audit) = api.admin("GET", &format!("{SA}/audit?limit=1"), None).await;
    let change = &audit["audit"][0];
    assert_eq!(
        (&change["action"], &change["object"], &change["after"]),
        (&json!("reset-password"), &json!("bob"), &Value::Null)
    );
}

#[tokio::test]
async fn nobody_comes_into_an_account_by_the_password_of_one_of_its_users() {
    let api = Api::new().await;
    let local = api.user("bob", VA, Role::VirtualAccountAdministrator).await;
    api.user("cyd", VA, Role::VirtualAccountUser).await;
    api.user("dan", VA, Role::VirtualAccountUser).await;
    let more = json!({ "role": "SMART_ACCOUNT_USER" });
    let path = format!("{SA}/users/dan");
    assert_eq!(api.admin("PUT", &path, Some(more)).await.0, 200);
    let reset = json!({ "password": "difference engine" });
    let cases = [
        (VA, "cyd", 204),
        (VA, "dan", 403),
        (VA, "ada", 404),
        (SA, "cyd", 403),
        (VA, "bob", 409),
        (VA, "nobody", 404),
    ];
    for (place, name, expected) in cases {
        let path = format!("{place}/users/{name}/password");
        let (status, said) = api.call("PUT", &path, &local, Some(reset.clone())).await;
        assert_eq!(status, expected, "{name}: {said}");
    }
    assert_eq!(api.try_login("dan", PASSWORD).await.0, 201);
    let short = json!({ "password": "short" });
    let path = format!("{SA}/users/dan/password");
    assert_eq!(api.admin("PUT", &path, Some(short)).await.0, 400);
}

#[tokio::test]
async fn with_the_last_role_all_ends_and_a_login_is_refused_with_its_reason() {
    let api = Api::new().await;
    let session = api.user("bob", SA, Role::SmartAccountUser).await;
    let token = api.api_token(&session).await;
    let path = format!("{SA}/users/bob");
    assert_eq!(api.admin("DELETE", &path, None).await.0, 204);
    assert!(!api.alive(&session).await && !api.alive(&token).await);
    let (status, said) = api.try_login("bob", PASSWORD).await;
    assert_eq!((status, &said["code"]), (403, &json!("FORBIDDEN")));
    assert_eq!(
        said["message"],
        "you have no role in any account any more; an administrator can give you one"
    );
    assert_eq!(api.try_login("bob", "not the password").await.0, 401);
    let role = json!({ "role": "SMART_ACCOUNT_USER" });
    assert_eq!(api.admin("PUT", &path, Some(role)).await.0, 200);
    assert_eq!(api.try_login("bob", PASSWORD).await.0, 201);
    assert!(!api.alive(&token).await, "what has ended stays so");
}

#[tokio::test]
async fn a_user_of_a_virtual_account_that_is_removed_has_nothing_left() {
    let api = Api::new().await;
    let new = json!({ "name": "West" });
    let path = format!("{SA}/virtual-accounts");
    assert_eq!(api.admin("POST", &path, Some(new)).await.0, 201);
    let west = format!("{path}/West");
    let only = api.user("bob", &west, Role::VirtualAccountUser).await;
    let both = api.user("cyd", &west, Role::VirtualAccountUser).await;
    let role = json!({ "role": "VIRTUAL_ACCOUNT_USER" });
    let path = format!("{VA}/users/cyd");
    assert_eq!(api.admin("PUT", &path, Some(role)).await.0, 200);
    assert_eq!(api.admin("DELETE", &west, None).await.0, 204);
    assert!(!api.alive(&only).await && api.alive(&both).await);
}

#[tokio::test]
async fn what_a_disabled_user_has_ends_at_once() {
    let api = Api::new().await;
    let session = api.user("bob", SA, Role::SmartAccountUser).await;
    let token = api.api_token(&session).await;
    api.sql("UPDATE users SET disabled = 1 WHERE name = 'bob'")
        .await;
    assert!(!api.alive(&session).await && !api.alive(&token).await);
}

#[tokio::test]
async fn a_user_who_is_disabled_has_nothing_and_comes_back_with_his_role_alone() {
    let api = Api::new().await;
    let session = api.user("bob", SA, Role::SmartAccountUser).await;
    let token = api.api_token(&session).await;
    let path = format!("{SA}/users/bob/disabled");
    for (disabled, login) in [(true, 401), (true, 401), (false, 201)] {
        let state = json!({ "disabled": disabled });
        let (status, user) = api.admin("PUT", &path, Some(state)).await;
        assert_eq!(status, 200, "{user}");
        let expected = json!({
            "name": "bob", "role": "SMART_ACCOUNT_USER", "virtualAccount": null, "disabled": disabled,
        });
        assert_eq!(user, expected);
        assert!(!api.alive(&session).await && !api.alive(&token).await);
        assert_eq!(api.try_login("bob", PASSWORD).await.0, login);
    }
    let (_, audit) = api.admin("GET", &format!("{SA}/audit?limit=3"), None).await;
    let changes = audit["audit"].as_array().unwrap().iter();
    let changes: Vec<_> = changes
        .map(|change| (&change["action"], &change["before"], &change["after"]))
        .collect();
    let (yes, no) = (json!({ "disabled": true }), json!({ "disabled": false }));
    assert_eq!(
        changes,
        [
            (&json!("enable-user"), &yes, &no),
            (&json!("disable-user"), &yes, &yes),
            (&json!("disable-user"), &no, &yes),
        ]
    );
}

#[tokio::test]
async fn an_account_keeps_an_administrator_who_can_log_in() {
    let api = Api::new().await;
    let eve = api.user("eve", SA, Role::SmartAccountAdministrator).await;
    let (on, off) = (json!({ "disabled": true }), json!({ "disabled": false }));
    let path = |name: &str| format!("{SA}/users/{name}/disabled");
    assert_eq!(
        api.admin("PUT", &path("eve"), Some(on.clone())).await.0,
        200
    );
    assert!(!api.alive(&eve).await);
    // She is not one who is left.
    let role = json!({ "role": "SMART_ACCOUNT_USER" });
    for (verb, path, body) in [
        ("PUT", path("ada"), Some(on.clone())),
        ("PUT", format!("{SA}/users/ada"), Some(role)),
        ("DELETE", format!("{SA}/users/ada"), None),
    ] {
        let (status, said) = api.admin(verb, &path, body).await;
        assert_eq!(status, 409, "{verb} {path}: {said}");
        assert!(
            said["message"]
                .as_str()
                .unwrap()
                .contains("the last administrator")
        );
    }
    assert_eq!(api.admin("PUT", &path("eve"), Some(off)).await.0, 200);
    assert_eq!(
        api.admin("PUT", &path("ada"), Some(on)).await.0,
        200,
        "himself"
    );
    assert!(!api.alive(&api.admin).await);
}

#[tokio::test]
async fn nobody_disables_who_has_roles_elsewhere() {
    let api = Api::new().await;
    let boss = api
        .user("boss", VA, Role::VirtualAccountAdministrator)
        .await;
    api.user("bob", VA, Role::VirtualAccountUser).await;
    let path = format!("{VA}/users/bob/disabled");
    let on = json!({ "disabled": true });
    assert_eq!(api.call("PUT", &path, &boss, Some(on.clone())).await.0, 200);
    let role = json!({ "role": "SMART_ACCOUNT_USER" });
    let (status, _) = api
        .admin("PUT", &format!("{SA}/users/bob"), Some(role))
        .await;
    assert_eq!(status, 200);
    assert_eq!(api.call("PUT", &path, &boss, Some(on)).await.0, 403);
    let elsewhere = format!("{VA}/users/ada/disabled");
    let on = json!({ "disabled": true });
    assert_eq!(api.call("PUT", &elsewhere, &boss, Some(on)).await.0, 404);
}

#[tokio::test]
async fn what_has_ended_while_a_body_came_makes_nothing() {
    let api = Api::new().await;
    let (send, body) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let request = HttpRequest::builder()
        .method("POST")
        .uri(format!("{SA}/virtual-accounts"));
    let request = request.header("authorization", format!("Bearer {}", api.admin));
    let request = request.body(Body::from_stream(Parts(body))).unwrap();
    let router = api.router.clone();
    let answered = tokio::spawn(async move { router.call(request).await.unwrap() });
    // The channel takes one part; that a second goes in says that the first was asked for, by whoever had let him in.
    for part in ["{\"name\": ", "\"West\""] {
        send.send(Ok(Bytes::from(part))).await.unwrap();
    }
    let other = api.log_in("ada", PASSWORD).await;
    assert_eq!(api.admin("POST", "/v1/logout", None).await.0, 204);
    send.send(Ok(Bytes::from("}"))).await.unwrap();
    drop(send);
    assert_eq!(answered.await.unwrap().status(), 401);
    let path = format!("{SA}/virtual-accounts");
    let (_, listed) = api.call("GET", &path, &other, None).await;
    assert_eq!(listed["virtualAccounts"].as_array().unwrap().len(), 1);

    let api = Api {
        admin: other,
        ..api
    };
    let now = api.authority.now();
    let mut tx = api.authority.store.write().await.unwrap();
    let caller = sessions::authenticate(&mut tx, &api.admin, now).await;
    let caller = caller.unwrap();
    sessions::revoke_token(&mut tx, &caller, caller.token, now)
        .await
        .unwrap();
    let new = serde_json::from_value(json!({ "name": "portal" })).unwrap();
    let made = sessions::make_token(&mut tx, &caller, new, now).await;
    assert!(matches!(made, Err(Problem::Unauthenticated(_))));
}

#[tokio::test]
async fn a_user_has_no_end_of_sessions() {
    let api = Api::new().await;
    let mut tx = api.authority.store.write().await.unwrap();
    for number in 0..150u8 {
        store::query(
            "INSERT INTO api_tokens (user_id, digest, name, session, created, expires)
             VALUES (1, $1, 'login', 1, 0, 9000000000000)",
        )
        .bind(vec![number; 32])
        .execute(&mut tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let last = api.log_in("ada", PASSWORD).await;
    let mut tx = api.authority.store.read().await.unwrap();
    let alive: i64 = store::query_scalar(
        "SELECT count(*) FROM api_tokens WHERE session = 1 AND revoked IS NULL",
    )
    .fetch_one(&mut tx)
    .await
    .unwrap();
    drop(tx);
    assert_eq!(alive, 100);
    assert!(api.alive(&last).await && !api.alive(&api.admin).await);
}

#[tokio::test]
async fn a_secret_in_another_place_is_not_said_back() {
    let api = Api::new().await;
    for body in [
        json!(PASSWORD),
        json!({ "user": [PASSWORD, "\"", PASSWORD] }),
    ] {
        let (status, said) = api.call("POST", "/v1/login", "", Some(body)).await;
        assert_eq!(status, 400);
        assert!(!said.to_string().contains(PASSWORD), "{said}");
    }
    let body = json!({ "name": "portal", "expiresAfterDays": PASSWORD });
    let (_, said) = api.admin("POST", "/v1/api-tokens", Some(body)).await;
    let expected = "the body is not what is expected: invalid type: string \"..\", expected u32";
    let message = said["message"].as_str().unwrap();
    assert!(message.starts_with(expected), "{message}");
}
