//! Requests to the control socket: `cargo xtask soak fuzz control`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::wire::control(input));
});
