//! The tags that are sold here: those of the catalog, with the numbers that the store knows them by.

use std::collections::HashMap;

use licensing::{Catalog, Tag};

use crate::store::{self, StoreError, Tx};

/// A tag that is sold here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sold {
    /// Its number in the store.
    pub(crate) id: i64,
    /// Its short name.
    pub(crate) name: String,
    /// What it licenses.
    pub(crate) description: String,
    /// An option that is on or off, and has no grants (rule L6).
    pub(crate) feature: bool,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags {
    sold: HashMap<String, Sold>,
    by_id: HashMap<i64, Tag>,
    products: HashMap<String, String>,
}

impl Tags {
    /// Those of a catalog; the store gets the ones that are new to it, and forgets none.
    pub(crate) async fn load(tx: &mut Tx, catalog: &Catalog) -> Result<Self, StoreError> {
        let mut tags = Self::default();
        for service in catalog.services() {
            let id = number(tx, &service.tag).await?;
            tags.add(id, &service.tag, &service.name, &service.description, false);
        }
        for feature in catalog.features() {
            let id = number(tx, &feature.tag).await?;
            tags.add(id, &feature.tag, &feature.name, &feature.description, true);
        }
        for product in catalog.products() {
            let tag = product.tag.as_str().to_owned();
            tags.products.insert(tag, product.name.clone());
        }
        Ok(tags)
    }

    fn add(&mut self, id: i64, tag: &Tag, name: &str, description: &str, feature: bool) {
        let sold = Sold {
            id,
            name: name.to_owned(),
            description: description.to_owned(),
            feature,
        };
        self.sold.insert(tag.as_str().to_owned(), sold);
        self.by_id.insert(id, tag.clone());
    }

    /// What is known of a tag; none: it is not sold here.
    pub(crate) fn find(&self, tag: &Tag) -> Option<&Sold> {
        self.sold.get(tag.as_str())
    }

    /// The tag of a text: the tag itself, or its short name in any letter case.
    pub(crate) fn named(&self, text: &str) -> Option<(&Tag, &Sold)> {
        let sold = match self.sold.get(text) {
            Some(sold) => sold,
            None => {
                let of_name = |sold: &&Sold| sold.name.eq_ignore_ascii_case(text);
                self.sold.values().find(of_name)?
            }
        };
        Some((self.by_id.get(&sold.id)?, sold))
    }

    /// The tag of a number, and its short name; both empty if the catalog has it no more.
    pub(crate) fn name_of(&self, id: i64) -> (&str, &str) {
        let tag = self.by_id.get(&id).map_or("", Tag::as_str);
        let name = self.sold.get(tag).map_or("", |sold| sold.name.as_str());
        (tag, name)
    }

    /// The short name of a product; none: it is not sold here.
    pub(crate) fn product(&self, tag: &Tag) -> Option<&str> {
        self.products.get(tag.as_str()).map(String::as_str)
    }

    /// Tags in the order of their short names.
    pub(crate) fn list(&self) -> Vec<(&Tag, &Sold)> {
        let all = self.by_id.values();
        let all = all.filter_map(|tag| Some((tag, self.find(tag)?)));
        let mut all: Vec<_> = all.collect();
        all.sort_by(|a, b| (a.1.feature, &a.1.name).cmp(&(b.1.feature, &b.1.name)));
        all
    }
}

async fn number(tx: &mut Tx, tag: &Tag) -> Result<i64, StoreError> {
    store::query("INSERT INTO tags (tag) VALUES ($1) ON CONFLICT (tag) DO NOTHING")
        .bind(tag.as_str())
        .execute(tx)
        .await?;
    let id = store::query_scalar("SELECT id FROM tags WHERE tag = $1")
        .bind(tag.as_str())
        .fetch_one(tx)
        .await?;
    Ok(id)
}
