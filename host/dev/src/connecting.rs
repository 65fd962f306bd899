//! How clients connect to a host and log in: a line for each that does both by itself.

/// Returns the client and what to type, for each client.
pub(crate) fn lines(url: &str) -> [(&'static str, String); 5] {
    [
        (
            "Claude Code",
            format!("claude mcp add --transport http bailiwick {url}  # then /mcp"),
        ),
        (
            "VS Code",
            format!(r#"code --add-mcp '{{"name":"bailiwick","type":"http","url":"{url}"}}'"#),
        ),
        (
            "Codex",
            format!("codex mcp add bailiwick --url {url} && codex mcp login bailiwick"),
        ),
        (
            "Gemini CLI",
            format!("gemini mcp add --transport http bailiwick {url}  # then /mcp auth bailiwick"),
        ),
        ("any over stdio", format!("npx mcp-remote {url}")),
    ]
}
