//! The constants as the compiler is given them.

use std::fmt::Write;

use super::{Fma, Form, Gemm, GemmEngine, Mma, RESET, Tcgen05, Wgmma};
use crate::backend::cuda::rows::abi::Element;
use crate::workload::Layout;

/// Name and value of one constant.
type Constant = (&'static str, String);

impl Form {
    /// Constants of the kernel's text. The layout matters to products only.
    pub(in crate::backend::cuda::rows) fn constants(&self, layout: Layout) -> Vec<Constant> {
        let mut constants = match self {
            Self::Fma(form) => fma(form),
            Self::Mma(form) => mma(form),
            Self::Wgmma(form) => wgmma(form),
            Self::Tcgen05(form) => tcgen05(form),
            Self::Gemm(form) => gemm(form, layout),
        };
        constants.push(number("THREADS", self.threads()));
        constants
    }
}

fn number(name: &'static str, value: u32) -> Constant {
    (name, value.to_string())
}

fn text(name: &'static str, value: &str) -> Constant {
    (name, format!("\"{value}\""))
}

/// C++ type and register constraint of a word.
fn word(element: Element) -> [Constant; 2] {
    let (word, constraint) = match element {
        Element::F64 => ("double", "d"),
        Element::F32 => ("float", "f"),
        Element::F32x2 => ("unsigned long long", "l"),
        Element::I32 => ("int", "r"),
        Element::F16x2
        | Element::Bf16x2
        | Element::Bf16
        | Element::F16
        | Element::I8
        | Element::Byte
        | Element::Nibble => ("unsigned", "r"),
    };
    [("WORD", word.to_owned()), text("CONSTRAINT", constraint)]
}

/// `{%first, ...}` with `count` operands.
fn list(first: u32, count: u32) -> String {
    let mut list = String::from("{");
    for operand in first..first + count {
        let comma = if operand == first { "" } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(list, "{comma}%{operand}");
    }
    list.push('}');
    list
}

/// An instruction whose predicate `p` is always true.
fn always(instruction: &str) -> String {
    format!("{{.reg .pred p; setp.ne.b32 p, 1, 0; {instruction}}}")
}

fn fma(form: &Fma) -> Vec<Constant> {
    let mut constants = vec![
        text("INSTRUCTION", form.instruction),
        number("CHAINS", form.chains),
        number("UNROLL", form.unroll),
        number("STARTS", Fma::STARTS),
    ];
    constants.extend(word(form.element));
    constants
}

fn mma(form: &Mma) -> Vec<Constant> {
    let [a, b, d] = form.words;
    let (left, right, sum) = (list(d, a), list(d + a, b), list(0, d));
    let scales = form.scale.map_or(String::new(), |_| {
        let scale = d + a + b;
        format!(", {{%{scale}}}, {{0, 0}}, {{%{scale}}}, {{0, 0}}")
    });
    let instruction = format!("{} {sum}, {left}, {right}, {sum}{scales};", form.instruction);
    let mut constants = vec![
        text("INSTRUCTION", &instruction),
        number("A_WORDS", a),
        number("B_WORDS", b),
        number("D_WORDS", d),
        number("A_TILES", form.tiles[0]),
        number("B_TILES", form.tiles[1]),
        number("UNROLL", form.unroll),
        number("RESET", RESET),
    ];
    constants.extend(form.scale.map(|scale| ("SCALE", format!("{scale:#x}u"))));
    constants.extend(word(form.result));
    let operand = if form.result == Element::F64 { ("double", "d") } else { ("unsigned", "r") };
    constants.extend([("OPERAND", operand.0.to_owned()), text("OPERAND_CONSTRAINT", operand.1)]);
    constants
}

fn wgmma(form: &Wgmma) -> Vec<Constant> {
    let words = Wgmma::EXTENTS[0] * Wgmma::EXTENTS[1] / Wgmma::GROUP;
    let operands = format!("{}, %{words}, %{}", list(0, words), words + 1);
    let instruction = always(&format!("{} {operands}, p{};", form.instruction, form.immediates));
    let mut constants = vec![
        text("INSTRUCTION", &instruction),
        number("UNROLL", form.unroll),
        number("GROUPS", Wgmma::GROUPS),
        number("STEPS", Wgmma::STEPS),
        number("RESET", RESET),
    ];
    constants.extend(word(form.result));
    constants
}

fn tcgen05(form: &Tcgen05) -> Vec<Constant> {
    let mut constants = vec![
        text("KIND", form.kind),
        ("DESCRIPTOR", format!("{:#x}u", form.descriptor)),
        number("UNROLL", form.unroll),
        number("STEPS", Tcgen05::STEPS),
        number("RESET", RESET),
    ];
    constants.extend(form.scale.map(|scale| ("SCALE", format!("{scale:#x}u"))));
    constants.extend(word(form.result));
    constants
}

fn gemm(form: &Gemm, layout: Layout) -> Vec<Constant> {
    let [m, n, k] = form.block;
    let mut constants = vec![
        number("BLOCK_M", m),
        number("BLOCK_N", n),
        number("BLOCK_K", k),
        number("WARPS_M", form.warps[0]),
        number("WARPS_N", form.warps[1]),
        number("STAGES", form.stages),
        number("A_TRANSPOSED", u32::from(layout == Layout::Tn)),
    ];
    match form.engine {
        GemmEngine::Simt => {}
        GemmEngine::Mma => {
            let instruction = format!(
                "{} {}, {}, {}, {};",
                form.instruction,
                list(0, 4),
                list(4, 4),
                list(8, 2),
                list(0, 4)
            );
            constants.push(text("INSTRUCTION", &instruction));
            constants.push(number("ELEMENT_BYTES", form.operand.bytes()));
            constants.push(number("STEP_K", form.k));
        }
        GemmEngine::Wgmma => {
            let words = 64 * n / Wgmma::GROUP;
            let (descriptors, transposed) = (words + 1, u32::from(layout == Layout::Tn));
            // B is always [k, n]: its contiguous dimension is N, which the second immediate says.
            let instruction = always(&format!(
                "{} {}, %{words}, %{descriptors}, p, 1, 1, {transposed}, 1;",
                form.instruction,
                list(0, words)
            ));
            constants.push(text("INSTRUCTION", &instruction));
            constants.push(number("STEP_K", form.k));
        }
    }
    constants.extend(word(form.result));
    constants
}
