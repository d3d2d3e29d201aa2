//! Every address for every role: what the table says is what the router does.

use writ_console::routes::{Access, Method, ROUTES};
use writ_identity::{Role, allows};

use crate::client::{Browser, Office, office};

fn filled(path: &str, office: &Office) -> String {
    path.replace("{ticket}", "0000")
        .replace("{code}", office.stop.reference.as_deref().unwrap())
        .replace("{choice}", "objection")
        .replace("{tour}", "look")
        .replace("{name}", "wave")
        .replace("{file}", "none.css")
        .replace("{id}", &office.stop.interaction)
}

/// Whether the guard let it through: whatever the page itself then says of what was asked.
fn let_through(status: u16, location: &str) -> bool {
    !(status == 401 || status == 403 || location.starts_with("/login?next="))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_for_every_role() {
    let office = office().await;
    let mut failures = Vec::new();
    for role in [None].into_iter().chain(Role::ALL.iter().copied().map(Some)) {
        let login = role.map(|role| if role == Role::Employee { "ana" } else { role.as_str() });
        for route in ROUTES {
            // Signing out and changing the password end the session that the rest is asked with.
            let mut browser = match login {
                Some(login) if matches!(route.path, "/logout") => Browser::signed_in(&office.world, login).await,
                Some(login) => office_browser(&office, login).await,
                None => Browser::new(&office.world),
            };
            let path = filled(route.path, &office);
            let answer = match route.method {
                Method::Get => browser.get(&path).await,
                Method::Post if path.starts_with("/api/") => browser.post_json(&path, &serde_json::json!({})).await,
                Method::Post => browser.post(&path, &[]).await,
            };
            let expected = match route.access {
                Access::Anyone => continue,
                Access::SignedIn => role.is_some(),
                Access::Needs(permission) => role.is_some_and(|role| allows(role, permission)),
            };
            let through = let_through(answer.status, answer.header("location"));
            if through != expected {
                failures.push(format!("{:?} {} {}: {}", role, route.method.as_str(), route.path, answer.status));
            }
            assert_ne!(answer.status, 500, "{role:?} {} {}", route.path, answer.body);
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// With a token of a role programs reach what the role may in the interface, and nothing outside it.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_for_a_token_of_every_role() {
    let office = office().await;
    let mut failures = Vec::new();
    for role in Role::ALL {
        let login = if *role == Role::Employee { "ana" } else { role.as_str() };
        let mut program = program(&office, login, *role).await;
        for route in ROUTES {
            let path = filled(route.path, &office);
            let answer = match route.method {
                Method::Get => program.get(&path).await,
                Method::Post => program.post_json(&path, &serde_json::json!({})).await,
            };
            let expected = path.starts_with("/api/")
                && match route.access {
                    Access::Anyone | Access::SignedIn => true,
                    Access::Needs(permission) => allows(*role, permission),
                };
            let through = let_through(answer.status, answer.header("location"));
            if route.access != Access::Anyone && through != expected {
                failures.push(format!("{role} {} {}: {}", route.method.as_str(), route.path, answer.status));
            }
            assert_ne!(answer.status, 500, "{role} {} {}", route.path, answer.body);
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// A program with a token of this login's account for one role; it has no cookies.
pub async fn program(office: &Office, login: &str, role: Role) -> Browser {
    let login = writ_base::Sensitive::new(login.to_owned());
    let (account, _) = office.world.state.account_by_login(&login).await.unwrap().unwrap();
    let day = std::time::Duration::from_secs(86_400);
    let made = office.world.accounts.make_token(account.id, &[role].into(), day, role).await.unwrap();
    let mut program = Browser::new(&office.world);
    program.extra.push(("authorization".into(), format!("Bearer {}", made.1.expose())));
    program
}

/// One session for each role is enough.
async fn office_browser(office: &Office, login: &str) -> Browser {
    use parking_lot::Mutex;
    use std::collections::BTreeMap;
    static KEPT: Mutex<BTreeMap<String, Browser>> = Mutex::new(BTreeMap::new());
    if let Some(browser) = KEPT.lock().get(login).cloned() {
        return browser;
    }
    let browser = Browser::signed_in(&office.world, login).await;
    KEPT.lock().insert(login.to_owned(), browser.clone());
    browser
}

#[test]
fn no_address_stands_twice_and_every_act_is_a_post() {
    let mut seen = std::collections::BTreeSet::new();
    for route in ROUTES {
        assert!(seen.insert((route.method.as_str(), route.path)), "{}", route.path);
        assert!(!route.says.is_empty());
    }
}

fn golden(path: &str, fresh: &str) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("WRIT_UPDATE").is_some() {
        std::fs::write(&path, fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "{path} is out of date: run again with WRIT_UPDATE=1 and look at the difference");
}

#[test]
fn the_interface_is_as_it_was_published() {
    let value = serde_json::to_value(writ_console::openapi()).unwrap();
    golden("openapi.json", &format!("{}\n", serde_json::to_string_pretty(&value).unwrap()));
}

#[test]
fn the_guide_has_the_table_of_addresses() {
    let path = "../../docs/guides/console.md";
    let full = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(full).unwrap_or_default();
    let (before, rest) = page.split_once("<!-- routes -->\n").expect("the guide has a place for the table");
    let (_, after) = rest.split_once("<!-- end -->").expect("the table ends");
    golden(path, &format!("{before}<!-- routes -->\n{}<!-- end -->{after}", writ_console::routes::render()));
}
