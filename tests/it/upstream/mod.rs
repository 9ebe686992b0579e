//! The network side against servers of our own, faults included.

mod credentials;
mod docker_registry;
mod download;
mod evidence;
mod faults;
mod high_availability;
mod images;
mod killed;
mod lock;
mod manifests;
mod minikube_releases;
mod mirrors;
mod networks;
mod online;
mod pack;
mod page_mirrors;
mod proxy;
mod replaced;
mod resolve;
mod room;
mod site;
mod socks;
mod together;
mod world;
