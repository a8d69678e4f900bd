//! The lines of a `.env` file, by the grammar of python-dotenv's `parser.py`.

/// A name with its value, `None` without `=`; or the number of a line that cannot be read.
pub(super) type Line = Result<(String, Option<String>), usize>;

/// Reads all lines. `text` has `\n` as its only line break.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut reader = Reader { text, rest: text };
    let mut lines = Vec::new();
    loop {
        reader.rest = reader.rest.trim_start();
        if reader.rest.is_empty() {
            return lines;
        }
        let number = reader.line_number();
        match reader.binding() {
            Some(Some(binding)) => lines.push(Ok(binding)),
            Some(None) => {}
            None => {
                lines.push(Err(number));
                reader.take_while(|c| c != '\n');
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn line_number(&self) -> usize {
        let read = self.text.len() - self.rest.len();
        1 + self.text[..read].matches('\n').count()
    }

    /// `Some(None)` for a comment, `None` for a line that cannot be read.
    fn binding(&mut self) -> Option<Option<(String, Option<String>)>> {
        self.take_export();
        let name = if self.rest.starts_with('#') { None } else { Some(self.name()?) };
        self.take_blanks();
        let value = if self.rest.starts_with('=') { Some(self.value()?) } else { None };
        self.take_blanks();
        if self.rest.starts_with('#') {
            self.take_while(|c| c != '\n');
        }
        (self.rest.is_empty() || self.rest.starts_with('\n')).then_some(())?;
        Some(name.map(|name| (name, value)))
    }

    fn take_export(&mut self) {
        if let Some(rest) = self.rest.strip_prefix("export")
            && rest.starts_with(is_blank)
        {
            self.rest = rest;
            self.take_blanks();
        }
    }

    fn name(&mut self) -> Option<String> {
        let name = match self.rest.strip_prefix('\'') {
            Some(quoted) => {
                let (name, rest) = quoted.split_once('\'')?;
                self.rest = rest;
                name
            }
            None => self.take_while(|c| c != '=' && c != '#' && !c.is_whitespace()),
        };
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn value(&mut self) -> Option<String> {
        self.rest = &self.rest[1..];
        let blanks = self.take_blanks();
        // `NAME= # comment` is empty, and `NAME=#text` is not.
        if !blanks.is_empty() && self.rest.starts_with('#') {
            return Some(String::new());
        }
        match self.rest.chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            _ => Some(without_comment(self.take_while(|c| c != '\n')).to_owned()),
        }
    }

    /// A quoted value can have several lines. A backslash escapes any character, so it can escape the quote.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    let (_, escaped) = chars.next()?;
                    match unescape(quote, escaped) {
                        Some(character) => value.push(character),
                        None => value.extend(['\\', escaped]),
                    }
                }
                _ if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(value);
                }
                _ => value.push(c),
            }
        }
        None
    }

    fn take_blanks(&mut self) -> &'a str {
        self.take_while(is_blank)
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n'
}

/// Python's escapes. In single quotes only the backslash and the quote can be escaped.
fn unescape(quote: char, escaped: char) -> Option<char> {
    match escaped {
        '\\' | '\'' => Some(escaped),
        _ if quote == '\'' => None,
        '"' => Some('"'),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        _ => None,
    }
}

/// A comment begins with a `#` after white space.
fn without_comment(value: &str) -> &str {
    let comment = value.match_indices('#').find(|(at, _)| value[..*at].ends_with(char::is_whitespace));
    comment.map_or(value, |(at, _)| &value[..at]).trim_end()
}
