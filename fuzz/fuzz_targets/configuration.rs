//! A configuration as text: `cargo fuzz run -s none configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::typed::configuration(input);
});
