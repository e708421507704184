//! A request that is answered later: who asked, and for what.

use gtp::v1::Nsapi;
use gtp::v2::{Cause, CauseIe, IeSet, IeType, MessageType, WriteError};
use licensing::Now;

use super::super::Request;
use super::super::answer::Answer;
use super::pass::{self, Head};
use crate::cache::Fingerprint;
use crate::config::{PeerOptions, PlaneConfig};
use crate::output::Path;
use crate::plane::SessionPlane;

/// Who asked, and for what.
#[derive(Debug)]
pub(super) struct Asked {
    pub path: Path,
    fingerprint: Fingerprint,
    kind: MessageType,
    sequence: u32,
    /// The endpoint that the answer goes to.
    peer_teid: u32,
    /// The one that the request named.
    pub teid: u32,
    pub shard: u8,
    /// Its information elements.
    pub body: Vec<u8>,
}

impl Asked {
    pub(super) fn new(request: &Request<'_>, peer_teid: u32) -> Self {
        Self {
            path: request.path,
            fingerprint: request.fingerprint,
            kind: request.kind,
            sequence: request.sequence,
            peer_teid,
            teid: request.teid.unwrap_or(0),
            shard: request.shard,
            body: request.body.to_vec(),
        }
    }

    /// The request again, as it was asked; `ies` are of its body.
    pub(super) fn request<'a>(
        &'a self,
        ies: &'a IeSet<'a>,
        options: PeerOptions,
        now: Now,
    ) -> Request<'a> {
        Request {
            kind: self.kind,
            teid: Some(self.teid),
            sequence: self.sequence,
            shard: self.shard,
            path: self.path,
            fingerprint: self.fingerprint,
            body: &self.body,
            ies,
            options,
            now,
        }
    }

    /// What the answer to a Delete Bearer Request tells, as octets: the default bearer that it is about (table
    /// 7.2.10.2-1).
    pub(super) fn linked(&self) -> Vec<u8> {
        let (ies, _) = IeSet::parse_prefix(&self.body);
        let asked = ies.get(IeType::EBI, 0).map(Nsapi::parse);
        match asked {
            Some(Ok(number)) if self.kind == MessageType::DELETE_BEARER_REQUEST => {
                pass::linked(number)
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// An answer to it.
    pub(super) fn answer(&self, cause: Cause) -> Answer {
        Answer::new(self.kind, self.peer_teid, self.sequence, cause)
    }
}

impl SessionPlane {
    /// Answers a request that waited; the answer is kept for retransmissions, and the request is in progress no longer.
    pub(super) fn answer_asked(
        &mut self,
        asked: &Asked,
        cause: Cause,
        now: Now,
        write: impl for<'b> FnOnce(Head<'b>, &PlaneConfig) -> Result<&'b [u8], WriteError>,
    ) {
        let Some(kind) = asked.kind.response() else {
            return;
        };
        self.counters.v2.answered(asked.kind.0, cause.0);
        let mut octets = std::mem::take(&mut self.scratch);
        let head = Head {
            kind,
            teid: asked.peer_teid,
            sequence: asked.sequence,
            out: &mut octets,
        };
        match write(head, &self.config) {
            Ok(bytes) => {
                self.cache.keep(asked.fingerprint, bytes, now.mono);
                self.send_v2(asked.path, kind, bytes);
            }
            Err(_) => self.cache.forget(&asked.fingerprint),
        }
        self.scratch = octets;
    }

    /// Answers a request that waited with a cause, and with elements that were passed on.
    pub(super) fn answer_cause(
        &mut self,
        asked: &Asked,
        cause: CauseIe,
        passed: Vec<u8>,
        now: Now,
    ) {
        let answer = Answer {
            cause,
            passed,
            ..asked.answer(cause.cause)
        };
        self.answer_wholly(asked, answer, now);
    }

    /// Answers a request that waited as if it had not.
    pub(super) fn answer_wholly(&mut self, asked: &Asked, mut answer: Answer, now: Now) {
        answer.padded = self.options_of(asked.path).padded;
        self.answer_asked(asked, answer.cause.cause, now, |head, config| {
            answer.write(config, head.out)
        });
    }
}
