//! What is wrong with a catalogue: syntax, and messages and variables that differ from the English ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};

use super::messages::Messages;

/// Every message may use it.
const EVERYWHERE: &str = "app_name";

/// A difference between a catalogue and the English one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueFinding {
    /// A message that only English has.
    MissingMessage {
        /// Its name.
        id: String,
    },
    /// A message that English does not have.
    ExtraMessage {
        /// Its name.
        id: String,
        /// From 1.
        line: usize,
    },
    /// A variable that only the English message has.
    MissingVariable {
        /// The message.
        id: String,
        /// The variable.
        variable: String,
        /// From 1.
        line: usize,
    },
    /// A variable that the message does not get.
    ExtraVariable {
        /// The message.
        id: String,
        /// The variable.
        variable: String,
        /// From 1.
        line: usize,
    },
    /// A `$name` outside braces, which is shown as it is.
    VariableAsText {
        /// The message.
        id: String,
        /// The variable.
        variable: String,
        /// From 1.
        line: usize,
    },
    /// A message that stands twice; the last one counts.
    Repeated {
        /// Its name.
        id: String,
        /// From 1.
        line: usize,
    },
}

impl CatalogueFinding {
    /// The line, from 1; 0 for what is missing.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::MissingMessage { .. } => 0,
            Self::ExtraMessage { line, .. }
            | Self::MissingVariable { line, .. }
            | Self::ExtraVariable { line, .. }
            | Self::VariableAsText { line, .. }
            | Self::Repeated { line, .. } => *line,
        }
    }

    /// Whether the message cannot be used at all.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::ExtraVariable { .. })
    }
}

impl fmt::Display for CatalogueFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingMessage { id } => write!(f, "the message {id} is missing"),
            Self::ExtraMessage { id, .. } => write!(f, "no template uses the message {id}"),
            Self::MissingVariable { id, variable, .. } => {
                write!(f, "the message {id} does not use ${variable}")
            }
            Self::ExtraVariable { id, variable, .. } => {
                write!(f, "the message {id} uses ${variable}, which it does not get")
            }
            Self::VariableAsText { id, variable, .. } => {
                write!(f, "the message {id} has ${variable} as text; for its value write {{ ${variable} }}")
            }
            Self::Repeated { id, .. } => write!(f, "the message {id} stands twice"),
        }
    }
}

/// The variables of each message, by name.
type Outline<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

impl Messages {
    /// How these messages differ from others: which are missing, which are too many, which have other variables.
    #[must_use]
    pub fn compared_to(&self, english: &Messages) -> Vec<CatalogueFinding> {
        let (own, expected) = (self.outline(), english.outline());
        let missing = expected.keys().filter(|id| !own.contains_key(*id));
        let mut findings: Vec<CatalogueFinding> =
            missing.map(|id| CatalogueFinding::MissingMessage { id: (*id).to_owned() }).collect();
        for (id, variables) in &own {
            let (name, line) = ((*id).to_owned(), self.line_of(id));
            let Some(expected) = expected.get(id) else {
                findings.push(CatalogueFinding::ExtraMessage { id: name, line });
                continue;
            };
            findings.extend(expected.difference(variables).map(|variable| {
                CatalogueFinding::MissingVariable { id: name.clone(), variable: (*variable).to_owned(), line }
            }));
            let extra = variables.difference(expected).filter(|variable| **variable != EVERYWHERE);
            findings.extend(extra.map(|variable| CatalogueFinding::ExtraVariable {
                id: name.clone(),
                variable: (*variable).to_owned(),
                line,
            }));
        }
        findings.extend(self.variables_as_text());
        findings.extend(self.repeated());
        findings
    }

    fn outline(&self) -> Outline<'_> {
        let mut outline = Outline::new();
        for entry in self.0.entries() {
            if let Entry::Message(message) = entry {
                let mut variables = BTreeSet::new();
                if let Some(pattern) = &message.value {
                    collect(pattern, &mut variables);
                }
                outline.insert(message.id.name, variables);
            }
        }
        outline
    }

    fn variables_as_text(&self) -> Vec<CatalogueFinding> {
        let mut findings = Vec::new();
        for entry in self.0.entries() {
            let Entry::Message(message) = entry else { continue };
            let mut names = BTreeSet::new();
            message.value.iter().for_each(|pattern| collect_as_text(pattern, &mut names));
            let (id, line) = (message.id.name, self.line_of(message.id.name));
            findings.extend(names.into_iter().map(|variable| CatalogueFinding::VariableAsText {
                id: id.to_owned(),
                variable: variable.to_owned(),
                line,
            }));
        }
        findings
    }

    fn repeated(&self) -> Vec<CatalogueFinding> {
        let mut seen = BTreeSet::new();
        let ids = self.0.entries().filter_map(|entry| match entry {
            Entry::Message(message) => Some(message.id.name),
            _ => None,
        });
        ids.filter(|id| !seen.insert(*id))
            .map(|id| CatalogueFinding::Repeated { id: id.to_owned(), line: self.line_of(id) })
            .collect()
    }

    /// The last one counts, as in Fluent.
    fn line_of(&self, id: &str) -> usize {
        let is_it = |line: &str| line.strip_prefix(id).is_some_and(|rest| rest.trim_start().starts_with('='));
        let lines = self.0.source().lines().enumerate();
        lines.filter(|(_, line)| is_it(line)).last().map_or(0, |(index, _)| index + 1)
    }
}

/// What looks like a variable in the text outside braces, also in the variants of a choice. `$5` does not.
fn collect_as_text<'a>(pattern: &Pattern<&'a str>, names: &mut BTreeSet<&'a str>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => {
                let after = value.split('$').skip(1);
                let name = |text: &'a str| {
                    let end =
                        text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
                    &text[..end]
                };
                let begins_well = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic());
                names.extend(after.map(name).filter(begins_well));
            }
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                variants.iter().for_each(|variant| collect_as_text(&variant.value, names));
            }
            PatternElement::Placeable { .. } => {}
        }
    }
}

fn collect<'a>(pattern: &Pattern<&'a str>, variables: &mut BTreeSet<&'a str>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            collect_expression(expression, variables);
        }
    }
}

fn collect_expression<'a>(expression: &Expression<&'a str>, variables: &mut BTreeSet<&'a str>) {
    match expression {
        Expression::Inline(inline) => collect_inline(inline, variables),
        Expression::Select { selector, variants } => {
            collect_inline(selector, variables);
            variants.iter().for_each(|variant| collect(&variant.value, variables));
        }
    }
}

fn collect_inline<'a>(inline: &InlineExpression<&'a str>, variables: &mut BTreeSet<&'a str>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            variables.insert(id.name);
        }
        InlineExpression::FunctionReference { arguments, .. } => collect_arguments(arguments, variables),
        InlineExpression::TermReference { arguments: Some(arguments), .. } => {
            collect_arguments(arguments, variables);
        }
        InlineExpression::Placeable { expression } => collect_expression(expression, variables),
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { arguments: None, .. } => {}
    }
}

fn collect_arguments<'a>(arguments: &CallArguments<&'a str>, variables: &mut BTreeSet<&'a str>) {
    arguments.positional.iter().for_each(|argument| collect_inline(argument, variables));
    arguments.named.iter().for_each(|argument| collect_inline(&argument.value, variables));
}

#[cfg(test)]
mod tests;
