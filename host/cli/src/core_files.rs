//! Keeps the memory of this process, where secrets are, out of core files and away from other processes of the same user.
//!
//! It goes no further: whoever is root on the machine reads everything.

/// No core file, and no attaching; a child that is started is on its own. A system that refuses stays as it is: that is
/// no reason not to work, and nobody is listening to traces yet.
#[cfg(unix)]
pub(crate) fn forbid() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let nothing = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, nothing);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Other systems write none unless they are told to.
#[cfg(not(unix))]
pub(crate) fn forbid() {}
