//! Clients of the admission API: what each holds of the gate, and until when.
//!
//! A machine: requests and the time go in, answers come out. It owns a [`WorkerGate`] of its own, so that an admission
//! waits for no other thread. A lease that runs out gives back all that it held, once; so does a close, and so does the
//! end of the node.

mod error;
mod opening;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use api::{
    BATCH_CALLS_MAX, BatchOperation, BatchOutcome, BatchRefusal, CLIENT_SESSIONS_MAX, CallClass,
    ClientLease, ClientRequest, ClientSessions,
};
use enforcer::{
    CallKind, Class, ClassId, Permit, RecountRow, RefusalRing, RefusalSeen, WorkerGate,
    WorkerRecount,
};
use licensing::{Catalog, Mono, Now, ServiceIndex};

pub(crate) use self::error::AdmissionError;

/// Sessions given back in one step, in which no client is answered.
const GIVE_BACK_STEP: usize = 4_096;
/// Of a refusal in the history: no cause was sent by us.
const NO_CAUSE: u8 = 0;

/// All clients.
#[derive(Debug)]
pub(crate) struct Admissions {
    gate: WorkerGate,
    catalog: Arc<Catalog>,
    refusals: Arc<RefusalRing>,
    /// By the number of the lease.
    clients: BTreeMap<u64, Client>,
    next_lease: u64,
    /// What clients held that are gone, on its way back.
    leaving: VecDeque<Holding>,
    /// Every class that a client has named, living or not.
    classes: BTreeMap<ClassId, Class>,
    totals: Totals,
    recount_every: Duration,
    recount_due: Mono,
}

/// What became of the calls of all clients, also of those that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// They were let through, or restored.
    pub(crate) made: u64,
    /// They were refused for a license.
    pub(crate) refused: u64,
    /// Their client released them.
    pub(crate) released: u64,
    /// Their client closed its lease.
    pub(crate) closed: u64,
    /// Their client's lease ran out.
    pub(crate) expired: u64,
}

/// One client.
#[derive(Debug)]
struct Client {
    name: Arc<str>,
    instance: u64,
    said: Vec<CallClass>,
    holdings: Vec<Holding>,
    lease: Duration,
    until: Mono,
    sequence: u64,
    /// The last batch and its outcome.
    last: Option<(Batch, BatchOutcome)>,
    admitted: u64,
    refused: u64,
    restored: u64,
    /// It has admitted or released calls: nothing is restored any more.
    begun: bool,
}

/// What a client holds of one class.
#[derive(Debug)]
struct Holding {
    id: ClassId,
    service: ServiceIndex,
    permits: Vec<Permit>,
}

/// A batch, its sequence number apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Batch {
    operation: BatchOperation,
    class: u16,
    calls: u32,
}

impl Admissions {
    /// Without a client. Leases are numbered from `first_lease`, which chance should choose: one of a process before
    /// this one is then unknown.
    pub(crate) fn new(
        gate: WorkerGate,
        catalog: Arc<Catalog>,
        refusals: Arc<RefusalRing>,
        first_lease: u64,
        recount_every: Duration,
    ) -> Self {
        Self {
            gate,
            catalog,
            refusals,
            clients: BTreeMap::new(),
            next_lease: first_lease,
            leaving: VecDeque::new(),
            classes: BTreeMap::new(),
            totals: Totals::default(),
            recount_every,
            recount_due: Mono(0),
        }
    }

    /// Does what a client asks.
    pub(crate) fn handle(
        &mut self,
        request: ClientRequest,
        now: Now,
    ) -> Result<ClientLease, AdmissionError> {
        self.expire(now.mono);
        match request {
            ClientRequest::Open {
                name,
                instance,
                lease_ms,
                classes,
            } => self.open(name, instance, lease_ms, classes, now.mono),
            ClientRequest::Heartbeat { lease } => self.heartbeat(lease, now.mono),
            ClientRequest::Batch {
                lease,
                sequence,
                operation,
                class,
                calls,
            } => {
                let batch = Batch {
                    operation,
                    class,
                    calls,
                };
                self.batch(lease, sequence, batch, now)
            }
            ClientRequest::Close { lease } => self.close(lease),
        }
    }

    /// Ends the leases that have run out, and gives back what their clients held, a step at a time; true if there is
    /// more to give back, at once.
    pub(crate) fn expire(&mut self, now: Mono) -> bool {
        let over = self.clients.iter().filter(|(_, c)| c.until <= now);
        let over: Vec<u64> = over.map(|(lease, _)| *lease).collect();
        for lease in over {
            if let Some(client) = self.clients.remove(&lease) {
                let name = Arc::clone(&client.name);
                let sessions = client.held();
                self.totals.expired += sessions;
                self.leaving.extend(client.holdings);
                event!(LEASE_RAN_OUT, client = %name, sessions);
            }
        }
        self.give_back(GIVE_BACK_STEP)
    }

    /// Gives back at most so many permits of clients that are gone; true if there are more.
    fn give_back(&mut self, most: usize) -> bool {
        let mut left = most;
        while let Some(holding) = self.leaving.front_mut() {
            let count = left.min(holding.permits.len());
            let from = holding.permits.len() - count;
            let permits = holding.permits.drain(from..);
            permits.for_each(|permit| self.gate.release(permit));
            left -= count;
            if from > 0 {
                return true;
            }
            self.leaving.pop_front();
        }
        false
    }

    /// What the clients hold against the gate's counters, when it is due (rule L14).
    pub(crate) fn recount(&mut self, now: Mono) -> Option<WorkerRecount> {
        if now < self.recount_due {
            return None;
        }
        self.recount_due = now.after(self.recount_every);
        let rows = self.classes.iter().map(|(id, class)| RecountRow {
            class: *class,
            table: self.held_of(*id),
            counter: self.gate.counters(*id).live(),
        });
        Some(WorkerRecount {
            worker: self.gate.index(),
            rows: rows
                .filter(|row| row.table != 0 || row.counter != 0)
                .collect(),
        })
    }

    /// One row a client.
    pub(crate) fn clients(&self, now: Mono) -> Vec<ClientSessions> {
        let rows = self.clients.values().map(|client| ClientSessions {
            client: client.name.to_string(),
            services: client.services(),
            sessions: client.held(),
            admitted: client.admitted,
            refused: client.refused,
            restored: client.restored,
            lease_left_ms: milliseconds(client.until.since(now)),
        });
        rows.collect()
    }

    /// Sessions of all clients, by service.
    pub(crate) fn by_service(&self) -> BTreeMap<ServiceIndex, u64> {
        let mut sessions = BTreeMap::new();
        for holding in self.holdings_there() {
            *sessions.entry(holding.service).or_default() += holding.permits.len() as u64;
        }
        sessions
    }

    /// Emergency sessions of all clients.
    pub(crate) fn emergency(&self) -> u64 {
        let emergency = |class: &Class| class.kind == CallKind::Emergency;
        let classes = self.classes.iter().filter(|(_, class)| emergency(class));
        classes.map(|(id, _)| self.held_of(*id)).sum()
    }

    /// Emergency sessions of all clients, by service.
    pub(crate) fn emergency_by_service(&self) -> BTreeMap<ServiceIndex, u64> {
        let mut sessions = BTreeMap::new();
        for holding in self.holdings_there() {
            let class = self.classes.get(&holding.id);
            if class.is_some_and(|class| class.kind == CallKind::Emergency) {
                *sessions.entry(holding.service).or_default() += holding.permits.len() as u64;
            }
        }
        sessions
    }

    /// What became of the calls of clients.
    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    fn held_of(&self, id: ClassId) -> u64 {
        let of_class = self.holdings_there().filter(|holding| holding.id == id);
        of_class.map(|holding| holding.permits.len() as u64).sum()
    }

    /// Of clients, and of clients that are gone.
    fn holdings_there(&self) -> impl Iterator<Item = &Holding> {
        let of_clients = self.clients.values().flat_map(|client| &client.holdings);
        of_clients.chain(&self.leaving)
    }

    fn heartbeat(&mut self, lease: u64, now: Mono) -> Result<ClientLease, AdmissionError> {
        let unknown = AdmissionError::UnknownLease(lease);
        let client = self.clients.get_mut(&lease).ok_or(unknown)?;
        client.renew(now);
        Ok(client.answer(lease, None))
    }

    fn close(&mut self, lease: u64) -> Result<ClientLease, AdmissionError> {
        let unknown = AdmissionError::UnknownLease(lease);
        let client = self.clients.remove(&lease).ok_or(unknown)?;
        let answer = ClientLease {
            lease_left_ms: 0,
            holds: vec![0; client.holdings.len()],
            ..client.answer(lease, None)
        };
        self.totals.closed += client.held();
        self.leaving.extend(client.holdings);
        self.give_back(GIVE_BACK_STEP);
        Ok(answer)
    }

    fn batch(
        &mut self,
        lease: u64,
        sequence: u64,
        batch: Batch,
        now: Now,
    ) -> Result<ClientLease, AdmissionError> {
        let held = self.holdings_there().map(|h| h.permits.len() as u64);
        let all_held: u64 = held.sum();
        let unknown = AdmissionError::UnknownLease(lease);
        let client = self.clients.get_mut(&lease).ok_or(unknown)?;
        client.renew(now.mono);
        if let Some(outcome) = client.done_before(sequence, batch)? {
            return Ok(client.answer(lease, Some(outcome)));
        }
        client.check(batch, all_held)?;
        let outcome = match batch.operation {
            BatchOperation::Admit => client.admit(&mut self.gate, batch, &self.refusals, now),
            BatchOperation::Release => {
                self.totals.released += u64::from(batch.calls);
                client.release(&mut self.gate, batch)
            }
            BatchOperation::Restore => client.restore(&mut self.gate, batch),
        };
        if batch.operation != BatchOperation::Release {
            self.totals.made += u64::from(outcome.done);
            self.totals.refused += outcome
                .refused
                .map_or(0, |refused| u64::from(refused.calls));
        }
        client.sequence = sequence;
        client.last = Some((batch, outcome));
        Ok(client.answer(lease, Some(outcome)))
    }
}

/// The end of the node ends its clients' sessions here.
impl Drop for Admissions {
    fn drop(&mut self) {
        let clients = std::mem::take(&mut self.clients).into_values();
        self.leaving
            .extend(clients.flat_map(|client| client.holdings));
        self.give_back(usize::MAX);
    }
}

impl Client {
    fn renew(&mut self, now: Mono) {
        self.until = now.after(self.lease);
    }

    fn held(&self) -> u64 {
        let held = self.holdings.iter().map(|h| h.permits.len() as u64);
        held.sum()
    }

    fn services(&self) -> Vec<String> {
        let mut services: Vec<String> = Vec::new();
        for class in &self.said {
            if !services.contains(&class.service) {
                services.push(class.service.clone());
            }
        }
        services
    }

    /// Right after a renewal: the whole lease is left.
    fn answer(&self, lease: u64, batch: Option<BatchOutcome>) -> ClientLease {
        let holds = self.holdings.iter().map(|h| h.permits.len() as u64);
        ClientLease {
            lease,
            lease_left_ms: milliseconds(self.lease),
            sequence: self.sequence,
            holds: holds.collect(),
            batch,
        }
    }

    /// The outcome of a batch that comes once more; none: it is the next.
    fn done_before(
        &self,
        sequence: u64,
        batch: Batch,
    ) -> Result<Option<BatchOutcome>, AdmissionError> {
        match self.last {
            Some((last, outcome)) if sequence == self.sequence && last == batch => {
                Ok(Some(outcome))
            }
            Some(_) | None if Some(sequence) == self.sequence.checked_add(1) => Ok(None),
            Some(_) | None => Err(AdmissionError::Sequence {
                sequence,
                last: self.sequence,
            }),
        }
    }

    fn check(&self, batch: Batch, all_held: u64) -> Result<(), AdmissionError> {
        let calls = batch.calls;
        if !(1..=BATCH_CALLS_MAX).contains(&calls) {
            return Err(AdmissionError::Calls(calls));
        }
        let classes = self.holdings.len();
        let holding = self.holdings.get(usize::from(batch.class));
        let holding = holding.ok_or(AdmissionError::Class {
            class: batch.class,
            classes,
        })?;
        let held = holding.permits.len() as u64;
        let room = all_held + u64::from(calls) <= CLIENT_SESSIONS_MAX;
        match batch.operation {
            BatchOperation::Release if u64::from(calls) > held => {
                Err(AdmissionError::NotHeld { calls, held })
            }
            BatchOperation::Restore if self.begun => Err(AdmissionError::RestoreTooLate),
            BatchOperation::Admit | BatchOperation::Restore if !room => {
                Err(AdmissionError::SessionsFull)
            }
            BatchOperation::Admit | BatchOperation::Release | BatchOperation::Restore => Ok(()),
        }
    }

    fn admit(
        &mut self,
        gate: &mut WorkerGate,
        batch: Batch,
        refusals: &RefusalRing,
        now: Now,
    ) -> BatchOutcome {
        self.begun = true;
        let holding = &mut self.holdings[usize::from(batch.class)];
        let mut refused: Option<BatchRefusal> = None;
        for _ in 0..batch.calls {
            let refusal = match gate.admit(holding.id) {
                Ok(permit) => {
                    holding.permits.push(permit);
                    continue;
                }
                Err(refusal) => refusal,
            };
            refusals.push(RefusalSeen {
                at: now.wall,
                service: holding.service,
                reason: refusal.reason,
                sessions: refusal.sessions,
                ceiling: refusal.ceiling,
                apn: Arc::clone(&self.name),
                cause: NO_CAUSE,
                new_subscriber: true,
            });
            refused = Some(BatchRefusal {
                calls: refused.map_or(0, |before| before.calls) + 1,
                reason: refusal.reason,
                sessions: refusal.sessions,
                ceiling: refusal.ceiling,
            });
        }
        let calls = refused.map_or(0, |refused| refused.calls);
        let done = batch.calls - calls;
        self.admitted += u64::from(done);
        self.refused += u64::from(calls);
        BatchOutcome { done, refused }
    }

    fn release(&mut self, gate: &mut WorkerGate, batch: Batch) -> BatchOutcome {
        self.begun = true;
        let permits = &mut self.holdings[usize::from(batch.class)].permits;
        let kept = permits.len().saturating_sub(batch.calls as usize);
        permits
            .drain(kept..)
            .for_each(|permit| gate.release(permit));
        BatchOutcome {
            done: batch.calls,
            refused: None,
        }
    }

    fn restore(&mut self, gate: &mut WorkerGate, batch: Batch) -> BatchOutcome {
        let holding = &mut self.holdings[usize::from(batch.class)];
        for _ in 0..batch.calls {
            holding.permits.push(gate.restore(holding.id));
        }
        self.restored += u64::from(batch.calls);
        BatchOutcome {
            done: batch.calls,
            refused: None,
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
