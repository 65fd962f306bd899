//! An archive as `tar` and `gzip` read it (POSIX.1-1988 ustar, RFC 1952).

use anyhow::{Result, ensure};
use miniz_oxide::deflate::compress_to_vec;

use super::File;

/// Packs files, in the order of their paths. The same files make the same bytes.
pub(super) fn packed(files: &[File]) -> Result<Vec<u8>> {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let mut tar = Vec::<u8>::new();
    for file in sorted {
        tar.extend(header(file)?.into_bytes());
        tar.extend(&*file.bytes);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    // Two empty blocks end an archive.
    tar.resize(tar.len() + 2 * BLOCK, 0);
    compressed(&tar)
}

/// Returns the header of a file: of root, and of the [time](TIME) that all files have.
fn header(file: &File) -> Result<String> {
    let (path, mode, size) = (&file.path, file.mode(), file.bytes.len());
    ensure!(
        path.is_ascii() && path.len() <= 100,
        "{path}: an archive has paths of at most 100 plain characters"
    );
    let with = |sum: &str| {
        let (owner, empty) = ("0000000\0", "");
        format!(
            "{path:\0<100}{mode:07o}\0{owner}{owner}{size:011o}\0{TIME:011o}\0{sum}0{empty:\0<100}\
             ustar\x0000{empty:\0<247}"
        )
    };
    // The sum counts its own field as blanks.
    let sum: u32 = with("        ").bytes().map(u32::from).sum();
    Ok(with(&format!("{sum:06o}\0 ")))
}

/// Compresses bytes, without a name or a time.
fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    const PLAIN: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut packed = PLAIN.to_vec();
    packed.extend(compress_to_vec(bytes, super::LEVEL));
    packed.extend(crc32fast::hash(bytes).to_le_bytes());
    packed.extend(u32::try_from(bytes.len())?.to_le_bytes());
    Ok(packed)
}

const BLOCK: usize = 512;

/// 1980-01-01, the first day that a zip file can have, in seconds since 1970.
const TIME: u32 = 315_532_800;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn an_archive_is_the_same_in_any_order_and_tar_reads_it() {
        let mut files = vec![
            File::text("top/README.md", "read me"),
            File::program("top/bin/tool", vec![7; 1000]),
            File::text("top/empty", ""),
        ];
        let packed = packed(&files).unwrap();
        files.reverse();
        assert_eq!(super::packed(&files).unwrap(), packed);
        let temp = tempfile::tempdir().unwrap();
        let archive = temp.path().join("a.tar.gz");
        fs::write(&archive, packed).unwrap();
        let listed = Command::new("tar")
            .args(["--list", "--verbose", "--numeric-owner", "--utc", "--file"])
            .arg(&archive)
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let lines: Vec<String> = listed
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "-rw-r--r-- 0/0 7 1980-01-01 00:00 top/README.md",
                "-rwxr-xr-x 0/0 1000 1980-01-01 00:00 top/bin/tool",
                "-rw-r--r-- 0/0 0 1980-01-01 00:00 top/empty",
            ]
        );
    }

    #[test]
    fn a_path_that_does_not_fit_is_refused() {
        let longest = "x".repeat(100);
        assert!(packed(&[File::text(&longest, "")]).is_ok());
        for path in ["x".repeat(101), "é".to_owned()] {
            assert!(packed(&[File::text(&path, "")]).is_err(), "{path}");
        }
    }
}
