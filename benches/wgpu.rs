//! Every shader of a device behind wgpu at n = 512, with its count of operations, beside the CPU of the same machine.
//!
//! `cargo bench --bench wgpu` measures wgpu:0; `-- wgpu:1` another one. On a software driver two ratios to the CPU's
//! own issue rate have floors, against accidents: a CPU driver is no target to tune for. Exit code 1 below a floor
//! or where a row is not verified or executes another number of operations than is accounted; 3 where a floor may be
//! missed because other work was on the machine.
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

/// Change of the CPU's own rate between the rounds past which a ratio below its floor says nothing.
const STILL: f64 = 1.1;

/// Least share that the best fp32 product reaches, by driver.
fn product_floor(device: &Device) -> f64 {
    let driver = device.driver.as_deref().unwrap_or_default();
    if driver.contains("Mesa 26") { 0.10 } else { 0.04 }
}

fn main() -> Result<ExitCode, Failure> {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let id = named.unwrap_or_else(|| "wgpu:0".to_owned());
    let mut backend = open(&Search::default(), &id)?;
    let device = backend.device().clone();
    println!("{} {}, {}, flopgauge {}", device.id, device.kind, device.model, env!("CARGO_PKG_VERSION"));
    println!("driver {}", device.driver.as_deref().unwrap_or("not told"));
    println!();
    let counted = counts(&id, |_, _| true)?;
    let (mut issue, mut products) = (Vec::new(), Vec::new());
    let (fp32, right) = table(backend.as_mut(), &counted)?;
    for (row, rate) in fp32 {
        match row.method {
            Method::Issue => issue.push((rate, row)),
            Method::Gemm => products.push((rate, row)),
            Method::Copy => {}
        }
    }
    products.sort_by(|a, b| b.0.total_cmp(&a.0));
    // A row that a neighbour slowed in the table may still be the fastest.
    products.truncate(3);
    let of = |rows: Vec<(f64, Implementation)>| rows.into_iter().map(|(_, row)| row).collect();
    let judged = judge(backend.as_mut(), [of(issue), of(products)])?;
    if !right {
        println!("not every row is verified and executes what is accounted");
        return Ok(ExitCode::FAILURE);
    }
    Ok(judged)
}

/// Prints every row, and returns those of fp32 with their rates, and whether all are verified and counted right.
fn table(
    backend: &mut dyn Backend,
    counted: &[Count],
) -> Result<(Vec<(Implementation, f64)>, bool), Failure> {
    println!("| method | precision | implementation | rate | verified | executed = accounted |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let (mut fp32, mut right) = (Vec::new(), true);
    for row in backend.implementations().to_vec() {
        let outcome = measure(backend, &request(&row)?, &schedule(), &Unattended);
        let (rate, verified) = match &outcome {
            Outcome::Measured(measured) => (shown(measured), measured.is_verified()),
            other => (format!("{}: {}", other.name(), other.reason().unwrap_or_default()), false),
        };
        let (name, method, count) = (&row.name, row.method, count(counted, &row));
        right &= verified && count.is_some();
        let verified = if verified { "yes" } else { "NO" };
        let count = count.unwrap_or_else(|| "NO".to_owned());
        let formats = if row.method == Method::Copy {
            "-".to_owned()
        } else {
            format!("{} -> {}", row.precision, row.accumulate)
        };
        println!("| {method} | {formats} | {name} | {rate} | {verified} | {count} |");
        if row.precision == Precision::Fp32 {
            fp32.push((row, rate_of(&outcome)));
        }
    }
    Ok((fp32, right))
}

/// Rounds of CPU, issue rate and products in turn. Other work on the machine only takes from a rate, and seldom from
/// all of five: the best of each is compared.
const ROUNDS: u32 = 5;

/// Compares the fastest fp32 issue rate and product with the CPU's issue rate.
fn judge(backend: &mut dyn Backend, rows: [Vec<Implementation>; 2]) -> Result<ExitCode, Failure> {
    let device = backend.device().clone();
    let mut cpu = open(&Search::default(), "cpu:0")?;
    let yardsticks = yardsticks(cpu.as_ref(), &device);
    let (mut of_cpu, mut best) = (Vec::new(), [const { (0.0, String::new()) }; 2]);
    for _ in 0..ROUNDS {
        of_cpu.push(fastest(cpu.as_mut(), &yardsticks)?);
        for (rows, best) in rows.iter().zip(&mut best) {
            let now = fastest(backend, rows)?;
            if now.0 > best.0 {
                *best = now;
            }
        }
    }
    of_cpu.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some((slowest, _)), Some((fastest, name))) = (of_cpu.first(), of_cpu.last()) else {
        return Err("no round".into());
    };
    println!();
    println!(
        "{}: fp32 issue rate by {name}, all threads: {:.1} GFLOP/s, {:.1} in the slowest of {ROUNDS} rounds",
        cpu.device().model,
        fastest / 1e9,
        slowest / 1e9
    );
    let [issue, product] = best;
    let met = [
        ratio("issue-rate shader", &issue, *fastest, (&device, ISSUE_FLOOR)),
        ratio("product", &product, *fastest, (&device, product_floor(&device))),
    ];
    if !met.contains(&false) {
        return Ok(ExitCode::SUCCESS);
    }
    if slowest * STILL < *fastest {
        println!("not judged: the CPU's own rate moved between the rounds; other work is on the machine");
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::FAILURE)
}

/// The fp32 issue rates of the CPU that a device is held against: of vectors no wider than a software driver's own,
/// which its model names.
fn yardsticks(cpu: &dyn Backend, device: &Device) -> Vec<Implementation> {
    let narrow = device.kind == DeviceKind::Software && device.model.contains("256 bits");
    let fits = |row: &&Implementation| {
        (row.method, row.precision) == (Method::Issue, Precision::Fp32)
            && !(narrow && row.name.contains("avx512"))
    };
    cpu.implementations().iter().filter(fits).cloned().collect()
}

/// The fastest of some rows, and its name.
fn fastest(backend: &mut dyn Backend, rows: &[Implementation]) -> Result<(f64, String), Failure> {
    let mut best = (0.0, String::new());
    for row in rows {
        let rate = rate_of(&measure(backend, &request(row)?, &schedule(), &Unattended));
        if rate > best.0 {
            best = (rate, row.name.clone());
        }
    }
    if best.0 > 0.0 { Ok(best) } else { Err(format!("no fp32 rate of {}", backend.device().id).into()) }
}

/// Prints a ratio, and whether it is at its floor, which only software drivers have.
fn ratio(what: &str, (rate, name): &(f64, String), cpu: f64, (device, floor): (&Device, f64)) -> bool {
    let found = rate / cpu;
    if device.kind != DeviceKind::Software {
        println!("best fp32 {what}, {name}: {found:.3} of the CPU's issue rate");
        return true;
    }
    let met = found >= floor;
    let word = if met { "met" } else { "MISSED" };
    println!("best fp32 {what}, {name}: {found:.3} of the CPU's issue rate, floor {floor:.2}: {word}");
    met
}

/// The rate, zero for what has none.
fn rate_of(outcome: &Outcome) -> f64 {
    match outcome {
        Outcome::Measured(measured) => op_rate(measured).map_or(0.0, OpRate::get),
        _ => 0.0,
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

/// The largest instrumented run of a row; `None` where not all of them executed what is accounted, padding included.
fn count(counted: &[Count], row: &Implementation) -> Option<String> {
    let of_row = |count: &&Count| {
        let kernel = &count.kernel;
        (&kernel.name, kernel.precision, kernel.accumulate) == (&row.name, row.precision, row.accumulate)
    };
    let all: Vec<&Count> = counted.iter().filter(of_row).collect();
    let right = !all.is_empty() && all.iter().all(|count| count.executed == count.padded);
    let whole =
        all.iter().filter(|count| count.accounted == count.padded).max_by_key(|count| count.accounted);
    let count = whole.filter(|_| right)?;
    Some(format!("{} = {}", count.executed.get(), count.accounted.get()))
}
