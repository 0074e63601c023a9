"""What is said of spec and status, in words and figures, without colour or layout: whoever shows them says the same.

`words` has figures, `steps` what stages do and did, `tracks` champions and candidates, `pipelines` the whole. The views
of `local` are made of it; a kubectl plugin and a report are to be.
"""
