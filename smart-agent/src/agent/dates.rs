//! The date, and whether the identity certificate is valid at it.

use std::mem;
use std::time::Duration;

use licensing::{LicenseTime, Now, Wall};

use super::Agent;
use crate::config::{ID_WARNING_S, OUT_OF_RANGE_S, ROOT_WARNING_S};
use crate::input::{Notice, Told};

/// The date by which certificates age.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    lab: bool,
    /// The date that the authority last named, and when it did.
    anchor: Option<(Wall, LicenseTime)>,
}

/// Whether the date lies in the certificate's validity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// Since when it does not.
    out_since: Option<LicenseTime>,
    /// The hour for a correction is over.
    dropped: bool,
}

impl Calendar {
    pub(super) fn restored(lab: bool, kept: Option<Wall>, now: Now) -> Self {
        let kept = kept.filter(|_| lab);
        Self {
            lab,
            anchor: kept.map(|date| (date, now.license)),
        }
    }

    pub(super) fn date(&self, now: Now) -> Wall {
        match self.anchor {
            None => now.wall,
            Some((date, at)) => later(date, now.license.since(at)),
        }
    }

    /// The authority named its date. True: it is to be kept.
    pub(super) fn named(&mut self, date: Wall, now: Now) -> bool {
        if self.lab {
            self.anchor = Some((date, now.license));
        }
        self.lab
    }
}

impl Range {
    /// When the hour ends.
    pub(super) fn ends(&self) -> Option<LicenseTime> {
        let since = self.out_since.filter(|_| !self.dropped)?;
        Some(since.after(Duration::from_secs(OUT_OF_RANGE_S)))
    }

    pub(super) fn is_out(&self) -> bool {
        self.out_since.is_some()
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped
    }
}

impl Agent {
    /// The date by which certificates are to be judged, those of the shell's connections too.
    pub fn date(&self, now: Now) -> Wall {
        self.calendar.date(now)
    }

    /// A certificate outside of its validity is used for an hour more, and then not, until the date lies inside again: a
    /// clock that is wrong costs messages, and never the registration (rule L10).
    pub(super) fn judge_range(&mut self, now: Now) {
        let date = self.date(now);
        let valid = self.certificate.as_ref().map(|c| c.valid_at(date));
        let before = self.range;
        match (valid, before.out_since) {
            (None, _) | (Some(true), None) => self.range = Range::default(),
            (Some(true), Some(_)) => {
                self.range = Range::default();
                self.notice(Notice::CertificateInRange);
            }
            (Some(false), None) => {
                self.range.out_since = Some(now.license);
                self.notice(Notice::CertificateOutOfRange);
            }
            (Some(false), Some(_)) => {
                let over = before.ends().is_some_and(|at| now.license >= at);
                if over {
                    self.range.dropped = true;
                    self.notice(Notice::CertificateDropped);
                }
            }
        }
    }

    /// The identity certificate is warned of once, [`ID_WARNING_S`] before it ends.
    pub(super) fn warn_of_identity(&mut self, now: Now) {
        let date = self.date(now);
        let Some(certificate) = self.certificate.as_ref().filter(|c| c.valid_at(date)) else {
            return;
        };
        let at = certificate.not_after;
        let quarter_ms = at.0.saturating_sub(certificate.not_before.0) / 4;
        let is_soon = at <= later(date, Duration::from_secs(ID_WARNING_S));
        let is_soon = is_soon && at.0.saturating_sub(date.0) <= quarter_ms;
        let fingerprint = certificate.fingerprint;
        // A clock that was wrong for a while does not use up the warning.
        let warned = mem::replace(&mut self.warned_id, is_soon.then_some(fingerprint));
        if is_soon && warned != Some(fingerprint) {
            self.notice(Notice::CertificateExpires { at });
        }
    }

    /// Each root is warned of once a start, 60 days before it expires; that one does is told while it does.
    pub(super) fn warn_of_roots(&mut self, now: Now) {
        let limit = later(self.date(now), Duration::from_secs(ROOT_WARNING_S));
        let mut all = self.trust.roots().iter();
        let expiring = all.any(|root| root.certificate.not_after <= limit);
        if self.root_expiring.replace(expiring) != Some(expiring) {
            self.tell(Told::RootExpiring(expiring));
        }
        let warned = &self.warned;
        let roots = self.trust.roots().iter().map(|root| &root.certificate);
        let expiring = roots.filter(|root| root.not_after <= limit);
        let fresh = expiring.filter(|root| !warned.contains(&root.fingerprint));
        let fresh: Vec<_> = fresh.map(|r| (r.fingerprint, r.not_after)).collect();
        for (fingerprint, at) in fresh {
            self.warned.push(fingerprint);
            self.notice(Notice::RootExpires { fingerprint, at });
        }
    }
}

/// This much later.
pub(super) fn later(date: Wall, time: Duration) -> Wall {
    Wall(
        date.0
            .saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
    )
}
