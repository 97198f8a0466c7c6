//! Directives outside a body: the module, its kernels, parameters and variables.

use super::reader::Reader;
use super::{Entry, Module, Operand, Parameter, Result, Special, Statement, error};

impl Reader {
    pub(super) fn module(&mut self) -> Result<Module<Statement>> {
        let mut text = Module { target: String::new(), kernels: Vec::new() };
        while self.peek().is_some() {
            let line = self.line();
            match self.word()?.as_str() {
                ".version" | ".address_size" => {
                    self.word()?;
                }
                ".target" => {
                    text.target = self.word()?;
                    while self.take(',') {
                        self.word()?;
                    }
                }
                ".visible" | ".weak" => {}
                ".extern" => {
                    if self.word()? != ".shared" {
                        return error(line, "only .shared may be .extern");
                    }
                    let (name, _, alignment) = self.variable()?;
                    self.alignment = self.alignment.max(alignment);
                    self.symbols.insert(name, Operand::Special(Special::Dynamic));
                }
                ".shared" => self.shared_variable()?,
                ".entry" => {
                    let entry = self.entry()?;
                    text.kernels.push(entry);
                }
                other => return error(line, format!("unknown directive {other}")),
            }
        }
        Ok(text)
    }

    /// `.align N .type name[size];` to name, bytes, alignment.
    pub(super) fn variable(&mut self) -> Result<(String, u32, u32)> {
        let (mut alignment, mut unit, mut pointer) = (1, 0, false);
        loop {
            let line = self.line();
            let word = self.word()?;
            if word == ".align" {
                let given = self.number()? as u32;
                // After `.ptr` it is that of the memory pointed to.
                alignment = if pointer { alignment } else { given };
            } else if word == ".ptr" {
                pointer = true;
            } else if pointer && matches!(word.as_str(), ".global" | ".shared" | ".local" | ".const") {
            } else if word.starts_with('.') {
                unit = declared_size(&word, line)?;
                alignment = alignment.max(unit);
            } else {
                let mut bytes = unit;
                while self.take('[') {
                    let count = if self.is(']') { 0 } else { self.number()? as u32 };
                    bytes = bytes.saturating_mul(count);
                    self.expect(']')?;
                }
                self.take(';');
                return Ok((word, bytes, alignment.max(1)));
            }
        }
    }

    pub(super) fn shared_variable(&mut self) -> Result<()> {
        let (name, bytes, alignment) = self.variable()?;
        let place = self.shared.next_multiple_of(alignment);
        self.shared = place + bytes;
        self.symbols.insert(name, Operand::Immediate(u64::from(place)));
        Ok(())
    }

    pub(super) fn entry(&mut self) -> Result<Entry> {
        let mut entry = Entry::named(self.word()?);
        let (outer, outer_shared) = (self.symbols.clone(), self.shared);
        if self.take('(') {
            while !self.take(')') {
                if self.word()? != ".param" {
                    return error(self.line(), ".param expected");
                }
                let (name, size, alignment) = self.variable()?;
                let offset = entry.parameter_bytes.next_multiple_of(alignment);
                entry.parameter_bytes = offset + size;
                entry.parameters.push(Parameter { offset, size });
                self.symbols.insert(name, Operand::Parameter(offset));
                self.take(',');
            }
        }
        while !self.is('{') {
            let line = self.line();
            let directive = self.word()?;
            let mut product = 1;
            loop {
                product *= self.number()? as u32;
                if !self.take(',') {
                    break;
                }
            }
            match directive.as_str() {
                ".maxntid" | ".reqntid" => entry.max_threads = product,
                ".minnctapersm" | ".maxnreg" => {}
                other => return error(line, format!("unknown directive {other}")),
            }
        }
        self.block(&mut entry)?;
        (entry.shared, entry.dynamic_alignment) = (self.shared, self.alignment);
        (self.symbols, self.shared) = (outer, outer_shared);
        Ok(entry)
    }
}

/// Bytes of a type in a declaration.
pub(super) fn declared_size(name: &str, line: u32) -> Result<u32> {
    Ok(match name {
        ".b8" | ".u8" | ".s8" | ".pred" => 1,
        ".b16" | ".u16" | ".s16" | ".f16" | ".bf16" => 2,
        ".b32" | ".u32" | ".s32" | ".f32" | ".f16x2" | ".bf16x2" => 4,
        ".b64" | ".u64" | ".s64" | ".f64" => 8,
        ".b128" => 16,
        other => return error(line, format!("unknown type {other}")),
    })
}
