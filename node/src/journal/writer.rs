//! The thread that writes: whole lines, up to a bound, until something fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crossbeam::channel::{Receiver, TryRecvError};

use super::{Header, Recorder};
use crate::config::Journal;
use crate::error::NodeError;
use crate::threads::Thread;
use crate::vitals::{JournalStop, Vitals};

impl Recorder {
    /// Begins a file, and the thread that writes it. A file that can't be had is told, and stops nothing else.
    ///
    /// Errors: the system gives no thread.
    pub(crate) fn start(
        journal: &Journal,
        header: Header,
        vitals: &Arc<Vitals>,
    ) -> Result<(Self, Option<Thread>), NodeError> {
        let path = journal.file.clone();
        let file = match begin(&path) {
            Ok(file) => file,
            Err(error) => {
                vitals.journal_stops(JournalStop::Failed);
                event!(NO_JOURNAL, %error, path = %path.display());
                return Ok((Self::off(Arc::clone(vitals)), None));
            }
        };
        vitals.journal_begins();
        let (recorder, lines) = Self::new(header, Arc::clone(vitals));
        let (max_bytes, vitals) = (journal.max_bytes, Arc::clone(vitals));
        let thread = Thread::start("journal", move || {
            match write(file, max_bytes, &lines, &vitals) {
                Ok(true) => {}
                Ok(false) => {
                    vitals.journal_stops(JournalStop::Full);
                    event!(JOURNAL_FULL, max_bytes, path = %path.display());
                }
                Err(error) => {
                    vitals.journal_stops(JournalStop::Failed);
                    event!(JOURNAL_STOPPED, %error, path = %path.display());
                }
            }
        })?;
        Ok((recorder, Some(thread)))
    }
}

/// A file of this start; that of the start before is kept beside it. What is no plain file is written as it is.
fn begin(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {
            fs::rename(path, path.with_added_extension("old"))?;
            options.create_new(true).mode(0o600).open(path)
        }
        Ok(_) => options.open(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            options.create_new(true).mode(0o600).open(path)
        }
        Err(error) => Err(error),
    }
}

/// Writes lines until no more come; false: the next one would go over the bound. Lines are handed to the system as soon
/// as no other waits, so that a kill of the process leaves them.
fn write(
    file: File,
    max_bytes: u64,
    lines: &Receiver<Vec<u8>>,
    vitals: &Vitals,
) -> io::Result<bool> {
    let mut out = BufWriter::new(file);
    let mut written = 0;
    loop {
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                out.flush()?;
                vitals.journal_has(written);
                match lines.recv() {
                    Ok(line) => line,
                    Err(_) => break,
                }
            }
        };
        let with_line = written + line.len() as u64;
        if with_line > max_bytes {
            out.flush()?;
            vitals.journal_has(written);
            return Ok(false);
        }
        out.write_all(&line)?;
        written = with_line;
    }
    out.flush()?;
    vitals.journal_has(written);
    match out.get_ref().sync_all() {
        // A pipe or a device has nothing to make durable.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(true),
        synced => synced.map(|()| true),
    }
}
