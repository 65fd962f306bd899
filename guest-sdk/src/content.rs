//! The items of a result or of a message, and the kinds of questions, as the interface has them.

pub use crate::bindings::types::{
    Content, EmbeddedResource, MediaContent, Question, ResourceBody, ResourceLink, TextContent,
};

/// Returns a text.
pub fn text(text: impl Into<String>) -> Content {
    let text = text.into();
    Content::Text(TextContent { text, meta: None })
}

/// Returns an image, such as `image/png`.
pub fn image(mime_type: &str, data: impl Into<Vec<u8>>) -> Content {
    Content::Image(media(mime_type, data.into()))
}

/// Returns a sound, such as `audio/wav`.
pub fn audio(mime_type: &str, data: impl Into<Vec<u8>>) -> Content {
    Content::Audio(media(mime_type, data.into()))
}

/// Returns a pointer to a resource.
pub fn link(uri: &str, name: &str) -> Content {
    Content::ResourceLink(ResourceLink {
        uri: uri.to_owned(),
        name: name.to_owned(),
        description: None,
        mime_type: None,
        meta: None,
    })
}

/// Returns a resource with its content, a text or bytes.
pub fn resource(uri: &str, mime_type: &str, body: impl Into<ResourceBody>) -> Content {
    Content::EmbeddedResource(EmbeddedResource {
        uri: uri.to_owned(),
        mime_type: Some(mime_type.to_owned()),
        body: body.into(),
        meta: None,
    })
}

fn media(mime_type: &str, data: Vec<u8>) -> MediaContent {
    MediaContent {
        data,
        mime_type: mime_type.to_owned(),
        meta: None,
    }
}

impl From<&str> for Content {
    fn from(said: &str) -> Self {
        text(said)
    }
}

impl From<String> for Content {
    fn from(said: String) -> Self {
        text(said)
    }
}

impl From<&str> for ResourceBody {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ResourceBody {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for ResourceBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for ResourceBody {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}
