//! Notifications: what SNMPv2 carries in varbinds, and SNMPv1 in fields of their own.

use std::net::Ipv4Addr;

use super::ber::written;
use super::pdu::{V1_TRAP, check_v1};
use super::{EncodeError, Kind, Pdu};
use crate::{Oid, Value, VarBind};

/// sysUpTime.0, the first varbind of a notification.
pub const SYS_UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

/// snmpTrapOID.0, the second.
pub const SNMP_TRAP_OID: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];

/// snmpTrapEnterprise.0: what SNMPv1 has in its enterprise field.
pub const SNMP_TRAP_ENTERPRISE: [u32; 11] = [1, 3, 6, 1, 6, 3, 1, 1, 4, 3, 0];

/// snmpTraps: coldStart (1) to egpNeighborLoss (6) are below.
const SNMP_TRAPS: [u32; 9] = [1, 3, 6, 1, 6, 3, 1, 1, 5];

/// Something that happened, as managers are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// sysUpTime when it happened, in hundredths of a second.
    pub uptime: u32,
    /// Which notification: snmpTrapOID.0.
    pub trap: Oid,
    /// Its objects in order, after sysUpTime.0 and snmpTrapOID.0.
    pub varbinds: Vec<VarBind>,
}

impl Notification {
    /// As a PDU of SNMPv2: a trap, or an inform that is to be acknowledged.
    pub fn pdu(&self, request_id: i32, is_inform: bool) -> Pdu {
        let mut varbinds = Vec::with_capacity(self.varbinds.len() + 2);
        let uptime = Value::TimeTicks(self.uptime);
        varbinds.push(VarBind::new(SYS_UP_TIME.into(), uptime));
        let trap = Value::ObjectIdentifier(self.trap.clone());
        varbinds.push(VarBind::new(SNMP_TRAP_OID.into(), trap));
        varbinds.extend_from_slice(&self.varbinds);
        Pdu {
            kind: if is_inform { Kind::Inform } else { Kind::Trap },
            request_id,
            varbinds,
        }
    }
}

/// Octets of a notification as SNMPv1 sends it (RFC 3584 section 3.2). `agent` is the address that it comes from.
pub fn v1_trap(
    community: &[u8],
    agent: Ipv4Addr,
    notification: &Notification,
) -> Result<Vec<u8>, EncodeError> {
    let (enterprise, generic, specific) = v1_identity(notification);
    check_v1(&notification.varbinds)?;
    Ok(written(|out| {
        out.sequence(|out| {
            out.element(V1_TRAP, |out| {
                out.varbinds(&notification.varbinds);
                out.time_ticks(notification.uptime);
                out.integer(specific);
                out.integer(generic);
                out.ip_address(agent.octets());
                out.object_identifier(&enterprise);
            });
            out.octet_string(community);
            out.integer(0);
        });
    }))
}

/// Enterprise, generic and specific trap.
fn v1_identity(notification: &Notification) -> (Oid, u32, u32) {
    let trap = notification.trap.arcs();
    if let Some(&[standard @ 1..=6]) = notification.trap.below(&SNMP_TRAPS.into()) {
        return (enterprise_told(notification), standard - 1, 0);
    }
    let (specific, above) = match trap {
        [above @ .., 0, specific] => (*specific, above),
        [above @ .., specific] => (*specific, above),
        [] => (0, trap),
    };
    let enterprise = Oid::new(above).unwrap_or_else(|_| notification.trap.clone());
    (enterprise, 6, specific)
}

fn enterprise_told(notification: &Notification) -> Oid {
    let name = Oid::from(SNMP_TRAP_ENTERPRISE);
    let told = notification.varbinds.iter().find(|v| v.name == name);
    match told.map(|varbind| &varbind.value) {
        Some(Value::ObjectIdentifier(enterprise)) => enterprise.clone(),
        _ => SNMP_TRAPS.into(),
    }
}
