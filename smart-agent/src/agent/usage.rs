//! Usage: what is seen of each tag, when it is reported, and when more is asked for.

use std::num::NonZeroU32;
use std::time::Duration;

use api::smart::{RequestType, TagDemand, TagVerdict, Verdict};
use licensing::{
    Catalog, Entitlement, FeatureIndex, LicenseCount, LicenseTime, Mono, Now, ServiceIndex, Tag,
    TagRef, Wall,
};

use super::Agent;
use crate::growth::Growth;
use crate::input::{TagUse, Told};

/// What the agent knows of a tag.
#[derive(Clone, Debug)]
pub(super) struct Tagged {
    tag: TagRef,
    name: Tag,
    /// Sessions that one license covers; none: a feature.
    per_license: Option<NonZeroU32>,
    licenses: LicenseCount,
    held: Option<LicenseCount>,
    /// Licenses asked for by the message that is on its way, or was last; none: that was not about this tag.
    asked: Option<LicenseCount>,
    /// What was not granted, or not answered, is not asked for again before.
    again: Mono,
    /// It was in use since the registration began.
    used: bool,
    /// It was told of at least once since the process began.
    sampled: bool,
    /// Licenses last reported.
    reported: Option<LicenseCount>,
    /// Licenses in use by the last message that told them; none: there was none since the process or the registration began.
    told: Option<LicenseCount>,
    /// What the authority said last, in this registration and process.
    verdict: Option<Verdict>,
    growth: Growth,
}

impl Tagged {
    /// One entry a tag of the catalog, services first.
    pub(super) fn of(catalog: &Catalog) -> Vec<Self> {
        let of = |tag, name: &Tag, per_license| Self {
            tag,
            name: name.clone(),
            per_license,
            licenses: LicenseCount(0),
            held: None,
            asked: None,
            again: Mono::default(),
            used: false,
            sampled: false,
            reported: None,
            told: None,
            verdict: None,
            growth: Growth::default(),
        };
        let services = (0..).map(ServiceIndex).zip(catalog.services());
        let services = services.map(|(index, service)| {
            let per_license = Some(service.sessions_per_license);
            of(TagRef::Service(index), &service.tag, per_license)
        });
        let features = (0..).map(FeatureIndex).zip(catalog.features());
        let features =
            features.map(|(index, feature)| of(TagRef::Feature(index), &feature.tag, None));
        services.chain(features).collect()
    }

    /// It has this name.
    pub(super) fn is(&self, name: &Tag) -> bool {
        self.name == *name
    }

    /// Something else is in use than was reported, or than a message said that asked for more meanwhile.
    fn changed(&self) -> bool {
        let told = self.told.is_none_or(|told| told == self.licenses);
        self.licenses != self.reported.unwrap_or_default() || !told
    }

    /// More is held than is needed.
    fn has_spare(&self) -> bool {
        self.held.is_some_and(|held| held > self.requested())
    }

    fn out_of_compliance(&self) -> bool {
        self.licenses.0 > 0 && self.verdict == Some(Verdict::OutOfCompliance)
    }

    /// Licenses to ask for: never below what is in use.
    fn requested(&self) -> LicenseCount {
        let ahead = self.per_license.map(|_| self.growth.need());
        self.licenses.max(ahead.unwrap_or_default())
    }

    /// More is needed soon than is held.
    fn is_short(&self) -> bool {
        let authorized = self.verdict == Some(Verdict::Authorized);
        authorized && self.held.is_some_and(|held| self.requested() > held)
    }

    /// In use, and nothing was said of it yet.
    fn is_new(&self) -> bool {
        self.licenses.0 > 0 && self.verdict.is_none()
    }

    fn asks(&self, now: Mono) -> bool {
        now >= self.again && (self.is_short() || self.is_new())
    }

    fn see(&mut self, seen: Option<&TagUse>) -> u32 {
        self.licenses = seen.map_or(LicenseCount(0), |seen| seen.licenses);
        self.held = seen.and_then(|seen| seen.held);
        self.used |= self.licenses.0 > 0;
        seen.map_or(0, |seen| seen.sessions)
    }
}

impl Agent {
    /// Usage runs on as it was last seen.
    pub(super) fn measure(&mut self, now: Now) {
        if self.state.registration.is_none() {
            return;
        }
        let elapsed = now.license.since(self.last.license).as_millis();
        let elapsed_ms = u64::try_from(elapsed).unwrap_or(u64::MAX);
        let used = self.tags.iter().map(|tag| (&tag.name, tag.licenses));
        self.ledger.measure(elapsed_ms, used);
    }

    pub(super) fn see(&mut self, uses: &[TagUse], now: Now) {
        let answer = self.mail.answer_takes;
        for tag in &mut self.tags {
            let seen = uses.iter().find(|seen| seen.tag == tag.tag);
            let sessions = tag.see(seen);
            if let Some(held) = tag.held.filter(|_| !tag.sampled) {
                tag.growth = Growth::held(held, now.mono);
            }
            tag.sampled |= seen.is_some();
            if let Some(per_license) = tag.per_license {
                let ahead = &self.config.ahead;
                tag.growth
                    .see(sessions, per_license, answer, ahead, now.mono);
            }
            self.ledger.see(&tag.name, tag.licenses);
        }
    }

    /// A registration begins or ends: nothing was said, and nothing reported in it.
    pub(super) fn begin_tags(&mut self) {
        for tag in &mut self.tags {
            tag.verdict = None;
            tag.reported = None;
            tag.told = None;
            tag.used = tag.licenses.0 > 0;
        }
    }

    /// All that the authority is to know of what is used, held and wanted.
    pub(super) fn demands(&mut self) -> Vec<TagDemand> {
        let demand = |tag: &mut Tagged| {
            let known = tag.used || tag.held.is_some();
            tag.asked = known.then(|| tag.requested());
            tag.told = known.then_some(tag.licenses);
            Some(TagDemand {
                tag: tag.name.clone(),
                in_use: tag.licenses,
                requested: tag.asked?,
                held: tag.held,
            })
        };
        self.tags.iter_mut().filter_map(demand).collect()
    }

    /// Tells the verdicts on, given at this date of the authority. What was asked ahead of need and not granted is no growth, and nothing more (rule L5).
    pub(super) fn take_verdicts(&mut self, verdicts: &[TagVerdict], date: Wall, now: Now) {
        let again = now.mono.after(self.config.ahead.again);
        let mut told = Vec::new();
        for tag in &mut self.tags {
            let Some(said) = verdicts.iter().find(|said| said.tag == tag.name) else {
                if tag.asked.is_some() {
                    tag.again = again;
                }
                continue;
            };
            tag.verdict = Some(said.verdict);
            let granted = said.granted.filter(|_| tag.per_license.is_some());
            tag.held = granted.map(|grant| grant.licenses);
            if tag.held.is_some() && tag.held < tag.asked {
                tag.again = again;
            }
            told.push(Told::Verdict {
                tag: tag.tag,
                verdict: said.verdict,
                granted,
                lasts_ms: granted.and_then(|grant| left_ms(grant, date)),
            });
        }
        told.into_iter().for_each(|told| self.tell(told));
        if self.tags.iter().any(Tagged::out_of_compliance) {
            let soonest = now.mono.after(self.config.timers.ooc_retry);
            self.due.ooc_retry = self.due.ooc_retry.min(soonest);
        }
    }

    pub(super) fn run_timers(&mut self, now: Now) {
        if !self.enabled {
            return;
        }
        if now.mono >= self.due.report {
            self.due.report = next(self.due.report, self.config.timers.report, now.mono);
            self.report_changes(now);
            self.warn_of_roots(now);
        }
        if now.mono >= self.due.ooc_retry {
            self.due.ooc_retry = next(self.due.ooc_retry, self.config.timers.ooc_retry, now.mono);
            self.report_unchanged();
        }
        let Some(registration) = &self.state.registration else {
            return;
        };
        if self.date(now) >= registration.renew_at {
            self.want(RequestType::Renew);
        }
        if expired(&mut self.due.authorization, now) {
            self.report_all(now);
        }
        if expired(&mut self.due.trust, now) {
            self.want(RequestType::TrustPool);
        }
        self.ask(now);
    }

    /// Report License Usage: only what changed, and what may be given back.
    fn report_changes(&mut self, now: Now) {
        let changed = self.tags.iter().any(Tagged::changed);
        if changed {
            self.report(Tagged::changed, now);
        } else if self.state.registration.is_some() {
            self.ledger.keep_interval();
            if self.tags.iter().any(Tagged::has_spare) {
                self.want(RequestType::Entitlement);
            }
        }
    }

    /// The renewal of the authorization: every tag in use, changed or not (rule L11).
    fn report_all(&mut self, now: Now) {
        self.report(|tag| tag.licenses.0 > 0 || tag.changed(), now);
        self.want(RequestType::Entitlement);
    }

    fn report(&mut self, which: fn(&Tagged) -> bool, now: Now) {
        let registered = self.state.registration.is_some();
        let ok = !registered || self.ledger.has_room();
        if registered {
            let date = self.date(now);
            self.ledger.close(date);
            self.want(RequestType::Entitlement);
        }
        let told: Vec<_> = self
            .tags
            .iter_mut()
            .filter(|tag| which(tag))
            .map(|tag| tag.report(ok))
            .collect();
        told.into_iter().for_each(|told| self.tell(told));
    }

    /// OOC Retry: counts that have not changed, while out of compliance.
    fn report_unchanged(&mut self) {
        if self.state.registration.is_none() {
            return;
        }
        let told: Vec<_> = self
            .tags
            .iter_mut()
            .filter(|tag| tag.out_of_compliance() && !tag.changed())
            .map(|tag| tag.report(true))
            .collect();
        if self.tags.iter().any(Tagged::out_of_compliance) {
            self.want(RequestType::Entitlement);
        }
        told.into_iter().for_each(|told| self.tell(told));
    }

    /// Asks before it is needed (rule L6), and at once for what came into use.
    fn ask(&mut self, now: Now) {
        if self.tags.iter().any(|tag| tag.asks(now.mono)) {
            self.want(RequestType::Entitlement);
        }
    }
}

impl Tagged {
    fn report(&mut self, ok: bool) -> Told {
        if ok {
            self.reported = Some(self.licenses);
        }
        Told::Reported {
            tag: self.tag,
            licenses: self.licenses,
            ok,
        }
    }
}

/// License time from this date to the end of a grant, in milliseconds; none: it has no end.
pub(super) fn left_ms(granted: Entitlement, date: Wall) -> Option<u64> {
    let left_ms = granted.until?.0.saturating_sub(date.0);
    Some(u64::try_from(left_ms).unwrap_or(0))
}

/// The next time that a timer expires: on its grid, and not in the past.
fn next(due: Mono, every: Duration, now: Mono) -> Mono {
    let next = due.after(every);
    if next > now { next } else { now.after(every) }
}

/// A license timer that has expired is over.
fn expired(timer: &mut Option<LicenseTime>, now: Now) -> bool {
    timer.take_if(|at| now.license >= *at).is_some()
}
