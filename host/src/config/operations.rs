//! `[operations]`: the listener for health and metrics. Without the section there is none.

use std::net::SocketAddr;

use super::reader::Section;

/// `[operations]`.
#[derive(Debug, Clone)]
pub struct OperationsSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Names by which the listener may be addressed, beside addresses and, on loopback,
    /// `localhost`.
    pub allowed_hosts: Vec<String>,
}

/// Reads `[operations]`. It has no authentication, so an address that others can reach needs a key
/// of its own.
pub(super) fn operations(root: &Section<'_>) -> Option<OperationsSettings> {
    if !root.has("operations") {
        return None;
    }
    let section = root.section("operations")?;
    let open = section.flag("beyond_loopback").unwrap_or(false);
    let allowed_hosts = section.strings("allowed_hosts").unwrap_or_default();
    let listen = section.text("listen");
    let listen = listen.as_deref().unwrap_or(LISTEN);
    let Ok(listen) = listen.parse::<SocketAddr>() else {
        section.wrong(
            "listen",
            "expected an address and port, such as 127.0.0.1:9464",
        );
        return None;
    };
    if !listen.ip().is_loopback() && !open {
        section.wrong(
            "listen",
            "anyone who reaches this address can read the metrics; listen on loopback, or set \
             beyond_loopback = true",
        );
    }
    Some(OperationsSettings {
        listen,
        allowed_hosts,
    })
}

/// The port that exporters for Prometheus use by custom.
const LISTEN: &str = "127.0.0.1:9464";
