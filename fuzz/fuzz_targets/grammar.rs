//! What is typed in a session of the shell: `cargo xtask soak fuzz grammar`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::typed::grammar(input);
});
