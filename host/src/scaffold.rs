//! A new project for tools, with the SDK beside it.
//!
//! The SDKs are part of this program, so a project can be built wherever it is: the SDK's sources
//! go into `vendor/bailiwick-sdk`, which the author commits.
//!
//! Invariant: nothing is written into a folder that has files, and no file lies outside it.

#[cfg(test)]
mod pins;
mod reserved;

use std::borrow::Cow;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The language of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust.
    Rust,
    /// TypeScript.
    TypeScript,
    /// Python.
    Python,
}

/// The project to write.
#[derive(Clone, Debug)]
pub struct Project<'p> {
    /// The name of the project and of its component: at most 64 of `[a-z0-9_-]`, a letter first.
    pub name: &'p str,
    /// Its language.
    pub language: Language,
    /// The folder of an SDK to use in place of a copy of this program's.
    pub sdk: Option<&'p Path>,
}

/// A project that was not written.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The name is not usable.
    #[error(
        "{name:?} cannot be the name of a tool's project; expected at most 64 of [a-z0-9_-], a \
         letter first"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name means something else in the language.
    #[error("{name:?} is reserved by {language}; choose another name")]
    Reserved {
        /// The name.
        name: String,
        /// The language.
        language: Language,
    },
    /// There is something in the folder.
    #[error("{} exists and is not an empty folder; choose another --dir", folder.display())]
    InTheWay {
        /// The folder.
        folder: PathBuf,
    },
    /// The path of the SDK has characters that a manifest cannot have.
    #[error("the path {} cannot be written into a manifest; move the SDK", path.display())]
    SdkPath {
        /// The path.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Rust, Self::TypeScript, Self::Python];

    /// Returns the language whose SDK is in this folder, if there is one.
    #[must_use]
    pub fn of_sdk(folder: &Path) -> Option<Self> {
        Self::ALL.into_iter().find(|language| {
            let (file, line) = language.mark();
            fs::read_to_string(folder.join(file)).is_ok_and(|text| text.contains(line))
        })
    }

    /// Returns a file of the SDK, and a line of it that no other crate or package has.
    fn mark(self) -> (&'static str, &'static str) {
        match self {
            Self::Rust => ("Cargo.toml", "name = \"bailiwick-sdk\""),
            Self::TypeScript => ("package.json", "\"name\": \"bailiwick-sdk\""),
            Self::Python => ("pyproject.toml", "name = \"bailiwick-sdk\""),
        }
    }

    fn sdk(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rust => RUST_SDK,
            Self::TypeScript => TYPESCRIPT_SDK,
            Self::Python => PYTHON_SDK,
        }
    }

    fn template(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rust => RUST_TEMPLATE,
            Self::TypeScript => TYPESCRIPT_TEMPLATE,
            Self::Python => PYTHON_TEMPLATE,
        }
    }

    /// Returns the names that the language's tools refuse, or that shadow what a project needs.
    fn reserved(self) -> &'static [&'static str] {
        match self {
            Self::Rust => reserved::IN_RUST,
            Self::TypeScript => &["bailiwick-sdk", "node_modules"],
            Self::Python => reserved::IN_PYTHON,
        }
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
        })
    }
}

/// Writes a project into a folder, which is made if it does not exist.
///
/// # Errors
/// The name or the SDK's path cannot be used, the folder has files, or one cannot be written.
pub fn write(project: &Project<'_>, folder: &Path) -> Result<(), ScaffoldError> {
    check_name(project)?;
    let sdk = requirement(project)?;
    let in_the_way = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    if in_the_way {
        let folder = folder.to_owned();
        return Err(ScaffoldError::InTheWay { folder });
    }
    for (file, text) in project.language.template() {
        // The list of packages is right for an SDK in the project alone.
        if *file == LIST && project.sdk.is_some() {
            continue;
        }
        let text = text
            .replace("{{name}}", project.name)
            .replace("{{sdk}}", &sdk);
        write_file(&folder.join(written(file)), &text)?;
    }
    write_file(&folder.join("services.toml"), SERVICES)?;
    if project.sdk.is_none() {
        for (file, text) in project.language.sdk() {
            let text = alone(file, text);
            write_file(&folder.join(VENDORED).join(file), &text)?;
        }
    }
    Ok(())
}

/// Returns the SDK's place as a project's manifest names it: a path, or for npm and pip a URL.
fn requirement(project: &Project<'_>) -> Result<String, ScaffoldError> {
    let path = project.sdk.map(plain).transpose()?;
    Ok(match (project.language, path) {
        (Language::Python, Some(path)) => format!("file://{}", path.replace(' ', "%20")),
        (Language::Python, None) => format!("{{root:uri}}/{VENDORED}"),
        (Language::TypeScript, path) => format!("file:{}", path.unwrap_or(VENDORED)),
        (Language::Rust, path) => path.unwrap_or(VENDORED).to_owned(),
    })
}

/// npm's list of all packages, with their hashes.
const LIST: &str = "package-lock.json";

/// The folder of the SDK in a project.
const VENDORED: &str = "vendor/bailiwick-sdk";

/// Returns the name of a template's file in a project. Some names mean something to the tools that
/// read this program's own sources, so the files have others there.
fn written(file: &str) -> String {
    let file = file.strip_suffix(".template").unwrap_or(file);
    match file.rsplit_once('/') {
        Some((folder, "gitignore")) => format!("{folder}/.gitignore"),
        None if file == "gitignore" => ".gitignore".to_owned(),
        _ => file.to_owned(),
    }
}

/// Returns a file of an SDK; a manifest without what it takes from this program's workspace.
fn alone(file: &str, text: &'static str) -> Cow<'static, str> {
    if file.ends_with("Cargo.toml") {
        return text.replace("[lints]\nworkspace = true\n\n", "").into();
    }
    text.into()
}

fn check_name(project: &Project<'_>) -> Result<(), ScaffoldError> {
    let name = project.name;
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !plain || !begins || name.len() > 64 {
        let name = name.to_owned();
        return Err(ScaffoldError::Name { name });
    }
    if project.language.reserved().contains(&name) {
        return Err(ScaffoldError::Reserved {
            name: name.to_owned(),
            language: project.language,
        });
    }
    Ok(())
}

/// Returns a path that every manifest can have in quotes.
fn plain(path: &Path) -> Result<&str, ScaffoldError> {
    let quoted = |character: char| "'\"\\".contains(character) || character.is_control();
    path.to_str()
        .filter(|text| !text.contains(quoted))
        .ok_or_else(|| ScaffoldError::SdkPath {
            path: path.to_owned(),
        })
}

fn write_file(path: &Path, text: &str) -> Result<(), ScaffoldError> {
    let failed = |source| ScaffoldError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

/// The fake services of a new project, for its author's machine.
const SERVICES: &str = include_str!("scaffold/services.toml");

include!(concat!(env!("OUT_DIR"), "/sdks.rs"));

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn new(name: &str, language: Language, dir: &Path) -> Result<(), ScaffoldError> {
        let sdk = None;
        write(
            &Project {
                name,
                language,
                sdk,
            },
            dir,
        )
    }

    #[test]
    fn a_project_is_whole_and_without_gaps_in_its_texts() {
        for language in Language::ALL {
            let temp = tempfile::tempdir().unwrap();
            let folder = temp.path().join("greeter");
            new("my-greeter", language, &folder).unwrap();
            assert!(folder.join(".gitignore").is_file(), "{language}");
            assert!(folder.join("services.toml").is_file(), "{language}");
            assert_eq!(Language::of_sdk(&folder.join(VENDORED)), Some(language));
            for (file, _) in language.template() {
                let file = written(file);
                let text = fs::read_to_string(folder.join(&file)).unwrap();
                assert!(!text.is_empty() && !text.contains("{{"), "{file}: {text}");
            }
        }
    }

    #[test]
    fn an_sdk_in_a_project_needs_nothing_of_this_workspace() {
        let manifests = RUST_SDK
            .iter()
            .filter(|(file, _)| file.ends_with("Cargo.toml"));
        let mut seen = 0;
        for (file, text) in manifests {
            assert!(!alone(file, text).contains("workspace ="), "{file}");
            seen += 1;
        }
        assert_eq!(seen, 2, "the SDK and its macros");
        assert!(RUST_SDK.iter().any(|(file, _)| *file == "wit/tool.wit"));
    }

    #[test]
    fn a_given_sdk_is_named_and_not_copied() {
        let temp = tempfile::tempdir().unwrap();
        let sdk = temp.path().join("sdk");
        let folder = temp.path().join("greeter");
        let project = Project {
            name: "greeter",
            language: Language::Rust,
            sdk: Some(&sdk),
        };
        write(&project, &folder).unwrap();
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        let path = manifest
            .get("dependencies")
            .and_then(|all| all.get("bailiwick-sdk")?.get("path")?.as_str());
        assert_eq!(path.map(Path::new), Some(&*sdk));
        assert!(!folder.join("vendor").exists());
        let quoted = Project {
            sdk: Some(Path::new("/it's")),
            ..project
        };
        let error = write(&quoted, &temp.path().join("other")).unwrap_err();
        assert!(matches!(error, ScaffoldError::SdkPath { .. }), "{error}");
    }

    #[test]
    fn what_cannot_be_a_project_is_refused_with_what_to_change() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("crate");
        for language in Language::ALL {
            let long = "x".repeat(65);
            for name in ["", "Greeter", "9lives", "a b", "../up", "a/b", "é", &long] {
                assert!(new(name, language, &folder).is_err(), "{name:?}");
            }
            for name in language.reserved() {
                let error = new(name, language, &folder).unwrap_err();
                assert!(error.to_string().contains("choose another"), "{error}");
            }
        }
        assert!(!folder.exists(), "nothing is written");
        fs::write(temp.path().join("file"), "").unwrap();
        let error = new("greeter", Language::Rust, temp.path()).unwrap_err();
        assert!(matches!(error, ScaffoldError::InTheWay { .. }), "{error}");
    }
}
