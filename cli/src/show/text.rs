//! How times, spans, names and absent values look on every surface.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use licensing::snapshot::TagRow;
use licensing::{Compliance, FeatureIndex, ServiceIndex, Snapshot, Wall};

/// Widest line of a surface, in columns.
pub const COLUMNS: usize = 80;

/// What stands for a value that has no source.
pub const ABSENT: &str = "-";

/// `Sun Nov 22 05:05:42 2026`, in UTC; absent for the beginning of time.
pub fn stamp(wall: Wall) -> String {
    formatted(wall, "%a %b %d %H:%M:%S %Y")
}

/// `Sunday November 22 05:05:42 UTC 2026`: the line that heads every surface, as StarOS has it.
pub fn heading_stamp(wall: Wall) -> String {
    formatted(wall, "%A %B %d %H:%M:%S UTC %Y")
}

/// The same inside of an answer; `never` for none.
pub fn long_stamp(wall: Option<Wall>) -> String {
    wall.map_or_else(|| "never".to_owned(), heading_stamp)
}

/// `2026:11:22:05:05:42`, in UTC.
pub fn colon_stamp(wall: Wall) -> String {
    formatted(wall, "%Y:%m:%d:%H:%M:%S")
}

/// `Nov 22 05:05:42 2026 UTC`, as the classical license commands have it.
pub fn classic_stamp(wall: Wall) -> String {
    formatted(wall, "%b %d %H:%M:%S %Y UTC")
}

fn formatted(wall: Wall, format: &str) -> String {
    match Timestamp::from_millisecond(wall.0) {
        Ok(timestamp) if wall.0 != 0 => timestamp
            .to_zoned(TimeZone::UTC)
            .strftime(format)
            .to_string(),
        Ok(_) | Err(_) => ABSENT.to_owned(),
    }
}

/// `89 days, 23 hours, 59 minutes, 1 second`, from the largest unit that is not zero.
pub fn span(seconds: u64) -> String {
    units(seconds).join(", ")
}

/// The two largest units of [`span`], the second only if it is not zero.
pub fn rough_span(seconds: u64) -> String {
    let mut units = units(seconds);
    units.truncate(2);
    if units.last().is_some_and(|last| last.starts_with("0 ")) && units.len() > 1 {
        units.pop();
    }
    units.join(", ")
}

fn units(seconds: u64) -> Vec<String> {
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    parts[first..]
        .iter()
        .map(|(n, unit)| counted(*n, unit))
        .collect()
}

/// `1 session`, `2 sessions`.
pub fn counted(n: u64, unit: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{plural}")
}

/// The value, or `-`.
pub fn or_absent<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), |value| value.to_string())
}

/// A ceiling: the sessions, or `none`.
pub fn ceiling<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// Name of a service, or its number if the snapshot does not hold it.
pub fn service_name(snapshot: &Snapshot, service: ServiceIndex) -> String {
    let row = snapshot.services.iter().find(|row| row.service == service);
    row.map_or_else(
        || format!("service {}", service.0),
        |row| row.tag.name.clone(),
    )
}

/// Name of a feature, or its number if the snapshot does not hold it.
pub fn feature_name(snapshot: &Snapshot, feature: FeatureIndex) -> String {
    let row = snapshot.features.iter().find(|row| row.feature == feature);
    row.map_or_else(
        || format!("feature {}", feature.0),
        |row| row.tag.name.clone(),
    )
}

/// `service GGSN` or `feature GRE`.
pub fn kind_and_name(row: TagRow<'_>) -> String {
    match row {
        TagRow::Service(service) => format!("service {}", service.tag.name),
        TagRow::Feature(feature) => format!("feature {}", feature.tag.name),
    }
}

/// Compliance in a word or two.
pub fn compliance(compliance: Compliance) -> &'static str {
    match compliance {
        Compliance::Waiting => "WAITING",
        Compliance::Authorized => "AUTHORIZED",
        Compliance::OutOfCompliance { .. } => "OUT OF COMPLIANCE",
        Compliance::InvalidTag => "INVALID TAG",
        Compliance::AuthorizationExpired => "AUTHORIZATION EXPIRED",
        Compliance::Evaluation => "EVAL MODE",
        Compliance::EvaluationExpired => "EVAL EXPIRED",
    }
}

/// The words of `text` in lines of at most `width` columns; a longer word stays whole on a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Lines of at most `width` columns, broken at spaces where there are some.
pub fn fold(text: &str, width: usize) -> Vec<String> {
    let lines = wrap(text, width).into_iter();
    lines.flat_map(|line| chunks(&line, width)).collect()
}

/// The same, broken where the room ends.
pub fn chunks(line: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let chunks = letters.chunks(width.max(1));
    chunks.map(|chunk| chunk.iter().collect()).collect()
}

/// `  label                   : text`, the text wrapped under itself.
pub fn field(label: &str, text: &str) -> String {
    labelled(&format!("  {label:<24}: "), text)
}

/// `head` and the text behind it, wrapped under itself, with a line end; a word that is too long for that stands further to
/// the left, as do those after it.
pub fn labelled(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let mut out = head.to_owned();
    let mut lines = wrap(text, COLUMNS - indent).into_iter();
    out.push_str(&lines.next().unwrap_or_default());
    let lines: Vec<String> = lines.collect();
    let widest = lines.iter().map(|line| line.chars().count()).max();
    let indent = indent.min(COLUMNS.saturating_sub(widest.unwrap_or(0)));
    for line in lines {
        out.push_str(&format!("\n{}{line}", " ".repeat(indent)));
    }
    format!("{}\n", out.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_staros_like_and_utc() {
        assert_eq!(stamp(Wall(1_795_323_942_000)), "Sun Nov 22 05:05:42 2026");
        assert_eq!(
            heading_stamp(Wall(1_795_323_942_999)),
            "Sunday November 22 05:05:42 UTC 2026"
        );
        assert_eq!(stamp(Wall(0)), "-");
        assert_eq!(stamp(Wall(i64::MAX)), "-");
    }

    #[test]
    fn spans_begin_at_the_largest_unit() {
        assert_eq!(span(0), "0 seconds");
        assert_eq!(span(61), "1 minute, 1 second");
        assert_eq!(span(7_776_000), "90 days, 0 hours, 0 minutes, 0 seconds");
        assert_eq!(rough_span(90_061), "1 day, 1 hour");
        assert_eq!(rough_span(86_461), "1 day");
        assert_eq!(rough_span(0), "0 seconds");
    }

    #[test]
    fn wrapping_keeps_words_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("regid.long", 4), ["regid.long"]);
        assert_eq!(field("A", ""), "  A                       :\n");
        let digest = "ab".repeat(32);
        assert_eq!(
            labelled(
                "  Authority Unreachable: ",
                &format!("its root is {digest}")
            ),
            format!("  Authority Unreachable: its root is\n{:16}{digest}\n", "")
        );
    }
}
