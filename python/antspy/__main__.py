"""`python -m antspy`."""

import sys

from antspy.cli import main

if __name__ == "__main__":
    sys.exit(main())
