//! What the machine knows of each tag.

use std::num::NonZeroU32;

use licensing::catalog::{Feature, Service};
use licensing::snapshot::{RefusedCounts, State};
use licensing::{
    Compliance, Entitlement, FeatureIndex, FeatureSet, LicenseCount, OocRule, Policy, SessionCount,
    TagOrder, TagRef, Thresholds, Wall,
};

use super::clock::{DAY_MINUTES, GRANT_GRACE_MS};
use super::episode::Episode;
use super::standing::{Answer, TagFacts};
use super::statistics::Rows;
use crate::terms::Terms;

/// What services and features have in common.
#[derive(Clone, Debug)]
pub(super) struct TagState {
    pub(super) tag: TagRef,
    pub(super) rule: OocRule,
    catalog_rule: OocRule,
    /// What is ordered about it.
    pub(super) order: TagOrder,
    /// Its standing makes for a block, whatever an order makes of that.
    pub(super) would_block: bool,
    /// New calls that a block of it, tried out, would have refused and let through.
    pub(super) let_through: u64,
    /// Sessions that use it, emergency calls apart.
    pub(super) sessions: u32,
    /// Most sessions since this was last put into the statistics.
    pub(super) reached: u32,
    /// Licenses that the use takes.
    pub(super) licenses: LicenseCount,
    pub(super) in_use: bool,
    pub(super) answer: Option<Answer>,
    pub(super) answered: Wall,
    pub(super) granted: Option<Entitlement>,
    /// The end of what was granted: license time from when the authority was last heard, in milliseconds; none: there is
    /// no end.
    pub(super) lasts_ms: Option<u64>,
    /// That end, and the hour after it, are past.
    pub(super) ended: bool,
    /// What was last authorized.
    pub(super) authorized: Option<LicenseCount>,
    pub(super) reported: Option<LicenseCount>,
    pub(super) episode: Episode,
    /// The alarm of the episode is to be said again.
    pub(super) repeat_due: bool,
    pub(super) period: Period,
    /// The period before, for what was refused in it and is told late.
    pub(super) before: Option<Period>,
    /// Compliance as told last: none while it is not in use.
    pub(super) told: Option<Compliance>,
    pub(super) state: State,
    pub(super) since: Wall,
    pub(super) rows: Rows,
    /// The policy changed and no seal of that change was slow yet.
    pub(super) bounce_due: bool,
    pub(super) refused: RefusedCounts,
}

/// A time in which the policy of a tag was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) policy: Policy,
    pub(super) since: Wall,
    pub(super) compliance: Option<Compliance>,
}

#[derive(Clone, Debug)]
pub(super) struct ServiceState {
    pub(super) tag: TagState,
    pub(super) sessions_per_license: NonZeroU32,
    pub(super) priority_sessions: u32,
    /// Calls that were given a permit.
    pub(super) admitted: u64,
    /// Priority calls that bring each feature, by its place.
    pub(super) priority_bringing: Vec<u32>,
    pub(super) peak: u32,
    pub(super) peak_at: Option<Wall>,
    pub(super) ceiling: Option<u32>,
    pub(super) last_ceiling: Option<u32>,
    pub(super) blocked_by: Option<FeatureIndex>,
    /// What the gate was told; none: not told yet.
    pub(super) terms: Option<Terms>,
    /// A call was refused at the ceiling since the terms were last judged.
    pub(super) refused_lately: bool,
    /// The alarm for the limit stands.
    pub(super) at_limit: bool,
    /// The alarm for the sessions left stands.
    pub(super) remaining_low: bool,
    /// The alarm for the licenses in use stands.
    pub(super) congested: bool,
}

#[derive(Clone, Debug)]
pub(super) struct FeatureState {
    pub(super) tag: TagState,
    /// What the configuration file says.
    pub(super) configured: bool,
    /// What an operator said at run time.
    pub(super) switched: Option<bool>,
}

impl TagState {
    fn new(tag: TagRef, rule: OocRule, at: Wall) -> Self {
        Self {
            tag,
            rule,
            catalog_rule: rule,
            order: TagOrder::default(),
            would_block: false,
            let_through: 0,
            sessions: 0,
            reached: 0,
            licenses: LicenseCount(0),
            in_use: false,
            answer: None,
            answered: at,
            granted: None,
            lasts_ms: None,
            ended: false,
            authorized: None,
            reported: None,
            episode: Episode::default(),
            repeat_due: false,
            period: Period {
                policy: Policy::Allow,
                since: at,
                compliance: None,
            },
            before: None,
            told: None,
            state: State::Allow,
            since: at,
            rows: Rows::default(),
            bounce_due: false,
            refused: RefusedCounts::default(),
        }
    }

    /// What is ordered about it from here on (rule L2).
    pub(super) fn ordered(&mut self, order: TagOrder) {
        self.order = order;
        self.rule = order.rule.unwrap_or(self.catalog_rule);
    }

    /// The longer of its graces, by order and by catalog: what was used of one is not forgotten by the other.
    pub(super) fn longest_grace(&self) -> u32 {
        let days = self.rule.grace_days.max(self.catalog_rule.grace_days);
        u32::from(days) * DAY_MINUTES
    }

    /// Length of its grace, in minutes of use.
    pub(super) fn grace_minutes(&self) -> u32 {
        u32::from(self.rule.grace_days) * DAY_MINUTES
    }

    /// Grace left of the episode that is on, in seconds; none: none is on, or its rule has no grace.
    pub(super) fn grace_left_s(&self) -> Option<u64> {
        let counts = self.episode.is_on() && self.rule.grace_days > 0;
        let left_ms = self.episode.grace().left_ms(self.grace_minutes());
        counts.then_some(left_ms / 1_000)
    }

    pub(super) fn grace_left(&self) -> bool {
        !self.episode.grace().exhausted(self.grace_minutes())
    }

    pub(super) fn facts(&self) -> TagFacts {
        TagFacts {
            answer: self.answer,
            ended: self.ended,
            since: self.episode.since().unwrap_or(self.answered),
            grace_left: self.grace_left(),
            on_ooc: self.rule.on_ooc,
        }
    }

    /// The authority answered; what it granted lasts so long.
    pub(super) fn answered(
        &mut self,
        answer: Answer,
        granted: Option<Entitlement>,
        lasts_ms: Option<u64>,
        at: Wall,
    ) {
        let stale = answer.objects() && !self.in_use && !self.episode.is_on();
        if stale {
            return;
        }
        self.answer = Some(answer);
        self.answered = at;
        self.granted = granted;
        self.lasts_ms = lasts_ms.filter(|_| granted.is_some());
        if answer.objects() {
            self.episode.begin(at);
        } else {
            self.episode.end();
            let in_use = self.licenses.max(self.reported.unwrap_or_default());
            self.authorized = Some(granted.map_or(in_use, |grant| grant.licenses));
        }
    }

    /// What the authority said is void; what it last authorized is remembered.
    pub(super) fn forget_answer(&mut self) {
        self.answer = None;
        self.granted = None;
        self.lasts_ms = None;
        self.episode.end();
    }

    /// The node is not registered any more: what was granted is void, and what was objected to holds (rule L10).
    pub(super) fn leave(&mut self) {
        match self.answer {
            Some(answer) if answer.objects() => self.granted = None,
            Some(_) | None => self.forget_answer(),
        }
        self.lasts_ms = None;
    }

    /// The authority is heard after a silence of so long: from here on the end of what it granted is reckoned.
    pub(super) fn heard_after(&mut self, silent_ms: u64) {
        if let Some(lasts_ms) = &mut self.lasts_ms {
            *lasts_ms = lasts_ms.saturating_sub(silent_ms);
        }
    }

    /// Takes in how long the authority has been silent: whether what it granted has ended.
    pub(super) fn see_silence(&mut self, silent_ms: u64) {
        let ends_ms = self.ends_ms();
        self.ended = ends_ms.is_some_and(|ends_ms| silent_ms >= ends_ms);
    }

    /// How much silence what was granted outlasts.
    pub(super) fn ends_ms(&self) -> Option<u64> {
        self.lasts_ms
            .map(|lasts_ms| lasts_ms.saturating_add(GRANT_GRACE_MS))
    }

    /// Takes in whether it is in use; use that falls to zero settles an objection (rule L5).
    fn see_use(&mut self, in_use: bool) {
        let fell = self.in_use && !in_use;
        self.in_use = in_use;
        if fell && self.answer.is_some_and(Answer::objects) {
            self.forget_answer();
        }
    }

    /// The policy and why, at a time now or not long past.
    pub(super) fn period_at(&self, at: Wall) -> Period {
        let before = self.before.filter(|_| at < self.period.since);
        before.unwrap_or(self.period)
    }
}

impl ServiceState {
    pub(super) fn new(tag: TagRef, service: &Service, at: Wall) -> Self {
        Self {
            tag: TagState::new(tag, service.rule, at),
            sessions_per_license: service.sessions_per_license,
            priority_sessions: 0,
            admitted: 0,
            priority_bringing: Vec::new(),
            peak: 0,
            peak_at: None,
            ceiling: None,
            last_ceiling: None,
            blocked_by: None,
            terms: None,
            refused_lately: false,
            at_limit: false,
            remaining_low: false,
            congested: false,
        }
    }

    pub(super) fn see_use(&mut self) {
        self.tag.licenses = SessionCount(self.tag.sessions).licenses(self.sessions_per_license);
        self.tag.see_use(self.tag.sessions > 0);
    }

    /// Features that so many priority calls bring, or more.
    pub(super) fn brought_by(&self, calls: u32) -> FeatureSet {
        let places = (0..).map(FeatureIndex).zip(&self.priority_bringing);
        let brought = places.filter(|(_, bringing)| **bringing >= calls);
        brought.map(|(feature, _)| feature).collect()
    }

    /// State as an operator sees it (rule L6).
    pub(super) fn state(&self) -> State {
        let full = self.ceiling.is_some_and(|most| self.tag.sessions >= most);
        match self.tag.period.policy {
            Policy::Block => State::Block,
            Policy::Allow if self.blocked_by.is_some() => State::Block,
            Policy::Allow if full => State::AllowAtLimit,
            Policy::Allow => State::Allow,
        }
    }

    /// Whether the alarm for the limit stands. It falls a fiftieth below the ceiling, so that calls that come and go at
    /// the ceiling don't make it flap; `moved`, the ceiling is another than before, and it is judged afresh. Below a
    /// ceiling of 0 nothing ever is: once a call was refused there, the alarm stands until the ceiling moves.
    pub(super) fn judge_limit(&mut self, moved: bool) {
        let refused = std::mem::take(&mut self.refused_lately);
        let sessions = self.tag.sessions;
        self.at_limit = self.state() != State::Block
            && self.ceiling.is_some_and(|most| {
                let reached = sessions > 0 && sessions >= most;
                let near = sessions > most.saturating_sub(most.div_ceil(50).max(1)) || most == 0;
                reached || refused || (self.at_limit && near && !moved)
            });
    }
}

impl ServiceState {
    /// Whether the alarms on how much of the ceiling is in use stand. A service that is blocked or has no ceiling has
    /// neither, and below a ceiling of 0 nothing is left or in use.
    pub(super) fn judge_use(&mut self, thresholds: Thresholds) {
        let most = self.ceiling.filter(|most| *most > 0);
        let Some(most) = most.filter(|_| self.state() != State::Block) else {
            self.remaining_low = false;
            self.congested = false;
            return;
        };
        let (used, of) = (u64::from(self.tag.sessions), u64::from(most));
        let left = of.saturating_sub(used);
        self.remaining_low = thresholds.remaining.is_some_and(|at| {
            let cleared = left * 100 > of * u64::from(at.clear_percent);
            left * 100 <= of * u64::from(at.raise_percent) || (self.remaining_low && !cleared)
        });
        self.congested = thresholds.congestion.is_some_and(|at| {
            let cleared = used * 100 <= of * u64::from(at.clear_percent);
            used * 100 >= of * u64::from(at.raise_percent) || (self.congested && !cleared)
        });
    }

    /// Of the ceiling, sessions in use in whole percent, at most 100; none: it has no ceiling.
    pub(super) fn used_percent(&self) -> Option<u64> {
        let most = u64::from(self.ceiling.filter(|most| *most > 0)?);
        Some((u64::from(self.tag.sessions) * 100 / most).min(100))
    }

    /// Of the ceiling, sessions left in whole percent; none: it has no ceiling.
    pub(super) fn left_percent(&self) -> Option<u64> {
        let most = u64::from(self.ceiling.filter(|most| *most > 0)?);
        Some(most.saturating_sub(u64::from(self.tag.sessions)) * 100 / most)
    }
}

impl FeatureState {
    pub(super) fn new(tag: TagRef, feature: &Feature, configured: bool, at: Wall) -> Self {
        Self {
            tag: TagState::new(tag, feature.rule, at),
            configured,
            switched: None,
        }
    }

    pub(super) fn enabled(&self) -> bool {
        self.switched.unwrap_or(self.configured)
    }

    /// In use: enabled, or a live call brings it (rule L12).
    pub(super) fn see_use(&mut self) {
        let in_use = self.enabled() || self.tag.sessions > 0;
        self.tag.licenses = LicenseCount(u32::from(in_use));
        self.tag.see_use(in_use);
    }

    pub(super) fn state(&self) -> State {
        match self.tag.period.policy {
            Policy::Allow => State::Allow,
            Policy::Block => State::Block,
        }
    }
}
