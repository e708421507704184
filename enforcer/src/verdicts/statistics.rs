//! Statistics of one tag, a row a mode (rule L15).

use licensing::snapshot::ModeStatistics;
use licensing::{LicenseCount, Mode, Policy};

/// A seal of all workers that took longer counts as a bounce. Unit: microseconds.
pub const BOUNCE_US: u64 = 100_000;

/// The rows of one tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) evaluation: ModeStatistics,
    pub(super) registered: ModeStatistics,
}

impl Rows {
    pub(super) fn row(&self, mode: Mode) -> &ModeStatistics {
        match mode {
            Mode::Evaluation => &self.evaluation,
            Mode::Registered => &self.registered,
        }
    }

    fn row_mut(&mut self, mode: Mode) -> &mut ModeStatistics {
        match mode {
            Mode::Evaluation => &mut self.evaluation,
            Mode::Registered => &mut self.registered,
        }
    }

    /// The mode is left: its row stands still, nothing is current in it.
    pub(super) fn freeze(&mut self, mode: Mode) {
        self.row_mut(mode).cur_call_count = 0;
    }

    /// What holds now in the mode in force; `reached` is the most sessions since this was last told.
    pub(super) fn see(&mut self, mode: Mode, policy: Policy, sessions: u32, reached: u32) {
        let row = self.row_mut(mode);
        row.policy = Some(policy);
        row.cur_call_count = sessions;
        row.max_call_count = row.max_call_count.max(sessions).max(reached);
    }

    pub(super) fn policy_changed(&mut self, mode: Mode, to: Policy) {
        let row = self.row_mut(mode);
        match to {
            Policy::Allow => row.policy_change_allow += 1,
            Policy::Block => row.policy_change_block += 1,
        }
    }

    pub(super) fn bounced(&mut self, mode: Mode) {
        self.row_mut(mode).policy_change_bounce += 1;
    }

    /// A report went to the agent; one that it did not take changes no license count.
    pub(super) fn reported(&mut self, mode: Mode, licenses: LicenseCount, ok: bool) {
        let row = self.row_mut(mode);
        let (success, failure) = (
            row.report_success.unwrap_or(0),
            row.report_failure.unwrap_or(0),
        );
        row.report_success = Some(success + u64::from(ok));
        row.report_failure = Some(failure + u64::from(!ok));
        if ok {
            row.last_lic_count = Some(licenses.0);
            row.max_lic_count = row.max_lic_count.max(Some(licenses.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    //= L15
    #[test]
    fn a_mode_that_is_left_keeps_its_maxima_and_has_nothing_current() {
        let mut rows = Rows::default();
        rows.see(Mode::Evaluation, Policy::Allow, 7, 12);
        rows.freeze(Mode::Evaluation);
        rows.see(Mode::Registered, Policy::Block, 6, 6);
        let row = *rows.row(Mode::Evaluation);
        assert_eq!((row.cur_call_count, row.max_call_count), (0, 12));
        assert_eq!(row.policy, Some(Policy::Allow));
        let row = *rows.row(Mode::Registered);
        assert_eq!((row.cur_call_count, row.max_call_count), (6, 6));
        assert_eq!(row.policy, Some(Policy::Block));
    }

    //= L15
    #[test]
    fn reports_are_absent_until_there_is_one() {
        let mut rows = Rows::default();
        rows.see(Mode::Evaluation, Policy::Allow, 7, 7);
        let row = *rows.row(Mode::Evaluation);
        assert_eq!((row.last_lic_count, row.report_success), (None, None));
        rows.reported(Mode::Registered, LicenseCount(3), true);
        rows.reported(Mode::Registered, LicenseCount(2), true);
        rows.reported(Mode::Registered, LicenseCount(9), false);
        let row = *rows.row(Mode::Registered);
        assert_eq!((row.last_lic_count, row.max_lic_count), (Some(2), Some(3)));
        assert_eq!((row.report_success, row.report_failure), (Some(2), Some(1)));
        assert_eq!(rows.row(Mode::Evaluation).report_success, None);
    }
}
