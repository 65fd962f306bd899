//! How long an authorization server is left alone: because it asks for that, or because it refused
//! the host as its client.
//!
//! Invariant: everyone who asks the same endpoint shares its pause. A proof of identity that was
//! refused goes out once after each pause, so the host does not lock its own account. Another proof
//! is not held back, and neither ends nor shortens the pause, unless so many are refused that it
//! would be one more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, StatusCode, header};

use super::error::EndpointError;
use crate::tokens::date::http_date;

/// SHA-256 of what the host proved its identity with.
pub(super) type ProofDigest = [u8; 32];

/// The pauses of one client at one endpoint.
#[derive(Debug, Clone, Default)]
pub(super) struct Pauses {
    /// The end of the endpoint's, which all its clients share, in milliseconds since 1970.
    endpoint: Arc<Mutex<u64>>,
    client: Arc<Mutex<ProofPauses>>,
}

/// The proofs of a client.
#[derive(Debug, Default)]
struct ProofPauses {
    /// Those that were refused last.
    refused: BTreeMap<ProofDigest, ProofPause>,
    /// The one that the server accepted last, unless it has refused it since.
    accepted: Option<ProofDigest>,
}

/// The refusals of one proof, one after the other.
#[derive(Debug, Default)]
struct ProofPause {
    refusals: u32,
    until_ms: u64,
    /// True while a request finds out whether the proof is refused still.
    probing: bool,
}

/// What an answer says about the host as a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProofStanding {
    /// The server knows it.
    Known,
    /// The server refused its proof.
    Refused,
    /// The server refused its proof, or something else of the request, in the same words.
    Doubted,
    /// The server did not get that far.
    Unsaid,
}

impl Pauses {
    /// Returns the pauses of another client at the same endpoint.
    pub(super) fn of_another_client(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            client: Arc::default(),
        }
    }

    /// Lets a request with this proof be sent now.
    ///
    /// # Errors
    /// It is too early.
    pub(super) fn allow(&self, proof: &ProofDigest, now_ms: u64) -> Result<(), EndpointError> {
        let seconds = left(*lock(&self.endpoint), now_ms, MOST_MS);
        if seconds > 0 {
            return Err(EndpointError::Paused(seconds));
        }
        lock(&self.client).allow(proof, now_ms)
    }

    /// Notes an answer to a request with this proof. Returns the seconds of the pause that it
    /// begins, if it begins one.
    pub(super) fn answered(
        &self,
        (status, headers): (StatusCode, &HeaderMap),
        standing: ProofStanding,
        proof: &ProofDigest,
        now_ms: u64,
    ) -> Option<u64> {
        let asked_ms = retry_after(status, headers, now_ms);
        if let Some(lasts_ms) = asked_ms {
            *lock(&self.endpoint) = now_ms.saturating_add(lasts_ms);
        }
        let refused_ms = lock(&self.client).noted(standing, proof, now_ms);
        let lasts_ms = asked_ms.max(refused_ms)?;
        (lasts_ms > 0).then(|| lasts_ms.div_ceil(1000))
    }
}

impl ProofPauses {
    /// Notes what an answer says about a proof. Returns the milliseconds of the pause that it
    /// begins, if it begins one.
    fn noted(&mut self, standing: ProofStanding, proof: &ProofDigest, now_ms: u64) -> Option<u64> {
        match standing {
            ProofStanding::Known => {
                // Another proof of this client may be refused still.
                self.refused.remove(proof);
                self.accepted = Some(*proof);
                None
            }
            // A request that the server refuses must not stop those that it grants.
            ProofStanding::Doubted if self.accepted == Some(*proof) => None,
            ProofStanding::Doubted | ProofStanding::Refused => self.count(proof, now_ms),
            ProofStanding::Unsaid => None,
        }
    }

    fn allow(&mut self, proof: &ProofDigest, now_ms: u64) -> Result<(), EndpointError> {
        if let Some(pause) = self.refused.get_mut(proof) {
            return pause.allow(now_ms);
        }
        if self.refused.len() < MOST_PROOFS {
            return Ok(());
        }
        let pauses = self.refused.values().map(|pause| pause.left(now_ms));
        match pauses.min().unwrap_or_default() {
            0 => Ok(()),
            seconds => Err(EndpointError::ClientPaused(seconds)),
        }
    }

    /// Counts a refusal, and forgets the proof whose pause ends first if there are too many.
    fn count(&mut self, proof: &ProofDigest, now_ms: u64) -> Option<u64> {
        self.accepted = self.accepted.filter(|accepted| accepted != proof);
        if self.refused.len() >= MOST_PROOFS && !self.refused.contains_key(proof) {
            let ends_first = self.refused.iter().min_by_key(|(_, pause)| pause.until_ms);
            if let Some(proof) = ends_first.map(|(proof, _)| *proof) {
                self.refused.remove(&proof);
            }
        }
        self.refused.entry(*proof).or_default().refused(now_ms)
    }
}

impl ProofPause {
    fn allow(&mut self, now_ms: u64) -> Result<(), EndpointError> {
        let seconds = self.left(now_ms);
        if seconds > 0 {
            return Err(EndpointError::ClientPaused(seconds));
        }
        // Whoever comes next waits for what this request finds out.
        self.probing = true;
        self.until_ms = now_ms.saturating_add(self.lasts_ms());
        Ok(())
    }

    /// Counts a refusal. Those of requests that were under way together count as one.
    fn refused(&mut self, now_ms: u64) -> Option<u64> {
        if self.refusals > 0 && !std::mem::take(&mut self.probing) {
            return None;
        }
        self.refusals = self.refusals.saturating_add(1);
        self.until_ms = now_ms.saturating_add(self.lasts_ms());
        Some(self.lasts_ms())
    }

    fn left(&self, now_ms: u64) -> u64 {
        left(self.until_ms, now_ms, MOST_OF_CLIENT_MS)
    }

    fn lasts_ms(&self) -> u64 {
        let doubled = self.refusals.saturating_sub(1).min(8);
        (FIRST_OF_CLIENT_MS << doubled).min(MOST_OF_CLIENT_MS)
    }
}

/// Returns the pause that an answer asks for (RFC 6585 §4, RFC 9110 §10.2.3), in milliseconds.
fn retry_after(status: StatusCode, headers: &HeaderMap, now_ms: u64) -> Option<u64> {
    let asked = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| later(text.trim(), now_ms));
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(asked.unwrap_or(UNSAID_MS).min(MOST_MS)),
        StatusCode::SERVICE_UNAVAILABLE => asked.map(|ms| ms.min(MOST_MS)),
        _ => None,
    }
}

/// Reads seconds or a date.
fn later(text: &str, now_ms: u64) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number beyond all others is one too.
        return Some(
            text.parse::<u64>()
                .map_or(MOST_MS, |seconds| seconds.saturating_mul(1000)),
        );
    }
    let at_ms = http_date(text)?.saturating_mul(1000);
    Some(at_ms.saturating_sub(now_ms))
}

/// Returns the seconds that are left of a pause. A clock that was set back must not make it last.
fn left(until_ms: u64, now_ms: u64, most_ms: u64) -> u64 {
    let left_ms = until_ms.saturating_sub(now_ms);
    if left_ms > most_ms {
        return 0;
    }
    left_ms.div_ceil(1000)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest pause that a server can ask for: its answer must not stop all users for long.
const MOST_MS: u64 = 60_000;
/// The pause after a 429 that names none.
const UNSAID_MS: u64 = 1_000;
// Each refusal of the same proof doubles the pause.
const FIRST_OF_CLIENT_MS: u64 = 30_000;
const MOST_OF_CLIENT_MS: u64 = 15 * 60_000;
/// The refused proofs of one client that are remembered.
const MOST_PROOFS: usize = 16;

#[cfg(test)]
mod tests;
