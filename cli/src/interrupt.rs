//! Ctrl-C, SIGTERM and SIGHUP, as a fact that a loop looks at and a wait ends by.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

/// Whether the user, or whoever runs us, wants it to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// From here on the signals no longer end the process; they make [`Interrupt::came`] true.
    pub fn watch() -> io::Result<Self> {
        let interrupt = Self::default();
        let told = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        let mut hung_up = signal(SignalKind::hangup())?;
        drop(entered);
        let wait = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupted.recv() => {}
                    _ = terminated.recv() => {}
                    _ = hung_up.recv() => {}
                }
            });
            told.tell();
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(wait)?;
        Ok(interrupt)
    }

    /// A signal came.
    pub fn came(&self) -> bool {
        *self.state()
    }

    /// Waits for so long, or until a signal comes; true if one came.
    pub fn wait(&self, at_most: Duration) -> bool {
        let end = Instant::now() + at_most;
        let mut came = self.state();
        while !*came {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.0.1.wait_timeout(came, left);
            came = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *came
    }

    fn tell(&self) {
        *self.state() = true;
        self.0.1.notify_all();
    }

    /// A panic elsewhere leaves the flag as right as it was.
    fn state(&self) -> MutexGuard<'_, bool> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_by_the_signal() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.wait(Duration::from_millis(1)));
        let told = interrupt.clone();
        let thread = std::thread::spawn(move || told.tell());
        assert!(interrupt.wait(Duration::from_secs(60)));
        assert!(interrupt.came());
        thread.join().unwrap();
    }
}
