//! Files, as they come from a spool or from a collector.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use api::Failure;
use bulkstats::read::{Piece, ReadRow};
use bulkstats::series::{At, at};
use flate2::read::MultiGzDecoder;

use super::formats::Formats;
use crate::grammar::FilesArgs;
use crate::output;

/// What stands for standard input and output.
pub const STANDARD_INPUT: &str = "-";

/// Largest file that is read, unpacked, in bytes.
const FILE_MAX: u64 = 1 << 30;

/// Lines of one file that are of none of the formats and are told one by one.
const BAD_TOLD_MAX: usize = 5;

/// How a file that is compressed begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A row, and where it stands.
#[derive(Debug)]
pub struct Row {
    pub file: String,
    pub line: usize,
    pub row: ReadRow,
}

/// What was read of all files.
#[derive(Debug)]
pub struct Read {
    /// The rows that are wanted, of the earlier file first.
    pub rows: Vec<Row>,
    bad: usize,
}

/// One file.
struct OneFile {
    begins: Option<At>,
    rows: Vec<Row>,
    bad: usize,
}

impl Read {
    /// Reads them all, and tells of what can't be read. Errors: a file can't be read, or there is no row.
    pub fn of(args: &FilesArgs, formats: &Formats) -> Result<Self, Failure> {
        let files = args.files.iter().map(|file| OneFile::of(file, formats));
        let mut files = files.collect::<Result<Vec<OneFile>, Failure>>()?;
        // Those that say no time stay behind the others, as they came.
        files.sort_by_key(|file| (file.begins.is_none(), file.begins));
        let bad = files.iter().map(|file| file.bad).sum();
        let rows: Vec<Row> = files.into_iter().flat_map(|file| file.rows).collect();
        let read = Self { rows, bad };
        match read.rows.is_empty() {
            true if read.bad == 0 => Err(Failure::new(
                "there is no row that is asked for",
                named(args),
                "look at the files, --schema and --where",
            )),
            _ => Ok(read),
        }
    }

    /// Fails if something could not be read.
    pub fn verdict(&self) -> Result<(), Failure> {
        match self.bad {
            0 => Ok(()),
            lines => Err(Failure::new(
                format!("{lines} lines are of none of the formats"),
                "the files",
                "give every schema, the header and the footer that they were written with",
            )),
        }
    }
}

fn named(args: &FilesArgs) -> String {
    match args.files.as_slice() {
        [one] => shown(one),
        several => format!("{} files", several.len()),
    }
}

fn shown(file: &Path) -> String {
    match file == Path::new(STANDARD_INPUT) {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    }
}

impl OneFile {
    fn of(file: &Path, formats: &Formats) -> Result<Self, Failure> {
        let place = shown(file);
        let text = octets(file).map_err(|error| {
            let what = format!("it can't be read: {error}");
            Failure::new(what, place.clone(), "name files that were complete")
        })?;
        // What is no UTF-8 is in no format, and so is what stands for it.
        let text = String::from_utf8_lossy(&text);
        if text.is_empty() {
            output::complain(&format!("{place}: it is empty\n"));
        }
        let mut read = Self {
            begins: None,
            rows: Vec::new(),
            bad: 0,
        };
        for piece in formats.pieces(&text) {
            match piece {
                Piece::Row { line, row } => {
                    read.begins = read.begins.or_else(|| at(&row));
                    if formats.wants(&row) {
                        let file = place.clone();
                        read.rows.push(Row { file, line, row });
                    }
                }
                Piece::Bad { line } => {
                    if read.bad < BAD_TOLD_MAX {
                        output::complain(&format!(
                            "{place}:{line}: it is of none of the formats\n"
                        ));
                    }
                    read.bad += 1;
                }
            }
        }
        if read.bad > BAD_TOLD_MAX {
            let more = read.bad - BAD_TOLD_MAX;
            output::complain(&format!("{place}: and {more} lines more\n"));
        }
        Ok(read)
    }
}

/// All of a file, unpacked.
fn octets(file: &Path) -> io::Result<Vec<u8>> {
    let packed = match file == Path::new(STANDARD_INPUT) {
        true => bounded(io::stdin().lock())?,
        false => bounded(File::open(file)?)?,
    };
    match packed.starts_with(&GZIP) {
        true => bounded(MultiGzDecoder::new(packed.as_slice())),
        false => Ok(packed),
    }
}

fn bounded(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.take(FILE_MAX + 1).read_to_end(&mut octets)?;
    match octets.len() as u64 > FILE_MAX {
        true => Err(io::Error::other(format!(
            "it has more than {FILE_MAX} bytes"
        ))),
        false => Ok(octets),
    }
}
