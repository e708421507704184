//! The machine against a simulated GGSN, on a virtual clock.
