//! GTP-C procedures, session table and peers; asks the gate, owns no sockets.
#![forbid(unsafe_code)]
