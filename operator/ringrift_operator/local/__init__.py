"""`ringrift-operator local`: the operator's own domain on one machine, its tasks as processes instead of Jobs.

Start at `command.py`. `reconcile.py` is the loop, `children.py` starts and watches stages by what stands in
`processes/`, `folder.py` keeps the state between runs, `view.py` and `plain.py` show it, `summary.py` says at the end
what came of it, in the words of `telling/`.
"""
