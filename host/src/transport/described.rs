//! A tool and its results as clients of a revision see them.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::model::{Icon, MetaObject, Tool as McpTool, ToolAnnotations};
use serde_json::{Value, json};

use super::revision::{Lacks, Revision};
use crate::dispatch::{Definition, Facets, Tool};
use crate::identity::Caller;
use crate::sandbox::ToolResult;
use crate::schema::{Dialect, Schema, WRAP, is_record, record_of};

/// Returns a tool as clients of a revision see it.
pub(super) fn describe(tool: &Tool, dialect: Dialect) -> McpTool {
    let definition = &tool.definition;
    let shown = &definition.face.shown;
    let mut described = McpTool::new(
        definition.name.clone(),
        definition.description.clone(),
        shown.input.input_for(dialect),
    );
    described.title.clone_from(&definition.title);
    let output = shown.output.as_ref().map(|output| output.form(dialect));
    described.output_schema = output.map(|output| Arc::clone(&output.members));
    let mut annotations = ToolAnnotations::default();
    annotations.title.clone_from(&definition.title);
    annotations.read_only_hint = definition.face.annotations.read_only;
    annotations.destructive_hint = definition.face.annotations.destructive;
    annotations.idempotent_hint = definition.face.annotations.idempotent;
    // A tool without services cannot reach anything, whatever its description claims.
    let closed = tool.backing.services().is_empty().then_some(false);
    annotations.open_world_hint = closed.or(definition.face.annotations.open_world);
    described.annotations = Some(annotations);
    described.icons = icons(&definition.facets);
    described.meta = definition.meta.clone().map(MetaObject);
    described
}

/// Returns icons as clients see them.
pub(super) fn icons(facets: &Facets) -> Option<Vec<Icon>> {
    let read = |icon: &Value| serde_json::from_value(icon.clone()).ok();
    let icons: Vec<Icon> = facets.icons.iter().filter_map(read).collect();
    (!icons.is_empty()).then_some(icons)
}

/// Adds the scopes that a call needs, for a caller who lacks some of them and could get them, as
/// the caller's client asks for them.
pub(super) fn add_scopes(meta: &mut Option<MetaObject>, scopes: &[String], caller: &Caller) {
    let meta = meta.get_or_insert_default();
    meta.0
        .insert(SCOPES.to_owned(), json!(caller.spell(scopes)));
}

/// The form in which clients of a revision read the results of one tool.
#[derive(Debug, Clone)]
pub(super) enum ResultForm {
    /// Any structured content.
    Any,
    /// Structured content is an object.
    Object {
        /// The tool's output schema. Clients may check errors against it too.
        schema: Option<Arc<Schema>>,
        /// The schema that clients see describes the member [`WRAP`] of the result.
        is_wrapped: bool,
        /// The content that the revision does not have.
        lacks: Lacks,
    },
}

impl ResultForm {
    /// Returns the form for results of the tool with this definition, if it is known.
    pub(super) fn of(revision: Revision, definition: Option<&Definition>) -> Self {
        if revision.typed_results {
            return Self::Any;
        }
        let shown = definition.and_then(|definition| definition.face.shown.output.as_ref());
        Self::Object {
            schema: definition.and_then(|definition| definition.face.output.clone()),
            is_wrapped: shown.is_some_and(|output| output.is_wrapped),
            lacks: revision.lacks,
        }
    }

    /// Returns the structured content of `answer`.
    pub(super) fn structured<'a>(&self, answer: &'a ToolResult) -> Option<Structured<'a>> {
        let value = answer.structured.as_ref()?;
        let Self::Object {
            schema, is_wrapped, ..
        } = self
        else {
            return Some(Structured::Whole(value));
        };
        if schema.is_some() && answer.is_error {
            return None;
        }
        match (value, schema) {
            (Value::Object(members), _) if !is_wrapped && is_record(members) => {
                Some(Structured::Whole(value))
            }
            // The schema does not name the members that a part of the clients cannot read.
            (Value::Object(members), Some(schema)) if !is_wrapped => {
                let rest = Value::Object(record_of(members));
                match schema.check(&rest) {
                    Ok(()) => Some(Structured::Part(rest)),
                    Err(_) => Some(Structured::Whole(value)),
                }
            }
            _ => Some(Structured::Wrapped(json!({WRAP: value}))),
        }
    }

    /// Returns the content of `answer` beside its structured content in this form. What that lacks
    /// is there as text.
    pub(super) fn content<'a>(
        &self,
        answer: &'a ToolResult,
        structured: Option<&Structured<'_>>,
    ) -> Cow<'a, [Value]> {
        let mut content = Cow::Borrowed(answer.content.as_slice());
        if let Self::Object { lacks, .. } = self
            && answer
                .content
                .iter()
                .any(|block| instead(block, *lacks).is_some())
        {
            let known = |block: &Value| known(block, *lacks);
            content = answer.content.iter().map(known).collect();
        }
        if let Some(value) = &answer.structured
            && is_text_needed(structured, value, &content)
        {
            content.to_mut().push(text(&value.to_string()));
        }
        content
    }
}

/// The structured content of a result, as clients of a revision get it.
#[derive(Debug)]
pub(super) enum Structured<'a> {
    /// What the tool returned.
    Whole(&'a Value),
    /// An object whose member [`WRAP`] is what the tool returned.
    Wrapped(Value),
    /// What the tool returned, without members that a part of the clients cannot read.
    Part(Value),
}

impl Structured<'_> {
    /// Returns the value that is sent.
    pub(super) fn value(&self) -> &Value {
        match self {
            Self::Whole(value) => value,
            Self::Wrapped(value) | Self::Part(value) => value,
        }
    }
}

/// Returns true if `content` needs the text of `value`, the structured content that the tool
/// returned. A value in another form needs some text, and a value in part its own.
fn is_text_needed(sent: Option<&Structured<'_>>, value: &Value, content: &[Value]) -> bool {
    let mut texts = content.iter().filter(|block| kind(block) == "text");
    match sent {
        Some(Structured::Whole(_)) => false,
        Some(Structured::Wrapped(_)) | None => texts.next().is_none(),
        Some(Structured::Part(_)) => {
            let whole = value.to_string();
            !texts.any(|block| block.get("text").and_then(Value::as_str) == Some(&whole))
        }
    }
}

/// Returns a block, or what stands for it in a revision that does not have it.
pub(super) fn known(block: &Value, lacks: Lacks) -> Value {
    instead(block, lacks).unwrap_or_else(|| block.clone())
}

/// Returns the text that stands for a block which the revision does not have.
fn instead(block: &Value, lacks: Lacks) -> Option<Value> {
    let member = |name| block.get(name).and_then(Value::as_str).unwrap_or_default();
    match (kind(block), lacks) {
        ("resource_link", Lacks::Links | Lacks::LinksAndSound) => {
            Some(text(&format!("{}: {}", member("name"), member("uri"))))
        }
        ("audio", Lacks::LinksAndSound) => {
            Some(text(&format!("(sound of type {})", member("mimeType"))))
        }
        _ => None,
    }
}

fn kind(block: &Value) -> &str {
    block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// The member of a tool's `_meta` with the scopes that it needs.
const SCOPES: &str = "io.bailiwick/scopes";

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(structured: Option<Value>, texts: &[&str], is_error: bool) -> ToolResult {
        let block = |text: &&str| json!({"type": "text", "text": text});
        ToolResult {
            content: texts.iter().map(block).collect(),
            structured,
            is_error,
            meta: serde_json::Map::new(),
        }
    }

    /// Returns the form before 2026-07-28 for a tool with this output schema.
    fn object(schema: Option<&Value>, is_wrapped: bool) -> ResultForm {
        let compiled = schema.map(|schema| Schema::compile(&schema.to_string()));
        ResultForm::Object {
            schema: compiled.and_then(Result::ok).map(Arc::new),
            is_wrapped,
            lacks: Lacks::Nothing,
        }
    }

    #[test]
    fn a_result_has_the_form_that_the_strictest_client_of_its_revision_accepts() {
        let (list, map) = (json!([1, null]), json!({"a": 1}));
        let named = json!({"constructor": 1});
        let (any, null) = (json!({}), Value::Null);
        for (form, given, is_error, sent) in [
            (ResultForm::Any, &list, false, Some(list.clone())),
            (ResultForm::Any, &list, true, Some(list.clone())),
            (ResultForm::Any, &named, false, Some(named.clone())),
            (object(None, false), &map, false, Some(map.clone())),
            (object(None, false), &map, true, Some(map.clone())),
            (
                object(None, false),
                &list,
                false,
                Some(json!({"result": list})),
            ),
            (
                object(None, false),
                &null,
                false,
                Some(json!({"result": null})),
            ),
            (
                object(None, false),
                &named,
                false,
                Some(json!({"result": named})),
            ),
            (object(Some(&any), false), &map, false, Some(map.clone())),
            (
                object(Some(&any), true),
                &map,
                false,
                Some(json!({"result": map})),
            ),
            (
                object(Some(&any), true),
                &named,
                false,
                Some(json!({"result": named})),
            ),
            (object(Some(&any), false), &map, true, None),
        ] {
            let answer = answer(Some(given.clone()), &["fine"], is_error);
            let structured = form.structured(&answer);
            assert_eq!(
                structured.as_ref().map(Structured::value),
                sent.as_ref(),
                "{form:?} {given}"
            );
            assert_eq!(
                form.content(&answer, structured.as_ref()).len(),
                1,
                "{form:?} {given}"
            );
        }
    }

    #[test]
    fn a_member_that_old_clients_cannot_read_costs_them_itself_and_not_the_result() {
        let open = json!({"type": "object", "required": ["a"]});
        let full = json!({"type": "object", "minProperties": 3});
        let plain = json!({"a": 1, "toString": 2});
        for (schema, given, sent) in [
            (
                &open,
                json!({"a": 1, "toString": 2, "constructor": {"x": 3}}),
                Some(&plain),
            ),
            (
                &open,
                json!({"a": 1, "toString": 2, "__proto__": null}),
                Some(&plain),
            ),
            // Without the member it would not be what the tool promised.
            (
                &full,
                json!({"a": 1, "toString": 2, "constructor": 3}),
                None,
            ),
            (&open, json!({"a": {"constructor": 1}}), None),
        ] {
            let form = object(Some(schema), false);
            let whole = given.to_string();
            for texts in [&["fine"][..], &[], &[&whole]] {
                let answer = answer(Some(given.clone()), texts, false);
                let structured = form.structured(&answer);
                let value = structured.as_ref().map(Structured::value);
                assert_eq!(value, Some(sent.unwrap_or(&given)), "{given}");
                let content = form.content(&answer, structured.as_ref());
                let has_whole = content.iter().any(|block| block["text"] == *whole);
                assert_eq!(has_whole, sent.is_some() || texts == [&whole], "{given}");
                assert!(content.len() <= texts.len() + 1 && content.starts_with(&answer.content));
            }
        }
    }

    #[test]
    fn structured_content_that_changes_its_form_is_text_too() {
        let form = object(Some(&json!({})), false);
        let failed = answer(Some(json!({"a": 1})), &[], true);
        assert_eq!(
            *form.content(&failed, None),
            [json!({"type": "text", "text": "{\"a\":1}"})]
        );
        let fine = answer(Some(json!({"a": 1})), &[], false);
        let structured = form.structured(&fine);
        assert!(form.content(&fine, structured.as_ref()).is_empty());
        assert!(form.content(&answer(None, &[], false), None).is_empty());
    }

    #[test]
    fn content_that_a_revision_does_not_have_is_text() {
        let link = json!({"type": "resource_link", "uri": "a://b", "name": "b"});
        let sound = json!({"type": "audio", "data": "AA==", "mimeType": "audio/wav"});
        let all = ToolResult {
            content: vec![link.clone(), sound.clone()],
            ..answer(None, &[], false)
        };
        let (no_link, no_sound) = (text("b: a://b"), text("(sound of type audio/wav)"));
        for (lacks, expected) in [
            (Lacks::Nothing, [&link, &sound]),
            (Lacks::Links, [&no_link, &sound]),
            (Lacks::LinksAndSound, [&no_link, &no_sound]),
        ] {
            let form = ResultForm::Object {
                schema: None,
                is_wrapped: false,
                lacks,
            };
            let content = form.content(&all, None);
            assert!(content.iter().eq(expected), "{lacks:?}: {content:?}");
        }
    }
}
