//! The frame of every page: its head, its parts, and the words that all pages share.

use maud::{DOCTYPE, Markup, html};

pub(super) use bailiwick_journal::cli::page::visible;

/// A part of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Calls,
    Tools,
    Health,
}

/// A page without its body.
pub(super) struct PageFrame<'f> {
    section: Option<Tab>,
    title: &'f str,
    live: bool,
}

impl<'f> PageFrame<'f> {
    pub(super) fn of(section: Tab, title: &'f str) -> Self {
        Self {
            section: Some(section),
            title,
            live: false,
        }
    }

    /// A page for those who are not signed in.
    pub(super) fn outside(title: &'f str) -> Self {
        Self {
            section: None,
            title,
            live: false,
        }
    }

    /// Lets the page follow what happens.
    pub(super) fn live(self) -> Self {
        Self { live: true, ..self }
    }

    pub(super) fn with(&self, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (visible(self.title)) " · Bailiwick" }
                    link rel="stylesheet" href=(STYLE.0);
                    @if self.live {
                        script src=(SCRIPT.0) defer {}
                    }
                }
                body {
                    header.top {
                        a.brand href="/" { "Bailiwick" }
                        @if let Some(own) = self.section {
                            nav aria-label="Pages" {
                                @for (section, address, name) in SECTIONS {
                                    @let current = (section == own).then_some("page");
                                    a href=(address) aria-current=[current] { (name) }
                                }
                            }
                        }
                    }
                    main { (body) }
                }
            }
        }
    }
}

/// A name that a stranger chose, or a dash.
pub(super) fn named(text: &str) -> Markup {
    html! {
        @if text.is_empty() { span.none { "–" } } @else { (visible(text)) }
    }
}

/// An outcome, with a sign and a colour of its own.
pub(super) fn state(outcome: &str) -> Markup {
    let class = match outcome {
        "done" | "running" | "refused" => outcome,
        "cancelled" => "refused",
        _ => "failed",
    };
    html! { span class={ "state " (class) } { (visible(outcome)) } }
}

/// A good or a bad state of the host, in its words.
pub(super) fn told(good: bool, words: [&str; 2]) -> Markup {
    let [well, badly] = words;
    html! {
        @if good { span.state.done { (well) } } @else { span.state.failed { (badly) } }
    }
}

/// The time of day of a record's time.
pub(super) fn clock_time(time: &str) -> Markup {
    let (_, of_day) = time.split_once('T').unwrap_or(("", time));
    html! {
        time datetime=(visible(time)) title=(visible(time)) {
            (visible(of_day.trim_end_matches('Z')))
        }
    }
}

/// The authority on which a service is called, in words.
pub(super) fn authority(mode: &str) -> &str {
    match mode {
        "on_behalf_of" => "on the user’s behalf",
        "restricted_user" => "the user, restricted",
        "service_identity" => "the host itself",
        "per_service" => "differs by service",
        other => other,
    }
}

/// The table of the configuration that grants something.
pub(super) fn table(grant: &str) -> Markup {
    html! {
        @if grant == "default" { "no table, so no service" }
        @else { code { "[" (visible(grant)) "]" } }
    }
}

/// The page for what is not there.
pub(super) fn nothing() -> Markup {
    html! { h1 { "Not found" } p { a href="/" { "All calls" } } }
}

/// Returns the media type and the text of a file of the site.
pub(super) fn file(path: &str) -> Option<(&'static str, &'static str)> {
    let files = [
        (STYLE, "text/css; charset=utf-8"),
        (SCRIPT, "text/javascript; charset=utf-8"),
    ];
    let file = files.into_iter().find(|((name, _), _)| *name == path);
    file.map(|((_, text), kind)| (kind, text))
}

const SECTIONS: [(Tab, &str, &str); 3] = [
    (Tab::Calls, "/", "Calls"),
    (Tab::Tools, "/tools", "Tools"),
    (Tab::Health, "/health", "Health"),
];
const STYLE: (&str, &str) = ("/style.css", include_str!("style.css"));
const SCRIPT: (&str, &str) = ("/live.js", include_str!("live.js"));
