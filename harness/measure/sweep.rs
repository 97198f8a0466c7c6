//! Sets of shapes that find where a device does best; square ones alone under-report it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Request;
use crate::units::OpRate;
use crate::workload::{GemmShape, Work};

/// Which set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sweep {
    /// About sixty shapes.
    Coarse,
    /// The same, and then ever closer around the best.
    Fine,
}

impl fmt::Display for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Coarse => "coarse",
            Self::Fine => "fine",
        })
    }
}

impl FromStr for Sweep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Coarse, Self::Fine]
            .into_iter()
            .find(|sweep| sweep.to_string() == text)
            .ok_or_else(|| format!("unknown sweep '{text}'; one of coarse, fine"))
    }
}

/// Rounds of [`finer`], each with half the step of the one before.
pub const ROUNDS: u32 = 3;

const SQUARES: [u64; 13] = [256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384];
/// Rows of activations and widths of models; each width is tried as d x d, d x 4d and 4d x d.
const TOKENS: [u64; 3] = [512, 2048, 8192];
const WIDTHS: [u64; 3] = [2048, 4096, 8192];
/// Small and large, ragged by one and by many, flat and thin; and long sums, where published bests lie.
const OTHERS: [(u64, u64, u64); 18] = [
    (1000, 777, 513),
    (1023, 1023, 1023),
    (1025, 1025, 1025),
    (2047, 2049, 2047),
    (4095, 4095, 4097),
    (3000, 3000, 3000),
    (16, 4096, 4096),
    (64, 4096, 4096),
    (256, 8192, 8192),
    (4096, 64, 4096),
    (4096, 4096, 64),
    (4096, 4096, 256),
    (1024, 10240, 5120),
    (1024, 15360, 4096),
    (2048, 2048, 13312),
    (1792, 16128, 3072),
    (1280, 4096, 12032),
    (1024, 9216, 14336),
];

/// Most operations of a shape over those of the device's own, past which a sweep would take the day.
const LARGEST: u128 = 64;

/// The coarse set for a device whose own default shape is `own`.
pub(super) fn coarse(own: GemmShape) -> Vec<GemmShape> {
    let squares = SQUARES.map(|n| (n, n, n)).into_iter();
    let models = TOKENS.into_iter().flat_map(|m| WIDTHS.into_iter().map(move |d| (m, d)));
    let models = models.flat_map(|(m, d)| [(m, d, d), (m, 4 * d, d), (m, d, 4 * d)]);
    let shapes = squares.chain(models).chain(OTHERS);
    let shapes = shapes.filter_map(|(m, n, k)| GemmShape::new(m, n, k).ok());
    // Some squares are a model's d x d too.
    let mut seen = std::collections::BTreeSet::new();
    shapes.filter(|shape| shape.ops().get() <= LARGEST * own.ops().get() && seen.insert(*shape)).collect()
}

/// Neighbours of the best product of each format of operands and sums: every extent made smaller and larger by a step that halves
/// from round to round.
pub fn finer(rates: &[(Request, Option<OpRate>)], round: u32) -> Vec<Request> {
    let step = 4_u64 << round;
    let mut found: Vec<Request> = Vec::new();
    let kinds: std::collections::BTreeSet<_> =
        rates.iter().map(|(request, _)| (request.precision, request.accumulate)).collect();
    for kind in kinds {
        let of = rates.iter().filter(|(request, _)| (request.precision, request.accumulate) == kind);
        let products = of.filter(|(request, _)| matches!(request.work, Work::Gemm { .. }));
        let measured = products.filter_map(|(request, rate)| Some((request, (*rate)?)));
        let best = measured.max_by(|(_, a), (_, b)| a.get().total_cmp(&b.get()));
        let Some((request, _)) = best else { continue };
        for neighbour in neighbours(request, step) {
            let known = |other: &Request| *other == neighbour;
            if !rates.iter().any(|(request, _)| known(request)) && !found.iter().any(known) {
                found.push(neighbour);
            }
        }
    }
    found
}

fn neighbours(request: &Request, step: u64) -> Vec<Request> {
    let Work::Gemm { shape, layout, input, seed } = request.work else { return Vec::new() };
    // Multiples of sixteen: a shape that no tile fits is what the coarse set's ragged ones are for.
    let moved = |extent: u64, up: bool| {
        let change = (extent / step).next_multiple_of(16);
        if up { extent + change } else { extent.saturating_sub(change).max(16) }
    };
    let (m, n, k) = (shape.m(), shape.n(), shape.k());
    let shapes = [false, true]
        .into_iter()
        .flat_map(|up| [(moved(m, up), n, k), (m, moved(n, up), k), (m, n, moved(k, up))]);
    let shapes = shapes.filter_map(|(m, n, k)| GemmShape::new(m, n, k).ok());
    let works = shapes.map(|shape| Work::Gemm { shape, layout, input, seed });
    works.map(|work| Request { work, ..request.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precision::Precision;
    use crate::workload::{Distribution, Layout};

    fn request(m: u64, n: u64, k: u64) -> Request {
        let shape = GemmShape::new(m, n, k).unwrap();
        let work = Work::Gemm { shape, layout: Layout::Nn, input: Distribution::Normal, seed: 1 };
        Request { precision: Precision::Fp32, accumulate: None, work, implementation: None }
    }

    #[test]
    fn the_coarse_set_has_about_sixty_shapes_and_none_is_there_twice() {
        let shapes = coarse(GemmShape::new(8192, 8192, 8192).unwrap());
        assert!((55..=65).contains(&shapes.len()), "{}", shapes.len());
        let distinct: std::collections::BTreeSet<_> = shapes.iter().collect();
        assert_eq!(distinct.len(), shapes.len());
        let small = coarse(GemmShape::new(1024, 1024, 1024).unwrap());
        assert!(small.len() > 20 && small.iter().all(|shape| shape.ops().get() <= 2 * 4096_u128.pow(3)));
    }

    #[test]
    fn finer_closes_in_on_the_best_and_repeats_nothing() {
        let rate = |tera| OpRate::from_tera(tera).ok();
        let mut rates = vec![(request(1024, 1024, 1024), rate(1.0)), (request(2048, 2048, 2048), rate(2.0))];
        rates.push((request(4096, 4096, 4096), None));
        let first = finer(&rates, 0);
        assert_eq!(first.len(), 6);
        assert!(first.contains(&request(1536, 2048, 2048)) && first.contains(&request(2048, 2048, 2560)));
        rates.extend(first.into_iter().map(|request| (request, rate(1.5))));
        let second = finer(&rates, 1);
        assert!(second.contains(&request(1792, 2048, 2048)));
        assert!(finer(&[], 0).is_empty());
    }
}
