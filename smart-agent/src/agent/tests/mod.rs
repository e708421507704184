//! The agent, driven through its public face, against a model of an authority.

mod ahead;
mod authority;
mod catalogs;
mod crashes;
mod faults;
mod orders;
mod registration;
mod reports;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::LicenseCommand;
use api::smart::{FailureCode, RequestType, Sudi, Verdict};
use licensing::{
    Catalog, FeatureIndex, LicenseCount, Now, ServiceIndex, SessionCount, Tag, TagOrder, TagRef,
    Wall,
};

use self::authority::{Authority, Pool, Token};
use super::{Agent, Start};
use crate::config::Config;
use crate::error::{Failure, OperatorError};
use crate::identity::{Identity, Seed};
use crate::input::{Input, Message, Notice, Output, TagUse, Ticket, Told};
use crate::orders::AtStart;
use crate::record::{Record, Restored};

const PGW: ServiceIndex = ServiceIndex(0);
const SAEGW: ServiceIndex = ServiceIndex(1);
const GRE: FeatureIndex = FeatureIndex(0);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const TOKEN: &str = "dGhlLXRva2VuLW9mLXRoZS10ZXN0cw==";

const SEED: u8 = 42;

/// 2026-11-22.
const START: Wall = Wall(1_795_300_000_000);

/// What the way to the authority does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// They arrive, and so do the answers.
    Open,
    /// Neither does.
    Closed,
    /// They arrive, and the answers do not.
    Outward,
    /// They arrive, and the answers come cut off.
    Cut,
    /// They arrive, and the answers come twice.
    Twice,
    /// They stay with the test.
    Held,
}

/// The agent, its clock, its disk, what it said, and the authority that it talks to.
struct Rig {
    config: Config,
    /// The catalog of the configuration, whichever is ordered.
    own: Arc<Catalog>,
    now: Now,
    /// Beside the passing of time, the node's wall clock has moved by so much.
    wrong_ms: i64,
    agent: Agent,
    authority: Authority,
    way: Way,
    /// The message of this number meets another way.
    away: Option<(usize, Way)>,
    delivered: usize,
    disk: Restored,
    disk_full: bool,
    /// So many outputs are done before the process is killed.
    lives: Option<usize>,
    starts: u8,
    /// Of the node's key.
    seed: u8,
    outbox: Vec<Message>,
    told: Vec<Told>,
    notices: Vec<Notice>,
    done: Vec<(Ticket, Result<(), OperatorError>)>,
    verdicts: Verdicts,
    uses: BTreeMap<TagKey, u32>,
    /// Licenses times milliseconds of all reports that were ever kept.
    closed_ms: u64,
    /// Licenses times milliseconds that were in use while registered.
    measured_ms: u64,
    /// Those reports, by when they were closed and what they say, whatever number they have.
    closed: std::collections::BTreeSet<String>,
    sent: Vec<RequestType>,
    next_ticket: u64,
}

/// What the verdicts hold: told, and on the node's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Verdicts {
    registered: bool,
    held: BTreeMap<TagKey, Option<u32>>,
    standing: BTreeMap<TagKey, Verdict>,
    orders: BTreeMap<TagKey, TagOrder>,
}

type TagKey = (bool, u8);

fn key(tag: TagRef) -> TagKey {
    match tag {
        TagRef::Service(ServiceIndex(at)) => (true, at),
        TagRef::Feature(FeatureIndex(at)) => (false, at),
    }
}

fn service(at: ServiceIndex) -> TagKey {
    key(TagRef::Service(at))
}

fn feature(at: FeatureIndex) -> TagKey {
    key(TagRef::Feature(at))
}

fn tag_ref((is_service, at): TagKey) -> TagRef {
    if is_service {
        TagRef::Service(ServiceIndex(at))
    } else {
        TagRef::Feature(FeatureIndex(at))
    }
}

fn config() -> Config {
    let catalog = Arc::new(Catalog::staros());
    let product = catalog.product("VPC_SI").unwrap().tag.clone();
    let sudi = Sudi {
        udi_pid: "VPC-SI".into(),
        udi_serial_number: "1".into(),
    };
    Config::new(sudi, product, catalog)
}

impl Rig {
    fn new() -> Self {
        Self::with(config())
    }

    /// Enabled, with the authority's root in the pool, a token good for one use, and a large pool of every tag.
    fn with(config: Config) -> Self {
        let now = Now {
            wall: START,
            ..Now::default()
        };
        let mut authority = Authority::new(START);
        let token = Token {
            uses: 1,
            fate: None,
        };
        authority.tokens.insert(TOKEN.into(), token);
        for tag in all_tags(&config.catalog) {
            let pool = Pool {
                owned: 100,
                exact: true,
                until: None,
            };
            authority.pools.insert(tag, pool);
        }
        let found = (Restored::default(), AtStart::default());
        let agent = agent(&config, found, false, (SEED, 0), now);
        let mut rig = Self {
            own: Arc::clone(&config.catalog),
            config,
            now,
            wrong_ms: 0,
            agent,
            authority,
            way: Way::Open,
            away: None,
            delivered: 0,
            disk: Restored::default(),
            disk_full: false,
            lives: None,
            starts: 0,
            seed: SEED,
            outbox: Vec::new(),
            told: Vec::new(),
            notices: Vec::new(),
            done: Vec::new(),
            verdicts: Verdicts::default(),
            uses: BTreeMap::new(),
            closed_ms: 0,
            measured_ms: 0,
            closed: std::collections::BTreeSet::new(),
            sent: Vec::new(),
            next_ticket: 1,
        };
        let der = rig.authority.keys.root.der().to_vec();
        rig.tell(Input::Root { der });
        rig
    }

    fn registered() -> Self {
        let mut rig = Self::new();
        rig.register().unwrap();
        rig.run(2 * SECOND);
        rig
    }

    /// Registered, with so many sessions of PGW, and authorized.
    fn using(sessions: u32) -> Self {
        let mut rig = Self::new();
        rig.use_of(service(PGW), sessions);
        rig.register().unwrap();
        rig.run(2 * SECOND);
        rig.forget();
        rig
    }

    fn tag(&self, of: TagKey) -> Tag {
        tag_name(&self.config.catalog, of)
    }

    fn pool(&mut self, of: TagKey) -> &mut Pool {
        let tag = self.tag(of);
        self.authority.pools.get_mut(&tag).unwrap()
    }

    /// What was said so far is of no interest.
    fn forget(&mut self) {
        self.told.clear();
        self.notices.clear();
        self.done.clear();
        self.sent.clear();
    }

    fn tell(&mut self, input: Input) {
        self.agent.handle(input, self.now);
        self.perform();
    }

    /// What a shell does, and what the node around it does.
    fn perform(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            if self.lives == Some(0) {
                self.lives = None;
                self.kill();
                return;
            }
            self.lives = self.lives.map(|left| left - 1);
            match output {
                Output::Persist(_) if self.disk_full => {
                    self.agent.handle(Input::NotPersisted, self.now);
                }
                Output::Persist(record) => self.persist(record),
                Output::Send(message) => {
                    self.sent.push(message.kind);
                    self.outbox.push(message);
                }
                Output::Tell(told) => self.hear(told),
                Output::Done { ticket, result } => self.done.push((ticket, result)),
                Output::Notice(notice) => self.notices.push(notice),
            }
        }
    }

    fn persist(&mut self, record: Record) {
        let texts: Vec<_> = match &record {
            Record::Report { text, .. } => vec![text],
            Record::Ledger(ledger) => ledger.reports.values().collect(),
            Record::State(_) | Record::Trust(_) | Record::Interval(_) | Record::Marks(_) => {
                Vec::new()
            }
        };
        for text in texts {
            let report = text.read().unwrap();
            let said = format!("{:?} {:?}", report.end, report.entries);
            if self.closed.insert(said) {
                let entries = report.entries.iter();
                self.closed_ms += entries.map(|entry| entry.license_ms).sum::<u64>();
            }
        }
        self.disk.keep(record);
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Registered => self.verdicts.registered = true,
            Told::Deregistered => {
                let orders = std::mem::take(&mut self.verdicts.orders);
                self.verdicts = Verdicts {
                    orders,
                    ..Verdicts::default()
                };
            }
            Told::Verdict {
                tag,
                verdict,
                granted,
                ..
            } => {
                let granted = granted.map(|grant| grant.licenses.0);
                self.verdicts.held.insert(key(tag), granted);
                self.verdicts.standing.insert(key(tag), verdict);
            }
            Told::RegistrationFailed
            | Told::Reported { .. }
            | Told::AuthorityUnreachable
            | Told::AuthorityReached
            | Told::RootExpiring(_)
            | Told::StateTampered
            | Told::LabSpeedup { .. } => {}
            Told::Order { tag, order } if order == TagOrder::default() => {
                self.verdicts.orders.remove(&key(tag));
            }
            Told::Order { tag, order } => {
                self.verdicts.orders.insert(key(tag), order);
            }
        }
        self.told.push(told);
    }

    /// The process is killed and starts again: what was on its way is nobody's any more.
    fn kill(&mut self) {
        self.starts += 1;
        self.outbox.clear();
        let disk = self.disk.clone();
        let registered = self.verdicts.registered;
        let seeds = (self.seed, self.starts);
        let der = self.authority.keys.root.der().to_vec();
        let roots = std::slice::from_ref(&der);
        let own = Arc::clone(&self.own);
        let judge = (own.as_ref(), &self.config.fits);
        let found = AtStart::judge(&disk, roots, judge, self.config.lab, self.now);
        let ordered = found.catalog.as_ref();
        self.config.catalog = ordered.map_or(own, |ordered| Arc::clone(&ordered.catalog));
        let orders = found.in_force.iter();
        self.verdicts.orders = orders.map(|(tag, order)| (key(*tag), *order)).collect();
        let found = (disk, found);
        self.agent = agent(&self.config, found, registered, seeds, self.now);
        self.tell(Input::Root { der });
        self.sample();
    }

    fn wall(&self) -> Wall {
        Wall(self.now.wall.0 - self.wrong_ms)
    }

    /// Messages go their way.
    fn deliver(&mut self) {
        if self.way == Way::Held {
            return;
        }
        while let Some(message) = (!self.outbox.is_empty()).then(|| self.outbox.remove(0)) {
            let nonce = message.nonce;
            let away = self.away.filter(|(number, _)| *number == self.delivered);
            let way = away.map_or(self.way, |(_, way)| way);
            self.delivered += 1;
            let octets = match way {
                Way::Open | Way::Outward | Way::Cut | Way::Twice => {
                    let wall = self.wall();
                    Some(self.authority.answer(&message.octets, wall))
                }
                Way::Closed | Way::Held => None,
            };
            let mut octets = octets.filter(|_| way != Way::Outward);
            if let Some(octets) = octets.as_mut().filter(|_| way == Way::Cut) {
                octets.truncate(octets.len() / 2);
            }
            let input = match octets {
                Some(octets) => Input::Answered { nonce, octets },
                None => Input::NotAnswered {
                    nonce,
                    failure: unreachable_authority(),
                },
            };
            if way == Way::Twice {
                self.tell(input.clone());
            }
            self.tell(input);
        }
    }

    fn licenses(&self, of: TagKey, sessions: u32) -> u64 {
        match tag_ref(of) {
            TagRef::Service(at) => {
                let per = self.config.catalog.services()[at.at()].sessions_per_license;
                SessionCount(sessions).licenses(per).0.into()
            }
            TagRef::Feature(_) => u64::from(sessions > 0),
        }
    }

    fn sample(&mut self) {
        let uses = self.uses.iter().map(|(of, sessions)| {
            let licenses = u32::try_from(self.licenses(*of, *sessions)).unwrap();
            let held = self.verdicts.held.get(of).copied().flatten();
            TagUse {
                tag: tag_ref(*of),
                sessions: *sessions,
                licenses: LicenseCount(licenses),
                held: held.map(LicenseCount),
            }
        });
        let uses = uses.collect();
        self.tell(Input::Usage(uses));
    }

    fn use_of(&mut self, of: TagKey, sessions: u32) {
        self.uses.insert(of, sessions);
        self.sample();
    }

    fn step(&mut self, time: Duration) {
        self.now.mono = self.now.mono.after(time);
        let aged = time * self.config.speedup;
        if self.agent.credentials().is_some() {
            let licenses: u64 = self.uses.iter().map(|(of, n)| self.licenses(*of, *n)).sum();
            self.measured_ms += licenses * u64::try_from(aged.as_millis()).unwrap();
        }
        self.now.license = self.now.license.after(aged);
        self.now.wall.0 += i64::try_from(time.as_millis()).unwrap();
        let gained = i64::try_from((aged - time).as_millis()).unwrap();
        self.authority.ahead_ms += gained;
        self.sample();
        self.deliver();
    }

    /// Time passes, in steps of a second and at the agent's own deadlines.
    fn run(&mut self, time: Duration) {
        self.run_by(time, SECOND);
    }

    /// Time passes, in steps of at most this.
    fn run_by(&mut self, time: Duration, most: Duration) {
        let end = self.now.mono.after(time);
        self.deliver();
        while self.now.mono < end {
            let due = self.agent.poll_timeout().unwrap_or(end).min(end);
            let wait = due.since(self.now.mono);
            let step = wait.max(Duration::from_millis(1)).min(most);
            self.step(step.min(end.since(self.now.mono)));
        }
    }

    /// A long time passes, in steps of this, whatever the agent's deadlines are.
    fn leap(&mut self, time: Duration, step: Duration) {
        let end = self.now.mono.after(time);
        while self.now.mono < end {
            self.step(step.min(end.since(self.now.mono)));
        }
    }

    fn ask(&mut self, command: LicenseCommand) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.tell(Input::Operator { ticket, command });
        ticket
    }

    /// Asks, and waits for what comes of it.
    fn command(&mut self, command: LicenseCommand) -> Result<(), OperatorError> {
        let ticket = self.ask(command);
        for _ in 0..600 {
            if let Some((_, result)) = self.done.iter().find(|(of, _)| *of == ticket) {
                return result.clone();
            }
            self.deliver();
            if !self.done.iter().any(|(of, _)| *of == ticket) {
                self.step(SECOND);
            }
        }
        panic!("no answer in ten minutes");
    }

    fn register(&mut self) -> Result<(), OperatorError> {
        self.register_with(TOKEN, false)
    }

    fn register_with(&mut self, token: &str, force: bool) -> Result<(), OperatorError> {
        self.command(LicenseCommand::Register {
            idtoken: token.into(),
            force,
        })
    }

    fn row(&self, kind: RequestType) -> api::CallHomeRow {
        let status = self.agent.status(self.now);
        let rows = status.call_home.into_iter();
        rows.into_iter().find(|row| row.subtype == kind).unwrap()
    }

    fn held(&self, of: TagKey) -> Option<u32> {
        self.verdicts.held.get(&of).copied().flatten()
    }

    /// Reports told to the verdicts, of one tag.
    fn reported(&self, of: TagKey) -> Vec<(u32, bool)> {
        let told = self.told.iter().filter_map(|told| match told {
            Told::Reported { tag, licenses, ok } if key(*tag) == of => Some((licenses.0, *ok)),
            Told::Reported { .. }
            | Told::Registered
            | Told::RegistrationFailed
            | Told::Deregistered
            | Told::Verdict { .. }
            | Told::AuthorityUnreachable
            | Told::AuthorityReached
            | Told::RootExpiring(_)
            | Told::StateTampered
            | Told::Order { .. }
            | Told::LabSpeedup { .. } => None,
        });
        told.collect()
    }
}

fn agent(
    config: &Config,
    (restored, orders): (Restored, AtStart),
    registered: bool,
    (seed, start): (u8, u8),
    now: Now,
) -> Agent {
    let identity = Identity::new(Seed::new([seed; 32]), &config.sudi).unwrap();
    let start = Start {
        identity,
        orders,
        restored,
        enabled: true,
        registered,
        random: [start ^ seed; 32],
    };
    Agent::new(config.clone(), start, now)
}

fn unreachable_authority() -> Failure {
    Failure::Unreachable {
        address: "192.0.2.1:443".into(),
        why: "connection refused".into(),
    }
}

fn all_tags(catalog: &Catalog) -> Vec<Tag> {
    let services = catalog.services().iter().map(|s| s.tag.clone());
    let features = catalog.features().iter().map(|f| f.tag.clone());
    services.chain(features).collect()
}

fn tag_name(catalog: &Catalog, of: TagKey) -> Tag {
    match tag_ref(of) {
        TagRef::Service(at) => catalog.services()[at.at()].tag.clone(),
        TagRef::Feature(at) => catalog.features()[at.at()].tag.clone(),
    }
}

fn refused(code: FailureCode) -> Failure {
    Failure::Refused {
        code,
        message: format!("{code:?}"),
    }
}
