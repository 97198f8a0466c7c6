//! Exact decimal strings, shortened for a reader.

/// A decimal string in powers of ten with four digits, for tables; the exact one is in the steps.
pub fn round(text: &str) -> String {
    let digits = text.split('.').next().unwrap_or(text);
    if digits.len() < 7 {
        return text.to_owned();
    }
    let (head, tail) = digits.split_at(4);
    let rest = tail.bytes().any(|digit| digit != b'0') || text.contains('.');
    let mantissa = format!("{}.{}", &head[..1], &head[1..]);
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    let mark = if rest { "~" } else { "" };
    format!("{mark}{mantissa}e{}", digits.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn a_shortened_number_says_so() {
        assert_eq!(round("100000000000000000000"), "1e20");
        assert_eq!(round("100000000000000000001"), "~1e20");
        assert_eq!(round("118728000000000000000"), "~1.187e20");
        assert_eq!(round("4800"), "4800");
    }
}
