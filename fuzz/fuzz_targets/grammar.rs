//! What is typed in a session of the shell: `cargo fuzz run -s none grammar`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::typed::grammar(input);
});
