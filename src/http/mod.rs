//! Takes a URL, gives its content, in memory or in the [store](crate::store); fails
//! with the URL, what the server said, and which proxy was between.
//!
//! What is transient (a reset, a stall, a server that is busy) is tried again, with
//! growing pauses; what is not ends it at once. Credentials follow no redirect to
//! another host, those for the proxy do, and no redirect leads from HTTPS to HTTP.

mod client;
mod clients;
mod download;
mod error;
mod proxy;
mod redirect;
mod retry;

pub use client::{Answer, Http, HttpOptions, Request};
pub use download::Download;
pub use error::HttpError;
pub use proxy::{Proxies, ProxyError};
pub use retry::Patience;
