//! What each list shows of the rows of an answer.

use serde_json::Value;

/// What a listing shows.
pub struct Listing {
    /// Key of the rows in the answer.
    pub key: &'static str,
    /// How the next page is asked for.
    pub pages: Pages,
    /// Rows are what is in this key of each row.
    pub inside: Option<&'static str>,
    /// Titles, and paths of keys.
    pub columns: &'static [(&'static str, &'static str)],
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// There is none.
    One,
    /// By what `next` says, in this parameter.
    Next(&'static str),
    /// By how many there were.
    Offset,
}

const fn listing(
    key: &'static str,
    pages: Pages,
    columns: &'static [(&'static str, &'static str)],
) -> Listing {
    Listing {
        key,
        pages,
        inside: None,
        columns,
    }
}

pub static ACCOUNTS: Listing = listing(
    "accounts",
    Pages::One,
    &[
        ("Domain", "domain"),
        ("Name", "name"),
        ("Terms approved", "termsApprovedAt"),
        ("By", "termsApprovedBy"),
    ],
);
pub static VIRTUAL_ACCOUNTS: Listing = listing(
    "virtualAccounts",
    Pages::One,
    &[
        ("Name", "name"),
        ("Default", "isDefault"),
        ("Description", "description"),
    ],
);
pub static USERS: Listing = listing(
    "users",
    Pages::One,
    &[
        ("Name", "name"),
        ("Role", "role"),
        ("Virtual account", "virtualAccount"),
        ("Disabled", "disabled"),
    ],
);
pub static LICENSES: Listing = listing(
    "licenses",
    Pages::Offset,
    &[
        ("License", "license"),
        ("Virtual account", "virtualAccount"),
        ("Owned", "quantity"),
        ("In use", "inUse"),
        ("Granted", "granted"),
        ("Needed", "needed"),
        ("Status", "status"),
    ],
);
pub static ENTRIES: Listing = Listing {
    inside: Some("licenseDetails"),
    ..listing(
        "licenses",
        Pages::Offset,
        &[
            ("Entry", "id"),
            ("License", "license"),
            ("Virtual account", "virtualAccount"),
            ("Quantity", "quantity"),
            ("Type", "licenseType"),
            ("Status", "status"),
            ("Starts", "startDate"),
            ("Ends", "endDate"),
        ],
    )
};
pub static TOKENS: Listing = listing(
    "tokens",
    Pages::One,
    &[
        ("Id", "id"),
        ("Status", "status"),
        ("Uses", "uses"),
        ("Of", "usesMax"),
        ("Expires", "expiresAt"),
        ("Made by", "createdBy"),
        ("Description", "description"),
    ],
);
pub static API_TOKENS: Listing = listing(
    "apiTokens",
    Pages::One,
    &[("Id", "id"), ("Name", "name"), ("Expires", "expiresAt")],
);
pub static INSTANCES: Listing = listing(
    "devices",
    Pages::Next("after"),
    &[
        ("Product instance", "productInstanceIdentifier"),
        ("Virtual account", "virtualAccount"),
        ("Status", "status"),
        ("Last contact", "lastContactDate"),
        ("Name", "displayName"),
        ("Orders issued", "orders.issuedSerial"),
        ("Applied", "orders.appliedSerial"),
    ],
);
pub static ORDERS: Listing = listing(
    "orders",
    Pages::One,
    &[
        ("Id", "id"),
        ("Status", "status"),
        ("License", "license"),
        ("Kind", "kind"),
        ("Out of compliance", "onOoc"),
        ("Grace days", "graceDays"),
        ("Mode", "mode"),
        ("Percent", "percent"),
        ("Catalog SHA-256", "catalogSha256"),
        ("Expires", "expiresAt"),
        ("Issued by", "issuedBy"),
        ("Product instance", "device"),
    ],
);
pub static ALERTS: Listing = listing(
    "alerts",
    Pages::Next("before"),
    &[
        ("Severity", "severity"),
        ("Raised", "raisedAt"),
        ("Cleared", "clearedAt"),
        ("Virtual account", "virtualAccount"),
        ("Needed", "needed"),
        ("Message", "message"),
    ],
);
pub static EVENTS: Listing = listing(
    "events",
    Pages::Next("before"),
    &[
        ("At", "at"),
        ("Virtual account", "virtualAccount"),
        ("Kind", "kind"),
        ("Subject", "subject"),
        ("Message", "message"),
    ],
);
/// Only a report has it.
pub static USAGE: Listing = listing(
    "usage",
    Pages::One,
    &[
        ("Product instance", "productInstanceIdentifier"),
        ("Virtual account", "virtualAccount"),
        ("Reports", "reports"),
        ("License hours", "licenseHours"),
        ("Peak", "peak"),
        ("Tag", "tag"),
    ],
);
pub static AUDIT: Listing = listing(
    "audit",
    Pages::Next("before"),
    &[
        ("At", "at"),
        ("Who", "who"),
        ("Action", "action"),
        ("Object", "object"),
        ("Before", "before"),
        ("After", "after"),
    ],
);
pub static TRANSFERS: Listing = listing(
    "transfers",
    Pages::Next("before"),
    &[
        ("At", "at"),
        ("Who", "who"),
        ("Kind", "kind"),
        ("From", "from"),
        ("To", "to"),
        ("Quantity", "quantity"),
        ("What", "object"),
    ],
);
pub static CATALOG: Listing = listing(
    "licenses",
    Pages::One,
    &[("License", "license"), ("Kind", "kind"), ("Tag", "tag")],
);

impl Listing {
    /// The rows of an answer.
    pub fn rows(&self, answer: &Value) -> Vec<Value> {
        let empty = Vec::new();
        let rows = answer[self.key].as_array().unwrap_or(&empty);
        let Some(inside) = self.inside else {
            return rows.clone();
        };
        let mut all = Vec::new();
        for row in rows {
            for detail in row[inside].as_array().unwrap_or(&empty) {
                let mut detail = detail.clone();
                for key in ["license", "tag", "virtualAccount"] {
                    detail[key] = row[key].clone();
                }
                all.push(detail);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_are_what_is_inside_of_licenses() {
        let answer = json!({ "licenses": [
            { "license": "PGW", "tag": "t", "virtualAccount": "V", "licenseDetails": [{ "id": 4 }, { "id": 5 }] },
        ] });
        let rows = ENTRIES.rows(&answer);
        let expected =
            |id| json!({ "id": id, "license": "PGW", "tag": "t", "virtualAccount": "V" });
        assert_eq!(rows, [expected(4), expected(5)]);
    }
}
