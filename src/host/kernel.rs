//! The kernel that runs: what is built in, loaded, or can be loaded.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How a part of the kernel can be had, the best last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Feature {
    /// It cannot.
    Absent,
    /// Its module is there, and the kernel loads none any more (`modules_disabled`).
    Locked,
    /// Nothing says.
    Unknown,
    /// Its module is loaded when it is needed.
    Loadable,
    /// It is built in or loaded.
    Present,
}

/// A kernel's parts, by module name with `_` for `-`.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// Its release, as `uname -r` prints it.
    pub release: String,
    /// What is built in or loaded.
    pub present: BTreeSet<String>,
    /// What can be loaded; `None` where there is no list.
    pub loadable: Option<BTreeSet<String>>,
    /// Whether it loads no modules until it boots again.
    pub loading_disabled: bool,
}

/// Files that are there when a part is, for kernels without a list of modules.
const WITNESSES: [(&str, &str); 4] = [
    ("/proc/net/ip_tables_names", "ip_tables"),
    ("/proc/sys/net/netfilter/nf_conntrack_max", "nf_conntrack"),
    ("/proc/sys/net/bridge/bridge-nf-call-iptables", "br_netfilter"),
    ("/sys/module/nf_conntrack/parameters/hashsize", "nf_conntrack"),
];

impl Kernel {
    /// The kernel of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let modules = Path::new("/lib/modules").join(&release);
        let read = |path: &Path| fs::read_to_string(path).ok();
        let mut present = BTreeSet::new();
        present.extend(
            read(&modules.join("modules.builtin"))
                .iter()
                .flat_map(|text| modules_in(text)),
        );
        if let Ok(entries) = fs::read_dir("/sys/module") {
            present.extend(
                entries
                    .flatten()
                    .filter_map(|entry| entry.file_name().into_string().ok()),
            );
        }
        if let Some(text) = read(Path::new("/proc/filesystems")) {
            present.extend(
                text.lines()
                    .filter_map(|line| line.split_whitespace().last())
                    .map(str::to_owned),
            );
        }
        for file in ["/proc/net/ip_tables_matches", "/proc/net/ip_tables_targets"] {
            present.extend(read(Path::new(file)).iter().flat_map(|text| extensions_in(text)));
        }
        for (file, module) in WITNESSES {
            if fs::metadata(file).is_ok() {
                present.insert(module.to_owned());
            }
        }
        Self {
            loadable: read(&modules.join("modules.dep")).map(|text| modules_in(&text).collect()),
            loading_disabled: read(Path::new("/proc/sys/kernel/modules_disabled"))
                .is_some_and(|text| text.trim() == "1"),
            present,
            release,
        }
    }

    /// How `module` can be had.
    #[must_use]
    pub fn feature(&self, module: &str) -> Feature {
        if self.present.contains(module) {
            return Feature::Present;
        }
        match &self.loadable {
            None => Feature::Unknown,
            Some(loadable) if !loadable.contains(module) => Feature::Absent,
            Some(_) if self.loading_disabled => Feature::Locked,
            Some(_) => Feature::Loadable,
        }
    }
}

/// The modules at the start of each line. Source: kmod, modules.dep(5):
/// `kernel/fs/overlayfs/overlay.ko.xz: …`.
fn modules_in(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let file = line.split(':').next()?.rsplit('/').next()?;
        let (name, _) = file.split_once(".ko")?;
        Some(name.replace('-', "_"))
    })
}

/// What iptables can match with and do, which the kernel lists without a module's name.
fn extensions_in(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|name| match name.trim() {
        "tcp" | "udp" => "xt_tcpudp".to_owned(),
        name => format!("xt_{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kmods_lists_are_read() {
        let text =
            "kernel/fs/overlayfs/overlay.ko.xz: kernel/a.ko\nkernel/net/x-y.ko:\nkernel/z.ko\n\nnothing\n";
        let modules: Vec<String> = modules_in(text).collect();
        assert_eq!(modules, ["overlay", "x_y", "z"]);
        let matches: Vec<String> = extensions_in("comment\nudp\ntcp\nMASQUERADE\n").collect();
        assert_eq!(matches, ["xt_comment", "xt_tcpudp", "xt_tcpudp", "xt_MASQUERADE"]);
    }

    #[test]
    fn a_module_is_loaded_loadable_locked_absent_or_unknown() {
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let mut kernel = Kernel {
            present: set("overlay"),
            loadable: Some(set("veth")),
            ..Kernel::default()
        };
        for (module, feature) in [
            ("overlay", Feature::Present),
            ("veth", Feature::Loadable),
            ("bridge", Feature::Absent),
        ] {
            assert_eq!(kernel.feature(module), feature, "{module}");
        }
        kernel.loading_disabled = true;
        assert_eq!(kernel.feature("veth"), Feature::Locked);
        kernel.loadable = None;
        assert_eq!(kernel.feature("veth"), Feature::Unknown);
        assert!(!Kernel::of_this_machine().release.is_empty());
    }
}
