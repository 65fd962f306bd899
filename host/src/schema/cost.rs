//! The cost of evaluating a schema, bounded before it is ever evaluated.
//!
//! References multiply: forty definitions that each refer twice to the next are 2⁴⁰ evaluations. So
//! references are expanded here once, on paper, and a schema that grows beyond [`MAX_EXPANDED`]
//! nodes is refused. One that refers to itself is expanded for values of a [bounded
//! depth](recursive). Any other schema costs at most that many steps for each
//! value in the instance, and the steps of its regular expressions for each byte.

mod recursive;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::pattern;

/// The reason why a schema could cost too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unbounded {
    /// It refers to itself, directly or through others.
    Recursive(String),
    /// Expanded, it is too large or too deep.
    TooLarge,
    /// It refers to something that does not exist, or in a way that is not followed.
    Dangling(String),
}

/// The cost of a schema with every reference expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cost {
    /// Steps for each value of an instance.
    pub(super) nodes: usize,
    /// Steps for each byte of a text.
    pub(super) patterns: usize,
    /// Levels, each of which is a call on the stack.
    depth: usize,
    /// The levels of the deepest value for which this is the cost, if the schema contains itself.
    levels: Option<usize>,
}

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            patterns: self.patterns.saturating_add(other.patterns),
            depth: self.depth.max(other.depth),
            levels: None,
        }
    }

    /// Returns the cost of a schema whose parts cost this.
    fn and_itself(self) -> Result<Self, Unbounded> {
        let total = Self {
            nodes: self.nodes.saturating_add(1),
            depth: self.depth.saturating_add(1),
            ..self
        };
        let is_bounded = total.nodes <= MAX_EXPANDED
            && total.patterns <= MAX_PATTERNS
            && total.depth <= MAX_DEPTH;
        is_bounded.then_some(total).ok_or(Unbounded::TooLarge)
    }

    /// Returns the levels that a value may have, if the schema contains itself.
    pub(super) fn levels(self) -> Option<usize> {
        self.levels
    }

    /// Returns true if `instance` is not too deep for a schema that contains itself.
    pub(super) fn fits(self, instance: &Value) -> bool {
        self.levels.is_none_or(|levels| is_within(instance, levels))
    }

    /// Returns the most steps, roughly, that evaluating `instance` takes.
    pub(super) fn of(self, instance: &Value) -> usize {
        let size = Size::of(instance);
        let texts = self.patterns.saturating_mul(size.text) / BYTES_PER_STEP;
        self.nodes.saturating_mul(size.values).saturating_add(texts)
    }
}

/// Returns the cost of `schema`.
pub(super) fn expanded(schema: &Value) -> Result<Cost, Unbounded> {
    let mut walk = Expander {
        root: schema,
        known: HashMap::new(),
        depth: 0,
    };
    match walk.value(schema) {
        Err(why @ Unbounded::Recursive(_)) => recursive::bounded(schema, why),
        counted => counted,
    }
}

/// Returns true if a value has no more than so many levels.
fn is_within(value: &Value, levels: usize) -> bool {
    let Some(inner) = levels.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Array(items) => items.iter().all(|item| is_within(item, inner)),
        Value::Object(members) => members.values().all(|member| is_within(member, inner)),
        _ => true,
    }
}

struct Expander<'s> {
    root: &'s Value,
    // `None` while it is being counted.
    known: HashMap<String, Option<Cost>>,
    depth: usize,
}

impl Expander<'_> {
    fn value(&mut self, value: &Value) -> Result<Cost, Unbounded> {
        // The walk itself must not run out of stack.
        if self.depth >= MAX_DEPTH {
            return Err(Unbounded::TooLarge);
        }
        self.depth += 1;
        let inside = match value {
            Value::Array(items) => self.sum(items.iter())?,
            Value::Object(members) => {
                let target = match members.get("$ref") {
                    Some(Value::String(target)) => self.reference(target)?,
                    _ => Cost::default(),
                };
                let mut inside = self.sum(members.values())?.and(target);
                inside.patterns = inside.patterns.saturating_add(patterns(members));
                again(members, inside)
            }
            _ => Cost::default(),
        };
        self.depth -= 1;
        inside.and_itself()
    }

    fn sum<'v>(&mut self, mut values: impl Iterator<Item = &'v Value>) -> Result<Cost, Unbounded> {
        values.try_fold(Cost::default(), |total, next| {
            Ok(total.and(self.value(next)?))
        })
    }

    fn reference(&mut self, target: &str) -> Result<Cost, Unbounded> {
        match self.known.get(target) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(Unbounded::Recursive(target.to_owned())),
            None => {}
        }
        let value = target_in(self.root, target)?;
        self.known.insert(target.to_owned(), None);
        let cost = self.value(value)?;
        self.known.insert(target.to_owned(), Some(cost));
        Ok(cost)
    }
}

/// Returns the place that a reference leads to.
fn target_in<'s>(root: &'s Value, target: &str) -> Result<&'s Value, Unbounded> {
    // The evaluator decodes `%`, so it would find another target than this count does.
    let plain = target
        .strip_prefix('#')
        .filter(|pointer| !pointer.contains('%'));
    let pointer = plain.filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
    let value = pointer.and_then(|pointer| root.pointer(pointer));
    value.ok_or_else(|| Unbounded::Dangling(target.to_owned()))
}

/// Returns the cost of a schema with these keywords, whose cost is `inside`. Some keywords evaluate
/// everything beside them a second time, on every level.
fn again(members: &Map<String, Value>, inside: Cost) -> Cost {
    if members.contains_key("unevaluatedProperties") || members.contains_key("unevaluatedItems") {
        Cost {
            depth: inside.depth,
            ..inside.and(inside)
        }
    } else {
        inside
    }
}

/// Returns the steps of the regular expressions that stand directly in a schema.
fn patterns(members: &Map<String, Value>) -> usize {
    let own = members
        .get("pattern")
        .and_then(Value::as_str)
        .map_or(0, pattern::steps);
    let of_names = members.get("patternProperties").and_then(Value::as_object);
    let of_names = of_names
        .into_iter()
        .flat_map(Map::keys)
        .map(|name| pattern::steps(name));
    of_names.fold(own, usize::saturating_add)
}

#[derive(Default)]
struct Size {
    values: usize,
    text: usize,
}

impl Size {
    /// Measures a value that was parsed from outside, so that it is not deep.
    fn of(instance: &Value) -> Self {
        let sum = |all: &mut dyn Iterator<Item = Self>| {
            all.fold(Self { values: 1, text: 0 }, |total, next| Self {
                values: total.values.saturating_add(next.values),
                text: total.text.saturating_add(next.text),
            })
        };
        match instance {
            Value::String(text) => Self {
                values: 1,
                text: text.len(),
            },
            Value::Array(items) => sum(&mut items.iter().map(Self::of)),
            Value::Object(members) => sum(&mut members.iter().map(|(name, value)| {
                let inside = Self::of(value);
                Self {
                    text: inside.text.saturating_add(name.len()),
                    ..inside
                }
            })),
            _ => Self { values: 1, text: 0 },
        }
    }
}

/// About ten times as many as the largest schema without references can have in 64 KiB.
const MAX_EXPANDED: usize = 20_000;
/// The levels of schemas and their targets. Each takes a piece of the stack wherever a schema is
/// walked.
const MAX_DEPTH: usize = 96;
/// The steps of all regular expressions together, for each byte.
const MAX_PATTERNS: usize = 100_000;
/// The bytes in the time of one step: a step of an expression takes a fraction of one of a schema.
const BYTES_PER_STEP: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_that_multiply_are_refused_on_paper() {
        let mut definitions = Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
        }
        definitions.insert("d40".into(), json!({"type": "string"}));
        assert_eq!(
            expanded(&json!({"$defs": definitions, "$ref": "#/$defs/d0"})),
            Err(Unbounded::TooLarge)
        );
    }

    #[test]
    fn evaluations_that_double_on_every_level_are_refused_on_paper() {
        let mut schema = json!({"type": "object"});
        for _ in 0..20 {
            schema = json!({"anyOf": [schema], "unevaluatedProperties": false});
        }
        assert_eq!(expanded(&schema), Err(Unbounded::TooLarge));
        assert!(
            expanded(
                &json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false})
            )
            .is_ok()
        );
    }

    #[test]
    fn a_chain_of_references_is_as_deep_as_it_is_long() {
        let chain = |length: usize| {
            let next = |at: usize| {
                (
                    format!("d{at}"),
                    json!({"$ref": format!("#/$defs/d{}", at + 1)}),
                )
            };
            let mut definitions: Map<String, Value> = (0..length).map(next).collect();
            definitions.insert(format!("d{length}"), json!({}));
            json!({"$defs": definitions, "$ref": "#/$defs/d0"})
        };
        assert!(expanded(&chain(40)).is_ok());
        assert_eq!(expanded(&chain(2_000)), Err(Unbounded::TooLarge));
    }

    #[test]
    fn expressions_that_are_large_when_written_out_are_refused_on_paper() {
        assert_eq!(
            expanded(&json!({"pattern": "((a{99}){99}){99}"})),
            Err(Unbounded::TooLarge)
        );
        assert_eq!(
            expanded(&json!({"patternProperties": {"((a{99}){99}){99}": {}}})),
            Err(Unbounded::TooLarge)
        );
        let usual = expanded(
            &json!({"properties": {"id": {"pattern": "^[A-Z]{3}-[0-9]{1,12}$"}, "pattern": {}}}),
        );
        assert_eq!(usual.map(|cost| cost.patterns), Ok(63));
    }

    #[test]
    fn a_schema_that_refers_to_itself_for_the_same_value_is_refused() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"anyOf": [{"not": {"$ref": "#"}}]}),
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        ] {
            assert!(
                matches!(expanded(&schema), Err(Unbounded::Recursive(_))),
                "{schema}"
            );
        }
        assert!(matches!(
            expanded(&json!({"$ref": "#/$defs/none"})),
            Err(Unbounded::Dangling(_))
        ));
        assert!(matches!(
            expanded(&json!({"$ref": "#anchor"})),
            Err(Unbounded::Dangling(_))
        ));
        assert!(matches!(
            expanded(&json!({"%24defs": {"a": {}}, "$ref": "#/%24defs/a"})),
            Err(Unbounded::Dangling(_))
        ));
        let shared = json!({"$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/a"}}});
        assert!(expanded(&shared).is_ok());
        assert!(expanded(&json!({"properties": {"$ref": {"type": "string"}}})).is_ok());
    }
}
