//! Echo and Version Not Supported (TS 29.274 7.1.1 to 7.1.3, 7.7.2).

use gtp::peek::peek;
use gtp::v2::{IeType, MAX_SEQUENCE, Message, MessageType, Writer};
use licensing::Mono;

use crate::output::Path;
use crate::plane::SessionPlane;
use crate::statistics::DropReason;

impl SessionPlane {
    /// Every Echo Request is answered, with our restart counter; the same request again gets the same octets. The peer's
    /// restart counter is in it.
    pub(super) fn answer_echo_v2(&mut self, message: &Message<'_>, path: Path, now: Mono) {
        let kind = MessageType::ECHO_RESPONSE;
        let mut octets = std::mem::take(&mut self.scratch);
        let mut writer = Writer::new(&mut octets, kind, None, message.header.sequence);
        writer.recovery(self.config.recovery);
        if let Ok(bytes) = writer.finish() {
            self.send_v2(path, kind, bytes);
        }
        self.scratch = octets;
        if let Some(counter) = recovery(message) {
            self.hear_recovery(path.peer.ip().to_canonical(), counter, now);
        }
    }

    /// The answer to an Echo Request of ours: the path is up, and the peer's restart counter is what it says.
    pub(super) fn take_echo_v2(&mut self, message: &Message<'_>, path: Path, now: Mono) {
        let Some(counter) = recovery(message) else {
            return self.counters.dropped(DropReason::MalformedResponse);
        };
        let peer = path.peer.ip().to_canonical();
        if !self.hear_echo(peer, message.header.sequence, now) {
            return self.counters.dropped(DropReason::UnexpectedResponse);
        }
        self.hear_recovery(peer, counter, now);
    }

    /// A message of a later version is answered with the version that we have. The answer itself, which has the same type
    /// in every version, never is: two nodes would go on answering each other.
    pub(super) fn answer_version_v2(&mut self, datagram: &[u8], path: Path) {
        let kind = MessageType::VERSION_NOT_SUPPORTED;
        let Some(header) = peek(datagram) else {
            return self.counters.dropped(DropReason::TooShort);
        };
        if header.kind == kind.0 {
            return self.counters.dropped(DropReason::VersionNotSupported);
        }
        let sequence = header.sequence.unwrap_or(0) & MAX_SEQUENCE;
        let mut octets = std::mem::take(&mut self.scratch);
        if let Ok(bytes) = Writer::new(&mut octets, kind, None, sequence).finish() {
            self.send_v2(path, kind, bytes);
        }
        self.scratch = octets;
    }
}

pub(super) fn recovery(message: &Message<'_>) -> Option<u8> {
    let ies = message.ie_set().ok()?;
    ies.get(IeType::RECOVERY, 0)?.first().copied()
}
