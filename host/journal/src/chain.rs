//! An error with its causes, on one line.

use std::error::Error;

/// Returns an error with its causes, each of them once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !last.contains(&next) {
            text = format!("{text}: {next}");
        }
        last = next;
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_said_once() {
        let inner = anyhow::anyhow!("no such file")
            .context("keys cannot be read")
            .context("the host does not start");
        assert_eq!(
            chain(inner.as_ref()),
            "the host does not start: keys cannot be read: no such file"
        );
        let repeated = anyhow::anyhow!("no such file").context("keys cannot be read: no such file");
        assert_eq!(
            chain(repeated.as_ref()),
            "keys cannot be read: no such file"
        );
    }
}
