//! Pauses between attempts: they double up to a bound, and no two nodes keep step.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::config::Timers;

/// The pause after so many failures in a row: between half of it and the whole, by chance.
pub(crate) fn pause(failures: u32, timers: &Timers, random: &mut StdRng) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let whole = timers.backoff_first.saturating_mul(1 << doublings);
    let whole = whole.min(timers.backoff_most);
    whole.mul_f64(random.random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_differ() {
        let timers = Timers::default();
        let mut random = StdRng::seed_from_u64(1);
        let seconds = [
            (1, 1),
            (2, 2),
            (3, 4),
            (5, 16),
            (12, 2_048),
            (13, 3_600),
            (900, 3_600),
        ];
        for (failures, whole) in seconds {
            let whole = Duration::from_secs(whole);
            let pauses: Vec<_> = (0..100)
                .map(|_| pause(failures, &timers, &mut random))
                .collect();
            assert!(pauses.iter().all(|p| (whole / 2..=whole).contains(p)));
            assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }
}
