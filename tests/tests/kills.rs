//! A node under load that is killed again and again, beside a clock outside of it.
#![forbid(unsafe_code)]

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::Request;
use licensing::{AlarmId, AlarmKind, Snapshot};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tests::gateway::{Gateway, Site};
use tests::node::launch;
use tests::sgsn::{Call, ie};
use tests::wait::eventually;

/// Names another number of cycles.
const CYCLES: &str = "TOLLGATE_KILL_CYCLES";
const IN_A_TEST: u32 = 12;
const SPEEDUP: u32 = 600;
/// License seconds that are charged at once: what one second brings.
const QUANTUM_S: u64 = SPEEDUP as u64;
/// Names another seed.
const SEED: &str = "TOLLGATE_KILL_SEED";

/// What is waited for takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// What is known from outside.
struct Outside {
    random: StdRng,
    /// As the node said last.
    used_s: u64,
    /// When it said so.
    at: Instant,
    gre: bool,
    evaluation_alarm: Option<AlarmId>,
    subscriber: u32,
    /// License seconds in which evaluation certainly ran.
    surely: Duration,
    begun: Instant,
    calls: u64,
    lost: u64,
    gained: u64,
}

impl Outside {
    /// What a start shows, compared with what was there before the kill.
    fn compare(&mut self, snapshot: &Snapshot, cycle: u32, kills: u64) -> Result<()> {
        let used = snapshot.evaluation.used_s;
        let most = self.used_s + (self.at.elapsed().as_secs() + 1) * u64::from(SPEEDUP);
        let most = most + kills * QUANTUM_S;
        if used < self.used_s {
            println!("cycle {cycle}: {used} s are used, {} s were", self.used_s);
            self.gained += 1;
        }
        if used > most {
            println!("cycle {cycle}: {used} s are used, of at most {most} s");
            self.lost += 1;
        }
        let of = |kind: AlarmKind| snapshot.alarms.iter().find(move |alarm| alarm.kind == kind);
        for kind in [AlarmKind::StateLost, AlarmKind::StateTampered] {
            ensure!(of(kind).is_none(), "cycle {cycle}: {kind:?}");
        }
        let evaluation = of(AlarmKind::EvaluationMode).map(|alarm| alarm.id);
        if self.evaluation_alarm.is_some() {
            ensure!(
                evaluation == self.evaluation_alarm,
                "cycle {cycle}: alarm {:?} is {evaluation:?}",
                self.evaluation_alarm
            );
        }
        ensure!(
            snapshot.features[0].enabled == self.gre,
            "cycle {cycle}: a switch that was answered is forgotten"
        );
        ensure!(snapshot.smart.enabled && snapshot.smart.total_enabled == 1);
        self.used_s = used;
        self.at = Instant::now();
        Ok(())
    }

    /// Calls come and go, and an operator switches, until the node is killed in the middle of it.
    fn load(&mut self, gateway: &mut Gateway) -> Result<()> {
        let until = Instant::now() + Duration::from_millis(self.random.random_range(0..500));
        let begun = Instant::now();
        self.subscriber += 1;
        gateway.accepted(&Call::new(self.subscriber, "internet"))?;
        self.calls += 1;
        let in_use = Instant::now();
        while Instant::now() < until {
            self.subscriber += 1;
            let response = gateway
                .sgsn
                .create(&Call::new(self.subscriber, "internet"))?;
            self.calls += 1;
            if self.random.random_bool(0.5) {
                let teid = response.teid_of(ie::TEID_CONTROL)?;
                gateway.sgsn.delete(teid, 5, true)?;
            }
            if self.random.random_bool(0.1) {
                let feature = Request::Feature {
                    name: "gre".into(),
                    enable: !self.gre,
                };
                ensure!(gateway.node()?.control().change(&feature)?);
                self.gre = !self.gre;
            }
        }
        let snapshot = gateway.snapshot()?;
        let evaluation = of(&snapshot, AlarmKind::EvaluationMode);
        self.evaluation_alarm = self.evaluation_alarm.or(evaluation);
        let counted = gateway.ggsn()?.sessions.0;
        let sessions = gateway.node()?.control().sessions()?.sessions;
        ensure!(
            u64::from(counted) == sessions,
            "I2: {counted} are counted, {sessions} are there"
        );
        self.used_s = snapshot.evaluation.used_s;
        self.at = begun;
        self.surely += in_use.elapsed();
        Ok(())
    }
}

fn of(snapshot: &Snapshot, kind: AlarmKind) -> Option<AlarmId> {
    let found = snapshot.alarms.iter().find(|alarm| alarm.kind == kind);
    found.map(|alarm| alarm.id)
}

/// I2, I4, I12: no cycle loses what was answered, or gains time.
//= L3
#[test]
fn a_node_that_is_killed_under_load_gains_no_time_and_forgets_nothing() -> Result<()> {
    let cycles = std::env::var(CYCLES).map_or(Ok(IN_A_TEST), |cycles| cycles.parse())?;
    let seed = std::env::var(SEED).map_or(Ok(20), |seed| seed.parse())?;
    println!("seed {seed}");
    let site = Site::new()?;
    let lab = format!("[lab]\nspeedup = {SPEEDUP}");
    let configuration = site.configuration().with(&lab);
    let mut gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    ensure!(gateway.node()?.control().change(&enable)?);
    let mut outside = Outside {
        random: StdRng::seed_from_u64(seed),
        used_s: 0,
        at: Instant::now(),
        gre: false,
        evaluation_alarm: None,
        subscriber: 0,
        surely: Duration::ZERO,
        begun: Instant::now(),
        calls: 0,
        lost: 0,
        gained: 0,
    };
    for cycle in 0..cycles {
        outside
            .load(&mut gateway)
            .with_context(|| format!("cycle {cycle}"))?;
        let cut_start = outside.random.random_bool(0.2);
        let wait = Duration::from_millis(outside.random.random_range(0..400));
        gateway.while_dead(|configuration| {
            if cut_start {
                // A start that is killed wherever it has come to.
                let starting = launch(&configuration.write()?)?;
                std::thread::park_timeout(wait);
                starting.kill()?;
            }
            Ok(())
        })?;
        let snapshot = gateway.snapshot()?;
        let sessions = gateway.node()?.control().sessions()?.sessions;
        ensure!(sessions == 0 && gateway.ggsn()?.sessions.0 == 0, "I2");
        outside.compare(&snapshot, cycle, 1 + u64::from(cut_start))?;
    }
    let surely_s = outside.surely.as_secs_f64() * f64::from(SPEEDUP);
    let most_s = (outside.begun.elapsed().as_secs() + 1) * u64::from(SPEEDUP)
        + u64::from(2 * cycles + 1) * QUANTUM_S;
    println!("count {} calls", outside.calls);
    println!("count {} seconds of license time used", outside.used_s);
    println!("between {surely_s:.0} s and {most_s} s passed outside");
    if (outside.used_s as f64) < surely_s.floor() {
        outside.gained += 1;
    }
    if outside.used_s > most_s {
        outside.lost += 1;
    }
    println!("kill9-cycles {}", outside.lost + outside.gained);
    ensure!(outside.gained == 0, "I4: time was gained");
    ensure!(outside.lost == 0, "I4: more than a quantum was lost");
    gateway.terminate()?;
    Ok(())
}

/// What is on the disk is older than what the node had said: the highest of what is left holds, somebody is told, and managers hear
/// a higher count of boots than ever.
//= L3
#[test]
fn slots_and_boots_put_back_to_yesterday_give_no_time_and_are_told() -> Result<()> {
    let site = Site::new()?;
    let lab = format!(
        "[lab]\nspeedup = {SPEEDUP}\n[snmp]\nlisten = \"{}\"",
        site.subnet().tcp()
    );
    let configuration = site.configuration().with(&lab);
    let mut gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    ensure!(gateway.node()?.control().change(&enable)?);
    let copies = ["clock.a", "clock.b", "snmp.redb"];
    let mut used = Vec::new();
    let mut boots = Vec::new();
    let yesterday = tempfile::tempdir()?;
    for day in 0..3 {
        gateway.accepted(&Call::new(day, "internet"))?;
        let begun = gateway.snapshot()?.evaluation.used_s;
        let spent = eventually("license time is used", LIMIT, || {
            let now = gateway.snapshot()?.evaluation.used_s;
            Ok((now >= begun + 2 * QUANTUM_S).then_some(now))
        })?;
        used.push(spent);
        boots.push(gateway.node()?.control().snmp(0)?.1.server.engine_boots);
        gateway.while_dead(|configuration| {
            for name in copies {
                let (here, there) = (
                    configuration.state_dir.join(name),
                    yesterday.path().join(name),
                );
                match day {
                    0 => fs::copy(here, there)?,
                    1 => fs::copy(there, here)?,
                    _ => 0,
                };
            }
            Ok(())
        })?;
    }
    let snapshot = gateway.snapshot()?;
    let last = gateway.node()?.control().snmp(0)?.1.server.engine_boots;
    ensure!(
        snapshot.evaluation.used_s >= used[2],
        "I4: {used:?}, then {snapshot:?}"
    );
    ensure!(used.is_sorted(), "I4: {used:?}");
    ensure!(
        of(&snapshot, AlarmKind::StateTampered).is_some(),
        "nobody is told"
    );
    boots.push(last);
    ensure!(
        boots.windows(2).all(|two| two[0] < two[1]),
        "boots {boots:?}"
    );
    gateway.terminate()?;
    Ok(())
}
