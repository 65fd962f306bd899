//! Lines of the standard streams, each read and written by a thread of its own.
//!
//! Any file can be a standard stream, and only threads can wait for all of them. Invariant: no line
//! is held that is longer than the bound, and at most a few lines wait on either side.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// A line that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StreamLine {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// A line that was longer than the bound, so it was not kept.
    TooLong,
}

/// The lines to be written. They are written once no one can send any more.
pub(super) type LineSender = mpsc::Sender<Vec<u8>>;

/// Reads lines of at most `max` bytes in a thread that ends with the stream.
///
/// # Errors
/// Fails if there is no thread for it.
pub(super) fn read(
    from: impl Read + Send + 'static,
    max: usize,
) -> io::Result<mpsc::Receiver<StreamLine>> {
    let (sender, lines) = mpsc::channel(WAITING);
    thread::Builder::new()
        .name("lines-in".into())
        .spawn(move || {
            let mut from = BufReader::new(from);
            while let Some(line) = next(&mut from, max) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        })?;
    Ok(lines)
}

/// Writes lines in a thread that ends when there are no more senders, or no more readers of the
/// stream. Returns the sender, and what fires when the thread has ended.
///
/// # Errors
/// Fails if there is no thread for it.
pub(super) fn write(
    mut to: impl Write + Send + 'static,
) -> io::Result<(LineSender, oneshot::Receiver<()>)> {
    let (sender, mut lines) = mpsc::channel::<Vec<u8>>(WAITING);
    let (writing, written) = oneshot::channel();
    thread::Builder::new()
        .name("lines-out".into())
        .spawn(move || {
            while let Some(mut line) = lines.blocking_recv() {
                line.push(b'\n');
                if to.write_all(&line).and_then(|()| to.flush()).is_err() {
                    break;
                }
            }
            drop(lines);
            let _ = writing.send(());
        })?;
    Ok((sender, written))
}

/// Returns the next line, or `None` at the end. What comes after the last end of a line is a line
/// too. A stream that cannot be read has ended.
fn next(from: &mut impl BufRead, max: usize) -> Option<StreamLine> {
    let (mut line, mut is_too_long, mut began) = (Vec::new(), false, false);
    loop {
        let bytes = match from.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        if bytes.is_empty() {
            return began.then(|| ended(line, is_too_long));
        }
        began = true;
        let end = memchr::memchr(b'\n', bytes);
        let (part, used) = match end {
            Some(end) => (bytes.get(..end).unwrap_or_default(), end + 1),
            None => (bytes, bytes.len()),
        };
        if is_too_long || part.len() > max.saturating_sub(line.len()) {
            is_too_long = true;
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        from.consume(used);
        if end.is_some() {
            return Some(ended(line, is_too_long));
        }
    }
}

fn ended(line: Vec<u8>, is_too_long: bool) -> StreamLine {
    if is_too_long {
        StreamLine::TooLong
    } else {
        StreamLine::Whole(line)
    }
}

/// The lines that wait between a thread and the session.
const WAITING: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the lines of a stream that gives `step` bytes at a time.
    fn lines(text: &[u8], max: usize, step: usize) -> Vec<StreamLine> {
        let mut from = BufReader::with_capacity(step, text);
        std::iter::from_fn(|| next(&mut from, max)).collect()
    }

    #[test]
    fn a_line_ends_at_its_end_however_its_bytes_come() {
        let whole = |text: &str| StreamLine::Whole(text.as_bytes().to_vec());
        for (text, expected) in [
            ("", vec![]),
            ("a\n", vec![whole("a")]),
            ("a\nb\n", vec![whole("a"), whole("b")]),
            ("a\nhalf", vec![whole("a"), whole("half")]),
            ("\n\r\na", vec![whole(""), whole("\r"), whole("a")]),
            ("123456\n", vec![whole("123456")]),
            ("1234567\na\n", vec![StreamLine::TooLong, whole("a")]),
            ("1234567", vec![StreamLine::TooLong]),
            (
                "a\n12345678901234567890",
                vec![whole("a"), StreamLine::TooLong],
            ),
        ] {
            for step in [1, 2, 3, 5, 64] {
                assert_eq!(lines(text.as_bytes(), 6, step), expected, "{text:?} {step}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_a_line_as_well() {
        let text = b"\xff\xfe\n";
        assert_eq!(lines(text, 8, 1), [StreamLine::Whole(vec![0xff, 0xfe])]);
    }

    #[tokio::test]
    async fn lines_are_written_whole_and_the_end_is_told() -> io::Result<()> {
        let (mut reader, writer) = io::pipe()?;
        let (sender, written) = write(writer)?;
        for line in ["one", "two"] {
            assert!(sender.send(line.into()).await.is_ok());
        }
        drop(sender);
        assert!(written.await.is_ok());
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        assert_eq!(text, "one\ntwo\n");
        Ok(())
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_ends_the_writing() -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        drop(reader);
        let (sender, written) = write(writer)?;
        let _ = sender.send("a".into()).await;
        assert!(written.await.is_ok());
        assert!(sender.send("b".into()).await.is_err());
        Ok(())
    }
}
