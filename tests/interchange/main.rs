//! Model files of other programs: what is exported comes back to the same bits, and what is no network
//! of layers that are here is refused.

#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use generated::{any_hidden, any_image_layers, architectures, image_networks, network};
use mnistry::Network;
use mnistry::interchange::{self, ExportOptions, Imported};
use mnistry::model::Architecture;
use proptest::prelude::*;
use tempfile::TempDir;

#[path = "../generated/mod.rs"]
mod generated;
mod hostile;
mod real_programs;
mod weights;

/// Networks of any layers and any last activation.
fn any_network() -> impl Strategy<Value = Network> {
    let architecture = prop_oneof![
        2 => image_networks(any_image_layers()),
        1 => architectures(any_hidden()),
    ];
    (architecture, any::<u64>()).prop_map(|(architecture, seed)| network(architecture, seed))
}

/// A folder with `network` exported to a file in it.
fn exported(network: &Network, name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    interchange::export(network, &path, ExportOptions::default()).unwrap();
    (folder, path)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_exported_comes_back_to_the_same_bits(network in any_network()) {
        for name in ["model.safetensors", "model.onnx", "model.npz"] {
            let (_folder, path) = exported(&network, name);
            let Imported { network: read, notes, .. } = interchange::import(&path).unwrap();
            prop_assert_eq!(&read, &network, "{}", name);
            prop_assert!(notes.is_empty(), "{}: {:?}", name, notes);
            let architecture: Architecture = network.architecture().clone();
            let weights = interchange::import_weights(&path, architecture).unwrap();
            prop_assert_eq!(&weights.network, &network, "{}", name);
        }
        // Keras always says how far the windows of a pooling move (`tests/keras`).
        let (_folder, path) = exported(&network, "model.keras");
        let Imported { network: read, notes, .. } = interchange::import(&path).unwrap();
        prop_assert_eq!(read.tensors(), network.tensors());
        prop_assert!(notes.is_empty(), "{:?}", notes);
        let (_folder, path) = exported(&network, "model.weights.h5");
        prop_assert!(interchange::import(&path).unwrap_err().is_without_architecture());
        let weights = interchange::import_weights(&path, network.architecture().clone()).unwrap();
        prop_assert_eq!(weights.network.tensors(), network.tensors());
    }

    #[test]
    fn the_bytes_of_a_file_depend_on_the_network_alone(network in any_network()) {
        for name in ["model.onnx", "model.keras", "model.weights.h5", "model.npz"] {
            let [one, other] = [exported(&network, name), exported(&network, name)];
            prop_assert_eq!(std::fs::read(one.1).unwrap(), std::fs::read(other.1).unwrap());
        }
    }
}
