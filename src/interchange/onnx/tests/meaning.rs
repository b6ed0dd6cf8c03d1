//! What operators mean, and what would mean something else.

use prost::Message;

use super::super::messages::{
    AttributeProto, FunctionProto, ModelProto, OperatorSetIdProto, TensorProto, element,
};
use super::super::read;
use super::{Chain, chain, gemm, int, ints, numbers, torch};

#[test]
fn what_an_operator_is_told_is_known_or_refused() {
    let flag = |value: i32| TensorProto {
        data_type: Some(element::BOOL),
        int32_data: vec![value],
        name: Some("training".into()),
        ..TensorProto::default()
    };
    let dropping = |training: &[i32], attributes: &[AttributeProto]| {
        let mut chain = torch().node("Flatten", &[], &[]).floats("ratio", &[], vec![0.5]);
        chain.graph.initializer.extend(training.iter().map(|&value| flag(value)));
        gemm(chain.node("Dropout", &["ratio", "training"], attributes))
    };
    assert_eq!(
        dropping(&[0], &[int("seed", 3)]).read(),
        gemm(torch().node("Flatten", &[], &[])).read()
    );
    dropping(&[1], &[])
        .refused("(Dropout) has a training_mode that is true where a layer here has");
    dropping(&[], &[]).refused("(Dropout) has no constant as its input 3");
    dropping(&[0], &[int("is_test", 0)])
        .refused("(Dropout) has an attribute is_test that is not known");
    let after = |operator: &str, attributes: &[AttributeProto]| {
        gemm(torch().node("Flatten", &[], &[])).node(operator, &[], attributes)
    };
    for operator in ["Identity", "Sigmoid", "Softmax", "LogSoftmax", "ArgMax", "Cast"] {
        let said = format!(
            "/{operator}_5 ({operator}) has an attribute consumed_inputs that is not known"
        );
        after(operator, &[ints("consumed_inputs", &[0])]).refused(&said);
    }
    for operator in ["Relu", "MaxPool", "Flatten", "Transpose", "GlobalAveragePool"] {
        let said = format!("/{operator}_3 ({operator}) has an attribute x that is not known");
        torch().node(operator, &[], &[int("x", 0)]).refused(&said);
    }
    // Where it is said that a number is there, one that is left out is zero.
    let zero = AttributeProto { i: None, kind: Some(2), ..int("axis", 0) };
    after("Softmax", &[zero]).refused("has axis 0 where a layer here has 1");
    let axis = int("axis", 1);
    after("ArgMax", &[axis.clone(), int("select_last_index", 1)])
        .refused("has select_last_index 1 where a layer here has 0");
    after("ArgMax", &[axis.clone(), int("select_last_index", 0), int("keepdims", 0)]).read();
    after("Softmax", &[axis.clone(), axis]).refused("(Softmax) has an attribute axis twice");
    // As another kind, it would not be seen.
    let alpha =
        |f, i| AttributeProto { name: Some("alpha".into()), f, i, ..AttributeProto::default() };
    let scaled = |alpha| torch().node("Flatten", &[], &[]).node("Gemm", &["w2", "b2"], &[alpha]);
    let said = "(Gemm) has an attribute alpha that does not hold a float alone";
    scaled(alpha(None, Some(2))).refused(said);
    scaled(AttributeProto { ref_attr_name: Some("a".into()), ..alpha(Some(1.0), None) })
        .refused(said);
    let kind = Some(7);
    scaled(AttributeProto { kind, ..alpha(Some(1.0), None) }).refused(said);
    gemm(torch().node("Flatten", &[], &[]).node("Identity", &["w"], &[]))
        .refused("(Identity) takes 2 values, which are more");
    chain(element::UINT8, &[4, 4]).node("Cast", &[], &[]).refused("(Cast) has no to where");
}

#[test]
fn zeros_that_are_said_in_two_ways_are_said_alike_or_refused() {
    let conv = |auto_pad: &str, strides: i64, pads: &[i64]| {
        let auto_pad = AttributeProto {
            name: Some("auto_pad".into()),
            s: Some(auto_pad.into()),
            ..AttributeProto::default()
        };
        let attributes = [auto_pad, ints("strides", &[strides; 2]), ints("pads", pads)];
        chain(element::FLOAT, &[1, 6, 6])
            .floats("w", &[1, 1, 3, 3], numbers(9))
            .node("Conv", &["w"], &attributes)
            .node("Flatten", &[], &[])
    };
    let dense = |chain: Chain, inputs: i64| {
        let kernel = numbers(2 * inputs as usize);
        chain.floats("v", &[inputs, 2], kernel).node("MatMul", &["v"], &[]).read()
    };
    let same = dense(conv("NOTSET", 1, &[1; 4]), 36);
    assert!(same.network.architecture().to_string().starts_with("conv2d 1 of 3 × 3 same"));
    for (auto_pad, pads) in [("SAME_UPPER", [1; 4]), ("SAME_UPPER", [0; 4]), ("SAME_LOWER", [1; 4])]
    {
        assert_eq!(dense(conv(auto_pad, 1, &pads), 36), same, "{auto_pad} {pads:?}");
    }
    // With an odd number of zeros, the last one has more.
    let uneven = dense(conv("SAME_UPPER", 2, &[0, 0, 1, 1]), 9);
    assert_eq!(dense(conv("NOTSET", 2, &[0, 0, 1, 1]), 9), uneven);
    let valid = dense(conv("VALID", 1, &[0; 4]), 16);
    assert_eq!(dense(conv("NOTSET", 1, &[0; 4]), 16), valid);
    for (auto_pad, strides, pads, said) in [
        (
            "SAME_UPPER",
            1,
            [0, 1, 0, 1],
            "has both auto_pad SAME_UPPER and pads [0, 1, 0, 1], which",
        ),
        ("SAME_LOWER", 1, [2; 4], "has both auto_pad SAME_LOWER and pads [2, 2, 2, 2], which"),
        ("VALID", 1, [1; 4], "has both auto_pad VALID and pads [1, 1, 1, 1], which"),
        ("SAME_LOWER", 2, [1, 1, 0, 0], "has auto_pad SAME_LOWER where a layer here has zeros"),
        ("NOTSET", 1, [0, 1, 0, 1], "pads images by [0, 1, 0, 1]"),
        ("A\n", 1, [0; 4], "has auto_pad A\\n where"),
    ] {
        conv(auto_pad, strides, &pads).refused(said);
    }
}

#[test]
fn a_file_of_nothing_is_no_graph() {
    let said = read(&[]).unwrap_err().to_string();
    assert!(said.starts_with("is not an ONNX file"), "{said}");
}

#[test]
fn operators_of_another_meaning_are_refused() {
    let said_by = |change: fn(&mut ModelProto)| {
        let file = gemm(torch().node("Flatten", &[], &[])).file();
        let mut model = ModelProto::decode(&file[..]).unwrap();
        change(&mut model);
        read(&model.encode_to_vec()).map_err(|problem| problem.to_string())
    };
    let said = said_by(|model| {
        let domain = Some(String::new());
        model.functions.push(FunctionProto { name: Some("Relu".into()), domain });
    });
    assert!(said.unwrap_err().contains("says itself what Relu means"));
    let elsewhere = said_by(|model| {
        let domain = Some("mine".into());
        model.functions.push(FunctionProto { name: Some("Relu".into()), domain });
        let domain = Some("mine".into());
        model.opset_import.push(OperatorSetIdProto { domain, version: Some(1) });
    });
    assert!(elsewhere.is_ok(), "no node is of it");
    let twice = said_by(|model| {
        model.opset_import.push(OperatorSetIdProto { domain: None, version: Some(9) });
    });
    assert!(twice.unwrap_err().contains("two opsets"));
}
