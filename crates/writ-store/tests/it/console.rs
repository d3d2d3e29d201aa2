//! What the console and the gatekeeper keep: accounts, attributes, notices, looks, cases, reveals.

use std::collections::BTreeSet;
use std::time::Duration;

use writ_base::{Clock as _, ContentHash, Sensitive};
use writ_model::interaction::PrincipalId;
use writ_model::record::EntryKind;
use writ_model::{Currency, Term, Who};
use writ_store::State;
use writ_store::ledger::Entry;
use writ_store::personal::RevealError;
use writ_store::state::{
    Account, AccountId, AskReveal, Attributes, CaseFilter, CaseKind, LOGIN_SOURCE, Login, NewAccount, NewCase,
    NewDraft, NewLook, RevealEntry, RevealState, StateError,
};

use crate::support::{World, all_bytes, contains, interaction, secret};

const DAY: Duration = Duration::from_secs(86_400);

/// How many entries were written since the ledger was at `position`. Checkpoints do not count: the writer signs one
/// by itself whenever the clock says so.
fn written_since(world: &World, position: u64) -> usize {
    world.ledger.reader(position).map(Result::unwrap).filter(|entry| !is_checkpoint(entry)).count()
}

fn is_checkpoint(entry: &Entry) -> bool {
    entry.header.kind == EntryKind::Checkpoint
}

/// Somebody with a login that is typed.
async fn somebody(world: &World, name: &str) -> PrincipalId {
    let name = format!("{name}-{}", world.keys.reveal_public().unwrap().1);
    let login = Login { source: LOGIN_SOURCE.into(), name: Sensitive::new(name.clone()) };
    world.state.identify(&login, "employee", &secret(&name), &world.ledger).await.unwrap().principal
}

fn login_of(world: &World, name: &str) -> Sensitive<String> {
    Sensitive::new(format!("{name}-{}", world.keys.reveal_public().unwrap().1))
}

async fn account(world: &World, name: &str) -> Account {
    let principal = somebody(world, name).await;
    let login = login_of(world, name);
    let roles = BTreeSet::from(["privacy-officer".to_owned()]);
    let new = NewAccount { login: &login, principal, roles, password_hash: "$argon2id$x", must_change: true };
    let id = world.state.create_account(&new, "admin", &world.ledger).await.unwrap();
    world.state.account(id).await.unwrap().unwrap()
}

/// The whole suite, on one database.
pub async fn everything(world: &World) {
    accounts(world).await;
    tickets(world).await;
    attributes(world).await;
    notices(world).await;
    looks(world).await;
    inbox(world).await;
    drafts(world).await;
    reveals(world).await;
    shares_that_do_not_fit(world).await;
    protected(world).await;
    erasing(world).await;
}

async fn accounts(world: &World) {
    let World { state, ledger, .. } = world;
    let made = account(world, "Grace").await;
    let (found, hash) =
        state.account_by_login(&Sensitive::new(login_of(world, "GRACE").into_exposed())).await.unwrap().unwrap();
    assert_eq!((&found, hash.as_str()), (&made, "$argon2id$x"));
    assert!(made.must_change && made.disabled.is_none());
    assert_eq!(state.account_of(made.principal).await.unwrap().as_ref(), Some(&made));
    let login = login_of(world, "grace");
    let new = |principal| NewAccount {
        login: &login,
        principal,
        roles: BTreeSet::new(),
        password_hash: "$argon2id$y",
        must_change: false,
    };
    let other = somebody(world, "other").await;
    assert!(matches!(
        state.create_account(&new(other), "admin", ledger).await,
        Err(StateError::Taken { what: "login" })
    ));
    let again = state.create_account(&new(made.principal), "admin", ledger).await;
    assert!(matches!(again, Err(StateError::Taken { what: "account" })));
    let nobody = PrincipalId::from_bytes([3; 16]);
    assert!(matches!(state.create_account(&new(nobody), "admin", ledger).await, Err(StateError::Missing { .. })));
    let roles = BTreeSet::from(["analyst".to_owned(), "help-desk".to_owned()]);
    state.set_roles(made.id, &roles, "admin", ledger).await.unwrap();
    state.set_password_hash(made.id, "$argon2id$z", false, "employee", ledger).await.unwrap();
    let now = state.account(made.id).await.unwrap().unwrap();
    assert_eq!((now.roles, now.must_change), (roles, false));
    assert_eq!(state.account_password(made.id).await.unwrap().as_deref(), Some("$argon2id$z"));
    state.disable_account(made.id, "admin", ledger).await.unwrap();
    assert!(state.disable_account(made.id, "admin", ledger).await.is_err());
    assert!(state.account(made.id).await.unwrap().unwrap().disabled.is_some());
    assert!(state.accounts().await.unwrap().iter().any(|it| it.id == made.id));
    assert!(state.account_by_login(&secret("nobody at all")).await.unwrap().is_none());
}

async fn tickets(world: &World) {
    let World { state, ledger, clock, .. } = world;
    let mine = account(world, "ticket").await;
    let hour = Duration::from_secs(3600);
    let ticket = state.create_ticket(mine.id, hour, "admin", ledger).await.unwrap();
    assert_eq!(ticket.expose().len(), 64);
    let (one, two) = tokio::join!(state.redeem_ticket(&ticket, ledger), state.redeem_ticket(&ticket, ledger));
    let used = [one.unwrap(), two.unwrap()];
    assert_eq!(used.iter().flatten().count(), 1, "a ticket is used once, whoever else is as fast");
    assert_eq!(state.redeem_ticket(&ticket, ledger).await.unwrap(), None);
    let late = state.create_ticket(mine.id, hour, "admin", ledger).await.unwrap();
    clock.advance(hour);
    assert_eq!(state.redeem_ticket(&late, ledger).await.unwrap(), None);
    let before = ledger.position();
    assert_eq!(state.redeem_ticket(&secret("guess"), ledger).await.unwrap(), None);
    assert_eq!(written_since(world, before), 0, "a guess writes nothing");
    let old = state.create_ticket(mine.id, hour, "admin", ledger).await.unwrap();
    state.set_password_hash(mine.id, "$argon2id$n", true, "admin", ledger).await.unwrap();
    assert_eq!(state.redeem_ticket(&old, ledger).await.unwrap(), None, "a new password ends older tickets");
}

fn said(world: &World) -> Attributes {
    Attributes {
        who: Who::Contractor,
        groups: BTreeSet::from([Term::from("works-council"), Term::from("research")]),
        entity: "Example GmbH".into(),
        region: "eu".into(),
        training: Currency::Due,
        attestation: Currency::Current,
        updated: world.clock.now(),
        source: "ldap".into(),
    }
}

async fn attributes(world: &World) {
    let World { state, ledger, keys, randomness, clock, .. } = world;
    let person = somebody(world, "attributes").await;
    assert_eq!(state.attributes(person).await.unwrap(), None);
    let mut attributes = said(world);
    state.set_attributes(person, &attributes, "system", ledger).await.unwrap();
    keys.rotate(writ_base::keys::KeyPurpose::Directory, ledger, clock.now(), &**randomness).await.unwrap();
    assert_eq!(state.attributes(person).await.unwrap().as_ref(), Some(&attributes), "an older key opens it");
    attributes.training = Currency::Overdue;
    state.set_attributes(person, &attributes, "system", ledger).await.unwrap();
    assert_eq!(state.attributes(person).await.unwrap(), Some(attributes.clone()));
    let nobody = PrincipalId::from_bytes([4; 16]);
    assert!(state.set_attributes(nobody, &attributes, "system", ledger).await.is_err());
    assert_eq!(state.password(person).await.unwrap(), None);
    state.set_password(person, "$argon2id$p", "admin", ledger).await.unwrap();
    assert_eq!(state.password(person).await.unwrap().as_deref(), Some("$argon2id$p"));
    state.remove_password(person, "admin", ledger).await.unwrap();
    assert_eq!(state.password(person).await.unwrap(), None);
    assert!(state.remove_password(person, "admin", ledger).await.is_err());
}

async fn notices(world: &World) {
    let World { state, ledger, clock, .. } = world;
    let person = somebody(world, "notices").await;
    let (chat, code) = (Term::from("chatgpt"), Term::from("copilot"));
    let first = clock.now();
    state.notice_shown(person, &chat, first, ledger).await.unwrap();
    clock.advance(DAY * 80);
    state.notice_shown(person, &code, clock.now(), ledger).await.unwrap();
    let mine = |all: Vec<(PrincipalId, Term, writ_base::Moment)>| all.into_iter().filter(|it| it.0 == person).count();
    assert_eq!(mine(state.notices(clock.now()).await.unwrap()), 2);
    clock.advance(DAY * 11);
    let all = state.notices(clock.now()).await.unwrap();
    assert_eq!(mine(all.clone()), 1, "after 90 days it is shown again");
    assert!(all.iter().all(|it| it.0 != person || it.1 == code));
    state.notice_shown(person, &chat, clock.now(), ledger).await.unwrap();
    assert_eq!(mine(state.notices(clock.now()).await.unwrap()), 2);
    let before = ledger.position();
    state.notice_shown(PrincipalId::from_bytes([5; 16]), &chat, clock.now(), ledger).await.unwrap();
    assert_eq!(written_since(world, before), 0, "of whoever is not known nothing is kept");
}

async fn looks(world: &World) {
    let World { state, ledger, clock, .. } = world;
    let (analyst, person) = (account(world, "analyst").await, somebody(world, "looked-at").await);
    let pseudonym = state.pseudonym(person).unwrap();
    let look = |number: u64, pseudonym| NewLook {
        account: analyst.id,
        role: "analyst",
        pseudonym,
        interaction: interaction(number),
    };
    for _ in 0..3 {
        state.looked(&look(1, &pseudonym), ledger).await.unwrap();
    }
    state.looked(&look(2, &pseudonym), ledger).await.unwrap();
    clock.advance(DAY);
    state.looked(&look(1, &pseudonym), ledger).await.unwrap();
    let seen = state.looks_of(person).await.unwrap();
    let numbers: Vec<_> = seen.iter().map(|it| it.interaction).collect();
    assert_eq!(numbers, [interaction(1), interaction(1), interaction(2)], "once a day for each record");
    assert!(seen.iter().all(|it| it.account == analyst.id && it.role == "analyst"));
    let own = state.pseudonym(analyst.principal).unwrap();
    state.looked(&look(3, &own), ledger).await.unwrap();
    assert!(state.looks_of(analyst.principal).await.unwrap().is_empty(), "one's own record");
    state.looked(&look(3, "nobody-is-called-so"), ledger).await.unwrap();
}

fn objection(world: &World, principal: Option<PrincipalId>, text: &str) -> NewCase {
    NewCase {
        kind: CaseKind::Objection,
        reference: Some("K7F-2QX".into()),
        interaction: Some(interaction(7)),
        clause: Some("health".into()),
        service: "chatgpt".into(),
        principal,
        due: world.clock.now().after(DAY * 3),
        owner: "privacy-officer".into(),
        deputy: "policy-owner".into(),
        message: Some(secret(text)),
        may_see_marks: true,
    }
}

async fn inbox(world: &World) {
    let World { state, ledger, .. } = world;
    let person = somebody(world, "objector").await;
    let first = state.open_case(&objection(world, Some(person), "that was no patient"), ledger).await.unwrap();
    let mut request = objection(world, Some(person), "");
    (request.kind, request.message, request.owner) = (CaseKind::ExceptionRequest, None, "policy-owner".into());
    request.due = world.clock.now().after(DAY);
    let second = state.open_case(&request, ledger).await.unwrap();
    let case = state.case(first).await.unwrap().unwrap();
    assert_eq!(case.message, Some(secret("that was no patient")));
    assert_eq!(case.pseudonym, Some(state.pseudonym(person).unwrap()));
    assert!(case.may_see_marks && case.answer.is_none() && case.interaction == Some(interaction(7)));
    assert!(!format!("{case:?}").contains("patient"), "no text in debug prints");
    let found = |filter: CaseFilter| async move {
        let all = state.cases(&filter).await.unwrap();
        all.into_iter().map(|it| it.id).filter(|id| [first, second].contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(found(CaseFilter::default()).await, [second, first], "by due time");
    assert_eq!(found(CaseFilter { kinds: vec![CaseKind::Objection], ..CaseFilter::default() }).await, [first]);
    assert_eq!(found(CaseFilter { open: Some(false), ..CaseFilter::default() }).await, []);
    let handler = |name: &str| CaseFilter { handler: Some(name.to_owned()), ..CaseFilter::default() };
    assert_eq!(found(handler("privacy-officer")).await, [first]);
    assert_eq!(found(handler("policy-owner")).await, [second, first], "as owner and as deputy");
    assert!(matches!(
        state.answer_case(first, true, &secret("  "), "privacy-officer", ledger).await,
        Err(StateError::Missing { what: "reason" })
    ));
    state.answer_case(first, true, &secret("you were right"), "privacy-officer", ledger).await.unwrap();
    let answer = state.case(first).await.unwrap().unwrap().answer.unwrap();
    assert_eq!(
        (answer.accepted, answer.text, answer.by_role.as_str()),
        (true, secret("you were right"), "privacy-officer")
    );
    let again = state.answer_case(first, false, &secret("no"), "privacy-officer", ledger).await;
    assert!(matches!(again, Err(StateError::Closed { what: "case" })));
    assert_eq!(found(CaseFilter { open: Some(true), ..CaseFilter::default() }).await, [second]);
    assert_eq!(state.cases_of(person).await.unwrap().len(), 2);
    let long = objection(world, Some(person), &"x".repeat(9000));
    assert!(matches!(state.open_case(&long, ledger).await, Err(StateError::OverLimit { .. })));
    for _ in 1..50 {
        state.open_case(&request, ledger).await.unwrap();
    }
    assert!(matches!(state.open_case(&request, ledger).await, Err(StateError::OverLimit { .. })));
    let unknown = objection(world, Some(PrincipalId::from_bytes([6; 16])), "from somebody protected");
    let unknown = state.open_case(&unknown, ledger).await.unwrap();
    assert_eq!(state.case(unknown).await.unwrap().unwrap().pseudonym, None);
}

async fn ask(world: &World, pseudonym: &str, by: AccountId) -> Result<writ_store::state::RevealId, StateError> {
    let purpose = secret("suspected leak, case 12");
    let ask = AskReveal { pseudonym, purpose: &purpose, asked_by: by, valid: DAY };
    world.state.ask_reveal(&ask, "privacy-officer", &world.ledger).await
}

async fn drafts(world: &World) {
    let World { state, ledger, .. } = world;
    let (mine, other) = (account(world, "drafter").await.id, account(world, "second-drafter").await.id);
    let ran = ContentHash::of(b"what ran");
    let new = |account, text, over| (account, secret(text), over);
    let keep = async |(account, text, over): (AccountId, Sensitive<String>, Option<ContentHash>)| {
        state.keep_draft(&NewDraft { account, text: &text, based_on: ran, over }, "policy-owner", ledger).await
    };
    assert_eq!(state.draft(mine).await.unwrap(), None);
    let before = ledger.position();
    let first = keep(new(mine, "first words", None)).await.unwrap();
    assert_eq!((first.hash, first.based_on), (ContentHash::of(b"first words"), ran));
    assert_eq!(state.draft(mine).await.unwrap().as_ref(), Some(&first));
    assert_eq!(state.draft(other).await.unwrap(), None, "a draft is its account's");
    for stale in [None, Some(ContentHash::of(b"another"))] {
        let refused = keep(new(mine, "lost words", stale)).await;
        assert!(matches!(refused, Err(StateError::Changed { what: "draft" })), "{refused:?}");
    }
    assert_eq!(written_since(world, before), 1, "what is refused is not written down");
    let second = keep(new(mine, "second words", Some(first.hash))).await.unwrap();
    let text = state.draft(mine).await.unwrap().unwrap().text;
    assert_eq!((text.expose().as_str(), format!("{text:?}").as_str()), ("second words", "[12 B]"));
    assert!(matches!(
        state.discard_draft(mine, first.hash, "policy-owner", ledger).await,
        Err(StateError::Changed { what: "draft" })
    ));
    assert!(matches!(
        state.discard_draft(other, second.hash, "policy-owner", ledger).await,
        Err(StateError::Missing { what: "draft" })
    ));
    let long = "x".repeat(writ_store::limits::DRAFT_BYTES.value() + 1);
    assert!(matches!(keep(new(other, &long, None)).await, Err(StateError::OverLimit { limit: "store.draft" })));
    state.discard_draft(mine, second.hash, "policy-owner", ledger).await.unwrap();
    assert_eq!(state.draft(mine).await.unwrap(), None);
    let acts: Vec<String> = ledger
        .reader(before)
        .map(Result::unwrap)
        .filter(|entry| !is_checkpoint(entry))
        .map(|entry| String::from_utf8(entry.skeleton.to_vec()).unwrap())
        .collect();
    assert!(acts.len() == 3 && acts[0].contains("draft-keep") && acts[2].contains("draft-discard"), "{acts:?}");
    assert!(acts[1].contains(&second.hash.to_string()) && !acts.concat().contains("words"), "{acts:?}");
}

async fn reveals(world: &World) {
    let World { state, ledger, clock, shares, .. } = world;
    let (asker, council) = (account(world, "asker").await, account(world, "council").await);
    let person = somebody(world, "revealed").await;
    let pseudonym = state.pseudonym(person).unwrap();
    assert!(matches!(ask(world, "sunny-otter-000000", asker.id).await, Err(StateError::Missing { what: "pseudonym" })));
    let id = ask(world, &pseudonym, asker.id).await.unwrap();
    let approve = |account: AccountId, place: usize| {
        let share = &shares[place];
        async move { state.approve_reveal(id, account, share, "privacy-officer", ledger).await }
    };
    let open = |account: AccountId| async move { state.open_reveal(id, account, ledger).await };
    assert!(matches!(open(asker.id).await, Err(StateError::Approvals { given: 0 })));
    approve(asker.id, 0).await.unwrap();
    approve(asker.id, 1).await.unwrap();
    assert!(matches!(open(asker.id).await, Err(StateError::Approvals { given: 1 })), "PRV-1: one person, two shares");
    let same = approve(council.id, 1).await;
    assert!(matches!(same, Err(StateError::Reveal(RevealError::Shares(_)))), "PRV-1: two people, one share");
    approve(council.id, 2).await.unwrap();
    assert_eq!(state.reveal(id).await.unwrap().unwrap().state(clock.now()), RevealState::Approved);
    assert!(matches!(open(council.id).await, Err(StateError::NotYours)));
    // After a restart the shares are gone: they are written nowhere.
    let again = State::open(state.location().clone(), world.means()).await.unwrap();
    assert!(matches!(again.open_reveal(id, asker.id, ledger).await, Err(StateError::Approvals { given: 0 })));
    again.close().await;
    let before = ledger.position();
    assert_eq!(open(asker.id).await.unwrap(), login_of(world, "revealed"));
    let entry = ledger.reader(before).map(Result::unwrap).find(|entry| !is_checkpoint(entry)).unwrap();
    assert_eq!((entry.header.kind, entry.parse::<RevealEntry>().unwrap().reveal), (EntryKind::Reveal, id));
    assert!(!contains(&entry.skeleton, b"leak"), "no free text in a skeleton");
    let details = state.open_personal(&entry).await.unwrap().unwrap();
    assert!(contains(details.expose(), b"suspected leak") && contains(details.expose(), person.to_string().as_bytes()));
    assert!(matches!(open(asker.id).await, Err(StateError::Closed { .. })), "once");
    assert!(matches!(approve(council.id, 2).await, Err(StateError::Closed { .. })));
    let mine = state.reveals_of(person).await.unwrap();
    assert_eq!((mine.len(), mine[0].state(clock.now()), mine[0].approvals.len()), (1, RevealState::Opened, 2));
    assert!(state.reveals().await.unwrap().iter().any(|it| it.id == id));
    let late = ask(world, &pseudonym, asker.id).await.unwrap();
    clock.advance(DAY);
    let refused = state.approve_reveal(late, asker.id, &shares[0], "privacy-officer", ledger).await;
    assert!(matches!(refused, Err(StateError::Expired { .. })));
    assert!(matches!(state.open_reveal(late, asker.id, ledger).await, Err(StateError::Expired { .. })));
}

async fn shares_that_do_not_fit(world: &World) {
    let World { state, ledger, shares, randomness, .. } = world;
    let (asker, council) = (account(world, "asker-2").await, account(world, "council-2").await);
    let person = somebody(world, "not revealed").await;
    let id = ask(world, &state.pseudonym(person).unwrap(), asker.id).await.unwrap();
    let (_, others) = writ_store::personal::new_reveal_key(3, &**randomness).unwrap();
    state.approve_reveal(id, asker.id, &shares[0], "privacy-officer", ledger).await.unwrap();
    state.approve_reveal(id, council.id, &others[1], "privacy-officer", ledger).await.unwrap();
    let before = ledger.position();
    assert!(matches!(state.open_reveal(id, asker.id, ledger).await, Err(StateError::Reveal(RevealError::WrongKey(_)))));
    assert_eq!(written_since(world, before), 0);
    let reveal = state.reveal(id).await.unwrap().unwrap();
    assert!(reveal.approvals.is_empty() && reveal.opened.is_none(), "all approve anew");
    state.approve_reveal(id, asker.id, &shares[0], "privacy-officer", ledger).await.unwrap();
    state.approve_reveal(id, council.id, &shares[1], "privacy-officer", ledger).await.unwrap();
    assert!(state.open_reveal(id, asker.id, ledger).await.is_ok());
}

/// Of protected persons no identity is kept: there is nothing to lift, whoever agrees.
async fn protected(world: &World) {
    let World { state, ledger, shares, .. } = world;
    let (asker, council) = (account(world, "asker-3").await, account(world, "council-3").await);
    let person = somebody(world, "counsel").await;
    let pseudonym = state.pseudonym(person).unwrap();
    let id = ask(world, &pseudonym, asker.id).await.unwrap();
    state.approve_reveal(id, asker.id, &shares[0], "privacy-officer", ledger).await.unwrap();
    state.approve_reveal(id, council.id, &shares[1], "privacy-officer", ledger).await.unwrap();
    state.protect(person, "system", ledger).await.unwrap();
    state.protect(person, "system", ledger).await.unwrap();
    assert!(state.protected(person).await.unwrap());
    assert!(matches!(state.open_reveal(id, asker.id, ledger).await, Err(StateError::Protected)));
    assert!(matches!(ask(world, &pseudonym, asker.id).await, Err(StateError::Protected)));
    assert!(matches!(state.sealed_identity(person).await, Err(StateError::Protected)));
    let case = state.open_case(&objection(world, Some(person), "mine"), ledger).await.unwrap();
    assert_eq!(state.case(case).await.unwrap().unwrap().pseudonym, None);
    state.unprotect(person, &secret("Counsel"), "system", ledger).await.unwrap();
    let (sealed, _) = state.sealed_identity(person).await.unwrap();
    let opened = writ_store::personal::open_identity(&sealed, &person.to_string(), &shares[..2]).unwrap();
    assert_eq!(opened, b"Counsel");
}

/// Everything there is about one person, with words that must be found nowhere.
async fn fill(world: &World) -> (PrincipalId, Account) {
    let World { state, ledger, .. } = world;
    let mine = account(world, "erased-person").await;
    let other = account(world, "stays").await;
    let person = mine.principal;
    let attributes = Attributes { groups: BTreeSet::from(["betriebsrat-nord".into()]), ..said(world) };
    state.set_attributes(person, &attributes, "system", ledger).await.unwrap();
    state.set_password(person, "$argon2id$erased", "admin", ledger).await.unwrap();
    state.notice_shown(person, &"chatgpt".into(), world.clock.now(), ledger).await.unwrap();
    let pseudonym = state.pseudonym(person).unwrap();
    let look = NewLook { account: other.id, role: "analyst", pseudonym: &pseudonym, interaction: interaction(1) };
    state.looked(&look, ledger).await.unwrap();
    let case = state.open_case(&objection(world, Some(person), "my planted message"), ledger).await.unwrap();
    state.answer_case(case, false, &secret("a planted answer"), "privacy-officer", ledger).await.unwrap();
    ask(world, &pseudonym, other.id).await.unwrap();
    state.create_ticket(mine.id, DAY, "admin", ledger).await.unwrap();
    let text = secret("a planted draft");
    let draft = NewDraft { account: mine.id, text: &text, based_on: ContentHash::of(b"ran"), over: None };
    state.keep_draft(&draft, "policy-owner", ledger).await.unwrap();
    (person, mine)
}

async fn erasing(world: &World) {
    let World { state, ledger, .. } = world;
    let (person, mine) = fill(world).await;
    let case = state.cases_of(person).await.unwrap().remove(0);
    state.erase(person, "privacy officer", ledger).await.unwrap();
    assert_eq!(state.account(mine.id).await.unwrap(), None);
    assert_eq!(state.draft(mine.id).await.unwrap(), None);
    assert_eq!(state.attributes(person).await.unwrap(), None);
    assert_eq!(state.password(person).await.unwrap(), None);
    assert!(state.notices(world.clock.now()).await.unwrap().iter().all(|it| it.0 != person));
    assert!(state.looks_of(person).await.unwrap().is_empty());
    assert!(state.cases_of(person).await.unwrap().is_empty());
    assert!(state.reveals_of(person).await.unwrap().is_empty());
    let left = state.case(case.id).await.unwrap().unwrap();
    assert_eq!((left.pseudonym, left.message, left.reference, left.interaction), (None, None, None, None));
    let answer = left.answer.unwrap();
    assert_eq!((answer.accepted, answer.text, left.kind), (false, Sensitive::default(), CaseKind::Objection));
}

#[tokio::test]
async fn no_file_holds_a_readable_word_of_a_person_and_none_holds_the_person_after_an_erasure() {
    let world = World::new().await;
    let (person, mine) = fill(&world).await;
    let hit = |needle: &[u8]| {
        let files = all_bytes(world.folder.path());
        files.into_iter().find(|(_, bytes)| contains(bytes, needle)).map(|(path, _)| path)
    };
    let words = [
        "erased-person",
        "betriebsrat",
        "Example GmbH",
        "planted message",
        "planted answer",
        "planted draft",
        "suspected leak",
    ];
    for word in words {
        assert_eq!(hit(word.as_bytes()), None, "{word}");
    }
    let names = [person.to_string(), "$argon2id$erased".to_owned()];
    for name in &names {
        assert!(hit(name.as_bytes()).is_some(), "the state database knows it until then");
    }
    world.state.erase(person, "privacy officer", &world.ledger).await.unwrap();
    for name in &names {
        assert_eq!(hit(name.as_bytes()), None, "{name}");
    }
    // The ledger still says that an account was made and had an id, as evidence; nothing leads from it to anybody.
    assert!(world.state.account(mine.id).await.unwrap().is_none());
}

/// What the ledger cannot take does not happen.
#[tokio::test]
async fn nothing_changes_when_the_ledger_refuses() {
    let world = World::new().await;
    let World { state, ledger, shares, .. } = &world;
    let mine = account(&world, "mine").await;
    let other = somebody(&world, "other").await;
    state.set_attributes(other, &said(&world), "system", ledger).await.unwrap();
    let attributes = state.attributes(other).await.unwrap();
    let case = state.open_case(&objection(&world, Some(other), "x"), ledger).await.unwrap();
    let reveal = ask(&world, &state.pseudonym(other).unwrap(), mine.id).await.unwrap();
    let second = account(&world, "second").await;
    for (account, share) in [(mine.id, &shares[0]), (second.id, &shares[1])] {
        state.approve_reveal(reveal, account, share, "privacy-officer", ledger).await.unwrap();
    }
    let ticket = state.create_ticket(mine.id, DAY, "admin", ledger).await.unwrap();
    let (kept, changed_text) = (secret("kept"), secret("changed"));
    let draft = |text, over| NewDraft { account: mine.id, text, based_on: ContentHash::of(b"ran"), over };
    let kept = state.keep_draft(&draft(&kept, None), "policy-owner", ledger).await.unwrap();
    ledger.close().await.unwrap();
    let refused = |result: Result<(), StateError>| assert!(matches!(result, Err(StateError::Ledger(_))), "{result:?}");
    let login = secret("third");
    let new =
        NewAccount { login: &login, principal: other, roles: BTreeSet::new(), password_hash: "$", must_change: false };
    refused(state.create_account(&new, "admin", ledger).await.map(|_| ()));
    refused(state.set_roles(mine.id, &BTreeSet::new(), "admin", ledger).await);
    refused(state.set_password_hash(mine.id, "$", false, "admin", ledger).await);
    refused(state.disable_account(mine.id, "admin", ledger).await);
    refused(state.redeem_ticket(&ticket, ledger).await.map(|_| ()));
    let changed = Attributes { training: Currency::Overdue, ..said(&world) };
    refused(state.set_attributes(other, &changed, "system", ledger).await);
    refused(state.set_password(other, "$", "admin", ledger).await);
    refused(state.notice_shown(other, &"chatgpt".into(), world.clock.now(), ledger).await);
    refused(state.open_case(&objection(&world, Some(other), "y"), ledger).await.map(|_| ()));
    refused(state.answer_case(case, true, &secret("z"), "privacy-officer", ledger).await);
    refused(state.protect(other, "system", ledger).await);
    refused(state.open_reveal(reveal, mine.id, ledger).await.map(|_| ()));
    refused(state.keep_draft(&draft(&changed_text, Some(kept.hash)), "policy-owner", ledger).await.map(|_| ()));
    refused(state.discard_draft(mine.id, kept.hash, "policy-owner", ledger).await);
    assert_eq!(state.draft(mine.id).await.unwrap(), Some(kept));
    assert_eq!(state.account(mine.id).await.unwrap(), Some(mine.clone()));
    assert_eq!(state.account_password(mine.id).await.unwrap().as_deref(), Some("$argon2id$x"));
    assert_eq!(state.account_of(other).await.unwrap(), None);
    assert_eq!(state.attributes(other).await.unwrap(), attributes);
    assert_eq!(state.password(other).await.unwrap(), None);
    assert!(state.notices(world.clock.now()).await.unwrap().is_empty());
    assert_eq!(state.cases_of(other).await.unwrap().len(), 1);
    assert!(state.case(case).await.unwrap().unwrap().answer.is_none());
    assert!(!state.protected(other).await.unwrap());
    assert_eq!(state.reveal(reveal).await.unwrap().unwrap().opened, None);
}
