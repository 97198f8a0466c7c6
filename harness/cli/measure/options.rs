//! What `flopgauge measure` can be told.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;

use crate::cli::choice::SearchArgs;
use crate::files::cache_folder;
use crate::measure::{Pace, Selection, Sweep};
use crate::precision::Precision;
use crate::units::Seconds;
use crate::workload::{BufferSize, Distribution, GemmShape, Layout, Method};

/// Measure dense matrix throughput: theoretical peak, issue rate and sustained rate, side by side and verified.
///
/// Without options every hardware device is measured (the CPU where there is no other) in the precisions that it
/// has, in under two minutes, and the record is written to results/<date>-<model>.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge measure --quick\n  \
    flopgauge measure --device cpu:0 --precision fp32,fp64 --shape 4096,4096,4096\n  \
    flopgauge measure --device cpu:0 --threads 1 --method issue --json | jq '.rows[].rate_op_per_s'\n  \
    flopgauge measure --precision fp32 --input all --out results/sensitivity\n  \
    flopgauge measure --device cpu:0 --method copy --quick\n\n\
    Exit code 1: a case failed; 3: nothing was measured, or a planned case was not run; 4: no such device.")]
pub struct Args {
    #[command(flatten)]
    pub search: SearchArgs,
    /// Device by id or UUID, or `all`; repeatable. Software and simulated devices only run when named.
    #[arg(long, value_name = "ID|UUID|all")]
    pub device: Vec<String>,
    /// Number formats, comma-separated: fp64, fp32, tf32, bf16, fp16, fp8e4m3, fp8e5m2, fp6, fp4, int8, int4.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    precision: Vec<Precision>,
    /// Methods, comma-separated: issue (register-resident), gemm (sustained matrix product), copy (memory bandwidth,
    /// bytes read plus written, once a device).
    ///
    /// Without it issue and gemm, and a copy where no format, shape, input or implementation is named.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    method: Vec<Method>,
    /// Shape of the product; repeatable.
    #[arg(long, value_name = "M,N,K")]
    shape: Vec<GemmShape>,
    /// Bytes of each of the two buffers of a copy, a multiple of 64; repeatable [default: more than four times the
    /// last-level cache].
    #[arg(long, value_name = "BYTES")]
    buffer: Vec<BufferSize>,
    /// Many shapes: `coarse` runs about sixty squares, transformer-like rectangles and ragged sizes, `fine` then
    /// closes in on the best. Combine with --quick unless you have the night.
    #[arg(long, value_name = "coarse|fine", conflicts_with = "shape")]
    sweep: Option<Sweep>,
    /// How A is stored.
    #[arg(long, value_enum, default_value_t = LayoutArg::Nn)]
    layout: LayoutArg,
    /// Distribution of the operands: normal, uniform, integers, zeros, ones, or all for the sensitivity table.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = input)]
    input: Vec<Vec<Distribution>>,
    /// Seed of the operands, a whole number from 0.
    #[arg(long, default_value = "1", value_parser = seed, allow_hyphen_values = true)]
    seed: u64,
    /// Measure this implementation instead of the fastest verified one.
    #[arg(long, value_name = "NAME")]
    implementation: Option<String>,
    /// Try every implementation anew, and keep no choice for the next run.
    ///
    /// On a GPU reached through wgpu the fastest of the equal kernels is otherwise kept by device, driver version and
    /// sources, in FLOPGAUGE_CACHE [default: flopgauge in the user's cache directory]; the record says so.
    #[arg(long, env = "FLOPGAUGE_NO_CACHE", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    no_cache: bool,
    /// One second of heat a case.
    #[arg(long, conflicts_with = "thorough")]
    quick: bool,
    /// Thirty seconds of heat and a long sample a case.
    #[arg(long)]
    thorough: bool,
    /// Stop after this time; cases that were not done are `skipped` and the exit code is 3.
    #[arg(long, value_name = "SECONDS", value_parser = positive, allow_hyphen_values = true)]
    pub time_limit: Option<Seconds>,
    /// Kill a device's process that says nothing for so long; products that take longer are given their time.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = positive, allow_hyphen_values = true)]
    pub stall_limit: Seconds,
    /// Directory of the record [default: results/<date>-<model>].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// Show no progress bar.
    #[arg(long)]
    no_progress: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LayoutArg {
    /// A row-major.
    Nn,
    /// A transposed.
    Tn,
}

impl Args {
    /// What is to be measured.
    pub fn selection(&self) -> Selection {
        Selection {
            methods: self.method.clone(),
            precisions: self.precision.clone(),
            shapes: self.shape.clone(),
            sweep: self.sweep,
            layout: match self.layout {
                LayoutArg::Nn => Layout::Nn,
                LayoutArg::Tn => Layout::Tn,
            },
            inputs: self.input.iter().flatten().copied().collect(),
            seed: self.seed,
            implementation: self.implementation.clone(),
            buffers: self.buffer.clone(),
        }
    }

    /// Where choices are kept.
    pub fn choices(&self) -> Option<PathBuf> {
        if self.no_cache { None } else { cache_folder() }
    }

    /// With how much patience.
    pub const fn pace(&self) -> Pace {
        match (self.quick, self.thorough) {
            (true, _) => Pace::Quick,
            (_, true) => Pace::Thorough,
            _ => Pace::Normal,
        }
    }

    /// Whether a progress bar is wanted.
    pub const fn bars(&self) -> bool {
        !self.no_progress
    }
}

fn input(text: &str) -> Result<Vec<Distribution>, String> {
    if text == "all" { Ok(Distribution::ALL.to_vec()) } else { Ok(vec![text.parse()?]) }
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a seed is a whole number from 0 to 18446744073709551615".to_owned())
}

/// A time that somebody can wait for.
pub fn positive(text: &str) -> Result<Seconds, String> {
    let wrong = || "write a number of seconds above 0, as in 30".to_owned();
    let value: f64 = text.parse().map_err(|_| wrong())?;
    // A day is longer than anything here takes, and keeps the sum with a clock in range.
    Seconds::new(value).ok().filter(|s| s.get() > 0.0 && s.get() <= 86_400.0).ok_or_else(wrong)
}
