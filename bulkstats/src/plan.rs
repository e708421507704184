//! One file's formats, compiled.

use crate::config::{ConfigError, FileConfig, SchemaConfig, bound, remote};
use crate::format::{Format, Lines};
use crate::moment::Moment;
use crate::view::View;

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

    /// The name at the receiver, of a file that is begun at this moment.
    pub fn name(&self, moment: &Moment) -> String {
        let mut name = Vec::new();
        self.remote.write_common(moment, true, &mut name);
        String::from_utf8(name).unwrap_or_default()
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
