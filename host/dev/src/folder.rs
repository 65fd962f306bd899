//! The folder of a host: its configuration, its tools, its secrets.
//!
//! Demo and tests write a new one each time. The host refuses folders that others can write and
//! secrets that others can read, so the permissions are set here.

mod config;

pub use config::Config;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// A folder in which a host can start.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder with its parts `tools` and `secrets`, all 0700.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        for part in [path, &path.join("tools"), &path.join("secrets")] {
            fs::create_dir_all(part)
                .and_then(|()| fs::set_permissions(part, Permissions::from_mode(0o700)))
                .with_context(|| format!("cannot make {}", part.display()))?;
        }
        Ok(Self(path.to_owned()))
    }

    /// Returns the folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the file of the configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("bailiwick.toml")
    }

    /// Writes the notice for the operator's page, or removes it.
    ///
    /// # Errors
    /// The folder cannot be changed.
    pub fn write_notice(&self, text: Option<&str>) -> anyhow::Result<()> {
        let (file, fresh) = (self.0.join("notice"), self.0.join("notice.new"));
        let changed = match text {
            Some(text) => fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &file)),
            None if file.exists() => fs::remove_file(&file),
            None => Ok(()),
        };
        changed.with_context(|| file.display().to_string())
    }

    /// Returns the journal's folder.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// Copies a component into the tools; returns its digest as the configuration spells it.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add_tool(&self, component: &Path) -> anyhow::Result<String> {
        let bytes = fs::read(component)
            .with_context(|| format!("cannot read the component {}", component.display()))?;
        let name = component
            .file_name()
            .context("a component without a name")?;
        self.write_tool(&name.to_string_lossy(), &bytes)
    }

    /// Writes a component into the tools; returns its digest as the configuration spells it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_tool(&self, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
        self.write(&format!("tools/{name}"), bytes)?;
        Ok(digest(bytes))
    }

    /// Does the same, so that the host sees the old component or the whole new one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn replace_tool(&self, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
        let new = format!("tools/{name}.new");
        self.write(&new, bytes)?;
        let (new, path) = (self.0.join(new), self.0.join("tools").join(name));
        fs::rename(new, &path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(digest(bytes))
    }

    /// Writes a secret, readable only by its owner.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_secret(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        self.write(&format!("secrets/{name}"), secret.as_bytes())
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_config(&self, config: &Config) -> anyhow::Result<()> {
        self.write("bailiwick.toml", config.to_toml().as_bytes())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.0.join(name);
        fs::write(&path, bytes)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Returns `sha256:` and the digest of a component.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_digest_is_what_sha256sum_says() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(super::digest(b""), format!("sha256:{empty}"));
    }
}
