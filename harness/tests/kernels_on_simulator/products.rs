//! Dense products against the product by its definition.

use std::collections::BTreeSet;

use flopgauge::backend::cuda::rows::{Element, Gemm, TensorBox, leading};
use flopgauge::workload::{Distribution, Elements, GemmShape, Operand, Tolerance, operand, reference};

use flopgauge_simulator::tensor_map::{Swizzle, TensorMap};

use super::{Count, Form, GemmEngine, Layout, Machine, ROWS, Row, Target, compiler, module, target};

/// Rows as the kernel reads them, with NaN or large numbers between them, which no kernel may use.
fn padded(elements: &Elements, columns: u64, element: Element) -> Vec<u8> {
    let bytes = |count: u64| usize::try_from(count).unwrap() * element.bytes() as usize;
    let lead = bytes(leading(columns, element));
    elements
        .to_bytes()
        .chunks(bytes(columns))
        .flat_map(|row| [row, &vec![0x7f; lead - row.len()]].concat())
        .collect()
}

/// C without what stands between its rows.
fn read(bytes: &[u8], columns: u64, element: Element) -> Vec<f64> {
    let size = element.bytes() as usize;
    let lead = usize::try_from(leading(columns, element)).unwrap() * size;
    let rows = bytes.chunks_exact(lead).map(|row| &row[..usize::try_from(columns).unwrap() * size]);
    let number = |word: &[u8]| match element {
        Element::F64 => f64::from_le_bytes(word.try_into().unwrap()),
        Element::F32 => f32::from_le_bytes(word.try_into().unwrap()).into(),
        Element::I32 => i32::from_le_bytes(word.try_into().unwrap()).into(),
        other => panic!("no C of {other:?}"),
    };
    rows.flat_map(|row| row.chunks_exact(size).map(number)).collect()
}

/// Bytes of the tensor maps of A and B, as the simulated driver makes them.
fn maps(gemm: &Gemm, shape: GemmShape, layout: Layout, addresses: [u64; 2]) -> Vec<u8> {
    let map = |(tensor, address): (TensorBox, u64)| {
        // Numbers of the driver's enumeration: FLOAT16 and BFLOAT16.
        let data_type = if tensor.element == Element::Bf16 { 9 } else { 6 };
        let map = TensorMap {
            data_type,
            address,
            extents: vec![tensor.columns, tensor.rows],
            strides: vec![tensor.row_bytes],
            tile: vec![tensor.box_columns, tensor.box_rows],
            swizzle: Swizzle::Bytes128,
        };
        map.encode().unwrap()
    };
    gemm.maps(shape, layout).into_iter().zip(addresses).flat_map(map).collect()
}

/// C, what it should be with the greatest error allowed, and what was executed.
type Product = (Vec<f64>, Vec<(f64, f64)>, Count);

/// One product, or the fault that ended it.
fn product(
    machine: &mut Machine,
    row: &Row,
    (shape, layout, input): (GemmShape, Layout, Distribution),
) -> Result<Product, String> {
    let Form::Gemm(gemm) = row.form else { panic!("{} is no product", row.name) };
    let data = |which| operand(which, shape, layout, row.precision, (input, 11)).unwrap();
    let (a, b) = (data(Operand::A), data(Operand::B));
    let (_, columns) = shape.a_extents(layout);
    let leads = [(columns, gemm.operand), (shape.n(), gemm.operand), (shape.n(), gemm.result)];
    let [lead_a, lead_b, lead_c] = leads.map(|(columns, element)| leading(columns, element));
    let size = shape.m() * lead_c * u64::from(gemm.result.bytes());
    let from = [padded(&a, columns, gemm.operand), padded(&b, shape.n(), gemm.operand)];
    let [from_a, from_b] = from.map(|bytes| machine.uploaded(&bytes));
    let to = machine.global.allocate(size).unwrap();
    let mut parameters = Vec::new();
    let words = match gemm.engine {
        GemmEngine::Wgmma => {
            parameters.extend(maps(&gemm, shape, layout, [from_a, from_b]));
            parameters.extend(to.to_le_bytes());
            vec![shape.m(), shape.n(), shape.k(), lead_c]
        }
        _ => {
            parameters.extend([to, from_a, from_b].iter().flat_map(|p| p.to_le_bytes()));
            vec![shape.m(), shape.n(), shape.k(), lead_a, lead_b, lead_c]
        }
    };
    for word in words {
        parameters.extend(u32::try_from(word).unwrap().to_le_bytes());
    }
    let blocks = row.grid(shape).unwrap().blocks;
    let count = machine.launch([blocks, row.threads(), row.shared_bytes()], &parameters, shape.k())?;
    let bytes = machine.global.host_read(to, usize::try_from(size).unwrap()).unwrap();
    let found = read(bytes, shape.n(), gemm.result);
    let exact = reference(shape, layout, &a, &b).unwrap();
    let tolerance = Tolerance::of_units(row.precision, row.accumulate, shape.k());
    let expected =
        exact.values.iter().zip(&exact.scales).map(|(v, scale)| (*v, tolerance.bound(*scale))).collect();
    Ok((found, expected, count))
}

pub(super) fn wrong(
    machine: &mut Machine,
    row: &Row,
    target: &Target,
    mnk: [u64; 3],
    layout: Layout,
) -> Option<String> {
    let Form::Gemm(gemm) = row.form else { panic!("{} is no product", row.name) };
    let shape = GemmShape::new(mnk[0], mnk[1], mnk[2]).unwrap();
    for input in [Distribution::Normal, Distribution::Integers] {
        let at = format!("{} on {}, {shape} {} {}", row.name, target.name, layout.name(), input.name());
        let (found, expected, count) = match product(machine, row, (shape, layout, input)) {
            Ok(product) => product,
            Err(fault) => return Some(format!("{at}: {fault}")),
        };
        assert_eq!(found.len(), expected.len(), "{at}");
        // Integers leave nothing to round.
        let allowed = |bound: f64| if input == Distribution::Integers { 0.0 } else { bound };
        // A comparison that NaN fails.
        let bad = (0..found.len()).find(|i| {
            let (value, bound) = expected[*i];
            (found[*i] - value).abs().partial_cmp(&allowed(bound)).is_none_or(|order| order.is_gt())
        });
        if let Some(i) = bad {
            let (value, bound) = expected[i];
            return Some(format!("{at}: element {i} is {:e}, not {value:e} within {bound:e}", found[i]));
        }
        // Whole tiles are multiplied, whatever part of them the matrices fill.
        let tiles = [0, 1, 2].map(|i| mnk[i].next_multiple_of(gemm.block[i].into()));
        let executed = count.of(match gemm.engine {
            GemmEngine::Simt => "fma",
            GemmEngine::Mma => "mma",
            GemmEngine::Wgmma => "wgmma",
        });
        let counted = (machine.host.account)(2 * tiles.iter().copied().map(u128::from).product::<u128>());
        if u128::from(executed) != counted {
            return Some(format!("{at}: {executed} operations for tiles of {tiles:?}"));
        }
    }
    None
}

#[test]
fn every_product_agrees_with_its_definition_and_multiplies_whole_tiles() {
    let Some(nvrtc) = compiler() else { return };
    let (mut complaints, mut looked_at) = (Vec::new(), BTreeSet::new());
    for target in ["sm_80", "sm_89", "sm_90a", "sm_100a", "sm_120a"].map(target) {
        for row in ROWS.iter().filter(|row| matches!(row.form, Form::Gemm(_)) && row.runs_on(target)) {
            // More than one tile in each direction with nothing whole; once for each row one tile,
            // a single element, and more of K than stages hold.
            let shapes: &[_] = if looked_at.insert(row.name) {
                &[[131, 137, 77], [128, 128, 128], [1, 1, 1], [33, 40, 700]]
            } else {
                &[[131, 137, 77]]
            };
            for layout in [Layout::Nn, Layout::Tn] {
                let mut machine = Machine::new(module(&nvrtc, &row.source, &row.options(target, layout)));
                complaints.extend(shapes.iter().filter_map(|s| wrong(&mut machine, row, target, *s, layout)));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let products = ROWS.iter().filter(|row| matches!(row.form, Form::Gemm(_)));
    assert_eq!(looked_at.len(), products.count(), "only {looked_at:?}");
}
