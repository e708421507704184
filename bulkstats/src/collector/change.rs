//! Another configuration, while the collector works.
//!
//! A file that was begun is completed as it was begun, and the next sample begins another. What waits stays, and goes to
//! who is to get it now; of a block that is gone, and of one whose files are kept here from now on, it is kept as what was
//! transferred, counted as discarded, and told of. What is due by the old intervals is taken first, and then the first
//! interval that begins is the next: none is lost, and none comes twice.

use licensing::Now;

use super::{Collector, Which};
use crate::config::{Config, ConfigError, FileConfig, Receiver};

impl Collector {
    /// Takes another configuration. `renewed`: receivers that are others than before, though they may be shown alike.
    /// Errors: it is refused, and nothing has changed.
    pub fn configure(
        &mut self,
        config: Config,
        renewed: &[(u8, Which)],
        now: Now,
    ) -> Result<(), ConfigError> {
        let mut plans = config.plans()?;
        if self.asked.is_none() {
            self.look(now);
        }
        let old = std::mem::replace(&mut self.config, config);
        self.change_intervals(&old, now);
        let mut closes = false;
        for at in 0..self.lines.len() {
            let line = &mut self.lines[at];
            let number = line.number;
            let before = line.config().cloned();
            let plan = plans.iter().position(|plan| plan.config().number == number);
            let plan = plan.map(|at| plans.swap_remove(at));
            closes |= line.change(plan, &self.config);
            let named = renewed.iter().any(|(file, _)| *file == number);
            if named || receivers(before.as_ref()) != receivers(line.config()) {
                self.renew(at);
            }
            if !self.lines[at].changes() {
                self.keep_orphans(at);
            }
        }
        if closes {
            self.ask(None, false, now);
        }
        self.keep_limit(now.mono);
        self.close_if_large(now);
        self.settle();
        // It is looked anew at what is kept long enough.
        self.let_go = None;
        self.proceed(now);
        Ok(())
    }

    fn change_intervals(&mut self, old: &Config, now: Now) {
        let Config {
            collection,
            sample_interval_min,
            transfer_interval_min,
            ..
        } = self.config;
        // While nothing is collected no interval is missed.
        if sample_interval_min != old.sample_interval_min || collection != old.collection {
            self.intervals = self.intervals.anew(sample_interval_min, now);
        }
        if transfer_interval_min != old.transfer_interval_min {
            self.transfers = self.transfers.anew(transfer_interval_min, now);
        }
    }
}

fn receivers(file: Option<&FileConfig>) -> Option<(&Option<Receiver>, &Option<Receiver>)> {
    file.map(|file| (&file.primary, &file.secondary))
}
