//! An event as one line of StarOS.

use api::LogEntry;
use jiff::Timestamp;

/// Longest text of an event, and of one value of it, in bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// `2011-Dec-11+5:18:41.993 [slmgr 190101 critical] [1/0/609 control:0 control/mod.rs:494] [software internal system] TEXT`,
/// in UTC, without an end of line. A node is card 1 and CPU 0.
pub fn line(entry: &LogEntry) -> String {
    let at = Timestamp::from_millisecond(entry.at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at.strftime("%Y-%b-%d+%-H:%M:%S%.3f");
    let LogEntry {
        id,
        facility,
        severity,
        task,
        pid,
        source,
        text,
        ..
    } = entry;
    format!(
        "{at} [{facility} {id} {severity}] [1/0/{pid} {task}:0 {source}] [software internal system] {text}"
    )
}

/// A text that stays on its line and within its bound: control characters, those that end a line or turn its direction
/// are spaces; of what is longer the end is cut, which an ellipsis says.
pub fn printable(text: &str) -> String {
    let blank = |c: char| if forges(c) { ' ' } else { c };
    let mut kept: String = text.chars().map(blank).collect();
    if kept.len() > TEXT_BYTES_MAX {
        cut(&mut kept, TEXT_BYTES_MAX - CUT.len_utf8());
        kept.push(CUT);
    }
    kept
}

/// Said at the end of what is cut.
const CUT: char = '…';

/// ` name=value`, as it stands behind what an event says: a value that could look like more than one is in quotation marks,
/// with a backslash before such a mark and before a backslash.
pub fn field(name: &str, value: &str) -> String {
    let plain = !value.contains(' ') && !value.starts_with('"');
    match plain {
        true => format!(" {name}={value}"),
        false => {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!(" {name}=\"{value}\"")
        }
    }
}

/// May a character make one line look like another?
fn forges(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Leaves at most so many bytes, whole characters.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use api::{LogFacility, LogSeverity};
    use licensing::Wall;

    use super::*;

    #[test]
    fn a_line_is_as_staros_writes_it() {
        let entry = LogEntry {
            number: 7,
            at: Wall(1_323_580_721_093),
            id: 190_101,
            facility: LogFacility::Slmgr,
            severity: LogSeverity::Critical,
            task: "control".into(),
            pid: 609,
            source: "control/mod.rs:494".into(),
            text: "a service is out of compliance".into(),
            fields: Vec::new(),
        };
        assert_eq!(
            line(&entry),
            "2011-Dec-11+5:18:41.093 [slmgr 190101 critical] [1/0/609 control:0 control/mod.rs:494] [software internal system] a service is out of compliance"
        );
    }

    #[test]
    fn a_value_can_not_look_like_another_field() {
        assert_eq!(field("tries", "3"), " tries=3");
        assert_eq!(field("event", "{\"a\":1}"), " event={\"a\":1}");
        assert_eq!(field("why", "no such file"), " why=\"no such file\"");
        assert_eq!(field("why", "x\" tries=\\9"), " why=\"x\\\" tries=\\\\9\"");
        assert_eq!(field("why", "\"x\""), " why=\"\\\"x\\\"\"");
    }

    #[test]
    fn a_text_can_not_forge_a_line_and_is_cut_between_characters() {
        assert_eq!(printable("a\nb\u{1b}[1m\u{85}"), "a b [1m ");
        assert_eq!(
            printable("a\u{2028}b\u{2029}c\u{202e}d\u{2066}é"),
            "a b c d é"
        );
        let whole = "x".repeat(TEXT_BYTES_MAX);
        assert_eq!(printable(&whole), whole);
        let long = format!("{}üüü", "x".repeat(TEXT_BYTES_MAX - 4));
        let kept = format!("{}…", "x".repeat(TEXT_BYTES_MAX - 4));
        assert_eq!(printable(&long), kept);
    }
}
