//! The call-home statistics: a row a type of message, since the process began.

use api::CallHomeRow;
use api::smart::RequestType;

/// All rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallHome([CallHomeRow; RequestType::ALL.len()]);

impl Default for CallHome {
    fn default() -> Self {
        Self(RequestType::ALL.map(|subtype| CallHomeRow {
            subtype,
            success: 0,
            failed: 0,
            in_queue: 0,
            dropped: 0,
            last_sent: None,
        }))
    }
}

impl CallHome {
    pub(crate) fn row(&mut self, subtype: RequestType) -> &mut CallHomeRow {
        let place = RequestType::ALL.iter().position(|kind| *kind == subtype);
        &mut self.0[place.expect("the table of types lists every type")]
    }

    pub(crate) fn rows(&self) -> [CallHomeRow; RequestType::ALL.len()] {
        self.0
    }
}
