//! The tools of a remote server, and the pin of each: a digest of all that a model and the host
//! know of it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answer::RemoteAnswer;
use super::error::RemoteError;
use super::mirrored::{MirroredArgument, mirrored};
use crate::json::{self, member};

/// A tool as its server describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteTool {
    /// Its name.
    pub name: String,
    /// The members of its definition that are pinned, with what the server says.
    pub definition: Map<String, Value>,
}

/// The list of a server's tools, page by page.
#[derive(Debug, Default)]
pub struct RemoteTools {
    tools: Vec<RemoteTool>,
    names: BTreeSet<String>,
    /// The values in all definitions, each of which takes far more memory than its text.
    values: usize,
    pages: usize,
}

impl RemoteTool {
    /// Returns `sha256:` and the digest of the definition's RFC 8785 form. The definition has
    /// `name`, `title`, `description`, `inputSchema`, `outputSchema` and `annotations`, as far as
    /// they are there; what else the server says of the tool is no part of it.
    pub fn pin(&self) -> String {
        json::digest(&Value::Object(self.definition.clone()))
    }

    /// Returns the arguments that go into headers too, since 2026-07-28.
    ///
    /// # Errors
    /// The input schema names headers in a way that MCP does not know, so that no client may call
    /// the tool.
    pub fn mirrored(&self) -> Result<Vec<MirroredArgument>, RemoteError> {
        match member::object(&self.definition, "inputSchema")? {
            Some(schema) => mirrored(schema),
            None => Ok(Vec::new()),
        }
    }

    fn read(described: &Value) -> Result<Self, RemoteError> {
        let described = member::members(described, "a tool")?;
        let name = member::text(described, "name")?.filter(|name| !name.is_empty());
        let name = name.ok_or(RemoteError::Unnamed)?.to_owned();
        let is_pinned = |(member, _): &(&String, &Value)| PINNED.contains(&member.as_str());
        let definition = described.iter().filter(is_pinned);
        Ok(Self {
            name,
            definition: definition
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        })
    }
}

impl RemoteTools {
    /// Adds the page in the answer to `tools/list`. Returns the cursor of the next page, if there
    /// is one.
    ///
    /// # Errors
    /// The server refused, the answer is not a page, or the list is longer than any host's.
    pub fn add(&mut self, answer: &RemoteAnswer) -> Result<Option<String>, RemoteError> {
        let page = answer.result_of("tools/list")?;
        self.pages += 1;
        let tools = member::array(page, "tools")?;
        let tools = tools.ok_or(RemoteError::NotRpc("its result has no `tools`"))?;
        if self.tools.len().saturating_add(tools.len()) > MAX_TOOLS {
            return Err(RemoteError::TooManyTools(MAX_TOOLS));
        }
        for described in tools {
            let tool = RemoteTool::read(described)?;
            self.values += tool.definition.values().map(json::values).sum::<usize>();
            if self.values > MAX_VALUES {
                return Err(RemoteError::TooManyValues(MAX_VALUES));
            }
            if !self.names.insert(tool.name.clone()) {
                return Err(RemoteError::OneName);
            }
            self.tools.push(tool);
        }
        // Some servers write `null` for a page that has no next one.
        if member::is_null(page, "nextCursor") {
            return Ok(None);
        }
        let next = member::text(page, "nextCursor")?;
        if next.is_some() && self.pages >= MAX_PAGES {
            return Err(RemoteError::TooManyPages(MAX_PAGES));
        }
        Ok(next.map(str::to_owned))
    }

    /// Returns the tool of this name.
    pub fn find(&self, name: &str) -> Option<&RemoteTool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Returns all tools, in the server's order.
    pub fn into_tools(self) -> Vec<RemoteTool> {
        self.tools
    }
}

/// Returns true if the configuration can name a remote tool so: 1 to 128 letters, digits, `_`, `-`,
/// `.` and `/` (MCP 2025-11-25, "Tool Names", and names with `/`, which earlier servers have).
pub fn is_tool_name(name: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_known)
}

/// The members of a tool that its pin covers.
const PINNED: &[&str] = &[
    "annotations",
    "description",
    "inputSchema",
    "name",
    "outputSchema",
    "title",
];
/// The most pages of a list.
const MAX_PAGES: usize = 64;
/// The most tools of a list.
const MAX_TOOLS: usize = 1_024;
/// The most values in the definitions of a list: twice as many as one message can have.
const MAX_VALUES: usize = 200_000;
/// The longest name of a tool, in bytes.
const MAX_NAME: usize = 128;
