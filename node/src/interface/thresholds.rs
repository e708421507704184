//! `threshold license remaining-sessions`: kept first, then handed to the control thread.

use api::{Reply, ThresholdCommand};
use crossbeam::channel::Sender;
use licensing::Threshold;
use tokio::sync::oneshot;

use super::settings::Handed;
use super::{Interface, Refused, settings};
use crate::control::Ask;
use crate::settings::{Changed, Edit, Setting};

impl Interface {
    /// `threshold license remaining-sessions`, and its `no` form.
    pub(super) async fn set_threshold(&self, command: ThresholdCommand) -> Result<Reply, Refused> {
        let words = command.words();
        if self.vitals.control_stalled(self.clock.now().mono) {
            return Err(self.no_control_and("nothing has changed"));
        }
        let edit = move |edit: &mut Edit| match command {
            ThresholdCommand::Set {
                low_percent,
                clear_percent,
            } => {
                edit.set(Setting::REMAINING_LOW, i64::from(low_percent));
                edit.set(Setting::REMAINING_CLEAR, i64::from(clear_percent));
            }
            ThresholdCommand::Remove => {
                edit.set(Setting::REMAINING_LOW, 0);
                edit.set(Setting::REMAINING_CLEAR, 0);
            }
            ThresholdCommand::Default => {
                edit.unset(Setting::REMAINING_LOW);
                edit.unset(Setting::REMAINING_CLEAR);
            }
        };
        let asks = self.asks.clone();
        let hand_over = move |Changed { config, changed }| {
            let remaining = config.thresholds.remaining;
            if changed {
                event!(THRESHOLD_SET, command = words, ?remaining);
            }
            hand_over_remaining(&asks, remaining)
        };
        let done = settings::change(&self.settings, words, edit, hand_over).await?;
        let done = done.map(|(reply, ())| reply);
        done.ok_or_else(|| {
            self.no_control_and("it is kept, and not in force before the thread works again")
        })
    }

    /// The control thread does not work, and this is what has become of the command.
    fn no_control_and(&self, outcome: &str) -> Refused {
        let (status, mut failure) = self.no_control();
        failure.what = format!("{}; {outcome}", failure.what);
        (status, failure)
    }
}

pub(super) fn hand_over_remaining(asks: &Sender<Ask>, remaining: Option<Threshold>) -> Handed<()> {
    let (taken, in_force) = oneshot::channel();
    let asked = asks.try_send(Ask::RemainingThreshold { remaining, taken });
    asked.is_ok().then_some(in_force)
}
