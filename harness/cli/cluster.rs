//! `flopgauge cluster`.

mod texts;

use std::path::{Path, PathBuf};

use super::judging::{Judging, catalogued, devices, shown, table};
use super::{CliError, Exit, Output};
use crate::cluster::{Change, Topology, read_csv, read_ibnetdiscover, read_toml, warnings};
use crate::threshold::{ClusterDetermination, ClusterJudgement, Rule, WhatIf, headrooms, judge_cluster};
use crate::units::OpRate;

/// Sets of machines that fast links connect, what they sum to, and what the rules say of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  flopgauge cluster harness/examples/halls.toml\n  \
    flopgauge cluster harness/examples/halls.toml --what-if \"remove link spine1 spine2\" --headroom\n  \
    flopgauge cluster --machines machines.csv --links links.csv --json\n  \
    flopgauge cluster --ibnetdiscover fabric.txt --machines machines.csv --fail-on met\n\n\
    Rates are theoretical dense peaks; measured ones stand beside them and never lower a verdict.")]
pub struct Args {
    /// Cluster file in TOML, `-` for standard input.
    #[arg(required_unless_present = "machines", conflicts_with = "machines")]
    topology: Option<PathBuf>,
    /// Machines in CSV: name,device,count[,site,owner], `count` devices in each.
    #[arg(long, value_name = "FILE")]
    machines: Option<PathBuf>,
    /// Links in CSV: from,to,rate_gbit_s[,count,kind].
    #[arg(long, value_name = "FILE", requires = "machines", conflicts_with = "ibnetdiscover")]
    links: Option<PathBuf>,
    /// Fabrics in CSV: switch,fabric.
    #[arg(long, value_name = "FILE", requires = "machines")]
    fabrics: Option<PathBuf>,
    /// Output of ibnetdiscover.
    #[arg(long, value_name = "FILE", requires = "machines")]
    ibnetdiscover: Option<PathBuf>,
    /// A change to ask about: "remove link A B", "add N machines", "add N machines to ROW"; repeatable, in order.
    #[arg(long, value_name = "CHANGE")]
    what_if: Vec<String>,
    /// How many devices fit under each limit, and the fewest links that hold the largest set above it.
    #[arg(long)]
    headroom: bool,
    #[command(flatten)]
    judging: Judging,
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let rules = args.judging.chosen()?;
    let changes = args.what_if.iter().map(|text| text.parse::<Change>());
    let changes =
        changes.collect::<Result<Vec<_>, _>>().map_err(|error| CliError::Usage(error.to_string()))?;
    let topology = read(args)?;
    let judged = judge(args, &rules, &topology)?;
    let mut answer = ClusterDetermination::new(&topology, &judged, args.judging.day())
        .map_err(|error| wrong(args, &error))?;
    if let Some(first) = judged.first() {
        let [.., injection] = &first.survey.readings;
        answer.warnings =
            warnings(&topology, first.survey.limit, injection).map_err(|error| wrong(args, &error))?;
    }
    if args.headroom {
        answer.headroom = headrooms(&topology, &judged).map_err(|error| wrong(args, &error))?;
    }
    let mut changed = topology;
    for (change, text) in changes.iter().zip(&args.what_if) {
        changed = change.applied(&changed).map_err(|error| CliError::Usage(error.to_string()))?;
        answer.what_if.push(WhatIf::new(text, &judge(args, &rules, &changed)?));
    }
    if args.judging.json {
        output.json(&answer)?;
    } else {
        output.text(&text(&answer, &judged, args.judging.brief))?;
    }
    Ok(args.judging.exit(judged.iter().map(|judgement| &judgement.determination)))
}

fn read(args: &Args) -> Result<Topology, CliError> {
    let profiles = args.judging.profiles()?;
    let catalogued = catalogued()?;
    let devices = devices(&profiles, &catalogued);
    let fabrics = args.fabrics.as_deref();
    match (&args.topology, &args.machines, &args.links, &args.ibnetdiscover) {
        (Some(path), ..) => Ok(read_toml(path, &devices)?),
        (None, Some(machines), Some(links), _) => Ok(read_csv(machines, links, fabrics, &devices)?),
        (None, Some(machines), None, Some(dump)) => {
            Ok(read_ibnetdiscover(dump, machines, fabrics, &devices)?)
        }
        _ => Err(CliError::Usage("--machines needs --links FILE or --ibnetdiscover FILE".to_owned())),
    }
}

fn judge(args: &Args, rules: &[Rule], topology: &Topology) -> Result<Vec<ClusterJudgement>, CliError> {
    judge_cluster(rules, topology, args.judging.day()).map_err(|error| wrong(args, &error))
}

/// An error of the whole input, with the file's name before it.
fn wrong(args: &Args, error: &dyn std::fmt::Display) -> CliError {
    let links = args.links.as_deref().or(args.ibnetdiscover.as_deref());
    let path = args.topology.as_deref().or(links).unwrap_or_else(|| Path::new("-"));
    CliError::Usage(format!("{}: {error}", path.display()))
}

fn text(answer: &ClusterDetermination, judged: &[ClusterJudgement], brief: bool) -> String {
    let mut text = format!("{}: {} machines\n", answer.name, answer.machines);
    if let Some(first) = judged.first() {
        text.push_str(&format!(
            "Links above {}, judged by {}:\n",
            first.survey.limit, first.determination.rule
        ));
        let mut rows = table([
            "Reading",
            "Sets",
            "Machines",
            "Accelerators",
            "R16",
            "R8",
            "Rmax",
            "Measured",
            "Verdict",
        ]);
        for (name, reading) in answer.readings.named() {
            let Some(largest) = &reading.largest else { continue };
            let measured = |rate: OpRate| rate.display(true);
            rows.add_row([
                name.to_owned(),
                reading.components.to_string(),
                largest.machines.to_string(),
                largest.accelerators.to_string(),
                largest.r16_op_per_s.to_string(),
                largest.r8_op_per_s.to_string(),
                largest.rmax_op_per_s.to_string(),
                largest.measured_op_per_s.map_or_else(|| "not measured".to_owned(), measured),
                reading.verdict.name().to_owned(),
            ]);
        }
        text.push_str(&format!("{rows}\n"));
        if let Some(largest) = &answer.readings.injection.largest {
            for (what, names) in [("sites", &largest.sites), ("parties", &largest.parties)] {
                if !names.is_empty() {
                    text.push_str(&format!("{what} of the largest set: {}\n", names.join("; ")));
                }
            }
        }
    }
    for warning in &answer.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text.push('\n');
    text.push_str(&shown(judged.iter().map(|judgement| &judgement.determination), brief));
    text.push_str(&texts::headroom(answer));
    for what_if in &answer.what_if {
        text.push_str(&texts::what_if(what_if));
    }
    text
}
