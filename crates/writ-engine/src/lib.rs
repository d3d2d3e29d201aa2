//! The decision point: snapshot and interaction to verdict, permit, obligations and record, without I/O.
//!
//! An edge (gateway, proxy, ICAP ...) opens an [`Inspection`], feeds it [`Input`]s and carries out the [`Command`]s
//! that come back. The engine owns codec, scanner and evaluator; it reads no socket, no clock and no file. Its life,
//! in the order of the modules:
//!
//! 1. [`opening`]: who asks, for which service, with which head;
//! 2. `reading`: the body becomes parts, the parts become findings (a job where it is long);
//! 3. `situation`: facts from all of it;
//! 4. `inspection`, `judging`: verdict, edits, record, permit ([`permit`]) or refusal (`refusing`, [`voice`]);
//! 5. `answer`: the service's answer judged, placeholders turned back ([`vault`]), what sounds like Writ named (`imitation`);
//! 6. [`stops`]: what the person chooses after a stop; [`tunnel`]: connections that are not opened; [`why`]: a verdict
//!    in plain words;
//! 7. `rehearsal`: what somebody would be told of a made-up situation.

mod answer;
mod commands;
mod edits;
mod engine;
mod exchange;
mod heads;
mod history;
mod imitation;
mod inspection;
mod judging;
pub mod limits;
mod memory;
pub mod opening;
pub mod permit;
pub mod placeholder;
mod reading;
mod record;
mod refusing;
mod rehearsal;
mod respond;
mod situation;
mod snapshot;
pub mod stops;
pub mod tunnel;
pub mod vault;
pub mod voice;
pub mod why;

pub use commands::{CertificateProblem, Command, Input, Job, JobDone, JobId, NewDecision, Response, UpstreamFailure};
pub use engine::{BeforeScan, Engine, EngineKeys, EngineOptions};
pub use inspection::Inspection;
pub use opening::{Audience, Caller, Handling, Opening, RefuseReason};
pub use permit::{Chunk, Destination, Grounds, JudgedRequest, Permit, Permitted, Released, ReleasedBody, TunnelTo};
pub use rehearsal::Told;
pub use snapshot::Snapshot;
pub use stops::{Choice, ChoiceRefused, KeptChoice, KeptStop, StoppedPrompt};
pub use tunnel::{TunnelEnd, TunnelOpening, TunnelVerdict};
