"""The system calls that a submission may not make, as a seccomp program.

libseccomp writes the program, with its check of the architecture, so that 32-bit and x32 calls do not
slip through. It is written here, outside the fence, and only its bytes go in.
"""

import errno
import os
import tempfile

# Everything that acts on other processes, starts one, opens a way out of this machine, or reaches
# parts of the kernel that no exercise needs. They fail with EPERM, which Python shows as PermissionError.
DENIED = """
    fork vfork execve execveat unshare setns
    kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal pidfd_getfd
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
    setpriority sched_setaffinity sched_setattr sched_setparam sched_setscheduler ioprio_set
    migrate_pages move_pages mbind set_mempolicy set_mempolicy_home_node
    setsid setpgid setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset
    socket bind connect listen accept accept4
    io_uring_setup io_uring_enter io_uring_register
    memfd_create memfd_secret shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    mount umount umount2 mount_setattr open_tree move_mount fsopen fsconfig fsmount fspick pivot_root chroot
    name_to_handle_at open_by_handle_at mknod mknodat
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
    utime utimes utimensat futimesat setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr
    mlock mlock2 mlockall munlockall inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark
    bpf perf_event_open userfaultfd keyctl add_key request_key
    init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff
    settimeofday stime clock_settime clock_adjtime adjtimex sethostname setdomainname
    truncate io_setup removexattrat
    acct quotactl quotactl_fd syslog vhangup iopl ioperm personality modify_ldt uselib lookup_dcookie nfsservctl
""".split()
# calls that a libseccomp may not know yet; from 424 on the numbers are the same on all machines
NEWER = {
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
}
CLONE_THREAD = 0x10000
F_SETOWN, F_SETOWN_EX = 8, 15  # whom the kernel signals when a file can be read
FIOSETOWN, SIOCSPGRP = 0x8901, 0x8902
AF_UNIX, SOCK_STREAM, KINDS = 1, 1, 0xF
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # put characters into a terminal, as if they were typed
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_MM, PR_SET_PTRACER = 1, 4, 35, 0x59616D61
UNKNOWN = -1  # of libseccomp
LOW = 0xFFFFFFFF  # the kernel looks at the lower half of these arguments only


def program() -> bytes:
    """Return the seccomp program.

    Raises:
        OSError: libseccomp is not installed, or knows no such machine.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        raise OSError(errno.ENOSYS, f"libseccomp cannot be loaded: {error}") from None
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    made.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    denied = pyseccomp.ERRNO(errno.EPERM)
    for name in dict.fromkeys([*DENIED, *NEWER]):
        _add(made, denied, name)
    # the C library tries clone3 first, whose flags cannot be seen from here, and then clone
    _add(made, pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    _add(made, denied, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, 0))
    _add(made, denied, "prlimit64", pyseccomp.Arg(0, pyseccomp.NE, 0))
    # without a connection a datagram may be sent to any address, so only streams are paired
    _add(made, denied, "socketpair", pyseccomp.Arg(0, pyseccomp.NE, AF_UNIX))
    for kind in [kind for kind in range(KINDS + 1) if kind != SOCK_STREAM]:
        _add(made, denied, "socketpair", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, KINDS, kind))
    for command in (F_SETOWN, F_SETOWN_EX):
        _add(made, denied, "fcntl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW, command))
    for request in (TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP):
        _add(made, denied, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW, request))
    for option in (PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_MM, PR_SET_PTRACER):
        _add(made, denied, "prctl", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, LOW, option))
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        return os.pread(file.fileno(), 1 << 20, 0)


def _add(made: object, action: int, name: str, *arguments: object) -> None:
    """Add a rule, unless this libseccomp or this machine does not know the call."""
    import pyseccomp

    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    number = NEWER.get(name, UNKNOWN) if number == UNKNOWN else number
    if number != UNKNOWN:
        made.add_rule(action, number, *arguments)  # type: ignore[attr-defined]  # pyseccomp has no annotations
