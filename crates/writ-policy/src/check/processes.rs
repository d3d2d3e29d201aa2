//! What controls say together, and whether somebody runs what rules lead to.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::{Severity, Term};

use crate::check::controls::Control;
use crate::control::{ControlKind, Duty, Ladder, MonitoringNotice, Period, SignOff};
use crate::diagnostic::{Code, Problems};
use crate::document::front::FrontMatter;
use crate::document::source::Span;

/// What a rule leads to, and where the first one does.
pub(super) type Wanted = BTreeMap<ControlKind, Span>;

/// Checks all controls of a document. `blocks`: the kinds of all control blocks, also of those that could not be read.
pub(super) fn check(
    controls: &[Control],
    blocks: &BTreeSet<ControlKind>,
    front: &FrontMatter,
    wanted: &Wanted,
    problems: &mut Problems,
) {
    for control in controls {
        deputy(control, problems);
        match &control.model.duty {
            Duty::SignOff(it) => sign_off(control, it, front, problems),
            Duty::Ladder(it) => ladder(control, it, problems),
            Duty::Reporting(it) => {
                in_order(control, ("receipt", it.receipt), ("feedback", it.feedback), problems);
            }
            Duty::IncidentResponse(it) => {
                let notify = it.notify.map(|notify| ("notify", notify));
                notify.into_iter().for_each(|notify| in_order(control, ("report", it.report), notify, problems));
            }
            Duty::MonitoringNotice(it) => kept_long_enough(control, it, controls, problems),
            _ => {}
        }
    }
    for kind in [ControlKind::SignOff, ControlKind::Ladder, ControlKind::ExceptionProcess] {
        only_one(kind, controls, problems);
    }
    for (kind, span) in wanted {
        if !blocks.contains(kind) {
            process_missing(*kind, *span, problems);
        }
    }
}

/// Of two such controls one would have to prevail, and nothing says which.
fn only_one(kind: ControlKind, controls: &[Control], problems: &mut Problems) {
    let mut all = controls.iter().filter(|control| control.model.duty.kind() == kind);
    let Some(first) = all.next() else { return };
    for again in all {
        let text = format!("this document has two controls of the kind `{}`", kind.as_str());
        problems.add(Code::ContradictoryControl, again.opening, text).see(first.opening, "first here");
    }
}

fn deputy(control: &Control, problems: &mut Problems) {
    if control.model.owner.is_some() && control.model.owner == control.model.deputy {
        let text = "the deputy is the owner, so that nobody acts in the owner's place";
        problems.add(Code::ContradictoryControl, control.at("deputy"), text);
    }
}

/// The first of two times must end before the second one.
fn in_order(control: &Control, first: (&str, Period), second: (&str, Period), problems: &mut Problems) {
    if first.1.minutes() >= second.1.minutes() {
        let text = format!("`{}` ({}) is not before `{}` ({})", first.0, first.1, second.0, second.1);
        problems
            .add(Code::ContradictoryControl, control.at(first.0), text)
            .see(control.at(second.0), "this comes later");
    }
}

fn sign_off(control: &Control, it: &SignOff, front: &FrontMatter, problems: &mut Problems) {
    let roles = u32::try_from(it.roles.len()).unwrap_or(u32::MAX);
    if it.quorum > roles {
        let text = format!("a quorum of {} is asked of {roles} roles", it.quorum);
        let problem = problems.add(Code::ContradictoryControl, control.at("quorum"), text);
        problem.see(control.at("roles"), "these roles").help("name more roles, or lower the quorum");
    }
    let signs: BTreeSet<&Term> = front.quorum.iter().collect();
    if !signs.is_empty() && signs != it.roles.iter().collect() {
        let list: Vec<_> = signs.iter().map(|role| format!("`{role}`")).collect();
        let text = "the roles that sign here are not those of `quorum` in the front matter";
        let help = format!("the front matter names {}", list.join(", "));
        problems.add(Code::ContradictoryControl, control.at("roles"), text).help(help);
    }
}

/// A ladder whose steps can be reached, and where a graver breach never starts lower.
fn ladder(control: &Control, it: &Ladder, problems: &mut Problems) {
    let mut reached: BTreeSet<usize> = it.automatic.iter().chain(&it.stopped).copied().collect();
    let mut before: Option<(Severity, usize)> = None;
    for (severity, steps) in &it.proposed {
        reached.extend(steps);
        if steps.windows(2).any(|pair| pair.first() > pair.last()) {
            let text = format!("the steps of `{severity}` go down when a breach is repeated");
            problems.add(Code::LadderGap, control.at(severity.as_str()), text).help("list them from mild to grave");
        }
        let Some(first) = steps.first() else { continue };
        if let Some((milder, at)) = before.filter(|(_, at)| at > first) {
            let text = format!("a breach that is `{severity}` starts lower than one that is `{milder}`");
            let step = it.steps.get(at).map_or("", String::as_str);
            let problem = problems.add(Code::LadderGap, control.at(severity.as_str()), text);
            problem.see(control.at(milder.as_str()), format!("this starts at `{step}`"));
        }
        before = Some((*severity, *first));
    }
    for (place, step) in it.steps.iter().enumerate().filter(|(place, _)| !reached.contains(place)) {
        let text = format!("nothing leads to step {} of the ladder, `{step}`", place + 1);
        let help = "propose it for a severity, or leave it out";
        problems.add(Code::LadderGap, control.at("steps"), text).help(help);
    }
}

/// What controls look back on must still be there.
fn kept_long_enough(notice: &Control, it: &MonitoringNotice, controls: &[Control], problems: &mut Problems) {
    for control in controls {
        let (kept, needed) = match &control.model.duty {
            Duty::Ladder(ladder) => {
                let needs = [("window", ladder.window), ("appeal", ladder.appeal)];
                (("what points to a person", it.personal), needs.to_vec())
            }
            Duty::ExceptionProcess(process) => (("evidence", it.kept), vec![("limit", Some(process.limit))]),
            _ => {
                let key = ["audit", "every", "on"].into_iter().find(|key| control.places.contains_key(key));
                (("evidence", it.kept), vec![(key.unwrap_or("every"), control.model.duty.interval())])
            }
        };
        for (key, period) in needed {
            let Some(period) = period.filter(|period| period.minutes() > kept.1.minutes()) else { continue };
            let text =
                format!("{} is kept for {}, but `{key}` of another control looks back on {period}", kept.0, kept.1);
            let problem = problems.add(Code::RetentionTooShort, notice.at("retention"), text);
            problem
                .see(control.at(key), format!("in clause `{}`", control.model.clause))
                .help("keep it longer, or look back on less");
        }
    }
}

fn process_missing(kind: ControlKind, span: Span, problems: &mut Problems) {
    let (text, help) = match kind {
        ControlKind::ExceptionProcess => (
            "an exception is offered here, but no control says who grants it and for how long",
            "add a clause with a block `control exception-process`",
        ),
        ControlKind::Vetting => (
            "a vetting is offered here, but no control says who does it and by when",
            "add a clause with a block `control vetting`",
        ),
        ControlKind::Training => (
            "training is asked for here, but no control says who takes it and when",
            "add a clause with a block `control training`",
        ),
        _ => (
            "an attestation is asked for here, but no control says who gives it and when",
            "add a clause with a block `control attestation`",
        ),
    };
    problems.add(Code::ProcessMissing, span, text).help(help);
}
