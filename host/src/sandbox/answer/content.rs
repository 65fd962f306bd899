//! Content of a tool, from the interface to MCP's JSON, without what a tool must not say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::bindings::call as wit;
use super::super::plain::{parse, plain};
use crate::json::MetaRule;

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
        wit::Content::EmbeddedResource(mut resource) => {
            let meta = resource.meta.take();
            let inner = contents(resource);
            (json!({"type": "resource", "resource": inner}), meta)
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

/// Returns a resource with its text or its bytes, without its `_meta`.
pub(super) fn contents(resource: wit::EmbeddedResource) -> Value {
    let mut contents = json!({"uri": plain(&resource.uri)});
    let mime_type = resource.mime_type.as_deref().map(plain);
    put(&mut contents, "mimeType", mime_type);
    match resource.body {
        wit::ResourceBody::Text(body) => put(&mut contents, "text", Some(plain(&body))),
        wit::ResourceBody::Blob(body) => put(&mut contents, "blob", Some(STANDARD.encode(body))),
    }
    contents
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

pub(super) fn put(block: &mut Value, name: &str, value: Option<String>) {
    if let (Some(block), Some(value)) = (block.as_object_mut(), value) {
        block.insert(name.into(), Value::String(value));
    }
}

pub(super) fn members(meta: Option<String>, rule: &MetaRule) -> Result<Map<String, Value>, String> {
    match meta.map(|text| parse(&text)).transpose()? {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(rule.outgoing(members)),
        Some(_) => Err("expected a JSON object in every meta".into()),
    }
}
