//! A whole body of `text/event-stream`, read as the messages in it (HTML §9.2.6).

use super::error::RemoteError;

/// Returns the data of each event of the type `message`, in order. Passes over comments, events of
/// other types and events without data. What follows the last blank line is no event.
///
/// # Errors
/// The body is not UTF-8.
pub(super) fn messages(body: &[u8]) -> Result<Vec<String>, RemoteError> {
    let text = std::str::from_utf8(body).map_err(|_| RemoteError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut messages = Vec::new();
    let mut event = StreamedEvent::default();
    let mut rest = text;
    while let Some((line, after)) = next_line(rest) {
        rest = after;
        if line.is_empty() {
            messages.extend(std::mem::take(&mut event).message());
        } else {
            event.read(line);
        }
    }
    Ok(messages)
}

/// An event whose blank line has not come yet.
#[derive(Default)]
struct StreamedEvent {
    kind: String,
    data: Option<String>,
}

impl StreamedEvent {
    fn read(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            },
            // Comments, `id` and `retry`: the host does not come back to a stream.
            _ => {}
        }
    }

    /// Returns its data, if it is a message and has some.
    fn message(self) -> Option<String> {
        let is_message = matches!(self.kind.as_str(), "" | "message");
        self.data.filter(|data| is_message && !data.is_empty())
    }
}

/// Returns the next line, without its end, and what follows it. A line ends with LF, CR or both;
/// text without an end is no line yet.
fn next_line(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['\n', '\r'])?;
    let (line, end) = text.split_at(at);
    let after = end.strip_prefix("\r\n");
    let after = after.or_else(|| end.strip_prefix(['\n', '\r']))?;
    Some((line, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_as_its_messages_and_nothing_else() {
        for (body, expected) in [
            ("", &[][..]),
            ("data: a\n\n", &["a"]),
            ("data:a\r\n\r\n", &["a"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("\u{feff}event: message\ndata: a\n\n", &["a"]),
            (
                ": hello\nid: 7\nretry: 10\ndata: a\ndata:  b\n\n",
                &["a\n b"],
            ),
            // The first event of a stream that a client could come back to.
            ("id: 1\ndata:\n\ndata: a\n\n", &["a"]),
            ("event: ping\ndata: x\n\ndata: a\n\n", &["a"]),
            ("event: ping\n\ndata: a\n\n", &["a"]),
            ("data\n\ndatas: x\n\n", &[]),
            // The stream ended within an event.
            ("data: a\n", &[]),
            ("data: a\n\ndata: b", &["a"]),
        ] {
            let read = messages(body.as_bytes());
            let read = read.map(|read| {
                read.iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join("|")
            });
            assert_eq!(read, Ok(expected.join("|")), "{body:?}");
        }
        assert_eq!(messages(b"data: \xff\n\n"), Err(RemoteError::NotText));
    }
}
