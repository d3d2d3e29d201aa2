//! What the analyser says of the templates for a field: promises hold in every situation, no rule is idle, nothing is
//! left to the posture.

use writ_base::Moment;
use writ_policy::analyse::report;
use writ_policy::diagram::World;
use writ_policy::eval::Policy;

use super::Template;

/// Holds as well where content of protected persons and content under personal accounts passes unread.
#[test]
fn every_promise_is_kept_in_every_situation_and_no_rule_is_idle() {
    let world = World { protected_unread: true, personal_unread: true, ..World::default() };
    let mut wrong = Vec::new();
    for template in Template::fields() {
        let policy = Policy::compile(template.parsed.model.clone().unwrap(), template.parsed.hash).unwrap();
        let report = report(&policy, &template.parsed, &world, Moment::from_seconds(1_800_000_000));
        assert!(report.unproved.is_none(), "{}: {:?}", template.name, report.unproved);
        for finding in &report.findings {
            let line = finding.span.position(&template.text).line;
            let witness = finding.witness.as_ref().map(ToString::to_string).unwrap_or_default();
            let (code, message) = (finding.code.as_str(), &finding.message);
            wrong.push(format!("{}.md:{line}: {code}: {message}\n  {witness}", template.name));
        }
        assert!(report.gaps.none(), "{}: {:?}", template.name, report.gaps);
        assert!(report.proof.assertions.len() >= 8, "{}", template.name);
        assert!(!wrong.is_empty() || report.proof.holds(), "{}", template.name);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
