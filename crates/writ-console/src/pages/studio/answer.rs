//! What policies answer to a situation: effect, redactions, the clauses that decided and those that held without
//! deciding, what the posture contributed, and what the person would read.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use writ_base::Moment;
use writ_engine::{Snapshot, Told};
use writ_model::standing::POSTURE;
use writ_model::verdict::{Base, Cause, Offer, Verdict};
use writ_model::{Channel, Effect, Facts, Language, Who};
use writ_policy::eval::{AppliedRule, Explanation, explain};

use super::super::policy::offer_words;
use super::super::{clause_name, service_name};
use super::clauses::address;
use super::situation::Situation;
use super::whatif::Judges;
use super::workshop::Of;
use crate::markup::{blocks, inline};
use crate::{Console, sentences, words};

/// The answers to a situation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Answers {
    /// The situation in words.
    pub(crate) situation: String,
    /// The page with it: can be kept or passed on.
    pub(crate) address: String,
    /// What runs first, then the draft.
    pub(crate) answers: Vec<Answer>,
    /// Whether they differ, where there are two; or why there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compared: Option<String>,
}

/// What one policy answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// `running` or `draft`.
    pub(crate) of: String,
    /// `The policy that runs`.
    pub(crate) title: String,
    /// `allow`, `coach`, `redact`, `justify`, `block`.
    pub(crate) effect: String,
    /// What happens.
    pub(crate) happened: String,
    /// Kinds of data that are taken out.
    pub(crate) redacted: Vec<String>,
    /// What decided it.
    pub(crate) deciding: Vec<Deciding>,
    /// Rules that held and did not decide.
    pub(crate) held: Vec<Held>,
    /// What foresees the situation, or that the posture speaks.
    pub(crate) base: String,
    /// Without the roll-out, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full: Option<Full>,
    /// What the person may do instead.
    pub(crate) offers: Vec<String>,
    /// What else there is to know.
    pub(crate) notes: Vec<String>,
    /// What the person would read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Message>,
}

/// A clause that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Deciding {
    /// Number and heading.
    pub(crate) name: String,
    /// The clause in the studio; nothing for the posture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) href: Option<String>,
    /// `redact`, `coach`, `justify`, `block`.
    pub(crate) effect: String,
    /// Its rule in a sentence.
    pub(crate) rule: String,
    /// The reason that it gives.
    pub(crate) why: String,
}

/// A rule that held and did not decide.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Held {
    /// Clause and rule.
    pub(crate) name: String,
    /// The clause in the studio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) href: Option<String>,
    /// Its rule in a sentence.
    pub(crate) rule: String,
    /// Why it did not decide.
    pub(crate) note: String,
}

/// The verdict without the roll-out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Full {
    /// `allow`, `coach`, `redact`, `justify`, `block`.
    pub(crate) effect: String,
    /// What would happen.
    pub(crate) happened: String,
    /// What would decide it.
    pub(crate) deciding: Vec<Deciding>,
}

/// What is said to whoever sends it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    /// Where it is read.
    pub(crate) title: String,
    /// The words, as HTML.
    pub(crate) html: String,
}

/// The answers of what runs, and of the draft.
pub(crate) fn read(console: &Console, judges: &Judges, situation: &Situation, now: Moment) -> Answers {
    let studies = [(Of::Running, Some(&judges.running)), (Of::Draft, judges.draft.as_ref())];
    let each = studies.into_iter().filter_map(|(of, study)| {
        let snapshot = study?.snapshot.as_ref()?;
        Some(Asker { console, situation, snapshot, of }.answer(&situation.facts(snapshot, now)))
    });
    let answers: Vec<Answer> = each.collect();
    let words = judges.running.snapshot.as_ref().map_or_else(String::new, |snapshot| {
        sentences::situation(&snapshot.policy, &situation.facts(snapshot, now), &snapshot.catalog)
    });
    let compared = match answers.as_slice() {
        [running, draft] if same(running, draft) => Some("Your draft decides the same.".to_owned()),
        [_, _] => Some("Your draft decides otherwise.".to_owned()),
        _ => judges.mute.map(str::to_owned),
    };
    Answers { situation: words, address: format!("/studio/try?{}", situation.query()), answers, compared }
}

fn same(a: &Answer, b: &Answer) -> bool {
    let full = |answer: &Answer| answer.full.as_ref().map(|full| (full.effect.clone(), names(&full.deciding)));
    (&a.effect, &a.redacted, names(&a.deciding), full(a)) == (&b.effect, &b.redacted, names(&b.deciding), full(b))
}

fn names(deciding: &[Deciding]) -> BTreeSet<String> {
    deciding.iter().map(|it| it.name.clone()).collect()
}

/// One policy, asked.
struct Asker<'a> {
    console: &'a Console,
    situation: &'a Situation,
    snapshot: &'a Arc<Snapshot>,
    of: Of,
}

impl Asker<'_> {
    fn answer(&self, facts: &Facts) -> Answer {
        let explanation = explain(&self.snapshot.policy, facts);
        let (enforced, full) = (&explanation.decision.enforced, &explanation.decision.full);
        let (effect, happened) = words::outcome(enforced.effect, !enforced.redact.is_empty());
        let differs =
            (enforced.effect, &enforced.redact, &enforced.decided) != (full.effect, &full.redact, &full.decided);
        Answer {
            of: self.of.as_str().to_owned(),
            title: if self.of == Of::Running { "The policy that runs" } else { "Your draft" }.to_owned(),
            effect: effect.to_owned(),
            happened: happened.to_owned(),
            redacted: enforced.redact.iter().map(|class| words::class(class).to_lowercase()).collect(),
            deciding: self.deciding(enforced),
            held: self.held(&explanation),
            base: self.base(&explanation),
            full: differs.then(|| self.full(full)),
            offers: self.snapshot.offers(enforced, facts).iter().map(|offer| self.offer(offer)).collect(),
            notes: notes(enforced),
            message: self.message(enforced, facts),
        }
    }

    fn full(&self, full: &Verdict) -> Full {
        let (effect, happened) = words::outcome(full.effect, !full.redact.is_empty());
        Full { effect: effect.to_owned(), happened: happened.to_owned(), deciding: self.deciding(full) }
    }

    fn deciding(&self, verdict: &Verdict) -> Vec<Deciding> {
        let mut all: Vec<Deciding> = Vec::new();
        for cause in &verdict.decided {
            let deciding = self.cause(cause);
            if !all.contains(&deciding) {
                all.push(deciding);
            }
        }
        all
    }

    fn cause(&self, cause: &Cause) -> Deciding {
        let rule = self.snapshot.policy.rule(&cause.clause, cause.rule);
        let posture = cause.clause == POSTURE;
        Deciding {
            name: words::sentence(&clause_name(self.snapshot, &cause.clause)),
            href: self.href(&cause.clause),
            effect: if cause.redact.is_empty() { cause.effect.as_str() } else { "redact" }.to_owned(),
            rule: match rule {
                Some(rule) => sentences::rule(rule, &self.snapshot.catalog),
                None if posture => format!(
                    "The head of the document says what happens then: {}.",
                    words::effect(cause.effect).to_lowercase()
                ),
                None => "Content could not be read, and no rule lets it pass.".to_owned(),
            },
            why: rule.and_then(|rule| rule.why.clone()).unwrap_or_default(),
        }
    }

    fn href(&self, clause: &str) -> Option<String> {
        self.snapshot.policy.clause(clause).map(|clause| address(&clause.id, self.of))
    }

    /// Rules that held and did not decide, each with the reason.
    fn held(&self, explanation: &Explanation) -> Vec<Held> {
        let decided = |verdict: &Verdict, rule: &AppliedRule| {
            verdict.decided.iter().any(|cause| cause.clause == rule.clause && cause.rule == rule.rule)
        };
        let (enforced, full) = (&explanation.decision.enforced, &explanation.decision.full);
        let silent = explanation.applied.iter().filter(|rule| !decided(enforced, rule));
        silent
            .map(|rule| {
                let note = match (rule.excepted_by.is_empty(), decided(full, rule)) {
                    (false, _) => "An exception in force keeps it from having an effect.",
                    (true, true) => "The roll-out keeps it from having this effect.",
                    (true, false) => "A stricter rule decided.",
                };
                let found = self.snapshot.policy.rule(&rule.clause, rule.rule);
                Held {
                    name: format!("{}, rule {}", clause_name(self.snapshot, &rule.clause), rule.rule),
                    href: self.href(&rule.clause),
                    rule: found.map_or_else(String::new, |rule| sentences::rule(rule, &self.snapshot.catalog)),
                    note: note.to_owned(),
                }
            })
            .collect()
    }

    fn base(&self, explanation: &Explanation) -> String {
        let by: BTreeSet<String> =
            explanation.foreseen_by.iter().map(|(id, _)| clause_name(self.snapshot, id)).collect();
        let by: Vec<String> = by.into_iter().collect();
        match explanation.base {
            Base::Foreseen if by.is_empty() => {
                "The posture does not speak about this: it goes on unless a rule says otherwise.".into()
            }
            Base::Foreseen => format!("Foreseen by {}.", sentences::all_of(&by)),
            Base::Posture(effect) => {
                let open: Vec<String> =
                    explanation.uncovered.iter().map(|class| words::class(class).to_lowercase()).collect();
                let open = if open.is_empty() { "this use".to_owned() } else { sentences::all_of(&open) };
                format!(
                    "No rule foresees {open}: there the head of the document says “{}”.",
                    words::effect(effect).to_lowercase()
                )
            }
        }
    }

    fn offer(&self, offer: &Offer) -> String {
        words::sentence(&match offer {
            Offer::Redirect(service) => format!("go on in {}", service_name(&self.snapshot.catalog, service)),
            Offer::Redact => offer_words("redact").to_owned(),
            Offer::AskException => offer_words("ask-exception").to_owned(),
            Offer::AskVetting => offer_words("ask-vetting").to_owned(),
            Offer::Object => offer_words("object").to_owned(),
        })
    }

    fn message(&self, verdict: &Verdict, facts: &Facts) -> Option<Message> {
        let (engine, types) = (&self.console.parts.engine, self.situation.types());
        let told = engine.rehearse(self.snapshot, verdict, facts, types, Language::En);
        match told {
            Told::Nothing => None,
            Told::Note(note) => Some(Message { title: "Beside the answer stands".into(), html: blocks(&note.text) }),
            Told::Stop { program, .. } if read_by_program(facts) => Some(Message {
                title: "The program gets".into(),
                html: format!("<p><code>{}</code></p>", crate::charts::escape(&program)),
            }),
            Told::Stop { people, .. } => {
                let mut html = blocks(&format!("**{}** {}\n\n{}", people.first, people.sender, people.reason));
                if !people.choices.is_empty() {
                    html.push_str(&format!("<p><strong>{}</strong></p><ol>", inline(&people.choices_title)));
                    for choice in &people.choices {
                        html.push_str(&format!("<li>{}: {}</li>", inline(&choice.name), inline(&choice.then)));
                    }
                    html.push_str("</ol>");
                }
                if let Some((question, choice)) = &people.mistake {
                    html.push_str(&blocks(&format!("**{question}** {}: {}", choice.name, choice.then)));
                }
                html.push_str(&blocks(&people.recorded));
                Some(Message { title: "The person reads".into(), html })
            }
        }
    }
}

/// Programs and agents get one line; whoever sits at a browser gets a message.
fn read_by_program(facts: &Facts) -> bool {
    let programs = matches!(facts.who.known(), Some(Who::Agent | Who::ServiceAccount));
    programs || matches!(facts.channel.known(), Some(Channel::Api | Channel::Cli | Channel::Ide | Channel::Agent))
}

fn notes(verdict: &Verdict) -> Vec<String> {
    let mut notes = Vec::new();
    let listed = |names: &mut dyn Iterator<Item = String>| sentences::all_of(&names.collect::<Vec<_>>());
    if !verdict.override_roles.is_empty() {
        let roles = listed(&mut verdict.override_roles.iter().map(ToString::to_string));
        notes.push(format!("May be granted once by {roles}."));
    }
    if !verdict.unfulfillable.is_empty() {
        let classes = listed(&mut verdict.unfulfillable.iter().map(|class| words::class(class).to_lowercase()));
        notes.push(format!("{} cannot be cut out here, so it is stopped.", words::sentence(&classes)));
    }
    if verdict.unreadable {
        notes.push("Content could not be read.".into());
    }
    if verdict.ask_level {
        notes.push("The person is asked for the level of the file, once.".into());
    }
    if !verdict.exceptions.is_empty() {
        notes.push("An exception in force changed this.".into());
    }
    if verdict.effect == Effect::Justify {
        notes.push("After the reason it goes on; the reason is recorded.".into());
    }
    notes
}
