//! Orders: whether they are the authority's and for this node, and what holds by them (rule L2).
//!
//! Orders are kept as the exact text that was signed, with its chain, and a start judges them anew: by the trust pool of
//! that start, at the date at which they came, for a signer's certificate that has expired since signed them all the same.

use std::sync::Arc;

use api::smart::{InstanceId, Orders, SignedOrders, WireError};
use licensing::{
    Catalog, CatalogError, FeatureIndex, Now, ServiceIndex, Tag, TagOrder, TagRef, Wall,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::Fits;
use crate::identity::verify;
use crate::record::Restored;
use crate::trust::{Origin, Purpose, TrustError, TrustPool};

/// Orders as they are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptOrders {
    /// As they came.
    pub signed: SignedOrders,
    /// The date at which they did.
    pub taken: Wall,
}

/// Why orders are not taken.
#[derive(Debug, Error)]
pub enum OrdersError {
    /// Their signer is not one whom this node trusts, or may not sign.
    #[error("the signer's certificate: {0}")]
    Signer(#[from] TrustError),
    /// Their signature is not good, or they are malformed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// They are for another product instance.
    #[error("they are for another product instance")]
    OtherInstance,
    /// A lab authority's, on a node that is not in the lab, or the other way round.
    #[error("a lab authority's orders are for lab nodes, and no others are")]
    LabMismatch,
    /// Newer ones are in force.
    #[error("their serial number is {serial}, and {held} is in force")]
    Older {
        /// Theirs.
        serial: u64,
        /// That of those in force.
        held: u64,
    },
    /// Others with the same serial number are in force.
    #[error("other orders of the serial number {0} are in force")]
    Altered(u64),
}

/// Why a catalog that is ordered is set aside, while the other orders of its text are in force.
#[derive(Debug, Error)]
pub enum CatalogRefusal {
    /// It is none.
    #[error("the catalog is refused: {0}")]
    Malformed(#[from] CatalogError),
    /// The configuration of the node does not go with it.
    #[error("the catalog does not go with the configuration: {0}")]
    Unfit(String),
}

/// A catalog that is ordered, and its text.
#[derive(Clone, Debug)]
pub struct OrderedCatalog {
    /// As it was signed.
    pub text: String,
    /// What it says.
    pub catalog: Arc<Catalog>,
}

impl OrderedCatalog {
    /// That which is ordered at this date, if one is. Errors: it is set aside.
    pub(crate) fn of(
        orders: &Orders,
        fits: &Fits,
        date: Wall,
    ) -> Result<Option<Self>, CatalogRefusal> {
        let Some(text) = orders.catalog_at(date) else {
            return Ok(None);
        };
        let catalog = Arc::new(Catalog::parse(text)?);
        fits.judge(&catalog).map_err(CatalogRefusal::Unfit)?;
        let text = text.to_owned();
        Ok(Some(Self { text, catalog }))
    }
}

/// The orders that a start finds good.
#[derive(Debug, Default)]
pub struct AtStart {
    /// They; none: there are none, or they are not good.
    pub orders: Option<Orders>,
    /// The date at which they came.
    pub taken: Option<Wall>,
    /// Why those that are kept are not good.
    pub refused: Option<OrdersError>,
    /// What holds by them at the start; a tag that is not listed has no order.
    pub in_force: Vec<(TagRef, TagOrder)>,
    /// The catalog that they put in place of the configuration's.
    pub catalog: Option<OrderedCatalog>,
    /// Why one that they order is not.
    pub catalog_refused: Option<CatalogRefusal>,
}

impl AtStart {
    /// Judges what was kept; `roots` are those of operators' files, in DER, `own` is the catalog of the configuration.
    pub fn judge(
        restored: &Restored,
        roots: &[Vec<u8>],
        (own, fits): (&Catalog, &Fits),
        lab: bool,
        now: Now,
    ) -> Self {
        let state = restored.state.as_ref();
        let registration = state.and_then(|state| state.registration.as_ref());
        let kept = registration.and_then(|found| Some((&found.instance, found.orders.as_ref()?)));
        let Some((instance, kept)) = kept else {
            return Self::default();
        };
        let mut trust = TrustPool::restored(&restored.trust);
        for der in roots {
            // The agent tells of one that can't be read.
            drop(trust.add_root(der, Origin::Operator));
        }
        let calendar = state.and_then(|state| state.calendar);
        let date = calendar.filter(|_| lab).unwrap_or(now.wall);
        let date = date.max(kept.taken);
        let orders = match judge(&kept.signed, &trust, lab, instance, kept.taken) {
            Ok(orders) => orders,
            Err(error) => {
                return Self {
                    refused: Some(error),
                    ..Self::default()
                };
            }
        };
        let (catalog, catalog_refused) = match OrderedCatalog::of(&orders, fits, date) {
            Ok(catalog) => (catalog, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let holds = catalog.as_ref().map_or(own, |ordered| &ordered.catalog);
        Self {
            in_force: in_force(&orders, holds, date),
            orders: Some(orders),
            taken: Some(kept.taken),
            refused: None,
            catalog,
            catalog_refused,
        }
    }
}

/// Whether orders are the authority's and for this node: signature and chain first, then what they say. One that is about a
/// tag that the catalog does not have is good, and has no effect.
pub(crate) fn judge(
    signed: &SignedOrders,
    trust: &TrustPool,
    lab: bool,
    instance: &InstanceId,
    date: Wall,
) -> Result<Orders, OrdersError> {
    let orders = signed.open(|octets, signed| {
        let signer = trust.verify(&signed.chain, Purpose::Signer, date)?;
        verify(&signer.public_key, octets, &signed.signature.value.0)?;
        Ok::<_, OrdersError>(())
    })?;
    if orders.product_instance_identifier != *instance {
        return Err(OrdersError::OtherInstance);
    }
    if orders.lab != lab {
        return Err(OrdersError::LabMismatch);
    }
    Ok(orders)
}

/// What holds of each tag by these orders at this date, where something does.
pub(crate) fn in_force(orders: &Orders, catalog: &Catalog, date: Wall) -> Vec<(TagRef, TagOrder)> {
    let all = tags(catalog).map(|(at, tag)| (at, orders.about(tag, date)));
    all.filter(|(_, order)| *order != TagOrder::default())
        .collect()
}

/// The tags of a catalog, services first.
pub(crate) fn tags(catalog: &Catalog) -> impl Iterator<Item = (TagRef, &Tag)> {
    let services = (0..).map(ServiceIndex).zip(catalog.services());
    let services = services.map(|(at, listed)| (TagRef::Service(at), &listed.tag));
    let features = (0..).map(FeatureIndex).zip(catalog.features());
    services.chain(features.map(|(at, listed)| (TagRef::Feature(at), &listed.tag)))
}
