//! The API: one table of operations, from which come the routes, what each may be done by, and the OpenAPI document.

mod calls;
mod openapi;
mod operations;
mod report;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Query, RawPathParams, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::timeout;

use crate::admin::accounts::{self, Account, VirtualAccount};
use crate::admin::sessions::{self, Caller};
use crate::admin::{By, Problem, invalid};
use crate::authority::Authority;
use crate::journal::Place;
use crate::moment::Moment;
use crate::roles::{allowed, allowed_somewhere};
use crate::server::{Pace, Peer};
use operations::{Needs, OPERATIONS, Operation, Scope};

/// Longest body of a request of the API, in bytes; messages of agents have a bound of their own.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// Most items of a listing.
const LIMIT_MAX: i64 = 1_000;

/// One call of an operation, by somebody who may.
pub(crate) struct Call {
    authority: Arc<Authority>,
    now: Moment,
    caller: Option<Caller>,
    /// 0 where the path names none.
    place: Place,
    account: Option<Account>,
    virtual_account: Option<VirtualAccount>,
    path: HashMap<String, String>,
    query: HashMap<String, String>,
    body: Bytes,
    peer: Option<Vec<u8>>,
}

/// What an operation answers.
pub(crate) enum Answer {
    Json(StatusCode, String),
    Empty,
    Octets(&'static str, Bytes),
    /// With a header of its own.
    Stream(&'static str, (HeaderName, HeaderValue), Body),
}

/// The routes of all operations.
pub(crate) fn router(authority: Arc<Authority>) -> Router {
    let mut routes: HashMap<String, MethodRouter> = HashMap::new();
    for operation in &OPERATIONS {
        for path in operation.paths() {
            let authority = Arc::clone(&authority);
            let handler = move |params: RawPathParams, request: Request| {
                answer(authority, operation, path_of(&params), request)
            };
            let route = routes.remove(&path).unwrap_or_default();
            routes.insert(path, route.merge(on(filter(operation), handler)));
        }
    }
    let fallback = |request: Request| async move {
        let unread = !request.body().is_end_stream();
        unheard(&Problem::NotFound("such resource".into()), unread)
    };
    let method = |request: Request| async move {
        unheard(&Problem::Method, !request.body().is_end_stream())
    };
    let routes = routes.into_iter();
    routes
        .fold(Router::new(), |router, (path, route)| {
            router.route(&path, route)
        })
        .fallback(fallback)
        .method_not_allowed_fallback(method)
}

fn filter(operation: &Operation) -> MethodFilter {
    MethodFilter::try_from(operation.method()).unwrap_or(MethodFilter::GET)
}

fn path_of(params: &RawPathParams) -> HashMap<String, String> {
    let pairs = params.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

async fn answer(
    authority: Arc<Authority>,
    operation: &'static Operation,
    path: HashMap<String, String>,
    request: Request,
) -> Response {
    let has_body = !request.body().is_end_stream();
    let (answered, unread) = match prepare(authority, operation, path, request).await {
        Ok(call) => ((operation.run)(call).await, false),
        Err(refused) => (Err(refused), has_body),
    };
    match answered {
        Ok(answer) => answer.into_response(),
        Err(refused) => {
            if let Problem::Store(error) = &refused {
                tracing::error!(%error, operation = operation.id, "a call failed");
            }
            unheard(&refused, unread)
        }
    }
}

/// A problem; a connection with a body that is not read to its end is closed, and that is said (RFC 9112, section 9.6), so
/// that nobody sends another request over it.
fn unheard(refused: &Problem, unread: bool) -> Response {
    let mut response = problem(refused);
    if unread {
        let close = header::HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Who calls, where, and whether he may; then the body is read.
async fn prepare(
    authority: Arc<Authority>,
    operation: &'static Operation,
    path: HashMap<String, String>,
    request: Request,
) -> Result<Call, Problem> {
    let now = authority.now();
    let query = query_of(operation, &request)?;
    let peer = request.extensions().get::<Peer>();
    let peer = peer.and_then(|peer| peer.0.clone());
    let mut call = Call {
        now,
        caller: None,
        place: Place { account: 0, va: 0 },
        account: None,
        virtual_account: None,
        path,
        query,
        body: Bytes::new(),
        peer,
        authority,
    };
    let guarded = operation.needs != Needs::Nothing;
    let bearer = match guarded {
        true => bearer_of(&request)?.to_owned(),
        false => String::new(),
    };
    if guarded {
        call.enter(operation, &bearer).await?;
    }
    let limit = match operation.scope {
        Scope::Smart => api::smart::MESSAGE_BYTES_MAX,
        Scope::Root | Scope::Account | Scope::Virtual | Scope::Both => BODY_BYTES_MAX,
    };
    let unread = !request.body().is_end_stream();
    let pace = request.extensions().get::<Pace>();
    let pace = pace.map_or(Duration::MAX, |pace| pace.0);
    let body = timeout(pace, axum::body::to_bytes(request.into_body(), limit)).await;
    let body = body.map_err(|_| Problem::TooSlow)?;
    call.body = body.map_err(|_| Problem::TooLong)?;
    if guarded && unread {
        // It may have taken its time, and what he calls with may have ended meanwhile.
        call.enter(operation, &bearer).await?;
    }
    Ok(call)
}

fn query_of(operation: &Operation, request: &Request) -> Result<HashMap<String, String>, Problem> {
    let query = Query::<HashMap<String, String>>::try_from_uri(request.uri());
    let Ok(Query(query)) = query else {
        return invalid("the query is not one of name=value&name=value");
    };
    let known = |name: &&String| {
        operation
            .query
            .iter()
            .any(|parameter| parameter.name == **name)
    };
    if let Some(other) = query.keys().find(|name| !known(name)) {
        let shown: String = other.chars().take(32).filter(|c| !c.is_control()).collect();
        return invalid(format!("there is no query parameter {shown:?} here"));
    }
    Ok(query)
}

/// What a parser says, without the value that it found, which may be a secret in another's place.
fn unquoted(why: &str) -> String {
    match (why.find('"'), why.rfind('"')) {
        (Some(from), Some(to)) if from < to => format!("{}..{}", &why[..=from], &why[to..]),
        _ => why.to_owned(),
    }
}

fn bearer_of(request: &Request) -> Result<&str, Problem> {
    let header = request.headers().get(header::AUTHORIZATION);
    let text = header.and_then(|value| value.to_str().ok());
    let token = text.and_then(|text| text.strip_prefix("Bearer "));
    token.ok_or(Problem::Unauthenticated(
        "log in, and send the token with each call: Authorization: Bearer <token>",
    ))
}

impl Call {
    /// Finds who calls, and lets him in or not.
    async fn enter(&mut self, operation: &Operation, bearer: &str) -> Result<(), Problem> {
        let mut tx = self.authority.store.read().await?;
        let caller = sessions::authenticate(&mut tx, bearer, self.now).await?;
        self.admit(operation, caller, &mut tx).await
    }

    /// Finds the account and the virtual account of the path, and checks the caller's roles there.
    async fn admit(
        &mut self,
        operation: &Operation,
        caller: Caller,
        tx: &mut crate::store::Tx,
    ) -> Result<(), Problem> {
        if let Some(domain) = self.path.get("account") {
            let account = accounts::find(tx, domain).await?;
            let mine = |account: &Account| caller.held.iter().any(|h| h.account == account.id);
            let Some(account) = account.filter(mine) else {
                return Err(Problem::NotFound("Smart Account of this domain".into()));
            };
            self.place.account = account.id;
            self.account = Some(account);
        }
        if let Some(name) = self.path.get("virtualAccount") {
            let found = accounts::find_virtual(tx, self.place.account, name).await?;
            self.place.va = found.id;
            self.virtual_account = Some(found);
        }
        let Place { account, va } = self.place;
        let may = match operation.needs {
            Needs::Nothing | Needs::Login => true,
            Needs::May(action) => allowed(&caller.held, action, account, va),
            Needs::Somewhere(action) => allowed_somewhere(&caller.held, action, account),
        };
        if !may {
            let why = match va {
                0 => "your roles don't allow this in the Smart Account as a whole",
                _ => "your roles don't allow this in this virtual account",
            };
            return Err(Problem::Forbidden(why.into()));
        }
        self.caller = Some(caller);
        Ok(())
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // Read as the fields of what is expected, an array would pass.
        if !self.body.trim_ascii_start().starts_with(b"{") {
            let why = "the body is not what is expected: it is no object";
            return Err(Problem::Invalid(why.into()));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = unquoted(&error.to_string());
            Problem::Invalid(format!("the body is not what is expected: {why}"))
        })
    }

    fn caller(&self) -> Result<&Caller, Problem> {
        self.caller
            .as_ref()
            .ok_or(Problem::Unauthenticated("log in"))
    }

    fn by(&self) -> Result<By<'_>, Problem> {
        Ok(By {
            who: &self.caller()?.name,
            now: self.now,
        })
    }

    fn part(&self, name: &'static str) -> Result<&str, Problem> {
        let part = self.path.get(name).map(String::as_str);
        part.ok_or_else(|| Problem::NotFound("such resource".into()))
    }

    fn number(&self, name: &'static str) -> Result<i64, Problem> {
        let number = self.part(name)?.parse();
        number.map_err(|_| Problem::NotFound(format!("{name} of this number")))
    }

    fn query_number(&self, name: &str, default: i64, most: i64) -> Result<i64, Problem> {
        let Some(text) = self.query.get(name) else {
            return Ok(default);
        };
        match text.parse() {
            Ok(number) if (0..=most).contains(&number) => Ok(number),
            Ok(_) | Err(_) => invalid(format!("{name} is a number, 0 to {most}")),
        }
    }

    fn limit(&self) -> Result<i64, Problem> {
        let limit = self.query_number("limit", LIMIT_MAX, LIMIT_MAX)?;
        match limit {
            0 => invalid(format!("limit is a number, 1 to {LIMIT_MAX}")),
            limit => Ok(limit),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.query.get(name).map(String::as_str) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => invalid(format!("{name} is true or false")),
        }
    }
}

impl Answer {
    /// What was found or changed.
    fn ok(value: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, value)
    }

    /// What was made.
    fn made(value: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::CREATED, value)
    }

    fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Problem> {
        let text = serde_json::to_string(value);
        let text = text.map_err(|error| {
            crate::store::StoreError::Value(format!("an answer that is no JSON: {error}"))
        })?;
        Ok(Self::Json(status, text))
    }

    fn into_response(self) -> Response {
        match self {
            Self::Json(status, text) => respond(status, "application/json", text.into()),
            Self::Empty => respond(StatusCode::NO_CONTENT, "", Body::empty()),
            Self::Octets(kind, octets) => respond(StatusCode::OK, kind, octets.into()),
            Self::Stream(kind, (name, value), body) => {
                let mut response = respond(StatusCode::OK, kind, body);
                response.headers_mut().insert(name, value);
                response
            }
        }
    }
}

fn respond(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !kind.is_empty() {
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    }
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// A problem as callers see it.
fn problem(problem: &Problem) -> Response {
    let (status, code) = match problem {
        Problem::Invalid(_) => (StatusCode::BAD_REQUEST, "INVALID"),
        Problem::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        Problem::Forbidden(_) => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        Problem::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Problem::Conflict(_) => (StatusCode::CONFLICT, "CONFLICT"),
        Problem::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY"),
        Problem::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LONG"),
        Problem::TooSlow => (StatusCode::REQUEST_TIMEOUT, "TOO_SLOW"),
        Problem::Method => (StatusCode::METHOD_NOT_ALLOWED, "METHOD"),
        Problem::Store(_) | Problem::Pki(_) => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
    };
    let body = json!({ "code": code, "message": problem.to_string() });
    let mut response = respond(status, "application/json", body.to_string().into());
    if status == StatusCode::UNAUTHORIZED {
        let headers = response.headers_mut();
        let scheme = header::HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// Methods of the table.
pub(crate) fn method(name: &str) -> Method {
    match name {
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => Method::GET,
    }
}
