//! Keeps compiled connectors on disk, so that each is compiled once for an installation and loaded from then on.
//!
//! An entry that is cut, foreign, older or changed in any bit is compiled anew, never loaded: see `artifact`. Whether a connector may
//! be installed is `market`'s to say.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use crate::artifact::{Artifact, Key, Origin};
use crate::compile::Compiler;
use crate::engine::{Connector, Engine};
use crate::names::SandboxError;

const KEY_FILE: &str = "key";
const ENTRY: &str = "aot";
/// Entries that are kept; the least recently written go. Each has a few megabytes.
const ENTRIES_MAX: usize = 64;

/// The compiled connectors of an installation: a folder with its key and one entry for each.
#[derive(Clone)]
pub struct ConnectorCache {
    folder: PathBuf,
    key: Key,
    compiler: Compiler,
}

impl ConnectorCache {
    /// The cache in that folder, which is made with a random key where it is not there. The key's file is readable by its owner only; one that
    /// others can read or that is no key is replaced, and with it every entry.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn open(folder: impl Into<PathBuf>, compiler: Compiler) -> Result<Self, SandboxError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(failed("making the folder", &folder))?;
        let path = folder.join(KEY_FILE);
        let key = match find_key(&path).map_err(failed("reading the key", &path))? {
            Some(key) => key,
            None => make_key(&folder, &path).map_err(failed("writing the key", &path))?,
        };
        Ok(Self {
            folder,
            key,
            compiler,
        })
    }

    /// The connector, from its entry where there is a good one; else compiled in a child process, which blocks this thread for seconds.
    ///
    /// # Errors
    /// When it cannot be compiled within its limits, or is no connector that this host can run.
    pub fn load(&self, engine: &Engine, component: &[u8]) -> Result<Connector, SandboxError> {
        let origin = Origin::of(component, engine.inner());
        let path = self.entry(origin);
        if let Some(sealed) = read(&path, self.compiler.limits.code_max_bytes) {
            let kept = Artifact::open(&sealed, &self.key, origin);
            match kept.map(|kept| kept.load(engine.inner())) {
                Some(Ok(component)) => return engine.admit(&component),
                _ => {
                    tracing::warn!(entry = %path.display(), "compiled connector is not as it was written and is compiled again")
                }
            }
        }
        let code = self.compiler.compile(component)?;
        let artifact = Artifact::from_compiler(&code);
        let component = artifact
            .load(engine.inner())
            .map_err(SandboxError::Foreign)?;
        // Looked at before it is kept: what is refused is not worth its place.
        let connector = engine.admit(&component)?;
        let head = artifact.seal(&self.key, origin);
        if let Err(error) = self.keep(&path, &head, &code, origin) {
            // It works all the same; the next command compiles again.
            tracing::warn!(entry = %path.display(), %error, "compiled connector could not be kept");
        }
        Ok(connector)
    }

    fn entry(&self, origin: Origin) -> PathBuf {
        let name = format!("{}-{}.{ENTRY}", hex(&origin.component), hex(&origin.engine));
        self.folder.join(name)
    }

    fn keep(&self, path: &Path, head: &[u8], code: &[u8], origin: Origin) -> io::Result<()> {
        let mut aside = NamedTempFile::new_in(&self.folder)?;
        aside.write_all(head)?;
        aside.write_all(code)?;
        aside.persist(path)?;
        self.tidy(path, &hex(&origin.component))
    }

    /// Removes what `kept` replaces, which an older engine needed, and the oldest of too many.
    fn tidy(&self, kept: &Path, component: &str) -> io::Result<()> {
        let mut others = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_entry = path.extension().is_some_and(|extension| extension == ENTRY);
            if is_entry && path != kept {
                others.push(path);
            }
        }
        let (replaced, mut others): (Vec<_>, Vec<_>) = others.into_iter().partition(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(component))
        });
        others.sort_by_cached_key(|path| {
            let written = fs::metadata(path).and_then(|facts| facts.modified());
            std::cmp::Reverse(written.unwrap_or(SystemTime::UNIX_EPOCH))
        });
        let too_many = others.into_iter().skip(ENTRIES_MAX - 1);
        for path in replaced.into_iter().chain(too_many) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for ConnectorCache {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorCache")
            .field("folder", &self.folder)
            .field("compiler", &self.compiler)
            .finish_non_exhaustive()
    }
}

/// The entry's bytes, read once: what is checked is what is run. `None` where there is none that could be good.
fn read(path: &Path, max_bytes: u64) -> Option<Vec<u8>> {
    let file = fs::File::open(path).ok()?;
    let bytes = file.metadata().ok().filter(fs::Metadata::is_file)?.len();
    let mut sealed = Vec::with_capacity(usize::try_from(bytes.min(max_bytes)).ok()? + 1);
    file.take(max_bytes.saturating_add(1_024))
        .read_to_end(&mut sealed)
        .ok()?;
    Some(sealed)
}

fn find_key(path: &Path) -> io::Result<Option<Key>> {
    let facts = match fs::symlink_metadata(path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if facts.is_file() && is_private(&facts) {
        return Ok(fs::read(path)?.try_into().ok());
    }
    Ok(None)
}

/// A key that somebody else put there is as bad as one that somebody else can read.
#[cfg(unix)]
fn is_private(facts: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid();
    facts.mode() & 0o077 == 0 && facts.uid() == user.as_raw()
}

/// Elsewhere the folder's own rights decide.
#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

/// Temporary files are made for their owner only. Of two processes that make a key at once, the later one's holds; the other's entries are
/// compiled again.
fn make_key(folder: &Path, path: &Path) -> io::Result<Key> {
    let mut key = Key::default();
    getrandom::fill(&mut key).map_err(io::Error::from)?;
    let mut aside = NamedTempFile::new_in(folder)?;
    aside.write_all(&key)?;
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    Ok(key)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.to_owned();
    move |source| SandboxError::Cache {
        action,
        path,
        source,
    }
}
