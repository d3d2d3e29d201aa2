//! What is said in each scene.

use super::fake;
use super::people::{Company, Department, Member, Role};
use super::request::Format;
use super::script::{Planted, PlantedKind, Scene, ScriptedTurn, Service, Tool, Utterance};
use crate::seeded::{ALPHANUMERIC, Generator};

/// Services that the company has approved.
const APPROVED: [Service; 4] = [
    Service { id: "openai-api", host: "api.openai.com", format: Format::Chat, model: "gpt-4o" },
    Service { id: "openai-api", host: "api.openai.com", format: Format::Responses, model: "gpt-5.5" },
    Service { id: "anthropic-api", host: "api.anthropic.com", format: Format::Messages, model: "claude-sonnet-5-5" },
    Service {
        id: "gemini-api",
        host: "generativelanguage.googleapis.com",
        format: Format::Gemini,
        model: "gemini-3.8-flash",
    },
];

/// A service that the company has denied.
const DENIED: Service =
    Service { id: "deepseek-api", host: "api.deepseek.com", format: Format::Chat, model: "deepseek-chat" };

const TOOLS: [Tool; 2] = [
    Tool { name: "read_file", description: "Read a file of the repository.", argument: "path" },
    Tool { name: "run_tests", description: "Run the tests of one package.", argument: "package" },
];

const HARMLESS: [&str; 8] = [
    "Explain the difference between a deductible and a co-payment in two sentences.",
    "Give me five subject lines for a newsletter about seasonal flu shots.",
    "What does the minimum necessary rule in HIPAA mean?",
    "Draft a friendly reminder that the cafeteria closes at 15:00 on Fridays.",
    "Translate to German: please bring a photo id to the front desk.",
    "How do I write a regular expression that matches ISO dates?",
    "Suggest an agenda for a one-hour kick-off meeting.",
    "Which chart suits waiting times by weekday best?",
];

const FOLLOW_UPS: [(&str, &str); 3] = [
    ("Sure, here is a first version.", "Make it shorter, please."),
    ("Here is the shorter one.", "Good. Now in the tone of an official notice."),
    ("Done.", "And a title for it?"),
];

const DIAGNOSES: [&str; 4] = ["type 2 diabetes", "atrial fibrillation", "severe asthma", "a fractured hip"];

/// The turns of one conversation; [`ScriptedTurn::sequence`] is left to the script.
pub(crate) fn turns(
    company: &Company,
    scene: Scene,
    conversation: usize,
    generator: &mut Generator,
) -> Vec<ScriptedTurn> {
    let base = ScriptedTurn {
        sequence: 0,
        conversation,
        scene,
        member: asking(company, scene, generator),
        service: *generator.pick(&APPROVED.each_ref(), &DENIED),
        streamed: generator.below(2) == 0,
        system: (generator.below(3) == 0).then(|| format!("You help the staff of {}. Be brief.", company.name)),
        tools: Vec::new(),
        utterances: Vec::new(),
        planted: Vec::new(),
    };
    match scene {
        Scene::Harmless => vec![said(base, harmless(generator), Vec::new())],
        Scene::DeniedService => vec![said(ScriptedTurn { service: DENIED, ..base }, harmless(generator), Vec::new())],
        Scene::Conversation => follow_ups(said(base, harmless(generator), Vec::new())),
        Scene::HealthThenWithout => without_details(base, generator),
        Scene::AgentRead | Scene::AgentReadsSecret => agent_reads(base, generator),
        _ => {
            let (text, planted) = sensitive(scene, generator);
            vec![said(base, text, planted)]
        }
    }
}

/// Who asks such things.
fn asking(company: &Company, scene: Scene, generator: &mut Generator) -> Member {
    let fits = |member: &&Member| match scene {
        Scene::AgentRead | Scene::AgentReadsSecret => member.role == Role::Agent,
        Scene::Health | Scene::HealthThenWithout => member.department == Department::Clinic,
        Scene::Card | Scene::BankAccount => member.department == Department::Billing,
        Scene::SocialSecurity => member.department == Department::HumanResources,
        Scene::SourceCode | Scene::AccessKey => member.department == Department::Engineering && member.role.person(),
        _ => member.role.person(),
    };
    let members: Vec<&Member> = company.members.iter().filter(fits).collect();
    let chosen = members.get(generator.below(members.len())).or(members.first()).copied();
    chosen.or(company.members.first()).cloned().unwrap_or_else(nobody)
}

/// Stands in where a company, made by hand, has no members.
fn nobody() -> Member {
    Member {
        login: "nobody".to_owned(),
        name: "Nobody".to_owned(),
        email: None,
        department: Department::Security,
        role: Role::ServiceAccount,
        on_behalf_of: None,
        key: "nwh-nobody".to_owned(),
    }
}

fn harmless(generator: &mut Generator) -> String {
    generator.pick(&HARMLESS, "Hello.").to_owned()
}

/// The turn, one utterance of the person later.
fn said(mut turn: ScriptedTurn, text: String, planted: Vec<Planted>) -> ScriptedTurn {
    turn.utterances.push(Utterance::Person(text));
    turn.planted.extend(planted);
    turn
}

fn planted(kind: PlantedKind, value: &str) -> Planted {
    Planted { kind, value: value.to_owned() }
}

fn follow_ups(first: ScriptedTurn) -> Vec<ScriptedTurn> {
    let mut turns = vec![first.clone()];
    let mut turn = first;
    for (answer, next) in FOLLOW_UPS {
        turn.utterances.push(Utterance::Model(answer.to_owned()));
        turn = said(turn, next.to_owned(), Vec::new());
        turns.push(turn.clone());
    }
    turns
}

/// A patient, then "without it", then a harmless question. The first turn may have been stopped: the client resends
/// it without an answer behind it.
fn without_details(base: ScriptedTurn, generator: &mut Generator) -> Vec<ScriptedTurn> {
    let (text, values) = sensitive(Scene::Health, generator);
    let first = said(base, text, values);
    let second = said(first.clone(), "Then without the details: how is such a summary structured?".into(), vec![]);
    let mut third = second.clone();
    third.utterances.push(Utterance::Model("Reason for admission, course, findings, plan.".into()));
    let third = said(third, harmless(generator), Vec::new());
    vec![first, second, third]
}

fn agent_reads(base: ScriptedTurn, generator: &mut Generator) -> Vec<ScriptedTurn> {
    let secret = base.scene == Scene::AgentReadsSecret;
    let task =
        if secret { "The deployment fails. Find out why." } else { "Fix the failing test in the billing crate." };
    let system = Some("You are a coding agent. Use the tools, then answer.".to_owned());
    let first = said(ScriptedTurn { tools: TOOLS.to_vec(), system, ..base }, task.to_owned(), Vec::new());
    let (path, result, values) = if secret { environment_file(generator) } else { source_file() };
    let mut second = first.clone();
    second.utterances.push(Utterance::ToolUse {
        id: format!("call_{}", generator.token(24, ALPHANUMERIC)),
        name: "read_file".to_owned(),
        argument: ("path".to_owned(), path.to_owned()),
        result,
    });
    second.planted.extend(values);
    let mut third = second.clone();
    third.utterances.push(Utterance::Model("I have read the file.".to_owned()));
    let third = said(third, "Good. Summarise what you changed for the pull request.".to_owned(), Vec::new());
    vec![first, second, third]
}

fn environment_file(generator: &mut Generator) -> (&'static str, String, Vec<Planted>) {
    let (id, secret) = (fake::aws_access_key(generator), fake::aws_secret_key(generator));
    let file = format!("REGION=eu-central-1\nSTAGE=test\nAWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n");
    let values = vec![planted(PlantedKind::AwsAccessKey, &id), planted(PlantedKind::AwsSecretKey, &secret)];
    (".env", file, values)
}

fn source_file() -> (&'static str, String, Vec<Planted>) {
    ("README.md", "# Billing\n\nRun the tests with `make test`. The fixture year is 2024.\n".to_owned(), Vec::new())
}

/// The text of a scene with sensitive values, and the values.
fn sensitive(scene: Scene, generator: &mut Generator) -> (String, Vec<Planted>) {
    let name = fake::name(generator);
    match scene {
        Scene::Card => {
            let card = fake::card(generator);
            let text = format!("Write a letter to {name}: the card {card} was charged twice, the refund comes Friday.");
            (text, vec![planted(PlantedKind::Card, &card)])
        }
        Scene::SocialSecurity => {
            let number = fake::ssn(generator);
            let text = format!("Fill the onboarding form for {name}, SSN {number}, start date 3 March.");
            (text, vec![planted(PlantedKind::SocialSecurity, &number)])
        }
        Scene::Contacts => contacts(generator),
        Scene::BankAccount => {
            let iban = fake::iban(generator);
            let text = format!("Draft an invoice for {name}, to be paid to IBAN {iban} within 30 days.");
            (text, vec![planted(PlantedKind::Iban, &iban)])
        }
        Scene::AccessKey => {
            let (_, file, values) = environment_file(generator);
            (format!("Why does the deployment not find the region? This is the configuration:\n{file}"), values)
        }
        Scene::SourceCode => source_code(),
        _ => health(&name, generator),
    }
}

fn contacts(generator: &mut Generator) -> (String, Vec<Planted>) {
    let (mut text, mut values) = ("Sort these customers by last name:\n".to_owned(), Vec::new());
    for _ in 0..3 {
        let name = fake::name(generator);
        let (email, phone) = (fake::email(generator, &name), fake::phone(generator));
        text.push_str(&format!("{name}, {email}, {phone}\n"));
        values.extend([planted(PlantedKind::Email, &email), planted(PlantedKind::Phone, &phone)]);
    }
    (text, values)
}

fn health(name: &str, generator: &mut Generator) -> (String, Vec<Planted>) {
    let number = fake::record_number(generator);
    let diagnosis = generator.pick(&DIAGNOSES, "influenza");
    let text =
        format!("Summarise: Patient {name}, MRN {number}, admitted 3 May with {diagnosis}, stable since Monday.");
    (text, vec![planted(PlantedKind::PatientName, name), planted(PlantedKind::RecordNumber, &number)])
}

fn source_code() -> (String, Vec<Planted>) {
    let line = "    let premium = base_rate * risk_factor(member.age, member.region) + SURCHARGE;";
    let text = format!(
        "Review this function of our pricing engine:\n\n```rust\n\
         pub fn monthly_premium(member: &Member, base_rate: Money) -> Money {{\n\
         {line}\n    premium.round_to_cents()\n}}\n```"
    );
    (text, vec![planted(PlantedKind::SourceCode, line.trim())])
}
