//! Plans as files: `plan.toml`.

use std::path::Path;

use toml::{Table, Value};

use super::error::{Error, Result};
use super::halving::Halving;
use super::plan::{Plan, Sample};
use super::seeds::Seeds;
use super::values::{Range, Values};
use crate::files::read_bounded;

/// More bytes than any plan of a person has.
const LARGEST: u64 = 1 << 24;

impl Plan {
    /// Reads a plan that a person wrote:
    ///
    /// ```toml
    /// data = "mnist"   # as `--data` has it
    /// seeds = "0-9"
    /// sample = 20      # where configurations are drawn at random,
    /// seed = 1         # and what decides which
    /// folds = 5        # of the training images, where each is held out in turn
    /// halving = true   # or a number: of how many configurations the best one goes on
    ///
    /// [settings]       # by the names that arguments of a training have, each a value, a list or a range
    /// epochs = 3
    /// hidden = [50, 100, [200, 100]]
    /// learning-rate = { from = 1e-4, to = 1e-2, log = true }
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, or is no such plan.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = read_bounded(path, LARGEST)?;
        let wrong = |problem: String| Error::PlanFile { path: path.to_owned(), problem };
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is no text".into()))?;
        let plan = Self::from_toml(text).map_err(wrong)?;
        plan.check()?;
        Ok(plan)
    }

    /// The plan that `text` describes.
    ///
    /// # Errors
    /// When it is none: why.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| error.to_string().trim_end().replace('\n', " "))?;
        let mut plan = Self::default();
        let (mut sample, mut seed) = (None, None);
        for (name, value) in table {
            match (name.as_str(), value) {
                ("data", Value::String(data)) => plan.data = Some(data),
                ("data-checksum", Value::String(checksum)) => plan.data_checksum = Some(checksum),
                ("seeds", value) => plan.seeds = seeds(value)?,
                ("sample", Value::Integer(count)) => {
                    let count = usize::try_from(count).ok().filter(|&count| count > 0);
                    sample = Some(count.ok_or("sample: give a number of configurations")?);
                }
                ("folds", Value::Integer(count)) => {
                    let count = usize::try_from(count);
                    plan.folds = Some(count.map_err(|_| "folds: give a number from 2 on")?);
                }
                ("seed", Value::Integer(number)) => {
                    seed =
                        Some(u64::try_from(number).map_err(|_| "seed: give a number from 0 on")?);
                }
                ("halving", Value::Boolean(is_set)) => {
                    plan.halving = is_set.then(Halving::default);
                }
                ("halving", Value::Integer(factor)) => {
                    let halving = Halving::new(usize::try_from(factor).unwrap_or(0));
                    plan.halving = Some(halving.map_err(|why| format!("halving: {why}"))?);
                }
                ("settings", Value::Table(settings)) => {
                    for (name, value) in settings {
                        let values = values(value).map_err(|why| format!("{name}: {why}"))?;
                        plan.settings.push((name, values));
                    }
                }
                (
                    "data" | "data-checksum" | "sample" | "seed" | "folds" | "halving" | "settings",
                    found,
                ) => {
                    return Err(format!("{name} is {}, of another kind", found.type_str()));
                }
                _ => {
                    return Err(format!(
                        "{name}: there are data, seeds, sample, seed, folds, halving and [settings], which has the \
                         settings of `train`"
                    ));
                }
            }
        }
        if seed.is_some() && sample.is_none() {
            return Err(
                "seed decides what is drawn, but there is no sample: the seeds of the runs \
                        are `seeds`"
                    .into(),
            );
        }
        plan.sample =
            sample.map(|configurations| Sample { configurations, seed: seed.unwrap_or(0) });
        Ok(plan)
    }

    /// The plan as a file has it: equal plans are the same text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Self { data, data_checksum, seeds, folds, halving, sample, settings } = self;
        let mut table = Table::new();
        let mut add = |name: &str, value: Value| table.insert(name.into(), value);
        if let Some(data) = data {
            add("data", data.as_str().into());
        }
        if let Some(checksum) = data_checksum {
            add("data-checksum", checksum.as_str().into());
        }
        add("seeds", seeds.to_string().into());
        if let Some(folds) = *folds {
            add("folds", Value::Integer(folds as i64));
        }
        if let Some(halving) = halving {
            add("halving", Value::Integer(halving.factor() as i64));
        }
        if let Some(Sample { configurations, seed }) = *sample {
            add("sample", Value::Integer(configurations as i64));
            // TOML has no greater numbers; `check` refuses them.
            add("seed", Value::Integer(seed as i64));
        }
        let lines: String = settings.iter().map(|(name, values)| line_of(name, values)).collect();
        format!("{table}\n[settings]\n{lines}")
    }
}

fn seeds(value: Value) -> Result<Seeds, String> {
    let seed = |value: &Value| value.as_integer().and_then(|seed| u64::try_from(seed).ok());
    let read = match &value {
        Value::String(text) => text.parse(),
        Value::Array(values) => match values.iter().map(seed).collect() {
            Some(seeds) => Seeds::new(seeds),
            None => Err("give numbers from 0 on".into()),
        },
        value => match seed(value) {
            Some(seed) => Seeds::new(vec![seed]),
            None => Err("give a text such as \"0-9\", or a list of numbers".into()),
        },
    };
    read.map_err(|why| format!("seeds: {why}"))
}

/// What a plan's file says of a setting.
fn values(value: Value) -> Result<Values, String> {
    match value {
        Value::Array(values) => {
            values.iter().map(argument).collect::<Result<_, _>>().map(Values::List)
        }
        Value::Table(table) => range(&table).map(Values::Range),
        value => Ok(Values::List(vec![argument(&value)?])),
    }
}

/// A value as an argument has it.
fn argument(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(is_set) => Ok(is_set.to_string()),
        Value::Array(parts) => {
            let parts: Result<Vec<_>, _> = parts.iter().map(argument).collect();
            Ok(parts?.join(","))
        }
        value => Err(format!("a value cannot be {}", value.type_str())),
    }
}

fn range(table: &Table) -> Result<Range, String> {
    let shape = || "a range is { from = …, to = … }, and may have log = true".to_owned();
    if table.keys().any(|key| !["from", "to", "log"].contains(&key.as_str())) {
        return Err(shape());
    }
    let number = |name| match table.get(name) {
        Some(Value::Integer(number)) => Ok((*number as f64, true)),
        Some(Value::Float(number)) => Ok((*number, false)),
        _ => Err(shape()),
    };
    let ((from, from_is_whole), (to, to_is_whole)) = (number("from")?, number("to")?);
    let log = match table.get("log") {
        None => false,
        Some(log) => log.as_bool().ok_or_else(shape)?,
    };
    Ok(Range { from, to, log, whole: from_is_whole && to_is_whole })
}

/// The line of a setting. A whole table would have ranges after all lists, but the order of settings
/// decides which runs there are.
fn line_of(name: &str, values: &Values) -> String {
    let table = Table::from_iter([(name.to_owned(), value_of(values))]);
    let inline = Value::Table(table).to_string();
    let line = inline.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }"));
    format!("{}\n", line.unwrap_or(&inline))
}

fn value_of(values: &Values) -> Value {
    match *values {
        Values::List(ref values) => values.iter().map(String::as_str).collect::<Vec<_>>().into(),
        Values::Range(Range { from, to, log, whole }) => {
            let number = |number: f64| match whole {
                true => Value::Integer(number as i64),
                false => Value::Float(number),
            };
            let parts = [("from", number(from)), ("to", number(to)), ("log", log.into())];
            Value::Table(parts.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        data = "mnist"
        seeds = [3, 1]
        sample = 20
        seed = 7
        folds = 5
        halving = 4

        [settings]
        hidden = [50, "100", [200, 100]]
        epochs = 3
        no-shuffle = [true, false]
        learning-rate = { from = 1e-4, to = 1e-2, log = true }
        batch-size = { from = 16, to = 512 }
    "#;

    #[test]
    fn a_plan_is_read_in_its_order_and_written_so_that_it_reads_the_same() {
        let plan = Plan::from_toml(PLAN).unwrap();
        let names: Vec<_> = plan.settings.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["hidden", "epochs", "no-shuffle", "learning-rate", "batch-size"]);
        assert_eq!(plan.settings[0].1, "50,100,[200,100]".parse().unwrap());
        assert_eq!(plan.settings[3].1, "0.0001..0.01:log".parse().unwrap());
        assert_eq!(plan.settings[4].1, "16..512".parse().unwrap());
        assert_eq!((plan.folds, plan.halving), (Some(5), Halving::new(4).ok()));
        let halving = |text| Plan::from_toml(text).unwrap().halving;
        assert_eq!(halving("halving = true"), Some(Halving::default()));
        assert_eq!(halving("halving = false"), None);
        assert_eq!(plan.sample, Some(Sample { configurations: 20, seed: 7 }));
        assert_eq!(Plan::from_toml(&plan.to_toml()).unwrap(), plan);
        let ranges_first = "sample = 2\n[settings]\na = { from = 1, to = 2 }\n\"b c\" = [1]\nd = 2";
        let ranges_first = Plan::from_toml(ranges_first).unwrap();
        assert_eq!(Plan::from_toml(&ranges_first.to_toml()).unwrap(), ranges_first);
        let empty = Plan::from_toml("").unwrap();
        assert_eq!(Plan::from_toml(&empty.to_toml()).unwrap(), Plan::default());
        let sum = Plan { data_checksum: Some("abc".into()), ..Plan::default() };
        assert_eq!(Plan::from_toml(&sum.to_toml()).unwrap(), sum);
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for wrong in [
            "seeds = \"a\"",
            "seeds = -1",
            "seed = 1",
            "sample = 0",
            "sample = \"many\"",
            "folds = -1",
            "halving = 1",
            "halving = \"3\"",
            "folds = \"all\"",
            "epochs = 3",
            "data = 1",
            "[settings]\nepochs = { from = 1 }",
            "[settings]\nepochs = { from = 1, to = 2, step = 1 }",
            "[settings]\nepochs = 1979-05-27",
            "[settings",
        ] {
            let refused = Plan::from_toml(wrong).unwrap_err();
            assert!(!refused.contains('\n'), "{refused}");
        }
    }
}
