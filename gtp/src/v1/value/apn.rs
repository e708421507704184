//! Access point names (TS 29.060 7.7.30, TS 23.003 9.1): labels with a length octet in front, dots between them in text.

use std::fmt;

use super::ValueError;

/// Longest access point name as it is coded. Unit: octets (TS 23.003 9.1).
pub const APN_MAX_BYTES: usize = 100;

/// Longest label. Unit: octets (TS 23.003 9.1, RFC 1035).
const LABEL_MAX_BYTES: usize = 63;

/// An access point name, as it is coded.
///
/// A label may hold any printable ASCII, a dot too: there are SGSNs that put the whole dotted name into one label, and
/// as text it is the same name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Apn<'a>(&'a [u8]);

impl<'a> Apn<'a> {
    /// Reads the value of an Access Point Name element.
    ///
    /// # Errors
    ///
    /// When it is empty or longer than [`APN_MAX_BYTES`], or its labels do not add up.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        if value.is_empty() || value.len() > APN_MAX_BYTES {
            return Err(ValueError::Length {
                what: "access point name",
                have: value.len(),
            });
        }
        let mut rest = value;
        while let Some((&len, after)) = rest.split_first() {
            let label = after.split_at_checked(usize::from(len));
            let Some((label, after)) = label.filter(|(label, _)| is_label(label)) else {
                return Err(ValueError::Label);
            };
            debug_assert!(!label.is_empty());
            rest = after;
        }
        Ok(Self(value))
    }

    /// Codes dotted text into `out`.
    ///
    /// # Errors
    ///
    /// When a label is empty, too long or not printable, or the whole is longer than [`APN_MAX_BYTES`].
    pub fn encode(text: &str, out: &'a mut [u8; APN_MAX_BYTES]) -> Result<Self, ValueError> {
        if text.len() >= APN_MAX_BYTES {
            return Err(ValueError::Length {
                what: "access point name",
                have: text.len() + 1,
            });
        }
        let mut len = 0;
        for label in text.split('.') {
            if !is_label(label.as_bytes()) {
                return Err(ValueError::Label);
            }
            out[len] = label.len() as u8;
            out[len + 1..len + 1 + label.len()].copy_from_slice(label.as_bytes());
            len += 1 + label.len();
        }
        Ok(Self(&out[..len]))
    }

    /// The value of the element.
    pub fn octets(&self) -> &'a [u8] {
        self.0
    }

    /// Its labels.
    pub fn labels(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (&len, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(len))?;
            rest = after;
            Some(label)
        })
    }

    /// As dotted lower-case text, in `out`: names are compared without regard to case (TS 23.003 9.1).
    pub fn text<'o>(&self, out: &'o mut [u8; APN_MAX_BYTES]) -> &'o str {
        let mut len = 0;
        for label in self.labels() {
            if len > 0 {
                out[len] = b'.';
                len += 1;
            }
            for byte in label {
                out[len] = byte.to_ascii_lowercase();
                len += 1;
            }
        }
        // Labels were found to be printable ASCII.
        std::str::from_utf8(&out[..len]).unwrap_or_default()
    }

    /// As [`Apn::text`], without the operator identifier `mncNNN.mccNNN.gprs` that an SGSN may add (TS 23.003 9.1.2).
    pub fn network_identifier<'o>(&self, out: &'o mut [u8; APN_MAX_BYTES]) -> &'o str {
        let text = self.text(out);
        let mut parts = text.rsplitn(4, '.');
        let operator = (parts.next(), parts.next(), parts.next(), parts.next());
        match operator {
            (Some("gprs"), Some(mcc), Some(mnc), Some(network))
                if is_code(mcc, "mcc") && is_code(mnc, "mnc") =>
            {
                network
            }
            _ => text,
        }
    }
}

impl fmt::Display for Apn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = [0; APN_MAX_BYTES];
        f.write_str(self.text(&mut out))
    }
}

impl fmt::Debug for Apn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apn({self})")
    }
}

fn is_label(label: &[u8]) -> bool {
    (1..=LABEL_MAX_BYTES).contains(&label.len()) && label.iter().all(u8::is_ascii_graphic)
}

/// `prefix` and three digits.
fn is_code(label: &str, prefix: &str) -> bool {
    label
        .strip_prefix(prefix)
        .is_some_and(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
}
