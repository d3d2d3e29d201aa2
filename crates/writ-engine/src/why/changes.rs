//! The smallest change that would lead to another verdict: single changes that a person or the organisation could really
//! make, then pairs of them, each judged by the policy itself.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Serialize;
use writ_catalog::Service;
use writ_model::facts::Found;
use writ_model::values::{Currency, Declared, Identity};
use writ_model::{Account, Action, Device, Effect, Fact, Facts, Set, Signal, Status, Term, Verdict, Who};

use super::{Under, View, words};
use crate::limits::MOVES;
use crate::situation;

/// Ways that are named: more would not be read out.
const WAYS: usize = 5;
/// Tools that one way names.
const TOOLS: usize = 3;

/// A way to another verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Way {
    /// In one sentence: `With the corporate account it would be allowed.`
    pub said: String,
    /// What changes: one thing, or two.
    pub changes: Vec<String>,
    /// The effect then.
    pub effect: Effect,
    /// What is taken out then.
    pub redact: BTreeSet<Term>,
}

/// What kind of change it is: of one kind the best is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Without,
    WithoutAll,
    Account,
    Tool,
    Plan,
    Identity,
    Level,
    Device,
    Signal,
    Readable,
    Training,
    Attestation,
    Approval,
    Clearance,
    Exception,
}

/// A change that somebody could make.
struct Move {
    kind: Kind,
    said: String,
    /// The facts then.
    facts: Facts,
    /// What is changed, to be done to other facts as well.
    change: Change,
}

/// What a move does to facts.
enum Change {
    Facts(Box<dyn Fn(&mut Facts)>),
    /// An exception from this clause applies.
    Exception(Term),
}

/// What a change leads to.
struct Outcome<'a> {
    moves: Vec<&'a Move>,
    verdict: Verdict,
}

/// How strict a verdict is: its effect, then how much is taken out.
fn strictness(verdict: &Verdict) -> (Effect, usize) {
    (verdict.effect, verdict.redact.len())
}

/// The smallest changes that lead to a verdict which is less strict; of one that lets everything pass, to a stricter one.
pub(super) fn ways(under: Under<'_>, facts: &Facts, present: &Verdict, view: View) -> Vec<Way> {
    let wanted = if strictness(present) == (Effect::Allow, 0) { Ordering::Greater } else { Ordering::Less };
    let mut moves = if wanted == Ordering::Less { relaxing(under, facts, present) } else { tightening(facts) };
    moves.retain(|it| view == View::Everything || !it.kind.about_the_person());
    moves.retain(|it| it.facts != *facts || matches!(it.change, Change::Exception(_)));
    if !MOVES.admits(moves.len()) {
        moves.truncate(MOVES.value());
    }
    let better = |verdict: &Verdict, than: &Verdict| strictness(verdict).cmp(&strictness(than)) == wanted;
    let judged: Vec<Outcome<'_>> =
        moves.iter().map(|it| Outcome { verdict: judge(under, &it.facts, it.exempt()), moves: vec![it] }).collect();
    let mut found: Vec<&Outcome<'_>> = judged.iter().filter(|outcome| better(&outcome.verdict, present)).collect();
    let passes = |outcome: &&Outcome<'_>| outcome.verdict.effect.passes();
    let pairs = if wanted == Ordering::Less && !present.effect.passes() && !found.iter().any(passes) {
        pairs(under, &judged, &better)
    } else {
        Vec::new()
    };
    found.extend(&pairs);
    best(found, wanted)
}

/// Pairs that let pass what neither of the two does alone.
fn pairs<'a>(
    under: Under<'_>,
    judged: &[Outcome<'a>],
    better: &impl Fn(&Verdict, &Verdict) -> bool,
) -> Vec<Outcome<'a>> {
    let mut pairs = Vec::new();
    for (place, one) in judged.iter().enumerate() {
        for other in judged.iter().skip(place + 1) {
            let (Some(first), Some(second)) = (one.moves.first(), other.moves.first()) else { continue };
            let Some((facts, exempt)) = both(first, second) else { continue };
            let verdict = judge(under, &facts, exempt);
            if verdict.effect.passes() && better(&verdict, &one.verdict) && better(&verdict, &other.verdict) {
                pairs.push(Outcome { moves: vec![first, second], verdict });
            }
        }
    }
    pairs
}

/// The facts after two moves; nothing where one undoes the other.
fn both<'a>(first: &'a Move, second: &'a Move) -> Option<(Facts, Option<&'a Term>)> {
    let several = matches!(first.kind, Kind::Without | Kind::Signal);
    if first.kind == second.kind && !several || (first.kind, second.kind) == (Kind::Without, Kind::WithoutAll) {
        return None;
    }
    match (&first.change, &second.change) {
        (Change::Exception(_), Change::Exception(_)) => None,
        (Change::Exception(clause), Change::Facts(_)) => Some((second.facts.clone(), Some(clause))),
        (Change::Facts(_), Change::Exception(clause)) => Some((first.facts.clone(), Some(clause))),
        (Change::Facts(_), Change::Facts(change)) => {
            let mut facts = first.facts.clone();
            change(&mut facts);
            Some((facts, None))
        }
    }
}

fn judge(under: Under<'_>, facts: &Facts, exempt: Option<&Term>) -> Verdict {
    match exempt {
        Some(clause) => under.policy.decide_as_if_excepted(facts, clause).enforced,
        None => under.policy.decide(facts).enforced,
    }
}

/// Of each kind of change the best: single ones first, what people can do themselves before what the organisation has to
/// do, then the most lenient. Tools that lead to the same stand together.
fn best(mut found: Vec<&Outcome<'_>>, wanted: Ordering) -> Vec<Way> {
    let kinds = |outcome: &Outcome<'_>| outcome.moves.iter().map(|it| it.kind).collect::<Vec<_>>();
    let rank = |one: &Outcome<'_>, other: &Outcome<'_>| {
        let strict = strictness(&one.verdict).cmp(&strictness(&other.verdict));
        let strict = if wanted == Ordering::Less { strict } else { strict.reverse() };
        let asked = |outcome: &Outcome<'_>| outcome.moves.iter().any(|it| it.kind.of_the_organisation());
        let size = one.moves.len().cmp(&other.moves.len());
        size.then(asked(one).cmp(&asked(other))).then(strict).then_with(|| kinds(one).cmp(&kinds(other)))
    };
    found.sort_by(|one, other| rank(one, other));
    let mut ways: Vec<(Vec<Kind>, Way)> = Vec::new();
    for outcome in found {
        let Verdict { effect, redact, .. } = &outcome.verdict;
        let kinds = kinds(outcome);
        let changes: Vec<String> = outcome.moves.iter().map(|it| it.said.clone()).collect();
        let several = |kind: &Kind| matches!(kind, Kind::Without | Kind::Signal);
        let same = |way: &Way| (way.effect, &way.redact) == (*effect, redact);
        // To clear a tool is more than to approve it.
        let less = kinds.iter().map(|kind| if *kind == Kind::Clearance { Kind::Approval } else { *kind });
        let less: Vec<Kind> = less.collect();
        if less != kinds && ways.iter().any(|(of, way)| *of == less && same(way)) {
            continue;
        }
        match ways.iter_mut().find(|(of, _)| *of == kinds && !kinds.iter().all(several)) {
            Some((_, way)) if kinds == [Kind::Tool] && same(way) => {
                if way.changes.len() < TOOLS {
                    way.changes.extend(changes);
                }
            }
            Some(_) => {}
            None => {
                let said = words::would(&outcome.verdict);
                ways.push((kinds, Way { said, changes, effect: *effect, redact: redact.clone() }));
            }
        }
    }
    let sentence = |(kinds, way): (Vec<Kind>, Way)| {
        let conditional = way.changes.len() > 1 && way.changes.iter().any(|change| change.starts_with("if "));
        let changes = match () {
            () if kinds == [Kind::Tool] => way.changes.join(" or "),
            () if conditional => format!("{},", way.changes.join(", and ")),
            () => words::list(&way.changes),
        };
        Way { said: format!("{} {}.", words::capital(&changes), way.said), ..way }
    };
    ways.into_iter().take(WAYS).map(sentence).collect()
}

impl Kind {
    /// Whether the change would tell something about the person.
    const fn about_the_person(self) -> bool {
        matches!(self, Self::Device | Self::Training | Self::Attestation)
    }

    /// Whether the organisation has to act, not the person.
    const fn of_the_organisation(self) -> bool {
        matches!(self, Self::Approval | Self::Clearance | Self::Exception)
    }
}

impl Move {
    fn new(facts: &Facts, kind: Kind, said: impl Into<String>, change: impl Fn(&mut Facts) + 'static) -> Self {
        let mut then = facts.clone();
        change(&mut then);
        Self { kind, said: said.into(), facts: then, change: Change::Facts(Box::new(change)) }
    }

    fn exempt(&self) -> Option<&Term> {
        match &self.change {
            Change::Exception(clause) => Some(clause),
            Change::Facts(_) => None,
        }
    }
}

/// Changes that may lead to something less strict, those of the person first.
fn relaxing(under: Under<'_>, facts: &Facts, present: &Verdict) -> Vec<Move> {
    let mut moves = content(facts);
    let of = |kind, said: &str, change: fn(&mut Facts)| Move::new(facts, kind, said, change);
    moves.push(of(Kind::Account, "with the corporate account", |facts| facts.account = Account::Corporate.into()));
    moves.extend(tools(under, facts));
    moves.extend(plans(under, facts));
    if facts.who.known() != Some(&Who::Unknown) {
        moves.push(of(Kind::Identity, "signed in with a password", |facts| {
            let weaker = facts.identity.known().is_none_or(|identity| *identity > Identity::Password);
            if weaker {
                facts.identity = Identity::Password.into();
            }
        }));
        moves.push(of(Kind::Identity, "with a certificate or a session bound to the device", |facts| {
            facts.identity = Identity::Strong.into();
        }));
    }
    if facts.declared.known() == Some(&Declared::NotAsked) {
        for level in [Declared::Public, Declared::Internal] {
            let said = format!("with the level stated as {level}");
            moves.push(Move::new(facts, Kind::Level, said, move |facts| facts.declared = level.into()));
        }
    }
    moves.push(of(Kind::Device, "on a managed device", |facts| facts.device = Device::Managed.into()));
    moves.push(of(Kind::Training, "with training that is up to date", |facts| {
        facts.training = Currency::Current.into()
    }));
    moves
        .push(of(Kind::Attestation, "with the policy confirmed", |facts| facts.attestation = Currency::Current.into()));
    moves.push(of(Kind::Approval, "if the organisation approved this tool", |facts| {
        facts.status = Status::Approved.into();
    }));
    moves.push(of(Kind::Clearance, "if the organisation approved this tool and cleared it for this", |facts| {
        let found = facts.data.known().into_iter().flatten().map(|(class, _)| class.clone());
        let cleared: BTreeSet<Term> = facts.cleared.known().into_iter().flatten().cloned().chain(found).collect();
        facts.status = Status::Approved.into();
        facts.cleared = cleared.into();
    }));
    let clauses: BTreeSet<&Term> = present.clauses();
    for clause in clauses.into_iter().filter(|clause| under.policy.clause(clause).is_some()) {
        let said = format!("with an exception from {}", words::clause(under, clause));
        let change = Change::Exception(clause.clone());
        moves.push(Move { kind: Kind::Exception, said, facts: facts.clone(), change });
    }
    moves
}

/// What the person can leave out, and what could be read again.
fn content(facts: &Facts) -> Vec<Move> {
    let mut moves = Vec::new();
    let found: Vec<Term> = facts.data.known().into_iter().flatten().map(|(class, _)| class.clone()).collect();
    for class in &found {
        let said = format!("without the {}", words::class(class));
        let class = class.clone();
        moves.push(Move::new(facts, Kind::Without, said, move |facts| leave_out(facts, |found| *found == class)));
    }
    if found.len() > 2 {
        let said = "without anything that was found";
        moves.push(Move::new(facts, Kind::WithoutAll, said, |facts| leave_out(facts, |_| true)));
    }
    let signals = facts.signal.known().copied().unwrap_or_default();
    for signal in signals.iter().filter(|signal| *signal != Signal::Unusual) {
        let said = format!("without {}", signal_said(signal));
        moves.push(Move::new(facts, Kind::Signal, said, move |facts| {
            let left = facts.signal.known().into_iter().flat_map(|set| set.iter()).filter(|other| *other != signal);
            facts.signal = left.collect::<Set<Signal>>().into();
        }));
    }
    let said = "if all of it could be read";
    moves.push(Move::new(facts, Kind::Readable, said, |facts| {
        if facts.unreadable.known().is_some() {
            facts.unreadable = Set::EMPTY.into();
        }
    }));
    moves
}

/// The facts without the classes that fit.
fn leave_out(facts: &mut Facts, fits: impl Fn(&Term) -> bool) {
    if let Fact::Known(found) = &mut facts.data {
        found.retain(|class, _| !fits(class));
    }
    facts.unredactable.retain(|class| !fits(class));
}

fn signal_said(signal: Signal) -> String {
    match signal {
        Signal::OpaqueImage => "the image".to_owned(),
        Signal::OpaqueAudio => "the sound".to_owned(),
        Signal::OpaqueVideo => "the video".to_owned(),
        Signal::OpaqueFile => "the file".to_owned(),
        Signal::OpaqueReference => "the reference to content that was not seen".to_owned(),
        Signal::Injection => "what looks like hidden instructions".to_owned(),
        other => format!("the signal {other}"),
    }
}

/// Tools that the organisation approved, those of the same kind first.
fn tools(under: Under<'_>, facts: &Facts) -> Vec<Move> {
    let present = facts.service.known();
    let mut approved: Vec<(&Service, Term)> = Vec::new();
    for service in under.catalog.services().iter().filter(|service| Some(&service.id) != present) {
        let tiers = service.tiers.iter().map(|tier| tier.id.clone()).chain([Term::UNKNOWN]);
        let mut usable = tiers.filter(|tier| usable(under, facts, &service.id, tier));
        approved.extend(usable.next().map(|tier| (service, tier)));
    }
    approved.sort_by_key(|(service, _)| Some(&service.category) != facts.category.known());
    let to = |(service, tier): (&Service, Term)| {
        let then = situation::at_service(facts.clone(), service, tier, under.catalog);
        let said = format!("in {}", service.name);
        Move::new(facts, Kind::Tool, said, move |facts| take_service(facts, &then))
    };
    approved.into_iter().map(to).collect()
}

/// Other plans of the same tool that the organisation approved.
fn plans(under: Under<'_>, facts: &Facts) -> Vec<Move> {
    let Some(service) = facts.service.known().and_then(|id| under.catalog.service(id)) else { return Vec::new() };
    let other = service.tiers.iter().map(|tier| tier.id.clone()).filter(|tier| Some(tier) != facts.tier.known());
    let usable = other.filter(|tier| usable(under, facts, &service.id, tier));
    let to = |tier: Term| {
        let said = format!("on the plan {tier} of {}", service.name);
        let then = situation::at_service(facts.clone(), service, tier, under.catalog);
        Move::new(facts, Kind::Plan, said, move |facts| take_service(facts, &then))
    };
    usable.map(to).collect()
}

fn usable(under: Under<'_>, facts: &Facts, service: &Term, tier: &Term) -> bool {
    let status = under.catalog.vetting(service, tier, facts.decided_at).status;
    matches!(status, Status::Approved | Status::Conditional)
}

/// What the catalog says of a service and a plan, from other facts.
fn take_service(facts: &mut Facts, other: &Facts) {
    facts.service = other.service.clone();
    facts.category = other.category;
    facts.tier = other.tier.clone();
    facts.status = other.status;
    facts.service_region = other.service_region.clone();
    facts.cleared = other.cleared.clone();
}

/// Changes that may lead to something stricter: what keeps an allowed situation allowed.
fn tightening(facts: &Facts) -> Vec<Move> {
    let of = |kind, said: &str, change: fn(&mut Facts)| Move::new(facts, kind, said, change);
    let mut moves = vec![
        of(Kind::Account, "with a personal account", |facts| facts.account = Account::Personal.into()),
        of(Kind::Approval, "if nobody had checked this tool", |facts| facts.status = Status::Discovered.into()),
        of(Kind::Device, "on a device that is not managed", |facts| facts.device = Device::Unmanaged.into()),
        of(Kind::Identity, "from somebody who is not known", |facts| facts.identity = Identity::None.into()),
    ];
    if facts.action.known() == Some(&Action::Submit) {
        moves.push(of(Kind::Readable, "as a file", |facts| facts.action = Action::Upload.into()));
    }
    let present = facts.data.known();
    for spec in writ_model::class::CLASSES.iter().filter(|spec| present.is_none_or(|it| !it.contains_key(spec.name))) {
        let said = format!("if it contained {}", spec.said);
        moves.push(Move::new(facts, Kind::Clearance, said, |facts| {
            if let Fact::Known(found) = &mut facts.data {
                found.insert(Term::fixed(spec.name), Found { likely: 1, certain: 1 });
            }
        }));
    }
    moves
}
