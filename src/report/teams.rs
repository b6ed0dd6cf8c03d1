//! With how many threads a run was trained, in words.

use super::Report;
use super::text::counted;

impl Report {
    /// With how many threads, and where their number changed, for how much of the time each.
    pub(super) fn teams_in_words(&self) -> String {
        let mut sizes: Vec<usize> = self.teams.iter().map(|team| team.threads).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let threads = |size: usize| counted(size as u64, "thread");
        match sizes[..] {
            [] => return threads(self.threads),
            [only] => return threads(only),
            _ => {}
        }
        let seconds = |size: Option<usize>| -> f64 {
            let teams =
                self.teams.iter().filter(|team| size.is_none_or(|size| team.threads == size));
            teams.map(|team| team.seconds).sum()
        };
        let mut shares: Vec<_> =
            sizes.iter().map(|&size| (size, 100.0 * seconds(Some(size)) / seconds(None))).collect();
        shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let in_words =
            |&(size, share): &(usize, f64)| format!("{} {share:.0} % of the time", threads(size));
        let shares: Vec<_> = shares.iter().map(in_words).collect();
        shares.join(", ")
    }
}
