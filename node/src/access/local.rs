//! The user at the other end of the control socket, as the kernel tells.

use std::fs;

use api::Privilege;

use super::Who;

/// Where users have their names.
const PASSWD: &str = "/etc/passwd";

/// A process of this machine. Whoever can open the socket may do all: its permissions say who that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    /// Its user; none: the kernel does not say.
    pub(crate) uid: Option<u32>,
    /// The process.
    pub(crate) pid: Option<i32>,
}

impl Local {
    /// By name, as this machine has it.
    pub(crate) fn who(self) -> Who {
        let names = fs::read_to_string(PASSWD).unwrap_or_default();
        Who {
            name: self.name(&names),
            privilege: Some(Privilege::Administrator),
            from: match self.pid {
                Some(pid) => format!("control socket, process {pid}"),
                None => "control socket".to_owned(),
            },
            is_remote: false,
        }
    }

    fn name(self, passwd: &str) -> String {
        let Some(uid) = self.uid else {
            return "unknown user".to_owned();
        };
        let name = passwd.lines().find_map(|line| {
            let mut columns = line.split(':');
            let name = columns.next()?;
            (columns.nth(1)?.parse() == Ok(uid)).then_some(name)
        });
        match name {
            Some(name) => format!("{name} (uid {uid})"),
            None => format!("uid {uid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_of_its_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbad line\nmaja:x:1000:1000::/home/maja:\n";
        let name = |uid| Local { uid, pid: None }.name(passwd);
        assert_eq!(name(Some(0)), "root (uid 0)");
        assert_eq!(name(Some(1000)), "maja (uid 1000)");
        assert_eq!(name(Some(100)), "uid 100");
        assert_eq!(name(None), "unknown user");
    }
}
