//! The table of findings, as it is kept in `results/`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Finding;
use super::tools::Tools;
use crate::backend::cuda::kernel::{CHECKED, DIGITS};
use crate::backend::cuda::rows::{COPY, Source, TARGETS, Target, rows};

/// Folder of the tables.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results/2026-11-24-cuda-static")
}

/// Compares the findings with the table that is kept for this compiler, or writes it where
/// `FLOPGAUGE_WRITE_CUDA_TABLE` is set.
pub(super) fn agree(tools: &Tools, findings: &[Finding]) -> Result<(), String> {
    let path = folder().join(format!("nvrtc-{}.md", tools.nvrtc.version()));
    let found = text(tools, findings);
    if std::env::var_os("FLOPGAUGE_WRITE_CUDA_TABLE").is_some() {
        fs::create_dir_all(folder()).map_err(|error| error.to_string())?;
        return fs::write(&path, found).map_err(|error| error.to_string());
    }
    let kept = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let changed: Vec<&str> = found.lines().filter(|line| !kept.lines().any(|other| other == *line)).collect();
    if kept == found {
        return Ok(());
    }
    Err(format!(
        "{} is not what the kernels compile to now; look at the difference and write it anew with \
         FLOPGAUGE_WRITE_CUDA_TABLE=1:\n{}",
        path.display(),
        changed.join("\n")
    ))
}

/// The list of machine code that was read and found right, a line each, for this compiler.
pub(super) fn checked(tools: &Tools, findings: &[Finding]) -> Vec<String> {
    let version = tools.nvrtc.version();
    let right = findings.iter().filter(|finding| finding.wrong.is_empty());
    let line = |hash: &str, kernel: &str, target: &str| {
        format!("{} {version} {} {target}", hash.get(..DIGITS).unwrap_or_default(), kernel.replace(' ', "/"))
    };
    let mut lines: Vec<String> = right.map(|f| line(&f.hash, &f.kernel, f.target)).collect();
    let known = |target: &&Target| tools.nvrtc.architectures().contains(&target.capability);
    lines.extend(TARGETS.iter().filter(known).map(|target| {
        let (compiled, _) = tools.build(&COPY.source, &COPY.options(target));
        line(&compiled.cubin_hash(), "copy", target.name)
    }));
    lines
}

/// First line of the list: a hash of every text and constant that it was made of, so that a machine without compilers
/// sees too that it is of other kernels.
pub(super) fn made_of() -> String {
    let mut hash = Sha256::new();
    let mut add = |source: &Source, options: Vec<String>| {
        for part in options.iter().map(String::as_str).chain([source.text, source.entry]) {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
    };
    for target in &TARGETS {
        for row in rows(target) {
            for (layout, _) in super::variants(row) {
                add(&row.source, row.options(target, layout));
            }
        }
        add(&COPY.source, COPY.options(target));
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sources {digits}")
}

/// Compares with the list that the program has, or writes it where `FLOPGAUGE_WRITE_CUDA_TABLE` is set.
pub(super) fn agree_with_the_program(found: &[String]) -> Result<(), String> {
    if std::env::var_os("FLOPGAUGE_WRITE_CUDA_TABLE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/backend/cuda/checked.txt");
        return fs::write(path, format!("{}\n{}\n", made_of(), found.join("\n")))
            .map_err(|error| error.to_string());
    }
    let kept: Vec<&str> = CHECKED.lines().skip(1).collect();
    if kept == found {
        return Ok(());
    }
    Err("harness/backend/cuda/checked.txt is not the machine code that was checked; FLOPGAUGE_WRITE_CUDA_TABLE=1 \
         writes it anew"
        .to_owned())
}

fn text(tools: &Tools, findings: &[Finding]) -> String {
    let mut text = format!(
        "# Machine code of every kernel, NVRTC {}\n\n\
         Operations of one trip of the inner loop, as the disassembly has them and as the row counts them, for what \
         issues: a warp, or for tcgen05 one thread. None of this has run on a GPU.\n\n\
         | kernel | architecture | instruction | operations | accounted | loop | registers | spilled | SHA-256 |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
        tools.nvrtc.version()
    );
    for f in findings {
        let instructions: Vec<String> =
            f.instructions.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let verdict = if f.operations == f.accounted { "==" } else { "!=" };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {verdict} {} | {} | {} | {} | {} |",
            f.kernel,
            f.target,
            instructions.join(", "),
            f.operations,
            f.accounted,
            f.loop_length,
            f.registers,
            f.spilled,
            f.hash.get(..DIGITS).unwrap_or_default()
        );
    }
    text
}
