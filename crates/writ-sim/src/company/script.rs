//! The script: scenes, the turns they consist of, and the values planted in them.

use std::collections::VecDeque;

use super::conversations;
use super::people::{Company, Member};
use super::request::{ProxyRequest, TurnRequest};
use super::services::{AccountKind, Service, Way};
use crate::json::{Json, object};
use crate::seeded::Generator;

/// One request that a member sends to an AI service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedTurn {
    /// Position in the script, from 1.
    pub sequence: usize,
    /// The conversation that the turn belongs to, from 1.
    pub conversation: usize,
    /// When it happens.
    pub at: Moment,
    /// What the conversation is about.
    pub scene: Scene,
    /// Which way it takes.
    pub way: Way,
    /// Whose account is used, where the service has accounts.
    pub account: AccountKind,
    /// Who asks.
    pub member: Member,
    /// What is asked.
    pub service: Service,
    /// Whether the answer is asked for as a stream.
    pub streamed: bool,
    /// The instructions that go along, where there are any.
    pub system: Option<String>,
    /// The tools on offer.
    pub tools: Vec<Tool>,
    /// The conversation so far, resent as clients do; ends with what is new.
    pub utterances: Vec<Utterance>,
    /// The sensitive values in it, those of resent turns included.
    pub planted: Vec<Planted>,
}

impl ScriptedTurn {
    /// The request as the member's client sends it, with the member's own key.
    pub fn request(&self) -> TurnRequest {
        self.request_with_key(&self.member.key)
    }

    /// The request with another credential, such as a provider's key.
    pub fn request_with_key(&self, key: &str) -> TurnRequest {
        TurnRequest::of(self, key)
    }

    /// The request as the member's browser, command line or editor sends it through a proxy, with the member's login.
    /// `key` is the credential for services that want one ([`Service::chat`] do not).
    pub fn request_through_proxy(&self, key: &str) -> ProxyRequest {
        ProxyRequest::of(self, key)
    }

    /// The sensitive values that are new in this turn, as against those of turns that are sent again.
    pub fn fresh(&self) -> impl Iterator<Item = &Planted> {
        let latest = match self.utterances.last() {
            Some(Utterance::Person(text) | Utterance::Model(text)) => text.as_str(),
            Some(Utterance::ToolUse { result, .. }) => result.as_str(),
            None => "",
        };
        self.planted.iter().filter(move |planted| latest.contains(&planted.value))
    }

    /// Whether a policy as the general template, with the company's list of tools, has something to say about this
    /// turn: new values in it that are not cleared, a tool that is not approved, an account that is not the company's.
    pub fn remarkable(&self) -> bool {
        let cleared = |planted: &Planted| {
            self.scene != Scene::CustomerList
                && matches!(planted.kind, PlantedKind::Email | PlantedKind::Phone | PlantedKind::SourceCode)
        };
        matches!(self.scene, Scene::DeniedService | Scene::PersonalAccount | Scene::Trial | Scene::Counsel)
            || self.fresh().any(|planted| !cleared(planted))
    }

    /// The turn as one JSON object: who, when, which way, and the request without any credential.
    pub fn to_json(&self) -> String {
        let request = self.request_with_key("");
        let planted = self.planted.iter().map(|one| {
            object! { "kind": format!("{:?}", one.kind), "value": &one.value }
        });
        let document = object! {
            "sequence": self.sequence, "conversation": self.conversation, "at": self.at.to_string(),
            "scene": format!("{:?}", self.scene), "who": self.member.role.word(), "login": &self.member.login,
            "groups": self.member.groups().into_iter().map(Json::from).collect::<Vec<_>>(),
            "language": self.member.language.tag(), "way": self.way.channel(), "service": self.service.id,
            "host": self.service.host, "path": request.path, "remarkable": self.remarkable(),
            "planted": planted.collect::<Vec<_>>(), "body": Json::Raw(request.body),
        };
        document.to_string()
    }

    /// What the person or program says in this turn; empty where it sends results of tools.
    pub fn text(&self) -> &str {
        match self.utterances.last() {
            Some(Utterance::Person(text)) => text,
            _ => "",
        }
    }
}

/// What a conversation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// A question without anything sensitive.
    Harmless,
    /// Four harmless turns, each resending the history.
    Conversation,
    /// A letter about a payment with a card number.
    Card,
    /// An application form with a social security number.
    SocialSecurity,
    /// A list of customers with addresses and phone numbers.
    Contacts,
    /// A bank account in an invoice.
    BankAccount,
    /// A configuration file with an access key.
    AccessKey,
    /// A patient with record number and diagnosis.
    Health,
    /// A patient in the first turn, then the same without the details, then something harmless.
    HealthThenWithout,
    /// Own source code to be reviewed.
    SourceCode,
    /// A harmless question to a service that the company denies.
    DeniedService,
    /// An agent that reads a file without secrets.
    AgentRead,
    /// An agent whose tool result holds an access key.
    AgentReadsSecret,
    /// A mail to be polished or answered.
    Mail,
    /// A pasted log or stack trace.
    Log,
    /// A table out of a spreadsheet.
    Spreadsheet,
    /// A list of customers out of a spreadsheet.
    CustomerList,
    /// An agent that reads a file full of keys in the middle of a long run, and goes on without it.
    LongAgentRun,
    /// A harmless question from an account of the person's own.
    PersonalAccount,
    /// A harmless question to a tool that is still being looked at.
    Trial,
    /// A paper of the company's counsel.
    Counsel,
}

impl Scene {
    /// Every scene.
    pub const ALL: [Self; 21] = [
        Self::Harmless,
        Self::Card,
        Self::Conversation,
        Self::Health,
        Self::SocialSecurity,
        Self::SourceCode,
        Self::Contacts,
        Self::AccessKey,
        Self::DeniedService,
        Self::BankAccount,
        Self::AgentRead,
        Self::HealthThenWithout,
        Self::AgentReadsSecret,
        Self::Mail,
        Self::Log,
        Self::Spreadsheet,
        Self::CustomerList,
        Self::LongAgentRun,
        Self::PersonalAccount,
        Self::Trial,
        Self::Counsel,
    ];

    /// How many conversations of a hundred or so are about this: most of what people ask is harmless.
    const fn weight(self) -> usize {
        match self {
            Self::Harmless => 17,
            Self::Mail => 6,
            Self::Conversation => 5,
            Self::Log => 4,
            Self::Spreadsheet | Self::SourceCode | Self::AgentRead => 3,
            Self::PersonalAccount => 2,
            _ => 1,
        }
    }
}

/// A minute of the simulated company's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Days since the script began; day 0 is a Monday.
    pub day: u32,
    /// Minutes since midnight.
    pub minute: u16,
}

impl Moment {
    const DAY_BEGINS: u16 = 7 * 60;
    const DAY_ENDS: u16 = 18 * 60 + 30;
    const NIGHT: u16 = 23 * 60;

    /// Whether only programs are awake.
    fn evening(self) -> bool {
        self.minute >= Self::DAY_ENDS
    }

    /// A few minutes later, or more where everybody has gone home; behind the evening comes the next working day.
    fn next(self, quiet: bool, generator: &mut Generator) -> Self {
        let step = if quiet { 15 + generator.below(90) } else { generator.below(7) };
        let minute = self.minute + u16::try_from(step).unwrap_or_default();
        if minute < Self::NIGHT {
            return Self { minute, ..self };
        }
        let monday = if self.day % 7 >= 4 { 7 - self.day % 7 } else { 1 };
        Self { day: self.day + monday, minute: Self::DAY_BEGINS }
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let day = usize::try_from(self.day % 7).ok().and_then(|day| DAYS.get(day)).copied().unwrap_or("Mon");
        write!(out, "week {} {day} {:02}:{:02}", self.day / 7 + 1, self.minute / 60, self.minute % 60)
    }
}

/// A tool that a request offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// The name of its one argument, a string.
    pub argument: &'static str,
}

/// A piece of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Utterance {
    /// Said by the person or program that asks.
    Person(String),
    /// Said by the model earlier.
    Model(String),
    /// A call that the model made earlier and the result that the client found.
    ToolUse {
        /// The id that ties call and result together.
        id: String,
        /// The tool.
        name: String,
        /// The argument, by the name of [`Tool::argument`].
        argument: (String, String),
        /// The result.
        result: String,
    },
}

/// A sensitive value in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What it is.
    pub kind: PlantedKind,
    /// Its spelling in the text.
    pub value: String,
}

/// Kinds of sensitive values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlantedKind {
    /// A payment card number.
    Card,
    /// A US social security number.
    SocialSecurity,
    /// An e-mail address of a customer.
    Email,
    /// A phone number of a customer.
    Phone,
    /// An international bank account number.
    Iban,
    /// An access key id.
    AwsAccessKey,
    /// A secret access key.
    AwsSecretKey,
    /// The name of a patient, beside health information.
    PatientName,
    /// A medical record number, beside health information.
    RecordNumber,
    /// A line of the company's own code.
    SourceCode,
    /// A password in a file.
    Password,
    /// A token in a file.
    Token,
}

/// Conversations that go on side by side.
const SIDE_BY_SIDE: usize = 3;

/// The endless script of a company.
#[derive(Debug, Clone)]
pub struct Script<'a> {
    company: &'a Company,
    generator: Generator,
    at: Moment,
    conversations: usize,
    turns: usize,
    /// Scenes that are still to come before the deck is shuffled anew.
    deck: Vec<Scene>,
    live: Vec<VecDeque<ScriptedTurn>>,
}

impl<'a> Script<'a> {
    pub(crate) fn new(company: &'a Company) -> Self {
        let generator = Generator::keyed(company.seed, b"script");
        let at = Moment { day: 0, minute: Moment::DAY_BEGINS + 30 };
        Self { company, generator, at, conversations: 0, turns: 0, deck: Vec::new(), live: Vec::new() }
    }

    /// The next scene of a shuffled deck that holds each as often as it weighs.
    fn next_scene(&mut self) -> Scene {
        if self.at.evening() {
            return Scene::AgentRead;
        }
        if self.deck.is_empty() {
            let mut sorted: Vec<Scene> =
                Scene::ALL.iter().flat_map(|scene| std::iter::repeat_n(*scene, scene.weight())).collect();
            while !sorted.is_empty() {
                self.deck.push(sorted.swap_remove(self.generator.below(sorted.len())));
            }
        }
        self.deck.pop().unwrap_or(Scene::Harmless)
    }

    fn begin(&mut self) {
        let scene = self.next_scene();
        self.conversations += 1;
        let turns = conversations::turns(self.company, scene, self.conversations, self.at, &mut self.generator);
        self.live.push(turns.into());
    }
}

impl Iterator for Script<'_> {
    type Item = ScriptedTurn;

    fn next(&mut self) -> Option<ScriptedTurn> {
        let person =
            |conversation: &VecDeque<ScriptedTurn>| conversation.front().is_some_and(|turn| turn.member.role.person());
        // Whoever is in the middle of something ends it before going home.
        let quiet = self.at.evening() && !self.live.iter().any(person);
        self.at = self.at.next(quiet, &mut self.generator);
        while self.live.len() < SIDE_BY_SIDE {
            self.begin();
        }
        let chosen = self.generator.below(self.live.len());
        let mut turn = self.live.get_mut(chosen)?.pop_front()?;
        self.live.retain(|conversation| !conversation.is_empty());
        self.turns += 1;
        turn.sequence = self.turns;
        turn.at = self.at;
        Some(turn)
    }
}
