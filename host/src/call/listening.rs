//! Listening: an admitted caller learns *that* the tools they may see have changed, and nothing
//! more.
//!
//! Trusts no admission for longer than it holds: before each notification, and at least once a
//! minute, the token is admitted again under the policy of that moment.
//!
//! Invariant: a listener keeps a place until it ends, and ends no later than its token. Its
//! notifications depend only on what its own caller could list. One that is denied gets no
//! notification any more, and is refused once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Entry, Host, Place, Policy, Refusal, refusal};
use crate::denials::Stop;
use crate::dispatch::Denied;
use crate::identity::{Caller, SubjectToken};
use crate::reason::RefusalReason;

/// Makes digests of what one caller can see under one policy: one for each list.
pub type Shown = Arc<dyn Fn(&Policy, &Caller) -> SeenLists + Send + Sync>;

/// Digests of what one caller saw, one for each list.
pub type SeenLists = Vec<[u8; 32]>;

/// A caller who waits for changes of what they can see.
pub struct Listener {
    host: Arc<Host>,
    // `None` while the token is admitted again, and for good if that fails.
    subject: Option<SubjectToken>,
    caller: Arc<Caller>,
    changes: watch::Receiver<()>,
    denials: watch::Receiver<()>,
    shown: Shown,
    last: SeenLists,
    earliest: Instant,
    end: Instant,
    _place: Place,
}

/// Gives an admitted caller a place among the listeners.
///
/// # Errors
/// Fails with the recorded refusal if there is no place.
pub async fn listen(host: &Arc<Host>, mut entry: Entry, shown: Shown) -> Result<Listener, Refusal> {
    let subject = entry.surrender();
    let (caller, policy) = (entry.caller(), entry.policy());
    let Some(place) = host.listeners.try_enter(caller) else {
        let message = "too many listeners; try again later";
        let denied = Denied::general(RefusalReason::Overloaded, message);
        return Err(refusal::denied(host, caller, denied).await);
    };
    let mut changes = host.serving.changes();
    // The policy may have changed since the token was admitted.
    changes.mark_changed();
    let denials = host.denials.changes();
    let left = caller
        .expires_at()
        .saturating_mul(1000)
        .saturating_sub(host.clock.now_ms());
    let now = Instant::now();
    Ok(Listener {
        host: Arc::clone(host),
        subject,
        caller: Arc::clone(caller),
        changes,
        denials,
        last: shown(policy, caller),
        shown,
        earliest: now,
        end: now + Duration::from_millis(left).min(MAX_TIME),
        _place: place,
    })
}

impl Listener {
    /// Returns the same listener, which also hears of what changed since another one of its client
    /// saw this.
    #[must_use]
    pub fn since(self, seen: SeenLists) -> Self {
        Self { last: seen, ..self }
    }

    /// Ends it. Returns what its caller saw last.
    pub fn into_seen(self) -> SeenLists {
        self.last
    }

    /// Waits for the next change of what the caller can see. Returns the numbers of the lists that
    /// changed, or `None` when listening is over.
    pub async fn changed(&mut self) -> Option<Vec<usize>> {
        let (ending, end) = (self.host.ending.clone(), self.end);
        let (host, caller) = (Arc::clone(&self.host), Arc::clone(&self.caller));
        let stopped = stopped(&host, &caller, self.denials.clone());
        let stop = tokio::select! {
            biased;
            () = ending.cancelled() => return None,
            () = tokio::time::sleep_until(end) => return None,
            stop = stopped => stop,
            changed = self.differs() => return changed,
        };
        // Recorded when nothing else can come first: no notification, and no second record.
        if let Some(stop) = stop {
            refusal::stopped(&host, &caller, &stop).await;
        }
        None
    }

    async fn differs(&mut self) -> Option<Vec<usize>> {
        loop {
            // Changes that come close together make one notification, after the last of them.
            tokio::time::sleep_until(self.earliest).await;
            // After a minute without a change, the token is checked all the same.
            let _quiet = tokio::time::timeout(ADMISSION, self.changes.changed()).await;
            let policy = self.host.serving.now();
            let caller = self.admit_again(&policy).await?;
            // Denials are held against the caller as it was admitted first.
            if caller.asking() != self.caller.asking() {
                return None;
            }
            let now = (self.shown)(&policy, &caller);
            let before = std::mem::replace(&mut self.last, now);
            let lists = self.last.iter().zip(&before).enumerate();
            let changed = lists.filter(|(_, (now, before))| now != before);
            let changed: Vec<_> = changed.map(|(list, _)| list).collect();
            if !changed.is_empty() {
                self.earliest = Instant::now() + PACE;
                return Some(changed);
            }
        }
    }

    async fn admit_again(&mut self, policy: &Policy) -> Option<Arc<Caller>> {
        match policy.access.identity.readmit(self.subject.take()?).await {
            Ok((caller, subject)) => {
                self.subject = Some(subject);
                Some(caller)
            }
            Err(error) => {
                tracing::info!(
                    reason = error.reason().as_str(),
                    cause = %error,
                    "a listener's token was refused"
                );
                None
            }
        }
    }
}

/// Waits until a denial stops `caller`. Returns `None` if there can be no further one.
pub(super) async fn stopped(
    host: &Host,
    caller: &Caller,
    mut denials: watch::Receiver<()>,
) -> Option<Stop> {
    let asking = caller.asking();
    loop {
        if let Some(stop) = host.denials.stop(&asking) {
            return Some(stop);
        }
        denials.changed().await.ok()?;
    }
}

/// The longest time that a client may listen before it has to ask again.
const MAX_TIME: Duration = Duration::from_mins(30);
/// The time that an admission holds: as long as for a token that is presented again.
const ADMISSION: Duration = Duration::from_mins(1);
/// The least time between two notifications.
const PACE: Duration = Duration::from_secs(1);
/// The most listeners of one principal.
pub const MAX_LISTENERS_OF_ONE: usize = 16;
