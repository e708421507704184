use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const WEEKS_2: usize = 14 * DAY;

fn seen(hours: impl IntoIterator<Item = u64>) -> Result<Growth, Insufficient> {
    let hours: Vec<Option<u64>> = hours.into_iter().map(Some).collect();
    Growth::seen(&hours)
}

/// What a gateway's sessions do by day and night, with a trend and a noise of this kind.
fn series(random: &mut StdRng, kind: &str, hours: usize) -> Vec<u64> {
    let (slope, wave) = (
        random.random_range(5.0..40.0),
        random.random_range(500.0..2_000.0),
    );
    let phase = random.random_range(0.0..std::f64::consts::TAU);
    // Of twelve even ones, a normal one.
    let normal = |random: &mut StdRng| (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let mut walked = 0.0;
    (0..hours)
        .map(|hour| {
            let noise = match kind {
                "noise" => normal(random) * 150.0,
                "walk" => {
                    walked += normal(random) * 60.0;
                    walked
                }
                "returning" => {
                    walked = walked * 0.97 + normal(random) * 60.0;
                    walked
                }
                _ => {
                    if random.random::<f64>() < 1.0 / 72.0 {
                        walked += normal(random) * 400.0;
                    }
                    walked + normal(random) * 60.0
                }
            };
            let turn = hour as f64 / DAY as f64 * std::f64::consts::TAU + phase;
            (8_000.0 + slope * hour as f64 + wave * turn.sin() + noise).max(0.0) as u64
        })
        .collect()
}

#[test]
fn a_backtest_puts_the_coverage_of_the_interval_between_70_and_90_percent() {
    let mut random = StdRng::seed_from_u64(7);
    let (mut all, mut inside) = (0_u32, 0_u32);
    for kind in ["noise", "walk", "returning", "steps"] {
        let (mut told, mut covered) = (0_u32, 0_u32);
        for _ in 0..60 {
            let span = 30;
            let whole = series(&mut random, kind, WEEKS_2 + span);
            let past: Vec<Option<u64>> = whole[..WEEKS_2].iter().copied().map(Some).collect();
            let Ok(growth) = Growth::seen(&past) else {
                continue;
            };
            let later = whole[WEEKS_2 + span - DAY..].iter().copied().max().unwrap();
            let grown = (later as f64 - growth.level as f64) / span as f64 * DAY as f64;
            let [low, _, high] = growth.per_day;
            told += 1;
            covered += u32::from((low..=high).contains(&grown));
        }
        println!("{kind}: {covered} of {told}");
        assert!(told > 40, "{kind}: {told}");
        let share = f64::from(covered) / f64::from(told);
        assert!((0.65..=0.95).contains(&share), "{kind}: {share}");
        all += told;
        inside += covered;
    }
    let share = f64::from(inside) / f64::from(all);
    assert!(COVERAGE.contains(&share), "{share}");
}

#[test]
fn what_was_seen_for_less_than_a_day_says_nothing() {
    assert_eq!(seen([5; 23]), Err(Insufficient::Hours(23)));
    assert_eq!(seen([]), Err(Insufficient::Hours(0)));
    // A day has one level, and so no growth.
    assert_eq!(seen([5; 24]), Err(Insufficient::Hours(24)));
    assert!(seen([5; 53]).is_ok());
    let gone: Vec<Option<u64>> = (0..200).map(|hour| (hour < 100).then_some(9)).collect();
    assert_eq!(Growth::seen(&gone), Err(Insufficient::Hours(100)));
}

#[test]
fn even_growth_reaches_a_ceiling_on_the_day_that_it_does() {
    let growth = seen((0..200).map(|hour| hour * 10)).unwrap();
    assert_eq!(growth.level, 1_990);
    assert!((growth.coverage - SHARE).abs() < 1e-9, "{growth:?}");
    assert_eq!(growth.per_day, [240.0; 3]);
    let days = growth.days_until(1_990 + 480);
    assert_eq!(
        (days.earliest, days.middle, days.latest),
        (Some(2.0), Some(2.0), Some(2.0))
    );
    assert_eq!(growth.days_until(1_990).middle, Some(0.0));
    assert_eq!(growth.days_until(10).earliest, Some(0.0));
    // In eleven years.
    assert_eq!(growth.days_until(1_990 + 240 * 3_651).earliest, None);
    for flat in [seen([7; 200]).unwrap(), seen((0..200).rev()).unwrap()] {
        assert_eq!(flat.days_until(300).earliest, None);
    }
}

#[test]
fn a_day_and_a_night_are_no_growth() {
    let wave = |hour: u64| if hour % 24 < 12 { 100 } else { 900 };
    let growth = seen((0..300).map(wave)).unwrap();
    assert_eq!((growth.level, growth.per_day), (900, [0.0; 3]));
}

#[test]
fn hours_without_a_sample_are_left_out() {
    let hour = |hour: u64| (hour % 10 != 3).then_some(hour * 10 + hour * 7_919 % 97);
    let hours: Vec<Option<u64>> = (0..200).map(hour).collect();
    let growth = Growth::seen(&hours).unwrap();
    assert!(growth.level >= 1_990);
    assert!((200.0..280.0).contains(&growth.per_day[1]), "{growth:?}");
}

#[test]
fn a_step_is_in_the_interval_and_what_the_past_does_not_bear_out_is_told() {
    let growth = seen((0..200).map(|hour| if hour < 150 { 100 } else { 5_000 })).unwrap();
    let days = growth.days_until(6_000);
    assert!(days.earliest.unwrap() < 1.0 && days.middle.is_none() && days.latest.is_none());
    // It grows ever faster: each interval is below what came.
    let outcome = seen((0_u64..60).map(|hour| 2_u64.pow(u32::try_from(hour / 2).unwrap())));
    let Err(Insufficient::Coverage(share)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(!COVERAGE.contains(&share), "{share}");
}
