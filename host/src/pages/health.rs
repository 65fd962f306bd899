//! The health of the host, with what it did apart from calls.

use maud::{Markup, html};

use super::book::Book;
use super::frame::{PageFrame, Tab, clock_time, named, told, visible};
use crate::call::Host;
use crate::observe::ReadMemory;
use crate::transport::{moment_of, readiness_of};

/// Renders the health of the host.
pub(super) fn page(book: &Book, host: &Host, memory: ReadMemory) -> Markup {
    let (ready, why) = readiness_of(host);
    let policy = host.serving.now();
    let keys = policy.access.identity.can_admit();
    let moment = moment_of(host, memory);
    let (newest, signed) = (book.newest_record(), book.newest_checkpoint());
    let body = html! {
        div.heading { h1 { "Health" } (told(ready && keys, ["ready", "not ready"])) }
        dl.facts {
            dt { "Ready" } dd { (visible(&why)) }
            dt { "Issuers" } dd {
                @if keys { "keys of at least one can be used" }
                @else { "no issuer’s keys can be used" }
                @for issuer in &policy.access.issuers { span.aside { (visible(issuer)) } }
            }
            dt { "Denials" } dd {
                @if host.denials.are_known() { "known" }
                @else { "not known, so everything is denied" }
            }
            dt { "Journal" } dd {
                @if moment.journal_healthy { "can be written" } @else { "cannot be written" }
                span.aside { (moment.journal_queue) " records wait" }
            }
            dt { "Records" } dd {
                (newest)
                span.aside {
                    @match signed {
                        Some(size) => { "the newest checkpoint covers " (size) }
                        None => { "no checkpoint yet" }
                    }
                }
            }
            dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) }
        }
        h2 { "Places" }
        table.cards {
            thead {
                tr {
                    th scope="col" { "Part" }
                    th.number scope="col" { "Used" }
                    th.number scope="col" { "Waiting" }
                    th.number scope="col" { "Places" }
                }
            }
            tbody {
                @for part in &moment.parts {
                    tr {
                        td data-label="Part" { (part.name) }
                        td.number data-label="Used" { (part.used) }
                        td.number data-label="Waiting" { (part.waiting) }
                        td.number data-label="Places" {
                            @if let Some(places) = part.places { (places) } @else { (named("")) }
                        }
                    }
                }
            }
        }
        @if let Some(memory) = &moment.memory {
            p.foot {
                "The program holds " (memory.allocated >> 20) " MiB, tools’ memories apart."
            }
        }
        h2 { "Events" }
        (events(book))
    };
    PageFrame::of(Tab::Health, "Health").with(&body)
}

fn events(book: &Book) -> Markup {
    html! {
        table.cards {
            thead {
                tr {
                    th.number scope="col" { "Number" }
                    th scope="col" { "Time" }
                    th scope="col" { "Event" }
                    th scope="col" { "About" }
                    th scope="col" { "Why" }
                }
            }
            tbody {
                @for event in book.events().take(ON_THE_PAGE) {
                    tr {
                        td.number data-label="Number" { (event.seq) }
                        td data-label="Time" {
                            (visible(event.time.get(..10).unwrap_or_default())) " "
                            (clock_time(&event.time))
                        }
                        td data-label="Event" { (visible(&event.event)) }
                        td data-label="About" { (named(&event.about)) }
                        td data-label="Why" { (named(&event.why)) }
                    }
                }
            }
        }
    }
}

const ON_THE_PAGE: usize = 50;
