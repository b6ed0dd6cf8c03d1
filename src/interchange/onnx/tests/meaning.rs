//! What operators mean, and what would mean something else.

use prost::Message;

use super::super::messages::{
    AttributeProto, FunctionProto, ModelProto, OperatorSetIdProto, TensorProto, element,
};
use super::super::read;
use super::{chain, gemm, int, ints, torch};

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
    dropping(&[0], &[int("is_test", 0)]).refused("(Dropout) has an attribute is_test that is not");
    let after = |operator: &str, attributes: &[AttributeProto]| {
        gemm(torch().node("Flatten", &[], &[])).node(operator, &[], attributes)
    };
    for operator in ["Identity", "Sigmoid", "Softmax", "LogSoftmax", "ArgMax", "Cast"] {
        let said =
            format!("/{operator}_5 ({operator}) has an attribute consumed_inputs that is not");
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
    after("Softmax", &[axis.clone(), axis])
        .refused("an attribute axis that is not known, or not such");
    // As another kind, it would not be seen.
    let alpha =
        |f, i| AttributeProto { name: Some("alpha".into()), f, i, ..AttributeProto::default() };
    let scaled = |alpha| torch().node("Flatten", &[], &[]).node("Gemm", &["w2", "b2"], &[alpha]);
    scaled(alpha(None, Some(2))).refused("(Gemm) has an attribute alpha that is not");
    scaled(AttributeProto { ref_attr_name: Some("a".into()), ..alpha(Some(1.0), None) })
        .refused("(Gemm) has an attribute alpha that is not");
    let kind = Some(7);
    scaled(AttributeProto { kind, ..alpha(Some(1.0), None) })
        .refused("attribute alpha that is not");
    gemm(torch().node("Flatten", &[], &[]).node("Identity", &["w"], &[]))
        .refused("(Identity) takes 2 values, which are more");
    chain(element::UINT8, &[4, 4]).node("Cast", &[], &[]).refused("(Cast) has no to where");
    let same = AttributeProto {
        name: Some("auto_pad".into()),
        s: Some(b"VALID".to_vec()),
        ..AttributeProto::default()
    };
    torch()
        .node("MaxPool", &[], &[ints("kernel_shape", &[1, 1]), ints("pads", &[1; 4]), same])
        .refused("pads images by [1, 1, 1, 1]");
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
