//! What has to agree once all is healed.

use super::*;

impl World {
    /// All heals; then what is left has to agree.
    pub(in super::super) fn end(mut self) -> Result<Done> {
        self.note("all heals");
        self.disk.mood = Mood::Well;
        self.disk.cut = None;
        self.wire.mood = wire::Mood::WELL;
        self.nms.away = false;
        self.receiver_away = false;
        self.authority_down = false;
        self.calls.planes.now.wall.0 -= self.wall_off_ms;
        self.wall_off_ms = 0;
        self.pass_by(HEALED, 4 * TICK)?;
        self.check_told()?;
        self.check_secrets()?;
        self.check_reports()?;
        let World {
            calls,
            mut done,
            trace,
            nms,
            ..
        } = self;
        done.made += calls.done.made;
        done.refused += calls.done.refused;
        done.told = nms.many();
        let ended = calls.end().context("I2: what is left of calls")?;
        ensure!(ended.leaked == 0, "I2: {} permits are left", ended.leaked);
        done.trace = trace.finish();
        Ok(done)
    }

    /// I6: the manager has the table of alarms.
    pub(super) fn check_told(&mut self) -> Result<()> {
        if self.nms.doubt {
            return Ok(());
        }
        let table = self.current.alarms.iter().map(|alarm| alarm.id).collect();
        ensure!(
            self.nms.standing() == table,
            "I6: the manager has {:?}, the table {table:?}",
            self.nms.standing()
        );
        Ok(())
    }

    /// I9: what must not be seen is seen nowhere.
    pub(super) fn check_secrets(&self) -> Result<()> {
        let status = format!("{:?}", self.agent.status(self.now()));
        let snapshot = format!("{:?}", self.current);
        let shown = self.disk.shown();
        let token = self.token.as_str();
        for (place, text) in [
            ("status", &status),
            ("snapshot", &snapshot),
            ("records", &shown),
        ] {
            ensure!(!text.contains(token), "I9: a secret is in the {place}");
        }
        Ok(())
    }

    /// I7: the authority has what was measured.
    pub(super) fn check_reports(&mut self) -> Result<()> {
        if self.current.smart.mode != Mode::Registered {
            return Ok(());
        }
        self.tell(Input::SmartLicensing { enable: true })?;
        self.tick()?;
        let mut last = Err("no answer".to_owned());
        // One that is on its way comes to its end first.
        for _ in 0..DEREGISTER_TRIES {
            let ticket = self.command(LicenseCommand::Deregister)?;
            for _ in 0..240 {
                self.pass(TICK)?;
                if self.answers.contains_key(&ticket) {
                    break;
                }
            }
            last = self.answers.remove(&ticket).unwrap_or(last);
            // One that was asked for before a crash may have come to its end by itself.
            if self.current.smart.mode != Mode::Registered {
                last = Ok(());
            }
            if last.is_ok() {
                break;
            }
        }
        last.map_err(|error| anyhow::anyhow!("I11: deregister: {error}"))?;
        let reported = self.runtime.block_on(self.desk.reported("SIM"))?;
        let closed: u64 = self.closed.values().sum();
        ensure!(
            reported == closed,
            "I7: {reported} license-milliseconds are reported, {closed} were measured"
        );
        self.done.reported = reported;
        Ok(())
    }
}
