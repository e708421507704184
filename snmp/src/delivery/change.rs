//! What operators change, while the machine works or with a start: targets, and which notifications go out. What stands
//! is told anew to whom it may be unknown.

use std::collections::BTreeSet;

use licensing::{Event, Now, Snapshot};

use super::line::Line;
use super::{Change, Delivery, Record, Target, TargetError, target};
use crate::notifications::{Issued, News, Which};

/// What was in force at the end of the process before, or nothing.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Names of its targets.
    pub(super) targets: BTreeSet<String>,
    pub(super) suppressed: BTreeSet<Which>,
}

impl Delivery {
    /// Takes other targets, all or none, once all outputs were polled. What waits for a target that stays, by its name,
    /// goes on waiting; a new one is told of the alarms that stand. Gives the names of those that there are no more, and how
    /// many notifications waited for each and are dropped. Errors: a target is wrong, and nothing has changed.
    pub fn set_targets(
        &mut self,
        targets: Vec<Target>,
        snapshot: &Snapshot,
        now: Now,
    ) -> Result<Vec<(String, u64)>, TargetError> {
        target::check(&targets)?;
        debug_assert!(
            self.outputs.is_empty(),
            "a send names a target by its place"
        );
        let mut before = std::mem::take(&mut self.lines);
        for target in &targets {
            let known = before.iter().position(|line| line.is_named(&target.name));
            let line = match known.map(|at| before.swap_remove(at)) {
                Some(mut line) => {
                    line.retarget(target.clone(), now.mono, &mut self.changes);
                    line
                }
                None => self.newcomer(target.clone(), snapshot, now),
            };
            self.lines.push(line);
        }
        let gone = before.into_iter().map(|line| {
            let name = line.status().name;
            (name, line.end(&mut self.changes))
        });
        let gone = gone.collect();
        self.config.targets = targets;
        self.keep_targets();
        self.settle(snapshot, now);
        Ok(gone)
    }

    /// The line of a target that was not there before: it is told what stands, of which nothing is new.
    fn newcomer(&mut self, target: Target, snapshot: &Snapshot, now: Now) -> Line {
        let mut line = Line::new(target);
        let standing = self.standing(snapshot, now);
        self.tell_newcomer(&mut line, &standing, now);
        line
    }

    fn tell_newcomer(&mut self, line: &mut Line, standing: &[Issued], now: Now) {
        for issued in standing.iter().cloned() {
            let number = self.number();
            line.offer(number, issued, now, &mut self.changes);
        }
    }

    /// Tells what a start has changed: what stands, to a target that was not there before, and to all of a notification
    /// that was suppressed.
    pub(super) fn tell_changed(&mut self, before: &Before, snapshot: &Snapshot, now: Now) {
        let standing = self.standing(snapshot, now).into_iter();
        let (enabled, others): (Vec<_>, Vec<_>) =
            standing.partition(|issued| before.suppressed.contains(&issued.which));
        let mut lines = std::mem::take(&mut self.lines);
        let known = |line: &Line| before.targets.iter().any(|name| line.is_named(name));
        for line in lines.iter_mut().filter(|line| !known(line)) {
            self.tell_newcomer(line, &others, now);
        }
        self.lines = lines;
        self.tell_issued(enabled, now);
        if before.suppressed != self.config.suppressed {
            self.keep_suppressed();
        }
        let names = self.config.targets.iter();
        let names: BTreeSet<_> = names.map(|target| target.name.clone()).collect();
        if names != before.targets {
            self.keep_targets();
        }
    }

    fn keep_targets(&mut self) {
        let names = self.config.targets.iter().map(|target| target.name.clone());
        let record = Record::Targets(names.collect());
        self.changes.push(Change::Persist(record));
    }

    fn keep_suppressed(&mut self) {
        let names = self.config.suppressed.iter();
        let names = names.map(|which| which.row().name.into());
        let record = Record::Suppressed(names.collect());
        self.changes.push(Change::Persist(record));
    }

    /// Suppresses a notification, or enables it, by which targets are told what stands of it.
    pub(super) fn suppress(&mut self, which: Which, suppress: bool, snapshot: &Snapshot, now: Now) {
        let changed = match suppress {
            true => self.config.suppressed.insert(which),
            false => self.config.suppressed.remove(&which),
        };
        if !changed {
            return;
        }
        self.keep_suppressed();
        if suppress {
            return;
        }
        let mut standing = self.standing(snapshot, now);
        standing.retain(|issued| issued.which == which);
        self.tell_issued(standing, now);
    }

    /// The notifications of the alarms that stand, but those that are suppressed, as repetitions: their managers may have had the raise, of the same
    /// target before it was removed or of the notification before it was suppressed, and its clear must still reach them.
    fn standing(&self, snapshot: &Snapshot, now: Now) -> Vec<Issued> {
        let told = self.told.values().cloned();
        let repeated = told.map(|alarm| News::Event(Event::AlarmRepeated { alarm }));
        let issued = repeated.flat_map(|news| self.make(&news, snapshot, now));
        issued
            .filter(|issued| !self.is_suppressed(issued.which))
            .collect()
    }
}
