//! Captures: pcap files with IP and UDP headers made here, so that no root is needed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

/// Packets begin with their IP header.
const LINKTYPE_RAW: u32 = 101;
const UDP: u8 = 17;

/// A file that datagrams are written to, from any thread.
#[derive(Debug)]
pub struct Capture {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl Capture {
    /// Creates the file.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let mut file =
            BufWriter::new(File::create(&path).with_context(|| format!("create {path:?}"))?);
        file.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        file.write_all(&[2, 0, 4, 0])?;
        file.write_all(&[0; 8])?;
        file.write_all(&65_535_u32.to_le_bytes())?;
        file.write_all(&LINKTYPE_RAW.to_le_bytes())?;
        Ok(Self {
            path,
            file: Mutex::new(file),
        })
    }

    /// Adds one datagram.
    pub fn record(&self, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Result<()> {
        let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) else {
            bail!("captures hold IPv4 only: {from} to {to}");
        };
        let packet = packet(from, to, payload)?;
        let length = u32::try_from(packet.len())?.to_le_bytes();
        let at = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let seconds = u32::try_from(at.as_secs())?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&seconds.to_le_bytes())?;
        file.write_all(&at.subsec_micros().to_le_bytes())?;
        file.write_all(&length)?;
        file.write_all(&length)?;
        file.write_all(&packet)?;
        file.flush()?;
        Ok(())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// An IPv4 packet that carries `payload` over UDP, with both checksums.
fn packet(from: SocketAddrV4, to: SocketAddrV4, payload: &[u8]) -> Result<Vec<u8>> {
    let udp_length = u16::try_from(8 + payload.len())?;
    let addresses = [from.ip().octets(), to.ip().octets()].concat();

    let mut udp = Vec::with_capacity(usize::from(udp_length));
    udp.extend(from.port().to_be_bytes());
    udp.extend(to.port().to_be_bytes());
    udp.extend(udp_length.to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    let pseudo = [&addresses[..], &[0, UDP], &udp_length.to_be_bytes()].concat();
    let sum = checksum(&[&pseudo[..], &udp[..]].concat());
    // Zero would mean that there is no checksum.
    let sum = if sum == 0 { u16::MAX } else { sum };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());

    let mut ip = vec![0x45, 0];
    ip.extend((20 + udp_length).to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
    ip.extend(&addresses);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    ip.extend(udp);
    Ok(ip)
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2);
    let mut sum: u32 = words
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
