//! Reading with a cap, replacing whole, and taking turns: the three things that we do with files. All of it blocks; an
//! async caller puts it on a blocking thread.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use thiserror::Error;

/// How often a taken lock is asked for again, and how long we wait between: one second in all.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Links that are followed before we call it a circle.
const LINKS: usize = 16;

/// Why a file of ours could not be read or written.
#[derive(Debug, Error)]
pub enum DiskError {
    /// The system said no.
    #[error("{doing} {}: {source}", path.display())]
    System {
        /// What was being done: `reading`, `writing`.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than what we read.
    #[error("{} is larger than {cap} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// What we read at most.
        cap: u64,
    },
    /// It is a folder, a pipe or a device.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// Another process held the lock for a second.
    #[error("another Pilothouse is writing {}; try again", path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
}

impl DiskError {
    fn system(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// The bytes of a file, at most `cap`; `None` if there is none.
pub(crate) fn read(path: &Path, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
    // Looked at before it is opened: opening a pipe would wait for its writer.
    let kind = match fs::metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DiskError::system("reading", path)(error)),
    };
    if !kind.is_file() {
        return Err(DiskError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(cap.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(DiskError::system("reading", path))?;
    let too_large = u64::try_from(bytes.len()).is_ok_and(|read| read > cap);
    if too_large {
        return Err(DiskError::TooLarge {
            path: path.to_owned(),
            cap,
        });
    }
    Ok(Some(bytes))
}

/// The right to write one file, given up when dropped. A file beside it (`.NAME.lock`) carries the lock and stays: who
/// deleted it would let two in. Beside a link it lies with the link, not in the repository that the link leads to. The system frees the lock of a process that dies.
#[derive(Debug)]
pub(crate) struct Lock {
    /// The file itself, links followed.
    target: PathBuf,
    _held: File,
}

impl Lock {
    /// Takes it, making the folder if it is missing; waits for at most a second.
    pub(crate) fn take(path: &Path) -> Result<Self, DiskError> {
        Self::take_within(path, LOCK_TRIES)
    }

    fn take_within(path: &Path, tries: u32) -> Result<Self, DiskError> {
        let target = follow(path)?;
        let folder = folder_of(path);
        make_folder(folder).map_err(DiskError::system("making the folder", folder))?;
        let beside = sibling(path, "lock");
        let failed = || DiskError::system("locking", &beside);
        let mut options = private();
        options.write(true).create(true).truncate(false);
        let file = options.open(&beside).map_err(failed())?;
        for turn in 0..tries {
            if turn > 0 {
                thread::sleep(LOCK_PAUSE);
            }
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        target,
                        _held: file,
                    });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed()(error)),
            }
        }
        Err(DiskError::Busy {
            path: path.to_owned(),
        })
    }

    /// The file that the lock is about, links followed.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Writes the whole content beside the file, ready to take its place; readable by its owner alone.
    pub(crate) fn stage(&self, content: &[u8]) -> Result<Staged<'_>, DiskError> {
        let beside = sibling(&self.target, "new");
        let write = || {
            // Left by a process that was killed between writing and renaming: the lock says that nobody works on it.
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let mut file = private().write(true).create_new(true).open(&beside)?;
            file.write_all(content)?;
            file.sync_all()
        };
        let staged = Staged {
            lock: self,
            beside: beside.clone(),
            is_done: false,
        };
        write().map_err(DiskError::system("writing", &beside))?;
        Ok(staged)
    }
}

/// Content that is on the disk and not yet in place; removed when dropped.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    lock: &'a Lock,
    beside: PathBuf,
    is_done: bool,
}

impl Staged<'_> {
    /// Puts it in place in one step: a reader sees the old content or the new, never a part.
    pub(crate) fn commit(mut self) -> Result<(), DiskError> {
        let target = self.lock.target();
        fs::rename(&self.beside, target).map_err(DiskError::system("writing", target))?;
        self.is_done = true;
        // The rename itself is on the disk once its folder is; on Windows folders are not opened.
        #[cfg(unix)]
        File::open(folder_of(target))
            .and_then(|folder| folder.sync_all())
            .map_err(DiskError::system("writing", target))?;
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            // Nothing better than leaving it: the next writer removes it.
            let _removed: io::Result<()> = fs::remove_file(&self.beside);
        }
    }
}

/// The file at the end of a chain of links, which may not exist yet: a link to a file in a repository of dotfiles stays a
/// link.
fn follow(path: &Path) -> Result<PathBuf, DiskError> {
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&at) {
            Ok(next) => at = folder_of(&at).join(next),
            Err(_) => return Ok(at),
        }
    }
    let circle = io::Error::other("its links go in a circle");
    Err(DiskError::system("reading", path)(circle))
}

fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(ending);
    folder_of(path).join(name)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
