//! The one look of tables on a terminal.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle, Width,
};
use textwrap::core::display_width;

/// Rules above, below and under the header: few lines, and plain text when copied.
const RULE: LineStyle = LineStyle::new('─', '─', '─', '─');
const STYLE: TableStyle = TableStyle::new().top_border(RULE).header_separator(RULE).bottom_border(RULE);

/// A table with `header`, no wider than `width` where that is known; columns from `numbers` on are aligned right.
pub(super) fn table(header: &[&str], numbers: std::ops::Range<usize>, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table.set_header(header);
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Columns between the contents of two cells of a row.
const BETWEEN: usize = 3;

/// The table with a line end; where not even its longest words fit side by side, one line a cell instead.
pub(super) fn shown(mut table: Table, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return format!("{table}\n") };
    let header = table.header().map(cells).unwrap_or_default();
    let rows: Vec<Vec<String>> = table.row_iter().map(cells).collect();
    let longest: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().chain([&header]).filter_map(|row| row.get(column));
            cells.flat_map(|cell| cell.split_whitespace()).map(display_width).max().unwrap_or(0)
        })
        .collect();
    if longest.iter().map(|word| word + BETWEEN).sum::<usize>() + 1 > width {
        return rows.iter().map(|row| listed(&header, row)).collect();
    }
    for (column, longest) in table.column_iter_mut().zip(longest) {
        let least = Width::Fixed(u16::try_from(longest + BETWEEN - 1).unwrap_or(u16::MAX));
        column.set_constraint(ColumnConstraint::LowerBoundary(least));
    }
    format!("{table}\n")
}

fn cells(row: &Row) -> Vec<String> {
    row.cell_iter().map(comfy_table::Cell::content).collect()
}

/// One row as lines: the first cell, and below it what each other column says.
fn listed(header: &[String], row: &[String]) -> String {
    let mut named = header.iter().zip(row);
    let first = named.next().map(|(_, cell)| format!("  {cell}\n")).unwrap_or_default();
    first + &named.map(|(name, cell)| format!("    {name}: {cell}\n")).collect::<String>()
}
