//! An event as a message of syslog (RFC 5424).
//!
//! ```text
//! <PRI>1 TIME HOST tollgate PID ID [tollgate@32473 id="ID" facility=".." severity=".." number=".."] LINE
//! ```
//!
//! LINE is StarOS's ([`line()`]). It is UTF-8, and begins with a byte order mark where that says anything: ASCII goes
//! without one (MSG-ANY of 6.4), because collectors write the mark into their files.

use api::{LogEntry, LogSeverity, SyslogFacility};
use jiff::Timestamp;

use crate::line::cut;
use crate::{line, table};

/// Longest message, in bytes: what every receiver should take (RFC 5424 6.1). Of a longer one the end is cut.
pub const MESSAGE_BYTES_MAX: usize = 2_048;

/// APP-NAME.
pub const APP: &str = "tollgate";

/// Name of the structured data: ours, below the number that is kept for examples.
pub const SD_ID: &str = "tollgate@32473";

/// The field of events that says which server they are about.
pub const SERVER: &str = "server";

/// PRI (RFC 5424 6.2.1).
pub fn priority(facility: SyslogFacility, severity: LogSeverity) -> u8 {
    let severity = match severity {
        LogSeverity::Critical => 2,
        LogSeverity::Error => 3,
        LogSeverity::Warning => 4,
        LogSeverity::Unusual => 5,
        LogSeverity::Info => 6,
        LogSeverity::Trace | LogSeverity::Debug => 7,
    };
    facility.code() * 8 + severity
}

/// The message of an event that a node of this name sends.
pub fn message(entry: &LogEntry, facility: SyslogFacility, host: &str) -> String {
    let at = Timestamp::from_millisecond(entry.at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let priority = priority(facility, entry.severity);
    let LogEntry {
        number,
        id,
        facility,
        severity,
        pid,
        ..
    } = entry;
    let line = line(entry);
    let mark = if line.is_ascii() { "" } else { "\u{feff}" };
    // Nothing in it but what is ours: no value needs an escape.
    let mut message = format!(
        "<{priority}>1 {at} {host} {APP} {pid} {id} \
         [{SD_ID} id=\"{id}\" facility=\"{facility}\" severity=\"{severity}\" number=\"{number}\"] {mark}{line}"
    );
    cut(&mut message, MESSAGE_BYTES_MAX);
    message
}

/// A message as it goes by TLS: its length in octets, a space, the message (RFC 5425 4.3).
pub fn frame(message: &str) -> Vec<u8> {
    format!("{} {message}", message.len()).into_bytes()
}

/// Is an event about how this server is reached? It is not sent there, so that none begets another.
pub fn is_about(entry: &LogEntry, server: &str) -> bool {
    let rows = [
        &table::SYSLOG_AWAY,
        &table::SYSLOG_REACHED,
        &table::SYSLOG_DROPPED,
    ];
    rows.iter().any(|row| row.id == entry.id)
        && entry
            .fields
            .iter()
            .any(|(name, value)| name == SERVER && value == server)
}

#[cfg(test)]
mod tests {
    use api::LogFacility;
    use licensing::Wall;

    use super::*;

    fn entry(text: &str) -> LogEntry {
        LogEntry {
            number: 7,
            at: Wall(1_323_580_721_093),
            id: 190_101,
            facility: LogFacility::Slmgr,
            severity: LogSeverity::Critical,
            task: "control".into(),
            pid: 609,
            source: "control/mod.rs:494".into(),
            text: text.into(),
            fields: Vec::new(),
        }
    }

    fn message_of(text: &str) -> String {
        message(&entry(text), SyslogFacility::Local7, "gw1")
    }

    const HEAD: &str = "<186>1 2011-12-11T05:18:41.093Z gw1 tollgate 609 190101 \
        [tollgate@32473 id=\"190101\" facility=\"slmgr\" severity=\"critical\" number=\"7\"] ";

    const LINE: &str = "2011-Dec-11+5:18:41.093 [slmgr 190101 critical] [1/0/609 control:0 control/mod.rs:494] \
        [software internal system] ";

    #[test]
    fn a_message_is_as_rfc_5424_has_it() {
        let text = "a service is out of compliance";
        assert_eq!(message_of(text), format!("{HEAD}{LINE}{text}"));
    }

    #[test]
    fn a_byte_order_mark_is_before_what_is_not_ascii() {
        assert_eq!(
            message_of("tag=Zürich"),
            format!("{HEAD}\u{feff}{LINE}tag=Zürich")
        );
    }

    #[test]
    fn a_priority_is_eight_times_the_facility_and_the_severity() {
        let local0 = LogSeverity::ALL.map(|level| priority(SyslogFacility::Local0, level));
        assert_eq!(local0, [130, 131, 132, 133, 134, 135, 135]);
        let critical =
            SyslogFacility::ALL.map(|facility| priority(facility, LogSeverity::Critical));
        assert_eq!(critical, [130, 138, 146, 154, 162, 170, 178, 186]);
    }

    #[test]
    fn a_message_is_cut_between_characters_and_counted_in_octets() {
        let room = MESSAGE_BYTES_MAX - HEAD.len() - LINE.len() - '\u{feff}'.len_utf8();
        let fits = "x".repeat(room - 2) + "ü";
        let whole = format!("{HEAD}\u{feff}{LINE}{fits}");
        assert_eq!(message_of(&fits), whole);
        assert_eq!(message_of(&format!("{fits}y")), whole);
        let over = "x".repeat(room - 1);
        let cut = format!("{HEAD}\u{feff}{LINE}{over}");
        assert_eq!(message_of(&format!("{over}ü")), cut);
        assert_eq!(cut.len(), MESSAGE_BYTES_MAX - 1);
        assert_eq!(frame("aü"), "3 aü".as_bytes());
    }

    #[test]
    fn what_is_about_a_server_is_not_for_it() {
        let about = |id, fields: &[(&str, &str)]| {
            let fields = fields
                .iter()
                .map(|&(name, value)| (name.into(), value.into()));
            let entry = LogEntry {
                id,
                fields: fields.collect(),
                ..entry("")
            };
            is_about(&entry, "192.0.2.9")
        };
        let (away, set) = (table::SYSLOG_AWAY.id, table::LOGGING_SET.id);
        assert!(about(away, &[("why", "x"), (SERVER, "192.0.2.9")]));
        assert!(!about(away, &[(SERVER, "192.0.2.99")]));
        assert!(!about(away, &[("why", "192.0.2.9")]));
        assert!(!about(set, &[(SERVER, "192.0.2.9")]));
    }
}
