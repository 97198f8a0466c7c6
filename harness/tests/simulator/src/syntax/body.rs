//! Body of a kernel: scopes, labels, registers and statements.

use std::collections::HashMap;

use super::module::declared_size;
use super::reader::Reader;
use super::token::Token;
use super::{Entry, Operand, Result, Statement, error};

impl Reader {
    pub(super) fn block(&mut self, entry: &mut Entry) -> Result<()> {
        self.expect('{')?;
        self.scopes.push(HashMap::new());
        let first = entry.code.len();
        let mut labels = HashMap::new();
        while !self.take('}') {
            if self.is('{') {
                self.block(entry)?;
                continue;
            }
            if self.take(';') {
                continue;
            }
            if let (Some(Token::Word(word)), Some((Token::Mark(':'), _))) =
                (self.peek(), self.tokens.get(self.place + 1))
            {
                labels.insert(word.clone(), entry.code.len());
                self.place += 2;
                continue;
            }
            self.statement(entry)?;
        }
        self.scopes.pop();
        // Inner scopes were resolved first, so an inner label hides an outer one.
        for statement in &mut entry.code[first..] {
            for operand in &mut statement.operands {
                if let Operand::Label(name) = operand {
                    if let Some(&place) = labels.get(name) {
                        *operand = Operand::Immediate(place as u64);
                    } else if self.scopes.is_empty() {
                        return error(statement.line, format!("unknown name {name}"));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn statement(&mut self, entry: &mut Entry) -> Result<()> {
        let line = self.line();
        let mut guard = None;
        if self.take('@') {
            let negated = self.take('!');
            let name = self.word()?;
            let Some(register) = self.register(&name) else {
                return error(line, format!("unknown name {name}"));
            };
            guard = Some((register, negated));
        }
        let word = self.word()?;
        match word.as_str() {
            ".reg" => return self.registers(entry),
            ".shared" => return self.shared_variable(),
            ".pragma" | ".loc" | ".file" => {
                while !self.take(';') {
                    if self.peek().is_none() {
                        return error(line, "no end of the directive");
                    }
                    self.place += 1;
                }
                return Ok(());
            }
            directive if directive.starts_with('.') => {
                return error(line, format!("unknown directive {directive}"));
            }
            _ => {}
        }
        let mut operands = Vec::new();
        while !self.take(';') {
            operands.push(self.operand()?);
            if !self.take(',') {
                self.expect(';')?;
                break;
            }
        }
        let opcode = word.split('.').map(str::to_owned).collect();
        entry.code.push(Statement { guard, opcode, operands, line });
        Ok(())
    }

    pub(super) fn registers(&mut self, entry: &mut Entry) -> Result<()> {
        let line = self.line();
        declared_size(&self.word()?, line)?;
        loop {
            let name = self.word()?;
            let names: Vec<String> = if self.take('<') {
                let count = self.number()?;
                self.expect('>')?;
                if count > 1 << 20 {
                    return error(line, "too many registers");
                }
                (0..count).map(|i| format!("{name}{i}")).collect()
            } else {
                vec![name]
            };
            let Some(scope) = self.scopes.last_mut() else { return error(line, ".reg outside a body") };
            for name in names {
                scope.insert(name, entry.registers);
                entry.registers += 1;
            }
            if !self.take(',') {
                return self.expect(';');
            }
        }
    }
}
