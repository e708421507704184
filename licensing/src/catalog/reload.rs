//! Which catalog may follow which (rule L1).

use super::{Catalog, Feature, ReloadError, Service};
use crate::tag::{FeatureIndex, ServiceIndex, TagRef};

impl Catalog {
    /// May `new` take this catalog's place while `in_use` tells which tags are in use?
    ///
    /// A tag in use keeps its place, TagId, name, tag, sessions per license, ties and rule; only its description may
    /// change. Tags that aren't in use, and products, may change freely. The first change found is the error.
    pub fn check_reload(
        &self,
        new: &Self,
        in_use: impl Fn(TagRef) -> bool,
    ) -> Result<(), ReloadError> {
        for (place, old) in (0..).map(ServiceIndex).zip(&self.services) {
            if in_use(TagRef::Service(place)) {
                let next = new.services.get(place.at());
                let change = next.map_or(Some("removed"), |next| service_change(old, next));
                refuse("service", &old.name, change)?;
            }
        }
        for (place, old) in (0..).map(FeatureIndex).zip(&self.features) {
            if in_use(TagRef::Feature(place)) {
                let next = new.features.get(place.at());
                let change = next.map_or(Some("removed"), |next| {
                    feature_change(old, next).or_else(|| {
                        let same = self.tied_names(old).eq(new.tied_names(next));
                        (!same).then_some("tied to other services")
                    })
                });
                refuse("feature", &old.name, change)?;
            }
        }
        Ok(())
    }

    fn tied_names<'a>(&'a self, feature: &'a Feature) -> impl Iterator<Item = &'a str> {
        let tied = feature.services.iter();
        tied.filter_map(|service| Some(self.services.get(service.at())?.name.as_str()))
    }
}

fn service_change(old: &Service, new: &Service) -> Option<&'static str> {
    if old.tag != new.tag || old.tag_id != new.tag_id || old.name != new.name {
        Some("replaced, moved or renamed")
    } else if old.sessions_per_license != new.sessions_per_license {
        Some("given other sessions per license")
    } else if old.rule != new.rule {
        Some("given another rule")
    } else {
        None
    }
}

fn feature_change(old: &Feature, new: &Feature) -> Option<&'static str> {
    if old.tag != new.tag || old.tag_id != new.tag_id || old.name != new.name {
        Some("replaced, moved or renamed")
    } else if old.tie != new.tie {
        Some("tied in another way")
    } else if old.rule != new.rule {
        Some("given another rule")
    } else {
        None
    }
}

fn refuse(kind: &'static str, name: &str, change: Option<&'static str>) -> Result<(), ReloadError> {
    match change {
        None => Ok(()),
        Some(change) => Err(ReloadError {
            kind,
            name: name.to_owned(),
            change,
        }),
    }
}
