//! `kind = "mcp"`: a service that is a remote MCP server, and the pins of its tools.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::reader::Section;
use crate::delegation::{RemoteSettings, Template};
use crate::remote::RemoteRevision;

/// Reads what a remote MCP server needs, if the service is one. The operator names `headers` that
/// it gets.
pub(super) fn remote<'h>(
    section: &Section<'_>,
    allow: &[Template],
    headers: impl Iterator<Item = &'h str>,
) -> Option<RemoteSettings> {
    match section.text("kind").as_deref() {
        None | Some("http") => check_http(section, allow),
        Some("mcp") => return mcp(section, allow, headers),
        Some(_) => section.wrong("kind", "expected \"http\" or \"mcp\""),
    }
    None
}

/// Checks a service that takes requests of HTTP.
fn check_http(section: &Section<'_>, allow: &[Template]) {
    if let Some(template) = allow.iter().find(|template| template.tool().is_some()) {
        let why = format!("{template} is about a remote MCP server, so set kind = \"mcp\"");
        section.wrong("allow", &why);
    }
    for key in ["revision", "definitions", "definitions_seconds"] {
        if section.has(key) {
            section.wrong(key, "it is of a remote MCP server, so set kind = \"mcp\"");
        }
    }
}

fn mcp<'h>(
    section: &Section<'_>,
    allow: &[Template],
    mut headers: impl Iterator<Item = &'h str>,
) -> Option<RemoteSettings> {
    if let Some(template) = allow.iter().find(|template| template.tool().is_none()) {
        let why =
            format!("{template} is no tool of a remote MCP server: expected `tools/call NAME`");
        section.wrong("allow", &why);
    }
    for key in ["idempotency", "answer_headers"] {
        if section.has(key) {
            section.wrong(key, "a remote MCP server has no use for it");
        }
    }
    if let Some(name) = headers.find(|name| is_of_mcp(name)) {
        let why =
            format!("the header {name} (headers, auth.header) belongs to MCP: the host sets it");
        section.wrong("kind", &why);
    }
    let revision = section.required("revision");
    let revision = revision.and_then(|name| {
        let read = name.parse::<RemoteRevision>();
        read.map_err(|why| section.wrong("revision", &why.to_string()))
            .ok()
    });
    let definitions = definitions(section, allow);
    let seconds = section.number("definitions_seconds", 0..=MOST_SECONDS);
    Some(RemoteSettings {
        revision: revision?,
        definitions,
        look_lasts: Duration::from_secs(seconds.unwrap_or(USUAL_SECONDS)),
    })
}

/// Reads the pins: one for each tool that is allowed, and no other.
fn definitions(section: &Section<'_>, allow: &[Template]) -> BTreeMap<String, String> {
    let mut pins = BTreeMap::new();
    if let Some(table) = section.section("definitions") {
        for name in table.keys() {
            let Some(pin) = table.text(&name) else {
                continue;
            };
            if !is_pin(&pin) {
                table.wrong(&name, "expected \"sha256:\" and 64 digits of 0-9 and a-f");
            }
            if !allow
                .iter()
                .any(|template| template.tool() == Some(name.as_str()))
            {
                let why = format!("allow has no \"tools/call {name}\"");
                table.wrong(&name, &why);
            }
            pins.insert(name, pin);
        }
    }
    let mut tools = allow.iter().filter_map(Template::tool);
    if let Some(name) = tools.find(|name| !pins.contains_key(*name)) {
        let why = format!(
            "it has no pin of {name}, so nobody has accepted its definition; run `bailiwick import \
             mcp`, which writes it"
        );
        section.wrong("definitions", &why);
    }
    pins
}

fn is_pin(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == 64 && digits.bytes().all(is_hex)
}

/// Returns true if the header, in lower case, is one of MCP's own.
fn is_of_mcp(name: &str) -> bool {
    name.starts_with("mcp-") || matches!(name, "accept" | "last-event-id")
}

/// The usual time for which a look at definitions is good.
const USUAL_SECONDS: u64 = 300;
/// The longest time for which a look at definitions may be good: a day.
const MOST_SECONDS: u64 = 86_400;
