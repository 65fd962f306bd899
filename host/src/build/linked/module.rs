//! Writes the modules of the members as one.
//!
//! Each index space of the one module holds the members' own definitions, one member after the
//! other, after what the component gives. An import that another member exports becomes that
//! definition itself, and an immutable global that a constant expression reads becomes its value.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType,
    ExportSection, FunctionSection, GlobalSection, ImportSection, MemorySection, Module,
    TableSection, TypeSection,
};
use wasmparser_of_tools::{self as wasmparser, Operator, Parser, Payload, TypeRef};

use super::level::{CoreKind, Nowhere, index};
use super::members::{DefinedIn, Member, Members};

/// The one module.
pub(super) struct OneModule {
    pub(super) bytes: Vec<u8>,
    /// The functions of the component that it imports, in order; each import is named by its place.
    pub(super) imports: Vec<u32>,
}

/// Writes it, with these exports of members.
pub(super) fn one_module(
    members: &Members<'_>,
    exports: &BTreeSet<(usize, CoreKind, &str)>,
) -> Result<OneModule, Error<Nowhere>> {
    let numbers = Numbers::of(members)?;
    let mut sections = Sections::default();
    numbers.import(members, &mut sections.imports)?;
    let mut constants = BTreeMap::new();
    for (place, member) in members.list.iter().enumerate() {
        let mut renumber = Renumber::of(member, place, &numbers, &mut constants)?;
        sections.add(member.module, &mut renumber)?;
    }
    for elements in &members.elements {
        let table = numbers.get(CoreKind::Table, elements.table)?;
        let functions = elements.functions.iter();
        let functions = functions.map(|function| numbers.get(CoreKind::Function, *function));
        let functions = functions.collect::<Result<Vec<_>, _>>()?;
        let offset = ConstExpr::i32_const(elements.offset);
        let functions = Elements::Functions(functions.into());
        sections.elements.active(Some(table), &offset, functions);
    }
    for (member, kind, name) in exports {
        let definition = members.export(*member, *kind, name).ok_or(NOWHERE)?;
        let number = numbers.get(*kind, definition)?;
        let name = export_name(*member, name);
        sections.exports.export(&name, (*kind).into(), number);
    }
    Ok(OneModule {
        bytes: sections.finish(numbers.end.data),
        imports: numbers.given,
    })
}

/// Returns the name under which the one module exports what a member exports.
pub(super) fn export_name(member: usize, name: &str) -> String {
    format!("{member}.{name}")
}

/// The new numbers of the members' definitions.
struct Numbers {
    /// Functions of the component, which have the first numbers.
    given: Vec<u32>,
    /// Where those of each member begin.
    begins: Vec<Begin>,
    /// Where the next member's would begin.
    end: Begin,
}

/// Where the definitions of a member begin.
#[derive(Clone, Copy, Default)]
struct Begin {
    types: u32,
    /// Functions, tables, memories and globals.
    items: [u32; 4],
    elements: u32,
    data: u32,
}

impl Numbers {
    fn of(members: &Members<'_>) -> Result<Self, Error<Nowhere>> {
        let mut given = Vec::new();
        for member in &members.list {
            let [functions, ..] = &member.imports;
            for function in functions {
                match function {
                    DefinedIn::Component(function) if !given.contains(function) => {
                        given.push(*function);
                    }
                    _ => {}
                }
            }
        }
        let first = u32::try_from(given.len()).map_err(|_| NOWHERE)?;
        let mut end = Begin {
            items: [first, 0, 0, 0],
            ..Begin::default()
        };
        let mut begins = Vec::new();
        for Member { shape, .. } in &members.list {
            begins.push(end);
            end.types += shape.types;
            end.elements += shape.elements;
            end.data += shape.data;
            for (begin, own) in end.items.iter_mut().zip(shape.own) {
                *begin += own;
            }
        }
        Ok(Self { given, begins, end })
    }

    fn get(&self, kind: CoreKind, definition: DefinedIn) -> Result<u32, Error<Nowhere>> {
        match definition {
            DefinedIn::Member(place, own) => {
                let begin = self.begins.get(place).ok_or(NOWHERE)?;
                Ok(kind.of_four(&begin.items) + own)
            }
            DefinedIn::Component(function) => {
                let place = self.given.iter().position(|given| *given == function);
                u32::try_from(place.ok_or(NOWHERE)?).map_err(|_| NOWHERE)
            }
        }
    }

    /// Imports the functions of the component.
    fn import(
        &self,
        members: &Members<'_>,
        imports: &mut ImportSection,
    ) -> Result<(), Error<Nowhere>> {
        let mut types = BTreeMap::new();
        for (member, begin) in members.list.iter().zip(&self.begins) {
            let functions = member
                .shape
                .imports
                .iter()
                .filter_map(|(_, _, ty)| match ty {
                    TypeRef::Func(ty) => Some(ty + begin.types),
                    _ => None,
                });
            let [definitions, ..] = &member.imports;
            types.extend(definitions.iter().zip(functions));
        }
        for (place, function) in self.given.iter().enumerate() {
            let ty = types.get(&DefinedIn::Component(*function));
            let ty = EntityType::Function(*ty.ok_or(NOWHERE)?);
            imports.import(GIVEN, &place.to_string(), ty);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Sections {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
}

impl Sections {
    /// Adds what a member has.
    fn add(&mut self, module: &[u8], renumber: &mut Renumber<'_>) -> Result<(), Error<Nowhere>> {
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    renumber.parse_type_section(&mut self.types, section)?;
                }
                Payload::FunctionSection(section) => {
                    renumber.parse_function_section(&mut self.functions, section)?;
                }
                Payload::TableSection(section) => {
                    renumber.parse_table_section(&mut self.tables, section)?;
                }
                Payload::MemorySection(section) => {
                    renumber.parse_memory_section(&mut self.memories, section)?;
                }
                Payload::GlobalSection(section) => {
                    renumber.parse_global_section(&mut self.globals, section)?;
                }
                Payload::ElementSection(section) => {
                    renumber.parse_element_section(&mut self.elements, section)?;
                }
                Payload::CodeSectionEntry(body) => {
                    renumber.parse_function_body(&mut self.code, body)?;
                }
                Payload::DataSection(section) => {
                    renumber.parse_data_section(&mut self.data, section)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(self, data: u32) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports);
        module.section(&self.functions).section(&self.tables);
        module.section(&self.memories).section(&self.globals);
        module.section(&self.exports).section(&self.elements);
        module.section(&DataCountSection { count: data });
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}

/// Writes a member's parts with their new numbers.
struct Renumber<'m> {
    begin: Begin,
    /// The new numbers of what it imports.
    imported: [Vec<u32>; 4],
    /// The number of its own globals so far.
    globals: u32,
    /// The values of immutable globals, by their new numbers.
    constants: &'m mut BTreeMap<u32, i32>,
}

impl<'m> Renumber<'m> {
    fn of(
        member: &Member<'_>,
        place: usize,
        numbers: &Numbers,
        constants: &'m mut BTreeMap<u32, i32>,
    ) -> Result<Self, Error<Nowhere>> {
        let begin = *numbers.begins.get(place).ok_or(NOWHERE)?;
        let mut imported: [Vec<u32>; 4] = Default::default();
        for kind in CoreKind::ALL {
            for definition in kind.of_four(&member.imports) {
                let number = numbers.get(kind, *definition)?;
                kind.of_four_mut(&mut imported).push(number);
            }
        }
        Ok(Self {
            begin,
            imported,
            globals: 0,
            constants,
        })
    }

    /// Returns the value of an expression of constants.
    fn value(&self, expression: &wasmparser::ConstExpr<'_>) -> Option<i32> {
        let (mut operators, mut stack) = (expression.get_operators_reader(), Vec::new());
        loop {
            let value = match operators.read().ok()? {
                Operator::I32Const { value } => value,
                Operator::GlobalGet { global_index } => {
                    let global = self.new_number(CoreKind::Global, global_index).ok()?;
                    *self.constants.get(&global)?
                }
                Operator::I32Add => {
                    let (right, left): (i32, i32) = (stack.pop()?, stack.pop()?);
                    left.wrapping_add(right)
                }
                Operator::End => return stack.pop(),
                _ => return None,
            };
            stack.push(value);
        }
    }

    fn new_number(&self, kind: CoreKind, old: u32) -> Result<u32, Error<Nowhere>> {
        let imported = kind.of_four(&self.imported);
        if let Some(new) = imported.get(index(old)) {
            return Ok(*new);
        }
        let before = u32::try_from(imported.len()).map_err(|_| NOWHERE)?;
        Ok(kind.of_four(&self.begin.items) + (old - before))
    }
}

impl Reencode for Renumber<'_> {
    type Error = Nowhere;

    fn type_index(&mut self, ty: u32) -> Result<u32, Error<Nowhere>> {
        Ok(self.begin.types + ty)
    }

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Nowhere>> {
        self.new_number(CoreKind::Function, function)
    }

    fn table_index(&mut self, table: u32) -> Result<u32, Error<Nowhere>> {
        self.new_number(CoreKind::Table, table)
    }

    fn memory_index(&mut self, memory: u32) -> Result<u32, Error<Nowhere>> {
        self.new_number(CoreKind::Memory, memory)
    }

    fn global_index(&mut self, global: u32) -> Result<u32, Error<Nowhere>> {
        self.new_number(CoreKind::Global, global)
    }

    fn element_index(&mut self, element: u32) -> Result<u32, Error<Nowhere>> {
        Ok(self.begin.elements + element)
    }

    fn data_index(&mut self, data: u32) -> Result<u32, Error<Nowhere>> {
        Ok(self.begin.data + data)
    }

    fn parse_global(
        &mut self,
        globals: &mut GlobalSection,
        global: wasmparser::Global<'_>,
    ) -> Result<(), Error<Nowhere>> {
        let number = CoreKind::Global.of_four(&self.begin.items) + self.globals;
        self.globals += 1;
        if let (false, Some(value)) = (global.ty.mutable, self.value(&global.init_expr)) {
            self.constants.insert(number, value);
        }
        utils::parse_global(self, globals, global)
    }

    fn const_expr(
        &mut self,
        expression: wasmparser::ConstExpr<'_>,
    ) -> Result<ConstExpr, Error<Nowhere>> {
        match self.value(&expression) {
            Some(value) => Ok(ConstExpr::i32_const(value)),
            None => utils::const_expr(self, expression),
        }
    }
}

/// The name of the component as one that gives functions.
pub(super) const GIVEN: &str = "component";
const NOWHERE: Error<Nowhere> = Error::UserError(Nowhere);
