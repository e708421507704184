//! nginx with its WebDAV module, with or without TLS.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::{PASSWORD, Place, READY, USER};
use crate::child::{Running, require};
use crate::subnet::Subnet;
use crate::wait::until;

/// An HTTP server that takes files by PUT.
#[derive(Debug)]
pub struct Nginx {
    /// Its TCP port.
    pub port: u16,
    place: Place,
    running: Running,
    _subnet: Subnet,
}

impl Nginx {
    /// Starts one; its files are below this directory. With a certificate and its key, in PEM, it serves HTTPS.
    ///
    /// `/posted/` takes POST; what came there is [`Nginx::posted`]. `/once/` knows `If-None-Match`, which nginx itself
    /// does not for PUT: a file that is there stays.
    pub fn start(dir: &Path, tls: Option<&str>) -> Result<Self> {
        require("nginx", "nginx")?;
        let subnet = Subnet::take()?;
        let port = subnet.tcp().port();
        let place = Place::make(dir, &format!("nginx-{port}"))?;
        let own = place.dir.display();
        fs::write(place.file("users"), format!("{USER}:{{PLAIN}}{PASSWORD}\n"))?;
        let (ssl, certificate) = match tls {
            None => ("", String::new()),
            Some(pem) => {
                fs::write(place.file("tls.pem"), pem)?;
                let both =
                    format!("ssl_certificate {own}/tls.pem; ssl_certificate_key {own}/tls.pem;");
                (" ssl", both)
            }
        };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {own}/temporary;\n"))
            .concat();
        let config = format!(
            "daemon off; master_process off; user root; pid {own}/pid; error_log stderr;\n\
             events {{}}\nhttp {{ access_log {own}/access; {temporary} client_max_body_size 8m;\n\
             server {{ listen 127.0.0.1:{port}{ssl}; {certificate} root {own}/home;\n\
             auth_basic collector; auth_basic_user_file {own}/users;\n\
             location / {{ dav_methods PUT; }}\n\
             location /open/ {{ auth_basic off; dav_methods PUT; create_full_put_path on; }}\n\
             location /once/ {{ set $there $http_if_none_match;\n\
             if (-f $request_filename) {{ set $there \"there $there\"; }}\n\
             if ($there = \"there *\") {{ return 412; }}\n\
             auth_basic off; dav_methods PUT; create_full_put_path on; }}\n\
             location /posted/ {{ client_body_in_file_only on; proxy_pass {scheme}://127.0.0.1:{port}/posts/; }}\n\
             location /posts/ {{ auth_basic off; return 201; }} }} }}\n",
            scheme = if tls.is_some() { "https" } else { "http" },
        );
        let file = place.file("nginx.conf");
        fs::write(&file, config)?;
        let mut nginx = place.command("nginx", "/run/nginx");
        nginx.arg("-c").arg(&file);
        let mut running = Running::start("nginx", &mut nginx)?;
        until("nginx listens", READY, || {
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

    /// What came by POST, each by itself.
    pub fn posted(&self) -> Result<Vec<Vec<u8>>> {
        let files = fs::read_dir(self.place.file("temporary"))?;
        files.map(|file| Ok(fs::read(file?.path())?)).collect()
    }

    /// What it has logged until now: requests, then errors.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.place.file("access")).unwrap_or_default();
        log + &self.running.log()
    }
}
