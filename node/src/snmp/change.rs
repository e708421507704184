//! Another configuration while the thread works: nothing that waits for a target that stays is lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use snmp::delivery::Input;

use super::shown::Configured;
use super::{Line, SnmpShell};
use crate::config;

impl SnmpShell {
    /// Works by this configuration from now on. It was checked, so that what fails here is the system's.
    pub(super) async fn change(&mut self, config: config::Snmp) {
        // Sends name targets by their places.
        self.perform().await;
        let addresses = config.targets.iter().map(|to| to.target.address);
        if let Err(error) = self.sockets.bind(addresses).await {
            tracing::error!(%error, "no socket for some targets; what they are sent fails");
        }
        self.configured = Arc::new(Configured::of(&config));
        if let Err(error) = self.managers.allow(config.access, &self.local) {
            tracing::error!(%error, "who may read stays as it was");
        }
        self.set_targets(&config.targets);
        self.suppress(config.suppressed.into_iter().collect());
        self.perform().await;
        self.show_now();
    }

    fn set_targets(&mut self, targets: &[config::NotifyTarget]) {
        let machine = targets.iter().map(|to| to.target.clone()).collect();
        let snapshot = self.current.load();
        let now = self.clock.now();
        let gone = match self.delivery.set_targets(machine, &snapshot, now) {
            Ok(gone) => gone,
            Err(error) => return tracing::error!(%error, "targets stay as they were"),
        };
        for (target, dropped) in gone {
            tracing::warn!(
                target,
                dropped,
                "a target is removed; what waited for it is dropped"
            );
        }
        let mut before = std::mem::take(&mut self.targets);
        for target in targets {
            // Of one that stays as it is, its engine stays known.
            let known = before.iter().position(|line| line.of == *target);
            let line = known.map(|at| before.swap_remove(at));
            let line = line.unwrap_or_else(|| Line::new(target, &self.local));
            self.targets.push(line);
        }
    }

    fn suppress(&mut self, wanted: BTreeSet<snmp::notifications::Which>) {
        let all = self.delivery.counts();
        let changes = all.filter_map(|(which, _, is)| {
            let suppress = wanted.contains(&which);
            (suppress != is).then_some(Input::Suppress { which, suppress })
        });
        for change in changes.collect::<Vec<_>>() {
            self.handle(change);
        }
    }
}
