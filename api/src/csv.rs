//! CSV (RFC 4180), as reports and lists have it.

use serde_json::Value;

/// A cell; what a spreadsheet would take for a formula is made text.
pub fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => return value.to_string(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{mark}{}\"", text.replace('"', "\"\""));
    }
    text
}

/// A line of cells, with its end.
pub fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    cells.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let cells = [
            json!(null),
            json!(-7),
            json!("plain"),
            json!("a,\"b\""),
            json!("a\r\nb"),
            json!("=1+1"),
            json!("@x"),
            json!([1]),
            json!({ "a": "b" }),
        ];
        let line = line(cells.iter().map(cell));
        let expected = ",-7,plain,\"a,\"\"b\"\"\",\"a\r\nb\",\"'=1+1\",\"'@x\",[1],\"{\"\"a\"\":\"\"b\"\"}\"\r\n";
        assert_eq!(line, expected);
    }
}
