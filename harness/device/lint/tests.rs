use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::device::Unit;
use crate::device::catalogue::SparsityStated;
use crate::device::format::table_name;

/// The whole built-in catalogue as such a table, and a name for each column's value that a test may change.
fn table(change: impl Fn(&str, &str, &str) -> Option<String>) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for entry in Catalogue::builtin().unwrap().entries() {
        for row in &entry.rows {
            let dtype = dtype(entry, row);
            let cell = |column: &str| {
                let value =
                    change(&entry.name, &dtype, column).unwrap_or_else(|| value(entry, row, &dtype, column));
                format!("\"{}\"", value.replace('"', "\"\""))
            };
            writeln!(text, "{}", COLUMNS.map(cell).join(",")).unwrap();
        }
    }
    text
}

fn dtype(entry: &Entry, row: &Row) -> String {
    let name = table_name(row.precision);
    let wide = matches!(row.precision, Precision::Fp64 | Precision::Fp32);
    match (entry.vendor.as_str(), row.unit) {
        ("NVIDIA", Unit::Matrix) if wide => format!("{name}_tensor"),
        ("AMD" | "Intel", Unit::Vector) => format!("{name}_vector"),
        ("AMD" | "Intel", Unit::Matrix) if wide => format!("{name}_matrix"),
        _ => name.to_owned(),
    }
}

fn value(entry: &Entry, row: &Row, dtype: &str, column: &str) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let shown =
        |value: &Option<crate::units::Decimal>| value.as_ref().map_or_else(String::new, ToString::to_string);
    let mhz = |hz: Option<u64>| hz.map_or_else(String::new, |hz| (hz / 1_000_000).to_string());
    match column {
        "vendor" => entry.vendor.clone(),
        "device_name" => entry.name.clone(),
        "aliases" => entry.aliases.join(";"),
        "pci_device_id" => {
            entry.pci_ids.iter().map(|id| id[5..].to_uppercase()).collect::<Vec<_>>().join(";")
        }
        "form_factor" => entry.form_factor.clone(),
        "arch" => text(&entry.architecture),
        "rate_class" => text(&entry.rate_class),
        "units" => entry.units.map_or_else(String::new, |units| units.to_string()),
        "unit_kind" => text(&entry.unit_kind),
        "boost_clock_mhz" => mhz(entry.boost_clock_hz),
        "tensor_clock_mhz" => mhz(row.rated_clock_hz),
        "tensor_clock_basis" => row.rated_clock_basis.map_or("", |b| b.name()).replace('-', "_"),
        "dtype" => dtype.to_owned(),
        "accumulate" => row.accumulate.name().to_owned(),
        "dense_peak_tera" => (row.rate_op_per_s.to_f64() / 1e12).to_string(),
        "unit" => if row.precision.is_integer() { "TOP/s" } else { "TFLOP/s" }.to_owned(),
        "published_with_sparsity_and_halved" => match row.sparsity {
            SparsityStated::None => "no".to_owned(),
            SparsityStated::Halved => "yes".to_owned(),
            SparsityStated::Unknown => "unknown".to_owned(),
        },
        "bandwidth_gb_s" => shown(&entry.bandwidth_gb_s),
        "source_title" => row.source.as_ref().map_or_else(String::new, |s| s.title.clone()),
        "source_url" => row.source.as_ref().map_or_else(String::new, |s| s.url.clone()),
        "evidence" => row.evidence.name().to_owned(),
        "note" => text(&row.note),
        _ => String::new(),
    }
}

fn read(text: &str) -> Result<Vec<TableRow>, FileError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    read_table(&path)
}

fn found(change: impl Fn(&str, &str, &str) -> Option<String>) -> Vec<TableFinding> {
    check(&read(&table(change)).unwrap()).unwrap()
}

/// Rules of the findings on one device, notes left out.
fn rules(findings: &[TableFinding], device: &str) -> Vec<(String, String, Option<String>)> {
    let mine = findings.iter().filter(|f| f.device == device && f.severity > Severity::Note);
    mine.map(|f| (f.rule.clone(), f.precision.clone().unwrap_or_default(), f.expected.clone())).collect()
}

/// A table in which one cell of one device and format is another.
fn with(
    device: &'static str,
    dtype: &'static str,
    column: &'static str,
    value: &'static str,
) -> Vec<TableFinding> {
    found(move |d, f, c| {
        (d == device && (dtype.is_empty() || f == dtype) && c == column).then(|| value.to_owned())
    })
}

const H100: &str = "NVIDIA H100 80GB HBM3";
const H200: &str = "NVIDIA H200";

#[test]
fn a_name_of_a_number_format_means_the_same_here_and_in_the_catalogue() {
    let rows = read(&table(|_, _, _| None)).unwrap();
    let context =
        Context { rows: &rows, catalogue: Catalogue::builtin().unwrap(), rates: Rates::builtin().unwrap() };
    for row in &rows {
        let known = context.known(row).unwrap_or_else(|| panic!("{} {}", row.device, row.dtype));
        assert!((known.rate_op_per_s.to_f64() / row.peak_op_per_s - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_built_in_catalogue_has_no_error_and_explains_each_deviation() {
    let findings = found(|_, _, _| None);
    let heavy: Vec<_> = findings.iter().filter(|f| f.severity > Severity::Note).collect();
    assert_eq!(heavy.len(), 1, "{heavy:#?}");
    assert_eq!((heavy[0].device.as_str(), heavy[0].rule.as_str()), ("WSE-3", "sparsity-unknown"));
    let count = |rule| findings.iter().filter(|finding| finding.rule == rule).count();
    assert_eq!((count("recalled"), count("implied-rate")), (28, 7), "{findings:#?}");
}

#[test]
fn a_sparse_figure_entered_as_dense_is_an_error_with_the_dense_value() {
    let findings = with(H100, "bf16", "dense_peak_tera", "1978.9");
    let expected = Some("989.4 TFLOP/s".to_owned());
    assert!(rules(&findings, H100).contains(&("sparse-as-dense".to_owned(), "bf16".to_owned(), expected)));
    let tpu = with("TPU v5 lite", "bf16", "dense_peak_tera", "394");
    let expected = Some("197.0 TFLOP/s".to_owned());
    assert_eq!(rules(&tpu, "TPU v5 lite"), [("sparse-as-dense".to_owned(), "bf16".to_owned(), expected)]);
}

#[test]
fn a_value_off_by_a_prefix_is_an_error_with_the_right_value() {
    for value in ["989400", "0.9894"] {
        let findings = with(H100, "bf16", "dense_peak_tera", value);
        let slip = findings.iter().find(|f| f.rule == "order-of-magnitude").unwrap();
        assert_eq!((slip.device.as_str(), slip.expected.as_deref()), (H100, Some("989.4 TFLOP/s")));
        assert_eq!(slip.severity, Severity::Error);
    }
}

#[test]
fn a_row_that_is_wrong_does_not_accuse_the_others_of_its_device() {
    for value in ["989400", "7916", "1978.9"] {
        let findings = with(H100, "bf16", "dense_peak_tera", value);
        let errors: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).collect();
        assert!(errors.iter().all(|f| f.precision.as_deref() == Some("bf16")), "{value}: {errors:#?}");
    }
}

#[test]
fn a_neighbours_figure_within_reach_is_a_warning_that_names_it() {
    let findings = with("AMD Instinct MI355X", "fp8", "dense_peak_tera", "4600");
    let near =
        findings.iter().find(|f| f.device == "AMD Instinct MI355X" && f.rule == "implied-rate").unwrap();
    assert!(near.severity == Severity::Warning && near.message.contains("MI350X"), "{near:?}");
}

#[test]
fn halves_and_nodes_are_told_apart() {
    let rule = |value| rules(&with(H100, "fp64", "dense_peak_tera", value), H100)[0].0.clone();
    assert_eq!(rule("16.75"), "half-figure");
    assert_eq!(rule("268"), "node-figure");
    assert_eq!(rule("30"), "implied-rate");
}

#[test]
fn a_figure_copied_from_another_part_names_it() {
    let findings = with(H200, "bf16", "dense_peak_tera", "312");
    let copied = findings.iter().find(|f| f.rule == "copied-row").unwrap();
    assert!(copied.message.contains("A100"), "{}", copied.message);
    assert_eq!(copied.expected.as_deref(), Some("989.4 TFLOP/s"));
}

#[test]
fn a_whole_row_copied_from_another_part_is_seen_by_architecture_and_units() {
    let a100 = [
        ("arch", "8.0"),
        ("units", "108"),
        ("boost_clock_mhz", "1410"),
        ("tensor_clock_mhz", ""),
        ("tensor_clock_basis", ""),
    ];
    let findings = found(|device, _, column| {
        let copied = a100.iter().find(|(name, _)| *name == column && device == H200);
        copied.map(|(_, value)| (*value).to_owned())
    });
    let identity: Vec<_> =
        findings.iter().filter(|f| f.rule == "identity").map(|f| f.expected.clone().unwrap()).collect();
    assert_eq!(identity, ["1980 MHz", "9.0", "132"]);
}

#[test]
fn int8_below_16_bit_and_a_slower_narrow_format_are_errors() {
    let findings = with(H100, "int8", "dense_peak_tera", "989.4");
    assert!(
        rules(&with(H100, "int8", "dense_peak_tera", "900"), H100).iter().any(|r| r.0 == "int8-below-16-bit")
    );
    assert!(rules(&findings, H100).iter().any(|r| r.0 == "half-figure"));
    let tf32 = with("TPU v6 lite", "fp8", "dense_peak_tera", "400");
    assert!(rules(&tf32, "TPU v6 lite").iter().any(|r| r.0 == "ordering"));
}

#[test]
fn a_cuda_core_figure_in_a_matrix_row_is_an_error() {
    let findings = with("NVIDIA A40", "bf16", "dense_peak_tera", "37.4");
    assert!(rules(&findings, "NVIDIA A40").iter().any(|r| r.0 == "vector-as-matrix"));
}

#[test]
fn a_format_that_the_architecture_lacks_is_an_error() {
    let findings = with("NVIDIA A100-SXM4-80GB", "int4", "dtype", "fp8");
    let findings: Vec<_> = findings.iter().filter(|f| f.rule == "no-such-unit").collect();
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn one_die_of_two_is_a_warning_that_names_the_package() {
    let findings = found(|device, _, column| {
        (device == "AMD Instinct MI250X" && column == "units").then(|| "110".to_owned())
    });
    assert!(findings.iter().any(|f| f.rule == "per-die" && f.expected.as_deref() == Some("220")));
    assert!(findings.iter().any(|f| f.rule == "sparse-as-dense"), "and its figures are of the package");
}

/// A table of parts that nobody knows: name, units, figure.
fn unknown(parts: &[(&str, &str)]) -> Vec<TableFinding> {
    let mut text = COLUMNS.join(",") + "\n";
    for (name, tera) in parts {
        let cell = |column: &str| match column {
            "vendor" => "NewCo",
            "device_name" => name,
            "arch" => "N1",
            "units" => "100",
            "boost_clock_mhz" => "1000",
            "dtype" => "bf16",
            "accumulate" => "fp32",
            "dense_peak_tera" => tera,
            "unit" => "TFLOP/s",
            "published_with_sparsity_and_halved" => "no",
            "source_title" | "source_url" => "x",
            "evidence" => "read",
            _ => "",
        };
        writeln!(text, "{}", COLUMNS.map(cell).join(",")).unwrap();
    }
    check(&read(&text).unwrap()).unwrap()
}

#[test]
fn siblings_of_an_unknown_architecture_are_held_against_each_other() {
    assert_eq!(unknown(&[("N100", "100"), ("N200", "100"), ("N300", "101")]), []);
    let findings = unknown(&[("N100", "100"), ("N200", "200"), ("N300", "100")]);
    let sibling = &rules(&findings, "N200")[0];
    assert_eq!((sibling.0.as_str(), sibling.2.as_deref()), ("siblings-disagree", Some("100.0 TFLOP/s")));
    assert_eq!(findings.len(), 1, "the majority is not accused: {findings:#?}");
}

#[test]
fn a_figure_that_no_unit_of_any_generation_reaches_is_an_error() {
    let rename = |value: &'static str| {
        found(move |device, dtype, column| match (device == H100, column) {
            (true, "device_name") => Some("NVIDIA X100".to_owned()),
            (true, "arch") => Some("13.0".to_owned()),
            (true, "dense_peak_tera") if dtype == "bf16" => Some(value.to_owned()),
            _ => None,
        })
    };
    assert!(rules(&rename("989.4"), "NVIDIA X100").is_empty());
    for value in ["989400", "0.9894", "98.9"] {
        assert_eq!(rules(&rename(value), "NVIDIA X100")[0].0, "implausible-rate", "{value}");
    }
}

#[test]
fn a_table_without_rate_classes_is_judged_by_name() {
    let findings = found(|_, _, column| (column == "rate_class").then(String::new));
    assert!(!findings.iter().any(|f| f.severity == Severity::Error), "{findings:#?}");
}

#[test]
fn a_rated_clock_above_the_highest_clock_is_an_error() {
    let findings = found(|device, dtype, column| match (device == H100 && dtype == "bf16", column) {
        (true, "tensor_clock_mhz") => Some("2100".to_owned()),
        (true, "dense_peak_tera") => Some("1135.4".to_owned()),
        _ => None,
    });
    let found = &rules(&findings, H100)[0];
    assert_eq!(
        (found.0.as_str(), found.2.as_deref()),
        ("above-maximum-clock", Some("at most 1.071 PFLOP/s"))
    );
}

#[test]
fn a_figure_without_provenance_and_a_shared_id_are_found() {
    let findings = with(H100, "bf16", "source_url", "");
    assert_eq!(rules(&findings, H100)[0].0, "missing-provenance");
    let findings = with(H200, "", "pci_device_id", "2330");
    assert!(findings.iter().any(|f| f.rule == "shared-pci-id" && f.severity == Severity::Error));
    let findings = with(H200, "bf16", "units", "131");
    assert!(rules(&findings, H200).iter().any(|r| r.0 == "device-fields"));
    let findings = with(H200, "bf16", "unit", "TOP/s");
    assert_eq!(rules(&findings, H200)[0].0, "unit");
}

#[test]
fn columns_in_any_order_extra_ones_a_byte_order_mark_and_crlf_are_read() {
    let mut order: Vec<usize> = (0..COLUMNS.len()).rev().collect();
    order.swap(0, 5);
    let plain = table(|_, _, _| None);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(plain.as_bytes());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        writer.write_record(order.iter().map(|at| &record[*at]).chain(["extra, \"column\""])).unwrap();
    }
    let text = format!("\u{feff}{}", String::from_utf8(writer.into_inner().unwrap()).unwrap());
    assert_eq!(check(&read(&text).unwrap()).unwrap(), found(|_, _, _| None));
}

#[test]
fn a_file_that_is_no_such_table_is_refused_with_line_and_column() {
    let cell = |column: &'static str, value: &'static str| {
        table(move |d, f, c| (d == H100 && f == "bf16" && c == column).then(|| value.to_owned()))
    };
    let line =
        1 + table(|_, _, _| None).lines().position(|l| l.contains(H100) && l.contains("\"bf16\"")).unwrap();
    for (column, value) in [
        ("dense_peak_tera", "NaN"),
        ("dense_peak_tera", "inf"),
        ("dense_peak_tera", "-1"),
        ("dense_peak_tera", ""),
        ("dense_peak_tera", "0"),
        ("dense_peak_tera", "1,978.9"),
        ("units", "13.2"),
        ("units", "0"),
        ("boost_clock_mhz", "-5"),
        ("memory_gb", "eighty"),
        ("dtype", "bf17"),
        ("accumulate", "fp8"),
        ("unit", "GFLOP/s"),
        ("evidence", "seen"),
        ("published_with_sparsity_and_halved", "maybe"),
        ("device_name", ""),
    ] {
        let error = read(&cell(column, value)).unwrap_err();
        let FileError::Content { line: at, column: place, message, .. } = &error else { panic!("{error}") };
        assert_eq!(*at, line, "{error}");
        assert!(*place > 1 || column == "vendor", "{error}");
        assert!(message.starts_with(column), "{error}");
    }
}

#[test]
fn missing_columns_duplicates_and_empty_tables_are_refused() {
    let plain = table(|_, _, _| None);
    for column in COLUMNS {
        let error = read(&plain.replacen(column, "other", 1)).unwrap_err().to_string();
        assert!(error.contains(column), "{error}");
    }
    let twice = plain.replacen("note", "arch", 1);
    assert!(read(&twice).is_err(), "one column twice");
    let last = plain.lines().last().unwrap();
    let error = read(&format!("{plain}{last}\n")).unwrap_err().to_string();
    assert!(error.contains("already has a row"), "{error}");
    assert!(read("").is_err());
    assert!(read(&format!("{}\n", COLUMNS.join(","))).unwrap_err().to_string().contains("no rows"));
    assert!(read(&format!("{plain}a,b\n")).unwrap_err().to_string().contains("2 fields"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.csv");
    std::fs::write(&path, [plain.as_bytes(), b"caf\xe9\n"].concat()).unwrap();
    assert!(matches!(read_table(&path), Err(FileError::NotUtf8 { .. })));
}

proptest! {
    #[test]
    fn any_text_gives_rows_or_an_error_and_no_panic(lines in proptest::collection::vec("[ -~]{0,60}", 0..6)) {
        let _ = read(&lines.join("\n"));
        let _ = read(&format!("{}\n{}", COLUMNS.join(","), lines.join("\n")));
    }
}
