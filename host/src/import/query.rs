//! The form of a parameter in the query: its keys, and what a template says of each.
//!
//! Invariant: every key that the guest can send is in the template, so the members of an object are
//! keys only if they are known.

use serde_json::Value;

use super::ImportRules;
use super::members::{ApiMembers, MAX_MEMBERS};
use super::program::SentStyle;
use super::references::ApiReferences;
use super::shape::{ValueShape, shape};
use super::support::takes_key;
use super::text::brief;

/// What the document says of a parameter in the query.
pub(super) struct QueryStyle<'d> {
    pub(super) name: &'d str,
    pub(super) style: &'d str,
    /// Whether a list or an object has a key for each of its parts.
    pub(super) explodes: bool,
    pub(super) schema: Option<&'d Value>,
}

/// The form of a parameter in the query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueryForm {
    pub(super) style: SentStyle,
    /// The pairs of the template.
    pub(super) pairs: Vec<String>,
    /// The members that can be sent, if it may be an object.
    pub(super) members: Option<Vec<String>>,
    /// The members that cannot.
    pub(super) left_out: Vec<String>,
}

impl QueryForm {
    /// Returns the form of a parameter that is one value.
    pub(super) fn one(name: &str, style: SentStyle, placeholder: &str) -> Self {
        Self {
            style,
            pairs: vec![format!("{name}={placeholder}")],
            members: None,
            left_out: Vec::new(),
        }
    }

    /// Returns the form of a parameter, or why a query cannot have it.
    pub(super) fn of(
        described: &QueryStyle<'_>,
        references: ApiReferences<'_>,
        rules: &ImportRules,
    ) -> Result<Self, &'static str> {
        let QueryStyle { name, schema, .. } = *described;
        let shape = match schema {
            Some(_) => shape(schema, references),
            None => ValueShape::Scalar,
        };
        let joined = |between| -> Result<Self, &'static str> {
            let mut form = Self::one(name, SentStyle::Joined(between), FREE);
            if shape == ValueShape::Object {
                form.name_members(described, references, rules)?;
            }
            Ok(form)
        };
        match (described.style, shape, described.explodes) {
            ("deepObject", ..) => Self::deep(described, shape, references, rules),
            ("form", ValueShape::Object, true) => {
                let mut form = Self::nothing(SentStyle::Spread);
                form.add_members(described, references, rules)?;
                Ok(form)
            }
            ("spaceDelimited" | "pipeDelimited", ValueShape::Object, true) => {
                Err("an object in this style is one value, and its `explode` says otherwise")
            }
            ("form", _, false) => joined(","),
            ("spaceDelimited", _, false) => joined(" "),
            ("pipeDelimited", _, false) => joined("|"),
            ("form" | "spaceDelimited" | "pipeDelimited", _, true) => {
                Ok(Self::one(name, SentStyle::Repeated, placeholder(shape)))
            }
            _ => Err("its style is not one of queries"),
        }
    }

    /// Returns the form with brackets: `filter[status]=open`, and `expand[]=a&expand[]=b` for a
    /// list, which OpenAPI leaves open.
    fn deep(
        described: &QueryStyle<'_>,
        shape: ValueShape,
        references: ApiReferences<'_>,
        rules: &ImportRules,
    ) -> Result<Self, &'static str> {
        let mut form = Self::nothing(SentStyle::Deep);
        let name = described.name;
        match shape {
            ValueShape::List => form.pairs.push(format!("{name}[]={REPEATED}")),
            ValueShape::Scalar => form.pairs.push(format!("{name}={FREE}")),
            ValueShape::Object => form.add_members(described, references, rules)?,
            ValueShape::Open => {
                form.pairs.push(format!("{name}={FREE}"));
                form.add_members(described, references, rules)?;
            }
        }
        Ok(form)
    }

    fn nothing(style: SentStyle) -> Self {
        Self {
            style,
            pairs: Vec::new(),
            members: None,
            left_out: Vec::new(),
        }
    }

    /// Adds a key for each member that is known.
    fn add_members(
        &mut self,
        described: &QueryStyle<'_>,
        references: ApiReferences<'_>,
        rules: &ImportRules,
    ) -> Result<(), &'static str> {
        let known = ApiMembers::of(described.schema, references);
        let is_deep = self.style == SentStyle::Deep;
        let key = |member: &str| {
            if is_deep {
                format!("{}[{member}]", described.name)
            } else {
                member.to_owned()
            }
        };
        let is_secret = |member: &str| !is_deep && rules.carries_credential("query", member, false);
        let fits = |member: &str, shape: ValueShape| {
            shape != ValueShape::Object && takes_key(&key(member))
        };
        let members = self.sent(&known, fits, |member| {
            rules.drops.contains(member) || is_secret(member)
        })?;
        if members.is_empty() {
            return Err("an object whose members are not known cannot be in a query");
        }
        for (member, shape) in known.shapes {
            if members.contains(&member) {
                let pair = format!("{}={}", key(&member), placeholder(shape));
                self.pairs.push(pair);
            }
        }
        self.members = Some(members);
        Ok(())
    }

    /// Says which members stand in the one value, if they are known.
    fn name_members(
        &mut self,
        described: &QueryStyle<'_>,
        references: ApiReferences<'_>,
        rules: &ImportRules,
    ) -> Result<(), &'static str> {
        let known = ApiMembers::of(described.schema, references);
        if known.shapes.is_empty() {
            return Ok(());
        }
        let fits =
            |_: &str, shape: ValueShape| matches!(shape, ValueShape::Scalar | ValueShape::Open);
        let members = self.sent(&known, fits, |member| rules.drops.contains(member))?;
        if members.is_empty() {
            return Err("none of the object's members can be in one value");
        }
        self.members = Some(members);
        Ok(())
    }

    /// Returns the members that are sent: those that fit and are not skipped. Those that do not fit
    /// are noted.
    fn sent(
        &mut self,
        known: &ApiMembers,
        fits: impl Fn(&str, ValueShape) -> bool,
        is_skipped: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, &'static str> {
        if known.shapes.len() > MAX_MEMBERS {
            return Err("an object with more than 256 members is not supported");
        }
        let mut members = Vec::new();
        for (member, shape) in &known.shapes {
            if is_skipped(member) {
                continue;
            }
            if fits(member, *shape) {
                members.push(member.clone());
            } else {
                self.left_out.push(brief(member));
            }
        }
        if !members.is_empty() && !known.required.iter().all(|name| members.contains(name)) {
            return Err("an object that needs a member which a query cannot have");
        }
        Ok(members)
    }
}

/// Returns what a template says of a key with values of this kind.
fn placeholder(shape: ValueShape) -> &'static str {
    match shape {
        ValueShape::Scalar | ValueShape::Object => FREE,
        ValueShape::List | ValueShape::Open => REPEATED,
    }
}

/// One value, and any number of them, in a template.
pub(super) const FREE: &str = "{}";
const REPEATED: &str = "{*}";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::super::ImportRules;
    use super::{ApiReferences, QueryForm, QueryStyle, SentStyle};

    fn form(style: &str, explodes: bool, schema: &Value) -> Result<QueryForm, &'static str> {
        let described = QueryStyle {
            name: "f",
            style,
            explodes,
            schema: Some(schema),
        };
        let rules = ImportRules {
            drops: BTreeSet::from(["dropped".to_owned()]),
            credentials: BTreeSet::from([("query".to_owned(), "key".to_owned())]),
            ..ImportRules::default()
        };
        QueryForm::of(&described, ApiReferences::new(&Value::Null), &rules)
    }

    #[test]
    fn each_style_has_its_keys() {
        let text = json!({"type": "string"});
        let list = json!({"type": "array"});
        let object = json!({"properties": {"a": {"type": "string"}, "b": {"type": "array"}}});
        let nested = json!({"properties": {"a": {"type": "object"}}});
        let needing = json!({"properties": {"a": {"type": "string"}, "b": {"type": "array"}},
            "required": ["b"]});
        let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let either = json!({"anyOf": [{"properties": {"gt": {"type": "integer"}}},
            {"type": "integer"}]});
        let many = (0..257).map(|number| (format!("m{number}"), json!({})));
        let many = json!({"properties": many.collect::<Value>()});
        let (joined, repeated) = (SentStyle::Joined, SentStyle::Repeated);
        for (style, explodes, schema, sent, pairs) in [
            ("form", true, &text, repeated.clone(), &["f={}"][..]),
            ("form", true, &list, repeated.clone(), &["f={*}"]),
            ("form", true, &json!({}), repeated.clone(), &["f={*}"]),
            (
                "form",
                true,
                &json!({"enum": ["a"]}),
                repeated.clone(),
                &["f={}"],
            ),
            ("form", false, &list, joined(","), &["f={}"]),
            ("spaceDelimited", false, &list, joined(" "), &["f={}"]),
            ("pipeDelimited", false, &list, joined("|"), &["f={}"]),
            ("pipeDelimited", true, &list, repeated, &["f={*}"]),
            ("form", false, &object, joined(","), &["f={}"]),
            ("spaceDelimited", false, &object, joined(" "), &["f={}"]),
            ("pipeDelimited", false, &object, joined("|"), &["f={}"]),
            ("form", false, &free, joined(","), &["f={}"]),
            ("form", false, &json!({}), joined(","), &["f={}"]),
            ("form", true, &object, SentStyle::Spread, &["a={}", "b={*}"]),
            (
                "deepObject",
                true,
                &object,
                SentStyle::Deep,
                &["f[a]={}", "f[b]={*}"],
            ),
            (
                "deepObject",
                true,
                &either,
                SentStyle::Deep,
                &["f={}", "f[gt]={}"],
            ),
            ("deepObject", true, &list, SentStyle::Deep, &["f[]={*}"]),
            ("deepObject", true, &text, SentStyle::Deep, &["f={}"]),
        ] {
            let found = form(style, explodes, schema).map(|form| (form.style, form.pairs));
            let pairs = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            assert_eq!(found, Ok((sent, pairs)), "{style} {schema}");
        }
        for (style, explodes, schema, why) in [
            ("pipeDelimited", true, &object, "is one value"),
            ("form", false, &nested, "none of the object's members"),
            ("form", false, &needing, "needs a member"),
            ("form", false, &many, "more than 256"),
            ("matrix", true, &text, "not one of queries"),
            ("deepObject", true, &json!({"type": "object"}), "not known"),
            ("deepObject", true, &json!({}), "not known"),
            ("form", true, &json!({"type": "object"}), "not known"),
            ("form", true, &many, "more than 256"),
        ] {
            let refused = form(style, explodes, schema).map(|form| form.pairs);
            assert!(refused.is_err_and(|found| found.contains(why)), "{schema}");
        }
    }

    #[test]
    fn an_object_in_one_value_has_the_members_that_one_value_can_have() {
        let properties = json!({"a": {"type": "string"}, "any": {}, "dropped": {}, "key": {},
            "list": {"type": "array"}, "deep": {"type": "object"}, "x y": {"type": "string"}});
        let free = json!({"type": "object", "additionalProperties": true});
        let members = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        for (schema, named, left_out) in [
            (
                json!({"properties": properties, "required": ["a"]}),
                Some(members(&["a", "any", "key", "x y"])),
                members(&["deep", "list"]),
            ),
            (free, None, Vec::new()),
        ] {
            let found = form("form", false, &schema);
            assert_eq!(
                found.map(|form| (form.members, form.left_out)),
                Ok((named, left_out)),
                "{schema}"
            );
        }
    }

    #[test]
    fn members_that_a_query_cannot_have_are_left_out_unless_they_are_needed() {
        let properties = json!({"a": {"type": "string"}, "dropped": {}, "key": {},
            "deep": {"type": "object"}, "x y": {"type": "string"}, "u&b=c": {"type": "string"}});
        let found = form(
            "form",
            true,
            &json!({"properties": properties, "required": ["a"]}),
        );
        assert_eq!(
            found.map(|form| (form.pairs, form.members, form.left_out)),
            Ok((
                vec!["a={}".to_owned()],
                Some(vec!["a".to_owned()]),
                ["deep", "u&b=c", "x y"].map(str::to_owned).to_vec(),
            ))
        );
        for needed in ["deep", "dropped", "key", "x y", "unknown"] {
            let schema = json!({"properties": properties, "required": [needed]});
            let refused = form("form", true, &schema).map(|form| form.pairs);
            assert!(
                refused.is_err_and(|why| why.contains("needs a member")),
                "{needed}"
            );
        }
    }
}
