//! The spool: files of samples below the state directory, each there whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::{BULKSTATS_DATA_MAX, BulkstatsData};
use bulkstats::collector::StoreError;
use bulkstats::spool::{Found, Place, Stored};
use flate2::Compression;
use flate2::write::GzEncoder;
use licensing::Mono;

/// What is written and has not got its name yet; one thread writes.
const WRITING: &str = ".writing";

/// From one time that names are made durable to the next at least: many files may wait, and each takes a moment.
const SETTLE_EVERY: Duration = Duration::from_millis(500);

/// The directory `bulkstats` of the state directory.
#[derive(Debug)]
pub(super) struct Disk {
    dir: PathBuf,
    /// Directories of which a name was taken or given since they were made durable.
    changed: BTreeSet<Place>,
    settled: Mono,
}

impl Disk {
    pub fn new(state_dir: &Path) -> Self {
        Self {
            dir: state_dir.join("bulkstats"),
            changed: BTreeSet::new(),
            settled: Mono(0),
        }
    }

    /// What is there; nothing, where it can't be read.
    pub fn open(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for place in Place::ALL {
            if let Err(error) = self.look(place, &mut found) {
                let place = place.directory();
                event!(SPOOL_UNUSABLE, %error, place);
            }
        }
        found
    }

    fn look(&self, place: Place, found: &mut Vec<Found>) -> io::Result<()> {
        let dir = self.dir.join(place.directory());
        make(&dir)?;
        for entry in fs::read_dir(&dir)? {
            // One that can't be read hides no other.
            match entry.and_then(|entry| seen(place, &entry)) {
                Ok(seen) => found.extend(seen),
                Err(error) => event!(SPOOL_UNUSABLE, %error, place = place.directory()),
            }
        }
        Ok(())
    }

    /// What is in files that are not complete, each at its end.
    pub fn open_samples(&self) -> Vec<BulkstatsData> {
        let mut found = Vec::new();
        if let Err(error) = self.look(Place::Open, &mut found) {
            event!(SAMPLES_UNREADABLE, %error);
        }
        found.sort_by_key(|found| (found.stored.file, found.stored.seq));
        let mut files: Vec<BulkstatsData> = Vec::new();
        for Found { stored, .. } in found {
            let text = fs::read_to_string(self.path(&stored)).unwrap_or_default();
            let Stored { file, name, .. } = stored;
            match files
                .iter_mut()
                .find(|of| of.number == file && of.name == name)
            {
                Some(of) => of.text.push_str(&text),
                None => files.push(BulkstatsData {
                    number: file,
                    name,
                    text,
                    left_out: 0,
                }),
            }
        }
        files.iter_mut().for_each(keep_end);
        files
    }

    /// Where a file is.
    pub fn path(&self, stored: &Stored) -> PathBuf {
        let dir = self.dir.join(stored.place.directory());
        dir.join(stored.local_name())
    }

    /// Writes a file whole, so that it survives a loss of power before this returns. Its length.
    pub fn write(&self, to: &Stored, bytes: &[u8]) -> Result<u64, StoreError> {
        self.whole(to, |file| file.write_all(bytes))
    }

    /// The same of one that holds these parts and a footer.
    pub fn join(
        &self,
        parts: &[Stored],
        footer: &[u8],
        to: &Stored,
        gzip: bool,
    ) -> Result<u64, StoreError> {
        let parts: Vec<PathBuf> = parts.iter().map(|part| self.path(part)).collect();
        self.whole(to, |file| {
            let file = BufWriter::new(file);
            if gzip {
                let mut packed = GzEncoder::new(file, Compression::default());
                append(&mut packed, &parts, footer)?;
                packed.finish()?.flush()
            } else {
                let mut file = file;
                append(&mut file, &parts, footer)?;
                file.flush()
            }
        })
    }

    fn whole(
        &self,
        to: &Stored,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<u64, StoreError> {
        let dir = self.dir.join(to.place.directory());
        let writing = dir.join(WRITING);
        let done = write_whole(&dir, &writing, &self.path(to), write);
        done.map_err(|error| {
            // What was begun takes room that is wanted.
            let _none = fs::remove_file(&writing);
            store_error(&error)
        })
    }

    /// Gives a file another name.
    pub fn rename(&mut self, from: &Stored, to: &Stored) {
        if let Err(error) = fs::rename(self.path(from), self.path(to)) {
            let name = from.local_name();
            event!(FILE_UNRENAMED, %error, name);
        }
        self.changed.extend([from.place, to.place]);
    }

    pub fn remove(&mut self, stored: &Stored) {
        match fs::remove_file(self.path(stored)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let name = stored.local_name();
                event!(FILE_UNREMOVED, %error, name);
            }
        }
        self.changed.insert(stored.place);
    }

    /// Makes names that were given and taken durable, unless that was done just now. If it fails, or power is lost before, a
    /// file may be transferred once more.
    pub fn settle(&mut self, now: Mono) {
        if now < self.settled.after(SETTLE_EVERY) {
            return;
        }
        self.settled = now;
        for place in std::mem::take(&mut self.changed) {
            if let Err(error) = sync(&self.dir.join(place.directory())) {
                event!(NAMES_NOT_DURABLE, %error);
            }
        }
    }
}

/// Leaves out what is too long, in whole lines.
fn keep_end(file: &mut BulkstatsData) {
    let over = file.text.len().saturating_sub(BULKSTATS_DATA_MAX);
    if over > 0 {
        let line = file.text.as_bytes()[over..]
            .iter()
            .position(|b| *b == b'\n');
        let cut = line.map_or(file.text.len(), |line| over + line + 1);
        file.text.drain(..cut);
        file.left_out = cut as u64;
    }
}

/// What an entry of a directory of the spool is; what was not written whole is removed.
fn seen(place: Place, entry: &DirEntry) -> io::Result<Option<Found>> {
    let name = entry.file_name();
    let Some(name) = name.to_str() else {
        return Ok(None);
    };
    if name == WRITING {
        fs::remove_file(entry.path())?;
    }
    let Some(stored) = Stored::parse(place, name) else {
        return Ok(None);
    };
    let bytes = entry.metadata()?.len();
    Ok(Some(Found { stored, bytes }))
}

fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn write_whole(
    dir: &Path,
    writing: &Path,
    to: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<u64> {
    make(dir)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(writing)?;
    write(&mut file)?;
    file.sync_all()?;
    let length = file.metadata()?.len();
    fs::rename(writing, to)?;
    sync(dir)?;
    Ok(length)
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all())
}

fn append(to: &mut impl Write, parts: &[PathBuf], footer: &[u8]) -> io::Result<()> {
    for part in parts {
        match File::open(part) {
            Ok(mut part) => drop(io::copy(&mut part, to)?),
            // It is gone for ever: the others are not to wait for it.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let part = part.display();
                event!(SAMPLE_TAKEN_AWAY, %part);
            }
            Err(error) => return Err(error),
        }
    }
    to.write_all(footer)
}

fn store_error(error: &io::Error) -> StoreError {
    match error.kind() == ErrorKind::StorageFull || error.kind() == ErrorKind::QuotaExceeded {
        true => StoreError::Full,
        false => StoreError::Other(error.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
mod tests {
    use super::*;

    fn stored(place: Place, seq: u64) -> Stored {
        Stored {
            place,
            file: 1,
            seq,
            minute: 1,
            records: 1,
            name: "a.csv".into(),
        }
    }

    #[test]
    fn a_complete_file_has_its_parts_in_order_and_its_footer_even_if_one_was_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = Disk::new(dir.path());
        assert_eq!(disk.open(), Vec::new());
        let parts = [1, 2, 3].map(|seq| stored(Place::Open, seq));
        for (part, text) in parts.iter().zip(["h\n1\n", "2\n", "3\n"]) {
            assert_eq!(disk.write(part, text.as_bytes()), Ok(text.len() as u64));
        }
        let whole = stored(Place::Pending, 1);
        assert_eq!(disk.join(&parts, b"f\n", &whole, false), Ok(10));
        assert_eq!(fs::read(disk.path(&whole)).unwrap(), b"h\n1\n2\n3\nf\n");
        disk.remove(&parts[1]);
        assert_eq!(disk.join(&parts, b"f\n", &whole, false), Ok(8));
        assert_eq!(fs::read(disk.path(&whole)).unwrap(), b"h\n1\n3\nf\n");
    }

    #[test]
    fn what_was_not_whole_is_gone_after_a_start_and_the_rest_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path());
        let (open, sent) = (stored(Place::Open, 7), stored(Place::Sent, 3));
        for file in [&open, &sent] {
            disk.write(file, b"x").unwrap();
        }
        let half = dir.path().join("bulkstats/open").join(WRITING);
        fs::write(&half, b"x").unwrap();
        // One that can't be removed hides nothing, whichever comes first.
        let stuck = dir.path().join("bulkstats/sent").join(WRITING);
        fs::create_dir(&stuck).unwrap();
        fs::write(dir.path().join("bulkstats/open/README"), b"x").unwrap();
        let found = disk.open();
        assert!(!half.exists());
        let bytes = 1;
        let expected = [open, sent].map(|stored| Found { stored, bytes });
        assert_eq!(found, expected);
    }

    #[test]
    fn only_the_end_of_what_is_long_is_shown_in_whole_lines() {
        let line = "x".repeat(99) + "\n";
        let mut file = BulkstatsData {
            number: 1,
            name: "a.csv".into(),
            text: line.repeat(BULKSTATS_DATA_MAX / 100 + 2),
            left_out: 0,
        };
        let all = file.text.len();
        keep_end(&mut file);
        assert!(file.text.len() <= BULKSTATS_DATA_MAX && file.text.starts_with("x"));
        assert_eq!(file.text.len() % 100, 0);
        assert_eq!(file.text.len() + file.left_out as usize, all);
    }
}
