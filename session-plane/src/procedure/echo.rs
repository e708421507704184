//! Echo (TS 29.060 7.2.1, 7.2.2).

use gtp::v1::{IeType, Message, MessageType, Writer};
use licensing::Mono;

use crate::output::Path;
use crate::plane::SessionPlane;
use crate::statistics::DropReason;

impl SessionPlane {
    /// Every Echo Request is answered, with our restart counter; the same request again gets the same octets.
    pub(crate) fn answer_echo(&mut self, path: Path, sequence: u16) {
        let kind = MessageType::ECHO_RESPONSE;
        let mut octets = std::mem::take(&mut self.scratch);
        let mut writer = Writer::new(&mut octets, kind, 0, sequence);
        writer.recovery(self.config.recovery);
        if let Ok(bytes) = writer.finish() {
            self.send(path, kind, bytes);
        }
        self.scratch = octets;
    }

    /// The answer to an Echo Request of ours: the path is up, and the peer's restart counter is what it says.
    pub(crate) fn take_echo(
        &mut self,
        message: &Message<'_>,
        path: Path,
        sequence: u16,
        now: Mono,
    ) {
        let recovery = message.ie_set().ok().and_then(|ies| {
            let value = ies.get(IeType::RECOVERY)?;
            value.first().copied()
        });
        let Some(recovery) = recovery else {
            return self.counters.dropped(DropReason::MalformedResponse);
        };
        let peer = path.peer.ip().to_canonical();
        if !self.hear_echo(peer, sequence.into(), now) {
            return self.counters.dropped(DropReason::UnexpectedResponse);
        }
        self.hear_recovery(peer, recovery, now);
    }
}
