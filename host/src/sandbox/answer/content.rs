//! Content of a tool, from the interface to MCP's JSON, without what a tool must not say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::bindings::call as wit;
use crate::json::{self, MetaRule};

pub(super) fn block(content: wit::Content, rule: &MetaRule) -> Result<Value, String> {
    let (mut block, meta) = match content {
        wit::Content::Text(content) => (text(&content.text), content.meta),
        wit::Content::Image(media) => (self::media("image", &media)?, media.meta),
        wit::Content::Audio(media) => (self::media("audio", &media)?, media.meta),
        wit::Content::ResourceLink(link) => {
            let mut block = json!({"type": "resource_link", "uri": plain(&link.uri), "name": plain(&link.name)});
            put(
                &mut block,
                "description",
                link.description.as_deref().map(plain),
            );
            put(&mut block, "mimeType", link.mime_type.as_deref().map(plain));
            (block, link.meta)
        }
        wit::Content::EmbeddedResource(resource) => {
            let mut inner = json!({"uri": plain(&resource.uri)});
            put(
                &mut inner,
                "mimeType",
                resource.mime_type.as_deref().map(plain),
            );
            match resource.body {
                wit::ResourceBody::Text(body) => put(&mut inner, "text", Some(plain(&body))),
                wit::ResourceBody::Blob(body) => {
                    put(&mut inner, "blob", Some(STANDARD.encode(body)));
                }
            }
            (
                json!({"type": "resource", "resource": inner}),
                resource.meta,
            )
        }
    };
    let meta = members(meta, rule)?;
    if !meta.is_empty()
        && let Some(block) = block.as_object_mut()
    {
        block.insert("_meta".into(), Value::Object(meta));
    }
    Ok(block)
}

fn media(kind: &str, media: &wit::MediaContent) -> Result<Value, String> {
    let valid = media.mime_type.bytes().all(|byte| byte.is_ascii_graphic())
        && media.mime_type.contains('/');
    if !valid {
        return Err("a media type is malformed".into());
    }
    Ok(json!({"type": kind, "data": STANDARD.encode(&media.data), "mimeType": media.mime_type}))
}

pub(super) fn text(text: &str) -> Value {
    json!({"type": "text", "text": plain(text)})
}

fn put(block: &mut Value, name: &str, value: Option<String>) {
    if let (Some(block), Some(value)) = (block.as_object_mut(), value) {
        block.insert(name.into(), Value::String(value));
    }
}

/// Replaces control characters, because terminal sequences have no place in text that people and
/// models read.
fn plain(text: &str) -> String {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars()
        .map(|c| if control(c) { '\u{fffd}' } else { c })
        .collect()
}

pub(super) fn members(meta: Option<String>, rule: &MetaRule) -> Result<Map<String, Value>, String> {
    match meta.map(|text| parse(&text)).transpose()? {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(rule.outgoing(members)),
        Some(_) => Err("expected a JSON object in every meta".into()),
    }
}

pub(super) fn parse(text: &str) -> Result<Value, String> {
    json::parse(text.as_bytes(), MAX_DEPTH).map_err(|error| error.to_string())
}

pub(super) fn size(output: &wit::Output) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let content = output.content.iter().map(|content| match content {
        wit::Content::Text(text) => text.text.len() + optional(&text.meta),
        wit::Content::Image(media) | wit::Content::Audio(media) => {
            media.data.len() + media.mime_type.len() + optional(&media.meta)
        }
        wit::Content::ResourceLink(link) => {
            link.uri.len()
                + link.name.len()
                + optional(&link.description)
                + optional(&link.mime_type)
                + optional(&link.meta)
        }
        wit::Content::EmbeddedResource(resource) => {
            let body = match &resource.body {
                wit::ResourceBody::Text(body) => body.len(),
                wit::ResourceBody::Blob(body) => body.len(),
            };
            body + resource.uri.len() + optional(&resource.mime_type) + optional(&resource.meta)
        }
    });
    content.map(|bytes| bytes + BLOCK_OVERHEAD).sum::<usize>()
        + optional(&output.structured)
        + optional(&output.meta)
}

const MAX_DEPTH: usize = 64;
const BLOCK_OVERHEAD: usize = 64;
