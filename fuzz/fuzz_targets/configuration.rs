//! A configuration as text: `cargo xtask soak fuzz configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::typed::configuration(input);
});
