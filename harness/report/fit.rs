//! Text that is no wider than the terminal that it is shown on.

use textwrap::{Options, WrapAlgorithm, core::display_width, wrap};

/// `text` with lines wider than `width` broken, the rest of each set in by two more; as it is where no width is known.
pub fn fit(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_owned() };
    let mut fitted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        if display_width(body) <= width {
            fitted += line;
            continue;
        }
        let indent = &body[..body.len() - body.trim_start().len()];
        let deeper = format!("{indent}  ");
        let options = Options::new(width)
            .initial_indent(indent)
            .subsequent_indent(&deeper)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        fitted += &wrap(body.trim_start(), options).join("\n");
        fitted += end;
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_words_that_are_too_long_within() {
        let text = "short\n  a note that is longer than it may be\nhttps://example.org/without-a-space\n";
        let fitted = fit(text, Some(20));
        assert_eq!(
            fitted,
            "short\n  a note that is\n    longer than it\n    may be\nhttps://example.or\n  g/without-a-space\n"
        );
        assert!(fitted.lines().all(|line| line.chars().count() <= 20));
        assert_eq!(fit(text, None), text);
    }
}
