//! A guest on the host's own engine, with nothing around it: store, instantiate, call, drop; and
//! the same call without a fresh instance.

use std::time::{Duration, Instant};

use bailiwick::sandbox::Tier;
use wasmtime::component::{Component, ComponentExportIndex, Linker, TypedFunc};
use wasmtime::error::Context as _;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};

use crate::Figures;
use crate::ground::Ground;
use crate::timing::{each, median};

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        reason = "generated; wit/tool.wit documents every item"
    )]
    #![allow(
        clippy::all,
        clippy::pedantic,
        clippy::restriction,
        reason = "generated"
    )]
    wasmtime::component::bindgen!({ path: "../wit", world: "tool", exports: { default: async } });
}

use bindings::ToolPre;
use bindings::bailiwick::tool::types::{Context, Error};
use bindings::exports::bailiwick::tool::tools::Outcome;

/// The call of an instance.
type Called<'c> = TypedFunc<(&'c str, &'c Context), (Result<Outcome, Error>,)>;

/// Counts how often memory grows after its creation.
#[derive(Default)]
pub(crate) struct State {
    bytes: usize,
    grown: u32,
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grown += u32::from(current > 0);
        self.bytes = desired;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// A component that can be instantiated, and the call to make.
pub(crate) struct Guest {
    pre: ToolPre<State>,
    call: ComponentExportIndex,
    tool: String,
    context: Context,
}

impl Guest {
    pub(crate) async fn new(
        component: &Component,
        tool: &str,
        input: &str,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(component.engine());
        linker.define_unknown_imports_as_traps(component)?;
        let pre = ToolPre::new(linker.instantiate_pre(component)?)?;
        let interface = component
            .get_export_index(None, "bailiwick:tool/tools@0.2.0")
            .context("no tools")?;
        let call = component
            .get_export_index(Some(&interface), "call")
            .context("no call")?;
        let guest = Self {
            pre,
            call,
            tool: tool.to_owned(),
            context: context(input),
        };
        guest.check().await?;
        Ok(guest)
    }

    /// Compares the type of the call with [`Called`].
    async fn check(&self) -> wasmtime::Result<()> {
        let mut store = self.store();
        let instance = self
            .pre
            .instance_pre()
            .instantiate_async(&mut store)
            .await?;
        let _: Called<'_> = instance.get_typed_func(&mut store, self.call)?;
        Ok(())
    }

    pub(crate) fn store(&self) -> Store<State> {
        let mut store = Store::new(self.pre.engine(), State::default());
        store.limiter(|state| state);
        store.set_hostcall_fuel(8 << 20);
        store.set_max_component_handles(64);
        store.set_epoch_deadline(1);
        let patience = |_: wasmtime::StoreContextMut<'_, State>| {
            Ok(UpdateDeadline::YieldCustom(
                1,
                Box::pin(tokio::task::yield_now()),
            ))
        };
        store.epoch_deadline_callback(patience);
        store
    }

    /// Makes a fresh instance, as the host does for a call.
    async fn instance(&self, store: &mut Store<State>) -> wasmtime::Result<Called<'_>> {
        let instance = self
            .pre
            .instance_pre()
            .instantiate_async(&mut *store)
            .await?;
        let call = instance.get_func(store, self.call).context("no call")?;
        #[expect(
            unsafe_code,
            reason = "the host compares the type once per component, too"
        )]
        // SAFETY: `new_unchecked` demands that the function has this type. `new` has found it to be
        // so in an instance of this component, and all its instances have the same types.
        Ok(unsafe { TypedFunc::new_unchecked(call) })
    }

    /// Runs store, instance, call and drop.
    pub(crate) async fn fresh(&self) -> wasmtime::Result<()> {
        self.timed().await.map(drop)
    }

    /// Returns the measured tool with its arguments.
    pub(crate) async fn echo(component: &Component) -> wasmtime::Result<Self> {
        Self::new(component, "echo", ECHO).await
    }

    /// Returns an instance that has run, with its store.
    pub(crate) async fn called(&self) -> wasmtime::Result<Store<State>> {
        let mut store = self.store();
        let call = self.instance(&mut store).await?;
        std::hint::black_box(
            &call
                .call_async(&mut store, (&self.tool, &self.context))
                .await?,
        );
        Ok(store)
    }

    /// Runs store, instance, `describe` and drop: everything that a component in any language has
    /// in common.
    pub(crate) async fn described(&self) -> wasmtime::Result<()> {
        let mut store = self.store();
        let instance = self.pre.instantiate_async(&mut store).await?;
        std::hint::black_box(
            &instance
                .bailiwick_tool_tools()
                .call_describe(&mut store)
                .await?,
        );
        Ok(())
    }

    async fn timed(&self) -> wasmtime::Result<[Duration; 4]> {
        let t0 = Instant::now();
        let mut store = self.store();
        let t1 = Instant::now();
        let call = self.instance(&mut store).await?;
        let t2 = Instant::now();
        std::hint::black_box(
            &call
                .call_async(&mut store, (&self.tool, &self.context))
                .await?,
        );
        let t3 = Instant::now();
        drop(store);
        Ok([t1 - t0, t2 - t1, t3 - t2, t3.elapsed()])
    }
}

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> wasmtime::Result<()> {
    let component =
        Component::from_binary(ground.sandbox.engine(Tier::Compact), &ground.component)?;
    let guest = Guest::echo(&component).await?;
    figures.insert(
        "fresh".into(),
        each(20, async || guest.fresh().await).await?,
    );
    split(&guest, figures).await?;
    reused(&guest, figures).await?;
    tell_memory(&guest).await
}

/// Measures the parts of a fresh call. Each includes one look at the clock.
async fn split(guest: &Guest, figures: &mut Figures) -> wasmtime::Result<()> {
    let mut parts: [Vec<Duration>; 4] = Default::default();
    for _ in 0..20_000 {
        for (part, took) in parts.iter_mut().zip(guest.timed().await?) {
            part.push(took);
        }
    }
    for (name, part) in ["store", "instantiate", "call", "drop"]
        .into_iter()
        .zip(parts)
    {
        figures.insert(name.into(), median(part));
    }
    Ok(())
}

/// Measures calls of one instance, which is replaced now and then, before its memory would have to
/// grow.
async fn reused(guest: &Guest, figures: &mut Figures) -> wasmtime::Result<()> {
    let mut batches = Vec::new();
    for _ in 0..2000 {
        let mut store = guest.store();
        let call = guest.instance(&mut store).await?;
        std::hint::black_box(
            &call
                .call_async(&mut store, (&guest.tool, &guest.context))
                .await?,
        );
        let started = Instant::now();
        for _ in 0..REUSED {
            std::hint::black_box(
                &call
                    .call_async(&mut store, (&guest.tool, &guest.context))
                    .await?,
            );
        }
        batches.push(started.elapsed() / REUSED);
    }
    figures.insert("call_reused".into(), median(batches));
    Ok(())
}

/// Reports the memory and its growth: growing during a call costs more than the call.
async fn tell_memory(guest: &Guest) -> wasmtime::Result<()> {
    use std::io::Write as _;
    let store = guest.called().await?;
    let State { bytes, grown } = store.data();
    writeln!(
        std::io::stderr(),
        "memory of the tool: {} KiB, grown {grown} times during a call",
        bytes / 1024
    )?;
    Ok(())
}

fn context(input: &str) -> Context {
    Context {
        input: input.to_owned(),
        answers: Vec::new(),
        state: None,
    }
}

const ECHO: &str = r#"{"message":"the quick brown fox jumps over the lazy dog"}"#;
const REUSED: u32 = 8;
