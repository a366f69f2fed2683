/** Exit codes of the guard, besides 0 for a program that ran to its end. */
export const TIMED_OUT = 124

/** Written to the real standard output once the program has run to its end: its own output goes nowhere. */
export const PASSED = 'dpllm: passed'

/**
 * Python that runs a program from standard input (JSON: program, seconds, megabytes) under limits of its own process: address
 * space, processor time, size of written files, no new processes, a timer; as the user nobody where it was
 * root and nobody can read Python's modules. An audit hook
 * (PEP 578), which cannot be taken away again, refuses what a short exercise does not need: writing and removing files,
 * starting programs, sockets, native libraries. Together with a namespace without network this keeps honest mistakes of a
 * model from doing harm; it is no prison for programs written to break out.
 */
export const GUARD = `
import sys, os, json
job = json.loads(sys.stdin.read())
report = os.dup(1)
null = os.open(os.devnull, os.O_RDWR)
for fd in (0, 1, 2):
    os.dup2(null, fd)

def open_to_all(path):
    parts = path.split(os.sep)
    folders = [os.sep.join(parts[:i]) or os.sep for i in range(1, len(parts))]
    return all(os.stat(folder).st_mode & 1 for folder in folders) and os.stat(path).st_mode & 4

def limit():
    try:
        import resource, signal
    except ImportError:
        return
    memory = job["megabytes"] * 2 ** 20
    seconds = job["seconds"]
    limits = [("RLIMIT_AS", memory), ("RLIMIT_CPU", int(seconds) + 1), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0), ("RLIMIT_NPROC", 0)]
    for name, most in limits:
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (AttributeError, ValueError, OSError):
            pass
    signal.signal(signal.SIGALRM, lambda *_: os._exit(${TIMED_OUT}))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    if os.geteuid() == 0 and open_to_all(os.__file__):
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        except OSError:
            pass

limit()

refused = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill", "os.killpg",
    "os.setxattr", "os.removexattr", "os.utime", "subprocess.", "pty.", "socket.", "shutil.", "ctypes.", "resource.",
    "winreg.", "signal.pthread_kill", "urllib.", "http.", "ftplib.", "smtplib.", "sqlite3.")
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

def audit(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & writing:
        raise PermissionError("the program may not write files")
    if event.startswith(refused):
        raise PermissionError("the program may not use " + event)

sys.addaudithook(audit)
exec(compile(job["program"], "program", "exec"), {})
os.write(report, b"${PASSED}")
`
