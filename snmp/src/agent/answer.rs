//! What a request is answered (RFC 3416 section 4.2; RFC 3584 section 4 for SNMPv1).

use std::ops::Bound;

use crate::message::{Kind, Pdu, Status, encoded_len};
use crate::objects::Tree;
use crate::vacm::View;
use crate::{Oid, Value, VarBind};

/// By which the answer is made.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// SNMPv1: errors instead of exceptions, and no counters of 64 bits.
    pub is_v1: bool,
    /// Octets that the varbinds may have.
    pub room: usize,
    /// Most repetitions of a GETBULK.
    pub repetitions: u32,
}

/// Why a request as a whole fails: the status, and which varbind is to blame, from 1.
type Failure = (Status, usize);

/// The answer to a request.
pub fn answer<S>(tree: &mut Tree<S>, view: &View, request: &Pdu, rules: Rules) -> Pdu {
    let mut reader = Reader {
        tree,
        view,
        rules,
        used: 0,
    };
    let outcome = match request.kind {
        Kind::Get => reader.each(request, Reader::get),
        Kind::GetNext => reader.each(request, Reader::next),
        Kind::GetBulk {
            non_repeaters,
            max_repetitions,
        } => Ok(reader.bulk(request, non_repeaters, max_repetitions)),
        Kind::Set => reader.set(request),
        Kind::Response { .. } | Kind::Inform | Kind::Trap | Kind::Report => {
            Err((Status::GEN_ERR, 0))
        }
    };
    match outcome {
        Ok(varbinds) => request.response(Status::NO_ERROR, 0, varbinds),
        Err((status, at)) => failed(request, rules, status, at),
    }
}

/// The answer to somebody without a view.
pub fn unauthorized(request: &Pdu, rules: Rules) -> Pdu {
    failed(request, rules, Status::AUTHORIZATION_ERROR, 0)
}

/// An error, with the varbinds of the request; too big has none in SNMPv2.
fn failed(request: &Pdu, rules: Rules, status: Status, at: usize) -> Pdu {
    let status = match status {
        Status::NO_ACCESS | Status::NOT_WRITABLE | Status::AUTHORIZATION_ERROR if rules.is_v1 => {
            Status::NO_SUCH_NAME
        }
        status => status,
    };
    let varbinds = match status {
        Status::TOO_BIG if !rules.is_v1 => Vec::new(),
        _ => request.varbinds.clone(),
    };
    request.response(status, u32::try_from(at).unwrap_or(u32::MAX), varbinds)
}

struct Reader<'a, S> {
    tree: &'a mut Tree<S>,
    view: &'a View,
    rules: Rules,
    used: usize,
}

impl<S> Reader<'_, S> {
    /// One answer for each varbind.
    fn each(
        &mut self,
        request: &Pdu,
        one: fn(&mut Self, &Oid) -> Option<VarBind>,
    ) -> Result<Vec<VarBind>, Failure> {
        let mut varbinds = Vec::with_capacity(request.varbinds.len());
        for (at, asked) in request.varbinds.iter().enumerate() {
            let found = one(self, &asked.name).ok_or((Status::NO_SUCH_NAME, at + 1))?;
            if !self.fits(&found) {
                return Err((Status::TOO_BIG, 0));
            }
            varbinds.push(found);
        }
        Ok(varbinds)
    }

    /// None: an error of SNMPv1.
    fn get(&mut self, name: &Oid) -> Option<VarBind> {
        let value = if self.view.contains(name) {
            self.tree.get(name)
        } else {
            Value::NoSuchObject
        };
        let is_known = !value.is_exception() && self.is_sayable(&value);
        (is_known || !self.rules.is_v1).then(|| VarBind::new(name.clone(), value))
    }

    /// None: an error of SNMPv1.
    fn next(&mut self, name: &Oid) -> Option<VarBind> {
        let end = || VarBind::new(name.clone(), Value::EndOfMibView);
        self.seek(name).or_else(|| (!self.rules.is_v1).then(end))
    }

    /// The first instance behind a name that is in the view, and that the version has a type for.
    fn seek(&mut self, name: &Oid) -> Option<VarBind> {
        let mut found = self.tree.seek(Bound::Excluded(name))?;
        loop {
            let begins = self.view.from(&found.name)?;
            if begins > found.name.arcs() {
                let begins = Oid::bound(begins);
                found = self.tree.seek(Bound::Included(&begins))?;
            } else if self.is_sayable(&found.value) {
                return Some(found);
            } else {
                found = self.tree.seek(Bound::Excluded(&found.name))?;
            }
        }
    }

    fn is_sayable(&self, value: &Value) -> bool {
        !(self.rules.is_v1 && matches!(value, Value::Counter64(_)))
    }

    /// Cut off where it is full, or where nothing comes any more.
    fn bulk(&mut self, request: &Pdu, non_repeaters: u32, max_repetitions: u32) -> Vec<VarBind> {
        let names = request.varbinds.iter().map(|varbind| varbind.name.clone());
        let mut once: Vec<Oid> = names.collect();
        let non_repeaters = usize::try_from(non_repeaters).unwrap_or(usize::MAX);
        let mut repeated = once.split_off(non_repeaters.min(once.len()));
        let mut found = Vec::new();
        if self.round(&mut once, &mut found).is_none() || repeated.is_empty() {
            return found;
        }
        for _ in 0..max_repetitions.min(self.rules.repetitions) {
            match self.round(&mut repeated, &mut found) {
                Some(true) => {}
                Some(false) | None => break,
            }
        }
        found
    }

    /// What comes after each of these names, which move on; whether anything does. None: no room for all of them.
    fn round(&mut self, names: &mut [Oid], found: &mut Vec<VarBind>) -> Option<bool> {
        let mut goes_on = false;
        for name in names {
            let next = self.next(name)?;
            if !self.fits(&next) {
                return None;
            }
            goes_on |= next.value != Value::EndOfMibView;
            name.clone_from(&next.name);
            found.push(next);
        }
        Some(goes_on)
    }

    /// Nothing can be set; what is not in the view is not even said to be there.
    fn set(&self, request: &Pdu) -> Result<Vec<VarBind>, Failure> {
        let Some(first) = request.varbinds.first() else {
            return Ok(Vec::new());
        };
        let status = if self.view.contains(&first.name) {
            Status::NOT_WRITABLE
        } else {
            Status::NO_ACCESS
        };
        Err((status, 1))
    }

    fn fits(&mut self, varbind: &VarBind) -> bool {
        self.used += encoded_len(varbind);
        self.used <= self.rules.room
    }
}
