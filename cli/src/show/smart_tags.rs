//! `show license smart-tags`: what can be licensed, and under which tag.
//!
//! A tag is printed whole on a line of its own, also where that line is longer than the screen: broken, it could not be
//! copied.

use licensing::snapshot::{TagRow, TagStatus};
use serde_json::{Value, json};

use super::text::labelled;
use super::{Kind, View, kind_of};

/// The surface as text.
pub fn text(view: &View) -> String {
    let node = &view.snapshot.node;
    let mut out = format!("Product {}\n  {}\n", node.product, node.product_tag);
    for (kind, title) in [(Kind::Service, "Service"), (Kind::Feature, "Feature")] {
        if view.filter.kind.is_none_or(|wanted| wanted == kind) {
            out.push_str(&format!("\nSmart Entitlement {title} Tags\n"));
            out.push_str("TagId Name                Description\n");
            out.push_str("----- ------------------- -----------------------------------\n");
            let rows = view.snapshot.rows().filter(|row| kind_of(*row) == kind);
            out.extend(rows.map(entry));
        }
    }
    out
}

fn entry(row: TagRow<'_>) -> String {
    let tag = row.tag();
    let head = format!("{:>5} {:<19} ", tag.tag_id.to_string(), tag.name);
    format!("{}  {}\n", labelled(&head, &tag.description), tag.tag)
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let rows = |kind: Kind| {
        let wanted = view.filter.kind.is_none_or(|wanted| wanted == kind);
        let rows = view.snapshot.rows();
        rows.filter(move |row| wanted && kind_of(*row) == kind)
            .map(|row| row_json(row.tag()))
            .collect::<Vec<_>>()
    };
    json!({
        "product": view.snapshot.node.product,
        "product_tag": view.snapshot.node.product_tag,
        "services": rows(Kind::Service),
        "features": rows(Kind::Feature),
    })
}

fn row_json(tag: &TagStatus) -> Value {
    json!({
        "tag_id": tag.tag_id, "name": tag.name, "description": tag.description, "tag": tag.tag,
    })
}
