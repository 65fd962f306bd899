//! The lists of resources, templates and prompts as one caller sees them.

use std::sync::Arc;

use rmcp::model::{
    MetaObject, Prompt as McpPrompt, PromptArgument, Resource as McpResource, ResourceTemplate,
    Tool as McpTool,
};

use super::described::{add_scopes, describe, icons};
use super::message::Cursor;
use crate::call::Policy;
use crate::dispatch::{Offered, Prompt, ReadableResource, Sight, Tool};
use crate::identity::Caller;
use crate::sandbox::RawArgument;
use crate::schema::Dialect;

/// The things that one caller sees under one policy.
pub(super) struct CallerView<'p> {
    pub(super) policy: &'p Policy,
    pub(super) caller: &'p Caller,
}

impl<'p> CallerView<'p> {
    /// Returns the tools as clients of a revision see them.
    pub(super) fn tools(&self, dialect: Dialect) -> Vec<McpTool> {
        let tools = self.policy.catalog.tools();
        let shown = |tool: &Arc<Tool>| {
            let mut described = self.is_shown(tool).then(|| describe(tool, dialect))?;
            self.add_scopes(&mut described.meta, tool);
            Some(described)
        };
        tools.filter_map(shown).collect()
    }

    /// Returns the resources, without those of families.
    pub(super) fn resources(&self) -> Vec<McpResource> {
        let resources = self.visible().filter(|resource| !resource.is_family());
        let shown = |one: &'p ReadableResource| {
            let mut shown = resource(one);
            self.add_scopes(&mut shown.meta, one);
            shown
        };
        resources.map(shown).collect()
    }

    /// Returns the families of resources.
    pub(super) fn templates(&self) -> Vec<ResourceTemplate> {
        let shown = |family: &'p ReadableResource| {
            let mut shown = template(family);
            self.add_scopes(&mut shown.meta, family);
            shown
        };
        self.families().map(shown).collect()
    }

    /// Returns the prompts.
    pub(super) fn prompts(&self) -> Vec<McpPrompt> {
        let shown = |one: &'p Prompt| {
            let mut shown = prompt(one);
            self.add_scopes(&mut shown.meta, one);
            shown
        };
        self.visible_prompts().map(shown).collect()
    }

    /// Returns true if there is a resource or a family.
    pub(super) fn has_resources(&self) -> bool {
        self.visible().next().is_some()
    }

    /// Returns true if there is a prompt.
    pub(super) fn has_prompts(&self) -> bool {
        self.visible_prompts().next().is_some()
    }

    /// Returns true if arguments of a prompt or variables of a family can be completed.
    pub(super) fn has_completions(&self) -> bool {
        let mut prompts = self.visible_prompts();
        let mut families = self.families();
        prompts.any(|prompt| prompt.definition.face.completion.is_some())
            || families.any(|family| family.definition.face.completion.is_some())
    }

    /// Returns the cursor of the page of `resources/list` after the one about the family `after`,
    /// or after the first page.
    pub(super) fn next_page(&self, after: Option<&str>) -> Option<String> {
        // Only what the caller may read has members for the caller.
        let is_readable = |family: &&ReadableResource| {
            self.policy.visibility.sight(family, self.caller) == Sight::Permitted
        };
        let is_next =
            |family: &&ReadableResource| after.is_none_or(|after| *family.definition.name > *after);
        let mut families = self.families().filter(is_readable).filter(is_next);
        families
            .next()
            .map(|family| Cursor::first(&family.definition.name).write())
    }

    fn families(&self) -> impl Iterator<Item = &'p ReadableResource> {
        self.visible().filter(|resource| resource.is_family())
    }

    fn visible(&self) -> impl Iterator<Item = &'p ReadableResource> {
        let resources = self.policy.catalog.resources().map(AsRef::as_ref);
        resources.filter(|resource| self.is_shown(resource))
    }

    fn visible_prompts(&self) -> impl Iterator<Item = &'p Prompt> {
        let prompts = self.policy.catalog.prompts().map(AsRef::as_ref);
        prompts.filter(|prompt| self.is_shown(prompt))
    }

    fn is_shown<F>(&self, offered: &Offered<F>) -> bool {
        self.policy.visibility.sight(offered, self.caller) != Sight::Hidden
    }

    /// Adds the scopes that a caller lacks and could get.
    fn add_scopes<F>(&self, meta: &mut Option<MetaObject>, offered: &Offered<F>) {
        if self.policy.visibility.sight(offered, self.caller) == Sight::Obtainable {
            add_scopes(meta, offered.definition.scopes(), self.caller);
        }
    }
}

/// Returns a resource as clients see it.
pub(super) fn resource(resource: &ReadableResource) -> McpResource {
    let definition = &resource.definition;
    let mut shown = McpResource::new(definition.name.clone(), definition.face.label.clone());
    shown.title.clone_from(&definition.title);
    shown.description = described(&definition.description);
    shown.mime_type.clone_from(&definition.face.mime_type);
    shown.icons = icons(&definition.facets);
    shown.meta = definition.meta.clone().map(MetaObject);
    shown
}

/// Returns a family of resources as clients see it.
pub(super) fn template(family: &ReadableResource) -> ResourceTemplate {
    let definition = &family.definition;
    let mut shown = ResourceTemplate::new(definition.name.clone(), definition.face.label.clone());
    shown.title.clone_from(&definition.title);
    shown.description = described(&definition.description);
    shown.mime_type.clone_from(&definition.face.mime_type);
    shown.icons = icons(&definition.facets);
    shown.meta = definition.meta.clone().map(MetaObject);
    shown
}

/// Returns a prompt as clients see it.
pub(super) fn prompt(prompt: &Prompt) -> McpPrompt {
    let definition = &prompt.definition;
    let arguments = definition.face.arguments.iter().map(argument);
    let mut shown = McpPrompt::new(
        definition.name.clone(),
        described(&definition.description),
        Some(arguments.collect()),
    );
    shown.title.clone_from(&definition.title);
    shown.icons = icons(&definition.facets);
    shown.meta = definition.meta.clone().map(MetaObject);
    shown
}

fn argument(argument: &RawArgument) -> PromptArgument {
    let mut shown = PromptArgument::new(argument.name.clone());
    shown.title.clone_from(&argument.title);
    shown.description.clone_from(&argument.description);
    shown.required = Some(argument.required);
    shown
}

fn described(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
