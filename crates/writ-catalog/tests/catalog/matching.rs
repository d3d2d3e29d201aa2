//! Host names to services.

use proptest::prelude::*;
use writ_catalog::{Catalog, HostMatch, HostMode, Service, normalise_path};

fn check(catalog: &Catalog, cases: &[(&str, Option<&str>)]) {
    for (name, expected) in cases {
        let found = catalog.match_host(name).map(|found| found.service.id.as_str());
        assert_eq!(found, *expected, "{name}");
    }
}

#[test]
fn names_that_belong_to_services() {
    check(
        &Catalog::builtin(),
        &[
            ("chatgpt.com", Some("chatgpt")),
            ("CHATGPT.com.", Some("chatgpt")),
            ("ab.cd.chatgpt.com", Some("chatgpt")),
            ("sora.chatgpt.com", Some("sora")),
            ("api.openai.com", Some("openai-api")),
            ("chat.openai.com", Some("chatgpt")),
            ("new-thing.openai.com", Some("chatgpt")),
            ("api.anthropic.com", Some("anthropic-api")),
            ("us-east5-aiplatform.googleapis.com", Some("vertex-ai")),
            ("bedrock-runtime.eu-central-1.amazonaws.com", Some("amazon-bedrock")),
            ("our-resource.openai.azure.com", Some("azure-openai")),
            ("api.business.githubcopilot.com", Some("github-copilot")),
            ("site.atlassian.net", Some("atlassian-rovo")),
        ],
    );
}

#[test]
fn hostile_and_ordinary_names_that_do_not() {
    let long = format!("{}chatgpt.com", "x".repeat(100_000));
    check(
        &Catalog::builtin(),
        &[
            ("", None),
            (".", None),
            ("com", None),
            ("chatgpt.com.evil.example", None),
            ("xchatgpt.com", None),
            ("chatgpt.com..", None),
            ("chatgpt.com:443", None),
            ("chatgpt.com/", None),
            ("chatgpt.co", None),
            ("hatgpt.com", None),
            ("chatgpt\u{ff0e}com", None),
            ("ch\u{430}tgpt.com", None),
            ("-aiplatform.googleapis.com", None),
            ("a.b-aiplatform.googleapis.com", None),
            ("evil.bedrock-runtime.eu-central-1.amazonaws.com", None),
            ("bedrock-runtime.a.b.amazonaws.com", None),
            ("bedrock-runtime.eu-central-1.amazonaws.com.evil.example", None),
            ("mail.google.com", None),
            ("xapi.anthropic.com.evil.example", None),
            (&long, None),
        ],
    );
}

#[test]
fn a_host_may_tell_the_plan() {
    let catalog = Catalog::builtin();
    let tier = |name: &str| catalog.match_host(name).unwrap().host.tier.clone();
    assert_eq!(tier("api.business.githubcopilot.com").as_deref(), Some("business"));
    assert_eq!(tier("api.githubcopilot.com"), None);
}

#[test]
fn sign_in_hosts_are_no_services() {
    let catalog = Catalog::builtin();
    assert_eq!(catalog.sign_in("login.microsoftonline.com").map(|s| s.id.as_str()), Some("microsoft-sign-in"));
    assert!(catalog.match_host("login.microsoftonline.com").is_none());
    assert!(catalog.sign_in("chatgpt.com").is_none());
    assert!(catalog.sign_in("x.login.live.com").is_none());
}

#[test]
fn a_shared_host_is_spliced_and_no_evidence_until_turned_on() {
    let catalog = Catalog::builtin();
    let found = catalog.match_host("www.notion.so").unwrap();
    assert_eq!(found.mode(), HostMode::Splice);
    assert!(found.shared());
    assert!(!catalog.match_host("chatgpt.com").unwrap().shared());
}

#[test]
fn ai_paths_however_they_are_spelled() {
    let catalog = Catalog::builtin();
    let ai = |host: &str, target: &str| catalog.match_host(host).unwrap().host.ai_path(target);
    for target in [
        "/2.0/ai/ask",
        "/2.0/ai/ask?x=1",
        "/2.0/AI/ask",
        "//2.0//ai/ask",
        "/2.0/files/../ai/ask",
        "/2.0/%61i/ask",
        "/2.0/%2561i/ask",
        "\\2.0\\ai\\ask",
        "/2.0;v=1/ai/ask",
        "/2.0/./ai/ask",
    ] {
        assert!(ai("api.box.com", target), "{target}");
    }
    for target in ["/2.0/files/1", "/", "", "/2.0/ai", "/2.0/aid/ask", "/x/2.0/ai/ask", "/2.0/ai/../files", "*"] {
        assert!(!ai("api.box.com", target), "{target}");
    }
    assert!(ai("api.cloudflare.com", "/client/v4/accounts/abc123/ai/run/@cf/meta/llama"));
    assert!(!ai("api.cloudflare.com", "/client/v4/accounts/abc123/workers/ai/"));
    assert!(ai("www.bing.com", "/chat"));
    assert!(!ai("www.bing.com", "/chatroom"));
    assert!(ai("chatgpt.com", "/anything"), "outside mode `paths` every path is");
}

/// What the documentation says, without an index: exact, else pattern, else the longest suffix.
fn oracle<'c>(services: &'c [Service], name: &str) -> Option<&'c str> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let rank = |kind: HostMatch| match kind {
        HostMatch::Exact => 2,
        HostMatch::Pattern => 1,
        HostMatch::Suffix => 0,
    };
    let fits = |host: &str, kind: HostMatch| match kind {
        HostMatch::Exact => name == host,
        HostMatch::Suffix => name == host || name.ends_with(&format!(".{host}")),
        HostMatch::Pattern => {
            let (before, after) = host.split_once('*').unwrap();
            let star = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            star.is_some_and(|star| !star.is_empty() && !star.contains('.'))
        }
    };
    services
        .iter()
        .flat_map(|service| service.hosts.iter().map(move |host| (service, host)))
        .filter(|(_, host)| fits(&host.name, host.matching))
        .max_by_key(|(_, host)| (rank(host.matching), host.name.len()))
        .map(|(service, _)| service.id.as_str())
}

/// A catalog host, then changed in the ways that attackers and ordinary subdomains change names.
fn name() -> impl Strategy<Value = String> {
    let catalog = Catalog::builtin();
    let hosts: Vec<String> =
        catalog.services().iter().flat_map(|s| s.hosts.iter().map(|h| h.name.replace('*', "eu-west-1"))).collect();
    let part = "[a-zA-Z0-9.\\-_é ]{0,12}";
    (proptest::sample::select(hosts), part, part, 0..6u8).prop_map(|(host, front, back, how)| match how {
        0 => host,
        1 => format!("{front}{host}"),
        2 => format!("{front}.{host}"),
        3 => format!("{host}{back}"),
        4 => format!("{front}.{}.", host.to_uppercase()),
        _ => format!("{front}.{back}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_index_agrees_with_the_oracle(names in proptest::collection::vec(name(), 1..4)) {
        thread_local!(static CATALOG: Catalog = Catalog::builtin());
        CATALOG.with(|catalog| {
            for name in names {
                let found = catalog.match_host(&name).map(|found| found.service.id.clone());
                prop_assert_eq!(found.as_deref(), oracle(catalog.services(), &name), "{}", name);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_normal_path_stays_as_it_is(path in "(/[a-zA-Z0-9._\\-:@]{1,8}){1,5}/?") {
        prop_assume!(!path.split('/').any(|segment| segment == "." || segment == ".."));
        prop_assert_eq!(normalise_path(&path), path);
    }

    #[test]
    fn any_path_has_a_normal_form(path in "\\PC{0,40}|[/.%;\\\\2fFeE]{0,40}") {
        let once = normalise_path(&path);
        prop_assert!(once.starts_with('/'));
        prop_assert!(!once.contains("//"));
        prop_assert!(!once.split('/').any(|segment| segment == "." || segment == ".."));
    }
}
