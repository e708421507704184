//! Indication flags (TS 29.274 8.12).

use std::fmt;

use super::ValueError;

/// The flags of a message, as many octets of them as its sender knows. A flag in an octet that is not there is clear.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Indication {
    octets: [u8; Indication::MAX_BYTES],
    len: u8,
}

/// Which flag: the octet of the value, from 0, and its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndicationFlag {
    octet: u8,
    mask: u8,
}

/// One line a flag: its constant, the octet of the value from 0, the bit from 1 (the lowest) to 8, and its meaning.
macro_rules! flags {
    ($($name:ident = $octet:literal, $bit:literal, $text:literal;)*) => {
        impl Indication {
            $(
                #[doc = $text]
                pub const $name: IndicationFlag = IndicationFlag { octet: $octet, mask: 1 << ($bit - 1) };
            )*

            /// All flags that are named here, with their names, in their order.
            pub const FLAGS: &[(IndicationFlag, &str)] = &[$((Self::$name, stringify!($name)),)*];
        }
    };
}

flags! {
    DAF = 0, 8, "Dual Address Bearer Flag";
    DTF = 0, 7, "Direct Tunnel Flag";
    HI = 0, 6, "Handover Indication";
    DFI = 0, 5, "Direct Forwarding Indication";
    OI = 0, 4, "Operation Indication";
    ISRSI = 0, 3, "Idle mode Signalling Reduction Supported Indication";
    ISRAI = 0, 2, "Idle mode Signalling Reduction Activation Indication";
    SGWCI = 0, 1, "SGW Change Indication";
    SQCI = 1, 8, "Subscribed QoS Change Indication";
    UIMSI = 1, 7, "Unauthenticated IMSI";
    CFSI = 1, 6, "Change F-TEID support Indication";
    CRSI = 1, 5, "Change Reporting support Indication";
    PS = 1, 4, "Piggybacking Supported";
    PT = 1, 3, "Protocol Type of S5/S8, set for PMIP";
    SI = 1, 2, "Scope Indication";
    MSV = 1, 1, "MS Validated";
    RETLOC = 2, 8, "Retrieve Location Indication Flag";
    PBIC = 2, 7, "Propagate BBAI Information Change";
    SRNI = 2, 6, "SGW Restoration Needed Indication";
    S6AF = 2, 5, "Static IPv6 Address Flag";
    S4AF = 2, 4, "Static IPv4 Address Flag";
    MBMDT = 2, 3, "Management Based MDT allowed flag";
    ISRAU = 2, 2, "ISR is activated for the UE";
    CCRSI = 2, 1, "CSG Change Reporting support Indication";
    CPRAI = 3, 8, "Change of Presence Reporting Area information Indication";
    ARRL = 3, 7, "Abnormal Release of Radio Link";
    PPOF = 3, 6, "PDN Pause Off Indication";
    PPON_PPEI = 3, 5, "PDN Pause On Indication, or PDN Pause Enabled Indication";
    PPSI = 3, 4, "PDN Pause Support Indication";
    CSFBI = 3, 3, "CSFB Indication";
    CLII = 3, 2, "Change of Location Information Indication";
    CPSR = 3, 1, "CS to PS SRVCC indication";
    NSI = 4, 8, "NBIFOM Support Indication";
    UASI = 4, 7, "UE Available for Signalling Indication";
    DTCI = 4, 6, "Delay Tolerant Connection Indication";
    BDWI = 4, 5, "Buffered DL Data Waiting Indication";
    PSCI = 4, 4, "Pending Subscription Change Indication";
    PCRI = 4, 3, "P-CSCF Restoration Indication";
    AOSI = 4, 2, "Associate OCI with SGW node's identity";
    AOPI = 4, 1, "Associate OCI with PGW node's identity";
    ROAAI = 5, 8, "Release Over Any Access Indication";
    EPCOSI = 5, 7, "Extended PCO Support Indication";
    CPOPCI = 5, 6, "Control Plane Only PDN Connection Indication";
    PMTSMI = 5, 5, "Pending MT Short Message Indication";
    S11TF = 5, 4, "S11-U Tunnel Flag";
    PNSI = 5, 3, "Pending Network Initiated PDN Connection Signalling Indication";
    UNACCSI = 5, 2, "UE Not Authorised Cause Code Support Indication";
    WPMSI = 5, 1, "WLCP PDN Connection Modification Support Indication";
    FIVE_GS_NN26 = 6, 8, "5GS Interworking without N26 Indication";
    REPREFI = 6, 7, "Return Preferred Indication";
    FIVE_GS_IWKI = 6, 6, "5GS Interworking Indication";
    EEVRSI = 6, 5, "Extended EBI Value Range Support Indication";
    LTEMUI = 6, 4, "LTE-M UE Indication";
    LTEMPI = 6, 3, "LTE-M RAT Type reporting to PGW Indication";
    ENBCRSI = 6, 2, "eNB Change Reporting Support Indication";
    TSPCMI = 6, 1, "Triggering SGSN initiated PDP Context Creation/Modification Indication";
    CSRMFI = 7, 8, "Create Session Request Message Forwarded Indication";
    MTEDTN = 7, 7, "MT-EDT Not Applicable";
    MTEDTA = 7, 6, "MT-EDT Applicable";
    N5GNMI = 7, 5, "No 5GS N26 Mobility Indication";
    FIVE_GC_NRS = 7, 4, "5GC Not Restricted Support";
    FIVE_GC_NRI = 7, 3, "5GC Not Restricted Indication";
    FIVE_S_RHOI = 7, 2, "5G-SRVCC Handover Indication";
    ETHPDN = 7, 1, "Ethernet PDN Support Indication";
    NSPUSI = 8, 8, "Notify Start Pause of Charging via User plane Support Indication";
    PGWRNSI = 8, 7, "PGW Redirection due to mismatch with Network Slice subscribed by the UE Support Indication";
    RPPCSI = 8, 6, "Restoration of PDN connections after a PGW-C/SMF Change Support Indication";
    PGWCHI = 8, 5, "PGW Change Indication";
    SISSME = 8, 4, "Same IWK-SCEF Selected for Monitoring Event Indication";
    NSENBI = 8, 3, "Notify Source eNodeB Indication";
    IDFUPF = 8, 2, "Indirect Data Forwarding with UPF Indication";
    EMCI = 8, 1, "Emergency PDU Session Indication";
    LTEMSAI = 9, 3, "LTE-M Satellite Access Indication";
    SRTPI = 9, 2, "Satellite RAT Type reporting to PGW Indication";
    UPIPSI = 9, 1, "User Plane Integrity Protection Support Indication";
}

impl Indication {
    /// Most octets that are kept; no flag has a name beyond the tenth.
    pub const MAX_BYTES: usize = 16;
    /// Fewest octets that are written: the first release had two.
    const MIN_BYTES: u8 = 2;

    /// Reads the value of an Indication element; what is beyond [`Indication::MAX_BYTES`] is left out.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        if value.is_empty() {
            return Err(ValueError::Length {
                what: "Indication",
                have: 0,
            });
        }
        let value = &value[..value.len().min(Self::MAX_BYTES)];
        let mut octets = [0; Self::MAX_BYTES];
        octets[..value.len()].copy_from_slice(value);
        Ok(Self {
            octets,
            len: value.len() as u8,
        })
    }

    /// The same with this flag set, in as many octets as that needs.
    #[must_use]
    pub fn with(mut self, flag: IndicationFlag) -> Self {
        self.octets[usize::from(flag.octet)] |= flag.mask;
        self.len = self.len.max(flag.octet + 1).max(Self::MIN_BYTES);
        self
    }

    /// The same with this flag clear.
    #[must_use]
    pub fn without(mut self, flag: IndicationFlag) -> Self {
        self.octets[usize::from(flag.octet)] &= !flag.mask;
        self
    }

    /// Whether no flag is set, not even one that has no name here.
    pub fn is_empty(&self) -> bool {
        self.octets == [0; Self::MAX_BYTES]
    }

    /// Whether this flag is set.
    pub fn has(&self, flag: IndicationFlag) -> bool {
        self.octets[usize::from(flag.octet)] & flag.mask != 0
    }

    /// The value of the element.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl fmt::Debug for Indication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Self::FLAGS.iter().filter(|(flag, _)| self.has(*flag));
        f.debug_set().entries(set.map(|(_, name)| name)).finish()
    }
}
