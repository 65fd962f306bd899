//! The form of a parameter in the query: its keys, and what a template says of each.
//!
//! Invariant: every key that the guest can send is in the template, so an object's members are sent
//! only if they are known.

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
        let joined = |between| Ok(Self::one(name, SentStyle::Joined(between), FREE));
        match (described.style, shape, described.explodes) {
            ("deepObject", ..) => Self::deep(described, shape, references, rules),
            ("form", ValueShape::Object, true) => {
                let mut form = Self::nothing(SentStyle::Spread);
                form.add_members(described, references, rules)?;
                Ok(form)
            }
            (_, ValueShape::Object, _) => Err("an object in one value is not supported"),
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
        if known.shapes.len() > MAX_MEMBERS {
            return Err("an object with more than 256 members is not supported");
        }
        let is_deep = self.style == SentStyle::Deep;
        let mut members = Vec::new();
        for (member, shape) in known.shapes {
            let key = if is_deep {
                format!("{}[{member}]", described.name)
            } else {
                member.clone()
            };
            let is_secret = !is_deep && rules.carries_credential("query", &member, false);
            if rules.drops.contains(&member) || is_secret {
                continue;
            }
            if shape == ValueShape::Object || !takes_key(&key) {
                self.left_out.push(brief(&member));
                continue;
            }
            self.pairs.push(format!("{key}={}", placeholder(shape)));
            members.push(member);
        }
        if members.is_empty() {
            return Err("an object whose members are not known cannot be in a query");
        }
        if !known.required.iter().all(|name| members.contains(name)) {
            return Err("an object that needs a member which a query cannot have");
        }
        self.members = Some(members);
        Ok(())
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
            ("form", false, &object, "in one value"),
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
