//! Roles, and what each of them may do: one table that every call of the API is checked against.
//!
//! The roles are those of the vendor's licensing guide. A role of a Smart Account holds in all of its virtual accounts, a
//! role of a virtual account in that one alone.

use serde::{Deserialize, Serialize};

/// What somebody is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Role {
    /// Approves the licensing terms, edits the account, sees users and logs; manages no licenses.
    SmartAccountApprover,
    /// Edits the account, users and virtual accounts, sees logs, manages all licenses.
    SmartAccountAdministrator,
    /// Manages all licenses; no users, no new virtual accounts.
    SmartAccountUser,
    /// Manages the users and the licenses of a virtual account, sees its logs.
    VirtualAccountAdministrator,
    /// Manages the licenses of a virtual account.
    VirtualAccountUser,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// See that an account is there, and its properties.
    SeeAccount,
    EditAccount,
    ApproveTerms,
    SeeUsers,
    EditUsers,
    /// See events and the audit log.
    SeeLogs,
    EditVirtualAccounts,
    /// See licenses, instances, alerts and reports of them.
    SeeLicenses,
    /// Transfer licenses, set how pools answer.
    ManageLicenses,
    /// Enter licenses that were bought, and take them out.
    EnterLicenses,
    /// Transfer and remove instances.
    ManageInstances,
    /// See, make and revoke registration tokens.
    ManageTokens,
    /// Issue and withdraw orders to nodes.
    IssueOrders,
}

const NOBODY: [bool; 5] = [false; 5];

/// Who may: approver, administrator and user of the Smart Account, administrator and user of the virtual account.
#[rustfmt::skip]
const TABLE: [(Action, [bool; 5]); 13] = [
    (Action::SeeAccount,          [true,  true,  true,  true,  true ]),
    (Action::EditAccount,         [true,  true,  false, false, false]),
    (Action::ApproveTerms,        [true,  false, false, false, false]),
    (Action::SeeUsers,            [true,  true,  false, true,  false]),
    (Action::EditUsers,           [false, true,  false, true,  false]),
    (Action::SeeLogs,             [true,  true,  false, true,  false]),
    (Action::EditVirtualAccounts, [false, true,  false, false, false]),
    (Action::SeeLicenses,         [false, true,  true,  true,  true ]),
    (Action::ManageLicenses,      [false, true,  true,  true,  true ]),
    (Action::EnterLicenses,       [false, true,  true,  false, false]),
    (Action::ManageInstances,     [false, true,  true,  true,  true ]),
    (Action::ManageTokens,        [false, true,  true,  true,  true ]),
    (Action::IssueOrders,         [false, true,  false, false, false]),
];

impl Role {
    /// All roles, in the order of the table.
    pub(crate) const ALL: [Self; 5] = [
        Self::SmartAccountApprover,
        Self::SmartAccountAdministrator,
        Self::SmartAccountUser,
        Self::VirtualAccountAdministrator,
        Self::VirtualAccountUser,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SmartAccountApprover => "SMART_ACCOUNT_APPROVER",
            Self::SmartAccountAdministrator => "SMART_ACCOUNT_ADMINISTRATOR",
            Self::SmartAccountUser => "SMART_ACCOUNT_USER",
            Self::VirtualAccountAdministrator => "VIRTUAL_ACCOUNT_ADMINISTRATOR",
            Self::VirtualAccountUser => "VIRTUAL_ACCOUNT_USER",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// It holds in one virtual account.
    pub(crate) const fn of_virtual_account(self) -> bool {
        matches!(
            self,
            Self::VirtualAccountAdministrator | Self::VirtualAccountUser
        )
    }

    /// Whether it allows something where it holds.
    pub(crate) fn allows(self, action: Action) -> bool {
        let place = Self::ALL.iter().position(|role| *role == self).unwrap_or(0);
        let row = TABLE.iter().find(|(of, _)| *of == action);
        row.map_or(NOBODY, |(_, who)| *who)[place]
    }
}

/// A role, and where it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) account: i64,
    /// 0: in the whole account.
    pub(crate) va: i64,
    pub(crate) role: Role,
}

/// Whether roles allow something in a virtual account (0: in the whole account).
pub(crate) fn allowed(held: &[Held], action: Action, account: i64, va: i64) -> bool {
    let here = |held: &&Held| held.account == account && (held.va == 0 || held.va == va);
    let mut here = held.iter().filter(here);
    here.any(|held| held.role.allows(action))
}

/// Whether roles allow something in any virtual account of an account.
pub(crate) fn allowed_somewhere(held: &[Held], action: Action, account: i64) -> bool {
    let mut here = held.iter().filter(|held| held.account == account);
    here.any(|held| held.role.allows(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_in_the_table_once_and_somebody_may() {
        for (place, (action, who)) in TABLE.iter().enumerate() {
            assert!(who.contains(&true), "{action:?}");
            let again = TABLE[place + 1..].iter().any(|(other, _)| other == action);
            assert!(!again, "{action:?}");
        }
    }

    #[test]
    fn roles_are_those_of_the_licensing_guide() {
        let may = |role: Role| TABLE.map(|(action, _)| role.allows(action)).map(u8::from);
        use Role::{
            SmartAccountAdministrator, SmartAccountApprover, SmartAccountUser,
            VirtualAccountAdministrator, VirtualAccountUser,
        };
        assert_eq!(
            may(SmartAccountApprover),
            [1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(
            may(SmartAccountAdministrator),
            [1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
        );
        assert_eq!(
            may(SmartAccountUser),
            [1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
        );
        assert_eq!(
            may(VirtualAccountAdministrator),
            [1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0]
        );
        assert_eq!(
            may(VirtualAccountUser),
            [1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0]
        );
    }

    #[test]
    fn a_role_holds_where_it_was_given() {
        let held = [
            Held {
                account: 1,
                va: 5,
                role: Role::VirtualAccountUser,
            },
            Held {
                account: 2,
                va: 0,
                role: Role::SmartAccountUser,
            },
        ];
        let may = |account, va| allowed(&held, Action::SeeLicenses, account, va);
        assert!(may(1, 5) && may(2, 0) && may(2, 9));
        assert!(!may(1, 0) && !may(1, 6) && !may(3, 0));
        assert!(allowed_somewhere(&held, Action::SeeLicenses, 1));
        assert!(!allowed_somewhere(&held, Action::SeeLogs, 1));
    }
}
