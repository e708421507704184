//! Random procedure steps beside a plain model, and nothing left in the end.
#![forbid(unsafe_code)]

use anyhow::Result;
use tests::leaks;

#[test]
fn random_procedures_leak_no_permit() -> Result<()> {
    for seed in 0..6 {
        let done = leaks::run(seed, 3, 5_000)?;
        println!("{done:?}");
        assert_eq!((done.leaked, done.steps), (0, 5_000));
    }
    Ok(())
}
