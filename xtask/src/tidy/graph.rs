//! Rules about packages: who may depend on whom, and what every manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Problem;
use crate::process::{Workspace, capture};

/// From the bottom up. A crate may depend on crates of lower layers only, so those of one layer do not know each other.
/// The design has one layer of edges; it is three here, because every edge may write to the store.
const LAYERS: &[&[&str]] = &[
    &["writ-base"],
    &["writ-model"],
    &["writ-policy", "writ-detect", "writ-extract", "writ-protocol", "writ-catalog", "writ-sensor", "writ-behavior"],
    &["writ-engine", "writ-govern"],
    &["writ-store"],
    &["writ-ca", "writ-identity", "writ-export"],
    &["writ-proxy", "writ-console"],
    &["writ-sim"],
    &["writ"],
    &["writ-bench"],
];

/// Crates that may use fewer crates of this workspace than their layer allows.
const ONLY: &[(&str, &[&str])] = &[
    // Entries come as bytes with a header: the store does not know decisions.
    ("writ-store", &["writ-base", "writ-model"]),
    // It plays the other side of the wire; sharing codecs with the product would hide their errors.
    ("writ-sim", &["writ-base"]),
    // It has to compile in seconds.
    ("xtask", &[]),
];

/// A dependency that only some crates may name.
struct Ban {
    dependencies: &'static [&'static str],
    only: &'static [&'static str],
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        dependencies: &["sqlx", "sqlx-core", "sqlx-postgres", "sqlx-sqlite", "rusqlite", "tokio-postgres"],
        only: &["writ-store"],
        instead: "ask `writ-store`, which owns state and migrations",
    },
    Ban {
        dependencies: &["rustls", "tokio-rustls", "hyper-rustls"],
        only: &["writ-ca", "writ-proxy", "writ-sim", "writ", "writ-bench"],
        instead: "connections are opened by `writ-proxy`, which asks for a permit",
    },
    Ban {
        dependencies: &["flate2", "brotli", "brotli-decompressor", "zstd", "zstd-safe", "async-compression"],
        only: &["writ-protocol", "writ-sim", "writ-bench"],
        instead: "use the decoders of `writ-protocol`, which have a cap",
    },
];

/// Crates that do no I/O: nothing below them, however deep, may bring a runtime or a socket.
const CORE: &[&str] = &[
    "writ-base",
    "writ-model",
    "writ-policy",
    "writ-detect",
    "writ-protocol",
    "writ-catalog",
    "writ-behavior",
    "writ-engine",
    "writ-govern",
];

const NOT_IN_CORE: &[&str] =
    &["tokio", "mio", "socket2", "async-io", "async-std", "smol", "hyper", "reqwest", "rustls", "sqlx-core"];

/// Nowhere in the shipped graph: one TLS stack, in Rust, and no C library that the system has to provide.
const NOWHERE: &[&str] = &["openssl", "openssl-sys", "native-tls"];

const LICENCE: &str = "Apache-2.0";

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Problem>> {
    let graph = Graph::read(workspace)?;
    let mut problems = graph.direction();
    problems.extend(graph.bans());
    problems.extend(graph.core_purity());
    problems.extend(graph.nowhere());
    for package in graph.members() {
        problems.extend(package.manifest_rules(&workspace.root)?);
    }
    Ok(problems)
}

/// What `cargo metadata` prints, as far as it is of interest.
#[derive(Deserialize)]
struct Graph {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    license: Option<String>,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Nothing for a normal dependency, otherwise `dev` or `build`.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

/// Tests may use what they like: a dev-dependency ships nowhere.
fn ships(kind: Option<&str>) -> bool {
    kind != Some("dev")
}

impl Graph {
    fn read(workspace: &Workspace) -> Result<Self> {
        let version = capture(workspace.command("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("`rustc -vV` names no host")?;
        let json = capture(&mut workspace.cargo(&["metadata", "--format-version", "1", "--filter-platform", host]))?;
        serde_json::from_str(&json).context("cannot read what `cargo metadata` printed")
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    fn direction(&self) -> Vec<Problem> {
        let names: BTreeSet<&str> = self.members().map(|package| package.name.as_str()).collect();
        let mut problems = Vec::new();
        for package in self.members() {
            for dependency in package.shipped().filter(|name| names.contains(name)) {
                if let Some(reason) = refusal(&package.name, dependency) {
                    problems.push(Problem::new(&package.name, format!("must not depend on `{dependency}`: {reason}")));
                }
            }
            if layer(&package.name).is_none() && only(&package.name).is_none() {
                let text = "stands in no layer; add it to LAYERS in xtask/src/tidy/graph.rs";
                problems.push(Problem::new(&package.name, text));
            }
        }
        problems
    }

    fn bans(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for package in self.members() {
            for dependency in package.shipped() {
                for ban in BANS.iter().filter(|ban| ban.dependencies.contains(&dependency)) {
                    if !ban.only.contains(&package.name.as_str()) {
                        let text = format!("must not depend on `{dependency}`: {}", ban.instead);
                        problems.push(Problem::new(&package.name, text));
                    }
                }
            }
        }
        problems
    }

    fn core_purity(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for package in self.members().filter(|package| CORE.contains(&package.name.as_str())) {
            for (name, through) in self.below(&package.id) {
                if NOT_IN_CORE.contains(&name) {
                    let text = format!("a core crate does no I/O, but brings `{name}` through `{through}`");
                    problems.push(Problem::new(&package.name, text));
                }
            }
        }
        problems
    }

    fn nowhere(&self) -> Vec<Problem> {
        let banned = self.packages.iter().filter(|package| NOWHERE.contains(&package.name.as_str()));
        banned.map(|package| Problem::new(&package.name, "is in the dependency graph; TLS is rustls here")).collect()
    }

    /// Names of all packages below one, each with the name of a package that brought it.
    fn below(&self, id: &str) -> BTreeMap<&str, &str> {
        let names: BTreeMap<&str, &str> =
            self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let edges: BTreeMap<&str, &[Edge]> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node.deps.as_slice())).collect();
        let mut found = BTreeMap::new();
        let mut open = vec![id];
        while let Some(from) = open.pop() {
            for edge in edges.get(from).copied().unwrap_or_default() {
                let shipped = edge.dep_kinds.iter().any(|kind| ships(kind.kind.as_deref()));
                let (Some(name), Some(through)) = (names.get(edge.pkg.as_str()), names.get(from)) else { continue };
                if shipped && !found.contains_key(name) {
                    found.insert(*name, *through);
                    open.push(&edge.pkg);
                }
            }
        }
        found
    }
}

impl Package {
    /// Names of the dependencies that are part of what ships.
    fn shipped(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().filter(|dependency| ships(dependency.kind.as_deref())).map(|it| it.name.as_str())
    }

    fn manifest_rules(&self, root: &Path) -> Result<Vec<Problem>> {
        let place = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
        let mut problems = Vec::new();
        if self.license.as_deref() != Some(LICENCE) {
            problems.push(Problem::new(place(&self.manifest_path), "needs `license.workspace = true`"));
        }
        if !inherits_lints(&read(&self.manifest_path)?) {
            problems.push(Problem::new(place(&self.manifest_path), "needs `[lints]` with `workspace = true`"));
        }
        let documented = ["lib", "bin"];
        for target in self.targets.iter().filter(|it| it.kind.iter().any(|kind| documented.contains(&kind.as_str()))) {
            if !read(&target.src_path)?.starts_with("//!") {
                let text = "does not start with `//!`: say what the crate is for";
                problems.push(Problem::new(place(&target.src_path), text));
            }
        }
        Ok(problems)
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&name))
}

fn only(name: &str) -> Option<&'static [&'static str]> {
    ONLY.iter().find(|(limited, _)| *limited == name).map(|(_, allowed)| *allowed)
}

/// Why one crate of this workspace may not depend on another; `None` if it may.
fn refusal(from: &str, to: &str) -> Option<String> {
    if let Some(allowed) = only(from) {
        return (!allowed.contains(&to)).then(|| format!("it may use only [{}]", allowed.join(", ")));
    }
    match (layer(from), layer(to)) {
        (Some(above), Some(below)) if below < above => None,
        (Some(above), Some(below)) if below == above => Some("they stand side by side".to_owned()),
        _ => Some("it stands in a higher layer, or in none".to_owned()),
    }
}

fn inherits_lints(manifest: &str) -> bool {
    let mut in_lints = false;
    for line in manifest.lines().map(str::trim) {
        match line.strip_prefix('[') {
            Some(section) => in_lints = section == "lints]",
            None if in_lints && line.replace(' ', "") == "workspace=true" => return true,
            None => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a -> b` are normal dependencies, `a ~> b` dev-dependencies; packages named `writ...` or `xtask` are members.
    fn graph(edges: &[(&str, &str, &str)]) -> Graph {
        let names: BTreeSet<&str> = edges.iter().flat_map(|(from, _, to)| [*from, *to]).collect();
        let kind = |arrow: &str| (arrow == "~>").then(|| "dev".to_owned());
        let from = |name: &str| edges.iter().filter(move |edge| edge.0 == name).collect::<Vec<_>>();
        Graph {
            packages: names
                .iter()
                .map(|name| Package {
                    id: format!("{name}#1"),
                    name: (*name).to_owned(),
                    license: None,
                    manifest_path: PathBuf::new(),
                    dependencies: from(name)
                        .iter()
                        .map(|(_, arrow, to)| Dependency { name: (*to).to_owned(), kind: kind(arrow) })
                        .collect(),
                    targets: Vec::new(),
                })
                .collect(),
            workspace_members: names
                .iter()
                .filter(|name| name.starts_with("writ") || **name == "xtask")
                .map(|name| format!("{name}#1"))
                .collect(),
            resolve: Resolve {
                nodes: names
                    .iter()
                    .map(|name| Node {
                        id: format!("{name}#1"),
                        deps: from(name)
                            .iter()
                            .map(|(_, arrow, to)| Edge {
                                pkg: format!("{to}#1"),
                                dep_kinds: vec![EdgeKind { kind: kind(arrow) }],
                            })
                            .collect(),
                    })
                    .collect(),
            },
        }
    }

    fn shown(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn the_design_is_allowed() {
        let design = graph(&[
            ("writ-model", "->", "writ-base"),
            ("writ-policy", "->", "writ-model"),
            ("writ-engine", "->", "writ-policy"),
            ("writ-store", "->", "writ-model"),
            ("writ-proxy", "->", "writ-store"),
            ("writ-proxy", "->", "writ-engine"),
            ("writ-sim", "->", "writ-base"),
            ("writ", "->", "writ-sim"),
            ("writ", "->", "writ-proxy"),
            ("writ-bench", "->", "writ"),
        ]);
        assert_eq!(shown(&design.direction()), [""; 0]);
    }

    #[test]
    fn side_by_side_upwards_and_unknown_are_refused() {
        let tangle = graph(&[
            ("writ-policy", "->", "writ-detect"),
            ("writ-base", "->", "writ-model"),
            ("writ-store", "->", "writ-policy"),
            ("writ-sim", "->", "writ-engine"),
            ("xtask", "->", "writ-base"),
            ("writ-new", "->", "writ-base"),
        ]);
        assert_eq!(
            shown(&tangle.direction()),
            [
                "writ-base: must not depend on `writ-model`: it stands in a higher layer, or in none",
                "writ-new: must not depend on `writ-base`: it stands in a higher layer, or in none",
                "writ-new: stands in no layer; add it to LAYERS in xtask/src/tidy/graph.rs",
                "writ-policy: must not depend on `writ-detect`: they stand side by side",
                "writ-sim: must not depend on `writ-engine`: it may use only [writ-base]",
                "writ-store: must not depend on `writ-policy`: it may use only [writ-base, writ-model]",
                "xtask: must not depend on `writ-base`: it may use only []",
            ]
        );
    }

    #[test]
    fn dev_dependencies_are_exempt() {
        let tests =
            graph(&[("writ-policy", "~>", "writ-engine"), ("writ-policy", "~>", "sqlx"), ("sqlx", "->", "tokio")]);
        assert!(tests.direction().is_empty() && tests.bans().is_empty() && tests.core_purity().is_empty());
    }

    #[test]
    fn bans_have_exceptions_by_name() {
        let graph =
            graph(&[("writ-store", "->", "sqlx"), ("writ-console", "->", "sqlx"), ("writ-detect", "->", "zstd")]);
        assert_eq!(
            shown(&graph.bans()),
            [
                "writ-console: must not depend on `sqlx`: ask `writ-store`, which owns state and migrations",
                "writ-detect: must not depend on `zstd`: use the decoders of `writ-protocol`, which have a cap",
            ]
        );
    }

    #[test]
    fn a_runtime_is_found_however_deep() {
        let deep = graph(&[("writ-detect", "->", "a"), ("a", "->", "b"), ("b", "->", "tokio"), ("tokio", "->", "a")]);
        assert_eq!(
            shown(&deep.core_purity()),
            ["writ-detect: a core crate does no I/O, but brings `tokio` through `b`"]
        );
        assert!(graph(&[("writ-proxy", "->", "tokio")]).core_purity().is_empty());
        assert_eq!(graph(&[("writ-proxy", "->", "openssl-sys")]).nowhere().len(), 1);
    }

    #[test]
    fn inherited_lints_are_read_from_their_section() {
        assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[package]\nedition.workspace = true\n[dependencies]\nworkspace = true\n"));
        assert!(!inherits_lints("[lints]\n[lints.rust]\nworkspace = true\n"));
    }
}
