//! Deliberate defects (`mutations.toml`): the checks of this module must catch each of them, in their own words.

use std::panic::{AssertUnwindSafe, catch_unwind};

use flopgauge::backend::cuda::nvrtc::Nvrtc;
use serde::Deserialize;

use super::{Form, Layout, Machine, ROWS, Source, compiler, issue, module, products, target};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    name: String,
    row: String,
    target: String,
    option: Option<String>,
    find: Option<String>,
    replace: Option<String>,
    caught: String,
}

#[derive(Deserialize)]
struct List {
    mutation: Vec<Mutation>,
}

/// What the checks say of a mutated kernel; `None` where they find nothing wrong.
fn complaint(nvrtc: &Nvrtc, mutation: &Mutation) -> Option<String> {
    let row = ROWS.iter().find(|row| row.name == mutation.row).unwrap();
    let target = target(&mutation.target);
    assert!(row.runs_on(target), "{}", mutation.name);
    let mut text = row.source.text.to_owned();
    if let (Some(find), Some(replace)) = (&mutation.find, &mutation.replace) {
        assert_eq!(text.matches(find).count(), 1, "{}: what is to be found", mutation.name);
        text = text.replace(find, replace);
    }
    let mut options = row.options(target, Layout::Nn);
    if let Some(option) = &mutation.option {
        let (name, _) = option.split_once('=').unwrap();
        let place = options.iter().position(|given| given.split('=').next() == Some(name)).unwrap();
        assert_ne!(options[place], *option, "{}", mutation.name);
        options[place].clone_from(option);
    }
    assert!(text != row.source.text || mutation.option.is_some(), "{}: nothing is changed", mutation.name);
    // A test's text may live as long as the test.
    let source = Source { text: text.leak(), ..row.source };
    let mut machine = Machine::new(module(nvrtc, &source, &options));
    let check = || match row.form {
        Form::Gemm(_) => products::wrong(&mut machine, row, target, [131, 137, 77], Layout::Nn),
        _ => issue::wrong(&mut machine, row, target, (2, 3)),
    };
    // A fault of a kernel ends the check by a panic that carries its words.
    let words = |panic: Box<dyn std::any::Any + Send>| panic.downcast_ref::<String>().cloned();
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(words)
}

#[test]
fn every_deliberate_defect_is_caught_by_the_check_that_is_named() {
    let Some(nvrtc) = compiler() else { return };
    let text = include_str!("mutations.toml");
    let list: List = toml::from_str(text).unwrap();
    let mut missed = Vec::new();
    for mutation in &list.mutation {
        match complaint(&nvrtc, mutation) {
            Some(words) if words.contains(&mutation.caught) && !mutation.caught.is_empty() => {}
            other => missed.push(format!("{}: {other:?}", mutation.name)),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(list.mutation.len() > 10);
}
