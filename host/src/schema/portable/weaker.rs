//! An output schema in the keywords that all official clients read alike.

use serde_json::{Map, Value, json};

use super::pattern::is_portable;
use super::record::{has_inherited, is_inherited};
use super::{Dialect, Notes, Position, object_of, position, within};

/// The walk through a schema that leaves out what clients read in different ways.
pub(super) struct Weaker {
    dialect: Dialect,
    /// The place of the schema in the document, which its references begin with.
    base: &'static str,
    /// False once something was left out: a reference may lead to it.
    refs_exact: bool,
    left_out: bool,
    notes: Notes,
}

/// A schema that accepts all that the one it was made from accepts, and whether it accepts nothing
/// else.
struct Made {
    value: Value,
    exact: bool,
}

impl Weaker {
    /// Returns the form of `schema` in `dialect`, at `base` in its document, with the differences.
    pub(super) fn of(schema: &Value, dialect: Dialect, base: &'static str) -> (Value, Notes) {
        let walk = |refs_exact| {
            let mut walk = Self {
                dialect,
                base,
                refs_exact,
                left_out: false,
                notes: Notes::default(),
            };
            let made = walk.schema(schema, "");
            (walk.left_out, made.value, walk.notes)
        };
        // Under `not`, a weaker schema would make a stricter one. A reference to a schema that
        // became weaker is weaker too.
        match walk(true) {
            (true, ..) => {
                let (_, value, notes) = walk(false);
                (value, notes)
            }
            (false, value, notes) => (value, notes),
        }
    }

    fn schema(&mut self, schema: &Value, place: &str) -> Made {
        let members = match schema {
            Value::Bool(any) => return Made::exactly(object_of(*any)),
            Value::Object(members) => members,
            other => return Made::exactly(other.clone()),
        };
        let mut made = Map::new();
        let mut exact = true;
        // What is left over depends on what the other keywords leave, so it comes last.
        let (rest, others): (Vec<_>, Vec<_>) = members
            .iter()
            .partition(|(keyword, _)| keyword.starts_with("unevaluated"));
        // `then` and `else` depend on what becomes of `if`.
        let (first, others): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|(keyword, _)| *keyword == "if");
        for (keyword, value) in first.into_iter().chain(others) {
            exact &= self.keyword(members, (keyword, value), place, &mut made);
        }
        for (keyword, value) in rest {
            let place = within(place, keyword);
            if self.dialect == Dialect::Current && exact && self.refs_exact {
                let inside = self.rest(value, &place);
                exact &= inside.exact;
                made.insert(keyword.clone(), inside.value);
            } else {
                exact = self.leave_out(&place);
            }
        }
        Made {
            value: Value::Object(made),
            exact,
        }
    }

    /// Adds one keyword to `made` in the form that clients get. Returns true if it means the same.
    fn keyword(
        &mut self,
        members: &Map<String, Value>,
        (keyword, value): (&String, &Value),
        place: &str,
        made: &mut Map<String, Value>,
    ) -> bool {
        let place = within(place, keyword);
        let inside = match keyword.as_str() {
            "$ref" => self.reference(value),
            "properties" => self.properties(value, &place),
            "required" => return self.required(value, &place, made),
            // This host does not assert formats, and clients do.
            "format" => {
                self.note(&place);
                return true;
            }
            name if NOT_READ.contains(&name) => return true,
            name if self.is_read_differently(name, value, members) => {
                return self.leave_out(&place);
            }
            "not" | "if" | "oneOf" => return self.choice((keyword, value), &place, made),
            "then" | "else" if members.contains_key("if") => {
                return self.branch((keyword, value), &place, made);
            }
            name => match position(name) {
                Position::Map => self.named(value, &place),
                Position::List => self.list(value, &place),
                Position::Schema => self.schema(value, &place),
                Position::Rest => self.rest(value, &place),
                Position::Plain if ALIKE.contains(&name) => Made::exactly(value.clone()),
                Position::Plain => return true,
            },
        };
        made.insert(keyword.clone(), inside.value);
        // What is defined counts where it is referred to.
        inside.exact || matches!(keyword.as_str(), "$defs" | "definitions")
    }

    /// Returns true if clients read this keyword in different ways, or do not read it.
    fn is_read_differently(
        &self,
        keyword: &str,
        value: &Value,
        members: &Map<String, Value>,
    ) -> bool {
        let legacy = self.dialect == Dialect::Legacy;
        let has = |name| members.contains_key(name);
        let properties = members.get("properties");
        let has_property = |name| properties.is_some_and(|map| map.get(name).is_some());
        match keyword {
            "pattern" => !value.as_str().is_some_and(is_portable),
            "patternProperties" => true,
            "additionalProperties" => has("patternProperties") || has_property("__proto__"),
            "enum" => value.as_array().is_none_or(Vec::is_empty) || has_inherited(value),
            // Clients compare objects by such members.
            "const" => has_inherited(value),
            "multipleOf" => value.as_u64().is_none_or(|step| step > MAX_EXACT),
            "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" => !is_exact(value),
            "contains" => has("minContains") || has("maxContains"),
            "minContains" | "maxContains" | "dependencies" => true,
            "prefixItems" => legacy,
            "dependentRequired" | "dependentSchemas" => {
                let mut names = value.as_object().into_iter().flat_map(Map::keys);
                legacy || names.any(|name| is_inherited(name))
            }
            "items" => legacy && has("prefixItems"),
            _ => false,
        }
    }

    /// Adds a keyword under which a weaker schema would make a stricter one.
    fn choice(
        &mut self,
        (keyword, value): (&String, &Value),
        place: &str,
        made: &mut Map<String, Value>,
    ) -> bool {
        let inside = match value {
            Value::Array(_) => self.list(value, place),
            _ => self.schema(value, place),
        };
        if inside.exact {
            made.insert(keyword.clone(), inside.value);
            return true;
        }
        if keyword == "oneOf" && !made.contains_key("anyOf") {
            made.insert("anyOf".to_owned(), inside.value);
        }
        self.leave_out(place)
    }

    /// Adds `then` or `else`, unless clients do not get the `if` that it belongs to.
    fn branch(
        &mut self,
        (keyword, value): (&String, &Value),
        place: &str,
        made: &mut Map<String, Value>,
    ) -> bool {
        if !made.contains_key("if") {
            return self.leave_out(place);
        }
        let inside = self.schema(value, place);
        made.insert(keyword.clone(), inside.value);
        inside.exact
    }

    fn reference(&self, target: &Value) -> Made {
        let pointer = target.as_str().and_then(|target| target.strip_prefix('#'));
        Made {
            value: json!(format!("#{}{}", self.base, pointer.unwrap_or_default())),
            exact: self.refs_exact,
        }
    }

    fn named(&mut self, value: &Value, place: &str) -> Made {
        let named = value.as_object().into_iter().flatten();
        let mut exact = true;
        let inside = named.map(|(name, value)| {
            let inside = self.schema(value, &within(place, name));
            exact &= inside.exact;
            (name.clone(), inside.value)
        });
        let value = inside.collect();
        Made { value, exact }
    }

    /// Returns the properties. One that clients find in every object has no schema: they would
    /// check what they find.
    fn properties(&mut self, value: &Value, place: &str) -> Made {
        let mut made = self.named(value, place);
        let named = made.value.as_object_mut().into_iter().flatten();
        let nothing = json!({});
        for (name, schema) in named.filter(|(name, _)| is_inherited(name)) {
            if *schema != nothing || name == "__proto__" {
                *schema = nothing.clone();
                made.exact = self.leave_out(&within(place, name));
            }
        }
        made
    }

    /// Adds the required properties, except those that clients find in every object.
    fn required(&mut self, value: &Value, place: &str, made: &mut Map<String, Value>) -> bool {
        let names = value.as_array().into_iter().flatten();
        let (found, kept): (Vec<_>, Vec<_>) =
            names.partition(|name| name.as_str().is_some_and(is_inherited));
        if found.is_empty() || !kept.is_empty() {
            made.insert("required".to_owned(), json!(kept));
        }
        found.is_empty() || self.leave_out(place)
    }

    fn list(&mut self, value: &Value, place: &str) -> Made {
        let items = value.as_array().into_iter().flatten().enumerate();
        let mut exact = true;
        let inside = items.map(|(index, value)| {
            let inside = self.schema(value, &within(place, &index.to_string()));
            exact &= inside.exact;
            inside.value
        });
        let value = inside.collect();
        Made { value, exact }
    }

    fn rest(&mut self, value: &Value, place: &str) -> Made {
        match value {
            Value::Bool(_) => Made::exactly(value.clone()),
            _ => self.schema(value, place),
        }
    }

    fn leave_out(&mut self, place: &str) -> bool {
        self.left_out = true;
        self.note(place);
        false
    }

    fn note(&mut self, place: &str) {
        self.notes.add(
            place,
            "clients do not get it, because they read it in different ways",
        );
    }
}

impl Made {
    fn exactly(value: Value) -> Self {
        Self { value, exact: true }
    }
}

/// Returns true if every client has exactly this number.
fn is_exact(number: &Value) -> bool {
    match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => integer.unsigned_abs() <= MAX_EXACT,
        (None, Some(_)) => false,
        (None, None) => number.as_f64().is_some_and(f64::is_finite),
    }
}

/// 2^53-1, the largest integer below which none is rounded (RFC 8259 §6).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Keywords without schemas that all clients read alike.
const ALIKE: &[&str] = &[
    "$schema",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "type",
    "enum",
    "const",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "multipleOf",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "dependentRequired",
];
/// Keywords that this host does not evaluate. Nothing refers to an anchor.
const NOT_READ: &[&str] = &[
    "$anchor",
    "$dynamicAnchor",
    "$vocabulary",
    "$id",
    "nullable",
];
