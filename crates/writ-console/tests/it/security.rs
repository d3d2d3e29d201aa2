//! What somebody might try.

use std::time::Duration;

use writ_base::Sensitive;
use writ_identity::Role;

use crate::client::{Browser, form, office, send};
use crate::world::PASSWORD;

#[tokio::test(flavor = "multi_thread")]
async fn another_host_name_reaches_nothing() {
    let office = office().await;
    for host in ["evil.example", "evil.example:80", "127.0.0.1", "", "LOCALHOST.evil.example"] {
        for path in ["/login", "/me", "/api/v1/me", "/proxy.pac"] {
            let answer = send(office.world.address, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n"), "").await;
            assert!(matches!(answer.status, 400 | 421), "{host} {path}: {}", answer.status);
            assert!(!answer.body.contains("FindProxyForURL"));
        }
    }
    let twice = format!("GET /login HTTP/1.1\r\nhost: {0}\r\nhost: {0}\r\n", office.world.host);
    assert!(matches!(send(office.world.address, &twice, "").await.status, 400 | 421));
    let probe = send(office.world.address, "GET /health HTTP/1.1\r\nhost: 10.0.0.7\r\n", "").await;
    assert_eq!((probe.status, probe.body.as_str()), (200, "ready\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers_and_nothing_external() {
    let office = office().await;
    let mut ana = Browser::signed_in(&office.world, "ana").await;
    for path in ["/me", "/login", "/nothing", "/policy", "/api/v1/me", "/api/v1/nothing", "/overview"] {
        let answer = ana.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        for load in ["src=\"http", "<link rel=\"stylesheet\" href=\"http", "style=\"", "<style", "onclick", "url("] {
            assert!(!answer.body.contains(load), "{path} has {load}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_does_nothing() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let change = [("clause", "health"), ("ring", "everyone"), ("step", "observe"), ("days", "30")];
    let without = owner.post_raw("/rollout", &form(&change)).await;
    assert_eq!(without.status, 403, "no token");
    let mut wrong = owner.clone();
    wrong.csrf = "0".repeat(64);
    assert_eq!(wrong.post("/rollout", &change).await.status, 403, "a wrong token");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:1"),
    ] {
        let mut foreign = owner.clone();
        foreign.extra.push((name.into(), value.into()));
        assert_eq!(foreign.post("/rollout", &change).await.status, 403, "{name}: {value}");
    }
    assert!(office.world.state.rollout(office.world.parts.clock.now()).await.unwrap().is_empty());
    owner.extra.push(("sec-fetch-site".into(), "same-origin".into()));
    assert_eq!(owner.post("/rollout", &change).await.status, 303);
    let mut stranger = Browser::new(&office.world);
    let login = form(&[("login", "ana"), ("password", PASSWORD)]);
    assert_eq!(stranger.post_raw("/login", &login).await.status, 403, "signing in needs its form's token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_anew_and_ends() {
    let office = office().await;
    let mut browser = Browser::new(&office.world);
    browser.cookies.insert("writ-session".into(), "planted".repeat(8));
    let answer = browser.login("ana", PASSWORD).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.headers.iter().find(|(name, value)| name == "set-cookie" && value.starts_with("writ-session="));
    let cookie = &cookie.unwrap().1;
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("planted"),
        "{cookie}"
    );
    assert_eq!(browser.get("/me").await.status, 200);
    browser.csrf = browser.get("/api/v1/session").await.json()["csrf"].as_str().unwrap().to_owned();
    let kept = browser.clone();
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    assert_eq!(kept.clone().get("/me").await.header("location"), "/login?next=%2Fme", "the token is worth nothing now");
    let mut idle = Browser::signed_in(&office.world, "bo").await;
    office.world.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(idle.get("/me").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_and_tells_nothing() {
    let office = office().await;
    let mut browser = Browser::new(&office.world);
    let unknown = browser.login("nobody-here", "wrong password one").await;
    let known = browser.login("ana", "wrong password one").await;
    assert_eq!((unknown.status, known.status), (403, 403));
    let said =
        |body: &str| body.split("role=\"alert\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    assert_eq!(said(&unknown.body), said(&known.body));
    let mut last = 0;
    for _ in 0..40 {
        last = browser.login("ana", "wrong password two").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_elsewhere_takes_one_step_over_our_own_page() {
    let office = office().await;
    let mut visitor = Browser::new(&office.world);
    visitor.extra.push(("sec-fetch-site".into(), "cross-site".into()));
    let answer = visitor.get("/me").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("http-equiv=\"refresh\" content=\"0;url=/me\""), "{}", answer.body);
    visitor.extra.clear();
    assert_eq!(visitor.get("/me").await.header("location"), "/login?next=%2Fme");
    let open = visitor.get("/login?next=//evil.example").await;
    assert!(!open.body.contains("evil.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_works_once_and_a_first_password_must_go() {
    let office = office().await;
    let world = &office.world;
    let login = Sensitive::new("newcomer".to_owned());
    let roles = [Role::Analyst].into_iter().collect();
    let (id, first) = world.accounts.create(&login, &login, &roles, Role::Admin).await.unwrap();
    let mut browser = Browser::new(world);
    assert_eq!(browser.login("newcomer", first.expose()).await.status, 303);
    assert_eq!(browser.get("/live").await.header("location"), "/password?next=%2Flive");
    assert_eq!(browser.get("/api/v1/records").await.status, 403);
    let ticket = world.accounts.make_ticket(id, Duration::from_secs(600), Role::Admin).await.unwrap();
    let path = format!("/enter/{}", ticket.expose());
    let mut guest = Browser::new(world);
    for _ in 0..2 {
        assert_eq!(guest.get(&path).await.status, 200, "looking does not use it up");
    }
    let token = guest.cookies["writ-form"].clone();
    let used = guest.post_raw(&path, &form(&[("csrf", &token), ("next", "/live")])).await;
    assert_eq!((used.status, used.header("location")), (303, "/live"));
    let mut second = Browser::new(world);
    second.get(&path).await;
    let token = second.cookies["writ-form"].clone();
    assert_eq!(second.post_raw(&path, &form(&[("csrf", &token)])).await.status, 403);
    let fresh = "another long password";
    let csrf = guest.get("/password").await.body;
    let csrf = csrf.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let changed = guest.post_raw("/password", &form(&[("csrf", &csrf), ("new", fresh), ("again", fresh)])).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    assert_eq!(guest.get("/live").await.status, 200);
    assert_eq!(browser.get("/live").await.header("location"), "/login?next=%2Flive", "other sessions have ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_somebody_elses() {
    let office = office().await;
    let (code, interaction) = (office.stop.reference.clone().unwrap(), office.stop.interaction.clone());
    let mut ana = Browser::signed_in(&office.world, "ana").await;
    let mut bo = Browser::signed_in(&office.world, "bo").await;
    assert_eq!(ana.get(&format!("/me/{interaction}")).await.status, 200);
    assert_eq!(bo.get(&format!("/me/{interaction}")).await.status, 404, "another person's record");
    assert_eq!(ana.get(&format!("/r/{code}")).await.status, 200);
    assert_eq!(bo.get(&format!("/r/{code}")).await.status, 404, "another person's stop");
    assert_eq!(bo.get(&format!("/r/{code}?k={}", "0".repeat(32))).await.status, 404);
    assert_eq!(bo.post(&format!("/r/{code}/objection"), &[]).await.status, 404);
    let token = office.world.engine.page_token(&code);
    let opened = ana.post(&format!("/r/{code}/objection"), &[("k", &token)]).await;
    assert_eq!(opened.status, 303, "{}", opened.body);
    let cases = office.world.state.cases_of(office.ana.principal).await.unwrap();
    let id = cases[0].id;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    assert_eq!(owner.get(&format!("/inbox/{id}")).await.status, 404, "objections are the privacy officer's");
    let answer = [("accept", "yes"), ("text", "no")];
    assert_eq!(owner.post(&format!("/inbox/{id}"), &answer).await.status, 404);
    let mut privacy = Browser::signed_in(&office.world, "privacy-officer").await;
    assert_eq!(privacy.get(&format!("/inbox/{id}")).await.status, 200);
    for page in ["/me", "/api/v1/me"] {
        let body = bo.get(page).await.body;
        assert!(!body.contains(&code) && !body.contains(&interaction), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_name_or_content() {
    let office = office().await;
    let interaction = &office.stop.interaction;
    let code = office.stop.reference.as_deref().unwrap();
    for role in Role::ALL {
        let login = if *role == Role::Employee { "ana" } else { role.as_str() };
        let mut browser = Browser::signed_in(&office.world, login).await;
        for path in [
            "/overview".to_owned(),
            "/live".into(),
            "/live/rows?after=0".into(),
            "/tools".into(),
            "/inbox".into(),
            "/me".into(),
            "/accounts".into(),
            "/system".into(),
            "/reveal".into(),
            format!("/lookup?code={code}"),
            format!("/interactions/{interaction}"),
            "/api/v1/records".into(),
            format!("/api/v1/records/{interaction}"),
            "/api/v1/overview".into(),
            format!("/r/{code}?k={}", office.world.engine.page_token(code)),
        ] {
            let body = browser.get(&path).await.body;
            for planted in ["4451299", "John Smith", "@northwind.example", "10.2.3.4", "diabetes"] {
                // The policy's own examples are public; none of these pages quotes them.
                assert!(!body.contains(planted), "{role} {path} shows `{planted}`");
            }
        }
    }
}
