//! The servers that an exchange's attempts went to.

use crate::process::sync::Arc;
use crate::server_name::ServerName;
use crate::servers::Server;

/// See the module. Costs nothing as long as there is one.
#[derive(Default)]
pub struct Tried {
    /// That of the last attempt.
    last: Option<Arc<Server>>,
    /// Those of attempts before that another one followed.
    before: Vec<Arc<Server>>,
}

impl Tried {
    /// An attempt goes to this server.
    pub fn add(&mut self, server: &Arc<Server>) {
        let before = self.last.replace(Arc::clone(server));
        if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, server))
            && !self.before.iter().any(|known| Arc::ptr_eq(known, &before))
        {
            self.before.push(before);
        }
    }

    /// Whether an attempt has gone to this server.
    pub fn has(&self, server: &Server) -> bool {
        self.each().any(|tried| std::ptr::eq(Arc::as_ptr(tried), server))
    }

    /// Servers in all.
    pub fn count(&self) -> usize {
        self.each().count()
    }

    /// The name of the last one.
    pub fn last_name(&self) -> Option<ServerName> {
        self.last.as_ref().map(|server| server.name().clone())
    }

    /// The names of all, in the order of the first attempts; `None` before there was any.
    pub fn names(&self) -> Option<String> {
        self.last.as_ref()?;
        Some(ServerName::join(self.each().map(|server| server.name())))
    }

    fn each(&self) -> impl Iterator<Item = &Arc<Server>> {
        let is_new = |last: &&Arc<Server>| !self.before.iter().any(|known| Arc::ptr_eq(known, last));
        self.before.iter().chain(self.last.as_ref().filter(is_new))
    }
}
