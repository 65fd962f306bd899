//! `cargo xtask dist`: what is published of a version, for machines like this one or, with
//! `--target`, for others.
//!
//! The programs are packed as an archive, as a wheel for Python and as a package for npm, beside
//! the list of what they are made of and the sums of all. Everything is in `target/dist/TARGET`.
//! Invariant: the same programs and sources make the same bytes.

pub(crate) mod install;
mod machine;
mod npm;
mod sbom;
mod tar;
mod wheel;
mod zip;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::step::{self, run, say, step};
use crate::{Project, release};
use machine::Machine;

/// The programs that are shipped, and the package of each.
const PROGRAMS: [(&str, &str); 3] = [
    ("bailiwick", "bailiwick"),
    ("bailiwick-audit", "bailiwick-journal"),
    ("bailiwick-dev", "bailiwick-dev"),
];

/// The files of the sources that go with the programs.
const TEXTS: [&str; 5] = [
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
];

/// How hard to compress, of 10.
const LEVEL: u8 = 6;

/// Everything that is packed.
struct Product {
    /// What cargo knows about the package `bailiwick`.
    about: sbom::About,
    /// The compiler's name of the machine, such as `x86_64-unknown-linux-gnu`.
    target: String,
    /// The programs, by their names.
    programs: Vec<File>,
    /// Manual pages and completions, by their paths below `share`.
    shared: Vec<File>,
    /// Licences and documents, by their names.
    texts: Vec<File>,
}

/// A file in an archive.
#[derive(Clone, Debug)]
struct File {
    path: String,
    bytes: Rc<[u8]>,
    is_program: bool,
}

impl File {
    fn text(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            bytes: text.as_bytes().into(),
            is_program: false,
        }
    }

    fn program(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            bytes: bytes.into(),
            is_program: true,
        }
    }

    /// Returns the same file in a folder.
    fn below(&self, folder: &str) -> Self {
        Self {
            path: format!("{folder}/{}", self.path),
            ..self.clone()
        }
    }

    fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// Returns the same files in a folder.
fn below<'f>(folder: &'f str, files: &'f [File]) -> impl Iterator<Item = File> + 'f {
    files.iter().map(move |file| file.below(folder))
}

/// Makes what the command line asks for.
pub(crate) fn run_with(project: &Project, arguments: &[String]) -> Result<()> {
    let (target, programs) = options(arguments)?;
    let folder = make(project, &Machine::of(target)?, programs)?;
    say(&format!("packed: {}", folder.display()));
    Ok(())
}

/// Reads the command line: the target, and the folder of programs to pack in place of a release.
fn options(arguments: &[String]) -> Result<(Option<&str>, Option<&Path>)> {
    let (mut target, mut programs) = (None, None);
    for pair in arguments.chunks(2) {
        match pair {
            [option, name] if option == "--target" && target.is_none() => {
                target = Some(name.as_str());
            }
            [option, folder] if option == "--programs" && programs.is_none() => {
                programs = Some(Path::new(folder));
            }
            _ => bail!("expected nothing, `--target TARGET`, `--programs FOLDER` or both"),
        }
    }
    Ok((target, programs))
}

/// Packs the programs of a folder, or release programs that it builds; returns the folder with what
/// was made.
fn make(project: &Project, machine: &Machine, programs: Option<&Path>) -> Result<PathBuf> {
    machine.set_up()?;
    let programs = match programs {
        Some(folder) => PROGRAMS.map(|(name, _)| folder.join(name)),
        None => build(project, machine)?,
    };
    let (product, bill) = step("collecting what is packed", || {
        collect(project, machine, &programs)
    })?;
    let folder = project.target().join("dist").join(&machine.target);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder)?;
    let mut sums = Vec::new();
    for (name, bytes) in [
        step("packing the archive", || archive(project, &product, &bill))?,
        step("packing the wheel", || wheel::packed(&product))?,
        step("packing the npm package", || npm::packed(&product))?,
        (format!("{}.cdx.json", product.name()), bill.into_bytes()),
    ] {
        fs::write(folder.join(&name), &bytes)?;
        sums.push((name, Sha256::digest(&bytes)));
    }
    sums.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut lines = String::new();
    for (name, sum) in sums {
        for byte in sum {
            write!(lines, "{byte:02x}")?;
        }
        writeln!(lines, "  {name}")?;
    }
    fs::write(folder.join(SUMS), lines)?;
    Ok(folder)
}

/// The file with the sums of all others, as `sha256sum --check` reads it.
const SUMS: &str = "SHA256SUMS";

/// Builds the programs as they are released; returns their paths in the order of [`PROGRAMS`].
///
/// Those for other machines are not laid out by what calls execute: counts belong to the code of
/// one machine, and are wrong for what is compiled otherwise for another.
fn build(project: &Project, machine: &Machine) -> Result<[PathBuf; 3]> {
    if !machine.is_own() {
        let (mut cargo, folder) = machine.build(project, &PROGRAMS);
        step("building the programs", || run(&mut cargo))?;
        return Ok(PROGRAMS.map(|(program, _)| folder.join(program)));
    }
    let host = release::build(project)?;
    let [_, beside @ ..] = PROGRAMS;
    let (mut cargo, folder) = machine.build(project, &beside);
    step("building the programs beside the host", || run(&mut cargo))?;
    let [audit, dev] = beside.map(|(program, _)| folder.join(program));
    Ok([host, audit, dev])
}

/// Reads everything that is packed, and lists what the programs are made of.
fn collect(project: &Project, machine: &Machine, paths: &[PathBuf]) -> Result<(Product, String)> {
    let packages = PROGRAMS.map(|(_, package)| package);
    let (about, bill) = sbom::bill(project, &machine.target, &packages)?;
    let mut programs = Vec::new();
    for (path, (name, _)) in paths.iter().zip(PROGRAMS) {
        let shown = || path.display().to_string();
        let bytes = fs::read(path).with_context(shown)?;
        machine.check(&bytes).with_context(shown)?;
        let said = step::read(machine.start(path).arg("--version"))?;
        check_version(&said, name, &about.version).with_context(shown)?;
        programs.push(File::program(name, bytes));
    }
    let [host, ..] = paths else {
        bail!("no program")
    };
    let texts: Result<Vec<File>> = TEXTS
        .iter()
        .map(|name| text(&project.root.join(name), name))
        .collect();
    let product = Product {
        about,
        target: machine.target.clone(),
        programs,
        shared: shared(machine, host)?,
        texts: texts?,
    };
    Ok((product, bill))
}

/// Checks what a program says of itself: one of other sources would run beside the others.
fn check_version(said: &str, name: &str, version: &str) -> Result<()> {
    let said = said.trim();
    ensure!(
        said == format!("{name} {version}"),
        "it says that it is {said}, but the sources are of {name} {version}"
    );
    Ok(())
}

/// Lets the program write its manual pages and completions.
fn shared(machine: &Machine, host: &Path) -> Result<Vec<File>> {
    let mut shared = Vec::new();
    for (shell, path) in [
        ("bash", "bash-completion/completions/bailiwick"),
        ("fish", "fish/vendor_completions.d/bailiwick.fish"),
        ("zsh", "zsh/site-functions/_bailiwick"),
    ] {
        let script = step::read(machine.start(host).args(["completions", shell]))?;
        shared.push(File::text(path, &script));
    }
    let pages = tempfile::tempdir()?;
    step::read(machine.start(host).arg("man").arg(pages.path()))?;
    for page in fs::read_dir(pages.path())? {
        let page = page?;
        let name = page.file_name().to_string_lossy().into_owned();
        shared.push(text(&page.path(), &format!("man/man1/{name}"))?);
    }
    shared.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(shared)
}

/// Packs everything as it lies below `/usr/local`.
fn archive(project: &Project, product: &Product, bill: &str) -> Result<(String, Vec<u8>)> {
    let unit = "bailiwick.service";
    let unit = text(&project.root.join("packaging").join(unit), unit)?;
    let mut files = vec![
        unit.below("lib/systemd/system"),
        File::text("share/doc/bailiwick/bailiwick.cdx.json", bill),
    ];
    files.extend(below("bin", &product.programs));
    files.extend(below("share", &product.shared));
    files.extend(below("share/doc/bailiwick", &product.texts));
    let name = product.name();
    let files: Vec<File> = below(&name, &files).collect();
    Ok((format!("{name}.tar.gz"), tar::packed(&files)?))
}

impl Product {
    /// Returns the name of the archive.
    fn name(&self) -> String {
        format!("bailiwick-{}-{}", self.about.version, self.target)
    }
}

/// Reads a text, which gets a path in the archive.
fn text(from: &Path, path: &str) -> Result<File> {
    let text = fs::read_to_string(from).with_context(|| from.display().to_string())?;
    Ok(File::text(path, &text))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_command_line_names_a_target_and_a_folder_in_any_order() {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        let folder = Some(Path::new("f"));
        for (line, expected) in [
            ("", (None, None)),
            ("--target t", (Some("t"), None)),
            ("--programs f", (None, folder)),
            ("--programs f --target t", (Some("t"), folder)),
        ] {
            assert_eq!(options(&words(line)).unwrap(), expected, "{line}");
        }
        for wrong in ["--target", "t", "--target t --target u", "--targets t"] {
            assert!(options(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_program_of_other_sources_is_not_packed() {
        for (said, is_packed) in [
            ("bailiwick-dev 1.2.3\n", true),
            ("bailiwick-dev 1.2.2\n", false),
            ("bailiwick 1.2.3\n", false),
            ("", false),
        ] {
            let checked = check_version(said, "bailiwick-dev", "1.2.3");
            assert_eq!(checked.is_ok(), is_packed, "{said}");
        }
    }
}
