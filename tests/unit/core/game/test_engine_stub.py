from __future__ import annotations

import subprocess
import sys

from tests import patience


def test_the_stub_describes_the_built_module() -> None:
    """mypy's stubtest compares names, parameters and defaults."""
    command = [sys.executable, "-P", "-m", "mypy.stubtest", "ringrift_core._engine"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contract_imports_without_the_engine() -> None:
    program = "import sys; import ringrift_core.contract; assert 'ringrift_core._engine' not in sys.modules"
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=patience.SECONDS)


def test_the_rules_need_no_numpy_and_arrays_say_that_they_do() -> None:
    program = """
import sys
sys.modules["numpy"] = None
from ringrift_core import Game, _engine
game = Game(seed=1)
game.random_playout()
assert _engine.play_games("hex8", 2, [[_engine.Player.random()]], seed=1, games=1)
for needy in (lambda: _engine.encode_position(game._position), lambda: _engine.Judge.asked(print)):
    try:
        needy()
    except ImportError as error:
        assert "arrays need numpy (pip install 'ringrift[stages]')" in str(error)
    else:
        raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=patience.SECONDS)
