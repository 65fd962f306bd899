//! `[operations]`: the listener for health, metrics and the operator's page. Without the section
//! there is none.

use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// The operator's page.
    pub page: PageRule,
    /// The file with a notice for the page; it need not exist.
    pub notice: Option<PathBuf>,
}

/// The rule about the operator's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRule {
    /// There is none.
    Off,
    /// It is shown to those who have its token.
    WithToken,
    /// It is shown to everyone who reaches the listener.
    WithoutToken,
}

/// Reads `[operations]`. Health and metrics have no authentication, so an address that others can
/// reach needs a key of its own. `front` is the address of the front door, which it cannot share.
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
    let (page, open_page) = (section.flag("page"), section.flag("page_without_token"));
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
        notice: section.text("notice").map(|file| section.beside(&file)),
        page: page_rule(&section, (page, open_page), listen.ip().is_loopback()),
    })
}

/// Decides about the page. Beyond loopback, where its token crosses a network, there is one only if
/// the operator says so, and never one without a token.
fn page_rule(
    section: &Section<'_>,
    (page, open): (Option<bool>, Option<bool>),
    on_loopback: bool,
) -> PageRule {
    let open = open.unwrap_or(false);
    if open && !on_loopback {
        section.wrong(
            "page_without_token",
            "anyone who reaches this address could read the page; listen on loopback, or leave \
             this out and sign in with the token",
        );
    }
    match page.unwrap_or(on_loopback) {
        false if open => {
            section.wrong("page_without_token", "there is no page; set page = true");
            PageRule::Off
        }
        false => PageRule::Off,
        true if open => PageRule::WithoutToken,
        true => PageRule::WithToken,
    }
}

/// Returns whether two listeners cannot have these addresses at once.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}

/// The port that exporters for Prometheus use by custom.
const LISTEN: &str = "127.0.0.1:9464";
