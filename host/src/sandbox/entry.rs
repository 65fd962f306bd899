//! A linked component with the ways into it.
//!
//! Invariant: an [`Entry`] is of a component that exports all of the world `tool`, and no instance
//! outlives the call that it was made for. What can be found out once for a component is not found
//! out again in each call: the generated bindings would compare the types of all exports in every
//! instance, and a call needs one of them.

use wasmtime::component::{Component, ComponentExportIndex, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store};

use super::bindings::ToolPre;
use super::bindings::exports::bailiwick::tool::tools::{
    Definition, Outcome, ToolContext, ToolError,
};
use super::state::CallState;

/// A component of which fresh instances can be made and called.
#[derive(Clone)]
pub(super) struct Entry {
    tool: ToolPre<CallState>,
    call: ComponentExportIndex,
}

impl Entry {
    /// Links the component with what its tier gives.
    pub(super) fn new(linker: &Linker<CallState>, component: &Component) -> Result<Self> {
        let tool = ToolPre::new(linker.instantiate_pre(component)?)?;
        let call = component.get_export_index(None, TOOLS).context(TOOLS)?;
        let call = component
            .get_export_index(Some(&call), CALL)
            .context(CALL)?;
        Ok(Self { tool, call })
    }

    pub(super) fn engine(&self) -> &Engine {
        self.tool.engine()
    }

    /// What the component says of its tools, in a fresh instance.
    pub(super) async fn describe(&self, store: &mut Store<CallState>) -> Result<Vec<Definition>> {
        let instance = self.tool.instantiate_async(&mut *store).await?;
        instance.bailiwick_tool_tools().call_describe(store).await
    }

    /// Calls a tool in a fresh instance.
    pub(super) async fn call(
        &self,
        store: &mut Store<CallState>,
        tool: &str,
        context: &ToolContext,
    ) -> Result<Result<Outcome, ToolError>> {
        let instance = self
            .tool
            .instance_pre()
            .instantiate_async(&mut *store)
            .await?;
        let call = instance.get_typed_func::<(&str, &ToolContext), (Result<Outcome, ToolError>,)>(
            &mut *store,
            &self.call,
        )?;
        let (returned,) = call.call_async(store, (tool, context)).await?;
        Ok(returned)
    }
}

/// The interface that a tool's component exports, and its function for calls (`wit/tool.wit`).
const TOOLS: &str = "bailiwick:tool/tools@0.1.0";
const CALL: &str = "call";
