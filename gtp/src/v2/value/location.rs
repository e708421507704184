//! User Location Information (TS 29.274 8.21).

use super::{Octets, Plmn, Reader, ValueError};

/// Where the UE is: each kind of location that its sender knows (TS 29.274 8.21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserLocation {
    /// Cell Global Identifier.
    pub cgi: Option<CellId>,
    /// Service Area Identity.
    pub sai: Option<CellId>,
    /// Routeing Area Identity; its code is in the upper octet, the lower one is sent as ones.
    pub rai: Option<CellId>,
    /// Tracking Area Identity.
    pub tai: Option<Tai>,
    /// E-UTRAN Cell Global Identifier.
    pub ecgi: Option<Ecgi>,
    /// Location Area Identifier.
    pub lai: Option<Lai>,
    /// Macro eNodeB ID.
    pub macro_enb: Option<MacroEnb>,
    /// Extended Macro eNodeB ID.
    pub extended_macro_enb: Option<ExtendedMacroEnb>,
}

/// Network, location area, and a code of 16 bits: a cell, a service area or a routeing area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CellId {
    /// Network.
    pub plmn: Plmn,
    /// Location area code.
    pub lac: u16,
    /// Cell identity, service area code, or routeing area code.
    pub code: u16,
}

/// Tracking Area Identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tai {
    /// Network.
    pub plmn: Plmn,
    /// Tracking area code.
    pub tac: u16,
}

/// E-UTRAN Cell Global Identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ecgi {
    /// Network.
    pub plmn: Plmn,
    /// E-UTRAN cell identifier: 28 bits.
    pub eci: u32,
}

/// Location Area Identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lai {
    /// Network.
    pub plmn: Plmn,
    /// Location area code.
    pub lac: u16,
}

/// Macro eNodeB ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MacroEnb {
    /// Network.
    pub plmn: Plmn,
    /// Identifier: 20 bits.
    pub id: u32,
}

/// Extended Macro eNodeB ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtendedMacroEnb {
    /// Network.
    pub plmn: Plmn,
    /// SMeNB: the identifier is a short one, of 18 bits.
    pub is_short: bool,
    /// Identifier: 21 bits, or 18.
    pub id: u32,
}

const CGI: u8 = 0x01;
const SAI: u8 = 0x02;
const RAI: u8 = 0x04;
const TAI: u8 = 0x08;
const ECGI: u8 = 0x10;
const LAI: u8 = 0x20;
const MACRO_ENB: u8 = 0x40;
const EXTENDED_MACRO_ENB: u8 = 0x80;

const ECI_BITS: u32 = 0x0FFF_FFFF;
const MACRO_ENB_BITS: u32 = 0x000F_FFFF;
const EXTENDED_BITS: u32 = 0x001F_FFFF;
const SHORT_BITS: u32 = 0x0003_FFFF;
/// SMeNB, over the 24 bits that hold an extended identifier.
const SHORT_FLAG: u32 = 0x0080_0000;

impl UserLocation {
    /// Longest value: flags and all eight.
    pub const MAX_BYTES: usize = 1 + 3 * 7 + 5 + 7 + 5 + 6 + 6;

    /// Reads the value of a ULI element.
    ///
    /// # Errors
    ///
    /// When it is empty, or too short for its flags.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader::new("User Location Information", value);
        let [flags] = reader.take()?;
        let mut location = Self::default();
        if flags & CGI != 0 {
            location.cgi = Some(CellId::read(&mut reader)?);
        }
        if flags & SAI != 0 {
            location.sai = Some(CellId::read(&mut reader)?);
        }
        if flags & RAI != 0 {
            location.rai = Some(CellId::read(&mut reader)?);
        }
        if flags & TAI != 0 {
            let (plmn, tac) = area(&mut reader)?;
            location.tai = Some(Tai { plmn, tac });
        }
        if flags & ECGI != 0 {
            location.ecgi = Some(Ecgi::read(&mut reader)?);
        }
        if flags & LAI != 0 {
            let (plmn, lac) = area(&mut reader)?;
            location.lai = Some(Lai { plmn, lac });
        }
        if flags & MACRO_ENB != 0 {
            location.macro_enb = Some(MacroEnb::read(&mut reader)?);
        }
        if flags & EXTENDED_MACRO_ENB != 0 {
            location.extended_macro_enb = Some(ExtendedMacroEnb::read(&mut reader)?);
        }
        Ok(location)
    }

    /// Writes the value of the element into `out` and says how many octets it has. Of an identifier that is too large
    /// the low bits are written.
    pub fn write(&self, out: &mut [u8; Self::MAX_BYTES]) -> usize {
        let mut octets = Octets::<{ Self::MAX_BYTES }>::new();
        octets.put(&[0]);
        for (cell, flag) in [(self.cgi, CGI), (self.sai, SAI), (self.rai, RAI)] {
            if let Some(CellId { plmn, lac, code }) = cell {
                octets.octets[0] |= flag;
                octets.put(&plmn.0);
                octets.put(&lac.to_be_bytes());
                octets.put(&code.to_be_bytes());
            }
        }
        if let Some(Tai { plmn, tac }) = self.tai {
            octets.octets[0] |= TAI;
            octets.put(&plmn.0);
            octets.put(&tac.to_be_bytes());
        }
        if let Some(Ecgi { plmn, eci }) = self.ecgi {
            octets.octets[0] |= ECGI;
            octets.put(&plmn.0);
            octets.put(&(eci & ECI_BITS).to_be_bytes());
        }
        if let Some(Lai { plmn, lac }) = self.lai {
            octets.octets[0] |= LAI;
            octets.put(&plmn.0);
            octets.put(&lac.to_be_bytes());
        }
        if let Some(MacroEnb { plmn, id }) = self.macro_enb {
            octets.octets[0] |= MACRO_ENB;
            octets.put(&plmn.0);
            octets.put(&(id & MACRO_ENB_BITS).to_be_bytes()[1..]);
        }
        if let Some(enb) = self.extended_macro_enb {
            octets.octets[0] |= EXTENDED_MACRO_ENB;
            octets.put(&enb.plmn.0);
            octets.put(&enb.bits().to_be_bytes()[1..]);
        }
        *out = octets.octets;
        octets.len
    }
}

impl CellId {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let (plmn, lac) = area(reader)?;
        let code = u16::from_be_bytes(reader.take()?);
        Ok(Self { plmn, lac, code })
    }
}

impl Ecgi {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let plmn = Plmn(reader.take()?);
        let eci = u32::from_be_bytes(reader.take()?) & ECI_BITS;
        Ok(Self { plmn, eci })
    }
}

impl MacroEnb {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let plmn = Plmn(reader.take()?);
        let id = u24(reader)? & MACRO_ENB_BITS;
        Ok(Self { plmn, id })
    }
}

impl ExtendedMacroEnb {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ValueError> {
        let plmn = Plmn(reader.take()?);
        let bits = u24(reader)?;
        let is_short = bits & SHORT_FLAG != 0;
        let id = bits & Self::id_bits(is_short);
        Ok(Self { plmn, is_short, id })
    }

    fn id_bits(is_short: bool) -> u32 {
        if is_short { SHORT_BITS } else { EXTENDED_BITS }
    }

    fn bits(&self) -> u32 {
        let flag = if self.is_short { SHORT_FLAG } else { 0 };
        flag | self.id & Self::id_bits(self.is_short)
    }
}

/// A network and a code of 16 bits.
fn area(reader: &mut Reader<'_>) -> Result<(Plmn, u16), ValueError> {
    let [p0, p1, p2, a0, a1] = reader.take()?;
    Ok((Plmn([p0, p1, p2]), u16::from_be_bytes([a0, a1])))
}

fn u24(reader: &mut Reader<'_>) -> Result<u32, ValueError> {
    let [a, b, c] = reader.take()?;
    Ok(u32::from_be_bytes([0, a, b, c]))
}
