//! The way to the license authority, set by an operator while the node runs.

use tests::child::Ended;
use tests::subnet::Subnet;

use super::*;

/// A node that trusts the office's root, with these lines about the way.
fn node_with(office: &Office, lines: &str) -> Result<Gateway> {
    let site = Site::new()?;
    let root = office.root_file(site.dir())?;
    let section = format!("[agent]\ntrust_pool = \"{}\"\n{lines}", root.display());
    open(site, &section)
}

/// What a command line prints, which succeeds.
fn done(gateway: &Gateway, command_line: &str) -> Result<String> {
    let ended = gateway.node()?.cli(command_line)?;
    ensure!(ended.status.success(), "{command_line}: {}", ended.log());
    Ok(ended.log())
}

/// The same of one that fails.
fn failed(gateway: &Gateway, command_line: &str) -> Result<String> {
    let ended: Ended = gateway.node()?.cli(command_line)?;
    ensure!(
        ended.status.code() == Some(1),
        "{command_line}: {}",
        ended.log()
    );
    Ok(ended.log())
}

fn password_file(dir: &Path, password: &str) -> Result<String> {
    let file = dir.join(format!("{password}.password"));
    fs::write(&file, format!("{password}\n"))?;
    Ok(file.display().to_string())
}

/// What is asked for, from where until the end of its lines.
fn way(gateway: &Gateway) -> Result<(Option<String>, Option<u16>)> {
    let transport = agent(gateway.node()?)?.1.transport;
    Ok((transport.url, transport.proxy.map(|proxy| proxy.port)))
}

#[test]
fn an_operator_says_where_the_authority_is_and_the_node_goes_there_without_a_restart() -> Result<()>
{
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    // Nobody listens there.
    let nobody = Subnet::take()?;
    let wrong = format!("https://{}", nobody.tcp());
    let mut gateway = node_with(&office, &format!("authority = \"{wrong}\""))?;
    let (_, token) = office.token(9)?;
    let said = refused(gateway.node()?, &token, false)?;
    assert!(said.contains("can't be reached at"), "{said}");

    let url = office.url();
    let plain = url.replace("https", "http");
    assert_eq!(
        failed(&gateway, &format!("license smart url {plain}"))?,
        format!(
            "Failure: agent.authority: {plain} is not https, and nothing is sent in the clear; nothing has changed (license smart url): expected an address such as \"https://authority.example:8443\"; mend the value"
        )
    );
    let shown = |url: &str| Some(format!("{url}{}", api::smart::SMART_PATH));
    assert_eq!(way(&gateway)?, (shown(&wrong), None));
    let said = done(&gateway, &format!("license smart url {url}"))?;
    assert_eq!(
        said,
        format!("the license authority is asked at {url} from here on")
    );
    let said = done(&gateway, &format!("license smart url {url}"))?;
    assert!(said.ends_with("(it was before)"), "{said}");
    register(gateway.node()?, &token, false)?;
    let status = done(&gateway, "show license status")?;
    assert!(status.contains(&format!("  URL: {url}/")), "{status}");
    let transport = done(&gateway, "show license transport")?;
    assert!(
        transport.contains("  Set at run time: URL\n"),
        "{transport}"
    );

    // A process that is killed finds it so.
    gateway.crash_and_restart()?;
    assert_eq!(way(&gateway)?, (shown(&url), None));
    let (_, view) = agent(gateway.node()?)?;
    assert_eq!(view.status.registration, RegistrationState::Registered);
    let said = done(&gateway, "no license smart url")?;
    assert_eq!(said, "the license authority is the configuration's again");
    assert_eq!(way(&gateway)?, (shown(&wrong), None));
    gateway.crash_and_restart()?;
    assert_eq!(way(&gateway)?, (shown(&wrong), None));
    Ok(())
}

#[test]
fn another_address_is_not_another_trust() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let elsewhere = tempfile::tempdir()?;
    let stranger = Office::open(elsewhere.path(), Some(1))?;
    let gateway = node_with(&office, &format!("authority = \"{}\"", office.url()))?;
    done(&gateway, &format!("license smart url {}", stranger.url()))?;
    let (_, token) = stranger.token(1)?;
    let said = refused(gateway.node()?, &token, false)?;
    let whose = stranger.fingerprint()?;
    assert!(
        said.contains("is not signed by a root of the trust pool") && said.contains(&whose),
        "{said}"
    );
    assert_eq!(agent(gateway.node()?)?.1.status.trust_pool.len(), 1);
    Ok(())
}

#[test]
fn a_proxy_is_set_mended_and_taken_away_while_the_node_runs() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let proxy = Tinyproxy::start(dir.path(), office.port())?;
    let port = proxy.port;
    let mut gateway = node_with(&office, &format!("authority = \"{}\"", office.url()))?;
    let (_, token) = office.token(9)?;
    let user = tinyproxy::USER;
    let wrong = password_file(dir.path(), "wrong")?;
    let line = format!("license smart proxy 127.0.0.1 {port} username {user} --password-file");
    let said = done(&gateway, &format!("{line} {wrong}"))?;
    assert_eq!(
        said,
        format!("messages go through the proxy 127.0.0.1, port {port}, from here on")
    );
    assert_eq!(
        refused(gateway.node()?, &token, false)?,
        format!(
            "the proxy 127.0.0.1:{port} refuses: it does not take the user name and password (HTTP status 401); nothing has changed (license smart register): mend it with license smart proxy, or ask whoever runs the proxy"
        )
    );
    let right = password_file(dir.path(), tinyproxy::PASSWORD)?;
    done(&gateway, &format!("{line} {right}"))?;
    register(gateway.node()?, &token, false)?;
    let asked = format!("CONNECT localhost:{} HTTP/1.1", office.port());
    assert!(proxy.log().contains(&asked), "{}", proxy.log());
    let shown = done(&gateway, "show license all")?;
    let lines = format!(
        "  Proxy:\n    Address: 127.0.0.1\n    Port: {port}\n    Username: gw1\n    Password: <hidden>\n"
    );
    assert!(shown.contains(&lines), "{shown}");

    // The next start has it, with its password, in a file that is for the node alone.
    gateway.crash_and_restart()?;
    let renew = Request::License(LicenseCommand::RenewAuth);
    ensure!(gateway.node()?.control().change(&renew)?);
    let secrets = gateway.node()?.state_dir().join("secrets");
    let mut files = fs::read_dir(&secrets)?;
    let file = files.next().context("a secret")??;
    assert!(files.next().is_none(), "one secret");
    assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(file.path())?;
    assert!(kept.starts_with("sealed:"), "{kept}");

    // It is gone, and so is its password: messages go directly, though the proxy does not work any more.
    let said = done(&gateway, "no license smart proxy")?;
    assert_eq!(
        said,
        "messages go to the license authority directly from here on"
    );
    drop(proxy);
    ensure!(gateway.node()?.control().change(&renew)?);
    assert_eq!(way(&gateway)?.1, None);
    assert_eq!(fs::read_dir(&secrets)?.count(), 0);
    for text in [
        shown,
        done(&gateway, "show license transport --json")?,
        gateway.node()?.process().log(),
        fs::read_to_string(gateway.node()?.state_dir().join("settings.toml"))?,
    ] {
        assert!(!text.contains(tinyproxy::PASSWORD), "{text}");
    }
    Ok(())
}

#[test]
fn a_proxy_of_the_configuration_is_gone_around_and_comes_back() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let nobody = Subnet::take()?;
    let port = nobody.tcp().port();
    let lines = format!(
        "authority = \"{}\"\nproxy = {{ host = \"127.0.0.1\", port = {port} }}",
        office.url()
    );
    let mut gateway = node_with(&office, &lines)?;
    done(&gateway, "no license smart proxy")?;
    let (_, token) = office.token(1)?;
    register(gateway.node()?, &token, false)?;
    gateway.crash_and_restart()?;
    assert_eq!(way(&gateway)?.1, None);
    done(&gateway, "license smart proxy default")?;
    assert_eq!(way(&gateway)?.1, Some(port));
    assert_eq!(
        failed(&gateway, "license smart proxy 127.0.0.1")?,
        "Failure: the port is missing (license smart proxy): license smart proxy HOST PORT [username NAME]"
    );
    Ok(())
}

/// A node starts with no settings but whole ones.
#[test]
fn broken_settings_are_told_with_file_and_line() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), Some(1))?;
    let mut gateway = node_with(&office, "")?;
    let settings = gateway.node()?.state_dir().join("settings.toml");
    let again = gateway.while_down(|state_dir| {
        let text = "[agent]\nauthority = \"http://authority.example\"\n";
        Ok(fs::write(state_dir.join("settings.toml"), text)?)
    });
    let said = format!("{:?}", again.err().context("it does not start")?);
    let expected = format!(
        "{}:2: agent.authority: http://authority.example is not https, and nothing is sent in the clear",
        settings.display()
    );
    assert!(said.contains(&expected), "{said}");
    Ok(())
}
