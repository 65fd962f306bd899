//! The sizes of results, in bytes, before they are JSON.

use super::super::bindings::call as wit;

pub(super) fn output(output: &wit::Output) -> usize {
    let content = output.content.iter().map(content);
    content.sum::<usize>() + optional(output.structured.as_ref()) + optional(output.meta.as_ref())
}

pub(super) fn contents(contents: &[wit::EmbeddedResource]) -> usize {
    let all = contents.iter().map(|one| resource(one) + OVERHEAD);
    all.sum()
}

pub(super) fn page(page: &wit::resources::Page) -> usize {
    let item = |item: &wit::resources::Item| {
        item.uri.len()
            + item.name.len()
            + optional(item.title.as_ref())
            + optional(item.description.as_ref())
            + optional(item.meta.as_ref())
            + OVERHEAD
    };
    page.items.iter().map(item).sum::<usize>() + optional(page.next.as_ref())
}

pub(super) fn prompt(prompt: &wit::prompts::Prompt) -> usize {
    let messages = prompt.messages.iter();
    let messages = messages.map(|message| content(&message.content) + OVERHEAD);
    messages.sum::<usize>() + optional(prompt.description.as_ref()) + optional(prompt.meta.as_ref())
}

pub(super) fn suggestions(suggestions: &wit::completion::Suggestions) -> usize {
    let values = suggestions.values.iter();
    values.map(|value| value.len() + OVERHEAD).sum()
}

fn content(content: &wit::Content) -> usize {
    OVERHEAD
        + match content {
            wit::Content::Text(text) => text.text.len() + optional(text.meta.as_ref()),
            wit::Content::Image(media) | wit::Content::Audio(media) => {
                media.data.len() + media.mime_type.len() + optional(media.meta.as_ref())
            }
            wit::Content::ResourceLink(link) => {
                link.uri.len()
                    + link.name.len()
                    + optional(link.description.as_ref())
                    + optional(link.mime_type.as_ref())
                    + optional(link.meta.as_ref())
            }
            wit::Content::EmbeddedResource(embedded) => resource(embedded),
        }
}

fn resource(resource: &wit::EmbeddedResource) -> usize {
    let body = match &resource.body {
        wit::ResourceBody::Text(body) => body.len(),
        wit::ResourceBody::Blob(body) => body.len(),
    };
    body + resource.uri.len()
        + optional(resource.mime_type.as_ref())
        + optional(resource.meta.as_ref())
}

fn optional(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

/// What each item adds in JSON, at most.
const OVERHEAD: usize = 64;
