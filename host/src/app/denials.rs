//! The watch over the denials: a changed list is read, put into effect and recorded.
//!
//! Invariant: what a new list denies is denied before anything else happens, and what it no longer
//! denies only once that is recorded. While the list cannot be relied on, everything is denied.

mod aside;
mod glance;
mod records;
mod strays;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_journal::chain;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ground::Ground;
use super::look::Stamp;
use crate::audit::{AuditUnavailable, DenialsLost, Detail, Journal, Mark};
use crate::call::Host;
use crate::denials::{
    Changes, Denial, DenialFile, DenialList, Denials, DenialsError, Requester, Strays,
};
use crate::seams::Clock;
use aside::Aside;
use glance::{Glance, LastLook};
use strays::strays;

/// The watch over the denials.
pub(super) struct DenialWatch {
    file: DenialFile,
    denials: Arc<Denials>,
    journal: Journal,
    clock: Arc<dyn Clock>,
    /// The list that was recorded last.
    list: DenialList,
    /// The file as it was when it was last read, if it was there.
    seen: Option<Stamp>,
    /// True once the list was followed.
    is_followed: bool,
    /// The recorded reason for which the list cannot be relied on.
    lost: Option<String>,
    /// True until the host's own copy is the list that was recorded last.
    unremembered: bool,
    /// The time of another try, although the file has not changed.
    again: Option<Instant>,
    looks: Aside<Option<Glance>>,
    /// Writes the host's own copy, and returns the number of the change that it wrote.
    copies: Aside<Result<u64, DenialsError>>,
}

impl DenialWatch {
    /// Puts the denials into effect with which the host starts. If they cannot be relied on, the
    /// host starts all the same and denies everything until they can. `journal` is the folder of
    /// the journal.
    pub(super) async fn begin(ground: &Ground, journal: &Path) -> Self {
        let file = ground.denial_file.clone();
        // Whatever is wrong with the copy, the first look finds it, too.
        let recorded = file.recorded();
        let is_readable = recorded.is_ok();
        let recorded = recorded.unwrap_or_default();
        // The journal knows of a later change than a copy that was put back, or was never written.
        let is_old = recorded.serial < ground.change;
        let list = if is_old {
            by_journal(recorded, ground.change, journal).await
        } else {
            recorded
        };
        let mut watch = Self {
            unremembered: is_readable && is_old,
            list,
            file,
            denials: Arc::clone(&ground.denials),
            journal: ground.journal.clone(),
            clock: Arc::clone(&ground.clock),
            seen: None,
            is_followed: false,
            lost: None,
            again: None,
            looks: Aside::default(),
            copies: Aside::default(),
        };
        watch.follow(None).await;
        watch
    }

    /// Watches until `stop` fires.
    pub(super) async fn run(mut self, host: Arc<Host>, stop: CancellationToken) {
        let _vigil = Vigil {
            denials: Arc::clone(&self.denials),
            stop: stop.clone(),
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => self.follow(Some(&host)).await,
            }
        }
    }

    /// Looks at the file once, and follows it if it has changed.
    async fn follow(&mut self, host: Option<&Host>) {
        let before = LastLook {
            seen: self.seen,
            is_followed: self.is_followed,
            is_due: self.again.is_some_and(|again| Instant::now() >= again),
            is_lost: self.lost.is_some(),
            least: self.list.serial,
        };
        let file = self.file.clone();
        let found = match self.looks.run(move || before.look(&file)).await {
            Some(None) => return,
            Some(Some(found)) => found,
            None => Glance::failed(self.file.path()),
        };
        self.again = Some(Instant::now() + PAUSE);
        let done = match found.list {
            Ok(list) => self.take(list, host).await,
            Err(error) => self.lose(&error).await,
        };
        if let Err(error) = done {
            // The looks go on until it can be recorded.
            tracing::error!(cause = %error, "a change of the denials cannot be recorded now");
            return;
        }
        self.is_followed = found.stamp.is_ok();
        self.seen = found.stamp.unwrap_or_default();
        if self.lost.is_none() && !self.unremembered {
            self.again = None;
        }
    }

    /// Puts a list into effect and records it.
    async fn take(
        &mut self,
        list: DenialList,
        host: Option<&Host>,
    ) -> Result<(), AuditUnavailable> {
        let Changes { added, lifted } = self.list.changes_to(&list);
        if !added.is_empty() || !self.denials.are_known() {
            self.denials.adopt([&self.list, &list]);
            forget(host, &added);
        }
        self.record(&added, &lifted, &list).await?;
        // A credential that was obtained just before the denial must not outlive it.
        forget(host, &lifted);
        self.denials.adopt([&list]);
        self.unremembered |= list != self.list;
        self.list = list;
        let strays = host.map(|host| strays(&added, &host.serving.now().catalog));
        let strays = strays.unwrap_or_default();
        for (denial, hint) in &strays {
            tracing::warn!(denial, hint, "a denial stops nothing that is loaded");
        }
        self.remember(strays).await;
        Ok(())
    }

    /// Records what came and went with `list`, all of it at once, and logs it.
    async fn record(
        &mut self,
        added: &[Denial],
        lifted: &[Denial],
        list: &DenialList,
    ) -> Result<(), AuditUnavailable> {
        let (change, now_ms) = (list.serial, self.clock.now_ms());
        let is_expired = |denial: &Denial| !denial.is_in_effect(now_ms);
        let mut mark = Mark::default();
        for denial in added {
            let record = records::added(denial, change);
            mark = mark.and(self.journal.append(record).await?);
        }
        for denial in lifted {
            let record = records::lifted(denial, is_expired(denial), change);
            mark = mark.and(self.journal.append(record).await?);
        }
        if self.lost.is_some() {
            mark = mark.and(self.journal.append(records::found(list)).await?);
        }
        self.journal.settled(&mark).await?;
        for denial in added {
            tracing::warn!(denial = denial.id, stops = %denial, "a denial is in effect");
        }
        for denial in lifted {
            let expired = is_expired(denial);
            tracing::warn!(denial = denial.id, expired, stopped = %denial, "a denial is lifted");
        }
        if self.lost.take().is_some() {
            tracing::warn!(change, "the denials can be relied on again");
        }
        Ok(())
    }

    /// Writes the host's own copy, with hints about what came last. Without the copy, a restart
    /// reads the journal for what it records.
    async fn remember(&mut self, strays: Strays) {
        if !self.unremembered {
            return;
        }
        let (file, list) = (self.file.clone(), self.list.clone());
        let write = move || {
            if !strays.is_empty() {
                file.note(&strays)?;
            }
            // Whoever sees the list sees the hints.
            file.remember(&list).map(|()| list.serial)
        };
        match self.copies.run(write).await {
            // One that had hung may have written an older list.
            Some(Ok(serial)) => self.unremembered = serial != self.list.serial,
            Some(Err(error)) => {
                tracing::error!(cause = chain(&error), "the denials cannot be remembered");
            }
            None => tracing::error!("the denials are not remembered in time"),
        }
    }

    /// Denies everything and records why.
    async fn lose(&mut self, error: &DenialsError) -> Result<(), AuditUnavailable> {
        self.denials.forget();
        let cause = chain(error);
        if self.lost.as_ref() == Some(&cause) {
            self.remember(Strays::new()).await;
            return Ok(());
        }
        tracing::error!(
            cause,
            "the denials cannot be relied on; every request is refused"
        );
        let detail = Detail::from_iter([("cause", cause.as_str())]);
        self.journal.record(DenialsLost { detail }).await?;
        self.lost = Some(cause);
        if matches!(error, DenialsError::Older { .. } | DenialsError::Missing(_)) {
            // `bailiwick deny --adopt` must count on from the number that is known here.
            self.unremembered = true;
            self.remember(Strays::new()).await;
        }
        Ok(())
    }
}

/// Returns the list of which the journal has the records, up to `change`. They are not what denies
/// anyone: they say only what is still to be recorded. Without them, that is what the `copy` lacks.
async fn by_journal(copy: DenialList, change: u64, journal: &Path) -> DenialList {
    let journal = journal.to_owned();
    let read = spawn_blocking(move || records::in_effect(&journal)).await;
    let told = |cause: String| {
        tracing::error!(cause, "the journal cannot say which denials it records");
        copy.denials
    };
    let denials = match read {
        Ok(Ok(denials)) => denials,
        Ok(Err(damage)) => told(chain(&damage)),
        Err(failed) => told(failed.to_string()),
    };
    DenialList {
        serial: change,
        denials,
    }
}

/// Denies everything when the watch ends, for whatever reason: no one would notice a change of the
/// denials any more.
struct Vigil {
    denials: Arc<Denials>,
    stop: CancellationToken,
}

impl Drop for Vigil {
    fn drop(&mut self) {
        self.denials.forget();
        if !self.stop.is_cancelled() {
            tracing::error!(
                "the watch over the denials has failed, so every request is refused; this is a \
                 defect of the host, please report it and restart"
            );
        }
    }
}

/// Forgets the verified tokens and the credentials of everyone whom these denials are about.
fn forget(host: Option<&Host>, denials: &[Denial]) {
    let about: Vec<_> = denials.iter().filter(|one| one.is_of_identity()).collect();
    let Some(host) = host.filter(|_| !about.is_empty()) else {
        return;
    };
    let is_one = |asking: &Requester<'_>| about.iter().any(|one| one.covers(asking));
    let access = &host.serving.now().access;
    access.identity.forget(|caller| is_one(&caller.asking()));
    access.broker.forget(is_one);
}

/// The time between two looks. With the time to read a list, a change is in effect within a second.
const PERIOD: Duration = Duration::from_millis(200);
/// The time between two tries while something is wrong.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::SystemClock;

    #[tokio::test]
    async fn a_watch_that_fails_leaves_everything_denied() {
        for fails in [true, false] {
            let denials = Arc::new(Denials::none(Arc::new(SystemClock)));
            let vigil = Vigil {
                denials: Arc::clone(&denials),
                stop: CancellationToken::new(),
            };
            let watch = tokio::spawn(async move {
                let _vigil = vigil;
                if fails {
                    std::panic::resume_unwind(Box::new("a test"));
                }
            });
            assert_eq!(watch.await.is_err(), fails);
            assert!(!denials.are_known(), "{fails}");
        }
    }
}
