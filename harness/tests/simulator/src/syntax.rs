//! Text of a PTX module to statements: PTX ISA 4 (syntax), 5.4 (variables), 11 (directives). Meaning of opcodes: `lower`.

mod body;
mod module;
mod operand;
mod reader;
mod token;

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

impl Operand {
    /// Adds the slots of the registers that it names.
    pub(crate) fn registers(&self, slots: &mut Vec<u32>) {
        match self {
            Self::Register(slot) | Self::Not(slot) => slots.push(*slot),
            Self::Vector(parts) => parts.iter().for_each(|part| part.registers(slots)),
            Self::Address(base, _, more) => {
                base.registers(slots);
                more.iter().for_each(|part| part.registers(slots));
            }
            Self::Pair(first, second) => {
                first.registers(slots);
                second.registers(slots);
            }
            _ => {}
        }
    }
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

/// One `.entry`: of [`Statement`]s as it is read, of decoded instructions as it is run.
#[derive(Debug, Clone)]
pub struct Kernel<C> {
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Size of the parameter block.
    pub parameter_bytes: u32,
    /// Register slots of a thread; PTX registers are virtual, so this is no count of hardware's.
    pub registers: u32,
    /// Static shared memory, bytes.
    pub shared: u32,
    /// Alignment of dynamic shared memory.
    pub dynamic_alignment: u32,
    /// Most threads of a block, 0 where the kernel does not say.
    pub max_threads: u32,
    /// Its code.
    pub code: Vec<C>,
}

impl<C> Kernel<C> {
    fn named(name: String) -> Self {
        Self {
            name,
            parameters: Vec::new(),
            parameter_bytes: 0,
            registers: 0,
            shared: 0,
            dynamic_alignment: 0,
            max_threads: 0,
            code: Vec::new(),
        }
    }

    /// The same kernel with other code.
    pub(crate) fn with<D>(self, code: impl FnOnce(&[C]) -> Result<Vec<D>>) -> Result<Kernel<D>> {
        let Self {
            name, parameters, parameter_bytes, registers, shared, dynamic_alignment, max_threads, ..
        } = self;
        let code = code(&self.code)?;
        Ok(Kernel {
            name,
            parameters,
            parameter_bytes,
            registers,
            shared,
            dynamic_alignment,
            max_threads,
            code,
        })
    }
}

/// A module, its kernels' code as [`Kernel`] has it.
#[derive(Debug, Clone)]
pub struct Module<C> {
    /// `.target`, such as `sm_90a`.
    pub target: String,
    /// Kernels.
    pub kernels: Vec<Kernel<C>>,
}

/// A kernel as written.
type Entry = Kernel<Statement>;

/// Reads a module.
pub fn read(text: &str) -> Result<Module<Statement>> {
    reader::Reader::new(text)?.module()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = ".version 9.0\n.target sm_80\n.address_size 64\n";

    #[test]
    fn a_label_of_an_inner_scope_stays_there() {
        let body = "{ .reg .pred p; W: @!p bra W; } { .reg .pred p; W: @p bra W; } bra W2; W2: ret;";
        let text = read(&format!("{HEAD}.entry k() {{ {body} }}")).unwrap();
        let places: Vec<_> = text.kernels[0].code.iter().map(|s| s.operands.first().cloned()).collect();
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
        let entry = &read(&text).unwrap().kernels[0];
        let offsets: Vec<_> = entry.parameters.iter().map(|p| p.offset).collect();
        assert_eq!((offsets, entry.parameter_bytes), (vec![0, 8, 64], 192));
        assert_eq!((entry.shared, entry.dynamic_alignment, entry.max_threads), (24, 1024, 256));
    }
}
