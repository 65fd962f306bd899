//! `[operations]`: the listener for health and metrics. Without the section there is none.

use std::net::SocketAddr;

use super::reader::Section;
use super::server::hosts;

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
/// of its own. `front` is the address of the front door, which it cannot share.
pub(super) fn operations(
    root: &Section<'_>,
    front: Option<SocketAddr>,
) -> Option<OperationsSettings> {
    if !root.has("operations") {
        return None;
    }
    let section = root.section("operations")?;
    let open = section.flag("beyond_loopback").unwrap_or(false);
    let allowed_hosts = hosts(&section);
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
    if front.is_some_and(|front| collide(front, listen)) {
        section.wrong(
            "listen",
            "server.listen has this port; expected another, such as 127.0.0.1:9464",
        );
    }
    Some(OperationsSettings {
        listen,
        allowed_hosts,
    })
}

/// Returns whether two listeners cannot have these addresses at once.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}

/// The port that exporters for Prometheus use by custom.
const LISTEN: &str = "127.0.0.1:9464";
