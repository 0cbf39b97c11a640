"""The page in a browser: ``bioconv app``, or `page.App` in a notebook.  Needs the extra ``app``."""
