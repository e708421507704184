//! The order to end, from a signal or from the program that runs the node.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// A flag that can be waited for; its clones are the same flag.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: Mutex<bool>,
    changed: Condvar,
    signals: bool,
}

impl Shutdown {
    /// One that only [`Shutdown::trigger`] sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGTERM and SIGINT set, too, once a node runs with it.
    pub fn on_signals() -> Self {
        let inner = Inner {
            signals: true,
            ..Inner::default()
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Asks the node to end: it takes what has arrived, saves and returns.
    pub fn trigger(&self) {
        *self.inner.asked.lock() = true;
        self.inner.changed.notify_all();
    }

    /// Waits until it is asked for.
    pub fn wait(&self) {
        let mut asked = self.inner.asked.lock();
        while !*asked {
            self.inner.changed.wait(&mut asked);
        }
    }

    pub(crate) fn watches_signals(&self) -> bool {
        self.inner.signals
    }
}
