//! What a feature server can be asked, below the store's path.

/// An endpoint of Feast's feature servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Reads features.
    GetOnlineFeatures,
    /// Writes rows to the stores that a push source feeds.
    Push,
    /// Writes rows to the online store of a feature view.
    WriteToOnlineStore,
    /// Searches documents by a vector.
    Search,
    /// The same, on servers before 0.60.
    RetrieveOnlineDocuments,
    /// Says whether the server is up; needs no token.
    Health,
}

impl Endpoint {
    /// What follows the store's path in its URL. `status=true` makes the Go server send statuses and event timestamps; the Python
    /// server always sends them and ignores the parameter.
    pub fn target(self) -> &'static str {
        match self {
            Endpoint::GetOnlineFeatures => "/get-online-features?status=true",
            Endpoint::Push => "/push",
            Endpoint::WriteToOnlineStore => "/write-to-online-store",
            Endpoint::Search => "/search",
            Endpoint::RetrieveOnlineDocuments => "/retrieve-online-documents",
            Endpoint::Health => "/health",
        }
    }

    /// Whether it is asked with a GET, without a body.
    pub fn is_get(self) -> bool {
        self == Endpoint::Health
    }

    /// Whether its answer has columns to be read.
    pub fn answers_columns(self) -> bool {
        matches!(self, Endpoint::GetOnlineFeatures | Endpoint::Search | Endpoint::RetrieveOnlineDocuments)
    }

    /// Whether this HTTP status says that what was asked is done, or will be.
    pub fn succeeds_with(self, status: u16) -> bool {
        status == 200 || (self == Endpoint::Push && status == 202)
    }
}
