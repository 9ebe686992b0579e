//! The users and groups of this machine, as its files name them: a static program has no
//! other way to ask.

use std::fs;
use std::path::PathBuf;

/// Users and groups.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    users: Vec<User>,
    /// Each group's number, its name and those of its members.
    groups: Vec<(u32, String, Vec<String>)>,
    /// The user as whom the kernel shows those that this user namespace does not have; `None`
    /// where it has all of them.
    outside: Option<u32>,
}

#[derive(Clone, Debug)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
    home: PathBuf,
}

impl Accounts {
    /// Those of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let read = |path: &str| fs::read(path).unwrap_or_default();
        let text = |path: &str| String::from_utf8_lossy(&read(path)).into_owned();
        let outside = has_outside(&text("/proc/self/uid_map"))
            .then(|| text("/proc/sys/kernel/overflowuid").trim().parse().ok());
        Self::of(&text("/etc/passwd"), &text("/etc/group"), outside.flatten())
    }

    /// Source: passwd(5), group(5).
    fn of(passwd: &str, group: &str, outside: Option<u32>) -> Self {
        let user = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            Some(User {
                name: (*fields.first()?).to_owned(),
                uid: fields.get(2)?.parse().ok()?,
                gid: fields.get(3)?.parse().ok()?,
                home: PathBuf::from(fields.get(5)?),
            })
        };
        let members = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let names = fields.get(3).unwrap_or(&"").split(',');
            let names = names.map(str::trim).filter(|name| !name.is_empty());
            let (gid, name) = (fields.get(2)?.parse().ok()?, (*fields.first()?).to_owned());
            Some((gid, name, names.map(str::to_owned).collect()))
        };
        Self {
            users: passwd.lines().filter_map(user).collect(),
            groups: group.lines().filter_map(members).collect(),
            outside,
        }
    }

    /// The home that is written down for `uid`; `None` where there is none, and in a user
    /// namespace, where the number is another's.
    #[must_use]
    pub fn home(&self, uid: u32) -> Option<PathBuf> {
        let user = self.users.iter().find(|user| user.uid == uid)?;
        (self.outside.is_none() && user.home.is_absolute()).then(|| user.home.clone())
    }

    /// Whether `uid` stands for all users that this namespace does not have: in one of those,
    /// "root" is an ordinary user, for whom the machine's own root is one of them.
    pub(super) fn is_outside(&self, uid: u32) -> bool {
        self.outside == Some(uid)
    }

    /// Whether `uid` may use Docker Engine, which is as good as being root: root, and who is in the
    /// group `docker`.
    pub(super) fn may_use_engine(&self, uid: u32) -> bool {
        let mut of = self.groups.iter().filter(|(_, name, _)| name == "docker");
        uid == 0
            || of.any(|(gid, _, members)| {
                let mut users = self.users.iter().filter(|user| user.uid == uid);
                users.any(|user| user.gid == *gid || members.contains(&user.name))
            })
    }

    /// Whether nobody but root and `uid` is in the group `gid`, as far as the files tell. One
    /// that they do not have is `uid`'s own where it has the user's number.
    pub(super) fn is_private(&self, gid: u32, uid: u32) -> bool {
        let ours = |user: &User| user.uid == 0 || user.uid == uid;
        let listed: Vec<_> = self.groups.iter().filter(|(group, ..)| *group == gid).collect();
        let member = |name: &String| self.users.iter().any(|user| user.name == *name && ours(user));
        (!listed.is_empty() || gid == uid)
            && self.users.iter().filter(|user| user.gid == gid).all(ours)
            && listed.iter().all(|(.., members)| members.iter().all(member))
    }
}

/// Whether some users of the machine have no number here. Source: `user_namespaces(7)`.
fn has_outside(uid_map: &str) -> bool {
    let fields: Vec<&str> = uid_map.split_whitespace().collect();
    !fields.is_empty() && fields != ["0", "0", "4294967295"]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n\
                          bob:x:1001:100::/home/bob:/bin/sh\nodd:x:1002:1002::odd:/bin/sh\nshort:x:3\n";
    const GROUP: &str = "root:x:0:\nstaff:x:50:\nann:x:1000:\nusers:x:100:\ndevs:x:200:ann,bob\nours:x:201:ann, root\ndocker:x:203:ann\nlost:x:202:ghost\n";

    #[test]
    fn a_private_group_has_no_other_member() {
        let accounts = Accounts::of(PASSWD, GROUP, None);
        for (gid, uid, private) in [
            (0, 0, true),
            (50, 0, true),
            (100, 0, false),
            (200, 0, false),
            (1000, 0, false),
            (1234, 0, false),
            (1000, 1000, true),
            (100, 1000, false),
            (200, 1000, false),
            (201, 1000, true),
            (202, 1000, false),
            (1234, 1234, true),
            (1000, 1234, false),
        ] {
            assert_eq!(accounts.is_private(gid, uid), private, "{gid} {uid}");
        }
    }

    #[test]
    fn the_engine_is_for_root_and_its_group() {
        let accounts = Accounts::of(PASSWD, GROUP, None);
        let may = [0, 1000, 1001, 1234].map(|uid| accounts.may_use_engine(uid));
        assert_eq!(may, [true, true, false, false]);
    }

    #[test]
    fn a_home_is_absolute_and_of_this_namespace() {
        let accounts = Accounts::of(PASSWD, GROUP, None);
        assert_eq!(accounts.home(0).as_deref(), Some(Path::new("/root")));
        assert_eq!(accounts.home(1000).as_deref(), Some(Path::new("/home/ann")));
        assert_eq!(accounts.home(1002), None);
        assert_eq!(accounts.home(3), None);
        let inside = Accounts::of(PASSWD, GROUP, Some(65534));
        assert_eq!(inside.home(0), None);
        assert!(inside.is_outside(65534) && !inside.is_outside(1000) && !accounts.is_outside(65534));
    }

    #[test]
    fn a_namespace_with_all_users_has_none_outside() {
        assert!(!has_outside("         0          0 4294967295\n"));
        assert!(!has_outside(""));
        assert!(has_outside("         0       1000          1\n"));
    }
}
