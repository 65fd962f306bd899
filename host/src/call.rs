//! THE STORY of one call, in one folder: a file for each step, a proof for each file.
//!
//! ```text
//! Presented ─admit▶ Entry ─permit▶ Permit ─seal▶ Sealed ─open▶ OpenCall ─run▶ Ended ─close▶ Answer
//!                   caller         entry         permit        sealed         opened
//!                   policy         target        envelope      trail          ending
//!                   token          arguments     place
//! ```
//!
//! Each step takes the proof before it by value and keeps it inside. No step takes two proofs that
//! could belong to different calls, so mixing the steps of two calls does not compile:
//!
//! ```compile_fail,E0451
//! # use bailiwick::call::{Entry, Permit};
//! // A permit of another entry: one caller's permission for another caller.
//! fn mix(mine: Entry, theirs: Permit) -> Permit {
//!     Permit { entry: mine, ..theirs }
//! }
//! ```
//! ```compile_fail,E0451
//! # use bailiwick::call::{Permit, Sealed};
//! // An envelope of another permit: one call's identity for another call.
//! fn mix(mine: Permit, theirs: Sealed) -> Sealed {
//!     Sealed { permit: mine, ..theirs }
//! }
//! ```
//! ```compile_fail,E0599
//! # use bailiwick::call::{CallClient, Ended, Host, Sealed};
//! // A run without a record of it.
//! async fn hurry(host: &Host, sealed: Sealed, client: CallClient) -> Ended {
//!     sealed.run(host, client).await
//! }
//! ```
//! ```compile_fail,E0616
//! # use bailiwick::call::Ended;
//! # use bailiwick::sandbox::Answer;
//! // An answer before the end of the call is recorded.
//! fn hurry(ended: Ended) -> Answer {
//!     ended.ending.answer
//! }
//! ```
//! ```compile_fail,E0061
//! # use bailiwick::sandbox::{Ending, Job, Sandbox};
//! // An effect before everything that was recorded is durable: a guest runs without `Settled`.
//! async fn hurry(sandbox: &Sandbox, job: Job<'_>) -> Ending {
//!     sandbox.run(job, std::future::pending()).await
//! }
//! ```
//!
//! Invariant: every refusal is recorded (in a flood, as an exact count), every call has one record
//! before it runs and one after, and no answer leaves before its record is durable.

mod admit;
mod ask;
mod client;
mod close;
mod gate;
mod host;
mod lines;
mod listening;
mod open;
mod pace;
mod permit;
mod refusal;
mod resume;
mod run;
mod seal;
mod waiting;

use crate::dispatch::TargetRequest;

pub use admit::{Entry, admit};
pub use ask::CallReply;
pub use client::{CallClient, Reports};
pub use close::Ended;
pub use gate::{Full, Gate, Place};
pub use host::{Access, Faces, Host, Policy, Serving, TenantShare};
pub use lines::Lines;
pub use listening::{Listener, MAX_LISTENERS_OF_ONE, SeenLists, Shown, listen};
pub use open::OpenCall;
pub use pace::{Pace, Rate, TooEarly};
pub use permit::Permit;
pub use refusal::{Refusal, improper, no_session, overloaded};
pub use seal::Sealed;
pub use waiting::{AnswerWait, Unanswered, wait};

/// Makes one call of an admitted caller: permits, seals, opens, runs and closes it. Only then does
/// the answer exist.
///
/// # Errors
/// Fails with the refusal, which is recorded if the journal can be written.
pub async fn make(
    host: &Host,
    entry: Entry,
    request: TargetRequest,
    client: CallClient,
) -> Result<CallReply, Refusal> {
    let permit = entry.permit(host, request, &client).await?;
    let sealed = permit.seal(host, &client).await?;
    let opened = sealed.open(host).await?;
    let ended = opened.run(host, client).await;
    ended.close().await
}
