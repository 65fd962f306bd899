//! The typed view of a document's operations: their methods, names and tags.
//!
//! Invariant: an operation has the same tool name whatever else is chosen, and no two have one.

use serde_json::Value;

use super::document::ApiDocument;
use super::item::ApiItem;
use super::left_out::LeftOut;
use super::names::tool_names;

/// The methods of operations that tools can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiMethod {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl ApiMethod {
    /// Returns the method of a member of a path item, such as `get`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "get" => Some(Self::Get),
            "head" => Some(Self::Head),
            "post" => Some(Self::Post),
            "put" => Some(Self::Put),
            "patch" => Some(Self::Patch),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }

    /// Returns the method as HTTP spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Returns true if it changes nothing (RFC 9110 §9.2.1).
    pub fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    /// Returns true if repeating it changes nothing more (RFC 9110 §9.2.2).
    pub(super) fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }

    /// Returns whether it destroys something; `None` if that depends on the service.
    pub(super) fn is_destructive(self) -> Option<bool> {
        match self {
            Self::Get | Self::Head => Some(false),
            Self::Put | Self::Delete => Some(true),
            Self::Post | Self::Patch => None,
        }
    }
}

/// One operation of a document.
pub(super) struct ApiOperation<'d> {
    /// The method, or its name if tools have none such.
    pub(super) method: Result<ApiMethod, &'d str>,
    pub(super) path: &'d str,
    /// The path item, with what all its operations have.
    pub(super) item: ApiItem<'d>,
    pub(super) value: &'d Value,
    /// The name of its tool.
    pub(super) tool: String,
}

impl<'d> ApiOperation<'d> {
    /// Returns every operation of a document, by path and method; of a document with more than
    /// [`MAX_OPERATIONS`], no more than are needed to know that.
    pub(super) fn all(document: &'d ApiDocument) -> Vec<Self> {
        let paths = document.root().get("paths").and_then(Value::as_object);
        let mut all = Vec::new();
        for (path, value) in paths.into_iter().flatten() {
            let item = ApiItem::of(value, document.references());
            let of = |method, value| Self {
                method,
                path,
                item: item.clone(),
                value,
                tool: String::new(),
            };
            if item.check().is_err() {
                all.push(of(Err(ANY), value));
            }
            for name in METHODS {
                let method = ApiMethod::named(name).ok_or(name);
                all.extend(item.first(name).map(|value| of(method, value)));
            }
            if all.len() > MAX_OPERATIONS {
                break;
            }
        }
        name(&mut all);
        all
    }

    /// Fails if its path item is not whole, or has it twice.
    pub(super) fn check_item(&self) -> Result<(), LeftOut> {
        self.item.check()?;
        let name = match self.method {
            Ok(method) => method.as_str().to_ascii_lowercase(),
            Err(name) => name.to_owned(),
        };
        self.item.member(&name).map(|_| ())
    }

    /// Returns the document's own name for it; `None` for one that nobody would type.
    pub(super) fn id(&self) -> Option<&'d str> {
        self.text("operationId").filter(|id| id.len() <= MAX_ID)
    }

    /// Returns true if it, or its tool, has this name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.tool == name || self.id() == Some(name)
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = &'d str> {
        let tags = self.value.get("tags").and_then(Value::as_array);
        let tags = tags.into_iter().flatten().filter_map(Value::as_str);
        tags.filter(|tag| tag.len() <= MAX_ID).take(MAX_TAGS)
    }

    /// Returns the method and path as the document has them.
    pub(super) fn line(&self) -> String {
        match self.method {
            Ok(method) => format!("{} {}", method.as_str(), self.path),
            Err(name) => format!("{} {}", name.to_ascii_uppercase(), self.path),
        }
    }

    pub(super) fn method(&self) -> Result<ApiMethod, LeftOut> {
        let refused = |name: &str| LeftOut::Method(name.to_ascii_uppercase());
        self.method.map_err(refused)
    }

    /// Returns the address of a server that is not one of the document's, as it is written.
    pub(super) fn own_server(&self, document: &ApiDocument) -> Option<&'d str> {
        let servers = self.value.get("servers");
        let servers = servers.or_else(|| self.item.first("servers"))?;
        let own = servers.get(0)?.get("url").and_then(Value::as_str)?;
        let mut others = document.servers().take(MAX_SERVERS);
        let is_known = others.any(|other| without_scheme(other) == without_scheme(own));
        (!is_known).then_some(own)
    }

    /// Returns a member that is a text with something in it.
    pub(super) fn text(&self, name: &str) -> Option<&'d str> {
        let text = self.value.get(name).and_then(Value::as_str);
        text.filter(|text| !text.trim().is_empty())
    }
}

/// Returns an address without its scheme and a slash at its end, which make no other server of it.
fn without_scheme(url: &str) -> &str {
    let (_, place) = url.split_once("//").unwrap_or(("", url));
    place.trim_end_matches('/')
}

/// Gives each operation the name of its tool.
fn name(operations: &mut [ApiOperation<'_>]) {
    let wanted: Vec<_> = operations.iter().map(wanted).collect();
    for (operation, tool) in operations.iter_mut().zip(tool_names(&wanted)) {
        operation.tool = tool;
    }
}

/// Returns the document's name of an operation, or one of its method and path, with its line.
fn wanted(operation: &ApiOperation<'_>) -> (String, String) {
    let line = operation.line();
    let named = operation.id().map(str::to_owned);
    (named.unwrap_or_else(|| line.to_ascii_lowercase()), line)
}

/// Twice as many as the largest document that is known has.
pub(super) const MAX_OPERATIONS: usize = 50_000;
/// The method of a path with operations that are not within the description.
const ANY: &str = "any";
/// Methods of OpenAPI; a tool cannot have all of them.
const METHODS: [&str; 8] = [
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];
/// The most bytes of an operation's own name or tag, and the most tags that count. Many paths can
/// refer to one item, so what each of them copies is bounded.
const MAX_ID: usize = 512;
const MAX_TAGS: usize = 64;
/// The servers of the document with which one of an operation is compared.
const MAX_SERVERS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiDocument, ApiOperation};

    fn names(paths: &serde_json::Value) -> Vec<String> {
        let document = json!({"openapi": "3.0.3", "paths": paths}).to_string();
        let document = ApiDocument::read(document.as_bytes());
        let document = document.ok();
        let all = document.iter().flat_map(ApiOperation::all);
        all.map(|operation| operation.tool).collect()
    }

    #[test]
    fn a_tool_is_named_as_its_operation() {
        let long = "a".repeat(70);
        let found = names(&json!({
            "/a": {"get": {"operationId": "repos/get"}, "post": {}, "parameters": []},
            "/b/{id}": {"delete": {"operationId": " "}, "trace": {"operationId": "t"}},
            "/c": {"get": {"operationId": long}},
            "/d": {"get": {"operationId": "délete §1"}},
        }));
        let expected = ["repos_get", "post_a", "delete_b_id", "t"];
        assert_eq!(
            found.get(..4),
            Some(&expected.map(str::to_owned)[..]),
            "{found:?}"
        );
        let lengths: Vec<usize> = found.iter().map(String::len).collect();
        assert_eq!(lengths.get(4..), Some(&[64, 8][..]), "{found:?}");
    }

    #[test]
    fn names_that_clash_each_get_an_ending() {
        let paths = json!({
            "/a": {"get": {"operationId": "get it"}},
            "/b": {"get": {"operationId": "get/it"}},
            "/c": {"get": {"operationId": "other"}},
        });
        let found = names(&paths);
        let [first, second, other] = found.as_slice() else {
            return assert_eq!(found.len(), 3);
        };
        assert!(first.starts_with("get_it_") && second.starts_with("get_it_"));
        assert_ne!(first, second);
        assert_eq!(other, "other");
        let alone = names(&json!({"/a": {"get": {"operationId": "get it"}}}));
        assert_eq!(alone, ["get_it"]);
        // The third operation asks for the name that the first gets.
        let mut found = names(&json!({
            "/a": {"get": {"operationId": "get it"}},
            "/b": {"get": {"operationId": "get/it"}},
            "/c": {"get": {"operationId": first}},
            "/d": {"get": {"operationId": "GET_IT"}, "put": {"operationId": "put"}},
        }));
        assert_eq!(found.get(2), Some(first));
        for name in &mut found {
            name.make_ascii_lowercase();
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 5, "{found:?}");
    }
}
