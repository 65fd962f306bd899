//! Sessions of MCP's earlier revisions (2025-11-25, "Session Management"): what a conversation
//! keeps from one request to the next.
//!
//! A session admits no one: each of its requests is admitted by its own token first. Trusts no
//! identifier: a session answers only to the actor and the client that opened it, and to all
//! others it does not exist.
//!
//! Invariant: the table holds no identifier, only digests. A session has a place among those of its
//! principal, which it gives back when it ends; it ends when it is idle or old, when its client or
//! the operator ends it, and with the host.

mod lifetime;
mod outstanding;
mod session;
mod subscriptions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use crate::call::{Gate, Host, Place};
use crate::denials::Stop;
use crate::identity::Caller;
use crate::limits::Limits;
use crate::seams::{Clock, Random, random_hex};
use lifetime::Lifetime;
pub(super) use outstanding::OpenQuestions;
pub(super) use session::{ClientSession, Opening};

/// The settings of sessions.
pub struct SessionSettings {
    /// The bounds of sessions.
    pub limits: Limits,
    /// The clock by which they end.
    pub clock: Arc<dyn Clock>,
    /// The source of their identifiers.
    pub random: Arc<dyn Random>,
}

/// The sessions of the host.
pub(super) struct Sessions {
    table: Mutex<Table>,
    places: Gate,
    idle: Duration,
    life: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// The digest of a session's identifier. To look one up takes no time that depends on how much of
/// an identifier is right.
type SessionKey = [u8; 32];

#[derive(Default)]
struct Table {
    open: HashMap<SessionKey, Arc<ClientSession>>,
    /// True once the host stops.
    is_closed: bool,
}

/// The reason why a request has no session. Its sender does not learn which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSession {
    /// There is none with this identifier.
    Unknown,
    /// It is another actor's, or another client's.
    Foreign,
}

impl Sessions {
    /// Makes an empty table.
    pub(super) fn new(settings: &SessionSettings) -> Self {
        let limits = &settings.limits;
        Self {
            table: Mutex::default(),
            places: Gate::of(limits.sessions, limits.sessions_per_user),
            idle: limits.session_idle_time,
            life: limits.session_time,
            clock: Arc::clone(&settings.clock),
            random: Arc::clone(&settings.random),
        }
    }

    /// Takes a place for a new session of `caller`, if there is one.
    pub(super) fn reserve(&self, caller: &Caller) -> Option<Place> {
        self.places.try_enter(caller)
    }

    /// Opens a session on the place that was reserved for it. Returns its identifier: 256 random
    /// bits, as hexadecimal digits.
    pub(super) fn open(&self, host: &Host, opening: Opening, place: Place) -> String {
        let id = random_hex::<32>(self.random.as_ref());
        let key = key(&id);
        let lifetime = Lifetime::begin(&self.clock, self.idle, self.life);
        let session = Arc::new(ClientSession::new(opening, lifetime, Some((key, place))));
        let mut table = self.lock();
        let is_late = table.is_closed;
        table.open.insert(key, Arc::clone(&session));
        drop(table);
        // A denial may have come since the caller was admitted.
        if is_late || is_denied(host, session.caller()) {
            self.end(&session);
        }
        id
    }

    /// Finds the session with this identifier, if it is the caller's.
    ///
    /// # Errors
    /// Fails if there is none, or it is another's.
    pub(super) fn find(&self, id: &str, caller: &Caller) -> Result<Arc<ClientSession>, NoSession> {
        let found = self.lock().open.get(&key(id)).cloned();
        let session = found.ok_or(NoSession::Unknown)?;
        if session.is_over() {
            self.end(&session);
            return Err(NoSession::Unknown);
        }
        if !session.is_of(caller) {
            return Err(NoSession::Foreign);
        }
        session.touch();
        Ok(session)
    }

    /// Ends a session.
    pub(super) fn end(&self, session: &ClientSession) {
        if let Some(key) = session.key() {
            self.lock().open.remove(key);
        }
        session.end();
    }

    /// Ends the sessions whose time is over, and those of denied callers at once, until the host
    /// stops. Then ends all.
    pub(super) async fn keep(&self, host: &Host) {
        let mut denials = host.denials.changes();
        loop {
            tokio::select! {
                biased;
                () = host.ending.cancelled() => break,
                Ok(()) = denials.changed() => {}
                () = sleep(SWEEP) => {}
            }
            self.sweep(|caller| is_denied(host, caller));
        }
        self.lock().is_closed = true;
        self.sweep(|_| true);
    }

    fn sweep(&self, is_stopped: impl Fn(&Caller) -> bool) {
        let all: Vec<_> = self.lock().open.values().cloned().collect();
        let over = all
            .iter()
            .filter(|one| one.is_over() || is_stopped(one.caller()));
        over.for_each(|session| self.end(session));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true if a denial names the caller. While it is not known what is denied, requests are
/// refused, and sessions stay.
fn is_denied(host: &Host, caller: &Caller) -> bool {
    let stop = host.denials.stop(&caller.asking());
    matches!(stop, Some(Stop::Denied(_)))
}

fn key(id: &str) -> SessionKey {
    Sha256::digest(id).into()
}

/// The time between two looks for sessions whose time is over.
const SWEEP: Duration = Duration::from_secs(5);
