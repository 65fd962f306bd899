//! Code for tests that need a tool and never call it.

use std::sync::{Arc, OnceLock};

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings::Tool as World;
use super::code::Code;
use super::engine::Tier;
use super::entry::Entry;
use crate::intake;

impl Code {
    /// Real code under a made-up digest.
    pub(crate) fn of_test(digest: &str) -> Arc<Self> {
        static ENTRY: OnceLock<Option<Entry>> = OnceLock::new();
        let entry = ENTRY.get_or_init(|| linked().ok()).clone();
        #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
        let entry = entry.expect("the smallest component links");
        Arc::new(Self::new(digest, Tier::Compact, entry))
    }
}

fn linked() -> wasmtime::Result<Entry> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    World::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let component = Component::from_binary(&engine, &intake::smallest_component())?;
    Entry::new(&linker, &component)
}
