//! The tools, resources and prompts: what each may do, for whom, and why.

use maud::{Markup, html};

use super::frame::{PageFrame, Tab, authority, table, visible};
use crate::answers::check::{CheckedService, CheckedTool};
use crate::call::Policy;
use crate::dispatch::{Offered, Tool};

/// Renders the tools of a policy.
pub(super) fn page(policy: &Policy) -> Markup {
    let offered: Vec<_> = policy.catalog.tools().collect();
    let disabled: Vec<_> = policy.catalog.disabled().collect();
    let resources: Vec<_> = policy.catalog.resources().collect();
    let prompts: Vec<_> = policy.catalog.prompts().collect();
    let body = html! {
        h1 { "Tools" }
        @if offered.is_empty() { p.empty { "No tool is offered." } }
        @for tool in offered { (card(tool, &hints(tool), false)) }
        @if !disabled.is_empty() {
            h2 { "Disabled" }
            @for tool in disabled { (card(tool, &hints(tool), true)) }
        }
        @if !resources.is_empty() {
            h2 { "Resources" }
            @for resource in resources { (card(resource, &[], false)) }
        }
        @if !prompts.is_empty() {
            h2 { "Prompts" }
            @for prompt in prompts { (card(prompt, &[], false)) }
        }
        p.foot {
            "A call is allowed if token, definition and grant all allow it. "
            code { "bailiwick explain" } " decides about one call without making it."
        }
    };
    PageFrame::of(Tab::Tools, "Tools").with(&body)
}

fn card<F>(tool: &Offered<F>, hints: &[&str], disabled: bool) -> Markup {
    let checked = CheckedTool::of(tool);
    let backing = &tool.backing;
    html! {
        section.card {
            div.heading {
                h2 { (visible(&checked.name)) }
                @if disabled { span.state.refused { "disabled" } }
                @for hint in hints { span.hint { (hint) } }
            }
            @if let Some(title) = &tool.definition.title { p.title { (visible(title)) } }
            @if !tool.definition.description.is_empty() {
                p.description { (visible(&tool.definition.description)) }
            }
            dl.facts {
                dt { "May" } dd {
                    @if checked.services.is_empty() { "reach no service" }
                    @else {
                        ul.plain { @for service in &checked.services { li { (reach(service)) } } }
                    }
                }
                dt { "For" } dd {
                    @match &backing.tenants {
                        None => { "every tenant" }
                        Some(tenants) => {
                            "tenants "
                            @for (index, tenant) in tenants.iter().enumerate() {
                                @if index > 0 { ", " } (visible(tenant.name()))
                            }
                        }
                    }
                    @if checked.scopes.is_empty() { ", with any token" } @else {
                        ", with " @for scope in &checked.scopes { code { (visible(scope)) } " " }
                    }
                }
                dt { "Because of" } dd { (table(backing.grant.as_str())) }
                dt { "Code" } dd {
                    (visible(&checked.component)) " "
                    code.digest { (visible(&backing.component.digest)) }
                    span.aside {
                        @match &checked.signed_by {
                            Some(by) => { "signed by " (visible(by)) }
                            None => { "not signed" }
                        }
                    }
                }
            }
        }
    }
}

fn reach(service: &CheckedService) -> Markup {
    html! {
        @match service.mode {
            Some(mode) => {
                "reach " strong { (visible(&service.name)) } ": " (authority(mode.as_str()))
            }
            None => { "not reach " strong { (visible(&service.name)) } ", which it asks for" }
        }
    }
}

/// Returns what its component says of it; a promise, not a proof.
fn hints(tool: &Tool) -> Vec<&'static str> {
    let annotations = &tool.definition.face.annotations;
    let hints = [
        (annotations.read_only, "says: reads only"),
        (annotations.destructive, "says: may destroy"),
    ];
    let hints = hints.into_iter().filter(|(hint, _)| *hint == Some(true));
    hints.map(|(_, text)| text).collect()
}
