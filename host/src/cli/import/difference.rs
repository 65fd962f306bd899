//! What an import changes of a component that was there.

use bailiwick::answers::inspect::{ComponentReport, OfferedTool};
use serde_json::Value;

use crate::cli::page::{Page, Tone};

/// Prints the tools that come, go or change, and how the operator accepts that.
pub(super) fn show(
    old: &ComponentReport,
    new: &ComponentReport,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    if old.digest == new.digest {
        return Ok(());
    }
    let changes = changes(old, new);
    page.heading(if changes.is_empty() {
        "its tools are described as before, and what is behind them changed"
    } else {
        "the definitions of its tools changed"
    })?;
    for (tone, what, name) in changes {
        page.say(&[(tone, &format!("  {what:<8}")), (Tone::Plain, name)])?;
    }
    page.line(&format!(
        "Put the new lines into the configuration in place of the old ones. Where acceptance is \
         required, look at it and accept it: bailiwick accept {} --config FILE",
        new.component
    ))?;
    Ok(())
}

/// Returns each tool that is not as it was, with what happened to it.
fn changes<'r>(
    old: &'r ComponentReport,
    new: &'r ComponentReport,
) -> Vec<(Tone, &'static str, &'r str)> {
    let mut changes = Vec::new();
    for tool in &new.tools {
        let before = old.tools.iter().find(|other| other.name == tool.name);
        match before {
            None => changes.push((Tone::Good, "new", tool.name.as_str())),
            Some(before) if text(before) != text(tool) => {
                changes.push((Tone::Warning, "changed", tool.name.as_str()));
            }
            Some(_) => {}
        }
    }
    for tool in &old.tools {
        if new.tools.iter().all(|other| other.name != tool.name) {
            changes.push((Tone::Bad, "gone", tool.name.as_str()));
        }
    }
    changes
}

fn text(tool: &OfferedTool) -> Value {
    serde_json::to_value(tool).unwrap_or_default()
}
