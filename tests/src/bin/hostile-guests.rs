//! Writes the kit of hostile guests into a folder: each as text and as a component, and the
//! reaction that a host must show, as JSON.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bailiwick_tests::hostile::{Case, Expect, Source, cases, good};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .context("say into which folder")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let mut told = Vec::new();
    for case in cases().into_iter().chain([good()]) {
        let file = folder.join(case.name);
        if let Source::Text(text) = &case.source {
            fs::write(file.with_extension("wat"), text)?;
        }
        fs::write(
            file.with_extension("wasm"),
            case.bytes().with_context(|| case.name)?,
        )?;
        told.push(tell(&case));
    }
    fs::write(
        folder.join("cases.json"),
        format!("{:#}\n", Value::Array(told)),
    )?;
    Ok(())
}

fn tell(case: &Case) -> Value {
    let (must, one_of) = match case.expect {
        Expect::Refused(reasons) => ("refuse", json!(reasons)),
        Expect::Ended(reasons) => ("end", json!(reasons)),
        Expect::Harmless(answer) => ("answer", json!([answer])),
        Expect::Either(reasons) => ("refuse or answer", json!(reasons)),
    };
    json!({"name": case.name, "does": case.does, "at": case.at.as_str(), "must": must, "one_of": one_of})
}
