//! The tools, resources and prompts that the official conformance suite asks for (`cargo xtask
//! conformance`), as the descriptions of its scenarios define them.

mod asking;
mod offering;

use bailiwick_sdk::bindings::client::{self, Severity};
use bailiwick_sdk::bindings::types::{self, Content, Output};
use bailiwick_sdk::bindings::{progress, tools};
use bailiwick_sdk::export::{Annotations, Definition, Guest};

/// A tool: its name, its input schema, and what it does.
struct Fixture {
    name: &'static str,
    input: &'static str,
    run: fn(&types::Context) -> Result<tools::Outcome, types::Error>,
}

const fn fixture(
    name: &'static str,
    run: fn(&types::Context) -> Result<tools::Outcome, types::Error>,
) -> Fixture {
    Fixture {
        name,
        input: NOTHING,
        run,
    }
}

struct Conformer;

impl Guest for Conformer {
    fn describe() -> Vec<Definition> {
        let definition = |fixture: &Fixture| Definition {
            name: fixture.name.to_owned(),
            title: None,
            description: "A fixture of the conformance suite.".to_owned(),
            input_schema: fixture.input.to_owned(),
            output_schema: None,
            annotations: Annotations {
                read_only: Some(true),
                destructive: None,
                idempotent: None,
                open_world: None,
            },
            scopes: Vec::new(),
            services: Vec::new(),
            meta: None,
        };
        fixtures().map(definition).collect()
    }

    fn call(tool: String, context: types::Context) -> Result<tools::Outcome, types::Error> {
        match fixtures().find(|fixture| fixture.name == tool) {
            Some(fixture) => (fixture.run)(&context),
            None => Err(types::Error::NotFound(tool)),
        }
    }
}

fn fixtures() -> impl Iterator<Item = &'static Fixture> {
    SHOWING.iter().chain(asking::ASKING)
}

/// The tools that answer at once.
const SHOWING: &[Fixture] = &[
    fixture("test_simple_text", |_| {
        done(vec![text("This is a simple text response for testing.")])
    }),
    fixture("test_image_content", |_| done(vec![image()])),
    fixture("test_audio_content", |_| {
        let audio = types::MediaContent {
            data: WAV.to_vec(),
            mime_type: "audio/wav".to_owned(),
            meta: None,
        };
        done(vec![Content::Audio(audio)])
    }),
    fixture("test_embedded_resource", |_| {
        let words = "This is an embedded resource content.";
        done(vec![resource(
            "test://embedded-resource",
            "text/plain",
            words,
        )])
    }),
    fixture("test_multiple_content_types", |_| {
        let words = r#"{"test":"data","value":123}"#;
        done(vec![
            text("Multiple content types test:"),
            image(),
            resource("test://mixed-content-resource", "application/json", words),
        ])
    }),
    fixture("test_error_handling", |_| {
        let words = "This tool intentionally returns an error for testing";
        Ok(tools::Outcome::Complete(Output {
            is_error: true,
            ..output(vec![text(words)])
        }))
    }),
    fixture("test_tool_with_progress", |_| {
        for done in [0.0, 50.0, 100.0] {
            progress::report(done, Some(100.0), None);
        }
        done(vec![text("three reports")])
    }),
    fixture("test_reconnection", |_| done(vec![text("nothing was lost")])),
    fixture("test_tool_with_logging", logging),
    fixture("test_logging_tool", logging),
    Fixture {
        name: "json_schema_2020_12_tool",
        input: SCHEMA_2020_12,
        run: |_| done(vec![text("the schema is what matters")]),
    },
    Fixture {
        name: "test_custom_header",
        input: r#"{"type":"object","properties":{
            "region":{"type":"string","x-mcp-header":"Region"}},"additionalProperties":false}"#,
        run: |_| done(vec![text("a header repeats the argument")]),
    },
];

fn logging(_: &types::Context) -> Result<tools::Outcome, types::Error> {
    for line in ["started", "processing data", "completed"] {
        client::message(Severity::Info, &format!("Tool execution {line}"));
    }
    done(vec![text("three messages")])
}

fn done(content: Vec<Content>) -> Result<tools::Outcome, types::Error> {
    Ok(tools::Outcome::Complete(output(content)))
}

fn output(content: Vec<Content>) -> Output {
    Output {
        content,
        structured: None,
        is_error: false,
        meta: None,
    }
}

fn text(text: &str) -> Content {
    Content::Text(types::TextContent {
        text: text.to_owned(),
        meta: None,
    })
}

fn image() -> Content {
    Content::Image(types::MediaContent {
        data: PNG.to_vec(),
        mime_type: "image/png".to_owned(),
        meta: None,
    })
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Content {
    Content::EmbeddedResource(types::EmbeddedResource {
        uri: uri.to_owned(),
        mime_type: Some(mime_type.to_owned()),
        body: types::ResourceBody::Text(text.to_owned()),
        meta: None,
    })
}

const NOTHING: &str = r#"{"type":"object","additionalProperties":false}"#;

/// An image of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\
    \0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

/// A sound without a sample.
const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\
    \x01\0\x08\0data\0\0\0\0";

const SCHEMA_2020_12: &str = include_str!("schema.json");

#[cfg(target_arch = "wasm32")]
tools::export!(Conformer with_types_in tools);
