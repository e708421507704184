//! What the decoder of GTPv1-C is sent: `cargo xtask soak fuzz gtpv1`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::gtp::v1(input));
});
