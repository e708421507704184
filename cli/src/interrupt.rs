//! Ctrl-C, SIGTERM and SIGHUP, as a fact that a loop looks at and a wait ends by.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// Said once by a session at a terminal: Ctrl-C ends what it waits for, and never the process.
static STAYS: OnceLock<()> = OnceLock::new();

/// SIGINT no longer ends this process, but a wait with a [`Leavable`]; SIGTERM and SIGHUP do what is said here, and end it.
pub fn stay(end: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let _interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    drop(entered);
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = hung_up.recv() => {}
            }
        });
        end();
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)?;
    STAYS.get_or_init(|| ());
    Ok(())
}

/// A wait that Ctrl-C ends while this lives, if the process has said that it stays; what was typed ahead is kept.
pub struct Leavable(Option<(Termios, Signal)>);

impl Leavable {
    /// Within a runtime.
    pub fn begin() -> Self {
        let begun = || {
            STAYS.get()?;
            let before = tcgetattr(io::stdin()).ok()?;
            let interrupted = signal(SignalKind::interrupt()).ok()?;
            let mut heard = before.clone();
            heard
                .local_modes
                .insert(LocalModes::ISIG | LocalModes::NOFLSH);
            tcsetattr(io::stdin(), OptionalActions::Now, &heard).ok()?;
            Some((before, interrupted))
        };
        Self(begun())
    }

    /// Waits for Ctrl-C; for ever where it is not heard.
    pub async fn left(&mut self) {
        match &mut self.0 {
            Some((_, interrupted)) => drop(interrupted.recv().await),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Leavable {
    fn drop(&mut self) {
        if let Some((before, _)) = &self.0 {
            // A terminal that is gone has nothing to be put back.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
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
