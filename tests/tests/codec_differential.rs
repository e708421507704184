//! The GTPv2-C codec against scapy and pycrate on messages at random: what one writes, the others read as it was meant.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tests::elements::{bare, in_words_of, lengths, random, read, write};
use tests::pycrate::Pycrate;
use tests::python::hex;
use tests::scapy::{Scapy, in_words_of_scapy};

/// Datagrams that are compared at least, however slow the machine is.
const LEAST: u32 = 60;
/// After this nothing more is begun.
const ENOUGH: Duration = Duration::from_secs(10);
const MOST: u32 = 3_000;

/// The seed of the random messages: `TOLLGATE_SEED`, else one of the system's.
fn seed() -> Result<u64> {
    let seed = match std::env::var("TOLLGATE_SEED") {
        Ok(text) => text.parse().context("TOLLGATE_SEED is a number")?,
        Err(_) => StdRng::from_os_rng().random(),
    };
    println!("TOLLGATE_SEED={seed}");
    Ok(seed)
}

/// Compares datagrams at random until there was time enough; says how many.
fn for_random_datagrams(mut compare: impl FnMut(&[Value], &[u8]) -> Result<()>) -> Result<u32> {
    let seed = seed()?;
    let mut rng = StdRng::seed_from_u64(seed);
    let (begun, mut done) = (Instant::now(), 0);
    while done < LEAST || done < MOST && begun.elapsed() < ENOUGH {
        let meant = random(&mut rng)?;
        let ours = write(&meant)?;
        compare(&meant, &ours)
            .with_context(|| format!("seed {seed}, datagram {done}: {}", hex(&ours)))?;
        done += 1;
    }
    println!("{done} datagrams in {:?}", begun.elapsed());
    Ok(done)
}

/// What was read is what was meant, and the lengths add up to the datagram.
fn check(said: &[Value], meant: &[Value], octets: &[u8]) -> Result<()> {
    let (said, meant, lengths) = (bare(said), in_words_of(said, meant)?, lengths(said));
    ensure!(said == meant, "said {said:#?}, meant {meant:#?}");
    let whole: u64 = lengths.iter().map(|length| 4 + length).sum();
    ensure!(whole == octets.len() as u64, "lengths {lengths:?}");
    Ok(())
}

#[test]
fn pycrate_reads_what_we_write_and_we_read_what_pycrate_writes() -> Result<()> {
    let mut pycrate = Pycrate::start()?;
    for_random_datagrams(|meant, ours| {
        check(&read(ours)?, meant, ours)?;
        let said = pycrate.read(ours)?;
        let complete = said.iter().all(|message| message["complete"] == true);
        ensure!(complete, "pycrate misses elements");
        check(&said, meant, ours)?;
        let theirs = pycrate.write(meant)?;
        check(&read(&theirs)?, meant, &theirs)?;
        ensure!(theirs == ours, "pycrate writes {}", hex(&theirs));
        Ok(())
    })?;
    Ok(())
}

#[test]
fn scapy_reads_what_we_write_and_we_read_what_scapy_writes() -> Result<()> {
    let mut scapy = Scapy::start()?;
    for_random_datagrams(|meant, ours| {
        let sayable = in_words_of_scapy(meant);
        let said = scapy.read(ours)?;
        check(&said, &sayable, ours)?;
        let theirs = scapy.write(&in_words_of(&said, &sayable)?)?;
        check(&read(&theirs)?, &sayable, &theirs)?;
        ensure!(theirs == write(&sayable)?, "scapy writes {}", hex(&theirs));
        Ok(())
    })?;
    Ok(())
}
