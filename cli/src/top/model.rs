//! What the dashboard shows: the newest answer of the node, rates between its last two, and what the user chose.

use std::time::Duration;

use api::Failure;
use licensing::Snapshot;
use licensing::snapshot::{RefusedCounts, TagRow};

use super::page::Room;
use crate::show::View;

/// Calls a second of one service or feature, between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Admitted, emergency calls apart.
    pub admits: f64,
    /// Refused.
    pub refusals: f64,
}

/// In which order services stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// That of the catalog.
    #[default]
    Catalog,
    /// The fullest first.
    Use,
    /// Those of the most refusals a second first.
    Refusals,
}

impl Order {
    /// The one after it.
    fn next(self) -> Self {
        match self {
            Self::Catalog => Self::Use,
            Self::Use => Self::Refusals,
            Self::Refusals => Self::Catalog,
        }
    }

    /// As it is shown.
    pub fn words(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Use => "use",
            Self::Refusals => "refusals",
        }
    }
}

/// What the user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Other rows, so many further down; up, if below zero.
    Scroll(i32),
    /// The first rows.
    Top,
    /// The last rows.
    Bottom,
    /// The next order.
    Order,
    /// Help, or the page again.
    Help,
}

/// All that the page is a function of. Times are since the dashboard began.
#[derive(Clone, Debug)]
pub struct Model {
    /// The newest answer.
    pub view: View,
    /// When it came.
    pub answered: Duration,
    /// Why there was none since; none: there was.
    pub failure: Option<Failure>,
    /// Time between two questions.
    pub interval: Duration,
    /// Colours may be used.
    pub colour: bool,
    /// The order of services.
    pub order: Order,
    /// Help is shown in place of the page.
    pub help: bool,
    /// So many rows of services and features are left out above.
    pub skipped: usize,
    rates: Vec<Option<Rate>>,
}

impl Model {
    /// After the first answer.
    pub fn new(view: View, interval: Duration, colour: bool) -> Self {
        Self {
            view,
            answered: Duration::ZERO,
            failure: None,
            interval,
            colour,
            order: Order::default(),
            help: false,
            skipped: 0,
            rates: Vec::new(),
        }
    }

    /// The node has answered.
    pub fn answer(&mut self, view: View, now: Duration) {
        self.rates = rates(&self.view.snapshot, &view.snapshot);
        self.view = view;
        self.answered = now;
        self.failure = None;
    }

    /// The node has not answered: what is shown is old from here on.
    pub fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.rates.clear();
    }

    /// The user does something, seeing rows in this room.
    pub fn press(&mut self, key: Key, room: Room) {
        let most = room.rows.saturating_sub(room.shown);
        match key {
            Key::Scroll(by) => {
                let by_rows = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
                self.skipped = match by < 0 {
                    true => self.skipped.min(most).saturating_sub(by_rows),
                    false => self.skipped.saturating_add(by_rows).min(most),
                };
            }
            Key::Top => self.skipped = 0,
            Key::Bottom => self.skipped = most,
            Key::Order => self.order = self.order.next(),
            Key::Help => self.help = !self.help,
        }
    }

    /// Services in the order chosen, then the features that are enabled or in use, each with its rate if there is one.
    pub fn rows(&self) -> Vec<(TagRow<'_>, Option<Rate>)> {
        let snapshot = &self.view.snapshot;
        let rates = self.rates.iter().copied().chain(std::iter::repeat(None));
        let all: Vec<_> = snapshot.rows().zip(rates).collect();
        let (mut services, mut features): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(row, _)| matches!(row, TagRow::Service(_)));
        match self.order {
            Order::Catalog => {}
            Order::Use => services.sort_by_key(|(row, _)| std::cmp::Reverse(used_permille(*row))),
            Order::Refusals => services.sort_by(|(_, a), (_, b)| {
                let refusals = |rate: &Option<Rate>| rate.map_or(0.0, |rate| rate.refusals);
                refusals(b).total_cmp(&refusals(a))
            }),
        }
        features.retain(|(row, _)| match row {
            TagRow::Feature(feature) => feature.enabled || feature.tag.in_use,
            TagRow::Service(_) => true,
        });
        services.append(&mut features);
        services
    }

    /// The sum over all services; none: there was one answer only since the node began.
    pub fn total(&self) -> Option<Rate> {
        let services = self.view.snapshot.services.len();
        let known = self.rates.iter().take(services).copied();
        let known: Vec<Rate> = known.collect::<Option<_>>()?;
        (!known.is_empty()).then(|| Rate {
            admits: known.iter().map(|rate| rate.admits).sum(),
            refusals: known.iter().map(|rate| rate.refusals).sum(),
        })
    }
}

/// Of a ceiling, in thousandths; none: it has none.
pub(super) fn used_permille(row: TagRow<'_>) -> Option<u64> {
    let TagRow::Service(service) = row else {
        return None;
    };
    let ceiling = u64::from(service.ceiling?.0);
    let sessions = u64::from(service.sessions.0);
    Some(match ceiling {
        0 if sessions == 0 => 0,
        0 => 1_000,
        _ => sessions * 1_000 / ceiling,
    })
}

/// One entry a service, then one a feature; none of a node that began anew between the two, or whose time stood still.
fn rates(before: &Snapshot, after: &Snapshot) -> Vec<Option<Rate>> {
    let seconds = after.at.mono.since(before.at.mono).as_secs_f64();
    let same = before.seq <= after.seq && before.node.serial == after.node.serial;
    let rows = before.rows().zip(after.rows());
    rows.map(|(before, after)| {
        let admits = admitted(after).checked_sub(admitted(before))?;
        let refusals = refused(after).checked_sub(refused(before))?;
        (same && seconds > 0.0).then(|| Rate {
            admits: admits as f64 / seconds,
            refusals: refusals as f64 / seconds,
        })
    })
    .collect()
}

fn admitted(row: TagRow<'_>) -> u64 {
    match row {
        TagRow::Service(service) => service.admitted,
        TagRow::Feature(_) => 0,
    }
}

fn refused(row: TagRow<'_>) -> u64 {
    let RefusedCounts {
        blocked,
        at_ceiling,
        low_priority,
        unsettled,
        by_feature,
        subscribers: _,
    } = row.tag().refused;
    blocked + at_ceiling + low_priority + unsettled + by_feature
}
