//! A table with aligned columns.

use super::screen::{Colour, Screen};

/// Between two columns.
const GAP: &str = "  ";

/// One field of a table.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    colour: Colour,
    right: bool,
}

/// Rows of cells under a line of headings.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Cell {
    /// A word, at the left of its column.
    pub(super) fn text(text: impl std::fmt::Display) -> Cell {
        Cell { text: text.to_string(), colour: Colour::Plain, right: false }
    }

    /// A number, at the right of its column.
    pub(super) fn number(number: impl std::fmt::Display) -> Cell {
        Cell { right: true, ..Cell::text(number) }
    }

    /// The same in a colour.
    pub(super) fn painted(self, colour: Colour) -> Cell {
        Cell { colour, ..self }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    /// The padding is outside the colour, which would underline or fill it on some terminals.
    fn show(&self, width: usize, is_last: bool, screen: Screen) -> String {
        let padding = " ".repeat(width.saturating_sub(self.width()));
        let text = screen.paint(self.colour, &self.text);
        match (self.right, is_last) {
            (true, _) => format!("{padding}{text}"),
            (false, true) => text,
            (false, false) => format!("{text}{padding}"),
        }
    }
}

impl Table {
    /// A table with these headings; a column of numbers has its heading at the right by [`Cell::number`].
    pub(super) fn new(headings: impl IntoIterator<Item = Cell>) -> Table {
        Table { rows: vec![headings.into_iter().map(|cell| cell.painted(Colour::Bold)).collect()] }
    }

    /// Adds a row, as many cells as there are headings.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Its lines, the headings first, without white space at their ends.
    pub(super) fn lines(&self, screen: Screen) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        let line = |row: &Vec<Cell>| {
            let cells = row.iter().zip(&widths).enumerate();
            let shown: Vec<String> =
                cells.map(|(i, (cell, width))| cell.show(*width, i + 1 == row.len(), screen)).collect();
            shown.join(GAP).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_at_the_right() {
        let mut table = Table::new([Cell::text("NAME"), Cell::number("MAILS"), Cell::text("TO")]);
        table.row([Cell::text("queued"), Cell::number(7), Cell::text("zoë@example.org")]);
        table.row([Cell::text("ø"), Cell::number(123_456), Cell::text("").painted(Colour::Red)]);
        assert_eq!(
            table.lines(Screen::plain()),
            ["NAME     MAILS  TO", "queued       7  zoë@example.org", "ø       123456"]
        );
    }
}
