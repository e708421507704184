//! Orders: taken, kept, and told once they are kept (rule L2).

use std::sync::Arc;

use api::smart::{Orders, OrdersHeld, RequestType, SignedOrders, TEXT_BYTES_MAX};
use api::{CatalogStanding, CatalogStatus, OrderStatus, OrdersStatus};
use licensing::{Catalog, Mono, Now, Tag, TagOrder, TagRef, Wall};

use super::Agent;
use super::dates::later;
use crate::certificate::digest;
use crate::input::{Notice, Output, Told};
use crate::orders::{AtStart, KeptOrders, OrderedCatalog, OrdersError, judge, tags};

/// What the agent knows of its orders.
#[derive(Debug)]
pub(super) struct Ordered {
    /// The last that were taken, which are on disk or asked to be.
    orders: Option<Orders>,
    /// Those that surely are on disk.
    kept: Option<Orders>,
    /// A date that is certain, and when it was: a clock that is set back makes no order last longer.
    certain: Option<(Wall, Mono)>,
    /// What was told of each tag; none: it is to be told.
    told: Vec<(TagRef, Tag, Option<TagOrder>)>,
    /// The text of the catalog that this process began with by order; none: it is the configuration's.
    catalog: Option<String>,
    /// The catalog that is ordered, since this process took it: that of the next start.
    next_catalog: Option<Arc<Catalog>>,
    /// Why the catalog that is ordered is set aside.
    catalog_refusal: Option<String>,
    /// Texts that were refused since the process began.
    refused: u64,
    /// Why the last that came was.
    refusal: Option<String>,
}

impl Ordered {
    /// As a start finds it; the verdicts have what is in force then.
    pub(super) fn restored(found: AtStart, catalog: &Catalog, now: Now) -> Self {
        let in_force = |tag| {
            let found = found.in_force.iter().find(|(of, _)| *of == tag);
            found.map_or(TagOrder::default(), |(_, order)| *order)
        };
        let told = tags(catalog).map(|(tag, name)| (tag, name.clone(), Some(in_force(tag))));
        Self {
            told: told.collect(),
            kept: found.orders.clone(),
            orders: found.orders,
            certain: found.taken.map(|taken| (taken, now.mono)),
            catalog: found.catalog.map(|ordered| ordered.text),
            next_catalog: None,
            catalog_refusal: found.catalog_refused.map(|refusal| refusal.to_string()),
            refused: found.refused.is_some().into(),
            refusal: found.refused.map(|error| error.to_string()),
        }
    }
}

impl Agent {
    /// An answer came, whose authority's clock and this node's agree.
    pub(super) fn date_orders(&mut self, now: Now) {
        self.ordered.certain = Some((self.date(now), now.mono));
    }

    /// The date by which orders end.
    fn orders_date(&self, now: Now) -> Wall {
        let certain = self.ordered.certain;
        let certain = certain.map(|(date, at)| later(date, now.mono.since(at)));
        certain.map_or(self.date(now), |certain| certain.max(self.date(now)))
    }

    /// All that was asked to be kept is.
    pub(super) fn orders_kept(&mut self) {
        if !self.keeping.state && self.ordered.kept != self.ordered.orders {
            self.ordered.kept.clone_from(&self.ordered.orders);
        }
    }

    /// Orders came with an answer: they are taken, or all stays as it was.
    pub(super) fn take_orders(&mut self, signed: &SignedOrders, now: Now) {
        let taken = match self.judge_orders(signed, now) {
            Ok(None) => return,
            Ok(Some(orders)) => orders,
            Err(error) => return self.refuse_orders(&error),
        };
        let kept = KeptOrders {
            signed: signed.clone(),
            taken: self.date(now),
        };
        if let Some(registration) = &mut self.state.registration {
            registration.orders = Some(Box::new(kept));
            self.keeping.state = true;
        }
        self.notice(Notice::OrdersTaken(taken.serial));
        let date = self.orders_date(now);
        let (next, refusal) = match OrderedCatalog::of(&taken, &self.config.fits, date) {
            Ok(ordered) => (ordered.map(|ordered| ordered.catalog), None),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        self.ordered.next_catalog = next;
        self.ordered.catalog_refusal = refusal;
        self.ordered.orders = Some(taken);
        self.ordered.refusal = None;
        if let Some(why) = set_aside_text(&self.set_aside(date), usize::MAX) {
            self.notice(Notice::OrdersSetAside(why));
        }
        // The authority learns of it.
        self.want(RequestType::Entitlement);
    }

    /// Whether orders are good and newer; none: they are those in force.
    fn judge_orders(&self, signed: &SignedOrders, now: Now) -> Result<Option<Orders>, OrdersError> {
        let Some(registration) = &self.state.registration else {
            return Err(OrdersError::OtherInstance);
        };
        let (lab, date) = (self.config.lab, self.date(now));
        let orders = judge(signed, &self.trust, lab, &registration.instance, date)?;
        let Some(held) = &self.ordered.orders else {
            return Ok(Some(orders));
        };
        if orders == *held {
            return Ok(None);
        }
        let serial = orders.serial;
        if serial < held.serial {
            let held = held.serial;
            return Err(OrdersError::Older { serial, held });
        }
        if serial == held.serial {
            return Err(OrdersError::Altered(serial));
        }
        Ok(Some(orders))
    }

    /// The catalog in force has this tag.
    fn knows(&self, tag: &Tag) -> bool {
        self.ordered.told.iter().any(|(_, name, _)| name == tag)
    }

    /// The catalog in force does not have this tag, and that of the next start has it.
    fn awaits(&self, tag: &Tag, date: Wall) -> bool {
        let ordered = self.catalog_at(date).is_some() && !self.knows(tag);
        let next = self.ordered.next_catalog.as_ref().filter(|_| ordered);
        next.is_some_and(|next| tags(next).any(|(_, name)| name == tag))
    }

    /// The catalog that is ordered at this date.
    fn catalog_at(&self, date: Wall) -> Option<&str> {
        self.ordered.orders.as_ref()?.catalog_at(date)
    }

    /// What of the orders of this date has no effect, though it is authentic, and why; the rest is in force, or waits for
    /// the next start.
    fn set_aside(&self, date: Wall) -> Vec<String> {
        let catalog = self.ordered.catalog_refusal.iter();
        let catalog = catalog.filter(|_| self.catalog_at(date).is_some()).cloned();
        let orders = self.ordered.orders.iter();
        let orders = orders.flat_map(|orders| &orders.orders);
        let about = orders.filter(|order| order.holds_at(date));
        let about = about.map(|order| &order.tag);
        let unknown = about.filter(|tag| !self.knows(tag) && !self.awaits(tag, date));
        let unknown = unknown.map(|tag| format!("the tag {tag} is not in the catalog in force"));
        catalog.chain(unknown).collect()
    }

    /// The catalog that this process began with by order, and the one that the next begins with.
    fn catalog_status(&self, date: Wall) -> Option<CatalogStatus> {
        let orders = self.ordered.orders.as_ref();
        let ordered = self.catalog_at(date);
        let refusal = &self.ordered.catalog_refusal;
        let running = self.ordered.catalog.as_deref();
        let standing = match ordered {
            None => CatalogStanding::Ending,
            Some(_) if refusal.is_some() => CatalogStanding::SetAside,
            Some(_) if ordered == running => CatalogStanding::InForce,
            Some(_) => CatalogStanding::Pending,
        };
        let order = orders.and_then(|orders| orders.catalog.as_ref());
        Some(CatalogStatus {
            standing,
            sha256: digest(ordered.or(running)?.as_bytes()),
            not_after: order.and_then(|order| order.not_after),
            refusal: refusal.clone().filter(|_| ordered.is_some()),
        })
    }

    fn refuse_orders(&mut self, error: &OrdersError) {
        let why = error.to_string();
        self.ordered.refused += 1;
        if self.ordered.refusal.as_ref() != Some(&why) {
            self.notice(Notice::OrdersRefused(why.clone()));
        }
        self.ordered.refusal = Some(why);
    }

    /// The registration has ended, and its orders with it.
    pub(super) fn forget_orders(&mut self) {
        self.ordered.orders = None;
        self.ordered.refusal = None;
        self.ordered.next_catalog = None;
        self.ordered.catalog_refusal = None;
    }

    /// Tells what holds of each tag now, where that is not what was told. What is not kept does not hold yet, and of what
    /// is, an order ends on its day though the disk fails.
    pub(super) fn tell_orders(&mut self, now: Now) {
        let date = self.orders_date(now);
        let orders = match self.keeping.state {
            true => self.ordered.kept.as_ref(),
            false => self.ordered.orders.as_ref(),
        };
        let mut news = Vec::new();
        for (tag, name, told) in &mut self.ordered.told {
            let holds = orders.map_or(TagOrder::default(), |orders| orders.about(name, date));
            if told.replace(holds) != Some(holds) {
                news.push(Told::Order {
                    tag: *tag,
                    order: holds,
                });
            }
        }
        news.into_iter().for_each(|told| self.tell(told));
    }

    /// The disk failed before this was told: it is told once it is kept. True: it is an order.
    pub(super) fn untell_order(&mut self, output: &Output) -> bool {
        let Output::Tell(Told::Order { tag, .. }) = output else {
            return false;
        };
        let tags = self.ordered.told.iter_mut();
        for (_, _, told) in tags.filter(|(of, _, _)| of == tag) {
            *told = None;
        }
        true
    }

    /// What the authority is told of them with each message.
    pub(super) fn orders_held(&self, now: Now) -> OrdersHeld {
        let refused = self.ordered.refusal.as_deref();
        let set_aside = self.set_aside(self.orders_date(now));
        OrdersHeld {
            serial: self.ordered.orders.as_ref().map_or(0, |held| held.serial),
            refused: refused.map(|why| shortened(why, TEXT_BYTES_MAX)),
            set_aside: set_aside_text(&set_aside, TEXT_BYTES_MAX),
        }
    }

    /// What people see of them.
    pub(super) fn orders_status(&self, now: Now) -> OrdersStatus {
        let date = self.orders_date(now);
        let registration = self.state.registration.as_ref();
        let kept = registration.and_then(|found| found.orders.as_ref());
        let orders = self.ordered.orders.as_ref();
        let listed = orders.into_iter().flat_map(|orders| &orders.orders);
        let listed = listed.map(|order| OrderStatus {
            in_force: order.holds_at(date) && self.knows(&order.tag),
            pending: order.holds_at(date) && self.awaits(&order.tag, date),
            set_aside: !self.knows(&order.tag) && !self.awaits(&order.tag, date),
            order: order.clone(),
        });
        OrdersStatus {
            serial: orders.map_or(0, |orders| orders.serial),
            taken: kept.filter(|_| orders.is_some()).map(|kept| kept.taken),
            orders: listed.collect(),
            catalog: self.catalog_status(date),
            refused: self.ordered.refused,
            refusal: self.ordered.refusal.clone(),
        }
    }
}

/// What is set aside in at most so many bytes: how many first, then as many reasons as there is room for, and how many
/// more there are.
fn set_aside_text(all: &[String], bytes_max: usize) -> Option<String> {
    let count = all.len();
    let with = |named: usize| {
        let more = match count - named {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let reasons = all[..named].join("; ");
        format!("{count} set aside: {reasons}{more}")
    };
    let texts = (1..=count).map(with);
    let fits = texts.take_while(|text| text.len() <= bytes_max).last();
    fits.or_else(|| (count > 0).then(|| shortened(&with(1), bytes_max)))
}

/// A text in at most so many bytes: one that is cut ends with dots.
fn shortened(text: &str, bytes_max: usize) -> String {
    const DOTS: &str = "...";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub(DOTS.len()));
    format!("{}{DOTS}", &text[..end])
}
