//! Fabrics as `ibnetdiscover` prints them: hosts by the first word of the HCA's description.

use std::path::Path;

use hashbrown::HashMap;

use super::csv_files::{read_fabrics, read_machines};
use super::figures::DeviceFigures;
use super::{Assembly, Grade, LinkKind, Topology};
use crate::files::{FileError, TEXT_LIMIT, read_text};
use crate::units::{BitRate, Decimal};

/// Data rate of one lane by the printed speed. Unit: Gbit/s.
///
/// Source: InfiniBand Architecture Specification, volume 2; 8b/10b up to QDR and 64b/66b above are taken off.
const LANES: [(&str, &str); 9] = [
    ("SDR", "2"),
    ("DDR", "4"),
    ("QDR", "8"),
    ("FDR10", "10"),
    ("FDR", "13.64"),
    ("EDR", "25"),
    ("HDR", "50"),
    ("NDR", "100"),
    ("XDR", "200"),
];

/// The topology of the dump at `path`, its machines' devices from the CSV file at `machines`.
///
/// Errors: [`FileError`] with file and line.
pub fn read_ibnetdiscover(
    path: &Path,
    machines: &Path,
    fabrics: Option<&Path>,
    devices: &dyn DeviceFigures,
) -> Result<Topology, FileError> {
    let mut assembly = Assembly::default();
    read_machines(machines, devices, &mut assembly)?;
    if let Some(path) = fabrics {
        read_fabrics(path, &mut assembly)?;
    }
    let name = path.display().to_string();
    let text = read_text(path, TEXT_LIMIT)?;
    let wrong =
        |line: usize, message: String| FileError::Content { path: name.clone(), line, column: 1, message };
    let dump = Dump::parse(&text).map_err(|(line, message)| wrong(line, message))?;
    dump.assemble(&mut assembly).map_err(|(line, message)| wrong(line, message))?;
    assembly.finish(name.clone()).map_err(|error| wrong(1, error.to_string()))
}

/// Line and message of what is wrong.
type Wrong = (usize, String);

/// A node's identity and the number of one of its ports.
type Port<'a> = (&'a str, u32);

#[derive(Debug, Default)]
struct Dump<'a> {
    /// Host name of each HCA; switches have none.
    hosts: HashMap<&'a str, Option<&'a str>>,
    /// Each cable once: its two ports in order, its rate and the line that it was first seen on.
    cables: Vec<(Port<'a>, Port<'a>, BitRate, usize)>,
    seen: HashMap<(Port<'a>, Port<'a>), usize>,
    ends: HashMap<Port<'a>, Port<'a>>,
}

impl<'a> Dump<'a> {
    fn parse(text: &'a str) -> Result<Self, Wrong> {
        let mut dump = Self::default();
        let mut node = None;
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            let line = line.trim_end();
            if line.starts_with('[') {
                let node = node.ok_or_else(|| (number, "a port before any node".to_owned()))?;
                dump.port(node, line, number)?;
            } else if let Some((kind, rest)) = line.split_once(char::is_whitespace) {
                if !matches!(kind, "Switch" | "Ca" | "Rt") {
                    continue;
                }
                let mut quoted = rest.split('"').skip(1).step_by(2);
                let id = quoted.next().filter(|id| !id.is_empty());
                let id = id.ok_or_else(|| (number, format!("a {kind} without a quoted identity")))?;
                let host = quoted.next().and_then(|words| words.split_whitespace().next());
                if kind == "Ca" && host.is_none() {
                    return Err((
                        number,
                        format!("the HCA {id} has no node description to tell its host by"),
                    ));
                }
                if dump.hosts.insert(id, host.filter(|_| kind == "Ca")).is_some() {
                    return Err((number, format!("the node {id} is listed twice")));
                }
                node = Some(id);
            }
        }
        if dump.hosts.is_empty() {
            return Err((1, "no Switch or Ca in it; expected the output of ibnetdiscover".to_owned()));
        }
        Ok(dump)
    }

    /// `[1](guid) "S-…"[3](guid) # … 4xNDR`
    fn port(&mut self, node: &'a str, line: &'a str, number: usize) -> Result<(), Wrong> {
        let broken = || (number, "not a port line: [port] \"peer\"[port] # … width x speed".to_owned());
        let port = bracketed(line).ok_or_else(broken)?;
        let mut parts = line.splitn(3, '"').skip(1);
        let (peer, rest) = (parts.next().ok_or_else(broken)?, parts.next().ok_or_else(broken)?);
        let peer_port = bracketed(rest).ok_or_else(broken)?;
        let word = rest.split_whitespace().next_back().ok_or_else(broken)?;
        let rate = link_rate(word).map_err(|message| (number, message))?;
        let (here, there) = ((node, port), (peer, peer_port));
        if self.ends.insert(here, there).is_some_and(|before| before != there) {
            return Err((number, format!("port {port} of {node} is listed with two peers")));
        }
        let cable = (here.min(there), here.max(there));
        match self.seen.get(&cable) {
            Some(at) if self.cables[*at].2 != rate => {
                let first = self.cables[*at].3;
                Err((
                    number,
                    format!("the link has another rate than on line {first}, where its other end lists it"),
                ))
            }
            Some(_) => Ok(()),
            None => {
                self.seen.insert(cable, self.cables.len());
                self.cables.push((cable.0, cable.1, rate, number));
                Ok(())
            }
        }
    }

    fn assemble(&self, assembly: &mut Assembly) -> Result<(), Wrong> {
        for ((one, _), (other, _), rate, line) in &self.cables {
            let mut ends = Vec::new();
            for id in [one, other] {
                let node = self.hosts.get(id);
                let node =
                    node.ok_or_else(|| (*line, format!("link to nowhere: the node {id} is not listed")))?;
                let end = match node {
                    Some(host) => assembly.end(host.as_bytes()).map_err(|_| {
                        let message =
                            "is not in the machines file; a host without accelerators has an empty device";
                        (*line, format!("the host '{host}' {message}"))
                    })?,
                    None => {
                        assembly.end_or_switch(id.as_bytes()).map_err(|error| (*line, error.to_string()))?
                    }
                };
                ends.push(end);
            }
            let grade = assembly.grade(Grade { rate: *rate, kind: LinkKind::Infiniband, ..Grade::default() });
            assembly.link(ends[0], ends[1], grade, 1).map_err(|error| (*line, error.to_string()))?;
        }
        Ok(())
    }
}

fn bracketed(text: &str) -> Option<u32> {
    text.strip_prefix('[')?.split_once(']')?.0.parse().ok()
}

/// `4xNDR` as a rate.
fn link_rate(word: &str) -> Result<BitRate, String> {
    let known = || {
        let names: Vec<_> = LANES.iter().map(|(name, _)| *name).collect();
        format!(
            "'{word}' is no link width and speed; a width of 1, 2, 4, 8 or 12, x, and one of {}",
            names.join(", ")
        )
    };
    let (width, speed) = word.split_once('x').ok_or_else(known)?;
    let width = match width {
        "1" => 1,
        "2" => 2,
        "4" => 4,
        "8" => 8,
        "12" => 12,
        _ => return Err(known()),
    };
    let (_, lane) = LANES.iter().find(|(name, _)| *name == speed).ok_or_else(known)?;
    let lane: Decimal = lane.parse().map_err(|_| known())?;
    BitRate::from_gigabit(&lane.times(&Decimal::from_integer(width))).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "vendid=0x0\nSwitch\t8 \"S-1\"\t\t# \"sw1\" base port 0 lid 0 lmc 0\n\
        [1]\t\"H-1\"[1](100001) \t\t# \"host1 mlx5_0\" lid 0 4xNDR\n[2]\t\"H-2\"[1](100004) \t\t# \"host2\" lid 0 4xDDR\n\n\
        Ca\t2 \"H-1\"\t\t# \"host1 mlx5_0\"\n[1](100001) \t\"S-1\"[1]\t\t# lid 0 lmc 0 \"sw1\" lid 0 4xNDR\n\n\
        Ca\t2 \"H-2\"\t\t# \"host2\"\n[1](100004) \t\"S-1\"[2]\t\t# lid 0 lmc 0 \"sw1\" lid 0 4xDDR\n";

    #[test]
    fn a_link_that_both_ends_list_is_one() {
        let dump = Dump::parse(DUMP).unwrap();
        assert_eq!(dump.cables.len(), 2);
        assert_eq!(dump.cables[0].2, "400e9".parse().unwrap());
        assert_eq!(dump.hosts["H-1"], Some("host1"));
        assert_eq!(dump.hosts["S-1"], None);
    }

    #[test]
    fn every_speed_has_its_data_rate() {
        for (word, gigabit) in [
            ("4xSDR", "8"),
            ("4xDDR", "16"),
            ("4xQDR", "32"),
            ("4xFDR10", "40"),
            ("4xFDR", "54.56"),
            ("4xEDR", "100"),
            ("2xHDR", "100"),
            ("4xHDR", "200"),
            ("4xNDR", "400"),
            ("4xXDR", "800"),
        ] {
            assert_eq!(link_rate(word).unwrap(), BitRate::from_gigabit(&gigabit.parse().unwrap()).unwrap());
        }
        for wrong in ["3xNDR", "4xndr", "NDR", "4x", "xNDR", "4xNDRR"] {
            assert!(link_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_rates_of_one_link_and_unlisted_nodes_are_refused_with_their_line() {
        let other = DUMP.replacen("4xNDR", "4xHDR", 1);
        assert_eq!(Dump::parse(&other).unwrap_err().0, 7);
        let missing = DUMP.split("Ca\t2 \"H-2\"").next().unwrap();
        let dump = Dump::parse(missing).unwrap();
        let mut assembly = Assembly::default();
        let build = super::super::hardware::build_of(&[]).unwrap();
        let build = assembly.build(build);
        let place = assembly.place(super::super::Place::default());
        assembly.machine(b"host1", 1, build, place).unwrap();
        assert_eq!(
            dump.assemble(&mut assembly).unwrap_err(),
            (4, "link to nowhere: the node H-2 is not listed".to_owned())
        );
    }
}
