//! The gate (hot half) and the verdicts (slow half) of license enforcement.
#![forbid(unsafe_code)]
