//! Writes the seed corpus anew: `cargo run --bin seeds`, in this folder.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageFormat, Luma, LumaA};
use mnistry::Network;
use mnistry::interchange::{self, ExportOptions};
use networks::{dense, of_all_layers};
use writers::{arrays, members};
use zip::CompressionMethod::{Deflated, Stored};

#[path = "../tests/networks/mod.rs"]
mod networks;
#[path = "../tests/writers/mod.rs"]
mod writers;

fn main() -> std::io::Result<()> {
    let [images, labels, ..] = arrays();
    let members = members(&arrays());
    let seeds = [
        ("csv/labelled", b"label,pixel0,pixel1,pixel2,pixel3\n7,0,12,255,3\r\n\n2,1,2,3,4".to_vec()),
        ("csv/unlabelled", b"\xef\xbb\xbfpixel0\n 7\n\"12\"\n".to_vec()),
        ("csv/headless", b"1,2,3,4\n5,6,7,8\n".to_vec()),
        ("csv/text", b"id,A,0,0.5,1,0.25\n1,A,0,1,0,1\n2,B,1,0,1,0\n3,A,1,1,0,0\n".to_vec()),
        ("csv/counted", b",0,1,2,3,4\n0,3,0,16,0,1\n1,4,0,0,16,2\n2,3,1,0,0,0\n".to_vec()),
        ("gz/images", writers::gzip(&writers::idx(&images))),
        ("gz/labels", writers::gzip(&writers::idx(&labels))),
        ("idx/images", writers::idx(&images)),
        ("idx/labels", writers::idx(&labels)),
        ("keras/dense", exported(&dense(), "model.keras")),
        ("keras/images", exported(&of_all_layers(), "model.keras")),
        ("npy/images", writers::npy(&images)),
        ("npy/labels", writers::npy(&labels)),
        ("npz/stored", writers::npz(&members, Stored)),
        ("npz/deflated", writers::npz(&members, Deflated)),
        ("onnx/dense", exported(&dense(), "model.onnx")),
        ("onnx/images", exported(&of_all_layers(), "model.onnx")),
        ("picture/bmp", picture(ImageFormat::Bmp)),
        ("picture/gif", encode(&transparent().into_rgba8().into(), ImageFormat::Gif)),
        ("picture/jpeg", picture(ImageFormat::Jpeg)),
        ("picture/png", picture(ImageFormat::Png)),
        ("picture/tiff", picture(ImageFormat::Tiff)),
        ("picture/webp", picture(ImageFormat::WebP)),
        ("weights_h5/dense", exported(&dense(), "model.weights.h5")),
        ("weights_h5/images", exported(&of_all_layers(), "model.weights.h5")),
        ("weights_npz/dense", exported(&dense(), "model.npz")),
        ("weights_npz/images", exported(&of_all_layers(), "model.npz")),
        ("picture/transparent", encode(&transparent(), ImageFormat::Png)),
    ];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, bytes) in seeds {
        let path = corpus.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&corpus))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// The file that `network` is exported to.
fn exported(network: &Network, name: &str) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("seeds-{}", std::process::id()));
    let path = folder.join(name);
    interchange::export(network, &path, ExportOptions::default()).expect("it can be written");
    let bytes = fs::read(path).expect("it was written");
    fs::remove_dir_all(folder).expect("it was made");
    bytes
}

/// Two strokes on grey ground.
fn picture(format: ImageFormat) -> Vec<u8> {
    let ink = |x: u32, y: u32| (4..20).contains(&y) && (5..7).contains(&(x % 14));
    let level = |x, y| Luma([if ink(x, y) { 30 } else { 200 - 2 * x as u8 }]);
    encode(&GrayImage::from_fn(30, 24, level).into(), format)
}

/// A stroke on nothing.
fn transparent() -> DynamicImage {
    let stroke = |x, _| LumaA([0, if (5..7).contains(&x) { 255 } else { 0 }]);
    GrayAlphaImage::from_fn(12, 20, stroke).into()
}

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).expect("memory can be written");
    file.into_inner()
}
