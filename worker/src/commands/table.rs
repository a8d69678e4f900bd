//! Tables with aligned columns and without lines, by comfy-table.

use std::fmt::Display;
use std::io;

use bookly_shared::domain::printable;
use chrono::{DateTime, Utc};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table};

use super::screen;

/// Blanks between two columns.
const GAP: u16 = 2;

/// An empty table with these headings. Every row has as many cells.
pub(super) fn new(headings: impl IntoIterator<Item = Cell>) -> Table {
    let mut table = Table::new();
    // Whether colours are wanted is decided once, where lines are printed.
    table.load_style(NOTHING).enforce_styling().style_text_only();
    let headings: Vec<Cell> = headings.into_iter().map(|cell| cell.add_attribute(Attribute::Bold)).collect();
    table.set_header(headings);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, GAP));
    });
    table
}

/// A cell with a text. It may be another program's: what a terminal would obey in it is escaped.
pub(super) fn text(text: impl Display) -> Cell {
    Cell::new(printable(&text.to_string()))
}

/// A cell with a number, or the heading of a column of numbers: aligned at the right.
pub(super) fn number(number: impl Display) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}

/// A time, to the second.
pub(super) fn instant(time: DateTime<Utc>) -> Cell {
    Cell::new(time.format("%Y-%m-%dT%H:%M:%SZ"))
}

/// A state of an email, or the outcome of an attempt, in its colour.
pub(super) fn state(state: &str) -> Cell {
    let cell = text(state);
    match state {
        "sent" => cell.fg(Color::DarkGreen),
        "failed" | "bounced" | "complained" => cell.fg(Color::DarkRed),
        "sending" | "retried" | "soft_bounced" | "delayed" | "worker_lost" | "lease_lost"
        | "database_away" => cell.fg(Color::DarkYellow),
        "cancelled" => cell.fg(Color::DarkGrey),
        _ => cell,
    }
}

/// The line below a list: how many rows, and whether there are more. `nouns`: of one row, and of several.
pub(super) fn count(rows: usize, more: bool, [one, several]: [&str; 2]) -> String {
    let noun = if rows == 1 { one } else { several };
    if more { format!("{rows} {noun}; there are more, see --limit") } else { format!("{rows} {noun}") }
}

/// Prints the lines of a table, the headings first.
///
/// # Errors
/// When standard output is closed, among others.
pub(super) fn print(table: &Table) -> io::Result<()> {
    screen::print_line(table.trim_fmt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_at_the_right() {
        let mut table = new([Cell::new("NAME"), number("MAILS"), Cell::new("TO")]);
        table.add_row([Cell::new("queued"), number(7), Cell::new("zoë@example.org")]);
        table.add_row([Cell::new("ø").fg(Color::Red), number(123_456), Cell::new("")]);
        let text = table.trim_fmt();
        let lines: Vec<String> =
            text.lines().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(lines, ["NAME     MAILS  TO", "queued       7  zoë@example.org", "ø       123456"]);
    }
}
