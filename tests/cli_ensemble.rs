//! `predict` and `evaluate` with several networks, which are asked together.
#![cfg(feature = "cli")]

use std::fs;

use program::Desk;
use serde_json::Value;

mod program;

/// A desk with three runs on the same data, by different seeds.
fn desk() -> Desk {
    let desk = Desk::new();
    for seed in 1..=3 {
        desk.succeed(&format!("train --data data --epochs 1 --hidden 9 --seed {seed} --quiet"));
    }
    desk
}

const ALL: &str = "predict runs/1 --ensemble runs/2 --ensemble runs/3/model.safetensors";

fn predictions(desk: &Desk, arguments: &str) -> Vec<Value> {
    serde_json::from_str(&desk.succeed(&format!("{arguments} --json"))).unwrap()
}

fn probabilities(prediction: &Value) -> Vec<f64> {
    let all = prediction["probabilities"].as_array().unwrap();
    all.iter().map(|probability| probability.as_f64().unwrap()).collect()
}

/// That `predict` says of `what` the means of what each network says of it.
fn assert_means(desk: &Desk, what: &str) {
    let together = predictions(desk, &format!("{ALL} {what}"));
    let each = ["runs/1", "runs/2", "runs/3"]
        .map(|model| predictions(desk, &format!("predict {model} {what}")));
    assert!(!together.is_empty(), "{what}");
    for (place, found) in together.iter().enumerate() {
        assert_eq!(found["networks"], 3, "{what}");
        for (class, probability) in probabilities(found).into_iter().enumerate() {
            let mean = each.iter().map(|of| probabilities(&of[place])[class]).sum::<f64>() / 3.0;
            assert!((probability - mean).abs() < 1e-6, "{what}: {probability}, not {mean}");
        }
        assert!(each.iter().all(|of| of[place]["networks"].is_null()), "{what}");
    }
}

#[test]
fn several_networks_read_whatever_one_reads() {
    let desk = desk();
    assert_means(&desk, "--index 0-9 --data data");
    let rows = (0..4).map(|row| (0..64).map(move |pixel| (row * pixel % 256).to_string()));
    let rows = rows.map(|row| row.collect::<Vec<_>>().join(",") + "\n").collect::<String>();
    fs::write(desk.path("test.csv"), rows).unwrap();
    assert_means(&desk, "test.csv --no-header --label-column none");
    let pixels = (0..64).map(|pixel| if pixel / 8 % 3 == 1 { 240 } else { 0 }).collect();
    image::GrayImage::from_raw(8, 8, pixels).unwrap().save(desk.path("bars.png")).unwrap();
    assert_means(&desk, "bars.png");

    // Where none are named, the data are those of the first run.
    let ended = desk.run(&format!("{ALL} --index 3"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("the data are those of the run, "), "{ended:?}");
    assert!(ended.stderr.contains("3 networks are asked together"), "{ended:?}");
    assert!(ended.stdout.starts_with("image 3: "), "{ended:?}");
    let said = desk.succeed(&format!("{ALL} --index 0-9 --data data --csv out.csv"));
    assert_eq!(said, "10 predictions written to out.csv\n");
    assert_eq!(desk.read("out.csv").lines().count(), 11);
    let table = format!("{ALL} --index 0-59 --data data --probabilities all.csv --quiet");
    desk.succeed(&table);
    desk.succeed("evaluate runs/1 runs/2 runs/3 --ensemble --data data --predictions tests.csv -q");
    let numbers = |name: &str, columns: usize| -> Vec<String> {
        let file = desk.read(name);
        let lines = file.lines().skip(1);
        lines.map(|line| line.splitn(columns + 1, ',').last().unwrap().to_owned()).collect()
    };
    assert_eq!(numbers("all.csv", 3), numbers("tests.csv", 2));
}

#[test]
fn evaluate_takes_networks_as_predict_does() {
    let desk = desk();
    let evaluated = |models: &str| desk.succeed(&format!("evaluate {models} --data data --json"));
    let together = evaluated("runs/1 runs/2 runs/3 --ensemble");
    assert!(together.contains("3 networks: "), "{together}");
    assert_eq!(evaluated("runs/1 --ensemble runs/2 --ensemble runs/3"), together);
    assert_eq!(evaluated("runs/1 runs/2 --ensemble runs/3"), together);
    assert_eq!(evaluated("--ensemble runs/1"), evaluated("runs/1 --ensemble"));
}

#[test]
fn networks_that_cannot_be_asked_the_same_are_refused() {
    let desk = desk();
    desk.write_data("four", 4);
    desk.succeed("train --data four --epochs 1 --run-dir other --quiet");
    for arguments in [
        "predict runs/1 --ensemble runs/2 --ensemble other --data data --index 0",
        "evaluate runs/1 runs/2 other --ensemble --data data",
        "evaluate runs/1 --ensemble runs/2 --ensemble other --data data",
    ] {
        let ended = desk.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{arguments}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{arguments}: {ended:?}");
        assert!(ended.stderr.contains("other: has 4 classes, and the first one 3"), "{ended:?}");
    }
    // What the answer is made of is not replaced by it.
    let model = desk.bytes("runs/2/model.safetensors");
    let ended = desk.run(&format!("{ALL} --data data --index 0 --csv runs/2/model.safetensors"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(desk.bytes("runs/2/model.safetensors"), model);
    let absent = desk.run("predict runs/1 --ensemble gone --data data --index 0");
    assert!(absent.code == Some(1) && absent.stderr.contains("gone"), "{absent:?}");
    assert_eq!(desk.run("evaluate").code, Some(2));
    for network in ["runs/3", "runs/3/model.safetensors"] {
        let ended = desk.run(&format!("predict runs/1 --ensemble runs/2 {network}"));
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
        let said = format!("{network}: this is a network, not a picture");
        assert!(ended.stderr.contains(&said) && ended.stderr.contains("--ensemble"), "{ended:?}");
    }
}
