//! A linked component and the exports by which the host calls it.
//!
//! Invariant: an [`Exports`] is of a component whose exports have the types of `wit/`, and no
//! instance outlives the call that it was made for. Exports are found by name and once per
//! component: the bindings of a whole world would demand every export, and would compare their
//! types again in every instance, of which a call needs one.

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store};

use super::bindings::call::{Context, Error, Outcome};
use super::bindings::exports::bailiwick::tool::tools::{Definition, GuestIndices};
use super::state::CallState;

/// A component of which fresh instances can be made and called.
#[derive(Clone)]
pub(super) struct Exports {
    component: InstancePre<CallState>,
    tools: Tools,
}

/// The functions of the export `tools`.
#[derive(Clone)]
struct Tools {
    functions: GuestIndices,
    call: ComponentExportIndex,
}

impl Exports {
    /// Links the component with the imports of its tier.
    pub(super) fn new(linker: &Linker<CallState>, component: &Component) -> Result<Self> {
        let linked = linker.instantiate_pre(component)?;
        let tools = Tools {
            functions: GuestIndices::new(&linked)?,
            call: function(component, TOOLS, CALL)?,
        };
        Ok(Self {
            component: linked,
            tools,
        })
    }

    pub(super) fn engine(&self) -> &Engine {
        self.component.engine()
    }

    /// Returns the component's description of its tools, from a fresh instance. Fails if a function
    /// of the export does not have the type that the interface gives it.
    pub(super) async fn describe(&self, store: &mut Store<CallState>) -> Result<Vec<Definition>> {
        let instance = self.component.instantiate_async(&mut *store).await?;
        let tools = self.tools.functions.load(&mut *store, &instance)?;
        tools.call_describe(store).await
    }

    /// Calls a tool in a fresh instance.
    pub(super) async fn call(
        &self,
        store: &mut Store<CallState>,
        tool: &str,
        context: &Context,
    ) -> Result<Result<Outcome, Error>> {
        let instance = self.component.instantiate_async(&mut *store).await?;
        let call = instance.get_typed_func::<(&str, &Context), (Result<Outcome, Error>,)>(
            &mut *store,
            &self.tools.call,
        )?;
        let (returned,) = call.call_async(store, (tool, context)).await?;
        Ok(returned)
    }
}

/// Finds a function of an interface that the component exports.
fn function(
    component: &Component,
    interface: &'static str,
    name: &'static str,
) -> Result<ComponentExportIndex> {
    let interface = component
        .get_export_index(None, interface)
        .context(interface)?;
    component
        .get_export_index(Some(&interface), name)
        .context(name)
}

/// The version of the interface that components are linked with (`wit/tool.wit`).
pub(crate) const INTERFACE: &str = "bailiwick:tool@0.2.0";
/// The interface of tools and its function for calls.
const TOOLS: &str = "bailiwick:tool/tools@0.2.0";
const CALL: &str = "call";
