//! The page of a stop: what happened, why, and what the person can do now, in their language. Opened by the token of its
//! link, or by the person themself. Their text is in their window only: it travels in the address's fragment.

mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use writ_base::{Moment, Sensitive};
use writ_engine::voice::Phrases;
use writ_engine::{Choice, ChoiceRefused, Snapshot};
use writ_model::interaction::{InteractionId, PrincipalId};
use writ_model::verdict::Offer;
use writ_model::{ClauseQuote, Effect, Language, Term};
use writ_store::state::{CaseKind, NewCase};

use self::words::Words;
use super::lookup::normal;
use super::{Shared, service_name};
use crate::Console;
use crate::charts::escape;
use crate::frame::{Perhaps, Solo, Visit};
use crate::guard::{same, text};
use crate::markup::inline;
use crate::reply::{Failure, Reply, encode, page as show, see};

/// What the page shows.
#[derive(Debug)]
pub(crate) struct StopView {
    reference: String,
    token: String,
    csrf: String,
    title: String,
    reason: Vec<String>,
    choices: Vec<ChoiceView>,
    objection: Option<String>,
    mistake_asked: bool,
    answer_by: Option<String>,
    languages: Vec<LanguageLink>,
    done: Option<&'static str>,
}

/// A choice.
#[derive(Debug)]
pub(crate) struct ChoiceView {
    title: String,
    text: String,
    /// What is said besides, where the text came along.
    carried: &'static str,
    act: ChoiceAct,
    /// Whether the link that was followed names it.
    asked: bool,
}

impl ChoiceView {
    /// Whether it is shown only where a text came along.
    fn carried_only(&self) -> bool {
        matches!(self.act, ChoiceAct::Edit { carried_only: true })
    }
}

/// How a choice is taken.
#[derive(Debug)]
pub(crate) enum ChoiceAct {
    /// One button.
    Post { action: String, button: String },
    /// Another place; the text goes along.
    Link { href: String, button: String },
    /// A sentence.
    Reason { action: String, label: String, button: String },
    /// The text itself; shown only where it came along, if nothing in it was found.
    Edit { carried_only: bool },
}

/// The page in another language.
#[derive(Debug)]
pub(crate) struct LanguageLink {
    href: String,
    code: &'static str,
    name: &'static str,
}

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage {
    solo: Solo,
    view: StopView,
    /// The words that are this page's own.
    w: &'static Words,
    /// Those that it shares with messages in chats.
    p: Phrases,
}

/// What is asked of the page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    k: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    done: String,
    /// The choice that a link in a chat names: it is set off; nothing is done before its button is pressed.
    #[serde(default, rename = "do")]
    choice: String,
}

/// The form of a choice.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ChoiceForm {
    #[serde(default)]
    k: String,
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    marks: String,
}

/// A stop, from the engine's memory or from its record.
struct Known {
    reference: String,
    interaction: InteractionId,
    principal: Option<PrincipalId>,
    service: Term,
    service_name: String,
    effect: Effect,
    unreadable: bool,
    clauses: Vec<ClauseQuote>,
    classes: Vec<Term>,
    why: Option<String>,
    offers: Vec<Offer>,
    language: Option<Language>,
    /// Whether the engine can still take a choice about the message.
    fresh: bool,
}

/// `GET /r/{code}`
pub(crate) async fn page(
    State(console): Shared,
    Perhaps(visit): Perhaps,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Reply {
    let code = normal(&code);
    let stop = match open(&console, visit.as_ref(), &code, &asked.k).await {
        Err(Failure::SignIn) => return Ok(see(&format!("/login?next={}", encode(&format!("/r/{code}"))))),
        other => other?,
    };
    let language = Language::of_tag(&asked.lang)
        .or(stop.language)
        .or_else(|| text(&headers, &header::ACCEPT_LANGUAGE).and_then(Language::stated))
        .unwrap_or_default();
    let w = words::words(language);
    let csrf = visit.as_ref().map(|visit| visit.csrf.clone()).unwrap_or_default();
    let p = console.parts.engine.voice().phrases(language, &stop.service_name, stop.principal.is_none());
    let view = view(&console, &stop, &asked, language, &p, csrf);
    let mut solo = console.solo(&view.title);
    solo.narrow = false;
    solo.lang = language.code();
    show(&StopPage { solo, view, w, p })
}

/// The stop, if its token was given or its person asks.
async fn open(console: &Console, visit: Option<&Visit>, code: &str, token: &str) -> Result<Known, Failure> {
    let by_token = console.parts.engine.page_token_valid(code, token);
    if !by_token && visit.is_none() {
        return Err(Failure::SignIn);
    }
    let stop = known(console, code).await?;
    let mine = visit.is_some_and(|visit| stop.principal == Some(visit.principal));
    if by_token || mine { Ok(stop) } else { Err(Failure::Missing) }
}

/// The class that a type of data belongs to, as the detectors that ship have it.
fn class_of(data_type: &str) -> Option<Term> {
    Some(Term::fixed(match data_type {
        "EMAIL" | "PHONE" | "PERSON" | "STREET_ADDRESS" => "contact",
        "US_SSN" | "DATE_OF_BIRTH" => "pii",
        "MEDICAL_RECORD_NUMBER" | "HEALTH_INSURANCE_ID" | "HEALTH_CONDITION" | "MEDICATION" | "PROCEDURE" => "phi",
        "CREDIT_CARD" | "IBAN" | "BANK_ACCOUNT" => "payment",
        "API_KEY" | "API_SECRET" | "AUTH_TOKEN" | "PASSWORD" | "JWT" | "PRIVATE_KEY" => "credentials",
        "SOURCE_CODE" | "CONFIG_MARKUP" => "source-code",
        _ => return None,
    }))
}

async fn known(console: &Console, code: &str) -> Result<Known, Failure> {
    let snapshot = (console.parts.snapshot)();
    if let Some(stop) = console.parts.engine.stopped(code) {
        let row = console.parts.index.by_reference(code).await?;
        let classes = match row {
            Some(row) => {
                let skeleton = super::detail::skeleton(console, row.sequence).await?;
                skeleton.map(|skeleton| skeleton.classes.into_iter().map(|class| class.class).collect())
            }
            None => None,
        };
        // The index may be a moment behind: then what was found tells.
        let classes: Vec<Term> = classes.unwrap_or_else(|| {
            let found: BTreeSet<Term> = stop.discoveries.iter().filter_map(|it| class_of(&it.data_type)).collect();
            found.into_iter().collect()
        });
        return Ok(Known {
            reference: stop.reference,
            interaction: stop.interaction,
            principal: stop.principal,
            service: stop.service,
            service_name: stop.service_name,
            effect: stop.effect,
            unreadable: stop.kind == writ_model::RefusalKind::Unreadable,
            classes,
            clauses: stop.clauses,
            why: stop.why,
            offers: stop.offers,
            language: Some(stop.language),
            fresh: true,
        });
    }
    from_record(console, &snapshot, code).await
}

/// After a restart, or a day: the record tells the same, but a choice about the message itself is not possible any more.
async fn from_record(console: &Console, snapshot: &Snapshot, code: &str) -> Result<Known, Failure> {
    let row = console.parts.index.by_reference(code).await?.ok_or(Failure::Missing)?;
    let (skeleton, personal) = super::detail::decision(console, row.sequence).await?.ok_or(Failure::Missing)?;
    let mut seen = BTreeSet::new();
    let rules = skeleton.decided.iter().filter_map(|cause| snapshot.policy.rule(&cause.clause, cause.rule));
    let why = rules.clone().find_map(|rule| rule.why.clone());
    let asked = rules.flat_map(|rule| rule.offers.iter()).any(|offer| *offer == Offer::AskException);
    Ok(Known {
        reference: code.to_owned(),
        interaction: row.interaction,
        principal: personal.map(|personal| personal.principal),
        service_name: service_name(&snapshot.catalog, &skeleton.service),
        service: skeleton.service,
        effect: skeleton.enforced,
        unreadable: !skeleton.unreadable.is_empty(),
        classes: skeleton.classes.into_iter().map(|class| class.class).collect(),
        clauses: skeleton
            .decided
            .iter()
            .filter(|cause| seen.insert(cause.clause.clone()))
            .filter_map(|cause| snapshot.quote(&cause.clause))
            .collect(),
        why,
        offers: if asked { vec![Offer::AskException] } else { Vec::new() },
        language: None,
        fresh: false,
    })
}

fn view(
    console: &Console,
    stop: &Known,
    asked: &Asked,
    language: Language,
    phrases: &Phrases,
    csrf: String,
) -> StopView {
    let w = words::words(language);
    let done = match asked.done.as_str() {
        "without" => Some(w.done_without),
        "reason" => Some(w.done_reason),
        "exception" => Some(w.done_exception),
        "vetting" => Some(w.done_vetting),
        "objection" => Some(w.done_objection),
        "failed" => Some(w.failed),
        "short" => Some(w.too_short),
        _ => None,
    };
    let query = |lang: Language| {
        let token = if asked.k.is_empty() { String::new() } else { format!("k={}&", encode(&asked.k)) };
        format!("/r/{}?{token}lang={}", stop.reference, lang.code())
    };
    let languages = Language::ALL.iter().filter(|it| **it != language);
    StopView {
        reference: stop.reference.clone(),
        token: asked.k.clone(),
        csrf,
        title: if stop.effect == Effect::Justify { w.not_sent_yet.to_owned() } else { phrases.not_sent.clone() },
        reason: reason(stop, w, language, (console.parts.policy)().parsed.document.front.language()),
        choices: choices(console, stop, language, phrases, &asked.choice),
        mistake_asked: asked.choice == "mistake",
        objection: (asked.done != "objection")
            .then(|| format!("/r/{}/objection?lang={}", stop.reference, language.code())),
        answer_by: Some(words::time(due(console), language)),
        languages: languages
            .map(|it| LanguageLink { href: query(*it), code: it.code(), name: it.own_name() })
            .collect(),
        done,
    }
}

fn reason(stop: &Known, w: &Words, language: Language, policy_language: &str) -> Vec<String> {
    let found: BTreeSet<String> = stop.classes.iter().map(|class| words::class(class, language)).collect();
    let found: Vec<String> = found.into_iter().collect();
    let first = if stop.unreadable {
        w.not_read.to_owned()
    } else if let Some((last, rest)) = found.split_last() {
        let found = if rest.is_empty() { last.clone() } else { format!("{} {} {last}", rest.join(", "), w.and) };
        w.contains.replace("{found}", &found).replace("{tool}", &stop.service_name)
    } else {
        w.not_allowed.replace("{tool}", &stop.service_name)
    };
    let mut lines = vec![inline(&first)];
    // The policy's own words are in its own language: shown where they fit.
    let own = |text: &str| format!("<span lang=\"{}\">{}</span>", escape(policy_language), inline(text));
    if let Some(why) = &stop.why {
        lines.push(own(why));
    }
    let quote = |clause: &ClauseQuote| {
        let title = own(&format!("*{}*", clause.title));
        format!("<a href=\"/policy#{}\">{} {}, {title}</a>", encode(&clause.id), w.rule, escape(&clause.number))
    };
    let quotes: Vec<String> = stop.clauses.iter().map(quote).collect();
    if !quotes.is_empty() {
        lines.push(quotes.join("; "));
    }
    lines
}

fn choices(console: &Console, stop: &Known, language: Language, p: &Phrases, asked: &str) -> Vec<ChoiceView> {
    let w = words::words(language);
    let action = |choice: &str| format!("/r/{}/{choice}?lang={}", stop.reference, language.code());
    let written = |choice: &str, label: &str, button: &str| ChoiceAct::Reason {
        action: action(choice),
        label: label.to_owned(),
        button: button.to_owned(),
    };
    let mut choices = Vec::new();
    if stop.fresh && stop.effect == Effect::Justify && stop.principal.is_some() {
        let act = written("reason", w.reason_label, w.reason_button);
        choices.push(choice(&p.reason.name, w.reason_text, act, asked == "reason"));
    }
    for offer in &stop.offers {
        choices.extend(match offer {
            Offer::Redact if stop.fresh => {
                let act = ChoiceAct::Post { action: action("without"), button: w.without_button.into() };
                Some(choice(&p.without_details.name, &p.without_details.then, act, asked == "redact"))
            }
            Offer::Redirect(service) => redirect(console, service, language, asked),
            Offer::AskException => {
                let act = written("exception", w.exception_label, w.exception_button);
                Some(choice(&p.exception.name, &p.exception.then, act, asked == "exception"))
            }
            Offer::AskVetting => {
                let act = written("vetting", w.vetting_label, w.vetting_button);
                Some(choice(&p.vetting.name, w.vetting_text, act, asked == "vetting"))
            }
            Offer::Redact | Offer::Object => None,
        });
    }
    // Where nothing was found there is nothing to change; a text that came along is given back all the same.
    let edit = choice(&p.change.name, "", ChoiceAct::Edit { carried_only: stop.classes.is_empty() }, asked == "change");
    // Before what takes somebody else's time.
    let at = choices
        .iter()
        .position(|choice| matches!(&choice.act, ChoiceAct::Reason { action, .. } if !action.contains("/reason")));
    choices.insert(at.unwrap_or(choices.len()), edit);
    choices
}

fn choice(title: &str, text: &str, act: ChoiceAct, asked: bool) -> ChoiceView {
    ChoiceView { title: title.to_owned(), text: text.to_owned(), carried: "", act, asked }
}

fn redirect(console: &Console, service: &Term, language: Language, asked: &str) -> Option<ChoiceView> {
    let snapshot = (console.parts.snapshot)();
    let name = service_name(&snapshot.catalog, service);
    let given = console.parts.organisation.services.get(service.as_str()).cloned();
    // Only a chat that was named for it takes a text along.
    let carried = if given.is_some() { words::words(language).carried } else { "" };
    let href = given.or_else(|| {
        let known = snapshot.catalog.service(service)?;
        let host = known.hosts.iter().find(|host| host.matching == writ_catalog::HostMatch::Exact)?;
        Some(format!("https://{}/", host.name))
    })?;
    let button = words::words(language).redirect_button.replace("{other}", &name);
    let phrase = console.parts.engine.voice().redirect_phrase(language, &name);
    let named = asked == format!("redirect:{service}");
    let act = ChoiceAct::Link { href, button };
    Some(ChoiceView { carried, ..choice(&phrase.name, &phrase.then, act, named) })
}

/// When a case that is opened now is answered.
fn due(console: &Console) -> Moment {
    let hours = console.parts.organisation.answer_hours.clamp(1, 24 * 90);
    console.parts.clock.now().after(Duration::from_secs(hours * 3600))
}

/// `POST /r/{code}/{choice}`
pub(crate) async fn choose(
    State(console): Shared,
    Perhaps(visit): Perhaps,
    Path((code, choice)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    Form(form): Form<ChoiceForm>,
) -> Reply {
    let code = normal(&code);
    let stop = open(&console, visit.as_ref(), &code, &form.k).await?;
    // Nobody else knows the token of the link; without it the session's own form token must be there.
    if !console.parts.engine.page_token_valid(&code, &form.k)
        && !visit.as_ref().is_some_and(|visit| same(&form.csrf, &visit.csrf))
    {
        return Err(Failure::Foreign);
    }
    let sentence = form.text.trim();
    let done = match choice.as_str() {
        "without" => take(&console, &code, Choice::WithoutDetails, "without").await,
        "reason" => take(&console, &code, Choice::Reason(Sensitive::new(sentence.to_owned())), "reason").await,
        "exception" | "vetting" if sentence.chars().count() < 3 => "short",
        "exception" => {
            open_case(&console, &stop, CaseKind::ExceptionRequest, sentence, false).await.map(|()| "exception")?
        }
        "vetting" => open_case(&console, &stop, CaseKind::VettingRequest, sentence, false).await.map(|()| "vetting")?,
        "objection" => {
            let marks = form.marks == "yes";
            open_case(&console, &stop, CaseKind::Objection, sentence, marks).await.map(|()| "objection")?
        }
        _ => return Err(Failure::Missing),
    };
    let token = if form.k.is_empty() { String::new() } else { format!("&k={}", encode(&form.k)) };
    let lang = Language::of_tag(&asked.lang).map(|language| format!("&lang={}", language.code())).unwrap_or_default();
    Ok(see(&format!("/r/{code}?done={done}{token}{lang}")))
}

/// Takes a choice and keeps it over a restart.
async fn take(console: &Console, code: &str, choice: Choice, done: &'static str) -> &'static str {
    let chosen = match console.parts.engine.choose(code, choice, console.parts.clock.now()) {
        Ok(chosen) => chosen,
        Err(ChoiceRefused::TooShort) => return "short",
        Err(ChoiceRefused::Unknown | ChoiceRefused::NotOffered) => return "failed",
    };
    for choice in chosen {
        let kept = console.parts.state.keep_choice(choice.key(), choice.principal(), choice.until(), &choice).await;
        if let Err(error) = kept {
            tracing::error!(%error, "a choice was not kept; it holds until the next start only");
        }
    }
    done
}

async fn open_case(console: &Console, stop: &Known, kind: CaseKind, words: &str, marks: bool) -> Result<(), Failure> {
    let owners = &console.parts.organisation.owners;
    let (owner, deputy) = owners.get(kind.as_str()).cloned().unwrap_or_else(|| match kind {
        CaseKind::Objection => ("privacy-officer".into(), "deputy privacy officer".into()),
        CaseKind::ExceptionRequest | CaseKind::VettingRequest => ("policy-owner".into(), "deputy policy owner".into()),
    });
    let message = (!words.is_empty()).then(|| Sensitive::new(words.chars().take(1000).collect::<String>()));
    let new = NewCase {
        kind,
        reference: Some(stop.reference.clone()),
        interaction: Some(stop.interaction),
        clause: stop.clauses.first().map(|clause| clause.id.clone()),
        service: stop.service.clone(),
        principal: stop.principal,
        due: due(console),
        owner,
        deputy,
        message,
        may_see_marks: marks,
    };
    console.parts.state.open_case(&new, &console.parts.ledger).await?;
    Ok(())
}
