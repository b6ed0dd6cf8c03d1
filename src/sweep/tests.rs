//! Plans and what they come to.

use super::*;

fn plan(settings: &[(&str, &str)]) -> Plan {
    let settings = settings
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.parse::<Values>().unwrap()));
    Plan { settings: settings.collect(), ..Plan::default() }
}

fn texts(plan: &Plan) -> Vec<String> {
    plan.runs().iter().map(ToString::to_string).collect()
}

#[test]
fn a_grid_has_all_combinations_by_each_seed() {
    let grid =
        Plan { seeds: "3-4".parse().unwrap(), ..plan(&[("hidden", "5,7"), ("epochs", "1,2")]) };
    grid.check().unwrap();
    assert_eq!(
        texts(&grid),
        [
            "run 1 (hidden 5, epochs 1, seed 3)",
            "run 2 (hidden 5, epochs 1, seed 4)",
            "run 3 (hidden 5, epochs 2, seed 3)",
            "run 4 (hidden 5, epochs 2, seed 4)",
            "run 5 (hidden 7, epochs 1, seed 3)",
            "run 6 (hidden 7, epochs 1, seed 4)",
            "run 7 (hidden 7, epochs 2, seed 3)",
            "run 8 (hidden 7, epochs 2, seed 4)",
        ]
    );
    assert_eq!(texts(&Plan::default()), ["run 1 (the default settings, seed 0)"]);
}

#[test]
fn each_seed_is_trained_once_without_each_fold() {
    let folds =
        Plan { seeds: "3-4".parse().unwrap(), folds: Some(2), ..plan(&[("hidden", "5,7")]) };
    folds.check().unwrap();
    assert_eq!(
        texts(&folds)[..5],
        [
            "run 1 (hidden 5, seed 3, fold 1)",
            "run 2 (hidden 5, seed 3, fold 2)",
            "run 3 (hidden 5, seed 4, fold 1)",
            "run 4 (hidden 5, seed 4, fold 2)",
            "run 5 (hidden 7, seed 3, fold 1)",
        ]
    );
    assert_eq!(folds.runs().len(), 8);
}

#[test]
fn a_random_sample_depends_on_its_seed_alone() {
    let sample = |configurations, seed| Plan {
        sample: Some(Sample { configurations, seed }),
        ..plan(&[("learning-rate", "1e-4..1e-2:log"), ("hidden", "16..512"), ("epochs", "1,2,3")])
    };
    let twenty = sample(20, 1);
    twenty.check().unwrap();
    assert_eq!(texts(&twenty), texts(&sample(20, 1)));
    assert_ne!(texts(&twenty), texts(&sample(20, 2)));
    // More of them begin with the same.
    assert_eq!(texts(&twenty), texts(&sample(50, 1))[..20]);
    // Recorded: shards on other machines must draw the same.
    assert_eq!(texts(&twenty)[..2], RECORDED);
}

const RECORDED: [&str; 2] = [
    "run 1 (learning-rate 0.001414, hidden 264, epochs 3, seed 0)",
    "run 2 (learning-rate 0.000782, hidden 80, epochs 3, seed 0)",
];

/// Of few combinations a sample has each once, however unlikely chance makes one.
#[test]
fn a_sample_has_no_configuration_twice_where_it_need_not() {
    let few: &[(&str, &str)] = &[("hidden", "1..8:log"), ("output", "sigmoid,softmax")];
    for configurations in [1, 5, 15, 16] {
        let sample = Some(Sample { configurations, seed: 3 });
        let few = Plan { sample, ..plan(few) };
        few.check().unwrap();
        let mut drawn: Vec<_> =
            texts(&few).iter().map(|run| run.split_once('(').unwrap().1.to_owned()).collect();
        drawn.sort();
        drawn.dedup();
        assert_eq!(drawn.len(), configurations);
    }
    // More of them begin with the same here too.
    let sample =
        |configurations| Plan { sample: Some(Sample { configurations, seed: 3 }), ..plan(few) };
    assert_eq!(texts(&sample(9)), texts(&sample(16))[..9]);
    assert!(sample(17).check().unwrap_err().to_string().contains("16 combinations"));
}

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let refused = |plan: Plan| plan.check().unwrap_err().to_string();
    assert!(refused(plan(&[("a", "1"), ("a", "2")])).contains("twice"));
    assert!(refused(plan(&[("a", "1..2")])).contains("sample"));
    assert!(refused(Plan { folds: Some(1), ..plan(&[]) }).contains("folds"));
    assert!(refused(Plan { folds: Some(1 << 40), ..plan(&[]) }).contains("more than"));
    for values in ["8,8", "8,5,8.0", "1e-3,0.001", "[5,6],[5, 6]", "relu,relu", "0,-0"] {
        let twice = refused(plan(&[("a", values)]));
        assert!(twice.contains("are the same value"), "{values}: {twice}");
    }
    plan(&[("a", "[5,6],[6,5],5,56,relu,Relu,nan")]).check().unwrap();
    let range = |range: &str| Plan {
        sample: Some(Sample { configurations: 1, seed: 0 }),
        ..plan(&[("a", range)])
    };
    assert!(refused(range("2..1")).contains("no range"));
    assert!(refused(range("0..1:log")).contains("logarithm"));
    // Three numbers of four digits.
    let drawn = |configurations| Plan {
        sample: Some(Sample { configurations, seed: 0 }),
        ..plan(&[("a", "0.5..0.5002")])
    };
    drawn(3).check_draws().unwrap();
    let again = drawn(4).check_draws().unwrap_err().to_string();
    assert!(again.contains("number 4") && again.contains("a 0.5"), "{again}");
    let values = (0..1100).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    assert!(refused(plan(&[("a", &values), ("b", &values)])).contains("more than"));
}
