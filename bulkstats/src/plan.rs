//! One file's formats, compiled.

use crate::config::{ConfigError, FileConfig, SchemaConfig, bound, remote};
use crate::format::{Format, Lines};
use crate::moment::Moment;
use crate::view::View;

/// What the name of a compressed file ends in, and of no other.
pub(crate) const ZIPPED: &str = ".gz";

/// A file, ready to be written.
#[derive(Debug)]
pub struct FilePlan {
    config: FileConfig,
    header: Format,
    footer: Format,
    remote: Format,
    lines: Vec<Lines>,
    kinds: String,
}

impl FilePlan {
    /// Of a file's configuration. Errors: a format is refused, or a bound is passed.
    pub fn new(config: FileConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let mut lines = Vec::new();
        let mut kinds: Vec<&str> = Vec::new();
        for schema in &config.schemas {
            let SchemaConfig { schema: kind, .. } = schema;
            lines.push(Lines::new(&schema.format()?, *kind));
            if !kinds.contains(&kind.name()) {
                kinds.push(kind.name());
            }
        }
        Ok(Self {
            header: bound("header", &config.header)?,
            footer: bound("footer", &config.footer)?,
            remote: remote(&config.remote)?,
            kinds: kinds.join("+"),
            lines,
            config,
        })
    }

    /// What it was made of.
    pub fn config(&self) -> &FileConfig {
        &self.config
    }

    /// Kinds of schema in it, with `+` between them.
    pub fn kinds(&self) -> &str {
        &self.kinds
    }

    /// The name at the receiver, of a file that is begun at this moment, without [`ZIPPED`]. What a variable is makes no
    /// directory and leaves none.
    pub fn name(&self, moment: &Moment) -> String {
        let mut name = Vec::new();
        self.remote.write_common(moment, true, &mut name);
        let name = String::from_utf8(name).unwrap_or_default();
        let parts = name.split('/').map(|part| match part {
            "." => "_",
            ".." => "__",
            part => part,
        });
        let mut name = parts.collect::<Vec<_>>().join("/");
        if name.ends_with(ZIPPED) {
            name.push('_');
        }
        name
    }

    /// Appends the header.
    pub fn write_header(&self, moment: &Moment, out: &mut Vec<u8>) {
        self.header.write_common(moment, false, out);
    }

    /// Appends the footer.
    pub fn write_footer(&self, moment: &Moment, out: &mut Vec<u8>) {
        self.footer.write_common(moment, false, out);
    }

    /// Appends one sample: all rows of all schemas, of one view. How many rows.
    pub fn write_sample(&self, moment: &Moment, view: &View, out: &mut Vec<u8>) -> u64 {
        let rows = self.lines.iter();
        rows.map(|lines| lines.write(moment, view, out)).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use super::*;
    use crate::fixture;
    use crate::view::Zone;

    #[test]
    fn a_name_is_one_whatever_its_variables_are() {
        let mut view = fixture::view();
        view.zone = Zone {
            name: "Europe/Berlin".into(),
            offset_s: 3_600,
        };
        let mut name = |host: &str, address: Option<IpAddr>, remote: &str| {
            Arc::make_mut(&mut view.node).node.name = host.into();
            view.address = address;
            let plan = FilePlan::new(FileConfig::new(1, remote)).unwrap();
            plan.name(&Moment::new(&view, fixture::AT, "", None))
        };
        let address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        for (host, address, remote, expected) in [
            ("gw1", address, "/d/%host%_%ipaddr%", "/d/gw1_192.0.2.1"),
            ("gw1", None, "%ipaddr%", "-"),
            ("gw1", None, "/drop/%ipaddr%", "/drop/-"),
            ("gw1", None, "/drop/%ipaddr%/%host%", "/drop/-/gw1"),
            ("../x", None, "/drop/%host%.csv", "/drop/.._x.csv"),
            ("..", None, "/drop/%host%/a", "/drop/__/a"),
            (".", None, "/drop/%host%", "/drop/_"),
            (".", None, "/drop/%host%%host%", "/drop/__"),
            ("gw1", None, "a_%localtz%", "a_Europe_Berlin"),
            ("a.gz", None, "%host%", "a.gz_"),
        ] {
            assert_eq!(name(host, address, remote), expected);
        }
    }
}
