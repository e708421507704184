//! vsftpd, with or without TLS.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::{Place, READY};
use crate::child::{Running, require};
use crate::subnet::Subnet;
use crate::wait::until;

/// An FTP server.
#[derive(Debug)]
pub struct Vsftpd {
    /// Its TCP port.
    pub port: u16,
    place: Place,
    running: Running,
    _subnet: Subnet,
}

impl Vsftpd {
    /// Starts one; its files are below this directory. With a certificate and its key, in PEM, it wants TLS.
    pub fn start(dir: &Path, tls: Option<&str>) -> Result<Self> {
        Self::start_with(dir, tls, "")
    }

    /// The same with these lines in its configuration.
    pub fn start_with(dir: &Path, tls: Option<&str>, lines: &str) -> Result<Self> {
        require("vsftpd", "vsftpd")?;
        let subnet = Subnet::take()?;
        let port = subnet.tcp().port();
        let place = Place::make(dir, &format!("vsftpd-{port}"))?;
        let mut config = format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
             local_enable=YES\nwrite_enable=YES\nanonymous_enable=NO\nlocal_umask=022\n\
             pam_service_name=vsftpd\nsecure_chroot_dir=/run/vsftpd/empty\nisolate_network=NO\n\
             seccomp_sandbox=NO\nxferlog_enable=YES\ndual_log_enable=YES\nlog_ftp_protocol=YES\n\
             vsftpd_log_file={}\nxferlog_file={}\n{lines}",
            place.file("log").display(),
            place.file("xferlog").display(),
        );
        if let Some(pem) = tls {
            let file = place.file("tls.pem");
            fs::write(&file, pem)?;
            let file = file.display();
            config += &format!(
                "ssl_enable=YES\nforce_local_logins_ssl=YES\nforce_local_data_ssl=YES\n\
                 rsa_cert_file={file}\nrsa_private_key_file={file}\nrequire_ssl_reuse=YES\n"
            );
        }
        let file = place.file("vsftpd.conf");
        fs::write(&file, config)?;
        let mut vsftpd = place.command("vsftpd", "/run/vsftpd/empty");
        vsftpd.arg(&file);
        let mut running = Running::start("vsftpd", &mut vsftpd)?;
        until("vsftpd listens", READY, || {
            ensure!(running.is_alive()?, "it ended:\n{}", running.log());
            Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
        })?;
        Ok(Self {
            port,
            place,
            running,
            _subnet: subnet,
        })
    }

    /// Where files are left.
    pub fn home(&self) -> PathBuf {
        self.place.home()
    }

    /// The directory `full` of its home, as it sees it.
    pub fn full(&self) -> PathBuf {
        self.place.full(&self.running)
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.place.file("log")).unwrap_or_default();
        log + &self.running.log()
    }
}
