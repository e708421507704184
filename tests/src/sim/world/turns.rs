//! One turn of the node's threads, and what its machines ask for.

use super::*;

impl World {
    /// One turn of every thread of the node.
    pub(in super::super) fn tick(&mut self) -> Result<()> {
        let now = self.now();
        let counts = self.calls.planes.gate.sample();
        self.tell(Input::Counts(counts))?;
        let ring = Arc::clone(&self.calls.planes.shared.refusals);
        let refusals = ring.drain();
        if !refusals.is_empty() {
            self.tell(Input::Refusals(refusals))?;
        }
        let lost = ring.take_lost();
        if lost > 0 {
            self.tell(Input::RefusalsLost(lost))?;
        }
        let left = self.keeper.clock.is_some() || self.keeper.operator.is_some();
        if left && now.mono.since(self.keeper.failed) >= RETRY {
            self.write();
            self.report_written()?;
            self.perform()?;
        }
        if self.disk.was_cut {
            return self.restart(false);
        }
        self.publish();
        self.look()?;
        self.perform_agent()?;
        while let Some(packet) = self.wire.arrived(now.mono) {
            self.take(packet)?;
        }
        if self
            .delivery
            .poll_timeout()
            .is_some_and(|at| at <= now.mono)
        {
            let snapshot = Arc::clone(&self.current);
            self.delivery
                .handle(delivery::Input::Timeout, &snapshot, now);
        }
        self.perform_delivery();
        self.collector.tick(now);
        self.perform_collector()?;
        if self.disk.was_cut {
            return self.restart(false);
        }
        self.outside.check(&self.current)?;
        self.alarms.check(&self.current)
    }

    pub(in super::super) fn tell(&mut self, input: Input) -> Result<()> {
        self.enforcer.handle(input, self.now());
        self.perform()
    }

    pub(super) fn perform(&mut self) -> Result<()> {
        let mut events = Vec::new();
        self.perform_into(&mut events)?;
        events
            .iter()
            .try_for_each(|event| self.alarms.hear(event))?;
        self.untold.extend(events.into_iter().map(News::Event));
        Ok(())
    }

    pub(super) fn perform_into(&mut self, events: &mut Vec<Event>) -> Result<()> {
        for _ in 0..OUTPUTS_MAX {
            let Some(output) = self.enforcer.poll_output() else {
                return Ok(());
            };
            // Whoever was killed in a write does nothing after it.
            if self.disk.was_cut {
                continue;
            }
            match output {
                Output::Terms { service, terms } => {
                    self.trace((service.0, format!("{terms:?}")));
                    self.calls.planes.set_terms(service, terms);
                    if let Some(at) = SERVICES.iter().position(|known| *known == service) {
                        self.calls.model.ceilings[at] = terms.ceiling;
                        self.calls.model.blocked[at] = terms.block.is_some();
                    }
                    let sealed = Input::Sealed {
                        service,
                        took_us: 1,
                    };
                    let now = self.now();
                    self.enforcer.handle(sealed, now);
                }
                Output::Persist(record) => {
                    match record {
                        Record::Clock(clock) => self.keeper.clock = Some(clock),
                        Record::Operator(operator) => self.keeper.operator = Some(operator),
                    }
                    self.write();
                    self.report_written()?;
                }
                Output::Event(event) => {
                    let kind = format!("{:?}", std::mem::discriminant(&event));
                    self.trace(kind);
                    events.push(event);
                }
            }
        }
        anyhow::bail!("I11: the verdicts ask without end")
    }

    /// As `node`'s keeper does: what is not written is kept, the newest of its kind.
    pub(super) fn write(&mut self) {
        let clock = self.keeper.clock.take().map(Record::Clock);
        let operator = self.keeper.operator.take().map(Record::Operator);
        for record in clock.into_iter().chain(operator) {
            if !self.disk.write(&record) {
                self.keeper.failed = self.now().mono;
                match record {
                    Record::Clock(clock) => self.keeper.clock = Some(clock),
                    Record::Operator(operator) => self.keeper.operator = Some(operator),
                }
            }
        }
    }

    pub(super) fn report_written(&mut self) -> Result<()> {
        let written = self.keeper.clock.is_none() && self.keeper.operator.is_none();
        if self.keeper.written != written && !self.disk.was_cut {
            self.keeper.written = written;
            let now = self.now();
            self.enforcer.handle(Input::StateWritten(written), now);
        }
        Ok(())
    }

    pub(super) fn publish(&mut self) {
        let now = self.now();
        self.current = Arc::new(self.enforcer.snapshot(now));
        if !self.untold.is_empty() {
            let news = std::mem::take(&mut self.untold);
            let snapshot = Arc::clone(&self.current);
            self.delivery.handle_batch(&news, &snapshot, now);
        }
    }
}
