//! The Smart Agent, and what the network brings.

use super::*;

impl World {
    /// The agent looks at the snapshot, and lets time pass.
    pub(super) fn look(&mut self) -> Result<()> {
        let now = self.now();
        let snapshot = Arc::clone(&self.current);
        let enable = snapshot.smart.enabled;
        if std::mem::replace(&mut self.seen.enabled, enable) != enable {
            self.agent
                .handle(smart_agent::Input::SmartLicensing { enable }, now);
        }
        let usage = machines::usage(&snapshot);
        if usage != self.seen.usage || now.mono.since(self.seen.at) >= Duration::from_secs(1) {
            self.seen.at = now.mono;
            self.seen.usage.clone_from(&usage);
            self.agent.handle(smart_agent::Input::Usage(usage), now);
        }
        if self.agent.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.agent.handle(smart_agent::Input::Timeout, now);
        }
        Ok(())
    }

    /// What an operator asks the agent.
    pub(in super::super) fn command(&mut self, command: LicenseCommand) -> Result<Ticket> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let input = smart_agent::Input::Operator { ticket, command };
        self.agent.handle(input, self.now());
        self.perform_agent()?;
        Ok(ticket)
    }

    pub(super) fn perform_agent(&mut self) -> Result<()> {
        let now = self.now();
        for _ in 0..OUTPUTS_MAX {
            let Some(output) = self.agent.poll_output() else {
                return Ok(());
            };
            match output {
                smart_agent::Output::Persist(record) => {
                    let closed = usage_of(&record)?;
                    if self.disk.keep_agent(record) {
                        self.closed.extend(closed);
                    } else {
                        self.agent.handle(smart_agent::Input::NotPersisted, now);
                    }
                }
                smart_agent::Output::Send(message) => {
                    let key = self.agent.credentials().filter(|_| message.identified);
                    let key = key.map(|(identity, _)| identity.public_key());
                    let until = now.mono.after(ANSWER);
                    let ask = Packet::Ask {
                        nonce: message.nonce,
                        octets: message.octets,
                        key,
                        stray: false,
                        until,
                    };
                    self.wire.send(ask, now.mono, &mut self.random);
                    let none = Packet::Answer {
                        nonce: message.nonce,
                        octets: None,
                    };
                    self.wire.at(none, until);
                }
                smart_agent::Output::Tell(told) => {
                    self.trace(kind_of(&told));
                    self.tell(machines::input(told))?;
                    self.publish();
                }
                smart_agent::Output::Done { ticket, result } => {
                    self.trace(result.is_ok());
                    let result = result.map_err(|error| error.to_string());
                    self.answers.insert(ticket, result);
                }
                smart_agent::Output::Notice(notice) => {
                    if let Some(news) = machines::news(&notice) {
                        self.untold.push(news);
                        self.publish();
                    }
                }
            }
        }
        anyhow::bail!("I11: the agent asks without end")
    }

    /// What the network brings.
    pub(super) fn take(&mut self, packet: Packet) -> Result<()> {
        let now = self.now();
        match packet {
            Packet::Ask {
                nonce,
                octets,
                key,
                stray,
                until,
            } => {
                let octets = self.ask(&octets, key)?;
                let well = !stray && now.mono < until;
                if let Some(mut octets) = octets.filter(|_| well) {
                    if self.random.random_range(0..100) < self.wire.mood.lost / 4 {
                        self.fault("answer changed");
                        let digit = octets.iter_mut().find(|octet| **octet == b'1');
                        *digit.context("a digit")? = b'2';
                    }
                    let octets = Some(octets);
                    let answer = Packet::Answer { nonce, octets };
                    self.wire.send(answer, now.mono, &mut self.random);
                }
            }
            Packet::Answer { nonce, octets } => {
                let input = match octets {
                    Some(octets) => smart_agent::Input::Answered { nonce, octets },
                    None => smart_agent::Input::NotAnswered {
                        nonce,
                        failure: Failure::Timeout,
                    },
                };
                self.agent.handle(input, now);
                self.perform_agent()?;
            }
            Packet::Inform { request_id } => {
                if !self.nms.away {
                    self.nms.hear(request_id)?;
                    let answer = Packet::Acknowledged { request_id };
                    self.wire.send(answer, now.mono, &mut self.random);
                }
            }
            Packet::Acknowledged { request_id } => {
                let from = manager_address();
                let input = delivery::Input::Acknowledged { from, request_id };
                let snapshot = Arc::clone(&self.current);
                self.delivery.handle(input, &snapshot, now);
                self.perform_delivery();
            }
            Packet::Transferred { attempt, well } => {
                let result = match well {
                    true => Ok(()),
                    false => Err(collector::TransferError::Timeout),
                };
                self.collector.transferred(attempt, result, now);
                self.perform_collector()?;
            }
        }
        Ok(())
    }

    /// The authority takes a message; none: nobody answers.
    pub(super) fn ask(&mut self, octets: &[u8], key: Option<[u8; 32]>) -> Result<Option<Vec<u8>>> {
        if self.authority_down {
            return Ok(None);
        }
        let mut at = self.now();
        at.wall.0 -= self.wall_off_ms;
        let answer = self.runtime.block_on(self.desk.take(octets, key, at));
        // Without a signed answer there is none.
        Ok(answer.ok())
    }
}

pub(super) fn kind_of(told: &Told) -> String {
    match told {
        Told::Verdict {
            tag,
            verdict,
            granted,
            ..
        } => format!("{tag:?} {verdict:?} {granted:?}"),
        // Certificates of these have numbers by chance.
        Told::Registered
        | Told::RegistrationFailed
        | Told::Deregistered
        | Told::Reported { .. }
        | Told::AuthorityUnreachable
        | Told::AuthorityReached
        | Told::RootExpiring(_)
        | Told::StateTampered
        | Told::Order { .. }
        | Told::LabSpeedup { .. } => format!("{:?}", std::mem::discriminant(told)),
    }
}
