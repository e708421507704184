//! Delete Bearer to an SGW, TWAN or ePDG (TS 29.274 7.2.9.2, 7.2.10.2).

use gtp::v2::{Cause, CauseIe, Ebi, MessageType, Writer};
use licensing::Mono;

use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::transactions::{Leg, NoRoom, Purpose};

impl SessionPlane {
    /// The linked bearer is the default one, which stands for all of the PDN connection. The cause says why, where there is
    /// something that the other end has to know.
    pub(crate) fn ask_to_delete_bearer(
        &mut self,
        leg: Leg,
        cause: Option<Cause>,
        purpose: Purpose,
        now: Mono,
    ) -> Result<(), NoRoom> {
        let kind = MessageType::DELETE_BEARER_REQUEST;
        let sequence = self.transactions.draw(GtpVersion::V2)?;
        let mut octets = std::mem::take(&mut self.scratch);
        let mut writer = Writer::new(&mut octets, kind, Some(leg.peer_teid), sequence);
        if let Ok(linked) = Ebi::new(leg.number.number()) {
            writer.ebi(0, linked);
        }
        if let Some(cause) = cause {
            writer.cause(&CauseIe::new(cause));
        }
        if let Ok(bytes) = writer.finish() {
            let transaction =
                leg.transaction(&self.config, GtpVersion::V2, kind.0, sequence, purpose);
            self.begin_request(transaction, bytes, now);
        }
        self.scratch = octets;
        Ok(())
    }
}
