//! What is known from outside of the node: how much license time really passed, which alarms stand.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use licensing::{Alarm, AlarmId, AlarmKind, Event, Mode, Snapshot};

/// License seconds of a minute, at least so much is charged at once.
const MINUTE_S: u64 = 60;
/// Calls come at most so long between two turns of the control thread.
const TURN_MS: u64 = 600;
const RECOVERY_S: u64 = 7 * 86_400;

/// A clock outside of the node (I4).
#[derive(Debug)]
pub(super) struct Clock {
    quantum_s: u64,
    /// License seconds from one turn of the control thread to the next: so much of a minute that is not yet charged may be
    /// used when the node is killed.
    turn_s: u64,
    /// Evaluation certainly ran for so long, in milliseconds of license time.
    surely_ms: u64,
    /// It ran for so long at most.
    most_ms: u64,
    /// Starts of the node.
    starts: u64,
    left_s: Option<u64>,
    recovery_s: Option<u64>,
    /// Not all copies on the disk have what passed in the last so long: a crash may give that back.
    unkept_ms: u64,
    /// Of that, what crashes are taken to have given back already.
    forgiven_ms: u64,
    /// All copies were lost.
    pub lost: bool,
}

impl Clock {
    pub(super) fn new(speedup: u32) -> Self {
        Self {
            quantum_s: MINUTE_S.max(speedup.into()),
            turn_s: u64::from(speedup) * TURN_MS / 1000 + 2,
            surely_ms: 0,
            most_ms: 0,
            starts: 1,
            left_s: None,
            recovery_s: None,
            unkept_ms: 0,
            forgiven_ms: 0,
            lost: false,
        }
    }

    /// So much license time passed; `surely`: in evaluation and in use, as seen from outside.
    pub(super) fn pass(&mut self, license_ms: u64, surely: bool, maybe: bool, kept: bool) {
        if surely {
            self.surely_ms += license_ms;
        }
        if surely || maybe {
            self.most_ms += license_ms;
        }
        (self.unkept_ms, self.forgiven_ms) = match kept {
            true => (0, 0),
            false => (self.unkept_ms + license_ms, self.forgiven_ms),
        };
    }

    /// The node ended and began again. What was never written, or is in one
    /// copy alone that a fault may hit, is time that it does not know of.
    pub(super) fn crashed(&mut self, unkept: bool, lost: bool) {
        self.starts += 1;
        self.lost |= lost;
        if lost {
            // Nobody remembers: seven days, and what there was before is not known.
            self.recovery_s = None;
        }
        let unknown = self.unkept_ms;
        if unknown > 0 || unkept {
            let more = unknown - std::mem::replace(&mut self.forgiven_ms, unknown);
            self.surely_ms = self.surely_ms.saturating_sub(more);
            let slack = unknown / 1000 + self.quantum_s + 2;
            self.left_s = self.left_s.map(|left| left + slack);
            self.recovery_s = self.recovery_s.map(|left| left + slack);
        }
    }

    pub(super) fn check(&mut self, snapshot: &Snapshot) -> Result<()> {
        let now = snapshot.evaluation;
        if let Some(before) = self.left_s {
            let left = now.remaining_s;
            ensure!(
                self.lost || left <= before,
                "I4: {left} s of the evaluation are left, {before} s were before"
            );
        }
        self.left_s = Some(now.remaining_s);
        let recovery = snapshot.recovery.map(|recovery| recovery.remaining_s);
        if let (Some(before), Some(left)) = (self.recovery_s, recovery) {
            ensure!(
                left <= before,
                "I4: {left} s of the recovery, {before} s were"
            );
        }
        if let Some(left) = recovery {
            ensure!(left <= RECOVERY_S, "I4: a recovery of {left} s");
        }
        self.recovery_s = recovery;
        if self.lost || recovery.is_some() {
            return Ok(());
        }
        let spent_s = now.total_s - now.remaining_s;
        let most_s = self.most_ms / 1000 + (self.quantum_s + 2) * (self.starts + 1);
        ensure!(
            spent_s <= most_s,
            "I4: {spent_s} s are spent, of at most {most_s} s"
        );
        let surely_s = (self.surely_ms / 1000).min(now.total_s);
        ensure!(
            spent_s + self.starts * self.turn_s >= surely_s,
            "I4: {spent_s} s are spent, of surely {surely_s} s"
        );
        Ok(())
    }

    /// Licensed calls are up while the node is in evaluation.
    pub(super) fn surely_runs(snapshot: &Snapshot, licensed: u32) -> bool {
        let smart = snapshot.smart;
        smart.ever_enabled && smart.mode == Mode::Evaluation && licensed > 0
    }
}

/// The alarms as events tell them (I5).
#[derive(Debug, Default)]
pub(super) struct Alarms {
    standing: BTreeMap<AlarmId, AlarmKind>,
    last: Option<AlarmId>,
}

impl Alarms {
    pub(super) fn hear(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::AlarmRaised { alarm } => self.raised(alarm),
            Event::AlarmRepeated { alarm } => {
                let known = self.standing.get(&alarm.id);
                ensure!(known == Some(&alarm.kind), "I5: {alarm:?} is repeated");
                Ok(())
            }
            Event::AlarmCleared { alarm } => {
                let known = self.standing.remove(&alarm.id);
                ensure!(known == Some(alarm.kind), "I5: {alarm:?} is cleared");
                Ok(())
            }
            Event::SmartLicensingEnabled
            | Event::SmartLicensingDisabled
            | Event::ModeChanged { .. }
            | Event::EvaluationStarted
            | Event::EvaluationWarning { .. }
            | Event::SilenceWarning { .. }
            | Event::ComplianceChanged { .. }
            | Event::PolicyChanged { .. }
            | Event::CeilingChanged { .. }
            | Event::FeatureEnabled { .. }
            | Event::FeatureDisabled { .. }
            | Event::ClockJumped { .. }
            | Event::LabSpeedup { .. } => Ok(()),
        }
    }

    fn raised(&mut self, alarm: &Alarm) -> Result<()> {
        let twice = self.standing.values().any(|kind| *kind == alarm.kind);
        ensure!(!twice, "I5: {alarm:?} is raised while it stands");
        let new = self.last.is_none_or(|last| alarm.id > last);
        ensure!(new, "I5: the number of {alarm:?} was used before");
        self.last = Some(alarm.id);
        self.standing.insert(alarm.id, alarm.kind);
        Ok(())
    }

    /// What a start finds standing, where the disk may have lost something since.
    pub(super) fn take_over(&mut self, snapshot: &Snapshot, unkept: bool) {
        let table = snapshot.alarms.iter();
        if unkept {
            self.standing = table.map(|alarm| (alarm.id, alarm.kind)).collect();
            self.last = self.standing.keys().next_back().copied();
        }
    }

    pub(super) fn check(&self, snapshot: &Snapshot) -> Result<()> {
        let table = snapshot.alarms.iter();
        let table: BTreeMap<_, _> = table.map(|alarm| (alarm.id, alarm.kind)).collect();
        ensure!(
            table == self.standing,
            "I5: the table has {table:?}, events told of {:?}",
            self.standing
        );
        Ok(())
    }
}
