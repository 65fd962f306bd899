//! The newest calls in a table, the newest first. A click on a value shows the calls that have it.

use maud::{Markup, html};

use super::book::Book;
use super::calls::{CallRow, MOST_CALLS, RUNNING};
use super::filter::{Facet, Filter};
use super::frame::{PageFrame, Tab, authority, clock_time, named, state, visible};

/// Renders the calls that the filter covers, below a notice.
pub(super) fn page(book: &Book, filter: &Filter, notice: &Markup, now_ms: u64) -> Markup {
    let before = filter.before.unwrap_or(u64::MAX);
    let mut covered = book.calls().newest(before).filter(|row| filter.covers(row));
    let rows: Vec<_> = covered.by_ref().take(ON_A_PAGE).collect();
    let more = covered.next().is_some();
    let body = html! {
        div.heading {
            h1 { "Calls" }
            button #follow.follow type="button" hidden aria-pressed="true" { "Live" }
        }
        (notice)
        (chips(filter))
        @if book.has_missed() {
            p.note {
                "More happened than is kept here: calls are missing. "
                code { "bailiwick audit show" } " has them all."
            }
        }
        div #calls {
            @if rows.is_empty() {
                p.empty { "No call" @if !filter.chosen().is_empty() { " fits" } " yet." }
            } @else {
                (table(&rows, filter, now_ms))
            }
            nav.pages aria-label="Older and newer" {
                @if filter.before.is_some() {
                    a href=(filter.newest().address()) { "Newest" }
                }
                @if let (true, Some(last)) = (more, rows.last()) {
                    a href=(filter.older_than(last.seq).address()) { "Older" }
                }
            }
        }
        p.foot {
            "Times are UTC. The newest " (MOST_CALLS) " calls are kept here; the journal has all."
        }
    };
    let frame = PageFrame::of(Tab::Calls, "Calls");
    let frame = if filter.before.is_none() {
        frame.live()
    } else {
        frame
    };
    frame.with(&body)
}

/// The parts of the filter, each with a way to take it away.
fn chips(filter: &Filter) -> Markup {
    html! {
        @if !filter.chosen().is_empty() {
            ul.chips aria-label="Filter" {
                @for (facet, value) in filter.chosen() {
                    li {
                        a href=(filter.without(*facet).address()) {
                            span.name { (facet.name()) } " " (visible(value))
                            span.cross aria-hidden="true" { "×" }
                            span.unseen { ", show all" }
                        }
                    }
                }
            }
        }
    }
}

fn table(rows: &[&CallRow], filter: &Filter, now_ms: u64) -> Markup {
    let days = rows.chunk_by(|one, other| one.day() == other.day());
    html! {
        table.cards.calls {
            thead {
                tr {
                    th scope="col" { "Time" }
                    th scope="col" { "Who" }
                    th scope="col" { "Agent" }
                    th scope="col" { "Tool" }
                    th scope="col" { "Service" }
                    th scope="col" { "As whom" }
                    th scope="col" { "Outcome" }
                    th.number scope="col" { "Status" }
                    th.number scope="col" { "ms" }
                }
            }
            tbody {
                @for rows in days {
                    @if let Some(first) = rows.first() {
                        tr.day { th colspan="9" scope="colgroup" { (visible(first.day())) } }
                    }
                    @for row in rows { (line(row, filter, now_ms)) }
                }
            }
        }
    }
}

fn line(row: &CallRow, filter: &Filter, now_ms: u64) -> Markup {
    let running = row.state() == RUNNING;
    html! {
        tr id=(visible(&row.key)) {
            td.time { a href={ "/calls/" (visible(&row.key)) } { (clock_time(&row.time)) } }
            td.who data-label="Who" {
                (choice(filter, Facet::Who, &row.actor))
                @if !row.actor_shown.is_empty() && row.actor_shown != row.actor {
                    span.aside title="a name to show, not identity" { (visible(&row.actor_shown)) }
                }
            }
            td.agent data-label="Agent" { (choice(filter, Facet::Agent, &row.agent)) }
            td.tool data-label="Tool" { (choice(filter, Facet::Tool, &row.target)) }
            td.service data-label="Service" {
                @if row.services.is_empty() { (named("")) }
                @for service in &row.services { (choice(filter, Facet::Service, service)) " " }
            }
            td.whom data-label="As whom" {
                @if row.mode.is_empty() || row.services.is_empty() { (named("")) } @else {
                    a href=(filter.with(Facet::Mode, &row.mode).address()) {
                        (visible(authority(&row.mode)))
                    }
                }
            }
            td.outcome data-label="Outcome" {
                a href=(filter.with(Facet::Outcome, row.state()).address()) {
                    (state(row.state()))
                }
                @if !row.reason.is_empty() { span.aside { (visible(&row.reason)) } }
            }
            td.number data-label="Status" {
                @if let Some(status) = row.status { (status) } @else { (named("")) }
            }
            td.number data-label="ms" {
                @if let Some(took) = row.took_ms { (took) }
                @else if running { (row.since(now_ms)) "…" }
                @else { (named("")) }
            }
        }
    }
}

/// A value that a click chooses.
fn choice(filter: &Filter, facet: Facet, value: &str) -> Markup {
    html! {
        @if value.is_empty() { (named("")) } @else {
            a href=(filter.with(facet, value).address()) { (visible(value)) }
        }
    }
}

const ON_A_PAGE: usize = 100;
