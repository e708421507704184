//! Random procedure steps over the workers of a node, beside a plain model that knows what should be there.
//!
//! Subscribers come by Gn, S5/S8, S2a, S2b and S11, there to us alone or through us to a PGW of another's, which accepts,
//! refuses, answers half or not at all, and closes sessions; peers restart or fall silent, operators clear sessions, terms
//! change, time passes. After each step the counts lie between what is certainly there and that together with what may be
//! there: after a restart the sessions of the peer end within a second or so, and until then nobody says which have. In the
//! end all of it is ended, and nothing may be left: no permit, no count, no address.

pub(crate) mod model;
mod peers;
mod requests;
pub(crate) mod run;

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;

use run::Run;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Steps.
    pub steps: u64,
    /// Sessions that were accepted.
    pub made: u64,
    /// Requests that were refused: for the license, or for want of an address.
    pub refused: u64,
    /// Restarts of peers, and paths that failed.
    pub peers_lost: u64,
    /// Sessions that an operator cleared.
    pub cleared: u64,
    /// Permits that were not back in the end.
    pub leaked: u64,
}

/// Does so many random steps on one node, and ends what is left.
///
/// # Errors
///
/// When node and model differ, with the step at which they do.
pub fn run(seed: u64, workers: u16, steps: u64) -> Result<Done> {
    let mut run = Run::new(StdRng::seed_from_u64(seed), workers)?;
    for step in 0..steps {
        run.step()
            .with_context(|| format!("seed {seed}, step {step}"))?;
    }
    run.end()
        .with_context(|| format!("seed {seed}, at the end"))
}
