//! The workers of one node without its sockets: datagrams go to the worker that they belong to, and time passes as fast
//! as there is something to do.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use enforcer::{CallKind, Gate, GateConfig, RefusalRing, Terms, WorkerRecount, permits_dropped};
use licensing::{LicenseTime, Mono, Now, ServiceIndex, Wall};
use session_plane::config::{Apn, Pool, PoolRange, Role};
use session_plane::{
    Clear, Output, Path, PlaneConfig, Seat, SessionPlane, Shared, Statistics, worker_of,
};

/// Services, by their places in the embedded catalog.
pub const PGW: ServiceIndex = ServiceIndex(0);
/// SGW and PGW in one.
pub const SAEGW: ServiceIndex = ServiceIndex(1);
/// By GTPv1.
pub const GGSN: ServiceIndex = ServiceIndex(2);
/// SGW alone.
pub const SGW: ServiceIndex = ServiceIndex(3);
/// How many services the gate has.
const SERVICES: u8 = 7;
/// Our address for signalling, and that for user data.
pub const CONTROL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const USER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Our restart counter.
pub const RECOVERY: u8 = 42;
const PORT: u16 = 2123;
/// Steps of time after which it is said that it does not pass.
const STEPS_MAX: u32 = 10_000_000;

/// A datagram that a worker has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub to: IpAddr,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// The workers of one node.
pub struct Planes {
    /// What they were told.
    pub config: Arc<PlaneConfig>,
    /// Whom they ask.
    pub gate: Arc<Gate>,
    /// What they share.
    pub shared: Arc<Shared>,
    /// The time.
    pub now: Now,
    /// License seconds a second: none unless it is set.
    pub speedup: u32,
    planes: Vec<SessionPlane>,
    sent: VecDeque<Sent>,
    recorded: Option<Vec<Vec<u8>>>,
    drift: Option<WorkerRecount>,
}

/// Access point names `internet` and `ims` by every role; `sos` is for emergencies, and `tiny` has eight addresses, which an
/// SGW alone knows nothing of. Every service has its own license, and every recount is a second after the last.
pub fn config() -> PlaneConfig {
    let v4 = |name: &str, third: u8, last: [u8; 2]| Pool {
        name: name.into(),
        range: PoolRange::Ipv4 {
            first: [10, third, 0, 1].into(),
            last: [10, third, last[0], last[1]].into(),
        },
    };
    let mut config = PlaneConfig::new((CONTROL, PORT).into(), USER.into(), RECOVERY);
    config.pools = vec![
        v4("subscribers", 0, [15, 255]),
        v4("sos", 1, [0, 255]),
        v4("tiny", 2, [0, 8]),
    ];
    config.apns = [(Role::Ggsn, GGSN), (Role::Pgw, PGW), (Role::Saegw, SAEGW)]
        .into_iter()
        .flat_map(|(role, service)| {
            let apn = |name: &str, pool| Apn {
                role,
                ipv4_pools: vec![pool],
                emergency: name == "sos",
                ..Apn::new(name, service)
            };
            [
                apn("internet", 0),
                apn("ims", 0),
                apn("sos", 1),
                apn("tiny", 2),
            ]
        })
        .collect();
    config.apns.extend(["internet", "ims"].map(|name| Apn {
        role: Role::Sgw,
        ..Apn::new(name, SGW)
    }));
    config.recount_interval = Duration::from_secs(1);
    config
}

impl Planes {
    /// So many workers, without sessions.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself.
    pub fn new(config: PlaneConfig, workers: u16, seed: u8) -> Result<Self> {
        let now = Now {
            mono: Mono(1_000_000_000),
            wall: Wall(1_700_000_000_000),
            license: LicenseTime(0),
        };
        Self::of(config, workers, seed, now)
    }

    fn of(config: PlaneConfig, workers: u16, seed: u8, now: Now) -> Result<Self> {
        let config = Arc::new(config);
        let gate = Gate::new(GateConfig::new(SERVICES, workers))?;
        let ring = Arc::new(RefusalRing::new(1000));
        let secret = [u64::from(seed), 1];
        let shared = Shared::new(&config, &gate, ring, secret)?;
        let plane = |worker| -> Result<SessionPlane> {
            let mut secret = [seed; 32];
            secret[0] = worker as u8;
            let seat = Seat { worker, workers };
            let own = gate.worker()?;
            Ok(SessionPlane::new(
                config.clone(),
                shared.clone(),
                own,
                seat,
                secret,
                now,
            )?)
        };
        Ok(Self {
            planes: (0..workers).map(plane).collect::<Result<_>>()?,
            config,
            gate,
            shared,
            now,
            speedup: 0,
            sent: VecDeque::new(),
            recorded: None,
            drift: None,
        })
    }

    /// The same without sessions at another time, as after a restart of the node.
    ///
    /// # Errors
    ///
    /// As [`Planes::new`].
    pub fn restart_at(&mut self, now: Now) -> Result<()> {
        let workers = self.planes.len() as u16;
        let mut new = Self::of(PlaneConfig::clone(&self.config), workers, 5, now)?;
        new.speedup = self.speedup;
        *self = new;
        Ok(())
    }

    /// Takes a datagram from a peer in.
    pub fn deliver(&mut self, octets: &[u8], from: IpAddr) {
        let worker = usize::from(worker_of(octets, self.planes.len() as u16));
        let path = Path {
            local: self.config.control,
            peer: SocketAddr::new(from, PORT),
        };
        self.planes[worker].handle_datagram(octets, path, self.now);
        self.collect(worker);
    }

    /// The next datagram that was sent.
    pub fn take_sent(&mut self) -> Option<Sent> {
        self.sent.pop_front()
    }

    /// From here on what is sent is recorded.
    pub fn record(&mut self) {
        self.recorded = Some(Vec::new());
    }

    /// What was recorded.
    pub fn recorded(self) -> Vec<Vec<u8>> {
        self.recorded.unwrap_or_default()
    }

    /// Every worker begins a clear.
    pub fn clear(&mut self, clear: &Clear) {
        for plane in &mut self.planes {
            plane.clear(clear, self.now);
        }
    }

    /// Lets time pass up to the next thing that is due, but not beyond `end`; false once that is reached. What was sent
    /// meanwhile is to be looked at before it goes on.
    ///
    /// # Errors
    ///
    /// When a recount finds that table and counters differ.
    pub fn step_to(&mut self, end: Mono) -> Result<bool> {
        let due = self.planes.iter().filter_map(SessionPlane::poll_timeout);
        let at = due.min().map_or(end, |due| due.max(self.now.mono));
        if at > end {
            self.set_time(end);
            return Ok(false);
        }
        self.set_time(at);
        for worker in 0..self.planes.len() {
            let due = self.planes[worker].poll_timeout();
            if due.is_some_and(|due| due <= at) {
                self.planes[worker].handle_timeout(self.now);
                self.collect(worker);
            }
        }
        match self.drift.take() {
            Some(drift) => anyhow::bail!("table and counters differ: {drift:?}"),
            None => Ok(true),
        }
    }

    /// Lets so much time pass, what is sent being left where it is.
    ///
    /// # Errors
    ///
    /// As [`Planes::step_to`], and when time does not pass.
    pub fn pass(&mut self, time: Duration) -> Result<()> {
        let end = self.now.mono.after(time);
        for _ in 0..STEPS_MAX {
            if !self.step_to(end)? {
                return Ok(());
            }
        }
        anyhow::bail!("time does not pass");
    }

    fn set_time(&mut self, mono: Mono) {
        let passed = mono.since(self.now.mono);
        self.now.mono = mono;
        self.now.wall.0 += passed.as_millis() as i64;
        self.now.license = self.now.license.after(passed * self.speedup);
    }

    fn collect(&mut self, worker: usize) {
        while let Some(output) = self.planes[worker].poll_output() {
            match output {
                Output::Send { path, bytes } => {
                    if let Some(recorded) = &mut self.recorded {
                        recorded.push(bytes.to_vec());
                    }
                    self.sent.push_back(Sent {
                        to: path.peer.ip(),
                        octets: bytes.to_vec(),
                    });
                }
                Output::Recounted(recount) => {
                    let rows = &mut recount.rows.iter();
                    if rows.any(|row| row.table as i64 != row.counter) {
                        self.drift = Some(recount);
                    }
                }
                Output::Cleared(_) | Output::Restless(_) => {}
            }
        }
    }

    /// The terms of a service.
    pub fn set_terms(&self, service: ServiceIndex, terms: Terms) {
        self.gate.set_terms(service, terms);
    }

    /// What each worker has counted.
    pub fn statistics(&self) -> impl Iterator<Item = Statistics> + '_ {
        self.planes.iter().map(SessionPlane::statistics)
    }

    /// Sessions of all workers.
    pub fn sessions(&self) -> u32 {
        self.planes.iter().map(SessionPlane::sessions).sum()
    }

    /// Sessions of a service, of all workers.
    pub fn sessions_of(&self, service: ServiceIndex) -> u32 {
        let of = |worker: Statistics| worker.sessions_by_service.get(&service).copied();
        self.statistics().filter_map(of).sum()
    }

    /// Permits outstanding, those of emergency calls too.
    pub fn permits(&self) -> i64 {
        let classes = self.gate.sample().classes;
        classes.iter().map(|class| class.counters.live()).sum()
    }

    /// Permits of emergency calls outstanding.
    pub fn emergencies(&self) -> i64 {
        let classes = self.gate.sample().classes;
        let emergency = classes
            .iter()
            .filter(|class| class.class.kind == CallKind::Emergency);
        emergency.map(|class| class.counters.live()).sum()
    }

    /// Addresses given out.
    pub fn addresses(&self) -> u32 {
        self.shared
            .pools
            .counts()
            .iter()
            .map(|pool| pool.used)
            .sum()
    }

    /// All sessions have ended, and everything that they had is back.
    ///
    /// # Errors
    ///
    /// When something is not, what.
    pub fn check_empty(&self) -> Result<()> {
        ensure!(self.sessions() == 0, "{} sessions", self.sessions());
        ensure!(self.permits() == 0, "{} permits leaked", self.permits());
        for service in (0..SERVICES).map(ServiceIndex) {
            let count = self.gate.count_exact(service);
            ensure!(count == 0, "service {} counts {count}", service.0);
        }
        ensure!(
            self.addresses() == 0,
            "{} addresses leaked",
            self.addresses()
        );
        let surplus = self.shared.pools.surplus_releases();
        ensure!(surplus == 0, "{surplus} addresses came back twice");
        let dropped = permits_dropped();
        ensure!(dropped == 0, "{dropped} permits dropped");
        Ok(())
    }
}
