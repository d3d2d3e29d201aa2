//! What people do.

use writ_identity::Role;
use writ_model::{Channel, Effect, Who};
use writ_store::index::Query;

use crate::client::{Browser, CHATGPT, PATIENT, office};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_can_be_continued_without_details() {
    let office = office().await;
    let code = office.stop.reference.clone().unwrap();
    let token = office.world.engine.page_token(&code);
    let mut browser = Browser::new(&office.world);
    let page = browser.get(&format!("/r/{code}?k={token}&do=redact")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("<h1>Your message was not sent</h1>") && page.body.contains("Health information"));
    let words = page.body.split("<article").nth(1).unwrap();
    for word in ["violation", "severity", "serious", "forbidden"] {
        assert!(!words.to_lowercase().contains(word), "{word}");
    }
    for (lang, first) in [("de", "nicht gesendet"), ("fr", "pas été envoyé"), ("es", "no se ha enviado")] {
        let page = browser.get(&format!("/r/{code}?k={token}&lang={lang}")).await;
        assert!(page.body.contains(first) && page.body.contains(&format!("<html lang=\"{lang}\">")), "{lang}");
    }
    let done = browser.post(&format!("/r/{code}/without"), &[("k", &token)]).await;
    assert!(done.header("location").contains("done=without"), "{}", done.header("location"));
    let again = office.world.ask(&office.ana, CHATGPT, Channel::Browser, PATIENT).await;
    assert_eq!(again.reference, None, "the same message goes now");
    office.world.catch_up().await;
    let rows = office.world.index.query(&Query { limit: 1, ..Query::default() }).await.unwrap();
    assert!(rows[0].enforced < Effect::Block);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_asked_for_and_granted() {
    let office = office().await;
    let code = office.stop.reference.clone().unwrap();
    let mut ana = Browser::signed_in(&office.world, "ana").await;
    let asked = ana.post(&format!("/r/{code}/exception"), &[("text", "The ward needs it tonight.")]).await;
    assert!(asked.header("location").contains("done=exception"), "{asked:?}");
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let inbox = owner.get("/inbox").await.body;
    assert!(inbox.contains("Request for an exception") && inbox.contains(&code));
    let id = office.world.state.cases_of(office.ana.principal).await.unwrap()[0].id;
    let case = owner.get(&format!("/inbox/{id}")).await.body;
    assert!(case.contains("The ward needs it tonight."));
    let yes = [
        ("accept", "yes"),
        ("text", "For two weeks, please check each text."),
        ("days", "14"),
        ("scope", "service"),
        ("control", "a colleague checks"),
    ];
    let given = owner.post(&format!("/inbox/{id}"), &yes).await;
    assert_eq!(given.header("location"), "/inbox?done=granted", "{}", given.body);
    let grants = office.world.state.exceptions(office.world.parts.clock.now()).await.unwrap();
    assert_eq!((grants.len(), grants[0].clause.as_str(), grants[0].keys["service"].as_str()), (1, "health", "chatgpt"));
    office.world.reload().await;
    let again = office.world.ask(&office.ana, CHATGPT, Channel::Browser, PATIENT).await;
    let row = &office.world.index;
    office.world.catch_up().await;
    let row = &row.query(&Query { limit: 1, ..Query::default() }).await.unwrap()[0];
    assert!(!row.clauses.contains(&"health".to_owned()), "{again:?} {row:?}");
    let mine = ana.get("/me").await.body;
    assert!(mine.contains("For two weeks, please check each text."));
    assert_eq!(owner.post(&format!("/inbox/{id}"), &yes).await.status, 200, "answered once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_is_rolled_out_and_taken_back() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let look = owner.get("/rollout/change?clause=health&ring=everyone&step=observe&days=30").await;
    assert!(look.status == 200 && look.body.contains("Set to observe"), "{}", look.body);
    let set = [("clause", "health"), ("ring", "everyone"), ("step", "observe"), ("days", "30"), ("replaces", "")];
    assert_eq!(owner.post("/rollout", &set).await.header("location"), "/rollout?done=rollout");
    tokio::time::timeout(std::time::Duration::from_secs(5), office.world.changed.notified()).await.unwrap();
    office.world.reload().await;
    let passed = office.world.ask(&office.ana, CHATGPT, Channel::Browser, PATIENT).await;
    office.world.catch_up().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let detail = analyst.get(&format!("/interactions/{}", passed.interaction)).await.body;
    assert!(detail.contains("Without the roll-out it would have been: stopped"), "{detail}");
    let enforce = [("clause", "health"), ("ring", "everyone"), ("step", "enforce"), ("days", "30"), ("replaces", "")];
    owner.post("/rollout", &enforce).await;
    let entries = office.world.state.rollout(office.world.parts.clock.now()).await.unwrap();
    assert_eq!(entries.len(), 1, "one entry for a clause and ring");
    for bad in [("clause", "nothing"), ("ring", "group:nobody"), ("step", "maybe"), ("days", "0")] {
        let fields: Vec<_> = set.iter().map(|(key, value)| if *key == bad.0 { bad } else { (*key, *value) }).collect();
        assert_eq!(owner.post("/rollout", &fields).await.status, 422, "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_takes_two_holders_and_the_person_reads_it() {
    let office = office().await;
    let world = &office.world;
    let second = world.person("second-officer", Who::Employee).await;
    world.account(&second, &[Role::PrivacyOfficer]).await;
    let pseudonym = world.state.pseudonym(office.ana.principal).unwrap();
    let mut one = Browser::signed_in(world, "privacy-officer").await;
    let mut two = Browser::signed_in(world, "second-officer").await;
    let short = one.post("/reveal", &[("pseudonym", &pseudonym), ("purpose", "why not")]).await;
    assert!(short.body.contains("Say what it is for"));
    let asked =
        one.post("/reveal", &[("pseudonym", &pseudonym), ("purpose", "A patient asked who saw their data.")]).await;
    let path = asked.header("location").split('?').next().unwrap().to_owned();
    let share = |at: usize| world.shares[at].to_text();
    assert_eq!(one.post(&path, &[("share", "nonsense")]).await.status, 200);
    assert_eq!(one.post(&path, &[("share", &share(0))]).await.status, 303);
    let alone = one.post(&format!("{path}/open"), &[]).await;
    assert!(!alone.body.contains("ana@northwind.example"), "one holder alone");
    assert!(two.post(&path, &[("share", &share(0))]).await.body.contains("same one"), "the same share twice");
    assert_eq!(two.post(&path, &[("share", &share(1))]).await.status, 303);
    let other = two.post(&format!("{path}/open"), &[]).await;
    assert!(!other.body.contains("ana@northwind.example"), "only whoever asked");
    let opened = one.post(&format!("{path}/open"), &[]).await;
    assert!(opened.body.contains("ana@northwind.example"), "{}", opened.body);
    assert!(!one.post(&format!("{path}/open"), &[]).await.body.contains("ana@northwind.example"), "shown once");
    let anew = one.get(&format!("{path}/open")).await;
    assert_eq!(anew.status, 200, "the address of the page that showed it");
    assert!(anew.body.contains("It is not shown again") && !anew.body.contains("ana@northwind.example"));
    let mine = Browser::signed_in(world, "ana").await.get("/me").await.body;
    assert!(mine.contains("A patient asked who saw their data.") && mine.contains("the name was shown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_desk_finds_a_stop_by_its_code() {
    let office = office().await;
    let code = office.stop.reference.clone().unwrap();
    let mut desk = Browser::signed_in(&office.world, "help-desk").await;
    let typed = code.replace('-', " ").to_lowercase();
    let page = desk.get(&format!("/lookup?code={}", typed.replace(' ', "%20"))).await.body;
    assert!(page.contains("Stopped, 22 Nov 2026") && page.contains("Health information"), "{page}");
    let pseudonym = office.world.state.pseudonym(office.ana.principal).unwrap();
    assert!(!page.contains(&pseudonym));
    assert!(desk.get("/lookup?code=0000-00").await.body.contains("No stop has this code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_made_changed_and_disabled() {
    let office = office().await;
    let mut admin = Browser::signed_in(&office.world, "admin").await;
    let made = admin.post("/accounts", &[("login", "carla"), ("role", "analyst"), ("role", "help-desk")]).await.body;
    let password = made.split("id=\"first-password\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let accounts = office.world.accounts.list().await.unwrap();
    let carla = accounts.iter().find(|account| account.must_change).unwrap();
    assert_eq!(carla.roles.len(), 2);
    let mut browser = Browser::new(&office.world);
    assert_eq!(browser.login("carla", &password).await.status, 303);
    assert_eq!(admin.post(&format!("/accounts/{}/roles", carla.id), &[("role", "nonsense")]).await.status, 422);
    assert_eq!(admin.post(&format!("/accounts/{}/disable", carla.id), &[]).await.status, 303);
    assert_eq!(browser.get("/password").await.header("location"), "/login?next=%2Fpassword");
    let own = accounts.iter().find(|account| account.roles.contains("admin")).unwrap();
    assert_eq!(admin.post(&format!("/accounts/{}/disable", own.id), &[]).await.status, 422);
    assert_eq!(admin.post(&format!("/accounts/{}/roles", own.id), &[("role", "analyst")]).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_ends_when_it_is_revoked_or_its_account_does() {
    let office = office().await;
    let world = &office.world;
    let mut analyst = Browser::signed_in(world, "analyst").await;
    for wrong in
        [vec![("days", "90")], vec![("role", "admin"), ("days", "90")], vec![("role", "analyst"), ("days", "9999")]]
    {
        let refused = analyst.post("/tokens", &wrong).await.body;
        assert!(refused.contains("role=\"alert\"") && !refused.contains("id=\"token\""), "{wrong:?}");
    }
    let page = analyst.post("/tokens", &[("role", "analyst"), ("days", "7")]).await.body;
    let token = page.split("id=\"token\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(token.starts_with("writ_api_") && token.len() == 73, "{}", token.len());
    let list = analyst.get("/tokens").await.body;
    assert!(list.contains(&token[..17]) && !list.contains(&token), "shown once");
    let folder = std::fs::read_dir(world.folder()).unwrap();
    let kept: Vec<u8> = folder.flatten().filter_map(|file| std::fs::read(file.path()).ok()).flatten().collect();
    assert!(!kept.windows(token.len()).any(|window| window == token.as_bytes()), "kept as a hash");

    let with = |token: &str| {
        let mut program = Browser::new(world);
        program.extra.push(("authorization".into(), format!("Bearer {token}")));
        program
    };
    let mut program = with(&token);
    assert_eq!(program.get("/api/v1/records").await.status, 200);
    assert_eq!(program.get("/api/v1/session").await.json()["roles"], serde_json::json!(["analyst"]));
    assert_eq!(program.get("/live").await.status, 303, "pages are for people");
    for wrong in ["", "writ_api_", &token[..72], &format!("{token}0"), &token.replace("writ_api_", "")] {
        assert_eq!(with(wrong).get("/api/v1/records").await.status, 401, "{wrong}");
    }
    // A wrong token is not made good by a session beside it.
    let mut both = analyst.clone();
    both.extra.push(("authorization".into(), "Bearer nothing".into()));
    assert_eq!(both.get("/api/v1/records").await.status, 401);

    let id = list.split("/tokens/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let mut other = Browser::signed_in(world, "admin").await;
    assert_eq!(other.post(&format!("/tokens/{id}/revoke"), &[]).await.status, 404, "somebody else's");
    assert_eq!(analyst.post(&format!("/tokens/{id}/revoke"), &[]).await.status, 303);
    assert_eq!(program.get("/api/v1/records").await.status, 401);

    let mut program = crate::matrix::program(&office, "analyst", Role::Analyst).await;
    assert_eq!(program.get("/api/v1/records").await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(86_401));
    assert_eq!(program.get("/api/v1/records").await.status, 401, "it ended by the clock");
    let mut program = crate::matrix::program(&office, "analyst", Role::Analyst).await;
    let login = writ_base::Sensitive::new("analyst".to_owned());
    let (account, _) = world.state.account_by_login(&login).await.unwrap().unwrap();
    world.accounts.set_roles(account.id, &[Role::HelpDesk].into(), Role::Admin).await.unwrap();
    assert_eq!(program.get("/api/v1/records").await.status, 403, "the account is no analyst any more");
    let mut program = crate::matrix::program(&office, "analyst", Role::HelpDesk).await;
    assert_eq!(program.get("/api/v1/session").await.status, 200);
    world.accounts.reset_password(account.id, Role::Admin).await.unwrap();
    assert_eq!(program.get("/api/v1/session").await.status, 401, "somebody else has seen the password");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tour_stays_on_the_pages_and_its_buttons_ask_who() {
    let office = office().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let page = analyst.get("/overview?tour=look&stop=1").await.body;
    assert!(page.contains("A look around") && page.contains("/tour/look/act/wave"));
    assert!(analyst.get("/live").await.body.contains("A look around"), "kept by the cookie");
    let acted = analyst.post("/tour/look/act/wave", &[]).await;
    assert_eq!(acted.header("location"), "/overview?tour=look&stop=1");
    let said = analyst.get("/overview").await.body;
    assert!(said.contains("wave by 1 roles &#60;b&#62;"), "escaped, once");
    assert!(!analyst.get("/overview").await.body.contains("wave by 1"));
    assert_eq!(analyst.post("/tour/look/act/break", &[]).await.status, 404, "not of this stop");
    analyst.get("/policy?tour=look&stop=2").await;
    assert_eq!(analyst.post("/tour/look/act/break", &[]).await.status, 403, "needs another role");
    analyst.get("/live?tour=none").await;
    assert!(!analyst.get("/live").await.body.contains("A look around"));
}
