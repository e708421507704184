//! The `tollgate` binary.
#![forbid(unsafe_code)]

fn main() {}
