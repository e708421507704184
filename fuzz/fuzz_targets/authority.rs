//! Messages to a license authority: `cargo xtask soak fuzz authority`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::wire::authority(input));
});
