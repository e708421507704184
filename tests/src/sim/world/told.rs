//! Notifications and bulk statistics, and what they say.

use super::*;

impl World {
    pub(super) fn perform_delivery(&mut self) {
        let now = self.now();
        while let Some(output) = self.delivery.poll_output() {
            match output {
                delivery::Output::Commit { changes, durable } => {
                    self.nms.note(&changes);
                    if !self.disk.keep_told(&changes, durable) {
                        self.nms.doubt = true;
                    }
                }
                delivery::Output::Send(send) => {
                    let request_id = send.request_id;
                    self.trace((request_id, format!("{:?}", send.trap)));
                    let inform = Packet::Inform { request_id };
                    self.wire.send(inform, now.mono, &mut self.random);
                }
            }
        }
    }

    pub(super) fn perform_collector(&mut self) -> Result<()> {
        let now = self.now();

        while let Some(output) = self.collector.poll_output() {
            match output {
                collector::Output::Sample => {
                    self.note_sample()?;
                    let view = self.view();
                    self.collector.sample(&view, now);
                }
                collector::Output::Write { op, to, bytes } => {
                    self.compare(&bytes)?;
                    self.store(op, to, bytes.to_vec());
                }
                collector::Output::Join {
                    op,
                    parts,
                    footer,
                    to,
                    ..
                } => {
                    let parts = parts.iter().filter_map(|part| self.spool.get(part));
                    let mut bytes: Vec<u8> = parts.flatten().copied().collect();
                    bytes.extend_from_slice(&footer);
                    self.store(op, to, bytes);
                }
                collector::Output::Transfer { attempt, .. } => {
                    let well = !self.receiver_away && !self.wire.mood.cut;
                    let packet = Packet::Transferred { attempt, well };
                    self.wire
                        .at(packet, now.mono.after(Duration::from_millis(700)));
                }
                collector::Output::Move { from, to } => {
                    if let Some(bytes) = self.spool.remove(&from) {
                        self.spool.insert(to, bytes);
                    }
                }
                collector::Output::Remove(stored) => drop(self.spool.remove(&stored)),
                collector::Output::Alarm { .. } | collector::Output::Notice(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn store(&mut self, op: u64, to: Stored, bytes: Vec<u8>) {
        let now = self.now();
        let result = match self.disk.mood {
            Mood::Well => {
                let length = bytes.len() as u64;
                self.spool.insert(to, bytes);
                Ok(length)
            }
            Mood::Full => Err(collector::StoreError::Full),
            Mood::Broken => Err(collector::StoreError::Other("EIO".into())),
        };
        self.collector.stored(op, result, now);
    }

    pub(super) fn view(&self) -> View {
        View {
            uptime_s: 1,
            address: None,
            zone: Zone::default(),
            node: Arc::clone(&self.current),
            process: Process::default(),
            plane: Plane::default(),
            agent: AgentView::default(),
            bulkstats: Arc::new(self.collector.status()),
        }
    }

    /// The snapshot says what the gate says, and remembers what a sample has to say (I13).
    pub(super) fn note_sample(&mut self) -> Result<()> {
        let mut rows = Vec::new();
        for row in &self.current.services {
            let (name, shown) = (&row.tag.name, row.sessions.0);
            let counted = self.calls.planes.gate.count(row.service);
            ensure!(
                shown == counted,
                "I13: {name} has {shown}, the gate {counted}"
            );
            rows.push(format!("T,service,{name},{shown}"));
        }
        if self.sampled.len() == SAMPLES_KEPT {
            self.sampled.pop_front();
        }
        self.sampled.push_back(rows);
        Ok(())
    }

    /// A sample that is written says what there was (I13).
    pub(super) fn compare(&mut self, bytes: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(bytes)?;
        let services = text.lines().filter(|line| line.starts_with("T,service,"));
        let services: Vec<&str> = services.collect();
        let known = self.sampled.iter().any(|rows| *rows == services);
        ensure!(known, "I13: a sample says {services:?}");
        self.done.samples += 1;
        Ok(())
    }
}
