//! Delete Session from an SGW, TWAN, ePDG or MME (TS 29.274 7.2.9.1, 7.2.10.1). It is never refused for a license (rule
//! L7).

use gtp::v1::Nsapi;
use gtp::v2::{Cause, CauseIe, IeType, Indication};

use super::{Done, Rejected, Request};
use crate::plane::SessionPlane;
use crate::statistics::Ended;
use crate::ues::Ue;

impl SessionPlane {
    /// The tunnel endpoint says which session; a linked bearer that is not its default one says that the peer means
    /// another, which is not here. None: the answer waits for a PGW's.
    pub(super) fn delete_session(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Option<Done>, Rejected> {
        if let Some(ue) = self.ue_named(request) {
            return self.delete_of_ue(request, ue);
        }
        let session = self.session_named(request);
        let session = session.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let linked = linked_bearer(request);
        let record = self.table.session(session);
        let number = record.map(|record| record.context.nsapi);
        if linked.is_some() && linked != number {
            return Err(Cause::CONTEXT_NOT_FOUND.into());
        }
        self.end_session(session, Ended::Deleted);
        Ok(Some(Done::with(Cause::REQUEST_ACCEPTED)))
    }

    /// By S11 the linked bearer says which of the UE's PDN connections. With the Scope Indication all of them go: the MME
    /// has them at another SGW from here on, or gives up what it prepared here for a hand-over. Whether the PGW is to be
    /// told (Operation Indication) makes no difference where we are that, too. None: the answer waits for a PGW's.
    fn delete_of_ue(&mut self, request: &Request<'_>, ue: u32) -> Result<Option<Done>, Rejected> {
        let record = self.table.ue(ue).ok_or(Cause::CONTEXT_NOT_FOUND)?;
        if !self.is_from_its_mme(request, record) {
            return Err(Cause::INVALID_PEER.into());
        }
        let sessions = record.sessions();
        if request.flags().has(Indication::SI) {
            for session in sessions {
                if !self.go_back(session, request.now.mono) {
                    self.end_here(session, request.flags());
                }
            }
            return Ok(Some(Done::with(Cause::REQUEST_ACCEPTED)));
        }
        let missing = CauseIe::about(Cause::CONDITIONAL_IE_MISSING, IeType::EBI, 0);
        let linked = linked_bearer(request).ok_or(missing)?;
        let session = record.session(linked).ok_or(Cause::CONTEXT_NOT_FOUND)?;
        self.delete_of_mme(request, session)
    }

    /// A UE that went over to another MME is no longer the old one's to delete: a request that tells its sender's endpoint
    /// is accepted if that is the last one heard of (table 7.2.9.1-1).
    fn is_from_its_mme(&self, request: &Request<'_>, ue: &Ue) -> bool {
        let Some(sender) = request.sender() else {
            return true;
        };
        let mut sessions = ue.sessions();
        let session = sessions.next().and_then(|place| self.table.session(place));
        let peer = session.and_then(|session| self.table.peers.get(session.peer));
        let address = sender.address().map(|address| address.to_canonical());
        sender.teid == ue.peer_teid && address == peer.map(|peer| peer.address)
    }
}

fn linked_bearer(request: &Request<'_>) -> Option<Nsapi> {
    let value = request.ies.get(IeType::EBI, 0)?;
    Nsapi::parse(value).ok()
}
