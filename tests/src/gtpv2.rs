//! A peer by GTPv2, an SGW, an ePDG or an MME: it asks, one request after the other, and all that it sends and gets is
//! recorded for a judge.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gtp::v2::{Cause, CauseIe, FTeid, IeType, Message, MessageType, Writer};

use crate::capture::Capture;
use crate::wait::datagram;

/// A node answers in milliseconds; the machine may be busy.
const ANSWER: Duration = Duration::from_secs(60);

/// The peer.
#[derive(Debug)]
pub struct Peer {
    socket: UdpSocket,
    node: SocketAddr,
    capture: Capture,
    sequence: u32,
    /// All that came.
    heard: RefCell<BTreeSet<Vec<u8>>>,
}

/// An answer, as octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// What its octets say.
    pub fn message(&self) -> Result<Message<'_>> {
        Ok(Message::parse(&self.0)?)
    }

    /// Its cause.
    pub fn cause(&self) -> Result<Cause> {
        let ies = self.message()?.ie_set()?;
        let cause = ies.get(IeType::CAUSE, 0).context("no cause")?;
        Ok(CauseIe::parse(cause)?.cause)
    }

    /// The node's endpoint for signalling of this instance: 0 as an SGW's, 1 as a PGW's.
    pub fn endpoint(&self, instance: u8) -> Result<FTeid> {
        let ies = self.message()?.ie_set()?;
        let endpoint = ies.get(IeType::F_TEID, instance).context("no endpoint")?;
        Ok(FTeid::parse(endpoint)?)
    }
}

impl Peer {
    /// On this socket, of this node; what it sends and gets is recorded in `capture`.
    pub fn new(socket: UdpSocket, node: SocketAddr, capture: Capture) -> Result<Self> {
        socket.set_read_timeout(Some(ANSWER))?;
        Ok(Self {
            socket,
            node,
            capture,
            sequence: 0x0010_0000,
            heard: RefCell::default(),
        })
    }

    /// Sends a request with a sequence number of its own, and takes its answer.
    pub fn exchange(
        &mut self,
        kind: MessageType,
        teid: Option<u32>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Answer> {
        self.sequence += 1;
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, kind, teid, self.sequence);
        fill(&mut writer);
        self.send(writer.finish()?)?;
        let answer = self.receive()?;
        let header = answer.message()?.header;
        let answers = kind.response().or(kind.failure_indication());
        ensure!(
            (header.sequence, Some(header.kind)) == (self.sequence, answers),
            "{header:?}"
        );
        Ok(answer)
    }

    /// Sends octets.
    pub fn send(&self, octets: &[u8]) -> Result<()> {
        self.socket.send_to(octets, self.node)?;
        self.capture
            .record(self.socket.local_addr()?, self.node, octets)
    }

    /// Waits for octets from the node. What it repeats, because a busy machine took too long to answer, is passed over.
    pub fn receive(&self) -> Result<Answer> {
        let mut buffer = [0; 4096];
        loop {
            let (length, from) = datagram(&self.socket, &mut buffer).context("no answer")?;
            ensure!(from == self.node, "an answer came from {from}");
            let octets = buffer[..length].to_vec();
            if self.heard.borrow_mut().insert(octets.clone()) {
                self.capture
                    .record(from, self.socket.local_addr()?, &octets)?;
                return Ok(Answer(octets));
            }
        }
    }

    /// Its own address.
    pub fn ip(&self) -> Result<IpAddr> {
        Ok(self.socket.local_addr()?.ip())
    }

    /// The node's.
    pub fn node(&self) -> IpAddr {
        self.node.ip()
    }

    /// What was sent and got.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }
}
