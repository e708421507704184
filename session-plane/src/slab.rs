//! Places for records, in chunks: growing moves nothing and never doubles memory.

/// Records in one chunk.
const CHUNK: usize = 1024;

/// Numbered places; a place that was left is taken again before a new one is made.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    places: u32,
    used: u32,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            places: 0,
            used: 0,
        }
    }

    /// Records there.
    pub(crate) fn len(&self) -> u32 {
        self.used
    }

    /// Places made; every record's place is below.
    pub(crate) fn places(&self) -> u32 {
        self.places
    }

    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        let chunk = self.chunks.get_mut(place / CHUNK)?;
        chunk.get_mut(place % CHUNK)?.as_mut()
    }

    pub(crate) fn insert(&mut self, record: T) -> u32 {
        self.used += 1;
        if let Some(place) = self.free.pop() {
            let at = place as usize;
            self.chunks[at / CHUNK][at % CHUNK] = Some(record);
            return place;
        }
        let place = self.places;
        if (place as usize).is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[place as usize / CHUNK].push(Some(record));
        self.places += 1;
        place
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<T> {
        let at = place as usize;
        let record = self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)?.take();
        if record.is_some() {
            self.free.push(place);
            self.used -= 1;
        }
        record
    }

    /// All records with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let records = self.chunks.iter().flatten();
        (0..)
            .zip(records)
            .filter_map(|(place, record)| Some((place, record.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_and_are_taken_again() {
        let mut slab = Slab::new();
        let places: Vec<_> = (0..3000).map(|n| slab.insert(n)).collect();
        assert_eq!(places[2999], 2999);
        assert_eq!(slab.remove(1500), Some(1500));
        assert_eq!(slab.remove(1500), None);
        assert_eq!(slab.get(1500), None);
        assert_eq!((slab.len(), slab.places()), (2999, 3000));
        assert_eq!(slab.insert(7), 1500);
        *slab.get_mut(1500).unwrap() += 1;
        assert_eq!(slab.get(1500), Some(&8));
        assert_eq!(slab.get(3000), None);
        assert_eq!(slab.remove(9999), None);
        assert_eq!(slab.iter().filter(|(at, n)| at == *n).count(), 2999);
    }
}
