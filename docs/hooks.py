"""For the site: what lies outside docs/ is linked at the repository."""

import posixpath
import re
from typing import Any

_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """A page's text, before it is rendered."""
    folder = posixpath.dirname(page.file.src_uri)

    def outside(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", folder, found[1]))
        if path.startswith("docs/") and not path.endswith("runbooks"):
            return found[0]
        return f"]({config['repo_url']}/blob/main/{path})"

    return _LINK.sub(outside, markdown)
