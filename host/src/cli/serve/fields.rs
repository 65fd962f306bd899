//! The fields of a line of the log's text form: `name=value`, with quotes where a value is not one
//! plain word, so that programs can read the lines, too.
//!
//! Invariant: no value, whatever a library or a client put into it, looks like another field.

use std::fmt;

use bailiwick::characters::is_unseen;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};

/// The library's own form, which quotes texts alone; this quotes what is printed as a text, too.
pub(super) struct Quoted;

impl<'writer> FormatFields<'writer> for Quoted {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Quoting(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct Quoting<'writer>(DefaultVisitor<'writer>);

impl Visit for Quoting<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.record_str(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            return self.0.record_debug(field, value);
        }
        let text = format!("{value:?}");
        if is_word(&text) {
            self.0.record_debug(field, value);
        } else {
            self.0.record_str(field, &text);
        }
    }
}

/// Returns true if a value ends where a reader would think so.
fn is_word(text: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || is_unseen(c) || matches!(c, '"' | '=');
    !text.is_empty() && !text.contains(ends)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_value_of_several_words_is_quoted_and_a_plain_one_is_not() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt()
            .fmt_fields(Quoted)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(lines, || {
            let cause = io::Error::other("it is not a \"JWS\" reason=none\n");
            tracing::info!(cause = %cause, reason = "token-malformed", count = 3, "it was refused");
            tracing::info!(url = %"http://127.0.0.1:1/a", seconds = 0.5, text = "a b", "two words");
            tracing::info!(empty = %"", query = %"a=b", port = ?Some(8080), "few");
        });
        let told = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            told.lines().map(str::trim_start).collect::<Vec<_>>(),
            [
                r#"INFO it was refused cause="it is not a \"JWS\" reason=none\n" reason="token-malformed" count=3"#,
                r#"INFO two words url=http://127.0.0.1:1/a seconds=0.5 text="a b""#,
                r#"INFO few empty="" query="a=b" port=Some(8080)"#,
            ]
        );
    }
}
