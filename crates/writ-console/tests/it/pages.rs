//! What readers see.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use writ_base::Moment;
use writ_console::{Check, CheckState};
use writ_model::Channel;

use crate::client::{Browser, CHATGPT, office, send};

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_well_formed_and_reachable_by_everybody() {
    let office = office().await;
    let code = office.stop.reference.clone().unwrap();
    for (login, paths) in [
        (
            "analyst",
            vec!["/overview", "/live", "/tools", "/lookup", "/system", "/roles", "/password", "/studio/clauses/matrix"],
        ),
        (
            "policy-owner",
            vec!["/rollout", "/inbox", "/policy", "/studio", "/studio/text", "/studio/findings", "/studio/try"],
        ),
        ("privacy-officer", vec!["/reveal"]),
        ("admin", vec!["/accounts"]),
        ("ana", vec!["/me"]),
    ] {
        let mut browser = Browser::signed_in(&office.world, login).await;
        for path in paths {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            accessible(path, &answer.body);
        }
    }
    let mut anyone = Browser::new(&office.world);
    let token = office.world.engine.page_token(&code);
    for path in ["/login".to_owned(), format!("/r/{code}?k={token}"), "/nothing".into()] {
        accessible(&path, &anyone.get(&path).await.body);
    }
}

/// What can be told without a browser: language, one main heading, landmarks, names of fields and charts, ids once.
fn accessible(path: &str, html: &str) {
    assert!(html.contains("<html lang=\"") && html.contains("<title>"), "{path}");
    assert_eq!(html.matches("<h1").count(), 1, "{path}: one main heading");
    assert_eq!(html.matches("<main").count(), 1, "{path}: one main landmark");
    assert!(html.contains("name=\"viewport\""), "{path}");
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "{path}: ids stand once");
    for field in
        html.split("<input").skip(1).chain(html.split("<select").skip(1)).chain(html.split("<textarea").skip(1))
    {
        let tag = field.split('>').next().unwrap();
        let within_label = tag.contains("checkbox") || tag.contains("radio");
        let hidden = tag.contains("type=\"hidden\"");
        let id = tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
        let labelled = id.is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
        assert!(hidden || within_label || labelled, "{path}: `{tag}` has a label");
    }
    for chart in html.split("<svg role=\"img\"").skip(1) {
        assert!(chart.contains("<title id=") && chart.contains("<desc id="), "{path}");
    }
    for table in html.split("<table").skip(1) {
        let table = table.split("</table>").next().unwrap();
        assert!(table.contains("<th scope=\"col\""), "{path}: tables have headers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_list_filters_and_goes_on() {
    let office = office().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let all = analyst.get("/api/v1/records").await.json();
    assert_eq!(all["rows"].as_array().unwrap().len(), 3);
    let stopped = analyst.get("/api/v1/records?effect=block&class=phi&service=chatgpt&who=employee").await.json();
    let rows = stopped["rows"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0]["interaction"].as_str()), (1, Some(office.stop.interaction.as_str())));
    let pseudonym = office.world.state.pseudonym(office.bo.principal).unwrap();
    let one = analyst.get(&format!("/api/v1/records?person={pseudonym}")).await.json();
    assert_eq!(one["rows"].as_array().unwrap().len(), 1);
    let newest = all["newest"].as_u64().unwrap();
    let none = analyst.get(&format!("/live/rows?after={newest}")).await;
    assert_eq!((none.body.trim(), none.header("x-writ-newest")), ("", newest.to_string().as_str()));
    let some = analyst.get("/live/rows?after=0&effect=block").await;
    assert!(some.body.contains("class=\"new\"") && some.body.contains("Stopped"));
    let page = analyst.get("/live?effect=block").await.body;
    assert!(page.contains("data-live=\"/live/rows?effect=block\"") && page.contains("value=\"block\" selected"));
}

/// Rows are pushed as they come, from the last one that the browser has, and end with the session.
#[tokio::test(flavor = "multi_thread")]
async fn the_live_list_is_pushed() {
    let office = office().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let newest = analyst.get("/api/v1/records").await.json()["newest"].as_u64().unwrap();
    let mut from_start = Events::open(&analyst, "/live/events?effect=block&after=0", "").await;
    assert!(from_start.until("</tr>").await.contains("event: rows"));
    let last = format!("last-event-id: {newest}\r\n");
    let mut follower = Events::open(&analyst, "/live/events?after=0", &last).await;
    office.world.ask(&office.bo, CHATGPT, Channel::Browser, "And which room?").await;
    office.world.catch_up().await;
    let pushed = follower.until("</tr>").await;
    assert_eq!(pushed.matches("<tr").count(), 1, "what the browser has is not sent again: {pushed}");
    assert!(pushed.contains("class=\"new\""), "{pushed}");
    office.world.stop.send(true).unwrap();
    assert!(follower.ended().await, "it ends with the console");
}

/// A connection on which events are pushed.
struct Events(tokio::net::TcpStream);

impl Events {
    async fn open(browser: &Browser, path: &str, extra: &str) -> Self {
        let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n{extra}\r\n", browser.host, cookies.join("; "));
        let mut stream = tokio::net::TcpStream::connect(browser.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut events = Self(stream);
        assert!(events.until("\r\n\r\n").await.contains("content-type: text/event-stream"));
        events
    }

    /// Reads on until these words came; what was read.
    async fn until(&mut self, words: &str) -> String {
        let mut bytes = Vec::new();
        let read = async {
            while !String::from_utf8_lossy(&bytes).contains(words) {
                assert!(self.0.read_buf(&mut bytes).await.unwrap() > 0, "it ended");
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), read).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }

    async fn ended(&mut self) -> bool {
        let mut rest = Vec::new();
        let end = self.0.read_to_end(&mut rest);
        tokio::time::timeout(std::time::Duration::from_secs(30), end).await.is_ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn few_people_are_not_counted_out() {
    let office = office().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let tools = analyst.get("/api/v1/tools").await.json();
    assert_eq!(tools["tools"][0]["people"], "fewer than 5");
    let overview = analyst.get("/api/v1/overview").await.json();
    let points = overview["interruptions"]["points"].as_array().unwrap();
    assert!(points.iter().all(|point| point["value"].is_null()), "two people are too few");
    assert!(overview["verdicts"]["columns"].as_array().unwrap().len() <= 96);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_said_on_the_overview_and_to_probes() {
    let office = office().await;
    {
        let mut health = office.world.health.lock();
        health.ready = false;
        health.checks.push(Check { name: "detectors".into(), state: CheckState::Failed, detail: "no answer".into() });
        health.reload_error = Some((Moment::parse("2026-11-22T11:59Z").unwrap(), "line 3: no such word".into()));
    }
    let probe =
        send(office.world.address, &format!("GET /health HTTP/1.1\r\nhost: {}\r\n", office.world.host), "").await;
    assert_eq!(probe.status, 503);
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let page = analyst.get("/overview").await.body;
    assert!(page.contains("no answer") && page.contains("line 3: no such word"));
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_fetch_their_files() {
    let office = office().await;
    let mut anyone = Browser::new(&office.world);
    assert!(anyone.get("/proxy.pac").await.body.contains("FindProxyForURL"));
    assert!(anyone.get("/ca.pem").await.body.starts_with("-----BEGIN CERTIFICATE"));
    assert_eq!(anyone.get("/metrics").await.status, 401);
    let mut scraper = anyone.clone();
    scraper.extra.push(("authorization".into(), "Bearer metrics-token".into()));
    let metrics = scraper.get("/metrics").await.body;
    assert!(metrics.contains("writ_ledger_position ") && metrics.contains("console.connections"));
    let page = anyone.get("/login").await.body;
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let asset = anyone.get(&style).await;
    assert!(asset.status == 200 && asset.header("cache-control").contains("immutable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_shown_as_it_runs() {
    let office = office().await;
    let mut ana = Browser::signed_in(&office.world, "ana").await;
    let page = ana.get("/policy").await.body;
    let snapshot = office.world.snapshot.lock().clone();
    assert!(
        page.contains(&snapshot.policy.text_hash().to_string())
            && page.contains(&snapshot.policy.rows_hash().to_string())
    );
    for clause in &snapshot.policy.model().clauses {
        assert!(page.contains(&format!("id=\"{}\"", clause.id)), "{} has its anchor", clause.id);
    }
    let article = page.split("<article").nth(1).unwrap();
    for raw in ["```", "| plain", "violates:", "then:", "severity", "{#"] {
        assert!(!article.contains(raw), "{raw} is not for readers");
    }
}
