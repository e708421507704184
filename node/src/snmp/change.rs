//! Another configuration while the thread works: nothing that waits for a target that stays is lost.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use snmp::delivery::{self, Input, Target, TargetError};
use snmp::usm::KeyError;
use thiserror::Error;

use super::shown::Configured;
use super::{Line, SnmpShell};
use crate::config;

/// Why a configuration is not worked by: it was checked, so that it is mostly the system's fault.
#[derive(Debug, Error)]
pub(crate) enum ChangeError {
    /// The system gives no socket.
    #[error("there is no socket for targets: {0}")]
    Socket(#[from] io::Error),
    /// The machine takes other targets only.
    #[error(transparent)]
    Targets(#[from] TargetError),
    /// A user's key is no good here.
    #[error("who may read: {0}")]
    Access(#[from] KeyError),
}

pub(super) fn report_gone(target: &str, dropped: u64) {
    event!(TARGET_REMOVED, target, dropped);
}

impl SnmpShell {
    /// Works by this configuration from now on. Errors: [`ChangeError`], and everything is as it was.
    pub(super) async fn change(&mut self, config: config::Snmp) -> Result<(), ChangeError> {
        // Sends name targets by their places.
        self.perform().await;
        let machine = config.delivered();
        delivery::check_targets(&machine)?;
        let addresses = config.targets.iter().map(|to| to.target.address);
        self.sockets.bind(addresses).await?;
        let configured = Configured::of(&config);
        self.managers.allow(config.access, &self.local)?;
        self.set_targets(machine, &config.targets)?;
        self.configured = Arc::new(configured);
        self.suppress(config.suppressed.into_iter().collect());
        self.perform().await;
        Ok(())
    }

    fn set_targets(
        &mut self,
        machine: Vec<Target>,
        targets: &[config::NotifyTarget],
    ) -> Result<(), TargetError> {
        let snapshot = self.current.load();
        let now = self.clock.now();
        let gone = self.delivery.set_targets(machine, &snapshot, now)?;
        for (target, dropped) in gone {
            report_gone(&target, dropped);
        }
        let mut before = std::mem::take(&mut self.targets);
        for target in targets {
            // Of one that stays as it is, its engine stays known.
            let known = before.iter().position(|line| line.of == *target);
            let line = known.map(|at| before.swap_remove(at));
            let line = line.unwrap_or_else(|| Line::new(target, &self.local));
            self.targets.push(line);
        }
        Ok(())
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
