//! What operators change while the machine works: targets, and which notifications go out. What stands is told anew to
//! whom it may be unknown.

use licensing::{Alarm, Event, Now, Snapshot};

use super::line::Line;
use super::{Change, Delivery, Record, Target, TargetError, target};
use crate::notifications::{Issued, News, Which};

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
        self.settle(snapshot, now);
        Ok(gone)
    }

    /// The line of a target that was not there before: it is told what stands, of which nothing is new.
    fn newcomer(&mut self, target: Target, snapshot: &Snapshot, now: Now) -> Line {
        let mut line = Line::new(target);
        let raised = |alarm| Event::AlarmRaised { alarm };
        for issued in self.standing(raised, snapshot, now) {
            if self.is_suppressed(issued.which) {
                continue;
            }
            let number = self.number();
            line.offer(number, issued, now, &mut self.changes);
        }
        line
    }

    /// Suppresses a notification, or enables it, by which targets are told what stands of it: as a repetition, because they
    /// may have had its raise before it was suppressed, and the clear of that must still reach them.
    pub(super) fn suppress(&mut self, which: Which, suppress: bool, snapshot: &Snapshot, now: Now) {
        let changed = match suppress {
            true => self.suppressed.insert(which),
            false => self.suppressed.remove(&which),
        };
        if !changed {
            return;
        }
        let names = self.suppressed.iter().map(|which| which.row().name.into());
        let record = Record::Suppressed(names.collect());
        self.changes.push(Change::Persist(record));
        if suppress {
            return;
        }
        let repeated = |alarm| Event::AlarmRepeated { alarm };
        let mut standing = self.standing(repeated, snapshot, now);
        standing.retain(|issued| issued.which == which);
        self.tell_issued(standing, now);
    }

    /// The notifications of the alarms that stand, told as this event.
    fn standing(&self, event: fn(Alarm) -> Event, snapshot: &Snapshot, now: Now) -> Vec<Issued> {
        let told = self.told.values().cloned();
        told.flat_map(|alarm| self.make(&News::Event(event(alarm)), snapshot, now))
            .collect()
    }
}
