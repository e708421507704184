//! Scenarios and interoperability with peers that nobody here wrote.
//!
//! The harness: a real `tollgate node` as a child process ([`node`]), the peers that call it ([`sgsnemu`], [`gtphub`],
//! [`ggsn`], [`gtpv2`], and [`sgsn`], a peer of our own that shares no code with the codec under test), and the programs
//! that judge what goes over the wire ([`tshark`], [`scapy`], [`pycrate`]) from captures that the harness writes itself
//! ([`capture`]). [`schemathesis`] calls the API of a license authority ([`office`]) by its document, [`postgres`] keeps its
//! books, and a [`courier`] between that and nodes makes its messages meet every fault. [`net_snmp`] and [`pysnmp`] ask an SNMP
//! agent, and take its notifications. [`receivers`] take files, [`rsyslog`] takes messages of syslog. OpenSSH's client ([`ssh`])
//! and Cisco's [`unicon`] type what an operator does; [`tmux`] shows what stands on the screen.
//!
//! What needs no process runs on the workers of a node without its sockets ([`planes`]): whole tables ([`conformance`])
//! and millions of steps.
//!
//! Every test has addresses of its own ([`subnet`]), so that tests run at once, also from several processes. A program
//! that is missing fails the test that needs it, with its name and how to install it; nothing is skipped.
#![forbid(unsafe_code)]

pub mod capture;
pub mod child;
pub mod conformance;
pub mod control;
pub mod courier;
#[path = "../../authority/src/rig/database.rs"]
pub mod database;
pub mod desk;
#[path = "../../authority/src/rig/dump.rs"]
pub mod dump;
pub mod elements;
pub mod gateway;
pub mod ggsn;
pub mod gtphub;
pub mod gtpv2;
pub mod json_schemas;
pub mod leaks;
pub mod message;
pub mod mutate;
pub mod net_snmp;
pub mod node;
pub mod office;
pub mod openmetrics;
pub mod planes;
pub mod postgres;
pub mod prometheus;
pub mod pycrate;
pub mod pysnmp;
pub mod python;
pub mod receivers;
pub mod relay;
pub mod rsyslog;
pub mod scapy;
pub mod schemathesis;
pub mod sgsn;
pub mod sgsnemu;
pub mod sim;
pub mod snmp_agent;
pub mod ssh;
pub mod subnet;
pub mod terminal;
pub mod thread;
pub mod tinyproxy;
pub mod tmux;
pub mod tollgate;
pub mod tshark;
pub mod unicon;
pub mod wait;
