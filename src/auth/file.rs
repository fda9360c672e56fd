//! A token in a file that others write anew from time to time, as Kubernetes does.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Token, checked, unauthenticated};
use crate::config::{Secret, open_file};
use crate::error::Result;
use crate::observe::log::{self, Level};
use crate::process::sync::lock;

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
        if let Some(known) = &mut *lock(&self.read) {
            if now.saturating_duration_since(known.looked) < LOOK_EVERY {
                return Ok(Arc::clone(&known.token));
            }
            // The others go on with what is known while this caller looks.
            known.looked = now;
        }
        self.look(now)
    }

    /// Whether the file holds another token now.
    pub fn changed_since(&self, token: &Token) -> bool {
        self.look(Instant::now()).is_ok_and(|now| now != *token)
    }

    fn look(&self, now: Instant) -> Result<Token> {
        let known = lock(&self.read).as_ref().map(|known| (Arc::clone(&known.token), known.stamp));
        // Without the lock: a file may be on a network.
        let fresh = self.stamp().and_then(|stamp| match &known {
            Some((token, known)) if *known == stamp => Ok((Arc::clone(token), stamp)),
            _ => self.read_file().map(|token| (Arc::new(token), stamp)),
        });
        match (fresh, known) {
            (Ok((token, stamp)), _) => {
                let mut read = lock(&self.read);
                // Two who looked at the same time shall have the same token.
                if let Some(known) = &mut *read
                    && known.stamp == stamp
                {
                    known.looked = now;
                    return Ok(Arc::clone(&known.token));
                }
                *read = Some(Read { token: Arc::clone(&token), stamp, looked: now });
                Ok(token)
            }
            (Err(why), Some((token, _))) => {
                log::write(Level::Warning, || format!("{why}; the token read before is used"));
                Ok(token)
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
        open_file(&self.path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(|error| format!("{name}: {error}"))?;
        let token = text.trim();
        if token.is_empty() {
            return Err(format!("{name} is empty"));
        }
        checked(Secret::new(token.to_owned()), &name).map_err(|error| error.message)
    }
}
