//! Definitions of tools.

use std::sync::Arc;

use super::{Definition, DefinitionError, Given, check_text, is_tool_name};
use crate::dispatch::grant::ComponentGrant;
use crate::dispatch::outline::Parts;
use crate::sandbox::{Annotations, RawDefinition};
use crate::schema::{Portable, PortableOutput, Schema};

/// What only tools have.
#[derive(Debug)]
pub struct ToolFace {
    /// The schema of the structured result.
    pub output: Option<Arc<Schema>>,
    /// The schemas as clients get them.
    pub shown: ClientSchemas,
    /// The hints for clients.
    pub annotations: Annotations,
}

/// The schemas of a tool in forms that every official client accepts: one definition that a client
/// cannot read would cost it all tools.
#[derive(Debug)]
pub struct ClientSchemas {
    /// The schema of the arguments.
    pub input: Portable,
    /// The schema of the structured result.
    pub output: Option<PortableOutput>,
}

impl Definition {
    /// Checks a component's definition under the operator's grant.
    ///
    /// # Errors
    /// Fails if the definition is not accepted. The component is then not accepted either.
    pub fn check(raw: RawDefinition, grant: &ComponentGrant) -> Result<Self, DefinitionError> {
        if !is_tool_name(&raw.name) {
            return Err(DefinitionError::Name {
                word: "tool",
                name: raw.name,
            });
        }
        let of = format!("tool {}", raw.name);
        let given = Given {
            key: &raw.name,
            title: raw.title.as_deref(),
            scopes: &raw.scopes,
            services: &raw.services,
            meta: raw.meta.as_deref(),
            facets: &raw.facets,
            of: of.clone(),
        };
        check_text(&raw.description).map_err(given.wrong("description"))?;
        let schema_error = |which| {
            let of = of.clone();
            move |cause| DefinitionError::Schema { of, which, cause }
        };
        let input = Schema::compile_closed(&raw.input_schema).map_err(schema_error("input"))?;
        let output = raw.output_schema.as_deref().map(Schema::compile);
        let output = output.transpose().map_err(schema_error("output"))?;
        let output = output.map(Arc::new);
        let checked = given.check(&input, grant)?;
        let parts = Parts::of_tool(
            &raw,
            (input.value(), output.as_deref().map(Schema::value)),
            (checked.meta.as_ref(), checked.facets.values()),
        );
        let shown = ClientSchemas {
            input: Portable::input(input.value()),
            output: output
                .as_ref()
                .map(|output| PortableOutput::of(output.value())),
        };
        Ok(Self {
            described: checked.described(
                (raw.name, raw.title, raw.description),
                (input, parts),
                grant,
            ),
            face: ToolFace {
                output,
                shown,
                annotations: raw.annotations,
            },
        })
    }

    /// Returns what authors should know about the schemas, one line each: what clients get
    /// otherwise than the component describes it, and how deep a value may be.
    pub fn differences(&self) -> Vec<String> {
        let line =
            |schema: &str, note: &str| format!("the {schema} schema of tool {}: {note}", self.name);
        let depth = |schema: &str, levels: Option<usize>| {
            let told = |levels| {
                format!("it contains itself, so values of more than {levels} levels are refused")
            };
            levels.map(|levels| line(schema, &told(levels)))
        };
        let notes = |schema: &'static str, form: &Portable| -> Vec<String> {
            form.notes.iter().map(|note| line(schema, note)).collect()
        };
        let mut all = notes("input", &self.face.shown.input);
        all.extend(depth("input", self.input.levels()));
        if let Some(output) = &self.face.shown.output {
            all.extend(notes("output", &output.legacy));
            let current = notes("output", &output.current);
            let only_there: Vec<_> = current
                .into_iter()
                .filter(|note| !all.contains(note))
                .collect();
            all.extend(only_there);
        }
        all.extend(depth(
            "output",
            self.face.output.as_deref().and_then(Schema::levels),
        ));
        all
    }
}
