//! Modifiers and operands of one statement, read from the left.

use crate::number::Rounding;
use crate::operation::{Place, Source, Space, Type};
use crate::syntax::{Operand, Result, Statement, error};

/// Modifiers that are still to be read, and the operands.
pub(crate) struct Reading<'a> {
    pub(super) statement: &'a Statement,
    pub(super) rest: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    pub(super) fn fail<T>(&self, what: &str) -> Result<T> {
        error(self.statement.line, format!("{what} in {}", self.statement.spelling()))
    }

    /// Whether the next modifier is this one, which is then read.
    pub(super) fn take(&mut self, name: &str) -> bool {
        let found = self.rest.first() == Some(&name);
        if found {
            self.rest.remove(0);
        }
        found
    }

    pub(super) fn take_any(&mut self, names: &[&str]) -> bool {
        names.iter().any(|name| self.take(name))
    }

    pub(super) fn ty(&mut self) -> Result<Type> {
        match self.rest.first().and_then(|name| Type::named(name)) {
            Some(ty) => {
                self.rest.remove(0);
                Ok(ty)
            }
            None => self.fail("type expected"),
        }
    }

    pub(super) fn rounding(&mut self) -> Option<Rounding> {
        let (name, rounding) = match self.rest.first()? {
            n @ (&"rn" | &"rni") => (n, Rounding::Nearest),
            n @ &"rna" => (n, Rounding::Away),
            n @ (&"rz" | &"rzi") => (n, Rounding::Zero),
            n @ (&"rm" | &"rmi") => (n, Rounding::Minus),
            n @ (&"rp" | &"rpi") => (n, Rounding::Plus),
            _ => return None,
        };
        let name = *name;
        self.take(name).then_some(rounding)
    }

    /// Fails where a modifier or an operand was not read.
    pub(super) fn done(&self, operands: usize) -> Result<()> {
        if let Some(name) = self.rest.first() {
            return self.fail(&format!("unknown modifier .{name}"));
        }
        if self.statement.operands.len() != operands {
            return self
                .fail(&format!("{operands} operands expected, {} found", self.statement.operands.len()));
        }
        Ok(())
    }

    pub(super) fn operand(&self, i: usize) -> Result<&'a Operand> {
        match self.statement.operands.get(i) {
            Some(operand) => Ok(operand),
            None => self.fail("too few operands"),
        }
    }

    pub(super) fn source_of(&self, operand: &Operand) -> Result<Source> {
        Ok(match operand {
            Operand::Register(r) => Source::Register(*r),
            Operand::Not(r) => Source::Not(*r),
            Operand::Immediate(bits) => Source::Immediate(*bits),
            Operand::Special(s) => Source::Special(*s),
            Operand::Parameter(offset) => Source::Immediate(u64::from(*offset)),
            other => return self.fail(&format!("operand {other:?}")),
        })
    }

    pub(super) fn source(&self, i: usize) -> Result<Source> {
        self.source_of(self.operand(i)?)
    }

    pub(super) fn register(&self, i: usize) -> Result<u32> {
        match self.operand(i)? {
            Operand::Register(r) => Ok(*r),
            other => self.fail(&format!("a register expected, not {other:?}")),
        }
    }

    pub(super) fn constant(&self, i: usize) -> Result<u64> {
        match self.operand(i)? {
            Operand::Immediate(v) => Ok(*v),
            other => self.fail(&format!("a constant expected, not {other:?}")),
        }
    }

    /// Registers of a vector, or the one.
    pub(super) fn registers(&self, i: usize) -> Result<Vec<Option<u32>>> {
        let one = |operand: &Operand| match operand {
            Operand::Register(r) => Ok(Some(*r)),
            Operand::Sink => Ok(None),
            other => self.fail(&format!("a register expected, not {other:?}")),
        };
        match self.operand(i)? {
            Operand::Vector(parts) => parts.iter().map(one).collect(),
            other => Ok(vec![one(other)?]),
        }
    }

    pub(super) fn sources(&self, i: usize) -> Result<Vec<Source>> {
        match self.operand(i)? {
            Operand::Vector(parts) => parts.iter().map(|p| self.source_of(p)).collect(),
            other => Ok(vec![self.source_of(other)?]),
        }
    }

    pub(super) fn place(&self, i: usize) -> Result<Place> {
        match self.operand(i)? {
            Operand::Address(base, offset, more) if more.is_empty() => {
                Ok(Place { base: self.source_of(base)?, offset: *offset })
            }
            other => self.fail(&format!("an address expected, not {other:?}")),
        }
    }

    /// `[map, {x, y}]`.
    pub(super) fn tensor(&self, i: usize) -> Result<(Place, Vec<Source>)> {
        match self.operand(i)? {
            Operand::Address(base, offset, more) => match more.as_slice() {
                [Operand::Vector(at)] => Ok((
                    Place { base: self.source_of(base)?, offset: *offset },
                    at.iter().map(|x| self.source_of(x)).collect::<Result<_>>()?,
                )),
                _ => self.fail("coordinates expected"),
            },
            other => self.fail(&format!("an address expected, not {other:?}")),
        }
    }

    /// `.shared`, with the name of its window.
    pub(super) fn shared(&mut self) -> bool {
        self.take_any(&["shared", "shared::cta"])
    }

    pub(super) fn space(&mut self) -> Space {
        if self.take("global") {
            Space::Global
        } else if self.shared() {
            Space::Shared
        } else if self.take("param") {
            Space::Parameter
        } else {
            Space::Generic
        }
    }

    pub(super) fn three(&self, count: usize) -> Result<[Source; 3]> {
        let mut sources = [Source::Immediate(0); 3];
        for (i, source) in sources.iter_mut().enumerate().take(count) {
            *source = self.source(i + 1)?;
        }
        Ok(sources)
    }
}
