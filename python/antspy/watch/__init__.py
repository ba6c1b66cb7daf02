"""A view of the pools of a running process: see `serve_stats` and the command `antspy top`.

`snapshot.py` makes the document, `server.py` serves it on a Unix socket, `client.py` asks for it; `report.py`
says what came of the time between two documents, and `top.py` shows that.
"""
