//! Bytes in memory that nothing can change any more, in a form that the engine can map.
//!
//! A memory file under the kernel's seals: it has no name, it can be mapped without being copied,
//! and neither this process nor another can write, lengthen or cut it. Invariant: a [`SealedCode`]
//! has every seal before anything reads it, so what is checked is what is used.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

/// A sealed memory file.
pub(super) struct SealedCode {
    file: File,
    length: u64,
}

impl SealedCode {
    /// Copies the rest of a file, but no more than `most` bytes.
    pub(super) fn copy(from: &File, most: u64) -> io::Result<Self> {
        let mut file = memory_file()?;
        let length = io::copy(&mut from.take(most), &mut file)?;
        fcntl_add_seals(&file, SEALS)?;
        Ok(Self { file, length })
    }

    /// Returns the number of bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the path by which this process can open the file while this value lives.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }
}

/// Makes an empty memory file, which no one can execute as a program. Kernels before 6.3 do not
/// know that flag.
fn memory_file() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let made = match memfd_create(NAME, flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create(NAME, flags),
        made => made,
    };
    Ok(File::from(made?))
}

/// The name under which the system lists such memory.
const NAME: &str = "bailiwick-code";
/// No change of the bytes, of their number, or of the seals.
const SEALS: SealFlags = SealFlags::WRITE
    .union(SealFlags::GROW)
    .union(SealFlags::SHRINK)
    .union(SealFlags::SEAL);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn sealed(bytes: &[u8], most: u64) -> SealedCode {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        SealedCode::copy(&File::open(path).unwrap(), most).unwrap()
    }

    #[test]
    fn all_bytes_are_copied_in_order() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(300_005).collect();
        for (most, kept) in [(u64::MAX, bytes.len()), (1000, 1000), (0, 0)] {
            let sealed = sealed(&bytes, most);
            assert_eq!(sealed.length(), u64::try_from(kept).unwrap());
            assert!(std::fs::read(sealed.path()).unwrap() == bytes.get(..kept).unwrap());
        }
    }

    #[test]
    fn no_one_can_change_them() {
        let sealed = sealed(b"code", 10);
        let refused = |done: io::Result<()>| {
            done.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        };
        assert!(refused((&sealed.file).write_all(b"more")));
        assert!(refused(sealed.file.write_all_at(b"C", 0)));
        assert!(refused(sealed.file.set_len(3)));
        assert!(refused(sealed.file.set_len(5)));
        assert!(fcntl_add_seals(&sealed.file, SealFlags::empty()).is_err());
        // The superuser may open it to write, and still cannot.
        if let Ok(again) = OpenOptions::new().write(true).open(sealed.path()) {
            assert!(refused(again.write_all_at(b"C", 0)));
        }
        assert_eq!(std::fs::read(sealed.path()).unwrap(), b"code");
    }
}
