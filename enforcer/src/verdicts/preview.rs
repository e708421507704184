//! Preview: what a change would refuse of the calls that come now, before it is made.
//!
//! A copy of the machine takes the change, so that what is foreseen follows from the same rules as what then happens.

use std::time::Duration;

use licensing::{FeatureSet, Now, ServiceIndex};

use super::{Enforcer, Input};
use crate::class::{CallKind, Class};
use crate::counts::Counts;
use crate::terms::Terms;

/// The shortest time from which calls an hour are reckoned.
pub const PREVIEW_WINDOW_MIN: Duration = Duration::from_secs(60);

/// Two samples of the gate, and the time between them.
#[derive(Clone, Copy, Debug)]
pub struct CallWindow<'a> {
    /// The earlier one.
    pub since: &'a Counts,
    /// The later one.
    pub until: &'a Counts,
    /// The time between them.
    pub lasted: Duration,
}

/// What a change does to new calls of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It refuses none that is let through now.
    Unchanged,
    /// It refuses those that bring a blocked feature, or those of some subscribers where a block is tried out.
    Partly,
    /// It refuses those above a ceiling that is new, or lower.
    AtCeiling,
    /// It refuses every ordinary one.
    Blocked,
}

/// What a change would refuse of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// The service.
    pub service: ServiceIndex,
    /// What the change does.
    pub effect: Effect,
    /// Sessions at the end of the window.
    pub sessions: u64,
    /// Sessions that it may hold after the change; none: unlimited.
    pub ceiling: Option<u32>,
    /// Calls admitted in the window, emergency calls apart.
    pub calls: u64,
    /// Calls that it would refuse, an hour; none: the window is shorter than [`PREVIEW_WINDOW_MIN`].
    pub refused_an_hour: Option<u64>,
}

/// Calls of one service in the window.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    admitted: u64,
    released: u64,
    /// Of those admitted, ordinary ones.
    ordinary: u64,
    /// Of these, those that the change would refuse by a block that does not bind all.
    partly: u64,
    /// Sessions at its end.
    sessions: u64,
}

impl Enforcer {
    /// What `change` would refuse, an entry a service, if calls went on as in the window.
    ///
    /// Priority calls count as ordinary ones at a ceiling, and as let through past a block.
    pub fn preview(&self, change: Input, window: CallWindow<'_>, now: Now) -> Vec<Foreseen> {
        let mut after = self.clone();
        after.handle(change, now);
        let both = (0..).map(ServiceIndex).zip(&self.services);
        let both = both.zip(&after.services);
        both.map(|((service, before), after)| {
            let of = |terms: Option<Terms>| terms.unwrap_or_default();
            foresee(service, of(before.terms), of(after.terms), window)
        })
        .collect()
    }
}

fn foresee(service: ServiceIndex, before: Terms, after: Terms, window: CallWindow<'_>) -> Foreseen {
    let calls = calls(service, before, after, window);
    let lower = after
        .ceiling
        .filter(|most| before.ceiling.is_none_or(|was| *most < was));
    let (effect, refused) = match (before.block, after.block) {
        (Some(_), _) => (Effect::Unchanged, 0),
        (None, Some(_)) => (Effect::Blocked, an_hour(calls.ordinary, window.lasted)),
        (None, None) => {
            let partly = an_hour(calls.partly, window.lasted);
            match lower {
                Some(most) => {
                    let over = over(most.into(), calls, window.lasted);
                    (Effect::AtCeiling, partly.saturating_add(over))
                }
                None if partial(before, after) => (Effect::Partly, partly),
                None => (Effect::Unchanged, 0),
            }
        }
    };
    let effect = match (effect, refused, window.lasted >= PREVIEW_WINDOW_MIN) {
        (Effect::AtCeiling, 0, true) => Effect::Unchanged,
        (effect, _, _) => effect,
    };
    Foreseen {
        service,
        effect,
        sessions: calls.sessions,
        ceiling: after.ceiling,
        calls: calls.admitted,
        refused_an_hour: (window.lasted >= PREVIEW_WINDOW_MIN).then_some(refused),
    }
}

/// A block that does not bind all calls is new.
fn partial(before: Terms, after: Terms) -> bool {
    let blocked = (before.blocked_features, after.blocked_features);
    let eased = (before.eased, before.eased_features) != (after.eased, after.eased_features);
    blocked.0 != blocked.1 || eased
}

/// Calls an hour that find no room: those that come, less what is free or gets free.
///
/// Sessions last as long as before, so fewer of them end as often as there are fewer; what is above the ceiling goes first.
fn over(most: u64, calls: Calls, lasted: Duration) -> u64 {
    let come = an_hour(calls.admitted - calls.partly, lasted);
    let end = an_hour(calls.released, lasted);
    let end = match calls.sessions > most {
        true => u128::from(end) * u128::from(most) / u128::from(calls.sessions),
        false => end.into(),
    };
    let room = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(most);
    come.saturating_sub(room.saturating_sub(calls.sessions))
}

fn an_hour(calls: u64, lasted: Duration) -> u64 {
    let hour_ms = u128::from(calls) * 3_600_000;
    u64::try_from(hour_ms / lasted.as_millis().max(1)).unwrap_or(u64::MAX)
}

fn calls(service: ServiceIndex, before: Terms, after: Terms, window: CallWindow<'_>) -> Calls {
    let CallWindow { since, until, .. } = window;
    let sessions = until.services.get(service.at());
    let mut sum = Calls {
        sessions: sessions.map_or(0, |count| count.sessions.into()),
        ..Calls::default()
    };
    let of_service = |class: Class| class.service == service && class.kind != CallKind::Emergency;
    for row in until.classes.iter().filter(|row| of_service(row.class)) {
        let mut rows = since.classes.iter();
        // A class that is new since was at nothing.
        let earlier = rows.find(|earlier| earlier.class == row.class);
        let earlier = earlier.map(|row| row.counters).unwrap_or_default();
        let admitted = row.counters.admitted.saturating_sub(earlier.admitted);
        sum.admitted += admitted;
        sum.released += row.counters.released.saturating_sub(earlier.released);
        if row.class.kind == CallKind::Ordinary {
            sum.ordinary += admitted;
            sum.partly += admitted * percent(row.class, before, after) / 100;
        }
    }
    sum
}

/// Percent of a class' calls that only a new block of some calls refuses.
fn percent(class: Class, before: Terms, after: Terms) -> u64 {
    let brings = |terms: Terms| terms.blocked_features.intersection(class.features);
    let none = FeatureSet::EMPTY;
    if brings(before) == none && brings(after) != none {
        return 100;
    }
    let eased = |terms: Terms| terms.eased_of(class.features);
    match (eased(before), eased(after)) {
        (None, Some(eased)) => eased.percent.into(),
        (Some(_), _) | (None, None) => 0,
    }
}
