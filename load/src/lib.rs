//! GTP load generator: call model and messages.
#![forbid(unsafe_code)]
