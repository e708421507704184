//! Objects that can be read: tables of rows (name, OID, type, help, function of a snapshot), and the tree over them.
//!
//! ```text
//!   Group: scalars, tables of columns --> Mib: in order, no two in each other's way
//!   Mib + one snapshot                --> Tree: get a name, or seek what comes next
//! ```
//!
//! A [`Mib`] is made once. A [`Tree`] is of one snapshot and asks for values as they are wanted; the rows of a table are
//! listed when it is first touched, and then found by halves. What has no value is not there: it is passed over.

mod index;
mod mib;
mod syntax;
mod tree;

pub use index::Index;
pub use mib::{Column, Group, Listed, Mib, MibError, Scalar, Table};
pub use syntax::Syntax;
pub use tree::{Row, Tree};
