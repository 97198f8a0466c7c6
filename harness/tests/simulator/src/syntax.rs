//! Text of a PTX module to statements: PTX ISA 4 (syntax), 5.4 (variables), 11 (directives). Meaning of opcodes: `lower`.

use std::collections::HashMap;

/// What is wrong with a module, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("PTX line {line}: {what}")]
pub struct PtxError {
    /// Line, from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
}

/// Shorthand of this crate's readers.
pub type Result<T> = std::result::Result<T, PtxError>;

pub(crate) fn error<T>(line: u32, what: impl Into<String>) -> Result<T> {
    Err(PtxError { line, what: what.into() })
}

/// A register that a thread reads and that hardware sets: PTX ISA 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Special {
    Tid(u8),
    Ntid(u8),
    Ctaid(u8),
    Nctaid(u8),
    Laneid,
    Warpid,
    Clock,
    /// Where dynamic shared memory begins.
    Dynamic,
}

/// Operand of an instruction.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Register slot.
    Register(u32),
    /// Bits of an immediate, sign-extended.
    Immediate(u64),
    /// Special register.
    Special(Special),
    /// Negated predicate.
    Not(u32),
    /// `{a, b, …}`.
    Vector(Vec<Operand>),
    /// `[base + offset]`, with what stands after a comma in the brackets.
    Address(Box<Operand>, i64, Vec<Operand>),
    /// Offset in the parameters.
    Parameter(u32),
    /// `a|b`.
    Pair(Box<Operand>, Box<Operand>),
    /// `_`.
    Sink,
    /// Label, until it is resolved to a place in the code.
    Label(String),
}

/// One instruction as written.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Predicate and whether it is negated.
    pub guard: Option<(u32, bool)>,
    /// Opcode and modifiers, split at the dots.
    pub opcode: Vec<String>,
    /// Operands in order.
    pub operands: Vec<Operand>,
    /// Line, from 1.
    pub line: u32,
}

impl Statement {
    /// The opcode as it was written.
    pub fn spelling(&self) -> String {
        self.opcode.join(".")
    }
}

/// A kernel's parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Place in the parameter block.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

/// One `.entry` as written.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Size of the parameter block.
    pub parameter_bytes: u32,
    /// Register slots of a thread.
    pub registers: u32,
    /// Static shared memory, bytes.
    pub shared: u32,
    /// Alignment that the dynamic shared memory asks for.
    pub dynamic_alignment: u32,
    /// `.maxntid`, 0 where not given.
    pub max_threads: u32,
    /// Statements.
    pub statements: Vec<Statement>,
}

/// A module as written.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// `.target`, such as `sm_90a`.
    pub target: String,
    /// Kernels.
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Mark(char),
}

fn tokens(text: &str) -> Result<Vec<(Token, u32)>> {
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

/// Bytes of a type in a declaration.
fn declared_size(name: &str, line: u32) -> Result<u32> {
    Ok(match name {
        ".b8" | ".u8" | ".s8" | ".pred" => 1,
        ".b16" | ".u16" | ".s16" | ".f16" | ".bf16" => 2,
        ".b32" | ".u32" | ".s32" | ".f32" | ".f16x2" | ".bf16x2" => 4,
        ".b64" | ".u64" | ".s64" | ".f64" => 8,
        ".b128" => 16,
        other => return error(line, format!("unknown type {other}")),
    })
}

struct Reader {
    tokens: Vec<(Token, u32)>,
    place: usize,
    /// Names of registers, innermost scope last.
    scopes: Vec<HashMap<String, u32>>,
    symbols: HashMap<String, Operand>,
    shared: u32,
    alignment: u32,
}

/// Reads a module.
pub fn read(text: &str) -> Result<Text> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        place: 0,
        scopes: Vec::new(),
        symbols: HashMap::new(),
        shared: 0,
        alignment: 16,
    };
    reader.module()
}

impl Reader {
    fn line(&self) -> u32 {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.place.min(last)).map_or(1, |t| t.1)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place).map(|t| &t.0)
    }

    fn is(&self, mark: char) -> bool {
        self.peek() == Some(&Token::Mark(mark))
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.is(mark);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<()> {
        if self.take(mark) {
            Ok(())
        } else {
            error(self.line(), format!("'{mark}' expected, found {:?}", self.peek()))
        }
    }

    fn word(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.place += 1;
                Ok(word)
            }
            other => error(self.line(), format!("a word expected, found {other:?}")),
        }
    }

    fn module(&mut self) -> Result<Text> {
        let mut text = Text::default();
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
                    text.entries.push(entry);
                }
                other => return error(line, format!("unknown directive {other}")),
            }
        }
        Ok(text)
    }

    /// `.align N .type name[size];` to name, bytes, alignment.
    fn variable(&mut self) -> Result<(String, u32, u32)> {
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

    fn shared_variable(&mut self) -> Result<()> {
        let (name, bytes, alignment) = self.variable()?;
        let place = self.shared.next_multiple_of(alignment);
        self.shared = place + bytes;
        self.symbols.insert(name, Operand::Immediate(u64::from(place)));
        Ok(())
    }

    fn number(&mut self) -> Result<u64> {
        let negative = self.take('-');
        let line = self.line();
        let word = self.word()?;
        let Some(value) = literal(&word) else {
            return error(line, format!("unknown name or number {word}"));
        };
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    fn entry(&mut self) -> Result<Entry> {
        let mut entry = Entry { name: self.word()?, ..Entry::default() };
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

    fn block(&mut self, entry: &mut Entry) -> Result<()> {
        self.expect('{')?;
        self.scopes.push(HashMap::new());
        let first = entry.statements.len();
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
                labels.insert(word.clone(), entry.statements.len());
                self.place += 2;
                continue;
            }
            self.statement(entry)?;
        }
        self.scopes.pop();
        // Inner scopes were resolved first, so an inner label hides an outer one.
        for statement in &mut entry.statements[first..] {
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

    fn statement(&mut self, entry: &mut Entry) -> Result<()> {
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
        entry.statements.push(Statement { guard, opcode, operands, line });
        Ok(())
    }

    fn registers(&mut self, entry: &mut Entry) -> Result<()> {
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

    fn register(&self, name: &str) -> Option<u32> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())
    }

    fn operand(&mut self) -> Result<Operand> {
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

    fn address(&mut self) -> Result<Operand> {
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

    fn named(&self, name: String) -> Operand {
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

/// Constants of PTX ISA 4.5: decimal, `0x`, and floating-point bits as `0f`, `0d`.
fn literal(word: &str) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = ".version 9.0\n.target sm_80\n.address_size 64\n";

    #[test]
    fn a_label_of_an_inner_scope_stays_there() {
        let body = "{ .reg .pred p; W: @!p bra W; } { .reg .pred p; W: @p bra W; } bra W2; W2: ret;";
        let text = read(&format!("{HEAD}.entry k() {{ {body} }}")).unwrap();
        let places: Vec<_> = text.entries[0].statements.iter().map(|s| s.operands.first().cloned()).collect();
        assert_eq!(places[0], Some(Operand::Immediate(0)));
        assert_eq!(places[1], Some(Operand::Immediate(1)));
        assert_eq!(places[2], Some(Operand::Immediate(3)));
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        for (body, named) in [
            ("bra nowhere;", "nowhere"),
            (".local .b32 x;", ".local"),
            ("ld.global.b32 %r1, [%rd1];", "%rd1"),
            ("mov.b32 {a", "expected"),
        ] {
            let found = read(&format!("{HEAD}.entry k() {{\n{body}\n}}")).unwrap_err();
            assert!(found.what.contains(named), "{found}");
        }
        assert!(read(&format!("{HEAD}.func f() {{}}")).unwrap_err().what.contains(".func"));
        assert!(read("\"").is_err() && read(".entry").is_err() && read("/*").is_ok());
    }

    #[test]
    fn parameters_are_aligned_and_shared_memory_is_laid_out() {
        let text = format!(
            "{HEAD}.extern .shared .align 1024 .b8 dyn[];\n.entry k(.param .u32 a, .param .u64 b, .param .align 64 .b8 \
             m[128]) .maxntid 256, 1, 1 {{ .shared .align 4 .u32 x; .shared .align 8 .b8 y[16]; ret; }}"
        );
        let entry = &read(&text).unwrap().entries[0];
        let offsets: Vec<_> = entry.parameters.iter().map(|p| p.offset).collect();
        assert_eq!((offsets, entry.parameter_bytes), (vec![0, 8, 64], 192));
        assert_eq!((entry.shared, entry.dynamic_alignment, entry.max_threads), (24, 1024, 256));
    }
}
