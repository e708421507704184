//! What the SNMP agent is sent: `cargo xtask soak fuzz agent`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::snmp::agent(input);
});
