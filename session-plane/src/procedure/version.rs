//! Version Not Supported (TS 29.060 7.2.3, 11.1.1).

use gtp::peek::peek;
use gtp::v1::{MessageType, Writer};

use crate::output::Path;
use crate::plane::SessionPlane;
use crate::statistics::DropReason;

impl SessionPlane {
    /// A message of another version is answered with the version that we have. The answer itself, which has the same
    /// type in every version, never is: two nodes would go on answering each other.
    pub(crate) fn answer_version(&mut self, datagram: &[u8], path: Path) {
        let kind = MessageType::VERSION_NOT_SUPPORTED;
        let Some(header) = peek(datagram) else {
            return self.counters.dropped(DropReason::TooShort);
        };
        if header.kind == kind.0 {
            return self.counters.dropped(DropReason::VersionNotSupported);
        }
        // Of a longer sequence number the low 16 bits.
        let sequence = header.sequence.unwrap_or(0) as u16;
        let mut octets = std::mem::take(&mut self.scratch);
        if let Ok(bytes) = Writer::new(&mut octets, kind, 0, sequence).finish() {
            self.send(path, kind, bytes);
        }
        self.scratch = octets;
    }
}
