//! The table of operations.

use std::future::Future;
use std::pin::Pin;

use axum::http::Method;

use super::{Answer, Call, calls, report};
use crate::admin::Problem;
use crate::roles::Action;

/// Where the path of an operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// At `/v1`.
    Root,
    /// The same, with the bound of agents' messages on the body.
    Smart,
    /// At a Smart Account.
    Account,
    /// At a virtual account.
    Virtual,
    /// At either.
    Both,
}

/// What a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it looks after itself.
    Nothing,
    /// To be logged in.
    Login,
    /// A role that allows this where the path leads.
    May(Action),
    /// A role that allows this somewhere in the Smart Account; what is shown is what the caller may see.
    Somewhere(Action),
}

/// A parameter of the query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) description: &'static str,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number { least: i64, most: i64 },
    Flag,
    Format,
}

/// What an operation answers when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// 200 with this schema.
    Found(&'static str),
    /// 201 with this schema.
    Made(&'static str),
    /// 204.
    Nothing,
    /// 200 with octets of this kind.
    Octets(&'static str),
    /// 200 with lines of CSV, or JSON.
    Lines,
}

/// How an operation is done.
pub(crate) type Run = fn(Call) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// An operation.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) scope: Scope,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Parameter],
    /// Schema of the body.
    pub(crate) body: Option<&'static str>,
    pub(crate) gives: Gives,
    pub(crate) run: Run,
}

const ACCOUNT: &str = "/v1/accounts/{account}";
const VIRTUAL: &str = "/v1/accounts/{account}/virtual-accounts/{virtualAccount}";

impl Operation {
    pub(crate) fn method(&self) -> Method {
        super::method(self.verb)
    }

    /// Where it is.
    pub(crate) fn paths(&self) -> Vec<String> {
        let bases: &[&str] = match self.scope {
            Scope::Root | Scope::Smart => &["/v1"],
            Scope::Account => &[ACCOUNT],
            Scope::Virtual => &[VIRTUAL],
            Scope::Both => &[ACCOUNT, VIRTUAL],
        };
        let paths = bases.iter().map(|base| format!("{base}{}", self.path));
        paths.collect()
    }
}

const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: Kind::Number {
        least: 1,
        most: 1_000,
    },
    description: "at most so many",
};
const OFFSET: Parameter = Parameter {
    name: "offset",
    kind: Kind::Number {
        least: 0,
        most: 1_000_000,
    },
    description: "without the first so many",
};
const AFTER: Parameter = Parameter {
    name: "after",
    kind: Kind::Number {
        least: 0,
        most: i64::MAX,
    },
    description: "those after this one: `next` of the answer before",
};
const BEFORE: Parameter = Parameter {
    name: "before",
    kind: Kind::Number {
        least: 0,
        most: i64::MAX,
    },
    description: "those before this one: `next` of the answer before",
};
const GONE: Parameter = Parameter {
    name: "gone",
    kind: Kind::Flag,
    description: "those that are gone, too",
};
const CLEARED: Parameter = Parameter {
    name: "cleared",
    kind: Kind::Flag,
    description: "those that have cleared, too",
};
const FORMAT: Parameter = Parameter {
    name: "format",
    kind: Kind::Format,
    description: "csv (the default) or json",
};

const SEE: Needs = Needs::May(Action::SeeLicenses);
const LOGS: Needs = Needs::May(Action::SeeLogs);

/// One row of the table.
macro_rules! operation {
    ($id:literal, $verb:literal $scope:ident $path:literal, $needs:expr, $summary:literal,
     [$($query:expr),*], $body:expr, $gives:expr, $run:path) => {
        Operation {
            id: $id,
            verb: $verb,
            scope: Scope::$scope,
            path: $path,
            needs: $needs,
            summary: $summary,
            query: &[$($query),*],
            body: $body,
            gives: $gives,
            run: |call| Box::pin($run(call)),
        }
    };
}

/// All operations.
#[rustfmt::skip]
pub(crate) static OPERATIONS: [Operation; 52] = [
    operation!("smart", "POST" Smart "/smart", Needs::Nothing, "A message of a Smart Agent",
        [], Some("Envelope"), Gives::Found("ReplyEnvelope"), calls::smart),
    operation!("health", "GET" Root "/health", Needs::Nothing, "Whether the authority serves",
        [], None, Gives::Found("Health"), calls::health),
    operation!("openapi", "GET" Root "/openapi.json", Needs::Nothing, "This document",
        [], None, Gives::Octets("application/json"), calls::openapi),
    operation!("roots", "GET" Root "/roots", Needs::Nothing, "The root certificate, for the trust pools of nodes",
        [], None, Gives::Found("Roots"), calls::roots),
    operation!("crl", "GET" Root "/crl", Needs::Nothing, "The list of revoked identity certificates, in DER",
        [], None, Gives::Octets("application/pkix-crl"), calls::crl),
    operation!("catalog", "GET" Root "/catalog", Needs::Login, "What is licensed here",
        [], None, Gives::Found("Catalog"), calls::catalog),

    operation!("setUp", "POST" Root "/setup", Needs::Nothing, "Make a Smart Account and its administrator, with the one-time secret of the first start",
        [], Some("Setup"), Gives::Made("Account"), calls::set_up),
    operation!("login", "POST" Root "/login", Needs::Nothing, "Log in",
        [], Some("Login"), Gives::Made("ApiToken"), calls::login),
    operation!("logout", "POST" Root "/logout", Needs::Login, "End this session, or revoke this API token",
        [], None, Gives::Nothing, calls::logout),
    operation!("changePassword", "PUT" Root "/password", Needs::Login, "Change one's own password",
        [], Some("PasswordEdit"), Gives::Nothing, calls::change_password),
    operation!("listApiTokens", "GET" Root "/api-tokens", Needs::Login, "One's own API tokens",
        [], None, Gives::Found("ApiTokens"), calls::list_api_tokens),
    operation!("makeApiToken", "POST" Root "/api-tokens", Needs::Login, "Make an API token, which may what its user may",
        [], Some("NewApiToken"), Gives::Made("ApiToken"), calls::make_api_token),
    operation!("revokeApiToken", "DELETE" Root "/api-tokens/{apiToken}", Needs::Login, "Revoke an API token of one's own",
        [], None, Gives::Nothing, calls::revoke_api_token),

    operation!("listAccounts", "GET" Root "/accounts", Needs::Login, "The Smart Accounts in which one has a role",
        [], None, Gives::Found("Accounts"), calls::list_accounts),
    operation!("getAccount", "GET" Account "", Needs::Somewhere(Action::SeeAccount), "A Smart Account",
        [], None, Gives::Found("Account"), calls::get_account),
    operation!("editAccount", "PATCH" Account "", Needs::May(Action::EditAccount), "Change the properties of a Smart Account",
        [], Some("AccountEdit"), Gives::Found("Account"), calls::edit_account),
    operation!("approveTerms", "PUT" Account "/terms", Needs::May(Action::ApproveTerms), "Approve the licensing terms",
        [], None, Gives::Found("Account"), calls::approve_terms),

    operation!("listVirtualAccounts", "GET" Account "/virtual-accounts", Needs::Somewhere(Action::SeeAccount), "The virtual accounts that one may see",
        [], None, Gives::Found("VirtualAccounts"), calls::list_virtual_accounts),
    operation!("addVirtualAccount", "POST" Account "/virtual-accounts", Needs::May(Action::EditVirtualAccounts), "Make a virtual account",
        [], Some("NewVirtualAccount"), Gives::Made("VirtualAccount"), calls::add_virtual_account),
    operation!("editVirtualAccount", "PATCH" Virtual "", Needs::May(Action::EditVirtualAccounts), "Rename or describe a virtual account",
        [], Some("VirtualAccountEdit"), Gives::Found("VirtualAccount"), calls::edit_virtual_account),
    operation!("removeVirtualAccount", "DELETE" Virtual "", Needs::May(Action::EditVirtualAccounts), "Remove a virtual account that is empty",
        [], None, Gives::Nothing, calls::remove_virtual_account),

    operation!("listUsers", "GET" Both "/users", Needs::May(Action::SeeUsers), "Users and their roles here",
        [], None, Gives::Found("Users"), calls::list_users),
    operation!("addUser", "POST" Both "/users", Needs::May(Action::EditUsers), "Make a user with a role here",
        [], Some("NewUser"), Gives::Made("User"), calls::add_user),
    operation!("editUser", "PUT" Both "/users/{user}", Needs::May(Action::EditUsers), "Give a user another role here, or one more",
        [], Some("RoleEdit"), Gives::Found("User"), calls::edit_user),
    operation!("removeUser", "DELETE" Both "/users/{user}", Needs::May(Action::EditUsers), "Take a user's role here",
        [], None, Gives::Nothing, calls::remove_user),
    operation!("resetPassword", "PUT" Both "/users/{user}/password", Needs::May(Action::EditUsers), "Give a user another password; his sessions and API tokens end",
        [], Some("PasswordReset"), Gives::Nothing, calls::reset_password),
    operation!("disableUser", "PUT" Both "/users/{user}/disabled", Needs::May(Action::EditUsers), "Disable a user, whose sessions and API tokens end, or enable him again",
        [], Some("UserState"), Gives::Found("User"), calls::disable_user),

    operation!("listTokens", "GET" Virtual "/tokens", Needs::May(Action::ManageTokens), "Registration tokens, newest first",
        [], None, Gives::Found("Tokens"), calls::list_tokens),
    operation!("makeToken", "POST" Virtual "/tokens", Needs::May(Action::ManageTokens), "Make a registration token; its secret is shown once",
        [], Some("NewToken"), Gives::Made("Token"), calls::make_token),
    operation!("revokeToken", "DELETE" Virtual "/tokens/{token}", Needs::May(Action::ManageTokens), "Revoke a registration token; what it registered stays",
        [], None, Gives::Nothing, calls::revoke_token),

    operation!("listLicenses", "GET" Both "/licenses", SEE, "Licenses owned and used, by virtual account and tag",
        [OFFSET, LIMIT], None, Gives::Found("Licenses"), calls::list_licenses),
    operation!("addLicenses", "POST" Virtual "/licenses", Needs::May(Action::EnterLicenses), "Enter licenses that were bought",
        [], Some("NewLicenses"), Gives::Made("LicenseDetail"), calls::add_licenses),
    operation!("editLicenses", "PATCH" Virtual "/licenses/{license}", Needs::May(Action::EnterLicenses), "Change the quantity of an entry",
        [], Some("QuantityEdit"), Gives::Found("LicenseDetail"), calls::edit_licenses),
    operation!("removeLicenses", "DELETE" Virtual "/licenses/{license}", Needs::May(Action::EnterLicenses), "Remove an entry",
        [], None, Gives::Nothing, calls::remove_licenses),
    operation!("transferLicenses", "POST" Virtual "/licenses/transfer", Needs::May(Action::ManageLicenses), "Move licenses to other virtual accounts, all items or none",
        [], Some("LicenseTransfer"), Gives::Nothing, calls::transfer_licenses),
    operation!("setGrants", "PUT" Virtual "/grants", Needs::May(Action::ManageLicenses), "Say whether a pool answers with exact grants, or with verdicts alone",
        [], Some("PoolEdit"), Gives::Nothing, calls::set_grants),

    operation!("listDevices", "GET" Both "/devices", SEE, "Product instances",
        [AFTER, LIMIT, GONE], None, Gives::Found("Devices"), calls::list_devices),
    operation!("getDevice", "GET" Both "/devices/{device}", SEE, "A product instance",
        [], None, Gives::Found("Device"), calls::get_device),
    operation!("removeDevice", "DELETE" Both "/devices/{device}", Needs::May(Action::ManageInstances), "Remove a product instance; its licenses return",
        [], None, Gives::Nothing, calls::remove_device),
    operation!("transferDevice", "POST" Both "/devices/{device}/transfer", Needs::May(Action::ManageInstances), "Move a product instance to another virtual account",
        [], Some("DeviceTransfer"), Gives::Found("Device"), calls::transfer_device),

    operation!("listOrders", "GET" Virtual "/orders", SEE, "Orders of the virtual account and of its instances, newest first",
        [], None, Gives::Found("Orders"), calls::list_orders),
    operation!("issueOrder", "POST" Virtual "/orders", Needs::May(Action::IssueOrders), "Issue an order, in place of one of its kind about the same license for the same; nodes get it with their next answer",
        [], Some("NewOrder"), Gives::Made("Order"), calls::issue_order),
    operation!("withdrawOrder", "DELETE" Virtual "/orders/{order}", Needs::May(Action::IssueOrders), "Withdraw an order",
        [], None, Gives::Nothing, calls::withdraw_order),

    operation!("listAlerts", "GET" Both "/alerts", SEE, "Alerts, newest first",
        [BEFORE, LIMIT, CLEARED], None, Gives::Found("Alerts"), calls::list_alerts),
    operation!("listEvents", "GET" Both "/events", LOGS, "Events, newest first",
        [BEFORE, LIMIT], None, Gives::Found("Events"), calls::list_events),
    operation!("listAudit", "GET" Both "/audit", LOGS, "Who changed what, newest first",
        [BEFORE, LIMIT], None, Gives::Found("Audit"), calls::list_audit),
    operation!("listTransfers", "GET" Both "/transfers", LOGS, "Licenses and instances that moved between virtual accounts, newest first",
        [BEFORE, LIMIT], None, Gives::Found("Transfers"), calls::list_transfers),

    operation!("reportLicenses", "GET" Both "/reports/licenses", SEE, "Licenses, up to 100,000 lines",
        [FORMAT], None, Gives::Lines, report::licenses),
    operation!("reportDevices", "GET" Both "/reports/devices", SEE, "Product instances, up to 100,000 lines",
        [FORMAT], None, Gives::Lines, report::devices),
    operation!("reportUsage", "GET" Both "/reports/usage", SEE, "What instances used, up to 100,000 lines",
        [FORMAT], None, Gives::Lines, report::usage),
    operation!("reportAudit", "GET" Both "/reports/audit", LOGS, "The audit log, up to 100,000 lines",
        [FORMAT], None, Gives::Lines, report::audit),
    operation!("reportTransfers", "GET" Both "/reports/transfers", LOGS, "Transfers, up to 100,000 lines",
        [FORMAT], None, Gives::Lines, report::transfers),
];
