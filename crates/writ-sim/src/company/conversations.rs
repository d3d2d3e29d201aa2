//! What is said in each scene, by whom, to which service, and which way it takes.

use super::people::{Company, Department, Habits, Language, Member, Role};
use super::script::{Moment, Planted, PlantedKind, Scene, ScriptedTurn, Utterance};
use super::services::{AccountKind, Service, Way};
use super::{agents, fake, mess, texts};
use crate::seeded::Generator;

/// Rows of a list of customers: as many as make it a list and not a few contacts.
const CUSTOMERS: usize = 14;

/// The turns of one conversation; [`ScriptedTurn::sequence`] is left to the script.
pub(crate) fn turns(
    company: &Company,
    scene: Scene,
    conversation: usize,
    at: Moment,
    generator: &mut Generator,
) -> Vec<ScriptedTurn> {
    let member = asking(company, scene, at, generator);
    let (way, service) = route(scene, &member, generator);
    let instructed = way == Way::Gateway && generator.below(3) == 0;
    let base = ScriptedTurn {
        sequence: 0,
        conversation,
        at,
        scene,
        way,
        account: if scene == Scene::PersonalAccount { AccountKind::Personal } else { AccountKind::Corporate },
        member,
        service,
        // Web apps always stream.
        streamed: way == Way::Browser || generator.below(2) == 0,
        system: instructed.then(|| format!("You help the staff of {}. Be brief.", company.name)),
        tools: Vec::new(),
        utterances: Vec::new(),
        planted: Vec::new(),
    };
    match scene {
        Scene::Conversation => {
            let text = harmless(&base.member, generator);
            follow_ups(said(base, text, Vec::new()), 3)
        }
        Scene::Mail => follow_ups(one(base, texts::mails, generator), 1),
        Scene::Log => {
            let text = typed(&base.member, chosen(&texts::LOGS, generator), generator);
            follow_ups(said(base, text, Vec::new()), 1)
        }
        Scene::Spreadsheet => {
            let text = typed(&base.member, chosen(&texts::TABLES, generator), generator);
            vec![said(base, text, Vec::new())]
        }
        Scene::HealthThenWithout => without_details(base, generator),
        Scene::AgentRead | Scene::AgentReadsSecret | Scene::LongAgentRun => agents::turns(base, generator),
        Scene::Harmless | Scene::DeniedService | Scene::PersonalAccount | Scene::Trial => {
            let text = harmless(&base.member, generator);
            vec![said(base, text, Vec::new())]
        }
        _ => {
            let (text, planted) = sensitive(scene, &base.member, generator);
            vec![said(base, text, planted)]
        }
    }
}

/// Who asks such things at such a time: members who are at work, the eager ones more often.
fn asking(company: &Company, scene: Scene, at: Moment, generator: &mut Generator) -> Member {
    let fits = |member: &&Member| match scene {
        Scene::AgentRead | Scene::AgentReadsSecret | Scene::LongAgentRun => member.role == Role::Agent,
        // Web search and claims triage ask by themselves now and then.
        Scene::Harmless => member.role != Role::Agent,
        Scene::Health | Scene::HealthThenWithout => member.department == Department::Clinic,
        Scene::Card | Scene::BankAccount => member.department == Department::Billing && member.role.person(),
        Scene::SocialSecurity => member.department == Department::HumanResources,
        Scene::Counsel => member.department == Department::Legal && member.role == Role::Employee,
        Scene::Log | Scene::SourceCode | Scene::AccessKey => {
            matches!(member.department, Department::Engineering | Department::Security)
                && member.role.person()
                && (scene == Scene::Log || member.department == Department::Engineering)
        }
        // Trials are for employees only.
        Scene::Trial | Scene::PersonalAccount => member.role == Role::Employee,
        _ => member.role.person(),
    };
    let members: Vec<&Member> = company.members.iter().filter(fits).collect();
    let eager = |member: &Member| usize::from(member.habits.eagerness);
    let here: Vec<&Member> = members.iter().copied().filter(|member| member.habits.at_work(at.minute)).collect();
    let members = if here.is_empty() { members } else { here };
    let mut place = generator.below(members.iter().map(|member| eager(member)).sum());
    let chosen = members.iter().find(|member| match place.checked_sub(eager(member)) {
        Some(rest) => {
            place = rest;
            false
        }
        None => true,
    });
    chosen.or(members.first()).copied().or(company.members.first()).cloned().unwrap_or_else(nobody)
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
        password: "nobody".to_owned(),
        language: Language::En,
        office: None,
        habits: Habits { begins: 0, ends: 24 * 60, eagerness: 1, slips: 0, signs: false },
    }
}

/// Which way such a conversation takes, and to which service.
fn route(scene: Scene, member: &Member, generator: &mut Generator) -> (Way, Service) {
    let api = |generator: &mut Generator| *generator.pick(&Service::APIS.each_ref(), &Service::DENIED);
    let [openai, _, anthropic] = Service::APIS;
    match (scene, member.role, member.department) {
        (Scene::Trial, ..) => (Way::Gateway, Service::IN_REVIEW),
        (Scene::DeniedService, ..) if generator.below(2) == 0 => (Way::Gateway, Service::DENIED),
        (Scene::DeniedService, ..) => (Way::Browser, Service::DEEPSEEK),
        (Scene::PersonalAccount, ..) => {
            let chats = [Service::CLAUDE, Service::CHATGPT];
            (Way::Browser, *generator.pick(&chats.each_ref(), &Service::CLAUDE))
        }
        (Scene::Counsel, ..) => (Way::Browser, Service::ASSISTANT),
        (_, Role::ServiceAccount, _) => (Way::Gateway, api(generator)),
        (_, Role::Agent, _) if generator.below(2) == 0 => (Way::Cli, anthropic),
        (_, Role::Agent, _) => (Way::Gateway, api(generator)),
        (Scene::Log | Scene::SourceCode | Scene::AccessKey, ..) => match generator.below(3) {
            0 => (Way::Cli, anthropic),
            1 => (Way::Ide, openai),
            _ => (Way::Gateway, api(generator)),
        },
        _ => match generator.below(10) {
            0..4 => (Way::Browser, Service::CHATGPT),
            4..7 => (Way::Browser, Service::ASSISTANT),
            _ => (Way::Gateway, api(generator)),
        },
    }
}

fn typed(member: &Member, text: &str, generator: &mut Generator) -> String {
    mess::typed(text, member, generator)
}

fn harmless(member: &Member, generator: &mut Generator) -> String {
    let text =
        *generator.pick(&texts::harmless(member.language, member.department).iter().collect::<Vec<_>>(), &"Hello.");
    typed(member, text, generator)
}

/// The turn with one of the texts in the member's language.
fn one(
    base: ScriptedTurn,
    choices: fn(Language) -> &'static [&'static str],
    generator: &mut Generator,
) -> ScriptedTurn {
    let text = chosen(choices(base.member.language), generator);
    let text = typed(&base.member, text, generator);
    said(base, text, Vec::new())
}

fn chosen(choices: &'static [&'static str], generator: &mut Generator) -> &'static str {
    choices.get(generator.below(choices.len())).copied().unwrap_or_default()
}

/// The turn, one utterance of the person later.
pub(crate) fn said(mut turn: ScriptedTurn, text: String, planted: Vec<Planted>) -> ScriptedTurn {
    turn.utterances.push(Utterance::Person(text));
    turn.planted.extend(planted);
    turn
}

pub(crate) fn planted(kind: PlantedKind, value: &str) -> Planted {
    Planted { kind, value: value.to_owned() }
}

fn follow_ups(first: ScriptedTurn, count: usize) -> Vec<ScriptedTurn> {
    let mut turns = vec![first.clone()];
    let mut turn = first;
    for (answer, next) in texts::follow_ups(turn.member.language).iter().take(count) {
        turn.utterances.push(Utterance::Model((*answer).to_owned()));
        turn = said(turn, (*next).to_owned(), Vec::new());
        turns.push(turn.clone());
    }
    turns
}

/// A patient, then "without it", then a harmless question. The first turn may have been stopped: the client resends
/// it without an answer behind it.
fn without_details(base: ScriptedTurn, generator: &mut Generator) -> Vec<ScriptedTurn> {
    let (text, values) = sensitive(Scene::Health, &base.member, generator);
    let first = said(base, text, values);
    let second = said(first.clone(), "Then without the details: how is such a summary structured?".into(), vec![]);
    let mut third = second.clone();
    third.utterances.push(Utterance::Model("Reason for admission, course, findings, plan.".into()));
    let text = harmless(&third.member, generator);
    vec![first, second, said(third, text, Vec::new())]
}

/// The text of a scene with sensitive values, and the values. Slips happen around the values, not in them.
fn sensitive(scene: Scene, member: &Member, generator: &mut Generator) -> (String, Vec<Planted>) {
    let name = fake::name(generator);
    let mut filled = |choices: &'static [&'static str], place: &str, kind, value: &str| {
        let text = typed(member, chosen(choices, generator), generator);
        (text.replace("{name}", &name).replace(place, value), vec![planted(kind, value)])
    };
    match scene {
        Scene::Card => {
            let card = fake::card(&mut Generator::keyed(7, name.as_bytes()));
            filled(&texts::CARDS, "{card}", PlantedKind::Card, &card)
        }
        Scene::SocialSecurity => {
            let number = fake::ssn(&mut Generator::keyed(7, name.as_bytes()));
            filled(&texts::NEW_STAFF, "{ssn}", PlantedKind::SocialSecurity, &number)
        }
        Scene::BankAccount => {
            let iban = fake::iban(&mut Generator::keyed(7, name.as_bytes()));
            filled(texts::invoices(member.language), "{iban}", PlantedKind::Iban, &iban)
        }
        Scene::Counsel => {
            let text = typed(member, chosen(&texts::COUNSEL, generator), generator);
            (text, Vec::new())
        }
        Scene::Contacts => contacts("Sort these customers by last name:", 3, generator),
        Scene::CustomerList => contacts("group these by town and remove the doubles", CUSTOMERS, generator),
        Scene::AccessKey => {
            let (file, values) = agents::environment_file(generator);
            (format!("Why does the deployment not find the region? This is the configuration:\n{file}"), values)
        }
        Scene::SourceCode => source_code(generator),
        _ => health(member, &name, generator),
    }
}

/// People in lines (a few) or in the columns of a spreadsheet (a list).
fn contacts(asked: &str, count: usize, generator: &mut Generator) -> (String, Vec<Planted>) {
    let list = count > 3;
    let (between, head) = if list { ("\t", "customer\te-mail\tphone\ttown\n") } else { (", ", "") };
    let (mut text, mut values) = (format!("{asked}\n{head}"), Vec::new());
    for _ in 0..count {
        let name = fake::name(generator);
        let (email, phone) = (fake::email(generator, &name), fake::phone(generator));
        let town = if list { *generator.pick(&[&"\tHarbour", &"\tOld Mill", &"\tEast Hill"], &"") } else { "" };
        text.push_str(&format!("{name}{between}{email}{between}{phone}{town}\n"));
        values.extend([planted(PlantedKind::Email, &email), planted(PlantedKind::Phone, &phone)]);
    }
    (text, values)
}

fn health(member: &Member, name: &str, generator: &mut Generator) -> (String, Vec<Planted>) {
    let number = fake::record_number(generator);
    let diagnosis = chosen(texts::diagnoses(member.language), generator);
    let text = chosen(texts::health(member.language), generator);
    let text = text.replace("{name}", name).replace("{number}", &number).replace("{diagnosis}", diagnosis);
    (text, vec![planted(PlantedKind::PatientName, name), planted(PlantedKind::RecordNumber, &number)])
}

fn source_code(generator: &mut Generator) -> (String, Vec<Planted>) {
    let [first, ..] = &texts::CODE;
    let (asked, code, line) = generator.pick(&texts::CODE.each_ref(), first);
    (format!("{asked}\n\n{code}"), vec![planted(PlantedKind::SourceCode, line)])
}
