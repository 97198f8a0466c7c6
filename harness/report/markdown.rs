//! A report as Markdown, for pasting into an issue or a wiki.

use super::copies::HEADER;
use super::material::{COLUMNS, Material};
use super::topic::Topic;

/// The report as Markdown: findings, figures and provenance; charts are drawings and are left to other formats.
pub fn markdown(material: &Material, title: &str) -> String {
    let mut text = format!("# {}\n\n", plain(title));
    if !material.unreal().is_empty() {
        let kinds = material.unreal().join(", ").to_uppercase();
        text += &format!("**{kinds}: figures of such a device say nothing of hardware.**\n\n");
    }
    text += "## Findings\n\n";
    let topics = material.topics();
    let findings = material.findings(&topics);
    if findings.is_empty() {
        text += "None.\n";
    }
    for found in findings {
        let cases = found.cases.join(", ");
        let cases = if cases.is_empty() { String::new() } else { format!(" ({cases})") };
        let line = format!("{}{cases}: {}", found.device, found.message);
        text += &format!("- **{}** {}\n", found.severity, plain(&line));
    }
    text.extend(topics.iter().map(section));
    if !material.records.is_empty() {
        text += &figures(material);
    }
    text += "\n## Provenance\n";
    for origin in material.origins() {
        text += &format!("\n### {}\n\n- SHA-256: {}\n", plain(&origin.name), origin.sha256);
        for (name, value) in &origin.facts {
            text += &format!("- {}: {}\n", plain(name), plain(value));
        }
    }
    text
}

fn figures(material: &Material) -> String {
    let mut text = "\n## Three figures\n".to_owned();
    for device in material.shown() {
        text += &format!("\n### {}\n\nRecord {}.\n\n", plain(&device.name), plain(&device.record));
        text += &row(&COLUMNS);
        text += &row(&COLUMNS.map(|_| "---"));
        for cells in &device.rows {
            text += &row(cells);
        }
        if device.copies.is_empty() {
            continue;
        }
        text += &format!("\n{}{}", row(&HEADER), row(&HEADER.map(|_| "---")));
        for cells in &device.copies {
            text += &row(cells);
        }
    }
    text
}

/// A fleet, a cluster or a training run: its facts and tables.
fn section(topic: &Topic) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", plain(&topic.title), plain(&topic.lead));
    for (name, fact) in &topic.facts {
        text += &format!("- {}: {}\n", plain(name), plain(fact));
    }
    for table in &topic.tables {
        text += &format!("\n### {}\n\n", plain(&table.title));
        if !table.note.is_empty() {
            text += &format!("{}\n\n", plain(&table.note));
        }
        text += &row(&table.data.header);
        text += &row(&vec!["---"; table.data.header.len()]);
        text.extend(table.data.rows.iter().map(|cells| row(cells)));
    }
    text
}

pub(super) fn row<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| plain(cell.as_ref())).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Text that neither Markdown nor the HTML within it reads as more than text.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn text_of_a_record_is_only_text_in_markdown() {
        assert_eq!(plain("<b>|x|\n`y`"), "&lt;b&gt;\\|x\\| \\`y\\`");
        assert_eq!(plain("![p](javascript:x)"), "\\!\\[p\\](javascript:x)");
    }
}
