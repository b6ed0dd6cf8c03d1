//! With how many threads a run was trained, in words.

use super::Report;
use super::text::counted;
use crate::train::TeamUse;

/// The share of the time, in percent, below which a number of threads is not worth a word.
const WORTH_A_WORD: f64 = 1.0;

impl Report {
    /// With how many threads, most of the time; and, where their number changed, for how much of it
    /// with how many others.
    pub(super) fn teams_in_words(&self) -> String {
        let words = in_words(&self.teams).unwrap_or_else(|| threads(self.threads));
        match self.ranks {
            Some(ranks) => format!("{words} of {}", counted(ranks as u64, "rank")),
            None => words,
        }
    }
}

/// `None` where there are none.
fn in_words(teams: &[TeamUse]) -> Option<String> {
    let mut sizes: Vec<usize> = teams.iter().map(|team| team.threads).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let all: f64 = teams.iter().map(|team| team.seconds).sum();
    let share = |size: usize| {
        let of_size = teams.iter().filter(|team| team.threads == size);
        100.0 * of_size.map(|team| team.seconds).sum::<f64>() / all
    };
    let mut shares: Vec<_> = sizes.into_iter().map(|size| (size, share(size))).collect();
    shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let (&(most, _), others) = shares.split_first()?;
    let others = others.iter().filter(|(_, share)| *share >= WORTH_A_WORD);
    let others: Vec<_> =
        others.map(|(size, share)| format!("{size} for {share:.0} % of the time")).collect();
    let most = threads(most);
    Some(if others.is_empty() { most } else { format!("{most} ({})", others.join(", ")) })
}

fn threads(count: usize) -> String {
    counted(count as u64, "thread")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_most_comes_first() {
        let team = |threads, seconds| TeamUse { epoch: 1, threads, steps: 1, seconds };
        assert_eq!(in_words(&[]), None);
        assert_eq!(in_words(&[team(1, 2.0)]).unwrap(), "1 thread");
        let teams = [team(4, 1.0), team(2, 6.0), team(8, 0.01), team(1, 1.0), team(1, 2.0)];
        assert_eq!(
            in_words(&teams).unwrap(),
            "2 threads (1 for 30 % of the time, 4 for 10 % of the time)"
        );
    }
}
