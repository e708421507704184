//! What the product is made of: which crates, by which licenses, from where; the list of it for others (CycloneDX 1.5).
//!
//! `cargo deny` says the same of licenses, bans and sources by deny.toml, and is asked where it is installed. Neither looks at
//! advisories: their database is not at hand without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::run;
use crate::tidy::Breach;
use crate::workspace::{Workspace, cargo};

const RULES: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// What is shipped.
const PRODUCT: &str = "cli";
const OUT: &str = "sbom.cdx.json";

/// The rules, as `cargo deny` has them.
#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

fn metadata(workspace: &Workspace) -> Result<Metadata> {
    let mut metadata = Command::new(cargo());
    metadata.args(["metadata", "--locked", "--format-version", "1"]);
    metadata.args(["--filter-platform", PLATFORM]);
    run::as_from_a_shell(&mut metadata);
    let output = metadata.current_dir(&workspace.root).output()?;
    let failure = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {failure}");
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

/// Packages that may not be there, by their name, license or source; and what `cargo deny` says, where it is installed.
pub fn breaches(workspace: &Workspace) -> Result<Vec<Breach>> {
    let rules: Rules = toml::from_str(&workspace.text(Path::new(RULES))?).context(RULES)?;
    let metadata = metadata(workspace)?;
    let mut breaches: Vec<Breach> = metadata
        .packages
        .iter()
        .flat_map(|package| wrong(package, &rules))
        .map(|why| Breach::at(LOCK, 1, why))
        .collect();
    let document = document(&metadata, &checksums(workspace)?)?;
    breaches.extend(incomplete(&document).map(|why| Breach::at(LOCK, 1, why)));
    let mut deny = Command::new(cargo());
    deny.args(["deny", "--version"]);
    if run::output(&mut deny).is_some() {
        let mut deny = run::bounded(300, cargo());
        deny.args(["deny", "--offline", "check", "licenses", "bans", "sources"]);
        run::must("cargo deny", deny.current_dir(&workspace.root))?;
    }
    Ok(breaches)
}

fn wrong(package: &Package, rules: &Rules) -> Vec<String> {
    let of = format!("{} {}", package.name, package.version);
    let mut wrong = Vec::new();
    if let Some(banned) = rules.bans.deny.iter().find(|b| b.name == package.name) {
        wrong.push(format!("{of} is banned: {}", banned.reason));
    }
    match &package.license {
        Some(license) if allowed(license, &rules.licenses.allow) => {}
        license => wrong.push(format!("{of} has the license {license:?}")),
    }
    match package.source.as_deref() {
        None | Some(CRATES_IO) => {}
        Some(other) => wrong.push(format!("{of} is from {other}")),
    }
    wrong
}

/// One of the alternatives is of allowed licenses alone. Brackets are looked into one deep, as they occur.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let parts = expression.replace(['(', ')'], " ");
    let expression = parts.replace('/', " OR ");
    // `A AND (B OR C)` is read as `A AND B OR C`, in which A has to be allowed with B: stricter at worst.
    expression.split(" OR ").any(|alternative| {
        let mut all = alternative.split(" AND ").map(str::trim);
        all.all(|license| allow.iter().any(|allowed| allowed == license))
    })
}

fn checksums(workspace: &Workspace) -> Result<BTreeMap<(String, String), String>> {
    let lock: Lock = toml::from_str(&workspace.text(Path::new(LOCK))?).context(LOCK)?;
    let sums = lock.package.into_iter().filter_map(|package| {
        let sum = package.checksum?;
        Some(((package.name, package.version), sum))
    });
    Ok(sums.collect())
}

/// What the product is built from: not what its tests alone need.
fn shipped(metadata: &Metadata) -> Result<BTreeSet<&str>> {
    let nodes: BTreeMap<&str, &Node> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let product = metadata.packages.iter().find(|p| p.name == PRODUCT);
    let mut left = vec![product.context("the product is a package")?.id.as_str()];
    let mut all = BTreeSet::new();
    while let Some(id) = left.pop() {
        if !all.insert(id) {
            continue;
        }
        let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let built = deps.filter(|dep| {
            let mut kinds = dep.dep_kinds.iter();
            kinds.any(|kind| kind.kind.as_deref() != Some("dev"))
        });
        left.extend(built.map(|dep| dep.pkg.as_str()));
    }
    Ok(all)
}

fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

/// CycloneDX 1.5; the same for the same lock file.
fn document(metadata: &Metadata, sums: &BTreeMap<(String, String), String>) -> Result<Value> {
    let shipped = shipped(metadata)?;
    let by_id: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package))
        .collect();
    let mut packages: Vec<&Package> = shipped
        .iter()
        .filter_map(|id| by_id.get(id).copied())
        .collect();
    packages.sort_by_key(|package| purl(package));
    let components = packages.iter().map(|package| {
        let sum = sums.get(&(package.name.clone(), package.version.clone()));
        let hashes = sum.map(|sum| json!({ "alg": "SHA-256", "content": sum }));
        json!({
            "type": if package.name == PRODUCT { "application" } else { "library" },
            "bom-ref": purl(package),
            "name": package.name,
            "version": package.version,
            "description": package.description.as_deref().unwrap_or_default().trim(),
            "purl": purl(package),
            "licenses": package.license.iter()
                .map(|license| json!({ "expression": license.replace('/', " OR ") }))
                .collect::<Vec<_>>(),
            "hashes": hashes.into_iter().collect::<Vec<_>>(),
        })
    });
    let components: Vec<Value> = components.collect();
    let mut dependencies: Vec<Value> = Vec::new();
    for node in &metadata.resolve.nodes {
        let Some(package) = by_id
            .get(node.id.as_str())
            .filter(|_| shipped.contains(node.id.as_str()))
        else {
            continue;
        };
        let on: BTreeSet<String> = node
            .deps
            .iter()
            .filter(|dep| shipped.contains(dep.pkg.as_str()))
            .filter_map(|dep| by_id.get(dep.pkg.as_str()).map(|package| purl(package)))
            .collect();
        dependencies.push(json!({ "ref": purl(package), "dependsOn": on }));
    }
    dependencies.sort_by_key(|dependency| dependency["ref"].as_str().map(str::to_owned));
    let product = packages.iter().find(|package| package.name == PRODUCT);
    let product = product.context("the product is a package")?;
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application",
            "bom-ref": "tollgate",
            "name": "tollgate",
            "version": product.version,
        } },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// Components without a license, and those of a registry without a hash.
fn incomplete(document: &Value) -> impl Iterator<Item = String> {
    let components = document["components"].as_array().into_iter().flatten();
    let lacks = components.filter_map(|component| {
        let name = component["purl"].as_str().unwrap_or_default();
        let empty = |what: &str| component[what].as_array().is_none_or(Vec::is_empty);
        if empty("licenses") {
            return Some(format!("{name} has no license in the SBOM"));
        }
        let ours = component["version"] == document["metadata"]["component"]["version"];
        (empty("hashes") && !ours).then(|| format!("{name} has no hash in the SBOM"))
    });
    lacks.collect::<Vec<_>>().into_iter()
}

/// Writes the list beside the binary.
pub fn sbom(workspace: &Workspace) -> Result<ExitCode> {
    let document = document(&metadata(workspace)?, &checksums(workspace)?)?;
    let file = workspace.target.join(OUT);
    fs::write(&file, serde_json::to_string_pretty(&document)? + "\n")
        .with_context(|| file.display().to_string())?;
    let many = document["components"].as_array().map_or(0, Vec::len);
    println!("{}: {many} components, CycloneDX 1.5", file.display());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            description: None,
        }
    }

    fn rules() -> Rules {
        toml::from_str(
            "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\n\
             [bans]\ndeny = [{ name = \"openssl-sys\", reason = \"rustls is enough\" }]\n",
        )
        .unwrap()
    }

    #[test]
    fn a_license_is_allowed_by_one_alternative_of_allowed_ones() {
        let allow = ["MIT", "Apache-2.0"].map(str::to_owned);
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "MIT AND Apache-2.0",
            "(MIT OR X) AND MIT",
        ] {
            assert!(allowed(good, &allow), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "X OR Y", ""] {
            assert!(!allowed(bad, &allow), "{bad}");
        }
    }

    #[test]
    fn a_package_that_may_not_be_there_is_found() {
        let none: [String; 0] = [];
        assert_eq!(
            wrong(&package("a", Some("MIT"), Some(CRATES_IO)), &rules()),
            none
        );
        assert_eq!(wrong(&package("ours", Some("MIT"), None), &rules()), none);
        let found = wrong(
            &package("openssl-sys", None, Some("git+https://x")),
            &rules(),
        );
        assert_eq!(
            found,
            [
                "openssl-sys 1.0.0 is banned: rustls is enough",
                "openssl-sys 1.0.0 has the license None",
                "openssl-sys 1.0.0 is from git+https://x",
            ]
        );
    }

    #[test]
    fn the_list_has_what_is_built_and_no_more() {
        let dep = |pkg: &str, kind: Option<&str>| Dep {
            pkg: pkg.to_owned(),
            dep_kinds: vec![Kind {
                kind: kind.map(str::to_owned),
            }],
        };
        let node = |id: &str, deps: Vec<Dep>| Node {
            id: id.to_owned(),
            deps,
        };
        let metadata = Metadata {
            packages: vec![
                package("cli", Some("MIT"), None),
                package("a", Some("MIT/Apache-2.0"), Some(CRATES_IO)),
                package("b", None, Some(CRATES_IO)),
                package("proptest", Some("MIT"), Some(CRATES_IO)),
            ],
            resolve: Resolve {
                nodes: vec![
                    node("cli", vec![dep("a", None), dep("proptest", Some("dev"))]),
                    node("a", vec![dep("b", Some("build"))]),
                    node("b", vec![]),
                    node("proptest", vec![]),
                ],
            },
        };
        let sums = BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "ff".to_owned())]);
        let document = document(&metadata, &sums).unwrap();
        let names: Vec<_> = document["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| &c["name"])
            .collect();
        assert_eq!(names, ["a", "b", "cli"]);
        assert_eq!(document["components"][0]["hashes"][0]["content"], "ff");
        assert_eq!(
            document["components"][0]["licenses"][0]["expression"],
            "MIT OR Apache-2.0"
        );
        assert_eq!(
            document["dependencies"][0]["dependsOn"][0],
            "pkg:cargo/b@1.0.0"
        );
        let lacking: Vec<String> = incomplete(&document).collect();
        assert_eq!(lacking, ["pkg:cargo/b@1.0.0 has no license in the SBOM"]);
    }
}
