//! Measurements of what the project promises, each against a reference in the same run.
//!
//! A machine that others load drifts by a third within seconds. So a number here is a ratio: slices of the subject lie
//! between slices of a yardstick, each is compared with its own neighbours, and the median of many such local ratios
//! is the result. Where the neighbours themselves disagree, the machine was too noisy to say, and the result says so.
//!
//! Each binary measures one figure and ends with the line `ID VALUE target TARGET ok|short|invalid`; its exit code is 0,
//! 1 or 2. Deliberately absent: absolute times as results.
#![forbid(unsafe_code)]

pub mod figure;
pub mod sandwich;
pub mod subject;
