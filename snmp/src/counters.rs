//! What the engine counts of what it is sent.

use crate::usm::Fault;

/// Counters since the engine started. They wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// snmpInPkts: messages.
    pub in_pkts: u32,
    /// snmpInBadVersions: of a version that there is not.
    pub in_bad_versions: u32,
    /// snmpInBadCommunityNames: with a community that nobody has.
    pub in_bad_community_names: u32,
    /// snmpInBadCommunityUses: asking for what their community may not do.
    pub in_bad_community_uses: u32,
    /// snmpInASNParseErrs: not SNMP.
    pub in_asn_parse_errs: u32,
    /// snmpSilentDrops: not answered, because even an error would have been too long.
    pub silent_drops: u32,
    /// snmpUnknownSecurityModels: of a security model other than USM.
    pub unknown_security_models: u32,
    /// snmpInvalidMsgs: flags that contradict each other.
    pub invalid_msgs: u32,
    /// snmpUnknownPDUHandlers: PDUs that are not for an agent, or not for this one.
    pub unknown_pdu_handlers: u32,
    /// snmpUnknownContexts: about a context that there is not.
    pub unknown_contexts: u32,
    /// usmStats, in the order of [`Fault::ALL`].
    pub usm: [u32; 6],
    /// Copies of messages that had been let in.
    pub replays: u32,
    /// Snapshots of walks that made room for others.
    pub walks_dropped: u32,
}

impl Counters {
    /// Counts a fault; its counter then.
    pub fn fault(&mut self, fault: Fault) -> u32 {
        let counter = &mut self.usm[fault as usize];
        *counter = counter.wrapping_add(1);
        *counter
    }
}

/// Counts one more.
pub(crate) fn count(counter: &mut u32) -> u32 {
    *counter = counter.wrapping_add(1);
    *counter
}
