//! The space of situations that policies can tell apart: variables, and their values merged into atoms.
//!
//! A variable stands for one dimension, one class of data, or one value of a dimension of sets. Its *raws* are values as
//! facts have them, as many as any threshold could tell apart. Raws that no row of any policy distinguishes are one
//! *atom*. What a raw means in bits is asked of the code that enforcement uses ([`Situation::of`]), so that there is no
//! second reading of facts; only the highest level is put together here, because it has several sources.
//!
//! This is the theory of the world: a dimension with one value is one variable, so it has exactly one; how much of a class
//! was found is one variable, so band and certainty are a chain; a service that the catalog knows has its category.
//! Status and clearance are free: vetting may say anything. Classes that the policy does not define are found by nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use writ_base::Moment;
use writ_model::facts::{Classes, Found, Groups, Reading, Settled};
use writ_model::schema::{Dimension, Kind, Values};
use writ_model::standing::Ring;
use writ_model::{Action, Category, Declared, Fact, Facts, Level, Term, Value};

use crate::eval::Policy;
use crate::eval::layout::UNDEFINED;
use crate::eval::rows::{Mask, Piece, Test, mask};
use crate::eval::situation::Situation;

use super::world::World;
use super::{neighbours, ordinary};

/// What a variable is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A dimension with one value.
    One(Dimension),
    /// Whether the directory could be read.
    Directory,
    /// Whether the person is in one of these groups, which no row tells apart.
    Groups(Vec<Term>),
    /// Whether one of these values is present, which no row tells apart; by their indexes.
    Present(Dimension, Vec<u8>),
    /// How much of a class was found, and whether it is cleared.
    Class(Term),
    /// The person's place in roll-outs by share.
    Share,
}

/// A value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A closed value, by its index.
    Closed(u8),
    /// A name.
    Name(Term),
    /// A name that no policy mentions.
    Other,
    /// No.
    No,
    /// Yes.
    Yes,
    /// So many values found.
    Found(Found, bool),
    /// A place in ten-thousandths.
    Share(u16),
}

/// One question about a situation.
#[derive(Clone, Debug)]
pub struct Variable {
    /// What it is about.
    pub subject: Subject,
    /// All its values.
    pub raws: Vec<Raw>,
    /// The places of the raws of each atom, the most ordinary first.
    pub atoms: Vec<Vec<usize>>,
    atom_of: Vec<u16>,
}

impl Variable {
    /// The raw that stands for an atom: the most ordinary.
    pub(crate) fn representative(&self, atom: u16) -> &Raw {
        let place = self.atoms.get(usize::from(atom)).and_then(|raws| raws.first());
        place.and_then(|place| self.raws.get(*place)).unwrap_or(&Raw::No)
    }

    /// The number of atoms.
    pub(crate) fn width(&self) -> u16 {
        u16::try_from(self.atoms.len()).unwrap_or(u16::MAX)
    }

    /// The atom with the most ordinary value.
    pub(crate) fn ordinary(&self) -> u16 {
        let cost = |atom: &u16| ordinary::cost(&self.subject, self.representative(*atom));
        (0..self.width()).min_by_key(cost).unwrap_or(0)
    }
}

/// In which order diagrams ask their variables: by this rank, then those beside each other that rules name together, then
/// as they stand in the schema.
pub type Order = fn(&Subject) -> u8;

/// The order in which diagrams stay small (docs/decisions/0025): what is done and where first, then who, then what was
/// found, among it the groups for which that matters; what is present or not, and decides alone, last.
pub fn usual_order(subject: &Subject) -> u8 {
    match subject {
        Subject::One(Dimension::Action) => 0,
        Subject::One(Dimension::Status) => 1,
        Subject::One(Dimension::Who) => 2,
        Subject::One(Dimension::Service) => 3,
        Subject::One(Dimension::Category) => 4,
        Subject::One(_) => 5,
        Subject::Directory => 6,
        Subject::Share => 7,
        Subject::Groups(_) | Subject::Class(_) => 8,
        Subject::Present(..) => 9,
    }
}

/// The situations that some policies can tell apart.
#[derive(Clone, Debug)]
pub struct Space {
    /// Variables with several atoms, in the order in which diagrams ask them.
    pub variables: Vec<Variable>,
    /// Variables of which no row tells values apart.
    fixed: Vec<Variable>,
    /// What each policy's bits are lit by: variable and atom.
    lamps: Vec<HashMap<u16, Vec<(u16, u16)>>>,
    /// Bits of each policy that are lit everywhere, as far as rows can tell.
    always: Vec<BTreeSet<u16>>,
    world: World,
}

impl Space {
    /// The space of these policies.
    pub(crate) fn of(policies: &[&Policy], world: &World, order: Order) -> Self {
        let patterns: Vec<Patterns> = policies.iter().map(|policy| Patterns::of(policy)).collect();
        let maker = Maker { policies, patterns: &patterns, world, runs: runs(policies, &patterns) };
        let all = maker.variables();
        let (mut variables, fixed): (Vec<_>, Vec<_>) = all.into_iter().partition(|variable| variable.width() > 1);
        neighbours::arrange(&mut variables, order, policies);
        let mut lamps = vec![HashMap::<u16, Vec<(u16, u16)>>::new(); policies.len()];
        for (place, variable) in (0u16..).zip(&variables) {
            for atom in 0..variable.width() {
                for (lamps, policy) in lamps.iter_mut().zip(policies) {
                    for bit in lit(policy, &variable.subject, variable.representative(atom)) {
                        lamps.entry(bit).or_default().push((place, atom));
                    }
                }
            }
        }
        let lit_always = |policy: &&Policy| {
            let values = fixed.iter().flat_map(|it| lit(policy, &it.subject, it.representative(0)));
            values.chain([policy.layout.plain()]).collect()
        };
        let always = policies.iter().map(lit_always).collect();
        Self { variables, fixed, lamps, always, world: world.clone() }
    }

    /// The number of atoms of each variable.
    pub(crate) fn widths(&self) -> Vec<u16> {
        self.variables.iter().map(Variable::width).collect()
    }

    /// The place of a variable; `None` if no row tells its values apart.
    pub(crate) fn place(&self, subject: &Subject) -> Option<u16> {
        let place = self.variables.iter().position(|variable| variable.subject == *subject)?;
        u16::try_from(place).ok()
    }

    /// The variable at a place.
    pub(crate) fn variable(&self, place: u16) -> Option<&Variable> {
        self.variables.get(usize::from(place))
    }

    /// Variables and atoms that light some bit of a mask of one policy, by variable.
    pub(crate) fn lighting(&self, policy: usize, mask: &[Piece]) -> BTreeMap<u16, BTreeSet<u16>> {
        let mut all = BTreeMap::<u16, BTreeSet<u16>>::new();
        let Some(lamps) = self.lamps.get(policy) else { return all };
        for bit in mask.iter().flat_map(|piece| piece.bits()) {
            for (variable, atom) in lamps.get(&bit).into_iter().flatten() {
                all.entry(*variable).or_default().insert(*atom);
            }
        }
        all
    }

    /// Whether some bit of a mask of one policy is lit everywhere.
    pub(crate) fn always(&self, policy: usize, mask: &[Piece]) -> bool {
        let lit = self.always.get(policy);
        lit.is_some_and(|lit| mask.iter().flat_map(|piece| piece.bits()).any(|bit| lit.contains(&bit)))
    }

    /// The category that the world gives a service.
    pub(crate) fn category(&self, service: &Raw) -> Option<Category> {
        match service {
            Raw::Name(service) => self.world.category(service),
            _ => None,
        }
    }

    /// The most ordinary point.
    pub(crate) fn ordinary(&self) -> Vec<u16> {
        self.variables.iter().map(Variable::ordinary).collect()
    }

    /// The point of complete facts; `None` if something is pending. Classes that no policy defines do not count.
    pub(crate) fn point(&self, facts: &Facts) -> Option<Vec<u16>> {
        let atom = |variable: &Variable| variable.atom_of.get(raw_of(variable, facts)?).copied();
        self.variables.iter().map(atom).collect()
    }

    /// Facts at a point, each as ordinary as the point allows.
    pub(crate) fn facts(&self, point: &[u16], at: Moment) -> Facts {
        let mut facts = Facts { decided_at: at, ..Facts::default() };
        facts.group = Groups::Known(BTreeSet::new()).into();
        facts.data = Classes::new().into();
        facts.cleared = BTreeSet::new().into();
        for dimension in [Dimension::Signal, Dimension::Activity, Dimension::Unreadable] {
            facts.settle(dimension, Settled::ClosedSet(0));
        }
        let varying =
            self.variables.iter().zip(point).map(|(variable, atom)| (variable, variable.representative(*atom)));
        let fixed = self.fixed.iter().map(|variable| (variable, variable.representative(0)));
        for (variable, raw) in varying.chain(fixed) {
            put(&mut facts, &variable.subject, raw);
        }
        self.settle_category(&mut facts);
        facts.completed()
    }

    /// Gives the service the category that the world says it has.
    fn settle_category(&self, facts: &mut Facts) {
        if let Some(category) = facts.service.known().and_then(|service| self.world.category(service)) {
            facts.category = category.into();
        }
    }

    /// Whether a prompt may want something that no row tells apart from nothing.
    pub(crate) fn something_else(&self) -> bool {
        self.fixed.iter().any(|variable| matches!(variable.subject, Subject::Present(Dimension::Activity, _)))
    }

    /// Whether a value of a dimension is the ordinary one where nothing of the content is read.
    pub(crate) fn quiet(variable: &Variable, atom: u16) -> bool {
        let raw = variable.representative(atom);
        match &variable.subject {
            Subject::Present(Dimension::Signal, values) => {
                *raw == Raw::No || values.iter().any(|value| !ordinary::signal_of_content(*value))
            }
            Subject::Class(_) | Subject::Present(..) => atom == variable.ordinary(),
            Subject::One(Dimension::Level | Dimension::Declared | Dimension::Origin) => atom == variable.ordinary(),
            Subject::One(_) | Subject::Directory | Subject::Groups(_) | Subject::Share => true,
        }
    }
}

/// Which bits of a policy no row tells apart: those that are in the same masks.
struct Patterns {
    /// The pattern of each bit that is in some mask.
    of: HashMap<u16, u32>,
    /// The policy asks people for a level.
    asks: bool,
}

impl Patterns {
    fn of(policy: &Policy) -> Self {
        let mut masks: BTreeSet<Vec<(u8, u64)>> = BTreeSet::new();
        let mut add = |mask: &Mask| {
            masks.insert(mask.iter().map(|piece| (piece.word, piece.mask)).collect());
        };
        let test = |test: &Test| match test {
            Test::Any(mask) | Test::None(mask) | Test::One(mask, _) => mask.clone(),
        };
        let rows = &policy.rows;
        for row in &rows.foresee {
            add(&row.cover);
            row.tests.iter().for_each(|it| add(&test(it)));
        }
        rows.raise.iter().chain(&rows.failure).flat_map(|row| &row.tests).for_each(|it| add(&test(it)));
        for exception in &policy.exceptions {
            add(&exception.cover);
            exception.tests.iter().chain([&exception.covers]).for_each(|it| add(&test(it)));
        }
        let fixed = &policy.fixed;
        [&fixed.unreadable, &fixed.posture_actions, &fixed.stopped_unread].into_iter().for_each(|it| add(&test(it)));
        // What is found and covered by nothing makes a situation unforeseen, also where no row mentions it.
        add(&mask(policy.layout.data()));
        // Content of a tunnel and of a sign-in is not read.
        for action in [Action::Tunnel, Action::SignIn] {
            add(&mask([policy.layout.closed(Dimension::Action, action.index())]));
        }
        for entry in policy.rollout.values().flatten() {
            if let Ring::Group(group) = &entry.ring {
                add(&mask([policy.layout.open(Dimension::Group, group)]));
            }
        }
        let mut members: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        for (number, mask) in (0u32..).zip(&masks) {
            let bits = mask.iter().flat_map(|(word, mask)| Piece { word: *word, mask: *mask }.bits());
            bits.for_each(|bit| members.entry(bit).or_default().push(number));
        }
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut of = HashMap::new();
        for (bit, masks) in members {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            of.insert(bit, *numbers.entry(masks).or_insert(next));
        }
        let asks = policy.model().rules.iter().any(|rule| rule.ask_level);
        Self { of, asks }
    }

    fn pattern(&self, bit: u16) -> Option<u32> {
        self.of.get(&bit).copied()
    }

    /// The patterns of some bits, as a set.
    fn patterns(&self, bits: impl IntoIterator<Item = u16>) -> Vec<u64> {
        let all: BTreeSet<u64> = bits.into_iter().filter_map(|bit| self.pattern(bit)).map(u64::from).collect();
        all.into_iter().collect()
    }
}

/// Levels that no row of any policy tells apart stand in one run; a run is a number per level.
fn runs(policies: &[&Policy], patterns: &[Patterns]) -> Vec<u8> {
    let pattern = |level: &Level| -> Vec<Option<u32>> {
        let bit = |policy: &Policy| policy.layout.closed(Dimension::Level, level.index());
        policies.iter().zip(patterns).map(|(policy, patterns)| patterns.pattern(bit(policy))).collect()
    };
    let mut run = 0u8;
    let mut all = vec![0u8];
    for pair in Level::ALL.windows(2) {
        if let [lower, higher] = pair {
            run += u8::from(pattern(lower) != pattern(higher));
            all.push(run);
        }
    }
    all
}

/// Makes the variables.
struct Maker<'a> {
    policies: &'a [&'a Policy],
    patterns: &'a [Patterns],
    world: &'a World,
    runs: Vec<u8>,
}

impl Maker<'_> {
    fn variables(&self) -> Vec<Variable> {
        let mut all = Vec::new();
        for dimension in Dimension::ALL.iter().copied() {
            let spec = dimension.spec();
            match (dimension, spec.kind, spec.values) {
                (Dimension::Group, ..) => self.groups(&mut all),
                (Dimension::Cleared, ..) => {}
                (_, Kind::Classes, _) => self.classes(&mut all),
                (_, Kind::Set, Values::Closed(values)) => self.set(dimension, values.len(), &mut all),
                (_, _, Values::Closed(values)) => {
                    let raws = (0..values.len()).filter_map(|index| u8::try_from(index).ok()).map(Raw::Closed);
                    all.push(self.variable(Subject::One(dimension), raws.collect()));
                }
                (_, _, Values::Open(_)) => {
                    let names = self.names(dimension).into_iter().map(Raw::Name);
                    let raws = names.chain([Raw::Other, Raw::Name(Term::UNKNOWN)]).collect();
                    all.push(self.variable(Subject::One(dimension), raws));
                }
            }
        }
        let shares = self.shares();
        if shares.len() > 1 {
            all.push(self.variable(Subject::Share, shares.into_iter().map(Raw::Share).collect()));
        }
        all
    }

    /// The names that some policy tells apart.
    fn names(&self, dimension: Dimension) -> Vec<Term> {
        let names = self.policies.iter().flat_map(|policy| policy.layout.names(dimension));
        names.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The first place of each part into which roll-outs by share cut people.
    fn shares(&self) -> BTreeSet<u16> {
        let entries = self.policies.iter().flat_map(|policy| policy.rollout.values().flatten());
        let ends = entries.filter_map(|entry| match entry.ring {
            Ring::Share(share) => Some(share),
            _ => None,
        });
        ends.chain([0]).filter(|end| *end < 10_000).collect()
    }

    fn groups(&self, all: &mut Vec<Variable>) {
        let bits = |name: &Term| {
            let bit = |(policy, patterns): (&&Policy, &Patterns)| {
                patterns.pattern(policy.layout.open(Dimension::Group, name)).map_or(0, |pattern| pattern + 1)
            };
            self.policies.iter().zip(self.patterns).map(bit).collect::<Vec<_>>()
        };
        let mut alike: BTreeMap<Vec<u32>, Vec<Term>> = BTreeMap::new();
        for name in self.names(Dimension::Group) {
            alike.entry(bits(&name)).or_default().push(name);
        }
        alike.retain(|patterns, _| patterns.iter().any(|pattern| *pattern != 0));
        let asked = !alike.is_empty() || bits(&Term::UNKNOWN).iter().any(|pattern| *pattern != 0);
        let directory = Variable { raws: vec![Raw::Yes, Raw::No], ..yes_or_no(Subject::Directory) };
        all.push(if asked { directory } else { merged(directory) });
        all.extend(alike.into_values().map(|names| yes_or_no(Subject::Groups(names))));
    }

    fn set(&self, dimension: Dimension, values: usize, all: &mut Vec<Variable>) {
        let mut alike: BTreeMap<Vec<u32>, Vec<u8>> = BTreeMap::new();
        for value in (0..values).filter_map(|value| u8::try_from(value).ok()) {
            let bit = |(policy, patterns): (&&Policy, &Patterns)| {
                patterns.pattern(policy.layout.closed(dimension, value)).map_or(0, |pattern| pattern + 1)
            };
            alike.entry(self.policies.iter().zip(self.patterns).map(bit).collect()).or_default().push(value);
        }
        for (patterns, values) in alike {
            let variable = yes_or_no(Subject::Present(dimension, values));
            let told_apart = patterns.iter().any(|pattern| *pattern != 0);
            all.push(if told_apart { variable } else { merged(variable) });
        }
    }

    fn classes(&self, all: &mut Vec<Variable>) {
        let names: BTreeSet<&Term> =
            self.policies.iter().flat_map(|policy| &policy.layout.classes).map(|(name, _)| name).collect();
        for name in names {
            let definitions = self.policies.iter().map(|policy| {
                let place = policy.layout.class(name);
                place.and_then(|place| policy.layout.definition(place)).unwrap_or(&UNDEFINED)
            });
            let counts: BTreeSet<u32> =
                definitions.flat_map(|definition| [definition.few, definition.bulk]).chain([1]).collect();
            let mut raws = vec![Raw::Found(Found::default(), false)];
            for likely in counts.iter().copied() {
                for certain in counts.iter().copied().filter(|count| *count <= likely).chain([0]) {
                    raws.extend([false, true].map(|cleared| Raw::Found(Found { likely, certain }, cleared)));
                }
            }
            all.push(self.variable(Subject::Class(name.clone()), raws));
        }
    }

    /// The variable of these values, merged where no row tells them apart.
    fn variable(&self, subject: Subject, raws: Vec<Raw>) -> Variable {
        let mut alike: BTreeMap<Vec<Vec<u64>>, Vec<usize>> = BTreeMap::new();
        for (place, raw) in raws.iter().enumerate() {
            alike.entry(self.signature(&subject, raw)).or_default().push(place);
        }
        let cost = |place: &usize| raws.get(*place).map_or(u32::MAX, |raw| ordinary::cost(&subject, raw));
        let mut atoms: Vec<Vec<usize>> = alike.into_values().collect();
        atoms.iter_mut().for_each(|places| places.sort_by_key(cost));
        // Atoms stand in the order of the schema: neighbours are alike.
        atoms.sort_by_key(|places| places.iter().min().copied());
        let mut atom_of = vec![0u16; raws.len()];
        for (atom, places) in (0u16..).zip(&atoms) {
            for place in places {
                if let Some(entry) = atom_of.get_mut(*place) {
                    *entry = atom;
                }
            }
        }
        Variable { subject, raws, atoms, atom_of }
    }

    /// What tells a value apart from others, per policy.
    fn signature(&self, subject: &Subject, raw: &Raw) -> Vec<Vec<u64>> {
        let of = |(policy, patterns): (&&Policy, &Patterns)| {
            let mut signature = patterns.patterns(lit(policy, subject, raw));
            // What follows the patterns has a mark of its own.
            signature.extend(self.beside(policy, patterns, subject, raw).into_iter().map(|it| u64::MAX - it));
            signature
        };
        self.policies.iter().zip(self.patterns).map(of).collect()
    }

    /// What tells a value apart beside the rows.
    fn beside(&self, policy: &Policy, patterns: &Patterns, subject: &Subject, raw: &Raw) -> Vec<u64> {
        let run = |level: Level| u64::from(self.runs.get(usize::from(level.index())).copied().unwrap_or(0));
        match (subject, raw) {
            (Subject::One(Dimension::Who), Raw::Closed(who)) => {
                vec![policy.fixed.postures.get(usize::from(*who)).map_or(0, |effect| *effect as u64)]
            }
            (Subject::One(Dimension::Level), Raw::Closed(level)) => {
                vec![Level::ALL.get(usize::from(*level)).map_or(0, |level| run(*level))]
            }
            (Subject::One(Dimension::Declared), Raw::Closed(declared)) => {
                let level = Declared::ALL.get(usize::from(*declared)).copied().map_or(Level::Unstated, Level::from);
                let not_asked = *declared == Declared::NotAsked.index();
                vec![run(level), u64::from(patterns.asks && not_asked)]
            }
            (Subject::One(Dimension::Service), service) => {
                let service = if let Raw::Name(service) = service { Some(service) } else { None };
                let Some(category) = service.and_then(|service| self.world.category(service)) else { return vec![0] };
                let pattern =
                    |category: Category| patterns.pattern(policy.layout.closed(Dimension::Category, category.index()));
                let asked = Category::ALL.iter().any(|other| pattern(*other) != pattern(category));
                if asked { vec![1 + pattern(category).map_or(0, |pattern| u64::from(pattern) + 1)] } else { vec![0] }
            }
            (Subject::Class(name), Raw::Found(found, cleared)) if found.likely > 0 => {
                let place = policy.layout.class(name);
                let definition = place.and_then(|place| policy.layout.definition(place)).unwrap_or(&UNDEFINED);
                let redacting = policy.model().rules.iter().zip(&policy.selections).filter(|(rule, _)| rule.redact);
                let selecting: Vec<_> = redacting.filter(|(_, selection)| selection.names(place)).collect();
                let asked = selecting.iter().any(|(_, selection)| selection.allows(false) != selection.allows(true));
                let level = if place.is_some() { run(definition.level) } else { 0 };
                vec![level, u64::from(!selecting.is_empty()), u64::from(asked && *cleared)]
            }
            (Subject::Class(_), _) => vec![0, 0, 0],
            (Subject::Share, Raw::Share(share)) => vec![u64::from(*share)],
            _ => Vec::new(),
        }
    }
}

/// A variable with the atoms no and yes.
fn yes_or_no(subject: Subject) -> Variable {
    Variable { subject, raws: vec![Raw::No, Raw::Yes], atoms: vec![vec![0], vec![1]], atom_of: vec![0, 1] }
}

/// The same variable with a single atom.
fn merged(mut variable: Variable) -> Variable {
    let cost = |place: &usize| variable.raws.get(*place).map_or(u32::MAX, |raw| ordinary::cost(&variable.subject, raw));
    let mut places: Vec<usize> = (0..variable.raws.len()).collect();
    places.sort_by_key(cost);
    variable.atom_of = vec![0; variable.raws.len()];
    variable.atoms = vec![places];
    variable
}

/// The bits that a value lights, as enforcement reads facts. What every interaction has, and the highest level, which
/// has several sources, are left out.
fn lit(policy: &Policy, subject: &Subject, raw: &Raw) -> Vec<u16> {
    let mut facts = Facts::default();
    put(&mut facts, subject, raw);
    match (subject, raw) {
        (Subject::Directory, Raw::No) => return vec![policy.layout.open(Dimension::Group, &Term::UNKNOWN)],
        (Subject::Directory | Subject::Share | Subject::One(Dimension::Level), _) => return Vec::new(),
        _ => {}
    }
    let situation = Situation::of(&policy.layout, &facts);
    let levels = policy.layout.bits(Dimension::Level);
    situation.known.ones().filter(|bit| *bit != policy.layout.plain() && !levels.contains(bit)).collect()
}

/// Writes a value into facts.
fn put(facts: &mut Facts, subject: &Subject, raw: &Raw) {
    match (subject, raw) {
        (Subject::One(dimension), Raw::Closed(index)) => facts.settle(*dimension, Settled::Closed(*index)),
        (Subject::One(dimension), Raw::Name(name)) => facts.settle(*dimension, Settled::Open(name.clone())),
        (Subject::One(dimension), _) => facts.settle(*dimension, Settled::Open(ordinary::OTHER)),
        (Subject::Directory, Raw::No) => facts.group = Groups::Unknown(Term::UNKNOWN).into(),
        (Subject::Groups(names), Raw::Yes) => {
            if let Fact::Pending = facts.group {
                facts.group = Groups::Known(BTreeSet::new()).into();
            }
            if let (Fact::Known(Groups::Known(groups)), Some(name)) = (&mut facts.group, names.first()) {
                groups.insert(name.clone());
            }
        }
        (Subject::Present(dimension, values), Raw::Yes) => {
            let present = match facts.read(*dimension) {
                Reading::ClosedSet(bits) => bits,
                _ => 0,
            };
            let value = ordinary::present(*dimension, values);
            facts.settle(*dimension, Settled::ClosedSet(present | 1 << value.min(63)));
        }
        (Subject::Class(name), Raw::Found(found, cleared)) if found.likely > 0 => {
            let mut classes = facts.data.known().cloned().unwrap_or_default();
            classes.insert(name.clone(), *found);
            facts.data = classes.into();
            let mut all = facts.cleared.known().cloned().unwrap_or_default();
            if *cleared {
                all.insert(name.clone());
            }
            facts.cleared = all.into();
        }
        (Subject::Share, Raw::Share(share)) => facts.share = *share,
        _ => {}
    }
}

/// The place of the raw that facts have.
fn raw_of(variable: &Variable, facts: &Facts) -> Option<usize> {
    let raw = match &variable.subject {
        Subject::Share => {
            let ends = variable.raws.iter().filter(|raw| matches!(raw, Raw::Share(start) if *start <= facts.share));
            return ends.count().checked_sub(1);
        }
        Subject::One(dimension) => match facts.read(*dimension) {
            Reading::Closed(index) => Raw::Closed(index),
            Reading::Open(name) => Raw::Name(name.clone()),
            _ => return None,
        },
        Subject::Directory => truth(groups(facts)?.is_some()),
        Subject::Groups(names) => {
            truth(groups(facts)?.is_some_and(|groups| names.iter().any(|name| groups.contains(name))))
        }
        Subject::Present(dimension, values) => match facts.read(*dimension) {
            Reading::ClosedSet(bits) => truth(values.iter().any(|value| bits & (1 << value) != 0)),
            _ => return None,
        },
        Subject::Class(name) => {
            let found = facts.data.known()?.get(name).copied().unwrap_or_default();
            let cleared = facts.cleared.known()?.contains(name);
            return found_raw(variable, found, cleared);
        }
    };
    let place = variable.raws.iter().position(|it| *it == raw);
    place.or_else(|| variable.raws.iter().position(|it| *it == Raw::Other))
}

/// The groups, if the directory could be read; `None` if that is pending.
fn groups(facts: &Facts) -> Option<Option<&BTreeSet<Term>>> {
    match facts.group.known()? {
        Groups::Known(groups) if !groups.contains(Term::UNKNOWN.as_str()) => Some(Some(groups)),
        _ => Some(None),
    }
}

fn truth(yes: bool) -> Raw {
    if yes { Raw::Yes } else { Raw::No }
}

/// The raw with the same thresholds reached.
fn found_raw(variable: &Variable, found: Found, cleared: bool) -> Option<usize> {
    let likely = found.likely.max(found.certain);
    let counts = |of: fn(&Found) -> u32, count: u32| {
        let reached = variable.raws.iter().filter_map(move |raw| match raw {
            Raw::Found(found, _) if of(found) <= count => Some(of(found)),
            _ => None,
        });
        reached.max().unwrap_or(0)
    };
    let reached =
        Found { likely: counts(|found| found.likely, likely), certain: counts(|found| found.certain, found.certain) };
    let raw = Raw::Found(reached, cleared && reached.likely > 0);
    variable.raws.iter().position(|it| *it == raw)
}
