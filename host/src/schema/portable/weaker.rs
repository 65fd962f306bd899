//! An output schema in the keywords that all official clients read alike.

use serde_json::{Map, Value, json};

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
        match keyword {
            "pattern" => !value.as_str().is_some_and(is_portable),
            "patternProperties" => true,
            "additionalProperties" => has("patternProperties"),
            "enum" => value.as_array().is_none_or(Vec::is_empty),
            "multipleOf" => value.as_u64().is_none_or(|step| step > MAX_EXACT),
            "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" => !is_exact(value),
            "contains" => has("minContains") || has("maxContains"),
            "minContains" | "maxContains" | "dependencies" => true,
            "prefixItems" | "dependentRequired" | "dependentSchemas" => legacy,
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

/// Returns true if a regular expression means the same to Rust, ECMAScript and Python: plain
/// characters of ASCII, groups, choices, anchors, repetitions and classes of plain characters.
///
/// `\d`, `\w` and `.` are not the same characters in all three.
fn is_portable(pattern: &str) -> bool {
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let fits = match character {
            '\\' => {
                let escaped = characters.next();
                escaped.is_some_and(|escaped| r"\^$.*+?()[]{}|/".contains(escaped))
            }
            '[' if in_class => false,
            '[' => {
                in_class = true;
                next != Some(']')
            }
            ']' => std::mem::replace(&mut in_class, false),
            '&' | '~' | '-' if in_class => next != Some(character),
            '.' => in_class,
            '(' if !in_class && next == Some('?') => {
                characters.next();
                characters.peek() == Some(&':')
            }
            '{' | '}' if !in_class => true,
            other => matches!(other, ' '..='~'),
        };
        if !fits {
            return false;
        }
    }
    !in_class && has_plain_counts(pattern)
}

/// Returns true if each brace outside of a class is part of a count such as `{2,4}`. Rust and
/// ECMAScript refuse other braces, and Python takes them as they are.
fn has_plain_counts(pattern: &str) -> bool {
    pattern.split('{').skip(1).all(|after| {
        after.split_once('}').is_some_and(|(count, _)| {
            count.starts_with(|digit: char| digit.is_ascii_digit())
                && count
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b',')
                && count.matches(',').count() <= 1
        })
    }) && pattern.matches('{').count() == pattern.matches('}').count()
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
    "required",
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
#[cfg(test)]
mod tests {
    use super::is_portable;

    #[test]
    fn only_expressions_that_mean_the_same_everywhere_are_portable() {
        for (pattern, portable) in [
            ("^[A-Z]{3}-[0-9]{1,12}$", true),
            ("^(?:a|b)+$", true),
            (r"^a\.b\/c$", true),
            (r"^\d+$", false),
            (r"^\w", false),
            ("a.c", false),
            ("[.]", true),
            ("(?i)a", false),
            ("(?P<n>a)", false),
            ("[[:alpha:]]", false),
            ("[a&&b]", false),
            ("a{", false),
            ("a{,3}", false),
            ("a{2}", true),
            ("}", false),
            ("]", false),
            ("[", false),
            ("[]a]", false),
            ("\u{e9}", false),
            (r"a\", false),
            (r"\-", false),
        ] {
            assert_eq!(is_portable(pattern), portable, "{pattern}");
        }
    }
}
