//! One channel as a thread has it: keys that come, text that goes, and the size of the terminal.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

use super::held::Hold;

/// Ctrl-C.
const INTERRUPT: u8 = 3;

/// Bytes that are typed ahead before the client is held.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

/// The same while the session waits until its output is taken: the client says behind what it has sent that it takes more.
const WRITING_AHEAD_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that are kept at most, those of packets that were on their way with them; who sends more is left.
const KEPT_BYTES_MAX: usize = 2 * WRITING_AHEAD_BYTES_MAX;

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
    /// Of the connection.
    hold: Arc<Hold>,
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    ended: bool,
    /// Nobody is at the other end any more.
    gone: bool,
    /// The connection is held.
    holds: bool,
    /// The session waits until its output is taken.
    writes: bool,
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
        let sent = match self.out.try_send(octets) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(octets)) => {
                self.keys.writes(true);
                let sent = self.out.blocking_send(octets);
                self.keys.writes(false);
                sent.is_ok()
            }
            Err(TrySendError::Closed(_)) => false,
        };
        sent.then_some(()).ok_or(ErrorKind::BrokenPipe.into())
    }

    /// Lines and columns of the terminal, as the client said last.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.keys.state.lock().size
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // What is typed from here on is read by nobody, and holds nothing.
        self.keys.gone();
    }
}

#[cfg_attr(not(feature = "sftp"), allow(dead_code))]
impl Keys {
    /// Of a channel of the connection that is held by this.
    pub(super) fn new(hold: Arc<Hold>) -> Self {
        Self {
            hold,
            ..Self::default()
        }
    }

    fn byte(&self) -> Option<u8> {
        let mut state = self.state.lock();
        loop {
            if state.gone {
                return None;
            }
            if let Some(byte) = state.bytes.pop_front() {
                self.judge(&mut state);
                return Some(byte);
            }
            if state.ended {
                return None;
            }
            self.came.wait(&mut state);
        }
    }

    /// Holds the connection, or does so no more.
    fn judge(&self, state: &mut State) {
        let most = match (state.writes, state.holds) {
            (true, _) => WRITING_AHEAD_BYTES_MAX,
            (false, true) => AHEAD_BYTES_MAX / 2,
            (false, false) => AHEAD_BYTES_MAX,
        };
        let holds = !state.gone && state.bytes.len() > most;
        if holds != state.holds {
            state.holds = holds;
            self.hold.by_one(holds);
        }
    }

    fn writes(&self, writes: bool) {
        let mut state = self.state.lock();
        state.writes = writes;
        self.judge(&mut state);
    }

    /// These were typed; false: that is too much, and they are dropped.
    pub(super) fn typed(&self, bytes: &[u8]) -> bool {
        let mut state = self.state.lock();
        if state.gone {
            return true;
        }
        if state.bytes.len() + bytes.len() > KEPT_BYTES_MAX {
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
        self.judge(&mut state);
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
        let mut state = self.state.lock();
        state.gone = true;
        state.bytes = VecDeque::new();
        self.judge(&mut state);
        drop(state);
        self.came.notify_all();
        self.left.notify_waiters();
    }

    /// Is nobody there any more, or is the session over?
    pub(super) fn is_over(&self) -> bool {
        self.state.lock().gone
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
        assert!(!keys.typed(&vec![0; KEPT_BYTES_MAX]));
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

    #[test]
    fn what_is_typed_far_ahead_holds_the_connection_until_half_of_it_is_read() {
        let hold = Arc::new(Hold::default());
        let keys = Keys::new(Arc::clone(&hold));
        assert!(keys.typed(&vec![0; AHEAD_BYTES_MAX]));
        assert!(!hold.is_held());
        assert!(keys.typed(b"a"));
        assert!(hold.is_held());
        let read = (0..AHEAD_BYTES_MAX).take_while(|_| {
            keys.byte();
            hold.is_held()
        });
        assert_eq!(read.count(), AHEAD_BYTES_MAX / 2);

        // Whose output is not taken is read on: what they say of it comes behind.
        assert!(keys.typed(&vec![0; AHEAD_BYTES_MAX]));
        assert!(hold.is_held());
        keys.writes(true);
        assert!(!hold.is_held());
        assert!(keys.typed(&vec![0; WRITING_AHEAD_BYTES_MAX]));
        assert!(hold.is_held());
        keys.writes(false);
        assert!(hold.is_held());

        // A session that is over holds nothing, and takes what comes.
        keys.gone();
        assert!(!hold.is_held());
        assert!(keys.typed(&vec![0; 2 * KEPT_BYTES_MAX]));
        assert!(!hold.is_held());
        assert_eq!(keys.byte(), None);
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
