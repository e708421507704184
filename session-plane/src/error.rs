//! Why a plane can't be built from its configuration.

use thiserror::Error;

/// What is wrong with a [`PlaneConfig`](crate::PlaneConfig), or with its seat at the gate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlaneError {
    /// No access point name: no call could ever be answered.
    #[error("at least one apn is needed")]
    NoApn,
    /// More access point names than a session record can tell apart.
    #[error("at most {max} apns, {have} are configured", max = crate::config::APNS_MAX)]
    TooManyApns {
        /// How many there are.
        have: usize,
    },
    /// A name that no request could carry.
    #[error("apn {name:?} is empty, too long or holds a character no apn may have")]
    ApnName {
        /// The name.
        name: String,
    },
    /// The same name, letter case apart.
    #[error("apn {name:?} is configured twice")]
    ApnTwice {
        /// The name.
        name: String,
    },
    /// An access point name without a pool gives no address.
    #[error("apn {apn:?} has no address pool")]
    ApnWithoutPool {
        /// The access point name.
        apn: String,
    },
    /// An SGW gives no address.
    #[error("apn {apn:?} is an SGW's and has an address pool, which is its PGW's to have")]
    ApnWithPool {
        /// The access point name.
        apn: String,
    },
    /// A pool that there is not.
    #[error("apn {apn:?} names pool {pool}, there are {pools}")]
    UnknownPool {
        /// The access point name.
        apn: String,
        /// The pool that it names.
        pool: u16,
        /// Pools configured.
        pools: usize,
    },
    /// An IPv4 pool where an IPv6 one is wanted, or the other way round.
    #[error("apn {apn:?} takes its {family} addresses from pool {pool:?}, which has none")]
    PoolFamily {
        /// The access point name.
        apn: String,
        /// The pool's name.
        pool: String,
        /// The family wanted.
        family: &'static str,
    },
    /// A pool whose last address comes before its first, or with more addresses than can be counted.
    #[error("pool {pool:?}: {why}")]
    PoolRange {
        /// The pool's name.
        pool: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Two pools could give the same address out twice.
    #[error("pools {first:?} and {second:?} share addresses")]
    PoolsOverlap {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A cause for refusals that accepts, or that no Create PDP Context Response may carry.
    #[error("cause {cause} does not refuse: 192 to 255 do")]
    Cause {
        /// The cause.
        cause: u8,
    },
    /// A cause for refusals that accepts, or that no Create Session Response may carry.
    #[error("cause {cause} does not refuse by GTPv2: 64 to 239 do")]
    CauseV2 {
        /// The cause.
        cause: u8,
    },
    /// A bound that leaves no room for anything.
    #[error("{what} must be at least {least}")]
    TooSmall {
        /// Which setting.
        what: &'static str,
        /// The least that it may be.
        least: u64,
    },
    /// A worker's number that is not below the number of workers, or more workers than shards.
    #[error("worker {worker} of {workers}: at most 256 workers, numbered from 0")]
    Seat {
        /// The worker.
        worker: u16,
        /// How many there are.
        workers: u16,
    },
    /// The gate knows no such service, or no room for a further class.
    #[error(transparent)]
    Gate(#[from] enforcer::GateError),
}
