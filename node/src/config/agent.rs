//! `[agent]`: the Smart Agent, and its way to the license authority.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use smart_agent::TrustPool;
use smart_agent::trust::Origin;
use zeroize::Zeroizing;

use super::Problem;
use super::check::{Checked, expected, missing, within, wrong};
use super::file::{self, FirstUse};
use crate::settings::is_lost;
use crate::store::{is_sealed, unseal};
use crate::transport::{AuthorityUrl, Proxy, ProxyCredentials, Way, shown};

/// Longest password or community, in bytes.
const PASSWORD_BYTES_MAX: usize = 255;

/// The Smart Agent and its way to the license authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The way.
    pub way: Way,
    /// An operator set the authority of it, in place of the configuration's.
    pub authority_set: bool,
    /// An operator set the proxy of it, or that there is none.
    pub proxy_set: bool,
    /// Report License Usage: what changed is reported this often.
    pub report_usage: Duration,
    /// OOC Retry: unchanged counts are reported this often while out of compliance.
    pub ooc_retry: Duration,
    /// Roots of the trust pool by the operator's file, in DER.
    pub roots: Vec<Vec<u8>>,
    /// The root of the first authority met is trusted; lab nodes only.
    pub trust_first: bool,
    /// The authority is told the host name.
    pub send_hostname: bool,
}

pub(super) fn check(agent: file::Agent, base: &Path, lab: bool) -> Checked<Agent> {
    within(agent.connect_s, 1, 60, "agent.connect_s")?;
    within(agent.answer_s, 1, 300, "agent.answer_s")?;
    within(agent.report_usage_s, 1, 86_400, "agent.report_usage_s")?;
    within(agent.ooc_retry_s, 1, 86_400, "agent.ooc_retry_s")?;
    let trust_first = agent.first_use == FirstUse::Trust;
    if trust_first && !lab {
        let what = "trusting the first license authority that answers".to_owned();
        return Err(("agent.first_use".into(), Problem::NeedsLab { what }));
    }
    let authority = agent.authority.as_deref().map(AuthorityUrl::parse);
    let authority = authority.transpose();
    let authority =
        authority.map_err(|error| ("agent.authority".into(), Problem::Authority(error)))?;
    let proxy = agent.proxy.map(|proxy| check_proxy(proxy, base));
    let roots = agent.trust_pool.map(|file| read_roots(&base.join(file)));
    Ok(Agent {
        way: Way {
            authority,
            proxy: proxy.transpose()?,
            connect: Duration::from_secs(agent.connect_s),
            overall: Duration::from_secs(agent.answer_s),
        },
        authority_set: false,
        proxy_set: false,
        report_usage: Duration::from_secs(agent.report_usage_s),
        ooc_retry: Duration::from_secs(agent.ooc_retry_s),
        roots: roots.transpose()?.unwrap_or_default(),
        trust_first,
        send_hostname: agent.send_hostname,
    })
}

fn check_proxy(proxy: file::Proxy, base: &Path) -> Checked<Proxy> {
    if ServerName::try_from(proxy.host.as_str()).is_err() {
        return wrong("agent.proxy.host", format!("{:?}", shown(&proxy.host)));
    }
    within(proxy.port, 1, u64::from(u16::MAX), "agent.proxy.port")?;
    let alone = |key: &str, other| Err((key.to_owned(), Problem::Alone { other }));
    let credentials = match (proxy.username, proxy.password_file) {
        (None, None) => None,
        (Some(_), None) => return missing("agent.proxy.password_file"),
        (None, Some(_)) => return alone("agent.proxy.password_file", "agent.proxy.username"),
        (Some(username), Some(file)) => {
            let printable = username.bytes().all(|b| b.is_ascii_graphic() && b != b':');
            if username.is_empty() || username.len() > 255 || !printable {
                // Behind a colon a password may be.
                let name = username.split(':').next().unwrap_or_default();
                return wrong("agent.proxy.username", format!("{name:?}"));
            }
            let password = read_secret("agent.proxy.password_file", &base.join(file))?.text;
            Some(ProxyCredentials { username, password })
        }
    };
    Ok(Proxy {
        host: proxy.host,
        port: proxy.port,
        credentials,
    })
}

/// Is it a line that a password, or a community, may be?
pub(crate) fn is_secret(line: &str) -> bool {
    !line.is_empty() && line.len() <= PASSWORD_BYTES_MAX && !line.contains(char::is_control)
}

/// The first line of a file.
pub(super) struct Line {
    pub(super) text: Zeroizing<String>,
    /// This node had sealed it.
    pub(super) sealed: bool,
}

/// What is in a file that nobody else may read.
pub(super) fn read_private(key: &str, file: &Path) -> Checked<Zeroizing<String>> {
    let refused = |reason: String| refuse(key, file, reason);
    let metadata = fs::metadata(file).map_err(|error| refused(error.to_string()))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(refused(format!("others may read it, its mode is {mode:o}")));
    }
    let text = fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    Ok(Zeroizing::new(text))
}

/// The first line of a file that nobody else may read; what is sealed in it, if it is in the state directory's `secrets`.
pub(super) fn read_secret(key: &str, file: &Path) -> Checked<Line> {
    let refused = |reason: String| refuse(key, file, reason);
    if is_lost(file) {
        return Err((key.to_owned(), Problem::sealed(file, "it is lost")));
    }
    let text = read_private(key, file)?;
    let mut line = text.lines().next().unwrap_or_default();
    let opened;
    let sealed = is_sealed(line);
    if sealed {
        let state_dir = file.parent().and_then(Path::parent);
        let secret = state_dir.map(|dir| unseal(dir, line)).transpose();
        let secret = secret.map_err(|error| refused(error.to_string()))?;
        let Some(secret) = secret.flatten() else {
            let reason = "another node.key has sealed it";
            return Err((key.to_owned(), Problem::sealed(file, reason)));
        };
        opened = secret;
        line = &opened;
    }
    if !is_secret(line) {
        return Err(refused("its first line is not a password".into()));
    }
    let text = Zeroizing::new(line.to_owned());
    Ok(Line { text, sealed })
}

fn read_roots(file: &Path) -> Checked<Vec<Vec<u8>>> {
    let key = "agent.trust_pool";
    let refused = |reason: String| refuse(key, file, reason);
    let text = fs::read(file).map_err(|error| refused(error.to_string()))?;
    let mut roots = Vec::new();
    let mut pool = TrustPool::default();
    for (n, der) in CertificateDer::pem_slice_iter(&text).enumerate() {
        let der = der.map_err(|error| refused(format!("certificate {}: {error}", n + 1)))?;
        let added = pool.add_root(&der, Origin::Operator);
        added.map_err(|error| refused(format!("certificate {}: {error}", n + 1)))?;
        roots.push(der.to_vec());
    }
    if roots.is_empty() {
        return Err(refused("there is no certificate in it".into()));
    }
    Ok(roots)
}

pub(super) fn refuse(key: &str, file: &Path, reason: String) -> (String, Problem) {
    let problem = Problem::Named {
        refused: format!("{} is refused: {reason}", file.display()),
        expected: expected(key),
    };
    (key.to_owned(), problem)
}
