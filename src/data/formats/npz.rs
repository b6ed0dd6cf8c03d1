//! Archives of arrays as NumPy writes them, such as Keras's `mnist.npz`: a zip archive of npy files,
//! stored or deflated.

use std::io::Write;

use super::roles::{Pair, Roles};
use super::unpack;
use super::zip_member::{Directory, ZipMember, open};
use super::{Array, Layout, npy};
use crate::data::Problem;
use crate::data::checksum::crc32;
use crate::data::formats::unpack::{Compressed, UnpackError};
use crate::files::Bytes;

/// The most arrays of an archive that are looked at.
const MOST_ARRAYS: usize = 64;

/// What the names of arrays end in.
pub(crate) const EXTENSION: &str = ".npy";

/// Some arrays of an npz archive, their headers read and checked: images and labels of the training
/// set, then of the test set, if that is apart.
#[derive(Debug)]
pub struct Npz<'a> {
    compressed: &'a [u8],
    members: Vec<Member<'a>>,
    left_out: Vec<String>,
}

#[derive(Debug)]
struct Member<'a> {
    name: String,
    member: ZipMember<'a>,
    /// Where its elements lie in the unpacked member.
    layout: Layout,
}

/// Reads the directory of the archive `compressed` and the headers of its arrays.
///
/// Nothing is unpacked but the headers.
///
/// # Errors
/// When `compressed` is not a zip archive whose arrays are [known](Roles) by their names or shapes,
/// in a way that is read, or a header claims what the archive cannot hold.
pub fn parse(compressed: &[u8]) -> Result<Npz<'_>, Problem> {
    let arrays = Arrays::of(compressed, MOST_ARRAYS)?;
    let found: Vec<_> =
        arrays.readable.iter().map(|member| (stem(&member.name), &member.layout)).collect();
    let roles = match (Roles::of(&found), arrays.unreadable) {
        (Ok(roles), _) => roles,
        (Err(_), Some(problem)) => return Err(problem),
        (Err(Problem::UnknownArrays(arrays)), None) if arrays.is_empty() => {
            return Err(Problem::UnknownArrays(arrays_of_others(compressed)?));
        }
        (Err(problem), None) => return Err(problem),
    };
    let kept = |Pair { images, labels }| [images, labels];
    let kept: Vec<usize> = std::iter::once(roles.train).chain(roles.test).flat_map(kept).collect();
    let mut members: Vec<_> = arrays.readable.into_iter().map(Some).collect();
    let kept = kept.into_iter().filter_map(|place| members[place].take()).collect();
    let left_out = members.into_iter().flatten().map(|member| member.name).collect();
    Npz { compressed, members: kept, left_out }.checked()
}

/// Reads the archive `compressed` of a single array.
///
/// # Errors
/// As [`parse`], and when it holds another number of arrays.
pub fn parse_single(compressed: &[u8]) -> Result<Npz<'_>, Problem> {
    let arrays = Arrays::of(compressed, MOST_ARRAYS)?;
    match (arrays.unreadable, arrays.readable) {
        (Some(problem), _) => Err(problem),
        (None, members) if members.len() == 1 => {
            Npz { compressed, members, left_out: Vec::new() }.checked()
        }
        (None, members) => {
            Err(Problem::UnknownArrays(members.into_iter().map(|member| member.name).collect()))
        }
    }
}

/// The arrays of an archive.
struct Arrays<'a> {
    readable: Vec<Member<'a>>,
    /// Why the first one is not read that is not.
    unreadable: Option<Problem>,
}

impl<'a> Arrays<'a> {
    /// The first arrays of the archive `compressed`, at most as many as `most`.
    fn of(compressed: &'a [u8], most: usize) -> Result<Self, Problem> {
        let mut archive = open(compressed)?;
        let names = names(&archive, most, |name| name.ends_with(EXTENSION));
        let (mut readable, mut unreadable) = (Vec::new(), None);
        for name in names {
            match Member::find(compressed, &mut archive, &name) {
                Ok(member) => readable.push(member),
                Err(problem) => {
                    unreadable.get_or_insert_with(|| problem.within(name));
                }
            }
        }
        Ok(Self { readable, unreadable })
    }
}

/// The names of some members, sorted.
fn names(archive: &Directory<'_>, most: usize, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    // Names that are no text are none of ours.
    let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
    let mut names: Vec<_> = names.filter(|name| is_meant(name)).take(most).collect();
    names.sort();
    names
}

/// What an archive holds that has no arrays.
fn arrays_of_others(compressed: &[u8]) -> Result<Vec<String>, Problem> {
    let names = names(&open(compressed)?, MOST_ARRAYS, |_| true);
    Ok(names.into_iter().take(8).map(|name| name.escape_debug().to_string()).collect())
}

/// What an array is called, without the ending of its file.
fn stem(name: &str) -> &str {
    name.strip_suffix(EXTENSION).unwrap_or(name)
}

/// Checks that no bytes of the archive `compressed` are those of two of its `members`: each would
/// unpack to as much as those bytes can hold.
fn check_claims(compressed: &[u8], members: &[Member<'_>]) -> Result<(), Problem> {
    let claimed = members.iter().map(|member| member.member.bytes.len() as u64).sum();
    match claimed > compressed.len() as u64 {
        true => Err(Problem::Beyond { claimed, held: compressed.len() as u64 }),
        false => Ok(()),
    }
}

/// All arrays of an archive, each read by its name when it is asked for.
pub(crate) struct NamedArrays<'a> {
    /// Sorted by their names.
    members: Vec<Member<'a>>,
}

impl<'a> NamedArrays<'a> {
    /// Those of the archive `compressed`, of which nothing is unpacked but the headers.
    ///
    /// # Errors
    /// When it is no archive, or one of its arrays cannot be read.
    pub(crate) fn parse(compressed: &'a [u8]) -> Result<Self, Problem> {
        let Arrays { readable: members, unreadable } = Arrays::of(compressed, usize::MAX)?;
        if let Some(problem) = unreadable {
            return Err(problem);
        }
        check_claims(compressed, &members)?;
        Ok(Self { members })
    }

    /// What the arrays are called.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| stem(&member.name))
    }

    /// What the header of the array `name` says, if there is one.
    pub(crate) fn layout(&self, name: &str) -> Option<&Layout> {
        self.member(name).map(|member| &member.layout)
    }

    /// The array `name`, if there is one.
    ///
    /// # Errors
    /// When it is damaged, or takes more memory than there is.
    pub(crate) fn array(&self, name: &str) -> Result<Option<Array>, Problem> {
        let Some(member) = self.member(name) else { return Ok(None) };
        let file = unpack::in_memory(member.layout.file_len(), |file| member.unpack_to(file));
        let array = |file: Vec<u8>| Array::new(&file.into(), &member.layout);
        file.and_then(array).map(Some).map_err(|problem| problem.within(member.name.clone()))
    }

    fn member(&self, name: &str) -> Option<&Member<'a>> {
        let name = format!("{name}{EXTENSION}");
        let place = self.members.binary_search_by(|member| member.name.cmp(&name)).ok()?;
        self.members.get(place)
    }
}

impl<'a> Npz<'a> {
    /// These arrays, if together they are no more than the archive can hold.
    fn checked(self) -> Result<Self, Problem> {
        let Self { compressed, members, .. } = &self;
        check_claims(compressed, members)?;
        let unpacked = members.iter().try_fold(0usize, |len, member| {
            len.checked_add(member.layout.file_len()).filter(|&len| isize::try_from(len).is_ok())
        });
        match unpacked {
            Some(_) => Ok(self),
            None => {
                let lens = members.iter().map(|member| member.layout.file_len());
                Err(Problem::Overflow(lens.collect()))
            }
        }
    }

    /// The names of the arrays that are not read.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Where the arrays lie in the archive itself, if all are stored without compression.
    ///
    /// # Errors
    /// When a stored member is not as long as its header says, or fails its checksum.
    pub fn in_place(&self) -> Result<Option<Vec<Layout>>, Problem> {
        if self.members.iter().any(|array| array.member.is_deflated) {
            return Ok(None);
        }
        for member in &self.members {
            member.check_stored().map_err(|problem| problem.within(member.name.clone()))?;
        }
        let layouts = self.members.iter().map(|member| member.layout.shifted(member.member.start));
        Ok(Some(layouts.collect()))
    }

    /// Unpacks the npy files into memory, one after the other.
    ///
    /// # Errors
    /// When a member is damaged or not exactly as long as its header says, which is noticed
    /// before more is unpacked.
    pub fn unpack(&self) -> Result<Vec<u8>, Problem> {
        unpack::to_memory(self)
    }

    /// Where the arrays lie once [unpacked](Self::unpack).
    #[must_use]
    pub fn unpacked(&self) -> Vec<Layout> {
        let mut start = 0;
        let layouts = self.members.iter().map(|member| {
            let layout = member.layout.shifted(start);
            start = layout.payload().end;
            layout
        });
        layouts.collect()
    }
}

impl Compressed for Npz<'_> {
    /// The npy files, one after the other.
    const EXTENSION: &'static str = "npys";

    fn compressed(&self) -> &[u8] {
        self.compressed
    }

    fn unpacked_len(&self) -> usize {
        self.members.iter().map(|member| member.layout.file_len()).sum()
    }

    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), UnpackError> {
        self.members.iter().try_for_each(|member| {
            member.unpack_to(sink).map_err(|failure| match failure {
                UnpackError::Compressed(problem) => problem.within(member.name.clone()).into(),
                sink => sink,
            })
        })
    }

    fn unpacks_to(&self, copy: &Bytes) -> bool {
        let mut start = 0;
        let same = self.members.iter().all(|member| {
            let end = start + member.layout.file_len();
            let Some(file) = copy.slice(start..end) else {
                return false;
            };
            start = end;
            npy::parse(&file).is_ok_and(|layout| layout == member.layout)
                && crc32(&file) == member.member.crc
        });
        same && start == copy.len()
    }
}

impl<'a> Member<'a> {
    fn find(
        compressed: &'a [u8],
        archive: &mut Directory<'_>,
        name: &str,
    ) -> Result<Self, Problem> {
        let member = ZipMember::find(compressed, archive, name)?;
        let layout = npy::parse_header(&member.beginning(npy::MAX_START)?)?;
        let header = layout.file_len();
        unpack::check_ratio(header, member.bytes.len())?;
        if member.claimed != header as u64 {
            return Err(Problem::Disagree { archive: member.claimed, header });
        }
        Ok(Self { name: name.to_owned(), member, layout })
    }

    fn unpack_to(&self, sink: &mut impl Write) -> Result<(), UnpackError> {
        if !self.member.is_deflated {
            self.check_stored()?;
            return sink.write_all(self.member.bytes).map_err(UnpackError::Write);
        }
        self.member.unpack_to(sink, self.layout.file_len())
    }

    fn check_stored(&self) -> Result<(), Problem> {
        npy::parse(self.member.bytes)?;
        self.member.check_stored()
    }
}
