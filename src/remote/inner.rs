//! What the threads of a store share.

use crate::process::sync::{Arc, Mutex};

use super::merge::Merging;
use super::store::Store;
use crate::auth::Auth;
use crate::policy::hedge::Hedge;
use crate::servers::Servers;
use crate::transport::Pool;

/// See the module. The driver and the threads of blocking calls use it at once.
pub struct Inner {
    pub pool: Pool,
    pub servers: Servers,
    pub auth: Auth,
    /// Apart from the pool, because answers that have not been read yet outlive it.
    pub store: Arc<Store>,
    /// If calls are merged.
    pub merging: Option<Merging>,
    /// If requests may go out twice. The driver's.
    pub hedging: Option<Mutex<Hedge>>,
}
