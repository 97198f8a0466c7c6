//! Machine code as `nvdisasm -c` prints it: instructions, loops, and how many operations an instruction is.

use std::collections::BTreeMap;
use std::ops::Range;

/// One instruction.
#[derive(Debug, Clone)]
pub(super) struct Instruction {
    /// Name with its qualifiers, without predicate and operands.
    pub mnemonic: String,
    /// All of it, without predicate.
    pub text: String,
}

impl Instruction {
    fn parse(line: &str) -> Option<Self> {
        let (_, after) = line.trim().strip_prefix("/*")?.split_once("*/")?;
        let text = after.split(';').next()?.trim().trim_start_matches('{').trim();
        let text = if text.starts_with('@') { text.split_once(' ')?.1.trim() } else { text };
        let mnemonic = text.split_whitespace().next()?.to_owned();
        Some(Self { mnemonic, text: text.to_owned() })
    }

    /// Whether it only fills a slot.
    pub(super) fn is_filler(&self) -> bool {
        self.mnemonic == "NOP" || (self.mnemonic == "UIADD3" && self.text.starts_with("UIADD3 URZ, "))
    }

    /// Whether it reads or writes a thread's own memory, where registers spill to.
    pub(super) fn is_local(&self) -> bool {
        self.mnemonic.starts_with("LDL") || self.mnemonic.starts_with("STL")
    }

    /// Label that it may jump back to.
    fn target(&self) -> Option<&str> {
        self.label().filter(|_| self.mnemonic.starts_with("BRA"))
    }

    /// Label that it names.
    fn label(&self) -> Option<&str> {
        self.text.split('`').nth(1)?.trim_start_matches('(').split(')').next()
    }

    /// Operations of one issue: of a warp, or for tcgen05 of one thread, where the caller says them.
    pub(super) fn operations(&self, tcgen05: u64) -> u64 {
        // The assembler also loads constants by multiplying the zero register.
        if self.text.contains(" -RZ, RZ, ") || self.text.contains(", RZ, RZ, ") {
            return 0;
        }
        let mut parts = self.mnemonic.split('.');
        let name = parts.next().unwrap_or_default();
        let shape = parts.find(|part| part.starts_with(|c: char| c.is_ascii_digit())).unwrap_or_default();
        match name {
            "FFMA2" | "HFMA2" => 128,
            "FFMA" | "DFMA" => 64,
            "HMMA" | "IMMA" | "QMMA" | "OMMA" | "DMMA" => 2 * product(shape),
            // A warpgroup's instruction is issued by its four warps.
            "HGMMA" | "QGMMA" | "IGMMA" => 2 * product(shape) / 4,
            "UTCHMMA" | "UTCQMMA" | "UTCIMMA" | "UTCOMMA" => tcgen05,
            _ => 0,
        }
    }
}

/// M N K of a shape as mnemonics spell it; zero for one that is not known here.
fn product(shape: &str) -> u64 {
    match shape {
        "884" => 8 * 8 * 4,
        "1688" => 16 * 8 * 8,
        "8816" => 8 * 8 * 16,
        "8832" => 8 * 8 * 32,
        "16816" => 16 * 8 * 16,
        "16832" => 16 * 8 * 32,
        "16864" => 16 * 8 * 64,
        other => other.split('x').map(|extent| extent.parse().unwrap_or(0)).product(),
    }
}

/// One function.
#[derive(Debug)]
pub(super) struct Program {
    /// In order of address.
    pub instructions: Vec<Instruction>,
    labels: BTreeMap<String, usize>,
}

impl Program {
    /// The function `entry` of a disassembly.
    pub(super) fn parse(sass: &str, entry: &str) -> Self {
        let (mut instructions, mut labels, mut inside) = (Vec::new(), BTreeMap::new(), false);
        for line in sass.lines() {
            if let Some(section) = line.strip_prefix(".text.") {
                inside = section.trim_end_matches(':') == entry;
            } else if !inside {
            } else if let Some(label) = line.trim().strip_suffix(':').filter(|label| label.starts_with(".L"))
            {
                labels.insert(label.to_owned(), instructions.len());
            } else {
                instructions.extend(Instruction::parse(line));
            }
        }
        Self { instructions, labels }
    }

    fn loops(&self) -> Vec<Range<usize>> {
        let back = |(at, instruction): (usize, &Instruction)| {
            let start = *self.labels.get(instruction.target()?)?;
            (start < at).then_some(start..at + 1)
        };
        self.instructions.iter().enumerate().filter_map(back).collect()
    }

    /// Whether an instruction calls a routine. A call of the code right after the loop only leaves it: the assembler
    /// writes some exits so.
    pub(super) fn calls(&self, instruction: &Instruction, hot: &Range<usize>) -> bool {
        let leaves = instruction.label().and_then(|label| self.labels.get(label));
        instruction.mnemonic.starts_with("CALL")
            && leaves.is_none_or(|to| !(hot.end..hot.end + 2).contains(to))
    }

    /// The innermost loop that multiplies. Loops round it are allowed, a second one is not.
    pub(super) fn hot_loop(&self, tcgen05: u64) -> Result<Range<usize>, String> {
        let multiplies =
            |range: &Range<usize>| self.instructions[range.clone()].iter().any(|i| i.operations(tcgen05) > 0);
        let found: Vec<_> = self.loops().into_iter().filter(multiplies).collect();
        let hot = found.iter().min_by_key(|range| range.len()).ok_or("no loop multiplies")?;
        // Loops round the hot one, and jumps back into it from code that stands apart, multiply nothing of their own.
        let own = |range: &&Range<usize>| {
            (*range).clone().any(|at| !hot.contains(&at) && self.instructions[at].operations(tcgen05) > 0)
        };
        match found.iter().find(own) {
            None => Ok(hot.clone()),
            Some(other) => Err(format!("a second loop multiplies: {other:?} beside {hot:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_LOOPS: &str = "\
.text.other:
        /*0000*/                   FFMA R1, R1, R2, R3 ;
.text.k:
.L_x_1:
        /*0010*/                   MOV R1, R2 ;
.L_x_2:
        /*0020*/              @!P0 FFMA R1, R1, R2, R3 ;
        /*0030*/              @!UPT UIADD3 URZ, URZ, URZ, URZ ;
        /*0040*/               @P1 BRA `(.L_x_2) ;
        /*0050*/               @P0 BRA `(.L_x_1) ;
";

    #[test]
    fn the_hot_loop_is_the_innermost_of_the_named_function() {
        let program = Program::parse(TWO_LOOPS, "k");
        let hot = &program.instructions[program.hot_loop(0).unwrap()];
        assert_eq!(hot.len(), 3);
        assert_eq!(hot.iter().map(|i| i.operations(0)).sum::<u64>(), 64);
        assert_eq!(hot.iter().filter(|i| i.is_filler()).count(), 1);
    }

    #[test]
    fn a_second_loop_that_multiplies_is_an_error() {
        let second = "\n.L_x_3:\n /*0060*/ FFMA R1, R1, R2, R3 ;\n /*0070*/ @P0 BRA `(.L_x_3) ;\n";
        let program = Program::parse(&format!("{TWO_LOOPS}{second}"), "k");
        assert!(program.hot_loop(0).unwrap_err().contains("second loop"));
    }

    #[test]
    fn operations_follow_from_the_mnemonic() {
        for (mnemonic, operations) in [
            ("FFMA", 64),
            ("FFMA2", 128),
            ("HFMA2.MMA", 128),
            ("HFMA2.BF16_V2", 128),
            ("HMMA.16816.F32.BF16", 4096),
            ("HMMA.1688.F32.TF32", 2048),
            ("IMMA.8816.S8.S8", 2048),
            ("OMMA.SF.16864.F32.E2M1.E2M1.UE8", 16384),
            ("DMMA.8x8x4", 512),
            ("DMMA.884", 512),
            ("HGMMA.64x256x16.F32", 131_072),
            ("FADD", 0),
        ] {
            let instruction = Instruction { mnemonic: mnemonic.to_owned(), text: mnemonic.to_owned() };
            assert_eq!(instruction.operations(0), operations, "{mnemonic}");
        }
    }
}
