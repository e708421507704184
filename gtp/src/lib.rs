//! GTP-C codec: borrowed reader and writer.
#![forbid(unsafe_code)]
