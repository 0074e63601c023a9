"""What every test relies on."""

from __future__ import annotations

import signal

# A shell starts a background job with SIGINT ignored, and children inherit that: Ctrl-C would end nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
