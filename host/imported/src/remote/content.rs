//! The items of a result: MCP's content as the interface to the host has it.

use bailiwick_sdk::bindings::types;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// An item of any kind (MCP, `ContentBlock`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    data: Option<String>,
    mime_type: Option<String>,
    uri: Option<String>,
    name: Option<String>,
    description: Option<String>,
    resource: Option<Contents>,
}

/// An embedded resource (MCP, `TextResourceContents` and `BlobResourceContents`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contents {
    uri: String,
    mime_type: Option<String>,
    text: Option<String>,
    blob: Option<String>,
}

impl Item {
    /// Returns the item for the host; `None` if it is of no known kind, or lacks what its kind has.
    pub(super) fn content(self) -> Option<types::Content> {
        match self.kind.as_str() {
            "text" => self.text.map(text),
            "image" => self.media().map(types::Content::Image),
            "audio" => self.media().map(types::Content::Audio),
            "resource_link" => self.link().map(types::Content::ResourceLink),
            "resource" => {
                let embedded = self.resource?.embedded();
                embedded.map(types::Content::EmbeddedResource)
            }
            _ => None,
        }
    }

    fn media(self) -> Option<types::MediaContent> {
        Some(types::MediaContent {
            data: STANDARD.decode(self.data?).ok()?,
            mime_type: self.mime_type?,
            meta: None,
        })
    }

    fn link(self) -> Option<types::ResourceLink> {
        Some(types::ResourceLink {
            uri: self.uri?,
            name: self.name?,
            description: self.description,
            mime_type: self.mime_type,
            meta: None,
        })
    }
}

impl Contents {
    fn embedded(self) -> Option<types::EmbeddedResource> {
        let body = match (self.text, self.blob) {
            (Some(text), None) => types::ResourceBody::Text(text),
            (None, Some(blob)) => types::ResourceBody::Blob(STANDARD.decode(blob).ok()?),
            _ => return None,
        };
        Some(types::EmbeddedResource {
            uri: self.uri,
            mime_type: self.mime_type,
            body,
            meta: None,
        })
    }
}

/// Returns an item of text.
pub(super) fn text(text: String) -> types::Content {
    types::Content::Text(types::TextContent { text, meta: None })
}
