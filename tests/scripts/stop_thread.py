"""Stops one thread of another process, as a debugger would, until a line comes on stdin.

usage: stop_thread.py TID
"""
import ctypes
import os
import sys

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
libc.ptrace.restype = ctypes.c_long


def ptrace(request, tid):
    if libc.ptrace(request, tid, 0, 0) != 0:
        sys.exit(
            f"ptrace {request:#x} of thread {tid}: {os.strerror(ctypes.get_errno())}:"
            " run the tests as root, or set kernel.yama.ptrace_scope = 0"
        )


tid = int(sys.argv[1])
ptrace(PTRACE_SEIZE, tid)
ptrace(PTRACE_INTERRUPT, tid)
os.waitpid(tid, WALL)
print("stopped", flush=True)
sys.stdin.readline()
ptrace(PTRACE_DETACH, tid)
print("goes on", flush=True)
