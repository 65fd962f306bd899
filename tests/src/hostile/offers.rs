//! What a guest offers beside its tool: resources, prompts, suggestions and facets, as the data
//! that its functions return.

use super::data::Data;

/// What a guest offers. Each interface is exported if there is something for it.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// The resources and families.
    pub resources: Vec<Resource>,
    /// The members that every family lists, for every cursor.
    pub members: Vec<Member>,
    /// Where the next members begin.
    pub next: Option<Vec<u8>>,
    /// The contents that every reading returns.
    pub contents: Vec<Part>,
    /// The prompts.
    pub prompts: Vec<Prompt>,
    /// The messages that every prompt returns.
    pub messages: Vec<Message>,
    /// The values that are suggested for every argument, if any are.
    pub suggestions: Option<Suggestions>,
    /// What more is said about the subjects.
    pub facets: Vec<Facets>,
}

/// What more is said about one subject: its case (0 for a tool, 1 for a prompt, 2 for a resource),
/// its name, and pairs of names and JSON.
type Facets = (u32, Vec<u8>, Vec<[Vec<u8>; 2]>);

/// A resource or a family, as a guest describes it. The bytes need not be UTF-8.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its URI.
    pub uri: Vec<u8>,
    /// Its name.
    pub name: Vec<u8>,
    /// Its description.
    pub description: Option<Vec<u8>>,
    /// Its media type.
    pub mime_type: Option<Vec<u8>>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
    /// Its further metadata.
    pub meta: Option<Vec<u8>>,
}

/// A member of a family.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its URI.
    pub uri: Vec<u8>,
    /// Its name.
    pub name: Vec<u8>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its further metadata.
    pub meta: Option<Vec<u8>>,
}

/// A part of the contents of a resource.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its URI.
    pub uri: Vec<u8>,
    /// Its media type.
    pub mime_type: Option<Vec<u8>>,
    /// True if the body is bytes, and not a text.
    pub blob: bool,
    /// Its body.
    pub body: Vec<u8>,
    /// Its further metadata.
    pub meta: Option<Vec<u8>>,
}

/// A prompt, as a guest describes it.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Its name.
    pub name: Vec<u8>,
    /// Its description.
    pub description: Vec<u8>,
    /// Its arguments, and whether it needs them.
    pub arguments: Vec<(Vec<u8>, bool)>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// A message of a prompt, a text.
#[derive(Clone, Debug)]
pub struct Message {
    /// The case of its speaker: 0 for the user, 1 for the model.
    pub role: u32,
    /// What it says.
    pub text: Vec<u8>,
}

/// Suggested values.
#[derive(Clone, Debug, Default)]
pub struct Suggestions {
    /// The values.
    pub values: Vec<Vec<u8>>,
    /// How many there are in all.
    pub total: Option<u64>,
    /// Whether there are more.
    pub more: bool,
}

impl Resource {
    /// Makes a resource of this URI.
    pub fn new(uri: &str) -> Self {
        Self {
            uri: uri.into(),
            name: b"thing".into(),
            description: Some(b"A hostile guest's.".into()),
            mime_type: Some(b"text/plain".into()),
            scopes: Vec::new(),
            services: Vec::new(),
            meta: None,
        }
    }
}

impl Member {
    /// Makes a member of this URI.
    pub fn new(uri: &str) -> Self {
        Self {
            uri: uri.into(),
            name: b"member".into(),
            size: None,
            meta: None,
        }
    }
}

impl Part {
    /// Makes contents of this URI, a text.
    pub fn new(uri: &str, text: &[u8]) -> Self {
        Self {
            uri: uri.into(),
            mime_type: Some(b"text/plain".into()),
            blob: false,
            body: text.into(),
            meta: None,
        }
    }
}

impl Prompt {
    /// Makes a prompt of this name without arguments.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            description: b"A hostile guest's.".into(),
            arguments: Vec::new(),
            scopes: Vec::new(),
            services: Vec::new(),
        }
    }
}

impl Offers {
    /// Returns the exports of the component, beside its tool's.
    pub(super) fn exports(&self) -> String {
        let interfaces = [
            ("resources", !self.resources.is_empty()),
            ("prompts", !self.prompts.is_empty()),
            ("completion", self.suggestions.is_some()),
            ("facets", !self.facets.is_empty()),
        ];
        let offered = interfaces.iter().filter(|(_, offered)| *offered);
        let export = |(name, _): &(&str, bool)| {
            format!("  (export \"bailiwick:tool/{name}@0.2.0\" (instance ${name}))\n")
        };
        offered.map(export).collect()
    }

    /// Returns the data segments of all results.
    pub(super) fn data(&self) -> String {
        let mut data = Data::at(DATA);
        let heads = [
            (DESCRIBED_RESOURCES, self.resources(&mut data)),
            (DESCRIBED_PROMPTS, self.prompts(&mut data)),
            (DESCRIBED_FACETS, self.facets(&mut data)),
            (MEMBERS, self.page(&mut data)),
            (READ, self.reading(&mut data)),
            (GOT, self.messages(&mut data)),
            (COMPLETED, self.suggestions(&mut data)),
        ];
        let head =
            |(at, words): &(usize, String)| format!("    (data (i32.const {at}) (i32 {words}))\n");
        heads.iter().map(head).chain([data.segments()]).collect()
    }

    fn resources(&self, data: &mut Data) -> String {
        let record = |it: &Resource| {
            let (uri, name) = (data.bytes(&it.uri), data.bytes(&it.name));
            let description = data.option(it.description.as_deref());
            let mime_type = data.option(it.mime_type.as_deref());
            let (scopes, services) = (data.texts(&it.scopes), data.texts(&it.services));
            let meta = data.option(it.meta.as_deref());
            format!("{uri} {name} 0 0 0 {description} {mime_type} {scopes} {services} {meta}")
        };
        let records: Vec<String> = self.resources.iter().map(record).collect();
        data.records(&records)
    }

    fn page(&self, data: &mut Data) -> String {
        let record = |it: &Member| {
            let (uri, name) = (data.bytes(&it.uri), data.bytes(&it.name));
            let (size, meta) = (number(it.size), data.option(it.meta.as_deref()));
            format!("{uri} {name} 0 0 0 0 0 0 {size} {meta} 0")
        };
        let records: Vec<String> = self.members.iter().map(record).collect();
        let next = data.option(self.next.as_deref());
        format!("0 {} {next}", data.records(&records))
    }

    fn reading(&self, data: &mut Data) -> String {
        let record = |it: &Part| {
            let (uri, body) = (data.bytes(&it.uri), data.bytes(&it.body));
            let (mime_type, blob) = (data.option(it.mime_type.as_deref()), u32::from(it.blob));
            let meta = data.option(it.meta.as_deref());
            format!("{uri} {mime_type} {blob} {body} {meta}")
        };
        let records: Vec<String> = self.contents.iter().map(record).collect();
        format!("0 0 {} 0 0 0", data.records(&records))
    }

    fn prompts(&self, data: &mut Data) -> String {
        let record = |it: &Prompt| {
            let (name, description) = (data.bytes(&it.name), data.bytes(&it.description));
            let argument = |(name, required): &(Vec<u8>, bool)| {
                format!("{} 0 0 0 0 0 0 {}", data.bytes(name), u32::from(*required))
            };
            let arguments: Vec<String> = it.arguments.iter().map(argument).collect();
            let arguments = data.records(&arguments);
            let (scopes, services) = (data.texts(&it.scopes), data.texts(&it.services));
            format!("{name} 0 0 0 {description} {arguments} {scopes} {services} 0 0 0")
        };
        let records: Vec<String> = self.prompts.iter().map(record).collect();
        data.records(&records)
    }

    fn messages(&self, data: &mut Data) -> String {
        let record = |it: &Message| {
            // The largest content is a pointer, of 13 words; a text has 5.
            let text = data.bytes(&it.text);
            format!("{} 0 {text} 0 0 0{}", it.role, " 0".repeat(8))
        };
        let records: Vec<String> = self.messages.iter().map(record).collect();
        format!("0 0 0 0 0 {} 0 0 0", data.records(&records))
    }

    fn suggestions(&self, data: &mut Data) -> String {
        let usual = Suggestions::default();
        let it = self.suggestions.as_ref().unwrap_or(&usual);
        let (values, total) = (data.texts(&it.values), number(it.total));
        format!("0 0 {values} {total} {} 0", u32::from(it.more))
    }

    fn facets(&self, data: &mut Data) -> String {
        let record = |(subject, name, facets): &(u32, Vec<u8>, Vec<[Vec<u8>; 2]>)| {
            let name = data.bytes(name);
            let pair =
                |[name, json]: &[Vec<u8>; 2]| format!("{} {}", data.bytes(name), data.bytes(json));
            let pairs: Vec<String> = facets.iter().map(pair).collect();
            format!("{subject} {name} {}", data.records(&pairs))
        };
        let records: Vec<String> = self.facets.iter().map(record).collect();
        data.records(&records)
    }
}

/// Returns an `option<u64>` in words, at a multiple of 8.
fn number(number: Option<u64>) -> String {
    match number {
        Some(number) => format!("1 0 {} {}", number & 0xffff_ffff, number >> 32),
        None => "0 0 0 0".to_owned(),
    }
}

/// The functions of `$main`, with gaps for code before they return where their results are.
pub(super) const FUNCTIONS: &str = r#"
    (func (export "describe-resources") (result i32)
{{describe-resources}}
      (i32.const 16384))
    (func (export "describe-prompts") (result i32)
{{describe-prompts}}
      (i32.const 16400))
    (func (export "describe-facets") (result i32)
{{describe-facets}}
      (i32.const 16416))
    ;; The family, the input, the answers and the state.
    (func (export "members") (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
{{members}}
      (i32.const 16432))
    (func (export "read") (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
{{read}}
      (i32.const 16464))
    (func (export "get") (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
{{get}}
      (i32.const 16496))
    ;; The reference with two texts, the argument, the value, and a call's own nine but two.
    (func (export "complete")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
{{complete}}
      (i32.const 16536))
"#;

// The addresses of the results.
const DESCRIBED_RESOURCES: usize = 16_384;
const DESCRIBED_PROMPTS: usize = 16_400;
const DESCRIBED_FACETS: usize = 16_416;
const MEMBERS: usize = 16_432;
const READ: usize = 16_464;
const GOT: usize = 16_496;
const COMPLETED: usize = 16_536;
/// The address of what they point at.
const DATA: usize = 16_640;

#[cfg(test)]
mod tests;
