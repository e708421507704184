//! Answers kept for retransmissions: the same request gets the same octets again (TS 29.060 10.1.1, rule L13).
//!
//! Key: local and peer address and port, version, sequence number, message type. A peer that starts anew counts from
//! the same numbers again, so a request is a retransmission only if its octets are the same too.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::ops::Range;
use std::time::Duration;

use licensing::Mono;

use crate::config::GtpVersion;
use crate::hashing::{Keyed, OwnNumbers};
use crate::output::Path;

/// Octets of one chunk of answers.
const CHUNK: usize = 64 << 10;

/// What tells one request of a peer from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RequestKey {
    pub path: Path,
    pub version: GtpVersion,
    /// The octet of its message type.
    pub kind: u8,
    pub sequence: u32,
}

/// A request's key, with a keyed digest of it and of all its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    key: RequestKey,
    digest: u64,
}

/// Bounded in number and time; the oldest give way.
#[derive(Debug)]
pub(crate) struct ResponseCache {
    /// By digest, the number of the entry in the order of all entries ever made.
    numbers: HashMap<u64, u64, OwnNumbers>,
    entries: VecDeque<Entry>,
    answers: Answers,
    /// Digests of requests that are answered later; whoever answers them later bounds them.
    in_progress: HashSet<u64, OwnNumbers>,
    /// The number of the first entry there.
    first: u64,
    window: Duration,
    most: usize,
    keyed: Keyed,
}

#[derive(Debug)]
struct Entry {
    request: Fingerprint,
    expires: Mono,
    answer: Range<u32>,
    chunk: u64,
}

/// The answers' octets, one after the other in chunks; they go in the order in which they came.
#[derive(Debug, Default)]
struct Answers {
    chunks: VecDeque<Vec<u8>>,
    /// The number of the first chunk there, in the order of all ever begun.
    first: u64,
    /// Chunks to be used again, no more than there are in use.
    spare: Vec<Vec<u8>>,
}

impl ResponseCache {
    pub(crate) fn new(most: u32, window: Duration, keyed: Keyed) -> Self {
        Self {
            numbers: HashMap::with_hasher(OwnNumbers),
            entries: VecDeque::new(),
            answers: Answers::default(),
            in_progress: HashSet::with_hasher(OwnNumbers),
            first: 0,
            window,
            most: most as usize,
            keyed,
        }
    }

    pub(crate) fn fingerprint(&self, key: RequestKey, datagram: &[u8]) -> Fingerprint {
        let digest = self.keyed.hash_one((key, datagram));
        Fingerprint { key, digest }
    }

    /// The answer that this request got, if it is kept still.
    pub(crate) fn find(&self, request: &Fingerprint, now: Mono) -> Option<&[u8]> {
        let number = self.numbers.get(&request.digest)?;
        let entry = self.entries.get(number.checked_sub(self.first)? as usize)?;
        let is_kept = entry.request == *request && now < entry.expires;
        is_kept.then(|| self.answers.get(entry)).flatten()
    }

    /// A request that is answered later, by [`ResponseCache::keep`] or never, by [`ResponseCache::forget`].
    pub(crate) fn begin(&mut self, request: &Fingerprint) {
        self.in_progress.insert(request.digest);
    }

    /// Whether this request is answered later.
    pub(crate) fn is_in_progress(&self, request: &Fingerprint) -> bool {
        self.in_progress.contains(&request.digest)
    }

    pub(crate) fn forget(&mut self, request: &Fingerprint) {
        self.in_progress.remove(&request.digest);
    }

    /// Requests that are answered later.
    #[cfg(test)]
    pub(crate) fn in_progress(&self) -> usize {
        self.in_progress.len()
    }

    /// Keeps an answer; the oldest gives way to it, if there is no room or it has expired.
    pub(crate) fn keep(&mut self, request: Fingerprint, answer: &[u8], now: Mono) {
        self.forget(&request);
        self.make_room(now);
        let number = self.first + self.entries.len() as u64;
        self.numbers.insert(request.digest, number);
        let (chunk, answer) = self.answers.push(answer);
        self.entries.push_back(Entry {
            request,
            expires: now.after(self.window),
            answer,
            chunk,
        });
    }

    /// Drops what has expired, at most so many, so that memory follows use; tells how many are left.
    pub(crate) fn expire(&mut self, now: Mono, at_most: usize) -> usize {
        for _ in 0..at_most {
            match self.entries.front() {
                Some(oldest) if oldest.expires <= now => self.drop_oldest(),
                Some(_) | None => break,
            }
        }
        self.entries.len()
    }

    /// When the oldest expires.
    pub(crate) fn next_expiry(&self) -> Option<Mono> {
        self.entries.front().map(|oldest| oldest.expires)
    }

    fn make_room(&mut self, now: Mono) {
        let full = self.entries.len() >= self.most;
        match self.entries.front() {
            Some(oldest) if full || oldest.expires <= now => self.drop_oldest(),
            Some(_) | None => {}
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.entries.pop_front() else {
            return;
        };
        // The same request may have been answered anew since.
        let digest = oldest.request.digest;
        if self.numbers.get(&digest) == Some(&self.first) {
            self.numbers.remove(&digest);
        }
        self.first += 1;
        let next = self.entries.front();
        self.answers.drop_before(next.map(|next| next.chunk));
    }
}

impl Answers {
    fn get(&self, entry: &Entry) -> Option<&[u8]> {
        let chunk = self
            .chunks
            .get(entry.chunk.checked_sub(self.first)? as usize)?;
        chunk.get(entry.answer.start as usize..entry.answer.end as usize)
    }

    /// Puts an answer behind all others: its chunk, and its place there. One longer than a chunk has one of its own.
    fn push(&mut self, answer: &[u8]) -> (u64, Range<u32>) {
        let fits = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= answer.len();
        if !self.chunks.back().is_some_and(fits) {
            let spare = self.spare.pop().unwrap_or_default();
            self.chunks.push_back(spare);
        }
        let number = self.first + self.chunks.len() as u64 - 1;
        let Some(chunk) = self.chunks.back_mut() else {
            return (number, 0..0);
        };
        if chunk.capacity() == 0 {
            chunk.reserve_exact(CHUNK.max(answer.len()));
        }
        let start = chunk.len() as u32;
        chunk.extend_from_slice(answer);
        (number, start..chunk.len() as u32)
    }

    /// Chunks before this one, or all, are free; as many as are in use then wait to be used again.
    fn drop_before(&mut self, chunk: Option<u64>) {
        let end = self.first + self.chunks.len() as u64;
        for _ in self.first..chunk.unwrap_or(end) {
            self.first += 1;
            if let Some(mut empty) = self.chunks.pop_front() {
                empty.clear();
                self.spare.push(empty);
            }
        }
        self.spare.truncate(self.chunks.len().max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn key(sequence: u32) -> RequestKey {
        RequestKey {
            path: Path {
                local: "127.0.0.1:2123".parse().unwrap(),
                peer: "127.0.0.2:2123".parse().unwrap(),
            },
            version: GtpVersion::V1,
            kind: 16,
            sequence,
        }
    }

    fn cache(most: u32) -> ResponseCache {
        ResponseCache::new(most, Duration::from_secs(25), Keyed::new([1, 2]))
    }

    fn keep(cache: &mut ResponseCache, key: RequestKey, datagram: &[u8], answer: &[u8]) {
        let request = cache.fingerprint(key, datagram);
        cache.keep(request, answer, Mono(0));
    }

    fn find(cache: &ResponseCache, key: RequestKey, datagram: &[u8], now: u64) -> Option<Vec<u8>> {
        let request = cache.fingerprint(key, datagram);
        cache.find(&request, Mono(now)).map(<[u8]>::to_vec)
    }

    #[test]
    fn the_same_request_finds_its_answer_until_it_expires() {
        let mut cache = cache(4);
        keep(&mut cache, key(7), b"request", b"answer");
        let answer = Some(b"answer".to_vec());
        assert_eq!(find(&cache, key(7), b"request", 25 * SECOND - 1), answer);
        assert_eq!(find(&cache, key(7), b"request", 25 * SECOND), None);
        assert_eq!(find(&cache, key(7), b"other octets", 0), None);
        assert_eq!(find(&cache, key(8), b"request", 0), None);
        let mut other_port = key(7);
        other_port.path.peer.set_port(9);
        assert_eq!(find(&cache, other_port, b"request", 0), None);
    }

    #[test]
    fn the_oldest_gives_way_when_it_is_full() {
        let mut cache = cache(2);
        (1..=3).for_each(|n| keep(&mut cache, key(n), b"", &[n as u8]));
        assert_eq!(find(&cache, key(1), b"", 0), None);
        assert_eq!(find(&cache, key(2), b"", 0), Some(vec![2]));
        assert_eq!(find(&cache, key(3), b"", 0), Some(vec![3]));
        assert_eq!((cache.entries.len(), cache.numbers.len()), (2, 2));
    }

    #[test]
    fn a_request_answered_anew_finds_the_later_answer_after_the_earlier_gave_way() {
        let mut cache = cache(2);
        keep(&mut cache, key(1), b"same", b"one");
        keep(&mut cache, key(1), b"same", b"two");
        assert_eq!(find(&cache, key(1), b"same", 0), Some(b"two".to_vec()));
        keep(&mut cache, key(2), b"", b"three");
        assert_eq!(find(&cache, key(1), b"same", 0), Some(b"two".to_vec()));
        keep(&mut cache, key(3), b"", b"four");
        assert_eq!(find(&cache, key(1), b"same", 0), None);
    }

    #[test]
    fn expiry_goes_in_steps() {
        let mut cache = cache(8);
        (0..5).for_each(|n| keep(&mut cache, key(n), b"", b"x"));
        assert_eq!(cache.next_expiry(), Some(Mono(25 * SECOND)));
        assert_eq!(cache.expire(Mono(24 * SECOND), 3), 5);
        assert_eq!(cache.expire(Mono(25 * SECOND), 3), 2);
        assert_eq!(cache.expire(Mono(25 * SECOND), 3), 0);
        assert!(cache.numbers.is_empty());
    }

    /// The octets of an answer, which tell it from others.
    fn answer_of(number: u32) -> Vec<u8> {
        let octets = number.to_be_bytes().into_iter().cycle();
        octets.take(number as usize % 2_000).collect()
    }

    #[test]
    fn answers_stay_whole_over_many_chunks_and_memory_follows_use() {
        let mut cache = cache(1_000);
        for n in 0..5_000 {
            keep(&mut cache, key(n), b"", &answer_of(n));
            for kept in [n.saturating_sub(999), n.saturating_sub(500), n] {
                assert_eq!(find(&cache, key(kept), b"", 0), Some(answer_of(kept)));
            }
        }
        let octets: usize = (4_000..5_000).map(|n| answer_of(n).len()).sum();
        let chunks = cache.answers.chunks.len();
        assert!(chunks <= octets / (CHUNK - 2_000) + 2, "{chunks}");
        assert!(cache.answers.spare.len() <= chunks);
        let all = cache.answers.chunks.iter().chain(&cache.answers.spare);
        assert!(all.map(Vec::capacity).all(|octets| octets == CHUNK));
        assert_eq!(cache.expire(Mono(25 * SECOND), 10_000), 0);
        assert_eq!(
            (cache.answers.chunks.len(), cache.answers.spare.len()),
            (0, 1)
        );
        keep(&mut cache, key(7), b"", &answer_of(7));
        assert_eq!(find(&cache, key(7), b"", 0), Some(answer_of(7)));
        assert!(cache.answers.spare.is_empty());
    }
}
