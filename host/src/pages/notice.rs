//! A notice of the operator, from a file that may change at any time: for example, that a build has
//! failed or that work is under way.
//!
//! Invariant: it is text, of which a page shows the first bytes, escaped; the host does nothing
//! else with it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use maud::{Markup, html};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::frame::visible;

/// The text of the notice; `None` if there is none now.
pub(super) fn read(file: Option<&Path>) -> Option<String> {
    let (file, mut bytes) = (file?, Vec::new());
    // Opening a pipe would wait for its writer.
    fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    let mut start = File::open(file).ok()?.take(MOST);
    start.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Renders the place of the notice, empty or not, so that it can be renewed.
pub(super) fn place(text: Option<&str>) -> Markup {
    html! {
        div #notice role="status" {
            @if let Some(text) = text {
                @let mut lines = text.lines();
                @if let Some(first) = lines.next() { p.note { strong { (visible(first)) } } }
                @let rest: Vec<String> = lines.map(visible).collect();
                @if !rest.is_empty() { pre { (rest.join("\n")) } }
            }
        }
    }
}

/// Counts a change whenever the file differs, until `stop` fires.
pub(super) async fn follow(file: PathBuf, changes: watch::Sender<u64>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    let mut seen = stamp(&file);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = stamp(&file);
        if now != seen {
            seen = now;
            changes.send_modify(|count| *count += 1);
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// The bytes of the file that are shown.
const MOST: u64 = 16 << 10;
/// The time between two looks.
const TICK: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_notice_is_text_whatever_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notice");
        assert_eq!(read(Some(&file)), None);
        fs::write(&file, " \n").unwrap();
        assert_eq!(read(Some(&file)), None);
        fs::write(&file, "it <b>failed</b>\nat \u{1b}[31mline 1\n\tb\n").unwrap();
        let shown = place(read(Some(&file)).as_deref()).into_string();
        assert!(shown.contains("it &lt;b&gt;failed"), "{shown}");
        assert!(
            !shown.contains('\u{1b}') && shown.contains("\\u{1b}"),
            "{shown}"
        );
        assert!(shown.contains("line 1\n"), "{shown}");
        fs::write(&file, "x".repeat(1 << 20)).unwrap();
        assert_eq!(read(Some(&file)).unwrap().len(), 16 << 10);
        for other in [folder.path(), Path::new("/dev/zero")] {
            assert_eq!(read(Some(other)), None, "{}", other.display());
        }
        let none = place(None).into_string();
        assert_eq!(none, r#"<div id="notice" role="status"></div>"#);
    }
}
