//! Each host mode, as clients and sites see it.

use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use writ_model::{Account, Action, Effect, UnreadReason};
use writ_proxy::forward::PersonalAccounts;

use crate::world::{Setup, World, exchange, handshake, with_length};

const PROMPT: &str = r#"{"model":"gpt-5","messages":[{"role":"user","content":"Say hello."}]}"#;
const SECRET: &str = r#"{"model":"gpt-5","messages":[{"role":"user","content":"key AKIAQYLPMN5HHHFPZAM2 secret ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"}]}"#;
const CHAT: &str = "POST /v1/chat/completions\r\nContent-Type: application/json\r\nAuthorization: Bearer sk-callers-own\r\nUser-Agent: curl/8\r\n";

#[tokio::test]
async fn an_inspected_prompt_goes_through_with_the_callers_own_key() {
    let world = World::new().await;
    let answer = world.ask("api.openai.com", CHAT, PROMPT).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("Hello."), "{answer:?}");
    assert!(!answer.has("alt-svc"), "no way around the proxy");
    let seen = world.visits.last();
    assert_eq!((seen.path.as_str(), seen.body.as_ref()), ("/v1/chat/completions", PROMPT.as_bytes()));
    assert_eq!(seen.host, "api.openai.com");
    assert_eq!(seen.headers["authorization"], "Bearer sk-callers-own");
    assert!(seen.headers.get("proxy-authorization").is_none() && seen.headers.get("via").is_none());
    let decisions = world.decisions().await;
    assert_eq!(decisions.len(), 1);
    assert_eq!((&*decisions[0].service, decisions[0].action), ("openai-api", Action::Submit));
    assert_eq!(world.outcomes(1).await.len(), 1);
}

#[tokio::test]
async fn a_stopped_prompt_never_leaves_and_programs_get_an_error_they_understand() {
    let world = World::new().await;
    let answer = world.ask("api.openai.com", CHAT, SECRET).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains("policy_violation"), "{answer:?}");
    assert_eq!(world.visits.count(), 0);
    assert_eq!(world.decisions().await[0].enforced, Effect::Block);
}

#[tokio::test]
async fn http2_is_spoken_on_both_sides() {
    let world = World::new().await;
    let request = Request::post("https://api.openai.com/v1/chat/completions")
        .header("content-type", "application/json")
        .body(PROMPT)
        .unwrap();
    let answer = world.ask_h2("api.openai.com", request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.has("alt-svc"));
    let seen = world.visits.last();
    assert_eq!((seen.version, seen.host.as_str()), (http::Version::HTTP_2, "api.openai.com"));
    let request = Request::post("https://api.openai.com/v1/chat/completions")
        .header("content-type", "application/json")
        .body(SECRET)
        .unwrap();
    assert_eq!(world.ask_h2("api.openai.com", request).await.status, 403);
    assert_eq!(world.visits.count(), 1);
}

#[tokio::test]
async fn other_hosts_keep_their_certificate_and_leave_no_record() {
    let world = World::new().await;
    let stream = world.connect("bank.example:443").await.unwrap();
    let stream = handshake(&world.trusting_sites(), "bank.example", stream).await.unwrap();
    let body = "x".repeat(200_000);
    let answer = exchange(stream, &with_length("bank.example", "POST /transfer\r\nCookie: a=b\r\n", &body)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.has("alt-svc"), "not a byte is touched");
    let seen = world.visits.last();
    assert_eq!((seen.body.len(), seen.headers["cookie"].to_str().unwrap()), (200_000, "a=b"));
    assert!(world.decisions().await.is_empty());
    // Writ has no certificate for it.
    let stream = world.connect("bank.example:443").await.unwrap();
    assert!(handshake(&world.trusting_writ(&["http/1.1"]), "bank.example", stream).await.is_err());
}

#[tokio::test]
async fn a_spliced_ai_service_is_judged_as_a_tunnel() {
    let world = World::new().await;
    let stream = world.connect("claude.ai:443").await.unwrap();
    let stream = handshake(&world.trusting_sites(), "claude.ai", stream).await.unwrap();
    assert_eq!(exchange(stream, &with_length("claude.ai", "GET /chat", "")).await.status, 200);
    let decisions = world.decisions().await;
    assert_eq!(
        (&*decisions[0].service, decisions[0].action, decisions[0].enforced),
        ("claude", Action::Tunnel, Effect::Allow)
    );
    let outcome = &world.outcomes(1).await[0];
    assert!(outcome.bytes_up > 300 && outcome.bytes_down > 300, "{outcome:?}");

    let refused = world.connect("www.perplexity.ai:443").await.unwrap_err();
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert_eq!(world.decisions().await[1].enforced, Effect::Block);
    assert_eq!(world.visits.count(), 1);
}

#[tokio::test]
async fn a_refused_host_says_so_inside_tls() {
    let world = World::new().await;
    let page =
        "GET /\r\nUser-Agent: Mozilla/5.0\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\nAccept-Language: de\r\n";
    let answer = world.ask("chat.deepseek.com", page, "").await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.head.contains("text/html") && answer.body.contains("lang=\"de\""), "{answer:?}");
    let fetch = "POST /api\r\nUser-Agent: Mozilla/5.0\r\nSec-Fetch-Mode: cors\r\nContent-Type: application/json\r\n";
    let answer = world.ask("chat.deepseek.com", fetch, "{}").await;
    assert_eq!(answer.status, 403);
    assert!(!answer.head.contains("text/html"), "a script's fetch never gets a page: {answer:?}");
    assert_eq!(world.visits.count(), 0);
    assert_eq!(world.decisions().await.len(), 2);
}

#[tokio::test]
async fn of_a_sign_in_host_only_the_head_is_touched() {
    let world = World::new().await;
    let login = "POST /signin\r\nX-GoogApps-Allowed-Domains: attacker.example\r\nCookie: c=d\r\nContent-Type: application/json\r\n";
    let answer = world.ask("accounts.google.com", login, SECRET).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.has("alt-svc"));
    let seen = world.visits.last();
    assert_eq!(seen.headers.get_all("x-googapps-allowed-domains").iter().collect::<Vec<_>>(), ["northwind.example"]);
    assert_eq!(seen.headers["cookie"], "c=d");
    assert_eq!(seen.body.as_ref(), SECRET.as_bytes(), "its body is nobody's business");
    assert!(world.decisions().await.is_empty());
    // An upgrade would be a body that nobody reads and no head that anybody sets.
    let upgrade = "GET /x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n";
    assert_eq!(world.ask("accounts.google.com", upgrade, "").await.status, 200);
    assert!(world.visits.last().headers.get("upgrade").is_none());
}

#[tokio::test]
async fn of_a_shared_host_only_the_ai_paths_are_read() {
    let world = World::new().await;
    let json = "Content-Type: application/json\r\n";
    let answer = world.ask("cloud.gitlab.com", &format!("POST /projects/notes\r\n{json}"), SECRET).await;
    assert_eq!((answer.status, world.visits.count()), (200, 1), "{answer:?}");
    assert!(world.decisions().await.is_empty());
    for spelling in ["/ai/v1/chat", "/AI/v1/chat", "/%61i/v1/chat", "/x/../ai/v1/chat", "//ai/v1/chat"] {
        let answer = world.ask("cloud.gitlab.com", &format!("POST {spelling}\r\n{json}"), SECRET).await;
        assert_eq!((answer.status, world.visits.count()), (403, 1), "{spelling}: {answer:?}");
    }
    // Another protocol passes where nothing is read anyway.
    let mut stream = world.inside("cloud.gitlab.com").await;
    stream
        .write_all(
            b"GET /cable HTTP/1.1\r\nHost: cloud.gitlab.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream.write_all(b"ping").await.unwrap();
    let mut pong = [0; 4];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"ping");
}

#[tokio::test]
async fn the_head_tells_the_account() {
    let world = World::new().await;
    let head = |account: &str| {
        format!("POST /backend-api/conversation\r\nContent-Type: application/json\r\nchatgpt-account-id: {account}\r\n")
    };
    let corporate = world.ask("chatgpt.com", &head("ws-northwind"), PROMPT).await;
    assert_eq!(corporate.status, 200, "{corporate:?}");
    assert_eq!(world.visits.last().headers["chatgpt-allowed-workspace-id"], "ws-northwind");
    let personal = world.ask("chatgpt.com", &head("ws-private"), PROMPT).await;
    assert_eq!((personal.status, world.visits.count()), (403, 1), "{personal:?}");
    let accounts: Vec<_> = world.decisions().await.iter().map(|d| (d.account, d.read_in_full)).collect();
    assert_eq!(accounts, [(Account::Corporate, true), (Account::Personal, false)]);
}

#[tokio::test]
async fn a_personal_account_may_stream_unread() {
    let world = World::with(Setup { personal_accounts: PersonalAccounts::Unread, ..Setup::default() }).await;
    let head = "POST /backend-api/conversation\r\nContent-Type: application/json\r\nchatgpt-account-id: mine\r\n";
    let answer = world.ask("chatgpt.com", head, SECRET).await;
    assert_eq!((answer.status, world.visits.count()), (200, 1), "{answer:?}");
    assert_eq!(world.visits.last().body.as_ref(), SECRET.as_bytes());
    assert_eq!(world.decisions().await[0].unread, Some(UnreadReason::PersonalAccount));
}

#[tokio::test]
async fn two_people_behind_one_address_are_two_principals() {
    let world = World::new().await;
    for who in [crate::world::ANN, crate::world::BEN] {
        let stream = world.connect_as(Some(who), "api.openai.com:443").await.unwrap();
        let stream = handshake(&world.trusting_writ(&["http/1.1"]), "api.openai.com", stream).await.unwrap();
        assert_eq!(exchange(stream, &with_length("api.openai.com", CHAT, PROMPT)).await.status, 200);
    }
    let decisions = world.decisions().await;
    assert_eq!(decisions.len(), 2);
    assert!(decisions.iter().all(|decision| decision.identity == writ_model::Identity::Password));
}
