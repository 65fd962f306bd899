//! Loads in the background: each component is loaded before it is applied, so a slow one holds up
//! no other.
//!
//! Invariant: a result counts only for a file that still looks as it did when its load began, and
//! under the terms of that moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_journal::chain;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::settling::Settling;
use crate::app::look::{Look, Stamp};
use crate::app::shelf::{LoadResult, Source};
use crate::config::ComponentTerms;
use crate::dispatch::{NotOffered, Offer};
use crate::intake::{Candidate, Intake};

/// Loads that are under way, done, or to be tried again.
pub(super) struct Loads {
    intake: Arc<Intake>,
    running: JoinSet<(String, Stamp, LoadResult)>,
    begun: BTreeMap<String, Stamp>,
    ready: BTreeMap<String, (Stamp, LoadResult)>,
    later: BTreeMap<String, (Instant, Duration)>,
}

impl Loads {
    /// Starts with nothing in flight.
    pub(super) fn new(intake: Arc<Intake>) -> Self {
        Self {
            intake,
            running: JoinSet::new(),
            begun: BTreeMap::new(),
            ready: BTreeMap::new(),
            later: BTreeMap::new(),
        }
    }

    /// Begins to load the components of `view` that differ from what was `seen`, as far as there is
    /// room.
    pub(super) fn begin(
        &mut self,
        view: &Look,
        seen: &Look,
        folder: &Path,
        terms: &ComponentTerms,
    ) {
        let now = Instant::now();
        for (name, stamp) in changed(view, seen) {
            let wanted = Some(&stamp);
            let is_ready = self.ready.get(name).is_some_and(|(of, _)| *of == stamp);
            let is_later = self.later.get(name).is_some_and(|(due, _)| *due > now);
            if is_ready
                || is_later
                || self.begun.get(name) == wanted
                || self.running.len() >= AT_ONCE
            {
                continue;
            }
            let candidate = Candidate::of(folder, name);
            let (intake, terms) = (Arc::clone(&self.intake), terms.of(name));
            self.begun.insert(name.clone(), stamp);
            self.running.spawn(async move {
                let loaded = Offer::load(&intake, &candidate, &terms).await;
                (candidate.name, stamp, loaded)
            });
        }
        self.ready
            .retain(|name, (stamp, _)| view.tools.get(name) == Some(stamp));
        self.later.retain(|name, _| view.tools.contains_key(name));
    }

    /// Waits for the next load to end, or for ever if none is under way.
    pub(super) async fn next(&mut self) {
        let Some(joined) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        let Ok((name, stamp, loaded)) = joined else {
            tracing::error!(
                "the host failed while it loaded a component; this is a defect of the host"
            );
            return;
        };
        if self.begun.get(&name) != Some(&stamp) {
            return;
        }
        self.begun.remove(&name);
        match loaded {
            Err(NotOffered { cause, .. }) if cause.may_pass() => {
                let pause = self
                    .later
                    .get(&name)
                    .map_or(FIRST_PAUSE, |(_, pause)| (*pause * 2).min(LAST_PAUSE));
                let cause = chain(&cause);
                tracing::error!(
                    component = name,
                    cause,
                    "a component cannot be read at the moment; it will be tried again"
                );
                self.later.insert(name, (Instant::now() + pause, pause));
            }
            loaded => {
                self.later.remove(&name);
                self.ready.insert(name, (stamp, loaded));
            }
        }
    }

    /// Returns true if no load is under way.
    pub(super) fn idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Returns true if no load is under way and no result waits to be applied.
    pub(super) fn is_over(&self) -> bool {
        self.idle() && self.ready.is_empty()
    }

    /// Returns the part of `view` that can be applied now. The rest looks as it was `seen`.
    pub(super) fn done(&self, mut view: Look, seen: &Look) -> Look {
        let undone: Vec<String> = changed(&view, seen)
            .filter(|(name, stamp)| self.ready.get(*name).is_none_or(|(of, _)| of != stamp))
            .map(|(name, _)| name.clone())
            .collect();
        for name in undone {
            match seen.tools.get(&name) {
                Some(stamp) => view.tools.insert(name, *stamp),
                None => view.tools.remove(&name),
            };
        }
        view
    }

    /// Returns the source of each component of `view`, under unchanged settings.
    pub(super) fn sources(
        &mut self,
        view: &Look,
        seen: &Look,
        loaded: &BTreeMap<String, Stamp>,
    ) -> BTreeMap<String, Source> {
        let source = |(name, stamp): (&String, &Stamp)| {
            let source = match self.ready.remove(name) {
                Some((of, result)) if of == *stamp && seen.tools.get(name) != Some(stamp) => {
                    Source::Ready(Box::new(result))
                }
                _ if loaded.get(name) == Some(stamp) => Source::Same,
                _ => Source::Held,
            };
            (name.clone(), source)
        };
        view.tools.iter().map(source).collect()
    }

    /// Forgets everything, because the settings under which it was loaded have changed.
    pub(super) fn forget(&mut self) {
        self.running.detach_all();
        self.begun.clear();
        self.ready.clear();
        self.later.clear();
    }
}

/// Returns the source of each component of `view` after a change of settings.
pub(super) fn afresh(
    view: &Look,
    loaded: &BTreeMap<String, Stamp>,
    moving: &Settling,
) -> BTreeMap<String, Source> {
    let source = |(name, stamp): (&String, &Stamp)| {
        let source = match loaded.get(name) {
            Some(of) if of == stamp => Source::Same,
            _ if moving.moves(name) => Source::Held,
            _ => Source::File,
        };
        (name.clone(), source)
    };
    view.tools.iter().map(source).collect()
}

fn changed<'v>(view: &'v Look, seen: &'v Look) -> impl Iterator<Item = (&'v String, Stamp)> {
    let differs = |(name, stamp): &(&String, &Stamp)| seen.tools.get(*name) != Some(*stamp);
    view.tools
        .iter()
        .filter(differs)
        .map(|(name, stamp)| (name, *stamp))
}

/// The most components that are loaded at once.
const AT_ONCE: usize = 4;
/// The pause before the next attempt, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::app::look::Choice;

    fn look(folder: &Path) -> Look {
        Look::now(std::iter::empty(), folder, &Choice::all())
    }

    #[test]
    fn after_a_change_of_settings_only_what_changed_and_rests_is_loaded_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("same.wasm", "a");
        write("changed.wasm", "a");
        let before = look(folder.path());
        let loaded = before.tools.clone();
        let mut settling = Settling::new(before.clone());
        write("changed.wasm", "longer");
        write("new.wasm", "a");
        for _ in 0..10 {
            settling.take(look(folder.path()), &before);
        }
        write("moving.wasm", "a");
        let now = look(folder.path());
        settling.take(now.clone(), &before);
        let sources = afresh(&now, &loaded, &settling);
        let named = |name: &str| match sources.get(name).unwrap() {
            Source::File => "file",
            Source::Same => "same",
            Source::Ready(_) => "ready",
            Source::Held => "held",
        };
        for (name, source) in [
            ("same", "same"),
            ("changed", "file"),
            ("new", "file"),
            ("moving", "held"),
        ] {
            assert_eq!(named(name), source, "{name}");
        }
    }
}
