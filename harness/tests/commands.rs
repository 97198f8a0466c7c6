//! The command line as a user meets it.

use assert_cmd::Command;

/// The program under test, with nothing of the user's environment that changes its output.
pub fn flopgauge() -> Command {
    let mut command = Command::cargo_bin("flopgauge").unwrap();
    command.env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
    command
}

#[test]
fn no_arguments_show_the_help_and_are_a_usage_error() {
    let run = flopgauge().assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("Usage: flopgauge"));
    flopgauge().arg("--help").assert().code(0);
    flopgauge().arg("no-such-command").assert().code(2);
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = flopgauge().args(["completions", shell]).assert().code(0);
        assert!(run.get_output().stdout.len() > 200, "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    flopgauge().arg("man").arg("--out").arg(folder.path()).assert().code(0);
    let page = std::fs::read_to_string(folder.path().join("flopgauge-schema.1")).unwrap();
    assert!(page.contains(".TH"));
}

#[test]
fn templates_are_listed_and_printed_as_their_files_are() {
    let list = flopgauge().arg("templates").assert().code(0);
    let list = String::from_utf8(list.get_output().stdout.clone()).unwrap();
    let names: Vec<_> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/accept/templates");
    assert_eq!(names.len(), std::fs::read_dir(&folder).unwrap().count());
    for name in names {
        let printed = flopgauge().args(["templates", name]).assert().code(0);
        assert_eq!(printed.get_output().stdout, std::fs::read(folder.join(name)).unwrap(), "{name}");
    }
    let wrong = flopgauge().args(["templates", "pbs"]).assert().code(2);
    assert!(String::from_utf8_lossy(&wrong.get_output().stderr).contains("accept.sbatch, healthcheck.sh"));
}
