//! Bulk statistics: the node as their variables see it.

mod view;
