//! A whole node by one seed: calls and their peers, gate and session planes, verdicts, Smart Agent, a license authority with its
//! store, delivery of notifications and a manager, bulk statistics and a receiver. The machines are those of the product;
//! what lies between them, clock, network and disk, is a model that fails as the seed says.
//!
//! After each step a shadow model is asked: are the counts those of the sessions, was nobody admitted at the ceiling and no
//! emergency call refused, has no license time come back, has each raise one clear. In the end everything heals, and what was
//! told, reported and counted has to agree on all sides. The invariants and their names are in SPECIFICATION.md.
//!
//! A model in place of the real thing: redb's files (`node`'s crash points have these), sockets, TLS and threads.

mod actions;
mod disk;
mod nms;
mod outside;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use world::World;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Steps of the grammar.
    pub steps: u64,
    /// Sessions that were made.
    pub made: u64,
    /// Calls refused.
    pub refused: u64,
    /// License time that passed, in seconds.
    pub license_s: u64,
    /// Faults injected, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Notifications that the manager has, each once.
    pub told: u64,
    /// Samples of bulk statistics that were compared with the node.
    pub samples: u64,
    /// Usage that the authority has of the node, licenses times milliseconds.
    pub reported: u64,
    /// Hash of all that happened, in its order.
    pub trace: u64,
}

impl Done {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.made += other.made;
        self.refused += other.refused;
        self.license_s += other.license_s;
        for (kind, many) in &other.faults {
            *self.faults.entry(kind).or_default() += many;
        }
        self.told += other.told;
        self.samples += other.samples;
        self.reported += other.reported;
    }
}

/// Authorities that worlds begin with, one for each speed of the license clock: setting one up costs more than a run.
#[derive(Default)]
pub struct Templates(world::Templates);

/// One run.
///
/// # Errors
///
/// When an invariant is broken: which, at which step.
pub fn run(seed: u64, steps: u64, templates: &mut Templates) -> Result<Done> {
    let mut world = World::new(seed, &mut templates.0).context("at the start")?;
    for step in 0..steps {
        world
            .step()
            .with_context(|| format!("seed {seed}, step {step}: {}", world.last_actions()))?;
    }
    let story = world.last_actions();
    world
        .end()
        .with_context(|| format!("seed {seed}, at the end: {story}"))
}

/// The same twice: I14.
///
/// # Errors
///
/// As [`run`], and when the second differs from the first.
pub fn run_twice(seed: u64, steps: u64, templates: &mut Templates) -> Result<Done> {
    let first = run(seed, steps, templates)?;
    let second = run(seed, steps, templates)?;
    ensure!(
        first == second,
        "I14: seed {seed} went two ways: {first:?}, then {second:?}"
    );
    Ok(first)
}

/// So long all is well before it is judged what is left.
const HEALED: Duration = Duration::from_secs(600);
