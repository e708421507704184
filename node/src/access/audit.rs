//! The audit log: a line of JSON for each change, each refusal and each login, on disk before the answer.
//!
//! ```text
//! audit.jsonl      appended to; mode 0600
//! audit.jsonl.old  what was that before it reached half of what both may take
//! ```
//!
//! A line that can't be written is in the event log instead, and the answer goes out: a full disk stops no operator.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use api::{AuditEntry, AuditOutcome, AuditView};
use jiff::Timestamp;
use licensing::{Mono, Wall};
use parking_lot::Mutex;
use serde_json::Value;

use super::Who;
use super::refusals::{Refusal, Refusals};

/// The file.
const FILE: &str = "audit.jsonl";

/// Longest text of a line that somebody else chose, in bytes.
const TEXT_BYTES_MAX: usize = 512;

/// What is to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The command.
    pub(crate) command: String,
    /// How it stood before.
    pub(crate) before: Option<Value>,
    /// And after.
    pub(crate) after: Option<Value>,
    /// What came of it.
    pub(crate) outcome: AuditOutcome,
    /// Of a failure: why.
    pub(crate) why: Option<String>,
}

/// The log.
#[derive(Debug)]
pub(crate) struct Audit {
    path: PathBuf,
    /// Most bytes of one of the two files.
    half_bytes: u64,
    refusals: Mutex<Refusals>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None: it is opened with the next line.
    file: Option<(File, u64)>,
    lost: u64,
}

impl Audit {
    /// Of this directory, both files of which take at most so many bytes; nothing is opened yet.
    pub(crate) fn new(dir: &Path, max_bytes: u64) -> Self {
        Self {
            path: dir.join(FILE),
            half_bytes: max_bytes / 2,
            refusals: Mutex::default(),
            state: Mutex::new(State {
                file: None,
                lost: 0,
            }),
        }
    }

    /// Writes a line down. It waits for the disk.
    pub(crate) fn write(&self, who: &Who, line: Line, at: Wall) {
        let entry = AuditEntry {
            at: stamp(at),
            who: bounded(who.name.clone()),
            privilege: who.privilege,
            from: bounded(who.from.clone()),
            command: bounded(line.command),
            before: line.before,
            after: line.after,
            outcome: line.outcome,
            why: line.why.map(bounded),
        };
        let text = written(&entry);
        let mut state = self.state.lock();
        if let Err(error) = self.append(&mut state, &text) {
            // It is opened anew: the end of a file that failed is not known.
            state.file = None;
            state.lost += 1;
            // Inspectors and syslog servers read it.
            let line = written(&entry.without_subscriber());
            event!(AUDIT_FAILED, %error, line);
        }
    }

    /// Somebody was refused, by an account or not: is that written down?
    pub(crate) fn refusal(&self, who: &Who, is_account: bool, now: Mono) -> Refusal {
        self.refusals.lock().comes(who, is_account, now)
    }

    /// Writes down how many more were refused under a name that [`Refusal::First`] gave. It waits for the disk.
    pub(crate) fn write_more(&self, name: &str, at: Wall) {
        let over = self.refusals.lock().over(name);
        let Some((who, more)) = over else {
            return;
        };
        let line = Line {
            command: format!("{more} more refused"),
            before: None,
            after: None,
            outcome: AuditOutcome::Refused,
            why: Some("within a minute".to_owned()),
        };
        self.write(&who, line, at);
    }

    fn append(&self, state: &mut State, text: &str) -> io::Result<()> {
        let bytes = text.len() as u64 + 1;
        let (mut file, mut held) = match state.file.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        if held > 0 && held + bytes > self.half_bytes {
            fs::rename(&self.path, self.path.with_added_extension("old"))?;
            (file, held) = open(&self.path)?;
        }
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_data()?;
        state.file = Some((file, held + bytes));
        Ok(())
    }

    /// The newest lines, the oldest first. It waits for the disk.
    pub(crate) fn newest(&self, limit: u32) -> io::Result<AuditView> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let state = self.state.lock();
        let old = read(&self.path.with_added_extension("old"))?;
        let new = read(&self.path)?;
        let lost = state.lost;
        drop(state);
        let lines: Vec<&str> = old.lines().chain(new.lines()).collect();
        let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let shown = &lines[lines.len().saturating_sub(limit)..];
        let entries: Vec<AuditEntry> = shown
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Ok(AuditView {
            held: lines.len() as u64,
            unreadable: (shown.len() - entries.len()) as u64,
            lost,
            entries,
        })
    }
}

/// A line, without its end.
fn written(entry: &AuditEntry) -> String {
    serde_json::to_string(entry).unwrap_or_else(|error| error.to_string())
}

/// The file at its end, and its bytes. A line that a crash cut short is ended first.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true).mode(0o600);
    let mut file = options.open(path)?;
    let mut held = file.metadata()?.len();
    if held > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            held += 1;
        }
    }
    Ok((file, held))
}

/// Its text; empty if it is not there.
fn read(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(octets) => Ok(String::from_utf8_lossy(&octets).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// A time as RFC 3339 has it, in UTC, to the millisecond.
fn stamp(at: Wall) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{time:.3}")
}

fn bounded(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use api::Privilege;

    use super::*;

    fn who() -> Who {
        Who {
            name: "maja".into(),
            privilege: Some(Privilege::Operator),
            from: "192.0.2.1:50000".into(),
            is_remote: true,
        }
    }

    fn line(command: &str) -> Line {
        Line {
            command: command.into(),
            before: Some(false.into()),
            after: Some(true.into()),
            outcome: AuditOutcome::Done,
            why: None,
        }
    }

    fn commands(audit: &Audit, limit: u32) -> Vec<String> {
        let view = audit.newest(limit).unwrap();
        view.entries.into_iter().map(|e| e.command).collect()
    }

    //= TS 33.117 4.2.3.6.3
    #[test]
    fn a_line_says_who_when_where_and_what() {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::new(dir.path(), 1 << 20);
        assert_eq!(audit.newest(9).unwrap(), AuditView::default());
        audit.write(&who(), line("feature GRE enable"), Wall(1_700_000_000_123));
        let stranger = Who {
            privilege: None,
            ..who()
        };
        audit.write(&stranger, line("login"), Wall(1_700_000_001_000));
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        let first = r#"{"at":"2023-11-14T22:13:20.123Z","who":"maja","privilege":"operator","from":"192.0.2.1:50000","command":"feature GRE enable","before":false,"after":true,"outcome":"done","why":null}"#;
        assert_eq!(text.lines().next(), Some(first));
        assert!(text.ends_with('\n'));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let view = audit.newest(1).unwrap();
        assert_eq!((view.held, view.entries.len()), (2, 1));
        assert_eq!(view.entries[0].privilege, None);
    }

    #[test]
    fn both_files_stay_within_their_bound_and_the_newest_lines_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::new(dir.path(), 2_000);
        for number in 0..100 {
            audit.write(&who(), line(&format!("lab speedup {number}")), Wall(0));
            let files = fs::read_dir(dir.path()).unwrap();
            let bytes: u64 = files.map(|f| f.unwrap().metadata().unwrap().len()).sum();
            assert!(bytes <= 2_000, "{bytes}");
        }
        assert_eq!(commands(&audit, 2), ["lab speedup 98", "lab speedup 99"]);
        let held = audit.newest(1000).unwrap().held;
        assert!((5..100).contains(&held), "{held}");
        // Another process goes on where this one ended.
        let next = Audit::new(dir.path(), 2_000);
        next.write(&who(), line("feature X enable"), Wall(0));
        assert_eq!(commands(&next, 2), ["lab speedup 99", "feature X enable"]);
    }

    #[test]
    fn a_line_that_was_cut_short_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, "{\"at\":\"20").unwrap();
        let audit = Audit::new(dir.path(), 1 << 20);
        audit.write(&who(), line("end"), Wall(0));
        let view = audit.newest(10).unwrap();
        assert_eq!((view.held, view.unreadable), (2, 1));
        assert_eq!(commands(&audit, 10), ["end"]);
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_the_next_line_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::create_dir(&path).unwrap();
        let audit = Audit::new(dir.path(), 1 << 20);
        audit.write(&who(), line("lost"), Wall(0));
        fs::remove_dir(&path).unwrap();
        audit.write(&who(), line("kept"), Wall(0));
        let view = audit.newest(10).unwrap();
        assert_eq!((view.held, view.lost), (1, 1));
        assert_eq!(commands(&audit, 10), ["kept"]);
    }

    #[test]
    fn what_somebody_else_chose_is_bounded() {
        assert_eq!(bounded("é".repeat(512)).len(), TEXT_BYTES_MAX + 3);
        assert_eq!(bounded("short".into()), "short");
    }
}
