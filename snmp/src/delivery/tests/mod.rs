//! Delivery, with a disk that keeps what was committed and managers that answer or not.

mod random;
mod rules;
mod storms;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use licensing::{AlarmKind, FeatureIndex, ServiceIndex, Wall};

use super::*;
use crate::Value;
use crate::fixture::{AT, alarm, enterprise, snapshot};
use crate::notifications::{Kind, Mib, table};

const SECOND: Duration = Duration::from_secs(1);

/// What one manager got: times in order, rows, alarm ids where they are told.
#[derive(Clone, Debug, Default)]
struct Receiver {
    away: bool,
    /// Its acknowledgements take so long.
    slow: Duration,
    got: Vec<Got>,
    acknowledging: VecDeque<(Mono, i32)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Got {
    at: Mono,
    which: Which,
    alarm: Option<u64>,
    request_id: i32,
}

/// The machine, its shell and its managers.
struct World {
    config: Config,
    delivery: Delivery,
    /// What was committed.
    disk: BTreeMap<String, Record>,
    /// What was there before each commit that a crash may undo, oldest first.
    before: Vec<Vec<(String, Option<Record>)>>,
    snapshot: Snapshot,
    now: Now,
    managers: Vec<Receiver>,
    /// Times of sends of this process, by target.
    sends: Vec<VecDeque<Mono>>,
    /// Outputs until the process is killed; none: it isn't.
    fuse: Option<usize>,
    /// Undo up to so many commits that are not durable when it is.
    undo: usize,
    next_alarm: u64,
}

fn address(at: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, u8::try_from(at + 1).unwrap()], 162))
}

fn traps(name: &str) -> Target {
    Target::new(name, address(0))
}

fn informs(name: &str) -> Target {
    Target {
        inform: Some(Inform {
            timeout: SECOND,
            retries: 2,
        }),
        ..traps(name)
    }
}

/// Alarms that tell their number with their notification: of services and features, without end.
fn drift(of: u8) -> AlarmKind {
    let (service, feature) = match of % 2 {
        0 => (Some(ServiceIndex(of / 2)), None),
        _ => (None, Some(FeatureIndex(of / 2))),
    };
    AlarmKind::CountDrift { service, feature }
}

impl World {
    fn new(mut targets: Vec<Target>) -> Self {
        for (at, target) in targets.iter_mut().enumerate() {
            target.address = address(at);
        }
        let config = Config {
            targets,
            suppressed: BTreeSet::new(),
            enterprise: enterprise(),
            started: Mono(0),
        };
        let now = Now {
            wall: AT,
            mono: Mono(3_000_000_000),
            ..Now::default()
        };
        let snapshot = snapshot();
        let delivery = Delivery::new(config.clone(), Vec::new(), &snapshot, now).unwrap();
        let managers = vec![Receiver::default(); config.targets.len()];
        let mut world = Self {
            sends: vec![VecDeque::new(); managers.len()],
            config,
            delivery,
            disk: BTreeMap::new(),
            before: Vec::new(),
            snapshot,
            now,
            managers,
            fuse: None,
            undo: 0,
            next_alarm: 1,
        };
        world.perform();
        world.pass(2 * SECOND);
        world.forget();
        world
    }

    /// What managers got until now is of no interest.
    fn forget(&mut self) {
        self.managers.iter_mut().for_each(|m| m.got.clear());
    }

    fn tell(&mut self, input: Input) {
        self.delivery.handle(input, &self.snapshot, self.now);
        self.perform();
    }

    fn event(&mut self, event: Event) {
        self.tell(Input::News(News::Event(event)));
    }

    fn raise(&mut self, kind: AlarmKind) -> u64 {
        let id = self.next_alarm;
        self.next_alarm += 1;
        let alarm = alarm(id, kind, 1);
        self.snapshot.alarms.push(alarm.clone());
        self.event(Event::AlarmRaised { alarm });
        id
    }

    fn clear(&mut self, id: u64) {
        let found = self
            .snapshot
            .alarms
            .iter()
            .position(|a| a.id == AlarmId(id));
        let Some(place) = found else { return };
        let alarm = self.snapshot.alarms.remove(place);
        self.event(Event::AlarmCleared { alarm });
    }

    fn repeat(&mut self, id: u64) {
        let found = self.snapshot.alarms.iter().find(|a| a.id == AlarmId(id));
        let Some(alarm) = found.cloned() else { return };
        self.event(Event::AlarmRepeated { alarm });
    }

    /// Does what the machine asks for, until it is killed.
    fn perform(&mut self) {
        while let Some(output) = self.delivery.poll_output() {
            match &mut self.fuse {
                Some(0) => return self.restart(),
                Some(fuse) => *fuse -= 1,
                None => {}
            }
            match output {
                Output::Commit { changes, durable } => self.commit(changes, durable),
                Output::Send(send) => self.send(send),
            }
            for status in self.delivery.targets() {
                let target = self.config.targets.iter().find(|t| t.name == status.name);
                assert!(status.waiting + status.held <= target.unwrap().queue as u64);
            }
        }
    }

    fn commit(&mut self, changes: Vec<Change>, durable: bool) {
        let mut before = Vec::new();
        for change in changes {
            let (key, record) = match change {
                Change::Persist(record) => {
                    // As a shell keeps it.
                    let text = serde_json::to_string(&record).unwrap();
                    let key = record.key();
                    (key, Some(serde_json::from_str(&text).unwrap()))
                }
                Change::Delete(key) => (key, None),
            };
            assert!(key.as_str().len() <= 96);
            let key = key.to_string();
            let old = match record {
                Some(record) => self.disk.insert(key.clone(), record),
                None => self.disk.remove(&key),
            };
            before.push((key, old));
        }
        match durable {
            true => self.before.clear(),
            false => self.before.push(before),
        }
    }

    fn send(&mut self, send: Send) {
        let now = self.now.mono;
        let times = &mut self.sends[send.target];
        times.push_back(now);
        while times.front().is_some_and(|at| now.since(*at) >= SECOND) {
            times.pop_front();
        }
        assert!(times.len() <= 50, "more than 50 a second");
        let manager = &mut self.managers[send.target];
        if manager.away {
            return;
        }
        let found = table().find(|(which, _)| which.oid(&enterprise()) == send.trap);
        let (which, row) = found.expect("a notification of the table");
        assert_eq!(send.varbinds.len(), row.objects.len());
        let alarm = match (row.mib, row.kind, send.varbinds.first().map(|v| &v.value)) {
            (Mib::Tollgate, Kind::Raise { .. } | Kind::Clear, Some(Value::Gauge32(id))) => {
                Some(u64::from(*id))
            }
            _ => None,
        };
        manager.got.push(Got {
            at: now,
            which,
            alarm,
            request_id: send.request_id,
        });
        if send.inform {
            let at = now.after(manager.slow);
            manager.acknowledging.push_back((at, send.request_id));
        }
    }

    /// The process ends at once, and another begins from what is on disk.
    fn restart(&mut self) {
        self.fuse = None;
        for _ in 0..self.undo {
            for (key, old) in self.before.pop().into_iter().flatten().rev() {
                match old {
                    Some(record) => self.disk.insert(key, record),
                    None => self.disk.remove(&key),
                };
            }
        }
        self.before.clear();
        let kept = self.disk.values().cloned().collect();
        let config = Config {
            started: self.now.mono,
            ..self.config.clone()
        };
        self.sends.iter_mut().for_each(VecDeque::clear);
        self.delivery = Delivery::new(config, kept, &self.snapshot, self.now).unwrap();
        self.perform();
    }

    /// Time passes; managers acknowledge when they do.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        loop {
            let managers = self.managers.iter();
            let waiting = managers.flat_map(|m| m.acknowledging.front());
            let acknowledged = waiting.map(|(at, _)| *at).min();
            let next = [acknowledged, self.delivery.poll_timeout()];
            let next = next.into_iter().flatten().min().unwrap_or(end).min(end);
            let passed = next.since(self.now.mono);
            self.now.mono = self.now.mono.after(passed);
            self.now.wall = Wall(self.now.wall.0 + i64::try_from(passed.as_millis()).unwrap());
            let now = self.now.mono;
            for at in 0..self.managers.len() {
                let due = |m: &Receiver| m.acknowledging.front().is_some_and(|(at, _)| *at <= now);
                while due(&self.managers[at]) {
                    let (_, request_id) = self.managers[at].acknowledging.pop_front().unwrap();
                    let from = address(at);
                    self.tell(Input::Acknowledged { from, request_id });
                }
            }
            self.tell(Input::Timeout);
            if now >= end && self.delivery.poll_timeout().is_none_or(|at| at > now) {
                return;
            }
        }
    }

    fn names(&self, manager: usize) -> Vec<&'static str> {
        let got = self.managers[manager].got.iter();
        got.map(|got| got.which.row().name).collect()
    }

    fn status(&self, at: usize) -> TargetStatus {
        self.delivery.targets().nth(at).unwrap()
    }

    /// Alarms that stand by what a manager got last of each.
    fn standing(&self, manager: usize) -> BTreeSet<u64> {
        let mut standing = BTreeSet::new();
        for got in &self.managers[manager].got {
            let Some(id) = got.alarm else { continue };
            match got.which.row().kind {
                Kind::Raise { .. } => standing.insert(id),
                Kind::Clear | Kind::Event => standing.remove(&id),
            };
        }
        standing
    }

    fn outstanding(&self) -> BTreeSet<u64> {
        self.snapshot
            .alarms
            .iter()
            .map(|alarm| alarm.id.0)
            .collect()
    }

    /// Everybody is there and answers, until nothing waits any more.
    fn come_to_rest(&mut self) {
        for manager in &mut self.managers {
            manager.away = false;
            manager.slow = Duration::ZERO;
        }
        for _ in 0..400 {
            self.pass(SECOND);
            let waits = |status: TargetStatus| status.waiting + status.held > 0;
            if !self.delivery.targets().any(waits) && self.delivery.poll_timeout().is_none() {
                return;
            }
        }
        panic!("something waits for ever");
    }
}
