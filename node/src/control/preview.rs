//! Samples of the gate for a preview, and the preview.
//!
//! A ring of samples, the oldest about [`WINDOW`] old: a preview reckons calls an hour between the oldest and now.

use std::collections::VecDeque;
use std::time::Duration;

use api::{Preview, PreviewChange, PreviewEffect, Reply, ServicePreview};
use enforcer::Counts;
use enforcer::verdicts::{CallWindow, Effect, Input};
use licensing::Mono;

use super::{Control, Denied};

/// Calls an hour are reckoned from this long before now, or from the start if that is later.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// From one sample that is kept to the next.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// The samples that are kept, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Samples(VecDeque<(Mono, Counts)>);

impl Samples {
    /// A sample was taken. Of those kept, the oldest covers the window.
    pub(super) fn note(&mut self, counts: &Counts, now: Mono) {
        let kept = &mut self.0;
        if kept
            .back()
            .is_some_and(|(at, _)| now.since(*at) < KEEP_EVERY)
        {
            return;
        }
        kept.push_back((now, counts.clone()));
        while kept.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            kept.pop_front();
        }
    }

    /// The oldest.
    fn since(&self) -> Option<&(Mono, Counts)> {
        self.0.front()
    }
}

impl Control {
    /// What a change would refuse; nothing is changed.
    pub(super) fn preview(&mut self, change: &PreviewChange) -> Result<Reply, Denied> {
        let input = match change {
            PreviewChange::SmartLicensing { enable } => Input::SmartLicensing { enable: *enable },
            PreviewChange::Feature { name, enable } => Input::Feature {
                feature: self.feature_named(name)?,
                enabled: *enable,
            },
            PreviewChange::Deregister => Input::Deregistered,
        };
        let now = self.clock.now();
        self.sample(now);
        let until = self.gate.sample();
        let (began, since) = match self.samples.since() {
            Some((began, since)) => (*began, since),
            None => (now.mono, &until),
        };
        let lasted = now.mono.since(began);
        let window = CallWindow {
            since,
            until: &until,
            lasted,
        };
        let foreseen = self.enforcer.preview(input, window, now);
        let services = foreseen.into_iter().zip(self.catalog.services());
        let services = services.map(|(foreseen, listed)| ServicePreview {
            service: listed.name.clone(),
            sessions: foreseen.sessions,
            ceiling: foreseen.ceiling.map(u64::from),
            effect: match foreseen.effect {
                Effect::Unchanged => PreviewEffect::Unchanged,
                Effect::Partly => PreviewEffect::Partly,
                Effect::AtCeiling => PreviewEffect::AtCeiling,
                Effect::Blocked => PreviewEffect::Blocked,
            },
            calls: foreseen.calls,
            refused_an_hour: foreseen.refused_an_hour,
        });
        let preview = Preview {
            window_s: lasted.as_secs(),
            services: services.collect(),
        };
        Ok(Reply::Preview { preview })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sample_is_about_a_window_old_and_few_are_kept() {
        let mut samples = Samples::default();
        let counts = Counts::default();
        let at = |seconds: u64| Mono(0).after(Duration::from_secs(seconds));
        for second in 0..=4_000 {
            samples.note(&counts, at(second));
            let oldest = samples.since().unwrap().0;
            let age = at(second).since(oldest);
            match second < 900 {
                true => assert_eq!(oldest, at(0), "at {second}"),
                false => {
                    assert!(age >= WINDOW, "{age:?} at {second}");
                    assert!(age < WINDOW + KEEP_EVERY, "{age:?} at {second}");
                }
            }
            assert!(samples.0.len() <= 32, "{} kept", samples.0.len());
        }
    }
}
