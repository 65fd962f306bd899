//! The number of instances that a component becomes when components are instantiated within one
//! another.
//!
//! A short file can say "twice the one before" again and again: thirty such lines make a billion
//! instances. Invariant: instances that cannot be counted count as too many.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Payload,
};

use super::StructureError;
use super::caps::Item;
use super::items::each;

/// The components that are being read, the outermost first; a core module is `None`.
#[derive(Default)]
pub(super) struct Expansion(Vec<Option<Layer>>);

#[derive(Default)]
struct Layer {
    /// The instances that one instance of it becomes.
    instances: u64,
    /// The instances that each component it can name becomes.
    components: Vec<u64>,
}

impl Expansion {
    /// Counts one piece.
    ///
    /// # Errors
    /// Fails if the component becomes too many instances or cannot be read.
    pub(super) fn take(&mut self, payload: &Payload<'_>) -> Result<(), StructureError> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.0
                    .push((*encoding == Encoding::Component).then(Layer::default));
                Ok(())
            }
            Payload::End(_) => {
                let ended = self.0.pop().flatten();
                if let (Some(ended), Some(Some(outer))) = (ended, self.0.last_mut()) {
                    outer.components.push(ended.instances);
                }
                Ok(())
            }
            Payload::InstanceSection(section) => each(section, |offset, instance| match instance {
                Instance::Instantiate { .. } => self.add(1, offset),
                Instance::FromExports(_) => Ok(()),
            }),
            Payload::ComponentInstanceSection(section) => {
                each(section, |offset, instance| match instance {
                    ComponentInstance::Instantiate {
                        component_index, ..
                    } => {
                        let inner = self.of(0, component_index);
                        self.add(inner.saturating_add(1), offset)
                    }
                    ComponentInstance::FromExports(_) => Ok(()),
                })
            }
            other => self.names(other),
        }
    }

    /// Records another name that a piece gives to a component.
    fn names(&mut self, payload: &Payload<'_>) -> Result<(), StructureError> {
        match payload {
            Payload::ComponentAliasSection(section) => each(section, |_, alias| {
                match alias {
                    ComponentAlias::Outer {
                        kind: ComponentOuterAliasKind::Component,
                        count,
                        index,
                    } => {
                        let outer = self.of(count, index);
                        self.name(outer);
                    }
                    ComponentAlias::InstanceExport {
                        kind: ComponentExternalKind::Component,
                        ..
                    } => {
                        self.name(UNKNOWN);
                    }
                    _ => {}
                }
                Ok(())
            }),
            Payload::ComponentImportSection(section) => each(section, |_, import| {
                if matches!(import.ty, ComponentTypeRef::Component(_)) {
                    self.name(UNKNOWN);
                }
                Ok(())
            }),
            Payload::ComponentExportSection(section) => each(section, |_, export| {
                if export.kind == ComponentExternalKind::Component {
                    let same = self.of(0, export.index);
                    self.name(same);
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    /// Returns the instances of a component that is named `levels` further out.
    fn of(&self, levels: u32, index: u32) -> u64 {
        let named = || {
            let level = self
                .0
                .len()
                .checked_sub(1)?
                .checked_sub(usize::try_from(levels).ok()?)?;
            self.0
                .get(level)?
                .as_ref()?
                .components
                .get(usize::try_from(index).ok()?)
                .copied()
        };
        named().unwrap_or(UNKNOWN)
    }

    fn name(&mut self, instances: u64) {
        if let Some(Some(level)) = self.0.last_mut() {
            level.components.push(instances);
        }
    }

    fn add(&mut self, more: u64, offset: u64) -> Result<(), StructureError> {
        let Some(Some(level)) = self.0.last_mut() else {
            return Ok(());
        };
        level.instances = level.instances.saturating_add(more);
        if level.instances == UNKNOWN {
            return Err(StructureError::Uncountable { offset });
        }
        Item::Expanded.check(level.instances, offset)
    }
}

const UNKNOWN: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use wasmparser::Parser;

    use super::*;

    fn refusal(inside: &str) -> Result<(), String> {
        let bytes =
            wat::parse_str(format!("(component {inside})")).map_err(|error| error.to_string())?;
        let mut expansion = Expansion::default();
        for payload in Parser::new(0).parse_all(&bytes) {
            let payload = payload.map_err(|error| error.to_string())?;
            expansion
                .take(&payload)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Returns a component in which each level instantiates the one before twice.
    fn doubling(levels: usize) -> String {
        let mut text =
            "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
        for level in 1..levels {
            let below = level - 1;
            text += "(component $c";
            text += &level.to_string();
            text += " (alias outer 1 $c";
            text += &below.to_string();
            text += " (component $b)) (instance (instantiate $b)) (instance (instantiate $b)))";
        }
        format!("{text} (instance (instantiate $c{}))", levels - 1)
    }

    #[test]
    fn what_doubles_again_and_again_is_counted_before_it_is_made() {
        let handed = r#"(component $inner (import "c" (component $c)) (instance (instantiate $c)))
            (component $twice) (instance (instantiate $inner (with "c" (component $twice))))"#;
        let exported = r#"(component $a (component $b) (export "b" (component $b))) (instance $i (instantiate $a))
            (alias export $i "b" (component $c)) (instance (instantiate $c))"#;
        let (many, unknown) = (
            "at most 1024 are allowed",
            "cannot be counted; contain that component",
        );
        for (inside, why) in [
            ("", None),
            (doubling(7).as_str(), None),
            (doubling(12).as_str(), Some(many)),
            (doubling(60).as_str(), Some(many)),
            (handed, Some(unknown)),
            (exported, Some(unknown)),
            (
                r#"(import "c" (component $c)) (instance (instantiate $c))"#,
                Some(unknown),
            ),
            ("(component $a) (instance (instantiate $a))", None),
        ] {
            let told = refusal(inside);
            let right = match (&told, why) {
                (Ok(()), None) => true,
                (Err(told), Some(why)) => told.contains(why),
                _ => false,
            };
            assert!(right, "{inside}: {told:?}");
        }
    }
}
