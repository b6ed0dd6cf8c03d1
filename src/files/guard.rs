//! Pages that vanish: a mapped file that is cut short must not end the process.
//!
//! Where a file no longer reaches, or its disk fails, reading its map raises SIGBUS, whose default
//! is to end the process without a word. Here it is caught for the maps that are guarded: zeros are
//! mapped in place of what vanished, and the map is marked, so that whoever works with it goes on
//! to where errors are told.
#![allow(unsafe_code, reason = "a signal handler, and what it maps in place of a lost page")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use libc::{c_int, c_void, siginfo_t};

/// The most maps at a time.
const MOST: usize = 1024;

/// The guarded maps; the handler may neither wait nor allocate, so there is place for so many.
static SLOTS: [Slot; MOST] = [const { Slot::free() }; MOST];

/// The size of a page, which is known when there is a guard.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// What was done about SIGBUS before: it is passed on what is not ours.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// A place for a guarded map.
struct Slot {
    is_taken: AtomicBool,
    /// Goes up before and after the addresses change.
    turn: AtomicUsize,
    start: AtomicUsize,
    /// The end of its last page.
    end: AtomicUsize,
    has_lost_pages: AtomicBool,
}

impl Slot {
    const fn free() -> Self {
        Self {
            is_taken: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            has_lost_pages: AtomicBool::new(false),
        }
    }

    fn set(&self, start: usize, end: usize) {
        self.turn.fetch_add(1, SeqCst);
        self.start.store(start, SeqCst);
        self.end.store(end, SeqCst);
        self.turn.fetch_add(1, SeqCst);
    }

    /// The end of the map, if `address` lies in it.
    fn end_around(&self, address: usize) -> Option<usize> {
        let turn = self.turn.load(SeqCst);
        let (start, end) = (self.start.load(SeqCst), self.end.load(SeqCst));
        // A slot that changes meanwhile is not that of the map in which a thread now reads.
        let is_steady = turn.is_multiple_of(2) && turn == self.turn.load(SeqCst);
        (is_steady && start <= address && address < end).then_some(end)
    }
}

/// Keeps the process alive when pages of a map vanish, and knows whether some did.
#[derive(Debug)]
pub(super) struct Guard {
    slot: usize,
}

impl Guard {
    /// Guards `map`, all of a file's bytes as they are mapped; it must be dropped before those are
    /// unmapped.
    ///
    /// # Errors
    /// When too many maps are guarded, or the system takes no signal handler.
    pub(super) fn over(map: &[u8]) -> io::Result<Self> {
        listen()?;
        let full = || io::Error::other("too many files are mapped at once");
        let is_ours = |slot: &Slot| !slot.is_taken.swap(true, SeqCst);
        let slot = SLOTS.iter().position(is_ours).ok_or_else(full)?;
        let guard = Self { slot };
        let start = map.as_ptr().addr();
        guard.slot().has_lost_pages.store(false, SeqCst);
        guard.slot().set(start, start + map.len().next_multiple_of(PAGE.load(SeqCst)));
        Ok(guard)
    }

    /// Whether zeros are now where bytes of the file were.
    pub(super) fn has_lost_pages(&self) -> bool {
        self.slot().has_lost_pages.load(SeqCst)
    }

    fn slot(&self) -> &'static Slot {
        &SLOTS[self.slot]
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.slot().set(0, 0);
        self.slot().is_taken.store(false, SeqCst);
    }
}

/// Has SIGBUS come to [`on_bus_error`], from the first call on.
fn listen() -> io::Result<()> {
    static OUTCOME: OnceLock<Result<(), i32>> = OnceLock::new();
    let outcome =
        OUTCOME.get_or_init(|| install().map_err(|said| said.raw_os_error().unwrap_or(0)));
    outcome.map_err(io::Error::from_raw_os_error)
}

fn install() -> io::Result<()> {
    let checked = |status: c_int| match status {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    // SAFETY: it only asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE.store(usize::try_from(page).map_err(io::Error::other)?, SeqCst);
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is changed, and what is done now is written to `before`, of which zeros are a
    // value too.
    let before = unsafe {
        checked(libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr()))?;
        before.assume_init()
    };
    // Known before the handler can run.
    let _ = BEFORE.set(before);
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
    // SAFETY: zeros are a value of the structure, an empty mask among them. The handler has the
    // signature that SA_SIGINFO asks for, and does nothing but what a signal handler may: it reads
    // and writes atomics, and calls mmap, sigaction and raise. It runs on the stack that std gives
    // each thread for that.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        checked(libc::sigaction(libc::SIGBUS, &action, ptr::null_mut()))
    }
}

extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel gives a valid structure; for SIGBUS it has an address,
    // which is only looked at as a number, and used only if the kernel says that it is one.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // What another process or thread sent has no address.
    let is_fault = code > 0;
    let around = |slot: &'static Slot| Some((slot, slot.end_around(address)?));
    let map = if is_fault { SLOTS.iter().find_map(around) } else { None };
    let is_mended = map.is_some_and(|(slot, end)| {
        slot.has_lost_pages.store(true, SeqCst);
        map_zeros(address, end)
    });
    if !is_mended {
        pass_on(signal, info, context);
    }
}

/// Maps zeros from the page around `address` to `end`, as a file that was cut short has nothing from
/// there on; says whether that was done.
fn map_zeros(address: usize, end: usize) -> bool {
    let start = address & !(PAGE.load(SeqCst) - 1);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let at = ptr::without_provenance_mut(start);
    // SAFETY: the range lies in a map of ours, which cannot be unmapped meanwhile: the thread that
    // was interrupted reads in it, and so holds it. Whoever reads there sees other bytes from now
    // on, which any reader of a mapped file has to bear with.
    let mapped = unsafe { libc::mmap(at, end - start, libc::PROT_READ, flags, -1, 0) };
    mapped != libc::MAP_FAILED
}

/// Does what was done about the signal before.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let before = BEFORE.get().filter(|before| {
        before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN
    });
    match before {
        // SAFETY: the address of a handler with the signature that its flags tell, which the
        // process had the system call for this very signal.
        Some(before) => unsafe {
            if before.sa_flags & libc::SA_SIGINFO == 0 {
                let handler: extern "C" fn(c_int) = std::mem::transmute(before.sa_sigaction);
                handler(signal);
            } else {
                let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                    std::mem::transmute(before.sa_sigaction);
                handler(signal, info, context);
            }
        },
        // SAFETY: zeros are the default action, with an empty mask; the signal comes again when the
        // handler returns, and ends the process.
        None => unsafe {
            let default: libc::sigaction = MaybeUninit::zeroed().assume_init();
            libc::sigaction(signal, &default, ptr::null_mut());
            libc::raise(signal);
        },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use memmap2::Mmap;

    use super::*;

    /// A map of a file of two pages that has since lost both.
    fn lost() -> Mmap {
        let file = tempfile::tempfile().unwrap();
        file.set_len(2 * 4096).unwrap();
        // SAFETY: it is read as a map that may change is to be: a byte at a time.
        let map = unsafe { Mmap::map(&file) }.unwrap();
        file.set_len(0).unwrap();
        map
    }

    fn read(byte: &u8) -> u8 {
        // SAFETY: a reference can be read.
        unsafe { ptr::read_volatile(byte) }
    }

    #[test]
    fn a_lost_page_reads_as_zeros_and_is_known() {
        let (map, other) = (lost(), lost());
        let (guard, whole) = (Guard::over(&map).unwrap(), Guard::over(&other).unwrap());
        assert!(!guard.has_lost_pages());
        assert_eq!((read(&map[4096]), guard.has_lost_pages()), (0, true));
        assert_eq!((read(&map[0]), read(&map[8191])), (0, 0), "before it and after it");
        assert!(!whole.has_lost_pages(), "only that map");
    }

    /// A process of its own, as it must end.
    #[test]
    fn what_is_no_map_of_ours_ends_the_process_as_before() {
        const CHILD: &str = "MNISTRY_TEST_BUS_ERROR";
        let (this, name) = (std::env::current_exe().unwrap(), concat!(module_path!(), "::"));
        let (_, name) = name.split_once("::").unwrap();
        if std::env::var_os(CHILD).is_some() {
            drop(Guard::over(&lost()));
            read(&lost()[0]);
            return;
        }
        let test = format!("{name}what_is_no_map_of_ours_ends_the_process_as_before");
        let ended = Command::new(this).args(["--exact", &test]).env(CHILD, "1").output().unwrap();
        assert_eq!(ended.status.signal(), Some(libc::SIGBUS), "{ended:?}");
    }
}
