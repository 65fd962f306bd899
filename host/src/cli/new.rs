//! `bailiwick new`: a project with one example tool, ready for `bailiwick build`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bailiwick::scaffold::{Language, Project, write};

use super::page::Page;

/// The command line of `bailiwick new`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The project's name, which is also the component's.
    name: String,
    /// The language of the project.
    #[arg(long, value_enum, default_value = "rust")]
    lang: Lang,
    /// The project's folder; by default, one of the project's name in the current folder.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// The folder of an SDK in Bailiwick's sources, in place of a copy of this program's in the
    /// project.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    sdk: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  bailiwick new shop
  bailiwick new shop --lang python --dir ~/tools/shop

Files: the folder gets a manifest, sources, tests, services.toml (fake services for `dev` and
`call`) and vendor/bailiwick-sdk, which all belong into version control.

Exit codes: 0 if it is written; otherwise nothing is, for example because the folder is not empty.";

/// A language, as it is written on the command line.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Lang {
    #[value(name = "rust")]
    Rust,
    #[value(name = "typescript", alias = "ts")]
    TypeScript,
    #[value(name = "python", alias = "py")]
    Python,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::TypeScript => Self::TypeScript,
            Lang::Python => Self::Python,
        }
    }
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let language = Language::from(args.lang);
    let sdk = match &args.sdk {
        Some(path) => Some(given_sdk(path, language)?),
        None => None,
    };
    let folder = match &args.dir {
        Some(folder) => folder.clone(),
        None => PathBuf::from(&args.name),
    };
    let project = Project {
        name: &args.name,
        language,
        sdk: sdk.as_deref(),
    };
    write(&project, &folder)?;
    let shown = folder.display();
    page.line(&format!(
        "{shown} is a tool; it can be built and tested as it is:"
    ))?;
    for line in first_steps(language, &shown.to_string(), &args.name) {
        page.line(&format!("  {line}"))?;
    }
    Ok(())
}

/// Returns the commands that an author runs next.
fn first_steps(language: Language, folder: &str, name: &str) -> Vec<String> {
    let test = match language {
        Language::Rust => format!("cargo test --manifest-path {folder}/Cargo.toml"),
        Language::TypeScript => format!("(cd {folder} && npm install && npm test)"),
        Language::Python => format!("(cd {folder} && bailiwick build . && .venv/bin/pytest)"),
    };
    vec![
        test,
        format!("bailiwick dev {folder}"),
        format!("bailiwick build {folder} --out tools"),
        format!("bailiwick inspect tools/{name}.wasm"),
    ]
}

fn given_sdk(path: &Path, language: Language) -> anyhow::Result<PathBuf> {
    let whole = path
        .canonicalize()
        .with_context(|| format!("--sdk: {} does not exist", path.display()))?;
    match Language::of_sdk(&whole) {
        Some(found) if found == language => Ok(whole),
        Some(found) => bail!(
            "--sdk: {} is the SDK for {found}; this project is in {language} (--lang)",
            path.display()
        ),
        None => bail!(
            "--sdk: {} is not the folder of bailiwick-sdk; expected `guest-sdk` of Bailiwick's \
             sources, or a language's folder in it",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::fs;

    use super::*;

    fn new(name: &str, lang: Lang, dir: &Path, sdk: Option<&Path>) -> anyhow::Result<String> {
        let mut bytes = Vec::new();
        let args = Args {
            name: name.to_owned(),
            lang,
            dir: Some(dir.to_owned()),
            sdk: sdk.map(Path::to_owned),
        };
        run(&args, &mut Page::new(&mut bytes, false))?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_project_is_written_and_its_next_steps_named() {
        for lang in [Lang::Rust, Lang::TypeScript, Lang::Python] {
            let temp = tempfile::tempdir().unwrap();
            let folder = temp.path().join("greeter");
            let said = new("greeter", lang, &folder, None).unwrap();
            assert!(said.contains("bailiwick build"), "{said}");
            assert!(folder.join("vendor/bailiwick-sdk").is_dir());
        }
    }

    #[test]
    fn an_sdk_that_is_none_or_of_another_language_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let sdk = temp.path().join("guest-sdk");
        fs::create_dir_all(&sdk).unwrap();
        fs::write(sdk.join("Cargo.toml"), "name = \"bailiwick-sdk\"\n").unwrap();
        let folder = temp.path().join("greeter");
        for (wrong, lang) in [
            (temp.path().join("absent"), Lang::Rust),
            (temp.path().to_owned(), Lang::Rust),
            (sdk.clone(), Lang::Python),
        ] {
            let error = new("greeter", lang, &folder, Some(&wrong)).unwrap_err();
            assert!(format!("{error:#}").contains("--sdk"), "{error:#}");
            assert!(!folder.exists());
        }
        new("greeter", Lang::Rust, &folder, Some(&sdk)).unwrap();
    }
}
