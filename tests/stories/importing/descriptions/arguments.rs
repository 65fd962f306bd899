//! Arguments for a tool, made from the schema of its input and from a seed: the same in every run.
//!
//! Invariant: what is made fits the schema. A schema that asks for what is not understood here gets
//! nothing.

use serde_json::{Map, Value, json};

/// Numbers that are the same in every run (`SplitMix64`).
pub(super) struct Seeded(u64);

impl Seeded {
    pub(super) fn new(seed: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// Returns a number below `bound`; 0 if there is none.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap_or_default()
    }

    fn one_of<'a, T>(&mut self, choice: &'a [T]) -> Option<&'a T> {
        let at = self.below(choice.len());
        choice.get(at)
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Makes values for the schemas of one tool.
struct Making<'s> {
    root: &'s Value,
    seeded: &'s mut Seeded,
    /// One of so many members that can be left out is there.
    sparse: usize,
}

/// Returns arguments for a tool with this input, with one of `sparse` members that can be left out;
/// `None` if its schema is not understood.
pub(super) fn arguments(input: &Value, seeded: &mut Seeded, sparse: usize) -> Option<Value> {
    let mut making = Making {
        root: input,
        seeded,
        sparse,
    };
    let mut made = Map::new();
    for (name, schema) in input.get("properties")?.as_object()? {
        let is_needed = requires(input, name);
        if !is_needed && making.leaves_out() {
            continue;
        }
        let value = making.argument(name, schema);
        if value.is_none() && is_needed {
            return None;
        }
        made.extend(value.map(|value| (name.clone(), value)));
    }
    Some(made.into())
}

impl Making<'_> {
    fn leaves_out(&mut self) -> bool {
        self.seeded.below(self.sparse) != 0
    }

    fn argument(&mut self, name: &str, schema: &Value) -> Option<Value> {
        let value = self.value(schema, 0)?;
        // Headers have a dash in their names, and only visible ASCII.
        if name.contains('-') && value.as_str().is_some_and(|text| !text.is_ascii()) {
            return None;
        }
        // A body without a schema is any JSON.
        let is_open = name == "body" && self.flattened(schema, 0)?.get("type").is_none();
        Some(match value {
            Value::String(text) if is_open => json!({"text": text}),
            other => other,
        })
    }

    /// Returns a value of a schema, which lies so deep.
    fn value(&mut self, schema: &Value, depth: usize) -> Option<Value> {
        let schema = self.flattened(schema, depth)?;
        if let Some(value) = schema.get("const") {
            return Some(value.clone());
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let values: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
            return self.seeded.one_of(&values).map(|value| (*value).clone());
        }
        match kind(&schema) {
            "object" => self.object(&schema, depth),
            "array" => self.list(&schema, depth),
            "integer" => number(&schema, &json!([1, 2, 7, 42, 1000]), self.seeded),
            "number" => number(&schema, &json!([1, 0.5, 2.25, 42]), self.seeded),
            "boolean" => Some((self.seeded.below(2) == 1).into()),
            "string" => self.text(&schema),
            _ => None,
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Option<Value> {
        let holder = Value::Object(schema.clone());
        let mut made = Map::new();
        let named = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in named.into_iter().flatten() {
            let is_needed = requires(&holder, name);
            if !is_needed && (depth > 2 || self.leaves_out()) {
                continue;
            }
            let value = self.value(schema, depth + 1);
            if value.is_none() && is_needed {
                return None;
            }
            made.extend(value.map(|value| (name.clone(), value)));
        }
        let more = schema.get("additionalProperties");
        if made.is_empty() && named.is_none() && more != Some(&Value::Bool(false)) {
            let any = Value::Bool(true);
            let value = self.value(more.unwrap_or(&any), depth + 1)?;
            made.insert("key".to_owned(), value);
        }
        let names = schema.get("required").and_then(Value::as_array);
        let mut names = names.into_iter().flatten().filter_map(Value::as_str);
        let is_whole = names.all(|name| made.contains_key(name));
        (is_whole && within(schema, "Properties", made.len())).then_some(made.into())
    }

    fn list(&mut self, schema: &Map<String, Value>, depth: usize) -> Option<Value> {
        let any = Value::Bool(true);
        let items = schema.get("items").unwrap_or(&any);
        let least = bound(schema, "minItems").unwrap_or(0);
        let most = bound(schema, "maxItems").unwrap_or(usize::MAX);
        let count = least.max(1 + self.seeded.below(3)).min(most);
        let mut made: Vec<Value> = Vec::new();
        for _ in 0..count {
            let item = self.value(items, depth + 1)?;
            if schema.get("uniqueItems") != Some(&Value::Bool(true)) || !made.contains(&item) {
                made.push(item);
            }
        }
        within(schema, "Items", made.len()).then_some(made.into())
    }

    fn text(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let fits = |text: &&str| within(schema, "Length", text.chars().count());
        let format = schema.get("format").and_then(Value::as_str);
        let of_format = FORMATS.iter().find(|(name, _)| Some(*name) == format);
        if let Some((_, text)) = of_format.filter(|(_, text)| fits(text)) {
            return Some((*text).into());
        }
        let fitting: Vec<&str> = TEXTS.into_iter().filter(fits).collect();
        if let Some(text) = self.seeded.one_of(&fitting) {
            return Some((*text).into());
        }
        let least = bound(schema, "minLength").unwrap_or(1).max(1);
        let text = "x".repeat(least.min(LONGEST));
        fits(&text.as_str()).then(|| text.into())
    }

    /// Returns a schema without references and parts: one of each choice, all that must hold.
    fn flattened(&mut self, schema: &Value, depth: usize) -> Option<Map<String, Value>> {
        if depth > DEEPEST {
            return None;
        }
        let members = match schema {
            Value::Bool(true) => return Some(Map::new()),
            Value::Object(members) => members,
            _ => return None,
        };
        let mut flat = Map::new();
        for (keyword, value) in members {
            let part = match keyword.as_str() {
                "$ref" => {
                    let pointer = value.as_str()?.strip_prefix('#')?;
                    let target = self.root.pointer(pointer)?.clone();
                    self.flattened(&target, depth + 1)?
                }
                "anyOf" => {
                    let parts = value.as_array()?.iter();
                    let parts = parts.filter(|part| part.get("type") != Some(&json!("null")));
                    let parts: Vec<Value> = parts.cloned().collect();
                    let part = self.seeded.one_of(&parts)?.clone();
                    self.flattened(&part, depth + 1)?
                }
                "allOf" => {
                    let mut all = Map::new();
                    for part in value.as_array()? {
                        let part = self.flattened(part, depth + 1)?;
                        if part.get("additionalProperties") == Some(&Value::Bool(false)) {
                            return None;
                        }
                        merge(&mut all, part)?;
                    }
                    all
                }
                other if NOT_UNDERSTOOD.contains(&other) => return None,
                _ => [(keyword.clone(), value.clone())].into_iter().collect(),
            };
            merge(&mut flat, part)?;
        }
        Some(flat)
    }
}

/// Adds what another schema asks for; `None` if both speak of the same otherwise.
fn merge(into: &mut Map<String, Value>, other: Map<String, Value>) -> Option<()> {
    for (keyword, value) in other {
        let Some(own) = into.get_mut(&keyword) else {
            into.insert(keyword, value);
            continue;
        };
        match (own, value) {
            (Value::Object(own), Value::Object(more)) if keyword == "properties" => {
                own.extend(more);
            }
            (Value::Array(own), Value::Array(more)) if keyword == "required" => own.extend(more),
            (own, value) => {
                let is_text = ["title", "description"].contains(&keyword.as_str());
                (is_text || *own == value).then_some(())?;
            }
        }
    }
    Some(())
}

fn requires(schema: &Value, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|other| other == name))
}

/// Returns the type of a schema's values.
fn kind(schema: &Map<String, Value>) -> &str {
    let names = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().find(|name| *name != "null"),
        other => other,
    };
    match names.and_then(Value::as_str) {
        Some(name) => name,
        None if schema.contains_key("properties") => "object",
        None if schema.contains_key("items") => "array",
        None => "string",
    }
}

fn number(schema: &Map<String, Value>, choice: &Value, seeded: &mut Seeded) -> Option<Value> {
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let fits = |value: &&Value| {
        let value = value.as_f64().unwrap_or_default();
        limit("minimum").is_none_or(|least| value >= least)
            && limit("maximum").is_none_or(|most| value <= most)
            && limit("exclusiveMinimum").is_none_or(|least| value > least)
            && limit("exclusiveMaximum").is_none_or(|most| value < most)
    };
    let fitting: Vec<&Value> = choice.as_array()?.iter().filter(fits).collect();
    let least = schema.get("minimum").filter(|least| least.is_i64());
    let chosen = seeded.one_of(&fitting).copied().or(least);
    chosen.filter(fits).cloned()
}

/// Returns true if a count lies within the bounds of this name.
fn within(schema: &Map<String, Value>, of: &str, count: usize) -> bool {
    let [least, most] = ["min", "max"].map(|end| bound(schema, &format!("{end}{of}")));
    least.is_none_or(|least| count >= least) && most.is_none_or(|most| count <= most)
}

fn bound(schema: &Map<String, Value>, name: &str) -> Option<usize> {
    let bound = schema.get(name).and_then(Value::as_u64)?;
    usize::try_from(bound).ok()
}

/// Texts that mean something else if a part of a request is not encoded.
const TEXTS: [&str; 12] = [
    "x",
    "plain",
    "a b",
    "é",
    "a&b=c",
    "50%",
    "%2f..",
    "x+y",
    "#?:@!$'()*;",
    "<q>\"'|^`{}",
    "one,two",
    "日本 ~_.-",
];
const FORMATS: [(&str, &str); 7] = [
    ("date-time", "2026-01-02T03:04:05Z"),
    ("date", "2026-01-02"),
    ("time", "03:04:05Z"),
    ("email", "a+b@example.com"),
    ("uri", "https://example.com/a%20b?c=d&e#f"),
    ("uuid", "8c1b9a52-0d0c-4a52-9d1c-6a6f5d3c2b1a"),
    ("ipv4", "192.0.2.7"),
];
const NOT_UNDERSTOOD: [&str; 11] = [
    "pattern",
    "not",
    "if",
    "contains",
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "multipleOf",
    "unevaluatedProperties",
    "unevaluatedItems",
];
const DEEPEST: usize = 8;
const LONGEST: usize = 200;
