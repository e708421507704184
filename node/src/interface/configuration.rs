//! `show configuration` and `save configuration`.

use std::fs;
use std::path::{Component, Path};
use std::sync::Arc;

use api::{Failure, Reply};
use axum::http::StatusCode;
use licensing::Snapshot;
use toml::{Table, Value};

use super::{Interface, Refused};
use crate::config::text;
use crate::settings::STARTUP;
use crate::store::create_whole;

/// The section of what operators switch.
const LICENSING: &str = "licensing";

impl Interface {
    /// The configuration in force, as text.
    pub(super) async fn configuration(&self) -> String {
        text::print(&self.running().await)
    }

    /// The configuration in force: what was read, what operators set over it, and what they switched.
    pub(super) async fn running(&self) -> Table {
        let table = self.settings.lock().await.table();
        let (snapshot, _, _) = self.now().await;
        switched(table, &snapshot)
    }

    /// `save configuration`: another file than such a text is not written over.
    pub(super) async fn save_configuration(&self, file: Option<String>) -> Result<Reply, Refused> {
        let file = file.unwrap_or_else(|| STARTUP.to_owned());
        if !is_name(&file) {
            let what = format!("{file:?} is no name of a file in node.state_dir");
            let todo =
                "name it without a directory and with .cfg at its end, as before-upgrade.cfg";
            let failure = Failure::new(what, "save configuration", todo);
            return Err((StatusCode::BAD_REQUEST, failure));
        }
        // None of a change is saved in part, and no secret is swept meanwhile.
        let settings = Arc::clone(&self.settings).lock_owned().await;
        let (snapshot, _, _) = self.now().await;
        let text = text::print(&switched(settings.table(), &snapshot));
        let path = settings.dir().join(file);
        let saved = tokio::task::spawn_blocking(move || {
            let _held = settings;
            save(&path, &text).map(|()| path)
        });
        let saved = saved.await.unwrap_or_else(|error| Err(error.to_string()));
        match saved {
            Ok(path) => {
                let file = path.display().to_string();
                event!(CONFIGURATION_SAVED, file);
                Ok(Reply::Saved { file })
            }
            Err(what) => {
                let todo = "name another file in node.state_dir";
                let failure = Failure::new(what, "save configuration", todo);
                Err((StatusCode::CONFLICT, failure))
            }
        }
    }
}

/// Whoever administers by SSH writes nowhere else.
fn is_name(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    let is_one = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(name)), None) if name == file
    );
    // Nothing else of the state directory is called so.
    let ending = Path::new(file).extension();
    is_one && ending.is_some_and(|end| end == text::EXTENSION) && !file.contains(char::is_control)
}

fn save(path: &Path, text: &str) -> Result<(), String> {
    let other = || format!("{} is there and is no configuration text", path.display());
    match fs::read(path) {
        Ok(there) if !text::begins_as_text(&String::from_utf8_lossy(&there)) => return Err(other()),
        Ok(_) | Err(_) => {}
    }
    create_whole(path, text.as_bytes()).map_err(|error| error.to_string())
}

/// With what operators have switched, which is not kept among the settings.
pub(super) fn switched(mut table: Table, snapshot: &Snapshot) -> Table {
    let enabled = snapshot.features.iter().filter(|feature| feature.enabled);
    let enabled: Vec<&str> = enabled.map(|feature| feature.tag.name.as_str()).collect();
    let section = table.entry(LICENSING);
    let Value::Table(section) = section.or_insert_with(|| Table::new().into()) else {
        return table;
    };
    let said = section.get("features").and_then(Value::as_array);
    let said = said.into_iter().flatten().filter_map(Value::as_str);
    let mut said: Vec<String> = said.map(str::to_lowercase).collect();
    let mut now: Vec<String> = enabled.iter().map(|name| name.to_lowercase()).collect();
    said.sort();
    now.sort();
    if now.is_empty() {
        section.remove("features");
    } else if said != now {
        let enabled = enabled.into_iter().map(|name| name.to_owned().into());
        section.insert("features".to_owned(), Value::Array(enabled.collect()));
    }
    let smart = &snapshot.smart;
    section.remove("smart_enable");
    if smart.enabled || smart.ever_enabled {
        section.insert("smart_enable".to_owned(), smart.enabled.into());
    }
    if section.is_empty() {
        table.remove(LICENSING);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_stays_in_the_state_directory() {
        for name in ["startup.cfg", "a b.cfg", "..cfg"] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "",
            ".",
            "..",
            "/etc/x.cfg",
            "../x.cfg",
            "secrets/1.cfg",
            "./x.cfg",
            "x.cfg/",
            "settings.toml",
            "journal.jsonl",
            "secrets",
            ".cfg",
            "x",
            "x.cfg.new",
            "x\n.cfg",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }
}
