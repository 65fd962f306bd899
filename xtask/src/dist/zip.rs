//! A zip file, without the extensions for more than 4 GiB.

use anyhow::{Result, ensure};
use miniz_oxide::deflate::compress_to_vec;

use super::File;

/// Packs files, in the given order. The same files make the same bytes.
pub(super) fn packed(files: &[File]) -> Result<Vec<u8>> {
    let (mut zip, mut directory) = (Vec::<u8>::new(), Vec::<u8>::new());
    for file in files {
        let offset = u32::try_from(zip.len())?;
        let compressed = compress_to_vec(&file.bytes, super::LEVEL);
        let described = described(file, compressed.len())?;
        zip.extend(b"PK\x03\x04");
        zip.extend(&described);
        zip.extend(file.path.as_bytes());
        zip.extend(compressed);
        // Made on Unix, so the upper half of the attributes is a mode.
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&described);
        // No comment, on the first disk, no inner attributes.
        directory.extend([0_u8; 6]);
        directory.extend(((REGULAR | file.mode()) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(file.path.as_bytes());
    }
    let (count, begin) = (u16::try_from(files.len())?, u32::try_from(zip.len())?);
    let length = u32::try_from(directory.len())?;
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend(count.to_le_bytes());
    zip.extend(count.to_le_bytes());
    zip.extend(length.to_le_bytes());
    zip.extend(begin.to_le_bytes());
    // No comment.
    zip.extend([0_u8; 2]);
    Ok(zip)
}

/// Returns what stands both before a file and in the directory.
fn described(file: &File, compressed: usize) -> Result<Vec<u8>> {
    ensure!(file.path.is_ascii(), "{}: not a plain path", file.path);
    // Version 2.0, no flags, deflated, on 1980-01-01 at midnight.
    let mut bytes: Vec<u8> = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
    bytes.extend(crc32fast::hash(&file.bytes).to_le_bytes());
    bytes.extend(u32::try_from(compressed)?.to_le_bytes());
    bytes.extend(u32::try_from(file.bytes.len())?.to_le_bytes());
    bytes.extend(u16::try_from(file.path.len())?.to_le_bytes());
    // Nothing extra.
    bytes.extend([0_u8; 2]);
    Ok(bytes)
}

/// The type of a regular file in a mode.
const REGULAR: u32 = 0o100_000;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::process::Command;

    use super::*;

    const READ: &str = "\
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as packed:
    assert packed.testzip() is None
    for file in packed.infolist():
        mode = oct(file.external_attr >> 16)
        print(file.filename, mode, file.file_size, file.date_time[0])";

    #[test]
    fn a_zip_file_is_the_same_each_time_and_python_reads_it() {
        let files = [
            File::text("README.md", "read me"),
            File::program("bin/tool", vec![7; 1000]),
            File::text("empty", ""),
        ];
        let packed = packed(&files).unwrap();
        assert_eq!(super::packed(&files).unwrap(), packed);
        let temp = tempfile::tempdir().unwrap();
        let archive = temp.path().join("a.zip");
        fs::write(&archive, packed).unwrap();
        let read = Command::new("python3")
            .args(["-c", READ])
            .arg(&archive)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(read.stdout).unwrap(),
            "README.md 0o100644 7 1980\nbin/tool 0o100755 1000 1980\nempty 0o100644 0 1980\n"
        );
    }
}
