//! An SGSN that makes calls when told to, one after the other or in a burst: for tests and demonstrations.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use gtp::v1::{
    Cause, EndUserAddress, EvolvedArp, Imsi, Message, MessageType, Nsapi, PdpType, WriteError,
    Writer,
};
use licensing::Mono;

use super::outcome::{Burst, ClientError, Context, Outcome};
use super::socket::Sockets;
use super::{Clock, LoadError, salt};
use crate::message::{UpdateRequest, write_delete, write_delete_response, write_echo_response};
use crate::transactions::{Expired, Pending, Transactions};
use crate::{CreateRequest, QOS_R99};

/// Whom a [`Client`] talks to, and how.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The GGSN's signalling address.
    pub peer: SocketAddr,
    /// Our address; if it names none, the one from which the peer is reached.
    pub local: IpAddr,
    /// Our port: 2123, so that the GGSN's Echo Requests find us, or 0 for any.
    pub local_port: u16,
    /// Time to wait for an answer before a request is sent again (T3-RESPONSE).
    pub t3_response: Duration,
    /// How often a request is sent in all (N3-REQUESTS).
    pub n3_requests: u8,
    /// Our restart counter; every create carries it, and every Echo Response.
    pub recovery: u8,
    /// What address calls ask for.
    pub pdp_type: PdpType,
    /// Allocation/retention priority of calls, 1 to 3.
    pub arp: u8,
    /// Priority of the evolved kind.
    pub evolved_arp: Option<EvolvedArp>,
}

/// An SGSN that makes calls when told to. While it waits for an answer it answers the GGSN's own requests;
/// [`Client::serve`] does only that.
#[derive(Debug)]
pub struct Client {
    options: ClientOptions,
    clock: Clock,
    sockets: Sockets,
    transactions: Transactions<Sent>,
    next_teid: u32,
    ended: Vec<u32>,
}

/// A request that is written but has no sequence number yet.
#[derive(Debug)]
struct Job {
    kind: MessageType,
    octets: Vec<u8>,
    /// Our tunnel endpoint, to which the answer comes.
    teid: u32,
    /// What a create makes if it is accepted.
    context: Option<Context>,
}

/// A request under way.
#[derive(Debug)]
struct Sent {
    job: Job,
    first: Mono,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 2123)),
            local: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            local_port: 2123,
            t3_response: Duration::from_secs(1),
            n3_requests: 5,
            recovery: 1,
            pdp_type: PdpType::Ipv4,
            arp: 2,
            evolved_arp: None,
        }
    }
}

impl Client {
    /// A number of requests to have under way at once that no receive buffer is too small for.
    pub const WINDOW: u32 = 256;

    /// Opens its socket. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the address can't be bound.
    pub fn open(options: ClientOptions) -> Result<Self, LoadError> {
        let salt = salt();
        Ok(Self {
            clock: Clock::start(),
            sockets: Sockets::bind(options.local, options.local_port, 1, options.peer)?,
            transactions: Transactions::new(
                options.t3_response,
                options.n3_requests,
                u16::MAX.into(),
                salt,
            ),
            next_teid: salt.max(1),
            ended: Vec::new(),
            options,
        })
    }

    /// Our address.
    pub fn local_ip(&self) -> IpAddr {
        self.sockets.local_ip()
    }

    /// From now on our restart counter is this: as if we had restarted and lost all calls.
    pub fn set_recovery(&mut self, recovery: u8) {
        self.options.recovery = recovery;
    }

    /// Our tunnel endpoints of calls that the GGSN ended, since this was last asked.
    pub fn take_ended(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.ended)
    }

    /// Create PDP Context.
    ///
    /// # Errors
    ///
    /// When no answer comes, the APN can't be coded, or the socket fails.
    pub fn create(&mut self, apn: &str, imsi: Imsi) -> Result<Outcome, ClientError> {
        self.create_with(apn, imsi, |_| {})
    }

    /// Create PDP Context, after `change` has seen to the request.
    ///
    /// # Errors
    ///
    /// As [`Client::create`].
    pub fn create_with(
        &mut self,
        apn: &str,
        imsi: Imsi,
        change: impl FnOnce(&mut CreateRequest<'_>),
    ) -> Result<Outcome, ClientError> {
        let job = self.create_job(apn, imsi, change)?;
        self.one(job)
    }

    /// Create PDP Context of a secondary context beside `of`.
    ///
    /// # Errors
    ///
    /// As [`Client::create`].
    pub fn create_secondary(&mut self, of: &Context, nsapi: Nsapi) -> Result<Outcome, ClientError> {
        let mut request = self.request(&of.apn, of.imsi, of.teid);
        request.imsi = None;
        request.nsapi = nsapi;
        request.linked_nsapi = Some(of.nsapi);
        let mut octets = Vec::new();
        request.write(&mut octets, of.peer_teid, 0)?;
        let context = Context {
            nsapi,
            ..of.clone()
        };
        self.one(Job {
            kind: MessageType::CREATE_PDP_CONTEXT_REQUEST,
            octets,
            teid: of.teid,
            context: Some(context),
        })
    }

    /// Update PDP Context.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn update(&mut self, context: &Context) -> Result<Outcome, ClientError> {
        let request = UpdateRequest {
            nsapi: context.nsapi,
            recovery: None,
            teid_data: context.teid,
            teid_control: context.teid,
            gsn_address: self.local_ip(),
            arp: self.options.arp,
            qos: &QOS_R99,
        };
        let mut octets = Vec::new();
        request.write(&mut octets, context.peer_teid, 0)?;
        self.one(Job {
            kind: MessageType::UPDATE_PDP_CONTEXT_REQUEST,
            octets,
            teid: context.teid,
            context: None,
        })
    }

    /// Delete PDP Context, with all contexts of the same address.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn delete(&mut self, context: &Context) -> Result<Outcome, ClientError> {
        let job = delete_job(context, true)?;
        self.one(job)
    }

    /// Delete PDP Context of this one only: a secondary context.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn delete_only(&mut self, context: &Context) -> Result<Outcome, ClientError> {
        let job = delete_job(context, false)?;
        self.one(job)
    }

    /// Echo: the GGSN's restart counter, if it tells it.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn echo(&mut self) -> Result<Option<u8>, ClientError> {
        let outcome = self.request_any(MessageType::ECHO_REQUEST, 0, 0, |_| {})?;
        Ok(outcome.recovery)
    }

    /// Any request, its elements written by `fill`; the answer comes to our tunnel endpoint `teid`.
    ///
    /// # Errors
    ///
    /// When no answer comes, an element does not fit, or the socket fails.
    pub fn request_any(
        &mut self,
        kind: MessageType,
        peer_teid: u32,
        teid: u32,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Outcome, ClientError> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, kind, peer_teid, 0);
        fill(&mut writer);
        writer.finish()?;
        self.one(Job {
            kind,
            octets,
            teid,
            context: None,
        })
    }

    /// Create PDP Context for each subscriber, with at most `window` under way at once.
    ///
    /// # Errors
    ///
    /// When the APN can't be coded, or the socket fails.
    pub fn create_many(
        &mut self,
        apn: &str,
        imsis: impl IntoIterator<Item = Imsi>,
        window: u32,
    ) -> Result<Burst, ClientError> {
        let mut imsis = imsis.into_iter();
        self.exchange(window, |client| {
            let imsi = imsis.next()?;
            Some(client.create_job(apn, imsi, |_| {}))
        })
    }

    /// Delete PDP Context for each context, with at most `window` under way at once.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub fn delete_many<'c>(
        &mut self,
        contexts: impl IntoIterator<Item = &'c Context>,
        window: u32,
    ) -> Result<Burst, ClientError> {
        let mut contexts = contexts.into_iter();
        self.exchange(window, |_| Some(delete_job(contexts.next()?, true)))
    }

    /// Answers the GGSN's own requests for so long, and does nothing else.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub fn serve(&mut self, time: Duration) -> Result<(), ClientError> {
        let until = self.clock.now().after(time);
        loop {
            let left = until.since(self.clock.now());
            if left.is_zero() {
                return Ok(());
            }
            self.receive(left, &mut Burst::default())?;
        }
    }

    fn one(&mut self, job: Job) -> Result<Outcome, ClientError> {
        let kind = job.kind;
        let mut job = Some(job);
        let mut burst = self.exchange(1, |_| job.take().map(Ok))?;
        burst.outcomes.pop().ok_or(ClientError::NoAnswer { kind })
    }

    /// Sends jobs until there is none any more, and waits for all answers.
    fn exchange(
        &mut self,
        window: u32,
        mut next: impl FnMut(&mut Self) -> Option<Result<Job, WriteError>>,
    ) -> Result<Burst, ClientError> {
        let mut burst = Burst::default();
        let mut more = true;
        loop {
            let now = self.clock.now();
            while more && self.transactions.under_way() < window && self.transactions.is_open(now) {
                match next(self) {
                    Some(job) => self.begin(job?, now)?,
                    None => more = false,
                }
            }
            self.expire(&mut burst)?;
            if !more && self.transactions.under_way() == 0 {
                return Ok(burst);
            }
            let opens = match more && self.transactions.under_way() < window {
                true => self.transactions.opens_at(),
                false => Mono(u64::MAX),
            };
            let deadline = self.transactions.next_deadline().unwrap_or(opens);
            let wait = deadline.min(opens).since(self.clock.now());
            self.receive(wait.min(self.options.t3_response), &mut burst)?;
        }
    }

    fn begin(&mut self, mut job: Job, now: Mono) -> Result<(), LoadError> {
        let sequence = self.transactions.next_sequence();
        job.octets[8..10].copy_from_slice(&(sequence as u16).to_be_bytes());
        self.sockets.send(0, self.options.peer, &job.octets)?;
        let begun = self.transactions.begin(Sent { job, first: now }, now);
        debug_assert!(begun.is_ok_and(|begun| begun == sequence));
        Ok(())
    }

    fn expire(&mut self, burst: &mut Burst) -> Result<(), LoadError> {
        while let Some(expired) = self.transactions.expire(self.clock.now()) {
            match expired {
                Expired::Resend(sequence) => {
                    if let Some(pending) = self.transactions.get(sequence) {
                        let octets = &pending.what.job.octets;
                        self.sockets.send(0, self.options.peer, octets)?;
                    }
                }
                Expired::GaveUp(_) => burst.lost += 1,
            }
        }
        Ok(())
    }

    /// Waits for datagrams, answers requests, and adds answers to `burst`.
    fn receive(&mut self, wait: Duration, burst: &mut Burst) -> Result<(), LoadError> {
        let Self {
            sockets,
            transactions,
            clock,
            ended,
            options,
            ..
        } = self;
        let mut answers = Vec::new();
        sockets.receive(wait, |_, from, datagram| {
            let Ok(message) = Message::parse(datagram) else {
                return;
            };
            let mut out = Vec::new();
            if answer_request(&message, options.recovery, ended, &mut out) {
                answers.push((from, out));
            } else if let Some(outcome) = take_answer(transactions, &message, datagram, clock.now())
            {
                burst.outcomes.push(outcome);
            }
        })?;
        for (to, octets) in answers {
            self.sockets.send(0, to, &octets)?;
        }
        Ok(())
    }

    fn create_job(
        &mut self,
        apn: &str,
        imsi: Imsi,
        change: impl FnOnce(&mut CreateRequest<'_>),
    ) -> Result<Job, WriteError> {
        let teid = self.next_teid;
        self.next_teid = teid.wrapping_add(1).max(1);
        let mut request = self.request(apn, imsi, teid);
        change(&mut request);
        let mut octets = Vec::new();
        request.write(&mut octets, 0, 0)?;
        let context = Context {
            imsi,
            nsapi: request.nsapi,
            apn: request.apn.to_owned(),
            teid,
            peer_teid: 0,
            address: None,
        };
        Ok(Job {
            kind: MessageType::CREATE_PDP_CONTEXT_REQUEST,
            octets,
            teid,
            context: Some(context),
        })
    }

    fn request<'a>(&self, apn: &'a str, imsi: Imsi, teid: u32) -> CreateRequest<'a> {
        CreateRequest {
            imsi: Some(imsi),
            nsapi: Nsapi::FIRST,
            linked_nsapi: None,
            recovery: Some(self.options.recovery),
            teid_data: teid,
            teid_control: teid,
            charging_characteristics: 0x0800,
            end_user_address: EndUserAddress::dynamic(self.options.pdp_type),
            apn,
            pco: None,
            gsn_address: self.local_ip(),
            msisdn: None,
            arp: self.options.arp,
            qos: &QOS_R99,
            evolved_arp: self.options.evolved_arp,
            low_priority: false,
        }
    }
}

fn delete_job(context: &Context, teardown: bool) -> Result<Job, WriteError> {
    let mut octets = Vec::new();
    write_delete(&mut octets, context.peer_teid, 0, context.nsapi, teardown)?;
    Ok(Job {
        kind: MessageType::DELETE_PDP_CONTEXT_REQUEST,
        octets,
        teid: context.teid,
        context: None,
    })
}

/// Writes the answer to a request of the GGSN's, if it is one that is known here.
fn answer_request(
    message: &Message<'_>,
    recovery: u8,
    ended: &mut Vec<u32>,
    out: &mut Vec<u8>,
) -> bool {
    let Some(sequence) = message.header.sequence else {
        return false;
    };
    match message.header.kind {
        MessageType::ECHO_REQUEST => write_echo_response(out, sequence, recovery).is_ok(),
        MessageType::DELETE_PDP_CONTEXT_REQUEST => {
            ended.push(message.header.teid);
            write_delete_response(out, 0, sequence, Cause::REQUEST_ACCEPTED).is_ok()
        }
        _ => false,
    }
}

/// The outcome of the request that this message answers.
fn take_answer(
    transactions: &mut Transactions<Sent>,
    message: &Message<'_>,
    datagram: &[u8],
    now: Mono,
) -> Option<Outcome> {
    let header = &message.header;
    let fits = |sent: &Sent| {
        let asked = &sent.job;
        (header.teid == asked.teid || header.teid == 0)
            && asked.kind.response() == Some(header.kind)
    };
    let sequence = header.sequence?.into();
    let Pending { sends, what } = transactions.answer(sequence, fits, now)?;
    let mut outcome = Outcome::read(message, what.job.context);
    outcome.round_trip = now.since(what.first);
    outcome.sends = sends;
    outcome.reply = datagram.to_vec();
    Some(outcome)
}
