//! Figures with their spread, as tables on the terminal and between two marks of a file.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

use crate::machine;

const BEGIN: &str = "<!-- figures -->";
const END: &str = "<!-- /figures -->";

/// The middle of several runs, and the lowest and highest of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// The middle one; the lower of the two middle ones.
    pub(crate) median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// Of at least one run.
    pub(crate) fn of(runs: impl IntoIterator<Item = f64>) -> Spread {
        let mut runs: Vec<f64> = runs.into_iter().collect();
        runs.sort_by(f64::total_cmp);
        let at = |index: usize| runs.get(index).copied().unwrap_or(f64::NAN);
        let last = runs.len().saturating_sub(1);
        Spread { median: at(last / 2), low: at(0), high: at(last) }
    }
}

/// The figures of one measurement.
#[derive(Debug)]
pub(crate) struct Section {
    title: &'static str,
    rows: Vec<[String; 5]>,
    others: Vec<f64>,
    notes: Vec<String>,
}

impl Section {
    /// An empty table.
    pub(crate) fn new(title: &'static str) -> Section {
        Section { title, rows: Vec::new(), others: Vec::new(), notes: Vec::new() }
    }

    /// Adds a figure of several runs, with its unit and what it is to reach (nothing: it stands for comparison).
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        runs: impl IntoIterator<Item = f64>,
        unit: &str,
        goal: &str,
    ) {
        let spread = Spread::of(runs);
        let range = format!("{} – {}", number(spread.low), number(spread.high));
        self.rows.push([what.into(), number(spread.median), range, unit.to_owned(), goal.to_owned()]);
    }

    /// Notes how much of the machine other programs used during a run.
    pub(crate) fn beside(&mut self, others: f64) {
        self.others.push(others);
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "### {}\n\n| what | median | lowest – highest | unit | goal |\n|---|---|---|---|---|\n",
            self.title
        );
        for row in &self.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        if !self.others.is_empty() {
            let others = Spread::of(self.others.iter().map(|share| share * 100.0));
            let (low, high) = (number(others.low), number(others.high));
            let _ =
                write!(text, "\nOther processes took {low} to {high} % of the machine during these runs.\n");
        }
        text
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    text: String,
}

impl Report {
    /// Begins with the machine.
    pub(crate) fn new(versions: &str) -> anyhow::Result<Report> {
        let (cores, memory) = (machine::cores(), machine::memory_gib()?);
        let command = without_folders(std::env::args().skip(1));
        let text = format!(
            "`cargo run --release -p bench -- {}`, on {cores} cores with {memory:.0} GiB of memory ({versions}); \
             load generator, Postgres, Redis and the SMTP sink run on the same cores.\n",
            command.join(" ")
        );
        say(&text)?;
        Ok(Report { text })
    }

    /// Adds and prints a table.
    pub(crate) fn add(&mut self, section: Section) -> anyhow::Result<()> {
        let table = section.markdown();
        say(&table)?;
        self.text.push('\n');
        self.text.push_str(&table);
        Ok(())
    }

    /// Puts the tables between the marks of a file.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let name = file.display();
        let old = std::fs::read_to_string(file).with_context(|| format!("reading {name}"))?;
        let marks = old.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
        let (head, tail) = marks.with_context(|| format!("{name} lacks the marks {BEGIN} and {END}"))?;
        let new = format!("{head}{BEGIN}\n{}{END}{tail}", self.text);
        std::fs::write(file, new).with_context(|| format!("writing {name}"))
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    Ok(output.flush()?)
}

/// Prints why it ended.
pub(crate) fn complain(text: &str) {
    // Nothing can be done when this fails.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A command's options as they may stand in a document: folders are a machine's own.
fn without_folders(options: impl Iterator<Item = String>) -> Vec<String> {
    let mut is_folder = false;
    let shown = options.map(|option| {
        let hidden = std::mem::replace(&mut is_folder, matches!(&*option, "--bin" | "--peer" | "--cache"));
        if hidden { "DIR".to_owned() } else { option }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_the_middle_and_both_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((spread.median, spread.low, spread.high), (2.0, 1.0, 3.0));
    }

    #[test]
    fn folders_are_not_told() {
        let options = ["--only", "worker", "--bin", "/x", "--runs", "3", "--peer", "/y"].map(str::to_owned);
        let shown = without_folders(options.into_iter()).join(" ");
        assert_eq!(shown, "--only worker --bin DIR --runs 3 --peer DIR");
    }

    #[test]
    fn a_table_has_a_line_a_figure_and_says_what_others_took() {
        let mut section = Section::new("Things");
        section.row("one", [1.0, 2.0, 12.345], "ms", "≤ 5");
        section.beside(0.5);
        let text = section.markdown();
        assert!(text.contains("| one | 2.00 | 1.00 – 12.3 | ms | ≤ 5 |"), "{text}");
        assert!(text.contains("Other processes took 50.0 to 50.0 %"), "{text}");
    }

    #[test]
    fn the_tables_replace_what_stands_between_the_marks_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        Report { text: "new\n".to_owned() }.write(file.path()).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(text, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        std::fs::write(file.path(), "no marks").unwrap();
        assert!(Report { text: String::new() }.write(file.path()).is_err());
    }
}
