//! A function's description of itself: name, doc comment, arguments, result.

use proc_macro2::Ident;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, ItemFn, Lit, Meta, Result, ReturnType, Type};

use crate::kind::Kind;

/// A function that can be what its attribute says.
pub(crate) struct Signature<'function> {
    pub(crate) name: &'function Ident,
    pub(crate) description: String,
    pub(crate) input: Option<&'function Type>,
    pub(crate) returned: &'function Type,
}

impl<'function> Signature<'function> {
    /// Reads the function. Fails with the reason if it cannot be of this kind.
    pub(crate) fn read(kind: Kind, function: &'function ItemFn) -> Result<Self> {
        let (name, noun) = (&function.sig.ident, kind.noun());
        refuse_qualifiers(noun, function)?;
        let description = description(&function.attrs);
        if description.is_empty() {
            return Err(Error::new_spanned(
                name,
                format!(
                    "a {noun} needs a doc comment (`/// What it does.`): it is the description by \
                     which models and people choose"
                ),
            ));
        }
        let input = input(kind, function)?;
        let ReturnType::Type(_, returned) = &function.sig.output else {
            return Err(Error::new_spanned(
                name,
                format!("a {noun} returns `Result<T, Error>`"),
            ));
        };
        Ok(Self {
            name,
            description,
            input,
            returned,
        })
    }
}

fn refuse_qualifiers(noun: &str, function: &ItemFn) -> Result<()> {
    let sig = &function.sig;
    if let Some(word) = &sig.asyncness {
        return Err(Error::new_spanned(
            word,
            format!(
                "a {noun} is not async: requests wait by themselves, and `Call::send_all` sends \
                 several at once"
            ),
        ));
    }
    if let Some(word) = &sig.unsafety {
        return Err(Error::new_spanned(word, format!("a {noun} is not unsafe")));
    }
    if !sig.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &sig.generics,
            format!("a {noun} is not generic: its input is one type"),
        ));
    }
    Ok(())
}

fn input(kind: Kind, function: &ItemFn) -> Result<Option<&Type>> {
    let shape = || {
        format!(
            "a {} takes `call: &Call` and, {}",
            kind.noun(),
            kind.input()
        )
    };
    let mut parameters = function.sig.inputs.iter();
    match parameters.next() {
        Some(FnArg::Typed(call)) if matches!(&*call.ty, Type::Reference(_)) => {}
        _ => return Err(Error::new_spanned(&function.sig.ident, shape())),
    }
    let input = match parameters.next() {
        Some(FnArg::Typed(input)) => Some(&*input.ty),
        _ => None,
    };
    match parameters.next() {
        Some(third) => Err(Error::new_spanned(third, shape())),
        None => Ok(input),
    }
}

/// Returns the doc comment, without the space after each `///`.
fn description(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    lines.join("\n").trim().to_owned()
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &pair.value
    else {
        return None;
    };
    let text = text.value();
    let trimmed = text.strip_prefix(' ').unwrap_or(&text).trim_end();
    pair.path.is_ident("doc").then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use syn::{ItemFn, parse_quote};

    use super::{Kind, Signature};

    fn message(function: &ItemFn) -> String {
        Signature::read(Kind::Tool, function)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn the_doc_comment_is_the_description() {
        let function: ItemFn = parse_quote! {
            /// Says where an order is.
            ///
            /// Not for invoices.
            fn status(call: &Call, args: Args) -> Result<Order, Error> { todo() }
        };
        let read = Signature::read(Kind::Prompt, &function);
        assert!(read.is_ok_and(|read| read.description
            == "Says where an order is.\n\nNot for invoices."
            && read.input.is_some()));
    }

    #[test]
    fn what_cannot_be_a_tool_is_told_why() {
        let undocumented = parse_quote! { fn a(call: &Call) -> Result<(), Error> { todo() } };
        assert!(message(&undocumented).contains("doc comment"));
        let waiting = parse_quote! { async fn a(call: &Call) -> Result<(), Error> { todo() } };
        assert!(message(&waiting).contains("send_all"));
        let bare = parse_quote! { #[doc = "A."] fn a() -> Result<(), Error> { todo() } };
        assert!(message(&bare).contains("`call: &Call`"));
        let owned = parse_quote! { #[doc = "A."] fn a(args: Args) -> Result<(), Error> { todo() } };
        assert!(message(&owned).contains("`call: &Call`"));
        let three = parse_quote! { #[doc = "A."] fn a(c: &Call, a: A, b: B) -> Result<(), Error> { todo() } };
        assert!(message(&three).contains("one more parameter"));
        let nothing = parse_quote! { #[doc = "A."] fn a(call: &Call) { todo() } };
        assert!(message(&nothing).contains("Result<T, Error>"));
        let generic =
            parse_quote! { #[doc = "A."] fn a<T>(call: &Call) -> Result<T, Error> { todo() } };
        assert!(message(&generic).contains("not generic"));
    }
}
