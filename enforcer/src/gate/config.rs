//! The size of a gate, checked once.

use thiserror::Error;

/// Most services of a gate.
#[cfg(not(loom))]
pub const SERVICES_MAX: usize = licensing::catalog::SERVICES_MAX;
/// Most services of a gate under loom, which explores every atomic there is.
#[cfg(loom)]
pub const SERVICES_MAX: usize = 2;

/// Most call classes of a gate.
#[cfg(not(loom))]
pub const CLASSES_MAX: usize = 1024;
/// Most call classes of a gate under loom, which explores every atomic there is.
#[cfg(loom)]
pub const CLASSES_MAX: usize = 4;

/// Most workers of a gate: 256 threads that run calls, and one that counts for other processes.
pub const WORKERS_MAX: u16 = 257;

/// Largest batch that moves between a cell and the pool.
pub const BATCH_MAX: u32 = 64;

/// Orders the memory of all threads of the process that are running or were; false: it could not.
pub type HeavyFence = fn() -> bool;

/// How workers move their own credit.
#[derive(Clone, Copy, Debug, Default)]
pub enum Form {
    /// By one atomic step.
    #[default]
    Atomic,
    /// By a load and two stores; who seals a cell pays, with this fence.
    Asymmetric(HeavyFence),
}

/// How large a gate is, and how its cells and its pool trade.
#[derive(Clone, Copy, Debug)]
pub struct GateConfig {
    /// Services, 1 to [`SERVICES_MAX`].
    pub services: u8,
    /// Workers that may hold a [`WorkerGate`](super::WorkerGate) at once, 1 to [`WORKERS_MAX`]. About 89 KiB each.
    pub workers: u16,
    /// Permits that move at once between a worker's cell and the pool, 1 to [`BATCH_MAX`]; a cell holds under twice as many.
    pub batch: u32,
    /// Ordinary admissions of one worker without a refusal after which a full service hands out credit again.
    pub calm: u32,
    /// How workers move their own credit.
    pub form: Form,
    /// Asymmetric form: readings of another worker's busy bit before its credit is left where it is.
    pub spins: u32,
}

impl GateConfig {
    /// A batch of 64, a calm of 256 admissions, the atomic form.
    pub fn new(services: u8, workers: u16) -> Self {
        Self {
            services,
            workers,
            batch: BATCH_MAX,
            calm: 256,
            form: Form::Atomic,
            spins: 2_000,
        }
    }

    pub(super) fn check(&self) -> Result<(), GateError> {
        if !(1..=SERVICES_MAX).contains(&usize::from(self.services)) {
            return Err(GateError::Services(self.services));
        }
        if !(1..=WORKERS_MAX).contains(&self.workers) {
            return Err(GateError::Workers(self.workers));
        }
        if !(1..=BATCH_MAX).contains(&self.batch) {
            return Err(GateError::Batch(self.batch));
        }
        Ok(())
    }
}

/// Why a gate can't be had, or not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GateError {
    /// No service, or more than there can be.
    #[error("a gate has 1 to {SERVICES_MAX} services, not {0}")]
    Services(u8),
    /// No worker, or more than there can be.
    #[error("a gate has 1 to {WORKERS_MAX} workers, not {0}")]
    Workers(u16),
    /// A batch outside its bounds.
    #[error("a batch moves 1 to {BATCH_MAX} permits, not {0}")]
    Batch(u32),
    /// A class of a service that the gate wasn't made for.
    #[error("service {service} is not one of the {services} of this gate")]
    UnknownService {
        /// The place asked for.
        service: u8,
        /// How many services there are.
        services: u8,
    },
    /// Every class id is taken; none is ever given twice.
    #[error("all {CLASSES_MAX} call classes are taken")]
    ClassesFull,
    /// Every worker's place is taken.
    #[error("all {0} worker places are taken")]
    WorkersFull(u16),
}
