//! What an operator asks of the Smart Agent, and what it shows of itself.

use std::fmt;

use licensing::Wall;
use serde::{Deserialize, Serialize};

use crate::smart::{Digest, InstanceId, Order, RequestType, Serial};

/// What an operator may ask of the agent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum LicenseCommand {
    /// `license smart register idtoken <token> [force]`.
    Register {
        /// The token as it was typed; a secret.
        idtoken: String,
        /// In place of a registration.
        force: bool,
    },
    /// `license smart renew id`.
    RenewId,
    /// `license smart renew auth`.
    RenewAuth,
    /// `license smart deregister`.
    Deregister,
}

/// The agent at an instant: what `show license status` and its like are made of, beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// Where the registration stands.
    pub registration: RegistrationState,
    /// The registration; none: there is none.
    pub registered: Option<RegisteredStatus>,
    /// How registration was asked for.
    pub initial: Attempts,
    /// How authorization was asked for.
    pub authorization: Attempts,
    /// How renewal of the identity was asked for.
    pub renewal: Attempts,
    /// How the end of the registration was asked for.
    #[serde(default)]
    pub deregistration: Attempts,
    /// When the authorization expires unless the authority is heard, by license time reckoned to the wall clock; none:
    /// not registered, or it was not heard since the process began.
    pub communication_deadline: Option<Wall>,
    /// Nothing was heard for several attempts; since when, and why.
    pub silence: Option<Silence>,
    /// Roots that are trusted.
    pub trust_pool: Vec<RootStatus>,
    /// Messages, a row a type.
    pub call_home: Vec<CallHomeRow>,
    /// Number of the last usage report; 0: there is none.
    pub last_report: u64,
    /// Usage reports that the authority has not acknowledged.
    pub reports_waiting: u64,
    /// The authority sees two nodes of this identity, or that the state of this one was restored.
    pub forked: bool,
    /// Its orders.
    #[serde(default)]
    pub orders: OrdersStatus,
    /// Answers that came late, twice, or to nothing.
    pub stale_answers: u64,
    /// The agent's state can't be written.
    pub not_written: bool,
}

/// The orders of a node (rule L2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersStatus {
    /// Serial number of the text in force; 0: there is none.
    pub serial: u64,
    /// When it came, by the authority's date.
    pub taken: Option<Wall>,
    /// What it says.
    pub orders: Vec<OrderStatus>,
    /// The catalog by order; none: none is ordered, and none is in force.
    #[serde(default)]
    pub catalog: Option<CatalogStatus>,
    /// Texts that were refused since the process began.
    pub refused: u64,
    /// Why the last that came was refused; none: it was not.
    pub refusal: Option<String>,
}

/// How a catalog that is ordered stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogStatus {
    /// Whether it is in force.
    pub standing: CatalogStanding,
    /// Of its text.
    pub sha256: Digest,
    /// The date at which it ends; none: it does not, or is not ordered any more.
    pub not_after: Option<Wall>,
    /// Why it is set aside; none: it is not.
    pub refusal: Option<String>,
}

/// Which catalog is in force, and which is from the next start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatalogStanding {
    /// The one that is ordered is in force.
    InForce,
    /// It is from the next start on.
    Pending,
    /// It was withdrawn or has ended: it is in force until the next start, and then that of the configuration.
    Ending,
    /// It is none, or the node's configuration does not go with it: that of the configuration is in force from the next
    /// start on.
    SetAside,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStatus {
    /// It has not ended, and its tag is in the catalog in force.
    pub in_force: bool,
    /// It has not ended, and its tag is only in the catalog that is ordered for the next start.
    #[serde(default)]
    pub pending: bool,
    /// It is about a tag that neither of them has.
    #[serde(default)]
    pub set_aside: bool,
    /// The order.
    pub order: Order,
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrationState {
    /// There is none.
    #[default]
    Unregistered,
    /// It is being asked for.
    Registering,
    /// It stands.
    Registered,
    /// It stands, and the date is outside of the identity certificate's validity: nothing is sent once an hour is over.
    OutOfRange,
    /// It is being ended.
    Deregistering,
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredStatus {
    /// The product instance identifier.
    pub instance: InstanceId,
    /// Name of the Smart Account.
    pub smart_account: String,
    /// Name of the virtual account.
    pub virtual_account: String,
    /// When it began.
    pub since: Wall,
    /// When it was last renewed; none: not yet.
    pub renewed: Option<Wall>,
    /// When it is to be renewed.
    pub renew_at: Wall,
    /// When the identity certificate ends.
    pub expires: Wall,
    /// Serial number of the identity certificate.
    pub serial: Serial,
}

/// Attempts at something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The last one; none: there was none since the process began.
    pub last: Option<Wall>,
    /// Why it failed; none: it did not.
    pub failure: Option<String>,
    /// The next one, reckoned to the wall clock; none: none is due.
    pub next: Option<Wall>,
}

/// A silence of the authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Since when.
    pub since: Wall,
    /// Why, as the first attempt found it.
    pub why: String,
}

/// A root of the trust pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStatus {
    /// Its subject.
    pub subject: String,
    /// SHA-256 of its certificate, to be compared.
    pub fingerprint: Digest,
    /// When it begins to be valid.
    pub not_before: Wall,
    /// When it ends to be valid.
    pub not_after: Wall,
    /// It came by an operator's file; else from an authority.
    pub by_operator: bool,
    /// It expires within 60 days, or has.
    pub expiring: bool,
}

/// What became of the messages of one type since the process began, as `show call-home smart-licensing statistics` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallHomeRow {
    /// The type.
    pub subtype: RequestType,
    /// Sent, and done.
    pub success: u64,
    /// Not sent, without an answer, or not done.
    pub failed: u64,
    /// To be sent, or on its way.
    pub in_queue: u64,
    /// Not sent because the configuration does not let it.
    pub dropped: u64,
    /// When one was last sent; none: never.
    pub last_sent: Option<Wall>,
}

impl fmt::Debug for LicenseCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { force, .. } => {
                let mut shown = f.debug_struct("Register");
                shown.field("force", force).finish_non_exhaustive()
            }
            Self::RenewId => f.write_str("RenewId"),
            Self::RenewAuth => f.write_str("RenewAuth"),
            Self::Deregister => f.write_str("Deregister"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_documented_and_keep_their_secret() {
        let register = LicenseCommand::Register {
            idtoken: "c2VjcmV0".into(),
            force: true,
        };
        let cases = [
            (
                r#"{"do":"register","idtoken":"c2VjcmV0","force":true}"#,
                register.clone(),
            ),
            (r#"{"do":"renew-id"}"#, LicenseCommand::RenewId),
            (r#"{"do":"renew-auth"}"#, LicenseCommand::RenewAuth),
            (r#"{"do":"deregister"}"#, LicenseCommand::Deregister),
        ];
        for (text, command) in cases {
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
            assert_eq!(
                serde_json::from_str::<LicenseCommand>(text).unwrap(),
                command
            );
        }
        assert_eq!(format!("{register:?}"), "Register { force: true, .. }");
    }
}
