//! The proxy auto-configuration file: sends connections to AI services and restricted sign-in hosts to Writ, all else
//! directly. An outage of Writ costs AI, not the internet.
//!
//! Browsers show such a script the host of a URL only, so that there are no rules about paths. There is no way around
//! the proxy in it: a browser that cannot reach Writ does not reach the AI service either.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use writ_catalog::{Catalog, HostMatch, HostMode};

/// How clients reach the forward proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProxyKind {
    /// Without TLS: `PROXY`.
    #[default]
    Plain,
    /// With TLS, because the listener asks for certificates: `HTTPS`.
    Tls,
}

/// The script, in ECMAScript 3, for a proxy at `address` (`proxy.example:8081`).
///
/// A name goes to the proxy if [`Catalog::match_host`] or [`Catalog::sign_in`] knows it, except where Writ would pass
/// the connection on unread and unjudged in any case: hosts with the mode `paths` that the organisation has not turned
/// on, and sign-in hosts without a tenant header to set.
pub fn pac_file(catalog: &Catalog, address: &str, kind: ProxyKind) -> String {
    let routes = Routes::of(catalog);
    let word = match kind {
        ProxyKind::Plain => "PROXY",
        ProxyKind::Tls => "HTTPS",
    };
    let proxy = serde_json::Value::from(format!("{word} {address}"));
    let mut script = String::with_capacity(32 << 10);
    script.push_str("// Connections to AI services go to Writ, all others do not.\n");
    let _ = writeln!(script, "var proxy = {proxy};");
    table(&mut script, "exact", &routes.exact);
    table(&mut script, "below", &routes.below);
    let patterns: Vec<_> =
        routes.patterns.iter().map(|(before, after, here)| serde_json::json!([before, after, here])).collect();
    let _ = writeln!(script, "var patterns = {};", serde_json::Value::from(patterns));
    script.push_str(FUNCTION);
    script
}

const FUNCTION: &str = r#"function fits(name, before, after) {
  var middle = name.length - before.length - after.length;
  return middle > 0 && name.substring(0, before.length) === before &&
    name.substring(name.length - after.length) === after &&
    name.substring(before.length, before.length + middle).indexOf(".") < 0;
}
function route(name) {
  var i, at, tail = name;
  if (exact[name] === 1 || exact[name] === 0) return exact[name];
  for (i = 0; i < patterns.length; i++)
    if (fits(name, patterns[i][0], patterns[i][1])) return patterns[i][2];
  for (;;) {
    if (below[tail] === 1 || below[tail] === 0) return below[tail];
    at = tail.indexOf(".");
    if (at < 0) return 0;
    tail = tail.substring(at + 1);
  }
}
function FindProxyForURL(url, host) {
  var name = host.toLowerCase();
  if (name.charAt(name.length - 1) === ".") name = name.substring(0, name.length - 1);
  return route(name) === 1 ? proxy : "DIRECT";
}
"#;

/// Where names go: 1 to the proxy, 0 directly.
#[derive(Default)]
struct Routes {
    exact: BTreeMap<String, u8>,
    below: BTreeMap<String, u8>,
    /// Before the star, after it; those with the longest end first, as the catalog matches.
    patterns: Vec<(String, String, u8)>,
}

impl Routes {
    fn of(catalog: &Catalog) -> Self {
        let mut routes = Self::default();
        for service in catalog.services() {
            for host in &service.hosts {
                let passed_by = host.mode == HostMode::Paths && catalog.mode_of(service, host) == HostMode::Splice;
                let here = u8::from(!passed_by);
                match host.matching {
                    HostMatch::Exact => drop(routes.exact.insert(host.name.clone(), here)),
                    HostMatch::Suffix => drop(routes.below.insert(host.name.clone(), here)),
                    HostMatch::Pattern => {
                        let (before, after) = host.name.split_once('*').unwrap_or((&host.name, ""));
                        routes.patterns.push((before.to_owned(), after.to_owned(), here));
                    }
                }
            }
        }
        for sign_in in catalog.sign_ins() {
            let here = u8::from(!catalog.tenant_values(&sign_in.id).is_empty());
            routes.exact.extend(sign_in.hosts.iter().map(|host| (host.clone(), here)));
        }
        let literal_end = |after: &str| after.split_once('.').map_or(0, |(_, end)| end.len());
        routes.patterns.sort_by(|a, b| literal_end(&b.1).cmp(&literal_end(&a.1)).then_with(|| a.cmp(b)));
        routes.drop_needless();
        routes
    }

    /// What goes directly needs to be said only below a name that goes to the proxy.
    fn drop_needless(&mut self) {
        let wide: Vec<String> =
            self.below.iter().filter(|(_, here)| **here == 1).map(|(name, _)| name.clone()).collect();
        let ends: Vec<String> = self.patterns.iter().filter(|(.., here)| *here == 1).map(|p| p.1.clone()).collect();
        let covered = |name: &str| {
            let below = |wide: &String| name.strip_suffix(wide.as_str()).is_some_and(|rest| rest.ends_with('.'));
            wide.iter().any(below) || ends.iter().any(|end| name.ends_with(end.as_str()))
        };
        self.exact.retain(|name, here| *here == 1 || covered(name));
        self.below.retain(|name, here| *here == 1 || covered(name));
    }
}

fn table(script: &mut String, name: &str, routes: &BTreeMap<String, u8>) {
    let _ = write!(script, "var {name} = {{");
    for (at, (host, here)) in routes.iter().enumerate() {
        let _ = write!(script, "{}\"{host}\": {here}", if at == 0 { "\n" } else { ",\n" });
    }
    script.push_str("\n};\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};
    use writ_catalog::OrganisationServices;

    const ORGANISATION: &str = r#"
[[tenant]]
at = "google-sign-in"
header = "X-GoogApps-Allowed-Domains"
value = "example.com"

[[mode]]
service = "workers-ai"
mode = "paths"
"#;

    fn catalog() -> Catalog {
        Catalog::builtin().with_organisation(OrganisationServices::load(&[ORGANISATION]).unwrap()).unwrap()
    }

    /// What Writ itself would do with a connection to the name.
    fn expected(catalog: &Catalog, name: &str) -> bool {
        if let Some(sign_in) = catalog.sign_in(name) {
            return !catalog.tenant_values(&sign_in.id).is_empty();
        }
        catalog.match_host(name).is_some_and(|found| !(found.shared() && found.mode() == HostMode::Splice))
    }

    fn names(catalog: &Catalog) -> Vec<String> {
        let hosts = catalog.services().iter().flat_map(|service| service.hosts.iter().map(|host| host.name.clone()));
        let sign_ins = catalog.sign_ins().iter().flat_map(|sign_in| sign_in.hosts.clone());
        let mut names = Vec::new();
        for host in hosts.chain(sign_ins) {
            let plain = host.replace('*', "eu-west");
            names.extend([plain.clone(), plain.to_uppercase(), format!("{plain}."), format!("a.b.{plain}")]);
            names.extend([
                format!("not{plain}"),
                format!("{plain}.example"),
                host.replace('*', "a.b"),
                host.replace('*', ""),
            ]);
        }
        names.extend(["constructor", "toString", "__proto__", "localhost", "192.0.2.1", "", "com"].map(String::from));
        names
    }

    /// The answers of the script, evaluated by Node where it is installed.
    fn evaluated(script: &str, names: &[String]) -> Option<Vec<String>> {
        const HARNESS: &str = "const [script, names] = JSON.parse(require('fs').readFileSync(0));\
            const c = require('vm').createContext({}); require('vm').runInContext(script, c);\
            console.log(JSON.stringify(names.map(n => c.FindProxyForURL('https://' + n + '/', n))));";
        let mut node =
            Command::new("node").args(["-e", HARNESS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let input = serde_json::json!([script, names]).to_string();
        node.stdin.take()?.write_all(input.as_bytes()).ok()?;
        serde_json::from_slice(&node.wait_with_output().ok()?.stdout).ok()
    }

    #[test]
    fn the_script_agrees_with_the_catalog_on_every_name() {
        let catalog = catalog();
        let names = names(&catalog);
        let Some(answers) = evaluated(&pac_file(&catalog, "proxy.example:8081", ProxyKind::Plain), &names) else {
            println!("node is not installed: the script was not evaluated");
            return;
        };
        assert_eq!(answers.len(), names.len());
        let wrong: Vec<_> = names
            .iter()
            .zip(&answers)
            .filter(|(name, answer)| (*answer == "PROXY proxy.example:8081") != expected(&catalog, name))
            .collect();
        assert!(wrong.is_empty(), "{} of {}: {:?}", wrong.len(), names.len(), &wrong[..wrong.len().min(10)]);
        assert!(answers.iter().all(|answer| ["PROXY proxy.example:8081", "DIRECT"].contains(&answer.as_str())));
    }

    #[test]
    fn the_script_is_small_and_old_fashioned() {
        let script = pac_file(&catalog(), "proxy.example:8081", ProxyKind::Tls);
        assert!(script.len() < 64 << 10, "{}", script.len());
        assert!(script.contains("var proxy = \"HTTPS proxy.example:8081\";"));
        for word in ["=>", "let ", "const ", "`", ",]", ",}", ",\n}"] {
            assert!(!script.contains(word), "{word}");
        }
        assert!(!script.contains("login.live.com"), "no tenant header is set there");
    }
}
