//! The newest events, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{LogEntry, LogFacility, LogSeverity};
use licensing::Wall;

/// The level that each facility is logged at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels([LogSeverity; LogFacility::ALL.len()]);

/// Every facility at `info`.
impl Default for Levels {
    fn default() -> Self {
        Self([LogSeverity::Info; LogFacility::ALL.len()])
    }
}

impl Levels {
    /// That of a facility.
    pub fn of(&self, facility: LogFacility) -> LogSeverity {
        self.0[facility as usize]
    }

    /// Sets that of a facility.
    pub fn set(&mut self, facility: LogFacility, level: LogSeverity) {
        self.0[facility as usize] = level;
    }
}

/// Which events are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// At most so many, the newest.
    pub limit: usize,
    /// Of this facility; none: of all.
    pub facility: Option<LogFacility>,
    /// Of this severity and all above it; none: all.
    pub level: Option<LogSeverity>,
    /// From then on, that moment included; none: all.
    pub since: Option<Wall>,
}

/// A bounded log: the oldest event makes room for a new one, and is counted.
#[derive(Debug)]
pub struct Ring {
    capacity: usize,
    entries: VecDeque<Arc<LogEntry>>,
    pushed: u64,
}

impl Ring {
    /// An empty one, of at least one event.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: VecDeque::new(),
            pushed: 0,
        }
    }

    /// How many there are.
    pub fn held(&self) -> usize {
        self.entries.len()
    }

    /// How many there can be.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many are gone.
    pub fn overwritten(&self) -> u64 {
        self.pushed - self.entries.len() as u64
    }

    /// Takes an event in; it gets the next number.
    pub fn push(&mut self, mut entry: LogEntry) -> Arc<LogEntry> {
        self.pushed += 1;
        entry.number = self.pushed;
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        let entry = Arc::new(entry);
        self.entries.push_back(Arc::clone(&entry));
        entry
    }

    /// Those that are wanted, the oldest first.
    pub fn newest(&self, wanted: Wanted) -> Vec<Arc<LogEntry>> {
        let Wanted {
            limit,
            facility,
            level,
            since,
        } = wanted;
        let fits = |entry: &&Arc<LogEntry>| {
            facility.is_none_or(|facility| entry.facility == facility)
                && level.is_none_or(|level| entry.severity <= level)
                && since.is_none_or(|since| entry.at >= since)
        };
        let newest = self.entries.iter().rev().filter(fits).take(limit).cloned();
        let mut newest: Vec<_> = newest.collect();
        newest.reverse();
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(facility: LogFacility, severity: LogSeverity) -> LogEntry {
        LogEntry {
            number: 0,
            at: Wall(0),
            id: 1,
            facility,
            severity,
            task: String::new(),
            pid: 1,
            source: String::new(),
            text: String::new(),
            fields: Vec::new(),
        }
    }

    #[test]
    fn the_oldest_makes_room_and_is_counted() {
        let mut ring = Ring::new(3);
        for n in 0..5 {
            let severity = LogSeverity::ALL[n];
            ring.push(LogEntry {
                at: Wall(n as i64),
                ..entry(LogFacility::Slmgr, severity)
            });
        }
        assert_eq!((ring.held(), ring.overwritten()), (3, 2));
        let all = Wanted {
            limit: 9,
            facility: None,
            level: None,
            since: None,
        };
        let numbers = |wanted| -> Vec<u64> {
            let newest = ring.newest(wanted).into_iter();
            newest.map(|entry| entry.number).collect()
        };
        assert_eq!(numbers(all), [3, 4, 5]);
        assert_eq!(numbers(Wanted { limit: 2, ..all }), [4, 5]);
        let level = Some(LogSeverity::Unusual);
        assert_eq!(numbers(Wanted { level, ..all }), [3, 4]);
        let facility = Some(LogFacility::Snmp);
        assert!(numbers(Wanted { facility, ..all }).is_empty());
        let since = Some(Wall(3));
        assert_eq!(numbers(Wanted { since, ..all }), [4, 5]);
    }

    #[test]
    fn levels_are_of_one_facility_each() {
        let mut levels = Levels::default();
        levels.set(LogFacility::Cli, LogSeverity::Error);
        assert_eq!(levels.of(LogFacility::Cli), LogSeverity::Error);
        assert_eq!(levels.of(LogFacility::Gtpc), LogSeverity::Info);
        // Discriminants are places in the array.
        for (place, facility) in LogFacility::ALL.into_iter().enumerate() {
            assert_eq!(facility as usize, place);
        }
    }
}
