//! Writes the seed corpus anew: `cargo run --bin seeds`, in this folder.

use std::fs;
use std::path::Path;

use writers::{arrays, members};
use zip::CompressionMethod::{Deflated, Stored};

#[path = "../tests/writers/mod.rs"]
mod writers;

fn main() -> std::io::Result<()> {
    let [images, labels, ..] = arrays();
    let members = members(&arrays());
    let seeds = [
        ("idx/images", writers::idx(&images)),
        ("idx/labels", writers::idx(&labels)),
        ("npy/images", writers::npy(&images)),
        ("npy/labels", writers::npy(&labels)),
        ("npz/stored", writers::npz(&members, Stored)),
        ("npz/deflated", writers::npz(&members, Deflated)),
    ];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, bytes) in seeds {
        let path = corpus.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&corpus))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
