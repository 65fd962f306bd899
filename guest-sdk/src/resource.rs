//! The contents of a resource, and the members of a family.
//!
//! Invariant: contents whose URI or media type the author left out have those of what was asked
//! for.

use serde::Serialize;

use crate::Error;
use crate::bindings::resources::{Item, Page as WirePage};
use crate::content::{EmbeddedResource, ResourceBody};
use crate::outcome::gives;

/// The contents of a resource: one part, or several with URIs of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    whole: Option<Whole>,
    parts: Vec<EmbeddedResource>,
}

/// The part that has the URI that was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Whole {
    mime_type: Option<String>,
    body: ResourceBody,
    meta: Option<String>,
}

impl Contents {
    /// Makes contents of a text or of bytes. The URI is the one that was asked for, the media type
    /// that of the definition.
    pub fn of(body: impl Into<ResourceBody>) -> Self {
        let whole = Whole {
            mime_type: None,
            body: body.into(),
            meta: None,
        };
        Self {
            whole: Some(whole),
            parts: Vec::new(),
        }
    }

    /// Makes contents of a value, as JSON.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, Error> {
        Ok(Self::of(serde_json::to_string(value)?).mime_type("application/json"))
    }

    /// Makes contents of parts with URIs of their own.
    pub fn of_parts(parts: impl IntoIterator<Item = EmbeddedResource>) -> Self {
        Self {
            whole: None,
            parts: parts.into_iter().collect(),
        }
    }

    /// Sets another media type than the definition's.
    #[must_use]
    pub fn mime_type(mut self, mime_type: &str) -> Self {
        if let Some(whole) = &mut self.whole {
            whole.mime_type = Some(mime_type.to_owned());
        }
        self
    }

    /// Sets further metadata, for the client.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn meta(mut self, object: &impl Serialize) -> Result<Self, Error> {
        if let Some(whole) = &mut self.whole {
            whole.meta = Some(serde_json::to_string(object)?);
        }
        Ok(self)
    }

    /// Adds a part with a URI of its own, a text or bytes.
    #[must_use]
    pub fn and_part(mut self, uri: &str, mime_type: &str, body: impl Into<ResourceBody>) -> Self {
        self.parts.push(EmbeddedResource {
            uri: uri.to_owned(),
            mime_type: Some(mime_type.to_owned()),
            body: body.into(),
            meta: None,
        });
        self
    }

    /// Returns the parts, for the URI that was asked for and the media type of its definition.
    pub(crate) fn into_wire(self, uri: &str, mime_type: Option<&str>) -> Vec<EmbeddedResource> {
        let named = |whole: Whole| EmbeddedResource {
            uri: uri.to_owned(),
            mime_type: whole.mime_type.or_else(|| mime_type.map(str::to_owned)),
            body: whole.body,
            meta: whole.meta,
        };
        self.whole
            .map(named)
            .into_iter()
            .chain(self.parts)
            .collect()
    }
}

impl<T: Into<ResourceBody>> From<T> for Contents {
    fn from(body: T) -> Self {
        Self::of(body)
    }
}

gives!(Contents: Contents, &str, String, Vec<u8>, &[u8]);

/// One member of a family, for the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Member(Item);

impl Member {
    /// Makes a member of its URI, which the family's function makes (`order::uri(id)`), and its
    /// name.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self(Item {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            size: None,
            meta: None,
        })
    }

    /// Sets the title for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.0.title = Some(title.into());
        self
    }

    /// Sets the description for the model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.0.description = Some(description.into());
        self
    }

    /// Sets the size in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.0.size = Some(bytes);
        self
    }

    /// Sets further metadata, for the client.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn meta(mut self, object: &impl Serialize) -> Result<Self, Error> {
        self.0.meta = Some(serde_json::to_string(object)?);
        Ok(self)
    }

    /// Returns the URI. For tests.
    pub fn uri(&self) -> &str {
        &self.0.uri
    }
}

/// A part of the members of a family. A `Vec` of members converts to the only one.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    members: Vec<Member>,
    next: Option<String>,
}

impl Page {
    /// Makes the last part.
    pub fn of(members: impl IntoIterator<Item = Member>) -> Self {
        Self {
            members: members.into_iter().collect(),
            next: None,
        }
    }

    /// Says where the next part begins. The function is called again with it.
    #[must_use]
    pub fn next(mut self, cursor: impl Into<String>) -> Self {
        self.next = Some(cursor.into());
        self
    }

    /// Returns the members. For tests.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns where the next part begins. For tests.
    pub fn cursor(&self) -> Option<&str> {
        self.next.as_deref()
    }

    pub(crate) fn into_wire(self) -> WirePage {
        WirePage {
            items: self.members.into_iter().map(|member| member.0).collect(),
            next: self.next,
        }
    }
}

impl From<Vec<Member>> for Page {
    fn from(members: Vec<Member>) -> Self {
        Self::of(members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Contents, Member, Page};
    use crate::Error;
    use crate::content::ResourceBody;

    #[test]
    fn contents_without_a_uri_have_the_one_that_was_asked_for() -> Result<(), Error> {
        let asked = ("orders://terms", Some("text/markdown"));
        let terms = Contents::of("# Terms").meta(&json!({"a": 1}))?;
        let [part] = &terms.into_wire(asked.0, asked.1)[..] else {
            unreachable!("one part")
        };
        assert_eq!(part.uri, "orders://terms");
        assert_eq!(part.mime_type.as_deref(), Some("text/markdown"));
        assert_eq!(part.body, ResourceBody::Text("# Terms".into()));
        assert_eq!(part.meta.as_deref(), Some(r#"{"a":1}"#));
        let both = Contents::json(&[1])?.and_part("orders://terms/logo", "image/png", vec![1]);
        let parts = both.into_wire(asked.0, asked.1);
        let types: Vec<_> = parts.iter().map(|part| part.mime_type.as_deref()).collect();
        assert_eq!(types, [Some("application/json"), Some("image/png")]);
        let alone = Contents::of_parts(parts.clone().into_iter().skip(1));
        assert_eq!(
            alone.into_wire(asked.0, None),
            parts.get(1..).unwrap_or_default()
        );
        Ok(())
    }

    #[test]
    fn a_page_says_where_the_next_begins() {
        let page = Page::of([Member::new("orders://1", "1").size(7)]).next("2");
        assert_eq!(page.cursor(), Some("2"));
        let uris: Vec<_> = page.members().iter().map(Member::uri).collect();
        assert_eq!(uris, ["orders://1"]);
        let wire = page.into_wire();
        assert_eq!(wire.next.as_deref(), Some("2"));
        assert_eq!(wire.items.first().and_then(|item| item.size), Some(7));
        assert_eq!(Page::from(Vec::new()).cursor(), None);
    }
}
