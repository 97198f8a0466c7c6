//! The product in binary64 by its definition, for small shapes: what every implementation is compared with.

use super::{Elements, GemmShape, Layout};

/// The reference product and, for each element, the scale of its rounding errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// C, row-major [m, n].
    pub values: Vec<f64>,
    /// Square root of the sum of squared products behind each element of C.
    pub scales: Vec<f64>,
}

/// What the reference needs of a number; a test counts through it.
trait Arithmetic {
    fn multiply(&mut self, a: f64, b: f64) -> f64;
    fn add(&mut self, a: f64, b: f64) -> f64;
}

struct Plain;

impl Arithmetic for Plain {
    fn multiply(&mut self, a: f64, b: f64) -> f64 {
        a * b
    }

    fn add(&mut self, a: f64, b: f64) -> f64 {
        a + b
    }
}

/// C = A x B in binary64. Exact for integer operands whose sums stay below 2^53.
///
/// **Shape**: A as the layout stores it, B [k, n]; `None` when their lengths do not fit the shape.
pub fn reference(shape: GemmShape, layout: Layout, a: &Elements, b: &Elements) -> Option<Reference> {
    let (a, b) = (a.to_f64(), b.to_f64());
    let values = product(shape, layout, (&a, &b), &mut Plain)?;
    let squares = |v: &[f64]| v.iter().map(|x| x * x).collect::<Vec<_>>();
    let scales = product(shape, layout, (&squares(&a), &squares(&b)), &mut Plain)?;
    Some(Reference { values, scales: scales.into_iter().map(f64::sqrt).collect() })
}

fn product(
    shape: GemmShape,
    layout: Layout,
    (a, b): (&[f64], &[f64]),
    arithmetic: &mut impl Arithmetic,
) -> Option<Vec<f64>> {
    let extent = |value: u64| usize::try_from(value).ok();
    let (m, n, k) = (extent(shape.m())?, extent(shape.n())?, extent(shape.k())?);
    if a.len() != m.checked_mul(k)? || b.len() != k.checked_mul(n)? {
        return None;
    }
    let mut c = vec![0.0; m.checked_mul(n)?];
    for (i, row) in c.chunks_exact_mut(n).enumerate() {
        for p in 0..k {
            let left = match layout {
                Layout::Nn => a.get(i * k + p)?,
                Layout::Tn => a.get(p * m + i)?,
            };
            for (sum, right) in row.iter_mut().zip(b.get(p * n..)?) {
                let term = arithmetic.multiply(*left, *right);
                *sum = arithmetic.add(*sum, term);
            }
        }
    }
    Some(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Counting(u128);

    impl Arithmetic for Counting {
        fn multiply(&mut self, a: f64, b: f64) -> f64 {
            self.0 += 1;
            a * b
        }

        fn add(&mut self, a: f64, b: f64) -> f64 {
            self.0 += 1;
            a + b
        }
    }

    #[test]
    fn a_small_product_worked_by_hand() {
        let shape = GemmShape::new(2, 2, 3).unwrap();
        let a = Elements::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let transposed = Elements::F64(vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let b = Elements::F64(vec![7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        let expected = vec![58.0, 64.0, 139.0, 154.0];
        assert_eq!(reference(shape, Layout::Nn, &a, &b).unwrap().values, expected);
        assert_eq!(reference(shape, Layout::Tn, &transposed, &b).unwrap().values, expected);
        assert!(reference(shape, Layout::Nn, &b, &Elements::F64(vec![])).is_none());
    }

    proptest! {
        #[test]
        fn the_operation_count_is_what_the_reference_executes(m in 1..9_u64, n in 1..9_u64, k in 1..9_u64) {
            let shape = GemmShape::new(m, n, k).unwrap();
            let ones = |count: u64| vec![1.0; usize::try_from(count).unwrap()];
            let mut counting = Counting(0);
            product(shape, Layout::Tn, (&ones(m * k), &ones(k * n)), &mut counting).unwrap();
            prop_assert_eq!(counting.0, shape.ops().get());
        }
    }
}
