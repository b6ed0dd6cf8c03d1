//! `mnistry export`, `mnistry import` and `mnistry train --init`: what is written, read and said.
#![cfg(feature = "cli")]

use std::fs;

use mnistry::Network;
use program::{Desk, writers};
use serde_json::{Value, json};
use zip::CompressionMethod::Stored;

mod program;

/// A desk with a run of one epoch in `run`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --hidden 12 --run-dir run --quiet");
    desk
}

#[test]
fn what_is_exported_is_imported_to_the_same_bytes() {
    let desk = desk();
    for name in ["digits.onnx", "digits.keras", "digits.npz"] {
        let said = desk.succeed(&format!("export run {name}"));
        assert!(
            said.starts_with(&format!("{name}: dense 12 relu, dense 3 sigmoid, as ")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 2, "{said}");
        let said = desk.run(&format!("import {name} back.safetensors"));
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
        assert!(said.stdout.contains("for images of 8 × 8, 3 classes"), "{}", said.stdout);
        assert_eq!(desk.bytes("back.safetensors"), desk.bytes("run/model.safetensors"), "{name}");
        fs::remove_file(desk.path("back.safetensors")).unwrap();
    }
    let said: Value = serde_json::from_str(&desk.succeed("export run digits.onnx --json")).unwrap();
    assert_eq!(said["format"], "ONNX");
    assert_eq!(said["bytes"], json!(desk.bytes("digits.onnx").len()));
    assert!(said["usage"].as_str().unwrap().contains("uint8 [N, 8, 8]"), "{said}");
    assert!(said["usage"].as_str().unwrap().ends_with("and sigmoid"), "{said}");
}

#[test]
fn a_header_says_what_its_bytes_cost() {
    let desk = desk();
    let said = desk.succeed("export run Digits.h");
    assert!(said.contains("int digits_predict(const unsigned char *pixels"), "{said}");
    assert!(desk.read("Digits.h").contains("static inline int digits_predict("));
    let said = desk.succeed("export run Digits.h --int8 --data data --json");
    let int8 = &serde_json::from_str::<Value>(&said).unwrap()["int8"];
    let evaluated = desk.succeed("evaluate run --data data --json --quiet");
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(int8["float32"]["accuracy"], evaluated["test"]["accuracy"]);
    assert_eq!(int8["test_images"], json!(60));
    let cost = |of: &str| int8[of]["accuracy"].as_f64().unwrap();
    assert!((cost("int8") - cost("float32")).abs() < 0.1, "{int8}");
    assert!(desk.read("Digits.h").contains("static const signed char digits_dense_kernel[768]"));
    // The data of the run, where none are named.
    let said = desk.run("export run Digits.h --int8");
    assert!(said.stdout.contains("accuracy on the 60 test images"), "{}", said.stdout);
    // No data: it is written all the same, and that is said.
    fs::copy(desk.path("run/model.safetensors"), desk.path("alone.safetensors")).unwrap();
    let said = desk.run("export alone.safetensors other.h --int8");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stdout.contains("was not tested") && said.stdout.contains(": no data were found: ")
    );
    // So it is where those of the run are there no longer, or are damaged, which is said as it is.
    fs::rename(desk.path("data"), desk.path("moved")).unwrap();
    let said = desk.run("export run moved.h --int8");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let line = said.stdout.lines().find(|line| line.contains("was not tested")).unwrap();
    assert!(line.contains("data"), "{line}");
    assert!(!said.stdout.contains("no data were found"), "{}", said.stdout);
    let json = desk.succeed("export run moved.h --int8 --json --quiet");
    let int8 = &serde_json::from_str::<Value>(&json).unwrap()["int8"];
    assert!(line.ends_with(int8["untested"].as_str().unwrap()), "{int8}");
    assert_eq!(int8["int8"], Value::Null);
    fs::rename(desk.path("moved"), desk.path("data")).unwrap();
    let said = desk.run("export alone.safetensors none.h --int8 --data nowhere");
    assert_eq!((said.code, desk.path("none.h").exists()), (Some(1), false));
}

#[test]
fn training_goes_on_from_files_of_other_programs() {
    let desk = desk();
    let train = "train --data data --epochs 1 --quiet";
    let expected = {
        desk.succeed(&format!(
            "{train} --hidden 12 --init run/model.safetensors --run-dir expected"
        ));
        desk.bytes("expected/model.safetensors")
    };
    for name in ["digits.onnx", "digits.keras", "digits.npz", "digits.safetensors"] {
        desk.succeed(&format!("export run {name}"));
        // The file says which network, or must agree.
        for (number, arguments) in ["", "--hidden 12"].iter().enumerate() {
            desk.succeed(&format!("{train} --init {name} {arguments} --run-dir {number}"));
            let model = desk.bytes(&format!("{number}/model.safetensors"));
            assert!(model == expected, "{name} {arguments}");
        }
        let refused = desk.run(&format!("{train} --init {name} --hidden 13 --run-dir no"));
        assert_eq!((refused.code, refused.stderr.lines().count()), (Some(1), 1));
        assert!(
            refused.stderr.contains(name) && refused.stderr.contains("dense.kernel"),
            "{refused:?}"
        );
        assert!(!desk.path("no").exists());
    }
}

#[test]
fn what_cannot_be_is_one_line() {
    let desk = desk();
    fs::write(desk.path("layers.toml"), "[[layers]]\ntype = \"dense\"\nunits = 4\n").unwrap();
    desk.succeed("export run digits.npz");
    fs::write(desk.path("text.onnx"), "a text").unwrap();
    fs::write(desk.path("text.npz"), "a text").unwrap();
    fs::write(desk.path("text.keras"), "a text").unwrap();
    desk.succeed("export run digits.weights.h5");
    desk.succeed("export run digits.h");
    for (arguments, said) in [
        ("import text.onnx out.safetensors", "text.onnx: is not an ONNX file"),
        ("import text.npz out.safetensors", "text.npz: not a readable zip archive"),
        ("import digits.h out.safetensors", "digits.h: a C header is written, but not read"),
        ("import none.onnx out.safetensors", "none.onnx"),
        (
            "import model.pt out.safetensors",
            "its name ends in no format that is read: .safetensors, .onnx, .keras, .weights.h5 or .npz",
        ),
        (
            "import old.h5 out.safetensors",
            "old.h5: an HDF5 file as Keras 2 saves models is not read",
        ),
        ("train --data data --init old.hdf5 --run-dir out", "old.hdf5: an HDF5 file as Keras 2"),
        (
            "import digits.npz out.safetensors --model layers.toml",
            "digits.npz: describes its network itself: leave --model out",
        ),
        ("import text.keras out.safetensors", "text.keras: not a readable zip archive"),
        (
            "import digits.weights.h5 out.safetensors",
            "digits.weights.h5: holds weights, but does not say of which network",
        ),
        ("import digits.weights.h5 out.safetensors --model layers.toml", "digits.weights.h5: "),
        (
            "import digits.weights.h5 out.safetensors --model lenet5 --input 32x32",
            "digits.weights.h5: ",
        ),
        ("export none out.onnx", "none"),
    ] {
        let ended = desk.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{arguments}");
        let is_line = ended.stderr.lines().count() == 1;
        assert!(is_line && ended.stderr.contains(said), "{arguments}: {}", ended.stderr);
        assert!(!desk.path("out.safetensors").exists() && !desk.path("out.onnx").exists());
    }
    for arguments in [
        "export run model.pt",
        "export run -",
        "export run digits.onnx --int8",
        "import digits.npz out.onnx",
        "import digits.npz out.safetensors --input 8x8",
        "import digits.npz out.safetensors --model layers.toml --input 8",
        "import digits.weights.h5 out.safetensors --model layers",
    ] {
        let ended = desk.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
    }
    // What is read is not overwritten.
    fs::copy(desk.path("run/model.safetensors"), desk.path("m.safetensors")).unwrap();
    let ended = desk.run("export m.safetensors m.safetensors");
    assert!(ended.code == Some(1) && ended.stderr.contains("would be overwritten"), "{ended:?}");
}

#[test]
fn a_file_of_another_program_where_a_model_is_named_is_to_be_imported_first() {
    let desk = desk();
    let predict = "predict run/model.safetensors --index 0 --data data --ensemble";
    for (name, said) in [
        (
            "digits.onnx",
            "holds ONNX, by its name: import it first, by `mnistry import digits.onnx model.",
        ),
        ("digits.keras", "holds a Keras archive, by its name: import it first"),
        ("digits.weights.h5", "model.safetensors --model FILE.toml`"),
        ("digits.npz", "holds arrays of NumPy, by its name: import it first"),
        ("digits.h", "a C header is written, but not read"),
        ("digits.h5", "an HDF5 file as Keras 2 saves models is not read"),
    ] {
        match name {
            "digits.h5" => fs::write(desk.path(name), b"\x89HDF\r\n\x1a\n").unwrap(),
            name => drop(desk.succeed(&format!("export run {name}"))),
        }
        for command in ["evaluate --data data", "export --json", predict] {
            let out = if command.starts_with("export") { "out.onnx" } else { "" };
            let ended = desk.run(&format!("{command} {name} {out}"));
            assert_eq!(
                (ended.code, ended.stderr.lines().count()),
                (Some(1), 1),
                "{}",
                ended.stderr
            );
            let is_said = ended.stderr.contains(name) && ended.stderr.contains(said);
            assert!(is_said, "{command}: {}", ended.stderr);
        }
        let ended = desk.run(&format!("report {name}"));
        assert!(ended.stderr.starts_with(&format!("error: {name}: this is a file, not a run: ")));
    }
    // What a name says is nothing against what is there.
    fs::copy(desk.path("run/model.safetensors"), desk.path("ours.onnx")).unwrap();
    desk.succeed("evaluate ours.onnx --data data");
}

#[test]
fn weights_alone_are_imported_into_a_network_that_has_a_name() {
    let desk = Desk::new();
    desk.write_digits("digits", 80, 20);
    desk.succeed("train --data digits --epochs 1 --run-dir run --quiet");
    desk.succeed("export run mlp.weights.h5");
    desk.succeed("import mlp.weights.h5 back.safetensors --model mlp");
    let load = |name: &str| Network::load(desk.path(name)).unwrap();
    assert_eq!(load("back.safetensors").tensors(), load("run/model.safetensors").tensors());
}

#[test]
fn training_goes_on_from_the_model_in_a_run_folder() {
    let desk = desk();
    let train = "train --data data --epochs 1 --quiet";
    desk.succeed(&format!("{train} --init run/model.safetensors --run-dir of-file"));
    desk.succeed(&format!("{train} --init run --run-dir of-folder"));
    assert_eq!(desk.bytes("of-folder/model.safetensors"), desk.bytes("of-file/model.safetensors"));
    let init = desk.json("of-folder/config.json")["init"].clone();
    assert!(init.as_str().unwrap().ends_with("model.safetensors"), "{init}");
}

#[test]
fn weights_alone_of_no_default_network_are_asked_for_their_network() {
    let desk = Desk::new();
    let array = |shape: &str, descr: &str, bytes: Vec<u8>| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        writers::npy_of(&header, &bytes)
    };
    let members = [
        ("dense.kernel.npy", array("(64, 3)", "<f4", vec![0; 4 * 64 * 3])),
        ("dense.bias.npy", array("(3,)", "<f4", vec![0; 4 * 3])),
    ];
    fs::write(desk.path("w.npz"), writers::npz(&members, Stored)).unwrap();
    let ended = desk.run("train --data data --init w.npz --epochs 1 --run-dir run");
    let said = "holds weights alone, and not those of dense 100 relu, dense 3 sigmoid, which is taken \
                where no network is named: name theirs with --model";
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.lines().count() == 1 && ended.stderr.contains(said), "{}", ended.stderr);
    // Where one is named, only what does not fit is said.
    let ended = desk.run("train --data data --init w.npz --model mlp --epochs 1 --run-dir run");
    let is_plain = ended.stderr.contains("dense") && !ended.stderr.contains("taken");
    assert!(ended.code == Some(1) && is_plain, "{}", ended.stderr);
    assert!(!desk.path("run").exists());

    // Weights are not told to be saved as pixels.
    let members = [
        ("dense.kernel.npy", array("(64, 3)", "<f2", vec![0; 2 * 64 * 3])),
        ("dense.bias.npy", array("(3,)", "<f4", vec![0; 4 * 3])),
    ];
    fs::write(desk.path("half.npz"), writers::npz(&members, Stored)).unwrap();
    let ended = desk.run("train --data data --init half.npz --epochs 1 --run-dir run");
    let said = "half.npz: tensor dense.kernel is of type '<f2', not float32";
    assert!(ended.code == Some(1) && ended.stderr.contains(said), "{}", ended.stderr);
}

#[test]
fn how_first_weights_were_read_is_said_once_in_a_sweep() {
    let desk = Desk::new();
    let array = |shape: &str, count: usize| {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        writers::npy_of(&header, &0.1_f64.to_le_bytes().repeat(count))
    };
    let members = [
        ("dense.kernel.npy", array("(64, 1)", 64)),
        ("dense.bias.npy", array("(1,)", 1)),
        ("dense_1.kernel.npy", array("(1, 3)", 3)),
        ("dense_1.bias.npy", array("(3,)", 3)),
    ];
    fs::write(desk.path("w.npz"), writers::npz(&members, Stored)).unwrap();
    let ended = desk.run(
        "sweep --data data --seeds 0-1 --grid init=w.npz --grid hidden=1 --grid epochs=1 \
         --grid batch-size=32,64 --sweep-dir sweep",
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = "--init: w.npz: the numbers of dense.kernel were rounded to float32";
    assert_eq!(ended.stderr.lines().filter(|line| *line == said).count(), 1, "{}", ended.stderr);
}
