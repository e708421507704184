//! Measurements, each a ratio against a reference in the same run.
#![forbid(unsafe_code)]
