//! Shapes that a graph computes.

use super::{Chain, gemm, int, torch};

/// The flattening of `value` to rows, of which there are as many as there are images, as Keras and
/// PyTorch have it computed.
fn computed_rows(mut chain: Chain, rows: i64) -> Chain {
    let value = chain.current.clone();
    chain = chain
        .shape("first", &[0])
        .shape("second", &[1])
        .shape("numbers", &[rows])
        .node("Shape", &[], &[])
        .node("Gather", &["order"], &[])
        .shape("order", &[0, 2, 3, 1])
        .node("Cast", &[], &[int("to", 6)])
        .node("Slice", &["first", "second", "first"], &[])
        .node("Concat", &["numbers"], &[int("axis", 0)])
        .node("Cast", &[], &[int("to", 7)]);
    let shape = std::mem::replace(&mut chain.current, value);
    chain.node("Reshape", &[&shape], &[])
}

#[test]
fn shapes_that_are_computed_are_those_of_any_number_of_images() {
    let expected = gemm(torch().node("Flatten", &[], &[])).read();
    assert_eq!(gemm(computed_rows(torch(), -1)).read(), expected);
    assert_eq!(gemm(computed_rows(torch(), 12)).read(), expected);
    gemm(computed_rows(torch(), 13)).refused("(Reshape) makes a shape of [0, 13]");
    let mut other = gemm(computed_rows(torch(), 12));
    for node in &mut other.graph.node {
        if node.op_type.as_deref() == Some("Slice") {
            node.op_type = Some("Mul".into());
        }
    }
    other.refused("(Reshape) has no constant as its input 2");
    // A value that is computed of itself.
    let mut circle = gemm(computed_rows(torch(), 12));
    let itself = circle.graph.node[7].output[0].clone();
    circle.graph.node[4].input[0] = itself.clone();
    circle.graph.node[7].input = vec![itself; 16];
    circle.refused("(Reshape) has no constant as its input 2");
}

#[test]
fn of_a_shape_a_part_may_be_asked_for() {
    // As newer exporters of PyTorch write `x.size(0)`.
    let rows = |start: i64, end: i64| {
        let mut chain = torch();
        let value = chain.current.clone();
        chain = chain
            .shape("numbers", &[12])
            .node("Shape", &[], &[int("start", start), int("end", end)])
            .node("Concat", &["numbers"], &[int("axis", 0)]);
        let shape = std::mem::replace(&mut chain.current, value);
        gemm(chain.node("Reshape", &[&shape], &[]))
    };
    let expected = gemm(torch().node("Flatten", &[], &[])).read();
    for (start, end) in [(0, 1), (-4, -3), (-9, 1)] {
        assert_eq!(rows(start, end).read(), expected, "{start} to {end}");
    }
    rows(0, 9).refused("(Reshape) makes a shape of [0, 2, 3, 2, 12]");
    rows(2, 1).refused("(Reshape) makes a shape of [12]");
    // The images are not the first size.
    rows(1, 9).refused("(Reshape) makes a shape of [2, 3, 2, 12]");
}
