//! What the analyser says of the templates: promises hold in every situation, and no rule is idle.

use writ_base::Moment;
use writ_policy::analyse::{Report, report};
use writ_policy::diagram::World;
use writ_policy::eval::Policy;

use super::Template;

/// An installation in which content of protected persons and under personal accounts passes unread.
fn analysed(template: &Template) -> Report {
    let policy = Policy::compile(template.parsed.model.clone().unwrap(), template.parsed.hash).unwrap();
    let world = World { protected_unread: true, personal_unread: true, ..World::default() };
    let report = report(&policy, &template.parsed, &world, Moment::EPOCH);
    assert!(report.unproved.is_none(), "{}: {:?}", template.name, report.unproved);
    report
}

#[test]
fn every_promise_is_kept_in_every_situation_and_no_rule_is_idle() {
    let mut wrong = Vec::new();
    for template in Template::all() {
        let report = analysed(&template);
        for finding in &report.findings {
            let line = finding.span.position(&template.text).line;
            let witness = finding.witness.as_ref().map(ToString::to_string).unwrap_or_default();
            let kind = finding.kind.as_str();
            wrong.push(format!(
                "{}.md:{line}: {kind}: {} {:?}; {}; {witness}",
                template.name, finding.message, finding.regions, finding.help
            ));
        }
        assert!(report.proof.assertions.len() > 5, "{}", template.name);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
