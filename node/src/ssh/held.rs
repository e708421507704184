//! The stream of a connection, which is not read on while more is typed ahead on a channel than is kept.
//!
//! The window of a channel opens again with whatever comes, so that it is TCP's window that holds the client. What is sent to
//! the client goes on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether a connection is read on.
#[derive(Debug, Default)]
pub(super) struct Hold(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Channels that hold it.
    by: usize,
    /// Nobody is at the other end any more.
    ended: bool,
    waker: Option<Waker>,
}

impl Hold {
    /// A channel holds it from now on, or no more.
    pub(super) fn by_one(&self, holds: bool) {
        let mut state = self.0.lock();
        match holds {
            true => state.by += 1,
            false => {
                state.by = state.by.saturating_sub(1);
                state.wake();
            }
        }
    }

    /// Does any?
    pub(super) fn is_held(&self) -> bool {
        self.0.lock().by > 0
    }

    /// Nobody is at the other end any more: what they have sent is not read.
    pub(super) fn end(&self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.wake();
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A stream, and what holds it.
pub(super) struct Held<S> {
    pub(super) stream: S,
    pub(super) hold: Arc<Hold>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Held<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        {
            let mut state = self.hold.0.lock();
            if state.ended {
                return Poll::Ready(Ok(()));
            }
            if state.by > 0 {
                state.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
