//! How much of a service will be needed soon: the watermark of rule L6.

use std::num::NonZeroU32;
use std::time::Duration;

use licensing::{LicenseCount, Mono, SessionCount};

use crate::config::Ahead;

/// Samples that are closer together than this say nothing of growth: one call between two of them would be a storm.
const SAMPLE_MIN: Duration = Duration::from_millis(500);
/// A rate of growth that is not seen again fades with this time constant. Unit: milliseconds.
const FADES_IN_MS: u64 = 120_000;
/// The longest answer that is reckoned with.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// The growth of one service, and the need that follows from it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Growth {
    seen: Option<(Mono, u32)>,
    /// Sessions more, in a thousand seconds: the highest rate lately.
    rate: u64,
    need: [u32; 2],
    turned: Mono,
}

impl Growth {
    /// A service that held so many licenses before a restart: they are kept as long as any need is.
    pub(crate) fn held(licenses: LicenseCount, now: Mono) -> Self {
        Self {
            need: [licenses.0, 0],
            turned: now,
            ..Self::default()
        }
    }

    /// So many sessions are there now, so long may an answer take.
    pub(crate) fn see(
        &mut self,
        sessions: u32,
        per_license: NonZeroU32,
        answer: Duration,
        ahead: &Ahead,
        now: Mono,
    ) {
        self.see_rate(sessions, now);
        let horizon = ahead.horizon + 3 * answer.min(ANSWER_MAX);
        let growth = u128::from(self.rate) * horizon.as_millis() / 1_000_000;
        let room = u64::from(per_license.get()) * u64::from(ahead.room_percent.min(100)) / 100;
        let wanted = u128::from(sessions) + growth.max(u128::from(room.max(1)));
        let wanted = SessionCount(u32::try_from(wanted).unwrap_or(u32::MAX));
        let in_use = SessionCount(sessions).licenses(per_license).0;
        // No single storm asks for a whole pool: at the most it doubles.
        let most = in_use.saturating_mul(2).saturating_add(1);
        let need = wanted.licenses(per_license).0.min(most);
        if now.since(self.turned) >= ahead.keep {
            self.need = [0, self.need[0]];
            self.turned = now;
        }
        self.need[0] = self.need[0].max(need);
    }

    /// Licenses to ask for: the most that was needed lately.
    pub(crate) fn need(&self) -> LicenseCount {
        LicenseCount(self.need[0].max(self.need[1]))
    }

    fn see_rate(&mut self, sessions: u32, now: Mono) {
        let Some((at, before)) = self.seen else {
            self.seen = Some((now, sessions));
            return;
        };
        let gap = now.since(at);
        if gap < SAMPLE_MIN {
            return;
        }
        self.seen = Some((now, sessions));
        let gap_ms = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
        let more = u64::from(sessions.saturating_sub(before));
        let rate = more.saturating_mul(1_000_000) / gap_ms.max(1);
        let fall = self.rate.saturating_mul(gap_ms) / FADES_IN_MS;
        self.rate = rate.max(self.rate.saturating_sub(fall));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER: NonZeroU32 = NonZeroU32::new(10_000).unwrap();
    const QUICK: Duration = Duration::from_millis(100);

    fn at(seconds: u64) -> Mono {
        Mono::default().after(Duration::from_secs(seconds))
    }

    fn steady(sessions: u32) -> u32 {
        let mut growth = Growth::default();
        for second in 0..10 {
            growth.see(sessions, PER, QUICK, &Ahead::default(), at(second));
        }
        growth.need().0
    }

    //= L6
    #[test]
    fn the_next_license_is_needed_when_a_fifth_of_one_is_left() {
        assert_eq!(steady(0), 1);
        assert_eq!(steady(8_000), 1);
        assert_eq!(steady(8_001), 2);
        assert_eq!(steady(18_001), 3);
    }

    //= L6
    #[test]
    fn fast_growth_is_seen_coming() {
        let mut growth = Growth::default();
        let slow = Duration::from_secs(10);
        for second in 0..5u32 {
            let sessions = 10_000 + second * 1_000;
            growth.see(sessions, PER, slow, &Ahead::default(), at(second.into()));
        }
        // 14,000 sessions, and 35 s at 1,000 a second.
        assert_eq!(growth.need(), LicenseCount(5));
    }

    //= L6
    #[test]
    fn a_storm_asks_for_twice_the_use_and_one_at_the_most() {
        let mut growth = Growth::default();
        growth.see(0, PER, QUICK, &Ahead::default(), at(0));
        growth.see(50_000, PER, QUICK, &Ahead::default(), at(1));
        assert_eq!(growth.need(), LicenseCount(11));
    }

    #[test]
    fn a_sample_right_after_another_is_no_growth() {
        let mut growth = Growth::default();
        growth.see(10_000, PER, QUICK, &Ahead::default(), at(1));
        let soon = at(1).after(Duration::from_millis(1));
        growth.see(10_100, PER, QUICK, &Ahead::default(), soon);
        assert_eq!(growth.rate, 0);
    }

    //= L6
    #[test]
    fn what_is_no_longer_needed_is_kept_for_a_while_and_then_not() {
        let ahead = Ahead::default();
        let mut growth = Growth::held(LicenseCount(5), at(0));
        growth.see(0, PER, QUICK, &ahead, at(1));
        assert_eq!(growth.need(), LicenseCount(5));
        growth.see(0, PER, QUICK, &ahead, at(1_800));
        assert_eq!(growth.need(), LicenseCount(5), "half a turn");
        growth.see(0, PER, QUICK, &ahead, at(3_600));
        assert_eq!(growth.need(), LicenseCount(1));
    }
}
