//! Descriptions of real services, from packages of npm.

mod arguments;
mod matching;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::process;
use bailiwick_tests::bailiwick;
use tempfile::TempDir;

use super::import;

/// The descriptions, with what their operators would have to say.
const DESCRIPTIONS: [(&str, &[&str]); 12] = [
    ("api.github.com.json", &[]),
    ("adyen.com/CheckoutService.json", &[]),
    ("asana.com.json", &[]),
    ("atlassian.com/jira.json", &[]),
    ("bitbucket.org.json", &[]),
    ("box.com.json", &[]),
    ("circleci.com.json", &[]),
    ("digitalocean.com.json", &[]),
    ("gitlab.com.json", &[]),
    ("googleapis.com/drive.json", &[]),
    // The service itself sets the member of this name.
    ("kubernetes.io.json", &["--drop", "uid"]),
    ("stripe.com.json", &[]),
];

/// The parts of an operation that a description has, as the table prints them.
struct Table {
    imported: Vec<String>,
    left_out: usize,
    printed: String,
}

impl Table {
    fn of(printed: String) -> Self {
        let mut table = Self {
            imported: Vec::new(),
            left_out: 0,
            printed: String::new(),
        };
        for line in printed.lines() {
            let (does, rest) = line.split_at_checked(10).unwrap_or_default();
            let tool = rest.split_whitespace().next().unwrap_or_default();
            match does.trim() {
                "reads" | "writes" => table.imported.push(tool.to_owned()),
                "left out" => table.left_out += 1,
                _ => {}
            }
        }
        table.printed = printed;
        table
    }
}

/// Checks one description: four operations of five are imported, each has its line, and as many
/// tools as a component can have are one.
async fn is_imported(file: &Path, more: &[&str]) -> Result<()> {
    let out = TempDir::new()?;
    let folder = out.path().to_str().context("a path in UTF-8")?;
    let usual = [&["--service", "api", "--out", folder][..], more].concat();
    let (good, printed) = import(file, &[&usual[..], &["--dry-run"]].concat()).await?;
    ensure!(good, "{printed}");
    let table = Table::of(printed);
    let all = table.imported.len() + table.left_out;
    let told = format!("{} of {all} chosen operations", table.imported.len());
    ensure!(table.printed.contains(&told), "{told}: {}", table.printed);
    let most: Vec<&str> = table
        .printed
        .lines()
        .filter(|line| line.starts_with("  "))
        .collect();
    ensure!(
        table.imported.len() * 5 >= all * 4,
        "{told}: {}",
        most.join("\n")
    );
    let some: Vec<&str> = table.imported.iter().take(64).map(String::as_str).collect();
    let only = ["--only", &some.join(",")];
    let (good, said) = import(file, &[&usual[..], &only].concat()).await?;
    ensure!(
        good && said.contains(&format!("({} tools, ", some.len())),
        "{said}"
    );
    let component = out.path().join("api.wasm");
    let component = component.to_str().context("a path in UTF-8")?;
    let output = process::run(&bailiwick()?, &["inspect", component]).await?;
    ensure!(output.status.success(), "{component} does not load");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptions_of_real_services_are_imported() -> Result<()> {
    let Some(folder) = env::var_os("BAILIWICK_DESCRIPTIONS").map(PathBuf::from) else {
        return Ok(());
    };
    for (name, more) in DESCRIPTIONS {
        is_imported(&folder.join(name), more)
            .await
            .with_context(|| name)?;
    }
    Ok(())
}
