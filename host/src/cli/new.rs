//! `bailiwick new`: a Rust crate with one example tool, ready for `bailiwick build`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::page::Page;

/// The command line of `bailiwick new`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The crate's name, which is also the component's.
    name: String,
    /// The crate's folder; by default, one of the crate's name in the current folder.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// The folder of the crate `bailiwick-sdk`; by default, the one in this program's sources.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    sdk: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    check_name(&args.name)?;
    let sdk = match &args.sdk {
        Some(path) => Some(given_sdk(path)?),
        None => std::env::current_exe().ok().and_then(|own| sdk_near(&own)),
    };
    let folder = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    write_crate(&folder, &args.name, &dependency(sdk.as_deref())?)?;
    page.line(&format!(
        "{} is a tool; it can be built and tested as it is:",
        folder.display()
    ))?;
    page.line(&format!(
        "  cargo test --manifest-path {}",
        folder.join("Cargo.toml").display()
    ))?;
    page.line(&format!(
        "  bailiwick build {} --out tools",
        folder.display()
    ))?;
    page.line(&format!("  bailiwick inspect tools/{}.wasm", args.name))?;
    page.line("  bailiwick dev tools")?;
    Ok(())
}

/// Checks that a name is good for a crate and for a component.
fn check_name(name: &str) -> anyhow::Result<()> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    ensure!(
        plain && begins && name.len() <= 64,
        "{name:?} cannot be the name of a tool's crate; expected at most 64 of [a-z0-9_-], a letter \
         first"
    );
    ensure!(
        !RESERVED.contains(&name),
        "{name:?} is reserved by cargo or Rust; choose another name"
    );
    Ok(())
}

fn given_sdk(path: &Path) -> anyhow::Result<PathBuf> {
    let whole = path
        .canonicalize()
        .with_context(|| format!("--sdk: {} does not exist", path.display()))?;
    ensure!(
        is_sdk(&whole),
        "--sdk: {} is not the folder of bailiwick-sdk; expected the folder `guest-sdk` of \
         Bailiwick's sources",
        path.display()
    );
    Ok(whole)
}

/// Finds the SDK in the sources that this program was built from, if they still exist.
fn sdk_near(own: &Path) -> Option<PathBuf> {
    own.ancestors()
        .map(|folder| folder.join("guest-sdk"))
        .find(|path| is_sdk(path))
}

fn is_sdk(path: &Path) -> bool {
    fs::read_to_string(path.join("Cargo.toml"))
        .is_ok_and(|text| text.contains("name = \"bailiwick-sdk\""))
}

/// Returns the right side of `bailiwick-sdk =`.
fn dependency(sdk: Option<&Path>) -> anyhow::Result<String> {
    let Some(path) = sdk else {
        return Ok("\"0.2\"".to_owned());
    };
    match path.to_str() {
        Some(text) if !text.contains('\'') && !text.contains(char::is_control) => {
            Ok(format!("{{ path = '{text}' }}"))
        }
        _ => bail!(
            "the path {} cannot be written into a Cargo.toml; move the SDK",
            path.display()
        ),
    }
}

fn write_crate(folder: &Path, name: &str, sdk: &str) -> anyhow::Result<()> {
    let in_the_way = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    ensure!(
        !in_the_way,
        "{} exists and is not an empty folder; choose another --dir",
        folder.display()
    );
    fs::create_dir_all(folder.join("src"))
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    for (file, template) in TEMPLATES {
        let text = template.replace("{{name}}", name).replace("{{sdk}}", sdk);
        let path = folder.join(file);
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

const TEMPLATES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.template")),
    ("src/lib.rs", include_str!("new/lib.rs.template")),
    ("README.md", include_str!("new/README.md.template")),
    (".gitignore", include_str!("new/gitignore.template")),
];

/// Names that cargo refuses or that would shadow a crate in use.
const RESERVED: &[&str] = &[
    "as",
    "async",
    "await",
    "bailiwick",
    "bailiwick-sdk",
    "bailiwick_sdk",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "proc-macro",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "schemars",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
    "alloc",
    "gen",
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn new(name: &str, dir: &Path, sdk: Option<&Path>) -> anyhow::Result<String> {
        let mut bytes = Vec::new();
        let args = Args {
            name: name.to_owned(),
            dir: Some(dir.to_owned()),
            sdk: sdk.map(Path::to_owned),
        };
        run(&args, &mut Page::new(&mut bytes, false))?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    fn sdk(folder: &Path) -> PathBuf {
        let sdk = folder.join("guest-sdk");
        fs::create_dir_all(&sdk).unwrap();
        fs::write(
            sdk.join("Cargo.toml"),
            "[package]\nname = \"bailiwick-sdk\"\n",
        )
        .unwrap();
        sdk
    }

    #[test]
    fn a_crate_is_written_with_all_its_files() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("greeter");
        let said = new("greeter", &folder, Some(&sdk(temp.path()))).unwrap();
        assert!(said.contains("bailiwick build"), "{said}");
        for (file, _) in TEMPLATES {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            assert!(!text.is_empty() && !text.contains("{{"), "{file}: {text}");
        }
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        let path = manifest
            .get("dependencies")
            .and_then(|all| all.get("bailiwick-sdk")?.get("path")?.as_str());
        assert_eq!(
            path.map(PathBuf::from),
            Some(temp.path().canonicalize().unwrap().join("guest-sdk"))
        );
    }

    #[test]
    fn what_cannot_be_a_crate_is_refused_with_what_to_change() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, good) = (temp.path().join("crate"), sdk(temp.path()));
        for name in [
            "",
            "Greeter",
            "9lives",
            "a b",
            "../up",
            "a/b",
            "test",
            "é",
            &"x".repeat(65),
        ] {
            assert!(new(name, &folder, Some(&good)).is_err(), "{name:?}");
        }
        assert!(!folder.exists(), "nothing is written");
        for wrong in [temp.path().join("absent"), temp.path().to_owned()] {
            let error = new("greeter", &folder, Some(&wrong)).unwrap_err();
            assert!(format!("{error:#}").contains("--sdk"), "{error:#}");
        }
        let error = new("greeter", temp.path(), Some(&good))
            .unwrap_err()
            .to_string();
        assert!(error.contains("choose another --dir"), "{error}");
    }

    #[test]
    fn the_sdk_is_found_near_the_program_or_taken_from_the_registry() {
        let temp = tempfile::tempdir().unwrap();
        let own = temp.path().join("target/debug/bailiwick");
        assert_eq!(sdk_near(&own), None);
        let sdk = sdk(temp.path());
        assert_eq!(sdk_near(&own), Some(sdk));
        assert_eq!(dependency(None).unwrap(), "\"0.2\"");
        assert!(dependency(Some(Path::new("/it's"))).is_err());
    }
}
