//! Variables of every schema, header, footer and name of a file.

use super::{About, Alphabet, Common};
use crate::moment::Moment;
use crate::value::Value::{self, Int, Text};

/// The names and their order are those of a StarOS node's `show bulkstats variables`; `sysuptime`, which headers have there,
/// is the last.
pub(crate) const COMMON: &[Common] = &[
    common(
        About::number("uptime", "Time since the process began.")
            .unit("s")
            .at_most(10),
        |m| Int(m.uptime_s),
    ),
    common(About::info("host", "Host name.").at_most(63), |m| {
        Text(&m.host)
    }),
    common(
        About::info(
            "ipaddr",
            "Address by which the node is managed; empty if it has none.",
        )
        .at_most(39),
        |m| Text(&m.address),
    ),
    common(digits("date", "UTC date, YYYYMMDD.", 8), |m| {
        Text(&m.utc.date)
    }),
    common(digits("date3", "UTC date, YYMMDD.", 6), |m| {
        Text(short(&m.utc.date))
    }),
    common(digits("time", "UTC time, HHMMSS.", 6), |m| {
        Text(&m.utc.time)
    }),
    common(clock("time2", "UTC time, HH:MM.", 5), |m| {
        Text(&m.utc.time2)
    }),
    common(clock("time3", "UTC time, HH:MM:SS.", 8), |m| {
        Text(&m.utc.time3)
    }),
    common(
        About::number("epochtime", "Time since 1970-01-01 UTC.")
            .unit("s")
            .at_most(10),
        |m| Int(m.epoch_s),
    ),
    common(
        About::info("schemas", "Kinds of schema in the file, with + between them."),
        |m| Text(&m.schemas),
    ),
    common(
        About::info(
            "schema-delta",
            "Seconds since the file's sample before this one; empty for the first since the process began.",
        )
        .spelled(Alphabet::Digits),
        |m| Text(&m.delta),
    ),
    common(digits("localdate", "Local date, YYYYMMDD.", 8), |m| {
        Text(&m.local.date)
    }),
    common(digits("localdate3", "Local date, YYMMDD.", 6), |m| {
        Text(short(&m.local.date))
    }),
    common(digits("localtime", "Local time, HHMMSS.", 6), |m| {
        Text(&m.local.time)
    }),
    common(clock("localtime2", "Local time, HH:MM.", 5), |m| {
        Text(&m.local.time2)
    }),
    common(clock("localtime3", "Local time, HH:MM:SS.", 8), |m| {
        Text(&m.local.time3)
    }),
    common(
        About::info("localtz", "Name of the local time zone.").at_most(16),
        |m| Text(&m.zone),
    ),
    common(
        clock("localtzoffset", "Local time minus UTC, +HHMM or -HHMM.", 5),
        |m| Text(&m.zone_offset),
    ),
    common(
        About::info(
            "swbuild",
            "Build of the software: its version, as builds have no other number.",
        )
        .at_most(32),
        |m| Text(&m.version),
    ),
    common(
        About::info("version-no", "Version of the software.").at_most(32),
        |m| Text(&m.version),
    ),
    common(
        About::number("sysuptime", "The same as uptime.")
            .unit("s")
            .at_most(10),
        |m| Int(m.uptime_s),
    ),
];

const fn common(about: About, value: for<'m> fn(&'m Moment) -> Value<'m>) -> Common {
    Common { about, value }
}

const fn digits(name: &'static str, help: &'static str, bytes: usize) -> About {
    About::info(name, help)
        .spelled(Alphabet::Digits)
        .at_most(bytes)
}

const fn clock(name: &'static str, help: &'static str, bytes: usize) -> About {
    About::info(name, help)
        .spelled(Alphabet::Clock)
        .at_most(bytes)
}

/// A date without its century.
fn short(date: &str) -> &str {
    date.get(2..).unwrap_or_default()
}
