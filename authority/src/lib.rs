//! A license authority: it plays the part of the vendor's Smart Software Manager for the nodes of this project.
//!
//! ```text
//! agents  --POST /v1/smart, TLS with the identity certificate--> smart --> books, chain, pool --+
//! people  --/v1/..., a session or an API token--> rest --> roles --> admin ---------------------+--> store (SQL)
//! time    ------------------------------------------------> sweep ------------------------------+
//! ```
//!
//! A virtual account owns licenses of tags. It answers each instance that uses a tag with a verdict, by what all of them
//! use and what is owned, and with an exact grant, by what is out with the others. Sums are kept as they change, so that an
//! answer costs the same in a pool of any size. What is granted stays out until the instance says that it holds less.
//!
//! Deliberately absent: a browser's pages, and other databases than SQLite and PostgreSQL.
#![forbid(unsafe_code)]

mod admin;
mod authority;
mod books;
mod chain;
mod config;
mod instances;
mod journal;
mod moment;
mod pki;
mod pool;
mod rest;
mod retention;
mod revocation;
#[cfg(test)]
mod rig;
mod roles;
mod secret;
mod server;
mod smart;
mod store;
mod sweep;
mod tags;

pub use authority::{Authority, OpenError, Settings, SetupSecret};
pub use config::{Config, ConfigError};
pub use moment::Moment;
pub use pki::{PkiError, PkiFileError};
pub use retention::Kept;
pub use server::{ServeError, Server, run};
pub use smart::SmartError;
pub use store::{Database, StoreError, UrlError};
