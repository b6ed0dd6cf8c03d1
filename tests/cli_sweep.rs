//! `mnistry sweep`: each run is what `train` gives, whoever does it and however often it is
//! interrupted.
#![cfg(feature = "cli")]

use std::fs;

use mnistry::data::{Fold, Folds};
use mnistry::{
    Activation, Dataset, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential,
};
use program::Desk;

mod program;

/// Six configurations by two seeds, one of them with a learning rate that is too high.
const SWEEP: &str = "sweep --data data --quiet --seeds 4-5 --grid hidden=5,[6,4],7 \
                     --grid learning-rate=0.01,1e30 --grid epochs=2";

#[test]
fn runs_are_those_of_train_by_any_number_of_workers_and_shards() {
    let desk = Desk::new();
    desk.succeed(&format!("{SWEEP} --sweep-dir one --workers 1 --keep all"));
    let whole = desk.results("one");
    assert_eq!(whole.len(), 12);
    desk.succeed(&format!("{SWEEP} --sweep-dir three --workers 3 --threads-per-run 2 --keep best"));
    assert_eq!(desk.results("three"), whole);
    for shard in 1..=3 {
        desk.succeed(&format!("{SWEEP} --shard {shard}/3 --sweep-dir part-{shard}"));
        assert_eq!(desk.results(&format!("part-{shard}")).len(), 4);
    }
    desk.succeed("sweep merge part-1 part-2 part-3 --sweep-dir merged --quiet");
    assert_eq!(desk.results("merged"), whole);
    assert_eq!(desk.bytes("merged/plan.toml"), desk.bytes("one/plan.toml"));

    // Run 5 is the first of hidden 6,4 at 0.01.
    let train = "train --data data --quiet --hidden 6,4 --learning-rate 0.01 --epochs 2 --seed 4";
    desk.succeed(&format!("{train} --run-dir run"));
    assert_eq!(desk.bytes("one/models/5.safetensors"), desk.bytes("run/model.safetensors"));
    // Half of the runs came to no network.
    assert_eq!(desk.names("one/models").len(), 6);
    assert_eq!(desk.names("three/models").len(), 1);
    let best = &desk.names("three/models")[0];
    assert_eq!(
        desk.bytes(&format!("three/models/{best}")),
        desk.bytes(&format!("one/models/{best}"))
    );
}

#[test]
fn the_same_command_goes_on_and_then_begins_anew() {
    let desk = Desk::new();
    desk.succeed(SWEEP);
    let whole = desk.results("sweeps/1");
    let results = desk.read("sweeps/1/results.csv");
    // As a process that was killed while it wrote the eighth row leaves it.
    let half: usize = results.lines().take(8).map(|line| line.len() + 1).sum();
    fs::write(desk.path("sweeps/1/results.csv"), &results[..half + 20]).unwrap();
    desk.succeed(SWEEP);
    assert_eq!(desk.results("sweeps/1"), whole);
    let kept = desk.read("sweeps/1/results.csv");
    assert_eq!(kept[..half], results[..half], "what was done is done again");
    assert_eq!(desk.names("sweeps"), ["1"]);
    desk.succeed(SWEEP);
    assert_eq!(desk.names("sweeps"), ["1", "2"]);
    desk.succeed("sweep --data data --quiet --grid epochs=1");
    assert_eq!(desk.names("sweeps"), ["1", "2", "3"]);
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_goes_on_where_it_was() {
    use program::running::Running;
    use rustix::process::Signal;
    use std::time::Duration;

    let desk = Desk::new();
    let sweep = "sweep --data data --seeds 0-39 --grid hidden=5,6 --grid epochs=60 --sweep-dir";
    desk.succeed(&format!("{sweep} whole --quiet"));
    for kill in 0..10 {
        let running = Running::start(desk.command(&format!("{sweep} killed --workers 2")));
        std::thread::sleep(Duration::from_millis(30 + 7 * kill));
        running.send(Signal::KILL);
        running.end();
    }
    desk.succeed(&format!("{sweep} killed --quiet"));
    assert_eq!(desk.results("killed"), desk.results("whole"));
}

#[test]
fn results_are_summed_up_by_configuration() {
    let desk = Desk::new();
    let printed = desk.succeed(&SWEEP.replace("--quiet", "--json"));
    let summary: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&summary["planned"], &summary["done"]), (&12.into(), &12.into()));
    let configurations = summary["configurations"].as_array().unwrap();
    assert_eq!(configurations.len(), 6);
    assert_eq!(configurations[0]["test_accuracy"]["count"], 2);
    assert_eq!(configurations[5]["failed"], 2);
    assert!(configurations[5]["test_accuracy"].is_null());
    let again = desk.succeed("sweep show sweeps/1 --json");
    assert_eq!(again, printed);
    let text = desk.succeed("sweep show sweeps/1");
    assert!(text.contains("0 + 2 failed") && text.contains("12 of 12 runs"), "{text}");
    assert!(text.contains("compared with it by Welch's t-test"), "{text}");
    let ended = desk.run("evaluate sweeps/1 --data data");
    assert!(ended.code == Some(1) && ended.stderr.contains("this is a sweep"), "{ended:?}");
    let runs = desk.succeed(&format!("{SWEEP} --dry-run"));
    assert_eq!(runs.lines().count(), 12);
    assert!(runs.contains("run 5 (hidden 6,4, learning-rate 0.01, epochs 2, seed 4)"), "{runs}");
}

/// They work together where the program was built for it.
#[test]
#[cfg(not(feature = "mpi"))]
fn processes_that_mpirun_starts_do_not_all_do_the_same() {
    let desk = Desk::new();
    for (size, rank) in [
        ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
        ("PMI_SIZE", "PMI_RANK"),
        ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ] {
        let run = |number: &str, more: &str| {
            let mut command = desk.command(&format!("{SWEEP} {more}"));
            let output = command.env(size, "4").env(rank, number).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let (code, said) = run("0", "");
        assert!(code == Some(1) && said.contains("--shard"), "{size}: {said}");
        assert!(said.contains(&format!("env -u {size}")), "{said}");
        // The others say in a line where to look, as there may be no first one.
        let (code, said) = run("3", "");
        assert!(code == Some(1) && said.lines().count() == 1, "{size}: {said}");
        assert!(
            said.contains("process 3 of 4") && said.contains(&format!("env -u {size}")),
            "{said}"
        );
        let (code, said) = run("3", "--no-such-argument");
        assert!(code == Some(2) && said.contains("process 3 of 4"), "{size}: {said}");
        assert!(!desk.path("sweeps").exists());
        let mut train = desk.command("train --data data");
        let output = train.env(size, "4").env(rank, "0").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("--features mpi"), "{said}");
        assert!(!desk.path("runs").exists());
        // What they do not share, the first one says, and does.
        for (number, lines) in [("0", 1), ("3", 0)] {
            let mut info = desk.command("data info data");
            let output = info.env(size, "4").env(rank, number).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success() && said.lines().count() == lines, "{said}");
            assert!(lines == 0 || said.contains("does all of `mnistry data`"), "{said}");
        }
        // A shard that may be that of all.
        for shard in ["1/4", "3/4", "4/5", "1/1"] {
            let (code, said) = run("3", &format!("--shard {shard} --sweep-dir part"));
            assert!(code == Some(1) && said.contains("leave --shard out"), "{shard}: {said}");
            assert!(!desk.path("part").exists());
        }
        assert_eq!(run("3", "--shard 8/8 --sweep-dir part").0, Some(0), "{size}");
        fs::remove_dir_all(desk.path("part")).unwrap();
        assert_eq!(run("3", "--shard 4/4 --sweep-dir part").0, Some(0), "{size}");
        fs::remove_dir_all(desk.path("part")).unwrap();
    }
}

#[test]
fn a_plan_is_a_file_too() {
    let desk = Desk::new();
    let plan = "data = \"data\"\nseeds = \"4-5\"\n[settings]\nhidden = [5, [6, 4], 7]\n\
                learning-rate = [0.01, \"1e30\"]\nepochs = 2\n";
    fs::write(desk.path("plan.toml"), plan).unwrap();
    desk.succeed("sweep plan.toml --quiet");
    desk.succeed(SWEEP);
    assert_eq!(desk.names("sweeps"), ["1", "2"], "each is complete, so each is a sweep of its own");
    assert_eq!(desk.bytes("sweeps/1/plan.toml"), desk.bytes("sweeps/2/plan.toml"));
    assert_eq!(desk.results("sweeps/1"), desk.results("sweeps/2"));
}

#[test]
fn each_fold_is_held_out_of_a_training_and_judges_it() {
    let desk = Desk::new();
    let sweep = "sweep --data data --folds 3 --seeds 4-5 --grid hidden=5,7 --grid epochs=2 \
                 --grid validation-split=0.25";
    desk.succeed(&format!("{sweep} --quiet --sweep-dir one --workers 1"));
    let whole = desk.results("one");
    assert_eq!(whole.len(), 12);
    desk.succeed(&format!("{sweep} --quiet --sweep-dir three --workers 3"));
    assert_eq!(desk.results("three"), whole);
    for shard in 1..=2 {
        desk.succeed(&format!("{sweep} --quiet --shard {shard}/2 --sweep-dir part-{shard}"));
    }
    desk.succeed("sweep merge part-1 part-2 --sweep-dir merged --quiet");
    assert_eq!(desk.results("merged"), whole);
    let runs = desk.succeed(&format!("{sweep} --dry-run"));
    let run = "run 5 (hidden 5, epochs 2, validation-split 0.25, seed 5, fold 2)";
    assert_eq!(runs.lines().nth(4), Some(run));

    // The same by hand.
    let row = desk.table("three/results.csv").into_iter().find(|row| row["run"] == "5").unwrap();
    let data = Dataset::open(desk.path("data")).unwrap();
    let Fold { train, held_out } = Folds::deal(&data.train, 3).unwrap().fold(2).unwrap();
    let layers = Sequential::new(data.shape()).dense(5, Activation::Relu);
    let mut network = Network::new(layers.dense(3, Activation::Sigmoid), 5).unwrap();
    let options =
        FitOptions { epochs: 2, seed: 5, validation_split: 0.25, ..FitOptions::default() };
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let history = engine.fit(&mut network, &train, &options, &mut NoObserver).unwrap();
    let validation = history.epochs[1].validation.unwrap();
    let judged = engine.evaluate(&network, &held_out).unwrap();
    assert_eq!(row["fold_loss"], judged.loss.to_string());
    assert_eq!(row["fold_accuracy"], judged.accuracy().to_string());
    assert_eq!(row["validation_loss"], validation.loss.to_string());

    let summary = desk.succeed("sweep show three --json");
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["judged_by"], "folds");
    let mean = |number: &str| {
        let of_it = whole.iter().filter(|row| row["configuration"] == number);
        of_it.map(|row| row["fold_accuracy"].parse::<f64>().unwrap()).sum::<f64>() / 6.0
    };
    for configuration in summary["configurations"].as_array().unwrap() {
        let found = &configuration["fold_accuracy"];
        assert_eq!(found["count"], 6);
        let expected = mean(&configuration["configuration"].to_string());
        assert!((found["mean"].as_f64().unwrap() - expected).abs() < 1e-12);
    }
    assert!(desk.succeed("sweep show three").contains("held-out %"));
}

#[test]
fn what_makes_no_sweep_is_refused_and_leaves_nothing() {
    let desk = Desk::new();
    for (arguments, said) in [
        ("--grid hiden=5", "hiden"),
        ("--grid seed=5", "--seeds"),
        ("--grid epochs=0", "epochs 0"),
        ("--grid momentum=0.5", "--momentum"),
        ("--grid no-shuffle=maybe", "true or false"),
        ("--grid hidden=5 --grid hidden=6", "twice"),
        ("--grid learning-rate=1e-3..1e-2", "range"),
        ("--grid model=absent.toml", "absent.toml"),
        ("--grid validation-split=0.999", "run 1"),
        ("--grid validation-split=0,0.5 --keep best", "the best"),
        ("--folds 81", "80 training images"),
        ("--folds 2 --grid train-limit=100", "train-limit"),
    ] {
        let ended = desk.run(&format!("sweep --data data {arguments}"));
        assert_eq!(ended.code, Some(1), "{arguments}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{arguments}: {ended:?}");
        assert!(!desk.path("sweeps").exists(), "{arguments}");
    }
    for wrong in [
        "--seeds 3-1",
        "--folds 1",
        "--shard 4/3",
        "--grid hidden",
        "--seed 3",
        "plan.toml --seed 3",
        "--threads 2",
    ] {
        assert_eq!(desk.run(&format!("sweep --data data {wrong}")).code, Some(2), "{wrong}");
    }
    // A folder of something else, a sweep of another plan, results of another sweep.
    let refused = |arguments: &str| {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        ended.stderr
    };
    let once = "sweep --data data --quiet --grid epochs=1";
    assert!(refused(&format!("{once} --sweep-dir data")).contains("no sweep"));
    desk.succeed(&format!("{once} --sweep-dir first"));
    assert!(refused(&format!("{once},2 --sweep-dir first")).contains("another plan"));
    assert!(refused("sweep show data").contains("plan.toml"));
    let results = desk.read("first/results.csv");
    fs::write(desk.path("first/results.csv"), results.replace("\n1,1,0", "\n1,1,7")).unwrap();
    assert!(refused("sweep show first").contains("results.csv"));
}
