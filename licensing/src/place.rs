//! Where in a TOML text something is: keys to lines, and byte offsets to keys.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Keys of a TOML text with the bytes that they and their values take.
#[derive(Clone, Debug)]
pub struct Places {
    line_starts: Vec<usize>,
    /// Key as `apn[1].service`, the bytes of the key itself (none for an element of an array) and those of its value.
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    key_at: Option<Range<usize>>,
    value_at: Range<usize>,
}

impl Places {
    /// Of a text; of one that is not TOML what can be made out.
    pub fn of(text: &str) -> Self {
        let (table, _errors) = DeTable::parse_recoverable(text);
        Self::of_table(text, table.get_ref())
    }

    /// Of a table that is made of parts of a text.
    pub fn of_table(text: &str, table: &DeTable<'_>) -> Self {
        let mut entries = Vec::new();
        enter_table(table, "", &mut entries);
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            line_starts: std::iter::once(0).chain(newlines).collect(),
            entries,
        }
    }

    /// The line of a byte, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The key whose own bytes or value a byte is in, the innermost; empty: none.
    pub fn key_at(&self, offset: usize) -> &str {
        let holds = |at: &Range<usize>| at.contains(&offset);
        let spans = self.entries.iter().flat_map(|entry| {
            let spans = entry.key_at.iter().chain([&entry.value_at]);
            spans.map(move |span| (span, entry.key.as_str()))
        });
        let inner = spans
            .filter(|(span, _)| holds(span))
            .min_by_key(|(span, _)| span.len());
        inner.map_or("", |(_, key)| key)
    }

    /// The key whose value takes just these bytes; empty: none.
    pub fn key_of(&self, value: &Range<usize>) -> &str {
        let entry = self.entries.iter().find(|entry| entry.value_at == *value);
        entry.map_or("", |entry| &entry.key)
    }

    /// The line of a key, else of the innermost part of it that is in the text, else 1.
    pub fn line_of_key(&self, key: &str) -> usize {
        self.line_of(self.start_of_key(key))
    }

    /// The first byte of a key, likewise, else 0.
    pub fn start_of_key(&self, key: &str) -> usize {
        let mut part = key;
        loop {
            if let Some(entry) = self.entries.iter().find(|entry| entry.key == part) {
                let at = entry.key_at.as_ref().unwrap_or(&entry.value_at);
                return at.start;
            }
            match part.rfind(['.', '[']) {
                Some(cut) => part = &part[..cut],
                None => return 0,
            }
        }
    }
}

fn enter_table(table: &DeTable<'_>, prefix: &str, entries: &mut Vec<Entry>) {
    for (name, value) in table {
        let key = match prefix {
            "" => name.get_ref().to_string(),
            prefix => format!("{prefix}.{}", name.get_ref()),
        };
        enter(key, Some(name.span()), value, entries);
    }
}

fn enter(
    key: String,
    key_at: Option<Range<usize>>,
    value: &toml::Spanned<DeValue<'_>>,
    entries: &mut Vec<Entry>,
) {
    if let Some(table) = value.get_ref().as_table() {
        enter_table(table, &key, entries);
    }
    if let Some(array) = value.get_ref().as_array() {
        for (place, element) in array.iter().enumerate() {
            enter(format!("{key}[{place}]"), None, element, entries);
        }
    }
    entries.push(Entry {
        key,
        key_at,
        value_at: value.span(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "[node]\nname = \"a\"\n\n[[apn]]\nname = \"x\"\n[[apn]]\nfeatures = [\"GRE\",\n  \"Q\"]\n";

    #[test]
    fn keys_have_lines() {
        let places = Places::of(TEXT);
        let lines = [
            "node.name",
            "apn[0].name",
            "apn[1]",
            "apn[1].features[1]",
            "apn[1].pool",
        ];
        assert_eq!(lines.map(|key| places.line_of_key(key)), [2, 5, 6, 8, 6]);
        assert_eq!(places.line_of_key("lab.speedup"), 1);
    }

    #[test]
    fn bytes_have_keys() {
        let places = Places::of(TEXT);
        let key = |needle: &str| places.key_at(TEXT.find(needle).unwrap());
        assert_eq!(key("\"a\""), "node.name");
        assert_eq!(key("\"Q\""), "apn[1].features[1]");
        assert_eq!(key("features"), "apn[1].features");
    }

    #[test]
    fn a_text_that_is_not_toml_still_has_places() {
        let places = Places::of("a = 1\nb = \n");
        assert_eq!((places.line_of(0), places.line_of(7)), (1, 2));
        assert_eq!((places.key_at(0), places.key_at(5)), ("a", ""));
    }
}
