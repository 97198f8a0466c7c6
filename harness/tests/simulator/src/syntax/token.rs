//! Text of a module to words and marks.

use super::{Result, error};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Mark(char),
}

pub(super) fn tokens(text: &str) -> Result<Vec<(Token, u32)>> {
    let characters: Vec<char> = text.chars().collect();
    let at = |i: usize| characters.get(i).copied().unwrap_or('\0');
    let (mut i, mut line, mut found) = (0, 1, Vec::new());
    while i < characters.len() {
        match at(i) {
            '\n' => {
                line += 1;
                i += 1;
            }
            c if c.is_whitespace() => i += 1,
            '/' if at(i + 1) == '/' => {
                while i < characters.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                while i < characters.len() && !(at(i) == '*' && at(i + 1) == '/') {
                    line += u32::from(at(i) == '\n');
                    i += 1;
                }
                i += 2;
            }
            '"' => {
                let end = (i + 1..characters.len()).find(|&j| at(j) == '"');
                let Some(end) = end else { return error(line, "a string without end") };
                found.push((Token::Word(characters[i..end].iter().collect()), line));
                i = end + 1;
            }
            c if c.is_alphanumeric() || "_$%.".contains(c) => {
                let mut word = String::new();
                loop {
                    let c = at(i);
                    if c.is_alphanumeric() || "_$%.".contains(c) {
                        word.push(c);
                        i += 1;
                    } else if c == ':' && at(i + 1) == ':' {
                        word.push_str("::");
                        i += 2;
                    } else {
                        break;
                    }
                }
                found.push((Token::Word(word), line));
            }
            c => {
                found.push((Token::Mark(c), line));
                i += 1;
            }
        }
    }
    Ok(found)
}
