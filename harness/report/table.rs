//! The one look of tables on a terminal.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

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
