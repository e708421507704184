//! The two slots of the license clock, one file each: fixed size, in place, so that a full disk takes them too.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use licensing::record::{Choice, ClockRecord, SLOT_BYTES, Slot, SlotError, choose};

use super::key::NodeKey;
use super::{StoreError, create_whole, file_error};

#[derive(Debug)]
pub(super) struct ClockSlots {
    pub(super) a: (PathBuf, File),
    pub(super) b: (PathBuf, File),
    key: NodeKey,
}

/// Whether a directory holds any of the slots.
pub(super) fn present(dir: &Path) -> bool {
    [Slot::A, Slot::B]
        .iter()
        .any(|slot| path(dir, *slot).exists())
}

fn path(dir: &Path, slot: Slot) -> PathBuf {
    dir.join(match slot {
        Slot::A => "clock.a",
        Slot::B => "clock.b",
    })
}

impl ClockSlots {
    /// Opens both, and picks the newest record. Slots that are not there are made; on a new node with a first record, so
    /// that an empty pair is never what a node leaves behind, and of generation 0, so that the next one goes into the
    /// other slot.
    pub(super) fn open(
        dir: &Path,
        key: &NodeKey,
        is_new: bool,
    ) -> Result<(Self, Choice), StoreError> {
        let choice = choose(read(dir, Slot::A, key), read(dir, Slot::B, key));
        if is_new {
            let first = ClockRecord::default().encode(|b| key.code(b))?;
            create_whole(&path(dir, Slot::A), first.as_slice())?;
        }
        let slots = Self {
            a: open_slot(dir, Slot::A)?,
            b: open_slot(dir, Slot::B)?,
            key: key.clone(),
        };
        Ok((slots, choice))
    }

    /// Writes a record into the slot of its generation, in place, and waits until it is durable.
    pub(super) fn write(&self, record: &ClockRecord) -> Result<(), StoreError> {
        let bytes = record.encode(|body| self.key.code(body))?;
        let (path, file) = match Slot::of(record.generation) {
            Slot::A => &self.a,
            Slot::B => &self.b,
        };
        let written = file.write_all_at(bytes.as_slice(), 0);
        written.map_err(file_error("writing", path))?;
        file.sync_data().map_err(file_error("making durable", path))
    }
}

fn read(dir: &Path, slot: Slot, key: &NodeKey) -> Result<ClockRecord, SlotError> {
    let path = path(dir, slot);
    match read_bounded(&path) {
        Ok(bytes) => ClockRecord::decode(slot, &bytes, |body| key.code(body)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SlotError::Empty),
        // A medium that can't read a slot has lost it; the other one may serve.
        Err(error) => {
            event!(SLOT_UNREADABLE, path = %path.display(), %error);
            Err(SlotError::Torn)
        }
    }
}

/// The slot and one byte more, if there is one: whatever longer thing stands there is not read.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES + 1);
    let file = File::open(path)?;
    file.take(SLOT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a slot's file, allocated in full.
fn open_slot(dir: &Path, slot: Slot) -> Result<(PathBuf, File), StoreError> {
    let path = path(dir, slot);
    if !path.exists() {
        create_whole(&path, &[0; SLOT_BYTES])?;
    }
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    let file = opened.map_err(file_error("opening", &path))?;
    Ok((path, file))
}
