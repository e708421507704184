//! The gate under loom: every interleaving of a few small programs, up to a bound of preemptions.
//!
//! Run as
//! `RUSTFLAGS="--cfg loom" cargo test -p enforcer --release --target-dir target/loom --test loom_gate`.
//! The preemption bound is 3 unless `LOOM_MAX_PREEMPTIONS` says otherwise.
//!
//! `TOLLGATE_MUTANT=name` breaks the gate in one of the ways that `enforcer::gate::mutants` lists. The test
//! `every_mutant_is_killed_or_argued` runs this same binary once a mutant, and asks that the model named in the list
//! fails; with `TOLLGATE_MUTANT_REPORT=path` it runs every model against every mutant instead and writes the table of
//! `enforcer/tests/gate_mutants.md`.
#![cfg(loom)]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod asymmetric;
mod bounds;
mod changes;
mod counter_models;
mod counts;
mod moves;
mod mutants;
mod priority;
mod rig;
