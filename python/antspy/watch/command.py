"""`antspy top`: what it shows of a process, and where."""

import json
from importlib.util import find_spec

from .client import Client, WatchError
from .options import Options


def run(options: Options) -> int:
    """Show it: the document, a page for browsers, or a view in the terminal.

    Raises:
        WatchError: There is no such process, or no longer; or something is missing.
    """
    client = Client(options.path)
    if options.json:
        print(json.dumps(client.ask(options.stacks, options.slowest)))
        return 0
    if options.web is not None:
        from .web.server import serve

        return serve(options, client)
    if find_spec("rich") is None:
        raise WatchError("rich is not installed: pip install 'antspy[top]'; --json and --web go without")
    from .top import show

    return show(options, client)
