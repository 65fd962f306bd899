//! How clients connect to a host and log in: a line for each that does both by itself, and the
//! settings of those that have a file.

mod add;
mod settings;

#[cfg(test)]
pub(crate) use add::DEV;
pub use add::{Clients, clients};

/// The name of the server in a client's settings.
const NAME: &str = "bailiwick";

/// Returns the client and what to type, for each client.
pub(crate) fn lines(url: &str) -> [(&'static str, String); 5] {
    [
        (
            "Claude Code",
            format!("claude mcp add --transport http {NAME} {url}  # then /mcp"),
        ),
        (
            "VS Code",
            format!(r#"code --add-mcp '{{"name":"{NAME}","type":"http","url":"{url}"}}'"#),
        ),
        (
            "Codex",
            format!("codex mcp add {NAME} --url {url} && codex mcp login {NAME}"),
        ),
        (
            "Gemini CLI",
            format!("gemini mcp add --transport http {NAME} {url}  # then /mcp auth {NAME}"),
        ),
        ("any over stdio", format!("npx mcp-remote {url}")),
    ]
}
