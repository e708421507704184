//! All that the agent takes in, and all that it asks for: one closed enum each.

use std::fmt;

use api::LicenseCommand;
use api::smart::{Digest, Nonce, RequestType, Verdict};
use licensing::{Entitlement, LicenseCount, TagOrder, TagRef, Wall};

use crate::error::{Failure, OperatorError};
use crate::record::Record;

/// Stands for what an operator waits for; the shell chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What happened, as the agent is told it.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Time passed.
    Timeout,
    /// `license smart enable`, or its `no` form (rule L2): nothing is sent while it is off.
    SmartLicensing {
        /// Which of them.
        enable: bool,
    },
    /// The license clock runs at another speed from here on.
    LabSpeedup {
        /// License seconds a second, at least 1.
        speedup: u32,
    },
    /// Messages go another way from here on: what that is to cure is tried again at once.
    AnotherWay,
    /// What is in use now, and by which grants the ceilings stand; a tag that is not listed is not in use.
    Usage(Vec<TagUse>),
    /// An operator asks for something; [`Output::Done`] says what came of it.
    Operator {
        /// What the answer is for.
        ticket: Ticket,
        /// What is asked.
        command: LicenseCommand,
    },
    /// A root of an operator's file.
    Root {
        /// The certificate in DER.
        der: Vec<u8>,
    },
    /// The answer to a message: the body of a response with HTTP status 200.
    Answered {
        /// The message's.
        nonce: Nonce,
        /// The body, of at most [`api::smart::MESSAGE_BYTES_MAX`].
        octets: Vec<u8>,
    },
    /// A message did not get an answer.
    NotAnswered {
        /// The message's.
        nonce: Nonce,
        /// Why.
        failure: Failure,
    },
    /// The last record could not be kept. Told before anything else is, and nothing polled later was done.
    NotPersisted,
}

/// What is in use of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagUse {
    /// The tag.
    pub tag: TagRef,
    /// Sessions that use it, emergency calls apart.
    pub sessions: u32,
    /// Licenses that these take.
    pub licenses: LicenseCount,
    /// The grant by which its ceiling stands; none: there is no grant.
    pub held: Option<LicenseCount>,
}

/// What the agent asks its shell to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Keep this, durably, before anything that follows it; if that fails, say so at once: [`Input::NotPersisted`].
    Persist(Record),
    /// Send this, and say what came of it: [`Input::Answered`] or [`Input::NotAnswered`].
    Send(Message),
    /// Tell the verdicts of `enforcer`.
    Tell(Told),
    /// What an operator asked for is done, or not.
    Done {
        /// What it was asked with.
        ticket: Ticket,
        /// What came of it.
        result: Result<(), OperatorError>,
    },
    /// Something that people are to know of.
    Notice(Notice),
}

/// A message to the authority: `POST` [`api::smart::SMART_PATH`].
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Stands for it in what is told of it.
    pub nonce: Nonce,
    /// Its type.
    pub kind: RequestType,
    /// The connection is to be made with the identity certificate.
    pub identified: bool,
    /// The body. It may hold a token: it is not to be logged.
    pub octets: Vec<u8>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            nonce,
            kind,
            identified,
            octets,
        } = self;
        write!(
            f,
            "Message({kind}, nonce {}, identified {identified}, {} bytes)",
            nonce.0,
            octets.len()
        )
    }
}

/// What the verdicts are told: one input of `enforcer::verdicts` each, of the same name and meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The authority registered the node, or renewed its registration.
    Registered,
    /// A registration or its renewal failed.
    RegistrationFailed,
    /// The node is not registered any more, by its own wish or by the authority's.
    Deregistered,
    /// The authority answered for a tag.
    Verdict {
        /// The tag.
        tag: TagRef,
        /// What it said.
        verdict: Verdict,
        /// What it granted; none: no grant.
        granted: Option<Entitlement>,
        /// License time until the end of what it granted, in milliseconds; none: it has no end.
        lasts_ms: Option<u64>,
    },
    /// The node reported a tag's licenses to its agent.
    Reported {
        /// The tag.
        tag: TagRef,
        /// Licenses reported.
        licenses: LicenseCount,
        /// The agent took the report.
        ok: bool,
    },
    /// The agent gave the authority up for now.
    AuthorityUnreachable,
    /// An authentic answer of the authority arrived.
    AuthorityReached,
    /// A root of the trust pool is about to expire or has, or none is; told at the start and when it changes.
    RootExpiring(bool),
    /// The authority has reports of this identity that this node does not remember: its state was restored from an older
    /// copy, or another node has it too.
    StateTampered,
    /// What is ordered about a tag from here on, in place of what was.
    Order {
        /// The tag.
        tag: TagRef,
        /// What holds.
        order: TagOrder,
    },
    /// The lab authority's clock runs at this speed.
    LabSpeedup {
        /// License seconds a second.
        speedup: u32,
    },
}

/// What people are to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A registration succeeded.
    Registered,
    /// A registration failed.
    RegistrationFailed(Failure),
    /// The registration has ended.
    Deregistered,
    /// The authority ended the registration: it removed the instance, or revoked its certificate.
    RegistrationEnded(Failure),
    /// A deregistration failed.
    DeregistrationFailed(Failure),
    /// The identity certificate was renewed.
    IdRenewed,
    /// It was not.
    IdNotRenewed(Failure),
    /// The authorization was renewed.
    AuthorizationRenewed,
    /// It was not.
    AuthorizationNotRenewed(Failure),
    /// The first message in a row got no answer.
    CommunicationFailed(Failure),
    /// The first one after that did.
    CommunicationRestored,
    /// The date is outside of the identity certificate's validity: an hour is left to correct the clock.
    CertificateOutOfRange,
    /// It still was after that hour: the certificate is not used any more.
    CertificateDropped,
    /// The date is inside of the validity again, and the certificate in use.
    CertificateInRange,
    /// The identity certificate ends soon, and its renewal, which was due at half of it, has not succeeded.
    CertificateExpires {
        /// When.
        at: Wall,
    },
    /// The trust pool has changed.
    TrustPoolChanged,
    /// What was offered for the trust pool was not taken.
    TrustRefused(String),
    /// A root is about to expire, or has.
    RootExpires {
        /// SHA-256 of its certificate.
        fingerprint: Digest,
        /// When.
        at: Wall,
    },
    /// The authority sees two nodes of this identity, or that the state of this one was restored.
    Forked,
    /// Orders came and are in force: their serial number.
    OrdersTaken(u64),
    /// Orders came and are in force but for these parts, and why.
    OrdersSetAside(String),
    /// Orders came that are not taken: why.
    OrdersRefused(String),
    /// The agent's state can't be written.
    NotWritten,
}
