//! Smart Agents and a license authority together, in a time of their own: the machines of both, the real store, real
//! certificates and signatures; only the wire between them is the test's, and fails as it likes.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::LicenseCommand;
use api::smart::{Sudi, Verdict};
use licensing::{Catalog, LicenseCount, Now, ServiceIndex, SessionCount, TagRef, Wall};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use smart_agent::{
    Agent, AtStart, Config, Failure, Identity, Input, Message, Output, Record, Restored, Seed,
    Start, TagUse, Ticket, Told,
};
use tests::desk::{Desk, Of, VA, usage_of};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// What happens to messages, in percent of them.
#[derive(Clone, Copy, Default)]
struct Faults {
    request_lost: u32,
    /// It arrives after the next one.
    request_late: u32,
    request_twice: u32,
    answer_lost: u32,
    answer_cut: u32,
    answer_changed: u32,
    /// The answer to another message comes instead.
    answer_other: u32,
    /// The node is killed before it hears the answer.
    killed: u32,
    /// The node's disk is full when the answer comes.
    disk_full: u32,
}

impl Faults {
    /// A message in three meets one.
    const MANY: Self = Self {
        request_lost: 5,
        request_late: 4,
        request_twice: 5,
        answer_lost: 5,
        answer_cut: 3,
        answer_changed: 3,
        answer_other: 4,
        killed: 2,
        disk_full: 3,
    };
}

/// A node: its agent, its disk, and what its verdicts hold.
struct Node {
    number: u8,
    agent: Agent,
    disk: Restored,
    now: Now,
    starts: u8,
    registered: bool,
    held: Option<u32>,
    standing: Option<Verdict>,
    sessions: u32,
    per_license: NonZeroU32,
    /// Licenses times milliseconds of PGW in closed reports, each once.
    closed: BTreeMap<String, u64>,
    outbox: Vec<Message>,
    /// A message that is still on its way, and the key of the connection that it is on.
    late: Option<(Vec<u8>, Option<[u8; 32]>)>,
    /// The last answer to another message.
    other: Vec<u8>,
    disk_full: bool,
    done: Vec<Result<(), String>>,
}

fn config(number: u8) -> Result<Config> {
    let catalog = Arc::new(Catalog::staros());
    let product = catalog.product("VPC_SI").context("a product")?.tag.clone();
    let sudi = Sudi {
        udi_pid: "VPC-SI".into(),
        udi_serial_number: format!("SN{number}"),
    };
    Ok(Config::new(sudi, product, catalog))
}

impl Node {
    fn new(number: u8, office: &Desk, now: Now) -> Result<Self> {
        let disk = Restored::default();
        let mut node = Self {
            number,
            agent: agent(number, 0, &disk, false, now)?,
            disk,
            now,
            starts: 0,
            registered: false,
            held: None,
            standing: None,
            sessions: 0,
            per_license: Catalog::staros().services()[0].sessions_per_license,
            closed: BTreeMap::new(),
            outbox: Vec::new(),
            late: None,
            other: Vec::new(),
            disk_full: false,
            done: Vec::new(),
        };
        let der = office.authority.root().to_vec();
        node.tell(Input::Root { der })?;
        Ok(node)
    }

    fn tell(&mut self, input: Input) -> Result<()> {
        self.agent.handle(input, self.now);
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Persist(_) if self.disk_full => {
                    self.agent.handle(Input::NotPersisted, self.now);
                }
                Output::Persist(record) => self.persist(record)?,
                Output::Send(message) => self.outbox.push(message),
                Output::Tell(told) => self.hear(told),
                Output::Done { result, .. } => {
                    self.done.push(result.map_err(|error| error.to_string()));
                }
                Output::Notice(_) => {}
            }
        }
        Ok(())
    }

    fn persist(&mut self, record: Record) -> Result<()> {
        self.closed.extend(usage_of(&record)?);
        self.disk.keep(record);
        Ok(())
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Registered => self.registered = true,
            Told::Deregistered => {
                (self.registered, self.held, self.standing) = (false, None, None);
            }
            Told::Verdict {
                tag: TagRef::Service(ServiceIndex(0)),
                verdict,
                granted,
                ..
            } => {
                self.held = granted.map(|grant| grant.licenses.0);
                self.standing = Some(verdict);
            }
            Told::Verdict { .. }
            | Told::RegistrationFailed
            | Told::Reported { .. }
            | Told::AuthorityUnreachable
            | Told::AuthorityReached
            | Told::RootExpiring(_)
            | Told::StateTampered
            | Told::Order { .. }
            | Told::LabSpeedup { .. } => {}
        }
    }

    fn sample(&mut self) -> Result<()> {
        self.tell(Input::Usage(vec![TagUse {
            tag: TagRef::Service(ServiceIndex(0)),
            sessions: self.sessions,
            licenses: SessionCount(self.sessions).licenses(self.per_license),
            held: self.held.map(LicenseCount),
        }]))
    }

    fn kill(&mut self, office: &Desk) -> Result<()> {
        self.starts += 1;
        self.outbox.clear();
        self.agent = agent(
            self.number,
            self.starts,
            &self.disk,
            self.registered,
            self.now,
        )?;
        let der = office.authority.root().to_vec();
        self.tell(Input::Root { der })?;
        self.sample()
    }

    async fn step(
        &mut self,
        office: &Desk,
        time: Duration,
        faults: Faults,
        random: &mut StdRng,
    ) -> Result<()> {
        self.now.mono = self.now.mono.after(time);
        self.now.license = self.now.license.after(time);
        self.now.wall.0 += i64::try_from(time.as_millis())?;
        self.sample()?;
        self.deliver(office, faults, random).await
    }

    async fn deliver(&mut self, office: &Desk, faults: Faults, random: &mut StdRng) -> Result<()> {
        let mut chance = |percent: u32| random.random_range(0..100) < percent;
        for message in std::mem::take(&mut self.outbox) {
            let nonce = message.nonce;
            let key = self.agent.credentials().filter(|_| message.identified);
            let key = key.map(|(identity, _)| identity.public_key());
            let before = self.late.take();
            let mut answer = None;
            if chance(faults.request_late) {
                self.late = Some((message.octets, key));
            } else if !chance(faults.request_lost) {
                if chance(faults.request_twice) {
                    office.take(&message.octets, key, self.now).await?;
                }
                answer = Some(office.take(&message.octets, key, self.now).await?);
            }
            if let Some((octets, key)) = before {
                office.take(&octets, key, self.now).await?;
            }
            if chance(faults.killed) {
                return self.kill(office);
            }
            let mut answer = answer.filter(|_| !chance(faults.answer_lost));
            if let Some(octets) = &mut answer {
                if chance(faults.answer_other) {
                    std::mem::swap(octets, &mut self.other);
                } else if chance(faults.answer_cut) {
                    octets.truncate(octets.len() / 2);
                } else if chance(faults.answer_changed) {
                    // A digit of the text that is signed: of a number, a date or an identifier.
                    let digit = octets.iter_mut().find(|octet| **octet == b'1');
                    *digit.context("a digit")? = b'2';
                } else {
                    self.other.clone_from(octets);
                }
            }
            self.disk_full = chance(faults.disk_full);
            self.tell(match answer {
                Some(octets) => Input::Answered { nonce, octets },
                None => Input::NotAnswered {
                    nonce,
                    failure: Failure::Unreachable {
                        address: "192.0.2.1:443".into(),
                        why: "connection refused".into(),
                    },
                },
            })?;
            self.disk_full = false;
        }
        Ok(())
    }

    async fn command(
        &mut self,
        office: &Desk,
        command: LicenseCommand,
    ) -> Result<Result<(), String>> {
        let random = &mut StdRng::seed_from_u64(0);
        self.done.clear();
        self.tell(Input::Operator {
            ticket: Ticket(1),
            command,
        })?;
        for _ in 0..60 {
            if let Some(done) = self.done.pop() {
                self.deliver(office, Faults::default(), random).await?;
                return Ok(done);
            }
            self.step(office, SECOND, Faults::default(), random).await?;
        }
        bail!("no answer in a minute")
    }

    async fn register(
        &mut self,
        office: &Desk,
        idtoken: &str,
        force: bool,
    ) -> Result<Result<(), String>> {
        let idtoken = idtoken.to_owned();
        self.command(office, LicenseCommand::Register { idtoken, force })
            .await
    }
}

fn agent(number: u8, start: u8, disk: &Restored, registered: bool, now: Now) -> Result<Agent> {
    let config = config(number)?;
    let identity = Identity::new(Seed::new([number; 32]), &config.sudi)?;
    let start = Start {
        identity,
        orders: AtStart::default(),
        restored: disk.clone(),
        enabled: true,
        registered,
        random: [number ^ start.rotate_left(4); 32],
    };
    Ok(Agent::new(config, start, now))
}

fn beginning() -> Result<Now> {
    let since = std::time::UNIX_EPOCH.elapsed()?.as_millis();
    Ok(Now {
        wall: Wall(i64::try_from(since)?),
        ..Now::default()
    })
}

fn run<F: Future<Output = Result<()>>>(future: F) -> Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(future)
}

//= L11
#[test]
fn an_agent_registers_renews_and_deregisters_with_the_authority() -> Result<()> {
    run(async {
        let now = beginning()?;
        let office = Desk::new(Of::default(), now.wall).await?;
        office.own("PGW", 10).await?;
        let token = office.id_token().await?;
        let random = &mut StdRng::seed_from_u64(1);
        let mut node = Node::new(1, &office, now)?;
        let refused = node
            .register(&office, "bm90LW9uZS1vZi1vdXJz", false)
            .await?;
        let why =
            "the license authority does not know this registration token; nothing has changed";
        ensure!(refused == Err(why.into()), "{refused:?}");
        node.sessions = 25_000;
        node.register(&office, &token, false)
            .await?
            .map_err(anyhow::Error::msg)?;
        for _ in 0..10 {
            node.step(&office, SECOND, Faults::default(), random)
                .await?;
        }
        ensure!(
            node.standing == Some(Verdict::Authorized),
            "{:?}",
            node.standing
        );
        ensure!(node.held >= Some(3), "{:?}", node.held);
        for _ in 0..190 * 24 {
            node.step(&office, HOUR, Faults::default(), random).await?;
        }
        let devices = office.get(&format!("{VA}/devices")).await?;
        let device = &devices["devices"][0];
        ensure!(!device["renewalDate"].is_null(), "{device}");
        ensure!(device["status"] == "ACTIVE", "{device}");
        ensure!(device["licenseUsage"][0]["quantity"] == 3, "{device}");

        let twin = Node::new(1, &office, now)?
            .register(&office, &token, false)
            .await?;
        let why = "the license authority holds a registration of this device already";
        ensure!(twin.is_err_and(|said| said.starts_with(why)));
        node.command(&office, LicenseCommand::Deregister)
            .await?
            .map_err(anyhow::Error::msg)?;
        let pgw = office.pool("PGW").await?;
        ensure!(pgw["inUse"] == 0 && pgw["granted"] == 0, "{pgw}");
        ensure!(apart(&office, &[node]).await? == 0, "lost or counted twice");
        Ok(())
    })
}

/// License-milliseconds by which what the authority has of each node and what the node has closed differ.
async fn apart(office: &Desk, nodes: &[Node]) -> Result<u64> {
    let mut apart = 0;
    for node in nodes {
        let name = format!("SN{}", node.number);
        let has = office.reported(&name).await?;
        let closed: u64 = node.closed.values().sum();
        ensure!(closed > 0, "{name} used something");
        apart += has.abs_diff(closed);
    }
    Ok(apart)
}

/// What a run of many faults comes to.
#[derive(Default)]
struct Sums {
    /// Licenses that were granted and not owned.
    over: u32,
    /// License-milliseconds that were reported and not acknowledged, or the other way round.
    apart: u64,
    /// Minutes in which all that is owned was granted.
    full: u32,
}

/// Six nodes in a pool that is too small for all that they ask ahead. A message in three meets a fault; nodes and the authority
/// are killed.
async fn five_hours(seed: u64) -> Result<Sums> {
    let mut sums = Sums::default();
    let now = beginning()?;
    let mut office = Desk::new(Of::default(), now.wall).await?;
    let owned = 12;
    office.own("PGW", owned).await?;
    let token = office.id_token().await?;
    let random = &mut StdRng::seed_from_u64(seed);
    let mut nodes = Vec::new();
    for number in 1..=6 {
        let mut node = Node::new(number, &office, now)?;
        let done = node.register(&office, &token, false).await?;
        done.map_err(anyhow::Error::msg)?;
        nodes.push(node);
    }
    for minute in 0..300 {
        let wall = nodes[0].now.wall;
        match minute % 64 {
            31 => office.restart(wall).await?,
            63 => office.crash(wall).await?,
            _ => {}
        }
        for node in &mut nodes {
            // Up to 2 licenses each: what is used fits, what is asked ahead of need does not.
            let most = node.held.unwrap_or(1).min(2) * 10_000;
            if random.random_bool(0.3) {
                node.sessions = random.random_range(0..=most);
            }
            node.step(&office, MINUTE, Faults::MANY, random).await?;
        }
        let held: u32 = nodes.iter().filter_map(|node| node.held).sum();
        sums.over = sums.over.max(held.saturating_sub(owned));
        sums.full += u32::from(held == owned);
    }
    for node in &mut nodes {
        for _ in 0..120 {
            node.step(&office, MINUTE, Faults::default(), random)
                .await?;
        }
        ensure!(node.registered, "nothing of that ends a registration");
        let done = node.command(&office, LicenseCommand::Deregister).await?;
        done.map_err(anyhow::Error::msg)?;
    }
    ensure!(nodes.iter().any(|node| node.starts > 0), "some were killed");
    let alerts = office.get(&format!("{VA}/alerts?cleared=true")).await?;
    ensure!(!alerts.to_string().contains("REPORTS"), "{alerts}");
    sums.apart = apart(&office, &nodes).await?;
    Ok(sums)
}

//= L6
//= L10
#[test]
fn whatever_is_lost_no_grants_exceed_what_is_owned_and_no_report_is_lost() -> Result<()> {
    run(async {
        let mut all = Sums::default();
        for seed in 0..3 {
            let sums = five_hours(seed).await?;
            all.over = all.over.max(sums.over);
            all.apart += sums.apart;
            all.full += sums.full;
        }
        println!("grants-over-owned {}", all.over);
        println!("report-conservation {}", all.apart);
        ensure!(all.over == 0, "{} licenses granted over", all.over);
        ensure!(all.apart == 0, "{} ms lost or counted twice", all.apart);
        ensure!(all.full > 0, "the pool was full at times");
        Ok(())
    })
}
