//! Measurements of what the project promises, each against a reference in the same run.
//!
//! A machine that others load drifts by a third within seconds. So a time here is a ratio: slices of the subject lie
//! between slices of a yardstick, each is compared with its own neighbours, and the median of many such local ratios
//! is the result. Where the neighbours themselves disagree, the machine was too noisy to say, and the result says so.
//!
//! What can be counted is counted, on the workers of a node without its sockets ([`tests::planes`]); the reference is a
//! table or a plain model.
//!
//! Each binary measures one figure and ends with the line `ID VALUE target TARGET ok|short|invalid`; its exit code is 0,
//! 1 or 2; for `cargo xtask bench` it hands over what it found besides ([`report`]). Deliberately absent: absolute times as
//! results.
#![forbid(unsafe_code)]

pub mod clock;
pub mod duet;
pub mod figure;
pub mod filled;
pub mod lanes;
pub mod packed;
pub mod pairs;
pub mod report;
pub mod sampler;
pub mod sandwich;
pub mod servers;
pub mod sized;
pub mod subject;
pub mod turns;
pub mod worker;
