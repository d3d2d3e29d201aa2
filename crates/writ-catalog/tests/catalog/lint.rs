//! Lint of the data that ships.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use writ_catalog::{BUILTIN_TEXTS, Catalog, HostMode, Seen};
use writ_model::{Category, Value};

fn tables(text: &str, key: &str) -> Vec<toml::Table> {
    let table: toml::Table = text.parse().unwrap();
    let rows = table.get(key).and_then(|rows| rows.as_array()).cloned().unwrap_or_default();
    rows.into_iter().map(|row| row.as_table().unwrap().clone()).collect()
}

fn words(tables: &[toml::Table], key: &str) -> Vec<String> {
    tables.iter().map(|table| table[key].as_str().unwrap().to_owned()).collect()
}

fn rows(table: &toml::Table, key: &str) -> Vec<toml::Table> {
    let rows = table.get(key).and_then(|rows| rows.as_array()).cloned().unwrap_or_default();
    rows.into_iter().map(|row| row.as_table().unwrap().clone()).collect()
}

fn sorted(words: &[String]) -> bool {
    words.windows(2).all(|pair| pair[0] < pair[1])
}

#[test]
fn every_file_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/services");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let texts: Vec<String> = names.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(texts, BUILTIN_TEXTS);
}

#[test]
fn services_hosts_and_tiers_are_sorted_within_a_file_of_one_category() {
    for text in BUILTIN_TEXTS {
        let services = tables(text, "service");
        assert!(sorted(&words(&services, "id")), "{:?}", words(&services, "id"));
        let categories: BTreeSet<String> = words(&services, "category").into_iter().collect();
        assert!(categories.len() <= 1, "{categories:?}");
        for service in &services {
            assert!(sorted(&words(&rows(service, "hosts"), "name")), "hosts of {}", service["id"]);
            assert!(sorted(&words(&rows(service, "tier"), "id")), "tiers of {}", service["id"]);
        }
        assert!(sorted(&words(&tables(text, "sign-in"), "id")));
    }
}

#[test]
fn about_a_hundred_services_with_the_names_that_everybody_knows() {
    let catalog = Catalog::builtin();
    assert!(catalog.services().len() >= 100, "{}", catalog.services().len());
    for id in [
        "amazon-bedrock",
        "anthropic-api",
        "azure-openai",
        "chatgpt",
        "claude",
        "cohere",
        "cursor",
        "deepseek",
        "elevenlabs",
        "fireflies",
        "gemini",
        "gemini-api",
        "gemini-workspace",
        "github-copilot",
        "grammarly",
        "grok",
        "groq",
        "hf-inference",
        "huggingchat",
        "jetbrains-ai",
        "le-chat",
        "m365-copilot",
        "microsoft-copilot",
        "midjourney",
        "mistral-api",
        "notion-ai",
        "openai-api",
        "openrouter",
        "otter",
        "perplexity",
        "salesforce-einstein",
        "windsurf",
    ] {
        assert!(catalog.service(id).is_some(), "{id}");
    }
}

#[test]
fn every_category_of_public_services_has_one() {
    let catalog = Catalog::builtin();
    let seen: BTreeSet<Category> = catalog.services().iter().map(|service| service.category).collect();
    let none = [Category::OwnModel, Category::Data, Category::Other, Category::Unknown];
    let expected: BTreeSet<Category> = Category::ALL.iter().copied().filter(|c| !none.contains(c)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn evidence_fits_the_hosts() {
    for service in Catalog::builtin().services() {
        let paths = service.hosts.iter().any(|host| host.mode == HostMode::Paths);
        match service.evidence.seen {
            Seen::AdminLogs => assert!(service.hosts.is_empty(), "{}", service.id),
            Seen::HostAndPath => assert!(paths, "{}", service.id),
            Seen::Host => {
                let plain = service.hosts.iter().any(|host| host.mode == HostMode::Inspect);
                assert!(plain, "{}", service.id);
            }
        }
    }
}

/// Domains that also serve mail, files, search or a whole cloud: a suffix over one of them would call all of it AI.
#[test]
fn no_generic_domain_is_inspected_as_a_whole() {
    let generic = [
        "amazonaws.com",
        "atlassian.net",
        "azure.com",
        "bing.com",
        "box.com",
        "cloudflare.com",
        "github.com",
        "google.com",
        "googleapis.com",
        "ibm.com",
        "microsoft.com",
        "notion.so",
        "office.com",
        "salesforce.com",
        "slack.com",
        "zapier.com",
        "zoom.us",
    ];
    let catalog = Catalog::builtin();
    for name in generic {
        for host in [name.to_owned(), format!("www.{name}"), format!("mail.{name}")] {
            let found = catalog.match_host(&host);
            assert!(found.is_none_or(|found| found.shared()), "{host}");
        }
    }
}

#[test]
fn a_fact_that_is_known_is_dated_before_the_data_was_reviewed() {
    for service in Catalog::builtin().services() {
        let mut dates = vec![service.evidence.date.as_str()];
        dates.extend(service.tenant_headers.iter().map(|header| header.date.as_str()));
        assert!(dates.iter().all(|date| ("2024".."2026-12").contains(date)), "{} {dates:?}", service.id);
    }
}
