//! A tool and its results as clients of a revision see them.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::model::{MetaObject, Tool as McpTool, ToolAnnotations};
use serde_json::{Value, json};

use super::revision::{Lacks, Revision};
use crate::dispatch::{Definition, Tool};
use crate::identity::Caller;
use crate::sandbox::Answer;
use crate::schema::{Dialect, WRAP, is_record};

/// Returns a tool as clients of a revision see it.
pub(super) fn describe(tool: &Tool, dialect: Dialect) -> McpTool {
    let definition = &tool.definition;
    let shown = &definition.shown;
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
    annotations.read_only_hint = definition.annotations.read_only;
    annotations.destructive_hint = definition.annotations.destructive;
    annotations.idempotent_hint = definition.annotations.idempotent;
    // A tool without services cannot reach anything, whatever its description claims.
    let closed = tool.backing.services().is_empty().then_some(false);
    annotations.open_world_hint = closed.or(definition.annotations.open_world);
    described.annotations = Some(annotations);
    described.meta = definition.meta.clone().map(MetaObject);
    described
}

/// Adds the scopes that a call of the tool needs, for a caller who lacks some of them and could get
/// them, as the caller's client asks for them.
pub(super) fn with_scopes(mut described: McpTool, tool: &Tool, caller: &Caller) -> McpTool {
    let meta = described.meta.get_or_insert_default();
    let scopes = json!(caller.spell(tool.definition.scopes()));
    meta.0.insert(SCOPES.to_owned(), scopes);
    described
}

/// The form in which clients of a revision read the results of one tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultForm {
    /// Any structured content.
    Any,
    /// Structured content is an object.
    Object {
        /// The tool has an output schema. Clients may check errors against it too.
        has_schema: bool,
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
        let output = definition.and_then(|definition| definition.shown.output.as_ref());
        Self::Object {
            has_schema: output.is_some(),
            is_wrapped: output.is_some_and(|output| output.is_wrapped),
            lacks: revision.lacks,
        }
    }

    /// Returns the structured content of `answer`.
    pub(super) fn structured(self, answer: &Answer) -> Option<Cow<'_, Value>> {
        let value = answer.structured.as_ref()?;
        let Self::Object {
            has_schema,
            is_wrapped,
            ..
        } = self
        else {
            return Some(Cow::Borrowed(value));
        };
        if has_schema && answer.is_error {
            return None;
        }
        let is_readable = value
            .as_object()
            .is_some_and(|map| has_schema || is_record(map));
        if is_wrapped || !is_readable {
            return Some(Cow::Owned(json!({WRAP: value})));
        }
        Some(Cow::Borrowed(value))
    }

    /// Returns the content of `answer` beside its structured content in this form. If that is
    /// changed or left out and there is no text, the text of what it was is added.
    pub(super) fn content<'a>(
        self,
        answer: &'a Answer,
        structured: Option<&Cow<'_, Value>>,
    ) -> Cow<'a, [Value]> {
        let is_changed = !matches!(structured, Some(Cow::Borrowed(_)));
        let mut content = Cow::Borrowed(answer.content.as_slice());
        if let Self::Object { lacks, .. } = self
            && answer
                .content
                .iter()
                .any(|block| instead(block, lacks).is_some())
        {
            let known = |block: &Value| instead(block, lacks).unwrap_or_else(|| block.clone());
            content = answer.content.iter().map(known).collect();
        }
        let is_text = |block: &Value| kind(block) == "text";
        match &answer.structured {
            Some(value) if is_changed && !content.iter().any(is_text) => {
                content.to_mut().push(text(&value.to_string()));
                content
            }
            _ => content,
        }
    }
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

    fn answer(structured: Option<Value>, texts: &[&str], is_error: bool) -> Answer {
        let block = |text: &&str| json!({"type": "text", "text": text});
        Answer {
            content: texts.iter().map(block).collect(),
            structured,
            is_error,
            meta: serde_json::Map::new(),
        }
    }

    #[test]
    fn a_result_has_the_form_that_the_strictest_client_of_its_revision_accepts() {
        let object = |has_schema, is_wrapped| ResultForm::Object {
            has_schema,
            is_wrapped,
            lacks: Lacks::Nothing,
        };
        let (list, map) = (json!([1, null]), json!({"a": 1}));
        let named = json!({"constructor": 1});
        for (form, given, is_error, sent) in [
            (ResultForm::Any, &list, false, Some(list.clone())),
            (ResultForm::Any, &list, true, Some(list.clone())),
            (object(false, false), &map, false, Some(map.clone())),
            (object(false, false), &map, true, Some(map.clone())),
            (
                object(false, false),
                &list,
                false,
                Some(json!({"result": list})),
            ),
            (
                object(false, false),
                &Value::Null,
                false,
                Some(json!({"result": null})),
            ),
            (
                object(false, false),
                &named,
                false,
                Some(json!({"result": named})),
            ),
            (object(true, false), &map, false, Some(map.clone())),
            (
                object(true, true),
                &map,
                false,
                Some(json!({"result": map})),
            ),
            (object(true, false), &map, true, None),
        ] {
            let answer = answer(Some(given.clone()), &["fine"], is_error);
            assert_eq!(
                form.structured(&answer).as_deref(),
                sent.as_ref(),
                "{form:?} {given}"
            );
            assert_eq!(
                form.content(&answer, form.structured(&answer).as_ref())
                    .len(),
                1,
                "{form:?} {given}"
            );
        }
    }

    #[test]
    fn structured_content_that_changes_its_form_is_text_too() {
        let form = ResultForm::Object {
            has_schema: true,
            is_wrapped: false,
            lacks: Lacks::Nothing,
        };
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
        let all = Answer {
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
                has_schema: false,
                is_wrapped: false,
                lacks,
            };
            let content = form.content(&all, None);
            assert!(content.iter().eq(expected), "{lacks:?}: {content:?}");
        }
    }
}
