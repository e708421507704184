//! Development tasks: test, tidy, mutants, figure.
#![forbid(unsafe_code)]

fn main() {}
