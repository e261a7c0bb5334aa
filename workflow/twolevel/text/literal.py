"""The user's own names as literal text on one line."""

import re

_NOT_IN_XML = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(value: object) -> str:
    """Return `value` as one line of text that XML can hold."""
    return _NOT_IN_XML.sub("\ufffd", " ".join(str(value).split()))
