//! The door: how often passwords are guessed, and how many are looked at at once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Problem;
use crate::secret::{Secret, password_digest, password_is};

/// Passwords that are looked at at once: each takes a processor for tens of milliseconds, and 19 MiB.
const PASSWORDS_AT_ONCE: usize = 2;
/// Most passwords that wait for it.
const PASSWORDS_WAITING: usize = 64;
/// Wrong passwords of a user before he has to wait.
const WRONG_FREE: u32 = 5;
/// Longest wait after wrong passwords.
const WRONG_WAIT_MAX: Duration = Duration::from_secs(300);
/// How long they are remembered after the last one.
const WRONG_REMEMBERED: Duration = Duration::from_secs(3_600);
/// Counts that names share: memory has a bound whatever names are tried, and none is pushed out by others.
const COUNTS: usize = 4_096;

const WAIT: Problem = Problem::TooMany("too many wrong passwords; wait, then try again");
const BUSY: Problem = Problem::TooMany("too many passwords are looked at now; try again");

/// Guards logins against guessing.
#[derive(Debug)]
pub(crate) struct Doorkeeper {
    /// Attempts since the last good one, and when the last was; by a hash of the name that nobody can foresee.
    counts: Mutex<Vec<Option<(u32, Instant)>>>,
    hash: RandomState,
    queue: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// The right to look at one password; it lasts as long as the work, even if nobody waits for its end any more.
struct Place {
    _queue: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Default for Doorkeeper {
    fn default() -> Self {
        Self {
            counts: Mutex::new(vec![None; COUNTS]),
            hash: RandomState::new(),
            queue: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE + PASSWORDS_WAITING)),
            places: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
        }
    }
}

impl Doorkeeper {
    /// Whether what is kept is of this user's password. An attempt is counted before it is looked at, so that as many at
    /// once as one likes are no more guesses than one after the other.
    pub(crate) async fn is(
        &self,
        name: &str,
        password: Secret,
        kept: String,
    ) -> Result<bool, Problem> {
        // Whoever has to wait takes no place.
        self.look(name, Instant::now())?;
        let place = self.place().await?;
        self.count(name, Instant::now())?;
        let found = tokio::task::spawn_blocking(move || {
            let _place = place;
            password_is(password.reveal(), &kept)
        });
        let good = found.await.map_err(|_| BUSY)?;
        if good {
            self.counts.lock()[self.of(name)] = None;
        }
        Ok(good)
    }

    /// What is to be kept of a password.
    pub(crate) async fn digest(&self, password: Secret) -> Result<String, Problem> {
        let place = self.place().await?;
        let made = tokio::task::spawn_blocking(move || {
            let _place = place;
            password_digest(password.reveal())
        });
        made.await.map_err(|_| BUSY)
    }

    async fn place(&self) -> Result<Place, Problem> {
        let queue = Arc::clone(&self.queue).try_acquire_owned();
        let queue = queue.map_err(|_| BUSY)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        Ok(Place {
            _queue: queue,
            _place: place.map_err(|_| BUSY)?,
        })
    }

    fn of(&self, name: &str) -> usize {
        let hash = self.hash.hash_one(name);
        usize::try_from(hash % COUNTS as u64).unwrap_or(0)
    }

    /// Attempts of a name that count at this time; an error if it has to wait.
    fn look(&self, name: &str, now: Instant) -> Result<u32, Problem> {
        let Some((times, last)) = self.counts.lock()[self.of(name)] else {
            return Ok(0);
        };
        waited(times, now.saturating_duration_since(last))
    }

    fn count(&self, name: &str, now: Instant) -> Result<(), Problem> {
        let mut counts = self.counts.lock();
        let count = &mut counts[self.of(name)];
        let times = match *count {
            None => 0,
            Some((times, last)) => waited(times, now.saturating_duration_since(last))?,
        };
        *count = Some((times.saturating_add(1), now));
        Ok(())
    }

    /// Nobody's password is looked at any more.
    #[cfg(test)]
    pub(crate) fn close(&self) {
        self.places.close();
    }
}

fn waited(times: u32, since: Duration) -> Result<u32, Problem> {
    if since >= WRONG_REMEMBERED {
        return Ok(0);
    }
    let Some(more) = times.checked_sub(WRONG_FREE) else {
        return Ok(times);
    };
    let wait = Duration::from_secs(1) * 2u32.pow(more.min(9));
    match since < wait.min(WRONG_WAIT_MAX) {
        true => Err(WAIT),
        false => Ok(times),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_attempts_each_takes_twice_the_wait_up_to_five_minutes() {
        let door = Doorkeeper::default();
        let mut now = Instant::now();
        for _ in 0..WRONG_FREE {
            assert!(door.count("ada", now).is_ok());
        }
        for wait_s in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let wait = Duration::from_secs(wait_s);
            let early = now + wait - Duration::from_millis(1);
            assert!(door.count("ada", early).is_err(), "{wait_s}");
            now += wait;
            assert!(door.count("ada", now).is_ok(), "{wait_s}");
        }
        assert!(door.look("ada", now).is_err());
        let much_later = now + WRONG_REMEMBERED;
        for _ in 0..WRONG_FREE {
            assert!(door.count("ada", much_later).is_ok());
        }
        assert!(door.count("ada", much_later).is_err());
    }

    #[test]
    fn names_that_nobody_has_push_no_count_out() {
        let door = Doorkeeper::default();
        let now = Instant::now();
        for _ in 0..WRONG_FREE {
            assert!(door.count("ada", now).is_ok());
        }
        for junk in 0..3 * COUNTS {
            // Whether it has to wait makes no difference.
            drop(door.count(&format!("junk {junk}"), now));
        }
        assert!(door.look("ada", now).is_err());
        assert_eq!(door.counts.lock().len(), COUNTS, "the memory of it");
    }

    #[tokio::test]
    async fn forty_guesses_at_once_are_no_more_than_forty_in_a_row() {
        let door = Arc::new(Doorkeeper::default());
        let kept = password_digest("analytical engine");
        let begun = Instant::now();
        let guesses: Vec<_> = (0..40)
            .map(|guess| {
                let (door, kept) = (Arc::clone(&door), kept.clone());
                let guess = format!("not the password {guess}").into();
                tokio::spawn(async move { door.is("ada", guess, kept).await })
            })
            .collect();
        let mut looked_at = 0;
        for guess in guesses {
            match guess.await.unwrap() {
                Ok(good) => {
                    assert!(!good);
                    looked_at += 1;
                }
                Err(problem) => assert!(matches!(problem, Problem::TooMany(_))),
            }
        }
        // A guess more for each wait that went by meanwhile: 1 s, 2 s more, 4 s more.
        let passed_s = begun.elapsed().as_secs();
        let bound = WRONG_FREE + (passed_s + 1).ilog2();
        assert!((WRONG_FREE..=bound).contains(&looked_at), "{looked_at}");
    }

    #[tokio::test]
    async fn a_good_password_is_known_and_its_attempt_is_forgiven() {
        let door = Doorkeeper::default();
        let kept = password_digest("analytical engine");
        for _ in 0..2 * WRONG_FREE {
            let good = door.is(
                "ada",
                String::from("analytical engine").into(),
                kept.clone(),
            );
            assert!(good.await.unwrap());
        }
    }

    #[tokio::test]
    async fn those_that_wait_have_a_bound() {
        let door = Doorkeeper::default();
        let mut held = Vec::new();
        for _ in 0..PASSWORDS_AT_ONCE {
            held.push(door.place().await.unwrap());
        }
        let mut waiting: Vec<_> = (0..PASSWORDS_WAITING)
            .map(|_| Box::pin(door.place()))
            .collect();
        for one in &mut waiting {
            let polled = futures_poll(one.as_mut());
            assert!(polled.is_none(), "it waits");
        }
        let one_more = futures_poll(std::pin::pin!(door.place()));
        assert!(
            one_more.is_some_and(|place| place.is_err()),
            "it is sent away"
        );
        drop(held);
        assert!(waiting.remove(0).await.is_ok());
    }

    fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}
