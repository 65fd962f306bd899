//! Lines of bounded length, from files that are not trusted.

use std::io::{self, BufRead, BufReader, Read as _, SeekFrom, Take};

use super::archive::{Archive, ArchiveFile, open_if_any};
use super::damage::{Damage, Place};

/// The result of reading a line.
pub(super) enum Found {
    Line,
    /// A last line without a line break.
    Torn,
    TooLong,
    End,
}

/// Reads a line with its line break, of at most so many bytes without it. Reads past a longer one
/// to learn whether it ever ends: a crash may leave any number of zeros at the end.
pub(super) fn read_line(
    file: &mut impl BufRead,
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<Found> {
    line.clear();
    let mut length = 0_usize;
    loop {
        let chunk = file.fill_buf()?;
        let end = memchr::memchr(b'\n', chunk);
        let taken = end.map_or(chunk.len(), |end| end + 1);
        if taken == 0 {
            return Ok(if length == 0 { Found::End } else { Found::Torn });
        }
        length = length.saturating_add(taken);
        if length <= limit + 1 {
            line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        }
        file.consume(taken);
        if end.is_some() {
            return Ok(if length <= limit + 1 {
                Found::Line
            } else {
                Found::TooLong
            });
        }
    }
}

/// The complete lines that a file had when it was opened; none if the file does not exist.
pub(super) struct Lines {
    name: &'static str,
    file: Option<Take<BufReader<Box<dyn ArchiveFile>>>>,
    limit: usize,
    count: u64,
}

impl Lines {
    pub(super) fn open(
        archive: &dyn Archive,
        name: &'static str,
        limit: usize,
    ) -> Result<Self, Damage> {
        Self::open_at(archive, name, limit, 0)
    }

    /// Opens a file from a byte on, before which there is a whole line.
    pub(super) fn open_at(
        archive: &dyn Archive,
        name: &'static str,
        limit: usize,
        from: u64,
    ) -> Result<Self, Damage> {
        let begin = |mut file: Box<dyn ArchiveFile>| {
            let length = file.length()?;
            file.seek(SeekFrom::Start(from))?;
            Ok(BufReader::new(file).take(length.saturating_sub(from)))
        };
        let opened = open_if_any(archive, name).and_then(|file| file.map(begin).transpose());
        let unreadable = |source| Damage::Unreadable {
            file: name.to_owned(),
            source,
        };
        Ok(Self {
            name,
            file: opened.map_err(unreadable)?,
            limit,
            count: 0,
        })
    }

    /// Returns the next line with its place. An incomplete last line counts as absent.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Result<Option<Place>, Damage> {
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        let read = read_line(file, line, self.limit);
        let place = Place {
            file: self.name.to_owned(),
            line: self.count + 1,
            seq: None,
        };
        match read {
            Err(source) => Err(Damage::Unreadable {
                file: place.file,
                source,
            }),
            Ok(Found::TooLong) => Err(Damage::TooLong(place)),
            Ok(Found::Torn | Found::End) => Ok(None),
            Ok(Found::Line) => {
                self.count += 1;
                Ok(Some(place))
            }
        }
    }

    /// Returns true if nothing follows the lines so far.
    pub(super) fn is_at_end(&self) -> bool {
        self.file.as_ref().is_none_or(|file| file.limit() == 0)
    }
}
