//! What the receiver of an inform says: `cargo xtask soak fuzz inform`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::snmp::inform(input);
});
