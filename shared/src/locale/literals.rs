//! The string literals of a catalogue, `{ "…" }`. fluent-bundle has a transform for the text around them, and gives it none
//! of them, so for HTML they are escaped before.

use std::borrow::Cow;
use std::sync::Arc;

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{
    Attribute, CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement,
};
use fluent_syntax::unicode::unescape_unicode_to_string;

/// The same messages, with `escape` applied to what each literal stands for.
pub(super) fn escaped(
    resource: &Arc<FluentResource>,
    escape: fn(&str) -> Cow<'_, str>,
) -> Arc<FluentResource> {
    let mut literals = Literals(Vec::new());
    resource.entries().for_each(|entry| literals.add_entry(entry));
    literals.0.sort_by_key(|literal| literal.as_ptr());
    let source = resource.source();
    let (mut text, mut copied, mut changed) = (String::with_capacity(source.len()), 0, false);
    for literal in literals.0 {
        let value = unescape_unicode_to_string(literal);
        let Cow::Owned(value) = escape(&value) else { continue };
        let start = literal.as_ptr() as usize - source.as_ptr() as usize;
        text.push_str(&source[copied..start]);
        text.push_str(&value.replace('\\', "\\\\").replace('"', "\\\""));
        (copied, changed) = (start + literal.len(), true);
    }
    if !changed {
        return resource.clone();
    }
    text.push_str(&source[copied..]);
    // Only literals have changed, so what could be parsed still can.
    let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(text);
    Arc::new(resource)
}

/// Slices of the source, between the quotation marks.
struct Literals<'s>(Vec<&'s str>);

impl<'s> Literals<'s> {
    fn add_entry(&mut self, entry: &Entry<&'s str>) {
        match entry {
            Entry::Message(message) => {
                message.value.iter().for_each(|value| self.add_pattern(value));
                self.add_attributes(&message.attributes);
            }
            Entry::Term(term) => {
                self.add_pattern(&term.value);
                self.add_attributes(&term.attributes);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => {}
        }
    }

    fn add_attributes(&mut self, attributes: &[Attribute<&'s str>]) {
        attributes.iter().for_each(|attribute| self.add_pattern(&attribute.value));
    }

    fn add_pattern(&mut self, pattern: &Pattern<&'s str>) {
        for element in &pattern.elements {
            match element {
                PatternElement::Placeable { expression } => self.add_expression(expression),
                PatternElement::TextElement { .. } => {}
            }
        }
    }

    fn add_expression(&mut self, expression: &Expression<&'s str>) {
        match expression {
            Expression::Inline(inline) => self.add_inline(inline),
            Expression::Select { selector, variants } => {
                self.add_inline(selector);
                variants.iter().for_each(|variant| self.add_pattern(&variant.value));
            }
        }
    }

    fn add_inline(&mut self, inline: &InlineExpression<&'s str>) {
        match inline {
            InlineExpression::StringLiteral { value } => self.0.push(value),
            InlineExpression::FunctionReference { arguments, .. } => self.add_arguments(arguments),
            InlineExpression::TermReference { arguments, .. } => {
                arguments.iter().for_each(|arguments| self.add_arguments(arguments));
            }
            InlineExpression::Placeable { expression } => self.add_expression(expression),
            InlineExpression::NumberLiteral { .. }
            | InlineExpression::MessageReference { .. }
            | InlineExpression::VariableReference { .. } => {}
        }
    }

    /// A term shows the values of its arguments.
    fn add_arguments(&mut self, arguments: &CallArguments<&'s str>) {
        let named = arguments.named.iter().map(|argument| &argument.value);
        arguments.positional.iter().chain(named).for_each(|value| self.add_inline(value));
    }
}
