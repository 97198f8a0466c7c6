//! What is printed on terminals of several widths, and into a pipe.

use std::path::{Path, PathBuf};
use std::process::Command;

use flopgauge::record::Record;
use flopgauge::report::measurement_table;

use crate::commands::flopgauge;
use crate::filing_readers::skip;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/golden/measurement-1")
}

fn table(width: Option<u16>) -> String {
    measurement_table(&Record::read(&golden()).unwrap().measurements, width)
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap()
}

#[test]
fn the_table_and_the_runs_fit_their_terminal() {
    for width in [60, 80, 120] {
        let text = table(Some(width));
        assert!(widest(&text) <= usize::from(width), "{text}");
        insta::assert_snapshot!(format!("terminal_{width}"), text);
    }
    for width in 20..200 {
        let text = table(Some(width));
        assert!(widest(&text) <= usize::from(width), "{width}: {text}");
    }
}

#[test]
fn a_pipe_gets_whole_lines_and_no_control_sequence() {
    let text = table(None);
    assert!(text.lines().any(|line| line.contains("fp32 gemm 64x64x64 normal: ")), "{text}");
    assert!(text.contains("until sampling; bars from"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    insta::assert_snapshot!("terminal_pipe", text);
}

/// What the program writes on a terminal of `columns`; `None` without Python.
fn on_terminal(columns: u16, arguments: &[&str], no_color: bool) -> Option<String> {
    let python = std::env::var("FLOPGAUGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let helper = concat!(env!("CARGO_MANIFEST_DIR"), "/harness/tests/terminal.py");
    let mut command = Command::new(python);
    command.arg(helper).arg(columns.to_string()).arg(flopgauge().get_program()).args(arguments);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("TERM", "xterm-256color").env_remove("NO_COLOR");
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let output = command.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn nothing_is_wider_than_the_terminal_nor_coloured_where_that_is_not_wanted() {
    let golden = golden();
    let record = golden.to_str().unwrap();
    let day = ["--as-of", "2026-11-24"];
    for columns in [40, 60, 80] {
        for arguments in [
            vec!["compare", record, record],
            vec!["devices", "--backend", "cpu"],
            [vec!["cluster", "harness/examples/halls.toml", "--headroom"], day.to_vec()].concat(),
            [vec!["training", "harness/examples/run.toml"], day.to_vec()].concat(),
            vec!["rules"],
        ] {
            let Some(text) = on_terminal(columns, &arguments, true) else {
                return skip("FLOPGAUGE_REQUIRE_SCIPY", "Python");
            };
            assert!(text.lines().count() > 2, "{arguments:?}: {text}");
            assert!(widest(&text) <= usize::from(columns), "{columns} columns, {arguments:?}: {text}");
            assert!(!text.contains('\u{1b}'), "{arguments:?}: {text}");
        }
    }
}
