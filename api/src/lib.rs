//! Envelopes of everything that crosses a process border.
#![forbid(unsafe_code)]
