//! Local time, by the system's tables.

use bulkstats::view::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use licensing::Wall;

/// The zone of this machine as it is at this time; UTC, if it has none.
pub(super) fn local(at: Wall) -> Zone {
    of(&TimeZone::try_system().unwrap_or(TimeZone::UTC), at)
}

fn of(zone: &TimeZone, at: Wall) -> Zone {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = zone.to_offset_info(at);
    Zone {
        name: offset.abbreviation().to_owned(),
        offset_s: offset.offset().seconds(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_as_it_is_at_that_time() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (at, name, offset_s) in [
            // 2026-03-29 00:59:59 UTC, the second after it, and 2026-11-21.
            (1_774_745_999, "CET", 3_600),
            (1_774_746_000, "CEST", 7_200),
            (1_795_300_000, "CET", 3_600),
        ] {
            let zone = of(&berlin, Wall(at * 1_000));
            assert_eq!((zone.name.as_str(), zone.offset_s), (name, offset_s));
        }
        let utc = of(&TimeZone::UTC, Wall(0));
        assert_eq!((utc.name.as_str(), utc.offset_s), ("UTC", 0));
    }
}
