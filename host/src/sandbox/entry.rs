//! A linked component and the exports by which the host calls it.
//!
//! Invariant: an [`Exports`] is of a component whose exports have the types of `wit/`, and no
//! instance outlives the call that it was made for. Exports are found by name, and their types are
//! compared once per component: the bindings of a whole world would demand every export, and would
//! compare the types again in every instance.

mod function;

use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store, ensure};

use super::bindings::call::{Context, Error, completion, facets, prompts, resources, tools};
use super::described::Description;
use super::state::CallState;
use function::{Function, Signature};

/// A component of which fresh instances can be made and called.
#[derive(Clone)]
pub(super) struct Exports {
    component: InstancePre<CallState>,
    tools: Option<Tools>,
    resources: Option<Resources>,
    prompts: Option<Prompts>,
    complete: Option<Function<Complete>>,
    facets: Option<Function<DescribeFacets>>,
}

/// The functions of the export `tools`.
#[derive(Clone)]
struct Tools {
    describe: Function<DescribeTools>,
    call: Function<CallTool>,
}

/// The functions of the export `resources`.
#[derive(Clone)]
struct Resources {
    describe: Function<DescribeResources>,
    members: Function<Members>,
    read: Function<Read>,
}

/// The functions of the export `prompts`.
#[derive(Clone)]
struct Prompts {
    describe: Function<DescribePrompts>,
    get: Function<GetPrompt>,
}

/// Declares the functions that the host calls, with their types.
macro_rules! signatures {
    ($($signature:ident = $interface:literal . $name:literal
        ($($parameter:ty),*) -> $returned:ty;)*) => {$(
        #[derive(Clone)]
        struct $signature;

        impl Signature for $signature {
            const INTERFACE: &'static str = concat!("bailiwick:tool/", $interface, "@0.2.0");
            const NAME: &'static str = $name;
            type Parameters<'c> = ($(signatures!(@of 'c $parameter),)*);
            type Returned = ($returned,);
        }
    )*};
    (@of $life:lifetime $parameter:ty) => { &$life $parameter };
}

signatures! {
    DescribeTools = "tools"."describe"() -> Vec<tools::Definition>;
    CallTool = "tools"."call"(str, Context) -> Result<tools::Outcome, Error>;
    DescribeResources = "resources"."describe"() -> Vec<resources::Definition>;
    Members = "resources"."members"(str, Context) -> Result<resources::Page, Error>;
    Read = "resources"."read"(str, Context) -> Result<resources::Outcome, Error>;
    DescribePrompts = "prompts"."describe"() -> Vec<prompts::Definition>;
    GetPrompt = "prompts"."get"(str, Context) -> Result<prompts::Outcome, Error>;
    Complete = "completion"."complete"(completion::Reference, str, str, Context)
        -> Result<completion::Suggestions, Error>;
    DescribeFacets = "facets"."describe"() -> Vec<(facets::Subject, Vec<(String, String)>)>;
}

/// What a component returned, or the error that it reports.
type GuestReply<T> = std::result::Result<T, Error>;

impl Exports {
    /// Links the component with the imports of its tier.
    pub(super) fn new(linker: &Linker<CallState>, component: &Component) -> Result<Self> {
        let linked = linker.instantiate_pre(component)?;
        let is_exported = |interface| {
            let component = linked.component();
            component.get_export_index(None, interface).is_some()
        };
        let mut exports = Self {
            component: linked.clone(),
            tools: None,
            resources: None,
            prompts: None,
            complete: Function::if_exported(&linked)?,
            facets: Function::if_exported(&linked)?,
        };
        if is_exported(CallTool::INTERFACE) {
            exports.tools = Some(Tools {
                describe: Function::of(&linked)?,
                call: Function::of(&linked)?,
            });
        }
        if is_exported(Read::INTERFACE) {
            exports.resources = Some(Resources {
                describe: Function::of(&linked)?,
                members: Function::of(&linked)?,
                read: Function::of(&linked)?,
            });
        }
        if is_exported(GetPrompt::INTERFACE) {
            exports.prompts = Some(Prompts {
                describe: Function::of(&linked)?,
                get: Function::of(&linked)?,
            });
        }
        let has_targets =
            exports.tools.is_some() || exports.resources.is_some() || exports.prompts.is_some();
        ensure!(
            has_targets,
            "it exports neither tools, resources nor prompts"
        );
        Ok(exports)
    }

    pub(super) fn engine(&self) -> &Engine {
        self.component.engine()
    }

    /// Returns the component's description of its exports, from a fresh instance.
    pub(super) async fn describe(&self, store: &mut Store<CallState>) -> Result<Description> {
        let instance = self.instance(store).await?;
        let mut all = Description {
            completes: self.complete.is_some(),
            ..Description::default()
        };
        if let Some(tools) = &self.tools {
            let (found,) = tools.describe.call(&instance, store, ()).await?;
            all.tools = found.into_iter().map(Into::into).collect();
        }
        if let Some(resources) = &self.resources {
            let (found,) = resources.describe.call(&instance, store, ()).await?;
            all.resources = found.into_iter().map(Into::into).collect();
        }
        if let Some(prompts) = &self.prompts {
            let (found,) = prompts.describe.call(&instance, store, ()).await?;
            all.prompts = found.into_iter().map(Into::into).collect();
        }
        if let Some(facets) = &self.facets {
            let (found,) = facets.call(&instance, store, ()).await?;
            all.add_facets(found);
        }
        Ok(all)
    }

    /// Calls a tool in a fresh instance.
    pub(super) async fn call_tool(
        &self,
        store: &mut Store<CallState>,
        tool: &str,
        context: &Context,
    ) -> Result<GuestReply<tools::Outcome>> {
        let tools = self.tools.as_ref().context("it exports no tools")?;
        let instance = self.instance(store).await?;
        let returned = tools.call.call(&instance, store, (tool, context)).await?;
        Ok(returned.0)
    }

    /// Reads a resource in a fresh instance.
    pub(super) async fn read(
        &self,
        store: &mut Store<CallState>,
        definition: &str,
        context: &Context,
    ) -> Result<GuestReply<resources::Outcome>> {
        let resources = self.resources.as_ref().context(NO_RESOURCES)?;
        let instance = self.instance(store).await?;
        let read = &resources.read;
        Ok(read.call(&instance, store, (definition, context)).await?.0)
    }

    /// Lists members of a family of resources in a fresh instance.
    pub(super) async fn members(
        &self,
        store: &mut Store<CallState>,
        family: &str,
        context: &Context,
    ) -> Result<GuestReply<resources::Page>> {
        let resources = self.resources.as_ref().context(NO_RESOURCES)?;
        let instance = self.instance(store).await?;
        let members = &resources.members;
        Ok(members.call(&instance, store, (family, context)).await?.0)
    }

    /// Makes the messages of a prompt in a fresh instance.
    pub(super) async fn get_prompt(
        &self,
        store: &mut Store<CallState>,
        prompt: &str,
        context: &Context,
    ) -> Result<GuestReply<prompts::Outcome>> {
        let prompts = self.prompts.as_ref().context("it exports no prompts")?;
        let instance = self.instance(store).await?;
        let returned = prompts
            .get
            .call(&instance, store, (prompt, context))
            .await?;
        Ok(returned.0)
    }

    /// Asks for suggestions in a fresh instance.
    pub(super) async fn complete(
        &self,
        store: &mut Store<CallState>,
        of: &completion::Reference,
        (argument, value): (&str, &str),
        context: &Context,
    ) -> Result<GuestReply<completion::Suggestions>> {
        let complete = self.complete.as_ref();
        let complete = complete.context("it exports no completion")?;
        let instance = self.instance(store).await?;
        let parameters = (of, argument, value, context);
        Ok(complete.call(&instance, store, parameters).await?.0)
    }

    async fn instance(&self, store: &mut Store<CallState>) -> Result<Instance> {
        self.component.instantiate_async(store).await
    }
}

/// The version of the interface that components are linked with (`wit/tool.wit`).
pub(crate) const INTERFACE: &str = "bailiwick:tool@0.2.0";
const NO_RESOURCES: &str = "it exports no resources";

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "tests")]
    use wasmtime::component::HasSelf;

    use super::super::bindings::World;
    use super::*;
    use crate::intake;

    /// Links a component whose two functions of the export `tools` have this type.
    fn linked(parameters: &str, result: &str) -> Result<Exports> {
        let text = format!(
            r#"(component
                 (core module $m
                   (memory (export "memory") 1)
                   (func (export "f") {CORE} unreachable)
                   (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
                 (core instance $i (instantiate $m))
                 (alias core export $i "memory" (core memory $memory))
                 (func $f {parameters} {result} (canon lift (core func $i "f")
                   (memory $memory) (realloc (func $i "realloc"))))
                 (instance $tools (export "describe" (func $f)) (export "call" (func $f)))
                 (export "bailiwick:tool/tools@0.2.0" (instance $tools)))"#
        );
        let Ok(bytes) = wat::parse_str(&text) else {
            panic!("{text}");
        };
        link(&bytes)
    }

    fn link(bytes: &[u8]) -> Result<Exports> {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        World::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        Exports::new(&linker, &Component::from_binary(&engine, bytes)?)
    }

    #[test]
    fn a_component_whose_functions_have_another_type_does_not_load() {
        assert!(link(&intake::smallest_component()).is_ok());
        for (parameters, result) in [
            (
                "(param \"tool\" string) (param \"context\" string)",
                "(result string)",
            ),
            (
                "(param \"tool\" string) (param \"context\" (list u8))",
                "(result string)",
            ),
        ] {
            match linked(parameters, result) {
                Ok(_) => panic!("{parameters} {result} is linked"),
                Err(error) => assert_eq!(error.to_string(), "describe", "{error:#}"),
            }
        }
    }

    /// The flat type of two strings, and of one string that is returned.
    const CORE: &str = "(param i32 i32 i32 i32) (result i32)";
}
