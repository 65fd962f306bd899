//! `cargo xtask packages`: the crates as a registry gets them, in `target/packages`.
//!
//! They are packed from a copy of the sources, in which the host has the SDKs with it, each crate
//! has its licences, and all may be published. Invariant: the sources are not changed, and nothing
//! is published.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Project;
use crate::step::{read, run, say, step};

/// The crates and their folders. The others are no one's dependency.
const CRATES: [(&str, &str); 6] = [
    ("bailiwick", "host"),
    ("bailiwick-dev", "host/dev"),
    ("bailiwick-envelope", "host/envelope"),
    ("bailiwick-journal", "host/journal"),
    ("bailiwick-sdk", "guest-sdk"),
    ("bailiwick-sdk-macros", "guest-sdk/macros"),
];

/// The manifests that forbid to publish, also for the crates that inherit it.
const FORBIDDING: [&str; 3] = [
    "Cargo.toml",
    "guest-sdk/Cargo.toml",
    "guest-sdk/macros/Cargo.toml",
];

/// Packs the crates, and with `is_verified` also builds each from its package alone; returns how
/// large they are.
pub(crate) fn pack(project: &Project, is_verified: bool) -> Result<Vec<String>> {
    let folder = project.target().join("packages");
    let sources = folder.join("sources");
    let files = step("copying the sources", || stage(&project.root, &sources))?;
    let made = folder.join("target");
    let mut cargo = project.cargo();
    cargo
        .current_dir(&sources)
        .args(["package", "--quiet", "--allow-dirty"]);
    cargo.arg("--target-dir").arg(&made);
    if !is_verified {
        cargo.args(["--no-verify", "--offline"]);
    }
    for (name, _) in CRATES {
        cargo.args(["--package", name]);
    }
    let label = if is_verified {
        "packing the crates and building each"
    } else {
        "packing the crates"
    };
    step(label, || run(cargo.stdin(Stdio::null())))?;
    let mut figures = Vec::new();
    for (name, version) in versions(&sources)? {
        let package = made.join(format!("package/{name}-{version}.crate"));
        let bytes = fs::metadata(&package).with_context(|| package.display().to_string())?;
        figures.push(format!("{name} {version} has {} KiB", bytes.len() >> 10));
        if name == "bailiwick" {
            check_host(&package, &format!("{name}-{version}"), &files)?;
        }
    }
    say(&format!("  {}", figures.join("\n  ")));
    Ok(figures)
}

/// Copies the sources, and adds what packages need; returns the paths of all files before.
fn stage(root: &Path, to: &Path) -> Result<Vec<String>> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| to.display().to_string())?;
    }
    let files = files(root)?;
    for file in &files {
        copy(&root.join(file), &to.join(file))?;
        if let Some(file) = in_host(file) {
            let from = root.join("guest-sdk").join(file.trim_end_matches(".in"));
            copy(&from, &to.join("host/sdks").join(&file))?;
        }
    }
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        for (_, folder) in CRATES {
            fs::copy(root.join(licence), to.join(folder).join(licence))?;
        }
    }
    for manifest in FORBIDDING {
        let text = fs::read_to_string(root.join(manifest))?;
        let forbidding = "\npublish = false\n";
        ensure!(
            text.contains(forbidding),
            "{manifest} does not forbid to publish; it must, until a release is made"
        );
        fs::write(
            to.join(manifest),
            text.replace(forbidding, "\npublish = true\n"),
        )?;
    }
    Ok(files)
}

/// Returns the path of an SDK's file below the host's copy of the SDKs. Cargo packs no folder that
/// has a manifest of its own, so manifests have another name there.
fn in_host(file: &str) -> Option<String> {
    let file = file.strip_prefix("guest-sdk/")?;
    let is_manifest = file == "Cargo.toml" || file.ends_with("/Cargo.toml");
    Some(format!("{file}{}", if is_manifest { ".in" } else { "" }))
}

/// Copies a file, or a link as a link.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let copied = match fs::read_link(from) {
        Ok(target) => symlink(target, to),
        Err(_) => fs::copy(from, to).map(drop),
    };
    copied.with_context(|| from.display().to_string())
}

/// Returns the files of the sources: those that git tracks, so that nothing else that lies in the
/// folder is published.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached"]);
    let listed = read(git.args(["--deduplicate", "-z"]).current_dir(root))?;
    let files = listed.split('\0').filter(|file| !file.is_empty());
    // A removed file is listed until its removal is staged.
    let there = |file: &&str| root.join(file).symlink_metadata().is_ok();
    Ok(files.filter(there).map(str::to_owned).collect())
}

/// Returns the crates with their versions, as their manifests or the workspace's have them.
fn versions(sources: &Path) -> Result<Vec<(&'static str, String)>> {
    let version = |manifest: PathBuf| -> Result<Option<String>> {
        let text = fs::read_to_string(manifest)?;
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        Ok(found.map(str::to_owned))
    };
    let common = version(sources.join("Cargo.toml"))?.context("the workspace has no version")?;
    let mut versions = Vec::new();
    for (name, folder) in CRATES {
        let own = version(sources.join(folder).join("Cargo.toml"))?;
        versions.push((name, own.unwrap_or_else(|| common.clone())));
    }
    Ok(versions)
}

/// Checks that the host's package has all that its build script reads.
fn check_host(package: &Path, top: &str, files: &[String]) -> Result<()> {
    let mut tar = Command::new("tar");
    let listed = read(tar.args(["--list", "--gzip", "--file"]).arg(package))?;
    let listed: Vec<&str> = listed.lines().collect();
    let mut wanted: Vec<String> = files.iter().filter_map(|file| in_host(file)).collect();
    // The files behind a link are packed in its place.
    wanted.retain(|file| file != "wit");
    wanted.push("wit/tool.wit".to_owned());
    let mut wanted: Vec<String> = wanted.iter().map(|file| format!("sdks/{file}")).collect();
    wanted.extend(["Cargo.lock", "wit/tool.wit", "LICENSE-MIT"].map(str::to_owned));
    wanted.retain(|file| !listed.contains(&format!("{top}/{file}").as_str()));
    ensure!(wanted.is_empty(), "the host's package lacks {wanted:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_file_that_git_does_not_track_is_not_packed() {
        let temp = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            read(git.args(arguments).current_dir(temp.path())).unwrap()
        };
        git(&["init", "--quiet"]);
        for file in ["tracked.rs", "removed.rs", "notes.txt"] {
            fs::write(temp.path().join(file), "").unwrap();
        }
        git(&["add", "tracked.rs", "removed.rs"]);
        fs::remove_file(temp.path().join("removed.rs")).unwrap();
        assert_eq!(files(temp.path()).unwrap(), ["tracked.rs"]);
    }

    #[test]
    fn the_copy_can_be_published_and_its_host_has_the_sdks() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let temp = tempfile::tempdir().unwrap();
        let files = stage(root, temp.path()).unwrap();
        assert!(files.iter().any(|file| file == "guest-sdk/wit"));
        for file in [
            "host/sdks/Cargo.toml.in",
            "host/sdks/macros/Cargo.toml.in",
            "host/sdks/wit/tool.wit",
            "host/sdks/python/template/.gitignore",
            "host/journal/LICENSE-MIT",
        ] {
            assert!(temp.path().join(file).is_file(), "{file}");
        }
        for manifest in FORBIDDING {
            let text = fs::read_to_string(temp.path().join(manifest)).unwrap();
            assert!(!text.contains("publish = false"), "{manifest}");
        }
        let versions = versions(temp.path()).unwrap();
        assert!(versions.contains(&("bailiwick", env!("CARGO_PKG_VERSION").to_owned())));
        assert_eq!(versions.len(), CRATES.len());
    }
}
