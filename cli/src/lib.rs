//! The tollgate command line: node, show, license, load and demo.
#![forbid(unsafe_code)]
