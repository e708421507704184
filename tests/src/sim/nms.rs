//! A manager of SNMP: what it was sent, each notification once, and whether raise and clear take turns (I5).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use licensing::AlarmId;
use snmp::delivery::{Change, Record};
use snmp::notifications::{Issued, Mib, Phase};

const REQUEST_MASK: u64 = 0x7fff_ffff;

#[derive(Debug, Default)]
pub(super) struct Nms {
    /// It takes nothing.
    pub away: bool,
    /// What was queued for it, by request id: so the model knows what a message is about.
    issued: BTreeMap<i32, Issued>,
    seen: BTreeSet<i32>,
    /// By alarm and MIB: one alarm may have a notification of two.
    raised: BTreeSet<(AlarmId, Mib)>,
    cleared: BTreeSet<(AlarmId, Mib)>,
    /// Records were lost with a disk: what was told before is in doubt.
    pub doubt: bool,
}

impl Nms {
    pub(super) fn note(&mut self, changes: &[Change]) {
        for change in changes {
            if let Change::Persist(Record::Queued { number, queued, .. }) = change {
                let request_id = i32::try_from(number & REQUEST_MASK).expect("31 bits");
                self.issued.insert(request_id, queued.issued.clone());
            }
        }
    }

    /// A message that arrived.
    pub(super) fn hear(&mut self, request_id: i32) -> Result<()> {
        if !self.seen.insert(request_id) {
            return Ok(());
        }
        let Some(issued) = self.issued.get(&request_id) else {
            ensure!(self.doubt, "a notification that was never queued");
            return Ok(());
        };
        let Some(alarm) = issued.alarm else {
            return Ok(());
        };
        let id = (alarm, issued.which.row().mib);
        match issued.phase {
            Phase::Raise => {
                ensure!(
                    self.doubt || !self.cleared.contains(&id),
                    "I5: alarm {id:?} is raised after its clear"
                );
                let new = self.raised.insert(id);
                ensure!(self.doubt || new, "I5: alarm {id:?} is raised twice");
            }
            Phase::Clear => {
                let stood = self.raised.remove(&id);
                ensure!(self.doubt || stood, "I5: alarm {id:?} is cleared unraised");
                self.cleared.insert(id);
            }
            Phase::Repeat | Phase::Event => {}
        }
        Ok(())
    }

    /// Alarms that stand, as far as it knows.
    pub(super) fn standing(&self) -> BTreeSet<AlarmId> {
        self.raised.iter().map(|(id, _)| *id).collect()
    }

    pub(super) fn many(&self) -> u64 {
        self.seen.len() as u64
    }
}
