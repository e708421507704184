//! Indexes of rows, as arcs (RFC 2578 section 7.7).

use std::net::Ipv4Addr;

use crate::Oid;

/// The arcs of a row below its column, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index(Vec<u32>);

impl Index {
    /// Of one number.
    pub fn of(number: u32) -> Self {
        Self::default().number(number)
    }

    /// And a number.
    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.0.push(number);
        self
    }

    /// And octets of varying length, which goes before them.
    #[must_use]
    pub fn octets(mut self, octets: &[u8]) -> Self {
        // A row with a longer name than an identifier has arcs is left out of its table.
        self.0.push(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        self.fixed(octets)
    }

    /// And octets of fixed length, or IMPLIED ones at the end.
    #[must_use]
    pub fn fixed(mut self, octets: &[u8]) -> Self {
        self.0.extend(octets.iter().copied().map(u32::from));
        self
    }

    /// And an address.
    #[must_use]
    pub fn address(self, address: Ipv4Addr) -> Self {
        self.fixed(&address.octets())
    }

    /// And an object identifier, whose length goes before it.
    #[must_use]
    pub fn oid(mut self, oid: &Oid) -> Self {
        self.0
            .push(u32::try_from(oid.arcs().len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(oid.arcs());
        self
    }

    /// All arcs.
    pub fn arcs(&self) -> &[u32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_encoded_by_rfc_2578() {
        let index = Index::of(7)
            .octets(b"ab")
            .fixed(b"c")
            .address(Ipv4Addr::new(10, 0, 0, 1));
        let index = index.oid(&Oid::from([1, 3, 6]));
        assert_eq!(index.arcs(), [7, 2, 97, 98, 99, 10, 0, 0, 1, 3, 1, 3, 6]);
    }
}
