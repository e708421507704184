//! The node's other thread: a sample each time that one is asked for, with what the worker counted.

use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Result;
use benches::sampler::Sampler;

use crate::SAMPLE_MAX;
use crate::line::Job;

/// Samples until nobody asks any more; then the bytes of the last.
pub(crate) fn run(
    mut sampler: Sampler,
    jobs: &Sender<Job>,
    asked: &Receiver<()>,
    done: &Sender<()>,
) -> Result<usize> {
    let mut bytes = 0;
    while asked.recv().is_ok() {
        let (reply, answer) = channel();
        jobs.send(Job::Statistics(reply))?;
        let counted = answer.recv_timeout(SAMPLE_MAX)?;
        bytes = sampler.sample(counted.sessions.into())?;
        done.send(())?;
    }
    Ok(bytes)
}
