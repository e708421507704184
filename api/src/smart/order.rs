//! Orders: what an authority lets a product instance do that its own configuration can't (rule L2).
//!
//! An instance has all of its orders in one text, which is in force as a whole until one of a higher serial number takes
//! its place: an order that is withdrawn is one that the next text does not have. The signature is over
//! [`ORDERS_PREFIX`] and the text, so that no answer is taken for orders, and no orders for an answer.

use std::collections::BTreeSet;

use licensing::{OocRule, Shadow, Tag, TagOrder, Wall};
use serde::{Deserialize, Serialize};

use super::envelope::{Signature, WireError, bound, text};
use super::parts::{InstanceId, Octets, Version};
use super::request::{check_der, check_text};
use super::{CATALOG_BYTES_MAX, CHAIN_MAX, ORDER_SPAN_MS, ORDERS_BYTES_MAX, ORDERS_MAX};

/// What stands before a text of orders in the octets that are signed.
pub const ORDERS_PREFIX: &[u8] = b"tollgate orders 1.0\n";

/// All orders of a product instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Of this format.
    pub version: Version,
    /// Grows with every text for this instance; the first has 1.
    pub serial: u64,
    /// Whom they are for.
    pub product_instance_identifier: InstanceId,
    /// When they were written, by the authority's date.
    pub issued: Wall,
    /// A lab authority wrote them: they are for lab nodes, and no others are.
    pub lab: bool,
    /// At most [`ORDERS_MAX`], and one of each kind a tag.
    pub orders: Vec<Order>,
    /// The catalog from the node's next start on; null: that of its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<CatalogOrder>,
}

/// A catalog in place of the node's own (rule L1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogOrder {
    /// Its text; at most [`CATALOG_BYTES_MAX`].
    pub text: String,
    /// The date at which it ends; null: it does not.
    pub not_after: Option<Wall>,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What about.
    pub tag: Tag,
    /// The date at which it ends; null: it does not, as only a rule may. At most [`ORDER_SPAN_MS`] after the text was
    /// written.
    pub not_after: Option<Wall>,
    /// What.
    pub what: OrderKind,
}

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderKind {
    /// The rule of the tag out of compliance, in place of its catalog's (rule L5).
    Rule(OocRule),
    /// What becomes of a block of the tag.
    Shadow(Shadow),
}

/// Orders and their signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOrders {
    /// The text of [`Orders`]; at most [`ORDERS_BYTES_MAX`].
    pub text: String,
    /// As [`ReplyEnvelope::chain`](super::ReplyEnvelope::chain).
    pub chain: Vec<Octets>,
    /// The signature.
    pub signature: Signature,
}

/// The orders that a node has, as it tells its authority with every message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrdersHeld {
    /// The serial number of those that it keeps; 0: it has none.
    pub serial: u64,
    /// Why those that came last are not kept; null: they are.
    pub refused: Option<String>,
    /// What of those that are kept is set aside, how many first; null: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
}

impl Order {
    /// It has not ended at this date.
    pub fn holds_at(&self, date: Wall) -> bool {
        self.not_after.is_none_or(|until| date < until)
    }

    fn check(&self, issued: Wall) -> Result<(), WireError> {
        let latest = issued.0.saturating_add(ORDER_SPAN_MS);
        let endless = match self.what {
            OrderKind::Rule(_) | OrderKind::Shadow(Shadow::Off | Shadow::Block) => true,
            OrderKind::Shadow(Shadow::Observe | Shadow::Warn | Shadow::Ramp { .. }) => false,
        };
        match self.not_after {
            None if !endless => return Err(WireError::Order("what loosens a block has an end")),
            Some(until) if until.0 > latest => {
                return Err(WireError::Order("it ends too late"));
            }
            None | Some(_) => {}
        }
        match self.what {
            OrderKind::Shadow(Shadow::Ramp { percent }) if !(1..=100).contains(&percent) => {
                Err(WireError::Order("a ramp has 1 to 100 percent"))
            }
            OrderKind::Rule(_) | OrderKind::Shadow(_) => Ok(()),
        }
    }
}

impl Orders {
    /// What holds of a tag at this date.
    pub fn about(&self, tag: &Tag, date: Wall) -> TagOrder {
        let orders = self.orders.iter();
        let orders = orders.filter(|order| order.tag == *tag && order.holds_at(date));
        let mut about = TagOrder::default();
        for order in orders {
            match order.what {
                OrderKind::Rule(rule) => about.rule = Some(rule),
                OrderKind::Shadow(shadow) => about.shadow = shadow,
            }
        }
        about
    }

    /// The catalog that is ordered at this date.
    pub fn catalog_at(&self, date: Wall) -> Option<&str> {
        let order = self.catalog.as_ref()?;
        let holds = order.not_after.is_none_or(|until| date < until);
        holds.then_some(order.text.as_str())
    }

    fn check(&self) -> Result<(), WireError> {
        bound("the list of orders", self.orders.len(), ORDERS_MAX)?;
        if let Some(order) = &self.catalog {
            bound("the catalog", order.text.len(), CATALOG_BYTES_MAX)?;
            let latest = self.issued.0.saturating_add(ORDER_SPAN_MS);
            if order.not_after.is_some_and(|until| until.0 > latest) {
                return Err(WireError::Order("it ends too late"));
            }
        }
        let mut seen = BTreeSet::new();
        for order in &self.orders {
            order.check(self.issued)?;
            let rule = matches!(order.what, OrderKind::Rule(_));
            if !seen.insert((order.tag.as_str(), rule)) {
                return Err(WireError::Order("there are two of a kind for a tag"));
            }
        }
        Ok(())
    }
}

impl SignedOrders {
    /// Writes and signs orders.
    pub fn seal(orders: &Orders, chain: Vec<Octets>, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        Self::of_text(text(orders), chain, sign)
    }

    /// Signs orders that were written earlier.
    pub fn of_text(text: String, chain: Vec<Octets>, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let signature = Signature::ed25519(sign(&signed_octets(&text)));
        Self {
            text,
            chain,
            signature,
        }
    }

    /// The orders, once `verify` has said that the signature over these octets is good by the first key of the chain, and
    /// the chain good.
    pub fn open<E: From<WireError>>(
        &self,
        verify: impl FnOnce(&[u8], &Self) -> Result<(), E>,
    ) -> Result<Orders, E> {
        self.check()?;
        verify(&signed_octets(&self.text), self)?;
        let orders: Orders = serde_json::from_str(&self.text).map_err(WireError::from)?;
        orders.check()?;
        Ok(orders)
    }

    /// Bounds that types don't hold.
    pub(super) fn check(&self) -> Result<(), WireError> {
        bound("the text of the orders", self.text.len(), ORDERS_BYTES_MAX)?;
        bound("the chain", self.chain.len(), CHAIN_MAX)?;
        let mut chain = self.chain.iter();
        chain.try_for_each(|certificate| check_der("a certificate", certificate))
    }
}

impl OrdersHeld {
    pub(super) fn check(&self) -> Result<(), WireError> {
        let refused = self.refused.as_deref().unwrap_or_default();
        check_text("the reason of a refusal", refused)?;
        let set_aside = self.set_aside.as_deref().unwrap_or_default();
        check_text("what is set aside", set_aside)
    }
}

fn signed_octets(text: &str) -> Vec<u8> {
    [ORDERS_PREFIX, text.as_bytes()].concat()
}
