//! GTP-C codec: a borrowed reader and a writer into a reusable buffer.
//!
//! [`v1`] is GTPv1-C as TS 29.060 has it on Gn, [`v2`] is GTPv2-C as TS 29.274 has it on S11, S5/S8, S2a and S2b;
//! [`peek`] reads the few octets that decide which worker a datagram goes to. A reader never panics, whatever the octets; it borrows, and looks into a value only when asked for its typed
//! view. Unknown information elements are skipped, as the specification wants.
//!
//! Deliberately absent: procedures, retransmission, which element is mandatory where (crate `session-plane`), the user
//! plane, sockets.
#![forbid(unsafe_code)]

pub mod pco;
pub mod peek;
pub mod v1;
pub mod v2;
