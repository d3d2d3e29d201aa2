//! Signing in: fixation, expiry, forged forms, guessing, first passwords, tickets.

use std::collections::BTreeSet;
use std::time::Duration;

use writ_base::Sensitive;
use writ_identity::passwords::{Weak, admit_password};
use writ_identity::{Accounts, LoginRefused, PasswordRefused, Permission, Role, Session, SessionCookie};
use writ_model::record::{AdminAct, EntryKind};
use writ_store::state::{AccountId, CaseKind};

use crate::support::{NOW, World, ip, secret};

const PEER: &str = "10.0.0.7";

async fn made(world: &World, accounts: &Accounts, login: &str, roles: &[Role]) -> (AccountId, Sensitive<String>) {
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    let made = accounts.create(&secret(login), &secret(login), &roles, Role::Admin).await.unwrap();
    assert!(world.ledger.position() > 0);
    made
}

/// An account whose first password was changed to `correct horse battery`.
async fn ready(world: &World, accounts: &Accounts, login: &str, roles: &[Role]) -> (AccountId, SessionCookie) {
    let (id, first) = made(world, accounts, login, roles).await;
    let cookie = accounts.login(&secret(login), &first, ip(PEER), None, world.now()).await.unwrap();
    let new = secret(PASSWORD);
    let cookie = accounts.change_password(token(&cookie), Some(&first), &new, ip(PEER), world.now()).await.unwrap();
    (id, cookie)
}

const PASSWORD: &str = "correct horse battery";

fn token(cookie: &SessionCookie) -> &str {
    cookie.token.expose()
}

async fn session(world: &World, accounts: &Accounts, cookie: &SessionCookie) -> Option<Session> {
    accounts.session(token(cookie), world.now()).await.unwrap()
}

#[tokio::test]
async fn a_first_password_is_good_for_choosing_another_only() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (_, first) = made(&world, &accounts, "ada", &[Role::Admin]).await;
    assert_eq!(first.expose().len(), 23);
    let cookie = accounts.login(&secret("Ada"), &first, ip(PEER), None, NOW).await.unwrap();
    assert!(cookie.must_change);
    let fresh = session(&world, &accounts, &cookie).await.unwrap();
    assert!(Permission::ALL.iter().all(|it| !fresh.may(*it)) && CaseKind::ALL.iter().all(|it| !fresh.answers(*it)));
    let change = |present: Option<Sensitive<String>>, new: &str| {
        let (accounts, new, token) = (accounts.clone(), secret(new), token(&cookie).to_owned());
        async move { accounts.change_password(&token, present.as_ref(), &new, ip(PEER), NOW).await }
    };
    assert_eq!(change(None, PASSWORD).await.err(), Some(PasswordRefused::Login(LoginRefused::Wrong)));
    assert_eq!(change(Some(secret("x")), PASSWORD).await.err(), Some(PasswordRefused::Login(LoginRefused::Wrong)));
    assert_eq!(change(Some(first.clone()), "short").await.err(), Some(PasswordRefused::Weak(Weak::Short)));
    assert_eq!(change(Some(first.clone()), first.expose()).await.err(), Some(PasswordRefused::Same));
    let changed = change(Some(first.clone()), PASSWORD).await.unwrap();
    assert!(!changed.must_change && session(&world, &accounts, &cookie).await.is_none(), "the former session ended");
    let now = session(&world, &accounts, &changed).await.unwrap();
    assert!(now.may(Permission::ManageAccounts) && !now.may(Permission::SeeLive));
    let old = accounts.login(&secret("ada"), &first, ip(PEER), None, NOW).await;
    assert_eq!(old.err(), Some(LoginRefused::Wrong));
    assert!(accounts.login(&secret("ada"), &secret(PASSWORD), ip(PEER), None, NOW).await.is_ok());
}

#[tokio::test]
async fn a_planted_token_is_worth_nothing() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (_, mine) = ready(&world, &accounts, "ada", &[Role::Analyst]).await;
    let planted = "00".repeat(32);
    let cookie = accounts.login(&secret("ada"), &secret(PASSWORD), ip(PEER), Some(&planted), NOW).await.unwrap();
    assert_ne!(token(&cookie), planted);
    assert!(accounts.session(&planted, NOW).await.unwrap().is_none());
    let again = accounts.login(&secret("ada"), &secret(PASSWORD), ip(PEER), Some(token(&mine)), NOW).await.unwrap();
    assert!(session(&world, &accounts, &mine).await.is_none(), "what the browser brought ends");
    assert!(session(&world, &accounts, &cookie).await.is_some() && session(&world, &accounts, &again).await.is_some());
    assert_eq!(token(&cookie).len(), 64);
    assert!(!format!("{cookie:?}").contains(token(&cookie)), "no token in debug prints");
    let header = again.header(true);
    assert!(header.expose().ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"));
    let sent = format!("theme=dark; {}; x=1", header.expose().split(';').next().unwrap());
    assert_eq!(SessionCookie::token_in(&sent), Some(token(&again)));
    assert_eq!(SessionCookie::token_in("writ_sessions=1; awrit_session=2"), None);
}

#[tokio::test]
async fn sessions_end_by_the_clock() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (_, cookie) = ready(&world, &accounts, "ada", &[Role::Analyst]).await;
    for _ in 0..24 {
        world.later(29 * 60);
        assert!(session(&world, &accounts, &cookie).await.is_some(), "in use");
    }
    world.later(29 * 60);
    assert!(session(&world, &accounts, &cookie).await.is_none(), "after twelve hours, in use or not");
    let cookie = accounts.login(&secret("ada"), &secret(PASSWORD), ip(PEER), None, world.now()).await.unwrap();
    world.later(30 * 60);
    assert!(session(&world, &accounts, &cookie).await.is_none(), "unused for half an hour");
    assert_eq!(accounts.sessions().count(world.now()), 0);
}

#[tokio::test]
async fn forms_need_the_token_of_their_session() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (_, one) = ready(&world, &accounts, "ada", &[Role::Analyst]).await;
    let (_, two) = ready(&world, &accounts, "eve", &[Role::Analyst]).await;
    let (one, two) = (session(&world, &accounts, &one).await.unwrap(), session(&world, &accounts, &two).await.unwrap());
    assert!(one.csrf_valid(one.csrf.expose()));
    let cut: String = one.csrf.expose().chars().skip(1).collect();
    for wrong in ["", "x", two.csrf.expose(), &cut] {
        assert!(!one.csrf_valid(wrong));
    }
}

#[tokio::test]
async fn guessing_is_stopped_and_says_nothing_about_logins() {
    let world = World::new().await;
    let accounts = world.accounts();
    ready(&world, &accounts, "ada", &[Role::Analyst]).await;
    let (disabled, _) = ready(&world, &accounts, "gone", &[Role::Analyst]).await;
    accounts.disable(disabled, Role::Admin).await.unwrap();
    let attacker = ip("203.0.113.5");
    for login in ["ada", "nobody", "gone"] {
        let password = if login == "gone" { PASSWORD } else { "wrong wrong wrong" };
        let mut answers = Vec::new();
        for _ in 0..7 {
            answers.push(accounts.login(&secret(login), &secret(password), attacker, None, NOW).await.err().unwrap());
        }
        assert!(answers[..5].iter().all(|it| *it == LoginRefused::Wrong), "{login}: {answers:?}");
        assert!(answers[5..].iter().all(|it| matches!(it, LoginRefused::TooMany { .. })), "{login}: {answers:?}");
    }
    let right = accounts.login(&secret("ada"), &secret(PASSWORD), attacker, None, NOW).await;
    assert!(matches!(right, Err(LoginRefused::TooMany { .. })), "the right one is not even looked at");
    assert!(accounts.login(&secret("ada"), &secret(PASSWORD), ip(PEER), None, NOW).await.is_ok(), "from the own place");
    let later = NOW.after(Duration::from_secs(61));
    assert!(
        accounts.login(&secret("ada"), &secret(PASSWORD), attacker, None, later).await.is_ok(),
        "and later anywhere"
    );
    let long = secret(&"x".repeat(2000));
    assert_eq!(accounts.login(&secret("ada"), &long, attacker, None, later).await.err(), Some(LoginRefused::Wrong));
}

#[tokio::test]
async fn tickets_sign_in_once() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (id, _) = made(&world, &accounts, "ada", &[Role::PolicyOwner]).await;
    let ticket = accounts.make_ticket(id, Duration::from_secs(600), Role::Admin).await.unwrap();
    let cookie = accounts.redeem(&ticket, ip(PEER), None, NOW).await.unwrap();
    assert!(cookie.must_change, "whoever has a first password chooses another, ticket or not");
    assert_eq!(accounts.redeem(&ticket, ip(PEER), None, NOW).await.err(), Some(LoginRefused::NoTicket));
    // With a ticket the present password is not asked for: nobody knows it.
    let changed = accounts.change_password(token(&cookie), None, &secret(PASSWORD), ip(PEER), NOW).await.unwrap();
    let again = accounts.change_password(token(&changed), None, &secret("another good one"), ip(PEER), NOW).await;
    assert_eq!(again.err(), Some(PasswordRefused::Login(LoginRefused::Wrong)));
    let late = accounts.make_ticket(id, Duration::from_secs(600), Role::Admin).await.unwrap();
    world.later(600);
    assert_eq!(accounts.redeem(&late, ip(PEER), None, world.now()).await.err(), Some(LoginRefused::NoTicket));
    let guess = secret(&"ab".repeat(32));
    let mut refused = Vec::new();
    for _ in 0..8 {
        refused.push(accounts.redeem(&guess, ip("203.0.113.5"), None, world.now()).await.err().unwrap());
    }
    assert!(matches!(refused.last(), Some(LoginRefused::TooMany { .. })));
    let of_disabled = accounts.make_ticket(id, Duration::from_secs(600), Role::Admin).await.unwrap();
    accounts.disable(id, Role::Admin).await.unwrap();
    assert_eq!(accounts.redeem(&of_disabled, ip(PEER), None, world.now()).await.err(), Some(LoginRefused::NoTicket));
}

#[tokio::test]
async fn what_an_account_is_now_counts() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (id, cookie) = ready(&world, &accounts, "ada", &[Role::Analyst]).await;
    // Changed by another process, such as the command line: seen within seconds.
    let roles = BTreeSet::from(["help-desk".to_owned(), "a-later-role".to_owned()]);
    world.state.set_roles(id, &roles, "admin", &world.ledger).await.unwrap();
    assert!(session(&world, &accounts, &cookie).await.unwrap().may(Permission::SeeLive));
    world.later(16);
    let now = session(&world, &accounts, &cookie).await.unwrap();
    assert!(!now.may(Permission::SeeLive) && now.may(Permission::LookUpCode));
    world.state.disable_account(id, "admin", &world.ledger).await.unwrap();
    world.later(16);
    assert!(session(&world, &accounts, &cookie).await.is_none());

    let (id, cookie) = ready(&world, &accounts, "grace", &[Role::Analyst]).await;
    let first = accounts.reset_password(id, Role::Admin).await.unwrap();
    assert!(session(&world, &accounts, &cookie).await.is_none(), "a reset ends sessions at once");
    let cookie = accounts.login(&secret("grace"), &first, ip(PEER), None, world.now()).await.unwrap();
    assert!(cookie.must_change);
    accounts.set_roles(id, &BTreeSet::from([Role::Employee]), Role::Admin).await.unwrap();
    assert!(session(&world, &accounts, &cookie).await.is_none(), "as do other roles");
    let acts: Vec<String> = world
        .ledger
        .reader(0)
        .map(Result::unwrap)
        .filter(|entry| entry.header.kind == EntryKind::AdminAct)
        .map(|entry| entry.parse::<AdminAct>().unwrap().act)
        .collect();
    for act in ["account-create", "account-password", "account-roles", "account-disable"] {
        assert!(acts.iter().any(|it| it == act), "{act}");
    }
}

#[tokio::test]
async fn one_account_has_at_most_twenty_sessions() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (_, first) = ready(&world, &accounts, "ada", &[Role::Analyst]).await;
    for _ in 0..20 {
        world.later(1);
        accounts.login(&secret("ada"), &secret(PASSWORD), ip(PEER), None, world.now()).await.unwrap();
    }
    assert_eq!(accounts.sessions().count(world.now()), 20);
    assert!(session(&world, &accounts, &first).await.is_none(), "the one unused for longest ended");
}

#[test]
fn weak_passwords_are_refused() {
    let refused = |text: &str| admit_password(&secret(text), Some("lovelace@example.org")).err();
    assert_eq!(refused("eleven char"), Some(Weak::Short));
    assert_eq!(refused("abababababab"), Some(Weak::Repeats));
    assert_eq!(refused("my Lovelace password"), Some(Weak::ContainsLogin));
    assert_eq!(refused(&"long ago ".repeat(200)), Some(Weak::Long));
    assert_eq!(refused("zwölf Zeichen"), None);
}
