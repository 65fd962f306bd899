//! A function of an export, found by its name and compared with its type once per component.

use std::marker::PhantomData;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::error::Context as _;
use wasmtime::{Result, Store, bail};

use super::super::state::CallState;

/// A function that a component may export, with the type that the interface gives it.
pub(super) trait Signature {
    /// The interface, with its version.
    const INTERFACE: &'static str;
    /// The name within the interface.
    const NAME: &'static str;
    /// The parameters.
    type Parameters<'c>: ComponentNamedList + Lower + Send + Sync;
    /// The result.
    type Returned: ComponentNamedList + Lift + Send + Sync + 'static;
}

/// The function, in a component in which it has this type.
pub(super) struct Function<S>(ComponentExportIndex, PhantomData<fn() -> S>);

impl<S: Signature> Function<S> {
    /// Finds the function. Fails if it is missing or has another type.
    pub(super) fn of(linked: &InstancePre<CallState>) -> Result<Self> {
        let component = linked.component();
        let exported = component.get_export_index(None, S::INTERFACE);
        let exported = exported.context(S::INTERFACE)?;
        let found = component.get_export(Some(&exported), S::NAME);
        let (item, index) = found.context(S::NAME)?;
        let ComponentItem::ComponentFunc(function) = item else {
            bail!("{} is not a function", S::NAME);
        };
        function
            .typecheck::<S::Parameters<'_>, S::Returned>(&linked.instance_type())
            .context(S::NAME)?;
        Ok(Self(index, PhantomData))
    }

    /// Finds the function if the component exports its interface.
    pub(super) fn if_exported(linked: &InstancePre<CallState>) -> Result<Option<Self>> {
        let exported = linked.component().get_export_index(None, S::INTERFACE);
        exported.map(|_| Self::of(linked)).transpose()
    }

    /// Calls the function in an instance of its component.
    pub(super) async fn call(
        &self,
        instance: &Instance,
        store: &mut Store<CallState>,
        parameters: S::Parameters<'_>,
    ) -> Result<S::Returned> {
        let function = self.within(instance, store)?;
        function.call_async(store, parameters).await
    }

    fn within<'c>(
        &self,
        instance: &Instance,
        store: &mut Store<CallState>,
    ) -> Result<TypedFunc<S::Parameters<'c>, S::Returned>> {
        let function = instance.get_func(store, self.0).context(S::NAME)?;
        #[expect(
            unsafe_code,
            reason = "the type was compared when the component was linked"
        )]
        // SAFETY: `new_unchecked` demands that the function has this type. Only `of` makes a
        // `Function`, after it compared the type of this export with this type, as `Func::typed`
        // does in each instance. All instances of a linked component have the same types, and
        // `get_func` finds nothing if the index is another component's.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}

impl<S> Clone for Function<S> {
    fn clone(&self) -> Self {
        Self(self.0, PhantomData)
    }
}
