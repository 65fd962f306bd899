//! A tool as clients see it.

use rmcp::model::{MetaObject, Tool as McpTool, ToolAnnotations};

use crate::dispatch::Tool;
use crate::schema::Schema;

/// Returns a tool as clients see it.
pub(super) fn describe(tool: &Tool) -> McpTool {
    let definition = &tool.definition;
    let input = definition.input.members();
    let mut described = McpTool::new(
        definition.name.clone(),
        definition.description.clone(),
        input,
    );
    described.title.clone_from(&definition.title);
    described.output_schema = definition.output.as_ref().map(Schema::members);
    let mut annotations = ToolAnnotations::default();
    annotations.title.clone_from(&definition.title);
    annotations.read_only_hint = definition.annotations.read_only;
    annotations.destructive_hint = definition.annotations.destructive;
    annotations.idempotent_hint = definition.annotations.idempotent;
    // A tool without services cannot reach anything, whatever its description claims.
    let closed = tool.backing.services().is_empty().then_some(false);
    annotations.open_world_hint = closed.or(definition.annotations.open_world);
    described.annotations = Some(annotations);
    described.meta = definition.meta.clone().map(MetaObject);
    described
}
