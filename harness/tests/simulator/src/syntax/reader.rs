//! Cursor over the words of a module, with the names that are known at its place.

use std::collections::HashMap;

use super::token::{Token, tokens};
use super::{Operand, Result, error};

pub(super) struct Reader {
    pub(super) tokens: Vec<(Token, u32)>,
    pub(super) place: usize,
    /// Names of registers, innermost scope last.
    pub(super) scopes: Vec<HashMap<String, u32>>,
    pub(super) symbols: HashMap<String, Operand>,
    pub(super) shared: u32,
    pub(super) alignment: u32,
}

impl Reader {
    pub(super) fn new(text: &str) -> Result<Self> {
        Ok(Self {
            tokens: tokens(text)?,
            place: 0,
            scopes: Vec::new(),
            symbols: HashMap::new(),
            shared: 0,
            alignment: 16,
        })
    }

    pub(super) fn line(&self) -> u32 {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.place.min(last)).map_or(1, |t| t.1)
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place).map(|t| &t.0)
    }

    pub(super) fn is(&self, mark: char) -> bool {
        self.peek() == Some(&Token::Mark(mark))
    }

    pub(super) fn take(&mut self, mark: char) -> bool {
        let found = self.is(mark);
        self.place += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, mark: char) -> Result<()> {
        if self.take(mark) {
            Ok(())
        } else {
            error(self.line(), format!("'{mark}' expected, found {:?}", self.peek()))
        }
    }

    pub(super) fn word(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.place += 1;
                Ok(word)
            }
            other => error(self.line(), format!("a word expected, found {other:?}")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let negative = self.take('-');
        let line = self.line();
        let word = self.word()?;
        let Some(value) = literal(&word) else {
            return error(line, format!("unknown name or number {word}"));
        };
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    pub(super) fn register(&self, name: &str) -> Option<u32> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())
    }
}

/// Constants of PTX ISA 4.5: decimal, `0x`, and floating-point bits as `0f`, `0d`.
pub(super) fn literal(word: &str) -> Option<u64> {
    let bits = |prefix: &str, digits: usize| {
        let rest = word.strip_prefix(prefix)?;
        if rest.len() == digits { u64::from_str_radix(rest, 16).ok() } else { None }
    };
    if let Some(value) =
        bits("0f", 8).or_else(|| bits("0F", 8)).or_else(|| bits("0d", 16)).or_else(|| bits("0D", 16))
    {
        return Some(value);
    }
    let word = word.trim_end_matches('U');
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}
