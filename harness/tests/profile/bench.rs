//! Records of made-up hardware, and the command run on them.

use std::path::{Path, PathBuf};

use flopgauge::device::DeviceKind;
use flopgauge::measure::{Measured, Outcome};
use flopgauge::profile::Profiles;
use flopgauge::record::{Directory, Ending, Measurement, Record};
use flopgauge::units::Seconds;
use flopgauge::workload::Work;
use uuid::Uuid;

use crate::commands::flopgauge;

/// A folder with the record of a scripted run, from which records of made-up hardware are written.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub scripted: Record,
}

impl Bench {
    /// A scripted run through the real binary.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/scripts/good.toml");
        let out = folder.path().join("scripted");
        let mut run = flopgauge();
        run.env("FLOPGAUGE_SCRIPT", script).args(["measure", "--device", "scripted:0", "--quick", "--out"]);
        run.arg(&out).assert().code(0);
        let scripted = Record::read(&out).unwrap();
        Self { folder, scripted }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issue rate, then product, of device `uuid`, with `change` made to each.
    pub fn lines(&self, uuid: u128, change: impl Fn(&mut Measurement)) -> Vec<Measurement> {
        let mut lines = self.scripted.measurements.clone();
        for line in &mut lines {
            line.device.kind = DeviceKind::Hardware;
            line.device.model = "Made-up 1".to_owned();
            line.device.uuid = Uuid::from_u128(uuid);
            change(line);
        }
        lines
    }

    /// A record of the given lines.
    pub fn write(&self, name: &str, lines: &[Measurement]) -> PathBuf {
        let path = self.path(name);
        let mut environment = self.scripted.environment.clone();
        environment.host.name = Some(name.to_owned());
        let ended = environment.ended.unwrap();
        let mut directory = Directory::create(&path, environment).unwrap();
        for line in lines {
            directory.add(line).unwrap();
        }
        directory.finish(ended, Ending::Complete).unwrap();
        path
    }

    /// A record of one device.
    pub fn record(&self, name: &str, uuid: u128, change: impl Fn(&mut Measurement)) -> PathBuf {
        self.write(name, &self.lines(uuid, change))
    }

    /// Exit code, profiles where there are any, and what was said on stderr.
    pub fn profile(&self, records: &[&PathBuf], options: &[&str]) -> (i32, Option<Profiles>, String) {
        let file = self.path("profile.json");
        let _ = std::fs::remove_file(&file);
        let mut run = flopgauge();
        let run = run.arg("profile").args(records).args(options).arg("-o").arg(&file).output().unwrap();
        let told = String::from_utf8(run.stderr).unwrap();
        (run.status.code().unwrap(), file.exists().then(|| Profiles::read(&file).unwrap()), told)
    }

    /// Exit code of a check, and what was said on stderr.
    pub fn check(&self, file: &str, records: &[&PathBuf]) -> (i32, String) {
        let mut run = flopgauge();
        let run = run.args(["profile", "--check"]).arg(self.path(file)).args(records).output().unwrap();
        (run.status.code().unwrap(), String::from_utf8(run.stderr).unwrap())
    }

    /// That every line is refused by `rule`, and nothing is written.
    pub fn refuses(&self, rule: &str, words: &str, change: impl Fn(&mut Measurement)) {
        let record = self.record(&format!("{rule}-{}", words.len()), 1, change);
        let (code, profiles, told) = self.profile(&[&record], &[]);
        assert_eq!((code, profiles.is_some()), (3, false), "{rule}: {told}");
        for number in [1, 2] {
            let place = format!("refused {}/measurements.jsonl:{number}: Made-up 1, fp32 ", record.display());
            let line = told.lines().find(|line| line.contains(&place)).expect(&told);
            assert!(line.contains(&format!(": {rule}: ")) && line.contains(words), "{line}");
        }
        assert!(told.contains("nothing could be calibrated: 2 lines refused, no file written"), "{told}");
    }
}

/// The measured outcome of a line.
pub fn measured(line: &mut Measurement) -> &mut Measured {
    let Outcome::Measured(measured) = &mut line.result else {
        unreachable!("every scripted line is measured")
    };
    measured
}

/// Makes a line `factor` times as fast.
pub fn faster(line: &mut Measurement, factor: f64) {
    for elapsed in &mut measured(line).samples.elapsed_s {
        *elapsed = Seconds::new(elapsed.get() / factor).unwrap();
    }
}

/// Gives a product another seed, and with it another identity.
pub fn reseed(line: &mut Measurement, new: u64) {
    if let Work::Gemm { seed, .. } = &mut line.request.work {
        *seed = new;
    }
    measured(line).case.work = line.request.work;
}

/// In tera, to three places.
pub fn tera(rate: f64) -> f64 {
    (rate / 1e9).round() / 1e3
}
