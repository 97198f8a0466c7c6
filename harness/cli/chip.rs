//! `flopgauge chip DEVICE`.

use super::{CliError, Exit, Output};
use crate::chip::{Determination, Figure, Figures, Known, determine};
use crate::device::catalogue::{Catalogue, Match};
use crate::device::format::{precision_named, rate_text};
use crate::precision::Precision;
use crate::units::{Decimal, ExactOpRate};

/// Least rate that can be meant; below it a prefix was forgotten.
const LEAST_RATE: ExactOpRate = ExactOpRate::new(1_000_000_000);

/// Total processing performance, performance density and export-control class of a chip.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge chip 'NVIDIA H100 80GB HBM3'\n  \
    flopgauge chip --peak fp16=148e12 --peak int8=296e12 --die-area 814\n\n\
    Rates are dense: a multiply-accumulate counts as two operations, skipped ones do not count. No legal advice.")]
pub struct Args {
    /// Name, alias or PCI id (10de:2330) of a device of the catalogue.
    #[arg(required_unless_present = "peak", conflicts_with = "peak")]
    device: Option<String>,
    /// Declared dense rate in operations per second, as PRECISION=RATE.
    #[arg(long, value_name = "PRECISION=RATE", value_parser = peak)]
    peak: Vec<(Precision, ExactOpRate)>,
    /// Declared area of the logic dies.
    #[arg(long, value_name = "MM2", requires = "peak", value_parser = positive)]
    die_area: Option<Decimal>,
    /// Declared memory bandwidth.
    #[arg(long, value_name = "GB_S", requires = "peak")]
    memory_bandwidth: Option<Decimal>,
    /// Declared interconnect, both directions together.
    #[arg(long, value_name = "GB_S", requires = "peak")]
    interconnect: Option<Decimal>,
    /// The chip is not designed or marketed for data centres.
    #[arg(long)]
    not_datacenter: bool,
    /// Print JSON, kind chip-determination/1.
    #[arg(long)]
    json: bool,
}

fn peak(text: &str) -> Result<(Precision, ExactOpRate), String> {
    let (name, rate) = text.split_once('=').ok_or("write PRECISION=RATE, as in fp16=148e12")?;
    let precision = precision_named(name);
    let precision = precision.ok_or_else(|| {
        let names = Precision::ALL.map(Precision::name).join(", ");
        format!("unknown precision '{name}'; one of fp8, {names}")
    })?;
    let rate: ExactOpRate = rate.parse().map_err(|error: crate::units::UnitError| error.to_string())?;
    if rate < LEAST_RATE {
        return Err(format!("{rate} is no rate of a chip; write operations per second, as in fp16=148e12"));
    }
    Ok((precision, rate))
}

fn positive(text: &str) -> Result<Decimal, String> {
    match text.parse::<Decimal>() {
        Ok(area) if area.is_zero() => Err("an area of zero; leave it out where it is unknown".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let mut figures = match &args.device {
        None => declared(args)?,
        Some(name) => match Catalogue::builtin()?.find(&super::devices::query(name)) {
            Match::Found(entry) => Figures::of_entry(entry),
            Match::Unknown { reason } => {
                output.note(&format!(
                    "unknown device: {reason}; see flopgauge devices --catalogue, or declare its peaks with --peak"
                ));
                return Ok(Exit::Inconclusive);
            }
        },
    };
    if args.not_datacenter {
        figures.datacenter = Some(false);
        figures.warnings.push("declared as not designed or marketed for data centres".to_owned());
    }
    let found = determine(&figures)?;
    if args.json {
        output.json(&found)?
    } else {
        output.text(&shown(&found))?
    }
    Ok(if found.tpp.is_some() { Exit::Done } else { Exit::Inconclusive })
}

fn declared(args: &Args) -> Result<Figures, CliError> {
    for (at, (precision, _)) in args.peak.iter().enumerate() {
        if args.peak.iter().take(at).any(|(other, _)| other == precision) {
            return Err(CliError::Usage(format!("--peak names {precision} twice")));
        }
    }
    let figures = args.peak.iter().map(|(precision, rate)| Figure {
        precision: *precision,
        accumulate: None,
        rate: *rate,
        range: None,
        known: Known::Declared,
    });
    let mut warnings = vec!["figures as declared; they must be dense".to_owned()];
    let rate = |wanted: Precision| args.peak.iter().find(|(p, _)| *p == wanted).map(|(_, rate)| *rate);
    let half = rate(Precision::Fp16).or_else(|| rate(Precision::Bf16));
    if let (Some(int8), Some(half)) = (rate(Precision::Int8), half)
        && int8 < half
    {
        warnings.push("int8 is declared slower than 16-bit floating point".to_owned());
    }
    Ok(Figures {
        device: "declared figures".to_owned(),
        figures: figures.collect(),
        die_area_mm2: args.die_area.clone(),
        memory_bandwidth_gb_s: args.memory_bandwidth.clone(),
        interconnect_gb_s: args.interconnect.clone(),
        datacenter: Some(true),
        warnings,
    })
}

fn shown(found: &Determination) -> String {
    let mut text = format!("{}\n\n", found.device);
    let mut facts = super::devices::table();
    let tpp = found.tpp.as_ref().map_or_else(|| "unknown: no dense figure".to_owned(), ToString::to_string);
    facts.add_row(["Total processing performance".to_owned(), tpp]);
    if let Some([low, high]) = &found.tpp_range {
        facts.add_row(["  range of the sources".to_owned(), format!("{low} to {high}")]);
    }
    if let Some(governing) = &found.governing {
        let rate = rate_text(governing.rate_op_per_s, governing.precision);
        let evidence = super::devices::evidence_mark(governing.evidence.name());
        let text = format!("{} at {} bits, {rate}, {evidence}", governing.precision, governing.bits);
        facts.add_row(["  from".to_owned(), text]);
    }
    let density = found.performance_density.map(|density| format!("{:.2} per mm2", density.get()));
    facts.add_row(["Performance density".to_owned(), density.unwrap_or_else(|| "unknown".to_owned())]);
    text.push_str(&format!("{facts}\n\n"));
    let mut rules = super::devices::table();
    rules.set_header(["Rule", "From", "Until", "Class", "Because", "Status"]);
    for rule in &found.rules {
        let class =
            rule.review.as_ref().map_or_else(|| rule.class.clone(), |r| format!("{}; {r}", rule.class));
        let until = rule.until.as_deref().unwrap_or("-");
        rules.add_row([&rule.rule, &rule.from, until, &class, &rule.reason, &rule.status]);
    }
    text.push_str(&format!("{rules}\n\n"));
    let mut counts = super::devices::table();
    counts.set_header(["Precision", "Devices strictly above 10^20 OP/s"]);
    for (precision, count) in &found.devices_above_1e20 {
        counts.add_row([precision.clone(), count.to_string()]);
    }
    text.push_str(&format!("{counts}\n{}\n", found.devices_above_1e20_rule));
    for warning in &found.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}
