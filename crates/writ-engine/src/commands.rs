//! The seam between the engine and its edges: what goes in, what must be carried out.

use bytes::Bytes;
use http::HeaderMap;
use writ_model::interaction::PrincipalId;
use writ_model::record::{DecisionPersonal, DecisionSkeleton, OutcomeSkeleton};
use writ_model::standing::Acknowledgement;
use writ_model::{Note, Term, Unreadable};

use crate::permit::{Chunk, JudgedRequest, Permitted};
use crate::reading::{Reading, Work};
use crate::stops::KeptStop;

/// What an edge tells an inspection.
#[derive(Debug)]
pub enum Input {
    /// Bytes of the prompt's body.
    Body(Bytes),
    /// The prompt's body is complete.
    BodyEnd,
    /// The prompt's body could not be received whole.
    BodyFailed(Unreadable),
    /// A job has ended.
    Done(Box<JobDone>),
    /// A job has not ended by its deadline.
    Late(JobId),
    /// The decision entry was written (`true`), or could not be.
    Recorded(bool),
    /// The service's answer begins.
    AnswerHead {
        /// The HTTP status.
        status: u16,
        /// The head.
        headers: HeaderMap,
    },
    /// Bytes of the answer's body.
    AnswerBody(Bytes),
    /// The answer is complete.
    AnswerEnd,
    /// The service failed.
    AnswerFailed(UpstreamFailure),
    /// The connection that was upgraded has ended.
    Piped {
        /// Bytes from the client to the service.
        up: u64,
        /// Bytes from the service to the client.
        down: u64,
    },
    /// The client went away.
    ClientGone,
}

/// How a service failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UpstreamFailure {
    /// It could not be reached.
    Unreachable,
    /// It did not answer in time.
    Timeout,
    /// Its answer broke off.
    Broken,
    /// Its certificate does not prove that it is who it should be.
    Certificate(CertificateProblem),
    /// Its name leads to an address that may not be dialled: loopback, link-local, metadata, Writ itself.
    ForbiddenAddress,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateProblem {
    /// It is no longer valid, or not yet.
    Expired,
    /// It is for another name.
    WrongName,
    /// Nobody who is trusted here issued it.
    UnknownIssuer,
    /// Something else: a signature that does not hold, a form that is not understood.
    Other,
}

/// What an edge must do, in the order given.
#[derive(Debug)]
pub enum Command {
    /// Run this off the event loop and come back with [`Input::Done`], or [`Input::Late`] at its deadline.
    Run(Job),
    /// Write this decision entry and come back with [`Input::Recorded`]. Nothing leaves before.
    Append(Box<NewDecision>),
    /// Keep this acknowledgement: a reason was given.
    Acknowledge(Box<Acknowledgement>),
    /// Send this request and come back with the answer. If its body streams, pieces follow.
    Forward(Box<Permitted<JudgedRequest>>),
    /// Send this piece of the request's body.
    Send(Box<Permitted<Chunk>>),
    /// The request's body is complete.
    SendEnd,
    /// The service took the upgrade: answer the client with 101 and this head, pass bytes in both directions, and come
    /// back with [`Input::Piped`].
    Upgrade(HeaderMap),
    /// The notice of first use was shown: keep that it was.
    NoticeShown {
        /// To whom.
        principal: PrincipalId,
        /// For which service.
        service: Term,
    },
    /// Keep this stop, so that its person can still choose after a restart. It holds no content.
    KeepStop(Box<KeptStop>),
    /// Answer the client with this instead; nothing else will be delivered.
    Respond(Box<Response>),
    /// Begin the answer to the client.
    AnswerHead {
        /// The HTTP status.
        status: u16,
        /// The head, without framing.
        headers: HeaderMap,
        /// A note that goes with it.
        note: Option<Note>,
    },
    /// Deliver these bytes of the answer's body.
    Deliver(Bytes),
    /// The answer's body is complete.
    Finish,
    /// Stop reading from the service.
    StopUpstream,
    /// The interaction has ended: write its outcome. The last command.
    End(Box<OutcomeSkeleton>),
}

/// A whole answer made by Writ.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The head, without framing.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A decision entry to be written.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// What is kept for years.
    pub skeleton: DecisionSkeleton,
    /// What is sealed under the principal's key; nothing for protected persons.
    pub personal: Option<DecisionPersonal>,
}

/// Names a job within its interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(crate) u32);

/// Work that is too long for a step. Pure: the same job has the same result wherever it runs.
#[derive(Debug)]
pub struct Job {
    pub(crate) id: JobId,
    pub(crate) work: Work,
}

impl Job {
    /// Which job.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Does the work. A panic inside is caught and becomes a result: the interaction is refused, nothing else happens.
    pub fn run(self) -> JobDone {
        JobDone { id: self.id, reading: self.work.run() }
    }
}

/// The result of a job.
#[derive(Debug)]
pub struct JobDone {
    pub(crate) id: JobId,
    pub(crate) reading: Result<Reading, Panicked>,
}

/// A reader panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;
