//! Messages one after another at a node: `cargo xtask soak fuzz sequences`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::sequences::sequences(input));
});
