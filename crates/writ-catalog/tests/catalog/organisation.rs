//! An organisation's own services and decisions.

use writ_base::Moment;
use writ_catalog::{Catalog, HostMode, OrganisationServices, Vetting};
use writ_model::{Status, Term};

const FILE: &str = r#"
[[service]]
id = "care-copilot"
name = "Care Copilot"
vendor = "Northwind Health"
category = "own-model"
formats = ["openai-chat"]
evidence = { seen = "host", source = "own configuration", date = "2026-11-01" }
hosts = [
    { name = "llm", match = "exact", mode = "inspect" },
    { name = "northwind.openai.azure.com", match = "exact", mode = "inspect" },
]

[[vetting]]
service = "chatgpt"
tier = "enterprise"
status = "approved"
cleared = ["contact", "plain"]
region = "eu"
owner = "head of sales"
since = "2026-01-01"
until = "2027-01-01"

[[vetting]]
service = "chatgpt"
tier = "free"
status = "denied"

[[vetting]]
service = "openai-api"
tier = "standard"
status = "conditional"
cleared = ["plain", "source-code"]

[[vetting]]
service = "deepseek"
tier = "unknown"
status = "denied"

[[mode]]
service = "deepseek"
mode = "refuse"

[[mode]]
service = "notion-ai"
mode = "paths"
"#;

fn catalog() -> Catalog {
    let organisation = OrganisationServices::load(&[FILE]).unwrap();
    Catalog::builtin().with_organisation(organisation).unwrap()
}

fn vetting(service: &str, tier: &str, day: &str) -> Vetting {
    catalog().vetting(service, tier, Moment::parse(day).unwrap())
}

fn error(file: &str) -> String {
    OrganisationServices::load(&[file]).and_then(|o| Catalog::builtin().with_organisation(o)).unwrap_err().to_string()
}

#[test]
fn nothing_said_is_discovered_and_clears_nothing() {
    let nothing = vetting("perplexity", "unknown", "2026-06-01");
    assert_eq!((nothing.status, nothing.cleared.len()), (Status::Discovered, 0));
    assert_eq!(vetting("no-such-service", "free", "2026-06-01").status, Status::Discovered);
}

#[test]
fn a_decision_is_about_one_plan() {
    let enterprise = vetting("chatgpt", "enterprise", "2026-06-01");
    assert_eq!(enterprise.status, Status::Approved);
    assert_eq!(enterprise.cleared.iter().map(Term::as_str).collect::<Vec<_>>(), ["contact", "plain"]);
    assert_eq!(enterprise.region.as_deref(), Some("eu"));
    assert_eq!(vetting("chatgpt", "free", "2026-06-01").status, Status::Denied);
    assert_eq!(vetting("chatgpt", "edu", "2026-06-01").status, Status::Discovered);
}

#[test]
fn an_unknown_plan_is_the_weakest() {
    let unknown = vetting("chatgpt", "unknown", "2026-06-01");
    assert_eq!(unknown.status, Status::Denied);
    assert!(unknown.cleared.is_empty());
    assert_eq!(unknown.region, None);
    // Only one plan is known for this service, and it is decided.
    assert_eq!(vetting("openai-api", "unknown", "2026-06-01").status, Status::Conditional);
}

#[test]
fn a_decision_for_the_unknown_plan_covers_all_plans_not_named() {
    assert_eq!(vetting("deepseek", "free", "2026-06-01").status, Status::Denied);
    assert_eq!(vetting("deepseek", "unknown", "2026-06-01").status, Status::Denied);
}

#[test]
fn a_decision_ends_by_the_clock() {
    assert_eq!(vetting("chatgpt", "enterprise", "2025-12-31T23:59:59Z").status, Status::Discovered);
    assert_eq!(vetting("chatgpt", "enterprise", "2026-01-01").status, Status::Approved);
    assert_eq!(vetting("chatgpt", "enterprise", "2026-12-31T23:59:59Z").status, Status::Approved);
    assert_eq!(vetting("chatgpt", "enterprise", "2027-01-01").status, Status::Discovered);
}

#[test]
fn own_services_match_before_shorter_names() {
    let catalog = catalog();
    let id = |name: &str| catalog.match_host(name).map(|found| found.service.id.as_str());
    assert_eq!(id("northwind.openai.azure.com"), Some("care-copilot"));
    assert_eq!(id("other.openai.azure.com"), Some("azure-openai"));
    assert_eq!(id("llm"), Some("care-copilot"));
    assert_eq!(id("llm.example"), None);
}

#[test]
fn chosen_modes() {
    let catalog = catalog();
    let mode = |name: &str| catalog.match_host(name).unwrap().mode();
    assert_eq!(mode("chat.deepseek.com"), HostMode::Refuse);
    assert_eq!(mode("www.notion.so"), HostMode::Paths);
    assert_eq!(mode("api.box.com"), HostMode::Splice);
    assert_eq!(mode("auth.openai.com"), HostMode::HeadOnly);
}

/// A shared host may hold mail or files, and a sign-in host passwords: no choice opens more of them than its mode says.
#[test]
fn no_choice_opens_a_shared_or_a_sign_in_host() {
    for mode in ["inspect", "head-only", "splice", "refuse"] {
        let file = format!(
            "[[mode]]\nservice = \"notion-ai\"\nmode = \"{mode}\"\n[[mode]]\nservice = \"chatgpt\"\nmode = \"{mode}\""
        );
        let catalog = Catalog::builtin().with_organisation(OrganisationServices::load(&[&file]).unwrap()).unwrap();
        assert_eq!(catalog.match_host("www.notion.so").unwrap().mode(), HostMode::Splice);
        let sign_in = catalog.match_host("auth.openai.com").unwrap().mode();
        assert_eq!(sign_in, if mode == "refuse" { HostMode::Refuse } else { HostMode::HeadOnly });
    }
}

#[test]
fn mistakes_are_named() {
    assert_eq!(
        error("[[vetting]]\nservice = \"chatpgt\"\ntier = \"free\"\nstatus = \"denied\""),
        "no service is called `chatpgt`; run `writ catalog list` for the ids"
    );
    assert_eq!(
        error("[[mode]]\nservice = \"chatpgt\"\nmode = \"splice\""),
        "no service is called `chatpgt`; run `writ catalog list` for the ids"
    );
    let base = "[[vetting]]\nservice = \"grok\"\ntier = \"free\"\nstatus = \"approved\"\n";
    assert!(error(&format!("{base}until = \"soon\"")).contains("`soon` is not a date"));
    assert!(error(&format!("{base}since = \"2026-02-01\"\nuntil = \"2026-02-01\"")).contains("not after"));
    assert!(error(&format!("{base}cleared = [\"Plain\"]")).contains("class `Plain`"));
    assert!(error(&format!("{base}{base}")).contains("tier `free` is decided twice"));
    assert!(error(&base.replace("approved", "ok")).contains("unknown variant `ok`"));
    assert!(error(&FILE.replace("\"care-copilot\"", "\"chatgpt\"")).contains("defined twice"));
}

#[test]
fn decisions_change_the_hash() {
    assert_ne!(catalog().hash(), Catalog::builtin().hash());
    let same = Catalog::builtin().with_organisation(OrganisationServices::default()).unwrap();
    assert_eq!(same.hash(), Catalog::builtin().hash());
}

/// A head for account markers.
struct Head(Vec<(&'static str, &'static str)>, Option<&'static str>);

impl writ_catalog::AccountHints for Head {
    fn header(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value).collect()
    }

    fn claim(&self, pointer: &str) -> Option<String> {
        self.1.filter(|_| pointer == "/email").map(str::to_owned)
    }
}

const ACCOUNTS: &str = r#"
[[tenant]]
at = "google-sign-in"
header = "x-googapps-allowed-domains"
value = "example.com"

[[account]]
service = "chatgpt"
account = "corporate"
tier = "enterprise"
header = "ChatGPT-Account-ID"
values = ["ws-1", "org-*"]

[[account]]
service = "chatgpt"
account = "corporate"
claim = "/email"
values = ["ann@example.com"]

[[account]]
service = "chatgpt"
account = "personal"
header = "authorization"
values = ["*"]

[[account]]
service = "chatgpt"
account = "logged-out"
cookie = "session"
"#;

#[test]
fn the_head_tells_the_account_and_its_plan() {
    use writ_model::Account;
    let organisation = OrganisationServices::load(&[ACCOUNTS]).unwrap();
    let catalog = Catalog::builtin().with_organisation(organisation).unwrap();
    let of = |headers: &[(&'static str, &'static str)], email| {
        let hints = Head(headers.to_vec(), email);
        catalog.account("chatgpt", &hints).map(|(account, tier)| (account, tier.map(ToString::to_string)))
    };
    assert_eq!(of(&[("chatgpt-account-id", "ws-1")], None), Some((Account::Corporate, Some("enterprise".into()))));
    assert_eq!(of(&[("chatgpt-account-id", "org-7")], None), Some((Account::Corporate, Some("enterprise".into()))));
    assert_eq!(of(&[("authorization", "Bearer x")], Some("ann@example.com")), Some((Account::Corporate, None)));
    // Two values of which one is foreign: the service might act by either.
    let two = [("chatgpt-account-id", "ws-1"), ("chatgpt-account-id", "private"), ("cookie", "session=1")];
    assert_eq!(of(&two, None), None);
    assert_eq!(of(&[("authorization", "Bearer x"), ("cookie", "session=1")], None), Some((Account::Personal, None)));
    assert_eq!(of(&[("cookie", "a=1; b=2")], None), Some((Account::LoggedOut, None)));
    assert_eq!(of(&[("cookie", "a=1; session=2")], None), None);
    assert_eq!(catalog.account("claude", &Head(vec![], None)), None);
    assert_eq!(catalog.tenant_values("google-sign-in")[0].value, "example.com");
    assert!(catalog.tenant_values("chatgpt").is_empty());
}

#[test]
fn account_choices_that_mean_nothing_are_refused() {
    let problem = error;
    for (text, expected) in [
        ("[[tenant]]\nat = \"nobody\"\nheader = \"x\"\nvalue = \"y\"", "nobody"),
        ("[[tenant]]\nat = \"google-sign-in\"\nheader = \"cookie\"\nvalue = \"y\"", "no tenant header"),
        (
            "[[tenant]]\nat = \"google-sign-in\"\nheader = \"X-GoogApps-Allowed-Domains\"\nvalue = \"a\\nb\"",
            "visible ASCII",
        ),
        ("[[account]]\nservice = \"chatgpt\"\naccount = \"corporate\"\nvalues = [\"a\"]", "names one of"),
        ("[[account]]\nservice = \"chatgpt\"\naccount = \"unknown\"\nheader = \"a\"\nvalues = [\"a\"]", "shows"),
        ("[[account]]\nservice = \"chatgpt\"\naccount = \"corporate\"\nheader = \"a\"", "`values` is required"),
        ("[[account]]\nservice = \"nobody\"\naccount = \"corporate\"\nheader = \"a\"\nvalues = [\"a\"]", "nobody"),
    ] {
        assert!(problem(text).contains(expected), "{text}: {}", problem(text));
    }
}
