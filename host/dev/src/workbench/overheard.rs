//! What a build prints: passed on to standard output as it comes, while its end is kept as text.
//!
//! Invariant: what is kept has no escape sequences of terminals, and has a bound.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, stdout};
use tokio::process::Child;
use tokio::task::JoinHandle;

/// The output of a child, on its way.
pub(super) struct Overheard {
    end: Arc<Mutex<Vec<u8>>>,
    ways: Vec<JoinHandle<()>>,
    /// When the child was found to have ended.
    since: Option<Instant>,
}

impl Overheard {
    /// Takes the pipes of a child.
    pub(super) fn of(child: &mut Child) -> Self {
        let end = Arc::default();
        let mut ways = Vec::new();
        if let Some(out) = child.stdout.take() {
            ways.push(tokio::spawn(pass_on(out, stdout(), Arc::clone(&end))));
        }
        if let Some(err) = child.stderr.take() {
            ways.push(tokio::spawn(pass_on(err, stdout(), Arc::clone(&end))));
        }
        let since = None;
        Self { end, ways, since }
    }

    /// Returns true if everything was passed on. Who keeps a pipe open after the child's end is not
    /// waited for.
    pub(super) fn is_over(&mut self) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.ways.iter().all(JoinHandle::is_finished) || since.elapsed() >= LONGEST
    }

    /// Returns the end of the output, in whole lines.
    pub(super) fn text(&self) -> String {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        plain(&String::from_utf8_lossy(&end))
    }
}

async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut out: impl AsyncWrite + Unpin,
    end: Arc<Mutex<Vec<u8>>>,
) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let piece = buffer.get(..length).unwrap_or_default();
        // The output may be closed; the build goes on.
        let _unheard = out.write_all(piece).await;
        let _unheard = out.flush().await;
        let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
        end.extend_from_slice(piece);
        let over = end.len().saturating_sub(MOST);
        end.drain(..over);
    }
}

/// Returns lines as a terminal would leave them, without colours and without what was overwritten.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    let mut line = 0;
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => {
                if rest.next_if_eq(&'[').is_some() {
                    while rest.next_if(|part| !('@'..='~').contains(part)).is_some() {}
                }
                rest.next();
            }
            '\r' if rest.peek().is_some_and(|next| *next != '\n') => plain.truncate(line),
            '\n' => {
                plain.push('\n');
                line = plain.len();
            }
            '\t' => plain.push('\t'),
            other if other.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The bytes that are kept.
const MOST: usize = 12 << 10;
/// The longest wait for output after the child's end.
const LONGEST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::process::Stdio;

    use tokio::process::Command;

    use super::*;

    #[test]
    fn what_is_kept_is_what_a_terminal_would_leave() {
        for (printed, left) in [
            ("a\nb\n", "a\nb\n"),
            ("\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: x", "error: x"),
            ("1 of 2\r2 of 2\rdone\r\n", "done\n"),
            ("a\u{7}\tb\u{1b}", "a\tb"),
        ] {
            assert_eq!(plain(printed), left, "{printed:?}");
        }
    }

    #[tokio::test]
    async fn everything_is_passed_on_and_the_end_is_kept() {
        let long = ["first\n", &"x".repeat(20_000), "\nlast\n"].concat();
        for (printed, kept) in [("", 0), ("short\n", 6), (&*long, MOST)] {
            let (end, mut out) = (Arc::default(), Vec::new());
            pass_on(printed.as_bytes(), &mut out, Arc::clone(&end)).await;
            assert_eq!(String::from_utf8(out).unwrap(), printed);
            let end = end.lock().unwrap();
            assert_eq!(end.len(), kept);
            assert!(printed.as_bytes().ends_with(&end));
        }
    }

    #[tokio::test]
    async fn both_streams_of_a_child_are_heard_to_their_end() {
        let mut child = Command::new("sh")
            .args(["-c", "echo heard; echo overheard >&2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut overheard = Overheard::of(&mut child);
        assert!(child.wait().await.unwrap().success());
        while !overheard.is_over() {
            tokio::task::yield_now().await;
        }
        let text = overheard.text();
        assert!(
            text.contains("heard\n") && text.contains("overheard\n"),
            "{text}"
        );
    }
}
