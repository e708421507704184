//! The catalog: which products, services and features there are (rule L1).

mod error;
mod parse;
mod reload;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

pub use self::error::{CatalogError, CatalogFault, ReloadError};
use crate::tag::{FeatureIndex, FeatureSet, ServiceIndex, Tag, TagId};

/// The embedded catalog, as text.
const STAROS: &str = include_str!("../catalogs/staros.toml");

/// Most services a catalog may list.
pub const SERVICES_MAX: usize = 64;
/// Most features a catalog may list.
pub const FEATURES_MAX: usize = 64;
/// Most products a catalog may list.
pub const PRODUCTS_MAX: usize = 64;
/// Longest name of an entry, in bytes.
pub const NAME_MAX_BYTES: usize = 32;
/// Longest description of an entry, in bytes.
pub const DESCRIPTION_MAX_BYTES: usize = 200;

/// What happens to new sessions of a tag that is out of compliance, after its grace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnOoc {
    /// They are refused.
    Block,
    /// They are let through.
    Allow,
}

/// The rule of a tag once it is out of compliance (rule L5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OocRule {
    /// After the grace.
    pub on_ooc: OnOoc,
    /// Days of use, in license time, in which the policy stays Allow.
    pub grace_days: u16,
}

/// How a blocked feature refuses calls (rule L12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// Every new call of the services it is tied to.
    #[default]
    Service,
    /// Only calls that bring it.
    Call,
}

/// A product tag: what the device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Short name, unique.
    pub name: String,
    /// The tag.
    pub tag: Tag,
    /// What it is.
    pub description: String,
}

/// A service tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Small number.
    pub tag_id: TagId,
    /// Short name, unique among services: PGW, SAEGW, GGSN, ...
    pub name: String,
    /// The tag.
    pub tag: Tag,
    /// What it licenses.
    pub description: String,
    /// Sessions that one license covers.
    pub sessions_per_license: NonZeroU32,
    /// Once out of compliance.
    pub rule: OocRule,
}

/// A feature tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Small number.
    pub tag_id: TagId,
    /// Short name, unique among features: GRE, MPLS, ...
    pub name: String,
    /// The tag.
    pub tag: Tag,
    /// What it licenses.
    pub description: String,
    /// Services it is tied to, in the catalog's order.
    pub services: Vec<ServiceIndex>,
    /// How it is tied.
    pub tie: Tie,
    /// Once out of compliance.
    pub rule: OocRule,
}

/// Products, services and features, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    products: Vec<Product>,
    services: Vec<Service>,
    features: Vec<Feature>,
}

impl OocRule {
    /// Of a service whose catalog entry names none: refused at once.
    pub const SERVICE: Self = Self {
        on_ooc: OnOoc::Block,
        grace_days: 0,
    };
    /// Of a feature whose catalog entry names none: refused after 90 days of use.
    pub const FEATURE: Self = Self {
        on_ooc: OnOoc::Block,
        grace_days: 90,
    };
}

impl Catalog {
    /// The embedded catalog of StarOS: three products, seven services, nine features.
    pub fn staros() -> Self {
        Self::parse(STAROS).expect("the embedded catalog is part of the build and parsed by a test")
    }

    /// The text of the embedded catalog.
    pub fn staros_text() -> &'static str {
        STAROS
    }

    /// The products.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The services; a [`ServiceIndex`] is a place in this.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The features; a [`FeatureIndex`] is a place in this.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The product of this name, letter case apart.
    pub fn product(&self, name: &str) -> Option<&Product> {
        self.products
            .iter()
            .find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// The service of this name, letter case apart.
    pub fn service_named(&self, name: &str) -> Option<ServiceIndex> {
        let place = self
            .services
            .iter()
            .position(|s| s.name.eq_ignore_ascii_case(name))?;
        u8::try_from(place).ok().map(ServiceIndex)
    }

    /// The feature of this name, letter case apart.
    pub fn feature_named(&self, name: &str) -> Option<FeatureIndex> {
        let place = self
            .features
            .iter()
            .position(|f| f.name.eq_ignore_ascii_case(name))?;
        u8::try_from(place).ok().map(FeatureIndex)
    }

    /// The features tied to a service, in either way.
    pub fn tied_to(&self, service: ServiceIndex) -> FeatureSet {
        (0..)
            .map(FeatureIndex)
            .zip(&self.features)
            .filter(|(_, feature)| feature.services.contains(&service))
            .map(|(index, _)| index)
            .collect()
    }
}
