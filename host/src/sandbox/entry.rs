//! A linked component and the exports by which the host calls it.
//!
//! Invariant: an [`Exports`] is of a component whose exports have the types of `wit/`, and no
//! instance outlives the call that it was made for. Exports are found by name, and their types are
//! compared once per component: the bindings of a whole world would demand every export, and would
//! compare the types again in every instance.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentNamedList, Lift, Lower};
use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, Linker, TypedFunc};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store, bail};

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
    call: CallFunction,
}

/// The function that calls a tool, in a component in which it has this type.
#[derive(Clone)]
struct CallFunction(ComponentExportIndex);

type Parameters<'c> = (&'c str, &'c Context);
type Returned = (Result<Outcome, Error>,);

impl Exports {
    /// Links the component with the imports of its tier.
    pub(super) fn new(linker: &Linker<CallState>, component: &Component) -> Result<Self> {
        let linked = linker.instantiate_pre(component)?;
        let tools = Tools {
            functions: GuestIndices::new(&linked)?,
            call: CallFunction::of(&linked)?,
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
        let call = self.tools.call.within(&instance, &mut *store)?;
        let (returned,) = call.call_async(store, (tool, context)).await?;
        Ok(returned)
    }
}

impl CallFunction {
    /// Finds the function. Fails if it is missing or has another type.
    fn of(linked: &InstancePre<CallState>) -> Result<Self> {
        function::<Parameters<'_>, Returned>(linked, TOOLS, CALL).map(Self)
    }

    /// Returns the function in an instance of its component.
    fn within<'c>(
        &self,
        instance: &Instance,
        store: &mut Store<CallState>,
    ) -> Result<TypedFunc<Parameters<'c>, Returned>> {
        let function = instance.get_func(store, self.0).context(CALL)?;
        #[expect(
            unsafe_code,
            reason = "the type was compared when the component was linked"
        )]
        // SAFETY: `new_unchecked` demands that the function has this type. Only `of` makes a
        // `CallFunction`, after it compared the type of this export with this type, as
        // `Func::typed` does in each instance. All instances of a linked component have the same
        // types, and `get_func` finds nothing if the index is another component's.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}

/// Finds a function of an interface that the component exports, and compares its type.
fn function<P, R>(
    linked: &InstancePre<CallState>,
    interface: &'static str,
    name: &'static str,
) -> Result<ComponentExportIndex>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let component = linked.component();
    let exported = component.get_export_index(None, interface);
    let exported = exported.context(interface)?;
    let (item, index) = component.get_export(Some(&exported), name).context(name)?;
    let ComponentItem::ComponentFunc(function) = item else {
        bail!("{name} is not a function");
    };
    function
        .typecheck::<P, R>(&linked.instance_type())
        .context(name)?;
    Ok(index)
}

/// The version of the interface that components are linked with (`wit/tool.wit`).
pub(crate) const INTERFACE: &str = "bailiwick:tool@0.2.0";
/// The interface of tools and its function for calls.
const TOOLS: &str = "bailiwick:tool/tools@0.2.0";
const CALL: &str = "call";

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
                 (export "{TOOLS}" (instance $tools)))"#
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
    fn a_component_whose_call_has_another_type_does_not_load() {
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
                Err(error) => assert_eq!(error.to_string(), CALL, "{error:#}"),
            }
        }
    }

    /// The flat type of two strings, and of one string that is returned.
    const CORE: &str = "(param i32 i32 i32 i32) (result i32)";
}
