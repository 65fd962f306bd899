//! Every fenced block of the documents has a rule, and passes it.
//!
//! A block begins with its language. A path behind it names the file that the block quotes: each of
//! its paragraphs is there, in this order, at any indentation. Without a path the language decides:
//! commands are run, configurations are read by the host, the rest is parsed.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use wit_parser::Resolve;

use super::{documents, root};
use crate::documented::DOCUMENTS;

/// Programs that are not Bailiwick's, which documents tell readers to run.
const OTHERS: [&str; 18] = [
    ".ci/run",
    "cargo",
    "componentize-py",
    "curl",
    "install",
    "mv",
    "npm",
    "npx",
    "openssl",
    "pip",
    "podman",
    "pytest",
    "python",
    "python3",
    "rustup",
    "systemctl",
    "useradd",
    "tar",
];

/// A document whose blocks in Python a test of the SDK runs.
const RUN_AS_PYTHON: (&str, &str) = ("docs/python.md", "guest-sdk/python/tests/test_docs.py");

/// A fenced block.
pub(super) struct Block<'d> {
    /// The line of the fence.
    line: usize,
    pub(super) language: &'d str,
    /// The path of the file that it quotes, from the root.
    pub(super) quotes: Option<&'d str>,
    lines: Vec<&'d str>,
}

impl Block<'_> {
    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// Returns the blocks of a document.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let (mut found, mut open) = (Vec::new(), None::<Block<'_>>);
    for (line, number) in text.lines().zip(1..) {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(head), None) => {
                let (language, path) = head.trim().split_once(' ').unwrap_or((head.trim(), ""));
                open = Some(Block {
                    line: number,
                    language,
                    quotes: (!path.is_empty()).then_some(path),
                    lines: Vec::new(),
                });
            }
            (None, Some(mut block)) => {
                block.lines.push(line);
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    found.extend(open);
    found
}

fn check(document: &str, block: &Block<'_>) -> Result<()> {
    match (block.language, block.quotes) {
        (_, Some(path)) => {
            let file = fs::read_to_string(root().join(path)).context(path.to_owned())?;
            quotes(&block.lines, &file).with_context(|| format!("not in {path}"))
        }
        ("sh" | "console", None) => commands(document, block),
        // The host reads them: `every_configuration_in_the_documents_is_one`.
        ("toml", None) => Ok(()),
        ("json", None) => json(block),
        ("wit", None) => wit(block),
        ("http", None) => request(block),
        ("python", None) if document == RUN_AS_PYTHON.0 => {
            let test = fs::read_to_string(root().join(RUN_AS_PYTHON.1))?;
            ensure!(test.contains(document), "{} runs others", RUN_AS_PYTHON.1);
            Ok(())
        }
        (language, None) => bail!("no rule for {language:?}: name the file that it quotes"),
    }
}

/// Checks that each paragraph is in the file, behind the one before.
fn quotes(lines: &[&str], file: &str) -> Result<()> {
    let file: Vec<&str> = file.lines().collect();
    let mut rest = file.as_slice();
    for paragraph in lines.split(|line| line.trim().is_empty()) {
        let Some(first) = paragraph.first() else {
            continue;
        };
        let at = (0..rest.len()).find(|&at| {
            let there = rest.get(at..at + paragraph.len()).unwrap_or_default();
            begins_with(there, paragraph)
        });
        let at = at.with_context(|| format!("the paragraph that begins with {first:?}"))?;
        rest = rest.get(at + paragraph.len()..).unwrap_or_default();
    }
    Ok(())
}

/// Returns true if the lines of a file are those of a paragraph, with the same blanks before each.
fn begins_with(file: &[&str], paragraph: &[&str]) -> bool {
    let mut pairs = file.iter().zip(paragraph);
    let ahead = |(there, line): (&&str, &&str)| there.len().checked_sub(line.len());
    let Some(indent) = pairs.next().and_then(ahead) else {
        return false;
    };
    file.len() == paragraph.len()
        && file.iter().zip(paragraph).all(|(there, line)| {
            let blanks = there.strip_suffix(line);
            blanks.is_some_and(|it| it.len() == indent && it.trim().is_empty())
        })
}

/// Checks that each command is run, or is not Bailiwick's.
fn commands(document: &str, block: &Block<'_>) -> Result<()> {
    let tasks = fs::read_to_string(root().join("xtask/src/main.rs"))?;
    let text = block.text().replace("\\\n", " ");
    for line in text.lines() {
        let command = line.trim_start_matches(['$', ' ']);
        let command = command.split_once("=$(").map_or(command, |(_, rest)| rest);
        let mut words = command.split_whitespace();
        let (program, next) = (words.next().unwrap_or("#"), words.next());
        let known = match program {
            "#" => true,
            "bailiwick" => DOCUMENTS.contains(&document),
            "cargo" if next == Some("xtask") => {
                tasks.contains(&format!("cargo xtask {}", words.next().unwrap_or_default()))
            }
            program => OTHERS.contains(&program),
        };
        ensure!(known, "nothing runs {command:?}");
    }
    Ok(())
}

/// Checks that it is JSON, or that each line is.
fn json(block: &Block<'_>) -> Result<()> {
    if serde_json::from_str::<Value>(&block.text()).is_err() {
        for line in &block.lines {
            serde_json::from_str::<Value>(line).with_context(|| (*line).to_owned())?;
        }
    }
    Ok(())
}

/// Checks that it is a package that can use the host's.
fn wit(block: &Block<'_>) -> Result<()> {
    let mut resolve = Resolve::default();
    let interface = fs::read_to_string(root().join("wit/tool.wit"))?;
    resolve.push_str("tool.wit", &interface)?;
    resolve.push_str("documented.wit", &block.text())?;
    Ok(())
}

/// Checks that it is a request with a form.
fn request(block: &Block<'_>) -> Result<()> {
    let mut parts = block.lines.split(|line| line.is_empty());
    let (head, form) = (parts.next().unwrap_or_default(), parts.next());
    let (first, headers) = head.split_first().context("nothing")?;
    ensure!(first.starts_with("POST /"), "expected POST /PATH: {first}");
    for line in headers {
        ensure!(line.contains(": "), "expected NAME: VALUE: {line}");
    }
    for line in form.context("no form")? {
        ensure!(line.contains('='), "expected NAME=VALUE: {line}");
    }
    ensure!(parts.next().is_none(), "more than a head and a form");
    Ok(())
}

#[test]
fn every_block_in_the_documents_has_a_rule_and_passes_it() -> Result<()> {
    let (mut count, mut wrong) = (0, Vec::new());
    for (path, text) in documents()? {
        let document = Path::new(&path).strip_prefix(root())?.to_string_lossy();
        // It draws; what it draws of the modules, `cargo xtask order` reads.
        if document == "ARCHITECTURE.md" {
            continue;
        }
        for block in blocks(&text) {
            count += 1;
            if let Err(error) = check(&document, &block) {
                wrong.push(format!("{document}:{}: {error:#}", block.line));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(count > 50, "only {count} blocks were found");
    Ok(())
}

#[test]
fn a_block_that_no_rule_covers_or_that_breaks_its_rule_is_found() {
    for (good, wrong) in [
        ("json\n{\"a\": 1}", "json\n{a: 1}"),
        ("json\n{\"a\": 1}\n{\"b\": 2}", "json\n{\"a\": 1}\nor so"),
        ("sh\ncargo xtask wit", "sh\ncargo xtask nothing"),
        ("sh\nnpm install", "sh\nunheard-of install"),
        ("sh\nbailiwick check", "bash\nbailiwick check"),
        ("toml\n[server]", "\n[server]"),
        (
            "wit\npackage a:b;\nworld c { include bailiwick:tool/tool@0.2.0; }",
            "wit\npackage a:b;\nworld c { include bailiwick:tool/tools@0.2.0; }",
        ),
        (
            "http\nPOST /token\nA: b\n\nc=d",
            "http\nGET /token\nA: b\n\nc=d",
        ),
        (
            "rust tests/stories/main.rs\nmod admission;\n\nmod documents;",
            "rust tests/stories/main.rs\nmod documents;\n\nmod admission;",
        ),
        (
            "rust tests/stories/main.rs\nmod admission;\nmod attacks;",
            "rust tests/stories/main.rs\nmod admission;\nmod bombs;",
        ),
        (
            "rust tests/stories/main.rs\nmod admission;",
            "rust\nmod admission;",
        ),
    ] {
        for (text, is_good) in [(good, true), (wrong, false)] {
            let fenced = format!("```{text}\n```\n");
            let found = blocks(&fenced);
            let passed = found.iter().map(|block| check("README.md", block));
            let passed = passed.fold(Ok(()), Result::and);
            assert_eq!(
                passed.is_ok(),
                is_good && found.len() == 1,
                "{text}: {passed:?}"
            );
        }
    }
}

#[test]
fn a_quote_keeps_the_indentation_between_its_lines() {
    let file = "fn a() {\n    if b {\n        c();\n    }\n}\n";
    for (lines, is_there) in [
        (["if b {", "    c();"], true),
        (["    if b {", "        c();"], true),
        (["if b {", "c();"], false),
        (["b {", "    c();"], false),
    ] {
        assert_eq!(quotes(&lines, file).is_ok(), is_there, "{lines:?}");
    }
}
