//! One call: who, which code, by which grant, what happened in which order, what services answered,
//! and its records.

use std::path::Path;

use maud::{Markup, html};
use serde_json::Value;

use super::book::Book;
use super::calls::CallRow;
use super::filter::{Facet, Filter};
use super::frame::{PageFrame, Tab, authority, clock_time, named, state, table, visible};
use super::sequence::{Role, credential, steps};
use crate::audit::Entry;
use crate::call::Policy;
use crate::intake::ComponentId;

/// Renders one call, if the book has it.
pub(super) fn page(book: &Book, policy: &Policy, key: &str, folder: &Path) -> Option<Markup> {
    let row = book.call(key)?;
    let entries = row.entries();
    let title = if row.target.is_empty() {
        "A refused request"
    } else {
        row.target.as_str()
    };
    let body = html! {
        p.way { a href="/" { "Calls" } }
        div.heading { h1 { (visible(title)) } (state(row.state())) }
        @if !row.reason.is_empty() { p.note { "Reason: " code { (visible(&row.reason)) } } }
        (facts(row, policy))
        h2 { "What happened" }
        (sequence(&entries))
        p.foot { "An arrow to the journal is a record, with its time. The others have none." }
        (services(&entries))
        h2 { "Records" }
        (records(book, &entries))
        @if row.left_out { p.note { "It has more records than are kept here." } }
        details {
            summary { "The lines of the journal" }
            pre tabindex="0" { @for line in &row.lines { (visible(line)) "\n" } }
        }
        p.foot {
            "On the command line: " code { (command(&row.key, folder)) }
            ". That nothing was changed: " code { "bailiwick audit verify" } "."
        }
    };
    Some(PageFrame::of(Tab::Calls, title).with(&body))
}

/// Says how to find a call that is no longer kept.
pub(super) fn too_old(key: &str, folder: &Path) -> Markup {
    html! {
        h1 { "Not here" }
        p { "The newest calls alone are kept here. If there was such a call, the journal has it:" }
        pre tabindex="0" { (command(key, folder)) }
    }
}

/// Returns the command that shows a call. A key that is no identifier is not repeated.
fn command(key: &str, folder: &Path) -> String {
    let folder = visible(&folder.display().to_string());
    let is_id = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        format!("bailiwick audit show {folder} --call {key}")
    } else {
        format!("bailiwick audit show {folder} --event call.refused")
    }
}

fn facts(row: &CallRow, policy: &Policy) -> Markup {
    let mut components = policy.catalog.components();
    let code = components.find_map(|(id, _)| (id.digest == row.component).then_some(id));
    html! {
        dl.facts {
            dt { "When" } dd {
                (clock_time(&row.time)) " on " (visible(row.day()))
                @if let Some(took) = row.took_ms { ", " (took) " ms" }
            }
            dt { "Who" } dd {
                (named(&row.actor))
                (aside("shown as ", &row.actor_shown))
                @if !row.issuer.is_empty() {
                    @let of_issuer = Filter::default().with(Facet::Issuer, &row.issuer);
                    span.aside { "of " a href=(of_issuer.address()) { (visible(&row.issuer)) } }
                }
                (aside("tenant ", &row.tenant))
            }
            dt { "Agent" } dd {
                (named(&row.agent))
                (aside("shown as ", &row.agent_shown))
                (aside("client ", &row.client))
            }
            @if !row.mode.is_empty() && !row.services.is_empty() {
                dt { "As whom" } dd { (visible(authority(&row.mode))) }
            }
            @if !row.kind.is_empty() {
                dt { "Target" } dd { (visible(&row.kind)) " " (visible(&row.target)) }
            }
            @if !row.grant.is_empty() {
                dt { "Grant" } dd { (table(&row.grant)) }
            }
            @if !row.component.is_empty() {
                dt { "Code" } dd {
                    @if let Some(code) = code { (visible(&code.name)) " " }
                    code.digest { (visible(&row.component)) }
                    (signer(code))
                }
            }
            @if !row.trace.is_empty() { dt { "Trace" } dd { code { (visible(&row.trace)) } } }
            @if !row.key.starts_with('r') { dt { "Call" } dd { code { (visible(&row.key)) } } }
        }
    }
}

/// A fact beside another one, if there is any.
fn aside(before: &str, text: &str) -> Markup {
    html! {
        @if !text.is_empty() { span.aside { (before) (visible(text)) } }
    }
}

fn signer(code: Option<&ComponentId>) -> Markup {
    let signed = code.map(|code| code.signed.as_ref().map(|signed| &signed.by));
    html! {
        span.aside {
            @match signed {
                Some(Some(by)) => { "signed by " (visible(by)) }
                Some(None) => { "not signed" }
                None => { "no longer loaded" }
            }
        }
    }
}

fn sequence(entries: &[Entry]) -> Markup {
    html! {
        div.lanes aria-hidden="true" {
            @for (_, name) in Role::ALL { span { (name) } }
        }
        ol.sequence {
            @for step in steps(entries) {
                @let (from, to) = (step.from.place(), step.to.place());
                li.record[step.at.is_some()] {
                    span.when { @if let Some(at) = step.at { "+" (at) " ms" } }
                    @let way = if from > to { "arrow back" } else { "arrow" };
                    span class={ (way) " l" (from.min(to)) " r" (from.max(to)) } {
                        span.ends { (step.from.name()) " → " (step.to.name()) }
                        span.what { (visible(&step.what)) }
                    }
                }
            }
        }
    }
}

/// What each service answered.
fn services(entries: &[Entry]) -> Markup {
    let asked =
        |entry: &&Entry| ["downstream.closed", "downstream.refused"].contains(&entry.text("event"));
    let asked: Vec<_> = entries.iter().filter(asked).collect();
    html! {
        @if !asked.is_empty() {
            h2 { "Services" }
            table.cards {
                thead {
                    tr {
                        th scope="col" { "Service" }
                        th scope="col" { "Request" }
                        th scope="col" { "As whom" }
                        th scope="col" { "Credential" }
                        th scope="col" { "Outcome" }
                        th.number scope="col" { "Status" }
                    }
                }
                tbody {
                    @for entry in asked {
                        tr {
                            td data-label="Service" { (named(entry.text("service"))) }
                            td data-label="Request" {
                                code {
                                    (visible(entry.text("method"))) " "
                                    (visible(entry.text("path_template")))
                                }
                            }
                            td data-label="As whom" { (named(authority(entry.text("mode")))) }
                            td data-label="Credential" {
                                (visible(credential(entry.text("credential_kind"))))
                            }
                            td data-label="Outcome" {
                                (state(entry.text("outcome")))
                                (aside("", entry.text("reason")))
                                (aside("", entry.text("rule")))
                            }
                            td.number data-label="Status" { (number(entry, "status")) }
                        }
                    }
                }
            }
        }
    }
}

fn records(book: &Book, entries: &[Entry]) -> Markup {
    html! {
        table.cards {
            thead {
                tr {
                    th.number scope="col" { "Number" }
                    th scope="col" { "Time" }
                    th scope="col" { "Event" }
                    th scope="col" { "Outcome" }
                    th scope="col" { "Proof" }
                }
            }
            tbody {
                @for entry in entries {
                    @let seq = entry.member("seq").and_then(Value::as_u64).unwrap_or_default();
                    tr {
                        td.number data-label="Number" { (seq) }
                        td data-label="Time" { (clock_time(entry.text("time"))) }
                        td data-label="Event" { (visible(entry.text("event"))) }
                        td data-label="Outcome" {
                            @match entry.text("outcome") {
                                "" => { (named("")) }
                                outcome => { (state(outcome)) }
                            }
                        }
                        td data-label="Proof" {
                            @match book.checkpoint_over(seq) {
                                Some(size) => { "under checkpoint " (size) }
                                None => { "under no checkpoint yet" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn number(entry: &Entry, name: &str) -> Markup {
    let number = entry.member(name).and_then(Value::as_u64);
    html! { @if let Some(number) = number { (number) } @else { (named("")) } }
}
