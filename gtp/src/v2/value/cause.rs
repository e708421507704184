//! The Cause element (TS 29.274 8.4).

use super::super::{Cause, IeType, MAX_INSTANCE};
use super::{Reader, ValueError};

/// A Cause element: what became of a request, or why it was sent, and who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CauseIe {
    /// The cause.
    pub cause: Cause,
    /// PCE: the error lies in a PDN Connection element.
    pub pdn_connection_error: bool,
    /// BCE: the error lies in a Bearer Context element.
    pub bearer_context_error: bool,
    /// CS: the error comes from a node behind the one that sends the message.
    pub from_remote_node: bool,
    /// The element that is missing or wrong.
    pub offending: Option<Offending>,
}

/// The element that a Cause complains of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offending {
    /// Its type.
    pub kind: IeType,
    /// Its instance, 0 to 15.
    pub instance: u8,
}

const PCE: u8 = 0x04;
const BCE: u8 = 0x02;
const CS: u8 = 0x01;

impl CauseIe {
    /// Longest value that is written.
    pub const MAX_BYTES: usize = 6;

    /// This cause, of our own, about the message as a whole.
    pub fn new(cause: Cause) -> Self {
        Self {
            cause,
            pdn_connection_error: false,
            bearer_context_error: false,
            from_remote_node: false,
            offending: None,
        }
    }

    /// This cause, of our own, about one element.
    pub fn about(cause: Cause, kind: IeType, instance: u8) -> Self {
        Self {
            offending: Some(Offending { kind, instance }),
            ..Self::new(cause)
        }
    }

    /// Reads the value of a Cause element; there is an offending element if it has six octets.
    ///
    /// # Errors
    ///
    /// When it has fewer than 2 octets, or 3 to 5.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader::new("Cause", value);
        let [cause, bits] = reader.take()?;
        let offending = match reader.rest.is_empty() {
            true => None,
            false => {
                let [kind, _, _, instance] = reader.take()?;
                Some(Offending {
                    kind: IeType(kind),
                    instance: instance & MAX_INSTANCE,
                })
            }
        };
        Ok(Self {
            cause: Cause(cause),
            pdn_connection_error: bits & PCE != 0,
            bearer_context_error: bits & BCE != 0,
            from_remote_node: bits & CS != 0,
            offending,
        })
    }

    /// Writes the value of the element into `out` and says how many octets it has: 2 or 6. The length of the offending
    /// element is sent as 0 (8.4).
    pub fn write(&self, out: &mut [u8; Self::MAX_BYTES]) -> usize {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        *out = [
            self.cause.0,
            bit(self.pdn_connection_error, PCE)
                | bit(self.bearer_context_error, BCE)
                | bit(self.from_remote_node, CS),
            0,
            0,
            0,
            0,
        ];
        let Some(offending) = self.offending else {
            return 2;
        };
        out[2] = offending.kind.0;
        out[5] = offending.instance & MAX_INSTANCE;
        Self::MAX_BYTES
    }
}
