//! Every shader of a device behind wgpu at n = 512, with its count of operations, beside the CPU of the same machine.
//!
//! `cargo bench --bench wgpu` measures wgpu:0; `-- wgpu:1` another one. On a software driver two ratios to the CPU's
//! own issue rate have floors, against accidents: a CPU driver is no target to tune for. Exit code 1 below a floor.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::process::ExitCode;

use flopgauge::backend::wgpu::{Count, counts};
use flopgauge::backend::{Backend, Implementation, Search, open};
use flopgauge::device::{Device, DeviceKind};
use flopgauge::measure::{Measured, Outcome, Request, Schedule, Unattended, measure};
use flopgauge::precision::Precision;
use flopgauge::units::{OpRate, Seconds};
use flopgauge::workload::{Distribution, GemmShape, Layout, Method, Work};

/// Anything that ends the bench early.
type Failure = Box<dyn std::error::Error>;

/// Edge of the products.
const EDGE: u64 = 512;
/// Least share of the CPU's fp32 issue rate that the fp32 issue-rate shader reaches: these drivers do not fuse, so that
/// a multiply-add is two instructions.
const ISSUE_FLOOR: f64 = 0.45;

/// Least share that the best fp32 product reaches, by driver.
fn product_floor(device: &Device) -> f64 {
    let driver = device.driver.as_deref().unwrap_or_default();
    if driver.contains("Mesa 26") { 0.10 } else { 0.04 }
}

fn main() -> Result<ExitCode, Failure> {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let id = named.unwrap_or_else(|| "wgpu:0".to_owned());
    let mut cpu = open(&Search::default(), "cpu:0")?;
    let mut backend = open(&Search::default(), &id)?;
    let device = backend.device().clone();
    println!("{} {}, {}, flopgauge {}", device.id, device.kind, device.model, env!("CARGO_PKG_VERSION"));
    println!("driver {}", device.driver.as_deref().unwrap_or("not told"));
    let counted = counts(&id, |_, _| true)?;
    let before = issue_rate(cpu.as_mut())?;
    println!();
    println!("| method | precision | implementation | rate | verified | executed = accounted |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let (mut issue, mut product) = (0.0_f64, (0.0_f64, String::new()));
    for row in backend.implementations().to_vec() {
        let outcome = measure(backend.as_mut(), &request(&row)?, &schedule(), &Unattended);
        let (rate, verified) = match &outcome {
            Outcome::Measured(measured) => (shown(measured), measured.is_verified()),
            other => (format!("{}: {}", other.name(), other.reason().unwrap_or_default()), false),
        };
        if let (Outcome::Measured(measured), Precision::Fp32) = (&outcome, row.precision) {
            let rate = op_rate(measured).map_or(0.0, OpRate::get);
            match row.method {
                Method::Issue => issue = issue.max(rate),
                Method::Gemm if rate > product.0 => product = (rate, row.name.clone()),
                Method::Gemm | Method::Copy => {}
            }
        }
        let verified = if verified { "yes" } else { "NO" };
        let formats = if row.method == Method::Copy {
            "-".to_owned()
        } else {
            format!("{} -> {}", row.precision, row.accumulate)
        };
        let (name, method, count) = (&row.name, row.method, count(&counted, &row));
        println!("| {method} | {formats} | {name} | {rate} | {verified} | {count} |");
    }
    let after = issue_rate(cpu.as_mut())?;
    println!();
    let (model, giga) = (&cpu.device().model, |rate: OpRate| rate.get() / 1e9);
    println!(
        "{model}: fp32 issue rate {:.1} GFLOP/s before and {:.1} after, all threads",
        giga(before),
        giga(after)
    );
    let cpu_rate = (before.get() * after.get()).sqrt();
    let met = [
        ratio("fp32 issue-rate shader", issue / cpu_rate, (&device, ISSUE_FLOOR)),
        ratio(
            &format!("best fp32 product, {}", product.1),
            product.0 / cpu_rate,
            (&device, product_floor(&device)),
        ),
    ];
    Ok(if met.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints a ratio, and whether it is at its floor, which only software drivers have.
fn ratio(what: &str, found: f64, (device, floor): (&Device, f64)) -> bool {
    if device.kind != DeviceKind::Software {
        println!("{what}: {found:.3} of the CPU's issue rate");
        return true;
    }
    let met = found >= floor;
    let word = if met { "met" } else { "MISSED" };
    println!("{what}: {found:.3} of the CPU's issue rate, floor {floor:.2}: {word}");
    met
}

/// The CPU's fp32 issue rate with all its threads.
fn issue_rate(cpu: &mut dyn Backend) -> Result<OpRate, Failure> {
    let request =
        Request { precision: Precision::Fp32, accumulate: None, work: Work::Issue, implementation: None };
    match measure(cpu, &request, &schedule(), &Unattended) {
        Outcome::Measured(measured) => op_rate(&measured).ok_or_else(|| "no rate of the CPU".into()),
        other => Err(other.reason().unwrap_or("no rate of the CPU").to_owned().into()),
    }
}

fn request(row: &Implementation) -> Result<Request, Failure> {
    let shape = GemmShape::new(EDGE, EDGE, EDGE)?;
    let work = match row.method {
        Method::Issue => Work::Issue,
        Method::Gemm => Work::Gemm { shape, layout: Layout::Nn, input: Distribution::Normal, seed: 1 },
        Method::Copy => Work::Copy { buffer_bytes: row.buffer_bytes.ok_or("a copy has a size")? },
    };
    let accumulate = (row.method != Method::Copy).then_some(row.accumulate);
    Ok(Request { precision: row.precision, accumulate, work, implementation: Some(row.name.clone()) })
}

/// Short: ratios of neighbours in time are the result, and no plateau of a GPU.
fn schedule() -> Schedule {
    let seconds = |value: f64| Seconds::new(value).unwrap_or_default();
    Schedule {
        idle: seconds(0.0),
        burst: seconds(0.05),
        heat: seconds(0.1),
        window: seconds(0.05),
        plateau: seconds(0.1),
        sample: seconds(0.3),
        sample_most: seconds(0.5),
        trial: seconds(0.02),
    }
}

fn op_rate(measured: &Measured) -> Option<OpRate> {
    Some(measured.headline()?.statistics.rate_op_per_s.median)
}

fn shown(measured: &Measured) -> String {
    let copied = measured.bandwidth().map(|bandwidth| bandwidth.rate_byte_per_s.median.to_string());
    let unit = if measured.case.precision.is_integer() { "OP/s" } else { "FLOP/s" };
    let computed = op_rate(measured).map(|rate| format!("{:.4} G{unit}", rate.get() / 1e9));
    computed.or(copied).unwrap_or_default()
}

/// The largest instrumented run of a row, and whether all of them executed what is accounted, padding included.
fn count(counted: &[Count], row: &Implementation) -> String {
    let of_row = |count: &&Count| {
        let kernel = &count.kernel;
        (&kernel.name, kernel.precision, kernel.accumulate) == (&row.name, row.precision, row.accumulate)
    };
    let all: Vec<&Count> = counted.iter().filter(of_row).collect();
    let right = !all.is_empty() && all.iter().all(|count| count.executed == count.padded);
    let whole =
        all.iter().filter(|count| count.accounted == count.padded).max_by_key(|count| count.accounted);
    match whole {
        Some(count) if right => format!("{} = {}", count.executed.get(), count.accounted.get()),
        _ => "NO".to_owned(),
    }
}
