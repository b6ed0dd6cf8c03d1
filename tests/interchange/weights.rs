//! Archives of weights alone, as NumPy writes them.

use std::fs;

use mnistry::image::ImageShape;
use mnistry::interchange::{self, Imported, ModelFormat};
use mnistry::model::Architecture;
use mnistry::{Activation, Sequential};
use zip::CompressionMethod::{Deflated, Stored};

use writers::{npy_of, npz};

#[path = "../writers/mod.rs"]
pub(crate) mod writers;

fn architecture() -> Architecture {
    let input = Sequential::new(ImageShape { height: 1, width: 2 });
    Architecture::new(input.dense(3, Activation::Softmax)).unwrap()
}

/// An array of floats as NumPy writes it.
fn floats(descr: &str, shape: &str, is_fortran: bool, numbers: &[f64]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let bytes = numbers.iter().flat_map(|&number| match descr {
        "<f4" => (number as f32).to_le_bytes().to_vec(),
        ">f4" => (number as f32).to_be_bytes().to_vec(),
        _ => number.to_le_bytes().to_vec(),
    });
    npy_of(&header, &bytes.collect::<Vec<u8>>())
}

const KERNEL: [f64; 6] = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0];

/// What is read of an archive with these members.
fn read(members: &[(&str, Vec<u8>)]) -> Result<Imported, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.npz");
    let mut found = None;
    for method in [Stored, Deflated] {
        fs::write(&path, npz(members, method)).unwrap();
        assert!(interchange::import(&path).unwrap_err().is_without_architecture());
        let read = interchange::import_weights(&path, architecture());
        let read =
            read.map_err(|error| error.to_string().replace(&path.display().to_string(), "F"));
        assert!(found.is_none() || found == Some(read.clone()), "however it is compressed");
        found = Some(read);
    }
    found.unwrap()
}

#[test]
fn arrays_of_any_order_are_read() {
    let bias = || ("dense.bias.npy", floats("<f4", "(3,)", false, &[0.0, -1.0, 1.0]));
    let kernel =
        |descr, numbers: &[f64]| ("dense.kernel.npy", floats(descr, "(2, 3)", false, numbers));
    let expected = read(&[kernel("<f4", &KERNEL), bias()]).unwrap();
    assert_eq!(expected.network.tensors()[0].values, KERNEL.map(|number| number as f32));
    assert!(expected.notes.is_empty());
    assert_eq!(read(&[bias(), kernel(">f4", &KERNEL)]).unwrap(), expected);
    assert_eq!(read(&[bias(), kernel("<f8", &KERNEL)]).unwrap(), expected);
    let columns = floats("<f4", "(2, 3)", true, &[0.5, 2.0, 1.0, 2.5, 1.5, 3.0]);
    assert_eq!(read(&[("dense.kernel.npy", columns), bias()]).unwrap(), expected);
    let notes = read(&[kernel("<f8", &[0.1; 6]), bias()]).unwrap().notes;
    assert_eq!(notes, ["the numbers of dense.kernel were rounded to float32"]);
}

#[test]
fn arrays_that_do_not_fit_are_refused_by_name() {
    let bias = || ("dense.bias.npy", floats("<f4", "(3,)", false, &[0.0; 3]));
    let kernel = |shape| ("dense.kernel.npy", floats("<f4", shape, false, &KERNEL));
    let other = ("other.npy", floats("<f4", "(3,)", false, &[0.0; 3]));
    let words = npy_of("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", &[0; 24]);
    let strange = floats("<f4", "(2, 3)", false, &[f64::NAN; 6]);
    for (members, said) in [
        (vec![bias()], "F: has no tensor dense.kernel"),
        (vec![bias(), kernel("(3, 2)")], "F: tensor dense.kernel has shape [3, 2]"),
        (vec![bias(), kernel("(2, 3)"), other], "F: holds a tensor other"),
        (vec![bias(), ("dense.kernel.npy", words)], "F: tensor dense.kernel is of type integers"),
        (vec![bias(), ("dense.kernel.npy", strange)], "not finite"),
    ] {
        let refused = read(&members).unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn bytes_are_read_as_their_file_is() {
    // As another program writes it, which does not say of what network the tensors are.
    let header = r#"{"dense.kernel":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"dense.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes
        .extend([&KERNEL[..], &[0.0; 3]].concat().iter().flat_map(|&it| (it as f32).to_le_bytes()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    fs::write(&path, &bytes).unwrap();
    let of_file = interchange::import_weights(&path, architecture()).unwrap();
    let read = |bytes| interchange::read_weights(bytes, ModelFormat::Safetensors, architecture());
    assert_eq!(read(&bytes).unwrap(), of_file);
    assert_eq!(of_file.network.tensors()[0].values, KERNEL.map(|number| number as f32));
    let said = read(&bytes[..bytes.len() - 4]).unwrap_err().to_string();
    assert!(said.contains("safetensors") && !said.starts_with(':'), "{said}");
}
