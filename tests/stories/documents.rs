//! Checks that the documents describe what exists: configurations, commands, options and stories.

mod blocks;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::process;
use bailiwick_tests::{bailiwick, tools};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns every document for readers: name and text.
fn documents() -> Result<Vec<(String, String)>> {
    let mut folders = vec![root(), root().join("docs")];
    for entry in fs::read_dir(root().join("example-tools"))? {
        let path = entry?.path();
        if path.join("README.md").is_file() {
            folders.push(path);
        }
    }
    let mut found = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "md") {
                found.push((path.display().to_string(), fs::read_to_string(&path)?));
            }
        }
    }
    ensure!(found.len() > 6, "the documents were not found");
    Ok(found)
}

/// Returns the lines of fenced blocks in one of these languages.
fn fenced<'d>(text: &'d str, languages: &[&str]) -> Vec<Vec<&'d str>> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<&str>> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(language), None) if languages.contains(&language.trim()) => {
                open = Some(Vec::new());
            }
            (None, Some(mut block)) => {
                block.push(line);
                open = Some(block);
            }
            _ => {}
        }
    }
    blocks
}

/// Returns the configuration with the sections that every one has, where it is only a part of one.
fn completed(part: &str) -> String {
    let sections = [
        "[server]\nlisten = \"127.0.0.1:8080\"\nresource = \"https://mcp.example.com/mcp\"\n",
        "[[issuers]]\nissuer = \"https://idp.example.com\"\n",
        "[envelope]\ntrust_domain = \"acme.example\"\n",
        "[audit]\nfolder = \"audit\"\n",
    ];
    let missing = sections.iter().filter(|section| {
        let name = section.lines().next().unwrap_or_default();
        !part.lines().any(|line| line == name)
    });
    missing.fold(format!("{part}\n"), |whole, section| whole + section)
}

/// A private key: the Ed25519 key of a seed of ones.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                   -----END PRIVATE KEY-----\n";

/// Returns a folder in which a configuration finds its secrets and a tool.
fn folder(config: &str) -> Result<TempDir> {
    let folder = TempDir::new()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
    for rest in config.split("_file = \"").skip(1) {
        let named = rest.split('"').next().unwrap_or_default();
        let file = folder.path().join(named);
        fs::create_dir_all(file.parent().context("a folder")?)?;
        let is_key = Path::new(named).extension().is_some_and(|end| end == "pem");
        fs::write(file, if is_key { KEY } else { "a secret\n" })?;
    }
    let into = folder.path().join("tools");
    fs::create_dir(&into)?;
    fs::set_permissions(&into, fs::Permissions::from_mode(0o700))?;
    fs::copy(tools()?.join("orders.wasm"), into.join("orders.wasm"))?;
    fs::write(folder.path().join("bailiwick.toml"), config)?;
    Ok(folder)
}

#[tokio::test]
async fn every_configuration_in_the_documents_is_one() -> Result<()> {
    let mut whole: Vec<(String, String)> = Vec::new();
    for examples in ["docs/examples", "docs/examples/migrating"] {
        for entry in fs::read_dir(root().join(examples))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                whole.push((path.display().to_string(), fs::read_to_string(&path)?));
            }
        }
    }
    for (name, text) in documents()? {
        let found = blocks::blocks(&text).into_iter();
        let found = found.filter(|block| block.language == "toml" && block.quotes.is_none());
        whole.extend(found.map(|block| (name.clone(), completed(&block.text()))));
    }
    ensure!(whole.len() >= 10, "no configurations were found");
    for (name, config) in whole {
        let folder = folder(&config)?;
        let file = folder.path().join("bailiwick.toml");
        let checked = process::run(
            &bailiwick()?,
            &["check", "--config", &file.to_string_lossy()],
        )
        .await?;
        let said = String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
        ensure!(checked.status.success(), "{name}:\n{said}");
    }
    Ok(())
}

#[tokio::test]
async fn every_command_in_the_documents_exists_with_its_options() -> Result<()> {
    let mut commands = BTreeSet::new();
    for (_, text) in documents()? {
        for line in fenced(&text, &["console", "sh", "bash", "shell", "text", ""]).concat() {
            let line = line
                .trim_start_matches(['$', ' '])
                .split(" #")
                .next()
                .unwrap_or_default();
            let line = line
                .rsplit_once("/bailiwick ")
                .map_or(line, |(_, rest)| rest);
            if let Some(arguments) = line.strip_prefix("bailiwick ") {
                commands.insert(arguments.trim().to_owned());
            }
        }
    }
    ensure!(commands.len() > 5, "no commands were found");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let plain = words
            .iter()
            .take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
        let depth = if matches!(words.first(), Some(&("audit" | "import"))) {
            2
        } else {
            1
        };
        let mut help: Vec<&str> = plain.take(depth).copied().collect();
        help.push("--help");
        let output = process::run(&bailiwick()?, &help).await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "bailiwick {command}: there is no such command"
        );
        for option in words
            .iter()
            .map(|word| word.trim_matches(['[', ']']))
            .filter(|word| word.starts_with("--"))
        {
            ensure!(
                said.contains(option),
                "bailiwick {command}: there is no option {option}"
            );
        }
    }
    Ok(())
}

#[test]
fn every_story_in_the_documents_is_told() -> Result<()> {
    let mut stories = String::new();
    for entry in fs::read_dir(root().join("tests/stories"))? {
        let path = entry?.path();
        if path.is_file() {
            stories.push_str(&fs::read_to_string(path)?);
        }
    }
    for (name, text) in documents()? {
        for part in text.split("cargo xtask test --test stories ").skip(1) {
            let story: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let told = stories.contains(&format!("fn {story}()"))
                || stories.contains(&format!("mod {story};"));
            ensure!(told, "{name}: there is no story {story}");
        }
    }
    Ok(())
}

/// Returns the links of a document to files of this repository: label and target.
fn links(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("](").collect();
    parts
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let label = before.rsplit_once('[')?.1;
            let target = after.split_once(')')?.0;
            Some((label, target))
        })
        .filter(|(_, target)| !target.contains("://"))
        .collect()
}

/// Returns the anchors of a document's headings, as GitHub makes them: `## The key` is `the-key`.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside && line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            found.insert(
                heading
                    .chars()
                    .filter(kept)
                    .collect::<String>()
                    .replace(' ', "-"),
            );
        }
    }
    found
}

#[test]
fn every_link_in_the_documents_leads_to_a_file_a_heading_or_a_test() -> Result<()> {
    let mut pages = documents()?;
    for entry in fs::read_dir(root().join("docs/decisions"))? {
        let path = entry?.path();
        pages.push((path.display().to_string(), fs::read_to_string(&path)?));
    }
    let mut tests = 0;
    for (name, text) in pages {
        let folder = Path::new(&name).parent().context("a folder")?;
        for (label, target) in links(&text) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() {
                PathBuf::from(&name)
            } else {
                folder.join(path)
            };
            ensure!(file.exists(), "{name}: there is no {target}");
            if file.is_dir() || file.extension().is_some_and(|ending| ending == "png") {
                continue;
            }
            let linked = fs::read_to_string(&file)?;
            let there = heading.is_empty() || anchors(&linked).contains(heading);
            ensure!(there, "{name}: {target} is no heading");
            if file.extension().is_some_and(|extension| extension == "rs")
                && let Some(test) = label.strip_prefix('`')
            {
                let test = test.trim_end_matches('`');
                let there = linked.contains(&format!("fn {test}("));
                ensure!(there, "{name}: there is no test {test} in {path}");
                tests += 1;
            }
        }
    }
    ensure!(tests > 30, "only {tests} links to tests were found");
    Ok(())
}

#[test]
fn the_service_unit_lets_the_host_live_through_lack_of_memory_and_gives_up_on_one_that_cannot_start()
-> Result<()> {
    let unit = fs::read_to_string(root().join("packaging/bailiwick.service"))?;
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in unit.lines().filter(|line| !line.starts_with('#')) {
        match line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            Some(name) => sections.push((name, Vec::new())),
            None => sections
                .last_mut()
                .into_iter()
                .for_each(|(_, lines)| lines.push(line)),
        }
    }
    for (section, line) in [
        ("Unit", "StartLimitIntervalSec=300"),
        ("Unit", "StartLimitBurst=5"),
        ("Service", "Restart=on-failure"),
        ("Service", "RestartSec=2"),
        ("Service", "MemoryMax=75%"),
        ("Service", "OOMPolicy=continue"),
    ] {
        let found = sections
            .iter()
            .any(|(name, lines)| *name == section && lines.contains(&line));
        ensure!(found, "[{section}] has no line {line}");
    }
    Ok(())
}
