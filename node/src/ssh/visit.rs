//! One channel as a thread has it: keys that come, text that goes, and the size of the terminal.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Notify, mpsc};

/// Ctrl-C.
const INTERRUPT: u8 = 3;

/// Bytes that are typed or piped ahead at most; who sends more is left.
pub(super) const AHEAD_BYTES_MAX: usize = 1024 * 1024;

/// One channel.
#[derive(Debug)]
pub struct Visit {
    /// The command that it is for; none: a shell.
    pub command: Option<String>,
    /// There is a terminal at the other end.
    pub terminal: bool,
    pub(super) keys: Arc<Keys>,
    pub(super) out: mpsc::Sender<Vec<u8>>,
}

/// What was typed, and not read yet.
#[derive(Debug, Default)]
pub(super) struct Keys {
    state: Mutex<State>,
    came: Condvar,
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    ended: bool,
    /// Nobody is at the other end any more.
    gone: bool,
    /// A command of a terminal waits for an answer: Ctrl-C ends the wait and is no key.
    waits: bool,
    interrupted: bool,
    /// Lines and columns.
    size: Option<(u16, u16)>,
}

impl Visit {
    /// The next byte that is typed; it is waited for. None: there is no more, or nobody is there any more.
    pub fn byte(&mut self) -> Option<u8> {
        self.keys.byte()
    }

    /// Writes; it waits until the client takes it. Errors: the client is gone, or takes nothing.
    pub fn write(&mut self, octets: Vec<u8>) -> io::Result<()> {
        let sent = self.out.blocking_send(octets);
        sent.map_err(|_| ErrorKind::BrokenPipe.into())
    }

    /// Lines and columns of the terminal, as the client said last.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.keys.state.lock().size
    }
}

#[cfg_attr(not(feature = "sftp"), allow(dead_code))]
impl Keys {
    fn byte(&self) -> Option<u8> {
        let mut state = self.state.lock();
        loop {
            if state.gone {
                return None;
            }
            if let Some(byte) = state.bytes.pop_front() {
                return Some(byte);
            }
            if state.ended {
                return None;
            }
            self.came.wait(&mut state);
        }
    }

    /// These were typed; false: that is too much, and they are dropped.
    pub(super) fn typed(&self, bytes: &[u8]) -> bool {
        let mut state = self.state.lock();
        if state.bytes.len() + bytes.len() > AHEAD_BYTES_MAX {
            return false;
        }
        match state.waits && bytes.contains(&INTERRUPT) {
            // What else is typed ahead is kept.
            true => {
                let keys = bytes.iter().filter(|byte| **byte != INTERRUPT);
                state.bytes.extend(keys);
                state.interrupted = true;
                self.left.notify_waiters();
            }
            false => state.bytes.extend(bytes),
        }
        self.came.notify_all();
        true
    }

    /// Waits until Ctrl-C is typed, where there is a terminal, or nobody is there any more.
    pub(super) async fn left(&self, terminal: bool) {
        let _waits = Waits::begin(self, terminal);
        loop {
            // What comes from here on wakes it.
            let left = self.left.notified();
            let is_left = {
                let state = self.state.lock();
                state.gone || state.interrupted
            };
            if is_left {
                return;
            }
            left.await;
        }
    }

    /// No more comes.
    pub(super) fn end(&self) {
        self.state.lock().ended = true;
        self.came.notify_all();
    }

    /// Nobody is there any more: what was typed and not read is not done.
    pub(super) fn gone(&self) {
        self.state.lock().gone = true;
        self.came.notify_all();
        self.left.notify_waiters();
    }

    /// The terminal has so many lines and columns; 0: it does not say.
    pub(super) fn resized(&self, lines: u32, columns: u32) {
        let bounded = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        let size = (bounded(lines), bounded(columns));
        self.state.lock().size = (size.0 > 0 && size.1 > 0).then_some(size);
    }
}

/// While this lives a command waits.
struct Waits<'k>(&'k Keys);

impl<'k> Waits<'k> {
    fn begin(keys: &'k Keys, terminal: bool) -> Self {
        let mut state = keys.state.lock();
        (state.waits, state.interrupted) = (terminal, false);
        Self(keys)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.state.lock().waits = false;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn is_pending(left: impl Future<Output = ()>) -> bool {
        timeout(Duration::ZERO, left).await.is_err()
    }

    #[test]
    fn what_is_typed_ahead_is_bounded_and_read_in_order() {
        let keys = Keys::default();
        assert!(keys.typed(b"ab"));
        assert!(!keys.typed(&vec![0; AHEAD_BYTES_MAX]));
        keys.end();
        assert_eq!(
            [keys.byte(), keys.byte(), keys.byte()],
            [Some(b'a'), Some(b'b'), None]
        );
        keys.resized(24, 80);
        assert_eq!(keys.state.lock().size, Some((24, 80)));
        keys.resized(0, 80);
        assert_eq!(keys.state.lock().size, None);
    }
    #[tokio::test]
    async fn ctrl_c_ends_a_wait_at_a_terminal_and_is_a_key_elsewhere() {
        let keys = Keys::default();
        assert!(keys.typed(&[INTERRUPT]));
        let mut left = pin!(keys.left(true));
        assert!(is_pending(left.as_mut()).await, "typed before the wait");
        assert!(keys.typed(&[b'a', INTERRUPT, b'b']));
        left.await;
        let typed = [keys.byte(), keys.byte(), keys.byte()];
        assert_eq!(typed, [Some(INTERRUPT), Some(b'a'), Some(b'b')]);

        let mut left = pin!(keys.left(false));
        assert!(is_pending(left.as_mut()).await);
        assert!(keys.typed(&[INTERRUPT]));
        keys.end();
        assert!(is_pending(left.as_mut()).await, "a pipe that has ended");
        assert_eq!(keys.byte(), Some(INTERRUPT));
        assert!(keys.typed(b"unread"));
        keys.gone();
        left.await;
        assert_eq!(keys.byte(), None);
    }
}
