//! Why calls were refused (rule L17): the newest so many, each with all that explains it.

use std::collections::VecDeque;

use licensing::RefusalRecord;

/// Refused calls, newest first; when it is full, the oldest gives way.
#[derive(Clone, Debug)]
pub(super) struct History {
    newest_first: VecDeque<RefusalRecord>,
    most: usize,
}

impl History {
    /// For at most so many, at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            newest_first: VecDeque::with_capacity(most),
            most,
        }
    }

    pub(super) fn add(&mut self, record: RefusalRecord) {
        self.newest_first.truncate(self.most - 1);
        self.newest_first.push_front(record);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RefusalRecord> {
        self.newest_first.iter()
    }
}
