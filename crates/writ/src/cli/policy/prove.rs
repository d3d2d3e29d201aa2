//! `writ policy prove`: what holds in every situation.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use writ_base::{Clock as _, SystemClock};
use writ_policy::analyse::{
    self, Capability, Finding, Gaps, Need, Outcome, Proved, Report, Weaker, WeakerRow, Witness, lacking, verdict,
};
use writ_policy::diagnostic::{Code, Diagnostic};
use writ_policy::diagram::World;
use writ_policy::document::files::Files;
use writ_policy::document::source::Span;
use writ_policy::eval::Policy;
use writ_policy::words::Names;

use super::codecs::{self, Unenforced};
use crate::cli::situation::PolicyArgs;
use crate::cli::text::counted;
use crate::cli::{Exit, Output};
use crate::policy_file::{self, PolicyFile};

/// Prove what holds in every situation
///
/// Proves the assertions of `prove` blocks over all situations that the policy can tell apart, and says which situations
/// only the posture decides, which rules change nothing, and what enforcement needs. Every answer comes with a situation
/// that shows it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy prove policy.md
  writ policy prove policy.md --baseline general.md
  writ policy prove policy.md --config writ.toml --standing standing.json --json

Exit codes: 0 everything that is asserted holds; 1 an assertion fails, the policy is weaker than its baseline, or it has
gaps that it refuses; 2 it cannot be read.")]
pub(crate) struct Prove {
    /// The document
    file: PathBuf,
    /// Another policy: is the document at least as strict everywhere?
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    beside: PolicyArgs,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// All answers.
struct Answers {
    policy: Policy,
    report: Report,
    weaker: Option<Weaker>,
    /// What is lost without each part of an installation, and in this version.
    needs: Vec<Need>,
    codecs: Vec<Unenforced>,
}

impl Prove {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.beside.config()?;
        let catalog = self.beside.catalog(config.as_ref())?;
        let world = policy_file::world(&catalog, config.as_ref());
        let file = PolicyFile::read(&self.file, policy_file::names(&catalog))?;
        let policy = self.beside.beside(file.compile()?, config.as_ref())?;
        let now = SystemClock.now();
        let Some(parsed) = &file.parsed else { anyhow::bail!("`{}` was not read whole", self.file.display()) };
        let report = analyse::report(&policy, parsed, &world, now);
        let against = |path: &PathBuf| weaker(&policy, path, policy_file::names(&catalog), &world);
        let weaker = self.baseline.as_ref().map(against).transpose()?;
        let needs = needs(&policy, &world);
        let answers = Answers { codecs: codecs::unenforced(&policy), policy, report, weaker, needs };
        if self.json {
            output.json(&self.as_json(&file, &answers))?;
        } else {
            self.as_text(&file, &answers, output)?;
        }
        let weaker = answers.weaker.as_ref().is_some_and(|weaker| !weaker.none());
        Ok(if answers.report.refused() || weaker { Exit::No } else { Exit::Yes })
    }

    fn as_text(&self, file: &PolicyFile, answers: &Answers, output: &mut Output) -> anyhow::Result<()> {
        let Answers { policy, report, .. } = answers;
        let (rules, rows) = (policy.model().rules.len(), policy.row_count());
        let size = [counted(rules, "rule"), counted(rows, "row"), counted(report.figures.variables, "variable")];
        output.line(format_args!("{}: {}", self.file.display(), size.join(", ")))?;
        if let Some(error) = &report.unproved {
            output.line(format_args!("\nNot proved: {error}"))?;
        }
        assertions(output, &report.proof.assertions, report.proof.above_the_text.is_none())?;
        if let (Some(weaker), Some(path)) = (&answers.weaker, &self.baseline) {
            self.baseline(output, weaker, path)?;
        }
        gaps(output, &report.gaps)?;
        self.rules(output, file, &report.findings)?;
        enforcement(output, &answers.needs, &answers.codecs)
    }

    fn baseline(&self, output: &mut Output, weaker: &Weaker, path: &Path) -> anyhow::Result<()> {
        output.line(format_args!("\nAgainst {}", path.display()))?;
        if weaker.none() {
            let word = output.verdict(true, "at least as strict");
            output.line(format_args!("  {word} in every situation"))?;
            return Ok(());
        }
        for row in &weaker.rows {
            let word = output.verdict(false, "weaker");
            output.line(format_args!("  {word}: {}", row.region))?;
            output.line(format_args!("    {}", row.both()))?;
            output.line(format_args!("    for example: {}", row.witness.words))?;
        }
        rest(output, weaker.rest)
    }

    fn rules(&self, output: &mut Output, file: &PolicyFile, found: &[Finding]) -> anyhow::Result<()> {
        // Assertions and gaps have their own parts.
        let rules: Vec<&Finding> = found.iter().filter(|finding| finding.rule.is_some()).collect();
        output.line("\nRules and exceptions")?;
        if rules.is_empty() {
            output.line("  each rule changes something, and none is always overruled")?;
        }
        for finding in rules {
            let place = file.files.place(&file.text, finding.span).start.line;
            let (clause, number) = finding.rule.clone().unwrap_or((writ_model::Term::UNKNOWN, 0));
            let rule = if number == 0 { String::new() } else { format!(", rule {number}") };
            let line = if number == 0 { String::new() } else { format!(" (line {place})") };
            output.line(format_args!("  {}: clause {clause}{rule}{line}", finding.code.as_str()))?;
            output.line(format_args!("    {}", finding.message))?;
            if let Some(witness) = &finding.witness {
                output.line(format_args!("    for example: {witness}"))?;
            }
        }
        Ok(())
    }

    fn as_json(&self, file: &PolicyFile, answers: &Answers) -> Value {
        let Answers { policy, report, weaker, needs, codecs } = answers;
        let name = self.file.display().to_string();
        let gap =
            |gap: &analyse::Gap| json!({ "where": gap.region, "effect": gap.effect, "witness": gap.witness.to_json() });
        json!({
            "file": name,
            "ok": !report.refused() && weaker.as_ref().is_none_or(Weaker::none),
            "text-hash": policy.text_hash(),
            "rows-hash": policy.rows_hash(),
            "assertions": report.proof.assertions.iter().map(Proved::to_json).collect::<Vec<_>>(),
            "gaps": { "rows": report.gaps.rows.iter().map(gap).collect::<Vec<_>>(), "rest": report.gaps.rest },
            "findings": report.findings.iter().map(|it| finding_json(it, &file.text, &file.files)).collect::<Vec<_>>(),
            "baseline": weaker.as_ref().map(Weaker::to_json),
            "needs": needs,
            "codecs": codecs,
            "unproved": report.unproved.as_ref().map(ToString::to_string),
            "figures": {
                "variables": report.figures.variables,
                "nodes": report.figures.nodes,
                "made": report.figures.made,
                "steps": report.figures.steps,
            },
        })
    }
}

/// As the diagnostic, with the rule and with the situation as facts.
fn finding_json(finding: &Finding, text: &str, files: &Files) -> Value {
    let mut object = finding.diagnostic().to_json(text, files);
    if let Some(fields) = object.as_object_mut() {
        let rule = finding.rule.as_ref().map(|(clause, number)| json!({ "clause": clause, "rule": number }));
        fields.insert("rule".into(), rule.into());
        fields.insert("witness".into(), finding.witness.as_ref().map(Witness::to_json).into());
    }
    object
}

/// Where a policy is weaker than the baseline in a file.
pub(super) fn weaker(policy: &Policy, path: &Path, names: Names, world: &World) -> anyhow::Result<Weaker> {
    let baseline = PolicyFile::read(path, names)?.compile()?;
    Ok(analyse::weaker(policy, &baseline, world, SystemClock.now())?)
}

/// Where a policy is weaker than its baseline, as diagnostics of the whole document.
pub(super) fn weaker_said(weaker: &Weaker, path: &Path) -> Vec<Diagnostic> {
    let diagnostic = |row: &WeakerRow| {
        let message = format!("this policy is less strict than {}: {}", path.display(), row.both());
        let mut diagnostic = Diagnostic::new(Code::WeakerThanBaseline, Span::default(), message);
        diagnostic.help = Some("make the rules as strict there, or agree on another baseline".to_owned());
        diagnostic.regions = vec![row.region.clone()];
        diagnostic.witness = Some(row.witness.words.clone());
        diagnostic
    };
    weaker.rows.iter().map(diagnostic).collect()
}

/// What is lost without each part of an installation of this version, and what no installation of it has.
fn needs(policy: &Policy, world: &World) -> Vec<Need> {
    let here = Capability::all().filter(|capability| capability.here()).map(|capability| vec![capability]);
    let sets: Vec<Vec<Capability>> = here.chain([lacking()]).collect();
    // What is too large to be proved was said before.
    analyse::needs(policy, world, &sets).unwrap_or_default()
}

fn assertions(output: &mut Output, proved: &[Proved], within: bool) -> anyhow::Result<()> {
    output.line("\nAssertions")?;
    if proved.is_empty() {
        output.line("  none: a `prove` block says what must never or always be")?;
        return Ok(());
    }
    for one in proved {
        assertion(output, one)?;
    }
    if within {
        output.line("  what the roll-out enforces is nowhere stricter than the text")?;
    }
    Ok(())
}

fn assertion(output: &mut Output, proved: &Proved) -> anyhow::Result<()> {
    let sentence = proved.assertion.sentence();
    match &proved.outcome {
        Outcome::Holds => {
            let word = output.verdict(true, "holds");
            output.line(format_args!("  {word}  {sentence}"))?;
        }
        Outcome::Fails { witness, regions } => {
            let word = output.verdict(false, "fails");
            output.line(format_args!("  {word}  {sentence}"))?;
            for region in regions {
                output.line(format_args!("         where: {region}"))?;
            }
            output.line(format_args!("         for example: {witness}"))?;
            if !witness.decision.full.exceptions.is_empty() {
                let ids: Vec<_> = witness.decision.full.exceptions.iter().map(|id| format!("`{id}`")).collect();
                output.line(format_args!("         because of exception {}", ids.join(", ")))?;
            }
        }
    }
    if let Some(late) = &proved.not_yet {
        let from = late.from.map_or_else(|| "an unknown date".to_owned(), |from| from.to_string());
        let ids: Vec<_> = late.because.iter().map(|id| format!("`{id}`")).collect();
        let because = if ids.is_empty() { "the roll-out".to_owned() } else { format!("roll-out {}", ids.join(", ")) };
        output.line(format_args!("         not yet in force until {from}, because of {because}"))?;
        let enforced = verdict(&late.witness.decision.enforced);
        output.line(format_args!("         until then, for example: {}: {enforced}", late.witness.words))?;
    }
    for left in &proved.left_out {
        output.line(format_args!("         left out: {}, for example {}", left.what, left.words))?;
    }
    Ok(())
}

fn gaps(output: &mut Output, gaps: &Gaps) -> anyhow::Result<()> {
    output.line("\nGaps: what only the posture decides")?;
    if gaps.none() {
        output.line("  none: every situation is foreseen, or decided by a rule")?;
        return Ok(());
    }
    for gap in &gaps.rows {
        let effect = output.effect(gap.effect);
        output.line(format_args!("  {effect}: {}", gap.region))?;
        output.line(format_args!("    for example: {}", gap.witness.words))?;
    }
    rest(output, gaps.rest)
}

/// How much is not shown.
fn rest(output: &mut Output, rest: f64) -> anyhow::Result<()> {
    if rest >= 0.5 {
        output.line(format_args!("  and {rest:.0} further combinations of values"))?;
    }
    Ok(())
}

fn enforcement(output: &mut Output, needs: &[Need], codecs: &[Unenforced]) -> anyhow::Result<()> {
    output.line("\nEnforcement")?;
    for need in needs {
        let here = need.without.iter().all(|capability| capability.here());
        let names: Vec<_> = need.without.iter().map(|capability| capability.name()).collect();
        let what = if here { format!("without {}", names.join(", ")) } else { "in this version".to_owned() };
        let whole: Vec<_> = need.losses.iter().filter(|loss| loss.whole()).map(|loss| loss.clause.as_str()).collect();
        let partly: Vec<_> = need.losses.iter().filter(|loss| !loss.whole()).map(|loss| loss.clause.as_str()).collect();
        if whole.is_empty() && partly.is_empty() {
            output.line(format_args!("  {what}: nothing is lost"))?;
            continue;
        }
        let part =
            |word: &str, clauses: &[&str]| (!clauses.is_empty()).then(|| format!("{word} {}", clauses.join(", ")));
        let lost: Vec<_> = part("all of", &whole).into_iter().chain(part("a part of", &partly)).collect();
        output.line(format_args!(
            "  {what}: {} {}",
            lost.join("; "),
            if here { "is lost" } else { "does not run yet" }
        ))?;
        if !here {
            output.line(format_args!("    missing: {}", names.join(", ")))?;
        }
    }
    for cell in codecs {
        output.line(format_args!("  {cell}"))?;
    }
    Ok(())
}
