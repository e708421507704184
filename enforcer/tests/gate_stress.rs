//! The gate of the atomic form under eight threads.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod storm;

use enforcer::Form;

fn form() -> (Form, u32) {
    (Form::Atomic, 0)
}
