"""Programs that want out, or more than they are given.

Each is Python source that knows `T`, a mapping with what there is to get at (`Targets` fills it),
and `got(what)`, which it calls when it has got it. Outside a sandbox the same program, or where
that would harm the machine a small one with the same effect, has to set off the same detector: else
a test in which nothing was detected would prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orket_lib.sandbox.jobs import Limits, Outcome

_MIB = 1024**2
# Small enough to be reached soon, with time enough on a machine that has other work.
LIMITS = Limits(
    wall_s=20.0,
    cpu_s=20.0,
    memory_bytes=64 * _MIB,
    processes=8,
    open_files=32,
    disk_bytes=4 * _MIB,
    disk_files=100,
    output_bytes=16 * 1024,
)
# For programs that don't end by themselves.
SHORT_S = 0.4

# What programs may use; each imports what it names, since imports take most of its time.
MODULES = ("ctypes", "mmap", "resource", "signal", "socket", "stat", "subprocess", "threading")
# What is written before every program. `repr(T)` comes in place of `{targets}`.
PREAMBLE = """
import os, sys, time
T = {targets}
SLEEP = "import time; time.sleep(1000)"
def got(what=""):
    print(T["mark"], what, flush=True)
def attempt(action, *arguments):
    try:
        result = action(*arguments)
    except (OSError, ValueError):
        return None
    return True if result is None else result
"""

EXITED = frozenset({Outcome.EXITED})


@dataclass(frozen=True)
class Hostile:
    """One program.

    Attributes:
        ends: The verdicts that are right.
        seen_by: The detector that would notice its success, by name.
        outside: What is run without a sandbox to set off the detector; None: the source itself.
        status: Its exit status, where it comes so far.
        as_root: Whether only root can set off the detector outside.
    """

    name: str
    source: str
    ends: frozenset[Outcome] = EXITED
    seen_by: str = "mark"
    outside: str | None = None
    status: int = 0
    as_root: bool = False

    @property
    def limits(self) -> Limits:
        """What it may use."""
        if Outcome.TIMEOUT in self.ends:
            return replace(LIMITS, wall_s=SHORT_S, cpu_s=SHORT_S)
        return LIMITS


READING = [
    Hostile(
        "read_a_users_file",
        """
for path in (T["secret_file"], "../" * 20 + T["secret_file"], "/box/.." + T["secret_file"]):
    if attempt(open, path):
        got(open(path).read())
""",
    ),
    Hostile(
        "read_the_systems_and_our_files",
        """
for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", T["repository"], T["home"]):
    if os.path.isfile(path) and attempt(open, path):
        got(path)
    if os.path.isdir(path) and len(attempt(os.listdir, path) or ()) > 1:
        got(path)
""",
    ),
    Hostile(
        "read_our_environment",
        """
texts = [repr(os.environ)]
for pid in ("self", "1", str(os.getppid()), *filter(str.isdigit, os.listdir("/proc"))):
    try:
        texts.append(open(f"/proc/{pid}/environ").read())
    except OSError:
        pass
if any(T["secret_variable"] in text for text in texts):
    got("environment")
""",
    ),
    Hostile(
        "read_through_symbolic_links",
        """
os.mkdir("folder")
os.symlink(T["secret_file"], "link")
os.symlink("/", "folder/root")
for path in ("link", "folder/root" + T["secret_file"]):
    if attempt(open, path):
        got(open(path).read())
""",
    ),
    Hostile(
        "read_through_proc",
        """
for pid in ("self", "1", *filter(str.isdigit, os.listdir("/proc"))):
    for way in ("root", "cwd/" + "../" * 20):
        if attempt(open, f"/proc/{pid}/{way}{T['secret_file']}"):
            got(pid)
""",
    ),
    Hostile(
        "read_what_descriptors_are_left_open",
        """
for number in range(3, 200):
    if attempt(os.fstat, number):
        got(number)
for number in attempt(os.listdir, "/proc/1/fd") or ():
    if attempt(os.open, f"/proc/1/fd/{number}", os.O_RDWR):
        got(f"of PID 1: {number}")
""",
        outside="os.pipe()\nfor number in range(3, 200):\n    if attempt(os.fstat, number): got()",
    ),
    Hostile(
        "escape_a_chroot",
        """
attempt(os.mkdir, "jail")
if attempt(os.chroot, "jail"):
    for _ in range(30):
        os.chdir("..")
    os.chroot(".")
    got("chroot")
""",
        as_root=True,
    ),
    Hostile(
        "open_devices",
        """
harmless = {"null", "full", "random", "urandom", "stdin", "stdout", "stderr", "fd"}
for folder, _, names in os.walk("/dev"):
    for name in set(names) - harmless:
        if attempt(os.open, os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK):
            got(name)
for name, major, minor in (("mem", 1, 1), ("disk", 254, 0)):
    if attempt(os.mknod, name, 0o600 | stat.S_IFBLK, os.makedev(major, minor)):
        got("mknod")
""",
        outside="if attempt(os.open, '/dev/ptmx', os.O_RDWR | os.O_NOCTTY): got()",
    ),
    Hostile(
        "read_stdin",
        """
text = sys.stdin.read()
sys.exit(0 if text == "what it is given" else f"not the input: {text!r}")
""",
        outside="got()",
    ),
]

WRITING = [
    Hostile(
        "write_elsewhere",
        """
for folder in ("/", "/usr", "/usr/lib", "/etc", "/dev", "/dev/shm", "/proc", "/tmp", "/root",
               "/var/tmp", "/orket", os.path.dirname(os.__file__), T["folder"]):
    if attempt(open, os.path.join(folder, "planted"), "w"):
        got(folder)
""",
        outside="open(os.path.join(T['folder'], 'planted'), 'w').close(); got()",
    ),
    Hostile(
        "change_a_users_file",
        """
attempt(os.chmod, T["open_file"], 0o777)
attempt(lambda: open(T["open_file"], "w").write("changed"))
attempt(os.unlink, T["open_file"])
""",
        seen_by="changed_file",
    ),
    Hostile(
        "write_to_proc_and_sys",
        """
for path, text in (
    ("/proc/self/oom_score_adj", "500"), ("/proc/sys/kernel/hostname", "mine"),
    ("/proc/sys/kernel/core_pattern", "|/box/x"), ("/proc/sys/vm/overcommit_memory", "1"),
    ("/proc/1/oom_score_adj", "1000"), ("/proc/sysrq-trigger", "h"), ("/sys/power/state", ""),
    ("/proc/1/mem", ""), ("/sys/fs/cgroup/cgroup.procs", "0"),
):
    if attempt(lambda: open(path, "w").write(text)):
        got(path)
""",
        outside="open('/proc/self/oom_score_adj', 'w').write('500'); got()",
    ),
    Hostile(
        "mount",
        """
os.mkdir("here")
for source, kind, flags in ((b"x", b"tmpfs", 0), (b"/", None, 4096), (b"x", b"proc", 0)):
    if libc.mount(source, b"here", kind, ctypes.c_ulong(flags), None) == 0:
        got("mount")
for flags in (0x10000000, 0x10020000, 0x20000, 0x40000000, 0x20000000):
    if libc.unshare(flags) == 0:
        got("unshare")
if libc.umount2(b"/usr", 2) == 0:
    got("umount")
if libc.mount(None, b"/usr", None, ctypes.c_ulong(32 | 4096), None) == 0:
    got("remount")
""",
        outside="if libc.unshare(0x10000000) == 0: got()",
    ),
    Hostile(
        "find_a_mount_to_write_to",
        """
for line in open("/proc/self/mountinfo"):
    place, options = line.split()[4:6]
    if "rw" in options.split(",") and place != "/box" and not stat.S_ISCHR(os.stat(place).st_mode):
        got(place)
""",
    ),
    Hostile(
        "share_a_namespace",
        """
for name, known in T["namespaces"].items():
    if os.readlink(f"/proc/self/ns/{name}") == known:
        got(name)
""",
    ),
    Hostile(
        "gain_rights_by_exec",
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
if int(status["NoNewPrivs"]) == 0:
    got("set-user-id programs would work")
if any(int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")):
    got("capabilities")
for line in open("/proc/self/mountinfo"):
    if "nosuid" not in line.split()[5]:
        got(line)
said = subprocess.run(["/bin/su", "root", "-c", "id -u"], capture_output=True, text=True).stdout
if said.strip() == "0":
    got("su")
""",
    ),
    Hostile(
        "raise_its_own_limits",
        """
for which, most in ((resource.RLIMIT_AS, 2 << 30), (resource.RLIMIT_FSIZE, 1 << 30),
                    (resource.RLIMIT_NOFILE, 300), (resource.RLIMIT_NPROC, 100)):
    attempt(resource.setrlimit, which, (most, most))
    attempt(resource.prlimit, 0, which, (most, most))
    soft, hard = resource.getrlimit(which)
    if hard == resource.RLIM_INFINITY or hard >= most:
        got(which)
""",
    ),
    Hostile(
        "delete_its_own_files",
        """
import shutil
os.unlink("main.py")
shutil.rmtree("/box", ignore_errors=True)
attempt(os.rmdir, "/box")
print("gone" if not os.listdir("/box") else "left")
""",
        outside="got()",
    ),
]

NETWORK = [
    Hostile(
        "connect_to_loopback",
        """
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"),
                        (socket.AF_INET6, "::1"), (socket.AF_INET6, "::ffff:127.0.0.1")):
    with socket.socket(family) as client:
        client.settimeout(1)
        attempt(client.connect, (address, T["tcp_port"]))
""",
        seen_by="tcp",
    ),
    Hostile(
        "send_a_datagram",
        """
with socket.socket(type=socket.SOCK_DGRAM) as client:
    attempt(client.sendto, b"hello", ("127.0.0.1", T["udp_port"]))
    attempt(client.sendto, b"\\0" * 32, ("192.0.2.1", 53))
""",
        seen_by="udp",
    ),
    Hostile(
        "ask_for_a_name",
        """
attempt(socket.getaddrinfo, "example.org", 80)
attempt(socket.create_connection, ("localhost", T["tcp_port"]), 1)
""",
        seen_by="tcp",
        outside="attempt(socket.create_connection, ('localhost', T['tcp_port']), 1)",
    ),
    Hostile(
        "connect_to_an_abstract_socket",
        """
with socket.socket(socket.AF_UNIX) as client:
    attempt(client.connect, T["abstract_socket"])
""",
        seen_by="abstract",
    ),
    Hostile(
        "connect_to_a_socket_file",
        """
with socket.socket(socket.AF_UNIX) as client:
    attempt(client.connect, T["socket_file"])
""",
        seen_by="socket_file",
    ),
    Hostile(
        "open_strange_sockets",
        """
for family, kind, protocol in ((16, 3, 0), (17, 3, 768), (40, 1, 0), (38, 5, 0), (31, 3, 1),
                               (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)):
    if attempt(socket.socket, family, kind, protocol):
        got(family)
""",
    ),
]

PROCESSES = [
    Hostile(
        "kill_the_parent_and_pid_1",
        """
for pid in (os.getppid(), 1, T["pid"]):
    for number in range(1, 65):
        attempt(os.kill, pid, number)
time.sleep(0.05)
if os.getppid() != 1:
    got("the parent is another process now")
print("alive")
""",
        seen_by="victim",
        outside="os.kill(T['pid'], 9)",
    ),
    Hostile(
        "kill_everything",
        """
subprocess.Popen(["sleep", "1000"])
os.kill(-1, signal.SIGKILL)
print("alive")
""",
        seen_by="victim",
        outside="os.kill(T['pid'], 9)",
    ),
    Hostile(
        "kill_its_group",
        "os.killpg(0, signal.SIGKILL)",
        ends=frozenset({Outcome.CRASHED}),
        seen_by="victim",
        outside="os.killpg(T['pid'], signal.SIGKILL)",
    ),
    Hostile(
        "become_a_daemon",
        """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3):
            os.close(number)
        os.execv(sys.executable, [sys.executable, "-c", SLEEP, T["mark"]])
    os._exit(0)
os.wait()
print("parent done")
""",
        seen_by="left_over",
    ),
    Hostile(
        "leave_sleeping_children",
        """
for _ in range(4):
    subprocess.Popen([sys.executable, "-c", SLEEP, T["mark"]])
print("parent done", flush=True)
os._exit(0)
""",
        seen_by="left_over",
    ),
    Hostile(
        "ignore_every_signal",
        """
for number in set(range(1, 65)) - {9, 19, 32, 33}:
    signal.signal(number, signal.SIG_IGN)
time.sleep(1000)
""",
        ends=frozenset({Outcome.TIMEOUT}),
        seen_by="runs_on",
    ),
    Hostile(
        "stop_itself_and_pid_1",
        """
os.kill(1, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
""",
        ends=frozenset({Outcome.TIMEOUT}),
        seen_by="runs_on",
        outside="os.kill(os.getpid(), signal.SIGSTOP)",
    ),
    Hostile(
        "trace_other_processes",
        """
child = os.fork()
if child == 0:
    time.sleep(20)
    os._exit(0)
buffer = ctypes.create_string_buffer(8)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
for pid in (1, os.getppid(), child):
    if libc.ptrace(0x4206, pid, 0, 0) == 0:
        got("ptrace")
    if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) > 0:
        got("memory")
for pid in {1, os.getppid()}:
    if attempt(open, f"/proc/{pid}/mem", "rb") or attempt(os.listdir, f"/proc/{pid}/fd"):
        got("proc")
os.kill(child, 9)
""",
    ),
    Hostile(
        "change_other_processes_limits",
        """
child = os.fork()
if child == 0:
    time.sleep(20)
    os._exit(0)
for pid in (1, os.getppid(), child) if not T["outside"] else (child,):
    if attempt(resource.prlimit, pid, resource.RLIMIT_NOFILE, (0, 0)):
        got("limits")
    if attempt(os.setpriority, os.PRIO_PROCESS, pid, 19):
        got("priority")
    if attempt(os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0)):
        got("scheduler")
    if attempt(os.sched_setaffinity, pid, {0}):
        got("CPUs")
os.kill(child, 9)
""",
    ),
    Hostile(
        "become_another_program",
        "os.execv('/bin/sleep', ['sleep', '1000'])",
        ends=frozenset({Outcome.TIMEOUT}),
        seen_by="runs_on",
    ),
    Hostile(
        "run_for_ever",
        "while True: pass",
        ends=frozenset({Outcome.TIMEOUT, Outcome.CPU_LIMIT}),
        seen_by="runs_on",
    ),
    Hostile(
        "compute_for_ever_in_one_call",
        "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
        ends=frozenset({Outcome.TIMEOUT, Outcome.CPU_LIMIT}),
        seen_by="runs_on",
    ),
    Hostile(
        "compute_in_many_processes",
        """
for _ in range(4):
    if os.fork() == 0:
        while True: pass
os.wait()
""",
        ends=frozenset({Outcome.CPU_LIMIT, Outcome.TIMEOUT}),
        seen_by="runs_on",
        outside="time.sleep(1000)",
    ),
    Hostile(
        "crash",
        "ctypes.string_at(0)",
        ends=frozenset({Outcome.CRASHED}),
        seen_by="crash",
    ),
    Hostile(
        "overflow_the_stack",
        """
chain = iter(())
for _ in range(200_000):
    chain = map(abs, chain)
next(chain)
""",
        ends=frozenset({Outcome.CRASHED}),
        seen_by="crash",
    ),
    Hostile(
        "recurse_without_end",
        "def f(): f()\nf()",
        outside="got()",
        status=1,
    ),
]

BOMBS = [
    Hostile(
        "take_what_all_users_share",
        """
fcntl = __import__("fcntl")
libc = ctypes.CDLL(None)
one, other = socket.socketpair()
for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
    if attempt(one.setsockopt, socket.SOL_SOCKET, option, 1 << 30):
        got("a larger buffer")
if libc.inotify_init1(0) >= 0:
    got("watches")
if attempt(fcntl.flock, os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB):
    got("the lock of a file of the system")
""",
    ),
    Hostile(
        "fork_bomb",
        """
while True:
    attempt(os.fork)
""",
        ends=frozenset({Outcome.PROCESS_LIMIT}),
        seen_by="crowd",
        outside="for _ in range(T['processes'] + 5):\n"
        "    if not os.fork(): time.sleep(1); os._exit(0)\ntime.sleep(1)",
    ),
    Hostile(
        "zombie_bomb",
        """
while True:
    if attempt(os.fork) == 0:
        os._exit(0)
""",
        ends=frozenset({Outcome.PROCESS_LIMIT}),
        seen_by="crowd",
        outside="for _ in range(T['processes'] + 5):\n"
        "    if not os.fork(): os._exit(0)\ntime.sleep(1)",
    ),
    Hostile(
        "orphan_bomb",
        """
while True:
    if attempt(os.fork):
        os._exit(0)
""",
        seen_by="left_over",
        outside="if not os.fork(): time.sleep(1000)",
    ),
    Hostile(
        "thread_bomb",
        """
threading.stack_size(1 << 18)
while True:
    try:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    except (RuntimeError, MemoryError):
        pass
""",
        ends=frozenset({Outcome.PROCESS_LIMIT}),
        seen_by="crowd",
        outside="for _ in range(T['processes'] + 5):\n"
        "    threading.Thread(target=time.sleep, args=(1,)).start()",
    ),
    Hostile(
        "memory_bomb",
        """
hoard = []
while True:
    try:
        hoard.append(bytearray(b"x" * (1 << 20)))
    except MemoryError:
        time.sleep(1000)
""",
        ends=frozenset({Outcome.MEMORY_LIMIT}),
        seen_by="hoard",
        outside="hoard = b'x' * (3 * T['memory_bytes']); time.sleep(1)",
    ),
    Hostile(
        "reserve_address_space",
        """
for size in (3 * T["memory_bytes"], 1 << 30, 1 << 40):
    try:
        mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, MemoryError):
        continue
    got(size)
""",
    ),
    Hostile(
        "memory_bomb_in_parts",
        """
for _ in range(7):
    if os.fork() == 0:
        hoard = b"x" * (T["memory_bytes"] // 3)
        time.sleep(1000)
time.sleep(1000)
""",
        ends=frozenset({Outcome.MEMORY_LIMIT}),
        seen_by="hoard",
        outside="hoard = b'x' * (3 * T['memory_bytes']); time.sleep(1)",
    ),
    Hostile(
        "memory_bomb_that_hides_itself",
        """
libc.prctl(4, 0, 0, 0, 0)
hoard = []
while True:
    try:
        hoard.append(bytearray(b"x" * (1 << 20)))
    except MemoryError:
        time.sleep(1000)
""",
        ends=frozenset({Outcome.MEMORY_LIMIT}),
        seen_by="hoard",
        outside="hoard = b'x' * (3 * T['memory_bytes']); time.sleep(1)",
    ),
    Hostile(
        "memory_that_stays_when_it_is_unmapped",
        """
libc.mmap.restype = ctypes.c_void_p
shared, validated, anonymous, failed = 1, 3, 0x20, ctypes.c_void_p(-1).value
size, kept = T["memory_bytes"] // 4, 4096
zero = attempt(os.open, "/dev/zero", os.O_RDWR) or -1
for _ in range(T["outside"] or 20):
    for flags, file in ((shared | anonymous, -1), (validated | anonymous, -1), (shared, zero)):
        place = libc.mmap(None, ctypes.c_size_t(size), 3, flags, file, ctypes.c_long(0))
        if place == failed:
            continue
        ctypes.memset(place, 1, size)
        for advice in (4, 20):  # not needed; cold: none frees what is shared
            libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(size), advice)
        rest = ctypes.c_void_p(place + kept), ctypes.c_size_t(size - kept)
        if libc.munmap(*rest) == 0:
            got(f"{size - kept} bytes that no process has")
""",
    ),
    Hostile(
        "files_that_stay_when_they_are_unmapped",
        """
written = 0
for number in range(20):
    with open(f"file{number}", "wb+") as stream:
        if not attempt(stream.truncate, T["disk_bytes"] // 2):
            continue
        place = mmap.mmap(stream.fileno(), T["disk_bytes"] // 2)
        for page in range(0, len(place), 4096):  # past the limit, the write is a fault
            place[page] = 1
            written += 4096
            if written > T["disk_bytes"]:
                got(written)
        place.madvise(mmap.MADV_DONTNEED)
        place.close()
""",
        ends=frozenset({Outcome.DISK_LIMIT, Outcome.CRASHED}),
    ),
    Hostile(
        "memory_that_is_nobodys",
        """
if attempt(os.memfd_create, "hoard"):
    got("memfd")
for size in (4096, 1 << 30):
    if libc.shmget(0, ctypes.c_size_t(size), 0o1600) != -1:
        got("shm")
pages = mmap.mmap(-1, 1 << 16, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
pages.write(b"x" * (1 << 16))
if attempt(pages.madvise, 21):
    got("pageout")
_, pipe = os.pipe()
page = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.c_char.from_buffer(pages)), 4096)
if libc.vmsplice(pipe, page, ctypes.c_size_t(1), 0) > 0:
    got("vmsplice")
if libc.msgget(0, 0o1600) != -1 or libc.semget(0, 1, 0o1600) != -1:
    got("ipc")
""",
        outside="if attempt(os.memfd_create, 'hoard'): got()",
    ),
    Hostile(
        "decompression_bomb",
        """
import zlib
bomb = zlib.compressobj(1, zlib.DEFLATED, -15)
block = bomb.compress(bytes(1 << 20)) + bomb.flush(zlib.Z_FULL_FLUSH)
try:
    zlib.decompress(block * 100 + bomb.flush(), -15)
except MemoryError:
    print("refused")
""",
        ends=frozenset({Outcome.MEMORY_LIMIT, Outcome.EXITED}),
        seen_by="hoard",
        outside="hoard = bytes(1) * 3 * T['memory_bytes']; time.sleep(1)",
    ),
    Hostile(
        "disk_bomb",
        """
written = number = 0
try:
    while True:
        number += 1
        with open(f"file{number}", "wb", buffering=0) as stream:
            while stream.tell() < 1 << 20:
                written += stream.write(bytes(65536))
                if written > T["disk_bytes"]:
                    got(written)
                    sys.exit()
except OSError:
    time.sleep(1000)
""",
        ends=frozenset({Outcome.DISK_LIMIT}),
    ),
    Hostile(
        "inode_bomb",
        """
for number in range(100_000):
    try:
        os.mkdir(f"folder{number}")
    except OSError:
        time.sleep(1000)
got("inodes")
""",
        ends=frozenset({Outcome.DISK_LIMIT}),
        outside="for number in range(T['disk_files'] + 1): os.mkdir(f'folder{number}')\ngot()",
    ),
    Hostile(
        "huge_sparse_file",
        """
number = os.open("sparse", os.O_RDWR | os.O_CREAT)
if attempt(os.truncate, "sparse", 2 * T["disk_bytes"]):
    got("truncate")
if attempt(os.posix_fallocate, number, 0, 2 * T["disk_bytes"]):
    got("fallocate")
if attempt(os.pwrite, number, b"x", 1 << 40):
    got("write")
""",
        outside="open('sparse', 'w').close()\n"
        "if attempt(os.truncate, 'sparse', 2 * T['disk_bytes']): got()",
    ),
    Hostile(
        "many_open_files",
        """
held = []
while len(held) < 200:
    try:
        held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        break
if len(held) > T["open_files"]:
    got(len(held))
""",
    ),
    Hostile(
        "endless_output",
        "while True: os.write(1, b'x' * 65536)",
        ends=frozenset({Outcome.OUTPUT_LIMIT}),
        seen_by="flood",
        outside="os.write(1, b'x' * (3 * T['output_bytes']))",
    ),
    Hostile(
        "endless_errors",
        "while True: print('x' * 1000, file=sys.stderr)",
        ends=frozenset({Outcome.OUTPUT_LIMIT}),
        seen_by="flood",
        outside="os.write(2, b'x' * (3 * T['output_bytes']))",
    ),
    Hostile(
        "output_of_a_daemon",
        """
if os.fork() == 0:
    os.setsid()
    while True:
        os.write(1, b"x")
        time.sleep(0.001)
""",
        seen_by="left_over",
        outside="subprocess.Popen([sys.executable, '-c', SLEEP, T['mark']])",
    ),
    Hostile(
        "close_its_output",
        """
os.closerange(0, 256)
time.sleep(1000)
""",
        ends=frozenset({Outcome.TIMEOUT}),
        seen_by="runs_on",
    ),
]

ALL = [*READING, *WRITING, *NETWORK, *PROCESSES, *BOMBS]
