//! Constants as graphs may say them, and how often they are looked at.

use super::*;

/// A node that gives the constant `name`, which `attribute` says.
fn constant(mut chain: Chain, name: &str, attribute: AttributeProto) -> Chain {
    chain.graph.node.push(NodeProto {
        output: vec![name.into()],
        op_type: Some("Constant".into()),
        attribute: vec![attribute],
        ..NodeProto::default()
    });
    chain
}

/// A node that gives the constant `value` another name.
fn renamed(mut chain: Chain, value: &str, name: &str) -> Chain {
    chain.graph.node.push(NodeProto {
        input: vec![value.into()],
        output: vec![name.into()],
        op_type: Some("Identity".into()),
        ..NodeProto::default()
    });
    chain
}

fn images() -> Chain {
    chain(element::FLOAT, &[4, 4])
}

fn dense(chain: Chain) -> Chain {
    chain.floats("w", &[16, 2], numbers(32)).node("Gemm", &["w"], &[])
}

#[test]
fn numbers_of_constants_may_be_attributes_of_their_own() {
    let plain = dense(images().node("Flatten", &[], &[])).read().network;
    let named =
        |name: &str| AttributeProto { name: Some(name.into()), ..AttributeProto::default() };
    let shape = constant(images(), "shape", ints("value_ints", &[-1, 16]));
    assert_eq!(dense(shape.node("Reshape", &["shape"], &[])).read().network, plain);
    let scaled = AttributeProto { f: Some(255.0), ..named("value_float") };
    let scaled = constant(images(), "white", scaled).node("Div", &["white"], &[]);
    let scaled = dense(scaled.node("Flatten", &[], &[])).read();
    assert_eq!((scaled.network, scaled.notes.len()), (plain.clone(), 0));
    let bias = AttributeProto { floats: vec![0.0; 2], ..named("value_floats") };
    let biased = constant(dense(images().node("Flatten", &[], &[])), "bias", bias);
    assert_eq!(biased.node("Add", &["bias"], &[]).read().network, plain);
    let axis = constant(images(), "axis", int("value_int", 1));
    let network = axis
        .node("Unsqueeze", &["axis"], &[])
        .floats("k", &[2, 1, 4, 4], numbers(32))
        .node("Conv", &["k"], &[])
        .node("Flatten", &[], &[])
        .floats("w", &[2, 2], numbers(4))
        .node("Gemm", &["w"], &[])
        .read()
        .network;
    assert_eq!(network.architecture().to_string(), "conv2d 2 of 4 × 4, flatten, dense 2");
    let word = AttributeProto { s: Some(b"white".to_vec()), ..named("value_string") };
    constant(images(), "white", word)
        .node("Div", &["white"], &[])
        .refused("no constant as its input 2");
}

#[test]
fn constants_may_have_other_names() {
    let flat = || images().node("Flatten", &[], &[]).floats("w", &[16, 2], numbers(32));
    let plain = flat().node("Gemm", &["w"], &[]).read().network;
    let twice = renamed(renamed(flat(), "w", "v"), "v", "u");
    assert_eq!(twice.node("Gemm", &["u"], &[]).read().network, plain);
    // Each of which is the same kernel.
    let square = images().node("Flatten", &[], &[]).floats("w", &[16, 16], numbers(256));
    renamed(square, "w", "v")
        .node("Gemm", &["w"], &[])
        .node("Relu", &[], &[])
        .node("Gemm", &["v"], &[])
        .refused("a constant w that is the kernel of two layers");
}

#[test]
fn of_sums_and_products_either_operand_is_the_constant() {
    let swapped = |mut chain: Chain| {
        chain.graph.node.last_mut().unwrap().input.swap(0, 1);
        chain
    };
    let scaled = images().floats("share", &[], vec![1.0 / 255.0]);
    let scaled = swapped(scaled.node("Mul", &["share"], &[]));
    let product = scaled.node("Flatten", &[], &[]).floats("w", &[16, 2], numbers(32));
    let product = product.node("MatMul", &["w"], &[]).floats("b", &[2], numbers(2));
    let Imported { network, notes, .. } = swapped(product.node("Add", &["b"], &[])).read();
    assert_eq!(network.tensors()[1].values, numbers(2));
    assert!(notes.len() == 1 && notes[0].contains("last bit"), "{notes:?}");
    // Of a quotient and a product of matrices, one is not the other.
    let divided = images().floats("white", &[], vec![255.0]).node("Div", &["white"], &[]);
    swapped(divided).refused("no constant as its input 1");
}

#[test]
fn long_lists_are_refused_by_their_shape_and_not_copied_for_each_node() {
    let mut long = images();
    long.graph.initializer.push(TensorProto {
        dims: vec![1 << 12],
        data_type: Some(element::INT64),
        raw_data: Some(vec![0; 8 << 12]),
        name: Some("long".into()),
        ..TensorProto::default()
    });
    // Of which a part is small: but for each part and each shape the whole would be copied.
    let parts = ["a"; 15];
    long.graph.node.push(NodeProto {
        input: vec!["long".into(), "zero".into(), "zero".into()],
        output: vec!["a".into()],
        op_type: Some("Slice".into()),
        ..NodeProto::default()
    });
    long.graph.node.push(NodeProto {
        input: std::iter::once("rest").chain(parts).map(str::to_owned).collect(),
        output: vec!["shape".into()],
        op_type: Some("Concat".into()),
        attribute: vec![int("axis", 0)],
        ..NodeProto::default()
    });
    let long = long.shape("zero", &[0]).shape("rest", &[-1, 16]);
    long.clone().node("Reshape", &["shape"], &[]).refused("no constant as its input 2");
    long.node("Reshape", &["long"], &[]).refused("at most 16 whole numbers");
    let deep = images().floats("white", &[1; 9], vec![255.0]).node("Div", &["white"], &[]);
    deep.refused("a constant white that has more dimensions than any that is read");
    // However short the lists, only so many nodes compute shapes.
    let short = |reshapes: usize| {
        let mut chain = images().shape("rest", &[-1, 16]);
        let mut from = "rest".to_owned();
        for place in 0..40 {
            let name = format!("s{place}");
            chain.graph.node.push(NodeProto {
                input: vec![from],
                output: vec![name.clone()],
                op_type: Some("Unsqueeze".into()),
                attribute: vec![ints("axes", &[0])],
                ..NodeProto::default()
            });
            from = name;
        }
        (0..reshapes).fold(chain, |chain, _| chain.node("Reshape", &["s39"], &[]))
    };
    assert_eq!(dense(short(100)).read().network.architecture().to_string(), "dense 2");
    dense(short(110)).refused("no constant as its input 2");
}

#[test]
fn images_that_came_in_as_such_are_no_others() {
    let reshaped = |dims: &[i64], to: &[i64]| {
        let chain = chain(element::FLOAT, dims).node("Flatten", &[], &[]).shape("to", to);
        dense(chain.node("Reshape", &["to"], &[]).node("Flatten", &[], &[]))
    };
    let input = |chain: Chain| chain.read().network.architecture().input();
    assert_eq!(input(reshaped(&[4, 4], &[-1, 1, 4, 4])), ImageShape { height: 4, width: 4 });
    assert_eq!(input(reshaped(&[16], &[-1, 1, 2, 8])), ImageShape { height: 2, width: 8 });
    reshaped(&[4, 4], &[-1, 1, 2, 8]).refused("makes a shape of [-1, 1, 2, 8]");
    reshaped(&[1, 4, 4], &[-1, 2, 8]).refused("makes a shape of [-1, 2, 8]");
}

#[test]
fn what_the_last_layer_gives_is_not_made_whole_numbers() {
    let logits = || {
        let mut chain = dense(images().node("Flatten", &[], &[]));
        let output = Some(chain.current.clone());
        chain.graph.output.push(ValueInfoProto { name: output, ..ValueInfoProto::default() });
        chain
    };
    logits()
        .node("Cast", &[], &[int("to", 7)])
        .node("ArgMax", &[], &[int("axis", 1)])
        .refused("has to 7 where a layer here has 1 or 11");
    logits().node("Softmax", &[], &[]).node("Cast", &[], &[int("to", 3)]).refused("has to 3");
    let double = logits().node("Cast", &[], &[int("to", 11)]);
    double.node("ArgMax", &[], &[int("axis", 1)]).read();
    // A label is a whole number, and may be one of another kind.
    let label = logits().node("ArgMax", &[], &[int("axis", 1)]).node("Cast", &[], &[int("to", 6)]);
    label.node("Identity", &[], &[]).read();
}
