//! Scripts that start an acceptance on many nodes, as a site copies and edits them.

use include_dir::{Dir, include_dir};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/harness/accept/templates");

/// A file to copy and edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// File name.
    pub name: &'static str,
    /// The whole file.
    pub text: &'static str,
}

impl Template {
    /// Every template, by name.
    pub fn all() -> Vec<Self> {
        let of = |file: &'static include_dir::File<'static>| {
            Some(Self { name: file.path().to_str()?, text: file.contents_utf8()? })
        };
        let mut all: Vec<Self> = TEMPLATES.files().filter_map(of).collect();
        all.sort_by_key(|template| template.name);
        all
    }

    /// The first line that it says of itself.
    pub fn summary(&self) -> &'static str {
        let said = |line: &&str| !line.is_empty() && !line.starts_with("#!") && !line.starts_with("#SBATCH");
        let first = self.text.lines().find(said).unwrap_or_default();
        first.trim_matches(['#', '"', ' '])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_carried_and_says_what_it_is() {
        let all = Template::all();
        let names: Vec<_> = all.iter().map(|template| template.name).collect();
        let expected = [
            "accept.sbatch",
            "healthcheck.sh",
            "kubernetes.yaml",
            "mpirun.sh",
            "prolog.sh",
            "reframe_accept.py",
        ];
        assert_eq!(names, expected);
        for template in all {
            let summary = template.summary();
            assert!(summary.starts_with(char::is_uppercase) && summary.len() < 110, "{summary}");
            assert!(template.text.ends_with('\n'), "{}", template.name);
        }
    }
}
