"""What every test relies on."""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell starts a background job with SIGINT ignored, and children inherit that: Ctrl-C would end nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Under nohup the end of the terminal is ignored, and children inherit that too; a handler is left behind by exec.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

# How long an example takes says how busy the machine is, and nothing of what it tests.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
