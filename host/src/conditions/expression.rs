//! A condition in CEL, without macros: it has no loops, so its size bounds its time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program, Value as Cel};
use serde_json::Value;

/// A condition.
#[derive(Debug)]
pub(super) struct Expression {
    text: String,
    program: Program,
    /// The variables that it reads, and the members of `request`.
    reads: BTreeSet<String>,
}

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// It is too long.
    #[error("a condition has at most {MAX_TEXT} bytes")]
    TooLong,
    /// It is not CEL.
    #[error("this is not CEL: {0}")]
    Syntax(String),
    /// It has something other than the variables and functions of conditions.
    #[error(
        "a condition knows request.path, request.query, request.body, arguments, actor.sub, \
         actor.tenant, actor.issuer and agent, and not {0}"
    )]
    Name(String),
    /// It calls a function that conditions do not have.
    #[error(
        "a condition has operators and the functions size, contains, startsWith, endsWith, int, \
         uint, double and string, and not {0}"
    )]
    Function(String),
    /// It is the same for every request.
    #[error("it reads nothing of the request or of who asks, so it is the same for all")]
    Constant,
}

/// The environment of all conditions: the standard functions, and no macros.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::default().with_stdlib()));

impl FromStr for Expression {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        if text.len() > MAX_TEXT {
            return Err(ConditionError::TooLong);
        }
        // The parser is a stranger's code, like the evaluation below.
        let compiled = catch_unwind(AssertUnwindSafe(|| ENV.compile(text)));
        let compiled = compiled.map_err(|_| ConditionError::Syntax("the parser failed".into()))?;
        let program = compiled.map_err(|error| {
            let first = error.to_string();
            ConditionError::Syntax(first.lines().next().unwrap_or_default().to_owned())
        })?;
        let mut reads = BTreeSet::new();
        examine(program.expression(), &mut reads)?;
        if reads.is_empty() {
            return Err(ConditionError::Constant);
        }
        Ok(Self {
            text: text.to_owned(),
            program,
            reads,
        })
    }
}

impl Expression {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if it reads a variable, or `request.` and a member.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.reads.contains(name)
    }

    /// Returns true if the condition holds.
    ///
    /// # Errors
    /// Says why it cannot be evaluated, without any value.
    pub(super) fn holds<const N: usize>(
        &self,
        facts: [(&'static str, Value); N],
    ) -> Result<bool, String> {
        let evaluated = catch_unwind(AssertUnwindSafe(|| {
            let mut context = Context::with_env(Arc::clone(&ENV));
            for (name, value) in facts {
                let value = cel::to_value(value).map_err(|_| format!("{name} has no CEL value"))?;
                context.add_variable_from_value(name, value);
            }
            match self.program.execute(&context) {
                Ok(Cel::Bool(holds)) => Ok(holds),
                Ok(_) => Err("it is neither true nor false".to_owned()),
                Err(error) => Err(in_words(&error).to_owned()),
            }
        }));
        evaluated.unwrap_or_else(|_| Err("the evaluation failed".to_owned()))
    }
}

/// Says what went wrong. The text of the error itself may quote values, which are a user's.
fn in_words(error: &cel::ExecutionError) -> &'static str {
    match error {
        cel::ExecutionError::NoSuchKey(_) => "a member that it reads is not there",
        cel::ExecutionError::NoSuchOverload(_)
        | cel::ExecutionError::ValuesNotComparable(..)
        | cel::ExecutionError::UnexpectedType { .. }
        | cel::ExecutionError::UnsupportedBinaryOperator(..) => {
            "a value is of another type than its operator takes"
        }
        cel::ExecutionError::FunctionError { .. } => "a function does not take this value",
        _ => "an operation is not possible with these values",
    }
}

/// Checks that everything in an expression is known, and notes what it reads.
fn examine(node: &IdedExpr, reads: &mut BTreeSet<String>) -> Result<(), ConditionError> {
    match &node.expr {
        Expr::Literal(_) => Ok(()),
        Expr::Ident(name) => match name.as_str() {
            "arguments" | "agent" => {
                reads.insert(name.clone());
                Ok(())
            }
            // Whole, each could have more members some day.
            "request" | "actor" => Err(ConditionError::Name(format!("{name} without a member"))),
            _ => Err(ConditionError::Name(name.clone())),
        },
        Expr::Select(select) => {
            let Expr::Ident(of) = &select.operand.expr else {
                return examine(&select.operand, reads);
            };
            let member = format!("{of}.{}", select.field);
            match member.as_str() {
                "request.path" | "request.query" | "request.body" | "actor.sub"
                | "actor.tenant" | "actor.issuer" => {
                    reads.extend([of.clone(), member]);
                    Ok(())
                }
                _ if matches!(of.as_str(), "request" | "actor") => {
                    Err(ConditionError::Name(member))
                }
                _ => examine(&select.operand, reads),
            }
        }
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            let is_operator = name.contains('_') || name == "@in";
            if !is_operator && !FUNCTIONS.contains(&name) {
                return Err(ConditionError::Function(name.to_owned()));
            }
            let parts = call.target.iter().map(|target| &**target).chain(&call.args);
            examine_all(parts, reads)
        }
        Expr::List(list) => examine_all(&list.elements, reads),
        Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => examine_all([&entry.key, &entry.value], reads),
            EntryExpr::StructField(_) => Err(ConditionError::Function("a structure".into())),
        }),
        Expr::Struct(_) => Err(ConditionError::Function("a structure".into())),
        Expr::Comprehension(_) => Err(ConditionError::Function("a macro".into())),
        Expr::Unspecified => Err(ConditionError::Syntax("a part is missing".into())),
    }
}

fn examine_all<'n>(
    nodes: impl IntoIterator<Item = &'n IdedExpr>,
    reads: &mut BTreeSet<String>,
) -> Result<(), ConditionError> {
    nodes.into_iter().try_for_each(|node| examine(node, reads))
}

/// The longest condition, in bytes.
const MAX_TEXT: usize = 1_000;
/// The functions of conditions. None of them takes longer than its values are.
const FUNCTIONS: [&str; 8] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "uint",
    "double",
    "string",
];
