//! Every reader of files, given any bytes at all: it refuses them, or what it gives holds together.

#![allow(dead_code, reason = "each program uses some of the readers")]

use mnistry::data::{LabelColumn, ReadOptions, Table};
use mnistry::image::{Frame, Picture};
use mnistry::interchange::{self, Imported, ModelFormat};
use mnistry::internals::formats::{Layout, gzip, idx, npy, npz};

#[path = "../networks/mod.rs"]
pub(crate) mod networks;

/// Has a reader read bytes.
pub(crate) type Reader = fn(&[u8]);

/// The readers, by the names of their fuzz targets.
pub(crate) const READERS: [(&str, Reader); 10] = [
    ("csv", csv),
    ("gz", gz),
    ("idx", idx),
    ("keras", keras),
    ("npy", npy),
    ("npz", npz),
    ("onnx", onnx),
    ("picture", picture),
    ("weights_h5", weights_h5),
    ("weights_npz", weights_npz),
];

/// Checks that the elements of an array lie within its file.
fn check(layout: &Layout, file: &[u8]) {
    let elements = file.get(layout.payload()).expect("the elements lie in their file");
    let count = layout.dims().iter().product::<usize>();
    assert_eq!(elements.len(), count * layout.element().size());
}

/// An IDX file is exactly one array.
pub(crate) fn idx(bytes: &[u8]) {
    if let Ok(layout) = idx::parse(bytes) {
        assert_eq!(layout.payload().end, bytes.len());
        check(&layout, bytes);
    }
}

/// An npy file is exactly one array.
pub(crate) fn npy(bytes: &[u8]) {
    if let Ok(layout) = npy::parse(bytes) {
        assert_eq!(layout.payload().end, bytes.len());
        check(&layout, bytes);
    }
}

/// A gzipped IDX file unpacks to one array.
pub(crate) fn gz(bytes: &[u8]) {
    let Ok(file) = gzip::parse(bytes) else { return };
    let Ok(unpacked) = file.unpack() else { return };
    assert_eq!(idx::parse(&unpacked).as_ref(), Ok(file.layout()));
    check(file.layout(), &unpacked);
}

/// An npz archive is four arrays, in place or unpacked.
pub(crate) fn npz(bytes: &[u8]) {
    let Ok(archive) = npz::parse(bytes) else { return };
    if let Ok(Some(layouts)) = archive.in_place() {
        layouts.iter().for_each(|layout| check(layout, bytes));
    }
    if let Ok(unpacked) = archive.unpack() {
        assert!(unpacked.len() <= 1032 * bytes.len());
        archive.unpacked().iter().for_each(|layout| check(layout, &unpacked));
    }
}

/// A CSV file is square images, each with a label or none with one.
pub(crate) fn csv(bytes: &[u8]) {
    let usual = ReadOptions::default;
    let ways = [
        usual(),
        usual().no_header(true),
        usual().label_column(Some(LabelColumn::Last)),
        usual().label_column(Some(LabelColumn::None)).transpose(true),
    ];
    for options in ways {
        let Ok(table) = Table::parse(bytes, &options) else { continue };
        let images = table.pixels().len() / table.shape().pixels();
        assert!(images > 0);
        assert_eq!(table.pixels().len(), images * table.shape().pixels());
        assert!(table.ids().is_none_or(|ids| ids.len() == images));
        assert!(table.labels().is_none_or(|labels| labels.count() == images));
    }
}

/// The digits of a picture lie in it and are as the network wants them.
pub(crate) fn picture(bytes: &[u8]) {
    let Ok(picture) = Picture::decode(bytes) else { return };
    let (shape, input) = (picture.shape(), Frame::MNIST.image());
    for digit in picture.digits(input).unwrap_or_default() {
        assert_eq!(digit.image.shape(), input);
        assert!(digit.bounding_box.top + digit.bounding_box.height <= shape.height);
        assert!(digit.bounding_box.left + digit.bounding_box.width <= shape.width);
    }
    if let Ok(image) = picture.image(input) {
        assert_eq!(image.shape(), input);
    }
}

/// An archive of Keras is a network whose weights are numbers.
pub(crate) fn keras(bytes: &[u8]) {
    check_network(interchange::read(bytes, ModelFormat::Keras));
}

/// A graph is such a network.
pub(crate) fn onnx(bytes: &[u8]) {
    check_network(interchange::read(bytes, ModelFormat::Onnx));
}

/// Weights of Keras are those of a network that is known otherwise.
pub(crate) fn weights_h5(bytes: &[u8]) {
    for network in [networks::dense(), networks::of_all_layers()] {
        let architecture = network.architecture().clone();
        let read = interchange::read_weights(bytes, ModelFormat::KerasWeights, architecture);
        check_network(read);
    }
}

/// An archive of weights is a network.
pub(crate) fn weights_npz(bytes: &[u8]) {
    check_network(interchange::read(bytes, ModelFormat::Npz));
}

/// What is read is a network whose weights are numbers; what is refused is so in a line.
fn check_network(read: Result<Imported, interchange::Problem>) {
    match read {
        Ok(imported) => {
            let tensors = imported.network.tensors().iter();
            assert!(tensors.flat_map(|tensor| &tensor.values).all(|weight| weight.is_finite()));
        }
        Err(problem) => {
            let said = problem.to_string();
            assert!(!said.chars().any(char::is_control) && said.len() < 2000, "{said:?}");
        }
    }
}
