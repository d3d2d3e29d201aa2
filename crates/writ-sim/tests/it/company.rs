//! The script of the company, sent to the simulated services.

use std::collections::{BTreeMap, BTreeSet};

use http::Request;
use http_body_util::Full;
use writ_sim::company::{
    CORPORATE_ACCOUNT, Company, Format, PERSONAL_ACCOUNT_PREFIX, ProxyRequest, Scene, ScriptedTurn, Service,
    TurnRequest, Way,
};
use writ_sim::services::{ProviderKeys, ServicesOptions, Site, start};

use crate::client::send;

fn first(turns: usize) -> Vec<ScriptedTurn> {
    Company::seeded(7).script().take(turns).collect()
}

#[test]
fn the_same_seed_has_the_same_script() {
    assert_eq!(first(200), first(200));
    assert_ne!(first(200), Company::seeded(8).script().take(200).collect::<Vec<_>>());
}

#[test]
fn every_scene_comes_early_and_every_way_format_and_language_is_used() {
    for seed in [1, 7, 42] {
        let turns: Vec<ScriptedTurn> = Company::seeded(seed).script().take(400).collect();
        let early: BTreeSet<Scene> = turns.iter().take(200).map(|turn| turn.scene).collect();
        assert_eq!(early.len(), Scene::ALL.len(), "seed {seed}");
        let formats: BTreeSet<Format> = turns.iter().map(|turn| turn.service.format).collect();
        let ways: BTreeSet<Way> = turns.iter().map(|turn| turn.way).collect();
        let languages: BTreeSet<&str> = turns.iter().map(|turn| turn.member.language.tag()).collect();
        let services: BTreeSet<&str> = turns.iter().map(|turn| turn.service.host).collect();
        assert_eq!((formats.len(), ways.len(), languages.len(), services.len()), (4, 4, 3, 8), "seed {seed}");
        assert!(turns.iter().any(|turn| turn.streamed) && turns.iter().any(|turn| !turn.streamed));
        assert!(turns.iter().enumerate().all(|(index, turn)| turn.sequence == index + 1));
    }
}

#[test]
fn most_of_it_is_harmless() {
    for seed in [1, 7, 42] {
        let turns: Vec<ScriptedTurn> = Company::seeded(seed).script().take(3000).collect();
        let remarkable = turns.iter().filter(|turn| turn.remarkable()).count();
        assert!((300..=540).contains(&remarkable), "seed {seed}: {remarkable} of 3000");
    }
}

#[test]
fn people_write_while_they_work_and_time_goes_on() {
    let turns = first(2000);
    let mut days = BTreeSet::new();
    for pair in turns.windows(2) {
        assert!(pair[0].at <= pair[1].at);
    }
    for turn in &turns {
        days.insert(turn.at.day);
        assert!(turn.at.day % 7 < 5 && (7 * 60..24 * 60).contains(&turn.at.minute), "{}", turn.at);
    }
    assert!(days.len() > 5, "{} days", days.len());
    let late = turns.iter().filter(|turn| turn.at.minute > 20 * 60);
    assert!(late.into_iter().all(|turn| !turn.member.role.person()));
}

#[test]
fn planted_values_stand_in_the_request_and_only_in_scenes_that_are_sensitive() {
    for turn in first(600) {
        let body: serde_json::Value = serde_json::from_str(&turn.request().body).unwrap();
        let text = strings(&body);
        for planted in &turn.planted {
            assert!(text.contains(&planted.value), "{:?} in turn {}", planted.kind, turn.sequence);
        }
        assert!(!text.contains("{name}") && !text.contains("{card}") && !text.contains("{number}"), "{text}");
        let plain = matches!(
            turn.scene,
            Scene::Harmless
                | Scene::Conversation
                | Scene::DeniedService
                | Scene::AgentRead
                | Scene::Mail
                | Scene::Log
                | Scene::Spreadsheet
                | Scene::PersonalAccount
                | Scene::Trial
                | Scene::Counsel
        );
        let fetched = match turn.scene {
            Scene::AgentReadsSecret => turn.utterances.len() > 1,
            Scene::LongAgentRun => turn.fresh().count() > 0,
            _ => true,
        };
        assert_eq!(turn.planted.is_empty(), plain || !fetched, "{:?} in turn {}", turn.scene, turn.sequence);
    }
}

#[test]
fn conversations_resend_their_history() {
    let mut last: BTreeMap<usize, ScriptedTurn> = BTreeMap::new();
    for later in first(600) {
        if let Some(earlier) = last.get(&later.conversation) {
            let kept = later.scene == Scene::LongAgentRun || later.utterances.starts_with(&earlier.utterances);
            assert!(kept && later.member == earlier.member && later.service == earlier.service);
            assert!(later.utterances.len() > earlier.utterances.len() || !earlier.planted.is_empty());
        }
        last.insert(later.conversation, later);
    }
}

#[test]
fn an_agent_goes_on_without_the_file_of_keys() {
    let turns = first(400);
    let run = turns.iter().find(|turn| turn.scene == Scene::LongAgentRun).unwrap().conversation;
    let run: Vec<&ScriptedTurn> = turns.iter().filter(|turn| turn.conversation == run).collect();
    let with_keys: Vec<usize> = (0..run.len()).filter(|at| !run[*at].planted.is_empty()).collect();
    assert_eq!(run.len(), 13);
    assert_eq!(with_keys, [5]);
    assert!(run[5].planted.len() >= 10);
    for later in &run[6..] {
        let body = later.request().body;
        assert!(run[5].planted.iter().all(|planted| !body.contains(&planted.value)));
        assert!(body.contains("was not sent"));
    }
}

#[test]
fn a_proxied_turn_looks_like_its_client() {
    for turn in first(400).into_iter().filter(|turn| turn.way.proxied()) {
        let request = turn.request_through_proxy("sk-of-the-service");
        let header = |name: &str| request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert_eq!((request.host, request.port), (turn.service.host, 443));
        assert_eq!((&request.login, &request.password), (&turn.member.login, &turn.member.password));
        assert_eq!(header("user-agent"), Some(turn.way.user_agent()));
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(header("sec-fetch-mode"), (turn.way == Way::Browser).then_some("cors"));
        let keyed = request.headers.iter().any(|(_, value)| value.contains("sk-of-the-service"));
        assert_eq!(keyed, !turn.service.chat());
        let all = format!("{} {:?}", request.path, request.headers);
        let personal = turn.scene == Scene::PersonalAccount;
        assert_eq!(all.contains(PERSONAL_ACCOUNT_PREFIX), personal, "{all}");
        assert_eq!(all.contains(CORPORATE_ACCOUNT), turn.service.chat() && !personal, "{all}");
        assert!(!format!("{request:?}").contains(&turn.member.password));
        let names: BTreeSet<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), request.headers.len(), "{:?}", request.headers);
    }
}

#[test]
fn a_turn_as_json_names_no_credential() {
    for turn in first(100) {
        let json = turn.to_json();
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["login"], *turn.member.login);
        assert!(!json.contains(&turn.member.key) && !json.contains(&turn.member.password));
        assert!(document["body"].is_object());
    }
}

#[test]
fn the_opening_reads_as_it_should() {
    let lines = first(24).into_iter().map(|turn| {
        let streamed = if turn.streamed { "stream" } else { "plain" };
        let (who, format) = (&turn.member, turn.service.format);
        let kinds: Vec<String> = turn.planted.iter().map(|planted| format!("{:?}", planted.kind)).collect();
        format!(
            "{:2} {} {:?} | {} {} {} {} | {} {} {format:?} {streamed} | {} | {}\n",
            turn.sequence,
            turn.at,
            turn.scene,
            who.login,
            who.department.group(),
            who.role.word(),
            who.language.tag(),
            turn.way.channel(),
            turn.service.id,
            turn.text().replace('\n', "⏎"),
            kinds.join(", "),
        )
    });
    insta::assert_snapshot!(lines.collect::<String>());
}

#[tokio::test]
async fn the_services_accept_every_turn_and_see_what_was_planted() {
    let sites = Service::ALL.iter().filter(|service| service.chat());
    let sites = sites.map(|service| Site::chat(service.host, service.id, service.model, "#123456")).collect();
    let names = vec!["api.deepseek.com".to_owned()];
    let services = start(ServicesOptions { names, sites, ..ServicesOptions::default() }).await.unwrap();
    let keys = ProviderKeys::default();
    for turn in first(220) {
        let key = match turn.service.format {
            Format::Chat | Format::Responses => &keys.openai,
            Format::Messages => &keys.anthropic,
            Format::Gemini => &keys.gemini,
        };
        let request = match turn.way.proxied() {
            true => {
                let ProxyRequest { path, headers, body, .. } = turn.request_through_proxy(key);
                TurnRequest { path, headers, body }
            }
            false => turn.request_with_key(key),
        };
        let answer = send(&services, turn.service.host, sent(turn.service.host, request)).await;
        assert_eq!(answer.status, 200, "{:?} {}", turn.scene, answer.text());
        let arrived = services.journal.last().unwrap();
        for planted in &turn.planted {
            assert!(services.journal.contains(&planted.value));
        }
        assert_eq!(arrived.host, turn.service.host);
        assert!(!services.journal.contains(&turn.member.key));
    }
    services.stop().await;
}

fn sent(host: &str, request: TurnRequest) -> Request<Full<bytes::Bytes>> {
    let mut builder = Request::builder().method("POST").uri(request.path).header("host", host);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(request.body.into())).unwrap()
}

fn strings(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => format!("{text}\n"),
        serde_json::Value::Array(items) => items.iter().map(strings).collect(),
        serde_json::Value::Object(members) => members.values().map(strings).collect(),
        _ => String::new(),
    }
}
