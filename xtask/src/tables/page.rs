//! The documents with tables.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

/// A document with a table of what was tested.
pub(super) struct Page {
    /// Its path below the root.
    pub(super) path: &'static str,
    kind: &'static str,
    head: &'static str,
    /// What readers look for and no story meets.
    rest: &'static [&'static str],
}

/// The documents.
pub(super) const PAGES: [Page; 3] = [
    Page {
        path: "docs/clients.md",
        kind: "client",
        head: "| client | version | connects, lists and calls in | tested in |\n|---|---|---|---|\n",
        rest: &[
            "ChatGPT",
            "Claude (connectors)",
            "Claude Code",
            "Codex",
            "Cursor",
            "Gemini CLI",
            "goose",
            "opencode",
            "VS Code",
            "Windsurf",
            "Zed",
        ],
    },
    Page {
        path: "docs/identity-providers.md",
        kind: "provider",
        head: "| provider | version | what stories do with it | tested in |\n|---|---|---|---|\n",
        rest: &[
            "AD FS",
            "Amazon Cognito",
            "Auth0",
            "Authentik",
            "Google",
            "Microsoft Entra ID",
            "Okta",
            "Zitadel",
        ],
    },
    Page {
        path: "docs/remote-mcp-servers.md",
        kind: "server",
        head: "| server | version | imported and called in | tested in |\n|---|---|---|---|\n",
        rest: &[
            "Asana",
            "Atlassian",
            "GitHub",
            "Linear",
            "Notion",
            "Sentry",
            "Stripe",
        ],
    },
];

/// The line before a table.
const FROM: &str = "<!-- Made by `cargo xtask tables`. -->\n";

/// The line after a table.
const TO: &str = "<!-- The end of the table. -->\n";

impl Page {
    /// Returns the text with the table that belongs to the lines.
    pub(super) fn with(&self, text: &str, lines: &BTreeSet<String>) -> Result<String> {
        let no_table = || format!("{} has no {FROM:?} with {TO:?}", self.path);
        let (before, rest) = text.split_once(FROM).with_context(no_table)?;
        let (_, after) = rest.split_once(TO).with_context(no_table)?;
        let table = self.table(lines);
        Ok(format!("{before}{FROM}\n{table}\n{TO}{after}"))
    }

    fn table(&self, lines: &BTreeSet<String>) -> String {
        let mut rows: BTreeMap<[&str; 3], Vec<&str>> = BTreeMap::new();
        for line in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            if let [kind, name, version, found, run] = fields.as_slice()
                && *kind == self.kind
            {
                rows.entry([name, version, run]).or_default().push(found);
            }
        }
        let tested = rows.iter().map(|([name, version, run], found)| {
            let run = match *run {
                "gate" => "every change",
                _ => "`cargo xtask deep`",
            };
            format!("| {name} | {version} | {} | {run} |\n", found.join(", "))
        });
        let rest = self.rest.iter();
        let rest = rest.map(|name| format!("| {name} | | not tested | |\n"));
        tested
            .chain(rest)
            .fold(self.head.to_owned(), |table, row| table + &row)
    }
}
