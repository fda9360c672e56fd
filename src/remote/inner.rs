//! What the threads of a store share.

use crate::process::sync::Arc;

use super::merge::Merging;
use super::store::Store;
use crate::auth::Auth;
use crate::transport::Pool;

/// See the module. The driver and the threads of blocking calls use it at once.
pub struct Inner {
    pub pool: Pool,
    pub auth: Auth,
    /// Apart from the pool, because answers that have not been read yet outlive it.
    pub store: Arc<Store>,
    /// If calls are merged.
    pub merging: Option<Merging>,
}
