//! Training runs through the command line: published values, limits, routes, lineage, exports, bad files.

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::flopgauge;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), format!("format = \"flopgauge.training/1\"\n{text}"))
            .unwrap();
    }

    fn judged(&self, arguments: &[&str]) -> Value {
        let mut command = flopgauge();
        command.current_dir(self.0.path()).arg("training").args(arguments);
        let run = command.args(["--json", "--as-of", "2026-11-24"]).assert().code(0);
        serde_json::from_slice(&run.get_output().stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let mut command = flopgauge();
        let run =
            command.current_dir(self.0.path()).arg("training").args(arguments).arg("--json").assert().code(2);
        assert!(run.get_output().stdout.is_empty());
        String::from_utf8_lossy(&run.get_output().stderr).into_owned()
    }
}

fn judge(text: &str) -> Value {
    let files = Files::new();
    files.write("run.toml", text);
    files.judged(&["run.toml"])
}

fn model(parameters: &str, more: &str, tokens: &str) -> String {
    format!(
        "[model]\nparameters = \"{parameters}\"\n{more}\n[[phase]]\nkind = \"pretraining\"\ntokens = \"{tokens}\"\n"
    )
}

fn find<'a>(judged: &'a Value, rule: &str) -> &'a Value {
    judged["determinations"].as_array().unwrap().iter().find(|d| d["rule"] == rule).unwrap()
}

fn verdict(judged: &Value, rule: &str) -> String {
    find(judged, rule)["verdict"].as_str().unwrap().to_owned()
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn six_n_d_agrees_with_published_values() {
    for (name, parameters, more, tokens, exact) in [
        ("GPT-3", "174.6e9", "", "300e9", "314280000000000000000000"),
        ("Llama 3.1 405B", "405e9", "", "15.6e12", "37908000000000000000000000"),
        ("DeepSeek-V3", "671e9", "active_parameters = \"37e9\"", "14.8e12", "3285600000000000000000000"),
        ("its total parameters", "671e9", "", "14.8e12", "59584800000000000000000000"),
        ("DeepSeek-V4-Pro", "49e9", "", "33e12", "9702000000000000000000000"),
        ("Nemotron-4 340B", "340e9", "", "9e12", "18360000000000000000000000"),
        ("Llama 2-70B", "70e9", "", "2e12", "840000000000000000000000"),
        ("Chinchilla", "70e9", "", "1.4e12", "588000000000000000000000"),
        ("Gopher", "280e9", "", "300e9", "504000000000000000000000"),
        ("xTrimoPGLM", "100e9", "", "1e12", "600000000000000000000000"),
        ("EU example A", "3.8e9", "", "3.3e12", "75240000000000000000000"),
    ] {
        assert_eq!(judge(&model(parameters, more, tokens))["architecture"]["best"], exact, "{name}");
    }
    let example_g = model("2.6e9", "", "61e9") + "epochs = 164\n";
    assert_eq!(judge(&example_g)["architecture"]["best"], "156062400000000000000000");
}

#[test]
fn the_total_of_a_mixture_of_experts_would_cross_the_european_limit_and_its_active_part_does_not() {
    let active = judge(&model("671e9", "active_parameters = \"37e9\"", "14.8e12"));
    assert_eq!(verdict(&active, "EU-51"), "not-met");
    assert!(active["warnings"].to_string().contains("mixture of experts"));
    assert_eq!(verdict(&judge(&model("671e9", "", "14.8e12")), "EU-51"), "met");
}

#[test]
fn one_operation_decides_at_ten_to_the_26() {
    let at = |tokens: &str| {
        let judged = judge(&model("1e12", "", tokens));
        (
            verdict(&judged, "BIS-2024-proposed"),
            find(&judged, "BIS-2024-proposed")["low"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(at("16666666666667"), ("met".to_owned(), "100000000000002000000000000".to_owned()));
    assert_eq!(at("16666666666666"), ("not-met".to_owned(), "99999999999996000000000000".to_owned()));
    let published =
        |operations: &str| judge(&format!("[published]\nbest = \"{operations}\"\nsource = \"a test\"\n"));
    for (operations, expected) in [
        ("1e26", "not-met"),
        ("99999999999999999999999999", "not-met"),
        ("100000000000000000000000001", "met"),
    ] {
        let judged = published(operations);
        for rule in ["BIS-2024-proposed", "EO-14110", "CA-SB53", "NY-2026", "IL", "CT"] {
            assert_eq!(verdict(&judged, rule), expected, "{rule} {operations}");
        }
    }
}

#[test]
fn the_european_margin_and_published_ranges_leave_verdicts_open() {
    let published = |text: &str| judge(&format!("[published]\n{text}\nsource = \"a test\"\n"));
    let eu = |best: &str| {
        let judged = published(&format!("best = \"{best}\""));
        let found = find(&judged, "EU-51");
        (found["verdict"].as_str().unwrap().to_owned(), found["high"].as_str().unwrap().to_owned())
    };
    assert_eq!(eu("8e24"), ("undetermined".to_owned(), "10400000000000000000000000".to_owned()));
    assert_eq!(eu("7.6e24"), ("not-met".to_owned(), "9880000000000000000000000".to_owned()));
    assert_eq!(eu("9.702e24").0, "undetermined");
    let gpt4 = published("low = \"8.2e24\"\nbest = \"2.1e25\"\nhigh = \"4.4e25\"");
    assert_eq!(verdict(&gpt4, "EU-51"), "undetermined");
    let opus = published("low = \"5e25\"\nbest = \"1e26\"\nhigh = \"2e26\"");
    assert_eq!(verdict(&opus, "BIS-2024-proposed"), "undetermined");
    assert!(find(&opus, "BIS-2024-proposed")["depends_on"].to_string().contains("published range"));
    for (best, name) in [("5.0e26", "Grok 4"), ("3.8e26", "GPT-4.5"), ("3.5e26", "Grok 3")] {
        assert_eq!(verdict(&published(&format!("best = \"{best}\"")), "BIS-2024-proposed"), "met", "{name}");
    }
}

#[test]
fn the_general_purpose_and_biological_limits_fall_as_their_examples_do() {
    assert_eq!(verdict(&judge(&model("3.8e9", "", "3.3e12")), "EU-GPAI"), "not-met");
    assert_eq!(verdict(&judge(&(model("2.6e9", "", "61e9") + "epochs = 164\n")), "EU-GPAI"), "met");
    let protein = judge(&model("100e9", "primarily_biological = true", "1e12"));
    let tests: Vec<_> =
        protein["determinations"].as_array().unwrap().iter().filter(|d| d["rule"] == "EO-14110").collect();
    assert_eq!(tests.len(), 2);
    assert_eq!(tests.iter().find(|d| d["test"] == "biological").unwrap()["verdict"], "met");
}

const H100: &str = "[[device]]\nname = \"H100\"\ndeclared_by = \"the test\"\n\
    theoretical_op_per_s = { bf16 = \"989.4e12\", fp8e4m3 = \"1979e12\" }\n";

fn usage(hours: &str, more: &str) -> String {
    format!("[[usage]]\ndevice = \"H100\"\ndevice_hours = \"{hours}\"\n{more}\n{H100}")
}

#[test]
fn device_hours_give_an_estimate_with_the_whole_peak_as_its_high_end() {
    for (utilisation, low) in [("0.38", 4.17e25), ("0.40", 4.39e25), ("0.43", 4.72e25)] {
        let judged = judge(&usage("30.84e6", &format!("utilisation = {utilisation}")));
        let hardware = &judged["hardware"];
        assert!((number(&hardware["low"]) / low - 1.0).abs() < 2e-3, "{utilisation}: {hardware}");
        assert_eq!(hardware["high"], "109847145600000000000000000", "{hardware}");
        assert_eq!(verdict(&judged, "BIS-2024-proposed"), "undetermined");
        assert!(find(&judged, "BIS-2024-proposed")["depends_on"].to_string().contains("utilisation"));
    }
}

#[test]
fn the_architecture_leads_where_both_are_known_and_the_other_route_is_named() {
    let text = model("405e9", "layers = 126\nd_model = 16384\nsequence_length = 8192", "15.6e12")
        + &usage("30.84e6", "utilisation = [0.38, 0.43]");
    let judged = judge(&text);
    let bis = find(&judged, "BIS-2024-proposed");
    assert_eq!(judged["headline"]["method"], "architecture");
    assert_eq!(judged["headline"]["operations"], "3.8e25");
    assert_eq!(bis["verdict"], "not-met");
    assert_eq!(bis["verdict_by_method"]["hardware"], "undetermined");
    let agreement = judged["agreement"].as_f64().unwrap();
    assert!((1.10..1.25).contains(&agreement), "{agreement}");
    // Attention adds 8.4 % in full and 4.2 % when causal.
    let share =
        |judged: &Value| number(&judged["architecture"]["high"]) / number(&judged["architecture"]["best"]);
    assert!((share(&judged) - 1.084).abs() < 1e-3);
    let causal = judge(&text.replace("layers = 126", "layers = 126\ncausal = true"));
    assert!((share(&causal) - 1.042).abs() < 1e-3);
}

#[test]
fn estimates_that_disagree_are_warned_of() {
    let text = model("280e9", "", "300e9") + &usage("1e6", "utilisation = 0.9");
    assert!(judge(&text)["warnings"].to_string().contains("up to 1.7 is usual"));
}

#[test]
fn recomputation_rollouts_and_synthetic_data_count_as_each_rule_says() {
    let text = "[model]\nparameters = \"1e12\"\n[[phase]]\nkind = \"pretraining\"\ntokens = \"1e12\"\nrecompute = \"full\"\n\
        [[phase]]\nkind = \"reinforcement-learning\"\ntokens = \"1e11\"\nrollout_tokens = \"5e11\"\n\
        [[phase]]\nkind = \"synthetic-data\"\ntokens = \"1e12\"\n";
    let judged = judge(text);
    let ends = |rule: &str| (number(&find(&judged, rule)["low"]), number(&find(&judged, rule)["high"]));
    // BIS: low is the pretraining run alone; high adds recomputation, the other run, its rollouts and the samples.
    assert_eq!(ends("BIS-2024-proposed"), (6.0e24, 1.16e25));
    // SB 53 sums runs and counts rollouts always.
    assert_eq!(ends("CA-SB53"), (7.6e24, 1.16e25));
    // The EU leaves recomputation out and counts samples, with its margin.
    let eu = 6.0e24 + 0.6e24 + 1.0e24 + 2.0e24;
    let (low, high) = ends("EU-51");
    assert!((low / (0.7 * eu) - 1.0).abs() < 1e-12 && (high / (1.3 * eu) - 1.0).abs() < 1e-12);
    let public = judge(&format!("{text}publicly_accessible = true\n"));
    assert!(number(&find(&public, "EU-51")["high"]) < high);
    let integer = judge(&(model("1e12", "", "1e13") + "precision = \"int8\"\n"));
    assert_eq!(
        (find(&integer, "EU-51")["high"].as_str(), verdict(&integer, "BIS-2024-proposed").as_str()),
        (Some("0"), "not-met")
    );
    assert_eq!(find(&integer, "CA-SB53")["low"], "60000000000000000000000000");
}

#[test]
fn ranges_of_tokens_and_parameters_are_named_contributions() {
    let text = "[model]\nparameters = [\"1e12\", \"1.2e12\"]\n[[phase]]\nkind = \"pretraining\"\ntokens = [\"15e12\", \"17e12\"]\n";
    let judged = judge(text);
    assert_eq!(judged["architecture"]["low"], "90000000000000000000000000");
    assert_eq!(judged["architecture"]["best"], "105600000000000000000000000");
    assert_eq!(judged["architecture"]["high"], "122400000000000000000000000");
    let bis = find(&judged, "BIS-2024-proposed");
    assert_eq!(bis["verdict"], "undetermined");
    assert_eq!(bis["depends_on"], serde_json::json!(["tokens", "parameters"]));
    let width = |name: &str| {
        let all = judged["contributions"].as_array().unwrap();
        all.iter().find(|c| c["name"] == name).unwrap()["operations"].as_str().unwrap().to_owned()
    };
    assert_eq!(width("tokens"), "13200000000000000000000000");
    assert_eq!(width("parameters"), "19200000000000000000000000");
}

#[test]
fn the_input_embedding_table_is_left_out_where_the_rule_does_and_both_are_printed() {
    let judged = judge(&model("10e9", "embedding_parameters = \"1e9\"", "1e12"));
    let low = |rule: &str| find(&judged, rule)["low"].as_str().unwrap().to_owned();
    assert_eq!(low("BIS-2024-proposed"), "54000000000000000000000");
    assert_eq!(low("EU-51"), "42000000000000000000000");
    let steps = find(&judged, "BIS-2024-proposed")["steps"].to_string();
    assert!(steps.contains("with the input embedding table it would be 60000000000000000000000"), "{steps}");
}

#[test]
fn splitting_a_run_does_not_lower_the_lineage_sum() {
    let files = Files::new();
    files.write("whole.toml", &model("1e12", "", "20e12"));
    files.write("first.toml", &model("1e12", "name = \"first\"", "10e12"));
    files.write("second.toml", &format!("lineage = [\"first.toml\"]\n{}", model("1e12", "", "10e12")));
    let (whole, split) = (files.judged(&["whole.toml"]), files.judged(&["second.toml"]));
    assert_eq!(whole["lineage"]["best"], split["lineage"]["best"]);
    assert_eq!(split["lineage"]["runs"].as_array().unwrap().len(), 2);
    assert_eq!(verdict(&whole, "BIS-2024-proposed"), "met");
    assert_eq!(verdict(&split, "BIS-2024-proposed"), "undetermined");
    assert!(find(&split, "BIS-2024-proposed")["depends_on"].to_string().contains("what one run is"));
    assert_eq!(verdict(&split, "CA-SB53"), "met");
    files.write("first.toml", &format!("lineage = [\"second.toml\"]\n{}", model("1e12", "", "10e12")));
    let error = files.refused(&["second.toml"]);
    assert!(error.contains("first.toml:2:12: lineage:") && error.contains("may not lead back"), "{error}");
}

#[test]
fn a_modification_is_compared_with_a_third_of_the_original() {
    let modified = |tokens: &str, original: &str| {
        let text = format!(
            "[model]\nparameters = \"1e12\"\n[original]\n{original}\n[[phase]]\nkind = \"fine-tuning\"\ntokens = \"{tokens}\"\n"
        );
        verdict(&judge(&text), "EU-modification")
    };
    // 6e12 x tokens against a third of 3e24.
    assert_eq!(modified("166666666666", "operations = \"3e24\""), "not-met");
    assert_eq!(modified("166666666667", "operations = \"3e24\""), "met");
    assert_eq!(modified("166666666667", "operations = [\"2e24\", \"4e24\"]"), "undetermined");
    assert_eq!(modified("555555555555", "systemic_risk = true"), "not-met");
    assert_eq!(modified("555555555556", "systemic_risk = true"), "met");
    assert_eq!(modified("5555555555", "systemic_risk = false"), "not-met");
    assert_eq!(modified("5555555556", "systemic_risk = false"), "met");
}

#[test]
fn the_first_new_york_text_needs_the_cost_too() {
    let at = |cost: &str| verdict(&judge(&format!("{cost}\n{}", model("1e12", "", "20e12"))), "NY-2025");
    assert_eq!(at(""), "undetermined");
    assert_eq!(at("compute_cost_usd = 100000000"), "not-met");
    assert_eq!(at("compute_cost_usd = \"100000001\""), "met");
}

#[test]
fn device_hours_come_from_an_export() {
    let files = Files::new();
    let export = "JobID|Start|End|ElapsedRaw|AllocTRES|State\n\
        7|2026-01-01T00:00:00|2026-01-11T00:00:00|864000|billing=8,gres/gpu:h100=1000,gres/gpu=1000|TIMEOUT\n\
        7.batch|2026-01-01T00:00:00|2026-01-11T00:00:00|864000|gres/gpu=1000|CANCELLED\n\
        8|2026-01-11T00:00:00|2026-01-12T00:00:00|86400|gres/gpu=1000|NODE_FAIL\n";
    std::fs::write(files.0.path().join("jobs.txt"), export).unwrap();
    files.write("run.toml", &format!("[[usage]]\ndevice = \"H100\"\nutilisation = 0.4\n{H100}"));
    let judged = files.judged(&["run.toml", "--sacct", "jobs.txt"]);
    // 864e6 device seconds at 0.4 of 989.4e12, and at most all of them and the failed ones at the whole peak.
    assert_eq!(judged["hardware"]["best"], "341936640000000000000000");
    assert_eq!(judged["hardware"]["high"], "940325760000000000000000");
    assert!(judged["projected_crossing"]["BIS-2024-proposed"].as_str().unwrap().starts_with("203"));
    assert!(files.refused(&["run.toml"]).contains("device_hours: missing"));
    std::fs::write(files.0.path().join("jobs.txt"), export.replace("|86400|", "|1-00:00|")).unwrap();
    assert!(files.refused(&["run.toml", "--sacct", "jobs.txt"]).contains("jobs.txt:4:1: ElapsedRaw"));
}

#[test]
fn dates_give_the_day_of_crossing() {
    let text = model("1e12", "", "2e12") + "start = 2026-01-01\nend = \"2026-01-10\"\n";
    let judged = judge(&text);
    // 1.2e24 a day: 1e26 is passed within the 84th day.
    assert_eq!(judged["projected_crossing"]["BIS-2024-proposed"], "2026-03-25");
    assert_eq!(judged["projected_crossing"]["EU-51"], "2026-01-09");
    assert_eq!(judge(&model("1e12", "", "2e12"))["projected_crossing"]["EU-51"], Value::Null);
}

#[test]
fn bad_training_files_are_refused_with_their_place() {
    let files = Files::new();
    for (text, words) in [
        (String::new(), "no estimate: architecture: no [model] parameters"),
        (model("1e12", "", "-1"), "run.toml:7:10: '-1'"),
        (model("1.5", "", "1"), "parameters: '1.5' is not a whole number"),
        (model("0", "", "1"), "parameters: 0 parameters"),
        (
            model("1e12", "active_parameters = \"2e12\"", "1"),
            "run.toml:4:21: active_parameters: more than parameters",
        ),
        (model("1e30", "", "1e30"), "out of range"),
        (model("1e12", "", "1e12") + "epoch = 2\n", "run.toml:8:1: unknown field `epoch`"),
        (model("1e12", "", "1e12") + "start = 2026-02-30\n", "run.toml:8:"),
        (model("1e12", "", "1e12") + "start = 2026-02-03\nend = 2026-02-01\n", "end: before start"),
        (usage("1e6", "utilisation = 1.5"), "utilisation: 1.5 to 1.5"),
        (usage("1e6", "utilisation = [0.5, 0.4]"), "utilisation: 0.5 to 0.4"),
        (usage("1e6", "utilisation = \"profile\""), "no calibrated profile of 'H100'"),
        (usage("1e6", "precision = \"fp64\""), "'H100' has no dense peak in fp64"),
        (
            usage("1e6", "").replace("device = \"H100\"", "device = \"H999\""),
            "run.toml:3:10: device: unknown device",
        ),
        ("[original]\n".to_owned() + &model("1e12", "", "1e12"), "original: give operations"),
        ("[published]\nlow = 3\nbest = 2\nsource = \"x\"\n".to_owned(), "out of order"),
        (
            "[published]\nbest = 1.0000000000000000001e26\nsource = \"x\"\n".to_owned(),
            "has more digits than a float keeps",
        ),
    ] {
        files.write("run.toml", &text);
        let error = files.refused(&["run.toml"]);
        assert!(error.contains(words), "{words}: {error}");
    }
    files.write("run.toml", &model("1e12", "", "20e12"));
    let mut command = flopgauge();
    command.current_dir(files.0.path()).args(["training", "run.toml", "--fail-on", "met"]).assert().code(10);
}

#[test]
fn published_device_hours_give_the_published_operations() {
    let at = |peak: &str, hours: &str, utilisation: &str, more: &str| {
        judge(&format!(
            "{more}[[usage]]\ndevice = \"d\"\ndevice_hours = \"{hours}\"\nutilisation = \"{utilisation}\"\n\
             [[device]]\nname = \"d\"\ndeclared_by = \"the test\"\ntheoretical_op_per_s = {{ bf16 = \"{peak}\" }}\n"
        ))
    };
    let near = |value: &Value, expected: f64| (number(value) / expected - 1.0).abs() < 1e-3;
    assert!(near(&at("311.84e12", "1720320", "0.40", "")["hardware"]["best"], 7.725e23), "Llama 2-70B");
    // 10^26 in H100 hours: at the whole peak, and at 0.40.
    assert!(near(&at("989.4e12", "28.08e6", "1", "")["hardware"]["best"], 1e26));
    assert!(near(&at("989.4e12", "70.19e6", "0.40", "")["hardware"]["best"], 1e26));
    assert!(near(&at("1979e12", "14.04e6", "1", "")["hardware"]["best"], 1e26));
    // A cluster of 10^20 OP/s flat out for 11.574 days: 100,000 devices of 10^15.
    assert!(near(&at("1e15", "27777777.78", "1", "")["hardware"]["best"], 1e26));
    // DeepSeek-V3: what its pre-training hours imply of the BF16 and the FP8 peak.
    let v3 = model("671e9", "active_parameters = \"37e9\"", "14.8e12");
    for (peak, implied) in [("989.4e12", "0.346"), ("1979e12", "0.173")] {
        let agreement = at(peak, "2664000", implied, &v3)["agreement"].as_f64().unwrap();
        assert!(agreement < 1.005, "{agreement}");
    }
}

#[test]
fn attention_of_gpt_3_adds_2_8_percent() {
    let judged = judge(&model("174.6e9", "layers = 96\nd_model = 12288\nsequence_length = 2048", "300e9"));
    let share = number(&judged["architecture"]["high"]) / number(&judged["architecture"]["best"]);
    assert!((share - 1.0277).abs() < 5e-4, "{share}");
}
