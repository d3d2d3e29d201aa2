//! The script: scenes, the turns they consist of, and the values planted in them.

use std::collections::VecDeque;

use super::conversations;
use super::people::{Company, Member};
use super::request::{Format, TurnRequest};
use crate::seeded::Generator;

/// One request that a member sends to an AI service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedTurn {
    /// Position in the script, from 1.
    pub sequence: usize,
    /// The conversation that the turn belongs to, from 1.
    pub conversation: usize,
    /// What the conversation is about.
    pub scene: Scene,
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
}

impl Scene {
    /// Every scene, in the order in which the script begins.
    pub const ALL: [Self; 13] = [
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
    ];
}

/// An AI service as the company's catalog knows it, and the format it is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Id, as a catalog of services names it.
    pub id: &'static str,
    /// Its host.
    pub host: &'static str,
    /// The format of its endpoint.
    pub format: Format,
    /// The model asked for.
    pub model: &'static str,
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
}

/// The endless script of a company.
#[derive(Debug, Clone)]
pub struct Script<'a> {
    company: &'a Company,
    generator: Generator,
    conversations: usize,
    turns: usize,
    waiting: VecDeque<ScriptedTurn>,
}

impl<'a> Script<'a> {
    pub(crate) fn new(company: &'a Company) -> Self {
        let generator = Generator::keyed(company.seed, b"script");
        Self { company, generator, conversations: 0, turns: 0, waiting: VecDeque::new() }
    }

    fn next_scene(&mut self) -> Scene {
        let first = Scene::ALL.get(self.conversations).copied();
        // Two in five conversations are harmless questions, as most of what people ask is.
        first.unwrap_or_else(|| match self.generator.below(5) {
            0 | 1 => Scene::Harmless,
            _ => *self.generator.pick(&Scene::ALL.each_ref(), &Scene::Harmless),
        })
    }
}

impl Iterator for Script<'_> {
    type Item = ScriptedTurn;

    fn next(&mut self) -> Option<ScriptedTurn> {
        if self.waiting.is_empty() {
            let scene = self.next_scene();
            self.conversations += 1;
            let turns = conversations::turns(self.company, scene, self.conversations, &mut self.generator);
            self.waiting.extend(turns);
        }
        let mut turn = self.waiting.pop_front()?;
        self.turns += 1;
        turn.sequence = self.turns;
        Some(turn)
    }
}
