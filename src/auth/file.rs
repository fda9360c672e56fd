//! A token in a file that others write anew from time to time, as Kubernetes does.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Token, checked, unauthenticated};
use crate::config::Secret;
use crate::error::Result;
use crate::log::{self, Level};
use crate::sync::lock;

/// A look at the file costs a system call; more often than this is not worth one.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// No token is longer.
const MAX_BYTES: u64 = 1 << 20;

/// Says whether a file was changed or replaced: device, inode, size, time of change in seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

/// See the module. May be used by any number of threads.
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<Read>>,
}

struct Read {
    token: Token,
    stamp: Stamp,
    looked: Instant,
}

impl TokenFile {
    /// Not read yet.
    pub fn new(path: PathBuf) -> TokenFile {
        TokenFile { path, read: Mutex::new(None) }
    }

    /// The token, white space around it taken off. When the file cannot be read any more, the last one.
    pub fn token(&self, now: Instant) -> Result<Token> {
        let mut read = lock(&self.read);
        if let Some(known) = &mut *read {
            if now.saturating_duration_since(known.looked) < LOOK_EVERY {
                return Ok(Arc::clone(&known.token));
            }
            known.looked = now;
        }
        self.look(&mut read, now)
    }

    /// Whether the file holds another token now.
    pub fn changed_since(&self, token: &Token) -> bool {
        let mut read = lock(&self.read);
        self.look(&mut read, Instant::now()).is_ok_and(|now| now != *token)
    }

    fn look(&self, read: &mut Option<Read>, now: Instant) -> Result<Token> {
        let fresh = self.stamp().and_then(|stamp| match &*read {
            Some(known) if known.stamp == stamp => Ok((Arc::clone(&known.token), stamp)),
            _ => self.read_file().map(|token| (Arc::new(token), stamp)),
        });
        match (fresh, &*read) {
            (Ok((token, stamp)), _) => {
                *read = Some(Read { token: Arc::clone(&token), stamp, looked: now });
                Ok(token)
            }
            (Err(why), Some(known)) => {
                log::write(Level::Warning, || format!("{why}; the token read before is used"));
                Ok(Arc::clone(&known.token))
            }
            (Err(why), None) => Err(unauthenticated(why)),
        }
    }

    fn stamp(&self) -> std::result::Result<Stamp, String> {
        let meta = fs::metadata(&self.path).map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok((meta.dev(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
    }

    fn read_file(&self) -> std::result::Result<Secret, String> {
        use std::io::Read as _;
        let name = self.path.display().to_string();
        let mut text = zeroize::Zeroizing::new(String::new());
        fs::File::open(&self.path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(|error| format!("{name}: {error}"))?;
        let token = text.trim();
        if token.is_empty() {
            return Err(format!("{name} is empty"));
        }
        checked(Secret::new(token.to_owned()), &name).map_err(|error| error.message)
    }
}
