//! The grammar: what may happen next, and how often.

use std::time::Duration;

use anyhow::Result;
use api::LicenseCommand;
use enforcer::verdicts::Input;
use licensing::FeatureIndex;
use rand::Rng;

use super::disk::Mood;
use super::wire;
use super::world::{LICENSES, World};

const HOUR_MS: i64 = 3_600_000;

impl World {
    /// One step.
    pub(super) fn step(&mut self) -> Result<()> {
        self.done.steps += 1;
        match self.random.random_range(0..1_000) {
            0..640 => {
                self.note("traffic");
                for _ in 0..self.random.random_range(1..8) {
                    self.traffic()?;
                }
                Ok(())
            }
            640..740 => {
                self.note("time");
                let millis = self.random.random_range(100..6_000);
                self.pass(Duration::from_millis(millis))
            }
            740..755 => {
                self.note("a pause of calls");
                let seconds = self.random.random_range(30..90);
                self.pass(Duration::from_secs(seconds))
            }
            755..780 => self.operator(),
            780..815 => self.agent_command(),
            815..845 => self.pool(),
            845..875 => self.authority(),
            875..905 => self.network(),
            905..925 => {
                self.note("manager");
                self.nms.away = !self.nms.away;
                if self.nms.away {
                    self.fault("manager away");
                }
                self.tick()
            }
            925..935 => {
                self.note("receiver");
                self.receiver_away = !self.receiver_away;
                if self.receiver_away {
                    self.fault("receiver away");
                }
                self.tick()
            }
            935..960 => self.disk_mood(),
            960..975 => self.wall(),
            _ => self.crash(),
        }
    }

    /// An operator's switches.
    fn operator(&mut self) -> Result<()> {
        let input = match self.random.random_range(0..10) {
            // Mostly on: what is off enforces nothing new.
            0..6 => Input::SmartLicensing { enable: true },
            6..7 => Input::SmartLicensing { enable: false },
            _ => Input::Feature {
                feature: FeatureIndex(self.random.random_range(0..4)),
                enabled: self.random.random(),
            },
        };
        self.note(format!("{input:?}"));
        self.tell(input)?;
        self.tick()
    }

    fn agent_command(&mut self) -> Result<()> {
        let command = match self.random.random_range(0..10) {
            0..5 => LicenseCommand::Register {
                idtoken: self.token(),
                force: self.random.random_bool(0.3),
            },
            5..7 => LicenseCommand::RenewAuth,
            7..9 => LicenseCommand::RenewId,
            _ => LicenseCommand::Deregister,
        };
        self.note(match command {
            LicenseCommand::Register { .. } => "register",
            LicenseCommand::RenewAuth => "renew auth",
            LicenseCommand::RenewId => "renew id",
            LicenseCommand::Deregister => "deregister",
        });
        self.command(command)?;
        self.pass(Duration::from_secs(2))
    }

    /// Licenses are bought, or moved away, also below what is in use.
    fn pool(&mut self) -> Result<()> {
        let license = LICENSES[self.random.random_range(0..LICENSES.len())];
        let buys = self.random.random_bool(0.5);
        self.note(format!(
            "{license} {}",
            if buys { "bought" } else { "moved away" }
        ));
        let quantity = self.random.random_range(1..3);
        let runtime = self.runtime.clone();
        let done = runtime.block_on(async {
            match buys {
                true => self.desk.own(license, quantity).await,
                false => self.desk.move_away(license, quantity).await,
            }
        });
        // More than there are can't be moved.
        if done.is_err() && buys {
            return done;
        }
        self.pass(Duration::from_secs(1))
    }

    fn authority(&mut self) -> Result<()> {
        let wall = self.now().wall;
        let runtime = self.runtime.clone();
        match self.random.random_range(0..6) {
            0 => {
                self.note("the authority is killed");
                self.fault("authority killed");
                runtime.block_on(self.desk.crash(wall))?;
            }
            1 => {
                self.note("the authority starts anew");
                runtime.block_on(self.desk.restart(wall))?;
            }
            _ => {
                self.authority_down = !self.authority_down;
                self.note(format!("the authority is down: {}", self.authority_down));
                if self.authority_down {
                    self.fault("authority down");
                }
            }
        }
        self.tick()
    }

    fn network(&mut self) -> Result<()> {
        let mood = match self.random.random_range(0..5) {
            0 => {
                self.fault("network cut");
                wire::Mood {
                    cut: true,
                    ..wire::Mood::WELL
                }
            }
            1 => {
                self.fault("network slow");
                wire::Mood {
                    slow: Duration::from_secs(30),
                    ..wire::Mood::WELL
                }
            }
            2 => {
                self.fault("network loses, doubles, reorders");
                wire::Mood {
                    lost: self.random.random_range(5..60),
                    twice: self.random.random_range(5..60),
                    slow: Duration::from_millis(3_000),
                    cut: false,
                }
            }
            _ => wire::Mood::WELL,
        };
        self.note(format!("{mood:?}"));
        self.wire.mood = mood;
        self.tick()
    }

    fn disk_mood(&mut self) -> Result<()> {
        self.disk.mood = match self.random.random_range(0..4) {
            0 => {
                self.fault("disk full");
                Mood::Full
            }
            1 => {
                self.fault("disk broken");
                Mood::Broken
            }
            _ => Mood::Well,
        };
        self.note(format!("the disk: {:?}", self.disk.mood));
        self.tick()
    }

    /// The wall clock jumps: by seconds, hours, or years.
    fn wall(&mut self) -> Result<()> {
        self.fault("wall clock jumps");
        let most = match self.random.random_range(0..4) {
            0 => 10_000,
            1 => 6 * HOUR_MS,
            2 => 40 * 24 * HOUR_MS,
            _ => 3 * 365 * 24 * HOUR_MS,
        };
        let by = self.random.random_range(-most..most);
        // Half of the time it is put right.
        let by = match self.random.random_bool(0.5) {
            true => -self.wall_off_ms,
            false => by,
        };
        self.note(format!("the wall clock jumps by {by} ms"));
        self.wall_off_ms += by;
        self.calls.planes.now.wall.0 += by;
        self.tick()
    }

    /// The node ends in one of many ways, and begins again.
    fn crash(&mut self) -> Result<()> {
        self.disk.remember();
        let kind = self.random.random_range(0..20);
        match kind {
            0..3 => {
                self.note("an orderly restart");
                self.restart(true)
            }
            3..9 => {
                self.note("kill -9");
                self.fault("node killed");
                self.restart(false)
            }
            9..14 => {
                self.note("killed in a write");
                self.fault("torn write");
                self.disk.cut = Some(self.random.random_range(0..8));
                // The next write may be a minute away.
                self.pass(Duration::from_secs(61))
            }
            14..16 => {
                self.note("a slot's last write is lost");
                self.fault("lost write");
                self.disk.lose_last();
                self.restart(false)
            }
            16..18 => {
                self.note("a bit of a slot turns");
                self.fault("bit rot");
                let mut random = self.random.clone();
                self.disk.rot(&mut random);
                self.random = random;
                self.restart(false)
            }
            18 => {
                self.note("slots are put back");
                self.fault("slots put back");
                self.pass(Duration::from_secs(90))?;
                self.disk.put_back();
                self.restart(false)
            }
            _ => {
                self.note("all copies are lost");
                self.fault("all copies lost");
                self.disk.lose_all();
                self.restart(false)
            }
        }
    }
}
