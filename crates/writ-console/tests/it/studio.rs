//! The studio: drafts, diagnostics, clauses, findings, made-up situations.

use writ_model::standing::{ExceptionGrant, ExceptionId, Ring, RolloutEntry, RolloutId};
use writ_model::values::Step;
use writ_model::{Channel, Who};

use crate::client::{Answer, Browser, CHATGPT, Office, PATIENT, office};
use crate::world::POLICY;

/// The general policy with one word misspelt.
fn broken() -> String {
    POLICY.replacen("data:     phi\n", "data:     phj\n", 1)
}

/// The general policy with the row of personal and payment data stricter.
fn stricter() -> String {
    let row = POLICY.lines().find(|line| line.starts_with("| pii, payment")).unwrap();
    POLICY.replacen(row, &row.replacen("redact", "block ", 1), 1)
}

async fn keep(browser: &mut Browser, text: &str, over: &str) -> Answer {
    browser.post("/studio/draft", &[("text", text), ("over", over)]).await
}

async fn draft(browser: &mut Browser) -> serde_json::Value {
    browser.get("/api/v1/studio/draft").await.json()
}

/// For a snapshot: ids of entries are made anew in each run.
fn pretty(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap();
    let mut parts = text.split("`rol_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + "`[ENTRY]" + part.split_once('`').map_or("", |(_, rest)| rest))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_kept_compared_downloaded_and_discarded_and_changes_nothing() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let before = office.world.snapshot.lock().hashes();
    let first = draft(&mut owner).await;
    assert_eq!(
        (first["of"].as_str(), first["hash"].as_str(), first["text"].as_str()),
        (Some("running"), Some(""), Some(POLICY))
    );
    assert_eq!(owner.get("/studio/draft.md").await.status, 404);
    assert_eq!(owner.get("/studio/diff").await.status, 404);
    assert_eq!(owner.get("/studio?of=draft").await.status, 404);
    let position = office.world.ledger.position();
    // A browser sends the ends of lines as it likes; what is kept is the text that was typed.
    let kept = keep(&mut owner, &stricter().replace('\n', "\r\n"), "").await;
    assert_eq!(kept.header("location"), "/studio/text?done=draft-kept", "{}", kept.body);
    let mine = draft(&mut owner).await;
    assert_eq!((mine["of"].as_str(), mine["text"].as_str()), (Some("draft"), Some(stricter().as_str())));
    assert_eq!((mine["behind"].as_bool(), mine["checked"]["runs"].as_bool()), (Some(false), Some(true)));
    let diff = owner.get("/api/v1/studio/diff").await.json();
    assert_eq!(diff["summary"], "1 line of the running policy gone, 1 line new in your draft.");
    assert_eq!(diff["hunks"][0]["heading"], "4.2 What may go where");
    let page = owner.get("/studio/diff").await.body;
    assert!(page.contains("<tr class=\"new\">") && page.contains("| block    | redact "), "{page}");
    let file = owner.get("/studio/draft.md").await;
    assert!(file.body == stricter() && file.header("content-disposition").starts_with("attachment"));
    let mut other = Browser::signed_in(&office.world, "privacy-officer").await;
    assert_eq!(draft(&mut other).await["of"], "running", "a draft is its account's");
    assert_eq!(other.get("/studio/draft.md").await.status, 404);
    assert_eq!(office.world.snapshot.lock().hashes(), before, "nothing came into force");
    let hash = mine["hash"].as_str().unwrap();
    let gone = owner.post("/studio/draft/discard", &[("hash", hash)]).await;
    assert_eq!(gone.header("location"), "/studio/text?done=draft-discarded");
    assert_eq!(draft(&mut owner).await["of"], "running");
    let acts: Vec<String> = office
        .world
        .ledger
        .reader(position)
        .map(|entry| String::from_utf8_lossy(&entry.unwrap().skeleton).into_owned())
        .filter(|skeleton| skeleton.contains("draft-"))
        .collect();
    assert_eq!(acts.len(), 2, "{acts:?}");
    assert!(acts.iter().all(|act| act.contains(hash) && act.contains("policy-owner")), "{acts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_was_changed_elsewhere_is_not_overwritten_and_what_was_typed_is_given_back() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    keep(&mut owner, "first\n", "").await;
    let seen = draft(&mut owner).await["hash"].as_str().unwrap().to_owned();
    keep(&mut owner, "second\n", &seen).await;
    let late = keep(&mut owner, "typed in the other window\n", &seen).await;
    assert_eq!(late.status, 200);
    assert!(
        late.body.contains("changed in another window")
            && late.body.contains("\ntyped in the other window\n</textarea>")
    );
    assert_eq!(draft(&mut owner).await["text"], "second\n");
    let now = late.body.split("name=\"over\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(keep(&mut owner, "typed in the other window\n", &now).await.status, 303, "kept knowingly");
    let stale = owner.post("/studio/draft/discard", &[("hash", &seen)]).await;
    assert_eq!(stale.status, 422);
    let json = owner.post_json("/api/v1/studio/draft", &serde_json::json!({ "text": "x", "over": seen })).await;
    assert_eq!((json.status, json.json()["error"].as_str()), (422, Some("unusable")));
    let long = "x".repeat(writ_store::limits::DRAFT_BYTES.value() + 1);
    assert_eq!(keep(&mut owner, &long, &now).await.status, 200, "said on the page");
    let endless = "x".repeat(3 << 20);
    assert_eq!(keep(&mut owner, &endless, &now).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_text_is_said_with_its_place_and_nothing_is_kept() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let checked = owner.post_json("/api/v1/studio/check", &serde_json::json!({ "text": broken() })).await.json();
    assert_eq!(checked["runs"], false);
    insta::assert_snapshot!("a_broken_text", pretty(&checked));
    let page = owner.post("/studio/check", &[("text", &broken())]).await.body;
    assert!(page.contains("<mark>phj</mark>") && page.contains("Did you mean <code>phi</code>?"), "{page}");
    assert!(page.contains("data-unsaved"), "what is in the window was not kept");
    assert_eq!(draft(&mut owner).await["of"], "running");
    let hostile = "<script>alert(1)</script>\n</textarea><b>";
    let page = owner.post("/studio/check", &[("text", hostile)]).await.body;
    assert!(!page.contains("<script>alert") && !page.contains("</textarea><b>"));
    for text in ["", "\n", "---\n", "\u{feff}x", "| a |\n"] {
        let checked = owner.post_json("/api/v1/studio/check", &serde_json::json!({ "text": text })).await;
        assert_eq!(checked.json()["runs"], false, "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_that_contradict_their_rule_and_standing_objects_that_do_not_fit_are_said() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let set = [("clause", "health"), ("ring", "everyone"), ("step", "coach"), ("days", "30"), ("replaces", "")];
    owner.post("/rollout", &set).await;
    let text = POLICY.replacen("{#health}", "{#health-data}", 1).replacen(
        "What does the minimum necessary rule in HIPAA mean?",
        "John Smith, MRN 4451299, has diabetes.",
        1,
    );
    keep(&mut owner, &text, "").await;
    let findings = owner.get("/api/v1/studio/findings?of=draft").await.json();
    insta::assert_snapshot!("findings_of_a_draft", pretty(&findings));
    let page = owner.get("/studio/findings?of=draft").await.body;
    assert!(page.contains("Examples contradict their rules") && page.contains("Try this situation"));
    let witness = findings["groups"][1]["findings"][0]["witness"]["href"].as_str().unwrap();
    let answers = owner.get(&witness.replacen("/studio/try", "/api/v1/studio/answers", 1)).await.json();
    assert_eq!(answers["answers"][1]["effect"], "block", "the witness shows it: {answers:#}");
    let running = owner.get("/api/v1/studio/findings").await.json();
    insta::assert_snapshot!("findings_of_the_general_policy", pretty(&running));
}

/// Rules and promises at the end of the general policy: a rule that another one always covers, and a promise that the
/// matrix does not keep.
const IN_VAIN: &str = "

## 99 Tried out {#tried-out}

Mode: enforced. Reason: to see what is proved.

```rule
status: denied
data:   credentials
then:   block
```

```prove
never:
  - who employee, status approved, passes source-code, in what is read
```
";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_proved_of_a_draft_is_said_with_a_situation_that_the_studio_decides_the_same_way() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let mut findings = owner.get("/api/v1/studio/findings").await.json();
    assert!(findings["assertions"].as_array().unwrap().iter().all(|it| it["holds"] == true), "{findings:#}");
    keep(&mut owner, &format!("{POLICY}{IN_VAIN}"), "").await;
    assert_eq!(draft(&mut owner).await["checked"]["runs"], false, "a promise that is not kept refuses the text");
    findings = owner.get("/api/v1/studio/findings?of=draft").await.json();
    insta::assert_snapshot!("what_is_proved_of_a_draft", pretty(&findings));
    let failing = findings["groups"][0]["findings"][0].clone();
    let answers = |finding: &serde_json::Value| {
        finding["witness"]["href"].as_str().unwrap().replacen("/studio/try", "/api/v1/studio/answers", 1)
    };
    let decided = owner.get(&answers(&failing)).await.json();
    assert_ne!(decided["answers"][1]["effect"], "block", "source code passes there: {decided:#}");
    let page = owner.get("/studio/findings?of=draft").await.body;
    assert!(page.contains("What the text promises") && page.contains("class=\"bad\">Fails"), "{page}");
    let text = owner.get("/studio/text").await.body;
    assert!(text.contains("Try this situation") && text.contains("class=\"regions small\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clauses_say_what_makes_them_true_and_count_no_few_people() {
    let office = office().await;
    let world = &office.world;
    let mut owner = Browser::signed_in(world, "policy-owner").await;
    let row = |clauses: &serde_json::Value, id: &str| {
        let rows = clauses["sections"].as_array().unwrap().iter().flat_map(|it| it["clauses"].as_array().unwrap());
        rows.into_iter().find(|row| row["id"] == id).unwrap().clone()
    };
    let clauses = owner.get("/api/v1/studio/clauses").await.json();
    assert_eq!(row(&clauses, "credentials")["decided"], "not once");
    assert_eq!(row(&clauses, "health")["decided"], "by fewer than 5 people");
    for number in 0..3 {
        let person = world.person(&format!("person-{number}"), Who::Employee).await;
        world.ask(&person, CHATGPT, Channel::Browser, PATIENT).await;
    }
    world.catch_up().await;
    let few = owner.get("/api/v1/studio/clauses/health").await.json();
    let decided_few = few["decided"].as_str().unwrap().to_owned();
    let fifth = world.person("fifth", Who::Employee).await;
    for _ in 0..3 {
        world.ask(&fifth, CHATGPT, Channel::Browser, PATIENT).await;
    }
    world.catch_up().await;
    let clauses = owner.get("/api/v1/studio/clauses").await.json();
    assert_eq!(
        (decided_few.as_str(), row(&clauses, "health")["decided"].as_str()),
        ("by fewer than 5 people", Some("7"))
    );
    let health = owner.get("/api/v1/studio/clauses/health").await.json();
    insta::assert_snapshot!("the_clause_of_health_information", pretty(&health));
    let modes: Vec<_> = clauses["modes"].as_array().unwrap().iter().map(|it| it["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["all", "enforced", "detected", "attested", "process", "text-only"]);
    let detected = owner.get("/api/v1/studio/clauses?mode=detected").await.json();
    assert_eq!(detected["sections"][0]["clauses"][0]["id"], "manipulation");
    assert_eq!(owner.get("/studio/clauses/nothing").await.status, 404);
    for path in ["/studio", "/studio/clauses/health", "/studio/clauses/matrix", "/studio/clauses/words"] {
        assert_eq!(owner.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_the_general_policy_reads_as_a_sentence() {
    let office = office().await;
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    let clauses = owner.get("/api/v1/studio/clauses?mode=enforced").await.json();
    let mut said = String::new();
    let rows = clauses["sections"].as_array().unwrap().iter().flat_map(|it| it["clauses"].as_array().unwrap());
    for row in rows {
        let clause = owner.get(&format!("/api/v1/studio/clauses/{}", row["id"].as_str().unwrap())).await.json();
        said.push_str(&format!("{} {}\n", row["number"].as_str().unwrap(), row["title"].as_str().unwrap()));
        let parts = clause["parts"].as_array().unwrap();
        let rules = parts.iter().flat_map(|part| {
            part["rules"].as_array().cloned().unwrap_or_else(|| part.get("rule").cloned().into_iter().collect())
        });
        for rule in rules {
            let unless: String =
                rule["unless"].as_array().unwrap().iter().map(|it| format!(", {}", it.as_str().unwrap())).collect();
            said.push_str(&format!(
                "  {}. {} {}{unless}.\n",
                rule["number"],
                rule["then"].as_str().unwrap(),
                rule["when"].as_str().unwrap()
            ));
        }
    }
    insta::assert_snapshot!("rules_as_sentences", said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_leads_to_its_stage_and_back() {
    let office = office().await;
    let world = &office.world;
    let mut owner = Browser::signed_in(world, "policy-owner").await;
    assert!(owner.get("/studio/clauses/health").await.body.contains("As written, for everyone."));
    let now = world.parts.clock.now();
    let until = now.after(std::time::Duration::from_secs(86_400));
    let entry = RolloutEntry {
        id: RolloutId::new(now, &*world.parts.randomness),
        clause: "health".into(),
        ring: Ring::Share(2000),
        step: Step::Observe,
        from: now,
        until,
        approved_by: "policy-owner".into(),
    };
    world.state.set_rollout(&entry, "policy-owner", &world.ledger).await.unwrap();
    let grant = ExceptionGrant {
        id: ExceptionId::new(now, &*world.parts.randomness),
        clause: "health".into(),
        keys: [("service".to_owned(), "chatgpt".to_owned())].into(),
        owner: "policy-owner".into(),
        reason: "a trial".into(),
        compensating_control: "a colleague checks".into(),
        approved_by: "policy-owner".into(),
        from: now,
        until,
    };
    world.state.grant_exception(&grant, "policy-owner", &world.ledger).await.unwrap();
    let clause = owner.get("/studio/clauses/health").await.body;
    assert!(clause.contains("for a stable 20 % of people") && clause.contains("a colleague checks"), "{clause}");
    assert!(clause.contains("href=\"/rollout?clause=health\""));
    let rollout = owner.get("/rollout?clause=health").await.body;
    assert!(rollout.contains("href=\"/studio/clauses/health\">4.4 Health information, in the studio"));
    assert!(rollout.contains("<option value=\"health\" selected>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_situation_is_answered_by_what_runs_and_by_the_draft() {
    let office = office().await;
    let world = &office.world;
    let mut owner = Browser::signed_in(world, "policy-owner").await;
    let card = "/api/v1/studio/answers?who=employee&identity=password&channel=browser&service=chatgpt&tier=enterprise\
                &account=corporate&device=managed&data=payment";
    let alone = owner.get(card).await.json();
    assert_eq!((alone["answers"].as_array().unwrap().len(), alone["compared"].as_str()), (1, None));
    keep(&mut owner, &stricter(), "").await;
    let both = owner.get(card).await.json();
    assert_eq!(both["answers"][0]["effect"], "redact");
    assert_eq!(both["answers"][1]["effect"], "block");
    assert_eq!(both["compared"], "Your draft decides otherwise.");
    insta::assert_snapshot!("a_card_under_both_policies", pretty(&both));
    let lunch = card.replace("&data=payment", "");
    assert_eq!(owner.get(&lunch).await.json()["compared"], "Your draft decides the same.");
    let hash = draft(&mut owner).await["hash"].as_str().unwrap().to_owned();
    keep(&mut owner, &broken(), &hash).await;
    let mute = owner.get(card).await.json();
    assert_eq!(
        (mute["answers"].as_array().unwrap().len(), mute["compared"].as_str()),
        (1, Some("Your draft has errors: it cannot answer yet."))
    );
    assert_eq!(owner.get("/studio?of=draft").await.status, 200, "a draft with errors has no clauses yet, and says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_the_posture_and_the_roll_out_contributed() {
    let office = office().await;
    let world = &office.world;
    let mut owner = Browser::signed_in(world, "policy-owner").await;
    let posture = "/api/v1/studio/answers?who=employee&identity=password&account=corporate&device=managed\
                   &channel=browser&service=chatgpt&tier=enterprise&data=own-thing";
    let answer = owner.get(posture).await.json()["answers"][0].clone();
    assert!(answer["base"].as_str().unwrap().starts_with("No rule foresees own thing"), "{answer:#}");
    assert_eq!(answer["deciding"][0]["name"], "What no rule foresees");
    let set = [("clause", "health"), ("ring", "everyone"), ("step", "observe"), ("days", "30"), ("replaces", "")];
    owner.post("/rollout", &set).await;
    world.reload().await;
    let health = "/api/v1/studio/answers?who=employee&identity=password&account=corporate&device=managed\
                  &channel=browser&service=chatgpt&tier=enterprise&data=phi&amount-phi=few-certain";
    let answer = owner.get(health).await.json()["answers"][0].clone();
    assert_eq!(answer["effect"], "allow", "{answer:#}");
    assert_eq!(answer["full"]["effect"], "block");
    assert_eq!(answer["held"][0]["note"], "The roll-out keeps it from having this effect.");
    let agent = "/api/v1/studio/answers?who=agent&identity=password&channel=agent&service=gemini-api&tier=paid&account=corporate";
    let answer = owner.get(agent).await.json()["answers"][0].clone();
    assert_eq!(answer["message"]["title"], "The program gets");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_text_is_read_and_goes_nowhere() {
    let office = office().await;
    let world = &office.world;
    let mut owner = Browser::signed_in(world, "policy-owner").await;
    let (position, records) = (world.ledger.position(), world.index.position());
    let situation = "who=employee&identity=password&channel=browser&service=chatgpt&tier=enterprise&account=corporate";
    let sent = owner.post("/studio/try", &[("text", PATIENT), ("situation", situation)]).await;
    let address = sent.header("location").to_owned();
    assert!(sent.status == 303 && address.contains("&data=phi&") && address.ends_with("#answers"), "{address}");
    let page = owner.get(address.split('#').next().unwrap()).await.body;
    assert!(page.contains("Your message was not sent.") && page.contains("a patient number"), "{page}");
    let json = serde_json::json!({ "text": PATIENT, "situation": situation });
    let read = owner.post_json("/api/v1/studio/answers", &json).await;
    assert_eq!(read.json()["answers"]["answers"][0]["effect"], "block");
    for (what, text) in [("the address", &address), ("the page", &page), ("the interface", &read.body)] {
        for planted in ["4451299", "John", "diabetes"] {
            assert!(!text.contains(planted), "{what} has `{planted}`");
        }
    }
    assert_eq!((world.ledger.position(), world.index.position()), (position, records), "nothing was recorded");
    let long = "x ".repeat(40_000);
    let refused = owner.post("/studio/try", &[("text", &long), ("situation", situation)]).await;
    assert_eq!(refused.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_has_a_control_for_every_dimension_and_keeps_what_was_chosen() {
    let office = office().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let chosen = "who=vendor&identity=address&action=upload&service=claude&category=search&tier=free&status=denied\
                  &account=personal&cleared=phi&level=confidential&declared=public&origin=internal-document\
                  &activity=code&channel=cli&device=unmanaged&training=overdue&attestation=none\
                  &signal=opaque%20%28image%29&unreadable=timeout&data=own-thing&data=phi&amount-phi=bulk-likely\
                  &fixed=yes&share=42";
    let page = analyst.get(&format!("/studio/try?{chosen}")).await.body;
    for dimension in writ_model::Dimension::ALL {
        use writ_model::Dimension as D;
        // The general policy names no groups, entities and regions.
        let unnamed = matches!(dimension, D::Group | D::Entity | D::PersonRegion | D::ServiceRegion);
        assert_eq!(page.contains(&format!("name=\"{}\"", dimension.key())), !unnamed, "{}", dimension.key());
    }
    for kept in [
        "<option value=\"vendor\" selected>",
        "<option value=\"denied\" selected>",
        "<option value=\"bulk-likely\" selected>",
        "value=\"own-thing\" checked",
        "<option value=\"phi\" selected>health information</option>",
        "value=\"opaque (image)\" checked",
        "value=\"timeout\" checked",
        "name=\"share\" type=\"number\" min=\"0\" max=\"9999\" value=\"42\"",
    ] {
        assert!(page.contains(kept), "{kept}");
    }
    let again = page.split("data-address=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(again, format!("/studio/try?{chosen}"));
    let strange = analyst.get("/studio/try?who=%3Cscript%3E&data=%22%3E%3Cb%3E&service=nobody-knows").await.body;
    assert!(!strange.contains("<script>") || strange.matches("<script").count() == page.matches("<script").count());
    assert!(strange.contains("nobody-knows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_keep_drafts_sees_no_way_to() {
    let office: Office = office().await;
    let mut analyst = Browser::signed_in(&office.world, "analyst").await;
    let page = analyst.get("/studio").await.body;
    assert!(page.contains("What if") && !page.contains("/studio/text"));
    assert_eq!(analyst.get("/studio/text").await.status, 403);
    assert_eq!(analyst.post("/studio/draft", &[("text", "x")]).await.status, 403);
    let mut ana = Browser::signed_in(&office.world, "ana").await;
    assert_eq!(ana.get("/studio").await.status, 403);
    assert!(!ana.get("/policy").await.body.contains("href=\"/studio\""));
    let mut owner = Browser::signed_in(&office.world, "policy-owner").await;
    owner.csrf = "0".repeat(64);
    for path in ["/studio/draft", "/studio/check", "/studio/try", "/studio/draft/discard"] {
        assert_eq!(owner.post(path, &[("text", "x")]).await.status, 403, "{path}: a wrong token");
    }
}
