//! Rows of a report as it comes, piece by piece: each is on a line of its own, between a line that begins and one that ends.

use api::Failure;
use serde_json::Value;

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What came since the last end of a line.
#[derive(Default)]
pub struct Lines {
    rest: Vec<u8>,
    begun: bool,
}

impl Lines {
    /// The rows that end in this piece.
    pub fn rows(&mut self, piece: &[u8]) -> Result<Vec<Value>, Failure> {
        self.rest.extend_from_slice(piece);
        let Some(end) = self.rest.iter().rposition(|octet| *octet == b'\n') else {
            return match self.rest.len() > LINE_BYTES_MAX {
                true => Err(not_understood(&"a line is too long")),
                false => Ok(Vec::new()),
            };
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let lines = whole.split(|octet| *octet == b'\n');
        let first = usize::from(!std::mem::replace(&mut self.begun, true));
        let lines = lines.skip(first);
        let lines = lines.map(|line| line.strip_suffix(b",").unwrap_or(line));
        let rows = lines.filter(|line| !matches!(*line, b"" | b"]}"));
        rows.map(|row| serde_json::from_slice(row).map_err(|error| not_understood(&error)))
            .collect()
    }
}

fn not_understood(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        format!("the report is not understood: {error}"),
        "report",
        "see that a license authority of this version is there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_the_same_wherever_the_pieces_end() {
        let text = "{\"rows\":[\n{\"a\":\"],\\n\"},\n{\"a\":2}\n]}\n".as_bytes();
        let expected = [json!({ "a": "],\n" }), json!({ "a": 2 })];
        for length in 1..=text.len() {
            let mut lines = Lines::default();
            let pieces = text.chunks(length);
            let rows: Vec<Value> = pieces
                .flat_map(|piece| lines.rows(piece).unwrap())
                .collect();
            assert_eq!(rows, expected, "{length}");
        }
        let none: [Value; 0] = [];
        assert_eq!(Lines::default().rows(b"{\n]}\n").unwrap(), none);
        assert!(Lines::default().rows(b"{\n<html>\n").is_err());
    }
}
