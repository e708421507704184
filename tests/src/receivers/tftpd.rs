//! tftpd-hpa.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Place, READY};
use crate::child::{Running, require};
use crate::subnet::Subnet;
use crate::wait::until;

const PORT: u16 = 6_969;

/// A TFTP server that takes new files.
#[derive(Debug)]
pub struct Tftpd {
    /// Where it listens.
    pub address: SocketAddr,
    place: Place,
    running: Running,
    _subnet: Subnet,
}

impl Tftpd {
    /// Starts one with more options; its files are below this directory.
    pub fn start(dir: &Path, options: &[&str]) -> Result<Self> {
        require("in.tftpd", "tftpd-hpa")?;
        let subnet = Subnet::take()?;
        let address = SocketAddr::from((subnet.ip(1), PORT));
        let place = Place::make(dir, &format!("tftpd-{}", subnet.tcp().port()))?;
        fs::set_permissions(place.home(), Permissions::from_mode(0o777))?;
        let mut tftpd = place.command("in.tftpd", "/run/tftpd");
        tftpd.args(["--foreground", "--secure", "--address"]);
        tftpd.arg(address.to_string()).args(options);
        tftpd.arg(place.home());
        let mut running = Running::start("in.tftpd", &mut tftpd)?;
        // It says nothing by itself, and something of a file that is not there.
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        until("in.tftpd answers", READY, || {
            ensure!(running.is_alive()?, "it ended:\n{}", running.log());
            socket.send_to(b"\0\x01none\0octet\0", address)?;
            Ok(socket.recv_from(&mut [0; 512]).is_ok())
        })?;
        Ok(Self {
            address,
            place,
            running,
            _subnet: subnet,
        })
    }

    /// Where files are left.
    pub fn home(&self) -> PathBuf {
        self.place.home()
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        self.running.log()
    }
}
