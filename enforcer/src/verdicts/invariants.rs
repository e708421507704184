//! What always holds, checked after every input in debug builds.

use licensing::{Compliance, Mode, OnOoc, Policy};

use super::Enforcer;
use super::clock::{EVALUATION_MINUTES, MINUTE_MS, Meter};
use super::tag::{ServiceState, TagState};
use crate::terms::{Block, Terms};

impl Enforcer {
    /// Panics, in debug builds, if a rule is broken whatever the inputs were.
    pub(super) fn check_invariants(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        check_meter(&self.clocks.evaluation, EVALUATION_MINUTES);
        assert!(!self.enabled || self.ever_enabled);
        assert!(self.registration.is_none() || self.ever_enabled);
        let told: Vec<_> = self.alarms.oldest_first();
        let told: super::alarms::Conditions = told.iter().map(|alarm| alarm.kind).collect();
        assert_eq!(told, self.conditions(), "the table of alarms is the truth");
        self.tags().for_each(|tag| self.check_tag(tag));
        self.services
            .iter()
            .for_each(|state| self.check_service(state));
    }

    fn check_tag(&self, tag: &TagState) {
        check_meter(&tag.episode.grace(), u32::MAX);
        let left = match self.mode() {
            Mode::Evaluation => &tag.rows.registered,
            Mode::Registered => &tag.rows.evaluation,
        };
        assert_eq!(left.cur_call_count, 0, "nothing is current in a mode left");
        let objects = tag.answer.is_some_and(super::Answer::objects);
        assert_eq!(objects, tag.episode.is_on());
        if tag.period.policy == Policy::Block {
            assert!(self.may_block(tag), "a block has a reason: {tag:?}");
        }
    }

    fn may_block(&self, tag: &TagState) -> bool {
        match tag.period.compliance {
            None | Some(Compliance::Waiting | Compliance::Authorized | Compliance::Evaluation) => {
                false
            }
            Some(Compliance::EvaluationExpired | Compliance::AuthorizationExpired) => {
                self.evaluation_left_ms() == 0
            }
            Some(Compliance::OutOfCompliance { .. } | Compliance::InvalidTag) => {
                tag.rule.on_ooc == OnOoc::Block && !tag.grace_left()
            }
        }
    }

    fn check_service(&self, state: &ServiceState) {
        let terms = state.terms.expect("every service is judged before this");
        if !self.ever_enabled {
            assert_eq!(terms, Terms::default(), "nothing is enforced yet");
            return;
        }
        let blocked = state.tag.ceiling_policy() == Policy::Block;
        assert_eq!(terms.block == Some(Block::Service), blocked);
        assert!(terms.block.is_none() || terms.ceiling.is_some());
        if let Some(ceiling) = state.ceiling {
            assert_eq!(terms.ceiling, Some(ceiling));
            let base = ceiling.max(state.sessions_per_license.get());
            assert!(terms.priority_share <= base / 20 + 1, "at most 5 %");
        }
    }
}

fn check_meter(meter: &Meter, total_minutes: u32) {
    assert!(meter.charged_minutes() <= total_minutes);
    let charged_ms = u64::from(meter.charged_minutes()) * MINUTE_MS;
    assert!(meter.used_ms() <= charged_ms, "charged before it is used");
}
