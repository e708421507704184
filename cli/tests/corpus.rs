//! The corpora of the fuzz targets of what is typed, replayed, and inputs made of them by chance.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::Path;

use cli::shell::Next;

#[path = "../../fuzz/src/typed.rs"]
mod typed;

/// All inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{target} has a small corpus");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// An input of the corpus with parts of others between its own, without some, and with an octet changed here and there; a part
/// ends with this octet.
fn mutated(corpus: &[Vec<u8>], end: u8, random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let parts = |input: &'_ [u8]| -> Vec<Vec<u8>> {
        let parts = input.split_inclusive(|octet| *octet == end);
        parts.map(<[u8]>::to_vec).collect()
    };
    let mut own = parts(&corpus[random(corpus.len())]);
    for _ in 0..random(4) {
        let others = parts(&corpus[random(corpus.len())]);
        let place = random(own.len() + 1);
        match random(2) {
            0 if place < own.len() => drop(own.remove(place)),
            _ if others.is_empty() => {}
            _ => own.insert(place, others[random(others.len())].clone()),
        }
    }
    let mut input = own.concat();
    for _ in 0..random(3) {
        if let Some(last) = input.len().checked_sub(1) {
            input[random(last + 1)] = b" \n|?\"-=#!a0"[random(11)];
        }
    }
    input
}

/// xorshift64
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    }
}

/// How many inputs are made by chance; `TOLLGATE_FUZZ_ROUNDS` says another number.
fn rounds(default: usize) -> usize {
    let said = std::env::var("TOLLGATE_FUZZ_ROUNDS").ok();
    said.map_or(default, |said| said.parse().unwrap())
}

#[test]
fn every_line_is_done_or_is_said_to_be_wrong() {
    let corpus = corpus("grammar");
    let ends: Vec<Next> = corpus.iter().filter_map(|i| typed::grammar(i)).collect();
    for end in [Next::Done, Next::NotUnderstood, Next::End] {
        assert!(ends.contains(&end), "no input ends as {end:?}");
    }
    let mut done = 0;
    for seed in 1..=rounds(300) as u64 {
        let input = mutated(&corpus, b' ', &mut numbers(seed));
        println!("seed {seed}: {:?}", String::from_utf8_lossy(&input));
        done += u32::from(typed::grammar(&input) == Some(Next::Done));
    }
    println!("{done} lines were done");
    assert!(done > 0);
}

#[test]
fn every_configuration_that_is_read_is_printed_and_read_the_same() {
    let corpus = corpus("configuration");
    let read: Vec<bool> = corpus
        .iter()
        .filter_map(|i| typed::configuration(i))
        .collect();
    assert!(read.contains(&true) && read.contains(&false), "{read:?}");
    let mut read = 0;
    for seed in 1..=rounds(20_000) as u64 {
        let input = mutated(&corpus, b'\n', &mut numbers(seed));
        println!("seed {seed}: {:?}", String::from_utf8_lossy(&input));
        read += u32::from(typed::configuration(&input) == Some(true));
    }
    println!("{read} texts were read");
    assert!(read > 0);
}
