//! Data files that another process changes while they are used: that is told of, and never ends in
//! a signal, a panic or a result.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use mnistry::data::{Bytes, Cache};
use mnistry::image::ImageShape;
use mnistry::{Activation, Dataset, Engine, EngineOptions, Network, Sequential};
use tempfile::TempDir;

#[path = "writers/mod.rs"]
mod writers;

const SHAPE: ImageShape = ImageShape { height: 28, width: 28 };

/// A folder of IDX files with 500 and 200 images, and the data set that was opened from it.
fn opened() -> (TempDir, Dataset) {
    let folder = TempDir::new().unwrap();
    let images = |count: usize| (vec![count, 28, 28], vec![200; count * 784]);
    let labels = |count: usize| (vec![count], (0..count).map(|i| (i % 10) as u8).collect());
    writers::write_idx(folder.path(), &[images(500), labels(500), images(200), labels(200)]);
    let data = Dataset::open_with(folder.path(), &Cache::at(folder.path().join("cache"))).unwrap();
    // The clock of the file system goes on.
    sleep(Duration::from_millis(50));
    (folder, data)
}

fn engine_and_network() -> (Engine, Network) {
    let engine = Engine::new(EngineOptions { threads: Some(2), ..EngineOptions::default() });
    let network = Network::new(Sequential::new(SHAPE).dense(10, Activation::Softmax), 0);
    (engine.unwrap(), network.unwrap())
}

fn cut_short(path: &Path) {
    File::options().write(true).open(path).unwrap().set_len(5000).unwrap();
}

fn overwrite(path: &Path) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(16)).unwrap();
    file.write_all(&[255; 100]).unwrap();
}

fn assert_told(error: &dyn Error, path: &Path) {
    let line = format!(
        "{}: changed while it was read: run again when nothing else writes to it",
        path.display()
    );
    assert_eq!(error.to_string(), line);
}

#[test]
fn images_that_change_are_not_evaluated() {
    // Only Linux catches what reading a file that was cut short raises.
    let changes: &[fn(&Path)] =
        if cfg!(target_os = "linux") { &[cut_short, overwrite] } else { &[overwrite] };
    let (engine, network) = engine_and_network();
    for change in changes {
        let (folder, data) = opened();
        engine.evaluate(&network, &data.test).unwrap();
        let path = folder.path().join("t10k-images-idx3-ubyte");
        change(&path);
        assert_told(&engine.evaluate(&network, &data.test).unwrap_err(), &path);
        assert_told(&data.check_unchanged().unwrap_err(), &path);
        data.train.check_unchanged().unwrap();
        engine.evaluate(&network, &data.train).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn images_that_are_cut_short_read_as_zeros() {
    let (folder, data) = opened();
    cut_short(&folder.path().join("train-images-idx3-ubyte"));
    assert!(data.train.image(0).iter().all(|&pixel| pixel == 200));
    assert!(data.train.image(499).iter().all(|&pixel| pixel == 0));
    let part = data.train.take(10).unwrap();
    assert!(part.check_unchanged().is_err(), "of a part, as of all");
}

/// Labels beyond the classes would lead nowhere.
#[test]
fn labels_stay_what_they_were_and_their_file_is_told_of() {
    for change in [cut_short, overwrite, |path: &Path| fs::write(path, []).unwrap()] {
        let (folder, data) = opened();
        let path = folder.path().join("t10k-labels-idx1-ubyte");
        change(&path);
        assert!(
            data.test.labels().iter().enumerate().all(|(i, &label)| usize::from(label) == i % 10)
        );
        assert_eq!(data.test.classes(), 10);
        let (engine, network) = engine_and_network();
        assert_told(&engine.evaluate(&network, &data.test).unwrap_err(), &path);
    }
}

#[test]
fn images_that_change_are_not_predicted() {
    let (engine, network) = engine_and_network();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pixels");
    fs::write(&path, vec![1; 784 * 100]).unwrap();
    let images = Bytes::map(&path).unwrap();
    sleep(Duration::from_millis(50));
    assert_eq!(engine.predict_batch(&network, images.clone()).unwrap().len(), 100);
    overwrite(&path);
    assert_told(&engine.predict_batch(&network, images).unwrap_err(), &path);
}

/// As programs do that write with care: whoever has the old file goes on with it.
#[test]
#[cfg(unix)]
fn files_that_are_replaced_whole_do_no_harm() {
    let (engine, network) = engine_and_network();
    let (folder, data) = opened();
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let path = folder.path().join(name);
        let other = path.with_extension("new");
        fs::write(&other, [0; 10]).unwrap();
        fs::rename(other, path).unwrap();
    }
    engine.evaluate(&network, &data.test).unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    engine.evaluate(&network, &data.test).unwrap();
}
