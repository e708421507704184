//! Slots of the license clock with octets changed: `cargo xtask soak fuzz slots`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::slots::slots(input));
});
