//! From a row to the text of a shader.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use sha2::{Digest, Sha256};

use super::table::{Kernel, Shader};
use crate::precision::{Accumulate, Precision};

/// A shader's template that does not give a text: a defect of this program.
#[derive(Debug, thiserror::Error)]
#[error("shader {shader}: {message}")]
pub struct TemplateError {
    shader: &'static str,
    message: String,
}

const fn source(shader: Shader) -> (&'static str, &'static str) {
    match shader {
        Shader::Issue => ("issue.wgsl", include_str!("../../../shaders/issue.wgsl")),
        Shader::IssueDot => ("issue_dot.wgsl", include_str!("../../../shaders/issue_dot.wgsl")),
        Shader::IssueCoop => ("issue_coop.wgsl", include_str!("../../../shaders/issue_coop.wgsl")),
        Shader::Direct => ("gemm_direct.wgsl", include_str!("../../../shaders/gemm_direct.wgsl")),
        Shader::Tiled => ("gemm_tiled.wgsl", include_str!("../../../shaders/gemm_tiled.wgsl")),
        Shader::Dot => ("gemm_dot.wgsl", include_str!("../../../shaders/gemm_dot.wgsl")),
        Shader::Coop => ("gemm_coop.wgsl", include_str!("../../../shaders/gemm_coop.wgsl")),
        Shader::Copy => ("copy.wgsl", include_str!("../../../shaders/copy.wgsl")),
    }
}

/// Which form of a row's shader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Its operations also go to an atomic counter behind the last binding.
    pub counted: bool,
    /// A is stored transposed, [k, m]; of no meaning where there is no product.
    pub transposed: bool,
}

/// The WGSL of a row.
///
/// Errors: [`TemplateError`].
pub fn render(kernel: &Kernel, variant: Variant) -> Result<String, TemplateError> {
    let (name, text) = source(kernel.shader);
    let failed = |error: minijinja::Error| TemplateError { shader: name, message: format!("{error:#}") };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(failed)?);
    let (operand, result) = (scalar(kernel.precision), sum(kernel.accumulate));
    let wide = if operand == "f64" { "f64" } else { "f32" };
    let vector = |scalar: &str| match kernel.width {
        0 | 1 => scalar.to_owned(),
        width => format!("vec{width}<{scalar}>"),
    };
    let mut enables = Vec::new();
    if [operand, result].contains(&"f16") {
        enables.push("f16");
    }
    let values = context! {
        counted => variant.counted,
        transposed => variant.transposed,
        enables,
        operand,
        result,
        scalar => operand,
        vector => vector(operand),
        sum => if kernel.method() == crate::workload::Method::Issue { wide.to_owned() } else { format!("vec4<{result}>") },
        sum_vector => vector(wide),
        size => kernel.size,
        subgroup => kernel.subgroup,
        chains => kernel.chains,
        unroll => kernel.unroll,
        width => kernel.width,
        wx => kernel.wx,
        wy => kernel.wy,
        tm => kernel.tm,
        tn => kernel.tn,
        bm => kernel.bm(),
        bn => kernel.bn(),
        bk => kernel.bk,
    };
    environment.render_str(text, values).map_err(failed)
}

/// Hash of the shaders of these rows: their templates and all that the rows put into them.
pub(super) fn sources(kernels: &[Kernel]) -> String {
    let mut hash = Sha256::new();
    for kernel in kernels {
        hash.update(format!("{kernel:?}{}", source(kernel.shader).1));
    }
    // The generator of the text and the compiler of it come with the version.
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

const fn scalar(precision: Precision) -> &'static str {
    match precision {
        Precision::Fp64 => "f64",
        Precision::Fp16 => "f16",
        _ => "f32",
    }
}

const fn sum(accumulate: Accumulate) -> &'static str {
    match accumulate {
        Accumulate::Fp64 => "f64",
        Accumulate::Fp32 => "f32",
        Accumulate::Fp16 => "f16",
        // WGSL has no such type: the compiler names it, should a row ever ask.
        Accumulate::Bf16 => "bf16",
        Accumulate::Int32 => "i32",
    }
}
