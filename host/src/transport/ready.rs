//! The readiness of the host, as far as its end, its journal and its components decide it.

use http::StatusCode;

use super::answer::{HttpAnswer, plain};
use crate::call::Host;

/// Returns the answer of `/readyz` to anyone: without a reason, and without names.
pub(super) fn ready(host: &Host) -> HttpAnswer {
    let (status, _) = told(host);
    let ready = status.is_success();
    plain(status, if ready { "ready" } else { "not ready" })
}

/// Returns the answer of `/readyz` to the operator, with the reason.
pub(super) fn ready_with_reason(host: &Host) -> HttpAnswer {
    let (status, text) = told(host);
    plain(status, &text)
}

/// Returns whether the host is ready, and the sentence that says why not.
pub fn readiness_of(host: &Host) -> (bool, String) {
    let (status, text) = told(host);
    (status.is_success(), text)
}

fn told(host: &Host) -> (StatusCode, String) {
    let unready = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}"));
    if host.ending.is_cancelled() {
        return unready("the host is stopping");
    }
    if !host.journal.healthy() {
        return unready("the journal cannot be written");
    }
    if !host.denials.are_known() {
        return unready("the denials cannot be relied on; the log says why");
    }
    let policy = host.serving.now();
    readiness(policy.configured, &policy.missing)
}

/// Returns the readiness of a host with a configuration with `configured` components, of which
/// those in `missing` are not offered.
///
/// Not ready if nothing that it names is offered, as after a start with a folder that is still to
/// be filled. Ready if only some are missing: the answer names them, and the others serve.
fn readiness(configured: usize, missing: &[String]) -> (StatusCode, String) {
    let names = names(missing);
    if missing.is_empty() {
        (StatusCode::OK, "ready".to_owned())
    } else if missing.len() < configured {
        (
            StatusCode::OK,
            format!("ready, but without components that the configuration names: {names}"),
        )
    } else {
        let text =
            format!("not ready: no component that the configuration names is loaded: {names}");
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

fn names(missing: &[String]) -> String {
    let shown: Vec<_> = missing.iter().take(MOST).map(String::as_str).collect();
    match missing.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The most names in one answer.
const MOST: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_ready_unless_nothing_that_the_configuration_names_is_offered() {
        let many: Vec<String> = (0..12).map(|index| format!("c{index}")).collect();
        let one = |name: &str| vec![name.to_owned()];
        for (configured, missing, status, text) in [
            (0, vec![], 200, "ready"),
            (2, vec![], 200, "ready"),
            (
                2,
                one("orders"),
                200,
                "ready, but without components that the configuration names: orders",
            ),
            (
                1,
                one("orders"),
                503,
                "not ready: no component that the configuration names is loaded: orders",
            ),
            (12, many, 503, "c8, c9 and 2 more"),
        ] {
            let (told, said) = readiness(configured, &missing);
            assert_eq!(told.as_u16(), status, "{configured} {missing:?}");
            assert!(said.ends_with(text), "{said}");
        }
    }
}
