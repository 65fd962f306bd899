//! The host's own metrics, from its operations listener.

use bailiwick_dev::{Host, client};

use super::Journal;

/// The URL of a host's metrics.
#[derive(Clone)]
pub(crate) struct Metrics(String);

impl Metrics {
    /// Finds the address in what the host has written; `None` if it serves none.
    pub(crate) fn of(host: &Host) -> Option<Self> {
        address(&host.said()).map(|address| Self(format!("http://{address}/metrics")))
    }

    /// Reads the totals of the journal; `None` if the host has no such metrics.
    pub(super) async fn journal(&self) -> Option<Journal> {
        parse(&client::fetch(&self.0).await.ok()?.text())
    }
}

/// Finds the address in `… health and metrics are served address=127.0.0.1:9464`, with or without
/// colours.
fn address(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains(SERVED))?;
    let (_, rest) = line.split_once(SERVED)?;
    let from = rest.find("127.0.0.1:")?;
    let address = rest.get(from..)?;
    let end = address
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')
        .unwrap_or(address.len());
    address.get(..end).map(str::to_owned)
}

fn parse(text: &str) -> Option<Journal> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    Some(Journal {
        records: value("bailiwick_journal_batch_records_sum ")?,
        syncs: value("bailiwick_journal_batch_records_count ")?,
    })
}

const SERVED: &str = "health and metrics are served";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_address_is_found_with_and_without_colours() {
        for line in [
            "INFO health and metrics are served address=127.0.0.1:9464",
            "INFO health and metrics are served \u{1b}[3maddress\u{1b}[0m=127.0.0.1:9464\u{1b}[0m",
            "{\"message\":\"health and metrics are served\",\"address\":\"127.0.0.1:9464\"}",
        ] {
            assert_eq!(address(line).as_deref(), Some("127.0.0.1:9464"), "{line}");
        }
        assert_eq!(address("listening on http://127.0.0.1:1/mcp"), None);
    }

    #[test]
    fn the_journal_is_read_from_its_histogram() {
        let text = "# TYPE bailiwick_journal_batch_records histogram\n\
            bailiwick_journal_batch_records_sum 12.0\n\
            bailiwick_journal_batch_records_count 5\n";
        let read = parse(text).unwrap();
        assert!((read.records, read.syncs) == (12.0, 5.0));
        assert!(parse("# EOF\n").is_none());
    }
}
