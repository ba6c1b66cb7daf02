"""`antspy top --web`: the same for a browser, with plots of the last minutes.

`history.py` looks at the process and keeps what it saw, `server.py` serves that; `page.html`, `page.css`,
`page.js` and `plot.js` are the page, which asks for what is new.
"""
