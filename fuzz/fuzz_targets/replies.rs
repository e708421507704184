//! Answers to a Smart Agent: `cargo xtask soak fuzz replies`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::wire::replies(input));
});
