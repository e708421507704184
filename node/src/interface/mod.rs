//! The control interface: HTTP and JSON on a Unix socket, with a bound on everything.
//!
//! Requests that need the verdicts are asked of the control thread; when it does not answer in time, a snapshot is
//! answered with the last one and its age, and everything else fails with what to do.

mod accounts;
mod apply;
mod audited;
mod bulkstats;
mod clear;
mod configuration;
mod counters;
mod growth;
mod listener;
mod peers;
mod sessions;
mod set_bulkstats;
mod set_logging;
mod set_snmp;
mod settings;
mod subscribers;
mod thresholds;
mod told;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{
    Answer, BatchOperation, ClientRequest, Failure, GateForm, Health, LICENSE_ANSWER_S,
    LicenseCommand, REQUEST_BYTES_MAX, REQUEST_PATH, Reply, Request, WorkerHealth,
};
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use crossbeam::channel::{Sender, TrySendError};
use eventlog::Wanted;
use licensing::Snapshot;
use parking_lot::Mutex;
use session_plane::Statistics;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::access::{Accounts, Audit, Local, Who};
use crate::admission::Admissions;
use crate::agent::{AgentAsk, AgentCurrent};
use crate::bulkstats::BulkstatsEnd;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{Ask, Current, Denial, Denied};
use crate::logging::{self, SyslogAsk};
use crate::metrics::{LastRefusals, Latencies};
use crate::queue::Queue;
use crate::receiver::Job;
use crate::settings::Settings;
use crate::snmp::{SnmpAsk, SnmpCurrent};
use crate::socket::{self, RECEIVE_BUFFER_BYTES};
use crate::vitals::Vitals;
pub(crate) use audited::CHANGES_MAX;
pub(crate) use counters::Intervals;
pub(crate) use growth::Hours;
pub(crate) use listener::{Bounds, bind, serve, serve_each};

/// Longest wait for a thread's answer.
const ANSWER: Duration = Duration::from_secs(2);
/// The same of a control thread that seems to stall: it may be this process that stood still.
const ANSWER_AFTER_STALL: Duration = Duration::from_millis(300);
/// Pieces in which such waits are counted. Of a process that stood still as a whole, on a machine that was stopped, each
/// wait loses one.
const PIECES: u32 = 20;
/// Longest wait for what the license authority is asked.
const LICENSE_ANSWER: Duration = Duration::from_secs(LICENSE_ANSWER_S);
/// Longest wait for the body of a request.
const BODY: Duration = Duration::from_secs(5);

/// From one look at the control thread to the next.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// From one look at the clients' leases to the next.
const CLIENTS_EVERY: Duration = Duration::from_millis(100);

/// What requests are answered from.
#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) config: Arc<Config>,
    pub(crate) gn: SocketAddr,
    pub(crate) receive_buffer_bytes: usize,
    pub(crate) gate: GateForm,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) current: Arc<Current>,
    pub(crate) asks: Sender<Ask>,
    pub(crate) commands: mpsc::Sender<AgentAsk>,
    pub(crate) agent: Arc<AgentCurrent>,
    pub(crate) snmp: Arc<SnmpCurrent>,
    pub(crate) snmp_asks: mpsc::Sender<SnmpAsk>,
    pub(crate) bulkstats: BulkstatsEnd,
    pub(crate) syslog_asks: mpsc::Sender<SyslogAsk>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) plane: Arc<session_plane::Shared>,
    /// Held until a change is in force: changes take effect in the order in which they are kept.
    pub(crate) settings: Arc<tokio::sync::Mutex<Settings>>,
    /// How long messages took.
    pub(crate) latencies: Arc<Latencies>,
    /// The last refused calls.
    pub(crate) refusals: Arc<LastRefusals>,
    /// What each worker counted when it last told.
    pub(crate) counted: tokio::sync::Mutex<Vec<Arc<Statistics>>>,
    /// What was changed, and by whom.
    pub(crate) audit: Arc<Audit>,
    /// Who may log in.
    pub(crate) accounts: Arc<Accounts>,
    /// Room for changes.
    pub(crate) changes: Arc<Semaphore>,
    /// Calls by intervals; locked for no wait.
    pub(crate) counters: Mutex<Intervals>,
    /// Highest counts of hours; locked for no wait.
    pub(crate) growth: Mutex<Hours>,
    /// Locked for one request of a client, never across a wait.
    pub(crate) admissions: Mutex<Admissions>,
}

/// A failure and its status.
type Refused = (StatusCode, Failure);

/// All paths and methods.
pub(crate) fn router(interface: Arc<Interface>) -> Router {
    Router::new()
        .route(REQUEST_PATH, post(request))
        .fallback(async || failed(StatusCode::NOT_FOUND, "no such path"))
        .method_not_allowed_fallback(async || {
            failed(StatusCode::METHOD_NOT_ALLOWED, "no such method here")
        })
        .with_state(interface)
}

fn failed(status: StatusCode, what: &str) -> Response {
    let failure = Failure::new(what, "request line", format!("POST {REQUEST_PATH}"));
    respond(Err((status, failure)))
}

async fn request(
    State(interface): State<Arc<Interface>>,
    Extension(local): Extension<Local>,
    body: Body,
) -> Response {
    let answer = match read(body).await {
        Ok(request) => interface.serve(local.who(), request).await,
        Err(refused) => Err(refused),
    };
    respond(answer)
}

async fn read(body: Body) -> Result<Request, Refused> {
    let refuse = |status, what: String, todo: &str| Err((status, Failure::new(what, "body", todo)));
    let octets = match timeout(BODY, to_bytes(body, REQUEST_BYTES_MAX)).await {
        Ok(Ok(octets)) => octets,
        Ok(Err(error)) => {
            let what = format!("the body can't be taken: {error}");
            let todo = format!("send at most {REQUEST_BYTES_MAX} bytes");
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, what, &todo);
        }
        Err(_) => {
            let what = format!("the body was not there within {} s", BODY.as_secs());
            return refuse(StatusCode::REQUEST_TIMEOUT, what, "send it at once");
        }
    };
    Request::read(&octets).or_else(|error| {
        let what = format!("not a request: {error}");
        refuse(
            StatusCode::BAD_REQUEST,
            what,
            "send one of api::Request as JSON",
        )
    })
}

fn respond(answer: Result<Reply, Refused>) -> Response {
    let (status, answer) = match answer {
        Ok(reply) => (StatusCode::OK, Answer::Reply(reply)),
        Err((status, failure)) => (status, Answer::Failure(failure)),
    };
    match serde_json::to_vec(&answer) {
        Ok(json) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (status, kind, json).into_response()
        }
        Err(error) => {
            event!(ANSWER_NOT_WRITTEN, %error);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Interface {
    async fn answer(&self, who: &Who, request: Request) -> Result<Reply, Refused> {
        match request {
            Request::Health => Ok(Reply::Health {
                health: Box::new(self.health()),
            }),
            Request::Sessions => {
                let statistics = self.ask_workers(Job::Statistics).await?;
                let peers = self.ask_workers(Job::Peers).await?;
                let now = self.clock.now().mono;
                let mut summary = sessions::summary(&self.config, &self.plane, &statistics, &peers);
                sessions::add_clients(&mut summary, &self.admissions.lock(), now);
                Ok(Reply::Sessions {
                    sessions: Box::new(summary),
                })
            }
            Request::Peers { offset, limit } => {
                peers::check(limit).map_err(|failure| (StatusCode::BAD_REQUEST, failure))?;
                let workers = self.ask_workers(Job::Peers).await?;
                let now = self.clock.now().mono;
                let told = |peer| self.plane.restarts.told(peer);
                let peers = peers::list(&workers, told, offset, limit, now);
                Ok(Reply::Peers { peers })
            }
            Request::Subscriber { imsi } => self.subscriber(&imsi).await,
            Request::Counters => {
                let totals = self.totals().await;
                let now = self.clock.now().wall;
                let counters = self.counters.lock().view(totals, now);
                Ok(Reply::Counters { counters })
            }
            Request::Forecast => {
                let (snapshot, _, _) = self.now().await;
                let hours = self.growth.lock().clone();
                Ok(Reply::Forecast {
                    services: hours.forecast(&snapshot),
                })
            }
            Request::Snapshot => {
                let (snapshot, age_ms, stalled) = self.now().await;
                Ok(Reply::Snapshot {
                    snapshot,
                    age_ms,
                    stalled,
                })
            }
            Request::History { .. }
            | Request::Preview { .. }
            | Request::SmartLicensing { .. }
            | Request::Feature { .. }
            | Request::LabSpeedup { .. } => self.ask(request).await,
            Request::License(command) => self.command(command).await,
            Request::Transport(command) => self.set_transport(command).await,
            Request::SnmpSet(command) => self.set_snmp(*command).await,
            Request::Threshold(command) => self.set_threshold(command).await,
            Request::Agent => Ok(self.agent().await),
            Request::Alarms => Ok(self.alarms().await),
            Request::Snmp { history } => self.snmp(history).await,
            Request::Logs {
                limit,
                facility,
                level,
                since,
            } => Ok(Reply::Logs {
                logs: logging::view(Wanted {
                    limit: usize::try_from(limit).unwrap_or(usize::MAX),
                    facility,
                    level,
                    since,
                }),
            }),
            Request::Accounts => Ok(Reply::Accounts {
                accounts: self.accounts.view(self.clock.now().mono),
            }),
            Request::Account(command) => self.set_account(who, command).await,
            Request::Audit { limit } => self.audit_view(who, limit).await,
            Request::Logging => Ok(Reply::Logging {
                logging: logging::logging(),
            }),
            Request::LoggingSet(command) => self.set_logging(*command).await,
            Request::Configuration => {
                let text = self.configuration().await;
                Ok(Reply::Configuration { text })
            }
            Request::SaveConfiguration { file } => self.save_configuration(file).await,
            Request::Apply(command) => self.apply(who, *command).await,
            Request::Bulkstats => Ok(self.bulkstats()),
            Request::BulkstatsData => self.bulkstats_data().await,
            Request::BulkstatsDo { command } => self.command_bulkstats(command).await,
            Request::BulkstatsSet(setting) => self.set_bulkstats(*setting).await,
            Request::Clear { whom, reactivate } => self.clear(whom, reactivate).await,
            Request::Client(request) => self.serve_client(request),
        }
    }

    /// Asks the agent, which asks the license authority.
    async fn command(&self, command: LicenseCommand) -> Result<Reply, Refused> {
        if self.vitals.agent_stalled(self.clock.now().mono) {
            return Err(no_agent("the smart agent does not work"));
        }
        let (reply, answer) = oneshot::channel();
        if self
            .commands
            .try_send(AgentAsk::Command { command, reply })
            .is_err()
        {
            return Err(no_agent("the smart agent takes no command"));
        }
        match timeout(LICENSE_ANSWER, answer).await {
            Ok(Ok(Ok(()))) => Ok(Reply::Done { changed: true }),
            Ok(Ok(Err(Denied { why, failure }))) => Err((status(why), failure)),
            Ok(Err(_)) => Err(no_agent("the smart agent has ended")),
            Err(_) => Err(no_agent("the license authority has not answered yet")),
        }
    }

    async fn agent(&self) -> Reply {
        // The agent first: what it told is in a snapshot that is taken later.
        let agent = Box::new(self.agent.view());
        let (snapshot, age_ms, stalled) = self.now().await;
        Reply::Agent {
            snapshot,
            age_ms,
            stalled,
            agent,
        }
    }

    /// A snapshot, how old it is in milliseconds, and whether it is the last one of a control thread that does not work.
    pub(crate) async fn now(&self) -> (Box<Snapshot>, u64, bool) {
        match self.ask(Request::Snapshot).await {
            Ok(Reply::Snapshot {
                snapshot,
                age_ms,
                stalled,
            }) => (snapshot, age_ms, stalled),
            Ok(_) | Err(_) => self.last(),
        }
    }

    fn serve_client(&self, request: ClientRequest) -> Result<Reply, Refused> {
        let begun = self.clock.now();
        let decides = matches!(
            request,
            ClientRequest::Batch {
                operation: BatchOperation::Admit,
                ..
            }
        );
        let done = self.admissions.lock().handle(request, begun);
        if decides && done.is_ok() {
            let ended = self.clock.now().mono;
            self.latencies.batch(begun.mono, ended);
        }
        let reply = done.map(|lease| Reply::Lease { lease });
        reply.map_err(|error| {
            let (why, failure) = error.failure();
            (status(why), failure)
        })
    }

    /// Ends leases that have run out, and has what clients hold compared with the counters.
    pub(crate) async fn watch_clients(self: Arc<Self>) {
        let mut looks = tokio::time::interval(CLIENTS_EVERY);
        loop {
            looks.tick().await;
            let now = self.clock.now().mono;
            // Other clients are answered between two steps.
            while self.admissions.lock().expire(now) {
                tokio::task::yield_now().await;
            }
            let recount = self.admissions.lock().recount(now);
            // One that finds no room is made again before long.
            let recount = recount.map(Ask::Recounted);
            drop(recount.map(|recount| self.asks.try_send(recount)));
        }
    }

    /// Says in the log when the control thread stalls, which it can't say itself.
    pub(crate) async fn watch_control(self: Arc<Self>) {
        let mut looks = tokio::time::interval(WATCH_EVERY);
        let mut stalled = false;
        loop {
            looks.tick().await;
            let now = self.clock.now().mono;
            let was = std::mem::replace(&mut stalled, self.vitals.control_stalled(now));
            let age_ms = self.vitals.control_age(now).as_millis();
            match (was, stalled) {
                (false, true) => {
                    event!(CONTROL_STALLED, age_ms, ended = self.vitals.control_ended())
                }
                (true, false) => event!(CONTROL_WORKS),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Asks the control thread.
    async fn ask(&self, request: Request) -> Result<Reply, Refused> {
        if self.vitals.control_ended() {
            return Err(self.no_control());
        }
        let wait = match self.vitals.control_stalled(self.clock.now().mono) {
            true => ANSWER_AFTER_STALL,
            false => ANSWER,
        };
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Request { request, reply };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.asks.try_send(ask)
        {
            return Err(self.no_control());
        }
        match within(wait, answer).await {
            Some(Ok(reply)) => Ok(reply),
            Some(Err(Denied { why, failure })) => Err((status(why), failure)),
            None => Err(self.no_control()),
        }
    }

    fn no_control(&self) -> Refused {
        let age = self.vitals.control_age(self.clock.now().mono);
        let what = format!(
            "the control thread has not worked for {} ms",
            age.as_millis()
        );
        let todo =
            "calls go on with the last policies; see the log, restart the node if it stays so";
        let failure = Failure::new(what, "control thread", todo);
        (StatusCode::SERVICE_UNAVAILABLE, failure)
    }

    /// The last snapshot, its age in milliseconds, and that it is the last.
    fn last(&self) -> (Box<Snapshot>, u64, bool) {
        let snapshot = self.current.load();
        let age_ms = self.age_ms(&snapshot);
        (Box::new(snapshot.as_ref().clone()), age_ms, true)
    }

    fn age_ms(&self, snapshot: &Snapshot) -> u64 {
        let age = self.clock.now().mono.since(snapshot.at.mono);
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }

    /// Asks every worker.
    async fn ask_workers<T>(&self, job: fn(oneshot::Sender<T>) -> Job) -> Result<Vec<T>, Refused> {
        self.ask_workers_for(job, ANSWER).await
    }

    /// Asks every worker, and waits so long for each.
    async fn ask_workers_for<T>(
        &self,
        job: impl Fn(oneshot::Sender<T>) -> Job,
        wait: Duration,
    ) -> Result<Vec<T>, Refused> {
        let mut answers = Vec::with_capacity(self.queues.len());
        for (worker, queue) in self.queues.iter().enumerate() {
            let (reply, answer) = oneshot::channel();
            match queue.try_send(job(reply)) {
                Ok(()) => answers.push(answer),
                Err(_) => return Err(no_worker(worker)),
            }
        }
        let mut told = Vec::with_capacity(answers.len());
        for (worker, answer) in answers.into_iter().enumerate() {
            let of_worker = within(wait, answer).await;
            told.push(of_worker.ok_or_else(|| no_worker(worker))?);
        }
        Ok(told)
    }

    pub(crate) fn health(&self) -> Health {
        let now = self.clock.now().mono;
        let vitals = &self.vitals;
        let age = vitals.control_age(now).as_millis();
        let workers = (0..).zip(&self.queues).map(|(worker, queue)| WorkerHealth {
            worker,
            alive: !vitals.worker_ended(worker),
            queued: queue.len() as u64,
        });
        Health {
            name: self.config.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lab: self.config.lab.is_some(),
            uptime_ms: now.0 / 1_000_000,
            gn: self.gn,
            control_age_ms: u64::try_from(age).unwrap_or(u64::MAX),
            control_stalled: vitals.control_stalled(now),
            control_dead: vitals.control_ended(),
            agent_age_ms: u64::try_from(vitals.agent_age(now).as_millis()).unwrap_or(u64::MAX),
            agent_stalled: vitals.agent_stalled(now),
            agent_dead: vitals.agent_ended(),
            snmp_age_ms: u64::try_from(vitals.snmp_age(now).as_millis()).unwrap_or(u64::MAX),
            snmp_stalled: vitals.snmp_stalled(now),
            snmp_dead: vitals.snmp_ended(),
            bulkstats_age_ms: u64::try_from(vitals.bulkstats_age(now).as_millis())
                .unwrap_or(u64::MAX),
            bulkstats_stalled: vitals.bulkstats_stalled(now),
            bulkstats_dead: vitals.bulkstats_ended(),
            state_written: vitals.state_written(),
            journal: vitals.journal(),
            receive_buffer_bytes: self.receive_buffer_bytes as u64,
            receive_buffer_wanted_bytes: RECEIVE_BUFFER_BYTES as u64,
            queue_drops: vitals.queue_drops(),
            socket_drops: socket::drops(self.gn),
            send_failures: vitals.send_failures(),
            gate: self.gate,
            permits_dropped: enforcer::gate::permits_dropped(),
            workers: workers.collect(),
        }
    }
}

/// What a thread answers within this time; none: nothing, or it has ended.
async fn within<T>(wait: Duration, mut answer: oneshot::Receiver<T>) -> Option<T> {
    for _ in 0..PIECES {
        if let Ok(told) = timeout(wait / PIECES, &mut answer).await {
            return told.ok();
        }
    }
    None
}

fn status(why: Denial) -> StatusCode {
    match why {
        Denial::Invalid => StatusCode::BAD_REQUEST,
        Denial::Unknown => StatusCode::NOT_FOUND,
        Denial::NotHere => StatusCode::FORBIDDEN,
        Denial::Conflict => StatusCode::CONFLICT,
        Denial::Full => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn no_agent(what: &str) -> Refused {
    let todo = "see show license status and the log; what was asked for may still be under way";
    let failure = Failure::new(what, "smart agent", todo);
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}

fn no_worker(worker: usize) -> Refused {
    let failure = Failure::new(
        "a worker does not answer",
        format!("worker {worker}"),
        "try again; if it stays so, see the log and restart the node",
    );
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}
