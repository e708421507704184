//! `logging filter`, `logging syslog` and their `no` forms.

use std::path::Path;
use std::str::FromStr;

use api::{Failure, LogFacility, LoggingCommand, Request, SyslogSetting, filter_name};

use crate::console::Console;
use crate::control::change;
use crate::grammar::{
    FilterArgs, Logging, NoFilterArgs, NoLogging, NoSyslogArgs, SocketArgs, SyslogArgs,
};

/// The word for what the configuration says.
const DEFAULT: &str = "default";

/// The only format of messages.
const FORMAT: &str = "rfc5424";

/// `logging ...`
pub fn logging(logging: Logging, console: &mut dyn Console) -> Result<(), Failure> {
    let (socket, command) = match logging {
        Logging::Filter(FilterArgs {
            facility,
            words,
            socket,
        }) => (socket, filter(facility.0, &words)?),
        Logging::Syslog(SyslogArgs {
            address,
            words,
            socket,
        }) => (socket, syslog(address, &words)?),
    };
    set(&socket, command, console)
}

/// `no logging ...`
pub fn no_logging(logging: NoLogging, console: &mut dyn Console) -> Result<(), Failure> {
    let (socket, command) = match logging {
        NoLogging::Filter(NoFilterArgs { facility, socket }) => {
            let facility = facility.0;
            (socket, LoggingCommand::NoFilter { facility })
        }
        NoLogging::Syslog(NoSyslogArgs { address, socket }) => {
            (socket, LoggingCommand::NoSyslog { address })
        }
    };
    set(&socket, command, console)
}

fn set(
    socket: &SocketArgs,
    command: LoggingCommand,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let said = said(&command);
    let request = Request::LoggingSet(Box::new(command));
    change(socket, &request, &said, console)
}

/// What is so once it is done.
fn said(command: &LoggingCommand) -> String {
    let of = |facility: Option<LogFacility>| match facility {
        Some(facility) => format!("events of {facility}"),
        None => "events of facilities without a filter of their own".to_owned(),
    };
    match command {
        LoggingCommand::Filter { facility, level } => {
            format!("{} are logged from level {level} on", of(*facility))
        }
        LoggingCommand::NoFilter { facility } => {
            format!(
                "there is no logging filter {} any more",
                filter_name(*facility)
            )
        }
        LoggingCommand::DefaultFilter { facility } => {
            format!("{} are logged as the configuration says", of(*facility))
        }
        LoggingCommand::Syslog(SyslogSetting { address, .. }) => {
            format!("syslog server {address} is sent events")
        }
        LoggingCommand::NoSyslog { address } => {
            format!("syslog server {address} is sent events no more")
        }
        LoggingCommand::DefaultSyslog { address } => {
            format!("syslog server {address} is as the configuration says")
        }
    }
}

fn filter(facility: Option<LogFacility>, words: &[String]) -> Result<LoggingCommand, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [DEFAULT] => Ok(LoggingCommand::DefaultFilter { facility }),
        ["level", level] => {
            let level = word("level", level)?;
            Ok(LoggingCommand::Filter { facility, level })
        }
        _ => {
            let todo = "logging filter FACILITY|all level SEVERITY, or default";
            let what = format!("{:?} is no filter", words.join(" "));
            Err(Failure::new(what, "logging filter", todo))
        }
    }
}

fn syslog(address: String, words: &[String]) -> Result<LoggingCommand, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words == [DEFAULT] {
        return Ok(LoggingCommand::DefaultSyslog { address });
    }
    let mut server = SyslogSetting {
        address,
        port: None,
        protocol: None,
        facility: None,
        level: None,
        roots: None,
        queue: None,
    };
    for pair in words.chunks(2) {
        let [name, value] = *pair else {
            return Err(not_understood(pair));
        };
        match name {
            "port" => once(name, &mut server.port, word(name, value)?)?,
            "protocol" => once(name, &mut server.protocol, word(name, value)?)?,
            "facility" => once(name, &mut server.facility, word(name, value)?)?,
            "level" => once(name, &mut server.level, word(name, value)?)?,
            "queue" => once(name, &mut server.queue, word(name, value)?)?,
            "roots" => once(name, &mut server.roots, whole(value)?)?,
            "format" if value == FORMAT => {}
            _ => return Err(not_understood(pair)),
        }
    }
    Ok(LoggingCommand::Syslog(server))
}

fn not_understood(words: &[&str]) -> Failure {
    let todo = "logging syslog ADDRESS [port N] [protocol udp|tls] [facility local0..local7] [level SEVERITY] \
                [roots FILE] [queue N] [format rfc5424], or default";
    let what = format!("{:?} is not understood", words.join(" "));
    Failure::new(what, "logging syslog", todo)
}

fn word<T: FromStr<Err: ToString>>(name: &str, value: &str) -> Result<T, Failure> {
    value.parse().map_err(|error: T::Err| {
        let what = format!("{value:?} is no {name}");
        Failure::new(what, "logging", error.to_string())
    })
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), Failure> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => {
            let what = format!("{name} is given twice");
            Err(Failure::new(what, "logging syslog", "give it once"))
        }
    }
}

/// A path that means the same to the node.
fn whole(path: &str) -> Result<String, Failure> {
    let whole = std::path::absolute(Path::new(path));
    let whole = whole.map_err(|error| {
        let todo = "give the path of a file on the node";
        Failure::new(error.to_string(), path, todo)
    })?;
    Ok(whole.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use api::{LogSeverity, SyslogFacility, SyslogProtocol};

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_server_is_read_from_words_in_any_order() {
        let line = "level error protocol tls roots /etc/roots.pem facility local3 port 6515 queue 99 format rfc5424";
        let server = SyslogSetting {
            address: "192.0.2.50".into(),
            port: Some(6515),
            protocol: Some(SyslogProtocol::Tls),
            facility: Some(SyslogFacility::Local3),
            level: Some(LogSeverity::Error),
            roots: Some("/etc/roots.pem".into()),
            queue: Some(99),
        };
        let read = syslog("192.0.2.50".into(), &words(line));
        assert_eq!(read, Ok(LoggingCommand::Syslog(server)));
    }

    #[test]
    fn what_is_no_server_says_what_is() {
        for (line, what) in [
            ("port", "\"port\" is not understood"),
            ("port x", "\"x\" is no port"),
            ("port 1 port 2", "port is given twice"),
            ("level loud", "\"loud\" is no level"),
            ("format bsd", "\"format bsd\" is not understood"),
            ("default port 1", "\"default port\" is not understood"),
        ] {
            let failure = syslog("a".into(), &words(line)).unwrap_err();
            assert_eq!(failure.what, what);
        }
        assert!(filter(None, &words("level loud")).is_err());
        assert!(filter(None, &words("error")).is_err());
    }
}
