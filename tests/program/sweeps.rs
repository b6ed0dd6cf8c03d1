//! What sweeps leave.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;

/// A row of a table, by its columns.
pub(crate) type Row = BTreeMap<String, String>;

impl Desk {
    /// The rows of a table, in their order.
    pub(crate) fn table(&self, name: &str) -> Vec<Row> {
        let mut reader = csv::Reader::from_path(self.path(name)).unwrap();
        let columns: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows = reader.records().map(|record| {
            let record = record.unwrap();
            columns.iter().cloned().zip(record.iter().map(str::to_owned)).collect()
        });
        rows.collect()
    }

    /// The results of the sweep in `folder` without their seconds: a row a run.
    pub(crate) fn results(&self, folder: &str) -> BTreeSet<Row> {
        self.rows_without_seconds(&format!("{folder}/results.csv"))
    }

    /// The rows of a table, each another one, without their seconds.
    pub(crate) fn rows_without_seconds(&self, table: &str) -> BTreeSet<Row> {
        let rows = self.table(table);
        let count = rows.len();
        let without_seconds = rows.into_iter().map(|mut row| {
            row.remove("seconds").unwrap();
            row
        });
        let distinct: BTreeSet<_> = without_seconds.collect();
        assert_eq!(distinct.len(), count, "a run was done twice");
        distinct
    }
}
