//! The answer of one call, on standard output.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use serde_json::Value;

use crate::mcp::Answer;
use crate::terminal::{self, shown};

/// Prints what the tool answered; returns how the program ends.
pub(super) fn print(answer: &Answer, json: bool) -> anyhow::Result<ExitCode> {
    if let Some(message) = answer
        .body
        .pointer("/error/message")
        .and_then(Value::as_str)
    {
        let data = answer.body.pointer("/error/data");
        let data = data.map(|data| format!("\n{data:#}")).unwrap_or_default();
        bail!("{message}{data}");
    }
    ensure!(
        answer.status.is_success(),
        "{}: {}",
        answer.status,
        answer.raw
    );
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", terminal::json(answer.result()))?;
    } else if let Some(text) = told(answer.result()) {
        let text = if out.is_terminal() {
            shown(&text)
        } else {
            text
        };
        writeln!(out, "{text}")?;
    } else if !answer.structured().is_null() {
        writeln!(out, "{}", terminal::json(answer.structured()))?;
    } else if out.is_terminal() {
        writeln!(out, "{}", shown(&answer.text()))?;
    } else {
        writeln!(out, "{}", answer.text())?;
    }
    if answer.result().get("resultType").and_then(Value::as_str) == Some("input_required") {
        writeln!(out, "{}", terminal::json(answer.result()))?;
    }
    Ok(if answer.is_tool_error() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Returns the text of a resource or of a prompt.
fn told(result: &Value) -> Option<String> {
    if let Some(contents) = result.get("contents").and_then(Value::as_array) {
        let text = |one: &Value| match one.get("text").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => format!("{one:#}"),
        };
        return Some(contents.iter().map(text).collect::<Vec<_>>().join("\n"));
    }
    let messages = result.get("messages")?.as_array()?;
    let line = |message: &Value| {
        let role = message.get("role").and_then(Value::as_str);
        let content = message.get("content").unwrap_or(&Value::Null);
        let text = content.get("text").and_then(Value::as_str);
        let text = text.map_or_else(|| format!("{content:#}"), str::to_owned);
        format!("{}: {text}", role.unwrap_or_default())
    };
    Some(messages.iter().map(line).collect::<Vec<_>>().join("\n"))
}
