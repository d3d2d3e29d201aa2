//! What is known when an interaction opens: who asks, for which service, with which head.

use http::{HeaderMap, Method};
use writ_base::Sensitive;
use writ_model::facts::Groups;
use writ_model::interaction::PrincipalId;
use writ_model::{
    Account, Channel, Currency, Declared, Device, Identity, Language, Set, Signal, Term, UnreadReason, Who,
};
use writ_protocol::Endpoint;

use crate::permit::Destination;

/// Who reads refusals and notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// A program or agent: refusals have the provider's error shape, notes go into a header.
    Program,
    /// A person in a chat: refusals are messages of the organisation in the conversation.
    Person,
}

/// Who asks, as the edge knows it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who acts.
    pub principal: PrincipalId,
    /// The person an agent acts for.
    pub on_behalf_of: Option<PrincipalId>,
    /// The kind of principal.
    pub who: Who,
    /// How sure the edge is.
    pub identity: Identity,
    /// The employing legal entity.
    pub entity: Term,
    /// Groups of the directory.
    pub groups: Groups,
    /// Whether the device is managed.
    pub device: Device,
    /// The person's region.
    pub person_region: Term,
    /// The person's training.
    pub training: Currency,
    /// The person's attestation.
    pub attestation: Currency,
    /// The kind of client.
    pub channel: Channel,
    /// Who reads what Writ says.
    pub audience: Audience,
    /// The principal's stable place in roll-outs by share: 0 to 9,999.
    pub share: u16,
    /// The API key or session, by a name that tells nothing: scope of acknowledgements of programs.
    pub credential: Option<Term>,
    /// The network address; goes into the personal part only.
    pub address: Option<String>,
    /// The client's name for itself; goes into the personal part only.
    pub client: Option<String>,
    /// Whether the person is protected (works council, data protection officer ...): decided by service and account
    /// only, content not read, nothing personal written.
    pub protected: bool,
    /// The language in which Writ speaks to the person.
    pub language: Language,
}

/// Whether content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Handling {
    /// Prompt and answer are read.
    #[default]
    Inspect,
    /// Neither is: the verdict rests on the head, and both stream through.
    Unread(UnreadReason),
    /// Refused before reading, whatever the policy says.
    Refuse(RefuseReason),
}

/// Why an edge refuses before reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefuseReason {
    /// The account at the service is the person's own, and the organisation refuses those.
    PersonalAccount,
    /// The organisation refuses the host.
    HostRefused,
    /// The names of the destination (CONNECT target, SNI, authority) disagree.
    NamesDisagree,
}

/// An interaction as it opens.
#[derive(Debug)]
pub struct Opening {
    /// Who asks.
    pub caller: Caller,
    /// The service, by its catalog id.
    pub service: Term,
    /// The plan of the account at the service.
    pub tier: Term,
    /// The account at the service.
    pub account: Account,
    /// Where the request goes if it may.
    pub destination: Destination,
    /// The codec that reads it.
    pub endpoint: Endpoint,
    /// The method.
    pub method: Method,
    /// The path with query, as the service expects it.
    pub path_and_query: String,
    /// The client's head. Hop-by-hop headers, credentials and Writ's own headers are removed by the engine.
    pub headers: HeaderMap,
    /// The level that the caller stated.
    pub declared: Declared,
    /// The reason that the caller gives, where a rule asks for one.
    pub reason: Option<Sensitive<String>>,
    /// The repository that the caller works on, as it states it.
    pub repository: Option<Term>,
    /// Whether the content is read. That of a protected person never is, whatever stands here.
    pub handling: Handling,
    /// Whether the client's own credentials, cookies and organisation headers pass: a forward proxy. A gateway puts the
    /// organisation's credential in their place.
    pub passthrough: bool,
    /// Whether a browser navigates there: then what Writ says is a page.
    pub navigation: bool,
    /// What the edge itself saw: a name hidden, names that disagree.
    pub signals: Set<Signal>,
}

impl Opening {
    /// Why it is refused before reading, if so.
    pub(crate) fn refused(&self) -> Option<RefuseReason> {
        match self.handling {
            Handling::Refuse(reason) => Some(reason),
            _ => None,
        }
    }

    /// Why the content is not read, if so.
    pub fn unread(&self) -> Option<UnreadReason> {
        match self.handling {
            _ if self.caller.protected => Some(UnreadReason::ProtectedPerson),
            Handling::Unread(reason) => Some(reason),
            Handling::Inspect | Handling::Refuse(_) => None,
        }
    }
}
