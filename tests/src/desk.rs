//! A license authority without its sockets: the machine, the real store, real certificates and signatures.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use authority::{Authority, Database, Moment, Settings};
use axum::body::Body;
use axum::http::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use licensing::{Catalog, Now, Wall};
use serde_json::{Value, json};
use smart_agent::Record;

use crate::database;

/// The virtual account that takes new licenses and instances.
pub const VA: &str = "/v1/accounts/example.org/virtual-accounts/Default";
const PASSWORD: &str = "analytical engine";

/// The authority, behind its API and its message path.
pub struct Desk {
    dir: tempfile::TempDir,
    of: Of,
    /// The machine.
    pub authority: Arc<Authority>,
    session: String,
}

/// What an authority is opened with.
#[derive(Clone, Debug)]
pub struct Of {
    /// What is sold.
    pub catalog: Arc<Catalog>,
    /// License seconds a second, in a lab.
    pub speedup: Option<u32>,
}

impl Default for Of {
    fn default() -> Self {
        Self {
            catalog: Catalog::staros().into(),
            speedup: None,
        }
    }
}

async fn open(dir: &Path, of: &Of, wall: Wall) -> Result<(Arc<Authority>, Option<String>)> {
    let settings = Settings {
        state_dir: dir.to_owned(),
        database: database::url_of(dir)
            .map(|url| Database::new(&url, None))
            .transpose()?,
        catalog: Arc::clone(&of.catalog),
        speedup: of.speedup,
        silent_days: 31,
        kept: authority::Kept::default(),
    };
    let (authority, secret) = Authority::open_at(settings, wall).await?;
    Ok((Arc::new(authority), secret.map(|s| s.reveal().to_owned())))
}

impl Desk {
    /// A new one, with one account.
    pub async fn new(of: Of, wall: Wall) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let (authority, secret) = open(dir.path(), &of, wall).await?;
        let mut desk = Self {
            dir,
            of,
            authority,
            session: String::new(),
        };
        let setup = json!({
            "secret": secret.context("the first start")?,
            "domain": "example.org",
            "name": "Example",
            "user": "ada",
            "password": PASSWORD,
        });
        desk.post("/v1/setup", setup).await?;
        let login = json!({ "user": "ada", "password": PASSWORD });
        let session = desk.post("/v1/login", login).await?;
        desk.session = text(&session["token"])?;
        Ok(desk)
    }

    /// Another that goes on from a copy of what this one has on its disk.
    pub async fn twin(&self, wall: Wall) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        copy(self.dir.path(), dir.path())?;
        let (authority, _) = open(dir.path(), &self.of, wall).await?;
        Ok(Self {
            dir,
            of: self.of.clone(),
            authority,
            session: self.session.clone(),
        })
    }

    /// Asks something of its API; the body of the answer.
    pub async fn call(&self, verb: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let bearer = format!("Bearer {}", self.session);
        let request = Request::builder().method(verb).uri(path);
        let request = request.header("authorization", bearer).body(body)?;
        let service = TowerToHyperService::new(self.authority.router());
        let Ok(response) = service.call(request).await;
        let status = response.status();
        let octets = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        let said = serde_json::from_slice(&octets).unwrap_or(Value::Null);
        ensure!(status.is_success(), "{verb} {path}: {status} {said}");
        Ok(said)
    }

    /// `POST` of it.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.call("POST", path, Some(body)).await
    }

    /// `GET` of it.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None).await
    }

    /// Enters licenses of a service or feature, by its short name.
    pub async fn own(&self, license: &str, quantity: u32) -> Result<()> {
        let new = json!({ "license": license, "quantity": quantity, "licenseType": "PERPETUAL" });
        self.post(&format!("{VA}/licenses"), new).await.map(drop)
    }

    /// Moves licenses to another virtual account, which is made for them by [`Desk::make_elsewhere`].
    pub async fn move_away(&self, license: &str, quantity: u32) -> Result<()> {
        let item = json!({ "license": license, "quantity": quantity, "targetVirtualAccount": "Elsewhere" });
        let items = json!({ "licenses": [item] });
        let path = format!("{VA}/licenses/transfer");
        self.post(&path, items).await.map(drop)
    }

    /// Makes another virtual account.
    pub async fn make_elsewhere(&self) -> Result<()> {
        let path = "/v1/accounts/example.org/virtual-accounts";
        self.post(path, json!({ "name": "Elsewhere" }))
            .await
            .map(drop)
    }

    /// A registration token for a hundred registrations.
    pub async fn id_token(&self) -> Result<String> {
        let path = format!("{VA}/tokens");
        let token = self.post(&path, json!({ "usesMax": 100 })).await?;
        text(&token["token"])
    }

    /// The pool of a license.
    pub async fn pool(&self, license: &str) -> Result<Value> {
        let listed = self.get(&format!("{VA}/licenses")).await?;
        let pools = listed["licenses"].as_array().context("a list")?;
        let pool = pools.iter().find(|pool| pool["license"] == license);
        pool.cloned().context("a pool of that license")
    }

    /// What was reported of a product instance, by its serial number: licenses times milliseconds.
    pub async fn reported(&self, serial: &str) -> Result<u64> {
        let path = format!("{VA}/reports/usage?format=json");
        let rows = self.get(&path).await?;
        let name = format!("UDI_PID:VPC-SI; UDI_SN:{serial};");
        let rows = rows["rows"].as_array().context("rows")?.iter();
        let hours: f64 = rows
            .filter(|row| row["displayName"] == *name)
            .filter_map(|row| row["licenseHours"].as_f64())
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole milliseconds, far below 2^53"
        )]
        Ok((hours * 3_600_000.0).round() as u64)
    }

    /// Stops and starts it.
    pub async fn restart(&mut self, wall: Wall) -> Result<()> {
        self.authority.close().await;
        (self.authority, _) = open(self.dir.path(), &self.of, wall).await?;
        Ok(())
    }

    /// Kills it: another goes on from what is on its disk.
    pub async fn crash(&mut self, wall: Wall) -> Result<()> {
        let twin = self.twin(wall).await?;
        self.authority.close().await;
        *self = twin;
        Ok(())
    }

    /// Takes a message over a connection that was made with this key.
    pub async fn take(&self, octets: &[u8], key: Option<[u8; 32]>, now: Now) -> Result<Vec<u8>> {
        let peer = key.as_ref().map(<[u8; 32]>::as_slice);
        let now: Moment = self.authority.at(now.wall);
        Ok(self.authority.answer(octets, peer, now).await?)
    }
}

/// Copies a directory of files and directories.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("a text")?.to_owned())
}

/// Usage of the reports in a record of an agent's, by what they are of: licenses times milliseconds.
///
/// # Errors
///
/// When a report can't be read.
pub fn usage_of(record: &Record) -> Result<Vec<(String, u64)>> {
    let texts: Vec<_> = match record {
        Record::Report { text, .. } => vec![text],
        Record::Ledger(ledger) => ledger.reports.values().collect(),
        Record::State(_) | Record::Trust(_) | Record::Interval(_) | Record::Marks(_) => Vec::new(),
    };
    let read = texts.iter().map(|text| {
        let report = text.read()?;
        let of = format!("{:?} {:?}", report.end, report.entries);
        let sum = report.entries.iter().map(|entry| entry.license_ms).sum();
        Ok((of, sum))
    });
    read.collect()
}
