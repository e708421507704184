//! `threshold license remaining-sessions`: kept first, then handed to the control thread.

use api::{Reply, ThresholdCommand};
use tokio::sync::oneshot;

use super::settings::IN_FORCE;
use super::{Interface, Refused, within};
use crate::control::Ask;
use crate::settings::{Changed, Edit, Setting};

impl Interface {
    /// `threshold license remaining-sessions`, and its `no` form.
    pub(super) async fn set_threshold(&self, command: ThresholdCommand) -> Result<Reply, Refused> {
        let words = command.words();
        if self.vitals.control_stalled(self.clock.now().mono) {
            return Err(self.no_control());
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
        let (Changed { config, changed }, _held) = self.change(words, edit).await?;
        if !changed {
            return Ok(Reply::Done { changed });
        }
        let remaining = config.thresholds.remaining;
        tracing::info!(
            command = words,
            ?remaining,
            "an operator has set where few sessions left are an alarm"
        );
        let (taken, in_force) = oneshot::channel();
        let asked = self
            .asks
            .try_send(Ask::RemainingThreshold { remaining, taken });
        match (asked, within(IN_FORCE, in_force).await) {
            (Ok(()), Some(())) => Ok(Reply::Done { changed }),
            (Ok(()) | Err(_), _) => Err(self.no_control()),
        }
    }
}
