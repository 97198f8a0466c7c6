//! Products: the built-in engine, the `gemm` crate and the C libraries of the machine, round by round in turn.

use std::time::Duration;

use flopgauge::backend::{Backend, Implementation, Loaded};
use flopgauge::precision::Precision;
use flopgauge::workload::{Case, Distribution, GemmShape, Layout, Method, Work};

use super::{Failure, cpu, geometric_mean, median};

/// Rounds of a cell; its ratio is the median over rounds of the ratio within one.
const ROUNDS: usize = 7;
/// Pause between two implementations: the workers of one spin on after a call and take a core from the next.
const PAUSE: Duration = Duration::from_millis(35);
/// Time of one batch.
const BATCH_S: f64 = 0.1;
/// C libraries that count; MKL is shown where there is one.
const LIBRARIES: [&str; 2] = ["openblas", "blis"];

pub fn table(cores: u32) -> Result<(), Failure> {
    println!(
        "\nProducts, NN, normal data, GFLOP/s: median of {ROUNDS} interleaved rounds; then built-in / best C library"
    );
    let mut cells = Vec::new();
    for threads in [1, usize::try_from(cores)?] {
        for precision in [Precision::Fp32, Precision::Fp64] {
            for n in [512, 1024, 2048, 4096] {
                cells.extend(cell(precision, threads, n)?);
            }
        }
        if cores == 1 {
            break;
        }
    }
    if cells.is_empty() {
        println!("no C library is here to compare with");
        return Ok(());
    }
    let least = cells.iter().copied().fold(f64::INFINITY, f64::min);
    println!("  geometric mean {:.3}, least {least:.3}, {} cells", geometric_mean(&cells), cells.len());
    Ok(())
}

/// One line of the table; its ratio, where a C library is here.
fn cell(precision: Precision, threads: usize, n: u64) -> Result<Option<f64>, Failure> {
    let shape = GemmShape::new(n, n, n)?;
    let names = names(&*cpu(Some(threads))?, precision);
    let mut backends = Vec::new();
    for name in names {
        backends.push((name, cpu(Some(threads))?));
    }
    let mut loaded = Vec::new();
    for (name, backend) in &mut backends {
        loaded.push((name.clone(), load(backend.as_mut(), name, precision, shape)?, Vec::new()));
    }
    for _ in 0..ROUNDS {
        for (_, case, rates) in &mut loaded {
            std::thread::sleep(PAUSE);
            rates.push(rate(case.as_mut(), shape)?);
        }
    }
    let ratios: Vec<f64> = (0..ROUNDS).filter_map(|round| ratio(&loaded, round)).collect();
    let shown: Vec<String> =
        loaded.iter().map(|(name, _, rates)| format!("{name} {:.1}", median(rates) / 1e9)).collect();
    let ratio = (!ratios.is_empty()).then(|| median(&ratios));
    let text = ratio.map_or(String::new(), |ratio| format!("   -> {ratio:.3}"));
    println!("  {precision} {threads}T n={n:<5} {}{text}", shown.join(", "));
    Ok(ratio)
}

/// The built-in rows, the crate and the libraries, by name.
fn names(backend: &dyn Backend, precision: Precision) -> Vec<String> {
    let fits = |row: &&Implementation| row.precision == precision && row.method == Method::Gemm;
    let rows: Vec<&Implementation> = backend.implementations().iter().filter(fits).collect();
    // The first built-in row is the preferred one.
    let ours = rows.iter().filter(|row| row.name.starts_with("flopgauge")).take(1);
    let others = rows.iter().filter(|row| !row.name.starts_with("flopgauge"));
    ours.chain(others).map(|row| row.name.clone()).collect()
}

fn load<'a>(
    backend: &'a mut dyn Backend,
    name: &str,
    precision: Precision,
    shape: GemmShape,
) -> Result<Box<dyn Loaded + 'a>, Failure> {
    let fits = |row: &&Implementation| row.name == name && row.precision == precision;
    let accumulate = backend.implementations().iter().find(fits).ok_or("no such row")?.accumulate;
    let work = Work::Gemm { shape, layout: Layout::Nn, input: Distribution::Normal, seed: 1 };
    Ok(backend.load(&Case { implementation: name.to_owned(), precision, accumulate, work })?)
}

/// Rate of one batch, after a short one that wakes the threads and the clock.
fn rate(case: &mut dyn Loaded, shape: GemmShape) -> Result<f64, Failure> {
    let once = case.run(1)?.elapsed.get();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of products")]
    let iterations = (BATCH_S / once).ceil().clamp(1.0, 1e6) as u64;
    case.run(iterations.div_ceil(4))?;
    let batch = case.run(iterations)?;
    #[expect(clippy::cast_precision_loss, reason = "a small number of products")]
    let count = iterations as f64;
    Ok(shape.ops().to_f64() * count / batch.elapsed.get())
}

/// Built-in over the best C library in one round.
fn ratio(loaded: &[(String, Box<dyn Loaded + '_>, Vec<f64>)], round: usize) -> Option<f64> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        let rates =
            loaded.iter().filter(|(name, _, _)| wanted(name)).filter_map(|(_, _, rates)| rates.get(round));
        rates.copied().fold(None, |best: Option<f64>, rate| Some(best.map_or(rate, |best| best.max(rate))))
    };
    Some(of(&|name| name.starts_with("flopgauge"))? / of(&|name| LIBRARIES.contains(&name))?)
}
