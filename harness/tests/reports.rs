//! The report of records: whole, inert, honest about what it lacks.

use std::path::{Path, PathBuf};

use crate::commands::flopgauge;

const GOOD: &str = include_str!("scripts/good.toml");
const COPY: &str = include_str!("scripts/copy.toml");
const HOSTILE: &str = "<script>alert(1)</script>";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/golden/measurement-1")
}

/// A record of `script` in `folder`.
fn record(script: &str, folder: &Path) -> PathBuf {
    record_with(script, folder, &[])
}

fn record_with(script: &str, folder: &Path, more: &[&str]) -> PathBuf {
    let (path, out) = (folder.join("script.toml"), folder.join("record"));
    std::fs::write(&path, script).unwrap();
    let mut command = flopgauge();
    command.env("FLOPGAUGE_SCRIPT", path).args(["measure", "--device", "scripted:0", "--quick", "--out"]);
    command.arg(&out).args(more).assert().code(0);
    out
}

/// A report; the record is named relatively, so that no path of the machine is in it.
fn report(record: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = flopgauge();
    command.current_dir(record.parent().unwrap()).arg("report").arg(record.file_name().unwrap());
    command.args(more).assert()
}

fn text(run: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

/// The page, with the slashes that the template escapes for safety's sake.
fn page_of(record: &Path) -> String {
    text(&report(record, &[]).code(0)).replace("&#x2f;", "/")
}

fn error(run: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(run.get_output().stderr.clone()).unwrap()
}

/// The part of the page that shows the chart `id`.
fn figure<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<figure id=\"{id}\"")).expect(id);
    page[start..].split("</figure>").next().unwrap()
}

#[test]
fn the_page_refers_to_nothing_outside_itself() {
    let folder = tempfile::tempdir().unwrap();
    for record in [golden(), record(COPY, folder.path())] {
        let page = page_of(&record);
        let without_names = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for reference in ["http:", "https:", " src=", "url(http", "@import", "<link", "<iframe", "file:"] {
            assert!(!without_names.contains(reference), "{reference}");
        }
        let links = page.match_indices("href=\"").map(|(at, found)| &page[at + found.len()..]);
        assert!(links.clone().count() > 3 && links.into_iter().all(|to| to.starts_with('#')));
        assert!(page.contains("default-src 'none'") && page.contains("script-src 'sha256-"));
        assert!(page.len() < 2_000_000, "{} bytes", page.len());
    }
}

#[test]
fn every_chart_is_there_with_its_data_or_says_why_it_is_not_drawn() {
    let page = page_of(&golden());
    for (kind, data) in [
        ("figures", "900.0 GFLOP/s"),
        ("timeline", "plateau"),
        ("roofline", "64x64x64"),
        ("samples", "fp32 gemm 64x64x64 normal"),
    ] {
        let figure = figure(&page, &format!("{kind}-1"));
        assert!(figure.contains("<svg") && figure.contains("role=\"img\""), "{kind}");
        assert!(figure.contains(data) && figure.contains("<tbody>"), "{kind}: {figure}");
        assert!(!figure.contains("Not drawn"), "{kind}");
    }
    for (kind, why) in [("shapes", "fewer than three shapes"), ("inputs", "one distribution")] {
        let figure = figure(&page, &format!("{kind}-1"));
        assert!(!figure.contains("<svg") && figure.contains(&format!("Not drawn: {why}")), "{figure}");
    }
}

#[test]
fn figures_of_a_script_are_labelled_in_every_format() {
    assert!(text(&report(&golden(), &[]).code(0)).contains("<strong>SIMULATED</strong>"));
    for more in [["--format", "markdown"], ["--format", "csv"]] {
        assert!(text(&report(&golden(), &more).code(0)).to_uppercase().contains("SIMULATED"), "{more:?}");
    }
    let svg = text(&report(&golden(), &["--format", "svg", "--chart", "figures"]).code(0));
    assert!(svg.contains("[SIMULATED]"), "{svg}");
}

#[test]
fn a_copy_has_its_own_table_and_is_the_slope_of_the_roofline() {
    let folder = tempfile::tempdir().unwrap();
    let record = record(COPY, folder.path());
    let page = page_of(&record);
    assert!(page.contains("Memory bandwidth of scripted:0") && page.contains("3.350 TB/s"));
    let roofline = figure(&page, "roofline-1").to_owned();
    assert!(roofline.contains("copy, memory") && !roofline.contains("There is no slope"), "{roofline}");
    let table = page.split("<section id=\"figures\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(!table.contains("int8"), "a copy is no figure of int8: {table}");
    let markdown = text(&report(&record, &["--format", "markdown"]).code(0));
    assert!(markdown.contains("| memory | theoretical | copied |"), "{markdown}");
    let golden = text(&report(&golden(), &[]).code(0));
    assert!(figure(&golden, "roofline-1").contains("There is no slope"));
}

#[test]
fn what_a_device_calls_itself_is_only_text() {
    let folder = tempfile::tempdir().unwrap();
    let hostile =
        GOOD.replace("Scripted good", HOSTILE).replace("\"alpha\"", "\"<img src=x onerror=alert(2)>\"");
    let record = record(&hostile, folder.path());
    let page = text(&report(&record, &["--title", "</title><script>alert(3)</script>"]).code(0));
    assert_eq!(page.matches("<script>").count(), 1, "the page's own");
    assert!(!page.contains("<img") && !page.contains("</title><script"));
    assert!(page.contains("&lt;script&gt;alert(1)"), "it is shown all the same");
    let markdown = text(&report(&record, &["--format", "markdown"]).code(0));
    assert!(!markdown.contains("<script") && !markdown.contains("<img"), "{markdown}");
    report(&record, &["--format", "svg", "-o", "charts"]).code(0);
    let drawings: Vec<_> = std::fs::read_dir(folder.path().join("charts")).unwrap().collect();
    assert!(drawings.len() >= 3, "{drawings:?}");
    for drawing in drawings {
        let svg = std::fs::read_to_string(drawing.unwrap().path()).unwrap();
        assert!(!svg.contains("<script") && !svg.contains("<img") && svg.contains("&lt;script&gt;"), "{svg}");
        assert!(!svg.contains("var(--"), "a drawing by itself has colours of its own");
    }
}

#[test]
fn formats_for_pasting_stay_as_they_are() {
    insta::assert_snapshot!("report_markdown", text(&report(&golden(), &["--format", "markdown"]).code(0)));
    insta::assert_snapshot!("report_csv", text(&report(&golden(), &["--format", "csv"]).code(0)));
    let one = |format: &str| text(&report(&golden(), &["--format", format, "--chart", "figures"]).code(0));
    insta::assert_snapshot!("report_figures_csv", one("csv"));
    insta::assert_snapshot!("report_figures_svg", one("svg"));
}

#[test]
fn the_same_record_makes_the_same_page_and_the_ending_names_the_format() {
    let [first, second] = [(); 2].map(|()| text(&report(&golden(), &[]).code(0)));
    assert!(first == second);
    let folder = tempfile::tempdir().unwrap();
    for (name, start) in [("a.html", "<!DOCTYPE html>"), ("a.md", "# What"), ("a.csv", "device,uuid")] {
        let out = folder.path().join(name);
        report(&golden(), &["-o", out.to_str().unwrap()]).code(0);
        assert!(std::fs::read_to_string(out).unwrap().starts_with(start), "{name}");
    }
}

#[test]
fn what_cannot_be_reported_is_a_usage_error_that_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.html");
    let at = |path: &Path| error(&flopgauge().arg("report").arg(path).arg("-o").arg(&out).assert().code(2));
    assert!(at(&folder.path().join("missing")).contains("missing/environment.json"));
    assert!(at(folder.path()).contains("environment.json"), "a directory that is no record");
    let broken = folder.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::copy(golden().join("environment.json"), broken.join("environment.json")).unwrap();
    std::fs::write(broken.join("measurements.jsonl"), "{\"format\": 7}\n").unwrap();
    assert!(at(&broken).contains("measurements.jsonl:1:"));
    assert!(!out.exists(), "nothing is written");
    for (more, wanted) in [
        (&["--format", "svg", "--chart", "shapes"][..], "fewer than three shapes"),
        (&["--format", "svg", "--chart", "pie"], "there is no chart 'pie'; one of figures-1"),
        (&["--chart", "figures"], "--chart goes with"),
        (&["--format", "svg"], "needs -o DIRECTORY"),
        (&["--fleet", "absent.json"], "absent.json"),
    ] {
        let found = error(&report(&golden(), more).code(2));
        assert!(found.contains(wanted), "{more:?}: {found}");
    }
    assert!(error(&flopgauge().arg("report").assert().code(2)).contains("<RECORDS>"));
}

/// What becomes of the text of a record.
type Change = dyn Fn(String) -> Vec<u8>;

/// A copy of the golden record in `folder`, its measurements put through `change`.
fn changed(folder: &Path, change: impl Fn(String) -> Vec<u8>) -> PathBuf {
    let out = folder.join("changed");
    std::fs::create_dir_all(&out).unwrap();
    std::fs::copy(golden().join("environment.json"), out.join("environment.json")).unwrap();
    let text = std::fs::read_to_string(golden().join("measurements.jsonl")).unwrap();
    std::fs::write(out.join("measurements.jsonl"), change(text)).unwrap();
    out
}

#[test]
fn a_record_that_is_no_text_or_has_no_numbers_is_named_with_its_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let time = |value: &'static str| {
        move |text: String| {
            let (head, tail) = text.split_once("\"elapsed_s\":[").unwrap();
            let rest = tail.split_once(',').unwrap().1;
            format!("{head}\"elapsed_s\":[{value},{rest}").into_bytes()
        }
    };
    let not_text = |text: String| [text.as_bytes(), b"\xff\xfe\n".as_slice()].concat();
    let cut = |text: String| text.as_bytes()[..text.len() / 4].to_vec();
    let changes: [(&str, &Change, &str); 5] = [
        ("NaN", &time("NaN"), "measurements.jsonl:1:"),
        ("huge", &time("1e999"), "measurements.jsonl:1:"),
        ("negative", &time("-1"), "measurements.jsonl:1:"),
        ("not UTF-8", &not_text, "not UTF-8 text"),
        ("cut", &cut, "measurements.jsonl:1"),
    ];
    for (name, change, wanted) in changes {
        let record = changed(folder.path(), change);
        for more in [&["-o", "out.html"][..], &["--format", "svg", "-o", "charts"]] {
            let run = report(&record, more).code(2);
            assert!(text(&run).is_empty() && error(&run).contains(wanted), "{name}: {}", error(&run));
        }
        assert!(!folder.path().join("out.html").exists() && !folder.path().join("charts").exists(), "{name}");
    }
}

#[test]
fn a_record_without_outcomes_or_without_an_end_says_so_first() {
    let folder = tempfile::tempdir().unwrap();
    let record = changed(folder.path(), |_| Vec::new());
    let path = record.join("environment.json");
    let mut environment: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    environment["ended"] = serde_json::Value::Null;
    std::fs::write(&path, environment.to_string()).unwrap();
    for more in [&["--format", "html"][..], &["--format", "markdown"]] {
        let shown = text(&report(&record, more).code(0));
        assert!(shown.contains("nothing was measured: the record holds no outcome"), "{shown}");
        assert!(shown.contains("the run has no end"), "{shown}");
        assert!(!shown.contains("every planned case was measured"), "{shown}");
    }
}

#[test]
fn a_record_given_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let record = changed(folder.path(), String::into_bytes);
    for other in [&record, &golden()] {
        let said = error(&report(&record, &[other.to_str().unwrap()]).code(2));
        assert!(said.contains("hold the same, which counts once"), "{said}");
    }
}

#[test]
fn no_cell_of_a_table_for_a_spreadsheet_is_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    for (start, number) in [("=", 1), ("+", 2), ("@", 3), ("-", 4)] {
        let name = format!("{start}HYPERLINK(1)");
        let at = folder.path().join(number.to_string());
        std::fs::create_dir(&at).unwrap();
        let record = record(&GOOD.replace("Scripted good", &name), &at);
        let csv = text(&report(&record, &["--format", "csv"]).code(0));
        assert!(csv.contains(&format!(",'{name},")) && !csv.contains(&format!(",{name},")), "{csv}");
        let markdown = text(&report(&record, &["--format", "markdown"]).code(0));
        assert!(markdown.contains("HYPERLINK(1)"), "{markdown}");
    }
}

#[test]
fn products_of_zeros_and_emulated_ones_do_not_stand_for_the_sustained_rate() {
    let folder = tempfile::tempdir().unwrap();
    let record = record_with(GOOD, folder.path(), &["--method", "gemm", "--input", "zeros,normal"]);
    // The record is of a device that is as fast on zeros; a faster row of them is written into it.
    let path = record.join("measurements.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let faster: Vec<String> = text
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            if line["request"]["work"]["input"] == "zeros" {
                for time in line["result"]["samples"]["elapsed_s"].as_array_mut().unwrap() {
                    *time = (time.as_f64().unwrap() / 1.05).into();
                }
            }
            line.to_string()
        })
        .collect();
    std::fs::write(&path, faster.join("\n") + "\n").unwrap();
    let page = page_of(&record);
    let figures = page.split("id=\"charts\"").next().unwrap();
    assert!(figures.contains("normal") && !figures.contains("zeros"), "{figures}");
}
