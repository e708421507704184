//! Values as they stand in a file.

use crate::table::DataType;

/// The value of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A count.
    Int(u64),
    /// A number in thousandths.
    Thousandths(u64),
    /// A text; what is outside of [`word`] is written as `_`.
    Text(&'a str),
    /// Without a source yet: nothing is written.
    Absent,
}

/// May this stand in a text? Letters, digits and what names, addresses and times need; no separator is among them.
pub const fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'+' | b'/' | b'-' | b'*')
}

impl Value<'_> {
    /// Appends it. An Int32 rolls over at 2^32.
    pub(crate) fn write(self, data: DataType, out: &mut Vec<u8>) {
        match self {
            Self::Int(n) if data == DataType::Int32 => digits(n & 0xffff_ffff, out),
            Self::Int(n) => digits(n, out),
            Self::Thousandths(n) => {
                digits(n / 1_000, out);
                let rest = n % 1_000;
                let digit = |n: u64| b'0' + (n % 10) as u8;
                out.extend([b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
            }
            Self::Text(text) => {
                let written = text.chars().map(|c| match u8::try_from(c) {
                    Ok(byte) if word(byte) => byte,
                    Ok(_) | Err(_) => b'_',
                });
                match text.bytes().all(word) {
                    true => out.extend_from_slice(text.as_bytes()),
                    false => out.extend(written),
                }
            }
            Self::Absent => {}
        }
    }
}

/// Decimal digits, the last ones first, in a buffer that holds all of a u64.
fn digits(mut n: u64, out: &mut Vec<u8>) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: Value<'_>, data: DataType) -> String {
        let mut out = Vec::new();
        value.write(data, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counts_are_decimal_and_int32_rolls_over() {
        for n in [0, 1, 9, 10, 99, 4_294_967_295, 4_294_967_296, u64::MAX] {
            assert_eq!(written(Value::Int(n), DataType::Int64), n.to_string());
        }
        assert_eq!(
            written(Value::Int(4_294_967_295), DataType::Int32),
            "4294967295"
        );
        assert_eq!(written(Value::Int(4_294_967_296), DataType::Int32), "0");
        assert_eq!(written(Value::Int(8_589_934_599), DataType::Int32), "7");
    }

    #[test]
    fn a_float_has_three_decimals() {
        for (n, text) in [
            (1_345, "1.345"),
            (0, "0.000"),
            (7, "0.007"),
            (100_050, "100.050"),
        ] {
            assert_eq!(written(Value::Thousandths(n), DataType::Float), text);
        }
    }

    #[test]
    fn a_text_holds_no_separator() {
        assert_eq!(
            written(Value::Text("gw-1.example:/+*_"), DataType::String),
            "gw-1.example:/+*_"
        );
        assert_eq!(
            written(Value::Text("a,b;c|d\"e\nf g\u{e9}%"), DataType::String),
            "a_b_c_d_e_f_g__"
        );
        assert_eq!(written(Value::Absent, DataType::String), "");
    }
}
