//! Where rows go, and how.

use std::time::Duration;

use crate::wire::endpoint::Endpoint;

/// The stores that a push writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushTo {
    /// The online store.
    Online,
    /// The offline store.
    Offline,
    /// Both.
    OnlineAndOffline,
}

impl PushTo {
    /// As Feast spells it.
    pub fn name(self) -> &'static str {
        match self {
            PushTo::Online => "online",
            PushTo::Offline => "offline",
            PushTo::OnlineAndOffline => "online_and_offline",
        }
    }
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The feature views that a push source feeds.
    PushSource(String, PushTo),
    /// The online store of a feature view.
    FeatureView(String),
}

impl Destination {
    /// Where its requests go.
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Destination::PushSource(..) => Endpoint::Push,
            Destination::FeatureView(_) => Endpoint::WriteToOnlineStore,
        }
    }

    /// Whether rows are appended to an offline store: written twice they are there twice. An online store has one row an entity.
    pub fn appends(&self) -> bool {
        matches!(self, Destination::PushSource(_, PushTo::Offline | PushTo::OnlineAndOffline))
    }

    /// Whether rows go to an online store.
    pub fn is_online(&self) -> bool {
        !matches!(self, Destination::PushSource(_, PushTo::Offline))
    }
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// The column of event timestamps, as the data source of the feature view names it; empty: there is none.
    pub timestamp_field: String,
    /// The column that says when rows were made, if there is one.
    pub created_timestamp_column: String,
    /// The server may look the feature view up in its cache.
    pub allow_registry_cache: bool,
    /// The server applies the transformations of on demand feature views.
    pub transform_on_write: bool,
    /// Of the whole write; `None`: each request has the store's.
    pub timeout: Option<Duration>,
    /// What appends to an offline store may be sent again, though it may have been done.
    pub repeats_offline: bool,
}

impl Default for WriteOptions {
    fn default() -> WriteOptions {
        WriteOptions {
            timestamp_field: "event_timestamp".to_owned(),
            created_timestamp_column: "created".to_owned(),
            allow_registry_cache: true,
            transform_on_write: true,
            timeout: None,
            repeats_offline: false,
        }
    }
}

impl WriteOptions {
    /// Whether a column holds moments, which are written as text.
    pub fn names_moments(&self, column: &str) -> bool {
        !column.is_empty() && (column == self.timestamp_field || column == self.created_timestamp_column)
    }
}
