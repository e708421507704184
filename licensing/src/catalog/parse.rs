//! From text to a checked catalog.
//!
//! The text is TOML: arrays of tables `product`, `service` and `feature`, whose keys are those of the structs here.
//! `on_ooc`, `grace_days` and `tie` may be left out; every other key must be there, and no further one may.

use std::num::NonZeroU32;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{
    Catalog, CatalogError, CatalogFault, DESCRIPTION_MAX_BYTES, FEATURES_MAX, Feature,
    NAME_MAX_BYTES, OnOoc, OocRule, PRODUCTS_MAX, Product, SERVICES_MAX, Service, Tie,
};
use crate::tag::{ServiceIndex, Tag, TagId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalog {
    #[serde(default)]
    product: Vec<RawProduct>,
    #[serde(default)]
    service: Vec<RawService>,
    #[serde(default)]
    feature: Vec<RawFeature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProduct {
    name: Spanned<String>,
    tag: Spanned<String>,
    description: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawService {
    tag_id: Spanned<u16>,
    name: Spanned<String>,
    tag: Spanned<String>,
    description: Spanned<String>,
    sessions_per_license: Spanned<u32>,
    on_ooc: Option<OnOoc>,
    grace_days: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeature {
    tag_id: Spanned<u16>,
    name: Spanned<String>,
    tag: Spanned<String>,
    description: Spanned<String>,
    services: Vec<Spanned<String>>,
    #[serde(default)]
    tie: Tie,
    on_ooc: Option<OnOoc>,
    grace_days: Option<u16>,
}

impl Catalog {
    /// Reads and checks a catalog. Pure.
    ///
    /// Refused, with line and reason (rule L1): text that is not TOML, unknown and missing keys, values of a wrong
    /// type; white space in a tag; a TagId, tag or name given twice; a license for no session; more than
    /// [`SERVICES_MAX`] services, [`FEATURES_MAX`] features or [`PRODUCTS_MAX`] products, or none of products or
    /// services; a tie to an unknown service.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let raw: RawCatalog = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            refuse(text, at, CatalogFault::Form(error.message().to_owned()))
        })?;
        let mut seen = Seen::new(text);
        seen.bounds(
            "product",
            PRODUCTS_MAX,
            raw.product.iter().map(|p| p.name.span()),
        )?;
        seen.bounds(
            "service",
            SERVICES_MAX,
            raw.service.iter().map(|s| s.name.span()),
        )?;
        seen.bounds(
            "feature",
            FEATURES_MAX,
            raw.feature.iter().map(|f| f.name.span()),
        )?;
        let mut catalog = Self {
            products: Vec::with_capacity(raw.product.len()),
            services: Vec::with_capacity(raw.service.len()),
            features: Vec::with_capacity(raw.feature.len()),
        };
        for product in raw.product {
            catalog.products.push(seen.product(product)?);
        }
        for service in raw.service {
            catalog.services.push(seen.service(service)?);
        }
        for feature in raw.feature {
            let feature = seen.feature(feature, &catalog)?;
            catalog.features.push(feature);
        }
        Ok(catalog)
    }
}

/// What was read so far, to find what is there twice.
struct Seen<'a> {
    text: &'a str,
    tag_ids: Vec<(&'static str, u16, usize)>,
    names: Vec<(&'static str, String, usize)>,
    tags: Vec<(Tag, usize)>,
}

impl<'a> Seen<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            tag_ids: Vec::new(),
            names: Vec::new(),
            tags: Vec::new(),
        }
    }

    fn bounds(
        &self,
        kind: &'static str,
        max: usize,
        mut entries: impl ExactSizeIterator<Item = Range<usize>>,
    ) -> Result<(), CatalogError> {
        if entries.len() == 0 && kind != "feature" {
            return Err(refuse(self.text, 0, CatalogFault::None { kind }));
        }
        match entries.nth(max) {
            None => Ok(()),
            Some(first_over) => {
                let fault = CatalogFault::TooMany { kind, max };
                Err(refuse(self.text, first_over.start, fault))
            }
        }
    }

    fn product(&mut self, raw: RawProduct) -> Result<Product, CatalogError> {
        Ok(Product {
            name: self.name("product", raw.name)?,
            tag: self.tag(raw.tag)?,
            description: self.description(raw.description)?,
        })
    }

    fn service(&mut self, raw: RawService) -> Result<Service, CatalogError> {
        let sessions = raw.sessions_per_license;
        let at = sessions.span().start;
        let sessions_per_license = NonZeroU32::new(sessions.into_inner())
            .ok_or_else(|| refuse(self.text, at, CatalogFault::NoSessionsPerLicense))?;
        Ok(Service {
            tag_id: self.tag_id("service", raw.tag_id)?,
            name: self.name("service", raw.name)?,
            tag: self.tag(raw.tag)?,
            description: self.description(raw.description)?,
            sessions_per_license,
            rule: rule(OocRule::SERVICE, raw.on_ooc, raw.grace_days),
        })
    }

    fn feature(&mut self, raw: RawFeature, catalog: &Catalog) -> Result<Feature, CatalogError> {
        Ok(Feature {
            tag_id: self.tag_id("feature", raw.tag_id)?,
            name: self.name("feature", raw.name)?,
            tag: self.tag(raw.tag)?,
            description: self.description(raw.description)?,
            services: self.ties(raw.services, catalog)?,
            tie: raw.tie,
            rule: rule(OocRule::FEATURE, raw.on_ooc, raw.grace_days),
        })
    }

    fn tag_id(&mut self, kind: &'static str, raw: Spanned<u16>) -> Result<TagId, CatalogError> {
        let (at, id) = (raw.span().start, raw.into_inner());
        let taken = self.tag_ids.iter().find(|(k, i, _)| (*k, *i) == (kind, id));
        if let Some((_, _, line)) = taken {
            let fault = CatalogFault::DuplicateTagId {
                tag_id: TagId(id),
                kind,
                line: *line,
            };
            return Err(refuse(self.text, at, fault));
        }
        self.tag_ids.push((kind, id, line_of(self.text, at)));
        Ok(TagId(id))
    }

    fn name(&mut self, kind: &'static str, raw: Spanned<String>) -> Result<String, CatalogError> {
        let (at, name) = (raw.span().start, raw.into_inner());
        if !is_keyword(&name) {
            return Err(refuse(self.text, at, CatalogFault::Name(name)));
        }
        let same = |k: &str, n: &str| k == kind && n.eq_ignore_ascii_case(&name);
        if let Some((_, _, line)) = self.names.iter().find(|(k, n, _)| same(k, n)) {
            let fault = CatalogFault::DuplicateName {
                name,
                kind,
                line: *line,
            };
            return Err(refuse(self.text, at, fault));
        }
        self.names
            .push((kind, name.clone(), line_of(self.text, at)));
        Ok(name)
    }

    fn tag(&mut self, raw: Spanned<String>) -> Result<Tag, CatalogError> {
        let at = raw.span().start;
        let tag =
            Tag::new(raw.into_inner()).map_err(|error| refuse(self.text, at, error.into()))?;
        if let Some((_, line)) = self.tags.iter().find(|(t, _)| *t == tag) {
            let fault = CatalogFault::DuplicateTag { line: *line };
            return Err(refuse(self.text, at, fault));
        }
        self.tags.push((tag.clone(), line_of(self.text, at)));
        Ok(tag)
    }

    fn description(&self, raw: Spanned<String>) -> Result<String, CatalogError> {
        let at = raw.span().start;
        let description = raw.into_inner();
        if description.len() > DESCRIPTION_MAX_BYTES || description.contains(char::is_control) {
            return Err(refuse(self.text, at, CatalogFault::Description));
        }
        Ok(description)
    }

    fn ties(
        &self,
        names: Vec<Spanned<String>>,
        catalog: &Catalog,
    ) -> Result<Vec<ServiceIndex>, CatalogError> {
        let mut ties = Vec::with_capacity(names.len());
        for raw in names {
            let (at, name) = (raw.span().start, raw.into_inner());
            match catalog.service_named(&name) {
                None => {
                    let fault = CatalogFault::UnknownService(name);
                    return Err(refuse(self.text, at, fault));
                }
                Some(service) if ties.contains(&service) => {
                    return Err(refuse(self.text, at, CatalogFault::TiedTwice(name)));
                }
                Some(service) => ties.push(service),
            }
        }
        ties.sort_unstable();
        Ok(ties)
    }
}

fn rule(default: OocRule, on_ooc: Option<OnOoc>, grace_days: Option<u16>) -> OocRule {
    OocRule {
        on_ooc: on_ooc.unwrap_or(default.on_ooc),
        grace_days: grace_days.unwrap_or(default.grace_days),
    }
}

fn is_keyword(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.len() <= NAME_MAX_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(rest)
}

fn refuse(text: &str, at: usize, fault: CatalogFault) -> CatalogError {
    CatalogError {
        line: line_of(text, at),
        fault,
    }
}

/// Line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}
