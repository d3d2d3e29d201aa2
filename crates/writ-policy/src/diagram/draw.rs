//! From rows to diagrams: what enforcement reads, drawn over the space of situations.

use std::collections::BTreeMap;

use writ_base::Moment;
use writ_model::facts::Found;
use writ_model::schema::Dimension;
use writ_model::standing::{Ring, RolloutEntry};
use writ_model::{Action, Declared, Effect, Level, Term, Value};

use crate::eval::Policy;
use crate::eval::rows::{Mask, Piece, Test, mask};
use crate::rule::Rule;

use super::forest::{Diagram, Forest, Full};
use super::space::{Raw, Space, Subject};

/// What one rule demands.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    /// Where its rows for what was read hold.
    pub(crate) read: Diagram,
    /// Where it fails closed on what could not be read.
    pub(crate) unread: Diagram,
    /// Where it opens what could not be read.
    pub(crate) opens: Diagram,
    /// The effect that its keys demand of what was read.
    pub(crate) said: Diagram,
    /// The effect that it demands, also of what could not be read.
    pub(crate) effect: Diagram,
    /// Where it demands that a class be redacted, by class.
    pub(crate) redacts: Vec<(Term, Diagram)>,
}

/// Draws the rows of one policy of a space.
pub(crate) struct Pen<'a> {
    pub(crate) policy: &'a Policy,
    /// Its place among the policies of the space.
    index: usize,
    space: &'a Space,
    /// Where the level is at least this one, by its place.
    levels: Vec<Option<Diagram>>,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(policy: &'a Policy, index: usize, space: &'a Space) -> Self {
        Self { policy, index, space, levels: vec![None; Level::ALL.len()] }
    }

    /// Where a test holds.
    pub(crate) fn test(&mut self, forest: &mut Forest, test: &Test) -> Result<Diagram, Full> {
        match test {
            Test::Any(mask) | Test::One(mask, _) => self.lit(forest, mask),
            Test::None(mask) => {
                let lit = self.lit(forest, mask)?;
                forest.not(lit)
            }
        }
    }

    /// Where all tests hold.
    pub(crate) fn tests(&mut self, forest: &mut Forest, tests: &[Test]) -> Result<Diagram, Full> {
        let mut all = Diagram::ALWAYS;
        for test in tests {
            let holds = self.test(forest, test)?;
            all = forest.and(all, holds)?;
        }
        Ok(all)
    }

    /// Where some bit of a mask is set.
    fn lit(&mut self, forest: &mut Forest, mask: &[Piece]) -> Result<Diagram, Full> {
        if self.space.always(self.index, mask) {
            return Ok(Diagram::ALWAYS);
        }
        let (mut parts, mut groups) = (vec![self.level(forest, mask)?, self.category(forest, mask)?], Vec::new());
        for (place, atoms) in self.space.lighting(self.index, mask) {
            let literal = forest.literal(place, |atom| atoms.contains(&atom))?;
            match self.space.variable(place).map(|variable| &variable.subject) {
                Some(Subject::Groups(_)) => groups.push(literal),
                Some(Subject::One(Dimension::Category)) => {}
                _ => parts.push(literal),
            }
        }
        let groups = forest.any(groups)?;
        let known = self.directory(forest)?;
        parts.push(forest.and(known, groups)?);
        forest.any(parts)
    }

    /// Where the directory could be read.
    fn directory(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        let Some(place) = self.space.place(&Subject::Directory) else { return Ok(Diagram::ALWAYS) };
        let variable = self.space.variable(place);
        forest.literal(place, |atom| variable.is_some_and(|it| *it.representative(atom) == Raw::Yes))
    }

    /// Where the category is one of those of a mask: a service that the catalog knows has one, others may have any.
    fn category(&self, forest: &mut Forest, mask: &[Piece]) -> Result<Diagram, Full> {
        let bits: Vec<u16> = mask.iter().flat_map(|piece| piece.bits()).collect();
        let range = self.policy.layout.bits(Dimension::Category);
        let Some(category) = self.space.place(&Subject::One(Dimension::Category)) else { return Ok(Diagram::NEVER) };
        if !bits.iter().any(|bit| range.contains(bit)) {
            return Ok(Diagram::NEVER);
        }
        let lighting = self.space.lighting(self.index, mask);
        let free =
            forest.literal(category, |atom| lighting.get(&category).is_some_and(|atoms| atoms.contains(&atom)))?;
        let Some(service) = self.space.place(&Subject::One(Dimension::Service)) else { return Ok(free) };
        let Some(variable) = self.space.variable(service) else { return Ok(free) };
        let mut parts = Vec::new();
        for atom in 0..variable.width() {
            let of = match self.space.category(variable.representative(atom)) {
                None => free,
                Some(of) => Diagram::truth(bits.contains(&self.policy.layout.closed(Dimension::Category, of.index()))),
            };
            let here = forest.literal(service, |it| it == atom)?;
            parts.push(forest.and(here, of)?);
        }
        forest.any(parts)
    }

    /// Where the level is one of those of a mask.
    fn level(&mut self, forest: &mut Forest, mask: &[Piece]) -> Result<Diagram, Full> {
        let bits: Vec<u16> = mask.iter().flat_map(|piece| piece.bits()).collect();
        let asked = |level: &Level| bits.contains(&self.policy.layout.closed(Dimension::Level, level.index()));
        let asked: Vec<bool> = Level::ALL.iter().map(asked).collect();
        let mut parts = Vec::new();
        let mut from = None;
        for (place, asked) in asked.iter().copied().chain([false]).enumerate() {
            match (from, asked) {
                (None, true) => from = Some(place),
                (Some(first), false) => {
                    let (least, above) = (self.least_level(forest, first)?, self.least_level(forest, place)?);
                    parts.push(forest.without(least, above)?);
                    from = None;
                }
                _ => {}
            }
        }
        forest.any(parts)
    }

    /// Where the level is at least the one at this place: stated, declared, or that of a class found.
    fn least_level(&mut self, forest: &mut Forest, place: usize) -> Result<Diagram, Full> {
        let Some(level) = Level::ALL.get(place).copied() else { return Ok(Diagram::NEVER) };
        if let Some(Some(known)) = self.levels.get(place) {
            return Ok(*known);
        }
        let mut parts = vec![Diagram::truth(place == 0)];
        for (variable, at) in self.space.variables.iter().zip(0u16..) {
            let reaches = |raw: &Raw| match (&variable.subject, raw) {
                (Subject::One(Dimension::Level), Raw::Closed(stated)) => *stated >= level.index(),
                (Subject::One(Dimension::Declared), Raw::Closed(declared)) => {
                    Declared::ALL.get(usize::from(*declared)).is_some_and(|declared| Level::from(*declared) >= level)
                }
                (Subject::Class(name), Raw::Found(found, _)) => found.likely > 0 && self.level_of(name) >= level,
                _ => false,
            };
            parts.push(forest.literal(at, |atom| reaches(variable.representative(atom)))?);
        }
        let least = forest.any(parts)?;
        if let Some(known) = self.levels.get_mut(place) {
            *known = Some(least);
        }
        Ok(least)
    }

    fn level_of(&self, class: &Term) -> Level {
        let layout = &self.policy.layout;
        layout.class(class).and_then(|place| layout.definition(place)).map_or(Level::Unstated, |class| class.level)
    }

    /// Where some of a class was found, as far as `counts` says.
    pub(crate) fn found(
        &self,
        forest: &mut Forest,
        class: &Term,
        counts: impl Fn(Found, bool) -> bool,
    ) -> Result<Diagram, Full> {
        let Some(place) = self.space.place(&Subject::Class(class.clone())) else { return Ok(Diagram::NEVER) };
        let variable = self.space.variable(place);
        let holds =
            |raw: &Raw| matches!(raw, Raw::Found(found, cleared) if found.likely > 0 && counts(*found, *cleared));
        forest.literal(place, |atom| variable.is_some_and(|it| holds(it.representative(atom))))
    }

    /// What each rule demands, before exceptions and roll-out.
    pub(crate) fn rules(&mut self, forest: &mut Forest) -> Result<Rules, Stuck> {
        let policy = self.policy;
        let (mut demands, mut opened) = (Vec::new(), Diagram::NEVER);
        let (mut raise, mut failure) = (policy.rows.raise.iter().peekable(), policy.rows.failure.iter().peekable());
        for (place, rule) in (0u32..).zip(&policy.model().rules) {
            let blame = |_: Full| Stuck { clause: rule.clause.clone() };
            let (mut read, mut unread) = (Vec::new(), Vec::new());
            while let Some(row) = raise.next_if(|row| row.rule == place) {
                read.push(self.tests(forest, &row.tests).map_err(blame)?);
            }
            while let Some(row) = failure.next_if(|row| row.rule == place) {
                unread.push(self.tests(forest, &row.tests).map_err(blame)?);
            }
            let read = forest.any(read).map_err(blame)?;
            let unread = self.unreadable(forest, unread).map_err(blame)?;
            let never = Diagram::NEVER;
            let (closed, opens) = if rule.fail_closed { (unread, never) } else { (never, unread) };
            opened = forest.or(opened, opens).map_err(blame)?;
            let (said, redacts) = self.said(forest, place, rule, read).map_err(blame)?;
            let block = forest.keep(closed, Diagram::number(Effect::Block as u8)).map_err(blame)?;
            let effect = forest.max(said, block).map_err(blame)?;
            demands.push(Demand { read, unread: closed, opens, said, effect, redacts });
        }
        Ok(Rules { demands, opened })
    }

    /// Where content could not be read and one of these rows holds.
    fn unreadable(&mut self, forest: &mut Forest, rows: Vec<Diagram>) -> Result<Diagram, Full> {
        let any = forest.any(rows)?;
        let policy = self.policy;
        let unreadable = self.test(forest, &policy.fixed.unreadable)?;
        forest.and(unreadable, any)
    }

    /// The effect that a rule demands of what was read, and where it demands that a class be redacted.
    fn said(
        &self,
        forest: &mut Forest,
        place: u32,
        rule: &Rule,
        read: Diagram,
    ) -> Result<(Diagram, Vec<(Term, Diagram)>), Full> {
        let mut effect = forest.keep(read, Diagram::number(rule.then as u8))?;
        if rule.ask_level {
            let asked = self.not_asked(forest)?;
            let asked = forest.and(read, asked)?;
            let justify = forest.keep(asked, Diagram::number(Effect::Justify as u8))?;
            effect = forest.max(effect, justify)?;
        }
        let mut redacts = Vec::new();
        let selection = usize::try_from(place).ok().and_then(|place| self.policy.selections.get(place));
        if let (true, Some(selection)) = (rule.redact, selection) {
            let classes = self.policy.layout.class_places().zip(&self.policy.layout.classes);
            for (_, (name, _)) in classes.filter(|(place, _)| selection.names(Some(*place))) {
                let found = self.found(forest, name, |_, cleared| selection.allows(cleared))?;
                redacts.push((name.clone(), forest.and(read, found)?));
            }
        }
        Ok((effect, redacts))
    }

    /// Where nobody was asked for a level.
    fn not_asked(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        let Some(place) = self.space.place(&Subject::One(Dimension::Declared)) else { return Ok(Diagram::ALWAYS) };
        let variable = self.space.variable(place);
        let asked = Raw::Closed(Declared::NotAsked.index());
        forest.literal(place, |atom| variable.is_some_and(|it| *it.representative(atom) == asked))
    }

    /// Where content could not be read, no rule opens it, and what is done would be stopped.
    pub(crate) fn stopped(&mut self, forest: &mut Forest, opened: Diagram) -> Result<Diagram, Full> {
        let policy = self.policy;
        let unreadable = self.test(forest, &policy.fixed.unreadable)?;
        let leaves = self.test(forest, &policy.fixed.stopped_unread)?;
        let stopped = forest.and(unreadable, leaves)?;
        forest.without(stopped, opened)
    }

    /// Where each exception in force applies, with what it covers there.
    pub(crate) fn exceptions(&mut self, forest: &mut Forest, at: Moment) -> Result<Vec<Relaxed>, Full> {
        let exceptions = self.policy.standing().exceptions.iter().enumerate();
        let in_force = exceptions.filter(|(_, exception)| exception.in_force(at));
        let places: Vec<usize> = in_force.map(|(place, _)| place).collect();
        let mut all = Vec::new();
        for place in places {
            all.extend(self.exception(forest, place)?);
        }
        Ok(all)
    }

    /// Where one exception applies, whether or not it is in force.
    pub(crate) fn exception(&mut self, forest: &mut Forest, place: usize) -> Result<Option<Relaxed>, Full> {
        let policy = self.policy;
        let exception = policy.standing().exceptions.get(place).zip(policy.exceptions.get(place));
        let Some((exception, lowered)) = exception else { return Ok(None) };
        let applies = self.tests(forest, &lowered.tests)?;
        let covering = self.test(forest, &lowered.covers)?;
        let covers = forest.and(applies, covering)?;
        Ok(Some(Relaxed { clause: exception.grant.clause.clone(), applies, covers, cover: lowered.cover.clone() }))
    }

    /// Where an exception keeps a clause from raising.
    pub(crate) fn excepted(&self, forest: &mut Forest, clause: &Term, exceptions: &[Relaxed]) -> Result<Diagram, Full> {
        let own = exceptions.iter().filter(|exception| exception.clause == *clause);
        let own: Vec<Diagram> = own.map(|exception| exception.applies).collect();
        forest.any(own)
    }

    /// Where each row that foresees applies.
    pub(crate) fn foresee(&mut self, forest: &mut Forest) -> Result<Vec<Diagram>, Full> {
        let policy = self.policy;
        policy.rows.foresee.iter().map(|row| self.tests(forest, &row.tests)).collect()
    }

    /// Where each bit of the data region is covered, for those bits that something lights; `plain` comes first.
    pub(crate) fn covers(&mut self, forest: &mut Forest, rows: &[Diagram]) -> Result<Vec<Covered>, Full> {
        let policy = self.policy;
        let mut known: BTreeMap<Vec<usize>, Diagram> = BTreeMap::new();
        let mut all = Vec::new();
        let data: Vec<u16> = policy.layout.data().collect();
        for bit in data {
            let piece = Piece::of(bit);
            let lit = self.lit(forest, &[piece])?;
            if lit.never() {
                continue;
            }
            let holds = |cover: &Mask| cover.iter().any(|it| it.word == piece.word && it.mask & piece.mask != 0);
            let covering = policy.rows.foresee.iter().enumerate().filter(|(_, row)| holds(&row.cover));
            let covering: Vec<usize> = covering.map(|(place, _)| place).collect();
            let covered = match known.get(&covering) {
                Some(covered) => *covered,
                None => {
                    let parts: Vec<Diagram> = covering.iter().filter_map(|place| rows.get(*place).copied()).collect();
                    let covered = forest.any(parts)?;
                    known.insert(covering.clone(), covered);
                    covered
                }
            };
            all.push(Covered { bit, lit, covered, rows: covering });
        }
        Ok(all)
    }

    /// Where nothing foresees what is done, though the posture speaks about it.
    pub(crate) fn unforeseen(
        &mut self,
        forest: &mut Forest,
        covers: &[Covered],
        exceptions: &[Relaxed],
    ) -> Result<Diagram, Full> {
        let mut open = Vec::new();
        for Covered { bit, lit, covered, .. } in covers {
            let piece = Piece::of(*bit);
            let holds = |cover: &Mask| cover.iter().any(|it| it.word == piece.word && it.mask & piece.mask != 0);
            let covering = exceptions.iter().filter(|exception| holds(&exception.cover));
            let covering: Vec<Diagram> = covering.map(|exception| exception.covers).chain([*covered]).collect();
            let covered = forest.any(covering)?;
            open.push(forest.without(*lit, covered)?);
        }
        let open = forest.any(open)?;
        let speaks = self.speaks(forest)?;
        forest.and(speaks, open)
    }

    /// Where the posture speaks about what is done.
    pub(crate) fn speaks(&mut self, forest: &mut Forest) -> Result<Diagram, Full> {
        let policy = self.policy;
        self.test(forest, &policy.fixed.posture_actions)
    }

    /// The posture of who acts.
    pub(crate) fn posture(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        let postures = &self.policy.fixed.postures;
        let of = |raw: &Raw| match raw {
            Raw::Closed(who) => postures.get(usize::from(*who)).copied().unwrap_or(Effect::Block),
            _ => Effect::Block,
        };
        let who = Subject::One(Dimension::Who);
        let Some((place, variable)) = self.space.place(&who).and_then(|at| Some((at, self.space.variable(at)?))) else {
            return Ok(Diagram::number(postures.first().map_or(Effect::Block, |effect| *effect) as u8));
        };
        let effects = (0..variable.width()).map(|atom| Diagram::number(of(variable.representative(atom)) as u8));
        let effects: Vec<Diagram> = effects.collect();
        forest.node(place, &effects)
    }

    /// Where the step of a clause is each of the three.
    pub(crate) fn steps(&mut self, forest: &mut Forest, clause: &Term, at: Moment) -> Result<Steps, Full> {
        let policy = self.policy;
        let entries = policy.rollout.get(clause).map_or(&[][..], Vec::as_slice);
        let in_force: Vec<&RolloutEntry> = entries.iter().filter(|e| e.from <= at && at < e.until).collect();
        let sure = self.step(forest, &in_force, false)?;
        let open = self.step(forest, &in_force, true)?;
        let enforce = forest.or(sure.enforce, open.enforce)?;
        let coach = forest.or(sure.coach, open.coach)?;
        let coach = forest.without(coach, enforce)?;
        Ok(Steps { enforce, coach })
    }

    /// The strictest step of entries, if a directory that could not be read would have answered so.
    fn step(&mut self, forest: &mut Forest, entries: &[&RolloutEntry], member: bool) -> Result<Steps, Full> {
        let mut of = [Diagram::NEVER; 3];
        for entry in entries {
            let belongs = match &entry.ring {
                Ring::Everyone => Diagram::ALWAYS,
                Ring::Share(end) => self.share(forest, *end)?,
                Ring::Group(group) => {
                    let bit = self.policy.layout.open(Dimension::Group, group);
                    let belongs = self.lit(forest, &mask([bit]))?;
                    let known = self.directory(forest)?;
                    let unknown = forest.not(known)?;
                    if member { forest.or(belongs, unknown)? } else { belongs }
                }
            };
            if let Some(all) = of.get_mut(entry.step as usize) {
                *all = forest.or(*all, belongs)?;
            }
        }
        let [_, coach, enforce] = of;
        let any = forest.any(of)?;
        let none = forest.not(any)?;
        let enforce = forest.or(enforce, none)?;
        let coach = forest.without(coach, enforce)?;
        Ok(Steps { enforce, coach })
    }

    /// Where the person's place is below `end`.
    fn share(&self, forest: &mut Forest, end: u16) -> Result<Diagram, Full> {
        let Some(place) = self.space.place(&Subject::Share) else { return Ok(Diagram::truth(end > 0)) };
        let variable = self.space.variable(place);
        let below = |raw: &Raw| matches!(raw, Raw::Share(start) if *start < end);
        forest.literal(place, |atom| variable.is_some_and(|it| below(it.representative(atom))))
    }

    /// Situations that are possible: content of a tunnel and of a sign-in is not read, and what a prompt wants is at
    /// least one thing.
    pub(crate) fn possible(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        let actions =
            [Action::Tunnel, Action::SignIn].map(|action| self.policy.layout.closed(Dimension::Action, action.index()));
        let lighting = self.space.lighting(self.index, &mask(actions));
        let mut unread = Vec::new();
        for (place, atoms) in lighting {
            unread.push(forest.literal(place, |atom| atoms.contains(&atom))?);
        }
        let unread = forest.any(unread)?;
        let quiet = self.quiet(forest)?;
        let loud = forest.not(quiet)?;
        let impossible = forest.and(unread, loud)?;
        let purpose = self.purpose(forest)?;
        forest.without(purpose, impossible)
    }

    /// Where nothing of the content is read.
    pub(crate) fn quiet(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        let mut all = Vec::new();
        for (variable, place) in self.space.variables.iter().zip(0u16..) {
            all.push(forest.literal(place, |atom| Space::quiet(variable, atom))?);
        }
        // From the last variable up: each step adds one node.
        all.reverse();
        let mut quiet = Diagram::ALWAYS;
        for literal in all {
            quiet = forest.and(literal, quiet)?;
        }
        Ok(quiet)
    }

    /// Where a prompt wants something.
    fn purpose(&self, forest: &mut Forest) -> Result<Diagram, Full> {
        if self.space.something_else() {
            return Ok(Diagram::ALWAYS);
        }
        let mut any = Vec::new();
        for (variable, place) in self.space.variables.iter().zip(0u16..) {
            if matches!(variable.subject, Subject::Present(Dimension::Activity, _)) {
                any.push(forest.literal(place, |atom| *variable.representative(atom) == Raw::Yes)?);
            }
        }
        forest.any(any)
    }
}

/// What all rules demand.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) demands: Vec<Demand>,
    /// Where a rule opens content that could not be read.
    pub(crate) opened: Diagram,
}

/// An exception that is in force.
#[derive(Clone, Debug)]
pub(crate) struct Relaxed {
    pub(crate) clause: Term,
    pub(crate) applies: Diagram,
    /// Where what it covers counts as foreseen.
    pub(crate) covers: Diagram,
    cover: Mask,
}

/// One bit of the data region.
#[derive(Clone, Debug)]
pub(crate) struct Covered {
    pub(crate) bit: u16,
    /// Where it is set.
    pub(crate) lit: Diagram,
    /// Where some row that foresees covers it.
    pub(crate) covered: Diagram,
    /// The rows that may, by their places, in ascending order.
    pub(crate) rows: Vec<usize>,
}

impl Covered {
    /// Of some rows, with where each applies, those that may cover it: where they apply.
    pub(crate) fn among(&self, rows: &[(usize, Diagram)]) -> Vec<Diagram> {
        let own = rows.iter().filter(|(row, _)| self.rows.binary_search(row).is_ok());
        own.map(|(_, applies)| *applies).collect()
    }
}

/// Where the step of a clause is enforce, and where it is coach; elsewhere it is observe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    pub(crate) enforce: Diagram,
    pub(crate) coach: Diagram,
}

/// A clause at which the diagrams need more than a limit admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    pub(crate) clause: Term,
}
