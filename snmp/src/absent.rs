//! What CISCO-SMART-LIC-MIB has and a node has no fact for, and why: each of its notifications and objects that is not
//! sent or served stands here, once.

/// Names with their places below one root, by reason.
pub type Absent<T> = [(&'static [(T, &'static str)], &'static str)];

/// Names with their last arcs below `.1.3.6.1.4.1.9.9.831.1`, by reason.
pub static NOTIFICATIONS: &Absent<u32> = &[
    (
        &[(14, "ciscoSlaSmartAgentNotifyIdCertRenewNotStarted")],
        "A renewal that is due begins at once; that it fails is `ciscoSlaSmartAgentNotifyIdCertRenewFail`, and that it \
         has not come in time `ciscoSlaSmartAgentNotifyIdCertExpiryWarning`.",
    ),
    (
        &[
            (23, "ciscoSlaSmartAgentNotifyThirdpartyModeEnabled"),
            (24, "ciscoSlaSmartAgentNotifyThirdpartyModeDisabled"),
        ],
        "A node has no mode in which somebody else counts its licenses.",
    ),
    (
        &[
            (25, "ciscoSlaSmartAgentNotifyUtilityCertExpired"),
            (26, "ciscoSlaSmartAgentNotifyUtilityCertRenewFailed"),
            (27, "ciscoSlaSmartAgentNotifyUtilityCertRenewSuccess"),
            (28, "ciscoSlaSmartAgentNotifyUtilityDataReportingStarted"),
            (29, "ciscoSlaSmartAgentNotifyUtilityDataReportingStopped"),
            (30, "ciscoSlaSmartAgentNotifyUtilitySendRUMFailed"),
            (31, "ciscoSlaSmartAgentNotifyUtilityCertFQDNMismatch"),
            (32, "ciscoSlaSmartAgentNotifySmartTransportNotConfigured"),
        ],
        "No license is billed by its use (utility): a node reports use under its identity certificate alone.",
    ),
    (
        &[(33, "ciscoSlaSmartAgentNotifyHostnameMatchedWithUDI")],
        "A node's name is fixed by its configuration and never compared with its UDI.",
    ),
    (
        &[
            (34, "ciscoSlaSmartAgentNotifyExportRequestFailure"),
            (35, "ciscoSlaSmartAgentNotifyExportHAMismatch"),
            (36, "ciscoSlaSmartAgentNotifyExportAuthKeyNotSupported"),
            (37, "ciscoSlaSmartAgentNotifyExportControlledTag"),
            (39, "ciscoSlaSmartAgentNotifyExportRequestSuccess"),
        ],
        "No license of a catalog is restricted in export.",
    ),
    (
        &[(38, "ciscoSlaSmartAgentNotifyEndPointReset")],
        "It is from an agent to its platform; here both are one process.",
    ),
    (
        &[
            (40, "ciscoSlaSmartAgentNotifyAuthorizationInstall"),
            (41, "ciscoSlaSmartAgentNotifyAuthorizationRemove"),
            (42, "ciscoSlaSmartAgentNotifyPolicyInstalled"),
            (43, "ciscoSlaSmartAgentNotifyPolicyRemoved"),
            (44, "ciscoSlaSmartAgentNotifyRUMACKNotReceived"),
            (45, "ciscoSlaSmartAgentNotifyRUMACKReceived"),
            (46, "ciscoSlaSmartAgentNotifyAuthorizationInstallFailed"),
            (47, "ciscoSlaSmartAgentNotifyReportingRequired"),
            (48, "ciscoSlaSmartAgentNotifyPolicyInstallFailed"),
            (49, "ciscoSlaSmartAgentNotifyPolicyInstallSuccess"),
            (50, "ciscoSlaSmartAgentNotifyReportingNotSupported"),
            (51, "ciscoSlaSmartAgentNotifyTrustInstallSuccess"),
            (52, "ciscoSlaSmartAgentNotifyTrustInstallFailed"),
            (53, "ciscoSlaSmartAgentNotifyPolicyInitialACKState"),
        ],
        "They are of policy mode, which a node does not have. What changes in its trust pool is `tgTrustPoolChanged` and \
         `tgTrustRefused`.",
    ),
];

/// Names with their arcs below `.1.3.6.1.4.1.9.9.831.0`, by reason.
pub static OBJECTS: &Absent<[u32; 2]> = &[
    (
        &[([10, 1], "ciscoSlaThirdPartyAndUtilityFailureMsg")],
        "A node has neither third party mode nor utility.",
    ),
    (
        &[
            ([11, 1], "ciscoSlaExportFailureReason"),
            ([11, 2], "ciscoSlaExportFailureMessage"),
        ],
        "No license of a catalog is restricted in export.",
    ),
    (
        &[
            ([12, 1], "ciscoSlaDaysRUMAckNotReceived"),
            ([12, 2], "ciscoSlaDaysReportingRequired"),
        ],
        "A node sends no such reports: use is asked for by entitlement, and `tgAuthoritySilent` says since when nobody \
         answers.",
    ),
    (
        &[
            ([13, 1], "ciscoSlaPolicyModeFailureMessage"),
            ([13, 2], "ciscoSlaPolicyModeInitialACKState"),
        ],
        "A node has no policy mode.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::notifications::{Mib, table};
    use crate::objects::Mib as Objects;
    use crate::tables;

    /// Notifications of the module.
    const ALL: std::ops::RangeInclusive<u32> = 1..=53;
    /// Objects of the module that can be read or set, below `.831.0`; those of the table below its row.
    const READABLE: [(&[u32], std::ops::RangeInclusive<u32>); 14] = [
        (&[], 1..=4),
        (&[5, 1, 1], 2..=8),
        (&[6], 1..=4),
        (&[6, 5], 1..=4),
        (&[6, 6], 1..=4),
        (&[7], 1..=3),
        (&[7, 4], 1..=3),
        (&[7, 5], 1..=4),
        (&[8], 1..=2),
        (&[9], 1..=2),
        (&[10], 1..=1),
        (&[11], 1..=2),
        (&[12], 1..=2),
        (&[13], 1..=2),
    ];

    //= L18
    #[test]
    fn every_notification_of_the_module_is_sent_or_has_its_reason() {
        let sent = table().filter(|(_, row)| row.mib == Mib::CiscoSmartLic);
        let mut numbers: Vec<_> = sent.map(|(_, row)| row.number).collect();
        numbers.extend(
            NOTIFICATIONS
                .iter()
                .flat_map(|(all, _)| *all)
                .map(|one| one.0),
        );
        numbers.sort_unstable();
        assert_eq!(numbers, ALL.collect::<Vec<_>>());
    }

    //= L18
    #[test]
    fn every_object_of_the_module_is_served_or_has_its_reason() {
        let served = Objects::new(vec![tables::smart_licensing()]).unwrap();
        let served = served.listed().filter(|listed| listed.readable);
        let below = |oid: &crate::Oid| oid.arcs()[10..].to_vec();
        let mut had: Vec<_> = served.map(|listed| below(&listed.oid)).collect();
        let absent = OBJECTS.iter().flat_map(|(all, _)| *all);
        had.extend(absent.map(|(arcs, _)| arcs.to_vec()));
        had.sort();
        let all = READABLE.into_iter();
        let all = all.flat_map(|(above, arcs)| arcs.map(move |arc| [above, &[arc]].concat()));
        let all: BTreeSet<_> = all.collect();
        assert_eq!(had, all.into_iter().collect::<Vec<_>>());
    }
}
