//! Files of the node's own: what is on disk is the truth, and the name of each says all that is needed of it.
//!
//! ```text
//! open/1-000000000042-29921655-7-,csvdrop,gw1_20261121_223000.csv       one sample of a file that is not complete
//! pending/1-000000000041-29921640-7-,csvdrop,gw1_20261121_221500.csv    complete, to be transferred
//! sent/1-000000000040-29921625-7-,csvdrop,gw1_20261121_220000.csv       transferred, and kept for so many days
//! ```
//!
//! The parts: the file's number, a number that rises from file to file, the minute since 1970 at which the interval of its
//! last sample began, its records, and its name at the receiver with `,` for `/`.

/// Greatest number of a file: with it, the name of one fits into the 255 bytes that a file system takes.
const SEQ_MAX: u64 = 999_999_999_999;

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A sample of a file that is not complete.
    Open,
    /// Complete.
    Pending,
    /// Transferred, or for nobody.
    Sent,
}

/// A file on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stored {
    /// Where it is.
    pub place: Place,
    /// Number of its `file <n>` block.
    pub file: u8,
    /// Rises from file to file; of a complete one that of its first sample.
    pub seq: u64,
    /// Minute since 1970 at which the interval of its last sample began.
    pub minute: i64,
    /// Rows in it, without header and footer.
    pub records: u64,
    /// Its name at the receiver.
    pub name: String,
}

/// A file that was found on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub stored: Stored,
    /// Its length.
    pub bytes: u64,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Pending, Self::Sent];

    /// The directory.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Sent => "sent",
        }
    }
}

impl Stored {
    /// The name of the file, in the directory of its place.
    pub fn local_name(&self) -> String {
        let Self {
            file,
            seq,
            minute,
            records,
            name,
            ..
        } = self;
        let name = name.replace('/', ",");
        format!("{file}-{seq:012}-{minute}-{records}-{name}")
    }

    /// Of a name in the directory of a place; none: it is no file of ours.
    pub fn parse(place: Place, local_name: &str) -> Option<Self> {
        let mut parts = local_name.splitn(5, '-');
        let mut number = || {
            parts
                .next()
                .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
        };
        let stored = Self {
            place,
            file: number()?.parse().ok()?,
            seq: number()?.parse().ok()?,
            minute: number()?.parse().ok()?,
            records: number()?.parse().ok()?,
            name: parts.next()?.replace(',', "/"),
        };
        let known = (1..=crate::config::FILES).contains(&stored.file);
        let known = known && stored.seq <= SEQ_MAX;
        (known && !stored.name.is_empty() && stored.local_name() == local_name).then_some(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_the_file_is() {
        let stored = Stored {
            place: Place::Pending,
            file: 4,
            seq: 42,
            minute: 29_921_655,
            records: 7,
            name: "/opt/csv-drop/gw1_x-y.csv".into(),
        };
        let name = stored.local_name();
        assert_eq!(name, "4-000000000042-29921655-7-,opt,csv-drop,gw1_x-y.csv");
        assert_eq!(Stored::parse(Place::Pending, &name), Some(stored));
        let longest = Stored {
            place: Place::Open,
            file: 1,
            seq: SEQ_MAX,
            minute: i64::MAX,
            records: u64::MAX,
            // The bytes of `_~s999999999999.gz`.
            name: "x".repeat(crate::config::REMOTE_MAX + 18),
        };
        assert!(longest.local_name().len() <= 255);
        assert_eq!(
            Stored::parse(Place::Open, &longest.local_name()),
            Some(longest)
        );
    }

    #[test]
    fn what_is_no_file_of_ours_is_left_alone() {
        for name in [
            "",
            "x",
            "1-000000000042-1-7-",
            "0-000000000042-1-7-a",
            "5-000000000042-1-7-a",
            "1-42-1-7-a",
            "1-1000000000000-1-7-a",
            "1-000000000042-1-a",
            "1-000000000042--1-7-a",
            "1-00000000004x-1-7-a",
            "+1-000000000042-1-7-a",
            ".1-000000000042-1-7-a",
            "1-000000000042-1-7-a/b",
        ] {
            assert_eq!(Stored::parse(Place::Open, name), None, "{name}");
        }
    }
}
