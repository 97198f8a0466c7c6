//! Operands of a statement.

use super::reader::{Reader, literal};
use super::{Operand, Result, Special, error};

impl Reader {
    pub(super) fn operand(&mut self) -> Result<Operand> {
        let line = self.line();
        if self.take('{') {
            let mut parts = Vec::new();
            while !self.take('}') {
                parts.push(self.operand()?);
                if !self.take(',') && !self.is('}') {
                    return error(line, "',' or '}' expected");
                }
            }
            return Ok(Operand::Vector(parts));
        }
        if self.take('[') {
            return self.address();
        }
        if self.take('!') {
            let name = self.word()?;
            return match self.register(&name) {
                Some(register) => Ok(Operand::Not(register)),
                None => error(line, format!("unknown name {name}")),
            };
        }
        if self.is('-') {
            return Ok(Operand::Immediate(self.number()?));
        }
        let name = self.word()?;
        let first = self.named(name);
        if self.take('|') {
            let name = self.word()?;
            return Ok(Operand::Pair(Box::new(first), Box::new(self.named(name))));
        }
        Ok(first)
    }

    pub(super) fn address(&mut self) -> Result<Operand> {
        let line = self.line();
        let base = self.operand()?;
        let mut offset = 0;
        if self.take('+') || self.is('-') {
            offset = self.number()? as i64;
        }
        let mut more = Vec::new();
        while self.take(',') {
            more.push(self.operand()?);
        }
        self.expect(']')?;
        match base {
            Operand::Label(name) => error(line, format!("unknown name {name}")),
            base => Ok(Operand::Address(Box::new(base), offset, more)),
        }
    }

    pub(super) fn named(&self, name: String) -> Operand {
        if let Some(register) = self.register(&name) {
            return Operand::Register(register);
        }
        if let Some(symbol) = self.symbols.get(&name) {
            return symbol.clone();
        }
        if let Some(special) = special(&name) {
            return Operand::Special(special);
        }
        match literal(&name) {
            _ if name == "_" => Operand::Sink,
            Some(value) => Operand::Immediate(value),
            None => Operand::Label(name),
        }
    }
}

fn special(name: &str) -> Option<Special> {
    let axis = |name: &str| ["x", "y", "z"].iter().position(|a| *a == name).map(|a| a as u8);
    Some(match name {
        "%laneid" => Special::Laneid,
        "%warpid" => Special::Warpid,
        "%clock" | "%clock64" | "%globaltimer" => Special::Clock,
        _ => match name.split_once('.')? {
            ("%tid", a) => Special::Tid(axis(a)?),
            ("%ntid", a) => Special::Ntid(axis(a)?),
            ("%ctaid", a) => Special::Ctaid(axis(a)?),
            ("%nctaid", a) => Special::Nctaid(axis(a)?),
            _ => return None,
        },
    })
}
