//! `[logging]`: what is logged, and which syslog servers are sent it.

use std::fs;
use std::path::Path;

use api::{LogFacility, LogSeverity, SyslogFacility, SyslogProtocol, filter_named};
use eventlog::Levels;
use rustls_pki_types::ServerName;

use super::Problem;
use super::agent::refuse;
use super::check::{Checked, missing, once, within, wrong};
use super::file;
use crate::transfer::Roots;

/// Most syslog servers.
const SERVERS_MAX: usize = 4;

/// What is logged, and which syslog servers are sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// The level of each facility.
    pub levels: Levels,
    /// The servers.
    pub syslog: Vec<SyslogServer>,
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogServer {
    /// Its address or host name.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub protocol: SyslogProtocol,
    /// What events are of there.
    pub facility: SyslogFacility,
    /// It is sent events of that severity and all above it.
    pub level: LogSeverity,
    /// Roots that its certificate must be below, in PEM; empty by UDP.
    pub roots: Vec<u8>,
    /// Events that wait for it at most.
    pub queue: u16,
}

pub(super) fn check(written: file::Logging, base: &Path) -> Checked<Logging> {
    if written.syslog.len() > SERVERS_MAX {
        let found = format!("{} sections", written.syslog.len());
        return wrong("logging.syslog", found);
    }
    let mut syslog: Vec<SyslogServer> = Vec::new();
    for (n, written) in written.syslog.into_iter().enumerate() {
        let key = format!("logging.syslog[{n}]");
        let others = syslog.iter().map(|other| other.address.as_str());
        once("server", &written.name, &format!("{key}.name"), others)?;
        syslog.push(server(written, &key, base)?);
    }
    Ok(Logging {
        levels: levels(&written.filter)?,
        syslog,
    })
}

/// A facility has the level of its own filter, else that of `all`, else the default.
fn levels(written: &[file::LoggingFilter]) -> Checked<Levels> {
    let mut levels = Levels::default();
    let mut own = Vec::new();
    for (n, filter) in written.iter().enumerate() {
        let key = format!("logging.filter[{n}].name");
        let before = written[..n].iter().map(|filter| filter.name.as_str());
        once("filter", &filter.name, &key, before)?;
        match filter_named(&filter.name) {
            Err(_) => return wrong(key, format!("{:?}", filter.name)),
            Ok(Some(facility)) => own.push((facility, filter.level)),
            Ok(None) => {
                for facility in LogFacility::ALL {
                    levels.set(facility, filter.level);
                }
            }
        }
    }
    for (facility, level) in own {
        levels.set(facility, level);
    }
    Ok(levels)
}

fn server(written: file::LoggingSyslog, key: &str, base: &Path) -> Checked<SyslogServer> {
    if ServerName::try_from(written.name.as_str()).is_err() {
        return wrong(format!("{key}.name"), format!("{:?}", written.name));
    }
    let port = written.port.unwrap_or(written.protocol.port());
    within(port, 1, u64::from(u16::MAX), &format!("{key}.port"))?;
    within(written.queue, 16, 10_000, &format!("{key}.queue"))?;
    let roots_key = format!("{key}.roots");
    let roots = match (written.protocol, written.roots) {
        (SyslogProtocol::Udp, None) => Vec::new(),
        (SyslogProtocol::Udp, Some(_)) => {
            let other = "protocol \"tls\"";
            return Err((roots_key, Problem::Alone { other }));
        }
        (SyslogProtocol::Tls, None) => return missing(roots_key),
        (SyslogProtocol::Tls, Some(file)) => {
            let file = base.join(file);
            let refused = |why: String| refuse(&roots_key, &file, why);
            let text = fs::read(&file).map_err(|error| refused(error.to_string()))?;
            Roots::parse(&text).map_err(|error| refused(error.to_string()))?;
            text
        }
    };
    Ok(SyslogServer {
        address: written.name,
        port,
        protocol: written.protocol,
        facility: written.facility,
        level: written.level,
        roots,
        queue: written.queue,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError};
    use super::*;

    const LEAST: &str = include_str!("../../examples/gateway.toml");

    fn parse(dir: &Path, sections: &str) -> Result<Logging, ConfigError> {
        let text = LEAST.replace("[logging]\n", &format!("[logging]\n{sections}\n"));
        Config::parse(&text, &dir.join("gateway.toml")).map(|config| config.logging)
    }

    fn refused(dir: &Path, sections: &str) -> String {
        let said = parse(dir, sections).unwrap_err().to_string();
        said.split_once(": ").unwrap().1.to_owned()
    }

    #[test]
    fn a_facility_has_its_own_filter_else_that_of_all_else_info() {
        let none = Path::new("");
        assert_eq!(parse(none, "").unwrap(), Logging::default());
        let slmgr = "[[logging.filter]]\nname = \"slmgr\"\nlevel = \"debug\"\n";
        let all = "[[logging.filter]]\nname = \"all\"\nlevel = \"error\"\n";
        // In either order.
        for sections in [format!("{slmgr}{all}"), format!("{all}{slmgr}")] {
            let levels = parse(none, &sections).unwrap().levels;
            assert_eq!(levels.of(LogFacility::Slmgr), LogSeverity::Debug);
            assert_eq!(levels.of(LogFacility::Evlog), LogSeverity::Error);
        }
        let levels = parse(none, slmgr).unwrap().levels;
        assert_eq!(levels.of(LogFacility::Cli), LogSeverity::Info);
        assert_eq!(
            refused(none, &format!("{slmgr}{slmgr}")),
            "logging.filter[1].name: \"slmgr\" is given twice; expected each filter once; remove one"
        );
        let unknown = refused(none, &slmgr.replace("slmgr", "smtp"));
        assert!(
            unknown
                .starts_with("logging.filter[0].name: \"smtp\"; expected \"all\", or a facility"),
            "{unknown}"
        );
        let loud = refused(none, &slmgr.replace("debug", "loud"));
        assert!(loud.starts_with("logging.filter[0].level: "), "{loud}");
        assert!(loud.contains("expected \"critical\", \"error\""), "{loud}");
    }

    #[test]
    fn servers_have_the_defaults_of_their_protocol() {
        let dir = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let pem = root.self_signed(&key).unwrap().pem();
        fs::write(dir.path().join("root.pem"), &pem).unwrap();
        let sections = "[[logging.syslog]]\nname = \"192.0.2.50\"\n\
            [[logging.syslog]]\nname = \"logs.example\"\nprotocol = \"tls\"\nroots = \"root.pem\"\n\
            facility = \"local0\"\nlevel = \"error\"\nqueue = 16\n";
        let [udp, tls] = &parse(dir.path(), sections).unwrap().syslog[..] else {
            panic!("two");
        };
        let expected = SyslogServer {
            address: "192.0.2.50".into(),
            port: 514,
            protocol: SyslogProtocol::Udp,
            facility: SyslogFacility::Local7,
            level: LogSeverity::Info,
            roots: Vec::new(),
            queue: 1_024,
        };
        assert_eq!(udp, &expected);
        let expected = SyslogServer {
            address: "logs.example".into(),
            port: 6514,
            protocol: SyslogProtocol::Tls,
            facility: SyslogFacility::Local0,
            level: LogSeverity::Error,
            roots: pem.into_bytes(),
            queue: 16,
        };
        assert_eq!(tls, &expected);
    }

    #[test]
    fn a_server_that_is_wrong_is_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("empty.pem"), "").unwrap();
        let server = "[[logging.syslog]]\nname = \"192.0.2.50\"\n";
        for (lines, said) in [
            (
                "roots = \"empty.pem\"",
                "syslog[0].roots: it is of no use without protocol \"tls\"",
            ),
            (
                "protocol = \"tls\"",
                "syslog[0].roots: missing; expected the path",
            ),
            (
                "protocol = \"tls\"\nroots = \"empty.pem\"",
                "syslog[0].roots: DIR/empty.pem is refused: there is no certificate in it",
            ),
            (
                "protocol = \"tls\"\nroots = \"gone.pem\"",
                "syslog[0].roots: DIR/gone.pem is refused: No such file",
            ),
            ("port = 0", "syslog[0].port: 0; expected a port, 1 to 65535"),
            (
                "queue = 15",
                "syslog[0].queue: 15; expected a number of events, 16 to 10000",
            ),
            ("queue = 10001", "syslog[0].queue: 10001; expected"),
            (
                "facility = \"mail\"",
                "syslog[0].facility: unknown variant `mail`; expected \"local0\" to",
            ),
            (
                server.trim_end(),
                "syslog[1].name: \"192.0.2.50\" is given twice",
            ),
        ] {
            let said = format!("logging.{said}").replace("DIR", &dir.path().display().to_string());
            let refused = refused(dir.path(), &format!("{server}{lines}"));
            assert!(refused.starts_with(&said), "{refused}");
        }
        let spaced = refused(dir.path(), "[[logging.syslog]]\nname = \"a b\"\n");
        assert!(
            spaced.starts_with("logging.syslog[0].name: \"a b\""),
            "{spaced}"
        );
        let many = |count: usize| {
            let of = |n| format!("[[logging.syslog]]\nname = \"192.0.2.{n}\"\n");
            (0..count).map(of).collect::<String>()
        };
        assert_eq!(parse(dir.path(), &many(4)).unwrap().syslog.len(), 4);
        assert_eq!(
            refused(dir.path(), &many(5)),
            "logging.syslog: 5 sections; expected at most 4 sections [[logging.syslog]]; mend the value"
        );
    }
}
