//! Scenarios and interoperability with peers that nobody here wrote.
#![forbid(unsafe_code)]
