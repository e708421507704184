//! What the decoder of GTPv2-C is sent: `cargo xtask soak fuzz gtpv2`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    std::hint::black_box(fuzz::gtp::v2(input));
});
